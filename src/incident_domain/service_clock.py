"""One service clock: how much working time is used of a target, when it falls due, whether it was breached.

A clock is a value; each step gives a new one.  Time is an argument of every question.  A step stamped before
its predecessor is taken at the predecessor's instant, and a step that does not fit (to resume what is not
paused) changes nothing.
"""

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta
from enum import Enum

from attrs import evolve as changed
from attrs import frozen

from incident_domain.working_time import (
    Calendar,
    Micros,
    elapsed,
    exceeded,
    from_micros,
    reached,
    to_micros,
)


class ClockState(Enum):
    """What a clock does; it is not started before the first step."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@frozen(kw_only=True)
class Run:
    """A stretch in which the clock ran: from, to (None while it runs), and what was used before it."""

    calendar: Calendar
    since: Micros
    until: Micros | None
    used_before: Micros


@frozen(kw_only=True)
class Noted:
    """What was set after a stop, and takes effect when the clock is reopened."""

    target: Micros | None
    calendar: Calendar


@frozen(kw_only=True)
class ServiceClock:
    """A clock against a target of working time.

    `target` and `calendar` are those in force; without a target the clock counts, falls never due and is
    never breached.  `first_breached` is the first instant from which more was used than the target then in
    force.
    """

    target: Micros | None
    calendar: Calendar
    state: ClockState = ClockState.WAITING
    at: Micros | None = None
    runs: tuple[Run, ...] = ()
    first_breached: Micros | None = None
    noted: Noted | None = None


@frozen(kw_only=True)
class Reading:
    """What a clock says at an instant; instants are UTC.

    `due_at` is None while the clock does not run, and where the calendar never opens that long.  Without a
    target there is nothing that remains.
    """

    state: ClockState
    elapsed: timedelta
    remaining: timedelta | None
    breached: bool
    first_breached_at: datetime | None
    due_at: datetime | None


def start(clock: ServiceClock, at: datetime) -> ServiceClock:
    """Run from an instant on, which may lie in the past."""
    if clock.state is not ClockState.WAITING:
        return clock
    return _running(clock, to_micros(at))


def pause(clock: ServiceClock, at: datetime) -> ServiceClock:
    """Stand still until resumed."""
    return _halted(clock, at, ClockState.PAUSED) if clock.state is ClockState.RUNNING else clock


def resume(clock: ServiceClock, at: datetime) -> ServiceClock:
    """Run again after a pause."""
    return _running(clock, _not_before(clock, at)) if clock.state is ClockState.PAUSED else clock


def stop(clock: ServiceClock, at: datetime) -> ServiceClock:
    """End with the outcome that stands; a pause ends with it and counts for nothing."""
    if clock.state in (ClockState.RUNNING, ClockState.PAUSED):
        return _halted(clock, at, ClockState.STOPPED)
    return clock


def reopen(clock: ServiceClock, at: datetime) -> ServiceClock:
    """Run again after a stop, under what was set meanwhile; the time between does not count."""
    if clock.state is not ClockState.STOPPED:
        return clock
    then = _noted(clock)
    resumed = changed(clock, target=then.target, calendar=then.calendar, noted=None)
    instant = _not_before(clock, at)
    return _running(_breached_by_now(resumed, instant), instant)


def reset(clock: ServiceClock, at: datetime) -> ServiceClock:
    """Begin a new cycle with nothing used and no breach, under what was set after a stop."""
    then = _noted(clock)
    fresh = ServiceClock(target=then.target, calendar=then.calendar)
    return _running(fresh, _not_before(clock, at))


def retarget(clock: ServiceClock, at: datetime, target: timedelta | None) -> ServiceClock:
    """Measure against another target, or none, from an instant on; what is used stays used."""
    amount = None if target is None else target // timedelta(microseconds=1)
    instant = _not_before(clock, at)
    if clock.state is ClockState.STOPPED:
        return changed(clock, at=instant, noted=changed(_noted(clock), target=amount))
    return _breached_by_now(changed(_settled(clock, instant), target=amount), instant)


def recalendar(clock: ServiceClock, at: datetime, calendar: Calendar) -> ServiceClock:
    """Count by another calendar from an instant on; what is used stays used."""
    instant = _not_before(clock, at)
    if clock.state is ClockState.STOPPED:
        return changed(clock, at=instant, noted=changed(_noted(clock), calendar=calendar))
    if clock.state is not ClockState.RUNNING:
        return changed(clock, at=instant, calendar=calendar)
    return _running(changed(_halted(clock, at, ClockState.PAUSED), calendar=calendar), instant)


def read(clock: ServiceClock, at: datetime) -> Reading:
    """What the clock says at an instant, everything at that instant included."""
    instant = to_micros(at)
    used = used_at(clock, instant)
    first = _settled(clock, instant).first_breached
    due = _due(clock)
    return Reading(
        state=clock.state,
        elapsed=timedelta(microseconds=used),
        remaining=None if clock.target is None else timedelta(microseconds=clock.target - used),
        breached=_over(clock.target, used),
        first_breached_at=None if first is None else from_micros(first),
        due_at=None if due is None else from_micros(due),
    )


def due_at(clock: ServiceClock) -> datetime | None:
    """The earliest instant at which the target is used up, if nothing else happens."""
    due = _due(clock)
    return None if due is None else from_micros(due)


def used_at(clock: ServiceClock, at: Micros) -> Micros:
    """The working time used up to an instant, which must not lie before the last step."""
    if not clock.runs:
        return 0
    last = clock.runs[-1]
    until = at if last.until is None else last.until
    return last.used_before + elapsed(last.calendar, last.since, until)


def over_at(clock: ServiceClock) -> datetime | None:
    """The first instant from which more is used than the target now in force, if nothing else happens."""
    if clock.target is None or not clock.runs:
        return None
    # Before any later run more was used already, and in any earlier one the target was not exceeded.
    run = clock.runs[max(bisect_right(clock.runs, clock.target, key=_before) - 1, 0)]
    over = exceeded(run.calendar, run.since, clock.target - run.used_before)
    return from_micros(over) if over is not None and (run.until is None or over < run.until) else None


def share_at(clock: ServiceClock, percent: int) -> datetime | None:
    """The earliest instant since the clock last began to run at which it has used a share of its target.

    None while it does not run, without a target, and where the calendar never opens that long.
    """
    if clock.state is not ClockState.RUNNING or clock.target is None:
        return None
    run = clock.runs[-1]
    share = -(-clock.target * percent // 100)
    instant = reached(run.calendar, run.since, share - run.used_before)
    return None if instant is None else from_micros(instant)


def _due(clock: ServiceClock) -> Micros | None:
    if clock.state is not ClockState.RUNNING or clock.target is None:
        return None
    # Before any later run the target was used up already, and in any earlier one it was not reached.
    run = clock.runs[max(bisect_left(clock.runs, clock.target, key=_before) - 1, 0)]
    return reached(run.calendar, run.since, clock.target - run.used_before)


def _before(run: Run) -> Micros:
    return run.used_before


def _over(target: Micros | None, used: Micros) -> bool:
    return target is not None and used > target


def _noted(clock: ServiceClock) -> Noted:
    return clock.noted or Noted(target=clock.target, calendar=clock.calendar)


def _not_before(clock: ServiceClock, at: datetime) -> Micros:
    instant = to_micros(at)
    return instant if clock.at is None else max(instant, clock.at)


def _running(clock: ServiceClock, at: Micros) -> ServiceClock:
    run = Run(calendar=clock.calendar, since=at, until=None, used_before=used_at(clock, at))
    return changed(clock, state=ClockState.RUNNING, at=at, runs=(*clock.runs, run))


def _halted(clock: ServiceClock, at: datetime, state: ClockState) -> ServiceClock:
    instant = _not_before(clock, at)
    settled = _settled(clock, instant)
    if clock.state is not ClockState.RUNNING:
        return changed(settled, state=state)
    ended = changed(clock.runs[-1], until=instant)
    return changed(settled, state=state, runs=(*clock.runs[:-1], ended))


def _settled(clock: ServiceClock, at: Micros) -> ServiceClock:
    """The clock with a breach noted that came before the instant by mere running."""
    first = clock.first_breached
    if first is None and clock.state is ClockState.RUNNING and clock.target is not None:
        run = clock.runs[-1]
        crossing = exceeded(run.calendar, run.since, clock.target - run.used_before)
        if crossing is not None and crossing < at:
            first = crossing
    return changed(clock, at=at if clock.at is None else max(at, clock.at), first_breached=first)


def _breached_by_now(clock: ServiceClock, at: Micros) -> ServiceClock:
    """The clock with a breach noted that a new target made."""
    if clock.first_breached is None and _over(clock.target, used_at(clock, at)):
        return changed(clock, first_breached=at)
    return clock
