"""The journal as an archive, and back into another store."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from sqlalchemy import Connection, inspect, text

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.archive_file import ArchiveUnreadable, opened_archive, write_archive
from incident_adapters.archive_import import Imported, OtherHistory, import_archive
from incident_adapters.archive_line import line_of
from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format
from incident_adapters.demo_stage import PRINTER, SCANNERS
from incident_adapters.export_selection import WHOLE_JOURNAL, Selection, extract
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import ClaimNumbers, JournalRow, open_recorder
from incident_adapters.verify_store import verify_store
from incident_adapters.whole_file import FileInUse, part_of, whole_file
from incident_domain.events import IncidentId
from incident_projections.engine import Projections
from incident_projections.views import views
from tests.exporting import export_and_be_killed, export_elsewhere
from tests.long_journals import tell_again
from tests.tampered import LOG, NOW


def silent(_reached: int, _goal: int) -> None:
    """Nobody looks."""


def exported(url: str, file: Path, selection: Selection = WHOLE_JOURNAL) -> list[bytes]:
    """Export what is selected; the lines of the archive."""
    with Journal.open(url) as journal:
        wanted = extract(journal, selection, silent)
        with whole_file(file, kept=True) as part:
            write_archive(journal.store, wanted, part, silent)
    return file.read_bytes().splitlines()


def imported(url: str, file: Path) -> Imported:
    with Journal.open(url) as journal:
        return import_archive(journal, file, silent)


@pytest.fixture
def archive(told: str, tmp_path: Path) -> Path:
    """Give the archive of the whole journal of the demo."""
    exported(told, tmp_path / "told.jsonl")
    return tmp_path / "told.jsonl"


def events_of(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines[1:-1]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store in which the demo was played; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('told') / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) == ExitCode.DONE
    return url


@pytest.fixture(params=["from SQLite to PostgreSQL", "from PostgreSQL to SQLite"])
def both_ways(request: pytest.FixtureRequest, tmp_path: Path, postgres_database: str) -> tuple[str, str]:
    """Give the URL of a store in which the demo was played, and of an empty one on the other database."""
    here, there = f"sqlite:///{tmp_path / 'store.sqlite'}", postgres_database
    if request.param == "from PostgreSQL to SQLite":
        here, there = there, here
    assert run(["demo", "--store", here]) == ExitCode.DONE
    return here, there


def test_the_other_database_holds_the_same_bytes_numbers_and_views(
    both_ways: tuple[str, str], tmp_path: Path
) -> None:
    """Exported and imported, every row, number, row of every view, and the signed tree is the same."""
    # given
    here, there = both_ways
    with open_recorder(here) as store:
        signed = ProofLog(store).checkpoint([LOG], NOW)
    lines = exported(here, tmp_path / "here.jsonl")

    # when
    outcome = imported(there, tmp_path / "here.jsonl")

    # then
    assert outcome == Imported(events=len(lines) - 3, recorded=len(lines) - 3)
    assert exported(there, tmp_path / "there.jsonl") == lines
    assert everything_in(there) == everything_in(here)
    with open_recorder(there) as store:
        assert ProofLog(store).root(signed.checkpoint.size) == signed.checkpoint.root
        assert verify_store(store, [LOG.verifier]).sound


def everything_in(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the journal, of its numbers, and of all views."""
    with Journal.open(url) as journal:
        projections = Projections(journal.store.engine, journal, views(AgreementTerms(journal)))
        projections.catch_up()
        with projections.reading() as connection:
            names = {name for name in inspect(connection).get_table_names() if "fts" not in name}
            assert {"journal", "incident_numbers", "queue"} <= names
            return {name: rows_of(connection, name) for name in sorted(names - {"view_positions"})}


