"""How an incident stands for those who work on it: the phase, who holds it, what it waits for.

It is what the order and the narrowing of a group's queue need besides the clocks, and nothing personal.
"""

import json
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never, get_args

from incident_domain.events import (
    Acknowledged,
    AnalysisRecorded,
    AssignedToPerson,
    Cancelled,
    Classified,
    Closed,
    EscalatedToGroup,
    HandOffRejected,
    IdentifiedAsSame,
    JudgedNotMajor,
    MajorDeclared,
    Prioritised,
    ProgressReported,
    PutOnHold,
    Reopened,
    Resolved,
    SameAsUndone,
    WorkResumed,
)
from incident_projections.holding import NOBODY, Holding, handed_over
from incident_projections.instants import micros
from incident_projections.queue import Phase

StandingEvent: TypeAlias = (
    AnalysisRecorded
    | IdentifiedAsSame
    | SameAsUndone
    | MajorDeclared
    | JudgedNotMajor
    | Classified
    | Prioritised
    | EscalatedToGroup
    | HandOffRejected
    | AssignedToPerson
    | Acknowledged
    | ProgressReported
    | PutOnHold
    | WorkResumed
    | Resolved
    | Reopened
    | Closed
    | Cancelled
)
"""The events after which an incident may stand in another place of a queue."""

STANDING_EVENTS: Final[frozenset[type[StandingEvent]]] = frozenset(get_args(StandingEvent))
"""The same, to ask."""


class WorkStanding(Holding):
    """How an incident stands; instants are microseconds since 1970 UTC.

    `phase_before` is where one that is the same as another goes back to when that is undone (X6).
    """

    phase: str
    phase_before: str | None
    major: bool
    priority: int | None
    services: list[str]
    hold_since: int | None
    next_update_due: int | None


_REGISTRATION: Final = Phase.REGISTRATION.value
_AWAITING_CLOSURE: Final = Phase.AWAITING_CLOSURE.value

REGISTERED: Final[WorkStanding] = {
    **NOBODY,
    "phase": _REGISTRATION,
    "phase_before": None,
    "major": False,
    "priority": None,
    "services": [],
    "hold_since": None,
    "next_update_due": None,
}
"""How an incident stands when it was just registered."""

_NAMES: Final = tuple(REGISTERED)
_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_standing(standing: WorkStanding) -> str:
    """The standing as a JSON array."""
    return _json(list(standing.values()))


# The events of an incident come close together, and nobody changes a standing in its place.
@lru_cache(maxsize=1024)
def read_standing(column: str) -> WorkStanding:
    """The standing as it was written."""
    found: Any = dict(zip(_NAMES, json.loads(column), strict=True))
    standing: WorkStanding = found
    return standing


def standing_after(now: WorkStanding, event: StandingEvent) -> WorkStanding:
    """How the incident stands after one more event; every standing has its members in the same order."""
    match event:
        case EscalatedToGroup() | HandOffRejected():
            held: WorkStanding = {**now, **handed_over(now, event)}
            return held if now["phase"] == _AWAITING_CLOSURE else _working(held)
        case AssignedToPerson() | Acknowledged():
            return {**now, **handed_over(now, event)}
        case Reopened():
            return _working({**now, **handed_over(now, event)})
        case AnalysisRecorded():
            return {**now, "services": list(event.services)}
        case MajorDeclared() | JudgedNotMajor():
            return {**now, "major": isinstance(event, MajorDeclared)}
        case Prioritised():
            return {**now, "priority": event.priority.value}
        case ProgressReported():
            return {**now, "next_update_due": micros(event.next_update_due)}
        case PutOnHold():
            return {**now, "hold_since": micros(event.occurred_at)}
        case WorkResumed():
            return {**now, "hold_since": None}
        case Classified() | IdentifiedAsSame() | SameAsUndone() | Resolved() | Closed() | Cancelled():
            return _moved_on(now, event)
        case _:
            assert_never(event)


def _moved_on(
    now: WorkStanding, event: Classified | IdentifiedAsSame | SameAsUndone | Resolved | Closed | Cancelled
) -> WorkStanding:
    match event:
        case Classified():
            first = now["phase"] == _REGISTRATION
            return _in(Phase.CLASSIFICATION, now) if first else now
        case IdentifiedAsSame():
            return _in(Phase.SAME_AS, {**now, "phase_before": now["phase"]})
        case SameAsUndone():
            return _in(Phase(now["phase_before"]), {**now, "phase_before": None})
        case Resolved():
            return _in(Phase.AWAITING_CLOSURE, now)
        case Closed():
            return _in(Phase.CLOSED, now)
        case Cancelled():
            return _in(Phase.CANCELLED, now)
        case _:
            assert_never(event)


def _in(phase: Phase, now: WorkStanding) -> WorkStanding:
    return {**now, "phase": phase.value}


def _working(now: WorkStanding) -> WorkStanding:
    return _in(Phase.CLASSIFICATION if now["support_group"] is None else Phase.INVESTIGATION, now)
