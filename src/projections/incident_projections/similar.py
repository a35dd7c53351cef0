"""Similar open incidents, for the incident manager's decision (P1.8).

The view holds the traits of every incident that has not ended; some of its words come from the summary, which
is personal data, and go with the view when that is rebuilt after an erasure.
"""

from typing import Final, assert_never

from attrs import frozen
from sqlalchemy import Connection

from incident_domain.envelope import Recorded
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
    Classified,
    Closed,
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
    IncidentId,
    IncidentRegistered,
    InteractionRecorded,
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
    Reopened,
    ResolutionConfirmed,
    ResolutionRejected,
    Resolved,
    RootCauseClassified,
    SameAsUndone,
    SatisfactionRecorded,
    ServiceRestored,
    SolutionProposed,
    TargetBreached,
    TargetWarned,
    UnlinkedFromParent,
    WorkaroundProvided,
    WorkResumed,
)
from incident_projections.instants import micros
from incident_projections.trait_index import (
    TraitRow,
    alike,
    head,
    recorded_traits,
    trait_table,
    with_traits,
)
from incident_projections.traits import ITEM, PLACE, SERVICE, WORD, Reason, traits, words
from incident_projections.view import INCIDENT_EVENTS, StreamView, unbegun

INCIDENT_TRAITS: Final = trait_table("incident_traits")


def fold_traits(
    known: tuple[TraitRow, ...], recorded: Recorded, event: IncidentEvent
) -> tuple[TraitRow, ...]:
    """The incident's traits after one more event; an incident that has ended has none.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if isinstance(event, IncidentRegistered):
        first = (head(event.incident, micros(event.occurred_at)),)
        return with_traits(first, "registration", traits(WORD, words(event.summary)))
    if recorded.version == 1:
        raise unbegun(recorded)
    return _after(known, event) if known else known


def _after(known: tuple[TraitRow, ...], event: IncidentEvent) -> tuple[TraitRow, ...]:
    match event:
        case AnalysisRecorded():
            return _analysed(known, event)
        case ConfigurationItemsAttached():
            attached = traits(ITEM, (each.item for each in event.items))
            return with_traits(known, "items", _of(known, "items") | attached)
        case Resolved():
            return tuple({**row, "found": 0} for row in known)
        case Reopened():
            return tuple({**row, "found": 1} for row in known)
        case IdentifiedAsSame():
            # One less, not 0: what is undone goes back to where it was, resolved or not.
            return tuple({**row, "found": row["found"] - 1} for row in known)
        case SameAsUndone():
            return tuple({**row, "found": row["found"] + 1} for row in known)
        case Closed() | Cancelled():
            return ()
        case (
            IncidentRegistered()
            | CustomerCorrected()
            | NumberAssigned()
            | InteractionRecorded()
            | RecordedAsNew()
            | FurtherReportAdded()
            | FurtherReportWithdrawn()
            | LinkedAsChild()
            | ChildLinked()
            | UnlinkedFromParent()
            | ChildUnlinked()
            | MajorDeclared()
            | JudgedNotMajor()
            | ManagementInformed()
            | CustomerInformed()
            | Classified()
            | Prioritised()
            | MatchedToKnownError()
            | NoMatchFound()
            | EscalatedToGroup()
            | AssignedToPerson()
            | HandOffRejected()
            | EscalatedHierarchically()
            | Acknowledged()
            | ProgressReported()
            | CustomerNotified()
            | WorkaroundProvided()
            | KnowledgeReviewed()
            | ReassessmentRequested()
            | ReassessmentAccepted()
            | ReassessmentDeclined()
            | SolutionProposed()
            | EffortRecorded()
            | FindingsReported()
            | ChangeLinked()
            | PutOnHold()
            | WorkResumed()
            | ServiceRestored()
            | ConfirmationRequested()
            | ResolutionConfirmed()
            | ResolutionRejected()
            | RootCauseClassified()
            | RecordVerified()
            | SatisfactionRecorded()
            | DeviationRecorded()
            | AgreementApplied()
            | AgreementMoved()
            | HoursRecounted()
            | TargetWarned()
            | TargetBreached()
        ):
            return known
        case _:
            assert_never(event)


def _of(known: tuple[TraitRow, ...], origin: str) -> frozenset[str]:
    return frozenset(row["trait"] for row in known if row["origin"] == origin)


def _analysed(known: tuple[TraitRow, ...], event: AnalysisRecorded) -> tuple[TraitRow, ...]:
    if event.began_at is not None:
        began_at = micros(event.began_at)
        known = tuple({**row, "began_at": began_at} for row in known)
    found = traits(SERVICE, event.services) | traits(ITEM, event.hardware)
    found |= traits(WORD, words(event.symptoms))
    if event.location is not None:
        found |= traits(PLACE, [event.location])
    return with_traits(known, "analysis", found)


SIMILAR: Final = StreamView(version=2, table=INCIDENT_TRAITS, about=INCIDENT_EVENTS, fold=fold_traits)
"""The view of `incident_traits`."""


@frozen(kw_only=True)
class SimilarIncident:
    """An open incident that is like the one asked about; the score is the sum of the reasons' weights."""

    incident: IncidentId
    score: float
    reasons: tuple[Reason, ...]


def similar_to(
    connection: Connection, incident: IncidentId, *, limit: int = 10
) -> tuple[SimilarIncident, ...]:
    """The open incidents that are most like this one, best first, each with its reasons (P1.8).

    Open are those in the steps 1 to 3.  An incident that has ended, or that there is not, is like none.
    """
    held = recorded_traits(connection, INCIDENT_TRAITS, incident)
    if held is None:
        return ()
    own, began_at = held
    found = alike(connection, INCIDENT_TRAITS, own, began_at=began_at, besides=incident, limit=limit)
    return tuple(
        SimilarIncident(incident=IncidentId(each.record), score=each.score, reasons=each.reasons)
        for each in found
    )
