"""Working time: when a service is attended, and how much of a span of real time that is.

A calendar is open at an instant exactly when the local wall clock reads a time inside one of that weekday's
windows and the local date is no holiday.  An hour that the clock skips is never open, and one that it shows
twice is open twice.  All arithmetic is in whole microseconds of real time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from attrs import field, frozen

from incident_domain.validation import InvalidValue

Micros: TypeAlias = int
"""A time span, or an instant since 1970-01-01 UTC, in microseconds."""

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The weekdays in the order of `Calendar.weekly`."""

YEARS: Final = range(1900, 9999)
"""The years, of UTC, in which working time can be counted."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = 60_000_000
_DAY: Final = 24 * 60 * _MINUTE
_LOOK: Final = 6 * 60 * _MINUTE
_LOOK_AHEAD: Final = 100


@frozen(order=True)
class Window:
    """Minutes after midnight between which somebody attends: `opens` counts, `closes` (at most 1440) not."""

    opens: int
    closes: int


def _seven(_: object, __: object, weekly: tuple[tuple[Window, ...], ...]) -> None:
    if len(weekly) != len(DAYS):
        raise InvalidValue("weekly", "must have seven days, Monday first; a day without hours is empty")
    for day, windows in zip(DAYS, weekly, strict=True):
        for window in windows:
            if not (0 <= window.opens <= 1440 and 0 <= window.closes <= 1440):
                raise InvalidValue("weekly", f"{day}: hours must lie between 00:00 and 24:00")


def _zone(_: object, __: object, name: str) -> None:
    # What a machine calls its local time is another zone on the next machine.
    if name == "localtime" or not _known(name):
        raise InvalidValue("timezone", "must be an IANA time zone, for example Europe/Madrid")


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        return False
    return True


@frozen(kw_only=True, cache_hash=True)
class Calendar:
    """The hours of a week, Monday first, in a time zone, without the holidays.

    Windows that overlap count once; one whose end is not after its start is empty.  `holidays` are local
    dates.

    Raises:
        InvalidValue: for an unknown time zone, or hours outside 00:00 to 24:00.
    """

    timezone: str = field(validator=_zone)
    weekly: tuple[tuple[Window, ...], ...] = field(validator=_seven)
    holidays: frozenset[date] = frozenset()


ROUND_THE_CLOCK: Final = Calendar(timezone="UTC", weekly=((Window(0, 1440),),) * 7)
"""Always open."""


def to_micros(instant: datetime) -> Micros:
    """An instant as microseconds since 1970-01-01 UTC."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(instant: Micros) -> datetime:
    """The instant, in UTC, that lies this many microseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def is_open(calendar: Calendar, instant: datetime) -> bool:
    """Whether the calendar is open at the instant.

    Raises:
        InvalidValue: for an instant before the year 1900 or after 9998.
    """
    year = _year(calendar, instant.astimezone(UTC).year)
    at = to_micros(instant)
    index = bisect_right(year.opens, at) - 1
    return index >= 0 and at < year.closes[index]


def elapsed(calendar: Calendar, since: Micros, until: Micros) -> Micros:
    """How much of the span the calendar was open; zero when `until` does not lie after `since`.

    Raises:
        InvalidValue: for an instant before the year 1900 or after 9998.
    """
    if until <= since:
        return 0
    first, last = _year_of(since), _year_of(until)
    between = sum(_year(calendar, each).total for each in range(first, last))
    return between + _year(calendar, last).open_before(until) - _year(calendar, first).open_before(since)


def reached(calendar: Calendar, since: Micros, amount: Micros) -> Micros | None:
    """The earliest instant, not before `since`, at which `amount` of open time has passed since then.

    None when the calendar does not open that long within a hundred years.
    """
    if amount <= 0:
        return since
    for year, left in _years(calendar, since, amount):
        # The open time of the year at which it is reached lies in the last span that begins with less.
        if left <= year.total:
            index = bisect_left(year.before, left) - 1
            return year.opens[index] + left - year.before[index]
    return None


def exceeded(calendar: Calendar, since: Micros, amount: Micros) -> Micros | None:
    """The first instant, not before `since`, from which more than `amount` of open time has passed.

    It is later than `reached` where the calendar closes just then.  None when that does not come within a
    hundred years.
    """
    for year, left in _years(calendar, since, max(amount, 0)):
        if left < year.total:
            index = bisect_right(year.before, left) - 1
            return max(since, year.opens[index] + left - year.before[index])
    return None


def _years(calendar: Calendar, since: Micros, amount: Micros) -> Iterator[tuple["_Year", Micros]]:
    """The years from `since` on, each with the open time in it after which the amount is used up."""
    if not any(window.opens < window.closes for day in calendar.weekly for window in day):
        return
    first = _year_of(since)
    left = amount + _year(calendar, first).open_before(since)
    for number in range(first, min(first + _LOOK_AHEAD, YEARS.stop)):
        year = _year(calendar, number)
        yield year, left
        left -= year.total


@frozen(kw_only=True)
class _Year:
    """The open spans of a UTC year; `before` is the open time of the year before each of them."""

    opens: tuple[Micros, ...]
    closes: tuple[Micros, ...]
    before: tuple[Micros, ...]
    total: Micros

    def open_before(self, at: Micros) -> Micros:
        """The open time of the year before an instant in it."""
        index = bisect_right(self.opens, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.closes[index]) - self.opens[index]


def _year_of(at: Micros) -> int:
    return from_micros(at).year


@lru_cache(maxsize=512)
def _year(calendar: Calendar, number: int) -> _Year:
    if number not in YEARS:
        raise InvalidValue("at", "must lie in the years from 1900 to 9998")
    begin = to_micros(datetime(number, 1, 1, tzinfo=UTC))
    end = to_micros(datetime(number + 1, 1, 1, tzinfo=UTC))
    weekly = [_merged(windows) for windows in calendar.weekly]
    opens: list[Micros] = []
    closes: list[Micros] = []
    before: list[Micros] = []
    total = 0
    for offset, since, until in _offsets(ZoneInfo(calendar.timezone), begin, end):
        for opening, closing in _open_spans(calendar, weekly, since + offset, until + offset):
            opens.append(opening - offset)
            closes.append(closing - offset)
            before.append(total)
            total += closing - opening
    return _Year(opens=tuple(opens), closes=tuple(closes), before=tuple(before), total=total)


def _merged(windows: tuple[Window, ...]) -> list[tuple[Micros, Micros]]:
    """The windows of a day in order, those that overlap or touch as one, in microseconds after midnight."""
    merged: list[tuple[Micros, Micros]] = []
    for window in sorted(windows):
        opens, closes = window.opens * _MINUTE, window.closes * _MINUTE
        if closes <= opens:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return merged


def _open_spans(
    calendar: Calendar, weekly: list[list[tuple[Micros, Micros]]], since: Micros, until: Micros
) -> Iterator[tuple[Micros, Micros]]:
    """The open spans of a stretch of wall-clock time in which the clock runs evenly."""
    for number in range(since // _DAY, (until - 1) // _DAY + 1):
        midnight = number * _DAY
        day = from_micros(midnight).date()
        if day in calendar.holidays:
            continue
        for opens, closes in weekly[day.weekday()]:
            opening, closing = max(midnight + opens, since), min(midnight + closes, until)
            if opening < closing:
                yield opening, closing


def _offsets(zone: ZoneInfo, begin: Micros, end: Micros) -> Iterator[tuple[Micros, Micros, Micros]]:
    """The stretches of a year in which the zone's offset from UTC stays the same, each as (offset, from, to).

    No zone changes twice within the six hours between two looks.
    """
    since, offset = begin, _offset(zone, begin)
    look = begin
    while look < end:
        ahead = min(look + _LOOK, end)
        if _offset(zone, ahead) != offset:
            change = _change(zone, look, ahead)
            yield offset, since, change
            since, offset = change, _offset(zone, change)
        look = ahead
    if since < end:
        yield offset, since, end


def _offset(zone: ZoneInfo, at: Micros) -> Micros:
    offset = from_micros(at).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // _MICROSECOND


def _change(zone: ZoneInfo, before: Micros, after: Micros) -> Micros:
    """The instant between two at which the offset changes."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after
