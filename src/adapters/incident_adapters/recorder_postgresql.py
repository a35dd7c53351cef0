"""The journal in PostgreSQL."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

import psycopg
from eventsourcing.persistence import (
    ApplicationRecorder,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    ListenNotifySubscription,
    NotSupportedError,
    PersistenceError,
    ProgrammingError,
    Subscription,
)
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError

from incident_adapters.recorder_commits import Commits
from incident_adapters.recorder_connections import OpenConnections
from incident_adapters.recorder_contract import JournalRecorder, Refusal, Write
from incident_adapters.recorder_errors import StoreError, named
from incident_adapters.recorder_tables import create_tables, refuse_other_version, schema_version

_PsycopgConnection: TypeAlias = psycopg.Connection[Any]
_Result = TypeVar("_Result")

# The lock of one journal is this number beside the table's own: every writer of the table takes the same,
# and journals in other schemas or databases take others.
_LOCK = "SELECT pg_advisory_xact_lock(1781, 'journal'::regclass::oid::integer)"
_LOCK_CREATION = "SELECT pg_advisory_xact_lock(1781, 0)"
_CHANNEL = "incident_journal"
_NUMBER_TAKEN = 0
_OFF = {"", "n", "no", "f", "false", "off", "0"}

# Functions, so that an append is one round trip.
# In READ COMMITTED each statement of a function sees what was committed before it began;
# after the lock that is everything.
# The names end in the schema version: two releases in one schema never share a function.
_APPEND_ONE = f"""
CREATE FUNCTION journal_append_one_1(s text, v integer, n text, b bytea, empty_head integer)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE given bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1781, 'journal'::regclass::oid::integer);
    INSERT INTO journal (position, stream, version, name, state)
    SELECT (SELECT coalesce(max(position), 0) + 1 FROM journal), s, v, n, b
    WHERE (SELECT coalesce(max(version), empty_head) FROM journal WHERE stream = s) = v - 1
    RETURNING position INTO given;
    PERFORM pg_notify('{_CHANNEL}', '');
    RETURN given;
END $$
"""
_APPEND = f"""
CREATE FUNCTION journal_append_1(
    streams text[], versions integer[], names text[], states bytea[],
    guarded text[], heads integer[], empty_head integer,
    numbered text[], numbers bigint[]
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE last bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1781, 'journal'::regclass::oid::integer);
    IF EXISTS (
        SELECT FROM unnest(guarded, heads) AS g (stream, head)
        WHERE (SELECT coalesce(max(j.version), empty_head) FROM journal j WHERE j.stream = g.stream) <> g.head
    ) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM incident_numbers i WHERE i.number = ANY (numbers))
        OR EXISTS (SELECT FROM incident_numbers i WHERE i.stream = ANY (numbered))
    THEN
        RETURN {_NUMBER_TAKEN};
    END IF;
    SELECT coalesce(max(position), 0) INTO last FROM journal;
    INSERT INTO journal (position, stream, version, name, state)
    SELECT last + g.n, g.s, g.v, g.name, g.b
    FROM unnest(streams, versions, names, states) WITH ORDINALITY AS g (s, v, name, b, n);
    INSERT INTO incident_numbers (stream, number)
    SELECT c.stream, c.number FROM unnest(numbered, numbers) AS c (stream, number);
    PERFORM pg_notify('{_CHANNEL}', '');
    RETURN last + 1;
