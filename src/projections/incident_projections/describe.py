"""One plain English sentence for every event of an incident.

A sentence may repeat what somebody said or wrote about a person, never a name, an address or a telephone
number of the customer's basics.
"""

from datetime import timedelta
from enum import Enum
from typing import assert_never

from incident_domain.events import (
    Acknowledged,
    AgreementApplied,
    AgreementMoved,
    AnalysisRecorded,
    AssignedToPerson,
    Cancelled,
    ChangeLinked,
    Channel,
    ChildLinked,
    ChildUnlinked,
    ClassificationEvent,
    Classified,
    Closed,
    ClosureEvent,
    ConfigurationItemsAttached,
    ConfirmationRequested,
    CustomerCorrected,
    CustomerInformed,
    CustomerNotified,
    DeviationRecorded,
    EffortRecorded,
    EscalatedHierarchically,
    EscalatedToGroup,
    FindingsReported,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    HandOffRejected,
    HoursRecounted,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentRegistered,
    InteractionRecorded,
    InvestigationEvent,
    JudgedNotMajor,
    KnowledgeReviewed,
    LinkedAsChild,
    MajorDeclared,
    ManagementInformed,
    MatchedToKnownError,
    NoMatchFound,
    NumberAssigned,
    Prioritised,
    ProgressReported,
    PutOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    RecordedAsNew,
    RecordVerified,
    RegistrationEvent,
    Reopened,
    ResolutionConfirmed,
    ResolutionEvent,
    ResolutionRejected,
    Resolved,
    RootCauseClassified,
    SameAsUndone,
    SatisfactionRecorded,
    ServiceLevelEvent,
    ServiceRestored,
    SolutionProposed,
    TargetBreached,
    TargetWarned,
    UnlinkedFromParent,
    WorkaroundProvided,
    WorkResumed,
)


def describe(event: IncidentEvent) -> str:
    """What happened, as a sentence without the time and without who did it, which stand beside it."""
    said = _sentence(event)
    # Somebody's own words may bring a full stop along.
    return said[:-1] if said.endswith("..") else said


def words(value: Enum) -> str:
    """The wire word of an enumeration, to be read: `not_major` as `not major`."""
    return str(value.value).replace("_", " ")


def duration(length: timedelta) -> str:
    """A length of time by its two largest units, for example `2 d 3 h` or `5 min`."""
    days, minutes = length.days, length.seconds // 60
    hours, rest = minutes // 60, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"


