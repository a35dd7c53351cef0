import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve as changed
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, create_engine, inspect, text

from incident_domain.envelope import Recorded
from incident_domain.events import IncidentRegistered
from incident_projections.engine import Projections, ViewStopped
from incident_projections.queue import QUEUE
from incident_projections.view import INCIDENT_EVENTS
from incident_projections.views import VIEWS
from tests.examples import EXAMPLES
from tests.histories import ListSource, histories, recorded, registered, rows_of

if TYPE_CHECKING:
    from incident_domain.events import DomainEvent

ROOT = Path(__file__).parents[2]
CUTS = [(3, 7), (0, 4), (9, 11)]


def long_journal() -> list[Recorded]:
    """Twelve incidents whose events come in turns: one example of each class of events for every incident."""
    kinds = [kind for kind in EXAMPLES if kind in INCIDENT_EVENTS][1:]
    told: list[tuple[str, DomainEvent]] = []
    for turn in range(len(kinds) + 12):
        for each in range(12):
            name = f"INC-{each:02}"
            if turn == each:
                told.append((name, registered(name, each)))
            elif 0 < turn - each <= len(kinds):
                told.append((name, EXAMPLES[kinds[turn - each - 1]]))
    told += [("known-error-1", EXAMPLES[kind]) for kind in EXAMPLES if kind not in INCIDENT_EVENTS][:5]
    return recorded(*told)


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """Give an engine on a fresh, empty store."""
    engine = create_engine(store_url)
    yield engine
    engine.dispose()


def one_pass(journal: list[Recorded]) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()
    rows = rows_of(engine, VIEWS)
    engine.dispose()
    return rows


@given(journal=histories())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sqlite_and_postgresql_hold_the_same_rows(postgres_database: str, journal: list[Recorded]) -> None:
    """Whatever the history and the cuts, the tables are the same on both databases."""
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{table}"'))

    Projections(engine, ListSource(journal=journal, cuts=CUTS), VIEWS).catch_up()

    assert rows_of(engine, VIEWS) == one_pass(journal)
    engine.dispose()


def test_growing_and_rebuilding_give_the_same_rows_on_every_store(engine: Engine) -> None:
    """Cut, redelivered, rebuilt: one pass is what all come to."""
    journal = long_journal()
    Projections(engine, ListSource(journal=journal[:100], cuts=CUTS), VIEWS).catch_up()
    views = Projections(engine, ListSource(journal=journal, cuts=CUTS), VIEWS)

    views.catch_up()
    grown = rows_of(engine, VIEWS)
    views.rebuild()
    views.rebuild("queue")

    assert grown == one_pass(journal)
    assert rows_of(engine, VIEWS) == grown
    indexes = {index["name"] for index in inspect(engine).get_indexes("queue")}
    assert "queue_by_phase_3" in indexes


def killing_run(url: str, at: int) -> None:
    """Catch up in this process, and die by kill -9 in the transaction that brings the event at a position.

    The view that kills comes after the others: their rows of the batch are written, but not committed.
    """

    def fold(known: tuple[Any, ...], recorded: Recorded, event: Any) -> tuple[Any, ...]:
        if recorded.position == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return QUEUE.fold(known, recorded, event)

    deadly = changed(QUEUE, fold=fold)
    others = [view for view in VIEWS if view is not QUEUE]
    engine = create_engine(url)
    Projections(engine, ListSource(journal=long_journal(), cuts=CUTS), [*others, deadly]).catch_up()


def _run(call: str) -> subprocess.Popen[str]:
    program = f"from tests.integration.test_engine import *\n{call}"
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, text=True)


@pytest.mark.parametrize("live", [False, True], ids=["first build", "live"])
def test_a_killed_run_leaves_rows_and_positions_together(engine: Engine, store_url: str, live: bool) -> None:
    """Killed in the middle of a transaction again and again, the views come out as from one pass."""
    journal = long_journal()
    if live:
        Projections(engine, ListSource(journal=[]), VIEWS).catch_up()
    for position in (5, 20, 21, 240, 555):
        assert _run(f"killing_run({store_url!r}, {position})").wait() == -signal.SIGKILL
        if live:
            reached = set(Projections(engine, ListSource(journal=journal), VIEWS).positions().values())
            assert len(reached) == 1
            assert rows_of(engine, VIEWS) == one_pass(journal[: reached.pop()])

    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()

    assert rows_of(engine, VIEWS) == one_pass(journal)


