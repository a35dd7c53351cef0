"""The hand-worked cases of service clocks: what a correct clock says, instant by instant."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from incident_domain.service_clock import ServiceClock, read
from incident_domain.working_time import DAYS, Calendar, Window, is_open
from tests.wall_clock import Step, stepped, taken

FILE: Final = Path(__file__).parents[3] / "shared" / "sla" / "cases.json"
CASES: Final[list[dict[str, Any]]] = json.loads(FILE.read_bytes()) if FILE.exists() else []


def test_the_cases_are_there() -> None:
    """Where the cases are kept, there are all of them, and no two have the same name."""
    if not FILE.exists():
        pytest.skip("the cases of service clocks are not kept beside this project")
    assert len({case["name"] for case in CASES}) == len(CASES) >= 45


def minutes(clock: str) -> int:
    hours, minute = clock.split(":")
    return int(hours) * 60 + int(minute)


def calendar(given: dict[str, Any]) -> Calendar:
    return Calendar(
        timezone=given["timezone"],
        weekly=tuple(
            tuple(Window(minutes(opens), minutes(closes)) for opens, closes in given["weekly"].get(day, ()))
            for day in DAYS
        ),
        holidays=frozenset(date.fromisoformat(each) for each in given["holidays"]),
    )


def step(given: dict[str, Any]) -> Step:
    return Step(
        at=datetime.fromisoformat(given["at"]),
        do=given["do"],
        target=timedelta(minutes=given["target_minutes"]) if "target_minutes" in given else None,
        calendar=calendar(given["calendar"]) if "calendar" in given else None,
    )


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_clock_says_what_was_worked_out_by_hand(case: dict[str, Any]) -> None:
    """State, open, elapsed, remaining, breached, first breached and due, at every instant of the case."""
    timeline = [step(each) for each in case["timeline"]]
    for expected in case["expect"]:
        instant = datetime.fromisoformat(expected["at"])

        clock = ServiceClock(target=case["target_minutes"] * 60_000_000, calendar=calendar(case["calendar"]))
        for at, each, _ in taken(timeline):
            if at <= instant:
                clock = stepped(clock, each)
        reading = read(clock, instant)

        assert {
            "at": expected["at"],
            "state": reading.state.value,
            "open": is_open(clock.calendar, instant),
            "elapsed_seconds": seconds(reading.elapsed),
            "remaining_seconds": seconds(reading.remaining),
            "breached": reading.breached,
            "first_breached_at": reading.first_breached_at,
            "due_at": reading.due_at,
        } == {
            **expected,
            "first_breached_at": _instant(expected["first_breached_at"]),
            "due_at": _instant(expected["due_at"]),
        }


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
