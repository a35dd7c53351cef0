"""The closure report of one incident (P5.2, P5.3)."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, Row, bindparam, func, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import Agreement, HoldReason, IncidentId, KnownErrorId, Satisfaction
from incident_domain.priority import Priority
from incident_projections.closure import CLOSURE_TABLE
from incident_projections.instants import instant, instant_if_any
from incident_projections.queue import Phase
from incident_projections.stretches import STRETCHES_TABLE


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
class TimeSpent:
    """How long the incident was in a phase and, where it was on hold (X1), what it waited for.

    `group` is who held it, None for the service desk.  `handled` says that the time is part of the handling
    time, which that between a resolution and the closing or the reopening is not.
    """

    phase: Phase
    hold: HoldReason | None
    group: GroupId | None
    handled: bool
    length: timedelta


@frozen(kw_only=True)
class Child:
    """A subordinate record (P1.9), with the time and the cost that were spent on it."""

    incident: IncidentId
    number: int | None
    effort: Effort


@frozen(kw_only=True)
class ClosureReport:
    """What is known of an incident when it is closed, or so far (P5.2, P5.3).

    `agreement` is what the closing rests on, None before it; `satisfaction` is None until the customer said
    it.  `handling` is the time from registration to resolution, without that between a resolution and a
    reopening; the `time` that was `handled` adds up to it.  Of an incident that is not closed `time` has what
    is over, without how it stands now.  `effort` is the incident's own, `effort_with_children` has that of
    its children added (P3.9).  `matched` is the known error that was found to match, `known_error` the one
    whose solution was used (P2.3).
    """

    incident: IncidentId
    number: int | None
    summary: str
    services: tuple[str, ...]
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
    acknowledged_first_at: datetime | None
    resolved_by: PersonId | None
    verified_by: PersonId | None
    closed_by: PersonId | None
    actions: str | None
    solution: str | None
    matched: KnownErrorId | None
    known_error: KnownErrorId | None
    changes: tuple[str, ...]
    root_cause_category: str | None
    root_cause: str | None
    findings: tuple[Finding, ...]
    agreement: Agreement | None
    satisfaction: Satisfaction | None
    handling: timedelta | None
    time: tuple[TimeSpent, ...]
    children: tuple[Child, ...]
    effort: Effort
    effort_with_children: Effort
    reassignments: int
    bounces: int
    reopenings: int
    rejections: int
    deviations: tuple[Deviation, ...]


_c, _s = CLOSURE_TABLE.c, STRETCHES_TABLE.c
_ONE: Final = select(CLOSURE_TABLE).where(_c.incident == bindparam("incident"))
_CHILDREN: Final = (
    select(_c.incident, _c.number, _c.effort_minutes, _c.costs)
    .where(_c.parent == bindparam("incident"))
    .order_by(_c.incident)
)
_TIME: Final = (
    select(
        _s.phase,
        _s.hold,
        _s.support_group,
        _s.handled,
        func.sum(_s.ended_at - _s.began_at).label("length"),
    )
    .where(_s.incident == bindparam("incident"), _s.ended_at > _s.began_at)
    .group_by(_s.phase, _s.hold, _s.support_group, _s.handled)
    .order_by(func.min(_s.step))
)


def closure_report(connection: Connection, incident: IncidentId) -> ClosureReport | None:
    """The report of one incident, closed or not yet; None when there is none of that name."""
    row = connection.execute(_ONE, {"incident": incident}).one_or_none()
    if row is None:
        return None
    own = _effort([(row.effort_minutes, row.costs)])
    children = connection.execute(_CHILDREN, {"incident": incident}).all()
    with_children = _effort(
        [(row.effort_minutes, row.costs), *((each.effort_minutes, each.costs) for each in children)]
    )
    time = connection.execute(_TIME, {"incident": incident}).all()
    return _report(row, time, children, own, with_children)


def _effort(spent: Iterable[tuple[int, str]]) -> Effort:
    minutes = 0
    costs: dict[str, Decimal] = {}
    for own, own_costs in spent:
        minutes += own
        for currency, amount in json.loads(own_costs).items():
            costs[currency] = costs.get(currency, Decimal(0)) + Decimal(amount)
    return Effort(minutes=minutes, costs=dict(sorted(costs.items())))


def _report(
    row: Row[*tuple[Any, ...]],
    time: Iterable[Row[*tuple[Any, ...]]],
    children: Iterable[Row[*tuple[Any, ...]]],
    own: Effort,
    with_children: Effort,
) -> ClosureReport:
    deviations = json.loads(row.deviations)
    return ClosureReport(
        incident=row.incident,
        number=row.number,
        summary=row.summary,
        services=tuple(json.loads(row.services)),
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
        acknowledged_first_at=instant_if_any(row.acknowledged_first_at),
        resolved_by=row.resolved_by,
        verified_by=row.verified_by,
        closed_by=row.closed_by,
        actions=row.actions,
        solution=row.solution,
        matched=row.matched,
        known_error=row.known_error,
        changes=tuple(json.loads(row.changes)),
        root_cause_category=row.root_cause_category,
        root_cause=row.root_cause,
        findings=tuple(Finding(findings=f, prevention=p) for f, p in json.loads(row.findings)),
        agreement=None if row.agreement is None else Agreement(row.agreement),
        satisfaction=None if row.satisfaction is None else Satisfaction(row.satisfaction),
        handling=None if row.handling_seconds is None else timedelta(seconds=row.handling_seconds),
        time=tuple(
            TimeSpent(
                phase=Phase(each.phase),
                hold=None if each.hold is None else HoldReason(each.hold),
                group=each.support_group,
                handled=bool(each.handled),
                length=timedelta(microseconds=int(each.length)),
            )
            for each in time
        ),
        children=tuple(
            Child(
                incident=each.incident,
                number=each.number,
                effort=_effort([(each.effort_minutes, each.costs)]),
            )
            for each in children
        ),
        effort=own,
        effort_with_children=with_children,
        reassignments=row.reassignments,
        bounces=row.bounces,
        reopenings=row.reopenings,
        rejections=row.rejections,
        deviations=tuple(Deviation(clause=c, code=d, missing=m) for c, d, m in deviations),
    )
