"""The engine that keeps the views in step with the journal.

It takes the journal's events in batches, folds each batch in memory, and writes every changed row once,
together with the new position, in one transaction.  An event at or below a view's position is skipped: a
redelivery changes nothing, and after a crash rows and position still belong together.

Every view has a position of its own.  Those that stand together take their batches together; one that is
behind, being built or newly mended, catches up in turns with the rest, and one that cannot fold an event
stays before it while the rest go on.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Engine

from incident_domain.envelope import Recorded
from incident_projections.folding import CannotFold, cannot_fold, fold
from incident_projections.storage import Stand, Standing, Stop, Storage, staged
from incident_projections.view import View

_BATCH: Final = 2_000
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how far the work has come, as a position, and the head that it goes to."""

_Failed: TypeAlias = dict[tuple[str, Standing], CannotFold]


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


class NotReached(TimeoutError):
    """Nobody brought the views to a position within the time that was given for it."""


@frozen(kw_only=True)
class ViewStatus:
    """How a view stands to the journal.

    It holds all events up to and with `position`; `behind` more are recorded, the oldest of them for the time
    `waiting`.  `stop` is the event that it cannot fold.  `rebuilt_to` is how far it is being built anew, and
    `rebuild_stop` the event at which that stopped.  A view that was never built has no `version`.
    """

    view: str
    version: int | None
    position: int
    behind: int
    waiting: timedelta
    stop: Stop | None
    rebuilt_to: int | None
    rebuild_stop: Stop | None


