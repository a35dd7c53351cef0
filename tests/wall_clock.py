"""What a correct service clock says, found by stepping through time and asking what the wall clock shows.

It is slow and plain, and shares nothing with the real arithmetic but the data of a calendar.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from attrs import define, field, frozen
from hypothesis import strategies as st

from incident_domain import service_clock
from incident_domain.service_clock import ServiceClock
from incident_domain.working_time import Calendar, Window, is_open

Deed: TypeAlias = Literal["start", "pause", "resume", "stop", "reopen", "reset", "retarget", "recalendar"]


@frozen(kw_only=True)
class Step:
    """Something done to a clock; `target` goes with retarget and `calendar` with recalendar."""

    at: datetime
    do: Deed
    target: timedelta | None = None
    calendar: Calendar | None = None


@frozen(kw_only=True)
class Answer:
    """What the clock says at an instant; `due_at` is None where it is not due until the horizon."""

    state: str
    open: bool
    elapsed: timedelta
    breached: bool
    first_breached_at: datetime | None
    due_at: datetime | None


def stepped(clock: ServiceClock, step: Step) -> ServiceClock:
    """The real clock after a step."""
    match step.do:
        case "start":
            return service_clock.start(clock, step.at)
        case "pause":
            return service_clock.pause(clock, step.at)
        case "resume":
            return service_clock.resume(clock, step.at)
        case "stop":
            return service_clock.stop(clock, step.at)
        case "reopen":
            return service_clock.reopen(clock, step.at)
        case "reset":
            return service_clock.reset(clock, step.at)
        case "retarget":
            return service_clock.retarget(clock, step.at, step.target)
        case "recalendar":
            assert step.calendar is not None
            return service_clock.recalendar(clock, step.at, step.calendar)


def attended(calendar: Calendar, instant: datetime) -> bool:
    """Whether the wall clock reads a time inside a window of a day that is no holiday."""
    shown = instant.astimezone(ZoneInfo(calendar.timezone))
    if shown.date() in calendar.holidays:
        return False
    minute = shown.hour * 60 + shown.minute
    return any(each.opens <= minute < each.closes for each in calendar.weekly[shown.weekday()])


def attended_time(calendar: Calendar, since: datetime, until: datetime, tick: timedelta) -> timedelta:
    """How much of a span the calendar was open, tick by tick."""
    total = timedelta()
    while since < until:
        total += tick if attended(calendar, since) else timedelta()
        since += tick
    return total


@define
class WallClock:
    """A clock that is carried from tick to tick.  Steps, targets and ticks fit on whole ticks."""

    calendar: Calendar
    target: timedelta
    tick: timedelta
    now: datetime
    state: str = "waiting"
    elapsed: timedelta = timedelta()
    first_breached_at: datetime | None = None
    used_by: dict[timedelta, datetime] = field(factory=dict[timedelta, datetime])
    noted_target: timedelta | None = None
    noted_calendar: Calendar | None = None

    def take(self, step: Step) -> None:
        """Do at this tick what the step says."""
        match step.do:
            case "start" | "resume":
                self.state = "running"
            case "pause":
                self.state = "paused"
            case "stop":
                self.state = "stopped"
            case "reopen":
                self._come_into_force()
                self.state = "running"
            case "reset":
                self._come_into_force()
                self.state, self.elapsed, self.first_breached_at = "running", timedelta(), None
                self.used_by = {}
            case "retarget" if self.state == "stopped":
                self.noted_target = step.target
            case "recalendar" if self.state == "stopped":
                self.noted_calendar = step.calendar
            case "retarget":
                assert step.target is not None
                self.target = step.target
            case "recalendar":
                assert step.calendar is not None
                self.calendar = step.calendar
        if self.state == "running":
            self.used_by.setdefault(self.elapsed, self.now)
        if self.state != "stopped":
            self._notice()

    def pass_one_tick(self) -> None:
        """Let one tick pass."""
        if self.state == "running" and attended(self.calendar, self.now):
            before, self.elapsed = self.now, self.elapsed + self.tick
            if self.elapsed > self.target and self.first_breached_at is None:
                self.first_breached_at = before
            self.used_by[self.elapsed] = self.now + self.tick
        self.now += self.tick

    def answer(self, horizon: datetime) -> Answer:
        """What it says now, everything at this instant included; it looks ahead as far as the horizon."""
        return Answer(
            state=self.state,
            open=attended(self.calendar, self.now),
            elapsed=self.elapsed,
            breached=self.elapsed > self.target,
            first_breached_at=self.first_breached_at,
            due_at=self._due_at(horizon),
        )

    def _come_into_force(self) -> None:
        self.target = self.noted_target or self.target
        self.calendar = self.noted_calendar or self.calendar
        self.noted_target = self.noted_calendar = None

    def _notice(self) -> None:
        if self.elapsed > self.target and self.first_breached_at is None:
            self.first_breached_at = self.now

    def _due_at(self, horizon: datetime) -> datetime | None:
        if self.state != "running":
            return None
        reached = [at for used, at in self.used_by.items() if used >= self.target]
        if reached:
            return min(reached)
        left, at = self.target - self.elapsed, self.now
        while at < horizon:
            left -= self.tick if attended(self.calendar, at) else timedelta()
            at += self.tick
            if not left:
                return at
        return None


def taken(timeline: Sequence[Step]) -> Iterator[tuple[datetime, Step, bool]]:
    """Each step, when it is taken, and whether it fits: one that does not changes nothing.

    A step that is stamped before the one that it follows is taken at the same instant as that one.
    """
    state, last = "waiting", timeline[0].at
    for step in timeline:
        follows, leads_to = _FITS.get(step.do, ((state,), state))
        fits = state in follows
        if fits:
            state, last = leads_to, max(step.at, last)
        yield last, step, fits


_FITS: Final[Mapping[Deed, tuple[tuple[str, ...], str]]] = {
    "start": (("waiting",), "running"),
    "pause": (("running",), "paused"),
    "resume": (("paused",), "running"),
    "stop": (("running", "paused"), "stopped"),
    "reopen": (("stopped",), "running"),
    "reset": (("running", "paused", "stopped"), "running"),
}
"""What a clock must do for a step to fit, and what it does then; the other steps always fit."""


def answers(
    clock: WallClock, timeline: Sequence[Step], asked: Sequence[datetime], *, look: timedelta
) -> Iterator[Answer]:
    """What the clock says at each instant asked for, in order; `look` is how far it looks ahead."""
    steps = [(at, step) for at, step, fits in taken(timeline) if fits]
    due = list(asked)
    while due:
        while steps and steps[0][0] <= clock.now:
            clock.take(steps.pop(0)[1])
        while due and due[0] == clock.now:
            due.pop(0)
            yield clock.answer(clock.now + look)
        clock.pass_one_tick()


ZONES: Final = (
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Casablanca",
)
DAYS_TO_BEGIN: Final = (
    date(2026, 3, 28),  # Madrid springs forward
    date(2026, 10, 24),  # and falls back
    date(2026, 4, 4),  # Lord Howe and Santiago fall back
    date(2026, 9, 5),  # Santiago skips midnight
    date(2026, 10, 3),  # Lord Howe springs forward
    date(2026, 3, 7),  # New York springs forward
    date(2026, 10, 31),  # and falls back
    date(2026, 2, 14),  # Casablanca goes back for Ramadan
    date(2011, 12, 29),  # Apia skips a whole day, at the end of a year
    date(2026, 12, 30),
    date(2028, 2, 28),
)
"""Days near which clocks change, years end, or a leap day comes."""

_minutes = st.one_of(st.integers(0, 48).map(lambda half_hours: half_hours * 30), st.integers(0, 1440))
_windows = st.lists(st.builds(Window, _minutes, _minutes), max_size=3).map(tuple)


@st.composite
def calendars(draw: st.DrawFn, near: date) -> Calendar:
    """Hours of any week, with windows that overlap, touch or are empty, and holidays near a day."""
    round_the_clock = draw(st.integers(0, 5)) == 0
    every_day = st.just((Window(0, 1440),)) if round_the_clock else _windows
    holidays = st.frozensets(st.integers(-1, 4).map(lambda days: near + timedelta(days=days)), max_size=2)
    return Calendar(
        timezone=draw(st.sampled_from(ZONES)),
        weekly=tuple(draw(every_day) for _ in range(7)),
        holidays=draw(holidays),
    )


@frozen(kw_only=True)
class Story:
    """A clock from its start on, what was done to it, and when somebody asks."""

    calendar: Calendar
    target: timedelta
    tick: timedelta
    timeline: tuple[Step, ...]
    asked: tuple[datetime, ...]


_DEEDS: Final[tuple[Deed, ...]] = (
    "pause",
    "resume",
    "pause",
    "resume",
    "stop",
    "reopen",
    "retarget",
    "recalendar",
    "reset",
)


@st.composite
def stories(draw: st.DrawFn, tick: timedelta = timedelta(minutes=1), ticks: int = 4320) -> Story:
    """Any timeline of so many ticks at most, near a day on which clocks change.

    Now and then a step is stamped before the one that it follows, or does not fit at all.
    """
    day = draw(st.sampled_from(DAYS_TO_BEGIN))
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 1440)))
    targets = st.integers(1, ticks // 3).map(lambda amount: amount * tick)
    at, steps = begin, [Step(at=begin, do="start")]
    for do in draw(st.lists(st.sampled_from(_DEEDS), max_size=8)):
        at += draw(st.integers(0, ticks // 8)) * tick
        late = draw(st.sampled_from((0, 0, 0, 60))) * tick
        steps.append(
            Step(
                at=max(begin, at - late),
                do=do,
                target=draw(targets) if do == "retarget" else None,
                calendar=draw(calendars(day)) if do == "recalendar" else None,
            )
        )
    asked = draw(st.lists(st.integers(0, ticks), min_size=1, max_size=4, unique=True))
    return Story(
        calendar=draw(calendars(day)),
        target=draw(targets),
        tick=tick,
        timeline=tuple(steps),
        asked=tuple(begin + each * tick for each in sorted(asked)),
    )


def check(story: Story, *, look: timedelta = timedelta(days=2)) -> None:
    """The real clock says what the wall clock says, at every instant asked for."""
    begin = story.timeline[0].at
    wall = WallClock(calendar=story.calendar, target=story.target, tick=story.tick, now=begin)
    expected = answers(wall, story.timeline, story.asked, look=look)
    for instant, answer in zip(story.asked, expected, strict=True):
        clock = _real(story, instant)
        reading = service_clock.read(clock, instant)
        due_at = reading.due_at
        if answer.due_at is None and answer.state == "running" and due_at is not None:
            assert due_at > instant + look
            due_at = None
        assert answer == Answer(
            state=reading.state.value,
            open=is_open(clock.calendar, instant),
            elapsed=reading.elapsed,
            breached=reading.breached,
            first_breached_at=reading.first_breached_at,
            due_at=due_at,
        )


def _real(story: Story, instant: datetime) -> ServiceClock:
    """The real clock after all that was done up to an instant, steps that do not fit included."""
    clock = ServiceClock(target=story.target // timedelta(microseconds=1), calendar=story.calendar)
    for at, step, _ in taken(story.timeline):
        if at <= instant:
            clock = stepped(clock, step)
    return clock
