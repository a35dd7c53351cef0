from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from incident_adapters.recorder import (
    AlreadyRecorded,
    ClaimNumbers,
    JournalRecorder,
    NextNumber,
    NumberTaken,
    UnstorableEvent,
    open_recorder,
)


@pytest.fixture(params=["memory", "file", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[JournalRecorder]:
    """Give an empty journal, once in memory, once in a file and once in PostgreSQL."""
    match request.param:
        case "memory":
            url = "sqlite://"
        case "file":
            url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
        case _:
            url = request.getfixturevalue("postgres_database")
    with open_recorder(url) as recorder:
        yield recorder


def stored(stream: str, version: int, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(stream, version, "incident.registered.v1", state)


def everything(journal: JournalRecorder) -> list[tuple[int, str, int]]:
    return [(position, stream, version) for position, stream, version, _, _ in journal.read(0, 1000)]


def test_events_of_several_streams_are_recorded_in_one_write(journal: JournalRecorder) -> None:
    """Positions follow the order in which the events were given, over all streams."""
    assert journal.insert_events([stored("a", 1), stored("b", 1), stored("a", 2)]) == [1, 2, 3]
    assert journal.insert_events([stored("b", 2)]) == [4]

    assert everything(journal) == [(1, "a", 1), (2, "b", 1), (3, "a", 2), (4, "b", 2)]
    assert journal.max_notification_id() == 4


def test_a_write_over_several_streams_is_all_or_nothing(journal: JournalRecorder) -> None:
    """When one stream has moved, no event of the other streams goes in either, and no position is used up."""
    journal.insert_events([stored("a", 1)])

    with pytest.raises(IntegrityError, match="stream a ends at version 1, the write supposes none"):
        journal.insert_events([stored("b", 1), stored("a", 1, b"other")])

    assert everything(journal) == [(1, "a", 1)]
    assert journal.insert_events([stored("b", 1)]) == [2]


@pytest.mark.parametrize("events", [[stored("a", 7)], [stored("a", 2), stored("a", 4)], [stored("b", 2)]])
def test_a_gap_between_versions_is_refused(journal: JournalRecorder, events: list[StoredEvent]) -> None:
    """A stream's versions go up by one from 1, between writes and inside one."""
    journal.insert_events([stored("a", 1)])

    with pytest.raises(IntegrityError):
        journal.insert_events(events)

    assert everything(journal) == [(1, "a", 1)]


def test_state_comes_back_byte_for_byte(journal: JournalRecorder) -> None:
    """What is proven later is what was given: no byte is changed, also not one that is no text."""
    state = bytes(range(256)) * 40
    journal.insert_events([stored("a", 1, state), stored("b", 1, b"")])

    assert [event.state for event in journal.select_events("a")] == [state]
    assert [row[4] for row in journal.read(0, 10)] == [state, b""]
    assert [event.state for event in journal.select_notifications(None, 10)] == [state, b""]


def test_a_stream_that_was_only_read_guards_the_write(journal: JournalRecorder) -> None:
    """A decision about a child that rests on its parent is refused once the parent has moved on."""
    journal.insert_events([stored("parent", 1), stored("child", 1)])
    assert journal.insert_events([stored("child", 2)], expect={"parent": 1, "none": 0}) == [3]
    journal.insert_events([stored("parent", 2)])

    with pytest.raises(IntegrityError, match="stream parent ends at version 2, the write supposes 1"):
        journal.insert_events([stored("child", 3)], expect={"parent": 1})
    with pytest.raises(IntegrityError, match="stream parent ends at version 2, the write supposes none"):
        journal.insert_events([stored("child", 3)], expect={"parent": 0})

    assert journal.max_notification_id() == 4


def test_two_decisions_that_read_each_other_cannot_both_be_recorded(journal: JournalRecorder) -> None:
    """Of two writers that each suppose that the other did not move, exactly one gets in: no write skew."""
    for turn in range(1, 21):
        a, b = f"a{turn}", f"b{turn}"
        journal.insert_events([stored(a, 1), stored(b, 1)])

        def write(mine: str, other: str) -> bool:
            try:
                journal.insert_events([stored(mine, 2)], expect={other: 1})
            except IntegrityError:
                return False
            return True

        with ThreadPoolExecutor(2) as writers:
            outcomes = list(writers.map(write, [a, b], [b, a]))

        assert sorted(outcomes) == [False, True]


def test_a_guard_that_contradicts_the_write_is_refused(journal: JournalRecorder) -> None:
    """The guard of a stream that is written as well must name the version before the write."""
    with pytest.raises(IntegrityError, match="begins after version 0, but 3 is expected"):
        journal.insert_events([stored("a", 1)], expect={"a": 3})

    assert journal.insert_events([stored("a", 1)], expect={"a": 0}) == [1]


def test_the_same_events_again_are_told_from_a_conflict(journal: JournalRecorder) -> None:
    """Who writes the same bytes again learns the positions that they have; another event is a conflict."""
    events = [stored("a", 1, b"one"), stored("b", 1, b"two")]
    journal.insert_events([stored("z", 1)])
    journal.insert_events(events)

    with pytest.raises(AlreadyRecorded) as again:
        journal.insert_events(events)
    with pytest.raises(IntegrityError) as other:
        journal.insert_events([stored("a", 1, b"one"), stored("b", 1, b"three")])

    assert again.value.positions == (2, 3)
    assert not isinstance(other.value, AlreadyRecorded)
    assert journal.max_notification_id() == 3


def test_the_next_number_is_in_the_event_that_follows_from_it(journal: JournalRecorder) -> None:
    """Incidents are numbered 1, 2, 3 …, in the write that records the number."""
    for number in (1, 2, 3):
        stream = f"incident {number}"

        def numbered(given: int, stream: str = stream) -> list[StoredEvent]:
            return [stored(stream, 2, str(given).encode())]

        journal.insert_events([stored(stream, 1)], number=NextNumber(stream=stream, events=numbered))

        assert journal.select_events(stream)[1].state == str(number).encode()


def test_a_number_that_was_given_elsewhere_is_kept(journal: JournalRecorder) -> None:
    """Claimed numbers and given ones share one registry, and the next is above them all."""
    numbers: list[int] = []

    def numbered(given: int) -> list[StoredEvent]:
        numbers.append(given)
        return [stored("c", 1)]

    journal.insert_events(
        [stored("a", 1), stored("b", 1)], number=ClaimNumbers(numbers={"a": 45, "b": 2**40})
    )
    journal.insert_events([], number=NextNumber(stream="c", events=numbered))

    assert numbers == [2**40 + 1]


def test_a_number_is_never_given_twice(journal: JournalRecorder) -> None:
    """A taken number, or a second number for an incident, is refused by name, and nothing is written."""
    journal.insert_events([stored("a", 1)], number=ClaimNumbers(numbers={"a": 7}))

    with pytest.raises(NumberTaken, match="incident number 7 belongs to stream a, not to b"):
        journal.insert_events([stored("b", 1)], number=ClaimNumbers(numbers={"b": 7}))
    with pytest.raises(NumberTaken, match="stream a has incident number 7 already"):
        journal.insert_events([stored("a", 2)], number=ClaimNumbers(numbers={"a": 8}))
    with pytest.raises(NumberTaken, match="stream a has incident number 7 already"):
        journal.insert_events([], number=NextNumber(stream="a", events=lambda _: [stored("a", 2)]))
    with pytest.raises(NumberTaken, match="claimed for two incidents"):
        journal.insert_events([stored("b", 1), stored("c", 1)], number=ClaimNumbers(numbers={"b": 9, "c": 9}))

    assert everything(journal) == [(1, "a", 1)]


def test_a_number_of_a_refused_write_is_free_again(journal: JournalRecorder) -> None:
    """Number and events go in together or not at all."""
    journal.insert_events([stored("a", 1)])
    with pytest.raises(IntegrityError):
        journal.insert_events([stored("a", 9)], number=ClaimNumbers(numbers={"a": 1}))

    given: list[int] = []

    def broken(number: int) -> list[StoredEvent]:
        given.append(number)
        raise LookupError

    with pytest.raises(LookupError):
        journal.insert_events([], number=NextNumber(stream="a", events=broken))
    journal.insert_events([stored("a", 2)], number=ClaimNumbers(numbers={"a": 1}))

    assert given == [1]


@pytest.mark.parametrize("number", [0, -1, 2**63])
def test_a_number_outside_the_registry_is_refused(journal: JournalRecorder, number: int) -> None:
    """Numbers are 1 or more and fit the column of either database."""
    with pytest.raises(UnstorableEvent, match="incident number"):
        journal.insert_events([stored("a", 1)], number=ClaimNumbers(numbers={"a": number}))


def test_a_number_comes_with_an_event_of_its_incident(journal: JournalRecorder) -> None:
    """A number that no history would mention is refused."""
    with pytest.raises(IntegrityError, match="stream b"):
        journal.insert_events([stored("a", 1)], number=ClaimNumbers(numbers={"b": 1}))


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (StoredEvent("a\x00b", 1, "n", b""), "stream"),
        (StoredEvent("a\ud800", 1, "n", b""), "stream"),
        (StoredEvent("a" * 256, 1, "n", b""), "stream"),
        (StoredEvent("a", 1, "n\x00", b""), "name"),
        (StoredEvent("a", 1, "\udfff", b""), "name"),
        (StoredEvent("a", 1, "n" * 256, b""), "name"),
        (StoredEvent("a", 0, "n", b""), "version"),
        (StoredEvent("a", 2**31, "n", b""), "version"),
        (StoredEvent("a", 1, "n", "text"), "state"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_one_store_could_not_keep_no_store_takes(
    journal: JournalRecorder, event: StoredEvent, field: str
) -> None:
    """Every store refuses the same inputs with the same words, before anything is written."""
    with pytest.raises(UnstorableEvent, match=field):
        journal.insert_events([stored("z", 1), event])

    assert journal.max_notification_id() is None


def test_every_text_that_is_taken_comes_back() -> None:
    """Whatever text a store takes as a stream or a name, it gives back unchanged."""
    with open_recorder("sqlite://") as journal:

        @given(st.text(min_size=1, max_size=260), st.text(max_size=260), st.binary(max_size=50))
        def holds(stream: str, name: str, state: bytes) -> None:
            head = len(journal.select_events(stream)) if _plain(stream) else 0
            event = StoredEvent(stream, head + 1, name, state)
            if not (_plain(stream) and _plain(name)):
                with pytest.raises(UnstorableEvent):
                    journal.insert_events([event])
            else:
                (position,) = journal.insert_events([event])
                assert journal.read(position - 1, 1) == [(position, stream, head + 1, name, state)]

        holds()


def _plain(text: str) -> bool:
    return len(text) <= 255 and "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
