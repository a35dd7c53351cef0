"""Management's board: the major incidents that are not over, and what is still owed on each (P1.11, P3.3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, Row, bindparam, func, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import IncidentId, Party, TargetKind
from incident_domain.priority import Priority
from incident_projections.instants import instant, instant_if_any
from incident_projections.major_incidents import MAJOR_INCIDENTS_TABLE
from incident_projections.queue import QUEUE_TABLE, Phase
from incident_projections.sla_timers import SLA_TIMERS_TABLE


class Debt(Enum):
    """What can be owed on a major incident."""

    INFORM_MANAGEMENT = "inform_management"
    INFORM_CUSTOMER = "inform_customer"
    NEXT_UPDATE = "next_update"


@frozen(kw_only=True)
class Owed:
    """Something that is owed, from when on, and by how much it is overdue; None while its time is to come.

    Management, and then the customer, are to be told at once.  The next update is due when the last progress
    report said, or earlier where the customer's service level agreement asks for it.
    """

    what: Debt
    due_at: datetime
    overdue_by: timedelta | None


@frozen(kw_only=True)
class BoardEntry:
    """A major incident as management sees it.

    `group` holds it since `held_since`, and acknowledged it at `acknowledged_at` (P3.2); without a group it
    is with the service desk.  `told_at` is when the customer last had news.  No next update is `owed` where
    nobody said when it comes and no agreement asks for one.
    """

    incident: IncidentId
    number: int | None
    summary: str
    phase: Phase
    priority: Priority | None
    declared_at: datetime
    management_informed_at: datetime | None
    customer_informed_at: datetime | None
    told_at: datetime | None
    group: GroupId | None
    person: PersonId | None
    held_since: datetime | None
    acknowledged_at: datetime | None
    owed: tuple[Owed, ...]


_m, _q, _s = MAJOR_INCIDENTS_TABLE.c, QUEUE_TABLE.c, SLA_TIMERS_TABLE.c
_AT_WORK: Final = (Phase.CLASSIFICATION.value, Phase.INVESTIGATION.value)
_GOING_ON: Final = (Phase.REGISTRATION.value, *_AT_WORK, Phase.AWAITING_CLOSURE.value)
_AGREED: Final = (
    select(func.min(_s.due_at))
    .where(
        _s.incident == _m.incident,
        _s.kind == TargetKind.UPDATE.value,
        _s.party == Party.CUSTOMER.value,
    )
    .scalar_subquery()
    .label("agreed")
)
_BOARD: Final = (
    select(
        *MAJOR_INCIDENTS_TABLE.c,
        _q.number,
        _q.summary,
        _q.phase,
        _q.priority,
        _q.support_group,
        _q.person,
        _q.held_since,
        _q.acknowledged_at,
        _q.next_update_due,
        _AGREED,
    )
    .select_from(MAJOR_INCIDENTS_TABLE.join(QUEUE_TABLE, _m.incident == _q.incident))
    .where(_q.phase.in_(bindparam("phases", expanding=True)))
    .order_by(_m.declared_at, _m.incident)
)


def board(connection: Connection, *, now: datetime) -> tuple[BoardEntry, ...]:
    """The major incidents that are neither closed nor cancelled, with what is owed on each at an instant.

    What is overdue longest comes first, then what falls due next, then the rest in the order in which they
    were declared.  One that was found the same as another incident is not shown: the other one carries on.
    One that the view of the queue does not hold yet is left out.
    """
    found = connection.execute(_BOARD, {"phases": _GOING_ON})
    return tuple(sorted((_entry(row, now) for row in found), key=_place))


def _place(entry: BoardEntry) -> tuple[bool, datetime]:
    """Where an entry stands; what was due first is overdue longest."""
    return not entry.owed, min((each.due_at for each in entry.owed), default=entry.declared_at)


def _entry(row: Row[*tuple[Any, ...]], now: datetime) -> BoardEntry:
    return BoardEntry(
        incident=row.incident,
        number=row.number,
        summary=row.summary,
        phase=Phase(row.phase),
        priority=None if row.priority is None else Priority(row.priority),
        declared_at=instant(row.declared_at),
        management_informed_at=instant_if_any(row.management_at),
        customer_informed_at=instant_if_any(row.customer_at),
        told_at=instant_if_any(row.told_at),
        group=row.support_group,
        person=row.person,
        held_since=instant_if_any(row.held_since),
        acknowledged_at=instant_if_any(row.acknowledged_at),
        owed=tuple(
            Owed(what=what, due_at=due_at, overdue_by=now - due_at if due_at < now else None)
            for what, due_at in _owed(row)
        ),
    )


def _owed(row: Row[*tuple[Any, ...]]) -> Iterator[tuple[Debt, datetime]]:
    """What is owed and from when on, in the order in which the process asks for it."""
    if row.management_at is None:
        yield Debt.INFORM_MANAGEMENT, instant(row.declared_at)
    if row.customer_at is None:
        since = row.declared_at if row.management_at is None else row.management_at
        yield Debt.INFORM_CUSTOMER, instant(since)
    promised = row.next_update_due if row.phase in _AT_WORK else None
    due = [each for each in (promised, row.agreed) if each is not None]
    if due:
        yield Debt.NEXT_UPDATE, instant(min(due))
