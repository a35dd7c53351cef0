"""Step 1, identification and registration: P1.1 to P1.7, and the major incident, P1.11 and P1.12.

Same, similar or new (P1.8 to P1.10) is `incident_domain.linking`.
"""

from collections.abc import Iterator
from datetime import datetime

from attrs import field, frozen

from incident_domain.agreements import Agreement
from incident_domain.command import Command
from incident_domain.conditions import Current, current
from incident_domain.events import (
    AgreementId,
    AnalysisRecorded,
    Cancelled,
    Channel,
    ConfigurationItem,
    ConfigurationItemsAttached,
    Customer,
    CustomerCorrected,
    CustomerInformed,
    IncidentEvent,
    IncidentId,
    IncidentRegistered,
    InteractionRecorded,
    JudgedNotMajor,
    MajorDeclared,
    ManagementInformed,
    NumberAssigned,
    Reporter,
    SourceRecord,
)
from incident_domain.incident import AwaitingClosure, Ended, Gravity, Incident, Unregistered
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.service_levels import applied, holds
from incident_domain.validation import (
    filled,
    optional_aware,
    optional_text,
    optional_utc,
    some,
)


@frozen(kw_only=True)
class RegisterIncident(Command):
    """Enter an incident that somebody reported (P1.1 to P1.4).

    `incident` is also the reference that the customer is given at once (P1.5).  `refers_to` takes up a closed
    incident again (X7).  `agreement` names a service level agreement; None says that none applies.
    """

    reporter: Reporter
    customer: Customer
    summary: str = field(validator=filled)
    agreement: AgreementId | None = field(default=None, validator=optional_text)
    refers_to: IncidentId | None = field(default=None, validator=optional_text)
    source: SourceRecord | None = None


@frozen(kw_only=True)
class CorrectCustomer(Command):
    """Put the customer's basics right (P1.2, P4.3)."""

    customer: Customer
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class AssignNumber(Command):
    """Give the incident its number (P1.5).

    `number` is left out (None) to get the next free one, which the journal gives in the same write; a history
    made elsewhere brings its own.
    """

    number: int | None = None


@frozen(kw_only=True)
class RecordAnalysis(Command):
    """Record the basic analysis (P1.6).  `began_at` is the time of occurrence."""

    began_at: datetime | None = field(converter=optional_utc, validator=optional_aware)
    symptoms: str = field(validator=filled)
    location: str | None = field(default=None, validator=optional_text)
    user: str | None = field(default=None, validator=optional_text)
    services: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()


@frozen(kw_only=True)
class RecordInteraction(Command):
    """Record an exchange with a user (P1.7)."""

    channel: Channel
    text: str = field(validator=filled)


@frozen(kw_only=True)
class AttachConfigurationItems(Command):
    """Attach what the configuration management database knows of the things concerned (P1.7)."""

    items: tuple[ConfigurationItem, ...] = field(validator=some)


@frozen(kw_only=True)
class DeclareMajor(Command):
    """Declare a major incident (P1.11)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class JudgeNotMajor(Command):
    """Judge the incident not major (P1.12)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class InformManagement(Command):
    """Record that management was told of the major incident (P1.11); `informed` is who was told."""

    informed: str = field(validator=filled)
    channel: Channel


@frozen(kw_only=True)
class InformCustomer(Command):
    """Record that the customer was told of the major incident, after management (P1.11)."""

    channel: Channel
    text: str = field(validator=filled)


@frozen(kw_only=True)
class Cancel(Command):
    """End an incident that was registered in error (X4)."""

    reason: str = field(validator=filled)


