"""Working time, compared with counting it minute by minute along the wall clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_domain.validation import InvalidValue
from incident_domain.working_time import (
    ROUND_THE_CLOCK,
    Calendar,
    Window,
    elapsed,
    exceeded,
    from_micros,
    is_open,
    reached,
    to_micros,
)
from tests.wall_clock import DAYS_TO_BEGIN, attended, attended_time, calendars

MINUTE = 60_000_000
OFFICE = Calendar(timezone="Europe/Madrid", weekly=((Window(540, 1080),),) * 5 + ((), ()))
NEVER = Calendar(timezone="UTC", weekly=((),) * 7)
ONE_MINUTE_A_WEEK = Calendar(
    timezone="UTC",
    weekly=((Window(0, 1),),) + ((),) * 6,
)
"""One minute a week."""


@st.composite
def spans(draw: st.DrawFn) -> tuple[Calendar, datetime, datetime]:
    """A calendar, and a span of at most three days near a day on which clocks change."""
    day = draw(st.sampled_from(DAYS_TO_BEGIN))
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    since += timedelta(minutes=draw(st.integers(0, 1440)))
    return draw(calendars(day)), since, since + timedelta(minutes=draw(st.integers(0, 4320)))


@settings(max_examples=150)
@given(span=spans())
def test_elapsed_time_is_what_a_minute_by_minute_count_gives(
    span: tuple[Calendar, datetime, datetime],
) -> None:
    """The count asks the wall clock once a minute; both agree to the microsecond."""
    calendar, since, until = span

    counted = attended_time(calendar, since, until, timedelta(minutes=1))

    assert timedelta(microseconds=elapsed(calendar, to_micros(since), to_micros(until))) == counted
    assert is_open(calendar, until) == attended(calendar, until)


@given(span=spans(), odd=st.integers(0, MINUTE - 1))
def test_a_span_may_be_cut_anywhere(span: tuple[Calendar, datetime, datetime], odd: int) -> None:
    """What elapsed up to an instant and from it on is what elapsed in all, to the microsecond."""
    calendar, since, until = span
    begin, middle, end = (
        to_micros(since),
        to_micros(since) + (to_micros(until) - to_micros(since)) // 2,
        to_micros(until),
    )
    middle = min(end, middle + odd)

    assert elapsed(calendar, begin, middle) + elapsed(calendar, middle, end) == elapsed(calendar, begin, end)
    assert 0 <= elapsed(calendar, begin, middle) <= middle - begin


@given(span=spans(), amount=st.integers(1, 10**12))
def test_an_amount_is_reached_at_the_earliest_instant_and_exceeded_from_the_next_opening(
    span: tuple[Calendar, datetime, datetime], amount: int
) -> None:
    """Before it is reached less has elapsed; just after it is exceeded, more has; between, nothing does."""
    calendar, since, _ = span
    begin = to_micros(since)

    at, over = reached(calendar, begin, amount), exceeded(calendar, begin, amount)

    if at is None or over is None:
        assert not any(window.opens < window.closes for day in calendar.weekly for window in day)
        return
    assert elapsed(calendar, begin, at) == amount == elapsed(calendar, begin, over)
    assert elapsed(calendar, begin, at - 1) == amount - 1
    assert elapsed(calendar, begin, over + 1) == amount + 1
    assert at <= over


@pytest.mark.parametrize(
    ("first", "second"), list(product([Window(540, 720), Window(600, 601), Window(0, 0)], repeat=2))
)
def test_windows_that_overlap_or_touch_count_once(first: Window, second: Window) -> None:
    """Two windows of a day are open as long as the minutes that lie in either."""
    calendar = Calendar(timezone="UTC", weekly=((first, second, Window(720, 780)),) * 7)
    covered = (
        set(range(first.opens, first.closes)) | set(range(second.opens, second.closes)) | set(range(720, 780))
    )
    day = to_micros(datetime(2026, 6, 1, tzinfo=UTC))

    assert elapsed(calendar, day, day + 1440 * MINUTE) == len(covered) * MINUTE


def test_a_window_that_ends_before_it_begins_is_empty() -> None:
    """Such a day has no hours; a calendar with nothing else never opens."""
    backwards = Calendar(timezone="UTC", weekly=((Window(1080, 540),),) * 7)

    assert reached(backwards, 0, 1) is None
    assert exceeded(backwards, 0, 0) is None
    assert elapsed(backwards, 0, 10**15) == 0


def test_a_day_that_the_zone_skips_is_never_open() -> None:
    """Apia had no 30 December 2011: round the clock, the 29th is followed by the 31st without a gap."""
    apia = Calendar(timezone="Pacific/Apia", weekly=((Window(0, 1440),),) * 7)
    thursdays = Calendar(timezone="Pacific/Apia", weekly=((),) * 4 + ((Window(0, 1440),),) + ((),) * 2)
    begin = to_micros(datetime(2011, 12, 29, 10, tzinfo=UTC))

    assert elapsed(apia, begin, begin + 2880 * MINUTE) == 2880 * MINUTE
    assert elapsed(thursdays, begin, begin + 2880 * MINUTE) == 0


def test_a_target_of_many_years_is_reached_on_the_day() -> None:
    """Forty-five hours a week: a century of them is counted year by year, and none is lost."""
    begin = to_micros(datetime(2026, 1, 5, 8, tzinfo=UTC))
    fifty_years = 50 * 52 * 45 * 60 * MINUTE

    at = reached(OFFICE, begin, fifty_years)

    assert at is not None
    assert elapsed(OFFICE, begin, at) == fifty_years
    assert from_micros(at).year == 2075


def test_what_would_take_more_than_a_century_never_comes() -> None:
    """One minute a week makes less than four days in a century; nobody is kept waiting for the answer."""
    assert reached(ONE_MINUTE_A_WEEK, 0, 6 * 1440 * MINUTE) is None
    assert exceeded(ONE_MINUTE_A_WEEK, 0, 6 * 1440 * MINUTE) is None
    assert reached(ONE_MINUTE_A_WEEK, 0, 3 * 1440 * MINUTE) is not None
    assert reached(NEVER, 0, 1) is None


def test_nothing_elapses_backwards_and_nothing_is_needed_for_nothing() -> None:
    """A span that ends before it begins is empty, and an amount of zero is reached at once."""
    assert elapsed(ROUND_THE_CLOCK, 10, 5) == 0
    assert reached(NEVER, 17, 0) == reached(NEVER, 17, -3) == 17
    assert exceeded(ROUND_THE_CLOCK, 17, -3) == 17


@pytest.mark.parametrize("year", [1, 1899, 9999])
def test_years_that_no_zone_knows_are_refused(year: int) -> None:
    """One clear error says which years there are."""
    instant = datetime(year, 6, 1, tzinfo=UTC)

    with pytest.raises(InvalidValue, match="from 1900 to 9998"):
        is_open(OFFICE, instant)
    with pytest.raises(InvalidValue, match="from 1900 to 9998"):
        elapsed(OFFICE, to_micros(instant), to_micros(instant) + 1)


def test_the_last_year_ends_the_search() -> None:
    """A clock that starts in December 9998 finds what is left of the year, and no more."""
    begin = to_micros(datetime(9998, 12, 31, tzinfo=UTC))

    assert reached(ROUND_THE_CLOCK, begin, 60 * MINUTE) == begin + 60 * MINUTE
    assert reached(ROUND_THE_CLOCK, begin, 1441 * MINUTE) is None


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe", "a\x00b", "localtime"]
)
def test_only_zones_that_exist_are_taken(zone: str) -> None:
    """The error names the field and an example; what a machine calls its local time is none."""
    with pytest.raises(InvalidValue, match="timezone: must be an IANA time zone"):
        Calendar(timezone=zone, weekly=((),) * 7)


@pytest.mark.parametrize(
    "weekly", [((),) * 6, ((),) * 8, ((Window(-1, 60),),) + ((),) * 6, ((),) * 6 + ((Window(0, 1441),),)]
)
def test_a_week_has_seven_days_of_at_most_24_hours(weekly: tuple[tuple[Window, ...], ...]) -> None:
    """Anything else is refused by the name of the field."""
    with pytest.raises(InvalidValue, match="weekly"):
        Calendar(timezone="UTC", weekly=weekly)


def test_calendars_with_the_same_hours_are_one_calendar() -> None:
    """They are values: equal, of the same hash, and told apart by a single holiday."""
    again = Calendar(timezone="Europe/Madrid", weekly=((Window(540, 1080),),) * 5 + ((), ()))
    on_holiday = Calendar(
        timezone="Europe/Madrid", weekly=OFFICE.weekly, holidays=frozenset({date(2026, 1, 6)})
    )

    assert (again, hash(again)) == (OFFICE, hash(OFFICE))
    assert on_holiday != OFFICE
