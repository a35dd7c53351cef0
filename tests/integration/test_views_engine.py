from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from incident_domain.envelope import Recorded
from incident_projections.engine import JournalGap, OtherVersion, Projections, ViewStopped
from incident_projections.queue import QUEUE, QueueRow, fold_queue
from incident_projections.view import StreamView, View, one_row
from incident_projections.views import VIEWS
from tests.histories import ListSource, histories, recorded, registered, rows_of

ALONE: Final = (QUEUE,)

cuts = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=8)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Give an empty database in memory."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


def one_pass(journal: list[Recorded], views: Sequence[View] = VIEWS) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), views).catch_up()
    rows = rows_of(engine, views)
    engine.dispose()
    return rows


@given(journal=histories(), begun=st.integers(0, 30), cuts=cuts)
def test_any_cut_with_redelivery_equals_one_pass(
    journal: list[Recorded], begun: int, cuts: list[tuple[int, int]]
) -> None:
    """However the history is cut into batches, and whatever is delivered again, the tables are the same."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal[:begun], cuts=cuts), VIEWS).catch_up()

    reached = Projections(engine, ListSource(journal=journal, cuts=cuts), VIEWS).catch_up()

    assert reached == len(journal)
    assert rows_of(engine, VIEWS) == one_pass(journal)
    engine.dispose()


@given(journal=histories(), begun=st.integers(0, 30))
def test_a_rebuild_equals_what_grew(journal: list[Recorded], begun: int) -> None:
    """A view that is built anew from the first event holds the same rows as the one that grew."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal[:begun]), VIEWS).catch_up()
    views = Projections(engine, ListSource(journal=journal), VIEWS)
    views.catch_up()
    grown = rows_of(engine, VIEWS)

    views.rebuild()

    assert rows_of(engine, VIEWS) == grown
    assert set(views.positions().values()) == {len(journal)}
    engine.dispose()


def _refusing(incident: str) -> StreamView[Any, Any]:
    def fold(row: QueueRow | None, recorded: Recorded, event: Any) -> QueueRow:
        if recorded.stream == incident:
            raise ArithmeticError(incident)
        return fold_queue(row, recorded, event)

    return changed(QUEUE, fold=one_row(fold))


def test_a_view_that_cannot_fold_an_event_stops_and_says_where(engine: Engine) -> None:
    """The error names view, position, stream and event; the view holds all that came before it."""
    journal = recorded(*((name, registered(name)) for name in ("INC-1", "INC-2", "INC-3", "INC-4")))
    Projections(engine, ListSource(journal=journal[:1]), ALONE).catch_up()

    with pytest.raises(ViewStopped) as stopped:
        Projections(engine, ListSource(journal=journal), [_refusing("INC-3")]).catch_up()

    assert (stopped.value.view, stopped.value.position) == ("queue", 3)
    assert (stopped.value.stream, stopped.value.event) == ("INC-3", "incident.registered.v2")
    assert isinstance(stopped.value.__cause__, ArithmeticError)
    assert rows_of(engine, ALONE) == one_pass(journal[:2], ALONE)
    assert Projections(engine, ListSource(journal=journal), ALONE).positions() == {"queue": 2}


def test_a_stopped_view_goes_on_once_its_fold_is_mended(engine: Engine) -> None:
    """Nothing has to be cleaned up after a stop."""
    journal = recorded(*((name, registered(name)) for name in ("INC-1", "INC-2", "INC-3")))
    with pytest.raises(ViewStopped):
        Projections(engine, ListSource(journal=journal, cuts=[(0, 1)]), [_refusing("INC-3")]).catch_up()

    Projections(engine, ListSource(journal=journal), ALONE).catch_up()

    assert rows_of(engine, ALONE) == one_pass(journal, ALONE)


def test_a_view_of_an_older_version_is_rebuilt(engine: Engine) -> None:
    """A raised version makes the rows anew from the first event."""
    journal = recorded(("INC-1", registered("INC-1")), ("INC-2", registered("INC-2", 5)))

    def shouting(row: QueueRow | None, recorded: Recorded, event: Any) -> QueueRow:
        folded = fold_queue(row, recorded, event)
        return {**folded, "summary": folded["summary"].upper()}

    Projections(engine, ListSource(journal=journal), ALONE).catch_up()
    raised = changed(QUEUE, version=QUEUE.version + 1, fold=one_row(shouting))
    Projections(engine, ListSource(journal=journal), [raised]).catch_up()

    summary = QUEUE.table.columns.keys().index("summary")
    assert {row[summary] for row in rows_of(engine, ALONE)["queue"]} == {"NO E-MAIL SINCE THIS MORNING"}


