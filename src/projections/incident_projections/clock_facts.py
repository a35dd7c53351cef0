"""What of an incident's history moves its clocks, in a form that a column can hold.

The facts hold nothing personal.  Replayed under any agreement they make its clocks, so that a correction, or
another agreement, needs no other reading of the journal.
"""

import json
from enum import Enum
from typing import Any, Final, TypeAlias, assert_never, get_args

from attrs import evolve as changed
from attrs import frozen

from incident_domain.actor import GroupId, Role
from incident_domain.events import (
    WIRE_NAMES,
    Acknowledged,
    AgreementApplied,
    AgreementMoved,
    AnalysisRecorded,
    Cancelled,
    Closed,
    CustomerNotified,
    EscalatedToGroup,
    Event,
    HandOffRejected,
    HoldReason,
    HoursRecounted,
    IdentifiedAsSame,
    IncidentRegistered,
    Prioritised,
    ProgressReported,
    PutOnHold,
    Reopened,
    Resolved,
    SameAsUndone,
    TargetBreached,
    TargetWarned,
    WorkResumed,
)
from incident_domain.priority import Priority
from incident_domain.working_time import Micros, to_micros

ClockEvent: TypeAlias = (
    IncidentRegistered
    | AnalysisRecorded
    | IdentifiedAsSame
    | SameAsUndone
    | Prioritised
    | EscalatedToGroup
    | HandOffRejected
    | Acknowledged
    | ProgressReported
    | CustomerNotified
    | PutOnHold
    | WorkResumed
    | Resolved
    | Reopened
    | Closed
    | Cancelled
    | AgreementApplied
    | AgreementMoved
    | HoursRecounted
    | TargetWarned
    | TargetBreached
)
"""The events that clocks look at."""

CLOCK_EVENTS: Final[frozenset[type[ClockEvent]]] = frozenset(get_args(ClockEvent))
"""The same, to ask."""


class Step(Enum):
    """What happened, for a clock; the values are what the column holds."""

    REGISTERED = "registered"
    SERVICES = "services"
    SAME = "same"
    UNDONE = "undone"
    PRIORITISED = "prioritised"
    ESCALATED = "escalated"
    REJECTED = "rejected"
    ACKNOWLEDGED = "acknowledged"
    PROGRESS = "progress"
    NOTIFIED = "notified"
    HELD = "held"
    RESUMED = "resumed"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    APPLIED = "applied"
    MOVED = "moved"
    RECOUNTED = "recounted"
    WARNED = "warned"
    BREACHED = "breached"


_EVENTS: Final[dict[Step, type[Event]]] = {
    Step.REGISTERED: IncidentRegistered,
    Step.SERVICES: AnalysisRecorded,
    Step.SAME: IdentifiedAsSame,
    Step.UNDONE: SameAsUndone,
    Step.PRIORITISED: Prioritised,
    Step.ESCALATED: EscalatedToGroup,
    Step.REJECTED: HandOffRejected,
    Step.ACKNOWLEDGED: Acknowledged,
    Step.PROGRESS: ProgressReported,
    Step.NOTIFIED: CustomerNotified,
    Step.HELD: PutOnHold,
    Step.RESUMED: WorkResumed,
    Step.RESOLVED: Resolved,
    Step.REOPENED: Reopened,
    Step.CLOSED: Closed,
    Step.CANCELLED: Cancelled,
    Step.APPLIED: AgreementApplied,
    Step.MOVED: AgreementMoved,
    Step.RECOUNTED: HoursRecounted,
    Step.WARNED: TargetWarned,
    Step.BREACHED: TargetBreached,
}


def wire_name(step: Step) -> str:
    """The wire name of the event that a step stands for."""
    return WIRE_NAMES[_EVENTS[step]]


@frozen(kw_only=True)
class Fact:
    """A step, when it happened, the journal's position of its event, and what the step says."""

    at: Micros
    position: int
    step: Step
    values: tuple[Any, ...] = ()


def fact_of(position: int, event: ClockEvent) -> Fact:
    """What an event says to the clocks."""
    step, values = _step_of(event)
    return Fact(at=to_micros(event.occurred_at), position=position, step=step, values=values)


