"""The engine that keeps the views in step with the journal.

It takes the journal's events in batches, folds each batch in memory, and writes every changed row once,
together with the new position, in one transaction.  An event at or below a view's position is skipped: a
redelivery changes nothing, and after a crash rows and position still belong together.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeAlias, assert_never

from sqlalchemy import Connection, Engine, Table

from incident_domain.envelope import Recorded
from incident_projections import rows
from incident_projections.storage import Stand, Standing, Storage, staged
from incident_projections.view import EventView, StreamView, View

_BATCH: Final = 2_000

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far a rebuild has come, as a position, and the head that it goes to."""


class Source(Protocol):
    """Where recorded events are read from: the journal."""

    def head(self) -> int:
        """The position of the last event; 0 when nothing is recorded."""
        ...

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """At most `limit` events above the position `after`, in the order of their positions."""
        ...


class ViewStopped(Exception):
    """A view could not fold an event; nothing of the batch was written, and the view stands before it.

    `view`, `position`, `stream` and `event` (the wire name) say where; what went wrong is the cause.
    """

    def __init__(self, view: str, recorded: Recorded) -> None:
        super().__init__(
            f"view {view} stopped before position {recorded.position}: it cannot fold {recorded.name}"
            f" of stream {recorded.stream}, version {recorded.version};"
            " mend the fold, raise the view's version and start again"
        )
        self.view = view
        self.position = recorded.position
        self.stream = recorded.stream
        self.event = recorded.name


class OtherVersion(Exception):
    """The store holds a view as another release makes it; this one must not write into it."""

    def __init__(self, view: str, found: int, known: int) -> None:
        super().__init__(
            f"view {view} has version {found} in the store, this release makes version {known}:"
            " use the release that made it, or rebuild the view with this one"
        )


class JournalGap(Exception):
    """The source left events out; a view that went on would be wrong without anybody seeing it."""

    def __init__(self, after: int, got: int) -> None:
        super().__init__(f"after position {after} the journal gave {got}: events in between are missing")


