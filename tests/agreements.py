"""Agreements for tests, and the events of an incident that runs under them."""

from typing import Final

from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.events import (
    Acknowledged,
    AgreementApplied,
    AgreementId,
    AgreementMoved,
    Cancelled,
    Channel,
    CustomerNotified,
    EscalatedToGroup,
    EscalationGround,
    HandOffRejected,
    HoldReason,
    Hours,
    HoursRecounted,
    IncidentEvent,
    Line,
    Party,
    PauseRule,
    Prioritised,
    ProgressReported,
    PutOnHold,
    Reopened,
    Resolved,
    Target,
    TargetKind,
    Terms,
    WorkResumed,
)
from incident_domain.priority import Impact, Priority, Urgency
from incident_domain.working_time import Window
from incident_projections.clocks import TermsOf
from tests.histories import DESK, MANAGER, at, example

GOLD: Final = AgreementId("gold")
NETWORK_OLA: Final = AgreementId("network-ola")
UPSTREAM: Final = AgreementId("upstream")
NETWORK: Final = GroupId("network")
SERVERS: Final = GroupId("servers")

ALWAYS: Final = Hours(timezone="UTC", weekly=((Window(0, 1440),),) * 7)
OFFICE: Final = Hours(timezone="UTC", weekly=((Window(540, 1020),),) * 5 + ((), ()))
"""Monday to Friday, 09:00 to 17:00."""

P2, P3 = Priority(2), Priority(3)


def target(kind: TargetKind, minutes: int, priority: Priority = P2, service: str | None = None) -> Target:
    """A target for one priority."""
    return Target(kind=kind, priority=priority, minutes=minutes, service=service)


GOLD_TARGETS: Final = (
    target(TargetKind.ACKNOWLEDGE, 15),
    target(TargetKind.UPDATE, 60),
    target(TargetKind.RESOLVE, 240),
    target(TargetKind.RESOLVE, 480, P3),
)
GOLD_TERMS: Final = Terms(
    hours=ALWAYS,
    targets=GOLD_TARGETS,
    pauses=(PauseRule(kind=TargetKind.RESOLVE, reasons=(HoldReason.CUSTOMER, HoldReason.SUPPLIER)),),
    warn_at_percent=(50, 80),
    escalate_to=PersonId("head"),
)


def known(**versions: tuple[Party, Terms]) -> TermsOf:
    """A lookup of terms; the names are those of agreements, each with the number of its version behind it."""

    def terms_of(agreement: AgreementId, version: int) -> tuple[Party, Terms]:
        return versions[f"{agreement}_{version}".replace("-", "_")]

    return terms_of


def applied(minutes: float = 0, agreement: AgreementId = GOLD, version: int = 1) -> AgreementApplied:
    return AgreementApplied(
        by=DESK, occurred_at=at(minutes), agreement=agreement, version=version, party=Party.CUSTOMER
    )


def moved(minutes: float, version: int, agreement: AgreementId = GOLD) -> AgreementMoved:
    return AgreementMoved(
        by=MANAGER, occurred_at=at(minutes), agreement=agreement, version=version, reason="New contract"
    )


def recounted(minutes: float, version: int, agreement: AgreementId = GOLD) -> HoursRecounted:
    return HoursRecounted(
        by=MANAGER, occurred_at=at(minutes), agreement=agreement, version=version, reason="Local holiday"
    )


def prioritised(minutes: float, priority: Priority = P2) -> Prioritised:
    return Prioritised(
        by=DESK,
        occurred_at=at(minutes),
        impact=Impact.MEDIUM,
        urgency=Urgency.HIGH,
        priority=priority,
        override_reason=None,
    )


def escalated(minutes: float, group: GroupId = NETWORK, by: Actor = DESK) -> EscalatedToGroup:
    return EscalatedToGroup(
        by=by,
        occurred_at=at(minutes),
        line=Line.SECOND,
        group=group,
        ground=EscalationGround.OTHER_EXPERTISE,
        reason="Theirs",
    )


def member(group: GroupId = NETWORK) -> Actor:
    return Actor(person=PersonId("gina"), role=Role.SUPPORT_GROUP, group=group)


def rejected(minutes: float, group: GroupId = NETWORK, back_to: GroupId | None = None) -> HandOffRejected:
    return HandOffRejected(
        by=member(group),
        occurred_at=at(minutes),
        group=group,
        back_to=back_to,
        back_to_line=Line.FIRST,
        reason="Not ours",
    )


def acknowledged(minutes: float, group: GroupId = NETWORK) -> Acknowledged:
    return Acknowledged(by=member(group), occurred_at=at(minutes), group=group)


def progress(minutes: float) -> ProgressReported:
    return ProgressReported(
        by=member(), occurred_at=at(minutes), text="Looking", next_update_due=at(minutes + 60)
    )


def notified(minutes: float) -> CustomerNotified:
    return CustomerNotified(by=DESK, occurred_at=at(minutes), channel=Channel.PHONE, text="We look")


def held(minutes: float, reason: HoldReason = HoldReason.CUSTOMER) -> PutOnHold:
    return PutOnHold(by=DESK, occurred_at=at(minutes), reason=reason, awaited="them", until=None)


def resumed(minutes: float) -> WorkResumed:
    return WorkResumed(by=DESK, occurred_at=at(minutes))


def resolved(minutes: float) -> Resolved:
    return Resolved(by=DESK, occurred_at=at(minutes), actions="Restarted", solution="Restart")


def reopened(minutes: float) -> Reopened:
    return Reopened(by=DESK, occurred_at=at(minutes), reason="Still broken")


def cancelled(minutes: float) -> Cancelled:
    return Cancelled(by=DESK, occurred_at=at(minutes), reason="By mistake")


def told(incident: str, *events: IncidentEvent) -> list[tuple[str, IncidentEvent]]:
    """The events, each with the stream of the incident."""
    return [(incident, event) for event in events]


def any_terms(agreement: AgreementId, version: int) -> tuple[Party, Terms]:
    """Terms for whatever agreement a history drawn at random names; they differ from version to version."""
    party = (Party.CUSTOMER, Party.GROUP, Party.SUPPLIER)[len(agreement) % 3]
    hours = OFFICE if version % 2 else ALWAYS
    targets = (*GOLD_TARGETS, target(TargetKind.RESOLVE, 7 * (version % 100) + 1, Priority(1)))
    group = example(EscalatedToGroup).group
    return party, Terms(
        hours=hours,
        targets=targets[version % 3 :],
        pauses=GOLD_TERMS.pauses,
        warn_at_percent=(50,) if version % 5 else (),
        group=group,
    )