def _step_of(event: ClockEvent) -> tuple[Step, tuple[Any, ...]]:
    match event:
        case IncidentRegistered():
            return Step.REGISTERED, ()
        case AnalysisRecorded():
            return Step.SERVICES, event.services
        case IdentifiedAsSame():
            return Step.SAME, ()
        case SameAsUndone():
            return Step.UNDONE, ()
        case Prioritised():
            return Step.PRIORITISED, (event.priority.value,)
        case EscalatedToGroup():
            return Step.ESCALATED, (event.group, event.by.role is Role.SERVICE_DESK)
        case HandOffRejected():
            return Step.REJECTED, ()
        case Acknowledged():
            return Step.ACKNOWLEDGED, ()
        case ProgressReported():
            return Step.PROGRESS, ()
        case CustomerNotified():
            return Step.NOTIFIED, ()
        case PutOnHold():
            return Step.HELD, (event.reason.value,)
        case WorkResumed():
            return Step.RESUMED, ()
        case Resolved():
            return Step.RESOLVED, ()
        case Reopened():
            return Step.REOPENED, ()
        case Closed():
            return Step.CLOSED, ()
        case Cancelled():
            return Step.CANCELLED, ()
        case AgreementApplied():
            return Step.APPLIED, (event.agreement, event.version)
        case AgreementMoved():
            return Step.MOVED, (event.agreement, event.version)
        case HoursRecounted():
            return Step.RECOUNTED, (event.agreement, event.version)
        case TargetWarned():
            return Step.WARNED, (event.agreement, event.kind.value, event.cycle, event.percent)
        case TargetBreached():
            return Step.BREACHED, (event.agreement, event.kind.value, event.cycle)
        case _:
            assert_never(event)


_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written(fact: Fact) -> str:
    """The fact as a JSON array."""
    return _json([fact.at, fact.position, fact.step.value, *fact.values])


def read_facts(column: str) -> tuple[Fact, ...]:
    """The facts of a JSON array of facts."""
    return tuple(
        Fact(at=at, position=position, step=Step(step), values=tuple(values))
        for at, position, step, *values in json.loads(column)
    )


@frozen(kw_only=True)
class Holder:
    """The group that holds the incident, whether it acknowledged that, and whom it got the incident from."""

    group: GroupId
    acknowledged: bool = False
    handed_over_by: "Holder | None" = None


@frozen(kw_only=True)
class Circumstances:
    """How an incident stands, as far as clocks care.

    `answered` is the position of the last acknowledgement or resolution, 0 before any.
    """

    priority: Priority | None = None
    services: tuple[str, ...] = ()
    hold: HoldReason | None = None
    holder: Holder | None = None
    answered: int = 0
    resolved: bool = False
    same: bool = False
    ended: bool = False


def circumstances_after(now: Circumstances, fact: Fact) -> Circumstances:
    """How the incident stands after one more fact."""
    match fact.step:
        case Step.SERVICES:
            return changed(now, services=fact.values)
        case Step.PRIORITISED:
            return changed(now, priority=Priority(fact.values[0]))
        case Step.ESCALATED:
            group, by_desk = fact.values
            origin = None if by_desk or now.holder is None else changed(now.holder, handed_over_by=None)
            return changed(now, holder=Holder(group=GroupId(group), handed_over_by=origin))
        case Step.REJECTED:
            return changed(now, holder=None if now.holder is None else now.holder.handed_over_by)
        case Step.ACKNOWLEDGED:
            held = None if now.holder is None else changed(now.holder, acknowledged=True)
            return changed(now, holder=held, answered=fact.position)
        case Step.HELD:
            return changed(now, hold=HoldReason(fact.values[0]))
        case Step.RESUMED:
            return changed(now, hold=None)
        case Step.RESOLVED:
            return changed(now, resolved=True, answered=fact.position)
        case Step.REOPENED:
            return changed(now, resolved=False)
        case Step.SAME:
            return changed(now, same=True)
        case Step.UNDONE:
            return changed(now, same=False)
        case Step.CLOSED | Step.CANCELLED:
            return changed(now, ended=True)
        case (
            Step.REGISTERED
            | Step.PROGRESS
            | Step.NOTIFIED
            | Step.APPLIED
            | Step.MOVED
            | Step.RECOUNTED
            | Step.WARNED
            | Step.BREACHED
        ):
            return now
        case _:
            assert_never(fact.step)
