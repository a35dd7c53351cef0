"""The closure report of one incident, and of all that were closed in a period (P5.3)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, Row, bindparam, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import Agreement, IncidentId, KnownErrorId, Satisfaction
from incident_domain.priority import Priority
from incident_projections.closure import CLOSURE_TABLE
from incident_projections.instants import instant, instant_if_any, micros


@frozen(kw_only=True)
class Deviation:
    """A clause that a history made elsewhere broke, with the refusal's code and what was missing."""

    clause: str
    code: str
    missing: str


@frozen(kw_only=True)
class Finding:
    """What was found, and what would prevent a recurrence (P3.9)."""

    findings: str
    prevention: str | None


@frozen(kw_only=True)
class Effort:
    """Time spent in minutes, and its cost by currency (ISO 4217)."""

    minutes: int
    costs: Mapping[str, Decimal]


@frozen(kw_only=True)
class ClosureReport:
    """What is known of an incident when it is closed, or so far (P5.2, P5.3).

    `agreement` is what the closing rests on, None before it; `satisfaction` is None until the customer said
    it.  `handling` is the time from registration to resolution.  `effort` is the incident's own,
    `effort_with_children` has that of its subordinate records added (P3.9).
    """

    incident: IncidentId
    number: int | None
    organisation: str
    customer: PersonId
    category: str | None
    priority: Priority | None
    group: GroupId | None
    person: PersonId | None
    parent: IncidentId | None
    registered_at: datetime
    began_at: datetime | None
    restored_at: datetime | None
    resolved_at: datetime | None
    asked_at: datetime | None
    confirmed_at: datetime | None
    verified_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    actions: str | None
    solution: str | None
    known_error: KnownErrorId | None
    changes: tuple[str, ...]
    root_cause_category: str | None
    root_cause: str | None
    findings: tuple[Finding, ...]
    agreement: Agreement | None
    satisfaction: Satisfaction | None
    handling: timedelta | None
    effort: Effort
    effort_with_children: Effort
    reassignments: int
    bounces: int
    reopenings: int
    rejections: int
    deviations: tuple[Deviation, ...]


@frozen(kw_only=True)
class Handling:
    """How long a number of closed incidents took from registration to resolution.

    `median` and `p90` are handling times that occurred: half, and nine in ten, took no longer.  Both are None
    when there is none.
    """

    closed: int
    median: timedelta | None
    p90: timedelta | None


@frozen(kw_only=True)
class PeriodReport:
    """The incidents that were closed from `since` on and before `until` (P5.3); cancelled ones are not in it.

    The handling `by_priority` and `by_group` has None for those that never got a priority, or never left the
    service desk.  `satisfaction` counts those who said it; the others are unknown.  `reopened` counts
    incidents that were reopened at least once, `deviations` the incidents that broke a clause, by clause.
    """

    since: datetime
    until: datetime
    handling: Handling
    by_priority: Mapping[Priority | None, Handling]
    by_group: Mapping[GroupId | None, Handling]
    agreement: Mapping[Agreement, int]
    satisfaction: Mapping[Satisfaction, int]
    reopened: int
    reassignments: int
    bounces: int
    deviations: Mapping[str, int]

    @property
    def reopen_rate(self) -> float | None:
        """The share of the closed incidents that were reopened at least once; None when none was closed."""
        return self.reopened / self.handling.closed if self.handling.closed else None


_c: Final = CLOSURE_TABLE.c
_ONE: Final = select(CLOSURE_TABLE).where(_c.incident == bindparam("incident"))
_CHILDREN: Final = (
    select(_c.effort_minutes, _c.costs).where(_c.parent == bindparam("incident")).order_by(_c.incident)
)
_PERIOD: Final = (
    select(
        _c.priority,
        _c.support_group,
        _c.agreement,
        _c.satisfaction,
        _c.handling_seconds,
        _c.reopenings,
        _c.reassignments,
        _c.bounces,
        _c.deviations,
    )
    .where(_c.closed_at >= bindparam("since"), _c.closed_at < bindparam("until"))
    .order_by(_c.closed_at, _c.incident)
)


def closure_report(connection: Connection, incident: IncidentId) -> ClosureReport | None:
    """The report of one incident, closed or not yet; None when there is none of that name."""
    row = connection.execute(_ONE, {"incident": incident}).one_or_none()
    if row is None:
        return None
    own = _effort([(row.effort_minutes, row.costs)])
    children = connection.execute(_CHILDREN, {"incident": incident}).all()
    with_children = _effort([(row.effort_minutes, row.costs), *((each[0], each[1]) for each in children)])
    return _report(row, own, with_children)


