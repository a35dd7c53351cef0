"""How views come to the head of the journal: batch by batch, several at a time, each at its own pace.

Every view has a position of its own.  Those that stand together take their batches together; one that is
behind, being built or newly mended, catches up in turns with the rest, and one that cannot fold an event
stays before it while the rest go on.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

from sqlalchemy import Connection

from incident_domain.envelope import Recorded
from incident_projections.folding import CannotFold, cannot_fold, fold
from incident_projections.storage import Stand, Standing, Stop, Storage, staged
from incident_projections.view import StreamView, View

_BATCH: Final = 5_000

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far the work has come, as a position, and the head that it goes to."""


class Source(Protocol):
    """Where recorded events are read from: the journal."""

    def head(self) -> int:
        """The position of the last event; 0 when nothing is recorded."""
        ...

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """At most `limit` events above the position `after`, in the order of their positions."""
        ...


class ViewStopped(Exception):
    """A view could not fold an event; it holds all up to the one before it, and the other views went on.

    `view`, `position`, `stream` and `event` (the wire name) say where; what went wrong is the cause, where it
    was this process that found it.  `stops` holds all, where several views stopped.
    """

    def __init__(self, stops: Sequence[Stop]) -> None:
        first, *others = stops
        beside = f"; stopped as well: {', '.join(each.view for each in others)}" if others else ""
        super().__init__(
            f"view {first.view} stopped before position {first.position}: it cannot fold {first.event}"
            f" of stream {first.stream}, version {first.version} ({first.error});"
            f" mend the fold and start again, or raise the view's version to build it anew{beside}"
        )
        self.stops = tuple(stops)
        self.view = first.view
        self.position = first.position
        self.stream = first.stream
        self.event = first.event


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


class JournalShorter(Exception):
    """The views hold more than the journal: an older one was put in its place, and they tell what it lost."""

    def __init__(self, views: Sequence[str], position: int, head: int) -> None:
        super().__init__(
            f"views {', '.join(views)}: they hold events up to {position}, but the journal ends at {head}:"
            " it is not the one that they were made from; rebuild them if it is the right one"
        )


