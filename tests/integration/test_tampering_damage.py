"""However a database was damaged, verify answers: it never takes it for sound, and never falls over."""

import shutil
import sqlite3
from pathlib import Path
from typing import Final

import pytest

from incident_adapters.cli import run as run_program
from incident_adapters.cli_errors import ExitCode
from incident_adapters.journal import Journal
from tests.tampered import AT, LOG, SIGNED, signed_journal

MADE_ANEW: Final = "CREATE TABLE made AS SELECT {columns} FROM {table}; DROP TABLE {table}; \
ALTER TABLE made RENAME TO {table};"
JOURNAL_ANEW: Final = MADE_ANEW.format(columns="*", table="journal")

DAMAGE: Final = {
    "a version as a text": MADE_ANEW.format(
        columns="position, stream, ' ' || version AS version, name, state", table="journal"
    ),
    "a version with an underscore": f"UPDATE journal SET version = '1_1' WHERE position = {AT}",
    "a name as bytes": f"UPDATE journal SET name = CAST(name AS BLOB) WHERE position = {AT}",
    "a version that is nothing": JOURNAL_ANEW + f"UPDATE journal SET version = NULL WHERE position = {AT}",
    "a stream that is nothing": JOURNAL_ANEW + f"UPDATE journal SET stream = NULL WHERE position = {AT}",
    "a state that is nothing": JOURNAL_ANEW + f"UPDATE journal SET state = NULL WHERE position = {AT}",
    "a position that is nothing": JOURNAL_ANEW + f"UPDATE journal SET position = NULL WHERE position = {AT}",
    "a position that is a text": JOURNAL_ANEW + f"UPDATE journal SET position = 'x' WHERE position = {AT}",
    "a position between two": JOURNAL_ANEW + f"UPDATE journal SET position = {AT}.5 WHERE position = {AT}",
    "no size of the tree": "DELETE FROM proof_tree",
    "two sizes of the tree": "INSERT INTO proof_tree VALUES (5)",
    "a size of the tree that is none": "UPDATE proof_tree SET size = 'x'",
    "hashes that are a number": "UPDATE proof_tiles SET hashes = 5",
    "hashes that are nothing": MADE_ANEW.format(columns="*", table="proof_tiles")
    + "UPDATE proof_tiles SET hashes = NULL",
    "upper hashes as a text": f"UPDATE proof_tiles SET hashes = '{8192 * 'a'}' WHERE level = 1",
    "a note of damaged bytes": "UPDATE proof_checkpoints SET note = CAST(x'ff' AS TEXT) "
    f"WHERE size = {SIGNED}",
    "a note that is a number": f"UPDATE proof_checkpoints SET note = 5 WHERE size = {SIGNED}",
    "a note that is nothing": MADE_ANEW.format(columns="*", table="proof_checkpoints")
    + f"UPDATE proof_checkpoints SET note = NULL WHERE size = {SIGNED}",
    "the lowest position of all": "INSERT INTO journal "
    f"SELECT -9223372036854775808, stream, 99, name, state FROM journal WHERE position = {AT}",
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a store with checkpoints; tests copy it."""
    folder = tmp_path_factory.mktemp("signed")
    assert run_program(["demo", "--store", f"sqlite:///{folder / 'demo.sqlite'}"]) == ExitCode.DONE
    with Journal.open(f"sqlite:///{folder / 'demo.sqlite'}") as story:
        signed_journal(f"sqlite:///{folder / 'signed.sqlite'}", story)
    return folder / "signed.sqlite"


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_of_every_kind_is_answered(
    signed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """Given values that this library never writes, verify says that it is not what was signed, or damaged."""
    store = tmp_path / "store.sqlite"
    shutil.copyfile(signed, store)
    with sqlite3.connect(store) as connection:
        connection.executescript(damage)
    connection.close()

    code = run_program(["verify", "--key", str(LOG.verifier), "--store", f"sqlite:///{store}"])

    assert code in {ExitCode.NOT_SOUND, ExitCode.STORE}
    assert "Traceback" not in capsys.readouterr().err
