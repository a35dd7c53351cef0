"""Keys, checkpoints, witnesses and verify on the command line."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.journal import Journal
from incident_adapters.proof_log import ProofLog
from incident_adapters.signed_note import Signer
from incident_adapters.verify_store import verify_store
from tests.long_journals import tell_again
from tests.tampered import LOG, WITNESS, edit
from tests.tampered import run as run_sql

PROGRAM: Final = str(Path(sys.executable).with_name("incidents"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a store in which the demo was played; tests copy it."""
    file = tmp_path_factory.mktemp("told") / "demo.sqlite"
    assert run(["demo", "--store", f"sqlite:///{file}"]) is ExitCode.DONE
    return file


@pytest.fixture
def folder(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which a store, and the key of its log, lie; the program runs there."""
    shutil.copyfile(told, tmp_path / "demo.sqlite")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCIDENTS_STORE", "sqlite:///demo.sqlite")
    assert run(["signing-key", "desk.example", "desk.key"]) is ExitCode.DONE
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: ExitCode = ExitCode.DONE) -> Any:
    capsys.readouterr()
    assert run([*words, "--json"]) is code
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str, code: ExitCode) -> str:
    capsys.readouterr()
    assert run(list(words)) is code
    told = capsys.readouterr()
    return " ".join(told.err.split())


def test_a_key_is_readable_by_its_owner_alone_and_never_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The public half lies beside it, and neither is written over nor is the secret one printed."""
    secret = (folder / "desk.key").read_text()
    assert stat.S_IMODE((folder / "desk.key").stat().st_mode) == 0o600
    assert secret.startswith("PRIVATE+KEY+desk.example+")
    assert (folder / "desk.pub").read_text().startswith("desk.example+")

    said = refusal(capsys, "signing-key", "desk.example", "desk.key", code=ExitCode.FILE)

    assert "desk.pub cannot be written" in said
    (folder / "desk.pub").unlink()
    assert "desk.key cannot be written" in refusal(
        capsys, "signing-key", "desk.example", "desk.key", code=ExitCode.FILE
    )
    assert (folder / "desk.key").read_text() == secret
    assert "has a name that is empty" in refusal(capsys, "signing-key", "a b", "x.key", code=ExitCode.MISUSED)
    assert not (folder / "x.key").exists()


def test_of_a_key_that_cannot_be_written_nothing_is_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the disk is full, the next try finds no half of a pair in its way."""
    words = ["signing-key", "desk.example", "new.key"]
    script = f"ulimit -f 0; trap '' XFSZ; exec {PROGRAM} {' '.join(words)}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == ExitCode.FILE
    assert "cannot be written" in done.stderr
    assert run(words) is ExitCode.DONE


def test_from_a_key_to_a_proof_without_store_or_network(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint, an export, and what an auditor says of the file with the public key alone."""
    made = answer(capsys, "checkpoint", "--key", "desk.key", "--output", "kept.checkpoint")
    assert (made["log"], made["size"]) == ("desk.example", 60)
    assert (folder / "kept.checkpoint").read_text() == made["note"]
    assert run(["export", "journal.jsonl"]) is ExitCode.DONE
    (folder / "demo.sqlite").unlink()

    found = answer(capsys, "verify", "journal.jsonl", "--key", "desk.pub", "--checkpoint", "kept.checkpoint")

    assert found["sound"]
    assert found["verification"]["proved"] == 60
    assert run(["verify", "journal.jsonl", "--key", (folder / "desk.pub").read_text()]) is ExitCode.DONE
    assert "journal.jsonl is what was signed" in capsys.readouterr().out


def test_what_was_changed_is_said_and_ends_with_a_code_of_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The store is not what was signed: where, what, and code 5."""
    assert run(["checkpoint", "--key", "desk.key"]) is ExitCode.DONE
    with Journal.open("sqlite:///demo.sqlite") as journal, journal.store.engine.begin() as connection:
        edit(connection, 20)

    found = answer(capsys, "verify", "--key", "desk.pub", code=ExitCode.NOT_SOUND)

    [fault] = found["verification"]["faults"]
    assert (fault["what"], fault["first"], fault["last"]) == ("altered", 20, 20)
    assert run(["verify", "--key", "desk.pub"]) is ExitCode.NOT_SOUND
    told = capsys.readouterr()
    assert "the store is NOT what was signed" in told.out
    assert told.err.startswith("incidents: the store is not what was signed")


def test_hashes_that_were_changed_are_made_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Verify says so and is recorded, `rebuild proof` makes them of the journal, and then all is sound."""
    assert run(["checkpoint", "--key", "desk.key"]) is ExitCode.DONE
    with Journal.open("sqlite:///demo.sqlite") as journal, journal.store.engine.begin() as connection:
        run_sql(connection, "UPDATE proof_tiles SET hashes = zeroblob(32)")
    assert "incidents rebuild proof" in refusal(
        capsys, "verify", "--key", "desk.pub", code=ExitCode.NOT_SOUND
    )

    assert answer(capsys, "rebuild", "proof") == {"views": {"proof": 61}}

    assert run(["verify", "--key", "desk.pub"]) is ExitCode.DONE


def test_what_was_kept_is_not_replaced_by_another_history(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever has only the database's password cannot have it signed, nor have the kept one lost."""
    sign = ["checkpoint", "--key", "desk.key", "--output", "kept"]
    assert run(sign) is ExitCode.DONE
    kept = (folder / "kept").read_text()
    with Journal.open("sqlite:///demo.sqlite") as journal, journal.store.engine.begin() as connection:
        edit(connection, 20)
        for table in ("proof_tiles", "proof_checkpoints"):
            run_sql(connection, f"DELETE FROM {table}")
        run_sql(connection, "UPDATE proof_tree SET size = 0")

    assert "nothing is signed" in refusal(capsys, *sign, code=ExitCode.STORE)
    assert "nothing is signed" in refusal(capsys, *sign, "--every", "1h", code=ExitCode.STORE)

    assert (folder / "kept").read_text() == kept
    (folder / "kept").write_text("notes of mine")
    assert "kept is no signed checkpoint" in refusal(capsys, *sign, code=ExitCode.MISUSED)


def test_the_key_may_come_from_the_environment(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there is no file of it on the machine; without either the program says how to give one."""
    assert "INCIDENTS_SIGNING_KEY" in refusal(capsys, "checkpoint", code=ExitCode.MISUSED)

    monkeypatch.setenv("INCIDENTS_SIGNING_KEY", (folder / "desk.key").read_text())

    assert answer(capsys, "checkpoint")["log"] == "desk.example"


def test_a_witness_keeps_what_it_signed_and_finds_out_what_was_set_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It refuses a log that is shorter than what it signed before, with the code of what is not sound."""
    assert run(["signing-key", "auditors.example", "witness.key", "--witness"]) is ExitCode.DONE
    witness = ("witness", "--key", "witness.key", "--log", "desk.pub", "--seen", "seen.checkpoint")
    shutil.copyfile(folder / "demo.sqlite", folder / "before.sqlite")
    made = answer(capsys, "checkpoint", "--key", "desk.key")
    seen = answer(capsys, *witness)
    assert (folder / "seen.checkpoint").read_text() == seen["note"]
    verify = ("verify", "--key", "desk.pub", "--key", "witness.pub")
    found = answer(capsys, *verify)
    assert [each["name"] for each in found["verification"]["witnesses"]] == ["auditors.example"]
    (folder / "kept.checkpoint").write_text("\ufeff" + made["note"] + "\n\n", encoding="utf-8")
    found = answer(capsys, *verify, "--checkpoint", "kept.checkpoint")
    assert [each["covered"] for each in found["verification"]["witnesses"]] == [60]

    shutil.copyfile(folder / "before.sqlite", folder / "demo.sqlite")
    with Journal.open("sqlite:///demo.sqlite") as journal, journal.store.engine.begin() as connection:
        run_sql(connection, "DELETE FROM journal WHERE position > 50")
    assert run(["checkpoint", "--key", "desk.key"]) is ExitCode.DONE

    assert "the store was rolled back" in refusal(capsys, *witness, code=ExitCode.NOT_SOUND)
    assert (folder / "seen.checkpoint").read_text() == seen["note"]


def test_a_key_for_tests_is_said_to_prove_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its name gives it away."""
    assert run(["signing-key", "desk.test", "test.key"]) is ExitCode.DONE
    assert run(["checkpoint", "--key", "test.key"]) is ExitCode.DONE

    assert run(["verify", "--key", "test.pub"]) is ExitCode.DONE

    assert "a key for tests signed it, which proves nothing" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["verify"], ExitCode.MISUSED, "--key"),
        (["verify", "--key", "none.pub"], ExitCode.FILE, "none.pub cannot be read"),
        (["verify", "--key", "a+b+c"], ExitCode.MISUSED, "key:"),
        (["verify", "--key", "demo.sqlite"], ExitCode.MISUSED, "no file of a key"),
        (["verify", "--key", "desk.key"], ExitCode.MISUSED, "is a secret key"),
        (["verify", "none.jsonl", "--key", "desk.pub"], ExitCode.FILE, "none.jsonl cannot be read"),
        (["verify", ".", "--key", "desk.pub"], ExitCode.FILE, "cannot be read"),
        (["verify", "--key", "desk.pub", "--checkpoint", "none"], ExitCode.FILE, "none cannot be read"),
        (
            ["verify", "--key", "desk.pub", "--checkpoint", "desk.pub"],
            ExitCode.MISUSED,
            "no signed checkpoint",
        ),
        (["checkpoint", "--key", "desk.pub"], ExitCode.MISUSED, "is no secret key"),
        (["checkpoint", "--key", "none.key"], ExitCode.FILE, "none.key cannot be read"),
        (["checkpoint", "--key", "desk.key", "--every", "0s"], ExitCode.MISUSED, "from one second"),
        (["checkpoint", "--key", "desk.key", "--every", "9999999d"], ExitCode.MISUSED, "to a year"),
        (
            ["witness", "--key", "desk.key", "--log", "desk.pub", "--seen", "desk.pub"],
            ExitCode.MISUSED,
            "--seen: desk.pub is no signed checkpoint",
        ),
        (["checkpoint", "--key", "desk.key", "--output", "no/where"], ExitCode.FILE, "cannot be written"),
        (
            ["witness", "--key", "desk.key", "--log", "desk.pub", "--seen", "seen"],
            ExitCode.MISUSED,
            "is no witness's key",
        ),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: ExitCode, says: str
) -> None:
    """One line names the option, what is wrong with it, and holds no secret."""
    said = refusal(capsys, *words, code=code)

    assert says in said
    assert (folder / "desk.key").read_text().strip().split("+", 4)[4] not in said


def test_a_part_and_what_nothing_proves_are_said_to_be_that(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody takes one incident for the journal, nor a checkpoint over nothing for a proof."""
    with Journal.open("sqlite:///empty.sqlite") as journal, Journal.open("sqlite:///demo.sqlite") as told:
        ProofLog(journal.store).checkpoint([LOG], journal.now())
        tell_again(told, journal, 1)
    assert run(["checkpoint", "--key", "desk.key"]) is ExitCode.DONE
    assert run(["export", "part.jsonl", "--incident", "2", "--from", "2026-03-02"]) is ExitCode.DONE
    capsys.readouterr()

    assert run(["verify", "part.jsonl", "--key", "desk.pub"]) is ExitCode.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "only a part of the journal incident 4T7K-9QXM-C3VW, from 2026-03-02" in said
    verify = ["verify", "--key", str(LOG.verifier), "--key", str(WITNESS.verifier)]
    assert run([*verify, "--store", "sqlite:///empty.sqlite"]) is ExitCode.DONE
    said = " ".join(capsys.readouterr().out.split())
    assert "no checkpoint covers anything of the store yet: nothing is proved" in said
    assert "not seen by auditors.test" in said


def test_a_pipe_is_no_file_to_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot be read twice, which is said."""
    os.mkfifo(folder / "pipe")
    held = os.open(folder / "pipe", os.O_RDWR)
    assert "which a pipe cannot be" in refusal(
        capsys, "verify", "pipe", "--key", "desk.pub", code=ExitCode.FILE
    )
    os.close(held)


def test_a_file_that_is_no_archive_is_not_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of anything else, or an empty one, is said to be no archive."""
    for content in (b"", b"\n", b"{}\n", b"\xff\xfe\x00" * 100, b"a" * 100_000):
        (folder / "other").write_bytes(content)
        found = answer(capsys, "verify", "other", "--key", "desk.pub", code=ExitCode.NOT_SOUND)
        says = [each["says"] for each in found["verification"]["faults"]]
        assert says[0] == "line 1 is no header of an archive"
        assert len(says) == 2


def test_checkpoints_are_made_in_turns_until_told_to_end(folder: Path) -> None:
    """SIGTERM ends it with success; what it signed last is in the file."""
    words = [PROGRAM, "checkpoint", "--key", "desk.key", "--every", "1s", "--output", "kept"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        assert "signed a checkpoint over 60 events" in program.stderr.readline()
        program.send_signal(signal.SIGTERM)
        assert program.wait() == 0

    assert (folder / "kept").read_text().startswith("desk.example\n60\n")


_KILLED: Final = """
import os, signal, sys
from incident_adapters import proof_log
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import open_recorder

left = int(sys.argv[2])

def progress(reached, head):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

proof_log._ROWS_AT_A_TIME = 1000
with open_recorder(sys.argv[1]) as store:
    ProofLog(store).catch_up(progress)
"""


def test_a_tree_whose_maker_is_killed_is_whole(store_url: str, told: Path) -> None:
    """Kill -9 after any of its writes leaves a tree that the next one lets grow."""
    with Journal.open(f"sqlite:///{told}") as story, Journal.open(store_url) as journal:
        tell_again(story, journal, 40)
        head, sizes = journal.head(), list[int]()
        for writes in (1, 1):
            done = subprocess.run([sys.executable, "-c", _KILLED, store_url, str(writes)], check=False)
            assert done.returncode == -signal.SIGKILL
            sizes.append(ProofLog(journal.store).size())

        signed = ProofLog(journal.store).checkpoint([LOG], journal.now())

        assert sizes == [1000, 2000]
        assert signed.checkpoint.size == head > 2000
        assert verify_store(journal.store, [LOG.verifier]).sound


def test_who_may_only_read_verifies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store that nobody may write to is verified as it is."""
    assert run(["checkpoint", "--key", "desk.key"]) is ExitCode.DONE
    before = (folder / "demo.sqlite").read_bytes()
    for file in folder.glob("demo.sqlite*"):
        file.chmod(0o444)

    found = answer(capsys, "verify", "--key", "desk.pub")

    assert found["sound"]
    if os.geteuid() != 0:
        assert (folder / "demo.sqlite").read_bytes() == before


def test_the_rights_that_the_documents_name_are_enough(
    folder: Path, postgres_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who may select verifies; a witness needs to write in two tables; anybody else is told of the right."""
    store, user = postgres_database, f"u{postgres_database.rsplit('_', 1)[1]}"
    theirs = postgres_database.replace("postgres@", f"{user}@")
    with Journal.open("sqlite:///demo.sqlite") as told, Journal.open(store) as journal:
        tell_again(told, journal, 1)
    assert run(["checkpoint", "--key", "desk.key", "--store", store]) is ExitCode.DONE
    assert run(["signing-key", "auditors.example", "witness.key", "--witness"]) is ExitCode.DONE
    witness = ["witness", "--key", "witness.key", "--log", "desk.pub", "--seen", "seen", "--store", theirs]
    with psycopg.connect(store, autocommit=True) as server:
        server.execute(f"CREATE ROLE {user} LOGIN".encode())
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}".encode())
        try:
            assert run(["verify", "--key", "desk.pub", "--store", theirs]) is ExitCode.DONE
            assert "does not let this user" in refusal(capsys, *witness, code=ExitCode.STORE)
            server.execute(f"GRANT INSERT, UPDATE ON proof_checkpoints TO {user}".encode())
            server.execute(f"GRANT UPDATE ON proof_tree TO {user}".encode())
            assert run(witness) is ExitCode.DONE
        finally:
            server.execute(f"DROP OWNED BY {user}".encode())
            server.execute(f"DROP ROLE {user}".encode())


def test_a_secret_is_not_shown_by_what_holds_it() -> None:
    """The text of a signer, as a log or a traceback prints it, has no key."""
    signer = Signer.new("desk.example")

    assert signer.secret.split("+", 4)[4] not in repr(signer)
    assert "Ed25519" not in repr(signer)
