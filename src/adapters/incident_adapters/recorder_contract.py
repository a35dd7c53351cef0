"""What every store of the journal promises, and the checks that all of them share.

One append-only table holds the events of all streams.
Positions run 1, 2, 3 … without gaps, in the order of commit,
so that a reader that asks for "what comes after position n" never misses an event.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias, assert_never
from uuid import UUID

from attrs import frozen
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from sqlalchemy import Engine, or_, select

from incident_adapters.recorder_commits import Commits, PolledCommits
from incident_adapters.recorder_errors import AlreadyRecorded, NumberTaken, UnstorableEvent
from incident_adapters.recorder_tables import incident_numbers

JournalRow: TypeAlias = tuple[int, str, int, str, bytes]
"""Position, stream, version, wire name and state of one event as it is stored."""

EventRow: TypeAlias = tuple[str, int, str, bytes]
"""Stream, version, wire name and state of an event that has no position yet."""

_LONGEST_TEXT = 255
_HIGHEST_VERSION = 2**31 - 1
_HIGHEST_NUMBER = 2**63 - 1


@frozen(kw_only=True)
class NextNumber:
    """Give `stream` the next free incident number.

    `events` is called with that number while the store is held for this one write,
    and returns the events that depend on it; they follow the events given beside it.
    It must not use the store itself.
    """

    stream: str
    events: Callable[[int], Sequence[StoredEvent]]


@frozen(kw_only=True)
class ClaimNumbers:
    """Give streams the incident numbers that they had elsewhere: stream to number, each 1 or more."""

    numbers: Mapping[str, int]


NumberRequest: TypeAlias = NextNumber | ClaimNumbers


@frozen
class Write:
    """What one transaction appends: rows, the last version streams must have, and numbers for streams."""

    rows: list[EventRow]
    heads: Mapping[str, int]
    claims: Mapping[str, int]


class Refusal(Enum):
    """Why a store wrote nothing."""

    HEAD_MOVED = auto()
    NUMBER_TAKEN = auto()


class JournalRecorder(ApplicationRecorder):
    """Records events and reads them back; safe to share among threads, and among processes that each open it.

    Every method raises StoreError when the store cannot be reached or used.
    Open it after forking, never before.
    """

    first_version: ClassVar[int] = 1
    """The version of the first event of every stream."""

    _placeholder: ClassVar[str]
    _row: ClassVar[str] = "position, stream, version, name, state"

    def __init__(self, engine: Engine, store: str) -> None:
        self.engine = engine
        self.store = store

    # Named arguments instead of **kwargs: a misspelt guard must not pass unnoticed.
    def insert_events(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        stored_events: Sequence[StoredEvent],
        *,
        expect: Mapping[str, int] | None = None,
        number: NumberRequest | None = None,
    ) -> list[int]:
        """Append events of one or more streams, all or none, and return their positions.

        `expect` guards streams that the decision only read: stream to the version of its last event,
        `first_version - 1` where there is none.
        When this returns, the events are on disk.

        Raises UnstorableEvent for what not every store could keep, IntegrityError when a stream has another
        last event than the write supposes, AlreadyRecorded when the very same events are on record,
        and NumberTaken; in each case nothing was written.
        """
        rows = self._rows(stored_events)
        if not rows and not isinstance(number, NextNumber):
            return []
        match number:
            case None:
                write = Write(rows, self._heads(rows, expect), {})
                outcome = self._append(write)
            case ClaimNumbers(numbers=numbers):
                self._check_claims(numbers, rows)
                write = Write(rows, self._heads(rows, expect), numbers)
                outcome = self._append(write)
            case NextNumber(stream=stream, events=events):

                def following(given: int) -> Write:
                    all_rows = rows + self._rows(events(given))
                    self._check_claims({stream: given}, all_rows)
                    return Write(all_rows, self._heads(all_rows, expect), {stream: given})

                write, outcome = self._append_next(following)
            case _:
                assert_never(number)
        match outcome:
            case Refusal.HEAD_MOVED:
                raise self._conflict(write)
            case Refusal.NUMBER_TAKEN:
                raise self._number_taken(write.claims)
            case positions:
                return positions

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[StoredEvent]:
        """The events of one stream, in the order of their versions."""
        stream = _checked_text(originator_id, "stream")
        mark = self._placeholder
        sql = f"SELECT version, name, state FROM journal WHERE stream = {mark}"
        params: list[object] = [stream]
        if gt is not None:
            sql += f" AND version > {mark}"
            params.append(gt)
        if lte is not None:
            sql += f" AND version <= {mark}"
            params.append(lte)
        sql += " ORDER BY version DESC" if desc else " ORDER BY version"
        if limit is not None:
            sql += f" LIMIT {mark}"
            params.append(limit)
        return [
            StoredEvent(stream, version, name, state) for version, name, state in self._fetch(sql, params)
        ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """The events of all streams from position `start` on, in the order of their positions."""
        mark = self._placeholder
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        sql = f"SELECT {self._row} FROM journal WHERE position > {mark}"
        params: list[object] = [after]
        if stop is not None:
            sql += f" AND position <= {mark}"
            params.append(stop)
        if topics:
            sql += f" AND name IN ({', '.join([mark] * len(topics))})"
            params.extend(topics)
        sql += f" ORDER BY position LIMIT {mark}"
        params.append(limit)
        return [
            Notification(stream, version, name, state, position)
            for position, stream, version, name, state in self._fetch(sql, params)
        ]

    def read(self, after: int, limit: int) -> list[JournalRow]:
        """Up to `limit` rows after position `after`, as they are stored: the quick way to replay."""
        mark = self._placeholder
        return self._fetch(
            f"SELECT {self._row} FROM journal WHERE position > {mark} ORDER BY position LIMIT {mark}",
            [after, limit],
        )

    def read_stream(self, stream: str, after_version: int) -> list[JournalRow]:
        """The rows of one stream after a version, as they are stored, in the order of their versions."""
        mark = self._placeholder
        return self._fetch(
            f"SELECT {self._row} FROM journal WHERE stream = {mark} AND version > {mark} ORDER BY version",
            [_checked_text(stream, "stream"), after_version],
        )

    def read_streams(self, streams: Sequence[str], names: Sequence[str]) -> list[JournalRow]:
        """The rows of these names in these streams, as they are stored, each stream in its own order."""
        mark = self._placeholder
        return self._fetch(
            f"SELECT {self._row} FROM journal "
            f"WHERE stream IN ({', '.join([mark] * len(streams))}) "
            f"AND name IN ({', '.join([mark] * len(names))}) ORDER BY stream, version",
            [*streams, *names],
        )

    def number_holder(self, number: int) -> str | None:
        """The stream to which an incident number belongs, or None while it is free."""
        sql = f"SELECT stream FROM incident_numbers WHERE number = {self._placeholder}"
        found: list[tuple[str]] = self._fetch(sql, [number])
        return found[0][0] if found else None

    def max_notification_id(self) -> int | None:
        """The position of the last event, or None where nothing was recorded."""
        last: int | None = self._fetch("SELECT max(position) FROM journal", [])[0][0]
        return last

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Recorded and newly recorded events; only a store that can wake a reader offers it (PostgreSQL)."""
        raise NotImplementedError(f"store {self.store} cannot wake a reader; read on after the last position")

    def commits(self) -> Commits:
        """Word of what is committed from now on, by whichever process; use it as a context manager."""
        return PolledCommits(self.max_notification_id)

    def close(self) -> None:
        """Let go of every connection; the recorder is of no use afterwards."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _fetch(self, sql: str, params: Sequence[object]) -> list[Any]:
        """All rows of one query, outside any transaction."""

    @abstractmethod
    def _append(self, write: Write) -> list[int] | Refusal:
        """Write it all in one transaction and return the positions, or write nothing and say why."""

    @abstractmethod
    def _append_next(self, following: Callable[[int], Write]) -> tuple[Write, list[int] | Refusal]:
        """The same for the write that follows from the next free number; the write is returned as well."""

    def _rows(self, stored_events: Sequence[StoredEvent]) -> list[EventRow]:
        return [_checked_row(event, self.first_version) for event in stored_events]

    def _heads(self, rows: list[EventRow], expect: Mapping[str, int] | None) -> dict[str, int]:
        """The last version that each stream must have for the write to be right."""
        heads: dict[str, int] = {}
        reached: dict[str, int] = {}
        for stream, version, _, _ in rows:
            head = reached.get(stream)
            if head is None:
                heads[stream] = version - 1
            elif version != head + 1:
                raise IntegrityError(
                    f"stream {stream}: version {version} follows {head} in one write; versions go up by one"
                )
            reached[stream] = version
        for stream, version in (expect or {}).items():
            if heads.setdefault(_checked_text(stream, "stream"), version) != version:
                raise IntegrityError(
                    f"stream {stream}: the write begins after version {heads[stream]}, "
                    f"but {version} is expected; load the stream again and decide anew"
                )
        return heads

    def _check_claims(self, numbers: Mapping[str, int], rows: list[EventRow]) -> None:
        written = {row[0] for row in rows}
        for stream, number in numbers.items():
            if stream not in written:
                raise IntegrityError(
                    f"stream {stream}: a number is given with an event of its stream, and none is written"
                )
            if not 1 <= number <= _HIGHEST_NUMBER:
                raise UnstorableEvent(
                    f"stream {stream}: the incident number must be 1 or more, and below 2**63"
                )
        if len(set(numbers.values())) < len(numbers):
            raise NumberTaken("one incident number is claimed for two incidents in the same write")

    def _conflict(self, write: Write) -> IntegrityError:
        """Why a write did not go in."""
        recorded = self._recorded(write.rows)
        if recorded is not None:
            return AlreadyRecorded(recorded)
        sql = f"SELECT max(version) FROM journal WHERE stream = {self._placeholder}"
        told: list[str] = []
        for stream, supposed in write.heads.items():
            found = self._fetch(sql, [stream])[0][0]
            if (self.first_version - 1 if found is None else found) != supposed:
                told.append(
                    f"stream {stream} ends at version {'none' if found is None else found}, "
                    f"the write supposes {'none' if supposed < self.first_version else supposed}"
                )
        return IntegrityError(f"{'; '.join(told) or 'a stream has moved'}; load again and decide anew")

    def _recorded(self, rows: list[EventRow]) -> list[int] | None:
        """The positions of exactly these rows where all of them are on record."""
        positions: list[int] = []
        mark = self._placeholder
        sql = f"SELECT position, name, state FROM journal WHERE stream = {mark} AND version = {mark}"
        for stream, version, name, state in rows:
            match self._fetch(sql, [stream, version]):
                case [(position, found_name, found_state)] if (found_name, found_state) == (name, state):
                    positions.append(position)
                case _:
                    return None
        return positions

    def _number_taken(self, claims: Mapping[str, int]) -> NumberTaken:
        """Which of the claimed numbers is taken, or which stream has one."""
        taken = incident_numbers.c
        for stream, number in claims.items():
            with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                row = connection.execute(
                    select(taken.number, taken.stream).where(
                        or_(taken.number == number, taken.stream == stream)
                    )
                ).first()
            if row is not None and row.stream == stream:
                return NumberTaken(f"stream {stream} has incident number {row.number} already")
            if row is not None:
                return NumberTaken(
                    f"incident number {number} belongs to stream {row.stream}, not to {stream}"
                )
        return NumberTaken("an incident number was taken by another write; nothing was written")


def _checked_row(event: StoredEvent, first_version: int) -> EventRow:
    stream = _checked_text(event.originator_id, "stream")
    name = _checked_text(event.topic, "name")
    version, state = event.originator_version, event.state
    if not first_version <= version <= _HIGHEST_VERSION:
        raise UnstorableEvent(f"stream {stream}: version {version} is outside {first_version} to 2**31 - 1")
    if not isinstance(state, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UnstorableEvent(
            f"stream {stream}, version {version}: state must be bytes; encode the event first"
        )
    return stream, version, name, state


def _checked_text(text: object, what: str) -> str:
    """The text, if SQLite and PostgreSQL would both keep it as it is."""
    if not isinstance(text, str):
        raise UnstorableEvent(f"{what} must be text, not {type(text).__name__}")
    if len(text) > _LONGEST_TEXT:
        raise UnstorableEvent(f"{what} has {len(text)} characters; at most {_LONGEST_TEXT} can be kept")
    if "\x00" in text:
        raise UnstorableEvent(f"{what} contains U+0000, which PostgreSQL cannot keep; take it out")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnstorableEvent(f"{what} contains a lone surrogate, which is not UTF-8; take it out") from None
    return text
