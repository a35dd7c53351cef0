"""What a report over a period says (P5.3)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import Agreement, HoldReason, Satisfaction
from incident_domain.priority import Priority
from incident_projections.ping_pong import Pair
from incident_projections.queue import Phase


@frozen(kw_only=True)
class Lengths:
    """How long something took, `count` times.

    `median` and `p90` are lengths that occurred: half, and nine in ten, took no longer.  Both are None when
    there is none.
    """

    count: int
    median: timedelta | None
    p90: timedelta | None


@frozen(kw_only=True)
class Volume:
    """How often it happened in the period; an incident that is resolved twice is counted twice."""

    registered: int
    resolved: int
    reopened: int
    closed: int
    cancelled: int


@frozen(kw_only=True)
class BacklogPoint:
    """How many incidents were open just before an instant, and how many were resolved and not yet closed.

    `registered` and `resolved` count what happened from the point before on.
    """

    at: datetime
    open: int
    awaiting_closure: int
    registered: int
    resolved: int


@frozen(kw_only=True)
class StateTime:
    """The time that incidents spent in a phase within the period; `hold` is what they waited for (X1)."""

    phase: Phase
    hold: HoldReason | None
    length: timedelta


@frozen(kw_only=True)
class HolderTime:
    """The time that open incidents spent with a group or a person within the period.

    `group` is None for the service desk, `person` where nobody had taken the incident on.
    """

    group: GroupId | None
    person: PersonId | None
    working: timedelta
    on_hold: timedelta


@frozen(kw_only=True)
class Cause:
    """A root cause: how many closed incidents had it, and the time and the effort that they took in all."""

    category: str
    root_cause: str
    incidents: int
    handling: timedelta
    effort_minutes: int


@frozen(kw_only=True)
class PeriodReport:
    """What was closed from `since` on and before `until` (P5.3), and what went on in that time.

    Of the closed incidents, cancelled ones not among them: `handling` is from registration to resolution,
    `by_priority` and `by_group` with None for those that never got a priority or were with the service desk
    at the end; `acknowledgement` from registration to the first acknowledgement (P3.2), where there was one.
    `satisfaction` counts those who said it; the others are unknown.  `reopened` counts incidents that were
    reopened at least once, `first_line` those that no higher line was ever asked for, `matched` those that
    were found to match a known error (P2.2), and `by_known_error` those that were resolved by one (P2.3).
    `causes` are the root causes, the most frequent first.  `deviations` counts the incidents that broke a
    clause, by clause.

    Of the period: `volume`, `backlog`, and where the time of all incidents went, by state, group and person,
    each cut off at the ends of the period.
    """

    since: datetime
    until: datetime
    closed: int
    handling: Lengths
    by_priority: Mapping[Priority | None, Lengths]
    by_group: Mapping[GroupId | None, Lengths]
    acknowledgement: Lengths
    agreement: Mapping[Agreement, int]
    satisfaction: Mapping[Satisfaction, int]
    reopened: int
    reassignments: int
    bounces: int
    first_line: int
    matched: int
    by_known_error: int
    causes: tuple[Cause, ...]
    deviations: Mapping[str, int]
    volume: Volume
    backlog: tuple[BacklogPoint, ...]
    states: tuple[StateTime, ...]
    groups: tuple[HolderTime, ...]
    persons: tuple[HolderTime, ...]
    hand_overs: tuple[Pair, ...]

    @property
    def reopen_rate(self) -> float | None:
        """The share of the closed incidents that were reopened at least once; None when none was closed."""
        return self.reopened / self.closed if self.closed else None

    @property
    def first_line_rate(self) -> float | None:
        """The share of the closed incidents that the first line resolved; None when none was closed."""
        return self.first_line / self.closed if self.closed else None
