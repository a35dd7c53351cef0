"""How events make the state of an incident.

`evolve` is total and alone enough to replay a history.  It never re-checks a rule of the process: what was
recorded is a fact.  Only what no incident can have gone through raises `BrokenHistory`.
"""

from collections.abc import Iterable
from typing import TypeAlias, assert_never

from attrs import evolve as changed

from incident_domain.actor import Actor, Role
from incident_domain.events import (
    Acknowledged,
    AgreementApplied,
    AgreementMoved,
    AnalysisRecorded,
    AssignedToPerson,
    Cancelled,
    ChangeLinked,
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
from incident_domain.incident import (
    BREACH,
    UNREGISTERED,
    Assignment,
    AwaitingClosure,
    Ended,
    Gravity,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    Record,
    SameAs,
    Similarity,
    Unregistered,
    handling_time,
)
from incident_domain.priority import Assessment


class BrokenHistory(Exception):
    """A history that no incident can have had.  `stream` and `version` say which event broke it."""

    def __init__(self, reason: str, *, stream: str | None = None, version: int | None = None) -> None:
        where = f" (stream {stream}, version {version})" if stream is not None else ""
        super().__init__(f"broken history: {reason}{where}")
        self.reason = reason
        self.stream = stream
        self.version = version


Registered: TypeAlias = InRegistration | InClassification | InInvestigation | AwaitingClosure | SameAs | Ended
"""An incident of which at least the registration is recorded."""


def replay(events: Iterable[IncidentEvent]) -> Incident:
    """The incident that a whole history made.

    Raises:
        BrokenHistory: when no incident can have had it.
    """
    now: Incident = UNREGISTERED
    for event in events:
        now = evolve(now, event)
    return now


def evolve(now: Incident, event: IncidentEvent) -> Incident:
    """The incident after one more event.

    Raises:
        BrokenHistory: when the event cannot follow, for example anything after the closing.
    """
    if isinstance(event, IncidentRegistered):
        return _registered(now, event)
    if isinstance(now, Unregistered):
        raise BrokenHistory(f"{type(event).__name__} before the registration")
    if isinstance(event, DeviationRecorded):
        return now
    if isinstance(event, TargetWarned | TargetBreached):
        return changed(now, record=_marked(now.record, event))
    if isinstance(now, Ended):
        raise BrokenHistory(f"{type(event).__name__} after the end")
    return _phase(now, _record(now.record, event), event)


def _registered(now: Incident, event: IncidentRegistered) -> Incident:
    if not isinstance(now, Unregistered):
        raise BrokenHistory("registered twice")
    return InRegistration(
        record=Record(
            registration=event,
            basics=event.customer,
            open_since=event.occurred_at,
        )
    )


def _record(record: Record, event: IncidentEvent) -> Record:
    if isinstance(event, RegistrationEvent):
        return _after_registration(record, event)
    if isinstance(event, ClassificationEvent):
        return _after_classification(record, event)
    if isinstance(event, InvestigationEvent):
        return _after_investigation(record, event)
    if isinstance(event, ResolutionEvent):
        return _after_resolution(record, event)
    if isinstance(event, ServiceLevelEvent):
        return _after_service_level(record, event)
    return _after_closure(record, event)


def _noted(record: Record, event: IncidentEvent) -> Record:
    return changed(record, entries=record.entries | {event})


def _after_registration(record: Record, event: RegistrationEvent) -> Record:
    intake = record.intake
    match event:
        case IncidentRegistered() | IdentifiedAsSame() | SameAsUndone():
            return record
        case CustomerCorrected(customer=customer):
            return changed(record, basics=customer)
        case NumberAssigned(number=number):
            if intake.number is not None:
                raise BrokenHistory("numbered twice")
            return changed(record, intake=changed(intake, number=number))
        case AnalysisRecorded(began_at=began_at):
            return changed(_noted(record, event), intake=changed(intake, analysed=True, began_at=began_at))
        case InteractionRecorded():
            return _noted(record, event)
        case ConfigurationItemsAttached(items=items):
            attached = intake.items | {each.item for each in items}
            return changed(record, intake=changed(intake, items=attached))
        case RecordedAsNew():
            return changed(record, intake=changed(intake, similarity=Similarity.NEW))
        case FurtherReportAdded(report=report):
            return changed(record, reports=record.reports | {report})
        case FurtherReportWithdrawn(report=report):
            return changed(record, reports=record.reports - {report})
        case LinkedAsChild(parent=parent):
            if record.parent is not None:
                raise BrokenHistory("linked to a second parent")
            return changed(record, parent=parent, intake=changed(intake, similarity=Similarity.CHILD))
        case ChildLinked(child=child):
            return changed(record, children=record.children | {child})
        case UnlinkedFromParent():
            return changed(record, parent=None, intake=changed(intake, similarity=Similarity.UNDECIDED))
        case ChildUnlinked(child=child):
            return changed(record, children=record.children - {child})
        case MajorDeclared():
            return changed(record, intake=changed(intake, gravity=Gravity.MAJOR))
        case JudgedNotMajor():
            return changed(record, intake=changed(intake, gravity=Gravity.NOT_MAJOR))
        case ManagementInformed():
            if intake.gravity is Gravity.MAJOR:
                intake = changed(intake, gravity=Gravity.MANAGEMENT_INFORMED)
            return changed(_noted(record, event), intake=intake)
        case CustomerInformed():
            if intake.gravity is Gravity.MANAGEMENT_INFORMED:
                intake = changed(intake, gravity=Gravity.CUSTOMER_INFORMED)
            return changed(_noted(record, event), intake=intake)
        case _:
            assert_never(event)


def _after_classification(record: Record, event: ClassificationEvent) -> Record:
    triage, work = record.triage, record.work
    match event:
        case EscalatedToGroup():
            assignment = Assignment(
                line=event.line, group=event.group, handed_over_by=_origin(work.assignment, event.by)
            )
            return changed(record, work=changed(work, assignment=assignment))
        case AssignedToPerson(person=person):
            if work.assignment is None:
                raise BrokenHistory("assigned to a person while no group holds it")
            return changed(record, work=changed(work, assignment=changed(work.assignment, person=person)))
        case Classified(category=category, subcategory=subcategory):
            return changed(record, triage=changed(triage, category=category, subcategory=subcategory))
        case Prioritised():
            assessment = Assessment(impact=event.impact, urgency=event.urgency)
            prioritised = changed(
                triage, assessment=assessment, priority=event.priority, override_reason=event.override_reason
            )
            return changed(record, triage=prioritised)
        case MatchedToKnownError(known_error=known_error):
            return changed(record, triage=changed(triage, matched=known_error, match_recorded=True))
        case NoMatchFound():
            return changed(_noted(record, event), triage=changed(triage, matched=None, match_recorded=True))
        case HandOffRejected():
            if work.assignment is None:
                raise BrokenHistory("a hand-off rejected that nobody made")
            back = changed(work, assignment=work.assignment.handed_over_by)
            return changed(_noted(record, event), work=back)
        case EscalatedHierarchically():
            return _noted(record, event)
        case _:
            assert_never(event)


def _origin(assignment: Assignment | None, by: Actor) -> Assignment | None:
    """Where a rejected hand-off goes back to: the group that handed it over, None for the service desk."""
    if assignment is None or by.role is Role.SERVICE_DESK:
        return None
    return changed(assignment, handed_over_by=None)


def _after_investigation(record: Record, event: InvestigationEvent) -> Record:
    work = record.work
    match event:
        case Acknowledged():
            if work.assignment is None:
                raise BrokenHistory("acknowledged while no group holds it")
            return changed(record, work=changed(work, assignment=changed(work.assignment, acknowledged=True)))
        case (
            ProgressReported()
            | CustomerNotified()
            | WorkaroundProvided()
            | KnowledgeReviewed()
            | SolutionProposed()
            | EffortRecorded()
            | FindingsReported()
        ):
            return _noted(record, event)
        case ReassessmentRequested(proposed=proposed):
            return changed(_noted(record, event), work=changed(work, reassessment=proposed))
        case ReassessmentAccepted() | ReassessmentDeclined():
            if work.reassessment is None:
                raise BrokenHistory("a re-assessment answered that nobody asked for")
            return changed(_noted(record, event), work=changed(work, reassessment=None))
        case ChangeLinked(change=change):
            return changed(record, work=changed(work, changes=work.changes | {change}))
        case PutOnHold():
            return changed(record, work=changed(work, hold=event))
        case WorkResumed():
            if work.hold is None:
                raise BrokenHistory("resumed without a hold")
            return changed(record, work=changed(work, hold=None))
        case _:
            assert_never(event)


def _after_resolution(record: Record, event: ResolutionEvent) -> Record:
    match event:
        case ServiceRestored(restored_at=restored_at):
            return changed(record, restored_at=restored_at)
        case Resolved(changes=changes):
            return changed(record, work=changed(record.work, changes=record.work.changes.union(changes)))
        case _:
            assert_never(event)


def _after_closure(record: Record, event: ClosureEvent) -> Record:
    match event:
        case Reopened():
            return changed(record, restored_at=None)
        case RootCauseClassified(category=category, root_cause=root_cause):
            return changed(record, root_cause=(category, root_cause))
        case (
            ConfirmationRequested()
            | ResolutionConfirmed()
            | ResolutionRejected()
            | RecordVerified()
            | SatisfactionRecorded()
        ):
            return _noted(record, event)
        case Closed() | Cancelled() | DeviationRecorded():
            return record
        case _:
            assert_never(event)


def _after_service_level(record: Record, event: ServiceLevelEvent) -> Record:
    match event:
        case AgreementApplied() | AgreementMoved() | HoursRecounted():
            if not isinstance(event, AgreementApplied) and event.agreement not in record.agreements:
                raise BrokenHistory("an agreement moved that does not run on it")
            return changed(record, agreements={**record.agreements, event.agreement: event.version})
        case TargetWarned() | TargetBreached():
            return _marked(record, event)
        case _:
            assert_never(event)


def _marked(record: Record, event: TargetWarned | TargetBreached) -> Record:
    if event.agreement not in record.agreements:
        raise BrokenHistory("a clock of an agreement that does not run on it")
    percent = event.percent if isinstance(event, TargetWarned) else BREACH
    return changed(record, marks=record.marks | {(event.agreement, event.kind, event.cycle, percent)})


def _phase(now: Registered, record: Record, event: IncidentEvent) -> Incident:
    """The phase after the event; most events leave it as it is."""
    match event:
        case Classified() if isinstance(now, InRegistration):
            return InClassification(record=record)
        case EscalatedToGroup() | HandOffRejected() if not isinstance(now, AwaitingClosure):
            return _working(record)
        case Reopened():
            if not isinstance(now, AwaitingClosure):
                raise BrokenHistory("reopened without a resolution")
            resolved_at = now.resolution.occurred_at
            handled = handling_time(record, resolved_at)
            return _working(changed(record, handled=handled, open_since=max(event.occurred_at, resolved_at)))
        case Resolved():
            return AwaitingClosure(record=record, resolution=event)
        case Closed() | Cancelled():
            return Ended(record=record, end=event)
        case IdentifiedAsSame(existing=existing):
            if isinstance(now, SameAs | Ended):
                raise BrokenHistory("identified as the same while another record carries on")
            return SameAs(record=record, existing=existing, before=now)
        case SameAsUndone():
            if not isinstance(now, SameAs):
                raise BrokenHistory("undone what nobody decided")
            return changed(now.before, record=record)
        case _:
            return (
                _closing(now, record, event)
                if isinstance(now, AwaitingClosure)
                else changed(now, record=record)
            )


def _working(record: Record) -> InClassification | InInvestigation:
    held = record.work.assignment is not None
    return InInvestigation(record=record) if held else InClassification(record=record)


def _closing(now: AwaitingClosure, record: Record, event: IncidentEvent) -> AwaitingClosure:
    match event:
        case ConfirmationRequested():
            return changed(now, record=record, asked_at=event.occurred_at)
        case ResolutionConfirmed():
            return changed(now, record=record, confirmed=True)
        case RecordVerified():
            return changed(now, record=record, verified=True)
        case SatisfactionRecorded(satisfaction=satisfaction):
            return changed(now, record=record, satisfaction=satisfaction)
        case _:
            return changed(now, record=record)
