"""What has to hold before a step: each function answers with every objection there is."""

from collections.abc import Iterator
from typing import TypeAlias, assert_never

from incident_domain.actor import Role
from incident_domain.command import Command
from incident_domain.incident import (
    AwaitingClosure,
    Ended,
    Gravity,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    Record,
    SameAs,
    Similarity,
    Unregistered,
)
from incident_domain.refusal import Objection, Refused, contradiction

Current: TypeAlias = InRegistration | InClassification | InInvestigation | AwaitingClosure
"""An incident that something can still be done to."""


def current(now: Incident, ask: Command) -> Current:
    """The incident, if something can still be done to it at the time asked for.

    Raises:
        Refused: when it is not registered, has ended (X8), goes on in another record (P1.9), when the command
            is dated before the registration, or when a customer acts on an incident that is not theirs.
    """
    match now:
        case Unregistered():
            raise contradiction(
                "P1.2", "not-registered", f"there is no incident {ask.incident}; register it first"
            )
        case Ended():
            raise contradiction(
                "X8",
                "ended",
                f"incident {ask.incident} has ended and nothing follows; register a new one",
            )
        case SameAs(existing=existing):
            raise contradiction(
                "P1.9",
                "same-as",
                f"incident {ask.incident} is the same as {existing}; act on that one, or undo the decision",
            )
        case InRegistration() | InClassification() | InInvestigation() | AwaitingClosure():
            return _at_its_time(now, ask)
        case _:
            assert_never(now)


def dated(record: Record, ask: Command) -> None:
    """Let nothing happen to an incident before it was registered.

    Raises:
        Refused: when the command is dated before the registration.
    """
    if ask.at < record.registered_at:
        raise contradiction(
            "P1.6", "before-registration", "at: lies before the registration; give the time it happened"
        )


def _at_its_time(now: Current, ask: Command) -> Current:
    record = now.record
    dated(record, ask)
    if ask.by.role is Role.CUSTOMER and ask.by.person != record.basics.person:
        raise Refused(
            [
                Objection(
                    clause="P5.1",
                    code="not-the-customer",
                    message="a customer speaks only for their own incidents; the service desk may act on it",
                )
            ]
        )
    return now


def major_gate(record: Record) -> Iterator[Objection]:
    """Before any further measure, management and then the customer are told of a major incident (P1.11)."""
    gravity = record.intake.gravity
    if gravity is Gravity.MAJOR:
        yield Objection(
            clause="P1.11",
            code="management-not-informed",
            message="major incident: management has not been informed; inform management first",
        )
    if gravity in (Gravity.MAJOR, Gravity.MANAGEMENT_INFORMED):
        yield Objection(
            clause="P1.11",
            code="customer-not-informed",
            message="major incident: the customer has not been informed; inform the customer",
        )


def registration_complete(record: Record) -> Iterator[Objection]:
    """What step 1 has to settle before step 2 (P1.5 to P1.12)."""
    intake = record.intake
    if intake.number is None:
        yield Objection(clause="P1.5", code="no-number", message="it has no number; assign one")
    if not intake.analysed:
        yield Objection(clause="P1.6", code="no-analysis", message="no analysis is recorded; record it")
    if intake.similarity is Similarity.UNDECIDED:
        yield Objection(
            clause="P1.8",
            code="similarity-undecided",
            message="nobody decided whether it is the same as an existing one, similar, or new; decide it",
        )
    if intake.gravity is Gravity.UNDECIDED:
        yield Objection(
            clause="P1.11",
            code="gravity-undecided",
            message="nobody decided whether it is a major incident; declare it major or judge it not major",
        )


def unresolved(now: Current) -> Iterator[Objection]:
    """Work is done on what is not resolved yet (P4.1)."""
    if isinstance(now, AwaitingClosure):
        yield Objection(
            clause="X7", code="resolved", message="it is resolved; reopen it before working on it"
        )


def classified(now: Current) -> Iterator[Objection]:
    """Step 2 comes before what follows it (P2.1)."""
    if now.record.triage.category is None:
        yield Objection(
            clause="P2.1", code="not-classified", message="it is not classified; classify it first"
        )


def same_group(record: Record, ask: Command) -> Iterator[Objection]:
    """A group acts on what was escalated to it (P3.1)."""
    assignment = record.work.assignment
    if ask.by.role is Role.SUPPORT_GROUP and (assignment is None or assignment.group != ask.by.group):
        yield Objection(
            clause="P3.1",
            code="not-escalated-to-group",
            message="it was not escalated to the group that acts; escalate it to that group first",
        )


def answerable(record: Record, ask: Command) -> Iterator[Objection]:
    """A group works on what was escalated to it, and only after it acknowledged (P3.1, P3.2)."""
    wrong_group = list(same_group(record, ask))
    yield from wrong_group
    assignment = record.work.assignment
    works_for_group = ask.by.role in (Role.SUPPORT_GROUP, Role.IMPORTER)
    if works_for_group and not wrong_group and assignment is not None and not assignment.acknowledged:
        yield Objection(
            clause="P3.2",
            code="not-acknowledged",
            message="the group has not acknowledged receipt; acknowledge it first",
        )


def workable(now: Current, ask: Command) -> Iterator[Objection]:
    """All that holds for work on an incident, by whomever (P1.11, P2.1, P3.1, P3.2, X7)."""
    yield from major_gate(now.record)
    yield from unresolved(now)
    yield from classified(now)
    yield from answerable(now.record, ask)
