"""What people ask of the queue: the manager's review queue, the groups' queues, the counts.

Every reader takes a connection and the time `now` at which it is asked; ages and what is overdue follow.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, Final

from attrs import frozen
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    select,
    tuple_,
)

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import IncidentId, Line
from incident_domain.priority import Priority
from incident_projections.instants import micros
from incident_projections.queue import QUEUE_TABLE, Phase
from incident_projections.queue_entries import QueueEntry, entry, place_of
from incident_projections.work_queue import ORDER, WORK_SERVICES_TABLE, WORK_TABLE, WorkState

_q: Final = QUEUE_TABLE.c


class BadCursor(ValueError):
    """A cursor that no page of this queue gave out."""

    def __init__(self) -> None:
        super().__init__("cursor: is none that this queue gave out; take `next` of the page before, or none")


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
    return _phase_page(connection, Phase.REGISTRATION, now, limit, cursor)


def group_queue(  # noqa: PLR0913 - each narrows the queue by itself
    connection: Connection,
    *,
    now: datetime,
    line: Line | None = None,
    group: GroupId | None = None,
    person: PersonId | None = None,
    service: str | None = None,
    state: WorkState | None = None,
    priority: Priority | None = None,
    unacknowledged: bool = False,
    update_overdue: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """The incidents at work, in steps 2 and 3, in the order in which they are to be worked on.

    Major incidents come first; then counts the time to the breach of the first running target of the
    customer's agreements, those without one last; then the priority; then the age.  Each entry says in
    `place` why it stands where it stands.  The order is kept by the view of service clocks.

    What is given narrows the queue; `unacknowledged` keeps those that a group holds without having
    acknowledged them (P3.2), `update_overdue` those whose next progress report was due before `now` (P3.3).

    Raises:
        BadCursor: for a cursor that no page of this queue gave out.
    """
    given = {
        "line": None if line is None else line.value,
        "group": group,
        "person": person,
        "service": service,
        "state": None if state is None else state.value,
        "priority": None if priority is None else priority.value,
        "unacknowledged": 0 if unacknowledged else None,
        "due_before": micros(now) if update_overdue else None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    after = None if cursor is None else _place(cursor, ORDER)
    statement = _group_statement(frozenset(asked), after is not None)
    rows = _found(connection, statement, asked, ORDER, after, limit)
    found = sorted(rows, key=_order_of)
    entries: list[QueueEntry] = []
    before: Sequence[Any] | None = after
    for row in found[:limit]:
        order, (kind, agreement) = row[_ORDER_AT], row[_TARGET_AT]
        # Where one of the two views is behind, its place may be known before the rest.
        if row[_INCIDENT] is not None:
            entries.append(entry(row, now, place_of(order, before, now, kind, agreement)))
        before = order
    return Page(entries=tuple(entries), next=None if len(found) <= limit else _cursor(before or ()))


def closure_queue(
    connection: Connection, *, now: datetime, limit: int = 50, cursor: str | None = None
) -> Page:
    """The resolved incidents that the service desk has yet to close (P5.1, P5.2), oldest first.

    Raises:
        BadCursor: for a cursor that no page of this queue gave out.
    """
    return _phase_page(connection, Phase.AWAITING_CLOSURE, now, limit, cursor)


def incident_entry(connection: Connection, incident: IncidentId, *, now: datetime) -> QueueEntry | None:
    """One incident as a queue shows it, in whatever phase; None when there is none of that name."""
    found = connection.execute(_ONE, {"incident": incident}).one_or_none()
    return None if found is None else entry(found, now)


def counts_by_phase(connection: Connection) -> dict[Phase, int]:
    """How many incidents are in each phase; every phase is there."""
    counts = dict.fromkeys(Phase, 0)
    for phase, count in connection.execute(_COUNTS):
        counts[Phase(phase)] = count
    return counts


_REVIEW_ORDER: Final = ("registered_at", "incident")
_ONE: Final = select(QUEUE_TABLE).where(_q.incident == bindparam("incident"))
_COUNTS: Final = select(_q.phase, func.count()).group_by(_q.phase)


def _paged(statement: Select[Any], order: Sequence[ColumnElement[Any]], *, further: bool) -> Select[Any]:
    if further:
        after: list[BindParameter[Any]] = [bindparam(f"after_{each.key}", type_=each.type) for each in order]
        statement = statement.where(tuple_(*order) > tuple_(*after))
    return statement.order_by(*order).limit(bindparam("limit"))


@cache
def _phase_statement(phase: Phase, further: bool) -> Select[Any]:
    standing = select(QUEUE_TABLE).where(_q.phase == phase.value)
    return _paged(standing, [_q[each] for each in _REVIEW_ORDER], further=further)


@cache
def _group_statement(asked: frozenset[str], further: bool) -> Select[Any]:
    table = WORK_SERVICES_TABLE if "service" in asked else WORK_TABLE
    place = table.c
    narrowed = {
        "line": place.line == bindparam("line"),
        "group": place.support_group == bindparam("group"),
        "person": place.person == bindparam("person"),
        "state": place.state == bindparam("state"),
        "priority": place.weight == bindparam("priority"),
        "unacknowledged": place.acknowledged == bindparam("unacknowledged"),
        "due_before": place.next_update_due < bindparam("due_before"),
    }
    conditions = [condition for name, condition in narrowed.items() if name in asked]
    if "service" in asked:
        conditions.append(WORK_SERVICES_TABLE.c.service == bindparam("service"))
    order = [place[each] for each in ORDER]
    standing = select(*order, place.due_kind, place.due_agreement).where(*conditions)
    # Limited before it is joined, the page is read through the index whatever the database guesses.
    page = _paged(standing, order, further=further).subquery("page")
    return select(QUEUE_TABLE, page).select_from(page.outerjoin(QUEUE_TABLE, _q.incident == page.c.incident))


def _phase_page(connection: Connection, phase: Phase, now: datetime, limit: int, cursor: str | None) -> Page:
    after = None if cursor is None else _place(cursor, _REVIEW_ORDER)
    statement = _phase_statement(phase, after is not None)
    found = _found(connection, statement, {}, _REVIEW_ORDER, after, limit)
    entries = tuple(entry(row, now) for row in found[:limit])
    if len(found) <= limit:
        return Page(entries=entries, next=None)
    last = found[limit - 1]
    return Page(entries=entries, next=_cursor([last[_REGISTERED_AT], last[_INCIDENT]]))


# Where a row has the values of its place, and the target that is due, behind those of the entry.
_ORDER_AT: Final = slice(len(_q), len(_q) + len(ORDER))
_TARGET_AT: Final = slice(len(_q) + len(ORDER), None)
_order_of: Final = itemgetter(_ORDER_AT)
_INCIDENT, _REGISTERED_AT = (QUEUE_TABLE.columns.keys().index(each) for each in ("incident", "registered_at"))


def _found(
    connection: Connection,
    statement: Select[Any],
    asked: Mapping[str, Any],
    order: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
) -> Sequence[Sequence[Any]]:
    """The rows of a page, and the first of the page after it."""
    if limit < 1:
        raise ValueError("limit: must be at least 1")
    given = dict(asked)
    if after is not None:
        given.update({f"after_{name}": value for name, value in zip(order, after, strict=True)})
    return connection.execute(statement, {**given, "limit": limit + 1}).all()


def _cursor(place: Sequence[object]) -> str:
    written = json.dumps(place, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


def _place(cursor: str, order: Sequence[str]) -> Sequence[Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place: list[Any] = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        # Only what is written back as the same text was written here.
        known = len(place) == len(order) and _cursor(place) == cursor
    except (ValueError, TypeError, RecursionError):
        raise BadCursor from None
    if not known or not all(_storable(each, value) for each, value in zip(order, place, strict=True)):
        raise BadCursor
    return place


def _storable(column: str, value: object) -> bool:
    if column == "incident":
        return isinstance(value, str) and "\x00" not in value
    return type(value) is int and -(2**63) <= value < 2**63