def period_report(connection: Connection, *, since: datetime, until: datetime) -> PeriodReport:
    """The report of what was closed from `since` on and before `until`.

    Raises:
        ValueError: when `until` does not lie after `since`.
    """
    if until <= since:
        raise ValueError("until: must lie after since")
    rows = connection.execute(_PERIOD, {"since": micros(since), "until": micros(until)}).all()
    by_priority: dict[Priority | None, list[int]] = {}
    by_group: dict[GroupId | None, list[int]] = {}
    deviations: Counter[str] = Counter()
    for row in rows:
        priority = None if row.priority is None else Priority(row.priority)
        by_priority.setdefault(priority, []).append(row.handling_seconds)
        by_group.setdefault(row.support_group, []).append(row.handling_seconds)
        deviations.update({clause for clause, _, _ in json.loads(row.deviations)})
    agreements = Counter(row.agreement for row in rows)
    satisfactions = Counter(row.satisfaction for row in rows)
    return PeriodReport(
        since=since,
        until=until,
        handling=_handling([row.handling_seconds for row in rows]),
        by_priority={key: _handling(by_priority[key]) for key in sorted(by_priority, key=_none_last)},
        by_group={key: _handling(by_group[key]) for key in sorted(by_group, key=_none_last)},
        agreement={each: agreements[each.value] for each in Agreement},
        satisfaction={each: satisfactions[each.value] for each in Satisfaction},
        reopened=sum(row.reopenings > 0 for row in rows),
        reassignments=sum(row.reassignments for row in rows),
        bounces=sum(row.bounces for row in rows),
        deviations=dict(sorted(deviations.items())),
    )


def _none_last(key: int | str | None) -> tuple[bool, int, str]:
    return (key is None, key if isinstance(key, int) else 0, key if isinstance(key, str) else "")


def _handling(seconds: Sequence[int]) -> Handling:
    ordered = sorted(seconds)
    return Handling(closed=len(ordered), median=_reached_by(50, ordered), p90=_reached_by(90, ordered))


def _reached_by(percent: int, ordered: Sequence[int]) -> timedelta | None:
    """The smallest value that at least so many percent of the values do not exceed."""
    if not ordered:
        return None
    rank = -(-percent * len(ordered) // 100)
    return timedelta(seconds=ordered[rank - 1])


def _effort(spent: Iterable[tuple[int, str]]) -> Effort:
    minutes = 0
    costs: dict[str, Decimal] = {}
    for own, own_costs in spent:
        minutes += own
        for currency, amount in json.loads(own_costs).items():
            costs[currency] = costs.get(currency, Decimal(0)) + Decimal(amount)
    return Effort(minutes=minutes, costs=dict(sorted(costs.items())))


def _report(row: Row[*tuple[Any, ...]], own: Effort, with_children: Effort) -> ClosureReport:
    deviations = json.loads(row.deviations)
    return ClosureReport(
        incident=row.incident,
        number=row.number,
        organisation=row.organisation,
        customer=row.customer,
        category=row.category,
        priority=None if row.priority is None else Priority(row.priority),
        group=row.support_group,
        person=row.person,
        parent=row.parent,
        registered_at=instant(row.registered_at),
        began_at=instant_if_any(row.began_at),
        restored_at=instant_if_any(row.restored_at),
        resolved_at=instant_if_any(row.resolved_at),
        asked_at=instant_if_any(row.asked_at),
        confirmed_at=instant_if_any(row.confirmed_at),
        verified_at=instant_if_any(row.verified_at),
        closed_at=instant_if_any(row.closed_at),
        cancelled_at=instant_if_any(row.cancelled_at),
        actions=row.actions,
        solution=row.solution,
        known_error=row.known_error,
        changes=tuple(json.loads(row.changes)),
        root_cause_category=row.root_cause_category,
        root_cause=row.root_cause,
        findings=tuple(Finding(findings=f, prevention=p) for f, p in json.loads(row.findings)),
        agreement=None if row.agreement is None else Agreement(row.agreement),
        satisfaction=None if row.satisfaction is None else Satisfaction(row.satisfaction),
        handling=None if row.handling_seconds is None else timedelta(seconds=row.handling_seconds),
        effort=own,
        effort_with_children=with_children,
        reassignments=row.reassignments,
        bounces=row.bounces,
        reopenings=row.reopenings,
        rejections=row.rejections,
        deviations=tuple(Deviation(clause=c, code=d, missing=m) for c, d, m in deviations),
    )
