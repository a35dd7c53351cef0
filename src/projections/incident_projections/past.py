"""The past: which of the journal's events an answer about it is made of, and views of just these.

Two instants stand with every event, and so "how did it stand then?" is two questions.  `RecordedBy` asks what
was known then: the journal as it stood, its longest beginning in which nothing was recorded later.
`OccurredBy` asks what was true then, as it is known now: of every stream its longest beginning in which
nothing happened later.  A stream is never cut in its middle, as what follows an event may rest on it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar, assert_never

from attrs import field, frozen
from sqlalchemy import Connection
from sqlalchemy.schema import CreateTable

from incident_domain.envelope import Recorded
from incident_domain.validation import InvalidValue, aware, utc
from incident_projections.catching_up import JournalGap, Progress, Source, ViewStopped
from incident_projections.folding import fold
from incident_projections.view import View

if TYPE_CHECKING:
    from attrs import Attribute

_BATCH: Final = 5_000


def _counted_from_one(_: object, attribute: "Attribute[int]", value: int) -> None:
    if value < 1:
        raise InvalidValue(attribute.name, "must be 1 or more, where the journal begins")


@frozen(kw_only=True)
class UpTo:
    """The first events of the journal, up to and with that at `position`.

    Raises:
        InvalidValue: when there can be no such position.
    """

    position: int = field(validator=_counted_from_one)


@frozen(kw_only=True)
class RecordedBy:
    """What the journal had recorded by an instant: what was known then.

    It ends before the first event that was recorded later, so that it never holds any of a later time.

    Raises:
        InvalidValue: when the instant names no time zone.
    """

    at: datetime = field(converter=utc, validator=aware)


@frozen(kw_only=True)
class OccurredBy:
    """What had happened by an instant, as far as it is known now: what was true then.

    An event that was recorded late counts from when it happened on.  One that is dated before an event which
    its stream holds already counts from that one on: nothing stands without what it followed.

    Raises:
        InvalidValue: when the instant names no time zone.
    """

    at: datetime = field(converter=utc, validator=aware)


AsOf: TypeAlias = UpTo | RecordedBy | OccurredBy
"""How far a question about the past goes."""


@frozen(kw_only=True)
class Extent:
    """The events that an answer about the past is made of, and the instant `now` at which it holds.

    They are the first ones of the journal, up to and with that at `position`, 0 for none.  Where
    `occurred_by` is given, they are of every stream only the ones before its first that happened later.
    """

    position: int
    occurred_by: datetime | None
    now: datetime

    def _holds(self, recorded: Recorded) -> bool:
        by = self.occurred_by
        return recorded.position <= self.position and (by is None or recorded.occurred_at <= by)

    def of_stream(self, history: Iterable[Recorded]) -> list[Recorded]:
        """What belongs to it of the events of one stream, which are given from the first on."""
        return list(takewhile(self._holds, history))

    def batches(self, source: Source, progress: Progress | None = None) -> Iterator[list[Recorded]]:
        """All that belongs to it, some thousand events at a time, in the order of their positions.

        By occurrence it remembers the name of every stream that goes on beyond it, about 0.1 kB for each.

        Raises:
            JournalGap: when the source leaves out an event.
        """
        ended: set[str] = set()
        for batch in _pages(source.read_all, lambda each: each.position, self.position, progress):
            if self.occurred_by is None:
                yield batch
                continue
            held: list[Recorded] = []
            for each in batch:
                if each.stream in ended:
                    continue
                if self._holds(each):
                    held.append(each)
                else:
                    ended.add(each.stream)
            yield held


class DatedSource(Source, Protocol):
    """A source that also tells when its events were recorded without reading them: the journal."""

    def recorded_times(self, after: int, limit: int, /) -> Sequence[tuple[int, datetime]]:
        """The positions and the times of recording of at most `limit` events above the position `after`."""
        ...


def extent(source: DatedSource, asked: AsOf, progress: Progress | None = None) -> Extent:
    """The events that a question about the past is answered from.

    By recording the time of every event up to the first later one is looked at, since the clocks of the
    programs that record need not agree.

    Raises:
        InvalidValue: when nothing is recorded at the position that was asked for.
        JournalGap: when the source leaves out an event.
    """
    head = source.head()
    match asked:
        case UpTo(position=position):
            if head == 0:
                raise InvalidValue("position", "nothing is recorded yet, so that there is no past")
            if position > head:
                raise InvalidValue(
                    "position", f"nothing is recorded there yet; name one from 1 to {head}, the last"
                )
            return Extent(
                position=position,
                occurred_by=None,
                now=source.read_all(position - 1, 1)[0].recorded_at,
            )
        case RecordedBy(at=at):
            return Extent(position=_recorded_by(source, head, at, progress), occurred_by=None, now=at)
        case OccurredBy(at=at):
            return Extent(position=head, occurred_by=at, now=at)
        case _:
            assert_never(asked)


def _recorded_by(source: DatedSource, head: int, at: datetime, progress: Progress | None) -> int:
    for page in _pages(source.recorded_times, lambda each: each[0], head, progress):
        for position, recorded_at in page:
            if recorded_at > at:
                return position - 1
    return head


_Read = TypeVar("_Read")


def _pages(
    read: Callable[[int, int], Sequence[_Read]],
    position_of: Callable[[_Read], int],
    last: int,
    progress: Progress | None,
) -> Iterator[list[_Read]]:
    reached = 0
    while reached < last:
        page = list(read(reached, min(_BATCH, last - reached)))
        expected = range(reached + 1, reached + 1 + len(page))
        if not page or list(map(position_of, page)) != list(expected):
            raise JournalGap(reached, position_of(page[-1]) if page else last)
        yield page
        reached += len(page)
        if progress is not None:
            progress(reached, last)


def fold_once(connection: Connection, views: Sequence[View], batches: Iterable[Sequence[Recorded]]) -> None:
    """Make the tables of the views in a database that holds none, of these events and of no others.

    Raises:
        ViewStopped: when a view cannot fold an event.
    """
    tables = [table for view in views for table in view.tables]
    for table in tables:
        connection.execute(CreateTable(table))
    for batch in batches:
        for view in views:
            if (at := fold(connection, view, view.table, batch)) is not None:
                raise ViewStopped([at.stop]) from at.cause
    for table in tables:
        # Made at the end, they cost less than row by row.
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            index.create(connection)
