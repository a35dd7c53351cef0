"""The order of the groups' queues, kept so that an index has it: a row for every incident at work.

The rows are derived from those of the service clocks: an incident's place follows from how it stands and from
the target of its customer's agreements that falls due first.  An incident that is not at work has no row.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypedDict

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from incident_domain.events import Line, Party
from incident_projections.queue import UNPRIORITISED, Phase
from incident_projections.standing import WorkStanding, read_standing
from incident_projections.view import METADATA, NAME

NEVER: Final = 2**63 - 1
"""The due instant of an incident of which no target runs: after all others."""

ORDER: Final = ("minor", "due", "weight", "registered_at", "incident")
"""The columns of the published order: a row comes before another when this is less."""


class WorkState(Enum):
    """How an incident at work is worked on; each is in exactly one of them."""

    INITIAL_SUPPORT = "initial_support"
    INVESTIGATION = "investigation"
    ON_HOLD = "on_hold"


class WorkRow(TypedDict):
    """A row of `work_queue`; instants are microseconds since 1970 UTC.

    `minor` is 0 for a major incident, else 1.  `due` is when the first running target of the customer's
    agreements is used up, `NEVER` where none runs; `due_kind` and `due_agreement` say which it is.  `weight`
    is the priority, 6 without one.  Without a group it is with the service desk, in the first line.
    """

    incident: str
    minor: int
    due: int
    weight: int
    registered_at: int
    due_kind: str | None
    due_agreement: str | None
    line: int
    support_group: str | None
    person: str | None
    state: str
    acknowledged: int
    next_update_due: int | None


def _place_columns() -> list[Column[Any]]:
    return [
        Column("minor", Integer, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("weight", Integer, nullable=False),
        Column("registered_at", BigInteger, nullable=False),
        Column("due_kind", Text),
        Column("due_agreement", Text),
        Column("line", Integer, nullable=False),
        Column("support_group", Text),
        Column("person", Text),
        Column("state", Text, nullable=False),
        Column("acknowledged", Integer, nullable=False),
        Column("next_update_due", BigInteger),
    ]


WORK_TABLE: Final = Table(
    "work_queue",
    METADATA,
    Column("incident", NAME, primary_key=True),
    *_place_columns(),
    Index("work_queue_by_order", *ORDER),
    Index("work_queue_by_group", "support_group", *ORDER),
    Index("work_queue_by_line", "line", *ORDER),
    Index("work_queue_by_person", "person", *ORDER),
)

WORK_SERVICES_TABLE: Final = Table(
    "work_services",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("service", NAME, primary_key=True),
    *_place_columns(),
    Index("work_services_by_service", "service", *ORDER),
)
"""The same rows, once for each service that the incident affects."""

_AT_WORK: Final = (Phase.CLASSIFICATION.value, Phase.INVESTIGATION.value)


def work_rows(clock_rows: tuple[Mapping[str, Any], ...]) -> tuple[WorkRow, ...]:
    """The row of an incident that is at work, of its rows in the view of service clocks; else none."""
    standing = _at_work(clock_rows)
    return () if standing is None else (_row(clock_rows, standing),)


def work_service_rows(clock_rows: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """The services of an incident that is at work, each once, with its row."""
    standing = _at_work(clock_rows)
    if standing is None or not standing["services"]:
        return ()
    row = _row(clock_rows, standing)
    return tuple({**row, "service": service} for service in sorted(set(standing["services"])))


def _at_work(clock_rows: tuple[Mapping[str, Any], ...]) -> WorkStanding | None:
    if not clock_rows:
        return None
    standing = read_standing(clock_rows[0]["standing"])
    return standing if standing["phase"] in _AT_WORK else None


def _row(clock_rows: tuple[Mapping[str, Any], ...], standing: WorkStanding) -> WorkRow:
    head, *timers = clock_rows
    first = min(
        (
            (each["due_at"], each["agreement"], each["kind"])
            for each in timers
            # A clock has a due instant only while it runs.
            if each["party"] == Party.CUSTOMER.value and each["due_at"] is not None
        ),
        default=(NEVER, None, None),
    )
    due, agreement, kind = first
    group = standing["support_group"]
    return {
        "incident": head["incident"],
        "minor": 0 if standing["major"] else 1,
        "due": due,
        "weight": standing["priority"] or UNPRIORITISED,
        "registered_at": head["registered_at"],
        "due_kind": kind,
        "due_agreement": agreement,
        "line": standing["line"] or Line.FIRST.value,
        "support_group": group,
        "person": standing["person"],
        "state": _state(standing).value,
        "acknowledged": int(group is None or standing["acknowledged_at"] is not None),
        "next_update_due": standing["next_update_due"],
    }


def _state(standing: WorkStanding) -> WorkState:
    if standing["hold_since"] is not None:
        return WorkState.ON_HOLD
    in_support = standing["phase"] == Phase.CLASSIFICATION.value
    return WorkState.INITIAL_SUPPORT if in_support else WorkState.INVESTIGATION
