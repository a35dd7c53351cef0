"""The story that the demo tells: one incident through the five steps, and a major one in between.

It is data.  Every scene has fixed times and fixed references, so the story is the same each time it is told.
"""

from decimal import Decimal
from enum import Enum
from typing import Final

from attrs import frozen

from incident_adapters.demo_stage import (
    AGREED,
    AGREEMENT,
    CHEN,
    DESK,
    DORA,
    EMIL,
    MANAGER,
    NETWORK,
    PRINTER_AT_WORK,
    SCANNERS,
    TELEPHONES_FAIL,
    TELEPHONES_GO_ON,
    WORKPLACE,
    at,
    customer_of,
)
from incident_domain import (
    Acknowledge,
    AssignNumber,
    AssignToPerson,
    AttachConfigurationItems,
    Capacity,
    Channel,
    Classify,
    ClassifyRootCause,
    Close,
    ConfigurationItem,
    ConfirmResolution,
    Cost,
    EscalateToGroup,
    EscalationGround,
    GroupId,
    HoldReason,
    Impact,
    IncidentCommand,
    JudgeNotMajor,
    Knowledge,
    Line,
    NotifyCustomer,
    PersonId,
    ProposeSolution,
    ProvideWorkaround,
    PublishAgreement,
    PutIncidentOnHold,
    Recipient,
    RecordAnalysis,
    RecordAsNew,
    RecordEffort,
    RecordNoMatch,
    RecordSatisfaction,
    RegisterIncident,
    RejectHandOff,
    RejectResolution,
    Reporter,
    ReportFindings,
    ReportProgress,
    RequestConfirmation,
    Resolve,
    Resume,
    ReviewKnowledge,
    Satisfaction,
    Urgency,
    VerifyRecord,
)


class Look(Enum):
    """What the story shows after a scene: where things stand, as the people in it see them."""

    REVIEW_QUEUE = "review_queue"
    GROUP_QUEUE = "group_queue"
    CLOSURE_QUEUE = "closure_queue"
    SIMILAR = "similar"


@frozen(kw_only=True)
class Scene:
    """A few sentences, the commands that make them happen, and what to look at then.

    `step` opens a step of the process.  In a scene that is `refused`, the process refuses the last command.
    `group` is whose queue is looked at; `background` scenes only set the stage.
    """

    step: str | None = None
    told: str
    commands: tuple[IncidentCommand | PublishAgreement, ...]
    refused: bool = False
    look: Look | None = None
    group: GroupId | None = None
    background: bool = False


_BEFORE: Final = Scene(
    told="Monday morning. How soon an incident of the parcel company must be acknowledged and resolved is "
    "agreed and published. One is with the workplace group already: a label printer.",
    background=True,
    commands=(AGREED, *PRINTER_AT_WORK),
)

_REGISTRATION: Final = (
    Scene(
        step="Step 1: identification and registration",
        told="Dora calls from the warehouse: the parcel scanners lose their connection. Amaya of the service "
        "desk registers it and tells Dora its reference at once.",
        commands=(
            RegisterIncident(
                incident=SCANNERS,
                by=DESK,
                at=at(8, 12),
                reporter=Reporter(name="Dora Peña", capacity=Capacity.USER, channel=Channel.PHONE),
                customer=customer_of("dora", "Dora Peña", "Zaragoza, loading bay 2"),
                summary="The parcel scanners in bay 2 lose their connection",
                agreement=AGREEMENT,
            ),
        ),
        look=Look.REVIEW_QUEUE,
    ),
    Scene(
        told="Bruno, the incident manager, gives it its number and records the analysis: it began at 07:55, "
        "before anybody called. Then he looks for incidents like it.",
        commands=(
            AssignNumber(incident=SCANNERS, by=MANAGER, at=at(8, 15)),
            RecordAnalysis(
                incident=SCANNERS,
                by=MANAGER,
                at=at(8, 19),
                began_at=at(7, 55),
                symptoms="Scanners drop off the wireless network every few minutes; the signal is full",
                location="Zaragoza",
                user="dora",
                services=("warehouse-wireless",),
                hardware=("scanner-17", "scanner-18"),
            ),
            AttachConfigurationItems(
                incident=SCANNERS,
                by=MANAGER,
                at=at(8, 20),
                items=(ConfigurationItem(item="ap-0217", name="Access point, bay 2", kind="access point"),),
            ),
        ),
        look=Look.SIMILAR,
    ),
    Scene(
        told="The same place, but another service and another fault: Bruno decides that it is new, and not "
        "a major incident.",
        commands=(
            RecordAsNew(
                incident=SCANNERS,
                by=MANAGER,
                at=at(8, 24),
                reason="the label printer is another service with another fault",
            ),
            JudgeNotMajor(
                incident=SCANNERS, by=MANAGER, at=at(8, 25), reason="one bay of six; the others take over"
            ),
        ),
    ),
)

