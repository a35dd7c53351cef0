"""Who and what is on the stage: the people, what is agreed, and the incidents beside the story's own."""

from datetime import UTC, datetime
from typing import Final

from incident_domain import (
    Actor,
    AgreementId,
    AssignNumber,
    Capacity,
    Channel,
    Classify,
    Customer,
    DeclareMajor,
    EscalateToGroup,
    EscalationGround,
    GroupId,
    HoldReason,
    Hours,
    Impact,
    IncidentCommand,
    IncidentId,
    InformCustomer,
    InformManagement,
    JudgeNotMajor,
    Line,
    Party,
    PauseRule,
    PersonId,
    Priority,
    PublishAgreement,
    RecordAnalysis,
    RecordAsNew,
    RecordNoMatch,
    RegisterIncident,
    Reporter,
    Role,
    Target,
    TargetKind,
    Terms,
    Urgency,
    Window,
)

SCANNERS: Final = IncidentId("4T7K-9QXM-C3VW")
"""The incident of the story."""

PRINTER: Final = IncidentId("2B8N-6RWD-Y5HE")
"""An incident that the desk had before, so that there is something to compare with."""

TELEPHONES: Final = IncidentId("9D3P-V7JA-0KZT")
"""A major incident that comes in between."""


def at(hour: int, minute: int) -> datetime:
    """A time of the story: it begins on Monday, 2 March 2026."""
    return datetime(2026, 3, 2, hour, minute, tzinfo=UTC)


WORKPLACE: Final = GroupId("workplace")
NETWORK: Final = GroupId("network")
DESK: Final = Actor(person=PersonId("amaya"), role=Role.SERVICE_DESK)
MANAGER: Final = Actor(person=PersonId("bruno"), role=Role.INCIDENT_MANAGER)
EMIL: Final = Actor(person=PersonId("emil"), role=Role.SUPPORT_GROUP, group=WORKPLACE)
CHEN: Final = Actor(person=PersonId("chen"), role=Role.SUPPORT_GROUP, group=NETWORK)
DORA: Final = Actor(person=PersonId("dora"), role=Role.CUSTOMER)


def customer_of(person: str, name: str, workplace: str) -> Customer:
    """A customer of the one organisation of the story."""
    return Customer(
        person=PersonId(person),
        organisation="parcels",
        name=name,
        workplace=workplace,
        email=f"{person}@parcels.example",
    )


AGREEMENT: Final = AgreementId("parcels-day")
"""What is agreed with the one organisation of the story."""

_WORKDAY: Final = (Window(opens=8 * 60, closes=18 * 60),)
_MINUTES: Final = {
    Priority.CRITICAL: (15, 120),
    Priority.HIGH: (30, 240),
    Priority.MODERATE: (60, 480),
    Priority.LOW: (120, 960),
    Priority.PLANNING: (240, 2400),
}

AGREED: Final = PublishAgreement(
    agreement=AGREEMENT,
    by=MANAGER,
    at=at(7, 0),
    party=Party.CUSTOMER,
    holds_from=at(7, 0),
    terms=Terms(
        hours=Hours(timezone="Europe/Madrid", weekly=(_WORKDAY,) * 5 + ((), ())),
        targets=tuple(
            Target(kind=kind, priority=priority, minutes=minutes)
            for priority, agreed in _MINUTES.items()
            for kind, minutes in zip((TargetKind.ACKNOWLEDGE, TargetKind.RESOLVE), agreed, strict=True)
        ),
        pauses=(PauseRule(kind=TargetKind.RESOLVE, reasons=(HoldReason.CUSTOMER, HoldReason.SUPPLIER)),),
        warn_at_percent=(80,),
    ),
)

PRINTER_AT_WORK: Final[tuple[IncidentCommand, ...]] = (
    RegisterIncident(
        incident=PRINTER,
        by=DESK,
        at=at(7, 30),
        reporter=Reporter(name="Unai Rey", capacity=Capacity.USER, channel=Channel.PHONE),
        customer=customer_of("unai", "Unai Rey", "Zaragoza, loading bay 4"),
        summary="The label printer prints blank labels",
        agreement=AGREEMENT,
    ),
    AssignNumber(incident=PRINTER, by=MANAGER, at=at(7, 33)),
    RecordAnalysis(
        incident=PRINTER,
        by=MANAGER,
        at=at(7, 36),
        began_at=at(7, 10),
        symptoms="Blank labels since the roll was changed",
        location="Zaragoza",
        services=("warehouse-labels",),
    ),
    RecordAsNew(incident=PRINTER, by=MANAGER, at=at(7, 37), reason="nothing like it is open"),
    JudgeNotMajor(incident=PRINTER, by=MANAGER, at=at(7, 38), reason="one printer, others nearby"),
    Classify(
        incident=PRINTER,
        by=DESK,
        at=at(7, 41),
        category="printing",
        impact=Impact.LOW,
        urgency=Urgency.MEDIUM,
    ),
    RecordNoMatch(incident=PRINTER, by=DESK, at=at(7, 42), consulted=("known errors",)),
    EscalateToGroup(
        incident=PRINTER,
        by=DESK,
        at=at(7, 44),
        line=Line.SECOND,
        group=WORKPLACE,
        ground=EscalationGround.NO_MATCH,
        reason="somebody has to look at the printer",
    ),
)

TELEPHONES_FAIL: Final[tuple[IncidentCommand, ...]] = (
    RegisterIncident(
        incident=TELEPHONES,
        by=DESK,
        at=at(9, 50),
        reporter=Reporter(name="Iker Gil", capacity=Capacity.IT_STAFF, channel=Channel.WALK_IN),
        customer=customer_of("iker", "Iker Gil", "Bilbao, head office"),
        summary="No telephone at the head office works",
        agreement=AGREEMENT,
    ),
    AssignNumber(incident=TELEPHONES, by=MANAGER, at=at(9, 52)),
    RecordAnalysis(
        incident=TELEPHONES,
        by=MANAGER,
        at=at(9, 54),
        began_at=at(9, 45),
        symptoms="All telephones are silent",
        location="Bilbao",
        services=("telephony",),
    ),
    RecordAsNew(incident=TELEPHONES, by=MANAGER, at=at(9, 55), reason="nothing like it is open"),
    DeclareMajor(incident=TELEPHONES, by=MANAGER, at=at(9, 56), reason="no customer can reach the company"),
    Classify(
        incident=TELEPHONES,
        by=DESK,
        at=at(9, 57),
        category="telephony",
        impact=Impact.HIGH,
        urgency=Urgency.HIGH,
    ),
)

TELEPHONES_GO_ON: Final[tuple[IncidentCommand, ...]] = (
    InformManagement(
        incident=TELEPHONES,
        by=MANAGER,
        at=at(9, 59),
        informed="the head of operations",
        channel=Channel.WALK_IN,
    ),
    InformCustomer(
        incident=TELEPHONES,
        by=MANAGER,
        at=at(10, 1),
        channel=Channel.EMAIL,
        text="A major incident; the next news comes within half an hour",
    ),
    Classify(
        incident=TELEPHONES,
        by=DESK,
        at=at(10, 3),
        category="telephony",
        impact=Impact.HIGH,
        urgency=Urgency.HIGH,
    ),
    EscalateToGroup(
        incident=TELEPHONES,
        by=DESK,
        at=at(10, 4),
        line=Line.THIRD,
        group=NETWORK,
        ground=EscalationGround.EMERGENCY,
        reason="a whole site is cut off",
    ),
)
