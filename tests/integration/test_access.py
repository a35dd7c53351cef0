"""Exports and verifications on record, reading by role on the command line, and stores that are only read."""

import ctypes
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import make_url

from incident_adapters.access import accesses, record_access
from incident_adapters.cli import app, run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format
from incident_adapters.demo_stage import PRINTER, SCANNERS, TELEPHONES
from incident_adapters.history import of_archive
from incident_adapters.journal import Journal
from incident_adapters.recorder_sqlite import write_ahead_log_is_safe
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.verification import Verification
from incident_adapters.verify_archive import verify_archive
from incident_domain import CorrectCustomer, JournalExported, JournalVerified, Refused, Role
from tests.documents import ROOT, blocks
from tests.examples import AUDITOR, CUSTOMER, EXAMPLES, INCIDENT, SUPPORT
from tests.process_spec import DORA, ELSEWHERE, REGISTERED, ask, of

GUIDE: Final = ROOT / "docs" / "how-to" / "read-by-role.md"
_PR_CAPBSET_DROP: Final = 24
READING: Final = [
    *("queue review", "queue work", "queue closure", "show 1", "timeline 1", "clocks 1", "report 1", "due"),
    *("status 1", "board", "pingpong --from 2026-03-01", "report --from 2026-03-01", "agreements list"),
    *("what-if --from 2026-03-01 --calendar 24x7", "replay", "replay 1", "conformance", "views", "access"),
]
"""Every command that only reads, but for `source`, which needs the log that was imported."""