_CLASSIFICATION: Final = (
    Scene(
        step="Step 2: classification and initial support",
        told="Amaya classifies it, the matrix makes the priority, the knowledge base knows nothing of it. "
        "She hands it to the second line, to the workplace group.",
        commands=(
            Classify(
                incident=SCANNERS,
                by=DESK,
                at=at(8, 31),
                category="hardware",
                subcategory="scanner",
                impact=Impact.MEDIUM,
                urgency=Urgency.HIGH,
            ),
            RecordNoMatch(
                incident=SCANNERS, by=DESK, at=at(8, 34), consulted=("known errors", "open problems")
            ),
            EscalateToGroup(
                incident=SCANNERS,
                by=DESK,
                at=at(8, 36),
                line=Line.SECOND,
                group=WORKPLACE,
                ground=EscalationGround.NO_MATCH,
                reason="scanners are workplace devices",
            ),
        ),
        look=Look.GROUP_QUEUE,
        group=WORKPLACE,
    ),
    Scene(
        told="Emil of the workplace group gives it back, with a reason that stays on record. Amaya hands it "
        "to the network group.",
        commands=(
            RejectHandOff(
                incident=SCANNERS,
                by=EMIL,
                at=at(8, 50),
                reason="the scanners are sound; the access point lets them go",
            ),
            EscalateToGroup(
                incident=SCANNERS,
                by=DESK,
                at=at(8, 53),
                line=Line.SECOND,
                group=NETWORK,
                ground=EscalationGround.OTHER_EXPERTISE,
                reason="the access point belongs to the network group",
            ),
        ),
        look=Look.GROUP_QUEUE,
        group=NETWORK,
    ),
)

_INVESTIGATION: Final = (
    Scene(
        step="Step 3: investigation and diagnosis",
        told="Chen of the network group wants to begin at once. The process does not let him: whoever works "
        "on it has to acknowledge it first.",
        commands=(
            ReportProgress(
                incident=SCANNERS,
                by=CHEN,
                at=at(9, 0),
                text="Reading the access point's log",
                next_update_due=at(10, 0),
            ),
        ),
        refused=True,
    ),
    Scene(
        told="He acknowledges it, later than agreed, takes it on, reports what he sees, and gives Dora a way "
        "to go on working.",
        commands=(
            Acknowledge(incident=SCANNERS, by=CHEN, at=at(9, 1)),
            AssignToPerson(incident=SCANNERS, by=CHEN, at=at(9, 1), person=PersonId("chen")),
            ReportProgress(
                incident=SCANNERS,
                by=CHEN,
                at=at(9, 20),
                text="The access point restarts its radio; its supplier knows more",
                next_update_due=at(10, 30),
            ),
            ProvideWorkaround(
                incident=SCANNERS,
                by=CHEN,
                at=at(9, 24),
                text="Connect the scanners to the network of bay 1",
                given_to=(Recipient.SERVICE_DESK, Recipient.CUSTOMER),
            ),
            NotifyCustomer(
                incident=SCANNERS,
                by=DESK,
                at=at(9, 28),
                channel=Channel.PHONE,
                text="The cause is the access point; until it is mended, use the network of bay 1",
            ),
            PutIncidentOnHold(
                incident=SCANNERS,
                by=CHEN,
                at=at(9, 40),
                reason=HoldReason.SUPPLIER,
                awaited="the access point's supplier",
                until=at(12, 0),
            ),
        ),
    ),
    Scene(
        told="Meanwhile the telephones of a whole site fail. Bruno declares a major incident. Amaya wants to "
        "go on with it, and is refused until management and then the customer know.",
        commands=TELEPHONES_FAIL,
        refused=True,
    ),
    Scene(
        told="Told in that order, it goes on, and stands before everything else in the network group's "
        "queue.",
        commands=TELEPHONES_GO_ON,
        look=Look.GROUP_QUEUE,
        group=NETWORK,
    ),
    Scene(
        told="The supplier answers. Chen goes on with the scanners, and writes down what he consulted, what "
        "he found and what it took.",
        commands=(
            Resume(incident=SCANNERS, by=CHEN, at=at(11, 10)),
            ReviewKnowledge(
                incident=SCANNERS,
                by=CHEN,
                at=at(11, 18),
                consulted=(Knowledge.KNOWN_ERRORS, Knowledge.PLANNED_CHANGES),
                found="the access point was given new firmware on Sunday",
            ),
            ProposeSolution(
                incident=SCANNERS, by=CHEN, at=at(11, 20), solution="Go back to the firmware before"
            ),
            ReportFindings(
                incident=SCANNERS,
                by=CHEN,
                at=at(11, 50),
                findings="The new firmware restarts the radio under load",
                prevention="Try firmware on one access point for a day first",
            ),
            RecordEffort(
                incident=SCANNERS,
                by=CHEN,
                at=at(11, 52),
                minutes=75,
                cost=Cost(amount=Decimal("90.00"), currency="EUR"),
            ),
        ),
    ),
)

