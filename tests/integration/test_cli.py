"""The command line on real stores."""

import errno
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import frozen

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import PRINTER, SCANNERS, TELEPHONES
from tests.documents import ROOT, blocks
from tests.servicenow_logs import REAL_LOG, needs_real_log

GUIDE = ROOT / "docs" / "how-to" / "use-the-command-line.md"
PROGRAM = Path(sys.executable).with_name("incidents")


@frozen
class Ran:
    """How a call of the program went."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its answer as data."""
        return json.loads(self.out)


Incidents: TypeAlias = Callable[..., Ran]


@pytest.fixture
def incidents(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Incidents:
    """Give the program, run in this process."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("INCIDENTS_STORE", raising=False)

    def call(*words: str) -> Ran:
        code = run(words)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store in which the demo was played; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('played') / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) == ExitCode.DONE
    return url


def test_the_demo_walks_the_five_steps(incidents: Incidents) -> None:
    """The story goes through all steps, shows what is refused, and ends with timeline and report."""
    told = incidents("demo")

    assert (told.code, told.err) == (ExitCode.DONE, "")
    headings = re.findall(r"^[A-Z][A-Z0-9 :,]+$", told.out, flags=re.MULTILINE)
    assert headings == [
        "STEP 1: IDENTIFICATION AND REGISTRATION",
        "STEP 2: CLASSIFICATION AND INITIAL SUPPORT",
        "STEP 3: INVESTIGATION AND DIAGNOSIS",
        "STEP 4: RESOLUTION AND RECOVERY",
        "STEP 5: CLOSURE",
        "WHAT STAYS",
    ]
    assert "P3.2    the group has not acknowledged receipt" in told.out
    assert "P1.11   major incident: management has not been informed" in told.out
    assert len(re.findall(r"^ +P5\.[12] ", told.out, flags=re.MULTILINE)) == 4
    assert "major  14 min      3       9D3P-V7JA-0KZT  No telephone at the head office works" in told.out
    assert "same place Zaragoza" in told.out
    assert "Closure report of incident 2, 4T7K-9QXM-C3VW" in told.out
    assert "handling time         4 h 33 min" in told.out


def test_the_demo_shows_how_long_is_left(incidents: Incidents, played: str) -> None:
    """An agreement runs in it, so that queue, clocks and report have targets met and breached."""
    told = " ".join(incidents("demo").out.split())

    assert "acknowledging by parcels-day is due in 6 min" in told
    assert "acknowledging by parcels-day was due 11 min ago" in told
    assert "parcels-day acknowledge 30 min 49 min 1 1 breached" in told
    assert "parcels-day resolve 4 h 00 min 3 h 03 min 1 0 met" in told
    clocks = incidents("clocks", "3", "--as-of", "2026-03-02T10:30", "--json", "--store", played).data
    assert [each["due_at"] for each in clocks["clocks"]] == ["2026-03-02T10:05:00Z", "2026-03-02T11:50:00Z"]


def test_the_demo_is_the_same_each_time(incidents: Incidents) -> None:
    """The story has fixed times and ids, as text and as data."""
    assert incidents("demo").out == incidents("demo").out
    assert incidents("demo", "--json").out == incidents("demo", "--json").out


def test_the_demo_fits_a_terminal(incidents: Incidents, monkeypatch: pytest.MonkeyPatch) -> None:
    """On eighty columns no line is longer, and no reference or number is cut."""
    monkeypatch.setenv("COLUMNS", "80")
    told = incidents("demo").out

    assert max(map(len, told.splitlines())) <= 80
    assert "…" not in told
    assert TELEPHONES in told


def test_the_demo_writes_only_into_a_store_that_is_named(
    incidents: Incidents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable that names the store of daily work does not lead the story there."""
    monkeypatch.setenv("INCIDENTS_STORE", f"sqlite:///{tmp_path / 'work.sqlite'}")

    assert incidents("demo").code == ExitCode.DONE
    assert list(tmp_path.iterdir()) == []


def test_the_demo_is_played_once_in_a_store(incidents: Incidents, played: str) -> None:
    """A store that holds the story already says so, and nothing is recorded."""
    before = incidents("timeline", SCANNERS, "--store", played).out

    again = incidents("demo", "--store", played)

    assert again.code == ExitCode.STORE
    assert "was played in it before" in again.err
    assert incidents("timeline", SCANNERS, "--store", played).out == before


def test_a_whole_walk_on_every_store(incidents: Incidents, store_url: str) -> None:
    """On SQLite and on PostgreSQL every reading command tells the same of the story."""
    assert incidents("demo", "--store", store_url).code == ExitCode.DONE

    queue = incidents("queue", "--group", "network", "--json", "--store", store_url).data
    shown = incidents("show", "3", "--json", "--store", store_url).data
    timeline = incidents("timeline", SCANNERS, "--json", "--store", store_url).data
    report = incidents("report", "2", "--json", "--store", store_url).data
    period = incidents("report", "--from", "2026-03-01", "--json", "--store", store_url).data
    rebuilt = incidents("rebuild", "--json", "--store", store_url).data

    assert [each["incident"] for each in queue["entries"]] == [TELEPHONES]
    assert shown["incident"]["major"] is True
    assert shown["missing_to_close"][0]["code"] == "not-resolved"
    assert [each["version"] for each in timeline["timeline"]] == list(range(1, 39))
    assert (report["agreement"], report["handling"]) == ("confirmed", "PT16380S")
    assert (period["closed"], period["reopened"]) == (1, 1)
    assert set(rebuilt["views"].values()) == {len(told_events(incidents, store_url))}


def told_events(incidents: Incidents, store_url: str) -> list[str]:
    """Every event of the story: that of the agreement, and those of its three incidents."""
    published = incidents("agreements", "list", "--json", "--store", store_url).data["agreements"]
    return [each["agreement"] for each in published] + [
        each["event_id"]
        for name in (PRINTER, SCANNERS, TELEPHONES)
        for each in incidents("timeline", name, "--json", "--store", store_url).data["timeline"]
    ]


def test_the_text_of_a_queue(incidents: Incidents, played: str) -> None:
    """The work queue says in one look what weighs most, who holds it, and how it stands."""
    said = incidents("queue", "work", "--store", played).out.splitlines()

    assert said[0].split() == [
        "Prio",
        "Age",
        "Number",
        "Incident",
        *["What", "it", "is,", "how", "it", "stands,", "and", "why", "here"],
    ]
    assert said[1].startswith("major")
    assert "No telephone at the head office works" in said[1]
    assert "line 3, network: not acknowledged" in said[2]
    assert "Major incident; acknowledging by parcels-day was due" in said[3]
    assert said[5].startswith("4")


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        (["--service", "telephony"], [TELEPHONES]),
        (["--service", "warehouse-labels", "--state", "investigation"], [PRINTER]),
        (["--state", "on-hold"], []),
        (["--line", "3", "--unacknowledged"], [TELEPHONES]),
        (["--line", "1"], []),
    ],
)
def test_p2_5_the_work_queue_is_narrowed_on_the_command_line(
    incidents: Incidents, played: str, narrowing: list[str], expected: list[str]
) -> None:
    """What narrows the queue in the library narrows it here; each entry brings the reasons for its place."""
    entries = incidents("queue", *narrowing, "--json", "--store", played).data["entries"]

    assert [each["incident"] for each in entries] == expected
    assert [each["place"]["behind_by"] for each in entries] == [None] * len(expected)