class Projections:
    """A set of views over one journal, kept in one database.

    Several may run at once, in threads or processes: each batch is applied by exactly one of them.
    """

    def __init__(self, engine: Engine, source: Source, views: Sequence[View]) -> None:
        self._storage = Storage(engine)
        self._source = source
        self._views = {view.name: view for view in views}
        self._storage.create()

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection for the readers of the views; it holds up nobody."""
        with self._storage.reading() as connection:
            yield connection

    def positions(self) -> dict[str, int]:
        """How far each view has come; a view that was never built is left out."""
        stands = self._storage.stands(Standing.LIVE)
        return {name: stands[name].position for name in self._views if name in stands}

    def catch_up(self, progress: Progress | None = None) -> int:
        """Bring every view to the head of the journal, and give the position that all have reached.

        A view that is new, or that an older release made, is rebuilt on the way.

        Raises:
            ViewStopped: when a view cannot fold an event.
            ViewsUnwritable: when the database fails.
            OtherVersion: when the store holds a view of a newer release.
        """
        outdated = self._outdated(self._storage.stands(Standing.LIVE))
        if outdated:
            self._storage.begin_building(outdated, afresh=False)
            self._build(outdated, progress)
        reached = self._run(list(self._views.values()), Standing.LIVE, progress)
        if reached is None:
            raise LookupError(f"views {', '.join(self._views)}: their tables are gone while they were in use")
        return reached

    def wait_for(self, position: int) -> int:
        """See to it that every view holds the event at `position`, so that a writer reads its own writes.

        Raises:
            ValueError: when the journal has not come that far.
            ViewStopped: when a view cannot fold an event.
        """
        stands = self._storage.stands(Standing.LIVE)
        if not self._outdated(stands):
            reached = min(stands[name].position for name in self._views)
            if reached >= position:
                return reached
        head = self._source.head()
        if position > head:
            raise ValueError(f"position: {position} is not recorded yet, the journal's head is {head}")
        return self.catch_up()

    def rebuild(self, *names: str, progress: Progress | None = None) -> None:
        """Build the named views, or all, from the first event on, beside the ones that readers see.

        Readers see the old rows until all the new ones are there.

        Raises:
            KeyError: for a name that is no view of these.
            ViewStopped: when a view cannot fold an event.
        """
        views = [self._views[name] for name in names or self._views]
        self._storage.begin_building(views, afresh=True)
        self._build(views, progress)

    def _outdated(self, live: Mapping[str, Stand]) -> list[View]:
        for name, view in self._views.items():
            if name in live and live[name].version > view.version:
                raise OtherVersion(name, live[name].version, view.version)
        return [
            view
            for name, view in self._views.items()
            if name not in live or live[name].version < view.version
        ]

    def _build(self, views: Sequence[View], progress: Progress | None) -> None:
        indexed = False
        while True:
            building = self._storage.stands(Standing.BUILDING)
            # Somebody else may build some of the same views at the same time, and be first.
            views = [view for view in views if view.name in building]
            if not views:
                return
            reached = self._run(views, Standing.BUILDING, progress)
            if not indexed:
                self._storage.index(views)
                indexed = True
            if reached is not None and self._storage.swap(views, reached):
                return

    def _run(self, views: Sequence[View], standing: Standing, progress: Progress | None) -> int | None:
        """Apply all there is, and give the position reached; None when a table is not there any more."""
        reached = _slowest(self._storage.stands(standing), views)
        while reached is not None and (batch := self._source.read_all(reached, _BATCH)):
            _check(batch, reached)
            reached = self._apply(views, standing, batch, reached)
            if progress is not None and reached is not None:
                progress(reached, max(reached, self._source.head()))
        return reached

    def _apply(
        self, views: Sequence[View], standing: Standing, batch: Sequence[Recorded], after: int
    ) -> int | None:
        """Apply a batch that was read after a position; give the position to read on from."""
        last = batch[-1].position
        with self._storage.writing() as connection:
            stands = self._storage.claim(connection, standing)
            slowest = _slowest(stands, views)
            if slowest is None or slowest < after or slowest >= last:
                # Somebody swapped the tables, began a rebuild, or has applied all this already.
                return slowest
            for view in views:
                table = view.table if standing is Standing.LIVE else staged(view.table)
                position = stands[view.name].position
                _fold(connection, view, table, [each for each in batch if each.position > position])
            behind = [view for view in views if stands[view.name].position < last]
            self._storage.advance(connection, behind, standing, last)
        return last


def _slowest(stands: Mapping[str, Stand], views: Sequence[View]) -> int | None:
    if any(view.name not in stands for view in views):
        return None
    for view in views:
        if stands[view.name].version != view.version:
            raise OtherVersion(view.name, stands[view.name].version, view.version)
    return min(stands[view.name].position for view in views)


def _check(batch: Sequence[Recorded], after: int) -> None:
    expected = min(batch[0].position, after + 1)
    for each in batch:
        if each.position != expected:
            raise JournalGap(expected - 1, each.position)
        expected += 1


def _fold(connection: Connection, view: View, table: Table, batch: Sequence[Recorded]) -> None:
    mine = [each for each in batch if type(each.event) in view.about]
    match view:
        case StreamView():
            _fold_streams(connection, view, table, mine)
        case EventView():
            rows.save(connection, table, _rows_of_events(view, mine))
        case _:
            assert_never(view)


def _rows_of_events(view: EventView[Any, Any], batch: Sequence[Recorded]) -> list[Mapping[str, Any]]:
    made: list[Mapping[str, Any]] = []
    for each in batch:
        try:
            made.append(view.row(each, each.event))
        except Exception as cause:
            raise ViewStopped(view.name, each) from cause
    return made


def _fold_streams(
    connection: Connection, view: StreamView[Any, Any], table: Table, batch: Sequence[Recorded]
) -> None:
    # A stream whose first event is in the batch has no rows yet, and is not asked for.
    first = {each.stream: each.version for each in reversed(batch)}
    before = rows.load(connection, table, [stream for stream, version in first.items() if version > 1])
    after: dict[str, rows.Rows] = dict(before)
    fold = view.fold
    for each in batch:
        try:
            after[each.stream] = fold(after.get(each.stream, ()), each, each.event)
        except Exception as cause:
            raise ViewStopped(view.name, each) from cause
    rows.write(connection, table, before, after)
