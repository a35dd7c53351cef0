"""Which command an event tells of, so that what was recorded can be decided again.

Every event but the far side of a link is the heart of one command's decision, and holds all that the decision
rests on.
"""

from collections.abc import Mapping
from typing import Any, Final

from attrs import fields

from incident_domain import classification as step2
from incident_domain import closure as step5
from incident_domain import escalation, linking
from incident_domain import events as told
from incident_domain import investigation as step3
from incident_domain import registration as step1
from incident_domain import resolution as step4
from incident_domain import service_levels as levels
from incident_domain.command import Command
from incident_domain.incident import Incident, Unregistered
from incident_domain.priority import Assessment, Impact, Urgency, priority_of
from incident_domain.process import IncidentCommand

COMMAND_OF: Final[Mapping[type[told.Event], type[Command]]] = {
    # 1 Identification and registration
    told.IncidentRegistered: step1.RegisterIncident,
    told.CustomerCorrected: step1.CorrectCustomer,
    told.NumberAssigned: step1.AssignNumber,
    told.AnalysisRecorded: step1.RecordAnalysis,
    told.InteractionRecorded: step1.RecordInteraction,
    told.ConfigurationItemsAttached: step1.AttachConfigurationItems,
    told.RecordedAsNew: linking.RecordAsNew,
    told.IdentifiedAsSame: linking.IdentifyAsSame,
    told.FurtherReportAdded: linking.IdentifyAsSame,
    told.SameAsUndone: linking.UndoSameAs,
    told.FurtherReportWithdrawn: linking.UndoSameAs,
    told.LinkedAsChild: linking.LinkAsChild,
    told.ChildLinked: linking.LinkAsChild,
    told.UnlinkedFromParent: linking.UnlinkFromParent,
    told.ChildUnlinked: linking.UnlinkFromParent,
    told.MajorDeclared: step1.DeclareMajor,
    told.JudgedNotMajor: step1.JudgeNotMajor,
    told.ManagementInformed: step1.InformManagement,
    told.CustomerInformed: step1.InformCustomer,
    told.Cancelled: step1.Cancel,
    # 2 Classification and initial support
    told.Classified: step2.Classify,
    told.Prioritised: step2.Prioritise,
    told.MatchedToKnownError: step2.MatchKnownError,
    told.NoMatchFound: step2.RecordNoMatch,
    told.EscalatedToGroup: escalation.EscalateToGroup,
    told.AssignedToPerson: escalation.AssignToPerson,
    told.HandOffRejected: escalation.RejectHandOff,
    told.EscalatedHierarchically: escalation.EscalateHierarchically,
    # 3 Investigation and diagnosis
    told.Acknowledged: step3.Acknowledge,
    told.ProgressReported: step3.ReportProgress,
    told.CustomerNotified: step3.NotifyCustomer,
    told.WorkaroundProvided: step3.ProvideWorkaround,
    told.KnowledgeReviewed: step3.ReviewKnowledge,
    told.ReassessmentRequested: step3.RequestReassessment,
    told.ReassessmentAccepted: step3.AcceptReassessment,
    told.ReassessmentDeclined: step3.DeclineReassessment,
    told.SolutionProposed: step3.ProposeSolution,
    told.EffortRecorded: step3.RecordEffort,
    told.FindingsReported: step3.ReportFindings,
    told.ChangeLinked: step3.LinkChange,
    told.PutOnHold: step3.PutIncidentOnHold,
    told.WorkResumed: step3.Resume,
    # 4 Resolution and recovery
    told.ServiceRestored: step4.RecordRestoration,
    told.Resolved: step4.Resolve,
    # 5 Closure
    told.ConfirmationRequested: step5.RequestConfirmation,
    told.ResolutionConfirmed: step5.ConfirmResolution,
    told.ResolutionRejected: step5.RejectResolution,
    told.Reopened: step5.Reopen,
    told.RootCauseClassified: step5.ClassifyRootCause,
    told.RecordVerified: step5.VerifyRecord,
    told.SatisfactionRecorded: step5.RecordSatisfaction,
    told.Closed: step5.Close,
    # Service levels
    told.AgreementApplied: levels.ApplyAgreement,
    told.AgreementMoved: levels.MoveAgreement,
    told.HoursRecounted: levels.RecountHours,
    told.TargetWarned: levels.RecordWarning,
    told.TargetBreached: levels.RecordBreach,
}
"""For every event of an incident, but the deviation, the command of which it tells."""

_UNTOLD: Final = Assessment(impact=Impact.MEDIUM, urgency=Urgency.MEDIUM)
"""An assessment that no rule looks at, where an event of its own tells the real one."""

_COMMON: Final = frozenset({"incident", "by", "at"})


def command_of(incident: told.IncidentId, now: Incident, event: told.IncidentEvent) -> IncidentCommand:
    """The command of which an event tells, given to the incident as it was before.

    Raises:
        InvalidValue: when the event holds what no command could have held.
        KeyError: for the far side of a link and for a deviation, which no command makes by itself.
    """
    who: dict[str, Any] = {"incident": incident, "by": event.by, "at": event.occurred_at}
    match event:
        case told.Classified():
            assessment = _UNTOLD if isinstance(now, Unregistered) else now.record.triage.assessment or _UNTOLD
            return step2.Classify(
                **who,
                category=event.category,
                subcategory=event.subcategory,
                impact=assessment.impact,
                urgency=assessment.urgency,
            )
        case told.Prioritised():
            return step2.Prioritise(
                **who, impact=event.impact, urgency=event.urgency, override=_override(event)
            )
        case told.ReassessmentAccepted():
            asked = None if isinstance(now, Unregistered) else now.record.work.reassessment
            return step3.AcceptReassessment(**who, assessment=asked or _UNTOLD, reason=event.reason)
        case told.Closed(agreement=told.Agreement.SILENCE):
            return step5.CloseAfterSilence(**who)
        case _ if type(event) in _ALIKE:
            kind, names = _ALIKE[type(event)]
            command: IncidentCommand = kind(**who, **{name: getattr(event, name) for name in names})
            return command
        case _:
            raise KeyError(type(event).__name__)


def _override(event: told.Prioritised) -> step2.PriorityOverride | None:
    """The priority that was set by hand; one that is the matrix's and has a reason was set by hand too."""
    follows = priority_of(Assessment(impact=event.impact, urgency=event.urgency))
    if event.override_reason is None and event.priority is follows:
        return None
    return step2.PriorityOverride(priority=event.priority, reason=event.override_reason or "")


def _alike() -> Mapping[type[told.Event], tuple[Any, tuple[str, ...]]]:
    """The events whose fields are their command's; the rest of a command's fields has defaults."""
    far_sides: set[type[told.Event]] = {
        told.FurtherReportAdded,
        told.FurtherReportWithdrawn,
        told.ChildLinked,
        told.ChildUnlinked,
    }
    found = dict[type[told.Event], tuple[Any, tuple[str, ...]]]()
    for event, command in COMMAND_OF.items():
        if event not in far_sides:
            own = {each.name for each in fields(event)}
            names = tuple(
                each.name for each in fields(command) if each.name in own and each.name not in _COMMON
            )
            found[event] = command, names
    return found


_ALIKE: Final = _alike()