def test_a_queue_goes_on_page_by_page(incidents: Incidents, played: str) -> None:
    """The word at the end of a page leads to the next, up to the last, which has none."""
    first = incidents("queue", "work", "--limit", "1", "--json", "--store", played).data
    second = incidents(
        "queue", "work", "--limit", "1", "--after", first["next"], "--json", "--store", played
    ).data
    text = incidents("queue", "work", "--limit", "1", "--store", played).out

    assert [each["incident"] for each in first["entries"] + second["entries"]] == [TELEPHONES, PRINTER]
    assert second["next"] is None
    assert " ".join(text.split()).endswith(f"go on with --after {first['next']}")


def test_an_incident_is_named_by_number_or_reference(incidents: Incidents, played: str) -> None:
    """Number, reference and reference in small letters lead to the same incident."""
    by_number, by_reference, in_small = (
        incidents("report", name, "--store", played).out for name in ("2", SCANNERS, SCANNERS.lower())
    )

    assert by_number == by_reference == in_small


def test_show_says_all_that_is_missing_before_closing(incidents: Incidents, played: str) -> None:
    """Every objection to the closing stands there with its clause (P5.2)."""
    said = incidents("show", PRINTER, "--store", played).out

    missing = said[said.index("Missing before it may close") :]
    assert [line.split()[0] for line in missing.splitlines()[2:]] == ["P4.1", "P5.2", "P5.2", "P5.1", "P5.2"]


