"""Who may do what: one table (process, "Roles").

The importer may do everything, since a history made elsewhere is a fact; what a rule of the process would
refuse is recorded with it as a deviation.  Reporter, management and auditor never write to the record.
"""

from collections.abc import Mapping
from typing import Final

from incident_domain import classification as step2
from incident_domain import closure as step5
from incident_domain import escalation, linking
from incident_domain import investigation as step3
from incident_domain import registration as step1
from incident_domain import resolution as step4
from incident_domain import service_levels as levels
from incident_domain.actor import Role
from incident_domain.command import Command
from incident_domain.refusal import Objection, Refused

_DESK = Role.SERVICE_DESK
_MANAGER = Role.INCIDENT_MANAGER
_GROUP = Role.SUPPORT_GROUP
_CUSTOMER = Role.CUSTOMER
_WATCH = Role.WATCH

PERMITTED: Final[Mapping[type[Command], tuple[str, frozenset[Role]]]] = {
    # 1 Identification and registration
    step1.RegisterIncident: ("P1.3", frozenset({_DESK})),
    step1.CorrectCustomer: ("P1.2", frozenset({_DESK})),
    step1.AssignNumber: ("P1.5", frozenset({_MANAGER})),
    step1.RecordAnalysis: ("P1.6", frozenset({_MANAGER})),
    step1.RecordInteraction: ("P1.7", frozenset({_MANAGER, _DESK})),
    step1.AttachConfigurationItems: ("P1.7", frozenset({_MANAGER, _GROUP})),
    linking.RecordAsNew: ("P1.8", frozenset({_MANAGER})),
    linking.IdentifyAsSame: ("P1.8", frozenset({_MANAGER})),
    linking.UndoSameAs: ("X6", frozenset({_MANAGER})),
    linking.LinkAsChild: ("P1.9", frozenset({_MANAGER})),
    linking.UnlinkFromParent: ("X6", frozenset({_MANAGER})),
    step1.DeclareMajor: ("P1.11", frozenset({_MANAGER})),
    step1.JudgeNotMajor: ("P1.12", frozenset({_MANAGER})),
    step1.InformManagement: ("P1.11", frozenset({_MANAGER})),
    step1.InformCustomer: ("P1.11", frozenset({_MANAGER, _DESK})),
    step1.Cancel: ("X4", frozenset({_MANAGER, _DESK})),
    # 2 Classification and initial support
    step2.Classify: ("P2.1", frozenset({_DESK})),
    step2.Prioritise: ("P2.1", frozenset({_DESK})),
    step2.MatchKnownError: ("P2.2", frozenset({_DESK})),
    step2.RecordNoMatch: ("P2.2", frozenset({_DESK})),
    escalation.EscalateToGroup: ("P2.4", frozenset({_DESK, _GROUP})),
    escalation.AssignToPerson: ("P2.5", frozenset({_DESK, _GROUP})),
    escalation.RejectHandOff: ("X3", frozenset({_GROUP})),
    escalation.EscalateHierarchically: ("X2", frozenset({_DESK, _MANAGER, _GROUP})),
    # 3 Investigation and diagnosis
    step3.Acknowledge: ("P3.2", frozenset({_GROUP})),
    step3.ReportProgress: ("P3.3", frozenset({_GROUP, _DESK})),
    step3.NotifyCustomer: ("P3.4", frozenset({_GROUP, _DESK})),
    step3.ProvideWorkaround: ("P3.5", frozenset({_GROUP, _DESK})),
    step3.ReviewKnowledge: ("P3.6", frozenset({_GROUP, _DESK})),
    step3.RequestReassessment: ("P3.7", frozenset({_GROUP})),
    step3.AcceptReassessment: ("P3.7", frozenset({_DESK})),
    step3.DeclineReassessment: ("P3.7", frozenset({_DESK})),
    step3.ProposeSolution: ("P3.8", frozenset({_GROUP})),
    step3.RecordEffort: ("P3.9", frozenset({_GROUP, _DESK})),
    step3.ReportFindings: ("P3.9", frozenset({_GROUP})),
    step3.LinkChange: ("P4.1", frozenset({_GROUP, _DESK})),
    step3.PutIncidentOnHold: ("X1", frozenset({_GROUP, _DESK})),
    step3.Resume: ("X1", frozenset({_GROUP, _DESK})),
    # 4 Resolution and recovery
    step4.RecordRestoration: ("P4.2", frozenset({_GROUP, _DESK})),
    step4.Resolve: ("P4.1", frozenset({_GROUP, _DESK})),
    # 5 Closure
    step5.RequestConfirmation: ("P5.1", frozenset({_DESK})),
    step5.ConfirmResolution: ("P5.1", frozenset({_DESK, _CUSTOMER})),
    step5.RejectResolution: ("P5.1", frozenset({_DESK, _CUSTOMER})),
    step5.Reopen: ("X7", frozenset({_DESK})),
    step5.ClassifyRootCause: ("P5.2", frozenset({_DESK, _GROUP})),
    step5.VerifyRecord: ("P5.2", frozenset({_DESK})),
    step5.RecordSatisfaction: ("P5.2", frozenset({_DESK, _CUSTOMER})),
    step5.Close: ("P5.2", frozenset({_DESK})),
    step5.CloseAfterSilence: ("X5", frozenset({_DESK})),
    # Service levels
    levels.ApplyAgreement: ("P3.7", frozenset({_DESK, _MANAGER})),
    levels.MoveAgreement: ("P3.7", frozenset({_MANAGER})),
    levels.RecountHours: ("P3.7", frozenset({_MANAGER})),
    levels.RecordWarning: ("P3.7", frozenset({_WATCH})),
    levels.RecordBreach: ("P3.7", frozenset({_WATCH})),
}
"""For every command the clause that rules it and the roles that may give it."""


def allow(command: Command) -> None:
    """Let the command pass if the role in which its actor acts may give it.

    Raises:
        Refused: naming the clause and the roles that may.
    """
    clause, roles = PERMITTED[type(command)]
    role = command.by.role
    if role in roles or role is Role.IMPORTER:
        return
    may = " or ".join(sorted(each.value for each in roles))
    raise Refused(
        [
            Objection(
                clause=clause,
                code="role",
                message=f"{role.value} may not do this ({type(command).__name__}); {may} may",
            )
        ]
    )
