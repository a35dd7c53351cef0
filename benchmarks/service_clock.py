"""What it costs to ask one service clock, also one with a target of a year: microseconds.

Beside each figure stands its ratio to one look at a wall clock
(an instant brought into a time zone), of which a count minute by minute would take half a million for a year.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from benchmarks.stores import Stores
from incident_domain.service_clock import (
    ServiceClock,
    due_at,
    pause,
    read,
    recalendar,
    resume,
    retarget,
    start,
)
from incident_domain.working_time import ROUND_THE_CLOCK, Calendar, Window

BEGIN: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
OFFICE: Final = Calendar(
    timezone="Europe/Madrid", weekly=((Window(540, 840), Window(900, 1080)),) * 5 + ((), ())
)
YEAR: Final = timedelta(hours=8 * 5 * 52)
"""Of working time."""

_ROUNDS: Final = 7
_QUICK_ROUNDS: Final = 3
_TIMES: Final = 20_000


def worked() -> ServiceClock:
    """A clock that was paused twenty times, and went over to other targets and calendars."""
    clock = start(ServiceClock(target=YEAR // timedelta(microseconds=1), calendar=OFFICE), BEGIN)
    for number in range(20):
        at = BEGIN + timedelta(days=number)
        clock = resume(pause(clock, at), at + timedelta(hours=5))
    clock = retarget(clock, BEGIN + timedelta(days=21), YEAR)
    return recalendar(clock, BEGIN + timedelta(days=22), OFFICE)


def microseconds(ask: Callable[[], object], count: int) -> float:
    """How long it takes to ask once: the median of several rounds."""
    ask()
    rounds: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        for _ in range(_TIMES):
            ask()
        rounds.append((time.perf_counter() - began) / _TIMES * 1e6)
    return median(rounds)


def measure(_: Stores, *, quick: bool) -> None:
    """Ask one clock many times, fewer when `quick`."""
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    print("\nOne service clock")
    madrid = ZoneInfo("Europe/Madrid")
    short = start(ServiceClock(target=240 * 60_000_000, calendar=OFFICE), BEGIN)
    year = start(ServiceClock(target=YEAR // timedelta(microseconds=1), calendar=OFFICE), BEGIN)
    always = start(ServiceClock(target=365 * 86_400_000_000, calendar=ROUND_THE_CLOCK), BEGIN)
    long_lived = worked()
    later = BEGIN + timedelta(days=30)
    look = microseconds(lambda: later.astimezone(madrid), rounds)
    asked: dict[str, Callable[[], object]] = {
        "due_at, 4 hours": lambda: due_at(short),
        "due_at, a year of working time": lambda: due_at(year),
        "due_at, a year round the clock": lambda: due_at(always),
        "due_at, a year, after 42 steps": lambda: due_at(long_lived),
        "read, a year, after 42 steps": lambda: read(long_lived, later),
        "pause and resume": lambda: resume(pause(year, later), later),
    }
    print(f"{'one look at a wall clock':32} {look:8.2f} µs")
    for name, ask in asked.items():
        taken = microseconds(ask, rounds)
        print(f"{name:32} {taken:8.2f} µs  {taken / look:6.1f} looks")
