"""Step 5, closure: P5.1 to P5.3, silence (X5) and reopening (X7)."""

from collections.abc import Iterator
from datetime import timedelta

from attrs import field, frozen

from incident_domain.command import Command
from incident_domain.conditions import Current, classified, current, major_gate
from incident_domain.events import (
    Agreement,
    Closed,
    ConfirmationRequested,
    IncidentEvent,
    IncidentId,
    RecordVerified,
    Reopened,
    ResolutionConfirmed,
    ResolutionRejected,
    RootCauseClassified,
    Satisfaction,
    SatisfactionRecorded,
)
from incident_domain.incident import AwaitingClosure, Ended, Incident, handling_time
from incident_domain.policy import Policy
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.validation import filled, optional_text


@frozen(kw_only=True)
class RequestConfirmation(Command):
    """Ask the customer whether the resolution worked (P5.1)."""


@frozen(kw_only=True)
class ConfirmResolution(Command):
    """The customer says that the resolution worked (P5.1)."""


@frozen(kw_only=True)
class RejectResolution(Command):
    """The customer says that it did not work (P5.1); the incident is reopened."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class Reopen(Command):
    """Go on working on a resolved incident (X7)."""

    reason: str = field(validator=filled)


@frozen(kw_only=True)
class ClassifyRootCause(Command):
    """Classify the incident by its root cause (P5.2)."""

    category: str = field(validator=filled)
    root_cause: str = field(validator=filled)


@frozen(kw_only=True)
class VerifyRecord(Command):
    """Vouch that the record of the actions is accurate and understandable (P5.2)."""


@frozen(kw_only=True)
class RecordSatisfaction(Command):
    """Record how content the customer said they were (P5.2)."""

    satisfaction: Satisfaction
    comment: str | None = field(default=None, validator=optional_text)


@frozen(kw_only=True)
class Close(Command):
    """Close the incident (P5.2); `with_children` names the children to close with it.

    The customer's agreement is needed.  Where the customer was asked and stays silent for the agreed time,
    `CloseAfterSilence` closes it instead.
    """

    with_children: tuple[IncidentId, ...] = ()


@frozen(kw_only=True)
class CloseAfterSilence(Command):
    """Close an incident whose customer was asked and stayed silent for the agreed time (X5)."""


def request_confirmation(now: Incident, ask: RequestConfirmation) -> list[IncidentEvent]:
    """Record that the customer was asked; asked once is enough."""
    reached = current(now, ask)
    if isinstance(reached, AwaitingClosure) and reached.asked_at is not None:
        return []
    requested = ConfirmationRequested(by=ask.by, occurred_at=ask.at)
    if requested in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _may_finish(reached, ask)), requested]


def confirm_resolution(now: Incident, ask: ConfirmResolution) -> list[IncidentEvent]:
    """Record the customer's agreement."""
    reached = current(now, ask)
    if isinstance(reached, AwaitingClosure) and reached.confirmed:
        return []
    confirmed = ResolutionConfirmed(by=ask.by, occurred_at=ask.at)
    if confirmed in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _resolved(reached, ask)), confirmed]


def reject_resolution(now: Incident, ask: RejectResolution) -> list[IncidentEvent]:
    """Record the rejection and reopen, at any time before the closing; the clock goes on."""
    reached = current(now, ask)
    rejected = ResolutionRejected(by=ask.by, occurred_at=ask.at, reason=ask.reason)
    if rejected in reached.record.entries:
        return []
    if not isinstance(reached, AwaitingClosure):
        raise contradiction(
            "P5.1", "not-resolved", "there is no resolution to reject; report progress instead"
        )
    return [
        *weigh(ask.by, ask.at, _resolved(reached, ask)),
        rejected,
        Reopened(by=ask.by, occurred_at=ask.at, reason="The customer rejected the resolution."),
    ]


def reopen(now: Incident, ask: Reopen, policy: Policy) -> list[IncidentEvent]:
    """Go on with the work, within the agreed window after the resolution."""
    reached = current(now, ask)
    if not isinstance(reached, AwaitingClosure):
        return []
    reopened = Reopened(by=ask.by, occurred_at=ask.at, reason=ask.reason)
    objections = [*_resolved(reached, ask), *_within_window(reached, ask, policy)]
    return [*weigh(ask.by, ask.at, objections), reopened]


def _within_window(now: AwaitingClosure, ask: Reopen, policy: Policy) -> Iterator[Objection]:
    if ask.at - now.resolution.occurred_at > policy.reopen_window:
        yield Objection(
            clause="X7",
            code="window-over",
            message=(
                f"it could be reopened for {_days(policy.reopen_window)} after its resolution; "
                "register a new incident that refers to it"
            ),
        )


def _days(length: timedelta) -> str:
    days = length / timedelta(days=1)
    return "1 day" if days == 1 else f"{days:g} days"


def classify_root_cause(now: Incident, ask: ClassifyRootCause) -> list[IncidentEvent]:
    """Classify by the root cause, as soon as it is known."""
    reached = current(now, ask)
    if reached.record.root_cause == (ask.category, ask.root_cause):
        return []
    objections = [*major_gate(reached.record), *classified(reached)]
    cause = RootCauseClassified(
        by=ask.by, occurred_at=ask.at, category=ask.category, root_cause=ask.root_cause
    )
    return [*weigh(ask.by, ask.at, objections), cause]


