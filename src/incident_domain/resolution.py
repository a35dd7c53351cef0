"""Step 4, resolution and recovery: P4.1 to P4.3, and P2.3 (by a known error)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from attrs import field, frozen

from incident_domain.command import Command
from incident_domain.conditions import Current, answerable, classified, current, major_gate, workable
from incident_domain.events import (
    IncidentEvent,
    IncidentId,
    KnownErrorId,
    Resolved,
    ServiceRestored,
    WorkResumed,
)
from incident_domain.incident import AwaitingClosure, Incident, Record
from incident_domain.known_errors import KnowledgeEntry, KnownError
from incident_domain.refusal import Objection, contradiction, weigh
from incident_domain.validation import (
    aware,
    filled,
    optional_aware,
    optional_text,
    optional_utc,
    utc,
)

NEUTRAL_NOTE: Final = "Resolved together with the incident that it belongs to."
"""What a child of another organisation gets instead of its parent's notes."""


@frozen(kw_only=True)
class RecordRestoration(Command):
    """Record when the service worked again (P4.2)."""

    restored_at: datetime = field(converter=utc, validator=aware)


@frozen(kw_only=True)
class Resolve(Command):
    """Resolve the incident (P4.1).

    `actions` is what was done, `solution` the solution used, `known_error` the entry of the knowledge base
    that it comes from (P2.3), `changes` the change records that belong to it.  `restored_at` may be left out
    (None) when the restoration is recorded already.  `with_children` names the children to resolve with it
    (P4.3).
    """

    actions: str = field(validator=filled)
    solution: str = field(validator=filled)
    known_error: KnownErrorId | None = field(default=None, validator=optional_text)
    changes: tuple[str, ...] = ()
    restored_at: datetime | None = field(default=None, converter=optional_utc, validator=optional_aware)
    with_children: tuple[IncidentId, ...] = ()


def record_restoration(now: Incident, ask: RecordRestoration) -> list[IncidentEvent]:
    """Record when the service worked again."""
    reached = current(now, ask)
    if reached.record.restored_at == ask.restored_at:
        return []
    objections = [*major_gate(reached.record), *classified(reached), *answerable(reached.record, ask)]
    return [*weigh(ask.by, ask.at, objections), *_restored(reached, ask, ask.restored_at)]


def _restored(now: Current, ask: Command, restored_at: datetime | None) -> list[IncidentEvent]:
    """The restoration, not before the occurrence and not after its recording (P4.2)."""
    record = now.record
    if restored_at is None or restored_at == record.restored_at:
        return []
    if restored_at > ask.at:
        raise contradiction(
            "P4.2", "restored-in-future", "restored_at: lies after the recording; correct the time"
        )
    began_at = record.intake.began_at
    if began_at is not None and restored_at < began_at:
        raise contradiction(
            "P4.2", "restored-before-occurrence", "restored_at: lies before the occurrence; correct the time"
        )
    return [ServiceRestored(by=ask.by, occurred_at=ask.at, restored_at=restored_at)]


def resolve(now: Incident, ask: Resolve, entry: KnowledgeEntry) -> list[IncidentEvent]:
    """Resolve the incident itself; a wait ends with it.  `entry` is what the knowledge base holds of it."""
    reached = current(now, ask)
    resolved = Resolved(
        by=ask.by,
        occurred_at=ask.at,
        actions=ask.actions,
        solution=ask.solution,
        known_error=ask.known_error,
        changes=ask.changes,
    )
    if isinstance(reached, AwaitingClosure) and reached.resolution == resolved:
        return []
    ends_wait = reached.record.work.hold is not None
    return [
        *weigh(ask.by, ask.at, [*_may_resolve(reached, ask), *_has_solution(ask, entry)]),
        *([WorkResumed(by=ask.by, occurred_at=ask.at)] if ends_wait else []),
        *_restored(reached, ask, ask.restored_at),
        resolved,
    ]


def _may_resolve(now: Current, ask: Resolve) -> Iterator[Objection]:
    yield from workable(now, ask)
    if ask.restored_at is None and now.record.restored_at is None:
        yield Objection(
            clause="P4.2",
            code="not-restored",
            message="restored_at: it is not recorded when the service was restored; give the time",
        )


def _has_solution(ask: Resolve, entry: KnowledgeEntry) -> Iterator[Objection]:
    if ask.known_error is not None and not (isinstance(entry, KnownError) and entry.solution is not None):
        yield Objection(
            clause="P2.3",
            code="no-published-solution",
            message="known_error: it has no published solution; publish it, or resolve without naming it",
        )


def resolve_as_child(parent: Record, child: Incident, ask: Resolve) -> list[IncidentEvent]:
    """Resolve a child with its parent (P4.3).

    The right to do it comes from the parent, so that the child needs no classification and no escalation of
    its own.  A child of another organisation gets none of the parent's notes, which are not that customer's
    to see.
    """
    reached = current(child, ask)
    if isinstance(reached, AwaitingClosure):
        return []
    own = shares_notes(parent, reached.record)
    ends_wait = reached.record.work.hold is not None
    return [
        *weigh(ask.by, ask.at, major_gate(reached.record)),
        *([WorkResumed(by=ask.by, occurred_at=ask.at)] if ends_wait else []),
        *_restored(reached, ask, reached.record.restored_at or ask.restored_at or parent.restored_at),
        Resolved(
            by=ask.by,
            occurred_at=ask.at,
            actions=ask.actions if own else NEUTRAL_NOTE,
            solution=ask.solution if own else NEUTRAL_NOTE,
            known_error=ask.known_error if own else None,
            changes=ask.changes if own else (),
        ),
    ]


def shares_notes(parent: Record, child: Record) -> bool:
    """Whether the parent's notes may be copied to the child: both belong to the same organisation."""
    return parent.basics.organisation == child.basics.organisation
