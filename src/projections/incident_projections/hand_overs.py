"""The view of hand-overs: a row each time an incident changed hands (P2.5) or was given back (X3).

A row is a fact of the incident's own history.  How often something went to and fro, between which groups and
when, is asked of the rows.
"""

from enum import Enum
from typing import Final, TypeAlias, TypedDict, assert_never, get_args

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from incident_domain.actor import Role
from incident_domain.envelope import Recorded
from incident_domain.events import AssignedToPerson, EscalatedToGroup, HandOffRejected
from incident_domain.evolution import BrokenHistory
from incident_projections.instants import micros
from incident_projections.view import METADATA, NAME, StreamView

Handing: TypeAlias = EscalatedToGroup | AssignedToPerson | HandOffRejected
"""The events by which an incident changes hands."""


class Move(Enum):
    """How an incident changed hands: to another group, to another person of its group, or back."""

    HANDED_OVER = "handed_over"
    PASSED_ON = "passed_on"
    REJECTED = "rejected"


class HandOverRow(TypedDict):
    """A row of the view; `at` is microseconds since 1970 UTC.

    `step` counts from 1.  `giver` and `taker` are groups, None for the service desk; a rejected hand-off has
    those of the hand-off that was rejected.  `returned` is 1 where the taker had held the incident before.
    `support_group` and `person` hold it from then on, and give it back to `from_group` and `from_person`,
    until the next row.
    """

    incident: str
    step: int
    at: int
    move: str
    giver: str | None
    taker: str | None
    returned: int
    support_group: str | None
    person: str | None
    from_group: str | None
    from_person: str | None


HAND_OVERS_TABLE: Final = Table(
    "hand_overs",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("move", Text, nullable=False),
    Column("giver", Text),
    Column("taker", Text),
    Column("returned", Integer, nullable=False),
    Column("support_group", Text),
    Column("person", Text),
    Column("from_group", Text),
    Column("from_person", Text),
    Index("hand_overs_by_time", "at"),
)


def fold_hand_overs(
    rows: tuple[HandOverRow, ...], recorded: Recorded, event: Handing
) -> tuple[HandOverRow, ...]:
    """The incident's hand-overs after one more event; a first assignment to a person of a group is none.

    Raises:
        BrokenHistory: when a person of no group takes it on, or a hand-off is rejected that nobody made.
    """
    if isinstance(event, EscalatedToGroup):
        return _escalated(rows, recorded, event)
    if not rows or rows[-1]["support_group"] is None:
        raise BrokenHistory(
            f"{recorded.name} while no group holds it", stream=recorded.stream, version=recorded.version
        )
    now = rows[-1]
    group = now["support_group"]
    match event:
        case AssignedToPerson(person=person):
            if now["person"] == person:
                return rows
            if now["person"] is None:
                return (*rows[:-1], {**now, "person": person})
            passed_on: HandOverRow = {
                **now,
                "step": now["step"] + 1,
                "at": micros(event.occurred_at),
                "move": Move.PASSED_ON.value,
                "giver": group,
                "taker": group,
                "returned": 0,
                "person": person,
            }
            return (*rows, passed_on)
        case HandOffRejected():
            rejected: HandOverRow = {
                **now,
                "step": now["step"] + 1,
                "at": micros(event.occurred_at),
                "move": Move.REJECTED.value,
                "giver": _giver(rows, group),
                "taker": group,
                "returned": 0,
                "support_group": now["from_group"],
                "person": now["from_person"],
                "from_group": None,
                "from_person": None,
            }
            return (*rows, rejected)
        case _:
            assert_never(event)


def _escalated(
    rows: tuple[HandOverRow, ...], recorded: Recorded, event: EscalatedToGroup
) -> tuple[HandOverRow, ...]:
    now = rows[-1] if rows else None
    giver, person = (None, None) if now is None else (now["support_group"], now["person"])
    by_desk = event.by.role is Role.SERVICE_DESK
    handed_over: HandOverRow = {
        "incident": recorded.stream,
        "step": len(rows) + 1,
        "at": micros(event.occurred_at),
        "move": Move.HANDED_OVER.value,
        "giver": giver,
        "taker": event.group,
        "returned": int(any(_given(row, event.group) for row in rows)),
        "support_group": event.group,
        "person": None,
        "from_group": None if by_desk else giver,
        "from_person": None if by_desk else person,
    }
    if now is None or giver != event.group:
        return (*rows, handed_over)
    # Another line of the same group: nobody else got it.
    again: HandOverRow = {
        **now,
        "person": None,
        "from_group": handed_over["from_group"],
        "from_person": handed_over["from_person"],
    }
    return (*rows[:-1], again)


def _given(row: HandOverRow, group: str | None) -> bool:
    return row["move"] == Move.HANDED_OVER.value and row["taker"] == group


def _giver(rows: tuple[HandOverRow, ...], group: str | None) -> str | None:
    """Whom the group that holds it got it from last."""
    return next((row["giver"] for row in reversed(rows) if _given(row, group)), None)


HAND_OVERS: Final = StreamView(
    version=1, table=HAND_OVERS_TABLE, about=frozenset(get_args(Handing)), fold=fold_hand_overs
)
"""The view of `hand_overs`."""
