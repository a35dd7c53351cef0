"""Forgetting on the command line."""

import json
from pathlib import Path

import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.journal import Journal
from incident_adapters.key_store import SQLKeyStore
from incident_adapters.personal_seal import PersonalSeal
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import open_recorder
from incident_adapters.verify_archive import verify_archive
from incident_adapters.verify_store import verify_store
from incident_domain.events import SourceRowKept
from incident_domain.personal import ERASED, SEALED
from tests.servicenow_logs import a_log, a_row
from tests.tampered import LOG, NOW

BY = ("--by", "ben", "--role", "incident-manager")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Give the URL of a store with an imported log, whose keys the environment names."""
    monkeypatch.setenv("INCIDENTS_KEYS", f"sqlite:///{tmp_path / 'apart.db'}")
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    log = a_log(tmp_path / "log.csv", [a_row(number="INC0000001", caller_id="Caller 2403"), "Zacarias, junk"])
    assert run(["--store", url, "import", "servicenow", str(log), "--zone", "Europe/Madrid"]) == ExitCode.DONE
    capsys.readouterr()
    return url


def kept(store: str, seal: PersonalSeal | None = None) -> SourceRowKept:
    """The row that the import could not record, as it reads with these keys or with none."""
    with Journal.open(store, seal=seal) as journal:
        [row] = [each.event for each in journal.read_all(0, 100) if isinstance(each.event, SourceRowKept)]
    return row


def test_a_caller_of_an_imported_log_is_forgotten(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer counts what is gone, and the timeline shows that it is."""
    assert run(["--store", store, "--json", "forget", "Caller 2403", *BY]) == ExitCode.DONE
    counted = json.loads(capsys.readouterr().out)
    assert counted["person"] == "Caller 2403"
    assert counted["texts"] > 5
    assert (counted["incidents"], counted["left_readable"]) == (1, 0)

    assert run(["--store", store, "timeline", "1"]) == ExitCode.DONE
    assert ERASED in capsys.readouterr().out


def test_what_was_signed_stays_as_it_was_signed(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forgetting changes no byte of the journal: a checkpoint from before proves it in store and file."""
    with open_recorder(store) as recorder:
        before = ProofLog(recorder).checkpoint([LOG], NOW)

    assert run(["--store", store, "forget", "Caller 2403", *BY]) == ExitCode.DONE

    with open_recorder(store) as recorder:
        found = verify_store(recorder, [LOG.verifier], [before])
    assert found.sound
    assert found.events == before.checkpoint.size + 1
    assert run(["--store", store, "export", str(tmp_path / "journal.jsonl")]) == ExitCode.DONE
    assert verify_archive(tmp_path / "journal.jsonl", [LOG.verifier], [before]).sound


def test_the_rows_that_an_import_kept_go_with_the_name_of_its_stream(store: str, tmp_path: Path) -> None:
    """They may be about anybody, so that they are sealed for their import."""
    keys = f"sqlite:///{tmp_path / 'apart.db'}"
    assert kept(store).verbatim == SEALED
    assert kept(store, PersonalSeal(SQLKeyStore(keys))).verbatim == "Zacarias, junk"
    with Journal.open(store) as journal:
        [stream] = {each.stream for each in journal.read_all(0, 100) if each.stream.startswith("import-")}

    assert run(["--store", store, "forget", stream, *BY]) == ExitCode.DONE

    assert kept(store, PersonalSeal(SQLKeyStore(keys))).verbatim == ERASED


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("Zacarias Quiroga", *BY), ExitCode.REFUSED, "nothing is recorded about anybody"),
        (("Caller 2403", "--by", "amira", "--role", "service-desk"), ExitCode.REFUSED, "may not forget"),
    ],
)
def test_what_is_refused_is_said_without_repeating_it(
    store: str, words: tuple[str, ...], code: ExitCode, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that was typed by mistake stands nowhere afterwards, and nobody is forgotten."""
    assert run(["--store", store, "forget", *words]) == code

    printed = capsys.readouterr()
    assert said in printed.err
    assert "Zacarias" not in printed.err + printed.out
    assert run(["--store", store, "timeline", "1"]) == ExitCode.DONE
    assert ERASED not in capsys.readouterr().out


def test_a_store_without_keys_says_so(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its key store nobody can be forgotten, and the way out is told."""
    monkeypatch.delenv("INCIDENTS_KEYS")

    assert run(["--store", store, "forget", "Caller 2403", *BY]) == ExitCode.STORE
    assert "open it with its key store" in capsys.readouterr().err
