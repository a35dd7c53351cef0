"""Step 2, classification and initial support: P2.1 to P2.3.  Handing on (P2.4 to P2.6) is `escalation`."""

from collections.abc import Iterator

from attrs import field, frozen

from incident_domain.command import Command
from incident_domain.conditions import (
    Current,
    classified,
    current,
    major_gate,
    registration_complete,
    unresolved,
)
from incident_domain.events import (
    Classified,
    IncidentEvent,
    KnownErrorId,
    MatchedToKnownError,
    NoMatchFound,
    Prioritised,
)
from incident_domain.incident import Incident, InRegistration
from incident_domain.known_errors import KnowledgeEntry, KnownError, Problem
from incident_domain.priority import Assessment, Impact, Priority, Urgency, priority_of
from incident_domain.refusal import Objection, weigh
from incident_domain.validation import filled, optional_text, some


@frozen(kw_only=True)
class PriorityOverride:
    """A priority other than the matrix gives, and why (P2.1)."""

    priority: Priority
    reason: str = field(validator=filled)


@frozen(kw_only=True)
class Classify(Command):
    """Put the incident into a category and judge impact and urgency (P2.1)."""

    category: str = field(validator=filled)
    subcategory: str | None = field(default=None, validator=optional_text)
    impact: Impact
    urgency: Urgency
    override: PriorityOverride | None = None


@frozen(kw_only=True)
class Prioritise(Command):
    """Judge impact and urgency anew (P2.1)."""

    impact: Impact
    urgency: Urgency
    override: PriorityOverride | None = None


@frozen(kw_only=True)
class MatchKnownError(Command):
    """Record that the incident matches an entry of the knowledge base (P2.2)."""

    known_error: KnownErrorId = field(validator=filled)


@frozen(kw_only=True)
class RecordNoMatch(Command):
    """Record that the knowledge base was consulted and nothing matched (P2.2)."""

    consulted: tuple[str, ...] = field(validator=some)


def classify(now: Incident, ask: Classify) -> list[IncidentEvent]:
    """Classify, and record the priority that follows; only what changed is recorded."""
    reached = current(now, ask)
    triage = reached.record.triage
    events: list[IncidentEvent] = []
    if (triage.category, triage.subcategory) != (ask.category, ask.subcategory):
        events.append(
            Classified(by=ask.by, occurred_at=ask.at, category=ask.category, subcategory=ask.subcategory)
        )
    events += _prioritised(reached, ask)
    return [*weigh(ask.by, ask.at, _may_classify(reached)), *events] if events else []


def _may_classify(now: Current) -> Iterator[Objection]:
    if isinstance(now, InRegistration):
        yield from registration_complete(now.record)
    yield from major_gate(now.record)
    yield from unresolved(now)


def prioritise(now: Incident, ask: Prioritise) -> list[IncidentEvent]:
    """Record the priority that follows from impact and urgency, where it changes."""
    reached = current(now, ask)
    events = _prioritised(reached, ask)
    return [*weigh(ask.by, ask.at, _in_hand(reached)), *events] if events else []


def prioritised(
    now: Current, ask: Command, assessment: Assessment, override: PriorityOverride | None = None
) -> list[IncidentEvent]:
    """The event of a new assessment, or nothing when it is the one that holds."""
    priority = priority_of(assessment) if override is None else override.priority
    reason = None if override is None else override.reason
    triage = now.record.triage
    if (triage.assessment, triage.priority, triage.override_reason) == (assessment, priority, reason):
        return []
    return [
        Prioritised(
            by=ask.by,
            occurred_at=ask.at,
            impact=assessment.impact,
            urgency=assessment.urgency,
            priority=priority,
            override_reason=reason,
        )
    ]


def _prioritised(now: Current, ask: Classify | Prioritise) -> list[IncidentEvent]:
    return prioritised(now, ask, Assessment(impact=ask.impact, urgency=ask.urgency), ask.override)


def match_known_error(now: Incident, ask: MatchKnownError, entry: KnowledgeEntry) -> list[IncidentEvent]:
    """Record the match with an entry that is in use."""
    reached = current(now, ask)
    if reached.record.triage.matched == ask.known_error:
        return []
    matched = MatchedToKnownError(by=ask.by, occurred_at=ask.at, known_error=ask.known_error)
    return [*weigh(ask.by, ask.at, [*_in_hand(reached), *_in_use(entry)]), matched]


def _in_use(entry: KnowledgeEntry) -> Iterator[Objection]:
    if not isinstance(entry, Problem | KnownError):
        yield Objection(
            clause="P2.2",
            code="no-such-entry",
            message="known_error: the knowledge base has no such entry in use; record that none matched",
        )


def record_no_match(now: Incident, ask: RecordNoMatch) -> list[IncidentEvent]:
    """Record that nothing matched."""
    reached = current(now, ask)
    found_none = NoMatchFound(by=ask.by, occurred_at=ask.at, consulted=ask.consulted)
    if found_none in reached.record.entries:
        return []
    return [*weigh(ask.by, ask.at, _in_hand(reached)), found_none]


def _in_hand(now: Current) -> Iterator[Objection]:
    yield from major_gate(now.record)
    yield from classified(now)
    yield from unresolved(now)
