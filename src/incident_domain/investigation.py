"""Step 3, investigation and diagnosis: P3.1 to P3.9, and waiting, X1."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from attrs import field, frozen

from incident_domain.classification import PriorityOverride, prioritised
from incident_domain.command import Command
from incident_domain.conditions import (
    Current,
    answerable,
    classified,
    current,
    major_gate,
    same_group,
    unresolved,
    workable,
)
from incident_domain.events import (
    Acknowledged,
    ChangeLinked,
    Channel,
    Cost,
    CustomerNotified,
    EffortRecorded,
    FindingsReported,
    HoldReason,
    IncidentEvent,
    Knowledge,
    KnowledgeReviewed,
    ProgressReported,
    PutOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    Recipient,
    SolutionProposed,
    WorkaroundProvided,
    WorkResumed,
)
from incident_domain.incident import Incident
from incident_domain.priority import Assessment
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.validation import (
    InvalidValue,
    aware,
    filled,
    optional_aware,
    optional_text,
    optional_utc,
    some,
    utc,
)

# What is summed over incidents stays exact, and within what every store can keep.
_MINUTES_OF_A_YEAR: Final = 366 * 24 * 60
_HIGHEST_AMOUNT: Final = 10**12
_CURRENCY: Final = re.compile("[A-Z]{3}")


@frozen(kw_only=True)
class Acknowledge(Command):
    """Confirm that the group received the incident (P3.2); `at` is the date and time of it."""


@frozen(kw_only=True)
class ReportProgress(Command):
    """Say what was done and how things stand, and when the next report is due (P3.3)."""

    text: str = field(validator=filled)
    next_update_due: datetime = field(converter=utc, validator=aware)


@frozen(kw_only=True)
class NotifyCustomer(Command):
    """Record that the customer was told the latest development and the present state (P3.4)."""

    channel: Channel
    text: str = field(validator=filled)


@frozen(kw_only=True)
class ProvideWorkaround(Command):
    """Give a workaround to the service desk, to the customer, or to both (P3.5)."""

    text: str = field(validator=filled)
    given_to: tuple[Recipient, ...] = field(validator=some)


@frozen(kw_only=True)
class ReviewKnowledge(Command):
    """Record what was consulted and what was found (P3.6)."""

    consulted: tuple[Knowledge, ...] = field(validator=some)
    found: str = field(validator=filled)


@frozen(kw_only=True)
class RequestReassessment(Command):
    """Ask the service desk to judge impact and urgency anew (P3.7)."""

    proposed: Assessment
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class AcceptReassessment(Command):
    """Answer a request with new values (P3.7)."""

    assessment: Assessment
    override: PriorityOverride | None = None
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class DeclineReassessment(Command):
    """Answer a request by keeping the values, with a reason (P3.7)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class ProposeSolution(Command):
    """Record a solution that may resolve the incident (P3.8)."""

    solution: str = field(validator=filled)


@frozen(kw_only=True)
class RecordEffort(Command):
    """Record time spent, in minutes, and its cost where known (P3.9)."""

    minutes: int
    cost: Cost | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not 0 <= self.minutes <= _MINUTES_OF_A_YEAR:
            raise InvalidValue("minutes", "must be from 0 to 527,040, a year; record more in several parts")
        if self.cost is not None:
            _check_cost(self.cost)


def _check_cost(cost: Cost) -> None:
    amount = cost.amount
    if not amount.is_finite() or not 0 <= amount < _HIGHEST_AMOUNT or amount != round(amount, 4):
        raise InvalidValue("cost", "must be from zero to below 10^12, with at most four decimals")
    if not _CURRENCY.fullmatch(cost.currency):
        raise InvalidValue("cost", "must name its currency by an ISO 4217 code, for example EUR")


@frozen(kw_only=True)
class ReportFindings(Command):
    """Report what was found and what would prevent a recurrence (P3.9)."""

    findings: str = field(validator=filled)
    prevention: str | None = field(default=None, validator=optional_text)


@frozen(kw_only=True)
class LinkChange(Command):
    """Tie a planned change to the incident (P3.6, P4.1)."""

    change: str = field(validator=filled)


@frozen(kw_only=True)
class PutIncidentOnHold(Command):
    """Let the incident wait (X1): for what, for whom, and until when where that is known."""

    reason: HoldReason
    awaited: str = field(validator=filled)
    until: datetime | None = field(default=None, converter=optional_utc, validator=optional_aware)


@frozen(kw_only=True)
class Resume(Command):
    """End the wait (X1)."""


def acknowledge(now: Incident, ask: Acknowledge) -> list[IncidentEvent]:
    """Record that the group received it."""
    reached = current(now, ask)
    assignment = reached.record.work.assignment
    if assignment is None:
        raise contradiction("P3.1", "no-group", "no group holds it; escalate it to a group first")
    wrong_group = list(same_group(reached.record, ask))
    if assignment.acknowledged and not wrong_group:
        return []
    acknowledged = Acknowledged(by=ask.by, occurred_at=ask.at, group=assignment.group)
    objections = [*major_gate(reached.record), *unresolved(reached), *wrong_group]
    return [*weigh(ask.by, ask.at, objections), acknowledged]


def _note(
    now: Incident,
    ask: Command,
    noted: IncidentEvent,
    objections: Callable[[Current, Command], Iterable[Objection]] = workable,
) -> list[IncidentEvent]:
    """Add an entry to the record, unless this very entry stands there already."""
    reached = current(now, ask)
    if noted in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, objections(reached, ask)), noted]


