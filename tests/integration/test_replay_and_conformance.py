"""Replay and conformance on the command line: from a store, from an archive, and after tampering."""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import frozen

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import SCANNERS
from tests.documents import ROOT
from tests.integration.test_docs import follow
from tests.servicenow_logs import a_log, a_row


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
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("INCIDENTS_STORE", raising=False)

    def call(*words: str) -> Ran:
        code = run(words)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture
def played(incidents: Incidents, tmp_path: Path) -> Path:
    """Give the file of a store in which the demo was played."""
    store = tmp_path / "played.sqlite"
    assert incidents("demo", "--store", f"sqlite:///{store}").code == ExitCode.DONE
    return store


@pytest.fixture
def archived(incidents: Incidents, played: Path, tmp_path: Path) -> Path:
    """Give an archive of that store, exported from a copy of it: that it was exported is recorded there."""
    archive, copy = tmp_path / "played.jsonl", shutil.copyfile(played, tmp_path / "copy.sqlite")
    assert incidents("export", str(archive), "--store", f"sqlite:///{copy}").code == ExitCode.DONE
    return archive


def test_an_archive_is_replayed_as_its_store_is(
    incidents: Incidents, played: Path, archived: Path, tmp_path: Path
) -> None:
    """Everything and one incident come out the same from an archive, for which there is no store at all."""
    store, nowhere = f"sqlite:///{played}", f"sqlite:///{tmp_path / 'none.sqlite'}"
    for words in ([], [SCANNERS, "--step"], ["2", "--as-of-position", "20"], ["--as-of-position", "9"]):
        of_store = incidents("replay", *words, "--store", store, "--json")
        of_archive = incidents(
            "replay", *words, "--from-archive", str(archived), "--store", nowhere, "--json"
        )

        assert of_store.code == ExitCode.DONE
        assert of_archive.data == of_store.data

    conforming = incidents("conformance", "--store", store, "--json").data
    assert incidents("conformance", "--from-archive", str(archived), "--json").data == conforming
    assert not (tmp_path / "none.sqlite").exists()


def test_the_past_is_replayed_up_to_any_event(incidents: Incidents, played: Path) -> None:
    """As of a position, the replay of an incident ends with its last event up to there."""
    store = f"sqlite:///{played}"
    events = incidents("replay", SCANNERS, "--step", "--store", store, "--json").data["events"]

    for each in events:
        then = incidents(
            "replay", SCANNERS, "--as-of-position", str(each["position"]), "--store", store, "--json"
        )
        assert then.data["events"] == [each]
        seen = incidents(
            "show", SCANNERS, "--as-of-position", str(each["position"]), "--store", store, "--json"
        )
        assert then.data["seen"]["phase"] == seen.data["incident"]["phase"]


def test_what_was_made_here_conforms(incidents: Incidents, played: Path) -> None:
    """Nothing is found in a history that came of decisions."""
    found = incidents("conformance", "--store", f"sqlite:///{played}", "--json").data

    assert found["findings"] == []
    assert found["totals"]["breaks"] == 0
    assert {each["clause"] for each in found["totals"]["clauses"]} >= {"P1.3", "P3.2", "P4.1", "P5.2"}


def test_a_changed_row_is_found_with_its_place(incidents: Incidents, played: Path) -> None:
    """Somebody made the closing a customer's deed behind everybody's back; conformance names the event."""
    with closing(sqlite3.connect(played)) as database:
        position, state = row_of(database, "incident.closed.v1")
        changed = state.replace(b'"role":"service_desk"', b'"role":"customer"')
        assert changed != state
        database.execute("UPDATE journal SET state = ? WHERE position = ?", (changed, position))
        database.commit()

    found = incidents("conformance", "--store", f"sqlite:///{played}", "--json").data

    assert [
        (each["clause"], each["code"], each["position"], each["verdict"]) for each in found["findings"]
    ] == [("P5.2", "role", position, "broken")]
    text = incidents("conformance", "--store", f"sqlite:///{played}", "--clause", "P5.2").out
    assert "the role may not do this (found by replay)" in " ".join(text.split())


