"""Connections that end at the worst moment, and a subscriber that must not miss a commit."""

import socket
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread

import psycopg
import pytest
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, StoredEvent, Subscription
from sqlalchemy import make_url

from incident_adapters.recorder import AlreadyRecorded, JournalRecorder, NextNumber, StoreError, open_recorder
from incident_adapters.recorder_postgresql import PostgreSQLRecorder


def stored(stream: str, version: int, name: str = "incident.registered.v1") -> StoredEvent:
    return StoredEvent(stream, version, name, b"{}")


class CutWire:
    """A wire to the server that can be cut after a request was carried out, before its answer arrives."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cut_after: bytes | None = None
        self.cuts = 0
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Carry no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        # Either side may end a connection; the wire then ends the other's.
        with client, socket.create_connection(self._server) as server, suppress(ConnectionError):
            while request := client.recv(1 << 20):
                server.sendall(request)
                answer = b""
                while not _is_whole(answer):
                    more = server.recv(1 << 20)
                    if not more:
                        return
                    answer += more
                if self.cut_after is not None and self.cut_after in request:
                    self.cut_after = None
                    self.cuts += 1
                    return
                client.sendall(answer)


def _is_whole(answer: bytes) -> bool:
    """Whether the server is done: ready for a query ("Z" and its state), or still shaking hands."""
    return answer[-6:-1] == b"Z\x00\x00\x00\x05" or answer[:1] in {b"R", b"S", b"N"}


@pytest.fixture
def wire(postgres_database: str) -> Generator[CutWire]:
    """Give a wire to the server of the fresh database."""
    url = make_url(postgres_database)
    assert url.host is not None
    assert url.port is not None
    wire = CutWire((url.host, url.port))
    yield wire
    wire.close()


@pytest.fixture
def journal(postgres_database: str, wire: CutWire) -> Generator[JournalRecorder]:
    """Give an empty journal at the other end of the wire."""
    url = make_url(postgres_database).set(port=wire.port)
    with open_recorder(url.render_as_string()) as recorder:
        yield recorder


def test_a_write_whose_answer_is_lost_is_recorded_once(journal: JournalRecorder, wire: CutWire) -> None:
    """The connection ends after the commit and before the answer: the writer still gets its positions."""
    journal.insert_events([stored("a", 1)])

    wire.cut_after = b"lost answer"
    positions = journal.insert_events([stored("a", 2, "lost answer"), stored("b", 1)])

    assert wire.cuts == 1
    assert positions == [2, 3]
    assert [(row[1], row[2]) for row in journal.read(0, 10)] == [("a", 1), ("a", 2), ("b", 1)]


def test_a_number_whose_answer_is_lost_is_given_once(journal: JournalRecorder, wire: CutWire) -> None:
    """The connection ends at COMMIT: the number that was given stays the incident's, and none is skipped."""
    given: list[int] = []

    def numbered(number: int) -> list[StoredEvent]:
        given.append(number)
        return [stored("a", 1, str(number))]

    wire.cut_after = b"COMMIT"
    positions = journal.insert_events([], number=NextNumber(stream="a", events=numbered))

    assert wire.cuts == 1
    assert (positions, given) == ([1], [1])
    assert [event.topic for event in journal.select_events("a")] == ["1"]
    journal.insert_events([], number=NextNumber(stream="b", events=lambda n: [stored("b", 1, str(n))]))
    assert journal.select_events("b")[0].topic == "2"


def test_a_rival_is_not_taken_for_ones_own_lost_write(journal: JournalRecorder, wire: CutWire) -> None:
    """When the answer was lost, another's event at the same place is still a conflict."""
    journal.insert_events([stored("a", 1, "rival")])

    wire.cut_after = b"lost answer"
    with pytest.raises(IntegrityError) as refused:
        journal.insert_events([stored("a", 1, "lost answer")])

    assert wire.cuts == 1
    assert not isinstance(refused.value, AlreadyRecorded)
    assert [event.topic for event in journal.select_events("a")] == ["rival"]


def test_a_write_that_waits_survives_the_end_of_its_connection(postgres_database: str) -> None:
    """A writer whose connection is ended while it waits its turn connects anew and is recorded once."""
    with (
        open_recorder(postgres_database) as journal,
        psycopg.connect(postgres_database, autocommit=True) as rival,
        ThreadPoolExecutor(1) as threads,
    ):
        with rival.transaction():
            rival.execute("SELECT pg_advisory_xact_lock(1781, 'journal'::regclass::oid::integer)")
            written = threads.submit(journal.insert_events, [stored("a", 1)])
            _end(_waiting(rival), rival)
            _waiting(rival)
        assert written.result() == [1]
        assert len(journal.read(0, 10)) == 1