def report_progress(now: Incident, ask: ReportProgress) -> list[IncidentEvent]:
    """Record progress; the next report must be due later than this one."""
    if ask.next_update_due <= ask.at:
        raise contradiction("P3.3", "update-due-in-past", "next_update_due: must lie after the report itself")
    noted = ProgressReported(
        by=ask.by, occurred_at=ask.at, text=ask.text, next_update_due=ask.next_update_due
    )
    return _note(now, ask, noted)


def notify_customer(now: Incident, ask: NotifyCustomer) -> list[IncidentEvent]:
    """Record that the customer was told, also after the resolution."""
    noted = CustomerNotified(by=ask.by, occurred_at=ask.at, channel=ask.channel, text=ask.text)
    return _note(now, ask, noted, _may_tell)


def _may_tell(now: Current, ask: Command) -> Iterator[Objection]:
    yield from major_gate(now.record)
    yield from same_group(now.record, ask)


def provide_workaround(now: Incident, ask: ProvideWorkaround) -> list[IncidentEvent]:
    """Record the workaround and to whom it was given."""
    noted = WorkaroundProvided(by=ask.by, occurred_at=ask.at, text=ask.text, given_to=ask.given_to)
    return _note(now, ask, noted)


def review_knowledge(now: Incident, ask: ReviewKnowledge) -> list[IncidentEvent]:
    """Record the review."""
    noted = KnowledgeReviewed(by=ask.by, occurred_at=ask.at, consulted=ask.consulted, found=ask.found)
    return _note(now, ask, noted)


def propose_solution(now: Incident, ask: ProposeSolution) -> list[IncidentEvent]:
    """Record the proposal."""
    return _note(now, ask, SolutionProposed(by=ask.by, occurred_at=ask.at, solution=ask.solution))


def record_effort(now: Incident, ask: RecordEffort) -> list[IncidentEvent]:
    """Record the effort, also after the resolution."""
    noted = EffortRecorded(by=ask.by, occurred_at=ask.at, minutes=ask.minutes, cost=ask.cost)
    return _note(now, ask, noted, _after_work)


def report_findings(now: Incident, ask: ReportFindings) -> list[IncidentEvent]:
    """Record the findings, also after the resolution."""
    noted = FindingsReported(by=ask.by, occurred_at=ask.at, findings=ask.findings, prevention=ask.prevention)
    return _note(now, ask, noted, _after_work)


def _after_work(now: Current, ask: Command) -> Iterator[Objection]:
    yield from major_gate(now.record)
    yield from classified(now)
    yield from answerable(now.record, ask)


def request_reassessment(now: Incident, ask: RequestReassessment) -> list[IncidentEvent]:
    """Record the request; only one is open at a time."""
    reached = current(now, ask)
    requested = ReassessmentRequested(by=ask.by, occurred_at=ask.at, proposed=ask.proposed, reason=ask.reason)
    if requested in reached.record.entries:
        return []
    objections = list(workable(reached, ask))
    if reached.record.work.reassessment is not None:
        objections.append(
            Objection(
                clause="P3.7",
                code="reassessment-open",
                message="a re-assessment is asked for already; wait for the service desk's answer",
            )
        )
    return [*weigh(ask.by, ask.at, objections), requested]


def accept_reassessment(now: Incident, ask: AcceptReassessment) -> list[IncidentEvent]:
    """Take the new values."""
    reached = current(now, ask)
    accepted = ReassessmentAccepted(by=ask.by, occurred_at=ask.at, reason=ask.reason)
    if accepted in reached.record.entries:
        return []
    return [
        *weigh(ask.by, ask.at, _may_answer(reached)),
        accepted,
        *prioritised(reached, ask, ask.assessment, ask.override),
    ]


def decline_reassessment(now: Incident, ask: DeclineReassessment) -> list[IncidentEvent]:
    """Keep the values, with a reason."""
    reached = current(now, ask)
    declined = ReassessmentDeclined(by=ask.by, occurred_at=ask.at, reason=ask.reason)
    if declined in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _may_answer(reached)), declined]


def _may_answer(now: Current) -> Iterator[Objection]:
    yield from major_gate(now.record)
    yield from unresolved(now)
    if now.record.work.reassessment is None:
        yield Objection(
            clause="P3.7",
            code="no-reassessment-asked",
            message="no re-assessment is asked for; prioritise it instead",
            contradiction=True,
        )


def link_change(now: Incident, ask: LinkChange) -> list[IncidentEvent]:
    """Tie the change to the incident once."""
    reached = current(now, ask)
    if ask.change in reached.record.work.changes:
        return []
    linked = ChangeLinked(by=ask.by, occurred_at=ask.at, change=ask.change)
    return [*weigh(ask.by, ask.at, _after_work(reached, ask)), linked]


def put_on_hold(now: Incident, ask: PutIncidentOnHold) -> list[IncidentEvent]:
    """Let it wait; another reason or another date replaces the one before."""
    reached = current(now, ask)
    held = PutOnHold(by=ask.by, occurred_at=ask.at, reason=ask.reason, awaited=ask.awaited, until=ask.until)
    if reached.record.work.hold == held:
        return []
    if ask.until is not None and ask.until <= ask.at:
        raise contradiction("X1", "hold-ends-in-past", "until: must lie after the start of the wait")
    return [*weigh(ask.by, ask.at, workable(reached, ask)), held]


def resume(now: Incident, ask: Resume) -> list[IncidentEvent]:
    """End the wait, if there is one."""
    reached = current(now, ask)
    if reached.record.work.hold is None:
        return []
    objections = [*major_gate(reached.record), *same_group(reached.record, ask)]
    return [*weigh(ask.by, ask.at, objections), WorkResumed(by=ask.by, occurred_at=ask.at)]
