"""The report over a month of a real log equals what a plain count over the file says."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.report_data import ServiceReport, service_report
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.servicenow_commands import UNNAMED_GROUP
from incident_projections.closure import CLOSURE
from incident_projections.engine import Projections
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.sla_timers import sla_timers
from incident_projections.stretches import STRETCHES
from tests.importing import MADRID
from tests.servicenow_logs import REAL_LOG, needs_real_log

SINCE: Final = datetime(2016, 3, 1, tzinfo=MADRID)
UNTIL: Final = datetime(2016, 4, 1, tzinfo=MADRID)


@needs_real_log
def test_the_report_of_a_month_is_what_a_plain_count_over_the_file_says(real_store_url: str) -> None:
    """Volume, backlog, reopenings, hand-offs and the median handling time are those of the file."""
    period = report_of(real_store_url).period

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


def report_of(url: str) -> ServiceReport:
    """The report of the month, from the views of the imported log."""
    with ServiceDesk.open(url) as desk:
        known = (CLOSURE, STRETCHES, HAND_OVERS, sla_timers(AgreementTerms(desk.journal)))
        views = Projections(desk.journal.store.engine, desk.journal, known)
        views.catch_up()
        with views.reading() as connection:
            return service_report(connection, since=SINCE, until=UNTIL)


class Count:
    """What the rows of the file say, incident by incident, by nothing but their columns."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.hand_overs: Counter[tuple[str | None, str]] = Counter()
        self.returns: Counter[tuple[str | None, str]] = Counter()
        self.handling: list[timedelta] = []
        self.closed_after_reopening = 0
        self.backlog: Counter[tuple[str, datetime]] = Counter()
        for rows in incidents_of_the_file():
            self._incident(rows)

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

    def handed_over(self) -> dict[tuple[str | None, str], tuple[int, int]]:
        """How often incidents went from a group to another, and how often that one had held it before."""
        return {pair: (times, self.returns[pair]) for pair, times in self.hand_overs.items() if times}

    def _note(self, what: str, when: datetime) -> None:
        self.happened[what] += SINCE <= when < UNTIL

    def _stood(self, state: str, since: datetime, until: datetime | None) -> None:
        for instant in (SINCE, UNTIL):
            self.backlog[state, instant] += since < instant and (until is None or until >= instant)


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


def at(time: str) -> datetime:
    """A time of the log, in UTC."""
    return datetime.strptime(time, "%d/%m/%Y %H:%M").replace(tzinfo=MADRID).astimezone(UTC)