def register(
    now: Incident, earlier: Incident, agreement: Agreement, ask: RegisterIncident
) -> list[IncidentEvent]:
    """Enter the incident; the same registration again records nothing.

    `earlier` is the incident that it refers to, if it does (X7), and `agreement` the one that it falls under,
    whose version that holds at the registration runs on it from here on (P3.7).
    """
    registered = IncidentRegistered(
        by=ask.by,
        occurred_at=ask.at,
        incident=ask.incident,
        reporter=ask.reporter,
        customer=ask.customer,
        summary=ask.summary,
        agreement=ask.agreement,
        refers_to=ask.refers_to,
        source=ask.source,
    )
    match now:
        case Unregistered():
            falls_under = ask.agreement
            objections = [*_basics(ask.customer), *_refers(ask, earlier)]
            if falls_under is None:
                return [registered, *weigh(ask.by, ask.at, objections)]
            objections += holds(agreement, falls_under, ask.at)
            deviations = weigh(ask.by, ask.at, objections)
            return [registered, *deviations, *applied(ask, falls_under, agreement, ask.at)]
        case _ if now.record.registration == registered:
            return []
        case _:
            raise contradiction(
                "P1.5",
                "reference-taken",
                f"{ask.incident} is another incident already; register under a new reference",
            )


def _refers(ask: RegisterIncident, earlier: Incident) -> Iterator[Objection]:
    if ask.refers_to is None:
        return
    if isinstance(earlier, Unregistered):
        yield Objection(
            clause="X7",
            code="refers-to-unknown",
            message=f"refers_to: there is no incident {ask.refers_to}; check the reference",
            contradiction=True,
        )
    elif not isinstance(earlier, Ended):
        yield Objection(
            clause="X7",
            code="refers-to-open",
            message=f"refers_to: {ask.refers_to} has not ended; update or reopen that one",
        )


def _basics(customer: Customer) -> Iterator[Objection]:
    """Name, workplace and a way to reach the customer (P1.2)."""
    if not customer.name.strip():
        yield Objection(clause="P1.2", code="no-name", message="customer: the name is missing; ask for it")
    if not customer.workplace.strip():
        yield Objection(
            clause="P1.2", code="no-workplace", message="customer: the workplace is missing; ask for it"
        )
    if not (customer.telephone or "").strip() and not (customer.email or "").strip():
        yield Objection(
            clause="P1.2",
            code="no-way-to-reach",
            message="customer: no way to reach them is given; ask for a telephone number or e-mail",
        )


def correct_customer(now: Incident, ask: CorrectCustomer) -> list[IncidentEvent]:
    """Put the customer's basics right."""
    record = current(now, ask).record
    if record.basics == ask.customer:
        return []
    corrected = CustomerCorrected(by=ask.by, occurred_at=ask.at, customer=ask.customer, reason=ask.reason)
    return [*weigh(ask.by, ask.at, _basics(ask.customer)), corrected]


def assign_number(now: Incident, ask: AssignNumber, number: int) -> list[IncidentEvent]:
    """Give the incident `number`; an incident that has one keeps it."""
    record = current(now, ask).record
    if record.intake.number is not None:
        if ask.number in (None, record.intake.number):
            return []
        raise contradiction("P1.5", "numbered", "it has a number already, which never changes")
    if not 1 <= number < 10**18:
        raise contradiction("P1.5", "bad-number", "number: must be 1 or more, of at most 18 digits")
    return [NumberAssigned(by=ask.by, occurred_at=ask.at, number=number)]


def record_analysis(now: Incident, ask: RecordAnalysis) -> list[IncidentEvent]:
    """Record the basic analysis, again when more is known."""
    record = current(now, ask).record
    recorded = AnalysisRecorded(
        by=ask.by,
        occurred_at=ask.at,
        began_at=ask.began_at,
        symptoms=ask.symptoms,
        location=ask.location,
        user=ask.user,
        services=ask.services,
        hardware=ask.hardware,
    )
    if recorded in record.entries:
        return []
    if ask.began_at is not None and ask.began_at > ask.at:
        raise contradiction(
            "P1.6", "occurred-in-future", "began_at: lies in the future; give the time it was first noticed"
        )
    if ask.began_at is not None and record.restored_at is not None and ask.began_at > record.restored_at:
        raise contradiction(
            "P4.2", "occurred-after-restoration", "began_at: lies after the restoration; correct the time"
        )
    return [*weigh(ask.by, ask.at, _time_known(ask)), recorded]