def verify_record(now: Incident, ask: VerifyRecord) -> list[IncidentEvent]:
    """Vouch for the record."""
    reached = current(now, ask)
    if isinstance(reached, AwaitingClosure) and reached.verified:
        return []
    verified = RecordVerified(by=ask.by, occurred_at=ask.at)
    if verified in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _may_finish(reached, ask)), verified]


def record_satisfaction(now: Incident, ask: RecordSatisfaction) -> list[IncidentEvent]:
    """Record what the customer said; until then it is unknown."""
    reached = current(now, ask)
    recorded = SatisfactionRecorded(
        by=ask.by, occurred_at=ask.at, satisfaction=ask.satisfaction, comment=ask.comment
    )
    if recorded in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _resolved(reached, ask)), recorded]


def close(now: Incident, ask: Close) -> list[IncidentEvent]:
    """Close with the customer's agreement, once everything that P5.2 asks for stands."""
    reached = _closing(now, ask)
    if reached is None:
        return []
    confirmed = isinstance(reached, AwaitingClosure) and reached.confirmed
    agreement = Agreement.CONFIRMED if confirmed else Agreement.UNKNOWN
    objections = [*_may_finish(reached, ask), *_documented(reached), *_agreed(reached)]
    return [*weigh(ask.by, ask.at, objections), _closed(reached, ask, agreement)]


def close_after_silence(now: Incident, ask: CloseAfterSilence, policy: Policy) -> list[IncidentEvent]:
    """Close without the customer's word, recorded as silence and never as agreement."""
    reached = _closing(now, ask)
    if reached is None:
        return []
    objections = [*_may_finish(reached, ask), *_documented(reached), *_silent(reached, ask, policy)]
    return [*weigh(ask.by, ask.at, objections), _closed(reached, ask, Agreement.SILENCE)]


def _closing(now: Incident, ask: Close | CloseAfterSilence) -> Current | None:
    """The incident to close, or None when this very command closed it already."""
    end = now.end if isinstance(now, Ended) else None
    if isinstance(end, Closed) and (end.by, end.occurred_at) == (ask.by, ask.at):
        return None
    return current(now, ask)


def _closed(now: Current, ask: Command, agreement: Agreement) -> Closed:
    """The closing, with the handling time that the history gives (P5.2)."""
    until = now.resolution.occurred_at if isinstance(now, AwaitingClosure) else ask.at
    handled = handling_time(now.record, until)
    return Closed(
        by=ask.by, occurred_at=ask.at, agreement=agreement, handling_seconds=int(handled.total_seconds())
    )


def _resolved(now: Current, ask: Command) -> Iterator[Objection]:
    if not isinstance(now, AwaitingClosure):
        yield Objection(clause="P4.1", code="not-resolved", message="it is not resolved; resolve it first")
    elif ask.at < now.resolution.occurred_at:
        yield Objection(
            clause="P5.1",
            code="before-resolution",
            message="at: lies before the resolution; give the time it happened",
        )


def _may_finish(now: Current, ask: Command) -> Iterator[Objection]:
    """What holds for the desk's own measures (P1.11, P4.1); the customer's word is taken at any time."""
    yield from major_gate(now.record)
    yield from _resolved(now, ask)


def _documented(now: Current) -> Iterator[Objection]:
    """Each point of P5.2 but the customer's agreement."""
    if not (isinstance(now, AwaitingClosure) and now.verified):
        yield Objection(
            clause="P5.2",
            code="record-not-verified",
            message="nobody vouched that the record is accurate and understandable; verify it",
        )
    if now.record.root_cause is None:
        yield Objection(
            clause="P5.2",
            code="no-root-cause",
            message="it is not classified by its root cause; classify it",
        )


def _agreed(now: Current) -> Iterator[Objection]:
    if not (isinstance(now, AwaitingClosure) and now.confirmed):
        yield Objection(
            clause="P5.1",
            code="not-confirmed",
            message="the customer has not confirmed the resolution; ask them and record the answer",
        )
    if not (isinstance(now, AwaitingClosure) and now.satisfaction is not None):
        yield Objection(
            clause="P5.2",
            code="satisfaction-unknown",
            message="the customer's satisfaction is unknown; ask them and record it",
        )


def _silent(now: Current, ask: CloseAfterSilence, policy: Policy) -> Iterator[Objection]:
    if not isinstance(now, AwaitingClosure):
        return
    if now.confirmed:
        yield Objection(
            clause="X5",
            code="not-silent",
            message="the customer confirmed the resolution; close it with that",
        )
    elif now.asked_at is None:
        yield Objection(
            clause="X5", code="not-asked", message="the customer was not asked; ask for their confirmation"
        )
    elif ask.at - now.asked_at < policy.silence:
        yield Objection(
            clause="X5",
            code="silence-too-short",
            message=f"the customer was asked less than {_days(policy.silence)} ago; wait until then",
        )
