"""The store itself: its durability, its layout, and what can be wrong with it."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import text

from incident_adapters import recorder_sqlite
from incident_adapters.recorder import JournalRecorder, StoreError, open_recorder
from incident_adapters.recorder_sqlite import SQLiteRecorder, write_ahead_log_is_safe


def stored(stream: str, version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(stream, version, "incident.registered.v1", state)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a file that is not there yet."""
    return tmp_path / "journal.sqlite"


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_the_write_ahead_log_is_used_only_where_it_keeps_every_commit(
    version: tuple[int, int, int], safe: bool
) -> None:
    """SQLite 3.7.0 to 3.51.2 can lose commits in WAL mode, but for 3.44.6 and up and 3.50.7 and up."""
    assert write_ahead_log_is_safe(version) is safe


@pytest.mark.parametrize(("safe", "mode"), [(True, "wal"), (False, "persist")])
def test_an_acknowledged_event_in_a_file_is_on_disk(
    path: Path, safe: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the journal mode, every connection waits for the disk (synchronous = FULL, which is 2)."""
    monkeypatch.setattr(recorder_sqlite, "write_ahead_log_is_safe", _yes if safe else _no)
    with open_recorder(f"sqlite:///{path}") as journal:
        journal.insert_events([stored("a", 1)])
        with journal.engine.connect() as connection:
            of_views = [
                _pragma(connection.connection.cursor(), name) for name in ("journal_mode", "synchronous")
            ]
        assert isinstance(journal, SQLiteRecorder)
        connection_of_writers = journal.connections.take()
        of_writers = [
            _pragma(connection_of_writers.cursor(), name) for name in ("journal_mode", "synchronous")
        ]
        journal.connections.give_back(connection_of_writers)

    assert of_views == of_writers == [mode, 2]


def _yes(_: object) -> bool:
    return True


def _no(_: object) -> bool:
    return False


def _pragma(cursor: object, name: str) -> object:
    assert isinstance(cursor, sqlite3.Cursor)
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_file_in_wal_mode_is_not_shared_by_an_sqlite_that_is_unsafe_in_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An SQLite that can lose commits in WAL mode takes the file over alone, or not at all."""
    monkeypatch.setattr(recorder_sqlite, "write_ahead_log_is_safe", _yes)
    with open_recorder(f"sqlite:///{path}") as journal:
        journal.insert_events([stored("a", 1)])
        monkeypatch.setattr(recorder_sqlite, "write_ahead_log_is_safe", _no)
        with pytest.raises(StoreError, match="another program has the file open in WAL mode"):
            open_recorder(f"sqlite:///{path}")

    with open_recorder(f"sqlite:///{path}") as journal:
        assert len(journal.read(0, 10)) == 1
        with journal.engine.connect() as connection:
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "persist"


def test_the_journal_is_there_when_it_is_opened_again(store_url: str) -> None:
    """Closing and opening changes nothing, and positions and versions go on."""
    with open_recorder(store_url) as journal:
        journal.insert_events([stored("a", 1, b"\x00\xff")])
    with open_recorder(store_url) as journal:
        assert journal.read(0, 10) == [(1, "a", 1, "incident.registered.v1", b"\x00\xff")]
        assert journal.insert_events([stored("a", 2)]) == [2]


def test_a_journal_in_memory_is_shared_by_threads_and_by_nobody_else() -> None:
    """Every recorder opened in memory has a journal of its own, and all its threads see it."""
    with open_recorder("sqlite://") as one, open_recorder("sqlite:///:memory:") as two:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(one.insert_events, [[stored(f"s{n}", 1)] for n in range(100)]))
            last = [threads.submit(one.max_notification_id) for _ in range(8)]
            assert {each.result() for each in last} == {100}
        assert two.max_notification_id() is None


def test_views_live_in_the_same_store(store_url: str) -> None:
    """The engine writes beside the journal, all or nothing, while events are being recorded."""
    with open_recorder(store_url) as journal, ThreadPoolExecutor(2) as threads:
        with journal.engine.begin() as connection:
            connection.execute(text("CREATE TABLE heads (stream VARCHAR PRIMARY KEY, version INTEGER)"))

        def fold() -> None:
            for version in range(1, 31):
                with journal.engine.begin() as connection:
                    connection.execute(text("DELETE FROM heads"))
                    connection.execute(text("INSERT INTO heads VALUES ('a', :version)"), {"version": version})

        folding = threads.submit(fold)
        for version in range(1, 31):
            journal.insert_events([stored("a", version)])
        folding.result()
        with journal.engine.connect() as connection:
            connection.execute(text("DELETE FROM heads"))
            connection.rollback()

        with journal.engine.connect() as connection:
            assert connection.execute(text("SELECT * FROM heads")).all() == [("a", 30)]
        assert journal.max_notification_id() == 30