class Projections:
    """A set of views over one journal, kept in one database.

    Several may run at once, in threads or processes: each batch is applied by exactly one of them.
    """

    def __init__(self, engine: Engine, source: Source, views: Sequence[View]) -> None:
        self._storage = Storage(engine)
        self._source = source
        self._views = {view.name: view for view in views}
        self._storage.create()

    @property
    def engine(self) -> Engine:
        """The database that the views are in."""
        return self._storage.engine

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the views."""
        return tuple(self._views)

    @property
    def troubles(self) -> tuple[type[Exception], ...]:
        """What is raised when that database fails; the same work may be tried again later."""
        return self._storage.troubles

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """Give a connection for the readers of the views; it holds up nobody."""
        with self._storage.reading() as connection:
            yield connection

    def positions(self) -> dict[str, int]:
        """How far each view has come; a view that was never built is left out."""
        stands = self._storage.stands(Standing.LIVE)
        return {name: stands[name].position for name in self._views if name in stands}

    def status(self, now: datetime) -> tuple[ViewStatus, ...]:
        """How each view stands to the journal at an instant, in the order in which they were given."""
        live, building = self._storage.stands(Standing.LIVE), self._storage.stands(Standing.BUILDING)
        head = self._source.head()
        recorded_at: dict[int, datetime] = {}
        found: list[ViewStatus] = []
        for name in self._views:
            stand, built = live.get(name), building.get(name)
            position = 0 if stand is None else stand.position
            if position < head and position not in recorded_at:
                recorded_at[position] = self._source.read_all(position, 1)[-1].recorded_at
            found.append(
                ViewStatus(
                    view=name,
                    version=None if stand is None else stand.version,
                    position=position,
                    behind=max(0, head - position),
                    waiting=max(timedelta(), now - recorded_at.get(position, now)),
                    stop=None if stand is None else stand.stop,
                    rebuilt_to=None if built is None else built.position,
                    rebuild_stop=None if built is None else built.stop,
                )
            )
        return tuple(found)

    def catch_up(self, *names: str, progress: Progress | None = None) -> int:
        """Bring the named views, or all, to the head of the journal; give the position that all have reached.

        A view that is new, or that an older release made, is built on the way, while the others go on.
        A view that stopped before is tried again.

        Raises:
            KeyError: for a name that is no view of these.
            ViewStopped: when a view cannot fold an event, once all the others are at the head.
            ViewsUnwritable: when the database fails.
            OtherVersion: when the store holds a view of a newer release.
        """
        views = self._named(names)
        outdated = self._outdated(views, self._storage.stands(Standing.LIVE))
        if outdated:
            self._storage.begin_building(outdated, afresh=False)
        self._work([view for view in views if view not in outdated], outdated, progress)
        return min(stand.position for stand in self._standing(views, Standing.LIVE).values())

    def wait_for(self, position: int, *names: str, timeout: float | None = None) -> int:
        """Return once the named views, or all, hold the event at `position`: a writer reads its own writes.

        Without a timeout this call does what is left to do.  With one, in seconds, it leaves the work to
        whoever runs the views, and only waits.

        Raises:
            KeyError: for a name that is no view of these.
            ValueError: when the journal has not come that far.
            ViewStopped: when a view stopped before that event.
            NotReached: when the time is over.
            OtherVersion: when the store holds a view of a newer release.
        """
        views = self._named(names)
        if (reached := self._reached(views)) >= position:
            return reached
        if position > (head := self._source.head()):
            raise ValueError(f"position: {position} is not recorded yet, the journal's head is {head}")
        if timeout is None:
            return self.catch_up(*names)
        until = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while time.monotonic() < until:
            self._raise_stopped(views, position)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            if (reached := self._reached(views)) >= position:
                return reached
        raise NotReached(
            f"position: nobody brought the views to {position} in {timeout} s;"
            " run a projector, or leave the timeout out to have the work done here"
        )

    def rebuild(self, *names: str, progress: Progress | None = None) -> None:
        """Build the named views, or all, from the first event on, beside the ones that readers see.

        Readers see the old rows until all the new ones are there; whoever runs the views goes on with them.

        Raises:
            KeyError: for a name that is no view of these.
            ViewStopped: when a view cannot fold an event; it stays as it was, the others are rebuilt.
        """
        views = self._named(names)
        self._storage.begin_building(views, afresh=True)
        self._work([], views, progress)

    def _named(self, names: Sequence[str]) -> list[View]:
        return [self._views[name] for name in names or self._views]

    def _reached(self, views: Sequence[View]) -> int:
        """The position that all have reached as this release makes them; -1 while one is not built."""
        stands = self._storage.stands(Standing.LIVE)
        if self._outdated(views, stands):
            return -1
        return min(stands[view.name].position for view in views)

    def _raise_stopped(self, views: Sequence[View], position: int) -> None:
        """Raise ViewStopped when one of the views stands before an event that it cannot fold."""
        stands = self._storage.stands(Standing.BUILDING) | self._storage.stands(Standing.LIVE)
        stops = [stands[view.name].stop for view in views if view.name in stands]
        if reasons := [stop for stop in stops if stop is not None and stop.position <= position]:
            raise ViewStopped(reasons)

    def _outdated(self, views: Sequence[View], live: Mapping[str, Stand]) -> list[View]:
        for view in views:
            if view.name in live and live[view.name].version > view.version:
                raise OtherVersion(view.name, live[view.name].version, view.version)
        return [view for view in views if view.name not in live or live[view.name].version < view.version]

    def _work(self, live: Sequence[View], building: Sequence[View], progress: Progress | None) -> None:
        """Bring the live views to the head, and those being built too, which then take the place of the old.

        All move in turns, so that a long build holds up nobody.
        """
        failed: _Failed = {}
        live = list(live)
        while True:
            moved = self._step(live, Standing.LIVE, failed, None if building else progress)
            # Somebody else may build some of the same views at the same time, and be first.
            under_way = self._storage.stands(Standing.BUILDING) if building else {}
            swapped = [view for view in building if view.name not in under_way]
            building = [view for view in building if view.name in under_way]
            live += swapped
            ready = [view for view in building if (view.name, Standing.BUILDING) not in failed]
            if ready and not self._step(ready, Standing.BUILDING, failed, progress):
                # Making the indexes takes its time, and there may be more to fold afterwards.
                if not self._storage.index(ready):
                    self._storage.swap(ready)
            elif not (moved or ready or swapped):
                break
        _raise(failed)

    def _step(
        self, views: Sequence[View], standing: Standing, failed: _Failed, progress: Progress | None
    ) -> bool:
        """Apply one batch to every group of views that stand together; say no where all are at the head."""
        stands = self._standing(views, standing)
        going = {name: stand for name, stand in stands.items() if (name, standing) not in failed}
        moved, reached, ahead = False, 0, None
        for position, tried_before, names in _groups(going):
            limit = 1 if tried_before else _BATCH if ahead is None else min(_BATCH, ahead - position)
            batch = self._source.read_all(position, limit)
            if batch:
                _check(batch, position)
                batch = [each for each in batch if each.position > position]
                self._apply([self._views[name] for name in names], standing, batch, failed)
                moved = True
            reached = batch[-1].position if batch else position
            ahead = ahead if tried_before else position
        if moved and progress is not None:
            progress(reached, max(reached, self._source.head()))
        return moved

    def _apply(
        self, views: Sequence[View], standing: Standing, batch: Sequence[Recorded], failed: _Failed
    ) -> None:
        """Apply a batch in one transaction; what a table does not take is narrowed down to its event."""
        try:
            self._apply_together(views, standing, batch, failed)
        except OtherVersion:
            raise
        except self._storage.troubles:
            raise
        except Exception as cause:  # noqa: BLE001, it is kept and raised once the other views are through
            if len(views) > 1:
                for view in views:
                    self._apply([view], standing, batch, failed)
            elif len(batch) > 1:
                half = len(batch) // 2
                self._apply(views, standing, batch[:half], failed)
                if (views[0].name, standing) not in failed:
                    self._apply(views, standing, batch[half:], failed)
            else:
                stopped = cannot_fold(views[0], batch[0], cause)
                with self._storage.writing() as connection:
                    stand = self._storage.claim(connection, standing).get(views[0].name)
                    if stand is not None and stand.position == batch[0].position - 1:
                        self._stop(connection, standing, stand, stopped, failed)

    def _apply_together(
        self, views: Sequence[View], standing: Standing, batch: Sequence[Recorded], failed: _Failed
    ) -> None:
        first, last = batch[0].position, batch[-1].position
        with self._storage.writing() as connection:
            stands = self._storage.claim(connection, standing)
            reached: dict[str, int] = {}
            for view in views:
                stand = stands.get(view.name)
                if stand is None or not first - 1 <= stand.position < last:
                    # Somebody swapped the tables, began a rebuild, or has applied all this already.
                    continue
                _refuse_other(view, stand)
                table = view.table if standing is Standing.LIVE else staged(view.table)
                left = [each for each in batch if each.position > stand.position]
                stopped = fold(connection, view, table, left)
                if stopped is not None:
                    self._stop(connection, standing, stand, stopped, failed)
                reached[view.name] = last if stopped is None else stopped.stop.position - 1
            self._storage.advance(connection, reached, standing)

    def _stop(
        self, connection: Connection, standing: Standing, stand: Stand, at: CannotFold, failed: _Failed
    ) -> None:
        failed[at.stop.view, standing] = at
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


def _raise(failed: _Failed) -> None:
    if failed:
        first = next(iter(failed.values()))
        raise ViewStopped([each.stop for each in failed.values()]) from first.cause


def _check(batch: Sequence[Recorded], after: int) -> None:
    expected = min(batch[0].position, after + 1)
    for each in batch:
        if each.position != expected:
            raise JournalGap(expected - 1, each.position)
        expected += 1
