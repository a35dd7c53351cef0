"""What became of the service levels: of one incident, and within a period.

It is asked of the service clocks themselves, so that it holds also where no watch ran.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, and_, case, func, or_, select

from incident_domain.actor import GroupId
from incident_domain.events import AgreementId, IncidentId, Party, TargetKind
from incident_domain.priority import Priority
from incident_domain.service_clock import ClockState
from incident_projections.clocks import TermsOf
from incident_projections.closure import CLOSURE_TABLE
from incident_projections.instants import micros
from incident_projections.period_readers import none_last, within
from incident_projections.sla_readers import Outcome, SlaTimer, timers_of
from incident_projections.sla_timers import SLA_TIMERS_TABLE
from incident_projections.stretches import STRETCHES_TABLE


@frozen(kw_only=True)
class ServiceLevel:
    """What became of a target of an agreement that runs or ran on an incident.

    `cycles` counts its clocks: one, but for updates, each of which begins a new one (P3.3); `breached` counts
    those that had used more than the target at the time asked.  `target` and `used` are working time, of the
    cycle that used most.  `outcome` is None while a clock may still run and none is breached,
    and where there is no target.
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


def service_levels_of(
    connection: Connection, incident: IncidentId, *, terms_of: TermsOf, now: datetime
) -> tuple[ServiceLevel, ...]:
    """What became of every target on an incident, up to `now`; none where no agreement applies."""
    clocks: dict[tuple[AgreementId, TargetKind], list[SlaTimer]] = {}
    for timer in timers_of(connection, incident, terms_of=terms_of, now=now):
        clocks.setdefault((timer.agreement, timer.kind), []).append(timer)
    return tuple(map(_service_level, clocks.values()))


def _service_level(cycles: Sequence[SlaTimer]) -> ServiceLevel:
    longest, last = max(cycles, key=lambda timer: timer.elapsed), cycles[-1]
    breached = sum(timer.breached for timer in cycles)
    outcome = None
    if breached:
        outcome = Outcome.BREACHED
    elif last.state is ClockState.STOPPED and any(timer.target is not None for timer in cycles):
        outcome = Outcome.MET
    return ServiceLevel(
        agreement=last.agreement,
        version=last.version,
        party=last.party,
        kind=last.kind,
        target=longest.target,
        used=longest.elapsed,
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
