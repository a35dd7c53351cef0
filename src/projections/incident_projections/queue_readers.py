"""What people ask of the queue: the manager's review queue, the groups' queues, the counts.

Every reader takes a connection and the time `now` at which it is asked; ages and what is overdue follow.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from attrs import frozen
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
    union_all,
)

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import HoldReason, IncidentId, Line
from incident_domain.incident import Gravity, Similarity
from incident_domain.priority import Impact, Priority, Urgency
from incident_projections.instants import instant, instant_if_any, micros
from incident_projections.queue import QUEUE_TABLE, Phase

_q: Final = QUEUE_TABLE.c


class BadCursor(ValueError):
    """A cursor that no page of this queue gave out."""

    def __init__(self) -> None:
        super().__init__("cursor: is none that this queue gave out; take `next` of the page before, or none")


@frozen(kw_only=True)
class Hold:
    """What the incident waits for (X1), since when, and until when where that is known."""

    since: datetime
    reason: HoldReason
    awaited: str
    until: datetime | None


@frozen(kw_only=True)
class QueueEntry:
    """An incident as it stands in a queue; `age` is the time since its registration.

    `acknowledged_at`, `person` and `group` are of the group that holds it now; without a group it is with the
    service desk.  `agreement` names the service level agreement that it falls under.  `update_overdue` says
    that the next progress report was due before the time asked (P3.3).
    `missing` is what step 1 still lacks, in the order in which it is due (P1.5 to P1.12).
    """

    incident: IncidentId
    number: int | None
    phase: Phase
    summary: str
    organisation: str
    customer: PersonId
    agreement: str | None
    services: tuple[str, ...]
    category: str | None
    subcategory: str | None
    impact: Impact | None
    urgency: Urgency | None
    priority: Priority | None
    major: bool
    line: Line
    group: GroupId | None
    person: PersonId | None
    held_since: datetime | None
    acknowledged_at: datetime | None
    hold: Hold | None
    next_update_due: datetime | None
    update_overdue: bool
    reassessment_since: datetime | None
    confirmation_asked_at: datetime | None
    parent: IncidentId | None
    same_as: IncidentId | None
    registered_at: datetime
    began_at: datetime | None
    last_event_at: datetime
    age: timedelta
    reassignments: int
    bounces: int
    reopenings: int
    missing: tuple[str, ...]


@frozen(kw_only=True)
class Page:
    """A part of a queue; `next` is the cursor of the part after it, None at the end."""

    entries: tuple[QueueEntry, ...]
    next: str | None


def review_queue(
    connection: Connection, *, now: datetime, limit: int = 50, cursor: str | None = None
) -> Page:
    """The incident manager's review queue: what stands in step 1, oldest first (P1.4).

    Each entry says what is missing before it may leave step 1.

    Raises:
        BadCursor: for a cursor that no page of this queue gave out.
    """
    return _page(connection, _review_statement(cursor is not None), {}, _REVIEW_ORDER, now, limit, cursor)


def group_queue(  # noqa: PLR0913 - each narrows the queue by itself
    connection: Connection,
    *,
    now: datetime,
    line: Line | None = None,
    group: GroupId | None = None,
    person: PersonId | None = None,
    priority: Priority | None = None,
    unacknowledged: bool = False,
    update_overdue: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """The incidents at work, in steps 2 and 3: major ones first, then by priority, then the oldest first.

    What is given narrows the queue; `unacknowledged` keeps those that a group holds without having
    acknowledged them (P3.2), `update_overdue` those whose next progress report was due before `now` (P3.3).

    Raises:
        BadCursor: for a cursor that no page of this queue gave out.
    """
    asked: dict[str, Any] = {}
    if line is not None:
        asked["line"] = line.value
    if group is not None:
        asked["group"] = group
    if person is not None:
        asked["person"] = person
    if priority is not None:
        asked["priority"] = priority.value
    if unacknowledged:
        asked["unacknowledged"] = True
    if update_overdue:
        asked["due_before"] = micros(now)
    statement = _group_statement(frozenset(asked), cursor is not None)
    return _page(connection, statement, asked, _WORK_ORDER, now, limit, cursor)


def closure_queue(
    connection: Connection, *, now: datetime, limit: int = 50, cursor: str | None = None
) -> Page:
    """The resolved incidents that the service desk has yet to close (P5.1, P5.2), oldest first.

    Raises:
        BadCursor: for a cursor that no page of this queue gave out.
    """
    return _page(connection, _closure_statement(cursor is not None), {}, _REVIEW_ORDER, now, limit, cursor)


def incident_entry(connection: Connection, incident: IncidentId, *, now: datetime) -> QueueEntry | None:
    """One incident as a queue shows it, in whatever phase; None when there is none of that name."""
    found = connection.execute(_ONE, {"incident": incident}).mappings().one_or_none()
    return None if found is None else _entry(found, now)


def counts_by_phase(connection: Connection) -> dict[Phase, int]:
    """How many incidents are in each phase; every phase is there."""
    counts = dict.fromkeys(Phase, 0)
    for phase, count in connection.execute(_COUNTS):
        counts[Phase(phase)] = count
    return counts


_REVIEW_ORDER: Final = ("registered_at", "incident")
_WORK_ORDER: Final = ("rank", "registered_at", "incident")
_ONE: Final = select(QUEUE_TABLE).where(_q.incident == bindparam("incident"))
_COUNTS: Final = select(_q.phase, func.count()).group_by(_q.phase)


def _paged(statement: Select[Any], order: Sequence[str], *, further: bool) -> Select[Any]:
    if further:
        place = tuple_(*(_q[each] for each in order))
        after: list[BindParameter[Any]] = [bindparam(f"after_{each}") for each in order]
        statement = statement.where(place > tuple_(*after))
    return statement.order_by(*(_q[each] for each in order)).limit(bindparam("limit"))


@cache
def _review_statement(further: bool) -> Select[Any]:
    waiting = select(QUEUE_TABLE).where(_q.phase == Phase.REGISTRATION.value)
    return _paged(waiting, _REVIEW_ORDER, further=further)


@cache
def _closure_statement(further: bool) -> Select[Any]:
    resolved = select(QUEUE_TABLE).where(_q.phase == Phase.AWAITING_CLOSURE.value)
    return _paged(resolved, _REVIEW_ORDER, further=further)


@cache
def _group_statement(asked: frozenset[str], further: bool) -> Select[Any]:
    # Written out, so that SQLite sees that the partial indexes hold all of these rows.
    statement = select(QUEUE_TABLE).where(_q.at_work == literal_column("1"))
    narrowed = {
        "line": _q.line == bindparam("line"),
        "group": _q.support_group == bindparam("group"),
        "person": _q.person == bindparam("person"),
        "priority": _q.priority == bindparam("priority"),
        "unacknowledged": _q.support_group.is_not(None) & _q.acknowledged_at.is_(None),
        "due_before": _q.next_update_due < bindparam("due_before"),
    }
    statement = statement.where(*(condition for name, condition in narrowed.items() if name in asked))
    if "priority" not in asked:
        return _paged(statement, _WORK_ORDER, further=further)
    # Of one priority are the major incidents of it, and those of that rank: the index has both in order.
    ranks: list[ColumnElement[int]] = [literal_column("0"), bindparam("priority")]
    parts = [_paged(statement.where(_q.rank == rank), _WORK_ORDER, further=further) for rank in ranks]
    both = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(both).order_by(*(both.c[each] for each in _WORK_ORDER)).limit(bindparam("limit"))


def _page(
    connection: Connection,
    statement: Select[Any],
    asked: Mapping[str, Any],
    order: Sequence[str],
    now: datetime,
    limit: int,
    cursor: str | None,
) -> Page:
    if limit < 1:
        raise ValueError("limit: must be at least 1")
    after = {} if cursor is None else _place(cursor, order)
    found = connection.execute(statement, {**asked, **after, "limit": limit + 1}).mappings().all()
    entries = tuple(_entry(row, now) for row in found[:limit])
    if len(found) <= limit:
        return Page(entries=entries, next=None)
    last = found[limit - 1]
    return Page(entries=entries, next=_cursor([last[each] for each in order]))


def _cursor(place: Sequence[object]) -> str:
    written = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _place(cursor: str, order: Sequence[str]) -> dict[str, Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place: list[Any] = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        # Only what is written back as the same text was written here.
        known = len(place) == len(order) and _cursor(place) == cursor
    except (ValueError, TypeError, RecursionError):
        raise BadCursor from None
    if not known or not all(_storable(each, value) for each, value in zip(order, place, strict=True)):
        raise BadCursor
    return {f"after_{each}": value for each, value in zip(order, place, strict=True)}


def _missing(row: RowMapping) -> tuple[str, ...]:
    if row["phase"] != Phase.REGISTRATION.value:
        return ()
    gravity = Gravity(row["gravity"])
    owed = {
        "no-number": row["number"] is None,
        "no-analysis": row["analysed_at"] is None,
        "similarity-undecided": row["similarity"] == Similarity.UNDECIDED.value,
        "gravity-undecided": gravity is Gravity.UNDECIDED,
        "management-not-informed": gravity is Gravity.MAJOR,
        "customer-not-informed": gravity in (Gravity.MAJOR, Gravity.MANAGEMENT_INFORMED),
    }
    return tuple(code for code, lacks in owed.items() if lacks)


def _entry(row: RowMapping, now: datetime) -> QueueEntry:
    registered_at, due = instant(row["registered_at"]), instant_if_any(row["next_update_due"])
    return QueueEntry(
        incident=row["incident"],
        number=row["number"],
        phase=Phase(row["phase"]),
        summary=row["summary"],
        organisation=row["organisation"],
        customer=row["customer"],
        agreement=row["agreement"],
        services=tuple(json.loads(row["services"])),
        category=row["category"],
        subcategory=row["subcategory"],
        impact=None if row["impact"] is None else Impact(row["impact"]),
        urgency=None if row["urgency"] is None else Urgency(row["urgency"]),
        priority=None if row["priority"] is None else Priority(row["priority"]),
        major=row["rank"] == 0,
        line=Line.FIRST if row["line"] is None else Line(row["line"]),
        group=row["support_group"],
        person=row["person"],
        held_since=instant_if_any(row["held_since"]),
        acknowledged_at=instant_if_any(row["acknowledged_at"]),
        hold=_hold(row),
        next_update_due=due,
        update_overdue=bool(row["at_work"]) and due is not None and due < now,
        reassessment_since=instant_if_any(row["reassessment_since"]),
        confirmation_asked_at=instant_if_any(row["confirmation_asked_at"]),
        parent=row["parent"],
        same_as=row["same_as"],
        registered_at=registered_at,
        began_at=instant_if_any(row["began_at"]),
        last_event_at=instant(row["last_event_at"]),
        age=now - registered_at,
        reassignments=row["reassignments"],
        bounces=row["bounces"],
        reopenings=row["reopenings"],
        missing=_missing(row),
    )


def _hold(row: RowMapping) -> Hold | None:
    if row["hold_since"] is None:
        return None
    return Hold(
        since=instant(row["hold_since"]),
        reason=HoldReason(row["hold_reason"]),
        awaited=row["hold_awaited"],
        until=instant_if_any(row["hold_until"]),
    )


def _storable(column: str, value: object) -> bool:
    if column == "incident":
        return isinstance(value, str) and "\x00" not in value
    return type(value) is int and -(2**63) <= value < 2**63