class CatchingUp:
    """One way to the head, for a set of views; what it finds out about views that stop holds for this way."""

    def __init__(self, storage: Storage, source: Source) -> None:
        self._storage = storage
        self._source = source
        self._failed: dict[tuple[str, Standing], CannotFold] = {}

    def to_the_head(self, live: Sequence[View], building: Sequence[View], progress: Progress | None) -> None:
        """Bring the live views to the head, and those being built too, which then take the place of the old.

        All move in turns, so that a long build holds up nobody.  The head is where it was at the beginning:
        one that keeps moving on must not keep anybody here.
        """
        live, ready = list(live), list(building)
        ahead, goal = self._ahead_of_the_journal()
        if lost := [view.name for view in live if view.name in ahead]:
            raise JournalShorter(lost, max(ahead[name] for name in lost), goal)
        while True:
            # While others are built, those that are done go on with what comes.
            moved = self._step(live, Standing.LIVE, self._source.head() if ready else goal)
            if moved and not ready:
                self._tell(progress, live, Standing.LIVE)
            under_way = self._storage.stands(Standing.BUILDING) if ready else {}
            # Somebody else may build some of the same views at the same time, and be first.
            swapped = [view for view in ready if view.name not in under_way]
            live += swapped
            ready = [
                view
                for view in ready
                if view.name in under_way and (view.name, Standing.BUILDING) not in self._failed
            ]
            if ready:
                if self._step(ready, Standing.BUILDING, goal):
                    self._tell(progress, ready, Standing.BUILDING)
                # Making the indexes takes its time, and there may be more to fold afterwards.
                elif self._storage.index(ready) or not self._finish(ready):
                    goal = self._source.head()
            elif not (moved or swapped):
                break
        if self._failed:
            first = next(iter(self._failed.values()))
            raise ViewStopped([each.stop for each in self._failed.values()]) from first.cause

    def _ahead_of_the_journal(self) -> tuple[dict[str, int], int]:
        """The views that hold more than the journal does, with their positions, and its head."""
        stands = self._storage.stands(Standing.LIVE)
        # Only now: read before, it might be behind a view that somebody brought further.
        head = self._source.head()
        return {name: stand.position for name, stand in stands.items() if stand.position > head}, head

    def _tell(self, progress: Progress | None, views: Sequence[View], standing: Standing) -> None:
        if progress is None:
            return
        stands = self._storage.stands(standing)
        reached = [stands[view.name].position for view in views if view.name in stands]
        if reached:
            progress(min(reached), max(*reached, self._source.head()))

    def _step(self, views: Sequence[View], standing: Standing, goal: int) -> bool:
        """Apply a batch to each group of views that stand together; say no where all are at the goal."""
        stands, named = self._standing(views, standing), {view.name: view for view in views}
        going = {
            name: stand
            for name, stand in stands.items()
            if (name, standing) not in self._failed and stand.position < goal
        }
        ahead = None
        for position, tried_before, names in _groups(going):
            limit = 1 if tried_before else _BATCH if ahead is None else min(_BATCH, ahead - position)
            batch = self._source.read_all(position, limit)
            if not batch:
                raise JournalGap(position, goal)
            _check(batch, position)
            batch = [each for each in batch if each.position > position]
            self._apply([named[name] for name in names], standing, batch)
            ahead = ahead if tried_before else position
        return bool(going)

    def _finish(self, views: Sequence[View]) -> bool:
        """Fold what was recorded last and show what was built, all in one transaction.

        Says no when the old rows have come further meanwhile: readers never go back.
        """
        stands = self._standing(views, Standing.BUILDING)
        if len(stands) < len(views):
            return False
        ahead, _ = self._ahead_of_the_journal()
        begins = min(stand.position for stand in stands.values())
        batch = self._source.read_all(begins, _BATCH)
        if batch:
            _check(batch, begins)
        ends = batch[-1].position if batch else begins
        _look_ahead(views, batch)
        with self._storage.altering() as connection:
            live = self._storage.claim(connection, Standing.LIVE)
            building = self._storage.claim(connection, Standing.BUILDING)
            for view in views:
                built = building.get(view.name)
                if built is None or built.version != view.version or not begins <= built.position <= ends:
                    return False
                if view.name in live and live[view.name].position > ends and view.name not in ahead:
                    return False
            if not self._fold(connection, views, Standing.BUILDING, building, batch):
                return False
            self._storage.swap(connection, views)
        return True

    def _apply(self, views: Sequence[View], standing: Standing, batch: Sequence[Recorded]) -> None:
        """Apply a batch in one transaction; what a table does not take is narrowed down to its event."""
        try:
            self._apply_together(views, standing, batch)
        except OtherVersion:
            raise
        except self._storage.troubles:
            raise
        except Exception as cause:  # noqa: BLE001, it is kept and raised once the other views are through
            for view in views:
                # What was found out in this transaction went with it.
                self._failed.pop((view.name, standing), None)
            if len(views) > 1:
                for view in views:
                    self._apply([view], standing, batch)
            elif len(batch) > 1:
                half = len(batch) // 2
                self._apply(views, standing, batch[:half])
                if (views[0].name, standing) not in self._failed:
                    self._apply(views, standing, batch[half:])
            else:
                stopped = cannot_fold(views[0], batch[0], cause)
                with self._storage.writing() as connection:
                    stand = self._storage.claim(connection, standing).get(views[0].name)
                    if stand is not None and stand.position == batch[0].position - 1:
                        self._stop(connection, standing, stand, stopped)

    def _apply_together(self, views: Sequence[View], standing: Standing, batch: Sequence[Recorded]) -> None:
        first, last = batch[0].position, batch[-1].position
        _look_ahead(views, batch)
        with self._storage.writing() as connection:
            stands = self._storage.claim(connection, standing)
            # Of the others somebody swapped the tables, began a rebuild, or has applied all this already.
            left = [
                view
                for view in views
                if view.name in stands and first - 1 <= stands[view.name].position < last
            ]
            self._fold(connection, left, standing, stands, batch)

    def _fold(
        self,
        connection: Connection,
        views: Sequence[View],
        standing: Standing,
        stands: Mapping[str, Stand],
        batch: Sequence[Recorded],
    ) -> bool:
        """Fold a batch into views that were claimed; say whether none of them stopped."""
        reached: dict[str, int] = {}
        stopped = False
        for view in views:
            stand = stands[view.name]
            _refuse_other(view, stand)
            table = view.table if standing is Standing.LIVE else staged(view.table)
            left = [each for each in batch if each.position > stand.position]
            at = fold(connection, view, table, left)
            if at is not None:
                self._stop(connection, standing, stand, at)
                stopped = True
                reached[view.name] = at.stop.position - 1
            elif left:
                reached[view.name] = left[-1].position
        self._storage.advance(connection, reached, standing)
        return not stopped

    def _stop(self, connection: Connection, standing: Standing, stand: Stand, at: CannotFold) -> None:
        self._failed[at.stop.view, standing] = at
        if stand.stop != at.stop:
            self._storage.stop(connection, standing, stand.build, at.stop)

    def _standing(self, views: Sequence[View], standing: Standing) -> dict[str, Stand]:
        stands = self._storage.stands(standing)
        missing = [view.name for view in views if view.name not in stands]
        if missing and standing is Standing.LIVE:
            raise LookupError(f"views {', '.join(missing)}: their tables are gone while they were in use")
        found = {view.name: stands[view.name] for view in views if view.name in stands}
        for view in views:
            if view.name in found:
                _refuse_other(view, found[view.name])
        return found


def _groups(stands: Mapping[str, Stand]) -> list[tuple[int, bool, list[str]]]:
    """The views that stand together, those furthest ahead first; a stopped one goes by itself."""
    groups: dict[tuple[int, bool], list[str]] = {}
    for name, stand in stands.items():
        groups.setdefault((stand.position, stand.stop is not None), []).append(name)
    return [(position, stopped, names) for (position, stopped), names in sorted(groups.items(), reverse=True)]


def _refuse_other(view: View, stand: Stand) -> None:
    if stand.version != view.version:
        raise OtherVersion(view.name, stand.version, view.version)


def _check(batch: Sequence[Recorded], after: int) -> None:
    expected = min(batch[0].position, after + 1)
    for each in batch:
        if each.position != expected:
            raise JournalGap(expected - 1, each.position)
        expected += 1


def _look_ahead(views: Sequence[View], batch: Sequence[Recorded]) -> None:
    for view in views:
        if isinstance(view, StreamView) and view.beforehand is not None:
            view.beforehand(batch)
