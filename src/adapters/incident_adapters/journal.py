"""The journal: everything that was recorded, in the order in which it was recorded."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Self
from uuid import UUID, uuid5

from attrs import field, frozen
from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, Mapper, StoredEvent
from eventsourcing.utils import Environment, EnvType

from incident_adapters.codec import Entry, EventMapper
from incident_adapters.personal_seal import ClosedSeal, holds_sealed
from incident_adapters.recorder import (
    AlreadyRecorded,
    ClaimNumbers,
    JournalRecorder,
    JournalRow,
    NextNumber,
    open_recorder,
)
from incident_adapters.seal import Seal
from incident_domain.actor import PersonId
from incident_domain.data_subject import subject_after
from incident_domain.envelope import Recorded
from incident_domain.events import DomainEvent, NumberAssigned
from incident_domain.evolution import BrokenHistory

_LOOKED_AT = 500


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@frozen(kw_only=True)
class Change:
    """What one command made happen: the events of each stream that it changed, in their order.

    `causation_id` is the command's id, and makes the events' ids; `correlation_id` is common to everything
    that one outside request set off.  `about` says for streams whose data their personal fields are, as the
    streams stood before.
    """

    causation_id: UUID
    correlation_id: UUID
    events: Mapping[str, Sequence[DomainEvent]]
    about: Mapping[str, PersonId] = field(factory=dict[str, PersonId])


class Journal(Application[str]):
    """The journal in one store: an `eventsourcing` application with a recorder and a mapper of its own.

    It takes no snapshots: a stream is short, and reading it costs less than keeping them right.  Threads may
    share it; every process opens its own.
    """

    def __init__(
        self,
        recorder: JournalRecorder,
        *,
        seal: Seal | None = None,
        clock: Callable[[], datetime] = system_clock,
    ) -> None:
        self._recorder = recorder
        self.seal = seal or ClosedSeal(self._holds_sealed)
        self._mapper = EventMapper(self.seal)
        self._clock = clock
        super().__init__()

    @classmethod
    def open(
        cls, url: str, *, seal: Seal | None = None, clock: Callable[[], datetime] = system_clock
    ) -> Self:
        """Open the journal at a URL such as `sqlite:///incidents.db`; it is created where there is none.

        Raises:
            StoreError: when the store cannot be used as it is.
        """
        try:
            recorder = open_recorder(url)
        except BaseException:
            if seal is not None:
                seal.close()
            raise
        return cls(recorder, seal=seal, clock=clock)

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Nothing from outside: a stray variable of the embedding program must not lead elsewhere."""
        return Environment(name, dict(env or {}))

    def construct_mapper(self) -> Mapper[str]:
        """The mapper of this journal."""
        return self._mapper

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder of this journal."""
        return self._recorder

    @property
    def forgettings(self) -> int:
        """Moves on when somebody was forgotten: whatever was read before must be let go of."""
        self.seal.look_for_forgettings()
        return self.seal.forgettings

    @property
    def store(self) -> JournalRecorder:
        """The recorder; its `engine` is where views of the same store may live."""
        return self._recorder

    def append(self, changes: Sequence[Change], *, seen: Mapping[str, int]) -> tuple[Recorded, ...]:
        """Record changes in one write, all or nothing, and return what was recorded.

        `seen` holds the last version of every stream that was looked at (0 for none), whether it changes or
        not; if any of them has moved on, nothing is recorded.  Incident numbers in the changes are claimed in
        the same write.

        Raises:
            IntegrityError: when a stream has moved on; load it again and decide anew.
            NumberTaken: when a number belongs to another incident.
            UnstorableEvent: when a stream's name cannot be kept.
        """
        now, versions = self.now(), dict(seen)
        entries = [entry for change in changes for entry in _entries(change, versions, now)]
        try:
            positions: Sequence[int] = self._recorder.insert_events(
                self._stored(entries), expect=seen, number=_claims(entries)
            )
        except AlreadyRecorded as already:
            positions = already.positions
        return _at(positions, entries)

    def append_numbered(
        self, stream: str, change: Callable[[int], Change], *, seen: Mapping[str, int]
    ) -> tuple[Recorded, ...]:
        """Give the incident of `stream` the next free number, and record the change that follows from it.

        Raises:
            IntegrityError: when one of the streams in `seen` has moved on.
            NumberTaken: when the incident has a number already.
        """
        now = self.now()
        entries: list[Entry] = []

        def following(number: int) -> list[StoredEvent]:
            entries[:] = _entries(change(number), dict(seen), now)
            return self._stored(entries)

        request = NextNumber(stream=stream, events=following)
        return _at(self._recorder.insert_events([], expect=seen, number=request), entries)

    def read(self, stream: str, after_version: int = 0) -> list[Recorded]:
        """The events of one stream after a version, in their order.

        Raises:
            MapperDeserialisationError: when an event cannot be read by this release.
            BrokenHistory: when an event between others is missing from the store.
        """
        rows = self._recorder.read_stream(stream, after_version)
        for expected, (_, _, version, _, _) in enumerate(rows, after_version + 1):
            if version != expected:
                raise BrokenHistory("the event before it is missing", stream=stream, version=version)
        return self._mapper.all_recorded(rows)

    def read_all(self, after_position: int, limit: int) -> list[Recorded]:
        """Up to `limit` events of all streams after a position, in the order of recording.

        Raises:
            MapperDeserialisationError: when an event cannot be read by this release.
        """
        return self._mapper.all_recorded(self._recorder.read(after_position, limit))

    def recorded(self, rows: Sequence[JournalRow]) -> list[Recorded]:
        """The events of rows that were read together, as they are read through the seal.

        Raises:
            MapperDeserialisationError: when one of them cannot be read by this release.
        """
        return self._mapper.all_recorded(rows)

    def recorded_times(self, after_position: int, limit: int) -> list[tuple[int, datetime]]:
        """The positions and the times of recording of up to `limit` events after a position, in that order.

        Raises:
            MapperDeserialisationError: when an envelope cannot be read by this release.
        """
        recorded_at = self._mapper.recorded_at
        return [
            (position, recorded_at(stream, version, name, state))
            for position, stream, version, name, state in self._recorder.read(after_position, limit)
        ]

    def read_named(self, names: Sequence[str], after_position: int, limit: int) -> list[Recorded]:
        """Up to `limit` events of these wire names after a position, in the order of recording.

        Raises:
            MapperDeserialisationError: when one of them cannot be read by this release.
        """
        rows = self._recorder.select_notifications(
            after_position, limit, topics=names, inclusive_of_start=False
        )
        return self._mapper.all_recorded(
            [(row.id, str(row.originator_id), row.originator_version, row.topic, row.state) for row in rows]
        )

    def read_streams(self, streams: Sequence[str], names: Sequence[str]) -> dict[str, list[Recorded]]:
        """The events of these wire names in each of these streams, in the order of their versions.

        Raises:
            MapperDeserialisationError: when one of them cannot be read by this release.
        """
        found: dict[str, list[Recorded]] = {stream: [] for stream in streams}
        for each in self._mapper.all_recorded(self._recorder.read_streams(streams, names)):
            found[each.stream].append(each)
        return found

    def numbered(self, number: int) -> str | None:
        """The incident to which a number belongs, or None while it is free (P1.5)."""
        return self._recorder.number_holder(number)

    def now(self) -> datetime:
        """The time on the journal's clock, in UTC.

        Raises:
            ValueError: when the clock that was given names no time zone.
        """
        now = self._clock()
        if now.tzinfo is None:
            raise ValueError("clock: must name its time zone, for example datetime.now(timezone.utc)")
        return now.astimezone(UTC)

    def head(self) -> int:
        """The position of the last event; 0 where nothing is recorded."""
        return self._recorder.max_notification_id() or 0

    def _stored(self, entries: Sequence[Entry]) -> list[StoredEvent]:
        return self._mapper.stored(entries)

    def _holds_sealed(self) -> bool:
        """Whether personal data is sealed in what was recorded last."""
        return any(holds_sealed(row[4]) for row in self._recorder.read(self.head() - _LOOKED_AT, _LOOKED_AT))

    def close(self) -> None:
        """Let go of the store."""
        super().close()
        self._recorder.close()
        self.seal.close()


def _entries(change: Change, versions: dict[str, int], now: datetime) -> list[Entry]:
    """The events of a change with all that their envelopes need; counts `versions` on."""
    entries: list[Entry] = []
    for stream, events in change.events.items():
        subject = change.about.get(stream)
        for event in events:
            versions[stream] += 1
            subject = subject_after(subject, event)
            entries.append(
                Entry(
                    stream=stream,
                    version=versions[stream],
                    event_id=uuid5(change.causation_id, str(len(entries))),
                    recorded_at=now,
                    correlation_id=change.correlation_id,
                    causation_id=change.causation_id,
                    event=event,
                    subject=subject,
                )
            )
    return entries


def _at(positions: Sequence[int], entries: Sequence[Entry]) -> tuple[Recorded, ...]:
    return tuple([entry.at(position) for entry, position in zip(entries, positions, strict=True)])


def _claims(entries: Sequence[Entry]) -> ClaimNumbers | None:
    numbers = {each.stream: each.event.number for each in entries if isinstance(each.event, NumberAssigned)}
    return ClaimNumbers(numbers=numbers) if numbers else None
