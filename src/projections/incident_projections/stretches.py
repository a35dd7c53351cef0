"""The view of stretches: how an incident stood, and from when to when it stood so.

Stretches follow each other without a gap from the registration to the end, so that every report on time is a
sum: per phase, per group and person, per reason of waiting (X1), and the handling time (P5.2).
"""

from enum import Enum
from typing import Final, TypeAlias, TypedDict, assert_never, get_args

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from incident_domain.actor import Role
from incident_domain.envelope import Recorded
from incident_domain.events import (
    AssignedToPerson,
    Cancelled,
    Classified,
    Closed,
    EscalatedToGroup,
    HandOffRejected,
    IdentifiedAsSame,
    IncidentRegistered,
    Prioritised,
    PutOnHold,
    Reopened,
    Resolved,
    SameAsUndone,
    WorkResumed,
)
from incident_projections.instants import micros
from incident_projections.queue import Phase
from incident_projections.view import METADATA, NAME, StreamView, unbegun

Turning: TypeAlias = (
    IncidentRegistered
    | Classified
    | Prioritised
    | EscalatedToGroup
    | AssignedToPerson
    | HandOffRejected
    | PutOnHold
    | WorkResumed
    | Resolved
    | Reopened
    | IdentifiedAsSame
    | SameAsUndone
    | Closed
    | Cancelled
)
"""The events that end a stretch and begin the next."""


class Turn(Enum):
    """What began a stretch, where reports count it."""

    REGISTERED = "registered"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SAME_AS = "same_as"


class StretchRow(TypedDict):
    """A row of the view; instants are microseconds since 1970 UTC, `ended_at` is None for the last one.

    `step` counts from 1.  `support_group` is None while the service desk holds the incident; a rejected
    hand-off gives it back to the holder of `from_line`, `from_group` and `from_person`.  `handled` is 1 where
    the stretch is part of the handling time (P5.2).  `turn` is what began it.
    """

    incident: str
    step: int
    began_at: int
    ended_at: int | None
    phase: str
    hold: str | None
    line: int | None
    support_group: str | None
    person: str | None
    from_line: int | None
    from_group: str | None
    from_person: str | None
    priority: int | None
    handled: int
    turn: str | None


STRETCHES_TABLE: Final = Table(
    "stretches",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("phase", Text, nullable=False),
    Column("hold", Text),
    Column("line", Integer),
    Column("support_group", Text),
    Column("person", Text),
    Column("from_line", Integer),
    Column("from_group", Text),
    Column("from_person", Text),
    Column("priority", Integer),
    Column("handled", Integer, nullable=False),
    Column("turn", Text),
    Index("stretches_by_beginning", "began_at"),
    Index("stretches_by_end", "ended_at"),
)

_ROUNDS: Final = (Turn.REGISTERED.value, Turn.REOPENED.value)
_TURNS_OF_ROUNDS: Final = (*_ROUNDS, Turn.RESOLVED.value)


def _registered(event: IncidentRegistered) -> StretchRow:
    return {
        "incident": event.incident,
        "step": 1,
        "began_at": micros(event.occurred_at),
        "ended_at": None,
        "phase": Phase.REGISTRATION.value,
        "hold": None,
        "line": None,
        "support_group": None,
        "person": None,
        "from_line": None,
        "from_group": None,
        "from_person": None,
        "priority": None,
        "handled": 1,
        "turn": Turn.REGISTERED.value,
    }


