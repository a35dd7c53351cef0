"""A history to be replayed: the events of a journal, or those of an archive, which needs no database.

An event that this release cannot read is part of the history all the same, as what breaks it.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Final, TypeAlias, assert_never

from attrs import frozen
from eventsourcing.persistence import MapperDeserialisationError

from incident_adapters.archive_file import Archive, opened_archive
from incident_adapters.codec import EventMapper, stored_names
from incident_adapters.export_selection import WHOLE_JOURNAL, Progress, Selection
from incident_adapters.journal import Journal
from incident_adapters.recorder import JournalRow, UnstorableEvent
from incident_adapters.time_machine import as_of
from incident_domain.envelope import Recorded
from incident_domain.events import NumberAssigned
from incident_domain.validation import InvalidValue
from incident_projections.past import AsOf, OccurredBy, RecordedBy, UpTo
from incident_projections.replaying import Break, Told

_PAGE: Final = 1000
_LONGEST_NUMBER: Final = 18
_NUMBERED: Final = frozenset(stored_names([NumberAssigned]))

_Read: TypeAlias = Callable[[Sequence[JournalRow]], list[Recorded]]


@frozen(kw_only=True)
class History:
    """The events of a history, in the order of their positions; they are read once.

    `selection` says what part of a journal it is, and `events` how many there are.
    """

    selection: Selection
    events: int
    told: Iterator[Told]

    @property
    def whole(self) -> bool:
        """Whether it is a whole journal."""
        return self.selection.whole

    def watched(self, progress: Progress) -> Iterator[Told]:
        """The events, while `progress` is told how far the reading has come."""
        for count, each in enumerate(self.told, start=1):
            if count % _PAGE == 0:
                progress(count, self.events)
            yield each
        progress(self.events, self.events)


def of_journal(journal: Journal) -> History:
    """The history that a journal holds now."""
    last = journal.head()

    def rows() -> Iterator[JournalRow]:
        reached = 0
        while reached < last and (page := journal.store.read(reached, min(_PAGE, last - reached))):
            yield from (row for row in page if row[0] <= last)
            reached = page[-1][0]

    return History(selection=WHOLE_JOURNAL, events=last, told=_told(rows(), journal.recorded))


@contextmanager
def of_archive(file: Path) -> Generator[History]:
    """The history that an archive holds; its personal fields are as they stand in it.

    Raises:
        ArchiveUnreadable: when it is no archive; while its events are read, when it is not whole.
        OSError: when the file cannot be read.
    """
    with opened_archive(file) as archive:
        yield History(
            selection=archive.header.selection, events=archive.header.events, told=_of_rows(archive)
        )


def _of_rows(archive: Archive) -> Iterator[Told]:
    yield from _told(archive.rows(), EventMapper().all_recorded)


def _told(rows: Iterable[JournalRow], read: _Read) -> Iterator[Told]:
    """The events of rows, which are read some together; where that fails, one by one."""
    source = iter(rows)
    while page := list(islice(source, _PAGE)):
        try:
            yield from read(page)
        except MapperDeserialisationError:
            for row in page:
                yield _one(row, read)


def _one(row: JournalRow, read: _Read) -> Told:
    try:
        return read([row])[0]
    except MapperDeserialisationError as error:
        position, stream, version, name, _ = row
        return Break(position=position, stream=stream, version=version, name=name, why=str(error))


def stream_named(journal: Journal, wanted: str) -> str | None:
    """The incident that somebody means by its number or its reference; None where there is none.

    Nothing of it is decoded, so that an event that cannot be read does not hide it.
    """
    if wanted.isdecimal() and len(wanted) <= _LONGEST_NUMBER:
        found = journal.numbered(int(wanted))
        if found is not None:
            return found
    try:
        return next((name for name in (wanted, wanted.upper()) if journal.store.read_stream(name, 0)), None)
    except UnstorableEvent:
        return None  # No store has a stream of such a name.


def of_stream(journal: Journal, name: str, asked: AsOf | None) -> Iterator[Told]:
    """The events of one stream in a journal, as far as the past goes that is asked for.

    Raises:
        InvalidValue: for a past that lies ahead, and for a position at which nothing is recorded.
    """
    if asked is not None:
        held = as_of(journal, asked).extent
        asked = UpTo(position=held.position) if held.occurred_by is None else asked
    yield from takewhile(_belongs(asked), _told(journal.store.read_stream(name, 0), journal.recorded))


def of_stream_in_archive(file: Path, wanted: str, asked: AsOf | None) -> tuple[str | None, list[Told]]:
    """The name of the incident that somebody means by its number or its reference, and its events.

    The name is None where the archive holds no such incident.

    Raises:
        ArchiveUnreadable: when it is no archive, or not a whole one.
        InvalidValue: for a position beyond its end.
        OSError: when the file cannot be read.
    """
    name = _named(file, wanted)
    if name is None:
        return None, []
    with opened_archive(file) as archive:
        last = archive.header.through
        if isinstance(asked, UpTo) and asked.position > last:
            raise _beyond(last)
        rows = (row for row in archive.rows() if row[1] == name)
        return name, list(takewhile(_belongs(asked), _told(rows, EventMapper().all_recorded)))


def _named(file: Path, wanted: str) -> str | None:
    number = int(wanted) if wanted.isdecimal() and len(wanted) <= _LONGEST_NUMBER else None
    read, found = EventMapper().all_recorded, None
    with opened_archive(file) as archive:
        for row in archive.rows():
            if number is not None and row[3] in _NUMBERED:
                told = _one(row, read)
                event = told.event if isinstance(told, Recorded) else None
                if isinstance(event, NumberAssigned) and event.number == number:
                    found = row[1]
            elif row[2] == 1 and row[1] in (wanted, wanted.upper()):
                found = row[1]
    return found


def _belongs(asked: AsOf | None) -> Callable[[Told], bool]:
    """Whether an event of one incident belongs to the past that is asked for."""

    def belongs(told: Told) -> bool:
        match asked:
            case None:
                return True
            case UpTo(position=position):
                return told.position <= position
            case RecordedBy(at=at):
                return isinstance(told, Break) or told.recorded_at <= at
            case OccurredBy(at=at):
                return isinstance(told, Break) or told.occurred_at <= at
            case _:
                assert_never(asked)

    return belongs


def up_to(history: Iterable[Told], asked: AsOf) -> Iterator[Told]:
    """What belongs to the past that is asked for, as `incident_projections.past` has it.

    Raises:
        InvalidValue: when nothing is recorded at the position that is asked for.
    """
    match asked:
        case UpTo(position=position):
            yield from _up_to(history, position)
        case RecordedBy(at=at):
            for each in history:
                if isinstance(each, Recorded) and each.recorded_at > at:
                    return
                yield each
        case OccurredBy(at=at):
            yield from _occurred_by(history, at)
        case _:
            assert_never(asked)


def _up_to(history: Iterable[Told], position: int) -> Iterator[Told]:
    last = 0
    for each in history:
        if each.position > position:
            return
        last = each.position
        yield each
    if last < position:
        raise _beyond(last)


def _beyond(last: int) -> InvalidValue:
    return InvalidValue("position", f"nothing is recorded there; name one from 1 to {last}, the last")


def _occurred_by(history: Iterable[Told], at: datetime) -> Iterator[Told]:
    ended: set[str] = set()
    for each in history:
        if each.stream in ended:
            continue
        if isinstance(each, Recorded) and each.occurred_at > at:
            ended.add(each.stream)
        else:
            yield each
