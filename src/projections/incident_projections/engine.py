"""The engine that keeps the views in step with the journal.

It takes the journal's events in batches, folds each batch in memory, and writes every changed row once,
together with the new position, in one transaction.  An event at or below a view's position is skipped: a
redelivery changes nothing, and after a crash rows and position still belong together.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from incident_projections.catching_up import (
    CatchingUp,
    JournalGap,
    JournalShorter,
    OtherVersion,
    Progress,
    Source,
    ViewStopped,
)
from incident_projections.refolding import History, finish_builds, refold
from incident_projections.storage import Stand, Standing, Stop, Storage
from incident_projections.view import View

__all__ = [
    "Projections",
    "Source",
    "Progress",
    "ViewStatus",
    "ViewStopped",
    "OtherVersion",
    "JournalGap",
    "JournalShorter",
    "NotReached",
    "NeverBuilt",
]

_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05


class NotReached(TimeoutError):
    """Nobody brought the views to a position within the time that was given for it."""


class NeverBuilt(Exception):
    """A view is read that nobody has built yet; the message names every one of which that is so."""

    def __init__(self, views: Sequence[str]) -> None:
        super().__init__(
            f"views: not built yet, {', '.join(views)}; "
            "call catch_up() before the first reading, or run incidents project"
        )
        self.views = tuple(views)

    def __reduce__(self) -> tuple[type["NeverBuilt"], tuple[tuple[str, ...]]]:
        return type(self), (self.views,)


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
        """Give a connection for the readers of the views; it holds up nobody.

        What it shows is what was caught up.

        Raises:
            NeverBuilt: when a view is read before the first `catch_up`.
        """
        try:
            with self._storage.reading() as connection:
                yield connection
        except DBAPIError as error:
            built = self.positions() if self._storage.lacks_table(error) else self._views
            if unbuilt := [name for name in self._views if name not in built]:
                raise NeverBuilt(unbuilt) from None
            raise

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
            JournalShorter: when the views hold more than the journal.
        """
        views = self._named(names)
        outdated = self._outdated(views, self._storage.stands(Standing.LIVE))
        if outdated:
            self._storage.begin_building(outdated, afresh=False)
        CatchingUp(self._storage, self._source).to_the_head(
            [view for view in views if view not in outdated], outdated, progress
        )
        stands = self._storage.stands(Standing.LIVE)
        return min(stands[view.name].position for view in views)

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
        CatchingUp(self._storage, self._source).to_the_head([], views, progress)

    def forget(self, streams: Sequence[str], history: History) -> None:
        """Make the rows of streams anew whose events read otherwise since an erasure, in every view.

        The erasure must be recorded by now.  Afterwards no view holds, nor will hold, what was read before;
        the database's own remains of old rows are not this one's to clear.

        Raises:
            ViewsUnwritable: when the database fails; nothing is lost by beginning again.
        """
        # A view that stopped holds what it holds up to there, which is made anew like the rest.
        with suppress(ViewStopped):
            self.catch_up()
        finish_builds(self._storage, self._source, self._views)
        refold(self._storage, self._views.values(), streams, history)

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
