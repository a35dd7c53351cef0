"""What leaves a store whose personal data is sealed: its archive, and the formats that others read."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import incident_domain as itil
from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format
from incident_adapters.forgetting import forget
from incident_adapters.recorder import StoreError
from incident_adapters.service_desk import ServiceDesk
from incident_domain.personal import ERASED, SEALED
from tests.integration.test_forgetting import (
    FIRST,
    GONE,
    OTHER,
    STAYS,
    asked,
    fill,
    found_in,
    lines,
    projections,
    registration,
)


@pytest.fixture
def sealed(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of a store with sealed incidents of two people; the command line has not their keys."""
    monkeypatch.delenv("INCIDENTS_KEYS", raising=False)
    (tmp_path / "elsewhere").mkdir()
    with ServiceDesk.open(store_url, keys=keys_of(tmp_path)) as desk:
        fill(desk)
    return store_url


def keys_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'elsewhere' / 'keys.db'}"


@pytest.fixture
def other_store(sealed: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty store on the other database."""
    if sealed.startswith("sqlite"):
        url: str = request.getfixturevalue("postgres_database")
        return url
    return f"sqlite:///{tmp_path / 'other.sqlite'}"


def export(url: str, file: Path, form: Format) -> bytes:
    """Export with the program, and give what it wrote."""
    assert run(["export", str(file), "--format", form.value, "--store", url]) == ExitCode.DONE
    return file.read_bytes()


def registrations(file: Path, form: Format) -> dict[str, dict[str, Any]]:
    """The registration of each incident in an export that others can read."""
    if form is Format.CLOUDEVENTS:
        return {
            each["subject"]: each["data"]
            for each in json.loads(file.read_bytes())
            if each["type"].startswith("incident.registered.")
        }
    with duckdb.connect() as database:
        found = database.execute(
            f"SELECT stream, event FROM read_parquet('{file}') WHERE name LIKE 'incident.registered.%'"
        ).fetchall()
    return {stream: json.loads(event) for stream, event in found}


def texts(file: Path, form: Format) -> bytes:
    """Everything in an export as plain text."""
    if form is not Format.PARQUET:
        return file.read_bytes()
    with duckdb.connect() as database:
        return repr(database.execute(f"SELECT * FROM read_parquet('{file}')").fetchall()).encode()


READABLE = (Format.CLOUDEVENTS, Format.PARQUET)


@pytest.mark.parametrize("form", READABLE)
def test_without_the_keys_an_export_says_sealed(sealed: str, tmp_path: Path, form: Format) -> None:
    """Nobody's text is in it, and the identifiers are."""
    file = tmp_path / "export"
    export(sealed, file, form)

    found = registrations(file, form)
    assert found[FIRST]["customer"]["name"] == found[OTHER]["customer"]["name"] == SEALED
    assert found[FIRST]["summary"] == found[FIRST]["reporter"]["name"] == SEALED
    assert found[FIRST]["customer"]["person"] == GONE
    assert found_in(texts(file, form)) == []
    assert b"Ana Sol" not in texts(file, form)


@pytest.mark.parametrize("form", READABLE)
def test_with_the_keys_an_export_says_erased_of_whom_was_forgotten_alone(
    sealed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Format
) -> None:
    """What was said about others is there to be read, and so was this before."""
    monkeypatch.setenv("INCIDENTS_KEYS", keys_of(tmp_path))
    before, file = tmp_path / "before", tmp_path / "export"
    export(sealed, before, form)
    assert "Zacarias" in found_in(texts(before, form))
    with ServiceDesk.open(sealed, keys=keys_of(tmp_path)) as desk:
        forget(desk, projections(desk), asked())

    export(sealed, file, form)

    found = registrations(file, form)
    assert found[FIRST]["customer"]["name"] == found[FIRST]["summary"] == ERASED
    assert found[FIRST]["customer"]["person"] == GONE
    assert found[OTHER]["customer"]["name"] == "Ana Sol"
    assert found_in(texts(file, form)) == []


def test_a_sealed_archive_is_imported_without_keys_byte_for_byte(
    sealed: str, other_store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the other database nobody reads it before the keys are there, and then everybody who has them."""
    # given
    archive = export(sealed, tmp_path / "here.jsonl", Format.JSONL)
    assert found_in(archive) == []

    # when
    assert run(["import", "archive", str(tmp_path / "here.jsonl"), "--store", other_store]) == ExitCode.DONE

    # then
    assert export(other_store, tmp_path / "there.jsonl", Format.JSONL) == archive
    capsys.readouterr()
    for command in (["timeline", FIRST], ["replay", FIRST, "--step"], ["report", FIRST], ["show", FIRST]):
        assert run([*command, "--store", other_store]) == ExitCode.DONE
    assert run(["replay", FIRST, "--from-archive", str(tmp_path / "here.jsonl")]) == ExitCode.DONE
    assert run(["conformance", "--store", other_store]) == ExitCode.DONE
    said = capsys.readouterr().out
    assert SEALED in said
    assert found_in(said.encode()) == []
    with ServiceDesk.open(other_store) as desk, pytest.raises(StoreError, match="with its key store"):
        desk.handle(registration(desk.new_incident_id(), STAYS))
    with ServiceDesk.open(other_store, keys=keys_of(tmp_path)) as desk:
        assert "Zacarias" in repr(desk.journal.read(FIRST))


def test_forgetting_reaches_an_archive_that_was_given_away(
    sealed: str, other_store: str, tmp_path: Path
) -> None:
    """Imported elsewhere beforehand, its bytes stay, and with the keys it says that it was erased."""
    export(sealed, tmp_path / "here.jsonl", Format.JSONL)
    assert run(["import", "archive", str(tmp_path / "here.jsonl"), "--store", other_store]) == ExitCode.DONE
    with ServiceDesk.open(other_store, keys=keys_of(tmp_path)) as desk:
        before = lines(desk)
    with ServiceDesk.open(sealed, keys=keys_of(tmp_path)) as desk:
        forget(desk, projections(desk), asked())

    with ServiceDesk.open(other_store, keys=keys_of(tmp_path)) as desk:
        [registered, *_] = desk.journal.read(FIRST)
        assert lines(desk) == before

    assert isinstance(registered.event, itil.IncidentRegistered)
    assert registered.event.customer.name == ERASED