def test_reading_goes_on_when_the_server_ended_idle_connections(postgres_database: str) -> None:
    """What ended the idle connections, such as a restart of the server, is not seen from outside."""
    with (
        open_recorder(postgres_database) as journal,
        psycopg.connect(postgres_database, autocommit=True) as rival,
    ):
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(journal.insert_events, [[stored(f"s{n}", 1)] for n in range(60)]))
        _end(_others(rival), rival)

        assert journal.max_notification_id() == 60
        _end(_others(rival), rival)
        assert journal.insert_events([stored("s0", 2)]) == [61]


def test_a_server_that_stays_away_is_told(journal: JournalRecorder, wire: CutWire) -> None:
    """When no new connection can be had, the error names the store."""
    wire.close()
    wire.cut_after = b"max(position)"

    with pytest.raises(StoreError, match="store postgresql://postgres@127"):
        journal.max_notification_id()


def test_a_subscriber_gets_what_is_committed_while_it_starts(postgres_database: str) -> None:
    """Every event reaches the subscriber once and in order, also one that is committed while it starts."""
    with open_recorder(postgres_database) as journal, ThreadPoolExecutor(1) as threads:

        def write_all() -> None:
            for version in range(1, 201):
                journal.insert_events([stored("a", version)])

        writer = threads.submit(write_all)
        with journal.subscribe(gt=0) as subscription:
            seen = [_next(subscription) for _ in range(200)]
        writer.result()

    assert seen == list(range(1, 201))


def test_a_subscriber_outlives_the_end_of_its_connection(postgres_database: str) -> None:
    """A subscriber whose connection was ended listens anew and misses nothing."""
    with (
        open_recorder(postgres_database) as journal,
        psycopg.connect(postgres_database, autocommit=True) as rival,
    ):
        journal.insert_events([stored("a", 1)])
        with journal.subscribe(gt=0) as subscription:
            assert _next(subscription) == 1
            _end(_others(rival, "LISTEN%"), rival)
            journal.insert_events([stored("a", 2)])
            assert _next(subscription) == 2


def test_sqlite_has_no_subscription() -> None:
    """SQLite cannot wake a reader; the refusal says what to do instead."""
    with (
        open_recorder("sqlite://") as journal,
        pytest.raises(NotImplementedError, match="after the last position"),
    ):
        journal.subscribe()


def test_a_closed_recorder_says_so(store_url: str) -> None:
    """Neither store is opened again behind the back of who closed it."""
    journal = open_recorder(store_url)
    journal.close()

    with pytest.raises(StoreError, match="was closed"):
        journal.max_notification_id()
    with pytest.raises(StoreError, match="was closed"):
        journal.insert_events([stored("a", 1)])


@pytest.mark.parametrize("value", ["y", "TRUE", "1", "perhaps"])
def test_the_setting_that_makes_readers_miss_events_is_refused(
    postgres_database: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """POSTGRES_ENABLE_DB_FUNCTIONS stops a PostgreSQL store from opening; SQLite does not mind."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    open_recorder("sqlite://").close()
    with pytest.raises(StoreError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        open_recorder(postgres_database)

    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "no")
    open_recorder(postgres_database).close()


def test_a_commit_is_on_disk_whatever_the_database_says(postgres_database: str) -> None:
    """A database with synchronous_commit off and another isolation level gets neither from the journal."""
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off".encode())
        connection.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation TO 'repeatable read'".encode()
        )
    with PostgreSQLRecorder(make_url(postgres_database)) as journal:
        with journal.engine.connect() as connection_of_views:
            settings = [
                connection_of_views.exec_driver_sql(f"SHOW {name}").scalar()
                for name in ("synchronous_commit", "transaction_isolation")
            ]
        with journal.listening_connection() as connection_of_writers:
            settings += [
                connection_of_writers.execute(f"SHOW {name}".encode()).fetchall()[0][0]
                for name in ("synchronous_commit", "transaction_isolation")
            ]

    assert settings == ["on", "read committed"] * 2


def _next(subscription: Subscription[ApplicationRecorder]) -> int:
    """Get the next position; a subscriber that was never woken fails the test instead of hanging it."""
    with ThreadPoolExecutor(1) as threads:
        position = threads.submit(lambda: next(subscription).id)
        try:
            return position.result(timeout=60)
        except TimeoutError:
            subscription.stop()
            raise


def _waiting(rival: psycopg.Connection[tuple[object, ...]]) -> Sequence[int]:
    """Wait until another connection waits for the rival's lock, and return its process."""
    while True:
        rows = rival.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pg_backend_pid() = ANY "
            "(pg_blocking_pids(pid))"
        ).fetchall()
        if rows:
            return [int(str(pid)) for (pid,) in rows]


def _others(rival: psycopg.Connection[tuple[object, ...]], query: str = "%") -> Sequence[int]:
    rows = rival.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND query LIKE %s",
        [query],
    ).fetchall()
    assert rows
    return [int(str(pid)) for (pid,) in rows]


def _end(processes: Sequence[int], rival: psycopg.Connection[tuple[object, ...]]) -> None:
    for process in processes:
        assert rival.execute("SELECT pg_terminate_backend(%s, 5000)", [process]).fetchone() == (True,)
