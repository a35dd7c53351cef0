"""The real log, whole: what comes of it equals what a plain count over the file says."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from incident_adapters.service_desk import ServiceDesk
from incident_projections.engine import Projections
from incident_projections.queue import QUEUE
from tests.importing import import_elsewhere
from tests.servicenow_logs import REAL_LOG, needs_real_log

ROWS = 119_998


# One test, since the import takes most of the time and parallel workers would each make their own.
@needs_real_log
def test_the_whole_log_comes_out_as_a_plain_count_over_the_file_says(tmp_path: Path) -> None:
    """Every row is accounted for, the queue shows what the last rows say, and deviations are as many."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"

    imported = import_elsewhere(url, REAL_LOG)

    account = imported.account
    assert imported.megabytes < 500
    assert account.rows == ROWS
    assert account.refused == {
        "before-registration": 5,
        "ended": 54,
        "goes-back-in-time": 1,
        "unknown-state": 2,
    }
    assert states_in_the_queue(url) == states_in_the_last_rows() == {"closed": 20_768, "open": 1}
    closed, never_resolved = closings_in_the_file()
    assert (account.deviations["P5.2"], account.deviations["P4.1"]) == (closed, never_resolved) == (20_768, 3)
    assert account.deviations["P2.2"] == hand_overs_in_the_file()


def states_in_the_queue(url: str) -> Counter[str]:
    named = {"awaiting_closure": "resolved", "closed": "closed"}
    with ServiceDesk.open(url) as desk:
        views = Projections(desk.journal.store.engine, desk.journal, [QUEUE])
        views.catch_up()
        with views.reading() as connection:
            phases = connection.execute(text("SELECT phase FROM queue")).scalars()
            return Counter(named.get(phase, "open") for phase in phases)


def rows_of_the_file() -> Iterator[dict[str, str]]:
    with gzip.open(REAL_LOG, "rt", newline="") as log:
        yield from csv.DictReader(log)


def states_in_the_last_rows() -> Counter[str]:
    named = {"Resolved": "resolved", "Closed": "closed"}
    last = {row["number"]: row["incident_state"] for row in rows_of_the_file()}
    return Counter(named.get(state, "open") for state in last.values())


def closings_in_the_file() -> tuple[int, int]:
    """How many incidents were closed, and how many of them straight from another state than resolved."""
    closed, never_resolved = set[str](), 0
    before: dict[str, str] = {}
    for row in rows_of_the_file():
        number, state = row["number"], row["incident_state"]
        if state == "Closed" and number not in closed:
            closed.add(number)
            never_resolved += before.get(number) != "Resolved"
        before[number] = state
    return len(closed), never_resolved


def hand_overs_in_the_file() -> int:
    """How often a row names another group than before; the log shows no search of the knowledge base."""
    groups: dict[str, str] = {}
    updates: dict[str, datetime] = {}
    ended, hand_overs = set[str](), 0
    for row in rows_of_the_file():
        number, group = row["number"], row["assignment_group"]
        opened, updated = local(row["opened_at"]), local(row["sys_updated_at"])
        impossible = updated < max(opened, updates.get(number, opened)) or row["incident_state"] == "-100"
        updates[number] = updated
        nobody = number not in groups and group == row["assigned_to"] == "?"
        if number in ended or impossible or nobody:
            continue
        hand_overs += groups.get(number) != group
        groups[number] = group
        if row["incident_state"] == "Closed":
            ended.add(number)
    return hand_overs


def local(time: str) -> datetime:
    """A time of the log; that it has no zone is of no matter for what comes before what."""
    return datetime.strptime(time, "%d/%m/%Y %H:%M")  # noqa: DTZ007
