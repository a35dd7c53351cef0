"""Every event of the domain, and the values that they carry."""

from typing import TypeAlias

from incident_domain.events.access import JournalExported, JournalVerified
from incident_domain.events.agreements import (
    AgreementEvent,
    AgreementId,
    AgreementPublished,
    Holiday,
    HolidayCorrected,
    Hours,
    Party,
    PauseRule,
    Target,
    TargetKind,
    Terms,
)
from incident_domain.events.classification import (
    AssignedToPerson,
    ClassificationEvent,
    Classified,
    EscalatedHierarchically,
    EscalatedToGroup,
    EscalationGround,
    HandOffRejected,
    KnownErrorId,
    Line,
    MatchedToKnownError,
    NoMatchFound,
    Prioritised,
)
from incident_domain.events.closure import (
    Agreement,
    Cancelled,
    Closed,
    ClosureEvent,
    ConfirmationRequested,
    DeviationRecorded,
    RecordVerified,
    Reopened,
    ResolutionConfirmed,
    ResolutionRejected,
    RootCauseClassified,
    Satisfaction,
    SatisfactionRecorded,
)
from incident_domain.events.erasure import PersonForgotten
from incident_domain.events.event import Event
from incident_domain.events.imports import RowsImported, SourceRowKept
from incident_domain.events.investigation import (
    Acknowledged,
    ChangeLinked,
    Cost,
    CustomerNotified,
    EffortRecorded,
    FindingsReported,
    HoldReason,
    InvestigationEvent,
    Knowledge,
    KnowledgeReviewed,
    ProgressReported,
    PutOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    Recipient,
    SolutionProposed,
    WorkaroundProvided,
    WorkResumed,
)
from incident_domain.events.knowledge import (
    KnownErrorDeclared,
    KnownErrorRetired,
    ProblemRecorded,
    SolutionPublished,
    WorkaroundRevised,
)
from incident_domain.events.names import WIRE_NAMES
from incident_domain.events.registration import (
    AnalysisRecorded,
    Capacity,
    Channel,
    ChildLinked,
    ChildUnlinked,
    ConfigurationItem,
    ConfigurationItemsAttached,
    Customer,
    CustomerCorrected,
    CustomerInformed,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    IdentifiedAsSame,
    IncidentId,
    IncidentRegistered,
    InteractionRecorded,
    JudgedNotMajor,
    LinkedAsChild,
    MajorDeclared,
    ManagementInformed,
    NumberAssigned,
    RecordedAsNew,
    RegistrationEvent,
    Reporter,
    SameAsUndone,
    SourceRecord,
    UnlinkedFromParent,
)
from incident_domain.events.resolution import (
    ResolutionEvent,
    Resolved,
    ServiceRestored,
)
from incident_domain.events.service_levels import (
    AgreementApplied,
    AgreementMoved,
    HoursRecounted,
    ServiceLevelEvent,
    TargetBreached,
    TargetWarned,
)

IncidentEvent: TypeAlias = (
    RegistrationEvent
    | ClassificationEvent
    | InvestigationEvent
    | ResolutionEvent
    | ClosureEvent
    | ServiceLevelEvent
)
"""All that can happen to an incident."""

KnowledgeEvent: TypeAlias = (
    ProblemRecorded | KnownErrorDeclared | WorkaroundRevised | SolutionPublished | KnownErrorRetired
)
"""All that can happen to an entry of the knowledge base."""

ImportEvent: TypeAlias = RowsImported | SourceRowKept
"""All that can happen to the import of a foreign log."""

ErasureEvent: TypeAlias = PersonForgotten
"""All that can happen in the stream of erasures."""

AccessEvent: TypeAlias = JournalExported | JournalVerified
"""All that can happen in the stream of access to the record."""

DomainEvent: TypeAlias = (
    IncidentEvent | KnowledgeEvent | AgreementEvent | ImportEvent | ErasureEvent | AccessEvent
)
"""Anything that the journal records."""

__all__ = [
    "AccessEvent",
    "AgreementEvent",
    "AgreementId",
    "AgreementPublished",
    "Holiday",
    "HolidayCorrected",
    "Hours",
    "Party",
    "PauseRule",
    "Target",
    "TargetKind",
    "Terms",
    "AgreementApplied",
    "AgreementMoved",
    "HoursRecounted",
    "ServiceLevelEvent",
    "TargetBreached",
    "TargetWarned",
    "ClosureEvent",
    "ResolutionEvent",
    "InvestigationEvent",
    "ClassificationEvent",
    "RegistrationEvent",
    "Acknowledged",
    "Agreement",
    "AnalysisRecorded",
    "AssignedToPerson",
    "Cancelled",
    "Capacity",
    "ChangeLinked",
    "Channel",
    "ChildLinked",
    "ChildUnlinked",
    "Classified",
    "Closed",
    "ConfigurationItem",
    "ConfigurationItemsAttached",
    "ConfirmationRequested",
    "Cost",
    "Customer",
    "CustomerCorrected",
    "CustomerInformed",
    "CustomerNotified",
    "DeviationRecorded",
    "DomainEvent",
    "EffortRecorded",
    "ErasureEvent",
    "EscalatedHierarchically",
    "EscalatedToGroup",
    "EscalationGround",
    "Event",
    "FindingsReported",
    "FurtherReportAdded",
    "FurtherReportWithdrawn",
    "HandOffRejected",
    "HoldReason",
    "IdentifiedAsSame",
    "ImportEvent",
    "IncidentEvent",
    "IncidentId",
    "IncidentRegistered",
    "InteractionRecorded",
    "JournalExported",
    "JournalVerified",
    "JudgedNotMajor",
    "Knowledge",
    "KnowledgeEvent",
    "KnowledgeReviewed",
    "KnownErrorDeclared",
    "KnownErrorId",
    "KnownErrorRetired",
    "Line",
    "LinkedAsChild",
    "MajorDeclared",
    "ManagementInformed",
    "MatchedToKnownError",
    "NoMatchFound",
    "NumberAssigned",
    "PersonForgotten",
    "Prioritised",
    "ProblemRecorded",
    "ProgressReported",
    "PutOnHold",
    "ReassessmentAccepted",
    "ReassessmentDeclined",
    "ReassessmentRequested",
    "Recipient",
    "RecordVerified",
    "RecordedAsNew",
    "Reopened",
    "Reporter",
    "ResolutionConfirmed",
    "ResolutionRejected",
    "Resolved",
    "RootCauseClassified",
    "RowsImported",
    "SameAsUndone",
    "Satisfaction",
    "SatisfactionRecorded",
    "ServiceRestored",
    "SolutionProposed",
    "SolutionPublished",
    "SourceRecord",
    "SourceRowKept",
    "UnlinkedFromParent",
    "WIRE_NAMES",
    "WorkResumed",
    "WorkaroundProvided",
    "WorkaroundRevised",
]