def test_a_view_of_a_newer_release_is_left_alone(engine: Engine) -> None:
    """An older release refuses to write into a newer view, unless it is told to rebuild it."""
    source = ListSource(journal=recorded(("INC-1", registered("INC-1"))))
    Projections(engine, source, [changed(QUEUE, version=99)]).catch_up()
    older = Projections(engine, source, ALONE)

    with pytest.raises(
        OtherVersion, match=f"version 99 in the store, this release makes version {QUEUE.version}:"
    ):
        older.catch_up()
    older.rebuild("queue")

    assert older.catch_up() == 1


def test_a_rebuild_under_way_shows_readers_the_old_rows(engine: Engine) -> None:
    """Until every new row is there, readers see what was there before; the progress is told in positions."""
    journal = recorded(*((f"INC-{each}", registered(f"INC-{each}", each)) for each in range(5)))
    views = Projections(engine, ListSource(journal=journal, cuts=[(0, 2)]), ALONE)
    views.catch_up()
    complete = rows_of(engine, ALONE)
    told: list[tuple[int, int]] = []

    def look(reached: int, head: int) -> None:
        told.append((reached, head))
        assert rows_of(engine, ALONE) == complete

    views.rebuild(progress=look)

    assert told == [(2, 5), (4, 5), (5, 5)]
    assert rows_of(engine, ALONE) == complete


def test_an_interrupted_rebuild_is_taken_up_again(engine: Engine) -> None:
    """A first build that was broken off goes on from where it was, and its rows are the same."""
    journal = recorded(*((f"INC-{each}", registered(f"INC-{each}", each)) for each in range(6)))
    source = ListSource(journal=journal, cuts=[(0, 2)])

    def break_off(reached: int, head: int) -> None:
        if reached == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Projections(engine, source, ALONE).catch_up(progress=break_off)
    taken_up: list[int] = []
    Projections(engine, source, ALONE).catch_up(progress=lambda reached, _: taken_up.append(reached))

    assert taken_up[0] == 6
    assert rows_of(engine, ALONE) == one_pass(journal, ALONE)


def test_waiting_for_a_position_gives_a_writer_its_own_writes(engine: Engine) -> None:
    """After waiting for the position of a write, the views hold it."""
    journal = recorded(("INC-1", registered("INC-1")))
    source = ListSource(journal=journal)
    views = Projections(engine, source, ALONE)
    views.catch_up()
    journal += recorded(("INC-1", registered("INC-1")), ("INC-2", registered("INC-2", 7)))[1:]

    assert views.wait_for(2) == 2
    assert len(rows_of(engine, ALONE)["queue"]) == 2


def test_waiting_for_what_is_not_recorded_is_an_error(engine: Engine) -> None:
    """Nobody waits for a position that the journal has not reached."""
    views = Projections(engine, ListSource(journal=recorded(("INC-1", registered("INC-1")))), ALONE)

    with pytest.raises(ValueError, match="position: 2 is not recorded yet, the journal's head is 1"):
        views.wait_for(2)


def test_a_gap_in_what_the_journal_gives_stops_everything(engine: Engine) -> None:
    """A view never goes on over events that were left out."""
    journal = recorded(*((f"INC-{each}", registered(f"INC-{each}", each)) for each in range(3)))

    with pytest.raises(JournalGap, match="after position 1 the journal gave 3"):
        Projections(engine, ListSource(journal=[journal[0], journal[2]]), ALONE).catch_up()


def test_views_are_kept_on_two_databases_only() -> None:
    """Another database is refused by name, before anything is tried on it."""
    engine = create_engine("sqlite://")
    engine.dialect.name = "mysql"

    with pytest.raises(ValueError, match="on SQLite or PostgreSQL, not on mysql"):
        Projections(engine, ListSource(journal=[]), ALONE)
