"""The journal in an SQLite file, or in memory."""

import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any
from uuid import uuid4

from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    PersistenceError,
    ProgrammingError,
)
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from incident_adapters.recorder_connections import OpenConnections
from incident_adapters.recorder_contract import JournalRecorder, Refusal, Write
from incident_adapters.recorder_errors import StoreError, named
from incident_adapters.recorder_tables import create_tables, refuse_other_version, schema_version

_OLDEST_SQLITE = (3, 37, 0)
_CACHE_KIB = 16_384
_SECONDS_TO_WAIT = 60.0


def write_ahead_log_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite keeps every commit in WAL mode.

    3.7.0 to 3.51.2 can lose one when several connections use the file;
    the fix is in 3.51.3 and was carried back to 3.44.6 and 3.50.7.
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


class SQLiteRecorder(JournalRecorder):
    """The journal in one SQLite file, shared by threads and by processes of one machine.

    `engine` begins every transaction as a writer (BEGIN IMMEDIATE), so that none fails half-way;
    a reader asks for isolation_level="AUTOCOMMIT".
    The file is in WAL mode where this SQLite is safe in it, else it has a rollback journal;
    it is as safe as the oldest SQLite among the programs that share it.
    """

    _placeholder = "?"
    # A column of SQLite keeps whatever another program puts there, such as a text among the states.
    _row = "position, CAST(stream AS TEXT), CAST(version AS INTEGER), CAST(name AS TEXT), CAST(state AS BLOB)"

    def __init__(self, url: URL) -> None:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreError(
                f"SQLite {sqlite3.sqlite_version} is too old; use a Python that brings 3.37 or newer"
            )
        if url.query or url.host or url.username:
            raise StoreError(f"store {named(url)}: only a path may follow, sqlite:///path/to/file")
        connect = _in_memory() if url.database in {None, "", ":memory:"} else _in_file(str(url.database))
        super().__init__(_engine(connect), named(url))
        self.connections = OpenConnections(connect, self.store)
        # SQLite has one writer at a time, and its others sleep and poll; this lock hands over at once.
        self._writing = Lock()
        self._prepare()

    def close(self) -> None:
        """Let go of every connection; what was in memory only is gone."""
        super().close()
        self.connections.close()

    def _prepare(self) -> None:
        try:
            # From here on one connection is open, and what is in memory lasts as long as one is.
            with self._connection():
                pass
            with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                version = schema_version(connection)
            if version is None:
                with self.engine.begin() as connection:
                    version = schema_version(connection)
                    if version is None:
                        create_tables(connection)
                        return
            refuse_other_version(version, self.store)
        except BaseException as error:
            self.close()
            if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
                raise self._translated(error.orig) from error
            raise

    def _fetch(self, sql: str, params: Sequence[object]) -> list[Any]:
        with self._connection() as connection:
            return connection.execute(sql, params).fetchall()

    def _append(self, write: Write) -> list[int] | Refusal:
        with self._transaction() as connection:
            return self._write(connection, write)

    def _append_next(self, following: Callable[[int], Write]) -> tuple[Write, list[int] | Refusal]:
        with self._transaction() as connection:
            last = connection.execute("SELECT coalesce(max(number), 0) FROM incident_numbers").fetchone()[0]
            write = following(last + 1)
            return write, self._write(connection, write)

    def _write(self, connection: sqlite3.Connection, write: Write) -> list[int] | Refusal:
        execute = connection.execute
        before_first = self.first_version - 1
        for stream, head in write.heads.items():
            found = execute("SELECT max(version) FROM journal WHERE stream = ?", (stream,)).fetchone()[0]
            if (before_first if found is None else found) != head:
                return Refusal.HEAD_MOVED
        for claim in write.claims.items():
            if execute("SELECT 1 FROM incident_numbers WHERE stream = ? OR number = ?", claim).fetchone():
                return Refusal.NUMBER_TAKEN
        last = execute("SELECT coalesce(max(position), 0) FROM journal").fetchone()[0]
        connection.executemany(
            "INSERT INTO journal (position, stream, version, name, state) VALUES (?, ?, ?, ?, ?)",
            [(position, *row) for position, row in enumerate(write.rows, last + 1)],
        )
        if write.claims:
            connection.executemany(
                "INSERT INTO incident_numbers (stream, number) VALUES (?, ?)", write.claims.items()
            )
        return list(range(last + 1, last + 1 + len(write.rows)))

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._writing, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        try:
            connection = self.connections.take()
            try:
                yield connection
            finally:
                self.connections.give_back(connection)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _translated(self, error: sqlite3.Error) -> PersistenceError:
        code = getattr(error, "sqlite_errorcode", None)
        advice = None if code is None else _ADVICE.get(code) or _ADVICE.get(code & 0xFF)
        if advice is not None:
            return StoreError(f"store {self.store}: {advice}")
        for kind, translated in _TRANSLATIONS:
            if isinstance(error, kind):
                return translated(f"store {self.store}: {error}")
        return PersistenceError(f"store {self.store}: {error}")


_ADVICE = {
    sqlite3.SQLITE_BUSY: "another process has held the file for a minute; end it, or wait and try again",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; create its folder, and make both writable",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_FULL: "the disk is full, nothing was written; make room and try again",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check it, then read back what was recorded",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database; give the path of a journal, or of a new file",
    sqlite3.SQLITE_PERM: "the file may not be opened by this user; change its permissions",
    sqlite3.SQLITE_READONLY_DBMOVED: "the file was moved or replaced while it was open, nothing was written; "
    "open the store again",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only, nothing was written; make both writable",
}

_TRANSLATIONS: tuple[tuple[type[sqlite3.Error], type[PersistenceError]], ...] = (
    (sqlite3.IntegrityError, IntegrityError),
    (sqlite3.DataError, DataError),
    (sqlite3.OperationalError, StoreError),
    (sqlite3.InternalError, InternalError),
    (sqlite3.ProgrammingError, ProgrammingError),
    (sqlite3.NotSupportedError, NotSupportedError),
    (sqlite3.DatabaseError, DatabaseError),
    (sqlite3.InterfaceError, InterfaceError),
)


def _in_file(path: str) -> Callable[[], sqlite3.Connection]:
    safe = write_ahead_log_is_safe(sqlite3.sqlite_version_info[:3])
    return partial(_connect, path, "WAL" if safe else "PERSIST", uri=False)


def _in_memory() -> Callable[[], sqlite3.Connection]:
    # The memdb VFS, unlike a shared cache, waits for a lock as a file does.
    return partial(_connect, f"file:/{uuid4().hex}?vfs=memdb", "MEMORY", uri=True)


def _engine(connect: Callable[[], sqlite3.Connection]) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_timeout=_SECONDS_TO_WAIT,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _connect(database: str, journal_mode: str, *, uri: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        database,
        uri=uri,
        timeout=_SECONDS_TO_WAIT,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=128,
    )
    try:
        try:
            connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        except sqlite3.OperationalError as error:
            if journal_mode == "WAL" or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise StoreError(
                f"store sqlite:///{database}: another program has the file open in WAL mode, in which "
                f"SQLite {sqlite3.sqlite_version} can lose commits; end it, or use SQLite 3.51.3 or newer"
            ) from error
        connection.execute("PRAGMA synchronous = FULL")
        # On macOS only this makes fsync reach the disk; elsewhere it changes nothing.
        connection.execute("PRAGMA fullfsync = ON")
        # Rows of views lie scattered over their tables: 2 MB, the usual, are soon too few to keep a batch's.
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection
