"""The queues, clocks and reports of a real log under an agreement equal a plain count over the file."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from attrs import frozen
from sqlalchemy import case, func, select

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.report_data import ServiceReport, service_report
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.servicenow_commands import UNNAMED_GROUP
from incident_domain.actor import Actor, PersonId, Role
from incident_domain.agreements import PublishAgreement
from incident_domain.events import (
    AgreementId,
    HoldReason,
    Hours,
    Party,
    PauseRule,
    Target,
    TargetKind,
    Terms,
)
from incident_domain.priority import Priority
from incident_domain.service_clock import ClockState
from incident_domain.working_time import Window
from incident_projections.closure import CLOSURE
from incident_projections.engine import Projections
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.sla_timers import SLA_TIMERS_TABLE, sla_timers
from incident_projections.stretches import STRETCHES
from tests.importing import MADRID, import_elsewhere
from tests.servicenow_logs import REAL_LOG, needs_real_log

SINCE: Final = datetime(2016, 3, 1, tzinfo=MADRID)
UNTIL: Final = datetime(2016, 4, 1, tzinfo=MADRID)
OFFICE: Final = AgreementId("office")
OPENS, CLOSES, FRIDAY = 8, 18, 4
TARGET: Final = timedelta(hours=30)

_t: Final = SLA_TIMERS_TABLE.c


@needs_real_log
def test_the_report_of_a_month_is_what_a_plain_count_over_the_file_says(tmp_path: Path) -> None:
    """Volume, backlog, reopenings, hand-offs and the median handling time are those of the file."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    publish_office(url)
    import_elsewhere(url, REAL_LOG, OFFICE)

    report, clocks = report_and_clocks_of(url)

    period = report.period

    counted = Count()
    volume = period.volume
    assert (volume.registered, volume.resolved, volume.reopened, volume.closed) == (
        counted.happened["registered"],
        counted.happened["resolved"],
        counted.happened["reopened"],
        counted.happened["closed"],
    )
    assert volume.registered > volume.closed > volume.reopened > 0
    assert sum(each.handed_over for each in period.hand_overs) == counted.happened["handed over"]
    assert {
        (each.giver, each.taker): (each.handed_over, each.returned) for each in period.hand_overs
    } == counted.handed_over()
    assert period.reopened == counted.closed_after_reopening
    handled = sorted(counted.handling)
    assert period.closed == len(handled)
    assert period.handling.median == handled[(len(handled) + 1) // 2 - 1]
    first, last = period.backlog[0], period.backlog[-1]
    assert (first.open, first.awaiting_closure) == (
        counted.backlog["open", SINCE],
        counted.backlog["resolved", SINCE],
    )
    assert (last.open, last.awaiting_closure) == (
        counted.backlog["open", UNTIL],
        counted.backlog["resolved", UNTIL],
    )
    assert clocks == Clocks(
        stopped=counted.ended,
        breached=len(counted.breached_at),
        used=sum(counted.used, timedelta()),
    )
    assert 0 < clocks.breached < clocks.stopped
    levels = report.service_levels
    assert sum(each.breaches for each in levels.breaches) == sum(
        SINCE <= each < UNTIL for each in counted.breached_at
    )
    assert [(each.clocks, each.met) for each in levels.kept] == [
        (period.closed, period.closed - counted.closed_after_a_breach)
    ]


@frozen(kw_only=True)
class Clocks:
    """The clocks to resolve that have stopped: how many, how many over their target, and what all used."""

    stopped: int
    breached: int
    used: timedelta


def publish_office(url: str) -> None:
    """Agree on thirty hours of work, by office hours, but for the time that the customer takes."""
    office = Hours(timezone=MADRID.key, weekly=((Window(OPENS * 60, CLOSES * 60),),) * 5 + ((), ()))
    terms = Terms(
        hours=office,
        targets=tuple(
            Target(kind=TargetKind.RESOLVE, priority=each, minutes=int(TARGET / timedelta(minutes=1)))
            for each in Priority
        ),
        pauses=(PauseRule(kind=TargetKind.RESOLVE, reasons=(HoldReason.CUSTOMER,)),),
    )
    with ServiceDesk.open(url) as desk:
        desk.handle(
            PublishAgreement(
                agreement=OFFICE,
                by=Actor(person=PersonId("ben"), role=Role.INCIDENT_MANAGER),
                at=datetime(2016, 1, 1, tzinfo=UTC),
                party=Party.CUSTOMER,
                holds_from=datetime(2016, 1, 1, tzinfo=UTC),
                terms=terms,
            )
        )


def report_and_clocks_of(url: str) -> tuple[ServiceReport, Clocks]:
    """The report of the month and the clocks, from the views of the imported log."""
    with ServiceDesk.open(url) as desk:
        known = (CLOSURE, STRETCHES, HAND_OVERS, sla_timers(AgreementTerms(desk.journal)))
        views = Projections(desk.journal.store.engine, desk.journal, known)
        views.catch_up()
        with views.reading() as connection:
            stopped = select(
                func.count().label("stopped"),
                func.sum(case((_t.elapsed > _t.target, 1), else_=0)).label("breached"),
                func.sum(_t.elapsed).label("used"),
            ).where(_t.kind == TargetKind.RESOLVE.value, _t.state == ClockState.STOPPED.value)
            found = connection.execute(stopped).one()
            clocks = Clocks(
                stopped=found.stopped, breached=found.breached, used=timedelta(microseconds=found.used)
            )
            return service_report(connection, since=SINCE, until=UNTIL), clocks


class Count:
    """What the rows of the file say, incident by incident, by nothing but their columns."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.hand_overs: Counter[tuple[str | None, str]] = Counter()
        self.returns: Counter[tuple[str | None, str]] = Counter()
        self.handling: list[timedelta] = []
        self.closed_after_reopening = 0
        self.backlog: Counter[tuple[str, datetime]] = Counter()
        self.ended = 0
        self.used: list[timedelta] = []
        self.breached_at: list[datetime] = []
        self.closed_after_a_breach = 0
        for rows in incidents_of_the_file():
            self._incident(rows)
            self._clock(rows)

    def _incident(self, rows: list[dict[str, str]]) -> None:
        opened = at(rows[0]["opened_at"])
        self._note("registered", opened)
        group, state, since = None, "open", opened
        handled, open_since, resolved_at, resolution, reopened = timedelta(), opened, opened, None, False
        had_held = set[str]()
        for row in rows:
            now, told = at(row["sys_updated_at"]), row["incident_state"]
            if state == "resolved" and told not in {"Resolved", "Closed"}:
                self._note("reopened", now)
                self._stood(state, since, now)
                handled, state, since, reopened = handled + (resolved_at - open_since), "open", now, True
                open_since, resolution = now, None
            if not (group is None and row["assignment_group"] == row["assigned_to"] == "?"):
                taker = row["assignment_group"].replace("?", UNNAMED_GROUP)
                if taker != group:
                    self._note("handed over", now)
                    self.hand_overs[group, taker] += SINCE <= now < UNTIL
                    self.returns[group, taker] += SINCE <= now < UNTIL and taker in had_held
                group = taker
                had_held.add(taker)
            if told == "Resolved":
                by = row["resolved_by"] if row["resolved_by"] != "?" else row["sys_updated_by"]
                if (by, row["closed_code"]) != resolution:
                    self._note("resolved", now)
                    self._stood(state, since, now)
                    resolution, resolved_at = (by, row["closed_code"]), now
                    state, since = "resolved", now
            elif told == "Closed":
                self._note("closed", now)
                self._stood(state, since, now)
                if SINCE <= now < UNTIL:
                    self.handling.append(
                        handled + ((resolved_at if state == "resolved" else now) - open_since)
                    )
                    self.closed_after_reopening += reopened
                return
        self._stood(state, since, None)

    def _clock(self, rows: list[dict[str, str]]) -> None:
        """The clock to resolve runs from the opening, but where it waits for the customer or is resolved."""
        since, used, breached, told = at(rows[0]["opened_at"]), timedelta(), None, ""
        for row in rows:
            now, before, told = at(row["sys_updated_at"]), told, row["incident_state"]
            if before not in {"Resolved", "Awaiting User Info"}:
                used, breached = worked(since, now, used, breached)
            since = now
        if told in {"Resolved", "Closed"}:
            self.ended += 1
            self.used.append(used)
            self.breached_at += [] if breached is None else [breached]
            self.closed_after_a_breach += breached is not None and told == "Closed" and SINCE <= since < UNTIL

    def handed_over(self) -> dict[tuple[str | None, str], tuple[int, int]]:
        """How often incidents went from a group to another, and how often that one had held it before."""
        return {pair: (times, self.returns[pair]) for pair, times in self.hand_overs.items() if times}

    def _note(self, what: str, when: datetime) -> None:
        self.happened[what] += SINCE <= when < UNTIL

    def _stood(self, state: str, since: datetime, until: datetime | None) -> None:
        for instant in (SINCE, UNTIL):
            self.backlog[state, instant] += since < instant and (until is None or until >= instant)


def worked(
    since: datetime, until: datetime, used: timedelta, breached: datetime | None
) -> tuple[timedelta, datetime | None]:
    """What is used by the end, day by day, and the instant from which on more than the target was used."""
    first, last = since.astimezone(MADRID).date(), until.astimezone(MADRID).date()
    for day in (first + timedelta(days=each) for each in range((last - first).days + 1)):
        if day.weekday() > FRIDAY:
            continue
        opens = datetime.combine(day, time(OPENS), MADRID).astimezone(UTC)
        closes = datetime.combine(day, time(CLOSES), MADRID).astimezone(UTC)
        begins, ends = max(since, opens), min(until, closes)
        if begins >= ends:
            continue
        if breached is None and used + (ends - begins) > TARGET:
            breached = begins + (TARGET - used)
        used += ends - begins
    return used, breached


def incidents_of_the_file() -> Iterator[list[dict[str, str]]]:
    """The rows of each incident that can have happened, up to its closing."""
    incidents: dict[str, list[dict[str, str]]] = {}
    latest: dict[str, datetime] = {}
    ended: set[str] = set()
    with gzip.open(REAL_LOG, "rt", newline="") as log:
        for row in csv.DictReader(log):
            number, updated, opened = row["number"], at(row["sys_updated_at"]), at(row["opened_at"])
            kept = incidents.setdefault(number, [])
            impossible = updated < max(opened, latest.get(number, opened)) or row["incident_state"] == "-100"
            latest[number] = updated
            if number in ended or impossible:
                continue
            kept.append(row)
            if row["incident_state"] == "Closed":
                ended.add(number)
    yield from (rows for rows in incidents.values() if rows)


def at(written: str) -> datetime:
    """A time of the log, in UTC."""
    return datetime.strptime(written, "%d/%m/%Y %H:%M").replace(tzinfo=MADRID).astimezone(UTC)
