"""The past as a part of the journal: which events it is, and that views of it are those of these events."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve as changed
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, inspect

from incident_domain.envelope import Recorded
from incident_domain.validation import InvalidValue
from incident_projections.catching_up import JournalGap, ViewStopped
from incident_projections.engine import Projections
from incident_projections.past import AsOf, Extent, OccurredBy, RecordedBy, UpTo, extent, fold_once
from incident_projections.queue import QUEUE
from incident_projections.timeline import TIMELINE
from incident_projections.view import View
from incident_projections.views import views
from tests.agreements import acknowledged, any_terms, escalated, progress
from tests.histories import ListSource, at, histories, recorded, registered, rows_of
from tests.strategies import instants

VIEWS = views(any_terms)


def of_past(journal: Sequence[Recorded], asked: AsOf, known: Sequence[View] = VIEWS) -> dict[str, Any]:
    """The rows of the views as of the past."""
    source = ListSource(journal=journal)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        fold_once(connection, known, extent(source, asked).batches(source))
    rows = rows_of(engine, known)
    engine.dispose()
    return rows


def of_engine(journal: Sequence[Recorded]) -> dict[str, Any]:
    """The rows of the views as the engine keeps them."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()
    rows = rows_of(engine, VIEWS)
    engine.dispose()
    return rows


def events(journal: Sequence[Recorded], asked: AsOf) -> list[Recorded]:
    """The events of which an answer about the past is made."""
    source = ListSource(journal=journal)
    return [each for batch in extent(source, asked).batches(source) for each in batch]


@given(histories(), st.data())
@settings(max_examples=50)
def test_as_of_a_position_the_views_are_those_of_the_events_up_to_it(
    journal: list[Recorded], data: st.DataObject
) -> None:
    """Table by table, the rows are those that the engine makes of a journal with so many events."""
    position = data.draw(st.integers(1, len(journal)))

    assert of_past(journal, UpTo(position=position)) == of_engine(journal[:position])


@given(histories())
@settings(max_examples=50)
def test_as_of_now_the_views_are_the_present_ones(journal: list[Recorded]) -> None:
    """When nothing was recorded and nothing happened later, each question has the answer of the present."""
    present = of_engine(journal)
    now = max(each.recorded_at for each in journal)

    assert of_past(journal, RecordedBy(at=now)) == present
    assert of_past(journal, OccurredBy(at=now)) == present
    assert of_past(journal, UpTo(position=len(journal))) == present


@given(histories(), instants)
def test_by_recording_it_is_the_journal_as_it_stood(journal: list[Recorded], instant: datetime) -> None:
    """It is a beginning of the journal without anything recorded later, and the longest one."""
    held = events(journal, RecordedBy(at=instant))

    assert held == journal[: len(held)]
    assert all(each.recorded_at <= instant for each in held)
    assert all(each.recorded_at > instant for each in journal[len(held) : len(held) + 1])


@given(histories(), instants)
def test_by_occurrence_every_stream_is_a_beginning(journal: list[Recorded], instant: datetime) -> None:
    """Of every stream it is the longest beginning in which nothing happened later, in the journal's order."""
    held = events(journal, OccurredBy(at=instant))

    assert held == sorted(held, key=lambda each: each.position)
    kept = streams(held)
    for name, history in streams(journal).items():
        ends = len(kept[name])
        assert kept[name] == history[:ends]
        assert all(each.occurred_at <= instant for each in kept[name])
        assert all(each.occurred_at > instant for each in history[ends : ends + 1])


@given(histories(), instants)
@settings(max_examples=50)
def test_by_occurrence_every_view_can_be_folded(journal: list[Recorded], instant: datetime) -> None:
    """However the dates lie, no view meets an event without those that it follows."""
    told = [each for each in events(journal, OccurredBy(at=instant)) if type(each.event) in TIMELINE.about]

    rows = of_past(journal, OccurredBy(at=instant))

    assert [row[:2] for row in rows["timeline"]] == sorted((each.stream, each.version) for each in told)


@given(histories(), instants)
def test_a_stream_by_itself_is_the_same_part_of_it(journal: list[Recorded], instant: datetime) -> None:
    """The history of one stream as of then is what the whole has of that stream."""
    source = ListSource(journal=journal)
    for asked in (RecordedBy(at=instant), OccurredBy(at=instant), UpTo(position=len(journal))):
        past = extent(source, asked)
        whole = streams(events(journal, asked))
        for name, history in streams(journal).items():
            assert past.of_stream(history) == whole[name]


def streams(journal: Sequence[Recorded]) -> defaultdict[str, list[Recorded]]:
    """The events by stream."""
    found: defaultdict[str, list[Recorded]] = defaultdict(list)
    for each in journal:
        found[each.stream].append(each)
    return found


def late_acknowledgement() -> list[Recorded]:
    """An incident that was acknowledged at minute 20, which was recorded at minute 90."""
    told = recorded(("INC-1", registered("INC-1", 0)), ("INC-1", escalated(10)), ("INC-1", acknowledged(20)))
    return [*told[:2], changed(told[2], recorded_at=at(90))]


