"""A journal whose rows somebody changed behind everybody's back, as those see it who audit it."""

import shutil
import sqlite3
from pathlib import Path
from typing import Final

import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format

DEEP: Final = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a store in which the demo was played; tests only copy it."""
    file = tmp_path_factory.mktemp("told") / "told.sqlite"
    assert run(["demo", "--store", f"sqlite:///{file}"]) is ExitCode.DONE
    return file


def forged(told: Path, folder: Path, change: str, value: object) -> tuple[str, int]:
    """Give the URL of a copy in which the row of an analysis was changed by SQL, and its position."""
    file = folder / "forged.sqlite"
    shutil.copy(told, file)
    with sqlite3.connect(file) as database:
        [position] = database.execute(
            "SELECT min(position) FROM journal WHERE name = 'incident.analysis_recorded.v1'"
        ).fetchone()
        database.execute(f"UPDATE journal SET {change} WHERE position = {position}", (value,))
    return f"sqlite:///{file}", position


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("state = ?", b""),
        ("state = ?", b"null"),
        ("state = ?", b"\xff" + DEEP),
        ("state = replace(state, '\"event\":{', '\"event\":{\"deep\":' || ? || ',')", DEEP.decode()),
        ('state = replace(state, \'"symptoms":"\', \'"symptoms":"\' || ?)', "\\ud800"),
        ("state = ?", 5),
        ("name = ?", b"incident.unheard_of.v1"),
        ("name = ?", "incident.closed.v1"),
        ("version = ?", "first"),
        ("version = ?", 2**62),
        ("stream = ?", b"elsewhere"),
    ],
)
def test_a_forged_row_is_named_and_ends_no_command_without_a_word(
    told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, value: object
) -> None:
    """Whatever stands in a row, replay names it, conformance counts it, and every export says a word."""
    # given
    url, position = forged(told, tmp_path, change, value)
    store = ("--store", url)
    capsys.readouterr()

    # when
    replayed = run(["replay", *store])
    named = capsys.readouterr().err
    examined = run(["conformance", *store])
    counted = capsys.readouterr().out
    exported = {
        form: run(["export", str(tmp_path / form.value), "--format", form.value, *store]) for form in Format
    }
    exported_of_a_period = run(["export", str(tmp_path / "part"), "--from", "2026-01-01", *store])

    # then
    assert (replayed, examined) == (ExitCode.STORE, ExitCode.DONE)
    assert f"the event at position {position}, " in named
    assert "Histories that cannot be  0" not in counted
    assert {*exported.values(), exported_of_a_period} <= {ExitCode.DONE, ExitCode.STORE, ExitCode.FILE}


def test_a_period_cannot_be_cut_from_events_that_do_not_say_when(
    told: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The event is named, and nothing is written."""
    store, position = forged(told, tmp_path, "state = ?", b"{}")

    code = run(["export", str(tmp_path / "part.jsonl"), "--from", "2026-01-01", "--store", store])

    assert code is ExitCode.STORE
    assert f"position {position} happened" in capsys.readouterr().err
    assert not (tmp_path / "part.jsonl").exists()


def test_a_state_that_was_stored_as_a_text_is_read_by_its_bytes(told: Path, tmp_path: Path) -> None:
    """An SQL function leaves a text where bytes were: the archive is that of the same bytes."""
    store, _ = forged(told, tmp_path, "state = CAST(state AS TEXT) || ?", "")

    for url, name in ((f"sqlite:///{told}", "before.jsonl"), (store, "after.jsonl")):
        assert run(["export", str(tmp_path / name), "--store", url]) is ExitCode.DONE

    assert (tmp_path / "after.jsonl").read_bytes() == (tmp_path / "before.jsonl").read_bytes()
