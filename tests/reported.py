"""A story with everything in it that a report may tell."""

from typing import Final

from attrs import evolve as changed

from incident_domain.events import (
    ChangeLinked,
    Closed,
    ConfirmationRequested,
    DeviationRecorded,
    DomainEvent,
    EffortRecorded,
    FindingsReported,
    HoldReason,
    IncidentId,
    LinkedAsChild,
    Party,
    RecordVerified,
    RootCauseClassified,
    SatisfactionRecorded,
    ServiceRestored,
)
from incident_projections.closure import CLOSURE
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.sla_timers import sla_timers
from incident_projections.stretches import STRETCHES
from incident_projections.view import View
from tests.agreements import (
    GOLD_TERMS,
    acknowledged,
    applied,
    escalated,
    held,
    known,
    prioritised,
    resolved,
    resumed,
)
from tests.agreements import reopened as again
from tests.histories import at, classified, example, registered

ONE: Final = IncidentId("INC-1")
TERMS: Final = known(gold_1=(Party.CUSTOMER, GOLD_TERMS))
VIEWS: Final[tuple[View, ...]] = (CLOSURE, STRETCHES, HAND_OVERS, sla_timers(TERMS))


def story() -> list[tuple[str, DomainEvent]]:
    """Two incidents under an agreement, with everything in them that a report may tell."""
    events: list[DomainEvent] = [
        *classified(ONE),
        applied(0),
        prioritised(1),
        escalated(5),
        acknowledged(25),
        held(30, HoldReason.SUPPLIER),
        resumed(60),
        resolved(300),
        again(310),
        resolved(330),
        example(FindingsReported),
        example(EffortRecorded),
        example(ChangeLinked),
        example(ServiceRestored),
        example(ConfirmationRequested),
        example(RootCauseClassified),
        example(RecordVerified),
        example(SatisfactionRecorded),
        example(DeviationRecorded),
        changed(example(Closed), occurred_at=at(400), handling_seconds=19_200),
    ]
    child: list[DomainEvent] = [
        registered("INC-2", 10),
        changed(example(LinkedAsChild), parent=ONE),
        example(EffortRecorded),
    ]
    return [*((ONE, each) for each in events), *(("INC-2", each) for each in child)]