@pytest.mark.parametrize(
    "name", ["4711", "AAAA-BBBB", "known-error-x", "0", "9" * 30, "²", "x" * 300, "\udcff"]
)
def test_an_unknown_incident_is_said_so(incidents: Incidents, played: str, name: str) -> None:
    """There is a line that says where to look, and the exit code tells."""
    ran = incidents("show", name, "--store", played)

    assert (ran.code, ran.out) == (ExitCode.REFUSED, "")
    assert ran.err.startswith("incidents: INCIDENT: there is none")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://somewhere/x", "not supported"),
        ("nonsense", "not a URL"),
        ("postgresql://user:secret@127.0.0.1:1/x", "check that the server runs"),
        ("postgresql://user@127.0.0.1:1/x?password=secret", "check that the server runs"),
        ("postgresql://user:secret@127.0.0.1:port/x", "not a URL"),
    ],
)
def test_a_store_that_cannot_be_used_is_said_so(incidents: Incidents, url: str, said: str) -> None:
    """The line says what to do and never the password."""
    ran = incidents("queue", "--store", url)

    assert (ran.code, ran.out) == (ExitCode.STORE, "")
    assert said in ran.err
    assert "secret" not in ran.err
    assert ran.err.count("\n") == 1


def test_a_slip_in_a_name_makes_no_store(incidents: Incidents, tmp_path: Path) -> None:
    """A command that reads never makes an empty store, it says that there is none."""
    ran = incidents("queue", "--store", f"sqlite:///{tmp_path / 'slip.sqlite'}")

    assert ran.code == ExitCode.STORE
    assert "there is no file" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_store_is_left_as_it_is(incidents: Incidents, tmp_path: Path) -> None:
    """A file of another kind is refused and not touched."""
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir or Madam, " * 100)

    ran = incidents("queue", "--store", f"sqlite:///{letter}")

    assert ran.code == ExitCode.STORE
    assert letter.read_text() == "Dear Sir or Madam, " * 100


def test_an_event_that_cannot_be_read_is_said_so(incidents: Incidents, tmp_path: Path) -> None:
    """The line names the event and the key that is wrong with it, and no traceback follows."""
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    incidents("demo", "--store", store)
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as file, file:
        file.execute("UPDATE journal SET name = 'incident.later.v9' WHERE position = 9")
        file.execute("UPDATE view_positions SET position = 0")

    ran = incidents("queue", "--store", store)

    assert ran.code == ExitCode.STORE
    assert "cannot read incident.later.v9 of stream" in ran.err
    assert ran.err.count("\n") == 1


def test_a_line_of_error_steers_no_terminal(incidents: Incidents, played: str) -> None:
    """What somebody typed is shown with what could move the cursor or turn the line made visible."""
    ran = incidents("rebuild", "\x1b[2J\u202e", "--store", played)

    assert ran.code == ExitCode.MISUSED
    assert ran.err.strip().isprintable()


def test_a_period_outside_the_calendar_is_refused(incidents: Incidents, played: str) -> None:
    """The first hours of the year 1 exist in some zones only."""
    ran = incidents("report", "--from", "0001-01-01T00:00:00+14:00", "--store", played)

    assert ran.code == ExitCode.MISUSED
    assert "--from: must lie in the years 1 to 9999 of UTC" in ran.err


def test_a_word_that_no_page_ended_with_is_refused(incidents: Incidents, played: str) -> None:
    """A bad cursor is a misuse, named by its option."""
    ran = incidents("queue", "--after", "bm9uc2Vuc2U", "--store", played)

    assert ran.code == ExitCode.MISUSED
    assert "--after" in ran.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["report"], "--from"),
        (["report", "2", "--from", "2026-03-01"], "INCIDENT"),
        (["report", "--from", "2026-03-02", "--to", "2026-03-02"], "--to"),
    ],
)
def test_a_report_is_about_an_incident_or_a_period(
    incidents: Incidents, played: str, words: list[str], named: str
) -> None:
    """Neither, both, or a period that is none is refused by the name of the option."""
    ran = incidents(*words, "--store", played)

    assert (ran.code, ran.out) == (ExitCode.MISUSED, "")
    assert named in ran.err