def fold_stretches(
    rows: tuple[StretchRow, ...], recorded: Recorded, event: Turning
) -> tuple[StretchRow, ...]:
    """The incident's stretches after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if not rows:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        return (_registered(event),)
    now = rows[-1]
    if now["ended_at"] is not None:
        return rows
    at = micros(event.occurred_at)
    if isinstance(event, Closed | Cancelled):
        return _ended(rows, _not_before(rows, at, _TURNS_OF_ROUNDS))
    if isinstance(event, Resolved):
        # Resolved once more without a reopening: only the last resolution ends the handling time.
        since = _not_before(rows, 0, _ROUNDS)
        counted = tuple(each if each["began_at"] < since else _handled(each) for each in rows)
        return _next(counted, _not_before(rows, at, _ROUNDS), _after(rows, event))
    after = _after(rows, event)
    return rows if after is now else _next(rows, _not_before(rows, at, _TURNS_OF_ROUNDS), after)


def _handled(row: StretchRow) -> StretchRow:
    return row if row["handled"] else {**row, "handled": 1}


def _not_before(rows: tuple[StretchRow, ...], at: int, turns: tuple[str, ...]) -> int:
    """The instant, but not before the last of these turns: what is over by then stays as it was."""
    return max(at, next(row["began_at"] for row in reversed(rows) if row["turn"] in turns))


def _ended(rows: tuple[StretchRow, ...], at: int) -> tuple[StretchRow, ...]:
    """The stretches with nothing after the instant; what was recorded last holds for what came after it."""
    return tuple(
        row
        if row["ended_at"] is not None and row["ended_at"] <= at
        else {**row, "began_at": min(row["began_at"], at), "ended_at": at}
        for row in rows
    )


def _next(rows: tuple[StretchRow, ...], at: int, after: StretchRow) -> tuple[StretchRow, ...]:
    now = rows[-1]
    if now["began_at"] == at and after["turn"] is None:
        kept: StretchRow = {**after, "turn": now["turn"]}
        return (*rows[:-1], kept)
    begun: StretchRow = {**after, "step": now["step"] + 1, "began_at": at, "ended_at": None}
    return (*_ended(rows, at), begun)


def _after(rows: tuple[StretchRow, ...], event: Turning) -> StretchRow:
    """How the incident stands after the event; the last row itself where that changes nothing."""
    now = rows[-1]
    on: StretchRow = {**now, "turn": None}
    match event:
        case IncidentRegistered() | Closed() | Cancelled():
            return now
        case Classified():
            first = now["phase"] == Phase.REGISTRATION.value
            return {**on, "phase": Phase.CLASSIFICATION.value} if first else now
        case Prioritised():
            same = now["priority"] == event.priority.value
            return now if same else {**on, "priority": event.priority.value}
        case EscalatedToGroup():
            return _escalated(now, on, event)
        case AssignedToPerson():
            return now if now["person"] == event.person else {**on, "person": event.person}
        case HandOffRejected():
            back: StretchRow = {
                **on,
                "line": now["from_line"],
                "support_group": now["from_group"],
                "person": now["from_person"],
                "from_line": None,
                "from_group": None,
                "from_person": None,
            }
            return back if _resolved(now) else _working(back)
        case PutOnHold():
            same = now["hold"] == event.reason.value
            return now if same else {**on, "hold": event.reason.value}
        case WorkResumed():
            return {**on, "hold": None}
        case Resolved():
            resolved = Phase.AWAITING_CLOSURE.value
            return {**on, "phase": resolved, "handled": 0, "turn": Turn.RESOLVED.value}
        case Reopened():
            return _working({**on, "turn": Turn.REOPENED.value})
        case IdentifiedAsSame():
            return {**on, "phase": Phase.SAME_AS.value, "turn": Turn.SAME_AS.value}
        case SameAsUndone():
            before = (row["phase"] for row in reversed(rows) if row["phase"] != Phase.SAME_AS.value)
            return {**on, "phase": next(before)}
        case _:
            assert_never(event)


def _escalated(now: StretchRow, on: StretchRow, event: EscalatedToGroup) -> StretchRow:
    by_desk = event.by.role is Role.SERVICE_DESK
    held: StretchRow = {
        **on,
        "line": event.line.value,
        "support_group": event.group,
        "person": None,
        "from_line": None if by_desk else now["line"],
        "from_group": None if by_desk else now["support_group"],
        "from_person": None if by_desk else now["person"],
    }
    return held if _resolved(now) else _working(held)


def _resolved(row: StretchRow) -> bool:
    return row["phase"] == Phase.AWAITING_CLOSURE.value


def _working(row: StretchRow) -> StretchRow:
    phase = Phase.CLASSIFICATION if row["support_group"] is None else Phase.INVESTIGATION
    return {**row, "phase": phase.value, "handled": 1}


STRETCHES: Final = StreamView(
    version=2, table=STRETCHES_TABLE, about=frozenset(get_args(Turning)), fold=fold_stretches
)
"""The view of `stretches`."""
