"""The queue view: one row per incident, with all that a queue of incidents shows of it.

The order in which groups work is kept beside the service clocks, in `work_queue`.

The column `summary` holds personal data; it goes with the view when that is rebuilt after an erasure.
"""

import json
from enum import Enum
from typing import Final, assert_never

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from incident_domain.envelope import Recorded
from incident_domain.events import (
    Acknowledged,
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
    UnlinkedFromParent,
    WorkaroundProvided,
    WorkResumed,
)
from incident_domain.incident import Gravity, Similarity
from incident_projections.holding import NOBODY, Holding, handed_over, holding_columns
from incident_projections.instants import micros, micros_if_any
from incident_projections.view import INCIDENT_EVENTS, METADATA, NAME, StreamView, one_row, unbegun


class Phase(Enum):
    """Where in the process an incident is."""

    REGISTRATION = "registration"
    CLASSIFICATION = "classification"
    INVESTIGATION = "investigation"
    AWAITING_CLOSURE = "awaiting_closure"
    SAME_AS = "same_as"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class QueueRow(Holding):
    """A row of the queue view; instants are microseconds since 1970 UTC.

    `rank` is the place by weight: 0 for a major incident, then the priority, and 6 while there is none.
    `at_work` is 1 in classification and investigation, else 0.  `services` is a JSON list.  `phase_before` is
    where an incident that is the same as another goes back to when that is undone (X6).
    """

    incident: str
    number: int | None
    phase: str
    at_work: int
    rank: int
    summary: str
    organisation: str
    customer: str
    agreement: str | None
    services: str
    category: str | None
    subcategory: str | None
    impact: str | None
    urgency: str | None
    priority: int | None
    gravity: str
    similarity: str
    parent: str | None
    same_as: str | None
    phase_before: str | None
    registered_at: int
    analysed_at: int | None
    began_at: int | None
    hold_since: int | None
    hold_reason: str | None
    hold_awaited: str | None
    hold_until: int | None
    next_update_due: int | None
    reassessment_since: int | None
    confirmation_asked_at: int | None
    last_event_at: int


UNPRIORITISED: Final = 6

