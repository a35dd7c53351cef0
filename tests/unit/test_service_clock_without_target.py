"""A clock without a target, as while there is no priority yet."""

from datetime import UTC, datetime, timedelta

from incident_domain.service_clock import (
    ServiceClock,
    due_at,
    over_at,
    read,
    reopen,
    resume,
    retarget,
    share_at,
    start,
    stop,
)
from incident_domain.working_time import ROUND_THE_CLOCK

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
UNAGREED = ServiceClock(target=None, calendar=ROUND_THE_CLOCK)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_it_counts_and_is_never_due() -> None:
    """Time is used, but there is nothing that it could exceed."""
    reading = read(start(UNAGREED, NOON), after(10_000))

    assert reading.elapsed == timedelta(minutes=10_000)
    assert (reading.remaining, reading.due_at, reading.breached, reading.first_breached_at) == (
        None,
        None,
        False,
        None,
    )
    assert over_at(start(UNAGREED, NOON)) is None
    assert share_at(start(UNAGREED, NOON), 50) is None


def test_a_target_that_comes_later_keeps_what_was_used() -> None:
    """What was used before counts, and a target used up already is breached from then on."""
    clock = start(UNAGREED, NOON)

    in_time = retarget(clock, after(20), timedelta(minutes=30))
    too_late = retarget(clock, after(20), timedelta(minutes=10))

    assert due_at(in_time) == after(30)
    assert read(too_late, after(20)).first_breached_at == after(20)


def test_a_target_taken_away_leaves_nothing_due() -> None:
    """Without a target a running clock has no due time any more; a breach that was stays known."""
    clock = retarget(retarget(start(UNAGREED, NOON), NOON, timedelta(minutes=5)), after(7), None)

    assert due_at(clock) is None
    assert not read(clock, after(60)).breached
    assert read(clock, after(60)).first_breached_at == after(5)


def test_a_target_taken_away_after_a_stop_counts_from_the_reopening() -> None:
    """After a stop the outcome is frozen; that nothing is agreed any more takes effect at the reopening."""
    stopped = stop(retarget(start(UNAGREED, NOON), NOON, timedelta(minutes=5)), after(7))

    noted = retarget(stopped, after(8), None)

    assert read(noted, after(9)).breached
    assert not read(reopen(noted, after(10)), after(60)).breached
    assert resume(noted, after(10)) == noted


def test_a_share_is_reached_when_so_much_is_used() -> None:
    """Half of 30 minutes is used after 15, and all of it is exceeded from the 30th on."""
    clock = retarget(start(UNAGREED, NOON), NOON, timedelta(minutes=30))

    assert share_at(clock, 50) == after(15)
    assert over_at(clock) == after(30)
    assert over_at(stop(clock, after(30))) is None
    assert over_at(stop(clock, after(31))) == after(30)
    assert share_at(stop(clock, after(31)), 50) is None
