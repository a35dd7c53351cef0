"""The report over a period (P5.3): of what was closed in it, and of what went on in it.

Nothing here is a counter: every figure is asked of the rows when the report is read.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, and_, bindparam, case, func, or_, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import Agreement, HoldReason, Line, Satisfaction
from incident_domain.priority import Priority
from incident_projections.closure import CLOSURE_TABLE
from incident_projections.instants import instant, micros
from incident_projections.period import (
    BacklogPoint,
    Cause,
    HolderTime,
    Lengths,
    PeriodReport,
    StateTime,
    Volume,
)
from incident_projections.ping_pong import pairs
from incident_projections.queue import Phase
from incident_projections.stretches import STRETCHES_TABLE, Turn

_POINTS: Final = 62
_HOUR: Final = 3_600_000_000
_STEPS: Final = (_HOUR, 24 * _HOUR, 7 * 24 * _HOUR, 28 * 24 * _HOUR)


_c, _s = CLOSURE_TABLE.c, STRETCHES_TABLE.c
_since: Final = bindparam("since", type_=BigInteger)
_until: Final = bindparam("until", type_=BigInteger)


def within(instant: ColumnElement[Any]) -> ColumnElement[bool]:
    """That an instant lies in the period: at its beginning, or before its end."""
    return and_(instant >= _since, instant < _until)


_CLOSED: Final = (
    select(
        _c.priority,
        _c.support_group,
        _c.agreement,
        _c.satisfaction,
        _c.handling_seconds,
        _c.registered_at,
        _c.acknowledged_first_at,
        _c.highest_line,
        _c.matched,
        _c.known_error,
        _c.root_cause_category,
        _c.root_cause,
        _c.effort_minutes,
        _c.reopenings,
        _c.reassignments,
        _c.bounces,
        _c.deviations,
    )
    .where(within(_c.closed_at))
    .order_by(_c.closed_at, _c.incident)
)
_CANCELLED: Final = select(func.count()).where(within(_c.cancelled_at))
_TURNS: Final = (
    select(_s.turn, func.count().label("times"))
    .where(within(_s.began_at), _s.turn.is_not(None))
    .group_by(_s.turn)
)
_OPEN: Final = [Phase.REGISTRATION.value, Phase.CLASSIFICATION.value, Phase.INVESTIGATION.value]
_BEGAN: Final = case((_s.began_at > _since, _s.began_at), else_=_since)
_ENDED: Final = case((_s.ended_at < _until, _s.ended_at), else_=_until)
_TIME: Final = (
    select(_s.phase, _s.hold, _s.support_group, _s.person, func.sum(_ENDED - _BEGAN).label("length"))
    .where(_s.began_at < _until, or_(_s.ended_at.is_(None), _s.ended_at > _since))
    .where(_s.phase.in_([*_OPEN, Phase.AWAITING_CLOSURE.value]))
    .group_by(_s.phase, _s.hold, _s.support_group, _s.person)
)
_AWAITING: Final = case((_s.phase == Phase.AWAITING_CLOSURE.value, 1), else_=0).label("awaiting")
_COUNTED: Final = _s.phase.in_([*_OPEN, Phase.AWAITING_CLOSURE.value])
_step: Final = bindparam("step", type_=BigInteger)


def _by_step(instant: ColumnElement[Any]) -> ColumnElement[Any]:
    """The number of the step of the period in which an instant lies; that of the first is 0."""
    return ((instant - _since) // _step).label("at_step")


_STOOD: Final = (
    select(_AWAITING, func.count().label("times"))
    .where(_COUNTED, _s.began_at < _since, or_(_s.ended_at.is_(None), _s.ended_at >= _since))
    .group_by(_AWAITING)
)
_CAME: Final = (
    select(_by_step(_s.began_at), _AWAITING, func.count().label("times"))
    .where(_COUNTED, within(_s.began_at))
    .group_by(_by_step(_s.began_at), _AWAITING)
)
_WENT: Final = (
    select(_by_step(_s.ended_at), _AWAITING, func.count().label("times"))
    .where(_COUNTED, within(_s.ended_at))
    .group_by(_by_step(_s.ended_at), _AWAITING)
)
_ARRIVALS: Final = (
    select(_by_step(_s.began_at), _s.turn, func.count().label("times"))
    .where(_s.turn.in_([Turn.REGISTERED.value, Turn.RESOLVED.value]), within(_s.began_at))
    .group_by(_by_step(_s.began_at), _s.turn)
)


def period_report(connection: Connection, *, since: datetime, until: datetime) -> PeriodReport:
    """The report of what was closed, and went on, from `since` on and before `until`.

    `until` must not lie in the future: what is open would be counted as open up to then.

    Raises:
        ValueError: when `until` does not lie after `since`.
    """
    if until <= since:
        raise ValueError("until: must lie after since")
    period = {"since": micros(since), "until": micros(until)}
    rows = connection.execute(_CLOSED, period).all()
    time = connection.execute(_TIME, period).all()
    happened = Counter({row.turn: int(row.times) for row in connection.execute(_TURNS, period)})
    agreements = Counter(row.agreement for row in rows)
    satisfactions = Counter(row.satisfaction for row in rows)
    return PeriodReport(
        since=since,
        until=until,
        closed=len(rows),
        handling=_handling(rows),
        by_priority=_handling_by(rows, "priority", Priority),
        by_group=_handling_by(rows, "support_group", GroupId),
        acknowledgement=_lengths(
            timedelta(microseconds=row.acknowledged_first_at - row.registered_at)
            for row in rows
            if row.acknowledged_first_at is not None
        ),
        agreement={each: agreements[each.value] for each in Agreement},
        satisfaction={each: satisfactions[each.value] for each in Satisfaction},
        reopened=sum(row.reopenings > 0 for row in rows),
        reassignments=sum(row.reassignments for row in rows),
        bounces=sum(row.bounces for row in rows),
        first_line=sum(row.highest_line == Line.FIRST for row in rows),
        matched=sum(row.matched is not None for row in rows),
        by_known_error=sum(row.known_error is not None for row in rows),
        causes=_causes(rows),
        deviations=_deviations(rows),
        volume=Volume(
            registered=happened[Turn.REGISTERED.value],
            resolved=happened[Turn.RESOLVED.value],
            reopened=happened[Turn.REOPENED.value],
            closed=len(rows),
            cancelled=connection.execute(_CANCELLED, period).scalar_one(),
        ),
        backlog=_backlog(connection, period),
        states=_states(time),
        groups=_holders(time, by_person=False),
        persons=_holders(time, by_person=True),
        hand_overs=pairs(connection, since=since, until=until),
    )


def none_last(key: int | str | None) -> tuple[bool, int, str]:
    """A key to sort by, with None after everything else."""
    return (key is None, key if isinstance(key, int) else 0, key if isinstance(key, str) else "")


_Rows = Sequence[Row[*tuple[Any, ...]]]


def _handling(rows: Iterable[Row[*tuple[Any, ...]]]) -> Lengths:
    return _lengths(timedelta(seconds=row.handling_seconds) for row in rows)


def _handling_by(rows: _Rows, column: str, kind: Any) -> dict[Any, Lengths]:
    split: dict[Any, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        split.setdefault(getattr(row, column), []).append(row)
    return {None if key is None else kind(key): _handling(split[key]) for key in sorted(split, key=none_last)}


def _lengths(lengths: Iterable[timedelta]) -> Lengths:
    ordered = sorted(lengths)
    return Lengths(count=len(ordered), median=_reached_by(50, ordered), p90=_reached_by(90, ordered))


def _reached_by(percent: int, ordered: Sequence[timedelta]) -> timedelta | None:
    """The smallest value that at least so many percent of the values do not exceed."""
    if not ordered:
        return None
    rank = -(-percent * len(ordered) // 100)
    return ordered[rank - 1]


def _causes(rows: _Rows) -> tuple[Cause, ...]:
    split: dict[tuple[str, str], list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        if row.root_cause is not None:
            split.setdefault((row.root_cause_category, row.root_cause), []).append(row)
    causes = (
        Cause(
            category=category,
            root_cause=root_cause,
            incidents=len(found),
            handling=timedelta(seconds=sum(row.handling_seconds for row in found)),
            effort_minutes=sum(row.effort_minutes for row in found),
        )
        for (category, root_cause), found in split.items()
    )
    return tuple(sorted(causes, key=lambda each: (-each.incidents, each.category, each.root_cause)))


def _deviations(rows: _Rows) -> dict[str, int]:
    broken: Counter[str] = Counter()
    for row in rows:
        broken.update({clause for clause, _, _ in json.loads(row.deviations)})
    return dict(sorted(broken.items()))


def _backlog(connection: Connection, period: Mapping[str, int]) -> tuple[BacklogPoint, ...]:
    """The backlog at the beginning, after every step, and at the end of the period."""
    since, until = period["since"], period["until"]
    at_least = -(-(until - since) // _POINTS)
    step = next((each for each in _STEPS if each >= at_least), at_least)
    asked = {**period, "step": step}
    stood = {row.awaiting: row.times for row in connection.execute(_STOOD, period)}
    changes: Counter[tuple[int, int]] = Counter()
    for row in connection.execute(_CAME, asked):
        changes[row.at_step, row.awaiting] += row.times
    for row in connection.execute(_WENT, asked):
        changes[row.at_step, row.awaiting] -= row.times
    arrivals = {(row.at_step, row.turn): row.times for row in connection.execute(_ARRIVALS, asked)}
    still_open, awaiting = stood.get(0, 0), stood.get(1, 0)
    points = [
        BacklogPoint(at=instant(since), open=still_open, awaiting_closure=awaiting, registered=0, resolved=0)
    ]
    for number in range(-(-(until - since) // step)):
        still_open += changes[number, 0]
        awaiting += changes[number, 1]
        points.append(
            BacklogPoint(
                at=instant(min(since + (number + 1) * step, until)),
                open=still_open,
                awaiting_closure=awaiting,
                registered=arrivals.get((number, Turn.REGISTERED.value), 0),
                resolved=arrivals.get((number, Turn.RESOLVED.value), 0),
            )
        )
    return tuple(points)


def _states(rows: _Rows) -> tuple[StateTime, ...]:
    lengths: Counter[tuple[Phase, HoldReason | None]] = Counter()
    for row in rows:
        hold = None if row.hold is None or row.phase not in _OPEN else HoldReason(row.hold)
        lengths[Phase(row.phase), hold] += int(row.length)
    phases, holds = list(Phase), [None, *HoldReason]
    return tuple(
        StateTime(phase=phase, hold=hold, length=timedelta(microseconds=lengths[phase, hold]))
        for phase, hold in sorted(lengths, key=lambda each: (phases.index(each[0]), holds.index(each[1])))
    )


def _holders(rows: _Rows, *, by_person: bool) -> tuple[HolderTime, ...]:
    """Who held the open incidents, the longest first."""
    working: Counter[tuple[str | None, str | None]] = Counter()
    on_hold: Counter[tuple[str | None, str | None]] = Counter()
    for row in rows:
        if row.phase in _OPEN and (row.person is not None or not by_person):
            kind = working if row.hold is None else on_hold
            kind[row.support_group, row.person if by_person else None] += int(row.length)
    held = [
        HolderTime(
            group=None if group is None else GroupId(group),
            person=None if person is None else PersonId(person),
            working=timedelta(microseconds=working[group, person]),
            on_hold=timedelta(microseconds=on_hold[group, person]),
        )
        for group, person in working.keys() | on_hold.keys()
    ]
    return tuple(
        sorted(
            held,
            key=lambda each: (-(each.working + each.on_hold), none_last(each.group), none_last(each.person)),
        )
    )
