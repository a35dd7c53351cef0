"""The process: every command, and the five steps as one table.

`decide` is the walk of every command: the role, then the step's own decision.  It is pure: what it has to
know comes in as `Situation`, and `needs` says beforehand what that is.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar, assert_never

from attrs import evolve as changed
from attrs import field, frozen

from incident_domain import classification as step2
from incident_domain import closure as step5
from incident_domain import escalation, linking
from incident_domain import investigation as step3
from incident_domain import registration as step1
from incident_domain import resolution as step4
from incident_domain import service_levels as levels
from incident_domain.agreements import UNPUBLISHED, Agreement
from incident_domain.children import ChildAnswer, cascade
from incident_domain.events import AgreementId, IncidentEvent, IncidentId, KnownErrorId
from incident_domain.incident import UNREGISTERED, Incident, Record, SameAs, Unregistered
from incident_domain.known_errors import UNRECORDED, KnowledgeEntry
from incident_domain.policy import DEFAULT_POLICY, Policy
from incident_domain.roles import allow

Name = TypeVar("Name", bound=str)

RegistrationCommand: TypeAlias = (
    step1.RegisterIncident
    | step1.CorrectCustomer
    | step1.AssignNumber
    | step1.RecordAnalysis
    | step1.RecordInteraction
    | step1.AttachConfigurationItems
    | step1.DeclareMajor
    | step1.JudgeNotMajor
    | step1.InformManagement
    | step1.InformCustomer
    | step1.Cancel
    | linking.RecordAsNew
)
LinkingCommand: TypeAlias = (
    linking.IdentifyAsSame | linking.UndoSameAs | linking.LinkAsChild | linking.UnlinkFromParent
)
ClassificationCommand: TypeAlias = (
    step2.Classify
    | step2.Prioritise
    | step2.MatchKnownError
    | step2.RecordNoMatch
    | escalation.EscalateToGroup
    | escalation.AssignToPerson
    | escalation.RejectHandOff
    | escalation.EscalateHierarchically
)
InvestigationCommand: TypeAlias = (
    step3.Acknowledge
    | step3.ReportProgress
    | step3.NotifyCustomer
    | step3.ProvideWorkaround
    | step3.ReviewKnowledge
    | step3.RequestReassessment
    | step3.AcceptReassessment
    | step3.DeclineReassessment
    | step3.ProposeSolution
    | step3.RecordEffort
    | step3.ReportFindings
    | step3.LinkChange
    | step3.PutIncidentOnHold
    | step3.Resume
)
ClosureCommand: TypeAlias = (
    step5.RequestConfirmation
    | step5.ConfirmResolution
    | step5.RejectResolution
    | step5.Reopen
    | step5.ClassifyRootCause
    | step5.VerifyRecord
    | step5.RecordSatisfaction
    | step5.CloseAfterSilence
)
ServiceLevelCommand: TypeAlias = (
    levels.ApplyAgreement
    | levels.MoveAgreement
    | levels.RecountHours
    | levels.RecordWarning
    | levels.RecordBreach
)
FamilyCommand: TypeAlias = step4.Resolve | step5.Close
"""Commands that may take the children along."""

IncidentCommand: TypeAlias = (
    RegistrationCommand
    | LinkingCommand
    | ClassificationCommand
    | InvestigationCommand
    | step4.RecordRestoration
    | FamilyCommand
    | ClosureCommand
    | ServiceLevelCommand
)
"""All that can be asked of an incident."""


@frozen(kw_only=True)
class Needs:
    """What a decision has to see beside the incident itself."""

    incidents: frozenset[IncidentId] = frozenset()
    known_errors: frozenset[KnownErrorId] = frozenset()
    agreements: frozenset[AgreementId] = frozenset()


@frozen(kw_only=True)
class Situation:
    """All that a decision may look at.

    `number` is the incident number that the journal offers to `AssignNumber`; 0 for every other command.
    """

    incidents: Mapping[IncidentId, Incident]
    known_errors: Mapping[KnownErrorId, KnowledgeEntry] = field(factory=dict[KnownErrorId, KnowledgeEntry])
    agreements: Mapping[AgreementId, Agreement] = field(factory=dict[AgreementId, Agreement])
    policy: Policy = DEFAULT_POLICY
    number: int = 0

    def incident(self, name: IncidentId | None) -> Incident:
        """The incident of that name; unregistered when nothing is known of it."""
        return UNREGISTERED if name is None else self.incidents.get(name, UNREGISTERED)

    def known_error(self, name: KnownErrorId | None) -> KnowledgeEntry:
        """The entry of the knowledge base; unrecorded when nothing is known of it."""
        return UNRECORDED if name is None else self.known_errors.get(name, UNRECORDED)

    def agreement(self, name: AgreementId | None) -> Agreement:
        """The agreement; unpublished when nothing is known of it."""
        return UNPUBLISHED if name is None else self.agreements.get(name, UNPUBLISHED)


@frozen(kw_only=True)
class Decision:
    """What happens: the events of every incident concerned, to be stored in one write.

    `children` answers for each child of a parent that was resolved or closed.
    """

    events: Mapping[IncidentId, tuple[IncidentEvent, ...]]
    children: tuple[ChildAnswer, ...] = ()


def needs(command: IncidentCommand, now: Incident) -> Needs:
    """What the decision on `command` has to see, given the incident as it is now."""
    match command:
        case step1.RegisterIncident():
            return Needs(incidents=_some(command.refers_to), agreements=_some(command.agreement))
        case levels.ApplyAgreement() | levels.MoveAgreement() | levels.RecountHours() | levels.RecordBreach():
            return Needs(agreements=_some(command.agreement))
        case linking.IdentifyAsSame():
            return Needs(incidents=_some(command.existing))
        case linking.LinkAsChild():
            return Needs(incidents=_some(command.parent))
        case linking.UndoSameAs():
            return Needs(incidents=_some(now.existing if isinstance(now, SameAs) else None))
        case linking.UnlinkFromParent():
            return Needs(incidents=_some(None if isinstance(now, Unregistered) else now.record.parent))
        case step2.MatchKnownError():
            return Needs(known_errors=_some(command.known_error))
        case step4.Resolve():
            return Needs(incidents=_children(now), known_errors=_some(command.known_error))
        case step5.Close():
            return Needs(incidents=_children(now))
        case (
            step1.CorrectCustomer()
            | step1.AssignNumber()
            | step1.RecordAnalysis()
            | step1.RecordInteraction()
            | step1.AttachConfigurationItems()
            | step1.DeclareMajor()
            | step1.JudgeNotMajor()
            | step1.InformManagement()
            | step1.InformCustomer()
            | step1.Cancel()
            | linking.RecordAsNew()
            | step2.Classify()
            | step2.Prioritise()
            | step2.RecordNoMatch()
            | escalation.EscalateToGroup()
            | escalation.AssignToPerson()
            | escalation.RejectHandOff()
            | escalation.EscalateHierarchically()
            | step3.Acknowledge()
            | step3.ReportProgress()
            | step3.NotifyCustomer()
            | step3.ProvideWorkaround()
            | step3.ReviewKnowledge()
            | step3.RequestReassessment()
            | step3.AcceptReassessment()
            | step3.DeclineReassessment()
            | step3.ProposeSolution()
            | step3.RecordEffort()
            | step3.ReportFindings()
            | step3.LinkChange()
            | step3.PutIncidentOnHold()
            | step3.Resume()
            | step4.RecordRestoration()
            | step5.RequestConfirmation()
            | step5.ConfirmResolution()
            | step5.RejectResolution()
            | step5.Reopen()
            | step5.ClassifyRootCause()
            | step5.VerifyRecord()
            | step5.RecordSatisfaction()
            | step5.CloseAfterSilence()
            | levels.RecordWarning()
        ):
            return Needs()
        case _:
            assert_never(command)


def _some(name: Name | None) -> frozenset[Name]:
    return frozenset() if name is None else frozenset({name})


def _children(now: Incident) -> frozenset[IncidentId]:
    return frozenset() if isinstance(now, Unregistered) else now.record.children


def decide(situation: Situation, command: IncidentCommand) -> Decision:
    """Decide on a command.  A command that changes nothing has no events.

    Raises:
        Refused: with every objection, when the process does not allow it.
    """
    allow(command)
    now = situation.incident(command.incident)
    name = command.incident
    if isinstance(command, RegistrationCommand):
        return _one(name, _registration(situation, now, command))
    if isinstance(command, LinkingCommand):
        return _link(situation, now, command)
    if isinstance(command, ClassificationCommand):
        return _one(name, _classification(situation, now, command))
    if isinstance(command, InvestigationCommand):
        return _one(name, _investigation(now, command))
    if isinstance(command, step4.RecordRestoration):
        return _one(name, step4.record_restoration(now, command))
    if isinstance(command, step4.Resolve):
        return _resolve(situation, now, command)
    if isinstance(command, step5.Close):
        return _close(situation, now, command)
    if isinstance(command, ServiceLevelCommand):
        return _one(name, _service_level(situation, now, command))
    return _one(name, _closure(situation, now, command))


def _one(incident: IncidentId, events: list[IncidentEvent]) -> Decision:
    return Decision(events={incident: tuple(events)} if events else {})


def _link(situation: Situation, now: Incident, command: LinkingCommand) -> Decision:
    others = needs(command, now).incidents
    name = next(iter(others), None)
    other = situation.incident(name)
    match command:
        case linking.IdentifyAsSame():
            own, its = linking.identify_as_same(now, other, command)
        case linking.UndoSameAs():
            own, its = linking.undo_same_as(now, other, command)
        case linking.LinkAsChild():
            own, its = linking.link_as_child(now, other, command)
        case linking.UnlinkFromParent():
            own, its = linking.unlink_from_parent(now, other, command)
        case _:
            assert_never(command)
    if name is None or not own:
        return Decision(events={})
    return Decision(events={command.incident: tuple(own), name: tuple(its)})


def _resolve(situation: Situation, now: Incident, command: step4.Resolve) -> Decision:
    own = step4.resolve(now, command, situation.known_error(command.known_error))
    return _with_children(
        situation,
        command,
        own,
        lambda parent, name, child: step4.resolve_as_child(parent, child, changed(command, incident=name)),
    )


def _close(situation: Situation, now: Incident, command: step5.Close) -> Decision:
    return _with_children(
        situation,
        command,
        step5.close(now, command),
        lambda _, name, child: step5.close(child, changed(command, incident=name)),
    )


def _with_children(
    situation: Situation,
    command: FamilyCommand,
    own: list[IncidentEvent],
    decide_child: Callable[[Record, IncidentId, Incident], list[IncidentEvent]],
) -> Decision:
    parent = situation.incident(command.incident)
    if isinstance(parent, Unregistered):
        return _one(command.incident, own)
    record = parent.record
    children = {name: situation.incident(name) for name in record.children}
    fallout = cascade(record, command.with_children, children, decide_child)
    events = {command.incident: own, **fallout.events}
    return Decision(
        events={name: tuple(happened) for name, happened in events.items() if happened},
        children=fallout.answers,
    )


def _registration(situation: Situation, now: Incident, command: RegistrationCommand) -> list[IncidentEvent]:
    match command:
        case step1.RegisterIncident():
            return step1.register(
                now, situation.incident(command.refers_to), situation.agreement(command.agreement), command
            )
        case step1.AssignNumber():
            return step1.assign_number(
                now, command, situation.number if command.number is None else command.number
            )
        case step1.CorrectCustomer():
            return step1.correct_customer(now, command)
        case step1.RecordAnalysis():
            return step1.record_analysis(now, command)
        case step1.RecordInteraction():
            return step1.record_interaction(now, command)
        case step1.AttachConfigurationItems():
            return step1.attach_configuration_items(now, command)
        case step1.DeclareMajor():
            return step1.declare_major(now, command)
        case step1.JudgeNotMajor():
            return step1.judge_not_major(now, command)
        case step1.InformManagement():
            return step1.inform_management(now, command)
        case step1.InformCustomer():
            return step1.inform_customer(now, command)
        case step1.Cancel():
            return step1.cancel(now, command)
        case linking.RecordAsNew():
            return linking.record_as_new(now, command)
        case _:
            assert_never(command)


def _classification(
    situation: Situation, now: Incident, command: ClassificationCommand
) -> list[IncidentEvent]:
    match command:
        case step2.Classify():
            return step2.classify(now, command)
        case step2.Prioritise():
            return step2.prioritise(now, command)
        case step2.MatchKnownError():
            return step2.match_known_error(now, command, situation.known_error(command.known_error))
        case step2.RecordNoMatch():
            return step2.record_no_match(now, command)
        case escalation.EscalateToGroup():
            return escalation.escalate_to_group(now, command)
        case escalation.AssignToPerson():
            return escalation.assign_to_person(now, command)
        case escalation.RejectHandOff():
            return escalation.reject_hand_off(now, command)
        case escalation.EscalateHierarchically():
            return escalation.escalate_hierarchically(now, command)
        case _:
            assert_never(command)


def _investigation(now: Incident, command: InvestigationCommand) -> list[IncidentEvent]:
    match command:
        case step3.Acknowledge():
            return step3.acknowledge(now, command)
        case step3.ReportProgress():
            return step3.report_progress(now, command)
        case step3.NotifyCustomer():
            return step3.notify_customer(now, command)
        case step3.ProvideWorkaround():
            return step3.provide_workaround(now, command)
        case step3.ReviewKnowledge():
            return step3.review_knowledge(now, command)
        case step3.RequestReassessment():
            return step3.request_reassessment(now, command)
        case step3.AcceptReassessment():
            return step3.accept_reassessment(now, command)
        case step3.DeclineReassessment():
            return step3.decline_reassessment(now, command)
        case step3.ProposeSolution():
            return step3.propose_solution(now, command)
        case step3.RecordEffort():
            return step3.record_effort(now, command)
        case step3.ReportFindings():
            return step3.report_findings(now, command)
        case step3.LinkChange():
            return step3.link_change(now, command)
        case step3.PutIncidentOnHold():
            return step3.put_on_hold(now, command)
        case step3.Resume():
            return step3.resume(now, command)
        case _:
            assert_never(command)


def _closure(situation: Situation, now: Incident, command: ClosureCommand) -> list[IncidentEvent]:
    match command:
        case step5.RequestConfirmation():
            return step5.request_confirmation(now, command)
        case step5.ConfirmResolution():
            return step5.confirm_resolution(now, command)
        case step5.RejectResolution():
            return step5.reject_resolution(now, command)
        case step5.Reopen():
            return step5.reopen(now, command, situation.policy)
        case step5.ClassifyRootCause():
            return step5.classify_root_cause(now, command)
        case step5.VerifyRecord():
            return step5.verify_record(now, command)
        case step5.RecordSatisfaction():
            return step5.record_satisfaction(now, command)
        case step5.CloseAfterSilence():
            return step5.close_after_silence(now, command, situation.policy)
        case _:
            assert_never(command)


def _service_level(situation: Situation, now: Incident, command: ServiceLevelCommand) -> list[IncidentEvent]:
    agreement = situation.agreement(command.agreement)
    match command:
        case levels.ApplyAgreement():
            return levels.apply_agreement(now, command, agreement)
        case levels.MoveAgreement():
            return levels.move_agreement(now, command, agreement)
        case levels.RecountHours():
            return levels.recount_hours(now, command, agreement)
        case levels.RecordWarning():
            return levels.record_warning(now, command)
        case levels.RecordBreach():
            return levels.record_breach(now, command, agreement)
        case _:
            assert_never(command)