QUEUE_TABLE: Final = Table(
    "queue",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("number", BigInteger),
    Column("phase", Text, nullable=False),
    Column("at_work", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("summary", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("agreement", Text),
    Column("services", Text, nullable=False),
    Column("category", Text),
    Column("subcategory", Text),
    Column("impact", Text),
    Column("urgency", Text),
    Column("priority", Integer),
    Column("gravity", Text, nullable=False),
    Column("similarity", Text, nullable=False),
    Column("parent", Text),
    Column("same_as", Text),
    Column("phase_before", Text),
    Column("registered_at", BigInteger, nullable=False),
    Column("analysed_at", BigInteger),
    Column("began_at", BigInteger),
    Column("hold_since", BigInteger),
    Column("hold_reason", Text),
    Column("hold_awaited", Text),
    Column("hold_until", BigInteger),
    Column("next_update_due", BigInteger),
    Column("reassessment_since", BigInteger),
    Column("confirmation_asked_at", BigInteger),
    Column("last_event_at", BigInteger, nullable=False),
    *holding_columns(),
    Index("queue_by_phase", "phase", "registered_at", "incident"),
)


def _registered(event: IncidentRegistered) -> QueueRow:
    at = micros(event.occurred_at)
    return {
        "incident": event.incident,
        "number": None,
        "phase": Phase.REGISTRATION.value,
        "at_work": 0,
        "rank": UNPRIORITISED,
        "summary": event.summary,
        "organisation": event.customer.organisation,
        "customer": event.customer.person,
        "agreement": event.agreement,
        "services": "[]",
        "category": None,
        "subcategory": None,
        "impact": None,
        "urgency": None,
        "priority": None,
        "gravity": Gravity.UNDECIDED.value,
        "similarity": Similarity.UNDECIDED.value,
        "parent": None,
        "same_as": None,
        "phase_before": None,
        "registered_at": at,
        "analysed_at": None,
        "began_at": None,
        "hold_since": None,
        "hold_reason": None,
        "hold_awaited": None,
        "hold_until": None,
        "next_update_due": None,
        "reassessment_since": None,
        "confirmation_asked_at": None,
        "last_event_at": at,
        **NOBODY,
    }


def fold_queue(row: QueueRow | None, recorded: Recorded, event: IncidentEvent) -> QueueRow:
    """The incident's row after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if row is None:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        return _registered(event)
    at = micros(event.occurred_at)
    seen: QueueRow = {**row, "last_event_at": at} if at > row["last_event_at"] else row
    if isinstance(event, RegistrationEvent):
        return _after_registration(seen, event)
    if isinstance(event, ClassificationEvent):
        return _after_classification(seen, event)
    if isinstance(event, InvestigationEvent):
        return _after_investigation(seen, event)
    if isinstance(event, ResolutionEvent):
        return _after_resolution(seen, event)
    if isinstance(event, ServiceLevelEvent):
        return seen
    return _after_closure(seen, event)


def _after_registration(row: QueueRow, event: RegistrationEvent) -> QueueRow:
    match event:
        case (
            IncidentRegistered()
            | InteractionRecorded()
            | ConfigurationItemsAttached()
            | FurtherReportAdded()
            | FurtherReportWithdrawn()
            | ChildLinked()
            | ChildUnlinked()
        ):
            return row
        case CustomerCorrected():
            customer = event.customer
            return {**row, "organisation": customer.organisation, "customer": customer.person}
        case NumberAssigned():
            return {**row, "number": event.number}
        case AnalysisRecorded():
            return {
                **row,
                "analysed_at": micros(event.occurred_at),
                "began_at": micros_if_any(event.began_at),
                "services": json.dumps(event.services, ensure_ascii=False),
            }
        case RecordedAsNew():
            return {**row, "similarity": Similarity.NEW.value}
        case IdentifiedAsSame():
            return _in(Phase.SAME_AS, {**row, "same_as": event.existing, "phase_before": row["phase"]})
        case SameAsUndone():
            return _in(Phase(row["phase_before"]), {**row, "same_as": None, "phase_before": None})
        case LinkedAsChild():
            return {**row, "parent": event.parent, "similarity": Similarity.CHILD.value}
        case UnlinkedFromParent():
            return {**row, "parent": None, "similarity": Similarity.UNDECIDED.value}
        case MajorDeclared():
            return _ranked({**row, "gravity": Gravity.MAJOR.value})
        case JudgedNotMajor():
            return _ranked({**row, "gravity": Gravity.NOT_MAJOR.value})
        case ManagementInformed():
            told = row["gravity"] == Gravity.MAJOR.value
            return {**row, "gravity": Gravity.MANAGEMENT_INFORMED.value} if told else row
        case CustomerInformed():
            told = row["gravity"] == Gravity.MANAGEMENT_INFORMED.value
            return {**row, "gravity": Gravity.CUSTOMER_INFORMED.value} if told else row
        case _:
            assert_never(event)


def _after_classification(row: QueueRow, event: ClassificationEvent) -> QueueRow:
    match event:
        case EscalatedToGroup() | HandOffRejected():
            held: QueueRow = {**row, **handed_over(row, event)}
            return held if row["phase"] == Phase.AWAITING_CLOSURE.value else _working(held)
        case AssignedToPerson():
            return {**row, **handed_over(row, event)}
        case Classified():
            classified: QueueRow = {**row, "category": event.category, "subcategory": event.subcategory}
            first = row["phase"] == Phase.REGISTRATION.value
            return _in(Phase.CLASSIFICATION, classified) if first else classified
        case Prioritised():
            return _ranked(
                {
                    **row,
                    "impact": event.impact.value,
                    "urgency": event.urgency.value,
                    "priority": event.priority.value,
                }
            )
        case MatchedToKnownError() | NoMatchFound() | EscalatedHierarchically():
            return row
        case _:
            assert_never(event)


def _after_investigation(row: QueueRow, event: InvestigationEvent) -> QueueRow:
    match event:
        case Acknowledged():
            return {**row, **handed_over(row, event)}
        case ProgressReported():
            return {**row, "next_update_due": micros(event.next_update_due)}
        case ReassessmentRequested():
            return {**row, "reassessment_since": micros(event.occurred_at)}
        case ReassessmentAccepted() | ReassessmentDeclined():
            return {**row, "reassessment_since": None}
        case PutOnHold():
            return {
                **row,
                "hold_since": micros(event.occurred_at),
                "hold_reason": event.reason.value,
                "hold_awaited": event.awaited,
                "hold_until": micros_if_any(event.until),
            }
        case WorkResumed():
            return {**row, "hold_since": None, "hold_reason": None, "hold_awaited": None, "hold_until": None}
        case (
            CustomerNotified()
            | WorkaroundProvided()
            | KnowledgeReviewed()
            | SolutionProposed()
            | EffortRecorded()
            | FindingsReported()
            | ChangeLinked()
        ):
            return row
        case _:
            assert_never(event)


def _after_resolution(row: QueueRow, event: ResolutionEvent) -> QueueRow:
    match event:
        case Resolved():
            return _in(Phase.AWAITING_CLOSURE, {**row, "confirmation_asked_at": None})
        case ServiceRestored():
            return row
        case _:
            assert_never(event)


def _after_closure(row: QueueRow, event: ClosureEvent) -> QueueRow:
    match event:
        case ConfirmationRequested():
            return {**row, "confirmation_asked_at": micros(event.occurred_at)}
        case Reopened():
            return _working({**row, **handed_over(row, event), "confirmation_asked_at": None})
        case Closed():
            return _in(Phase.CLOSED, row)
        case Cancelled():
            return _in(Phase.CANCELLED, row)
        case (
            ResolutionConfirmed()
            | ResolutionRejected()
            | RootCauseClassified()
            | RecordVerified()
            | SatisfactionRecorded()
            | DeviationRecorded()
        ):
            return row
        case _:
            assert_never(event)


def _in(phase: Phase, row: QueueRow) -> QueueRow:
    at_work = phase is Phase.CLASSIFICATION or phase is Phase.INVESTIGATION
    return {**row, "phase": phase.value, "at_work": int(at_work)}


def _working(row: QueueRow) -> QueueRow:
    return _in(Phase.CLASSIFICATION if row["support_group"] is None else Phase.INVESTIGATION, row)


def _ranked(row: QueueRow) -> QueueRow:
    if row["gravity"] not in (Gravity.UNDECIDED.value, Gravity.NOT_MAJOR.value):
        return {**row, "rank": 0}
    return {**row, "rank": row["priority"] or UNPRIORITISED}


QUEUE: Final = StreamView(version=3, table=QUEUE_TABLE, about=INCIDENT_EVENTS, fold=one_row(fold_queue))
"""The view of `queue`."""