def test_an_event_that_cannot_be_is_named_and_ends_with_an_exit_code(
    incidents: Incidents, played: Path
) -> None:
    """An event whose bytes are cut says where it is, also for one incident."""
    store = f"sqlite:///{played}"
    with closing(sqlite3.connect(played)) as database:
        position, state = row_of(database, "incident.acknowledged.v1")
        database.execute("UPDATE journal SET state = ? WHERE position = ?", (state[:-1], position))
        database.commit()

    everything = incidents("replay", "--store", store)
    one = incidents("replay", SCANNERS, "--store", store)

    assert everything.code == one.code == ExitCode.STORE
    for ran in (everything, one):
        assert f"the event at position {position}, incident.acknowledged.v1" in ran.err
    assert incidents("replay", "--store", store, "--json").data["first_broken"][0]["position"] == position
    assert incidents("conformance", "--store", store, "--json").data["totals"]["breaks"] == 1


def test_a_part_of_a_journal_is_replayed_but_not_examined(
    incidents: Incidents, played: Path, tmp_path: Path
) -> None:
    """One incident's archive replays; rules that look at everything are not asked of it, nor of a cut one."""
    store, part, cut = f"sqlite:///{played}", tmp_path / "part.jsonl", tmp_path / "cut.jsonl"
    incidents("export", str(part), "--incident", SCANNERS, "--store", store)
    incidents("export", str(cut), "--from", "2026-03-02T10:00:00", "--store", store)

    assert incidents("replay", SCANNERS, "--from-archive", str(part)).code == ExitCode.DONE
    assert incidents("replay", "--from-archive", str(part)).code == ExitCode.DONE
    examined = incidents("conformance", "--from-archive", str(part))
    assert examined.code == ExitCode.MISUSED
    assert "export the whole journal" in examined.err
    assert "export without --from" in incidents("replay", "--from-archive", str(cut)).err


def test_conformance_is_printed_in_two_languages(incidents: Incidents, tmp_path: Path) -> None:
    """Text and page say the same in English and Spanish; the page needs no other file."""
    store = f"sqlite:///{tmp_path / 'imported.sqlite'}"
    resolved = {
        "incident_state": "Resolved",
        "sys_updated_at": "29/2/2016 08:53",
        "assignment_group": "Group 56",
    }
    closed = {**resolved, "incident_state": "Closed", "sys_updated_at": "5/3/2016 12:00"}
    log = a_log(tmp_path / "log.csv", [a_row(), a_row(**resolved), a_row(**closed)])
    incidents("import", "servicenow", str(log), "--zone", "Europe/Madrid", "--store", store)

    english = incidents("conformance", "--store", store).out
    assert "Conformance with the process" in english
    assert "P5.1" in english
    spanish = incidents("conformance", "--store", store, "--language", "es", "--clause", "P5.1").out
    assert "no se puede demostrar" in " ".join(spanish.split())
    page = tmp_path / "conformance.html"
    for language in ("en", "es"):
        words = ("--format", "html", "--language", language, "--output", str(page))
        assert incidents("conformance", *words, "--store", store).code == ExitCode.DONE
        written = page.read_text()
        assert f'lang="{language}"' in written
        assert "<svg" in written
        assert "P5.1" in written


def test_what_was_imported_leads_back_to_its_rows(incidents: Incidents, tmp_path: Path) -> None:
    """Every event of an imported incident is told of a row of the log, word for word."""
    store = f"sqlite:///{tmp_path / 'imported.sqlite'}"
    later = a_row(assignment_group="Group 56", sys_updated_at="29/2/2016 02:00")
    rows = [a_row(), a_row(number="INC0000046"), later]
    log = a_log(tmp_path / "log.csv", rows)
    incidents("import", "servicenow", str(log), "--zone", "Europe/Madrid", "--store", store)

    found = incidents("source", "45", str(log), "--store", store, "--json").data["rows"]

    assert [(each["row"], each["verbatim"]) for each in found] == [(2, rows[0]), (4, rows[2])]
    told = incidents("timeline", "45", "--store", store, "--json").data["timeline"]
    assert [event["position"] for each in found for event in each["events"]] == [
        each["position"] for each in told
    ]
    other = a_log(tmp_path / "other.csv", [a_row(number="INC0000099")])
    assert incidents("source", "45", str(other), "--store", store).code == ExitCode.REFUSED


def row_of(database: sqlite3.Connection, name: str) -> tuple[int, bytes]:
    """The first row of that wire name among the scanners' events."""
    position, state = database.execute(
        "SELECT position, state FROM journal WHERE name = ? AND stream = ? ORDER BY position LIMIT 1",
        (name, SCANNERS),
    ).fetchone()
    return position, bytes(state)


