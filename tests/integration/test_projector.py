"""Views run in the background: one leader at a time, taken over when it dies, woken by commits."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

import psycopg
import pytest
from attrs import evolve as changed
from attrs import frozen
from sqlalchemy import create_engine

from incident_adapters.journal import Change, Journal
from incident_adapters.projector import Projector
from incident_adapters.projector_lead import lead_of
from incident_adapters.recorder import StoreError, open_recorder
from incident_projections.engine import OtherVersion, Projections, ViewStopped
from incident_projections.queue import QUEUE
from incident_projections.timeline import TIMELINE
from incident_projections.views import VIEWS
from tests.histories import classified, rows_of

PROGRAM = Path(sys.executable).with_name("incidents")
LONG = 60
LEADS = "leading the views"


@pytest.fixture
def journal(store_url: str) -> Iterator[Journal]:
    """Give the journal of a fresh store."""
    with closing(Journal.open(store_url)) as journal:
        yield journal


def record(journal: Journal, *incidents: str) -> int:
    """Record the shortest story of each incident, and give the last position."""
    changes = [
        Change(
            causation_id=uuid5(NAMESPACE_OID, each),
            correlation_id=uuid5(NAMESPACE_OID, "test"),
            events={each: classified(each)},
        )
        for each in incidents
    ]
    return journal.append(changes, seen=dict.fromkeys(incidents, 0))[-1].position


def all_views(journal: Journal) -> Projections:
    return Projections(journal.store.engine, journal, VIEWS)


def one_pass(journal: Journal) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, journal, VIEWS).catch_up()
    rows = rows_of(engine, VIEWS)
    engine.dispose()
    return rows


def comes_true(condition: Callable[[], bool]) -> bool:
    """Look until a condition holds, or give up after a time that no sound run comes near."""
    until = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@frozen
class Worker:
    """A program of its own that runs the views."""

    process: subprocess.Popen[bytes]

    def says(self, words: str) -> str:
        """Read on until it has said these words, ended, or been silent for too long; give what was read."""
        assert self.process.stderr is not None
        said = ""
        while words not in said and select.select([self.process.stderr], [], [], LONG)[0]:
            read = os.read(self.process.stderr.fileno(), 4096)
            if not read:
                break
            said += read.decode()
        return said

    def kill(self) -> None:
        """End it with kill -9."""
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL


@contextmanager
def worker(url: str) -> Generator[Worker]:
    """Run `incidents project` on a store."""
    with subprocess.Popen([PROGRAM, "project", "--store", url], stderr=subprocess.PIPE) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


@contextmanager
def writing(journal: Journal) -> Generator[None]:
    """Record incidents all the time, in a thread."""
    enough = threading.Event()

    def write() -> None:
        turn = 0
        # SQLite serves whoever asks first: without a breath the others would hardly get at the file.
        while not enough.wait(0.01):
            turn += 1
            record(journal, f"INC-{turn}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()


def test_a_worker_that_is_killed_is_taken_over_from(store_url: str, journal: Journal) -> None:
    """Leaders die by kill -9 while much is recorded; another takes over, and nothing is lost or doubled."""
    views = all_views(journal)
    with ExitStack() as workers:
        leader = workers.enter_context(worker(store_url))
        assert LEADS in leader.says(LEADS)
        with writing(journal):
            for _ in range(3):
                follower = workers.enter_context(worker(store_url))
                last = record(journal, str(uuid4()))
                # Nobody but the leader runs these views: it is at work.
                views.wait_for(last, timeout=LONG)

                leader.kill()

                assert LEADS in follower.says(LEADS)
                leader = follower
        views.wait_for(journal.head(), timeout=LONG)

    assert rows_of(journal.store.engine, VIEWS) == one_pass(journal)


def test_a_worker_ends_cleanly_when_it_is_told_to(store_url: str, journal: Journal) -> None:
    """SIGTERM ends it with success, what it did stays, and the next one leads at once."""
    last = record(journal, "INC-1")
    for _ in range(2):
        with worker(store_url) as running:
            assert LEADS in running.says(LEADS)
            assert all_views(journal).wait_for(last, timeout=LONG) == last
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(LONG) == 0

    assert rows_of(journal.store.engine, VIEWS) == one_pass(journal)


def test_one_leads_at_a_time(journal: Journal) -> None:
    """The lead of a set of views is held once; other sets of views have leads of their own."""
    views = all_views(journal)
    with closing(lead_of(views)) as first, closing(lead_of(all_views(journal))) as second:
        assert first.take()
        assert not second.take()
        with closing(lead_of(Projections(journal.store.engine, journal, [QUEUE]))) as other:
            assert other.take()
        first.check()

        first.close()

        assert comes_true(second.take)


def test_two_threads_take_over_from_each_other(journal: Journal) -> None:
    """Projectors of one program contend as those of several do."""
    first, second = (Projector(all_views(journal), journal).start() for _ in range(2))
    try:
        assert comes_true(lambda: first.leads or second.leads)
        leader, follower = (first, second) if first.leads else (second, first)
        assert not follower.leads

        leader.stop()

        assert comes_true(lambda: follower.leads)
        last = record(journal, "INC-1")
        assert all_views(journal).wait_for(last, timeout=LONG) == last
    finally:
        first.stop()
        second.stop()


def test_a_program_runs_its_views_beside_its_work(journal: Journal) -> None:
    """Whoever embeds it starts it, writes, and reads what it wrote; a rebuild meanwhile disturbs nobody."""
    views = all_views(journal)
    with Projector(views, journal):
        for turn in range(5):
            last = record(journal, f"INC-{turn}")
            assert views.wait_for(last, "queue", timeout=LONG) >= last
            views.rebuild("queue")
        views.wait_for(journal.head(), timeout=LONG)

    assert rows_of(journal.store.engine, VIEWS) == one_pass(journal)


def test_a_view_that_stops_is_said_and_the_others_are_run(journal: Journal) -> None:
    """The projector goes on, `trouble` names the event, and stopping it is no error."""

    def fold(known: tuple[Any, ...], recorded: Any, event: Any) -> tuple[Any, ...]:
        if recorded.stream == "INC-2":
            raise ArithmeticError
        return QUEUE.fold(known, recorded, event)

    views = Projections(journal.store.engine, journal, [changed(QUEUE, fold=fold), TIMELINE])
    record(journal, "INC-1")
    with Projector(views, journal) as projector:
        assert comes_true(lambda: set(views.positions().values()) == {4})
        last = record(journal, "INC-2", "INC-3")

        assert views.wait_for(last, "timeline", timeout=LONG) == last
        with pytest.raises(ViewStopped, match=r"cannot fold .* of stream INC-2"):
            views.wait_for(last, timeout=LONG)
        assert comes_true(lambda: isinstance(projector.trouble, ViewStopped))


def test_what_ends_a_projector_is_raised_to_who_stops_it(journal: Journal) -> None:
    """An older release that meets the views of a newer one ends, and says why."""
    Projections(journal.store.engine, journal, [changed(QUEUE, version=9)]).catch_up()
    older = Projector(Projections(journal.store.engine, journal, [QUEUE]), journal).start()

    assert comes_true(lambda: older.trouble is not None)
    with pytest.raises(OtherVersion, match="version 9"):
        older.stop()
    assert not older.leads


def test_it_leaves_after_the_batch_at_hand(journal: Journal) -> None:
    """Told to leave while there is much to fold, it does not first fold it all."""
    record(journal, *(f"INC-{each}" for each in range(1300)))

    def fold(known: tuple[Any, ...], recorded: Any, event: Any) -> tuple[Any, ...]:
        projector.leave()
        return QUEUE.fold(known, recorded, event)

    views = Projections(journal.store.engine, journal, [changed(QUEUE, fold=fold)])
    projector = Projector(views, journal)

    projector.run()

    reached = views.status(journal.now())[0].rebuilt_to
    assert reached is not None
    assert 0 < reached < journal.head()


def test_a_lost_database_is_tried_again(postgres_database: str) -> None:
    """When the server ends every connection, the projector connects anew, leads again and misses nothing."""
    with closing(Journal.open(postgres_database)) as journal:
        views = all_views(journal)
        with Projector(views, journal) as projector:
            views.wait_for(record(journal, "INC-1"), timeout=LONG)
            for turn in range(2, 5):
                with psycopg.connect(postgres_database, autocommit=True) as server:
                    server.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                views.engine.dispose()
                last = record(journal, f"INC-{turn}")
                assert views.wait_for(last, timeout=LONG) == last
            assert comes_true(lambda: projector.leads and projector.trouble is None)

        assert rows_of(views.engine, VIEWS) == one_pass(journal)


def test_a_commit_gives_word(any_store_url: str) -> None:
    """Whoever listens learns of a commit by anybody, also of one before the waiting began, and once."""
    with closing(Journal.open(any_store_url)) as journal, journal.store.commits() as commits:
        assert not commits.wait(0)

        record(journal, "INC-1")

        assert commits.wait(LONG)
        assert not commits.wait(0)


def test_a_commit_of_another_process_gives_word(store_url: str) -> None:
    """The word of a commit goes from one open store to another."""
    with open_recorder(store_url) as here, here.commits() as commits:
        with closing(Journal.open(store_url)) as elsewhere:
            record(elsewhere, "INC-1")

        assert commits.wait(LONG)


def test_a_listener_that_is_cut_off_says_so(postgres_database: str) -> None:
    """Word may have been lost with the connection, so whoever waits must look again."""
    with open_recorder(postgres_database) as store, store.commits() as commits:
        with psycopg.connect(postgres_database, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

        with pytest.raises(StoreError):
            commits.wait(LONG)