def plain_run(url: str) -> None:
    """Catch up in this process with small batches."""
    engine = create_engine(url)
    Projections(engine, ListSource(journal=long_journal(), cuts=CUTS), VIEWS).catch_up()
    engine.dispose()


def test_several_runners_at_once_come_to_one_pass(engine: Engine, store_url: str) -> None:
    """Four processes that start on an empty store together apply every event once."""
    runners = [_run(f"plain_run({store_url!r})") for _ in range(4)]

    assert [runner.wait() for runner in runners] == [0, 0, 0, 0]
    assert rows_of(engine, VIEWS) == one_pass(long_journal())


def test_runners_and_rebuilders_at_once_come_to_one_pass(engine: Engine) -> None:
    """Rebuilds of all views and of one, beside two runners: no event is lost or applied twice."""
    journal = long_journal()
    Projections(engine, ListSource(journal=journal[:50]), VIEWS).catch_up()

    def views() -> Projections:
        return Projections(engine, ListSource(journal=journal, cuts=CUTS), VIEWS)

    with ThreadPoolExecutor() as pool:
        rebuilding = [pool.submit(views().rebuild), pool.submit(views().rebuild, "queue")]
        running = [pool.submit(views().catch_up) for _ in range(2)]
        for rebuilt in rebuilding:
            rebuilt.result()
        for run in running:
            run.result()
    views().catch_up()

    assert rows_of(engine, VIEWS) == one_pass(journal)


def test_readers_never_see_a_half_built_view(engine: Engine) -> None:
    """A reader that looks all the time during rebuilds finds every incident each time."""
    journal = long_journal()
    views = Projections(engine, ListSource(journal=journal, cuts=[(0, 50)]), VIEWS)
    views.catch_up()
    seen: set[int] = set()
    rebuilt = threading.Event()

    def look() -> None:
        while True:
            last = rebuilt.is_set()
            with views.reading() as connection:
                seen.add(connection.exec_driver_sql("SELECT count(*) FROM queue").scalar_one())
            if last:
                return

    with ThreadPoolExecutor() as pool:
        looking = pool.submit(look)
        for _ in range(5):
            views.rebuild()
        rebuilt.set()
        looking.result()

    assert seen == {12}


def test_a_row_that_the_database_refuses_stops_its_view_and_is_not_quoted(engine: Engine) -> None:
    """The error and what is printed with it name the failure; rows hold personal data and are not quoted."""
    views = Projections(engine, ListSource(journal=recorded(("INC-1", registered("INC-1", 0)))), VIEWS)
    Projections(engine, ListSource(journal=[]), VIEWS).catch_up()
    summary = "summary" if engine.dialect.name == "postgresql" else "new.summary"
    with engine.begin() as connection:
        connection.execute(text(_NO_ROW[engine.dialect.name].format(summary=summary)))

    with pytest.raises(ViewStopped) as failed:
        views.catch_up()

    printed = "".join(traceback.format_exception(failed.value))
    [told] = [each.event for each in recorded(("INC-1", registered("INC-1", 0)))]
    assert isinstance(told, IncidentRegistered)
    assert told.summary not in printed
    assert told.customer.person not in printed
    assert "SQLITE_CONSTRAINT" in printed or "23514" in printed
    assert {name for name, position in views.positions().items() if position == 0} == {"queue"}


_NO_ROW = {
    "postgresql": "ALTER TABLE queue ADD CONSTRAINT none CHECK (length({summary}) < 1)",
    "sqlite": "CREATE TRIGGER none BEFORE INSERT ON queue WHEN length({summary}) > 0"
    " BEGIN SELECT RAISE(ABORT, 'none'); END",
}
