"""Whether the process allowed what was recorded: each event is decided again from what stood before it.

A history that was made here conforms by itself, since nothing else is recorded.  One that was imported, made
by another program, or changed behind everybody's back need not, and this finds where.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, TypeAlias

from incident_domain import events as told
from incident_domain.actor import Role
from incident_domain.conditions import major_gate
from incident_domain.incident import AwaitingClosure, Incident, SameAs, Unregistered
from incident_domain.personal import personal_fields, says_something
from incident_domain.process import IncidentCommand, Situation, decide
from incident_domain.refusal import Objection, Refused
from incident_domain.resolution import Resolve, resolve_as_child
from incident_domain.retelling import COMMAND_OF, command_of
from incident_domain.roles import PERMITTED, allow
from incident_domain.validation import InvalidValue


class Verdict(Enum):
    """What a history says about a clause: it was followed, that cannot be shown, or it was broken."""

    SHOWN = "shown"
    NOT_SHOWN = "not_shown"
    BROKEN = "broken"


MISSING_IN_THE_RECORD: Final = frozenset(
    {
        "role-unknown",
        "no-name",
        "no-workplace",
        "no-way-to-reach",
        "no-number",
        "no-analysis",
        "no-time-of-occurrence",
        "similarity-undecided",
        "gravity-undecided",
        "management-not-informed",
        "customer-not-informed",
        "not-classified",
        "no-match-recorded",
        "not-acknowledged",
        "not-restored",
        "not-confirmed",
        "record-not-verified",
        "no-root-cause",
        "satisfaction-unknown",
    }
)
"""The codes of objections that say only that something is not in the record."""

UNCALLED_FOR: Final = "nothing-to-decide"
"""The code for an event that changes nothing, so that no command of the process records it."""


def verdict(objection: Objection, role: Role) -> Verdict:
    """What an objection to something recorded comes to, given the role in which it was done.

    Where the process is kept here, nothing goes on without the record, so that what is missing was not done.
    A history made elsewhere may only be silent about it.
    """
    if objection.code == UNCALLED_FOR:
        return Verdict.NOT_SHOWN
    silent = role is Role.IMPORTER and objection.code in MISSING_IN_THE_RECORD
    return Verdict.NOT_SHOWN if silent else Verdict.BROKEN


def ruling_clause(event: told.IncidentEvent) -> str:
    """The clause that rules the command of which an event tells; a deviation names its own."""
    if isinstance(event, told.DeviationRecorded):
        return event.clause
    return PERMITTED[COMMAND_OF[type(event)]][0]


def objections_to(
    situation: Situation,
    incident: told.IncidentId,
    before: told.IncidentEvent | None,
    event: told.IncidentEvent,
) -> tuple[Objection, ...]:
    """Every objection of the process to an event, in the situation in which it was recorded.

    `before` is the incident's event before it.  A history may be of the importer's making: what a rule
    objects to is here then too, whether a deviation was recorded for it or not.
    """
    now = situation.incident(incident)
    match event:
        case told.DeviationRecorded():
            return tuple(_deviation(event))
        case told.IncidentRegistered(by=by) if by.role is Role.IMPORTER:
            return *_decided_again(situation, incident, now, event), _BY_WHOM
        case (
            told.ChildLinked()
            | told.ChildUnlinked()
            | told.FurtherReportAdded()
            | told.FurtherReportWithdrawn()
        ):
            return tuple(_far_side(situation, incident, event))
        case _ if before is not None and _goes_with(before, event):
            return ()
        case told.WorkResumed() | told.ServiceRestored() | told.Resolved() if _with_parent(
            situation, now, event
        ):
            return tuple(_as_child(situation, incident, now, event))
        case _:
            return tuple(_decided_again(situation, incident, now, event))


_BY_WHOM: Final = Objection(
    clause="P1.3",
    code="role-unknown",
    message="the source does not say in which role it was entered, so that only the desk did",
)


def _deviation(event: told.DeviationRecorded) -> Iterator[Objection]:
    if event.by.role is not Role.IMPORTER:
        yield Objection(
            clause=event.clause, code="role", message="only the importer records a deviation from the process"
        )


def _goes_with(before: told.IncidentEvent, event: told.IncidentEvent) -> bool:
    """Whether an event belongs to the decision that the event before it tells of."""
    if (before.by, before.occurred_at) != (event.by, event.occurred_at):
        return False
    match event:
        case told.Prioritised():
            return isinstance(before, told.ChildLinked | told.FurtherReportAdded)
        case told.Reopened():
            return isinstance(before, told.ResolutionRejected)
        case told.EscalatedHierarchically():
            return isinstance(before, told.TargetBreached) and event.by.role in (Role.WATCH, Role.IMPORTER)
        case _:
            return False


def _decided_again(
    situation: Situation, incident: told.IncidentId, now: Incident, event: told.IncidentEvent
) -> Iterator[Objection]:
    clause = ruling_clause(event)
    try:
        command = command_of(incident, now, event)
    except InvalidValue as invalid:
        yield Objection(clause=clause, code="invalid-value", message=str(invalid))
        return
    yield from _answers(situation, command, event, clause)


def _answers(
    situation: Situation, command: IncidentCommand, event: told.IncidentEvent, clause: str
) -> Iterator[Objection]:
    try:
        decided = decide(situation, command).events.get(command.incident, ())
    except Refused as refused:
        yield from refused.objections
        return
    for each in decided:
        if isinstance(each, told.DeviationRecorded):
            yield Objection(clause=each.clause, code=each.code, message=each.missing)
    if event in decided:
        return
    if any(type(each) is type(event) for each in decided):
        yield Objection(
            clause=clause,
            code="other-content",
            message="the process gives other content to this event, from what is recorded before it",
        )
    elif not _unreadable(event):
        yield Objection(
            clause=clause,
            code=UNCALLED_FOR,
            message="it changes nothing of what is recorded before it, so that no command records it",
        )


def _unreadable(event: told.IncidentEvent) -> bool:
    """Whether a text is erased or sealed, so that two events which differed in it look the same."""
    holders: list[told.IncidentEvent | told.Customer] = [event]
    if isinstance(event, told.CustomerCorrected):
        holders.append(event.customer)
    texts = (getattr(each, name) for each in holders for name in personal_fields(type(each)))
    return any(text is not None and not says_something(text) for text in texts)


def _with_parent(
    situation: Situation, now: Incident, event: told.WorkResumed | told.ServiceRestored | told.Resolved
) -> bool:
    """Whether the parent was resolved by the same person at the same instant (P4.3)."""
    if isinstance(now, Unregistered) or now.record.parent is None:
        return False
    parent = situation.incident(now.record.parent)
    return isinstance(parent, AwaitingClosure) and (
        (parent.resolution.by, parent.resolution.occurred_at) == (event.by, event.occurred_at)
    )


def _as_child(
    situation: Situation,
    incident: told.IncidentId,
    now: Incident,
    event: told.WorkResumed | told.ServiceRestored | told.Resolved,
) -> Iterator[Objection]:
    """A child that is resolved with its parent needs no escalation of its own (P4.3)."""
    if isinstance(now, Unregistered):
        return
    parent = situation.incident(now.record.parent)
    if not isinstance(event, told.Resolved) or not isinstance(parent, AwaitingClosure):
        yield from major_gate(now.record)
        return
    first = parent.resolution
    try:
        ask = Resolve(
            incident=incident,
            by=event.by,
            at=event.occurred_at,
            actions=first.actions,
            solution=first.solution,
            known_error=first.known_error,
            changes=first.changes,
        )
        allow(ask)
        decided = resolve_as_child(parent.record, now, ask)
    except Refused as refused:
        yield from refused.objections
        return
    except InvalidValue as invalid:
        yield Objection(clause="P4.3", code="invalid-value", message=str(invalid))
        return
    for each in decided:
        if isinstance(each, told.DeviationRecorded):
            yield Objection(clause=each.clause, code=each.code, message=each.missing)
    if event not in decided:
        # It was resolved in its own right, at the same instant as the parent.
        yield from _decided_again(situation, incident, now, event)


_FarSide: TypeAlias = (
    told.ChildLinked | told.ChildUnlinked | told.FurtherReportAdded | told.FurtherReportWithdrawn
)


def _far_side(situation: Situation, incident: told.IncidentId, event: _FarSide) -> Iterator[Objection]:
    """What two incidents have in common is recorded on both, in one write, the near side first."""
    clause, roles = PERMITTED[COMMAND_OF[type(event)]]
    if event.by.role not in roles | {Role.IMPORTER}:
        yield Objection(clause=clause, code="role", message=f"{event.by.role.value} may not do this")
    if not _near_side(situation, incident, event):
        yield Objection(
            clause=clause, code="one-sided", message="the other incident's record does not say so"
        )


def _near_side(situation: Situation, incident: told.IncidentId, event: _FarSide) -> bool:
    other = situation.incident(
        event.child if isinstance(event, told.ChildLinked | told.ChildUnlinked) else event.report
    )
    if isinstance(other, Unregistered):
        return False
    match event:
        case told.ChildLinked():
            return other.record.parent == incident
        case told.ChildUnlinked():
            return other.record.parent is None
        case told.FurtherReportAdded():
            return isinstance(other, SameAs) and other.existing == incident
        case told.FurtherReportWithdrawn():
            return not isinstance(other, SameAs)
