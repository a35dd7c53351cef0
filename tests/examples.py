"""One canonical example of every event, from the story of one incident; the golden files hold the same."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from incident_adapters.codec import Entry
from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.events import (
    Acknowledged,
    Agreement,
    AgreementApplied,
    AgreementId,
    AgreementMoved,
    AgreementPublished,
    AnalysisRecorded,
    AssignedToPerson,
    Cancelled,
    Capacity,
    ChangeLinked,
    Channel,
    ChildLinked,
    ChildUnlinked,
    Classified,
    Closed,
    ConfigurationItem,
    ConfigurationItemsAttached,
    ConfirmationRequested,
    Cost,
    Customer,
    CustomerCorrected,
    CustomerInformed,
    CustomerNotified,
    DeviationRecorded,
    DomainEvent,
    EffortRecorded,
    EscalatedHierarchically,
    EscalatedToGroup,
    EscalationGround,
    Event,
    FindingsReported,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    HandOffRejected,
    HoldReason,
    Holiday,
    HolidayCorrected,
    Hours,
    HoursRecounted,
    IdentifiedAsSame,
    IncidentId,
    IncidentRegistered,
    InteractionRecorded,
    JournalExported,
    JournalVerified,
    JudgedNotMajor,
    Knowledge,
    KnowledgeReviewed,
    KnownErrorDeclared,
    KnownErrorId,
    KnownErrorRetired,
    Line,
    LinkedAsChild,
    MajorDeclared,
    ManagementInformed,
    MatchedToKnownError,
    NoMatchFound,
    NumberAssigned,
    Party,
    PauseRule,
    PersonForgotten,
    Prioritised,
    ProblemRecorded,
    ProgressReported,
    PutOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    Recipient,
    RecordedAsNew,
    RecordVerified,
    Reopened,
    Reporter,
    ResolutionConfirmed,
    ResolutionRejected,
    Resolved,
    RootCauseClassified,
    RowsImported,
    SameAsUndone,
    Satisfaction,
    SatisfactionRecorded,
    ServiceRestored,
    SolutionProposed,
    SolutionPublished,
    SourceRecord,
    SourceRowKept,
    Target,
    TargetBreached,
    TargetKind,
    TargetWarned,
    Terms,
    UnlinkedFromParent,
    WorkaroundProvided,
    WorkaroundRevised,
    WorkResumed,
)
from incident_domain.priority import Assessment, Impact, Priority, Urgency
from incident_domain.working_time import Window

INCIDENT: Final = IncidentId("4T7K-9QXM-C3VW")
OTHER: Final = IncidentId("7H2D-XN4R-P8ZA")
GOLD: Final = AgreementId("gold")
KNOWN_ERROR: Final = KnownErrorId("printer-driver")
NETWORK: Final = GroupId("network")
MORNING: Final = datetime(2026, 3, 2, 8, 15, 0, tzinfo=UTC)

DESK: Final = Actor(person=PersonId("desk-amaya"), role=Role.SERVICE_DESK)
MANAGER: Final = Actor(person=PersonId("manager-bruno"), role=Role.INCIDENT_MANAGER)
SUPPORT: Final = Actor(person=PersonId("network-chen"), role=Role.SUPPORT_GROUP, group=NETWORK)
CUSTOMER: Final = Actor(person=PersonId("customer-dora"), role=Role.CUSTOMER)
IMPORTER: Final = Actor(person=PersonId("import"), role=Role.IMPORTER)
AUDITOR: Final = Actor(person=PersonId("auditor-gus"), role=Role.AUDITOR)
WATCH: Final = Actor(person=PersonId("watch"), role=Role.WATCH)

GOLD_TERMS: Final = Terms(
    hours=Hours(
        timezone="Europe/Madrid",
        weekly=((Window(540, 840), Window(900, 1080)),) * 5 + ((), ()),
        holidays=(Holiday(date=date(2026, 1, 6), name="Epifanía del Señor", source="holidays 0.84"),),
    ),
    targets=(
        Target(kind=TargetKind.ACKNOWLEDGE, priority=Priority.CRITICAL, minutes=15),
        Target(kind=TargetKind.UPDATE, priority=Priority.CRITICAL, minutes=60),
        Target(kind=TargetKind.RESOLVE, priority=Priority.CRITICAL, minutes=240),
        Target(kind=TargetKind.RESOLVE, priority=Priority.CRITICAL, minutes=120, service="printing"),
        Target(kind=TargetKind.RESOLVE, priority=Priority.HIGH, minutes=480),
    ),
    pauses=(PauseRule(kind=TargetKind.RESOLVE, reasons=(HoldReason.CUSTOMER, HoldReason.CHANGE)),),
    warn_at_percent=(50, 80),
    escalate_to=PersonId("head-eva"),
)
"""Nine to two and three to six in Madrid."""


def _at(minutes: int) -> datetime:
    return MORNING + timedelta(minutes=minutes, microseconds=6)


_ALL: Final[tuple[DomainEvent, ...]] = (
    IncidentRegistered(
        by=DESK,
        occurred_at=_at(0),
        incident=INCIDENT,
        reporter=Reporter(name="Dora Peña", capacity=Capacity.IT_STAFF, channel=Channel.PHONE),
        customer=Customer(
            person=PersonId("customer-dora"),
            organisation="north-branch",
            name="Dora Peña",
            workplace="Bilbao, 3rd floor",
            telephone="+34 555 0101",
            email="dora@north.example",
        ),
        summary="Dora Peña cannot print — “spooler” stops",
        agreement="gold",
        refers_to=OTHER,
        source=SourceRecord(system="servicenow", reference="INC0000045"),
    ),
    CustomerCorrected(
        by=DESK,
        occurred_at=_at(1),
        customer=Customer(
            person=PersonId("customer-dora"),
            organisation="north-branch",
            name="Dora Peña",
            workplace="Bilbao, 4th floor",
            telephone="+34 555 0102",
        ),
        reason="moved upstairs",
    ),
    NumberAssigned(by=MANAGER, occurred_at=_at(1), number=1042),
    AnalysisRecorded(
        by=MANAGER,
        occurred_at=_at(2),
        began_at=_at(-30),
        symptoms="print jobs vanish",
        location="Bilbao",
        user="Dora Peña",
        services=("printing",),
        hardware=("laser-17",),
    ),
    InteractionRecorded(by=DESK, occurred_at=_at(3), channel=Channel.EMAIL, text="Dora sent a photograph"),
    ConfigurationItemsAttached(
        by=MANAGER,
        occurred_at=_at(4),
        items=(ConfigurationItem(item="ci-17", name="laser-17", kind="printer"),),
    ),
    RecordedAsNew(by=MANAGER, occurred_at=_at(5), reason="no open incident about printing"),
    IdentifiedAsSame(by=MANAGER, occurred_at=_at(6), existing=OTHER, reason="same printer, same hour"),
    FurtherReportAdded(by=MANAGER, occurred_at=_at(6), report=OTHER, reason="same printer, same hour"),
    SameAsUndone(by=MANAGER, occurred_at=_at(7), existing=OTHER, reason="another printer after all"),
    FurtherReportWithdrawn(by=MANAGER, occurred_at=_at(7), report=OTHER, reason="another printer after all"),
    LinkedAsChild(by=MANAGER, occurred_at=_at(8), parent=OTHER, reason="part of the outage"),
    ChildLinked(by=MANAGER, occurred_at=_at(8), child=OTHER, reason="part of the outage"),
    UnlinkedFromParent(by=MANAGER, occurred_at=_at(9), parent=OTHER, reason="not part of the outage"),
    ChildUnlinked(by=MANAGER, occurred_at=_at(9), child=OTHER, reason="not part of the outage"),
    MajorDeclared(by=MANAGER, occurred_at=_at(10), reason="a whole branch stands still"),
    JudgedNotMajor(by=MANAGER, occurred_at=_at(10), reason="one printer of three"),
    ManagementInformed(by=MANAGER, occurred_at=_at(11), informed="head of IT", channel=Channel.PHONE),
    CustomerInformed(by=DESK, occurred_at=_at(12), channel=Channel.PHONE, text="told Dora we are at work"),
    Classified(by=DESK, occurred_at=_at(13), category="hardware", subcategory="printer"),
    Prioritised(
        by=DESK,
        occurred_at=_at(14),
        impact=Impact.MEDIUM,
        urgency=Urgency.HIGH,
        priority=Priority.CRITICAL,
        override_reason="payday",
    ),
    MatchedToKnownError(by=DESK, occurred_at=_at(15), known_error=KNOWN_ERROR),
    NoMatchFound(by=DESK, occurred_at=_at(15), consulted=("known errors", "problems")),
    EscalatedToGroup(
        by=DESK,
        occurred_at=_at(16),
        line=Line.SECOND,
        group=NETWORK,
        ground=EscalationGround.NO_MATCH,
        reason="nothing known fits",
    ),
    AssignedToPerson(by=SUPPORT, occurred_at=_at(17), group=NETWORK, person=PersonId("network-chen")),
    HandOffRejected(
        by=SUPPORT,
        occurred_at=_at(18),
        group=NETWORK,
        back_to=None,
        back_to_line=Line.FIRST,
        reason="the network is fine",
    ),
    EscalatedHierarchically(
        by=DESK, occurred_at=_at(19), to=PersonId("head-eva"), reason="no group takes it"
    ),
    Acknowledged(by=SUPPORT, occurred_at=_at(20), group=NETWORK),
    ProgressReported(by=SUPPORT, occurred_at=_at(30), text="spooler log collected", next_update_due=_at(90)),
    CustomerNotified(by=DESK, occurred_at=_at(31), channel=Channel.EMAIL, text="Dora: the log is being read"),
    WorkaroundProvided(
        by=SUPPORT,
        occurred_at=_at(40),
        text="use the printer on the 2nd floor",
        given_to=(Recipient.SERVICE_DESK, Recipient.CUSTOMER),
    ),
    KnowledgeReviewed(
        by=SUPPORT,
        occurred_at=_at(45),
        consulted=(Knowledge.KNOWN_ERRORS, Knowledge.PLANNED_CHANGES),
        found="a driver was rolled out yesterday",
    ),
    ReassessmentRequested(
        by=SUPPORT,
        occurred_at=_at(50),
        proposed=Assessment(impact=Impact.LOW, urgency=Urgency.MEDIUM),
        reason="the workaround holds",
    ),
    ReassessmentAccepted(by=DESK, occurred_at=_at(51), reason="agreed with the branch"),
    ReassessmentDeclined(by=DESK, occurred_at=_at(51), reason="the branch says otherwise"),
    SolutionProposed(by=SUPPORT, occurred_at=_at(60), solution="roll the driver back"),
    EffortRecorded(
        by=SUPPORT, occurred_at=_at(70), minutes=45, cost=Cost(amount=Decimal("37.50"), currency="EUR")
    ),
    FindingsReported(
        by=SUPPORT,
        occurred_at=_at(71),
        findings="driver 4.2 breaks the spooler",
        prevention="try one first",
    ),
    ChangeLinked(by=SUPPORT, occurred_at=_at(72), change="CHG-88"),
    PutOnHold(
        by=SUPPORT, occurred_at=_at(73), reason=HoldReason.SUPPLIER, awaited="driver 4.3", until=_at(300)
    ),
    WorkResumed(by=SUPPORT, occurred_at=_at(200)),
    ServiceRestored(by=SUPPORT, occurred_at=_at(210), restored_at=_at(205)),
    Resolved(
        by=SUPPORT,
        occurred_at=_at(211),
        actions="driver rolled back on all printers",
        solution="driver 4.1",
        known_error=KNOWN_ERROR,
        changes=("CHG-88",),
    ),
    ConfirmationRequested(by=DESK, occurred_at=_at(212)),
    ResolutionConfirmed(by=CUSTOMER, occurred_at=_at(220)),
    ResolutionRejected(by=CUSTOMER, occurred_at=_at(220), reason="colour still fails, says Dora"),
    Reopened(by=DESK, occurred_at=_at(221), reason="rejected by the customer"),
    RootCauseClassified(
        by=DESK, occurred_at=_at(230), category="change", root_cause="driver rolled out without a test"
    ),
    RecordVerified(by=DESK, occurred_at=_at(231)),
    SatisfactionRecorded(
        by=CUSTOMER,
        occurred_at=_at(232),
        satisfaction=Satisfaction.SATISFIED,
        comment="quick, thanks, Dora",
    ),
    Closed(by=DESK, occurred_at=_at(240), agreement=Agreement.CONFIRMED, handling_seconds=12_660),
    Cancelled(by=DESK, occurred_at=_at(240), reason="entered twice"),
    DeviationRecorded(
        by=IMPORTER,
        occurred_at=_at(240),
        clause="P5.2",
        code="closure_incomplete",
        missing="the root cause, the customer's agreement",
    ),
    AgreementApplied(by=DESK, occurred_at=_at(0), agreement=GOLD, version=1, party=Party.CUSTOMER),
    AgreementMoved(
        by=MANAGER, occurred_at=_at(20), agreement=GOLD, version=2, reason="agreed with the branch"
    ),
    HoursRecounted(
        by=MANAGER, occurred_at=_at(21), agreement=GOLD, version=3, reason="nobody worked on San Prudencio"
    ),
    TargetWarned(
        by=WATCH,
        occurred_at=_at(134),
        agreement=GOLD,
        kind=TargetKind.RESOLVE,
        cycle=1,
        percent=50,
        due_at=_at(254),
    ),
    TargetBreached(
        by=WATCH, occurred_at=_at(254), agreement=GOLD, kind=TargetKind.RESOLVE, cycle=1, due_at=_at(254)
    ),
    AgreementPublished(
        by=MANAGER,
        occurred_at=_at(-9000),
        agreement=GOLD,
        version=1,
        party=Party.CUSTOMER,
        holds_from=_at(-8000),
        terms=GOLD_TERMS,
    ),
    HolidayCorrected(
        by=MANAGER,
        occurred_at=_at(10),
        version=2,
        corrects=1,
        holiday=Holiday(date=date(2026, 4, 28), name="San Prudencio", source="the branch"),
        counts_from=_at(-8000),
        reason="forgotten when it was agreed",
    ),
    ProblemRecorded(
        by=SUPPORT,
        occurred_at=_at(100),
        known_error=KNOWN_ERROR,
        title="printers stop after the driver roll-out",
        symptoms="print jobs vanish",
        services=("printing",),
    ),
    KnownErrorDeclared(
        by=SUPPORT, occurred_at=_at(110), root_cause="driver 4.2", workaround="use another printer"
    ),
    WorkaroundRevised(by=SUPPORT, occurred_at=_at(120), workaround="restart the spooler"),
    SolutionPublished(by=SUPPORT, occurred_at=_at(130), solution="roll back to driver 4.1"),
    KnownErrorRetired(by=SUPPORT, occurred_at=_at(140), reason="driver 4.3 is everywhere"),
    SourceRowKept(
        by=IMPORTER,
        occurred_at=_at(0),
        row=17,
        code="bad_date",
        reason="column opened_at: no date",
        sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        verbatim="INC0000045,New,\\xff",
    ),
    RowsImported(
        by=IMPORTER,
        occurred_at=_at(0),
        source="servicenow_incident_event_log.csv",
        through_row=500,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        account=(("recorded", 498), ("refused", 2)),
    ),
    PersonForgotten(
        by=MANAGER, occurred_at=_at(200), person=PersonId("c-117"), texts=12, incidents=3, left_readable=0
    ),
    JournalExported(
        by=AUDITOR,
        occurred_at=_at(210),
        format="jsonl",
        incident=None,
        organisation="north-branch",
        since=_at(0),
        until=None,
        events=41,
        through=57,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    JournalVerified(by=AUDITOR, occurred_at=_at(211), sha256=None, events=58, checkpoint=57, faults=0),
)

EXAMPLES: Final[Mapping[type[Event], DomainEvent]] = {type(each): each for each in _ALL}
"""The example of each event class, in the order of the process."""


def entry_of(event: DomainEvent) -> Entry:
    """The event as the first of a stream, recorded a second after it happened."""
    return Entry(
        stream=INCIDENT,
        version=1,
        event_id=UUID("5b0d6a0e-7d0c-5b7e-9a44-0c8e3f1f2a11"),
        recorded_at=event.occurred_at + timedelta(seconds=1),
        correlation_id=UUID("0f4c0b8c-1d8e-4b0a-8e77-64a1f0f3a9d2"),
        causation_id=UUID("c2a86f0e-92e1-4e36-8b65-2a4c9cf7e6b3"),
        event=event,
    )