def rows_of(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    found = connection.execute(text(f"SELECT * FROM {table}"))
    return sorted((tuple(map(str, each)) for each in found), key=str)


def test_a_line_is_what_the_journal_holds(told: str, archive: Path) -> None:
    """Between header and end stands every row with its exact bytes, in the order of the positions."""
    lines = archive.read_bytes().splitlines()

    with open_recorder(told) as store:
        assert lines[1:-1] == [line_of(row) for row in store.read(0, 1000)]
    assert json.loads(lines[0])["events"] == len(lines) - 2
    assert lines[-1] == b'{"checkpoint":null}'


def test_what_an_archive_holds_is_read_back(told: str, tmp_path: Path) -> None:
    """Header and rows come out as they went in, and they are read once."""
    since = datetime(2026, 3, 2, 9, tzinfo=UTC)
    exported(told, tmp_path / "part.jsonl", Selection(organisation="parcels", since=since))

    with opened_archive(tmp_path / "part.jsonl") as archive, open_recorder(told) as store:
        rows = list(archive.rows())
        assert archive.header.selection == Selection(organisation="parcels", since=since)
        assert archive.header.events == len(rows) > 0
        assert rows == [row for row in store.read(0, 1000) if row in rows]


def test_one_incident_comes_with_its_children(told: str, tmp_path: Path) -> None:
    """An incident is its whole stream and the streams of all that were ever linked to it as children."""
    # given
    alone = events_of(exported(told, tmp_path / "one.jsonl", Selection(incident=IncidentId(SCANNERS))))
    url = f"sqlite:///{tmp_path / 'linked.sqlite'}"
    with Journal.open(told) as source, Journal.open(url) as target:
        tell_again(source, target, 1)
    linked = b'"event":{"by":{"person":"bruno","role":"incident_manager","group":null},'
    linked += b'"occurred_at":"2026-03-03T00:00:00.000000Z","child":"%s-0","reason":"one cause"}}'
    with open_recorder(url) as store:
        last = store.read_stream(f"{SCANNERS}-0", 0)[-1]
        beginning = last[4][: last[4].index(b'"event":')]
        state = beginning + linked % PRINTER.encode()
        store.insert_events([StoredEvent(last[1], last[2] + 1, "incident.child_linked.v1", state)])

    # when
    lines = exported(url, tmp_path / "both.jsonl", Selection(incident=IncidentId(f"{SCANNERS}-0")))

    # then
    assert {each["stream"] for each in alone} == {SCANNERS}
    both = events_of(lines)
    assert {each["stream"] for each in both} == {f"{SCANNERS}-0", f"{PRINTER}-0"}
    assert [each["position"] for each in both] == sorted(each["position"] for each in both)


def test_one_organisation_is_every_incident_that_names_it(told: str, tmp_path: Path) -> None:
    """Each of its incidents is there from its first event to its last, and none of another organisation."""
    # given
    url = f"sqlite:///{tmp_path / 'two.sqlite'}"
    with Journal.open(told) as source, Journal.open(url) as target:
        tell_again(source, target, 1)
        told_elsewhere = [
            StoredEvent(f"other-{row[1]}", row[2], row[3], row[4].replace(b'"parcels"', b'"letters"'))
            for row in source.store.read(0, 1000)
        ]
        target.store.insert_events(told_elsewhere)

    # when
    lines = events_of(exported(url, tmp_path / "letters.jsonl", Selection(organisation="letters")))

    # then
    of_incidents = [
        each.originator_id for each in told_elsewhere if "agreement" not in str(each.originator_id)
    ]
    assert [each["stream"] for each in lines] == of_incidents
    assert exported(url, tmp_path / "none.jsonl", Selection(organisation="letter"))[1:] == [
        b'{"checkpoint":null}'
    ]


def test_what_narrows_an_export_holds_together(told: str, tmp_path: Path) -> None:
    """An incident and its organisation are the incident; with another's organisation it is nothing."""
    of_both, of_one, of_all = (
        {each["stream"] for each in events_of(exported(told, tmp_path / "part.jsonl", selection))}
        for selection in (
            Selection(incident=SCANNERS, organisation="parcels"),
            Selection(incident=SCANNERS),
            Selection(organisation="parcels"),
        )
    )

    assert of_both == of_one < of_all
    assert (
        exported(told, tmp_path / "none.jsonl", Selection(incident=SCANNERS, organisation="elsewhere"))[1:-1]
        == []
    )


def test_a_period_is_what_happened_in_it(told: str, tmp_path: Path) -> None:
    """The beginning belongs to a period and the end does not; two that meet are the whole."""
    with Journal.open(told) as journal:
        middle = journal.read_all(27, 1)[0].occurred_at
    before = events_of(exported(told, tmp_path / "before.jsonl", Selection(until=middle)))
    after = events_of(exported(told, tmp_path / "after.jsonl", Selection(since=middle)))
    whole = events_of(exported(told, tmp_path / "whole.jsonl"))

    written = middle.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    assert all(each["state"]["event"]["occurred_at"] < written for each in before)
    assert all(each["state"]["event"]["occurred_at"] >= written for each in after)
    assert sorted(each["position"] for each in before + after) == [each["position"] for each in whole]


def test_only_a_whole_journal_is_imported(told: str, tmp_path: Path) -> None:
    """A part of a journal lacks what came before it, and nothing of it is recorded."""
    exported(told, tmp_path / "part.jsonl", Selection(incident=IncidentId(SCANNERS)))
    empty = f"sqlite:///{tmp_path / 'empty.sqlite'}"

    with pytest.raises(ArchiveUnreadable, match="holds a part of a journal"):
        imported(empty, tmp_path / "part.jsonl")

    assert rows_in(empty) == 0


def rows_in(url: str) -> int:
    with Journal.open(url) as journal:
        return journal.head()


Lines: TypeAlias = list[bytes]


def in_line(number: int, old: bytes, new: bytes) -> Callable[[Lines], Lines]:
    """Replace something in one line; lines count from 1."""

    def change(lines: Lines) -> Lines:
        changed = lines[number - 1].replace(old, new)
        assert changed != lines[number - 1]
        return [*lines[: number - 1], changed, *lines[number:]]

    return change


def only(*kept: slice) -> Callable[[Lines], Lines]:
    """Keep these parts, in this order."""
    return lambda lines: [line for part in kept for line in lines[part]]


BROKEN: Final[list[tuple[str, Callable[[Lines], Lines], str]]] = [
    ("no header", only(slice(1, None)), "line 1: it is no header"),
    ("another version", in_line(1, b'"version":1', b'"version":2'), "another version"),
    ("no end", only(slice(-1)), "line 62: the archive is cut off"),
    ("one removed", only(slice(9), slice(10, None)), "line 10: position 10 follows 8"),
    ("the last removed", only(slice(-2), slice(-1, None)), "after 59 of the 60 events"),
    ("one twice", only(slice(9), slice(8, None)), "line 10: position 8 follows 8"),
    ("two swapped", only(slice(8), slice(9, 10), slice(8, 9), slice(10, None)), "position 9 follows 7"),
    ("fewer than the journal", in_line(1, b'"events":60', b'"events":59'), "up to position 60 it names 59"),
    ("a bottomless header", in_line(1, b'"events":', b'"x":' + b"[" * 99_999 + b',"events":'), "no header"),
    (
        "a bottomless event",
        in_line(9, b'"event":', b'"event":' + b"[" * 99_999),
        "line 9: .*no.* JSON object",
    ),
    ("a bottomless end", in_line(62, b"null", b"[" * 99_999), "line 62: the line with the checkpoint"),
    ("a blank", in_line(9, b'"version":', b'"version": '), "line 9: .*compact"),
    ("more after the end", only(slice(None), slice(-1, None)), "line 63: more follows"),
    ("an unknown event", in_line(3, b"registered.v2", b"registered.v9"), "no event of that name"),
    ("a key too many", in_line(3, b'"summary":', b'"more":1,"summary":'), "event.more is unknown"),
]


@pytest.mark.parametrize(("change", "said"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_archive_imports_nothing(
    archive: Path, change: Callable[[Lines], Lines], said: str, tmp_path: Path
) -> None:
    """Whatever is wrong with it is found before anything is recorded, and the line is named."""
    lines = change(archive.read_bytes().splitlines())
    archive.write_bytes(b"".join(line + b"\n" for line in lines))
    empty = f"sqlite:///{tmp_path / 'empty.sqlite'}"

    with pytest.raises((ArchiveUnreadable, MapperDeserialisationError), match=said):
        imported(empty, archive)

    assert rows_in(empty) == 0


def test_a_file_of_another_kind_is_no_archive(tmp_path: Path) -> None:
    """It is refused with its first line, however long that is."""
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 1000)

    with pytest.raises(ArchiveUnreadable, match="line 1"):
        imported(f"sqlite:///{tmp_path / 'empty.sqlite'}", tmp_path / "letter.txt")


def test_an_import_goes_on_where_it_was_and_a_second_records_nothing(archive: Path, store_url: str) -> None:
    """A store that holds the beginning of an archive is filled up, and then it is the same as the archive."""
    with opened_archive(archive) as opened, open_recorder(store_url) as store:
        for row in islice(opened.rows(), 30):
            store.insert_events([StoredEvent(*row[1:])], number=number_of(row))

    assert imported(store_url, archive) == Imported(events=60, recorded=30)
    assert imported(store_url, archive) == Imported(events=60, recorded=0)
    assert exported(store_url, archive.with_name("again.jsonl")) == archive.read_bytes().splitlines()


def number_of(row: JournalRow) -> ClaimNumbers | None:
    found = re.search(rb'"number":(\d+)', row[4])
    return ClaimNumbers(numbers={row[1]: int(found[1])}) if found else None


def test_a_store_with_other_events_is_left_as_it_is(archive: Path, store_url: str) -> None:
    """An archive is imported into an empty store, never into one with a history of its own."""
    with open_recorder(store_url) as store:
        store.insert_events([StoredEvent("other", 1, "incident.closed.v1", b"{}")])

    with pytest.raises(OtherHistory, match="position 1 is not the archive's"):
        imported(store_url, archive)

    assert rows_in(store_url) == 1


def test_a_store_that_is_ahead_is_left_as_it_is(told: str, archive: Path, store_url: str) -> None:
    """A journal that goes on after the archive is not what the archive holds."""
    with Journal.open(told) as source, Journal.open(store_url) as target:
        tell_again(source, target, 2)

    with pytest.raises(OtherHistory, match="holds 120 events and the archive 60"):
        imported(store_url, archive)


def test_two_exports_into_one_file_do_not_mix(told: str, tmp_path: Path) -> None:
    """While one process makes a file, another that wants the same one is told so."""
    with whole_file(tmp_path / "one.jsonl") as part:
        part.write_bytes(b"mine")
        with pytest.raises(FileInUse, match="another process is writing it"):
            exported(told, tmp_path / "one.jsonl")

    assert (tmp_path / "one.jsonl").read_bytes() == b"mine"


@pytest.fixture(scope="module")
def long(told: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store with 5,600 events; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('long') / 'long.sqlite'}"
    with Journal.open(told) as source, Journal.open(url) as target:
        tell_again(source, target, 100)
    return url


@pytest.mark.parametrize("form", Format)
def test_a_killed_export_leaves_what_was_there_and_the_next_is_whole(
    long: str, tmp_path: Path, form: Format
) -> None:
    """Killed wherever, no half file bears the name; the next export is the same as one in peace."""
    # given
    file, peaceful = tmp_path / "export", tmp_path / "peaceful"
    export_elsewhere(long, peaceful, form)
    file.write_bytes(b"what was there")
    killed = 0

    # when
    for reports in (1, 2, 3):
        killed += export_and_be_killed(long, file, form, reports)
        assert file.read_bytes() == b"what was there"

    # then
    assert killed == 3
    assert part_of(file).exists()
    done = export_elsewhere(long, file, form)
    assert file.read_bytes() == peaceful.read_bytes()
    assert not part_of(file).exists()
    assert (done.began_at > 1000) == (form is Format.JSONL)


def test_an_archive_does_not_go_on_with_the_part_of_another_store(
    told: str, long: str, tmp_path: Path
) -> None:
    """A part whose last event is not the store's, or that is of another length, is begun anew."""
    peaceful = exported(told, tmp_path / "peaceful.jsonl")
    part = part_of(tmp_path / "export.jsonl")
    other = [*peaceful[:-2], peaceful[-2].replace(b"2026-03", b"2027-03"), b'{"posi']
    for left in ([*exported(long, tmp_path / "long.jsonl")[:50]], other, [b"\x00" * 9000], peaceful[:20]):
        part.write_bytes(b"\n".join(left))

        assert exported(told, tmp_path / "export.jsonl") == peaceful


def test_what_no_line_can_hold_is_not_exported(tmp_path: Path) -> None:
    """Bytes with a line break were not written by the journal; the export says where they are."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with open_recorder(url) as store:
        store.insert_events([StoredEvent("a", 1, "incident.closed.v1", b'{\n"a":1}')])

    with pytest.raises(ArchiveUnreadable, match="position 1: what is stored holds a line break"):
        exported(url, tmp_path / "export.jsonl")

    assert not (tmp_path / "export.jsonl").exists()


def test_an_interrupted_import_from_the_command_line_is_told(archive: Path, tmp_path: Path) -> None:
    """The program exports, imports elsewhere, and says how much there was and how much was new."""
    there = f"sqlite:///{tmp_path / 'there.sqlite'}"

    assert run(["import", "archive", str(archive), "--store", there]) == ExitCode.DONE
    assert run(["import", "archive", str(archive), "--store", there]) == ExitCode.DONE
    assert run(["import", "archive", str(tmp_path / "nothing"), "--store", there]) == ExitCode.FILE
