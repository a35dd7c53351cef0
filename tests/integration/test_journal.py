"""One contract, kept by the journal in memory, in an SQLite file and in PostgreSQL."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from eventsourcing.persistence import IntegrityError
from sqlalchemy import text

from incident_adapters.codec import Entry
from incident_adapters.journal import Change, Journal
from incident_adapters.recorder import NumberTaken, StoreError
from incident_domain import BrokenHistory, Recorded
from incident_domain.events import (
    Classified,
    DomainEvent,
    IncidentRegistered,
    NumberAssigned,
    RecordedAsNew,
)
from tests.brackets import Brackets
from tests.examples import EXAMPLES, INCIDENT, MANAGER, MORNING, OTHER

COMMAND = UUID("c2a86f0e-92e1-4e36-8b65-2a4c9cf7e6b3")
REQUEST = UUID("0f4c0b8c-1d8e-4b0a-8e77-64a1f0f3a9d2")
RECORDING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def journal(any_store_url: str) -> Iterator[Journal]:
    """Give an empty journal whose clock stands still."""
    with Journal.open(any_store_url, clock=lambda: RECORDING) as opened:
        yield opened


def change(command: UUID = COMMAND, **events: tuple[DomainEvent, ...]) -> Change:
    return Change(
        causation_id=command,
        correlation_id=REQUEST,
        events={{"incident": INCIDENT, "other": OTHER}[name]: happened for name, happened in events.items()},
    )


REGISTERED = EXAMPLES[IncidentRegistered]
CLASSIFIED = EXAMPLES[Classified]
AS_NEW = EXAMPLES[RecordedAsNew]


def numbered(number: int) -> NumberAssigned:
    return NumberAssigned(by=MANAGER, occurred_at=MORNING, number=number)


def test_what_is_appended_is_read_back_with_its_envelope(journal: Journal) -> None:
    """Events of two streams in one write get positions and versions, and come back as they were returned."""
    # when
    recorded = journal.append(
        [change(incident=(REGISTERED, CLASSIFIED), other=(REGISTERED,))], seen={INCIDENT: 0, OTHER: 0}
    )

    # then
    assert [(each.position, each.stream, each.version) for each in recorded] == [
        (1, INCIDENT, 1),
        (2, INCIDENT, 2),
        (3, OTHER, 1),
    ]
    assert {(each.causation_id, each.correlation_id, each.recorded_at) for each in recorded} == {
        (COMMAND, REQUEST, RECORDING)
    }
    assert [each.event_id for each in recorded] == [uuid5(COMMAND, str(index)) for index in range(3)]
    assert recorded[1].name == "incident.classified.v1"
    assert recorded[1].event == CLASSIFIED
    assert journal.read_all(0, 10) == list(recorded)
    assert journal.read(INCIDENT) == list(recorded[:2])
    assert journal.head() == 3


def test_a_reader_goes_on_after_what_it_has(journal: Journal) -> None:
    """Reading after a version, after a position or up to a limit gives the rest and nothing twice."""
    recorded = journal.append([change(incident=(REGISTERED, CLASSIFIED, AS_NEW))], seen={INCIDENT: 0})

    assert journal.read(INCIDENT, after_version=1) == list(recorded[1:])
    assert journal.read(INCIDENT, after_version=3) == []
    assert journal.read_all(1, 1) == [recorded[1]]
    assert journal.read_all(3, 10) == []
    assert journal.read(OTHER) == []


def test_times_of_recording_are_read_by_themselves(journal: Journal) -> None:
    """They are those that the events have when they are read."""
    recorded = journal.append([change(incident=(REGISTERED, CLASSIFIED, AS_NEW))], seen={INCIDENT: 0})

    assert journal.recorded_times(0, 10) == [(each.position, each.recorded_at) for each in recorded]
    assert journal.recorded_times(1, 1) == [(2, recorded[1].recorded_at)]
    assert journal.recorded_times(3, 10) == []


def test_events_are_read_by_their_names(journal: Journal) -> None:
    """Only events of the names are given: of all streams in the order of recording, or stream by stream."""
    recorded = journal.append(
        [change(incident=(REGISTERED, CLASSIFIED, AS_NEW), other=(REGISTERED, CLASSIFIED))],
        seen={INCIDENT: 0, OTHER: 0},
    )
    names = (recorded[0].name, recorded[1].name)

    assert journal.read_named(names, 0, 10) == [recorded[0], recorded[1], recorded[3], recorded[4]]
    assert journal.read_named(names[:1], 1, 10) == [recorded[3]]
    assert journal.read_named(names, 1, 1) == [recorded[1]]
    assert journal.read_streams([OTHER, INCIDENT, "NONE"], names) == {
        OTHER: list(recorded[3:]),
        INCIDENT: list(recorded[:2]),
        "NONE": [],
    }


def test_an_empty_journal_has_no_head(journal: Journal) -> None:
    """Positions begin at 1, so 0 is before everything."""
    assert journal.head() == 0
    assert journal.read_all(0, 10) == []


def test_a_stream_that_moved_on_turns_the_write_away(journal: Journal) -> None:
    """Of two writers that saw the same version one loses, and leaves nothing behind in any stream."""
    journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})

    with pytest.raises(IntegrityError):
        journal.append(
            [change(UUID(int=2), other=(REGISTERED,), incident=(REGISTERED,))], seen={INCIDENT: 0, OTHER: 0}
        )

    assert journal.head() == 1


def test_a_stream_that_was_only_read_guards_the_write_too(journal: Journal) -> None:
    """What a decision looked at must be as it was, though the decision does not change it."""
    journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})

    with pytest.raises(IntegrityError):
        journal.append([change(UUID(int=2), other=(REGISTERED,))], seen={INCIDENT: 0, OTHER: 0})
    journal.append([change(UUID(int=3), other=(REGISTERED,))], seen={INCIDENT: 1, OTHER: 0})

    assert [each.stream for each in journal.read_all(0, 10)] == [INCIDENT, OTHER]


def test_the_very_same_write_again_is_recognised(journal: Journal) -> None:
    """A write that was stored although its writer never heard so is answered with what is on record."""
    first = journal.append([change(incident=(REGISTERED, CLASSIFIED))], seen={INCIDENT: 0})
    again = journal.append([change(incident=(REGISTERED, CLASSIFIED))], seen={INCIDENT: 0})

    assert again == first
    assert journal.head() == 2


def test_several_commands_go_in_one_write(journal: Journal) -> None:
    """Each change keeps its own cause, and versions count on through all of them."""
    recorded = journal.append(
        [change(incident=(REGISTERED,)), change(UUID(int=2), incident=(AS_NEW, CLASSIFIED))],
        seen={INCIDENT: 0},
    )

    assert [(each.version, each.causation_id) for each in recorded] == [
        (1, COMMAND),
        (2, UUID(int=2)),
        (3, UUID(int=2)),
    ]
    assert recorded[2].event_id == uuid5(UUID(int=2), "1")


def numbering(command: UUID, **streams: str) -> Callable[[int], Change]:
    def following(number: int) -> Change:
        return change(command, **{name: (numbered(number),) for name in streams})

    return following


def test_the_next_number_comes_from_the_store_in_the_same_write(journal: Journal) -> None:
    """Numbers go up by one, and the event holds the number that the store gave."""
    journal.append([change(incident=(REGISTERED,), other=(REGISTERED,))], seen={INCIDENT: 0, OTHER: 0})

    first = journal.append_numbered(INCIDENT, numbering(UUID(int=2), incident=""), seen={INCIDENT: 1})
    second = journal.append_numbered(OTHER, numbering(UUID(int=3), other=""), seen={OTHER: 1})

    assert [first[0].event, second[0].event] == [numbered(1), numbered(2)]
    assert journal.read_all(2, 10) == [*first, *second]


def test_a_number_that_was_brought_along_is_claimed_and_never_given_again(journal: Journal) -> None:
    """A number belongs to one incident, however it was given."""
    journal.append(
        [change(incident=(REGISTERED, numbered(45)), other=(REGISTERED,))], seen={INCIDENT: 0, OTHER: 0}
    )

    with pytest.raises(NumberTaken):
        journal.append([change(UUID(int=2), other=(numbered(45),))], seen={OTHER: 1})
    recorded = journal.append_numbered(OTHER, numbering(UUID(int=3), other=""), seen={OTHER: 1})

    assert recorded[0].event == numbered(46)
    assert journal.head() == 4


def test_a_lost_race_for_a_numbered_incident_gives_no_number_away(journal: Journal) -> None:
    """The number that a turned away write was offered goes to the next one."""
    journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})

    with pytest.raises(IntegrityError):
        journal.append_numbered(INCIDENT, numbering(UUID(int=2), incident=""), seen={INCIDENT: 0})
    recorded = journal.append_numbered(INCIDENT, numbering(UUID(int=3), incident=""), seen={INCIDENT: 1})

    assert recorded[0].event == numbered(1)


def test_a_clock_may_stand_in_any_zone_that_it_names(any_store_url: str) -> None:
    """Recording times are kept in UTC; a clock without a zone is refused before anything is written."""
    abroad = timezone(timedelta(hours=2))
    with Journal.open(any_store_url, clock=lambda: RECORDING.astimezone(abroad)) as journal:
        [recorded] = journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})
        assert (recorded.recorded_at, recorded.recorded_at.tzinfo) == (RECORDING, UTC)
        assert journal.read(INCIDENT) == [recorded]

    with Journal.open("sqlite://", clock=lambda: RECORDING.replace(tzinfo=None)) as journal:
        with pytest.raises(ValueError, match="clock: must name its time zone"):
            journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})
        assert journal.head() == 0


def test_the_library_reads_the_journal_as_one_of_its_applications(journal: Journal) -> None:
    """The event store and the notification log of `eventsourcing` work on it."""
    recorded = journal.append([change(incident=(REGISTERED, CLASSIFIED))], seen={INCIDENT: 0})

    assert list(journal.events.get(INCIDENT)) == [unplaced(each) for each in recorded]
    assert [each.id for each in journal.notification_log.select(start=1, limit=10)] == [1, 2]


def unplaced(recorded: Recorded) -> Entry:
    return Entry(
        stream=recorded.stream,
        version=recorded.version,
        event_id=recorded.event_id,
        recorded_at=recorded.recorded_at,
        correlation_id=recorded.correlation_id,
        causation_id=recorded.causation_id,
        event=recorded.event,
    )


def test_personal_fields_are_sealed_in_the_store_and_open_when_read(any_store_url: str) -> None:
    """The bytes in the store hold no personal text where a seal is given."""
    with Journal.open(any_store_url, seal=Brackets()) as journal:
        journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})

        stored = journal.store.select_events(INCIDENT)[0].state.decode()
        assert journal.read(INCIDENT)[0].event == REGISTERED

    assert "Dora" not in stored
    assert "north-branch" in stored


def test_stray_variables_of_the_embedding_program_lead_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings of the library meant for another application neither move the store nor change its bytes."""
    # given
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.sqlite")
    monkeypatch.setenv("SQLITE_DBNAME", str(tmp_path / "elsewhere.db"))
    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("IS_SNAPSHOTTING_ENABLED", "y")

    # when
    with Journal.open(f"sqlite:///{tmp_path / 'incidents.db'}") as journal:
        journal.append([change(incident=(REGISTERED,))], seen={INCIDENT: 0})
        stored = journal.store.select_events(INCIDENT)[0].state

    # then
    assert not (tmp_path / "elsewhere.db").exists()
    assert stored.startswith(b'{"event_id"')


def test_the_setting_that_loses_events_is_refused(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the library's database functions a reader can miss events, so the journal does not open."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    with pytest.raises(StoreError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        Journal.open(postgres_database)


def test_an_event_that_is_missing_between_others_is_not_passed_over(journal: Journal) -> None:
    """What somebody took out of the store in the middle of a stream stops its reading, and is named."""
    journal.append([change(incident=(REGISTERED, numbered(1), CLASSIFIED))], seen={INCIDENT: 0})
    with journal.store.engine.begin() as connection:
        connection.execute(text("DELETE FROM journal WHERE version = 2"))

    with pytest.raises(BrokenHistory, match=f"the event before it is missing .stream {INCIDENT}, version 3"):
        journal.read(INCIDENT)
    with pytest.raises(BrokenHistory, match="the event before it is missing"):
        journal.read(INCIDENT, 1)
