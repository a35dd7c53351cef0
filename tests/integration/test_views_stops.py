"""A view that cannot fold an event stops there, and the others go on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve as changed
from attrs import field, frozen
from sqlalchemy import Engine, create_engine

from incident_domain.envelope import Recorded
from incident_projections.engine import JournalShorter, NotReached, Projections, ViewStatus, ViewStopped
from incident_projections.queue import QUEUE
from incident_projections.storage import Stop
from incident_projections.timeline import TIMELINE
from incident_projections.view import StreamView
from tests.histories import ListSource, recorded, registered, rows_of

JOURNAL = recorded(*((f"INC-{each}", registered(f"INC-{each}", each)) for each in range(1, 7)))
BOTH = (QUEUE, TIMELINE)
AT_4 = Stop(
    view="queue",
    position=4,
    stream="INC-4",
    version=1,
    event="incident.registered.v2",
    error="ArithmeticError",
)
LATER = JOURNAL[-1].recorded_at + timedelta(hours=1)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Give an empty database in memory."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


def queue_that(raises: Callable[[Recorded], bool], version: int = QUEUE.version) -> StreamView[Any, Any]:
    def fold(rows: tuple[Any, ...], recorded: Recorded, event: Any) -> tuple[Any, ...]:
        if raises(recorded):
            raise ArithmeticError("Ana, 555-0100")
        return QUEUE.fold(rows, recorded, event)

    return changed(QUEUE, version=version, fold=fold)


BROKEN = queue_that(lambda each: each.stream == "INC-4")


@frozen(kw_only=True)
class CountingSource:
    """A journal that notes how many events are asked for after which position."""

    journal: list[Recorded] = field(factory=lambda: list(JOURNAL))
    asked: list[tuple[int, int]] = field(factory=list)

    def head(self) -> int:
        """The position of the last event."""
        return len(self.journal)

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """The next events after a position."""
        self.asked.append((after, limit))
        return self.journal[after : after + limit]


def source(length: int = len(JOURNAL), cuts: Sequence[tuple[int, int]] = ()) -> ListSource:
    return ListSource(journal=JOURNAL[:length], cuts=cuts)


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    return rows_of(engine, BOTH)


def one_pass(length: int = len(JOURNAL)) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, source(length), BOTH).catch_up()
    found = rows_of(engine, BOTH)
    engine.dispose()
    return found


@pytest.mark.parametrize("cuts", [[], [(0, 1)], [(2, 3)]], ids=["one batch", "single events", "redelivered"])
@pytest.mark.parametrize("begun", [0, 2], ids=["first build", "live"])
def test_the_other_views_go_on(engine: Engine, begun: int, cuts: Sequence[tuple[int, int]]) -> None:
    """However the batches are cut, one view stands before the event, and the other is at the head."""
    Projections(engine, source(begun), BOTH).catch_up()
    views = Projections(engine, source(cuts=cuts), [BROKEN, TIMELINE])

    with pytest.raises(
        ViewStopped, match=r"queue stopped before position 4: .* \(ArithmeticError\)"
    ) as stopped:
        views.catch_up()

    assert stopped.value.stops == (AT_4,)
    assert views.positions() == {"queue": 3, "timeline": 6}
    assert rows(engine) == {"queue": one_pass(3)["queue"], "timeline": one_pass()["timeline"]}


def test_a_view_that_is_new_and_stops_is_not_shown(engine: Engine) -> None:
    """A first build that cannot be finished holds up nobody, and nobody sees half of it."""
    views = Projections(engine, source(), [BROKEN, TIMELINE])

    with pytest.raises(ViewStopped):
        views.catch_up()

    queue, timeline = views.status(LATER)
    assert (queue.version, queue.rebuilt_to, queue.rebuild_stop) == (None, 3, AT_4)
    assert (timeline.position, timeline.behind) == (6, 0)


def test_the_stop_is_kept_for_everybody_to_see(engine: Engine) -> None:
    """Another process sees how far each view is, what it is behind by, and which event it cannot fold."""
    Projections(engine, source(1), BOTH).catch_up()
    with pytest.raises(ViewStopped):
        Projections(engine, source(), [BROKEN, TIMELINE]).catch_up()

    queue, timeline = Projections(engine, source(), BOTH).status(LATER)

    assert queue == ViewStatus(
        view="queue",
        version=QUEUE.version,
        position=3,
        behind=3,
        waiting=LATER - JOURNAL[3].recorded_at,
        stop=AT_4,
        rebuilt_to=None,
        rebuild_stop=None,
    )
    assert (timeline.behind, timeline.waiting, timeline.stop) == (0, timedelta(), None)


def test_the_words_of_an_error_are_not_kept(engine: Engine) -> None:
    """What a fold raised may hold what the event holds; only its kind is stored and said."""
    with pytest.raises(ViewStopped) as stopped:
        Projections(engine, source(), [BROKEN]).catch_up()

    with engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM view_stops").all())
    assert "555" not in stored + str(stopped.value)


def test_a_mended_view_goes_on_from_where_it_stopped(engine: Engine) -> None:
    """After a fix nothing is built again, and the stop is gone."""
    Projections(engine, source(1), BOTH).catch_up()
    with pytest.raises(ViewStopped):
        Projections(engine, source(), [BROKEN, TIMELINE]).catch_up()
    mended = Projections(engine, journal := CountingSource(), BOTH)

    assert mended.catch_up() == 6

    assert rows(engine) == one_pass()
    assert min(after for after, _ in journal.asked) == 3
    assert [each.stop for each in mended.status(LATER)] == [None, None]


def test_a_mended_view_of_a_new_version_is_built_anew(engine: Engine) -> None:
    """A new release that raises the version builds the view from the first event, and the stop is gone."""
    Projections(engine, source(1), BOTH).catch_up()
    with pytest.raises(ViewStopped):
        Projections(engine, source(), [BROKEN, TIMELINE]).catch_up()
    mended = Projections(engine, source(), [changed(QUEUE, version=QUEUE.version + 1), TIMELINE])

    assert mended.catch_up() == 6

    assert rows(engine) == one_pass()
    assert mended.status(LATER)[0].stop is None


def test_a_stopped_view_is_tried_with_one_event(engine: Engine) -> None:
    """A view that stays broken costs one event at each look, not a batch."""
    views = Projections(engine, journal := CountingSource(), [BROKEN, TIMELINE])
    Projections(engine, source(1), BOTH).catch_up()
    with pytest.raises(ViewStopped):
        views.catch_up()
    journal.asked.clear()

    with pytest.raises(ViewStopped):
        views.catch_up()

    assert [limit for after, limit in journal.asked if after == 3] == [1]


def test_several_views_that_stop_are_all_named(engine: Engine) -> None:
    """The error is about the first, and names the others."""

    def refuse(each: Recorded, _event: Any) -> Any:
        raise LookupError(each.position)

    views = Projections(engine, source(), [BROKEN, changed(TIMELINE, row=refuse)])

    with pytest.raises(ViewStopped, match="stopped as well: ") as stopped:
        views.catch_up()

    assert {(each.view, each.position) for each in stopped.value.stops} == {("queue", 4), ("timeline", 1)}


def test_a_row_that_its_table_does_not_take_stops_its_view_alone(engine: Engine) -> None:
    """A fold that makes a row without a required value is found out by its event, also in a long batch."""

    def fold(known: tuple[Any, ...], recorded: Recorded, event: Any) -> tuple[Any, ...]:
        made = QUEUE.fold(known, recorded, event)
        return ({**made[0], "summary": None},) if recorded.stream == "INC-4" else made

    Projections(engine, source(1), BOTH).catch_up()
    views = Projections(engine, source(), [changed(QUEUE, fold=fold), TIMELINE])

    with pytest.raises(ViewStopped) as stopped:
        views.catch_up()

    assert stopped.value.stops == (changed(AT_4, error="RowRefused"),)
    assert views.positions() == {"queue": 3, "timeline": 6}
    assert rows(engine) == {"queue": one_pass(3)["queue"], "timeline": one_pass()["timeline"]}


def test_a_rebuild_that_stops_leaves_the_old_rows(engine: Engine) -> None:
    """The view goes on with its old rows; the other that was rebuilt has its new ones."""
    Projections(engine, source(), BOTH).catch_up()
    views = Projections(engine, source(), [BROKEN, TIMELINE])

    with pytest.raises(ViewStopped):
        views.rebuild()

    assert rows(engine) == one_pass()
    queue, timeline = views.status(LATER)
    assert (queue.position, queue.stop, queue.rebuild_stop) == (6, None, AT_4)
    assert (timeline.position, timeline.rebuilt_to) == (6, None)


def test_a_view_under_construction_holds_up_nobody(engine: Engine) -> None:
    """While a view of a new version is built, the others take what is recorded meanwhile."""
    journal = list(JOURNAL[:4])
    Projections(engine, ListSource(journal=journal), BOTH).catch_up()
    views = Projections(
        engine,
        ListSource(journal=journal, cuts=[(0, 1)]),
        [changed(QUEUE, version=QUEUE.version + 1), TIMELINE],
    )
    seen: list[tuple[int | None, int]] = []

    def look(reached: int, head: int) -> None:
        queue, timeline = views.status(LATER)
        seen.append((queue.rebuilt_to, timeline.position))
        journal[:] = JOURNAL[: min(len(journal) + 1, 6)]

    views.catch_up(progress=look)

    assert seen[:3] == [(1, 4), (2, 5), (3, 6)]
    assert rows(engine) == one_pass()


def test_waiting_for_a_view_that_stopped_ends_at_once(engine: Engine) -> None:
    """Whoever waits for others to do the work is told why they cannot, and at once."""
    Projections(engine, source(1), BOTH).catch_up()
    with pytest.raises(ViewStopped):
        Projections(engine, source(), [BROKEN, TIMELINE]).catch_up()
    waiting = Projections(engine, source(), BOTH)

    with pytest.raises(ViewStopped) as stopped:
        waiting.wait_for(6, timeout=3600)

    assert stopped.value.stops == (AT_4,)
    assert waiting.wait_for(6, "timeline", timeout=3600) == 6
    assert waiting.wait_for(3, timeout=3600) == 3


def test_waiting_ends_when_the_time_is_over(engine: Engine) -> None:
    """Where nobody runs the views, the error says what to do, and the views were left alone."""
    Projections(engine, source(1), BOTH).catch_up()
    waiting = Projections(engine, source(), BOTH)

    with pytest.raises(NotReached, match=r"nobody brought the views to 2 in .* s; run a projector"):
        waiting.wait_for(2, timeout=0.01)

    assert waiting.positions() == {"queue": 1, "timeline": 1}


def test_views_that_hold_more_than_the_journal_say_so(engine: Engine) -> None:
    """When an older journal was put in the place of theirs, they stop, and a rebuild makes them right."""
    Projections(engine, source(), BOTH).catch_up()
    views = Projections(engine, source(3), BOTH)

    with pytest.raises(JournalShorter, match="they hold events up to 6, but the journal ends at 3"):
        views.catch_up()
    views.rebuild()

    assert views.catch_up() == 3
    assert rows(engine) == one_pass(3)


def test_only_the_named_views_are_brought_up(engine: Engine) -> None:
    """A reader of one view need not wait for the rest; later they stand together again."""
    Projections(engine, source(1), BOTH).catch_up()
    views = Projections(engine, source(), BOTH)

    assert views.wait_for(6, "queue") == 6
    assert views.positions() == {"queue": 6, "timeline": 1}
    assert views.catch_up() == 6
    assert rows(engine) == one_pass()
    with pytest.raises(KeyError):
        views.catch_up("que")