def _time_known(ask: RecordAnalysis) -> Iterator[Objection]:
    if ask.began_at is None:
        yield Objection(
            clause="P1.6",
            code="no-time-of-occurrence",
            message="began_at: the time of occurrence is missing; give the time it was first noticed",
        )


def record_interaction(now: Incident, ask: RecordInteraction) -> list[IncidentEvent]:
    """Record an exchange with a user."""
    record = current(now, ask).record
    recorded = InteractionRecorded(by=ask.by, occurred_at=ask.at, channel=ask.channel, text=ask.text)
    return [] if recorded in record.entries else [recorded]


def attach_configuration_items(now: Incident, ask: AttachConfigurationItems) -> list[IncidentEvent]:
    """Attach the configuration items that are not attached yet."""
    record = current(now, ask).record
    fresh = tuple({item.item: item for item in ask.items if item.item not in record.intake.items}.values())
    return [ConfigurationItemsAttached(by=ask.by, occurred_at=ask.at, items=fresh)] if fresh else []


def declare_major(now: Incident, ask: DeclareMajor) -> list[IncidentEvent]:
    """Declare a major incident, also later, when it turns out to be one."""
    gravity = current(now, ask).record.intake.gravity
    if gravity not in (Gravity.UNDECIDED, Gravity.NOT_MAJOR):
        return []
    return [MajorDeclared(by=ask.by, occurred_at=ask.at, reason=ask.reason)]


def judge_not_major(now: Incident, ask: JudgeNotMajor) -> list[IncidentEvent]:
    """Judge the incident not major."""
    gravity = current(now, ask).record.intake.gravity
    if gravity is Gravity.NOT_MAJOR:
        return []
    return [JudgedNotMajor(by=ask.by, occurred_at=ask.at, reason=ask.reason)]


def inform_management(now: Incident, ask: InformManagement) -> list[IncidentEvent]:
    """Record that management was told."""
    record = current(now, ask).record
    informed = ManagementInformed(by=ask.by, occurred_at=ask.at, informed=ask.informed, channel=ask.channel)
    if informed in record.entries:
        return []
    return [*weigh(ask.by, ask.at, _is_major(record.intake.gravity)), informed]


def inform_customer(now: Incident, ask: InformCustomer) -> list[IncidentEvent]:
    """Record that the customer was told, once management knows."""
    record = current(now, ask).record
    informed = CustomerInformed(by=ask.by, occurred_at=ask.at, channel=ask.channel, text=ask.text)
    if informed in record.entries:
        return []
    return [*weigh(ask.by, ask.at, _management_first(record.intake.gravity)), informed]


def _is_major(gravity: Gravity) -> Iterator[Objection]:
    if gravity in (Gravity.UNDECIDED, Gravity.NOT_MAJOR):
        yield Objection(
            clause="P1.11",
            code="not-major",
            message="it is not declared a major incident; declare it, or use an ordinary notification",
        )


def _management_first(gravity: Gravity) -> Iterator[Objection]:
    yield from _is_major(gravity)
    if gravity is Gravity.MAJOR:
        yield Objection(
            clause="P1.11",
            code="management-not-informed",
            message="management has not been informed; inform management before the customer",
        )


def cancel(now: Incident, ask: Cancel) -> list[IncidentEvent]:
    """End what was registered in error."""
    cancelled = Cancelled(by=ask.by, occurred_at=ask.at, reason=ask.reason)
    if isinstance(now, Ended) and now.end == cancelled:
        return []
    reached = current(now, ask)
    return [*weigh(ask.by, ask.at, _cancellable(reached)), cancelled]


def _cancellable(now: Current) -> Iterator[Objection]:
    if isinstance(now, AwaitingClosure):
        yield Objection(
            clause="X4", code="resolved", message="it is resolved, so it was no error; close it instead"
        )
    if now.record.reports:
        yield Objection(
            clause="X4",
            code="has-reports",
            message="other reports rely on it, so nobody would carry on for them; undo those first",
        )