def test_the_commands_for_auditors_work_as_they_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command on the page for auditors can be typed in, one after the other."""
    monkeypatch.chdir(tmp_path)

    follow(ROOT / "docs" / "for-auditors.md")

    assert {each.name for each in tmp_path.glob("conform*")} == {
        "conformance.html",
        "conformidad.html",
        "conformance.json",
    }


def test_a_store_on_postgresql_is_replayed_and_examined_alike(
    incidents: Incidents, played: Path, postgres_database: str
) -> None:
    """The same story in the other database has the same states, the same totals and no finding."""
    assert incidents("demo", "--store", postgres_database).code == ExitCode.DONE

    for words in (["replay"], ["replay", SCANNERS, "--step"]):
        there = incidents(*words, "--store", postgres_database, "--json").data
        assert there == incidents(*words, "--store", f"sqlite:///{played}", "--json").data
    there = incidents("conformance", "--store", postgres_database, "--json").data
    assert there == incidents("conformance", "--store", f"sqlite:///{played}", "--json").data
    assert there["findings"] == []


def test_what_is_no_clause_is_refused(incidents: Incidents, played: Path) -> None:
    """A slip in the clause must not look like a history without findings."""
    ran = incidents("conformance", "--clause", "P9.9", "--store", f"sqlite:///{played}")

    assert (ran.code, ran.out) == (ExitCode.MISUSED, "")
    assert "--clause: is no clause of the process" in ran.err


def test_the_archive_that_is_examined_is_not_written_over(incidents: Incidents, archived: Path) -> None:
    """A slip in a name must not cost the evidence."""
    before = archived.read_bytes()

    ran = incidents("conformance", "--from-archive", str(archived), "--output", str(archived))

    assert (ran.code, archived.read_bytes()) == (ExitCode.MISUSED, before)
    assert "--output: is the archive that is examined" in ran.err


def test_a_position_beyond_the_archive_is_refused(incidents: Incidents, archived: Path) -> None:
    """The state at a moment that is not in the archive is not made up, of one incident or of everything."""
    beyond = ("--as-of-position", "1000", "--from-archive", str(archived))

    for ran in (incidents("replay", *beyond), incidents("replay", SCANNERS, *beyond)):
        assert (ran.code, ran.out) == (ExitCode.MISUSED, "")
        assert "nothing is recorded there; name one from 1 to " in ran.err


@pytest.mark.parametrize("name", ["none.jsonl", "letter.txt", "."])
def test_what_is_no_archive_makes_no_store(incidents: Incidents, tmp_path: Path, name: str) -> None:
    """A slip in the archive's name leaves no empty store behind."""
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam")

    ran = incidents(
        "import", "archive", str(tmp_path / name), "--store", f"sqlite:///{tmp_path / 'new.sqlite'}"
    )

    assert ran.code == ExitCode.FILE
    assert not (tmp_path / "new.sqlite").exists()


def test_an_instant_is_part_of_the_past_that_it_ends(incidents: Incidents, archived: Path) -> None:
    """What was recorded at the very instant belongs to it; an archive finds names in any case."""
    words = ("replay", SCANNERS.lower(), "--step", "--from-archive", str(archived), "--json")
    told = [(each["recorded_at"], each["position"]) for each in incidents(*words).data["events"]]
    instants = sorted({at for at, _ in told})
    assert len(instants) > 3

    for instant in instants[:3]:
        known = incidents(*words, "--as-of", instant).data["events"]
        assert [each["position"] for each in known] == [position for at, position in told if at <= instant]


def test_what_had_happened_by_an_instant_has_no_gaps_that_break_it(
    incidents: Incidents, archived: Path
) -> None:
    """Where one incident's event happened after all others its positions are left out; nothing is broken."""
    everything = incidents("replay", "--from-archive", str(archived), "--json").data["events"]
    lines = archived.read_bytes().split(b"\n")
    lines[3] = re.sub(rb'"occurred_at":"[^"]*"', b'"occurred_at":"2026-03-31T00:00:00.000000Z"', lines[3])
    archived.write_bytes(b"\n".join(lines))

    half = incidents("replay", "--as-of-occurred", "2026-03-30", "--from-archive", str(archived), "--json")

    assert half.code == ExitCode.DONE
    assert half.data["broken"] == 0
    assert 0 < half.data["events"] < everything