END $$
"""
_CALL_APPEND_ONE = "SELECT journal_append_one_1(%s::text, %s::integer, %s::text, %s::bytea, %s::integer)"
_CALL_APPEND = (
    "SELECT journal_append_1(%s::text[], %s::integer[], %s::text[], %b::bytea[], "
    "%s::text[], %s::integer[], %s::integer, %s::text[], %s::bigint[])"
)


class PostgreSQLRecorder(JournalRecorder):
    """The journal in one schema of a PostgreSQL database.

    Refuses to open while POSTGRES_ENABLE_DB_FUNCTIONS is set: the `eventsourcing` library then writes
    without its table lock, so that readers miss events, and no program beside this one should do that either.
    """

    _placeholder = "%s"

    def __init__(self, url: URL) -> None:
        store = named(url)
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").lower() not in _OFF:
            raise StoreError(
                f"store {store}: POSTGRES_ENABLE_DB_FUNCTIONS makes readers miss events; unset it"
            )
        parameters = _parameters(url)
        engine = create_engine(
            "postgresql+psycopg://",
            creator=partial(_connect, parameters, autocommit=False),
            hide_parameters=True,
        )
        super().__init__(engine, store)
        self.connections = OpenConnections(partial(_connect, parameters, autocommit=True), store)
        self._prepare()

    def close(self) -> None:
        """Let go of every connection."""
        super().close()
        self.connections.close()

    def listening_connection(self) -> _PsycopgConnection:
        """A connection apart from the pool that already listens for commits."""
        try:
            connection = self.connections.connect()
            connection.execute(f"LISTEN {_CHANNEL}")
        except psycopg.Error as error:
            raise self.translated(error) from error
        return connection

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Events after position `gt`, recorded and to come, until `stop`; use it as a context manager."""
        return _Subscription(self, gt, topics)

    def commits(self) -> Commits:
        """Word of what is committed from now on; the server sends it with each commit."""
        return _NotifiedCommits(self)

    def _prepare(self) -> None:
        try:
            with self.engine.begin() as connection:
                version = schema_version(connection)
                if version is None:
                    connection.exec_driver_sql(_LOCK_CREATION)
                    version = schema_version(connection)
                if version is None:
                    create_tables(connection)
                    connection.exec_driver_sql(_APPEND_ONE)
                    connection.exec_driver_sql(_APPEND)
                    return
            refuse_other_version(version, self.store)
        except BaseException as error:
            self.close()
            if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.Error):
                raise self.translated(error.orig) from error
            raise

    def _fetch(self, sql: str, params: Sequence[object]) -> list[Any]:
        def rows(connection: _PsycopgConnection) -> list[Any]:
            return connection.execute(sql.encode(), params, prepare=True, binary=True).fetchall()

        try:
            return self._with_connection(rows)
        except _ConnectionLost:
            return self._with_connection(rows)

    def _append(self, write: Write) -> list[int] | Refusal:
        def call(connection: _PsycopgConnection) -> list[int] | Refusal:
            return self._call(connection, write)

        try:
            return self._with_connection(call)
        except _ConnectionLost:
            outcome = self._with_connection(call)
        if outcome is Refusal.HEAD_MOVED:
            return self._recorded(write.rows) or outcome
        return outcome

    def _append_next(self, following: Callable[[int], Write]) -> tuple[Write, list[int] | Refusal]:
        tried: list[Write] = []

        def call(connection: _PsycopgConnection) -> list[int] | Refusal:
            with connection.transaction():
                connection.execute(_LOCK, prepare=True)
                found = connection.execute(
                    "SELECT coalesce(max(number), 0) FROM incident_numbers", prepare=True
                )
                tried.append(following(found.fetchall()[0][0] + 1))
                return self._call(connection, tried[-1])

        try:
            outcome = self._with_connection(call)
        except _ConnectionLost:
            if tried:
                # Whoever gets the lock knows that the lost attempt is over, one way or the other.
                self._with_connection(lambda connection: connection.execute(_LOCK))
                recorded = self._recorded(tried[-1].rows)
                if recorded is not None:
                    return tried[-1], recorded
            outcome = self._with_connection(call)
        return tried[-1], outcome

    def _call(self, connection: _PsycopgConnection, write: Write) -> list[int] | Refusal:
        rows, empty_head = write.rows, self.first_version - 1
        if len(rows) == len(write.heads) == 1 and not write.claims:
            cursor = connection.execute(_CALL_APPEND_ONE, (*rows[0], empty_head), prepare=True)
        else:
            streams, versions, names, states = zip(*rows, strict=True)
            arguments = (
                *map(list, (streams, versions, names, states, write.heads, write.heads.values())),
                empty_head,
                *map(list, (write.claims, write.claims.values())),
            )
            cursor = connection.execute(_CALL_APPEND, arguments, prepare=True)
        first = cursor.fetchall()[0][0]
        match first:
            case None:
                return Refusal.HEAD_MOVED
            case 0:
                return Refusal.NUMBER_TAKEN
            case _:
                return list(range(first, first + len(rows)))

    def _with_connection(self, work: Callable[[_PsycopgConnection], _Result]) -> _Result:
        try:
            connection = self.connections.take()
        except psycopg.Error as error:
            raise self.translated(error) from error
        try:
            result = work(connection)
        except BaseException as error:
            lost = connection.closed
            if connection.info.transaction_status is TransactionStatus.IDLE:
                self.connections.give_back(connection)
            else:
                self.connections.discard(connection)
            if not isinstance(error, psycopg.Error):
                raise
            if not lost:
                raise self.translated(error) from error
            # What ended this connection has most likely ended the idle ones too.
            self.connections.close_idle()
            raise _ConnectionLost(
                f"store {self.store}: the connection was lost; a write may be committed or not: "
                "write the same events again, AlreadyRecorded says that they were"
            ) from error
        self.connections.give_back(connection)
        return result

    def translated(self, error: psycopg.Error) -> PersistenceError:
        """The error that this journal's users know for one of the driver's."""
        advice = _ADVICE.get(error.sqlstate or "")
        if advice is not None:
            return StoreError(f"store {self.store}: {advice}")
        if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            return StoreError(
                f"store {self.store}: {error}; "
                "check that the server runs, and the host, database and user in the URL"
            )
        for kind, translated in _TRANSLATIONS:
            if isinstance(error, kind):
                return translated(f"store {self.store}: {error.diag.message_primary or error}")
        return PersistenceError(f"store {self.store}: {error}")