def test_a_store_of_another_release_is_left_alone(store_url: str) -> None:
    """A journal whose layout has another version is neither read nor changed."""
    with open_recorder(store_url) as journal, journal.engine.begin() as connection:
        connection.execute(text("UPDATE journal_schema SET version = 2"))

    with pytest.raises(StoreError, match="schema version 2, this release needs 1"):
        open_recorder(store_url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("journal.sqlite", "not a URL; give sqlite:///path"),
        ("mysql://me:secret@host/db", "mysql is not supported; give sqlite:///path"),
        ("sqlite://host/path", "only a path may follow"),
        ("sqlite:///path?mode=ro", "only a path may follow"),
        ("postgresql+asyncpg://host/db", "postgresql.asyncpg is not supported"),
        ("postgresql://me:secret@127.0.0.1:1/db", "127.0.0.1:1/db: "),
    ],
)
def test_a_url_that_is_no_store_is_refused(url: str, told: str) -> None:
    """The error says what is wrong and what would be right, and never the password."""
    with pytest.raises(StoreError, match=told) as refused:
        open_recorder(url)

    assert "secret" not in str(refused.value)


def test_a_file_of_another_kind_is_left_alone(path: Path) -> None:
    """A file that is no SQLite database is refused and not changed."""
    path.write_bytes(b"Dear diary, " * 1000)

    with pytest.raises(StoreError, match=r"store sqlite:///.*not an SQLite database"):
        open_recorder(f"sqlite:///{path}")

    assert path.read_bytes() == b"Dear diary, " * 1000


def test_a_folder_that_is_not_there_is_named(path: Path) -> None:
    """The error for a path below a missing folder says to create the folder."""
    with pytest.raises(StoreError, match="create its folder"):
        open_recorder(f"sqlite:///{path / 'journal.sqlite'}")


def test_a_database_that_is_not_there_is_named(postgres_database: str) -> None:
    """The error for a missing database says which one, and what to check."""
    with pytest.raises(StoreError, match=r"_missing.* does not exist; check .* database"):
        open_recorder(postgres_database + "_missing")


def test_a_full_disk_loses_nothing_and_says_so(path: Path) -> None:
    """When there is no room for an event the error says so, and the journal is as it was before."""
    with open_recorder(f"sqlite:///{path}") as journal:
        journal.insert_events([stored("a", 1)])
        with _no_room_in(journal), pytest.raises(StoreError, match="the disk is full, nothing was written"):
            journal.insert_events([stored("b", 1), stored("a", 2, bytes(1 << 20))])

        assert [row[1:3] for row in journal.read(0, 10)] == [("a", 1)]
        assert journal.insert_events([stored("a", 2)]) == [2]


def test_a_file_that_was_replaced_is_not_written(path: Path) -> None:
    """Another file in the place of the open one is left as it is, and the error says to open it."""
    other = path.with_name("other.sqlite")
    with open_recorder(f"sqlite:///{other}") as elsewhere:
        elsewhere.insert_events([stored("elsewhere", 1)])
    with open_recorder(f"sqlite:///{path}") as journal:
        journal.insert_events([stored("a", 1)])
        other.replace(path)
        with pytest.raises(StoreError, match=r"moved or replaced .* open the store again"):
            journal.insert_events([stored("b", 1)])

    with open_recorder(f"sqlite:///{path}") as reopened:
        assert [row[1] for row in reopened.read(0, 10)] == ["elsewhere"]


@contextmanager
def _no_room_in(journal: JournalRecorder) -> Generator[None]:
    """Let the file grow no further."""
    assert isinstance(journal, SQLiteRecorder)
    connection = journal.connections.take()
    (before,) = connection.execute("PRAGMA max_page_count").fetchone()
    connection.execute("PRAGMA max_page_count = 1")
    journal.connections.give_back(connection)
    yield
    connection.execute(f"PRAGMA max_page_count = {before}")


@pytest.fixture
def read_only(path: Path) -> Generator[str]:
    """Give the URL of a file that this user, who is not root, may only read."""
    with open_recorder(f"sqlite:///{path}") as journal:
        journal.insert_events([stored("a", 1)])
    # Root may write everywhere, and the folders of a test are its own: become nobody in a folder for all.
    folder = Path(tempfile.mkdtemp())
    file = folder / "journal.sqlite"
    shutil.copy(path, file)
    file.chmod(0o444)
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield f"sqlite:///{file}"
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_a_read_only_file_can_be_read(read_only: str) -> None:
    """An auditor reads a file that may not be written; a write is refused with what to do."""
    with open_recorder(read_only) as journal:
        assert [row[1:3] for row in journal.read(0, 10)] == [("a", 1)]
        with pytest.raises(StoreError, match="read-only, nothing was written"):
            journal.insert_events([stored("a", 2)])


def test_a_read_only_database_can_be_read(postgres_database: str) -> None:
    """A database that may not be written, such as a replica, is read; a write is refused with what to do."""
    with open_recorder(postgres_database) as journal:
        journal.insert_events([stored("a", 1)])
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only TO on".encode())

    with open_recorder(postgres_database) as journal:
        assert [row[1:3] for row in journal.read(0, 10)] == [("a", 1)]
        with pytest.raises(StoreError, match="read-only, nothing was written; use the primary"):
            journal.insert_events([stored("a", 2)])
