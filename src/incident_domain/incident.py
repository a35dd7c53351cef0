"""The state of an incident: what the next decision needs, and nothing else.

An incident is in exactly one phase, and each phase is a type of its own around the common `Record`.
How events make it is `incident_domain.evolution`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias

from attrs import field, frozen

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import (
    AgreementId,
    Cancelled,
    Closed,
    Customer,
    IncidentEvent,
    IncidentId,
    IncidentRegistered,
    KnownErrorId,
    Line,
    PutOnHold,
    Resolved,
    Satisfaction,
    TargetKind,
)
from incident_domain.priority import Assessment, Priority


class Similarity(Enum):
    """What the incident manager decided about existing incidents (P1.8)."""

    UNDECIDED = "undecided"
    NEW = "new"
    CHILD = "child"


class Gravity(Enum):
    """Where the decision about a major incident stands (P1.11, P1.12)."""

    UNDECIDED = "undecided"
    NOT_MAJOR = "not_major"
    MAJOR = "major"
    MANAGEMENT_INFORMED = "management_informed"
    CUSTOMER_INFORMED = "customer_informed"


@frozen(kw_only=True)
class Intake:
    """What step 1 settled."""

    number: int | None = None
    analysed: bool = False
    began_at: datetime | None = None
    similarity: Similarity = Similarity.UNDECIDED
    gravity: Gravity = Gravity.UNDECIDED
    items: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Triage:
    """What step 2 settled; `matched` is the known error, `match_recorded` that the search was recorded."""

    category: str | None = None
    subcategory: str | None = None
    assessment: Assessment | None = None
    priority: Priority | None = None
    override_reason: str | None = None
    matched: KnownErrorId | None = None
    match_recorded: bool = False


@frozen(kw_only=True)
class Assignment:
    """Who is answerable: a group on a line, then a person of it.

    `handed_over_by` is where the group got it from, None for the service desk.
    """

    line: Line
    group: GroupId
    person: PersonId | None = None
    acknowledged: bool = False
    handed_over_by: "Assignment | None" = None


@frozen(kw_only=True)
class Work:
    """What step 3 is in the middle of."""

    assignment: Assignment | None = None
    hold: PutOnHold | None = None
    reassessment: Assessment | None = None
    changes: frozenset[str] = frozenset()


BREACH: Final = 100
"""The share of a target, in percent, that stands for its breach in a `Mark`."""

Mark: TypeAlias = tuple[AgreementId, TargetKind, int, int]
"""What the watch recorded: the agreement, the kind of target, the clock's cycle, and the percent used."""


@frozen(kw_only=True)
class Record:
    """What is known in every phase.

    `open_since` and `handled` carry the handling time: the time open before the last reopening, and the
    instant from which it runs again.  `agreements` are those that run on it, each with its version, and
    `marks` are the warnings and breaches recorded.  `entries` are the events that only add to the record; the
    same entry made twice, word for word at the same instant by the same person, is one entry.
    """

    registration: IncidentRegistered
    basics: Customer
    open_since: datetime
    handled: timedelta = timedelta(0)
    intake: Intake = field(factory=Intake)
    triage: Triage = field(factory=Triage)
    work: Work = field(factory=Work)
    restored_at: datetime | None = None
    root_cause: tuple[str, str] | None = None
    parent: IncidentId | None = None
    children: frozenset[IncidentId] = frozenset()
    reports: frozenset[IncidentId] = frozenset()
    agreements: Mapping[AgreementId, int] = field(factory=dict[AgreementId, int])
    marks: frozenset[Mark] = frozenset()
    entries: frozenset[IncidentEvent] = frozenset()

    @property
    def incident(self) -> IncidentId:
        """The incident's identity."""
        return self.registration.incident

    @property
    def registered_at(self) -> datetime:
        """When it was registered, in UTC."""
        return self.registration.occurred_at


@frozen(kw_only=True)
class Unregistered:
    """Nothing is recorded yet."""


@frozen(kw_only=True)
class InRegistration:
    """Step 1."""

    record: Record


@frozen(kw_only=True)
class InClassification:
    """Step 2: the service desk gives initial support."""

    record: Record


@frozen(kw_only=True)
class InInvestigation:
    """Step 3: a support group is answerable."""

    record: Record


@frozen(kw_only=True)
class AwaitingClosure:
    """Step 4 is done; step 5 collects what closing needs (P5.2)."""

    record: Record
    resolution: Resolved
    asked_at: datetime | None = None
    confirmed: bool = False
    verified: bool = False
    satisfaction: Satisfaction | None = None


@frozen(kw_only=True)
class SameAs:
    """It is the same as `existing`, which carries on for both, unless that is undone (X6).

    `before` is the phase that it was in, and goes back to when the decision is undone.
    """

    record: Record
    existing: IncidentId
    before: InRegistration | InClassification | InInvestigation | AwaitingClosure


@frozen(kw_only=True)
class Ended:
    """Closed or cancelled: nothing but the audit's own marks follows (X8)."""

    record: Record
    end: Closed | Cancelled


Open: TypeAlias = InRegistration | InClassification | InInvestigation
"""The phases in which there is work to do."""

Incident: TypeAlias = Unregistered | Open | AwaitingClosure | SameAs | Ended
"""An incident in any phase."""

UNREGISTERED = Unregistered()


def handling_time(record: Record, until: datetime) -> timedelta:
    """How long the incident was open up to its resolution, or to an end without one (P5.2).

    The time between a resolution and its reopening does not count, and none is negative.
    """
    return record.handled + max(until - record.open_since, timedelta(0))
