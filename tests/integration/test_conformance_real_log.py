"""The conformance of a real log is what a plain count over its rows says, however it is asked."""

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from incident_adapters.cli import run
from incident_adapters.servicenow_commands import UNNAMED_GROUP
from tests.documents import ROOT
from tests.importing import MADRID
from tests.servicenow_logs import REAL_LOG, needs_real_log

MEGABYTES: Final = 300

_MEASURED: Final = """
import sys
from incident_adapters.cli import run
from tests.importing import most_kilobytes
code = run(sys.argv[1:])
print(most_kilobytes() // 1024, file=sys.stderr)
sys.exit(code)
"""


# One test, since an examination of the whole log takes most of the time.
@needs_real_log
def test_conformance_is_what_a_plain_count_over_the_file_says(real_store_url: str, tmp_path: Path) -> None:
    """Eight clauses are counted from the rows alone; an archive answers the same; memory is bounded."""
    file, archive, again = (tmp_path / name for name in ("first.json", "journal.jsonl", "second.json"))

    megabytes = examined_elsewhere("--store", real_store_url, "--json", "--output", str(file))
    # After that, since an export is an event of the store itself, which the archive does not hold.
    assert run(["export", str(archive), "--store", real_store_url]) == 0
    assert run(["conformance", "--from-archive", str(archive), "--json", "--output", str(again)]) == 0

    assert digest(file) == digest(again)

    told = json.loads(file.read_text())
    counted = Count()
    by_code = Counter((each["clause"], each["code"]) for each in told["findings"])
    assert by_code["P1.3", "role-unknown"] == counted.happened["registered"]
    assert by_code["P1.2", "no-way-to-reach"] == counted.happened["customer given"]
    assert by_code["P1.2", "no-workplace"] == counted.happened["customer without workplace"]
    assert by_code["P1.8", "similarity-undecided"] == counted.happened["classified first"]
    assert by_code["P1.11", "gravity-undecided"] == counted.happened["classified first"]
    assert by_code["P2.2", "no-match-recorded"] == counted.happened["handed over"]
    assert by_code["P4.1", "not-resolved"] == counted.happened["closed unresolved"]
    assert by_code["P5.1", "not-confirmed"] == counted.happened["closed"]
    for code in ("no-root-cause", "record-not-verified", "satisfaction-unknown"):
        assert by_code["P5.2", code] == counted.happened["closed"]
    assert cells(told, "P5.1", "month") == counted.closed_in
    assert cells(told, "P2.2", "group") == +counted.handed_over_by
    assert {each["verdict"] for each in told["findings"] if each["clause"] in {"P4.1", "X7"}} == {"broken"}
    assert {each["found"] for each in told["findings"] if each["code"] != "role-unknown"} == {"both"}
    assert told["totals"]["breaks"] == 0
    assert megabytes < MEGABYTES


def examined_elsewhere(*words: str) -> int:
    """Run `incidents conformance` in a process of its own, and give the most memory that it held, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, "conformance", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stderr.split()[-1])


def cells(told: Any, clause: str, by: str) -> Mapping[str | None, int]:
    """The totals of a clause by month or by group."""
    counts: Counter[str | None] = Counter()
    for each in told["totals"]["cells"]:
        if each["clause"] == clause:
            counts[each[by]] += each["count"]
    return counts


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


class Count:
    """What the rows of the file say, incident by incident, by nothing but their columns."""

    def __init__(self) -> None:
        self.happened: Counter[str] = Counter()
        self.closed_in: Counter[str] = Counter()
        self.handed_over_by: Counter[str | None] = Counter()
        for rows in incidents_of_the_file():
            self._customer(rows)
            self._course(rows)

    def _customer(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Customer data is given at the registration, and where a row names another caller or place."""
        held: tuple[str, str] | None = None
        for row in rows:
            caller, place = row["caller_id"], row["location"]
            if held is not None:
                caller = held[0] if caller == "?" else caller
                place = held[1] if place == "?" else place
            if (caller, place) != held:
                self.happened["registered"] += held is None
                self.happened["customer given"] += 1
                self.happened["customer without workplace"] += place == "?"
            held = caller, place

    def _course(self, rows: Iterable[Mapping[str, str]]) -> None:
        state, group, classified = "", None, False
        for row in rows:
            if not classified and row["category"] != "?":
                classified = True
                self.happened["classified first"] += group is None and state != "Resolved"
            if group is not None or row["assignment_group"] != "?" or row["assigned_to"] != "?":
                taker = row["assignment_group"].replace("?", UNNAMED_GROUP)
                self.happened["handed over"] += taker != group
                self.handed_over_by[group] += taker != group
                group = taker
            if row["incident_state"] == "Closed":
                self.happened["closed"] += 1
                self.happened["closed unresolved"] += state != "Resolved"
                self.closed_in[f"{at(row['sys_updated_at']):%Y-%m}"] += 1
            state = row["incident_state"]


def incidents_of_the_file() -> Iterator[list[dict[str, str]]]:
    """The rows of each incident that can have happened, up to its closing."""
    incidents: dict[str, list[dict[str, str]]] = {}
    latest: dict[str, datetime] = {}
    with gzip.open(REAL_LOG, "rt", newline="") as log:
        for row in csv.DictReader(log):
            number, updated, opened = row["number"], at(row["sys_updated_at"]), at(row["opened_at"])
            kept = incidents.setdefault(number, [])
            impossible = updated < max(opened, latest.get(number, opened)) or row["incident_state"] == "-100"
            latest[number] = updated
            closed = kept and kept[-1]["incident_state"] == "Closed"
            if not closed and not impossible:
                kept.append(row)
    yield from (rows for rows in incidents.values() if rows)


def at(written: str) -> datetime:
    """A time of the log, in UTC."""
    return datetime.strptime(written, "%d/%m/%Y %H:%M").replace(tzinfo=MADRID).astimezone(UTC)