class _Subscription(ListenNotifySubscription[PostgreSQLRecorder]):
    """Wakes on each commit; it listens before it looks, so that no commit falls between."""

    def __init__(self, recorder: PostgreSQLRecorder, gt: int | None, topics: Sequence[str]) -> None:
        self._connection: _PsycopgConnection = recorder.listening_connection()
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._listen_thread = Thread(target=self._listen)
        self._listen_thread.start()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        try:
            super().__exit__(*args, **kwargs)
        finally:
            self._listen_thread.join()

    def _listen(self) -> None:
        try:
            while not self._has_been_stopped:
                try:
                    for _ in self._connection.notifies(timeout=0.1, stop_after=1):
                        self._has_been_notified.set()
                except psycopg.OperationalError:
                    # A lost listener may have missed a commit: listen anew, then look.
                    self._connection = self._recorder.listening_connection()
                    self._has_been_notified.set()
        except Exception as error:  # noqa: BLE001, it is raised again to whoever reads the subscription
            self._thread_error = self._thread_error or error
            self.stop()
        finally:
            self._connection.close()


class _NotifiedCommits:
    """Word of commits by LISTEN; a connection that is lost is an error, since word may be lost with it."""

    def __init__(self, recorder: PostgreSQLRecorder) -> None:
        self._recorder = recorder
        self._connection: _PsycopgConnection = recorder.listening_connection()

    def wait(self, seconds: float) -> bool:
        """Wait for the server's word; all that is there already counts as one."""
        try:
            return len(list(self._connection.notifies(timeout=seconds, stop_after=1))) > 0
        except psycopg.Error as error:
            raise self._recorder.translated(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()


class _ConnectionLost(StoreError):
    """The connection ended during a call, so that its outcome is not known."""


_ADVICE = {
    "25006": "the database is read-only, nothing was written; use the primary server",
    "42501": "this user lacks a permission; grant CREATE on the schema, or use another user",
    "53100": "the server's disk is full, nothing was written; make room and try again",
}

_TRANSLATIONS: tuple[tuple[type[psycopg.Error], type[PersistenceError]], ...] = (
    (psycopg.IntegrityError, IntegrityError),
    (psycopg.DataError, DataError),
    (psycopg.OperationalError, StoreError),
    (psycopg.InternalError, InternalError),
    (psycopg.ProgrammingError, ProgrammingError),
    (psycopg.NotSupportedError, NotSupportedError),
    (psycopg.DatabaseError, DatabaseError),
    (psycopg.InterfaceError, InterfaceError),
)


def _parameters(url: URL) -> str:
    """The URL as libpq reads it, with all that SQLAlchemy would pass on."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _connect(parameters: str, *, autocommit: bool) -> _PsycopgConnection:
    connection = psycopg.connect(parameters, autocommit=True)
    # Whatever the server's defaults are: commits are on disk, statements see what was committed before.
    connection.execute(
        "SELECT set_config('default_transaction_isolation', 'read committed', false), "
        "set_config('synchronous_commit', CASE current_setting('synchronous_commit') "
        "WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
    )
    connection.autocommit = autocommit
    return connection
