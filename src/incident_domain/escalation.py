"""Handing an incident on: to a group and a person (P2.4 to P2.6, X3), and up the hierarchy (X2)."""

from collections.abc import Iterator

from attrs import field, frozen

from incident_domain.actor import GroupId, PersonId, Role
from incident_domain.command import Command
from incident_domain.conditions import (
    Current,
    answerable,
    classified,
    current,
    major_gate,
    same_group,
    unresolved,
)
from incident_domain.events import (
    AssignedToPerson,
    EscalatedHierarchically,
    EscalatedToGroup,
    EscalationGround,
    HandOffRejected,
    IncidentEvent,
    Line,
)
from incident_domain.incident import Incident
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.validation import filled


@frozen(kw_only=True)
class EscalateToGroup(Command):
    """Hand the incident to a support group (P2.4); `ground` says so where it is an emergency (P2.6)."""

    line: Line
    group: GroupId = field(validator=filled)
    ground: EscalationGround
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class AssignToPerson(Command):
    """Assign the incident to a person of the group that holds it (P2.5)."""

    person: PersonId = field(validator=filled)


@frozen(kw_only=True)
class RejectHandOff(Command):
    """Give the incident back to where it came from (X3)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class EscalateHierarchically(Command):
    """Call in somebody higher up (X2)."""

    to: PersonId = field(validator=filled)
    reason: str = field(validator=filled)


def escalate_to_group(now: Incident, ask: EscalateToGroup) -> list[IncidentEvent]:
    """Hand over to the group, unless it holds the incident already."""
    reached = current(now, ask)
    assignment = reached.record.work.assignment
    if assignment is not None and (assignment.group, assignment.line) == (ask.group, ask.line):
        return []
    escalated = EscalatedToGroup(
        by=ask.by, occurred_at=ask.at, line=ask.line, group=ask.group, ground=ask.ground, reason=ask.reason
    )
    return [*weigh(ask.by, ask.at, _may_escalate(reached, ask)), escalated]


def _may_escalate(now: Current, ask: EscalateToGroup) -> Iterator[Objection]:
    yield from major_gate(now.record)
    yield from classified(now)
    yield from unresolved(now)
    if ask.by.role is Role.SUPPORT_GROUP:
        yield from answerable(now.record, ask)
    urgent = ask.ground in (EscalationGround.EMERGENCY, EscalationGround.COMPLEX)
    if not now.record.triage.match_recorded and not urgent:
        yield Objection(
            clause="P2.2",
            code="no-match-recorded",
            message="no search of the knowledge base is recorded; match a known error or record no match",
        )


def assign_to_person(now: Incident, ask: AssignToPerson) -> list[IncidentEvent]:
    """Assign to a person of the group."""
    reached = current(now, ask)
    assignment = reached.record.work.assignment
    if assignment is None:
        raise contradiction("P2.5", "no-group", "no group holds it; escalate it to a group first")
    if assignment.person == ask.person:
        return []
    assigned = AssignedToPerson(by=ask.by, occurred_at=ask.at, group=assignment.group, person=ask.person)
    objections = [*major_gate(reached.record), *unresolved(reached), *same_group(reached.record, ask)]
    return [*weigh(ask.by, ask.at, objections), assigned]


def reject_hand_off(now: Incident, ask: RejectHandOff) -> list[IncidentEvent]:
    """Give the incident back, with a reason; how often that happens stays visible."""
    reached = current(now, ask)
    assignment = reached.record.work.assignment
    if assignment is None or _rejected_already(reached, ask):
        return []
    back = assignment.handed_over_by
    rejected = HandOffRejected(
        by=ask.by,
        occurred_at=ask.at,
        group=assignment.group,
        back_to=None if back is None else back.group,
        back_to_line=Line.FIRST if back is None else back.line,
        reason=ask.reason,
    )
    objections = [
        *major_gate(reached.record),
        *unresolved(reached),
        *same_group(reached.record, ask),
        *_not_taken_on(reached),
    ]
    return [*weigh(ask.by, ask.at, objections), rejected]


def _rejected_already(now: Current, ask: RejectHandOff) -> bool:
    """Whether this very command gave the incident back, so that another group holds it since."""
    return any(
        isinstance(each, HandOffRejected)
        and (each.by, each.occurred_at, each.reason) == (ask.by, ask.at, ask.reason)
        for each in now.record.entries
    )


def _not_taken_on(now: Current) -> Iterator[Objection]:
    assignment = now.record.work.assignment
    if assignment is not None and assignment.acknowledged:
        yield Objection(
            clause="X3",
            code="acknowledged",
            message="the group acknowledged it already; escalate it to the group that can help instead",
        )


def escalate_hierarchically(now: Incident, ask: EscalateHierarchically) -> list[IncidentEvent]:
    """Call in somebody higher up; it stays where it is."""
    reached = current(now, ask)
    called = EscalatedHierarchically(by=ask.by, occurred_at=ask.at, to=ask.to, reason=ask.reason)
    if called in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, major_gate(reached.record)), called]
