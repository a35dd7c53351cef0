"""A runner that keeps views in step with the journal in the background."""

import logging
from contextlib import closing
from threading import Event
from typing import Final

from eventsourcing.persistence import InterfaceError, InternalError

from incident_adapters.in_background import InBackground
from incident_adapters.journal import Journal
from incident_adapters.projector_lead import Lead, lead_of
from incident_adapters.recorder import StoreError
from incident_projections.engine import Projections, ViewStopped

_HEARTBEAT: Final = 0.5
_LOOK_FOR_THE_LEAD: Final = 1.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0

_log: Final = logging.getLogger(__name__)


class Projector(InBackground):
    """Runs a set of views, in a thread of its own (`start`, `stop`) or in the caller's (`run`, `leave`).

    Several may run the same views of the same store, in threads or processes: one leads, and the others take
    over within about a second when it stops or dies.  Where the store fails it tries again until it works,
    and a view that cannot fold an event leaves the others running; `trouble` and the log say so.  Anything
    else ends it, such as a store whose views are of a newer release.
    """

    def __init__(self, views: Projections, journal: Journal) -> None:
        super().__init__("projector")
        self._views = views
        self._journal = journal
        self._leads = Event()
        self._pause = _FIRST_PAUSE
        self.trouble: Exception | None = None
        """What keeps it from its work, or one of the views from going on; None while all is well."""

    @property
    def leads(self) -> bool:
        """Whether it is the one that runs the views now."""
        return self._leads.is_set()

    def run(self) -> None:
        """Run in this thread until `leave` is called.

        Raises:
            OtherVersion: when the store holds a view of a newer release.
            JournalGap: when the journal leaves events out.
            MapperDeserialisationError: when an event cannot be read by this release.
        """
        passing: tuple[type[Exception], ...] = (
            StoreError,
            InterfaceError,
            InternalError,
            *self._views.troubles,
        )
        while not self._leaving.is_set():
            try:
                with closing(lead_of(self._views)) as lead:
                    self._follow(lead)
            except _LeftEarly:
                return
            except passing as trouble:
                self.trouble = trouble
                _log.warning(
                    "the store failed (%s); trying again in %g s", type(trouble).__name__, self._pause
                )
                self._leaving.wait(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            except Exception as ending:
                self.trouble = ending
                raise
            finally:
                self._leads.clear()

    def _follow(self, lead: Lead) -> None:
        while not lead.take():
            self._pause = _FIRST_PAUSE
            if self._leaving.wait(_LOOK_FOR_THE_LEAD):
                return
        self._leads.set()
        _log.info("leading the views %s", ", ".join(self._views.names))
        # Listening begins before the first look, so that no commit falls between.
        with self._journal.store.commits() as commits:
            while not self._leaving.is_set():
                lead.check()
                self._catch_up()
                self._pause = _FIRST_PAUSE
                commits.wait(_HEARTBEAT)

    def _catch_up(self) -> None:
        try:
            self._views.catch_up(progress=self._leave_early)
        except ViewStopped as stopped:
            if not isinstance(self.trouble, ViewStopped) or self.trouble.stops != stopped.stops:
                # Without its cause, whose words may hold what the event holds.
                _log.error("%s", stopped)
            self.trouble = stopped
        else:
            self.trouble = None

    def _leave_early(self, _reached: int, _head: int) -> None:
        if self._leaving.is_set():
            raise _LeftEarly


class _LeftEarly(Exception):
    """The projector was told to leave while there was more to fold."""