def test_a_period_ends_before_its_end(incidents: Incidents, played: str) -> None:
    """What was closed at the end of a period belongs to the next; a zone in the option counts."""

    def closed(since: str, until: str) -> int:
        report = incidents("report", "--from", since, "--to", until, "--json", "--store", played).data
        count: int = report["closed"]
        return count

    assert closed("2026-03-02", "2026-03-02T14:21:00") == 0
    assert closed("2026-03-02T14:21:00", "2026-03-03") == 1
    assert closed("2026-03-02T15:21:00+0100", "2026-03-03") == 1
    assert closed("2026-03-02T14:22:00", "2026-03-03") == 0


def test_without_its_extra_the_program_says_how_to_get_it(tmp_path: Path) -> None:
    """A plain installation has the program too, but not what it needs; one line says what to install."""
    without = "import sys; sys.modules['cyclopts'] = None; from incident_adapters.cli import main"

    ran = subprocess.run(
        [sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        "incidents: cyclopts is not installed; add the extra cli: pip install '.[cli]' in a clone"
    ]


def test_the_text_of_a_period(incidents: Incidents, played: str) -> None:
    """The report of a period says how many, how long, how often reopened, and what the customers said."""
    said = incidents("report", "--from", "2026-03-01", "--to", "2026-04-01", "--store", played).out

    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[0] == "Incidents from 2026-03-01 00:00 to 2026-04-01 00:00"
    assert {"Closed 1", "Median handling time 4 h 33 min", "Reopened 100.0 %"} <= set(lines)
    assert {"satisfied 1 100.0 %", "Customer's agreement: confirmed 1 (100.0 %)"} <= set(lines)
    assert {"2 high 1 4 h 33 min 4 h 33 min", "network 1 4 h 33 min 4 h 33 min"} <= set(lines)


def test_a_report_is_printed_as_what_is_asked(incidents: Incidents, played: str) -> None:
    """As text, as data by either option, and as a page, in the language that is asked for."""

    def report(*words: str) -> Ran:
        return incidents("report", "2", *words, "--store", played)

    english, spanish = report("--format", "html"), report("--format", "html", "--language", "es")

    assert report("--format", "json").data == report("--json").data
    assert report().out == report("--format", "text").out
    assert report("--language", "es").out.startswith("Informe de cierre del incidente 2, 4T7K-9QXM-C3VW\n")
    assert english.out.startswith("<!DOCTYPE html>")
    assert "<h1>Informe de cierre del incidente 2, 4T7K-9QXM-C3VW</h1>" in spanish.out
    assert "<svg" in english.out


def test_a_report_says_one_thing_about_its_format(incidents: Incidents, played: str) -> None:
    """Data by one option and a page by the other is a contradiction."""
    ran = incidents("report", "2", "--json", "--format", "html", "--store", played)

    assert (ran.code, ran.out) == (ExitCode.MISUSED, "")
    assert "--format" in ran.err


def test_a_report_is_written_to_a_file_as_a_whole(incidents: Incidents, played: str, tmp_path: Path) -> None:
    """The file holds what would be printed, is as readable as any, and nothing else lies beside it."""
    file, other = tmp_path / "2.txt", tmp_path / "other.txt"
    file.write_text("an older report")
    other.write_text("")

    ran = incidents("report", "2", "--output", str(file), "--store", played)

    assert (ran.code, ran.out, ran.err) == (ExitCode.DONE, "", "")
    assert file.read_text(encoding="utf-8") == incidents("report", "2", "--store", played).out
    assert file.stat().st_mode == other.stat().st_mode
    assert sorted(tmp_path.iterdir()) == [file, other]


def test_a_link_stays_a_link_and_leads_to_the_report(
    incidents: Incidents, played: str, tmp_path: Path
) -> None:
    """What the link names is replaced, and not the link."""
    file, link = tmp_path / "2026.txt", tmp_path / "latest.txt"
    link.symlink_to(file)

    ran = incidents("report", "2", "--output", str(link), "--store", played)

    assert (ran.code, ran.err) == (ExitCode.DONE, "")
    assert link.readlink() == file
    assert file.read_text(encoding="utf-8") == incidents("report", "2", "--store", played).out
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_what_is_no_file_is_written_to_and_stays(incidents: Incidents, played: str, tmp_path: Path) -> None:
    """A report goes through a pipe, and a pipe is there afterwards: so it is with a device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with os.fdopen(os.open(pipe, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0) as other_end:
        ran = incidents("report", "2", "--output", str(pipe), "--store", played)
        came = other_end.read(65_536)

    assert (ran.code, ran.err) == (ExitCode.DONE, "")
    assert pipe.is_fifo()
    assert came is not None
    assert came.decode() == incidents("report", "2", "--store", played).out
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_look_ahead_beyond_the_calendar_is_refused(incidents: Incidents, played: str) -> None:
    """The line names the option and what to do."""
    ran = incidents("due", "--within", "3000000d", "--store", played)

    assert (ran.code, ran.out) == (ExitCode.MISUSED, "")
    assert ran.err.startswith("incidents: --within: reaches beyond the year 9999; look less far ahead")


def test_a_file_that_cannot_be_written_is_said_so(incidents: Incidents, played: str, tmp_path: Path) -> None:
    """What stands in its place stays, and the line names the option."""
    folder = tmp_path / "march.html"
    folder.mkdir()

    taken = incidents("report", "2", "--output", str(folder), "--store", played)
    nowhere = incidents("report", "2", "--output", str(tmp_path / "no" / "2.txt"), "--store", played)

    for ran in (taken, nowhere):
        assert (ran.code, ran.out) == (ExitCode.FILE, "")
        assert ran.err.startswith("incidents: --output: ")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_period_that_ends_ahead_ends_now(incidents: Incidents, played: str) -> None:
    """What is open is not counted as open in the future."""
    report = incidents("report", "--from", "2026-03-01", "--to", "2999-01-01", "--json", "--store", played)

    assert report.data["until"] < "2999"
    assert report.data["backlog"][-1]["open"] == 2


@needs_real_log
def test_the_log_of_another_system_is_imported(incidents: Incidents, tmp_path: Path) -> None:
    """Every row is accounted for, a second run changes nothing, and the queues know the incidents."""
    part = tmp_path / "part.csv"
    unpacked = subprocess.run(["gzip", "-dc", REAL_LOG], check=True, capture_output=True).stdout
    part.write_bytes(b"".join(unpacked.splitlines(keepends=True)[:201]))
    store = f"sqlite:///{tmp_path / 'new' / 'folder' / 'imported.sqlite'}"
    words = ("import", "servicenow", str(part), "--zone", "Europe/Madrid", "--store", store)

    first = incidents(*words, "--json")
    again = incidents(*words, "--json")
    text = incidents(*words)

    account = first.data
    assert first.code == ExitCode.DONE
    assert account["rows"] == 200
    assert account["rows"] == sum(account[each] for each in ("recorded", "deviating", "unchanged", "refused"))
    assert again.data == account
    assert text.out.startswith("200 rows are accounted for")
    period = incidents("report", "--from", "2016-01-01", "--json", "--store", store).data
    assert period["closed"] == period["agreement"]["unknown"] > 0


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.csv", None), ("other.csv", b"a,b\n1,2\n"), ("broken.gz", b"\x1f\x8b\x08x")],
)
def test_a_file_that_is_no_log_is_said_so(
    incidents: Incidents, tmp_path: Path, name: str, content: bytes | None
) -> None:
    """A file that is missing, of another kind, or damaged has an exit code of its own."""
    if content is not None:
        (tmp_path / name).write_bytes(content)

    ran = incidents(
        *("import", "servicenow", str(tmp_path / name), "--zone", "UTC"),
        *("--store", f"sqlite:///{tmp_path / 'store.sqlite'}"),
    )

    assert (ran.code, ran.out) == (ExitCode.FILE, "")
    assert name in ran.err
    assert ran.err.count("\n") == 1


def test_a_view_of_another_release_is_rebuilt_on_demand(incidents: Incidents, tmp_path: Path) -> None:
    """Rebuilding is the way out where reading is refused, so it does not read first."""
    file = tmp_path / "newer.sqlite"
    store = f"sqlite:///{file}"
    incidents("demo", "--store", store)
    before = incidents("queue", "work", "--json", "--store", store).data
    with closing(sqlite3.connect(file)) as views, views:
        views.execute("UPDATE view_positions SET version = version + 1 WHERE view = 'queue'")

    refused = incidents("queue", "work", "--store", store)
    rebuilt = incidents("rebuild", "queue", "--store", store)
    after = incidents("queue", "work", "--json", "--store", store).data

    assert refused.code == ExitCode.STORE
    assert "rebuild" in refused.err
    assert rebuilt.code == ExitCode.DONE
    assert [each["incident"] for each in after["entries"]] == [each["incident"] for each in before["entries"]]


def test_the_program_as_it_is_installed(tmp_path: Path) -> None:
    """`incidents demo` runs by itself, in a home without anything, and prints letters of any language."""
    ran = subprocess.run(
        [PROGRAM, "demo"],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C"},
    )

    assert b"WHAT STAYS" in ran.stdout
    assert ran.stderr == b""
    assert list(tmp_path.iterdir()) == []


def test_the_default_store_lies_in_the_data_folder(tmp_path: Path) -> None:
    """Without an option and a variable the program names the file that it looks for."""
    ran = subprocess.run(
        [PROGRAM, "queue"],
        capture_output=True,
        check=False,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")},
    )

    assert ran.returncode == ExitCode.STORE
    assert str(tmp_path / "data" / "itil-incidents" / "incidents.sqlite") in ran.stderr


def test_a_reader_that_has_gone_is_no_error(played: str) -> None:
    """When nobody reads the output any more, the program ends without a word."""
    reads, writes = os.pipe()
    os.close(reads)
    try:
        ran = subprocess.run(
            [PROGRAM, "timeline", "2", "--store", played],
            stdout=writes,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writes)

    assert (ran.returncode, ran.stderr) == (ExitCode.PIPE_CLOSED, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_one_line(played: str) -> None:
    """An answer that cannot be written whole is said so, and not by a traceback."""
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [PROGRAM, "timeline", "2", "--store", played], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert ran.returncode == ExitCode.FILE
    assert ran.stderr == b"incidents: No space left on device; make room, or name another place\n"


def test_an_answer_that_nobody_wants_is_no_error(played: str) -> None:
    """Started with its standard output closed, the program does its work and ends as always."""
    words = shlex.join([str(PROGRAM), "timeline", "2", "--store", played])
    ran = subprocess.run(["sh", "-c", f"{words} >&-"], capture_output=True, check=False)

    assert (ran.returncode, ran.stderr) == (ExitCode.DONE, b"")


def test_an_interruption_ends_the_program_quietly(tmp_path: Path) -> None:
    """Ctrl-C gives one line and its exit code, and no traceback."""
    log = tmp_path / "log.csv"
    os.mkfifo(log)
    words = ("import", "servicenow", str(log), "--zone", "UTC", "--store", f"sqlite:///{tmp_path}/new.sqlite")
    with subprocess.Popen(
        [PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_interruptions,  # noqa: PLW1509, a signal is set and nothing else is done
    ) as program:
        try:
            pipe = _opened_by(program, log)
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=60)
            os.close(pipe)
        finally:
            program.kill()

    assert program.returncode == ExitCode.INTERRUPTED
    assert out == b""
    assert err == b"incidents: interrupted; what was recorded stays recorded\n"


def _heed_interruptions() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, the tests and all that they start too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _opened_by(program: subprocess.Popen[bytes], log: Path) -> int:
    """The writing end of a named pipe, as soon as the program has opened it to read."""
    while program.poll() is None:
        try:
            return os.open(log, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        os.sched_yield()
    pytest.fail("the program ended before it read the log")


def test_the_guide_to_the_command_line_holds(
    incidents: Incidents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that the guide shows works as it is printed, and prints what is shown."""
    monkeypatch.chdir(tmp_path)
    called = 0
    for block in blocks(GUIDE):
        for call in block.text.split("$ ")[1:]:
            line, _, shown = call.partition("\n")
            program, *words = shlex.split(line)
            assert program == "incidents"
            if "import" in words:
                continue
            ran = incidents(*words)
            assert (ran.code, ran.err) == (ExitCode.DONE, ""), line
            assert ran.out == (shown or ran.out), line
            called += 1
    assert called > 10


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("`demo`", "demo"),
        ("`queue`", "queue"),
        ("`show`", "show 3"),
        ("`timeline`", "timeline 3"),
        ("`report` of a period", "report --from 2026-01-01"),
        ("`agreements list`", "agreements list"),
        ("`what-if`", "what-if --calendar 24x7 --from 2026-03-01"),
        ("`replay`", "replay"),
        ("`replay` of an incident", "replay 3"),
        ("`conformance`", "conformance"),
        ("`rebuild`", "rebuild queue"),
        ("`views`", "views"),
    ],
)
def test_the_guide_names_the_members_of_every_answer(
    incidents: Incidents, played: str, command: str, words: str
) -> None:
    """What programs may rely on is what the guide says."""
    row = re.search(rf"^\| {command} \| (.+) \|$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert row is not None
    store = () if words == "demo" else ("--store", played)

    answer = incidents(*words.split(), "--json", *store).data

    assert set(answer) == set(re.findall(r"`(\w+)`", row[1]))