_RESOLUTION: Final = (
    Scene(
        step="Step 4: resolution and recovery",
        told="The old firmware is back; the scanners have worked since 11:40, which is a time of its own.",
        commands=(
            Resolve(
                incident=SCANNERS,
                by=CHEN,
                at=at(11, 55),
                actions="Put the firmware before Sunday back on ap-0217 and watched it for a while",
                solution="Firmware 8.2 instead of 8.3",
                restored_at=at(11, 40),
            ),
        ),
        look=Look.CLOSURE_QUEUE,
    ),
)

_CLOSURE: Final = (
    Scene(
        step="Step 5: closure",
        told="Amaya tries to close it there and then. She is told everything that is missing, at once.",
        commands=(Close(incident=SCANNERS, by=DESK, at=at(12, 0)),),
        refused=True,
    ),
    Scene(
        told="She asks Dora, who says no: one scanner still drops off. Her word reopens the incident.",
        commands=(
            RequestConfirmation(incident=SCANNERS, by=DESK, at=at(12, 5)),
            RejectResolution(
                incident=SCANNERS, by=DORA, at=at(12, 40), reason="scanner-18 still drops off now and then"
            ),
        ),
        look=Look.GROUP_QUEUE,
        group=NETWORK,
    ),
    Scene(
        told="Chen finds the second access point of the bay. Now Dora agrees, and the rest is collected.",
        commands=(
            RecordEffort(incident=SCANNERS, by=CHEN, at=at(13, 25), minutes=30),
            Resolve(
                incident=SCANNERS,
                by=CHEN,
                at=at(13, 30),
                actions="Put the firmware before Sunday back on ap-0218 as well",
                solution="Firmware 8.2 instead of 8.3 on both access points of the bay",
                restored_at=at(13, 20),
            ),
            RequestConfirmation(incident=SCANNERS, by=DESK, at=at(13, 35)),
            ConfirmResolution(incident=SCANNERS, by=DORA, at=at(14, 10)),
            ClassifyRootCause(
                incident=SCANNERS, by=DESK, at=at(14, 15), category="network", root_cause="faulty firmware"
            ),
            RecordSatisfaction(
                incident=SCANNERS,
                by=DESK,
                at=at(14, 16),
                satisfaction=Satisfaction.SATISFIED,
                comment="quick, and the second time it held",
            ),
            VerifyRecord(incident=SCANNERS, by=DESK, at=at(14, 20)),
        ),
    ),
    Scene(
        told="Nothing is missing any more.",
        commands=(Close(incident=SCANNERS, by=DESK, at=at(14, 21)),),
    ),
)

STORY: Final = (_BEFORE, *_REGISTRATION, *_CLASSIFICATION, *_INVESTIGATION, *_RESOLUTION, *_CLOSURE)
"""The scenes in their order."""
