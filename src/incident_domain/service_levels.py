"""Which agreements run on an incident, and what the watch finds when their clocks fall due (P3.7, X2)."""

from collections.abc import Iterator
from datetime import datetime

from attrs import evolve as changed
from attrs import field, frozen

from incident_domain.agreements import Agreement, version_at
from incident_domain.command import Command
from incident_domain.conditions import current, dated
from incident_domain.events import (
    AgreementApplied,
    AgreementId,
    AgreementMoved,
    EscalatedHierarchically,
    HoursRecounted,
    IncidentEvent,
    TargetBreached,
    TargetKind,
    TargetWarned,
)
from incident_domain.incident import BREACH, Ended, Incident, Mark, SameAs, Unregistered
from incident_domain.refusal import Objection, Refused, contradiction
from incident_domain.validation import InvalidValue, aware, filled, utc


@frozen(kw_only=True)
class ApplyAgreement(Command):
    """Let an agreement run on the incident, in the version that held when the incident was registered.

    Several may run at once: the customer's, a group's, a supplier's.
    """

    agreement: AgreementId = field(validator=filled)


@frozen(kw_only=True)
class MoveAgreement(Command):
    """Go on under another version of an agreement; what the clocks have used stays used."""

    agreement: AgreementId = field(validator=filled)
    version: int
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class RecountHours(Command):
    """Count the clocks of an agreement anew from their start by a corrected version of it."""

    agreement: AgreementId = field(validator=filled)
    version: int
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class RecordWarning(Command):
    """Record that a clock used a share of its target; `at` is the instant at which it did."""

    agreement: AgreementId = field(validator=filled)
    kind: TargetKind
    cycle: int
    percent: int
    due_at: datetime = field(converter=utc, validator=aware)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        _counted_from_one(self.cycle)
        # The whole target would be marked as its breach, which could then never be recorded.
        if not 0 < self.percent < BREACH:
            raise InvalidValue("percent", "must lie between 1 and 99; the whole target is a breach")


@frozen(kw_only=True)
class RecordBreach(Command):
    """Record that a clock used more than its target; `at` is the first instant from which it did.

    Where the agreement names somebody, the incident is escalated to them with it (X2).
    """

    agreement: AgreementId = field(validator=filled)
    kind: TargetKind
    cycle: int
    due_at: datetime = field(converter=utc, validator=aware)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        _counted_from_one(self.cycle)


def _counted_from_one(cycle: int) -> None:
    if cycle < 1:
        raise InvalidValue("cycle", "must be 1 or more; the first cycle of a clock is 1")


def apply_agreement(now: Incident, ask: ApplyAgreement, agreement: Agreement) -> list[IncidentEvent]:
    """Let the agreement run; one that runs already goes on as it is."""
    record = current(now, ask).record
    if ask.agreement in record.agreements:
        return []
    for objection in holds(agreement, ask.agreement, record.registered_at):
        # There is nothing to apply, so that not even an importer can have applied it.
        raise Refused([changed(objection, contradiction=True)])
    return applied(ask, ask.agreement, agreement, record.registered_at)


def holds(agreement: Agreement, name: AgreementId, registered_at: datetime) -> Iterator[Objection]:
    """An agreement runs on what was registered since it holds."""
    if version_at(agreement, registered_at) is None:
        yield Objection(
            clause="P3.7",
            code="no-such-agreement",
            message=f"agreement: {name} did not hold at the registration; publish it, or leave it out",
        )


def applied(
    ask: Command, name: AgreementId, agreement: Agreement, registered_at: datetime
) -> list[IncidentEvent]:
    """The event by which the agreement runs in the version that held; nothing where none did."""
    version = version_at(agreement, registered_at)
    if version is None:
        return []
    return [
        AgreementApplied(
            by=ask.by, occurred_at=ask.at, agreement=name, version=version, party=agreement.party
        )
    ]


def move_agreement(now: Incident, ask: MoveAgreement, agreement: Agreement) -> list[IncidentEvent]:
    """Go on under the other version from here on."""
    if _running(now, ask, agreement) == ask.version:
        return []
    return [
        AgreementMoved(
            by=ask.by, occurred_at=ask.at, agreement=ask.agreement, version=ask.version, reason=ask.reason
        )
    ]


def recount_hours(now: Incident, ask: RecountHours, agreement: Agreement) -> list[IncidentEvent]:
    """Count anew by the corrected version."""
    if _running(now, ask, agreement) == ask.version:
        return []
    return [
        HoursRecounted(
            by=ask.by, occurred_at=ask.at, agreement=ask.agreement, version=ask.version, reason=ask.reason
        )
    ]


def _running(now: Incident, ask: MoveAgreement | RecountHours, agreement: Agreement) -> int:
    running = current(now, ask).record.agreements.get(ask.agreement)
    if running is None:
        raise contradiction(
            "P3.7", "agreement-not-running", f"agreement: {ask.agreement} does not run on it; apply it first"
        )
    if not 1 <= ask.version <= len(agreement.versions):
        raise contradiction("P3.7", "no-such-version", "version: the agreement has no such version")
    return running


def record_warning(now: Incident, ask: RecordWarning) -> list[IncidentEvent]:
    """Record the warning once."""
    if (ask.agreement, ask.kind, ask.cycle, ask.percent) in _marks(now, ask):
        return []
    return [
        TargetWarned(
            by=ask.by,
            occurred_at=ask.at,
            agreement=ask.agreement,
            kind=ask.kind,
            cycle=ask.cycle,
            percent=ask.percent,
            due_at=ask.due_at,
        )
    ]


def record_breach(now: Incident, ask: RecordBreach, agreement: Agreement) -> list[IncidentEvent]:
    """Record the breach once, and call in whom the agreement names."""
    if (ask.agreement, ask.kind, ask.cycle, BREACH) in _marks(now, ask):
        return []
    breached = TargetBreached(
        by=ask.by,
        occurred_at=ask.at,
        agreement=ask.agreement,
        kind=ask.kind,
        cycle=ask.cycle,
        due_at=ask.due_at,
    )
    return [breached, *_called_in(now, ask, agreement)]


def _called_in(now: Incident, ask: RecordBreach, agreement: Agreement) -> list[IncidentEvent]:
    """The escalation that the agreement asks for, where something can still be done to the incident."""
    if isinstance(now, Unregistered | Ended | SameAs):
        return []
    version = now.record.agreements[ask.agreement]
    to = agreement.versions[version - 1].terms.escalate_to
    if to is None:
        return []
    reason = f"The target to {ask.kind.value} of agreement {ask.agreement} was breached."
    return [EscalatedHierarchically(by=ask.by, occurred_at=ask.at, to=to, reason=reason)]


def _marks(now: Incident, ask: RecordWarning | RecordBreach) -> frozenset[Mark]:
    """What the watch recorded already; it also records what it finds late, after the end (X8)."""
    if isinstance(now, Unregistered):
        raise contradiction("P1.2", "not-registered", f"there is no incident {ask.incident}")
    dated(now.record, ask)
    if ask.agreement not in now.record.agreements:
        raise contradiction(
            "P3.7", "agreement-not-running", f"agreement: {ask.agreement} does not run on it; apply it first"
        )
    return now.record.marks
