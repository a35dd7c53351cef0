"""The journal as an archive, and back into another store."""

import fcntl
import json
import os
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.archive_file import ArchiveUnreadable, opened_archive, write_archive
from incident_adapters.archive_import import Imported, OtherHistory, import_archive
from incident_adapters.archive_line import line_of
from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import PRINTER, SCANNERS, TELEPHONES
from incident_adapters.export_selection import WHOLE_JOURNAL, Selection, extract
from incident_adapters.journal import Journal
from incident_adapters.whole_file import FileInUse, part_of
from incident_domain.envelope import Recorded
from incident_projections.engine import Projections
from incident_projections.views import views


def silent(_reached: int, _goal: int) -> None:
    """Nobody looks."""


def nothing() -> None:
    """No checkpoint was made."""


def exported(url: str, file: Path, selection: Selection = WHOLE_JOURNAL) -> list[bytes]:
    """Export what is selected; the lines of the archive."""
    with Journal.open(url) as journal:
        wanted = extract(journal, selection, silent)
        write_archive(journal.store, wanted, file, checkpoint=nothing, progress=silent)
    return file.read_bytes().splitlines()


def imported(url: str, file: Path) -> Imported:
    with Journal.open(url) as journal:
        return import_archive(journal, file, silent)


def events_of(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines[1:-1]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store in which the demo was played; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('told') / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) == ExitCode.DONE
    return url


@pytest.fixture(params=["from SQLite to PostgreSQL", "from PostgreSQL to SQLite"])
def both_ways(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_database: str
) -> Generator[tuple[str, str]]:
    """Give the URL of a store in which the demo was played, and of an empty one on the other database."""
    here, there = f"sqlite:///{tmp_path / 'store.sqlite'}", postgres_database
    if request.param == "from PostgreSQL to SQLite":
        here, there = there, here
    assert run(["demo", "--store", here]) == ExitCode.DONE
    yield here, there


def test_the_other_database_holds_the_same_bytes_numbers_and_views(
    both_ways: tuple[str, str], tmp_path: Path
) -> None:
    """Exported and imported, every row, every number and every row of every view is the same."""
    # given
    here, there = both_ways
    lines = exported(here, tmp_path / "here.jsonl")

    # when
    outcome = imported(there, tmp_path / "here.jsonl")

    # then
    assert outcome == Imported(events=len(lines) - 2, recorded=len(lines) - 2)
    assert exported(there, tmp_path / "there.jsonl") == lines
    assert everything_in(there) == everything_in(here)


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