@pytest.fixture(autouse=True)
def nobody_in_particular(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable says who reads."""
    for variable in ("INCIDENTS_BY", "INCIDENTS_ROLE", "INCIDENTS_BY_GROUP", "INCIDENTS_STORE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def played(store_url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Give the URL of a store in which the demo was played."""
    assert run(["demo", "--store", store_url]) == ExitCode.DONE
    capsys.readouterr()
    return store_url


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What the program answers as data."""
    assert run([*words, "--json"]) == ExitCode.DONE
    return json.loads(capsys.readouterr().out)


def verified() -> JournalVerified:
    """The example of a verification."""
    example = EXAMPLES[JournalVerified]
    assert isinstance(example, JournalVerified)
    return example


# Exports and verifications are recorded


def test_an_export_says_who_took_what_and_when(
    played: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its event comes after all that is in the file, and has the digest of the file's bytes."""
    file = tmp_path / "acme.jsonl"
    with Journal.open(played) as journal:
        head = journal.head()

    who = ("--by", "ana", "--role", "auditor", "--store", played)
    done = answer(capsys, "export", str(file), "--incident", "1", *who)

    with Journal.open(played) as journal:
        [recorded] = accesses(journal)
        printer = journal.read(PRINTER)
    assert recorded.position == head + 1 == done["recorded_at_position"]
    event = recorded.event
    assert isinstance(event, JournalExported)
    assert (event.by.person, event.by.role, event.format) == ("ana", Role.AUDITOR, "jsonl")
    assert (event.incident, event.organisation, event.since, event.until) == (PRINTER, None, None, None)
    assert (event.through, event.events) == (head, len(printer))
    assert event.sha256 == done["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_an_export_of_nobody_named_is_the_accounts(
    played: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the program is an auditor of it, by the name of the account."""
    monkeypatch.setenv("LOGNAME", "gus")
    answer(capsys, "export", str(tmp_path / "all.jsonl"), "--store", played)
    [listed] = answer(capsys, "access", "--store", played)["accesses"]
    assert listed["event"]["by"] == {"person": "gus", "role": "auditor", "group": None}


def test_the_next_export_has_the_event_of_the_one_before(
    played: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record of access is part of the record."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    one = answer(capsys, "export", str(first), "--store", played)
    two = answer(capsys, "export", str(second), "--store", played)
    assert two["events"] == one["events"] + 1
    assert "access.exported.v1" not in first.read_text()
    assert one["sha256"] in second.read_text()


@pytest.mark.parametrize("role", ["customer", "support-group", "management", "service-desk", "watch"])
def test_who_may_not_read_the_journal_exports_nothing(
    role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal comes before the file, and nothing is recorded."""
    store, file = f"sqlite:///{tmp_path / 'demo.sqlite'}", tmp_path / "out.jsonl"
    assert run(["demo", "--store", store]) == ExitCode.DONE
    group = ["--by-group", "network"] if role == "support-group" else []
    assert run(["export", str(file), "--role", role, *group, "--store", store]) == ExitCode.REFUSED
    assert "may not read the journal" in capsys.readouterr().err
    assert not file.exists()
    with Journal.open(store) as journal:
        assert accesses(journal) == []


_KILLED: Final = """
import os, signal, sys
from incident_adapters import cli_access, cli_export
from incident_adapters.cli import run

def record_and_be_killed(journal, event):
    if sys.argv[1] == "after":
        cli_access.record_or_say(journal, event)
    os.kill(os.getpid(), signal.SIGKILL)

cli_export.record_or_say = record_and_be_killed
run(sys.argv[2:])
"""


@pytest.mark.parametrize(("moment", "known"), [("before", 0), ("after", 1)])
def test_no_file_has_its_name_before_it_is_on_record(
    moment: str, known: int, played: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed around the recording, an export leaves an event too many, never a file too many."""
    file = tmp_path / "all.jsonl"
    words = ["export", str(file), "--store", played]

    killed = subprocess.run([sys.executable, "-c", _KILLED, moment, *words], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert not file.exists()
    done = answer(capsys, *words)
    with Journal.open(played) as journal:
        digests = [each.event.sha256 for each in accesses(journal) if isinstance(each.event, JournalExported)]
    assert len(digests) == known + 1
    assert digests[-1] == done["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", Format)
def test_what_is_recorded_of_an_export_is_what_then_has_the_name(
    form: Format, played: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every format the digest and the number of events are those of the file."""
    file = tmp_path / f"all.{form.value}"
    done = answer(capsys, "export", str(file), "--format", form.value, "--store", played)
    with Journal.open(played) as journal:
        [recorded] = accesses(journal)
    event = recorded.event
    assert isinstance(event, JournalExported)
    assert (event.format, event.events) == (form.value, done["events"])
    assert event.sha256 == done["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert done["bytes"] == file.stat().st_size


def test_verifications_are_recorded_however_many_at_once(store_url: str) -> None:
    """None is lost in a race of several writers, and each is told apart."""
    example = verified()
    with Journal.open(store_url) as one, Journal.open(store_url) as other, ThreadPoolExecutor(4) as pool:
        written = list(pool.map(record_access, [one, other] * 12, [example] * 24))
        recorded = accesses(one)
    assert sorted(each.version for each in written) == list(range(1, 25))
    assert [each.position for each in recorded] == list(range(1, 25))
    assert len({each.event_id for each in recorded}) == 24


@pytest.mark.parametrize("by", [CUSTOMER, SUPPORT], ids=lambda by: by.role.value)
def test_access_in_another_role_is_not_recorded_as_if_it_were_allowed(by: Any) -> None:
    """What the table of readers refuses is refused here too."""
    with Journal.open("sqlite://") as journal:
        with pytest.raises(Refused, match="may not read the journal"):
            record_access(
                journal,
                JournalVerified(
                    by=by, occurred_at=journal.now(), sha256=None, events=0, checkpoint=None, faults=0
                ),
            )
        assert journal.head() == 0


def test_the_list_says_what_was_verified_and_what_it_came_to(
    store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sound store, a faulty file and an export each have their sentence."""
    with Journal.open(store_url) as journal:
        at = journal.now()
        sound = JournalVerified(by=AUDITOR, occurred_at=at, sha256=None, events=9, checkpoint=8, faults=0)
        faulty = JournalVerified(
            by=AUDITOR, occurred_at=at, sha256="ab12", events=9, checkpoint=None, faults=2
        )
        exported = EXAMPLES[JournalExported]
        assert isinstance(exported, JournalExported)
        for event in (sound, faulty, exported):
            record_access(journal, event)
    assert (sound.sound, faulty.sound) == (True, False)

    assert run(["access", "--store", store_url]) == ExitCode.DONE

    said = " ".join(capsys.readouterr().out.split())
    assert "verified 9 events of the store against a checkpoint over 8: sound" in said
    assert "verified 9 events of the file with SHA-256 ab12 against no checkpoint: 2 faults" in said
    assert "exported 41 events as jsonl (organisation north-branch, from 2026-03-02 08:15)" in said


def test_every_verification_is_on_record_with_what_it_came_to(
    played: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the store, of an archive where a store is named, and of a store that was changed."""
    monkeypatch.chdir(tmp_path)
    verifying = ("verify", "--key", "desk.pub", "--by", "ana", "--role", "auditor")
    assert run(["signing-key", "desk.example", "desk.key"]) == ExitCode.DONE
    assert run(["checkpoint", "--key", "desk.key", "--store", played]) == ExitCode.DONE
    assert run(["export", "all.jsonl", "--store", played]) == ExitCode.DONE
    assert run([*verifying, "--store", played]) == ExitCode.DONE
    assert run([*verifying, "all.jsonl", "--store", played]) == ExitCode.DONE
    assert run([*verifying, "all.jsonl"]) == ExitCode.DONE
    with Journal.open(played) as journal, journal.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE journal SET name = 'incident.closed.v1' WHERE position = 7")
    assert run([*verifying, "--store", played]) == ExitCode.NOT_SOUND

    with Journal.open(played) as journal:
        found = [each.event for each in accesses(journal)]
    of_store, of_archive, of_changed = [each for each in found if isinstance(each, JournalVerified)]
    signed, digest = of_store.checkpoint, hashlib.sha256(Path("all.jsonl").read_bytes()).hexdigest()
    assert signed is not None
    assert (of_store.events, of_store.sha256, of_store.sound) == (signed + 1, None, True)
    assert (of_archive.events, of_archive.sha256, of_archive.sound) == (signed, digest, True)
    assert (of_changed.events, of_changed.checkpoint, of_changed.faults) == (signed + 3, signed, 1)
    assert {each.by.person for each in (of_store, of_archive, of_changed)} == {"ana"}


def test_no_file_is_on_record_as_verified_that_took_the_place_of_another(
    played: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the file is another one afterwards, it is said so, and nothing is recorded."""
    monkeypatch.chdir(tmp_path)
    assert run(["signing-key", "desk.example", "desk.key"]) == ExitCode.DONE
    assert run(["export", "all.jsonl", "--store", played]) == ExitCode.DONE

    def verify_and_replace(*given: Any) -> Verification:
        found = verify_archive(*given)
        Path("all.jsonl").write_bytes(b"another")
        return found

    monkeypatch.setattr("incident_adapters.cli_proof.verify_archive", verify_and_replace)
    assert run(["verify", "all.jsonl", "--key", "desk.pub", "--store", played]) == ExitCode.FILE
    assert "was changed while it was verified" in capsys.readouterr().err
    with Journal.open(played) as journal:
        assert len(accesses(journal)) == 1


# Reading by role on the command line


@pytest.mark.parametrize("role", ["", "auditor"])
def test_an_auditor_and_whoever_names_no_role_read_everything(
    role: str, played: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every reading command answers."""
    named = ["--role", role] if role else []
    for words in READING:
        assert run([*words.split(), *named, "--store", played]) == ExitCode.DONE, capsys.readouterr().err


def test_every_command_is_known_to_read_or_to_write() -> None:
    """A new command must be looked at here: what it shows of the record is shown by role."""
    reading = {words.split()[0] for words in READING} | {"source", "export", "verify"}
    deciding = {"import", "forget", "watch", "agreements"}
    of_views_and_the_proof = {"rebuild", "project", "views", "signing-key", "checkpoint", "witness"}
    commands = {name for name in app if not name.startswith("-")}
    assert commands == reading | deciding | of_views_and_the_proof | {"demo"}


ALLOWED: Final = {
    "customer": {"status 1"},
    "management": {
        *("board", "pingpong --from 2026-03-01", "report --from 2026-03-01", "agreements list"),
        *("what-if --from 2026-03-01 --calendar 24x7", "views"),
    },
    "support-group": {
        "queue work",
        "show 1",
        "timeline 1",
        "clocks 1",
        "status 1",
        "agreements list",
        "views",
    },
    "watch": {"due", "agreements list", "views"},
    "importer": {"replay", "replay 1", "conformance", "access", "agreements list", "views"},
    "service-desk": {each for each in READING if each.split()[0] not in {"replay", "conformance", "access"}},
    "incident-manager": set(READING),
}


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_is_answered_or_refused_command_by_command(
    role: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code of a refusal, and no line of the record with it."""
    store = f"sqlite:///{tmp_path / 'demo.sqlite'}"
    assert run(["demo", "--store", store]) == ExitCode.DONE
    capsys.readouterr()
    who = ["--role", role, "--store", store]
    who += {"customer": ["--by", "unai"], "support-group": ["--by-group", "workplace"]}.get(role, [])
    for words in READING:
        code, said = run([*words.split(), *who]), capsys.readouterr()
        if words in ALLOWED[role] or words == "views":
            assert (code, said.err) == (ExitCode.DONE, ""), words
        else:
            assert (code, said.out) == (ExitCode.REFUSED, ""), words
            assert "may not read" in said.err


def test_a_group_and_a_customer_see_their_own_on_the_command_line(
    played: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another's incident is said not to be there, in the same words as one that there is not."""
    group = ("--by", "ana", "--role", "support-group", "--by-group", "workplace", "--store", played)
    queue = answer(capsys, "queue", "work", *group)
    assert [each["incident"] for each in queue["entries"]] == [PRINTER]
    assert answer(capsys, "show", "1", *group)["similar"] == []
    customer = ("--by", "unai", "--role", "customer", "--store", played)
    assert [each["reference"] for each in answer(capsys, "status", *customer)["incidents"]] == [PRINTER]

    assert run(["queue", "work", "--group", "network", *group]) == ExitCode.REFUSED
    capsys.readouterr()
    said: set[str] = set()
    for words in (
        ["timeline", TELEPHONES, *group],
        ["status", SCANNERS, *customer],
        ["status", "99", *customer],
    ):
        assert run(words) == ExitCode.REFUSED
        said.add(capsys.readouterr().err)
    assert len(said) == 1


def test_of_the_past_a_customer_sees_what_is_theirs_today(
    store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An incident that was corrected to another customer is in neither's list as of before."""
    dora = ("--by", DORA.person, "--role", "customer", "--store", store_url)
    with ServiceDesk.open(store_url) as desk:
        for asked in of(INCIDENT, REGISTERED, customer=DORA):
            desk.handle(asked)
        before = str(desk.journal.head())
        past = (*dora, "--as-of-position", before)
        assert len(answer(capsys, "status", *past)["incidents"]) == 1
        desk.handle(ask(CorrectCustomer, incident=INCIDENT, customer=ELSEWHERE, at=desk.journal.now()))

    assert answer(capsys, "status", *past) == {"incidents": []}
    other = ("--by", ELSEWHERE.person, "--role", "customer", "--store", store_url)
    assert answer(capsys, "status", *other, "--as-of-position", before) == {"incidents": []}
    assert len(answer(capsys, "status", *other)["incidents"]) == 1


@pytest.mark.parametrize("role", ["customer", "auditor"])
def test_the_demo_is_no_way_round(role: str, store_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows every queue of the store that it plays in, and records there: so in no role of its own."""
    with ServiceDesk.open(store_url) as desk:
        for asked in REGISTERED:
            desk.handle(asked)
        head = desk.journal.head()
        assert run(["demo", "--role", role, "--store", store_url]) == ExitCode.MISUSED
        said = capsys.readouterr()
        assert (said.out, "--role: " in said.err) == ("", True)
        assert desk.journal.head() == head
    assert run(["demo", "--role", role]) == ExitCode.DONE


def test_the_environment_can_say_who_reads(
    played: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variables hold for every command of a shell; an option goes before them."""
    monkeypatch.setenv("INCIDENTS_BY", "unai")
    monkeypatch.setenv("INCIDENTS_ROLE", "customer")
    assert len(answer(capsys, "status", "--store", played)["incidents"]) == 1
    assert run(["board", "--store", played]) == ExitCode.REFUSED
    assert run(["board", "--role", "management", "--store", played]) == ExitCode.DONE


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["queue", "--role", "support-group"], "--by-group"),
        (["queue", "--role", "auditor", "--by-group", "network"], "--by-group"),
        (["queue", "--role", "boss"], "--role"),
        (["queue", "--by", " "], "--by:"),
        (["queue", "work", "--role", "support-group", "--by-group", " "], "--by-group:"),
        (["agreements", "publish", "gold.toml", "--by", "", "--role", "incident-manager"], "--by"),
        (["forget", "c-117", "--by", "ben"], "--role"),
        (["status", "--role", "auditor"], "INCIDENT"),
    ],
)
def test_who_reads_must_make_sense(
    words: list[str], named: str, played: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip is told from a refusal."""
    assert run([*words, "--store", played]) == ExitCode.MISUSED
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["import", "archive", "x.jsonl"], ["import", "servicenow", "x", "--zone", "UTC"], ["watch", "--once"]],
)
def test_an_auditor_by_name_records_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is recorded by a role of its own is refused to everybody who names another one."""
    store = tmp_path / "new.sqlite"
    assert run([*words, "--role", "auditor", "--store", f"sqlite:///{store}"]) == ExitCode.REFUSED
    assert "auditor may not do this" in capsys.readouterr().err
    assert not store.exists()


@pytest.mark.parametrize("words", [("source", "1", "log.csv"), ("verify", "all.jsonl", "--key", "desk.pub")])
def test_a_file_that_is_read_beside_the_store_is_no_way_round(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A role that may not read the journal is refused before the file is opened."""
    assert run([*words, "--role", "customer"]) == ExitCode.REFUSED
    assert "customer may not read the journal" in capsys.readouterr().err


# Stores that may only be read

_CALLS: Final = """
import sys
from incident_adapters.cli import run
store, *calls = sys.argv[1:]
for words in calls:
    code = run([*words.split(), "--store", store])
    print(f"{words} ended with {int(code)}", file=sys.stderr)
"""


def _as_nobody_special() -> None:
    """Let permissions of files hold for root, too: give up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def called(store: str, *calls: str) -> subprocess.CompletedProcess[str]:
    """Call the program several times in a process that has no rights but those of its account."""
    ran = subprocess.run(
        [sys.executable, "-c", _CALLS, store, *calls],
        preexec_fn=_as_nobody_special,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def grants(name: str, database: str, owner: str) -> str:
    """The statements of the guide, for an account, a database and its owner of other names."""
    [block] = [each.text for each in blocks(GUIDE) if each.language == "sql"]
    named = block.replace("FOR ROLE incidents", f"FOR ROLE {owner}")
    return named.replace("DATABASE incidents", f"DATABASE {database}").replace("auditor", name)


@contextmanager
def only_readable(store: str, folder: Path) -> Generator[str]:
    """Give the URL under which a store can only be read; that of a file is moved into a folder of its own."""
    url = make_url(store)
    assert url.database is not None
    if url.drivername == "sqlite":
        if write_ahead_log_is_safe(sqlite3.sqlite_version_info[:3]):
            pytest.skip("a file in WAL mode cannot be read where its folder is read-only")
        folder.mkdir()
        file = Path(url.database).rename(folder / "incidents.sqlite")
        file.chmod(0o444)
        folder.chmod(0o555)
        yield f"sqlite:///{file}"
        folder.chmod(0o755)
        return
    name = f"auditor_{url.database}"
    with psycopg.connect(store, autocommit=True) as owner:
        owner.execute(grants(name, url.database, "postgres").encode())
    yield url.set(username=name).render_as_string()
    with psycopg.connect(store, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}".encode())


@pytest.fixture
def read_only(played: str, tmp_path: Path) -> Generator[str]:
    """Give the URL under which a store can only be read; its views are behind the journal."""
    key = str(tmp_path / "desk.key")
    assert run(["signing-key", "desk.example", key]) == ExitCode.DONE
    assert run(["checkpoint", "--key", key, "--store", played]) == ExitCode.DONE
    assert run(["export", str(tmp_path / "earlier.jsonl"), "--store", played]) == ExitCode.DONE
    with only_readable(played, tmp_path / "read-only") as url:
        yield url


def test_an_auditor_reads_a_store_that_cannot_be_written(read_only: str) -> None:
    """Every reading command answers; views that are behind are made anew for the answer."""
    ran = called(read_only, *READING)

    ended = [line for line in ran.stderr.splitlines() if " ended with " in line]
    assert ended == [f"{words} ended with 0" for words in READING]
    assert "made anew for this answer alone" in ran.stderr
    assert "The label printer prints blank labels" in ran.stdout


def test_views_that_another_program_keeps_are_waited_for(
    postgres_database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that may only read is answered from them, and nothing is made anew."""
    assert run(["demo", "--store", postgres_database]) == ExitCode.DONE
    with ServiceDesk.open(postgres_database) as desk, only_readable(postgres_database, Path()) as read_only:
        record_access(desk.journal, verified())
        waited: list[float] = []

        def meanwhile(seconds: float) -> None:
            waited.append(seconds)
            desk.views().catch_up()

        monkeypatch.setattr("incident_projections.engine.time.sleep", meanwhile)
        capsys.readouterr()
        assert run(["queue", "work", "--store", read_only]) == ExitCode.DONE
    assert capsys.readouterr().err == ""
    assert len(waited) == 1


def test_what_is_made_of_a_store_that_cannot_be_written_says_that_nobody_has_a_record(
    read_only: str, tmp_path: Path
) -> None:
    """The export is whole and the proof is checked; the store is as it was."""
    out = tmp_path / "out"
    out.mkdir()
    with Journal.open(read_only) as journal:
        head = journal.head()

    ran = called(read_only, f"export {out / 'all.jsonl'}", f"verify --key {tmp_path / 'desk.pub'}")

    assert ran.stderr.count("ended with 0") == 2
    assert ran.stderr.count("the store has no record of it") == 2
    assert "the store is what was signed" in ran.stdout
    with Journal.open(read_only) as journal:
        assert journal.head() == head
        assert len(accesses(journal)) == 1
    with of_archive(out / "all.jsonl") as history:
        assert history.whole
        assert sum(1 for _ in history.watched(lambda _done, _goal: None)) == head


def test_a_journal_of_which_nobody_made_views_can_be_read_too(store_url: str, tmp_path: Path) -> None:
    """All that is shown is made of the journal alone."""
    with ServiceDesk.open(store_url) as desk:
        for asked in REGISTERED:
            desk.handle(asked)
    with only_readable(store_url, tmp_path / "read-only") as url:
        ran = called(url, f"timeline {INCIDENT}", "replay", "queue")
    assert ran.stderr.count("ended with 0") == 3
    assert "Registered" in ran.stdout


def test_a_view_that_is_rebuilt_later_can_be_read_too(postgres_database: str) -> None:
    """It is a new table, which the statements of the guide hold for; nothing had to be made anew."""
    assert run(["demo", "--store", postgres_database]) == ExitCode.DONE
    with only_readable(postgres_database, Path()) as read_only:
        assert run(["rebuild", "--store", postgres_database]) == ExitCode.DONE
        ran = called(read_only, "queue work", "rebuild queue")
    assert ran.stderr.splitlines()[0] == "queue work ended with 0"
    assert "rebuild queue ended with 3" in ran.stderr
