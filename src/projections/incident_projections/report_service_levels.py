"""What became of the service levels: of one incident, and within a period.

It is asked of the service clocks themselves, so that it holds also where no watch ran.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from sqlalchemy import Connection, Row, and_, bindparam, case, func, or_, select

from incident_domain.actor import GroupId
from incident_domain.events import AgreementId, IncidentId, Party, TargetKind
from incident_domain.priority import Priority
from incident_domain.service_clock import ClockState
from incident_projections.closure import CLOSURE_TABLE
from incident_projections.instants import micros
from incident_projections.period_readers import none_last, within
from incident_projections.sla_readers import Outcome
from incident_projections.sla_timers import FACTS, SLA_TIMERS_TABLE
from incident_projections.stretches import STRETCHES_TABLE


@frozen(kw_only=True)
class ServiceLevel:
    """What became of a target of an agreement that runs or ran on an incident.

    `cycles` counts its clocks: one, but for updates, each of which begins a new one (P3.3); `breached` counts
    those that used more than the target.  `target` and `used` are working time, of the cycle that used most.
    `outcome` is None while a clock may still run and none is breached, and where there is no target.
    """

    agreement: AgreementId
    version: int
    party: Party
    kind: TargetKind
    target: timedelta | None
    used: timedelta
    cycles: int
    breached: int
    outcome: Outcome | None


@frozen(kw_only=True)
class Breaches:
    """How many clocks were breached in a period, under an agreement, while incidents stood so.

    `priority` and `group` are those at the instant of the breach; None stands for no priority yet, and for
    the service desk.
    """

    agreement: AgreementId
    kind: TargetKind
    priority: Priority | None
    group: GroupId | None
    breaches: int


@frozen(kw_only=True)
class Kept:
    """How many clocks of the incidents that were closed in a period had a target, and how many met it."""

    agreement: AgreementId
    kind: TargetKind
    clocks: int
    met: int


@frozen(kw_only=True)
class PeriodServiceLevels:
    """The service levels within a period: the breaches in it, and what was kept of what was closed in it."""

    breaches: tuple[Breaches, ...]
    kept: tuple[Kept, ...]


_t, _s, _c = SLA_TIMERS_TABLE.c, STRETCHES_TABLE.c, CLOSURE_TABLE.c
_OVER: Final = _t.elapsed > _t.target
_ONE: Final = (
    select(
        _t.agreement,
        _t.version,
        _t.party,
        _t.kind,
        _t.state,
        _t.target,
        func.coalesce(_t.elapsed, 0).label("elapsed"),
        case((_OVER, 1), else_=0).label("over"),
    )
    .where(_t.incident == bindparam("incident"), _t.agreement != FACTS)
    .order_by(_t.agreement, _t.kind, _t.cycle)
)
_BREACHES: Final = (
    select(_t.agreement, _t.kind, _s.priority, _s.support_group, func.count().label("breaches"))
    .select_from(
        SLA_TIMERS_TABLE.join(
            STRETCHES_TABLE,
            and_(
                _s.incident == _t.incident,
                _s.began_at <= _t.first_breached_at,
                or_(_s.ended_at.is_(None), _s.ended_at > _t.first_breached_at),
            ),
        )
    )
    .where(within(_t.first_breached_at))
    .group_by(_t.agreement, _t.kind, _s.priority, _s.support_group)
)
_KEPT: Final = (
    select(
        _t.agreement,
        _t.kind,
        func.count().label("clocks"),
        func.sum(case((_OVER, 0), else_=1)).label("met"),
    )
    .select_from(SLA_TIMERS_TABLE.join(CLOSURE_TABLE, _c.incident == _t.incident))
    .where(within(_c.closed_at), _t.target.is_not(None))
    .group_by(_t.agreement, _t.kind)
    .order_by(_t.agreement, _t.kind)
)


def service_levels_of(connection: Connection, incident: IncidentId) -> tuple[ServiceLevel, ...]:
    """What became of every target on an incident, as of its last event; none where no agreement applies."""
    clocks: dict[tuple[str, str], list[Row[*tuple[Any, ...]]]] = {}
    for row in connection.execute(_ONE, {"incident": incident}):
        clocks.setdefault((row.agreement, row.kind), []).append(row)
    return tuple(map(_service_level, clocks.values()))


def _service_level(cycles: Sequence[Row[*tuple[Any, ...]]]) -> ServiceLevel:
    longest, last = max(cycles, key=lambda row: row.elapsed), cycles[-1]
    breached = sum(row.over for row in cycles)
    outcome = None
    if breached:
        outcome = Outcome.BREACHED
    elif last.state == ClockState.STOPPED.value and any(row.target is not None for row in cycles):
        outcome = Outcome.MET
    return ServiceLevel(
        agreement=AgreementId(last.agreement),
        version=last.version,
        party=Party(last.party),
        kind=TargetKind(last.kind),
        target=None if longest.target is None else timedelta(microseconds=longest.target),
        used=timedelta(microseconds=longest.elapsed),
        cycles=len(cycles),
        breached=breached,
        outcome=outcome,
    )


def period_service_levels(connection: Connection, *, since: datetime, until: datetime) -> PeriodServiceLevels:
    """The breaches from `since` on and before `until`, and what the incidents closed in that time kept.

    `until` must not lie in the future: what is going to be breached would count as breached.
    """
    period = {"since": micros(since), "until": micros(until)}
    breaches = (
        Breaches(
            agreement=AgreementId(row.agreement),
            kind=TargetKind(row.kind),
            priority=None if row.priority is None else Priority(row.priority),
            group=None if row.support_group is None else GroupId(row.support_group),
            breaches=row.breaches,
        )
        for row in connection.execute(_BREACHES, period)
    )
    return PeriodServiceLevels(
        breaches=tuple(
            sorted(
                breaches,
                key=lambda each: (
                    each.agreement,
                    each.kind.value,
                    none_last(each.priority),
                    none_last(each.group),
                ),
            )
        ),
        kept=tuple(
            Kept(
                agreement=AgreementId(row.agreement),
                kind=TargetKind(row.kind),
                clocks=row.clocks,
                met=int(row.met),
            )
            for row in connection.execute(_KEPT, period)
        ),
    )