def working_time(length: timedelta) -> str:
    """A length of working time, for example `30 h 00 min`: a day of work is not one of 24 hours."""
    hours, minutes = divmod(length // timedelta(minutes=1), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _sentence(event: IncidentEvent) -> str:
    if isinstance(event, RegistrationEvent):
        return _registration(event)
    if isinstance(event, ClassificationEvent):
        return _classification(event)
    if isinstance(event, InvestigationEvent):
        return _investigation(event)
    if isinstance(event, ResolutionEvent):
        return _resolution(event)
    if isinstance(event, ServiceLevelEvent):
        return _service_level(event)
    return _closure(event)


def _registration(event: RegistrationEvent) -> str:
    match event:
        case IncidentRegistered():
            taken_up = f"; takes up {event.refers_to} again" if event.refers_to else ""
            return f"Registered, reported {_through(event.reporter.channel)}: {event.summary}{taken_up}."
        case CustomerCorrected():
            return f"The customer's basics were corrected: {event.reason}."
        case NumberAssigned():
            return f"Numbered {event.number}."
        case AnalysisRecorded():
            began = "" if event.began_at is None else f" since {event.began_at:%Y-%m-%d %H:%M} UTC"
            place = f" at {event.location}" if event.location else ""
            return f"Analysed: {event.symptoms}{place}{began}; services: {_listed(event.services)}."
        case InteractionRecorded():
            return f"Exchange with a user {_through(event.channel)}: {event.text}."
        case ConfigurationItemsAttached():
            items = _listed(tuple(each.name for each in event.items))
            return f"Configuration items attached: {items}."
        case RecordedAsNew():
            return f"Recorded as new: {event.reason}."
        case IdentifiedAsSame():
            return f"Found to be the same as {event.existing}: {event.reason}."
        case FurtherReportAdded():
            return f"{event.report} is a further report of this incident: {event.reason}."
        case SameAsUndone():
            return f"Not the same as {event.existing} after all: {event.reason}."
        case FurtherReportWithdrawn():
            return f"{event.report} is no further report of this incident after all: {event.reason}."
        case LinkedAsChild():
            return f"Linked as a child of {event.parent}: {event.reason}."
        case ChildLinked():
            return f"{event.child} was linked as a child: {event.reason}."
        case UnlinkedFromParent():
            return f"The link to the parent {event.parent} was taken back: {event.reason}."
        case ChildUnlinked():
            return f"The link from the child {event.child} was taken back: {event.reason}."
        case MajorDeclared():
            return f"Declared a major incident: {event.reason}."
        case JudgedNotMajor():
            return f"Judged not to be a major incident: {event.reason}."
        case ManagementInformed():
            return f"Management was informed {_through(event.channel)}: {event.informed}."
        case CustomerInformed():
            return f"The customer was informed {_through(event.channel)}: {event.text}."
        case _:
            assert_never(event)


def _classification(event: ClassificationEvent) -> str:
    match event:
        case Classified():
            below = f", {event.subcategory}" if event.subcategory else ""
            return f"Classified as {event.category}{below}."
        case Prioritised():
            why = f", overriding the matrix: {event.override_reason}" if event.override_reason else ""
            weight = f"impact {words(event.impact)}, urgency {words(event.urgency)}"
            return f"Priority {event.priority.value} ({weight}){why}."
        case MatchedToKnownError():
            return f"Matches the known error {event.known_error}."
        case NoMatchFound():
            return f"Nothing matched in {_listed(event.consulted)}."
        case EscalatedToGroup():
            return (
                f"Escalated to {event.group} on line {event.line.value}"
                f" ({words(event.ground)}): {event.reason}."
            )
        case AssignedToPerson():
            return f"Assigned to {event.person} of {event.group}."
        case HandOffRejected():
            back = event.back_to or "the service desk"
            return f"{event.group} rejected the hand-off, back to {back}: {event.reason}."
        case EscalatedHierarchically():
            return f"Escalated to the higher level, to {event.to}: {event.reason}."
        case _:
            assert_never(event)


def _investigation(event: InvestigationEvent) -> str:
    match event:
        case Acknowledged():
            return f"{event.group} acknowledged receipt."
        case ProgressReported():
            due = f"{event.next_update_due:%Y-%m-%d %H:%M} UTC"
            return f"Progress: {event.text}; next update due {due}."
        case CustomerNotified():
            return f"The customer was told {_through(event.channel)}: {event.text}."
        case WorkaroundProvided():
            given = _listed(tuple(words(each) for each in event.given_to))
            return f"Workaround given to {given}: {event.text}."
        case KnowledgeReviewed():
            consulted = _listed(tuple(words(each) for each in event.consulted))
            return f"Reviewed {consulted}: {event.found}."
        case ReassessmentRequested():
            proposed = f"impact {words(event.proposed.impact)}, urgency {words(event.proposed.urgency)}"
            return f"Re-assessment requested ({proposed}): {event.reason}."
        case ReassessmentAccepted():
            return f"Re-assessment accepted: {event.reason}."
        case ReassessmentDeclined():
            return f"Re-assessment declined: {event.reason}."
        case SolutionProposed():
            return f"Solution proposed: {event.solution}."
        case EffortRecorded():
            cost = "" if event.cost is None else f", {event.cost.amount} {event.cost.currency}"
            return f"Effort recorded: {event.minutes} minutes{cost}."
        case FindingsReported():
            prevention = f"; to prevent it: {event.prevention}" if event.prevention else ""
            return f"Findings: {event.findings}{prevention}."
        case ChangeLinked():
            return f"Change {event.change} was linked."
        case PutOnHold():
            until = "" if event.until is None else f" until {event.until:%Y-%m-%d %H:%M} UTC"
            return f"On hold for {words(event.reason)}, awaiting {event.awaited}{until}."
        case WorkResumed():
            return "Work was resumed."
        case _:
            assert_never(event)


def _resolution(event: ResolutionEvent) -> str:
    match event:
        case ServiceRestored():
            return f"The service was restored at {event.restored_at:%Y-%m-%d %H:%M} UTC."
        case Resolved():
            known = f" (known error {event.known_error})" if event.known_error else ""
            changes = f"; changes: {_listed(event.changes)}" if event.changes else ""
            return f"Resolved: {event.actions}; solution: {event.solution}{known}{changes}."
        case _:
            assert_never(event)


def _closure(event: ClosureEvent) -> str:
    match event:
        case ConfirmationRequested():
            return "The customer was asked whether it works."
        case ResolutionConfirmed():
            return "The customer confirmed that it works."
        case ResolutionRejected():
            return f"The customer says that it does not work: {event.reason}."
        case Reopened():
            return f"Reopened: {event.reason}."
        case RootCauseClassified():
            return f"Root cause ({event.category}): {event.root_cause}."
        case RecordVerified():
            return "The record was found accurate and understandable."
        case SatisfactionRecorded():
            comment = f": {event.comment}" if event.comment else ""
            return f"The customer is {words(event.satisfaction)}{comment}."
        case Closed():
            handled = duration(timedelta(seconds=event.handling_seconds))
            return f"Closed (customer's agreement: {words(event.agreement)}), handled in {handled}."
        case Cancelled():
            return f"Cancelled: {event.reason}."
        case DeviationRecorded():
            return f"Deviation from {event.clause} ({event.code}): {event.missing}."
        case _:
            assert_never(event)


def _service_level(event: ServiceLevelEvent) -> str:
    match event:
        case AgreementApplied():
            return f"Agreement {event.agreement} applies, version {event.version} ({words(event.party)})."
        case AgreementMoved():
            return f"Agreement {event.agreement} goes on in version {event.version}: {event.reason}."
        case HoursRecounted():
            return (
                f"The clocks of agreement {event.agreement} were counted anew"
                f" by version {event.version}: {event.reason}."
            )
        case TargetWarned():
            return (
                f"Used {event.percent} percent of the target to {words(event.kind)} of agreement"
                f" {event.agreement}; due {event.due_at:%Y-%m-%d %H:%M} UTC."
            )
        case TargetBreached():
            return f"The target to {words(event.kind)} of agreement {event.agreement} was breached."
        case _:
            assert_never(event)


def _through(channel: Channel) -> str:
    match channel:
        case Channel.WALK_IN:
            return "in person"
        case Channel.PORTAL:
            return "through the portal"
        case Channel.EMAIL:
            return "by e-mail"
        case Channel.PHONE | Channel.MONITORING:
            return f"by {words(channel)}"
        case _:
            assert_never(channel)


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(values) or "none"