def test_what_was_recorded_late_was_true_before_it_was_known() -> None:
    """At minute 30 nobody knew of the acknowledgement; as it is known now, it had happened."""
    journal = late_acknowledgement()

    known_then = of_past(journal, RecordedBy(at=at(30)), [QUEUE])
    true_then = of_past(journal, OccurredBy(at=at(30)), [QUEUE])

    assert known_then == of_past(journal, UpTo(position=2), [QUEUE])
    assert true_then == of_past(journal, UpTo(position=3), [QUEUE])
    assert known_then != true_then


def test_an_event_counts_from_what_it_follows_on() -> None:
    """Dated before the hand-off that its stream holds already, an acknowledgement waits for it."""
    journal = recorded(
        ("INC-1", registered("INC-1", 0)), ("INC-1", escalated(40)), ("INC-1", acknowledged(20))
    )

    assert len(events(journal, OccurredBy(at=at(30)))) == 1
    assert len(events(journal, OccurredBy(at=at(40)))) == 3


def test_a_stream_that_goes_on_holds_up_no_other() -> None:
    """What happened to another incident counts, also when it was recorded after what happened later."""
    journal = recorded(
        ("INC-1", registered("INC-1", 0)),
        ("INC-1", escalated(60)),
        ("INC-2", registered("INC-2", 10)),
        ("INC-1", progress(20)),
    )

    assert [each.position for each in events(journal, OccurredBy(at=at(30)))] == [1, 3]


def test_the_instant_is_that_of_the_question() -> None:
    """Readers take for now the instant asked for, and for a position when its event was recorded."""
    source = ListSource(journal=late_acknowledgement())

    assert extent(source, RecordedBy(at=at(30))) == Extent(position=2, occurred_by=None, now=at(30))
    assert extent(source, OccurredBy(at=at(30))) == Extent(position=3, occurred_by=at(30), now=at(30))
    assert extent(source, UpTo(position=3)).now == at(90)


def test_before_the_first_event_there_is_nothing() -> None:
    """The views are there, and empty."""
    rows = of_past(late_acknowledgement(), RecordedBy(at=at(-10)))

    assert {view.name for view in VIEWS} <= set(rows)
    assert not any(rows.values())


def test_the_tables_have_the_indexes_that_readers_count_on() -> None:
    """A question about the past takes no longer to answer, once its rows are there."""
    source = ListSource(journal=late_acknowledgement())
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        fold_once(connection, VIEWS, extent(source, UpTo(position=3)).batches(source))

    for table in (table for view in VIEWS for table in view.tables):
        there = {each["name"] for each in inspect(engine).get_indexes(table.name)}
        assert there == {each.name for each in table.indexes}
    engine.dispose()


@pytest.mark.parametrize("position", [0, -1, 4, 2**70])
def test_a_position_without_an_event_is_refused(position: int) -> None:
    """The error says which positions there are."""
    with pytest.raises(InvalidValue, match=r"position: .* 1 "):
        extent(ListSource(journal=late_acknowledgement()), UpTo(position=position))


def test_an_instant_without_a_zone_is_refused() -> None:
    """Nobody can say which instant was meant."""
    naive = at(30).replace(tzinfo=None)

    with pytest.raises(InvalidValue, match="at: must name its time zone"):
        RecordedBy(at=naive)
    with pytest.raises(InvalidValue, match="at: must name its time zone"):
        OccurredBy(at=naive)


@frozen
class Gappy:
    """A journal that leaves out its second event."""

    journal: Sequence[Recorded]

    def head(self) -> int:
        """The position of the last event."""
        return self.journal[-1].position

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """All that it still has after a position."""
        return [each for each in self.journal if each.position > after and each.position != 2][:limit]

    def recorded_times(self, after: int, limit: int, /) -> Sequence[tuple[int, datetime]]:
        """When what it still has was recorded."""
        return [(each.position, each.recorded_at) for each in self.read_all(after, limit)]


@pytest.mark.parametrize(
    "asked",
    [UpTo(position=3), RecordedBy(at=at(100)), OccurredBy(at=at(100))],
    ids=lambda it: type(it).__name__,
)
def test_a_missing_event_is_noticed(asked: AsOf) -> None:
    """An answer without it would be wrong, and nobody would see it."""
    source = Gappy(late_acknowledgement())

    with pytest.raises(JournalGap):
        list(extent(source, asked).batches(source))


def test_a_view_that_cannot_fold_says_where() -> None:
    """The error names the view and the event."""

    def fold(known: tuple[Any, ...], recorded: Recorded, event: Any) -> tuple[Any, ...]:
        if recorded.position == 2:
            raise ArithmeticError
        return QUEUE.fold(known, recorded, event)

    with pytest.raises(ViewStopped) as stopped:
        of_past(late_acknowledgement(), UpTo(position=3), [changed(QUEUE, fold=fold)])

    assert (stopped.value.view, stopped.value.position) == ("queue", 2)


def test_progress_goes_to_the_end_of_the_past() -> None:
    """It is told in positions, the last of which is that of the past."""
    source = ListSource(journal=late_acknowledgement())
    told: list[tuple[int, int]] = []

    def tell(reached: int, goal: int) -> None:
        told.append((reached, goal))

    past = extent(source, RecordedBy(at=at(30)), tell)
    list(past.batches(source, tell))

    assert told == [(2, 2)]
