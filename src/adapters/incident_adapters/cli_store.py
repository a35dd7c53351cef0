"""The store that the command line works on: found, opened, and its views brought up to date."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen
from platformdirs import user_data_path
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.cli_errors import NotFound, UnusableStore
from incident_adapters.journal import system_clock
from incident_adapters.recorder import UnstorableEvent
from incident_adapters.service_desk import ServiceDesk
from incident_domain import IncidentId, IncidentRegistered
from incident_projections.engine import Projections
from incident_projections.view import View
from incident_projections.views import views as every_view


@frozen(kw_only=True)
class OpenStore:
    """A store at work: the desk that commands go through, and the views of what it recorded."""

    desk: ServiceDesk
    views: Projections

    def find(self, wanted: str) -> IncidentId:
        """The incident that somebody means by its number or by its reference, in capitals or not.

        Raises:
            NotFound: when there is none.
        """
        if wanted.isdecimal() and len(wanted) <= 18:
            found = self.desk.journal.numbered(int(wanted))
            if found is not None:
                return IncidentId(found)
        for name in (wanted, wanted.upper()):
            try:
                history = self.desk.journal.read(name)
            except UnstorableEvent:
                break  # No store has a stream of such a name.
            if history and isinstance(history[0].event, IncidentRegistered):
                return history[0].event.incident
        raise NotFound(
            "INCIDENT: there is none of that number or reference in this store; "
            "see incidents queue, or name another --store"
        )


def default_store() -> str:
    """The URL of the SQLite file in the user's data folder."""
    return f"sqlite:///{user_data_path('itil-incidents', appauthor=False) / 'incidents.sqlite'}"


@contextmanager
def opened(url: str, clock: Callable[[], datetime] = system_clock) -> Generator[OpenStore]:
    """Open the store for writing; it is created where there is none, with the folder it lies in.

    Raises:
        UnusableStore: when the folder cannot be made.
        StoreError: when the store cannot be used as it is.
    """
    file = _file_of(url)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableStore(
                f"store: the folder {file.parent} cannot be made ({error.strerror}); name another --store"
            ) from error
    with ServiceDesk.open(url, clock=clock) as desk:
        known = every_view(AgreementTerms(desk.journal))
        yield OpenStore(desk=desk, views=Projections(desk.journal.store.engine, desk.journal, known))


@contextmanager
def existing(url: str) -> Generator[OpenStore]:
    """Open a store that is there.

    Raises:
        UnusableStore: when there is no such file: a slip in a name must not make a new, empty store.
        StoreError: when the store cannot be used as it is.
    """
    file = _file_of(url)
    if file is not None and not file.exists():
        raise UnusableStore(
            f"store: there is no file {file}; fill one with incidents import, try incidents demo, "
            "or name another with --store"
        )
    with opened(url) as store:
        yield store


@contextmanager
def reading(url: str, bar: "Bar", *views: View) -> Generator[OpenStore]:
    """Open a store that is there, with these views, or every one, holding all that was recorded up to now.

    Only views that are going to be read belong there: one that cannot fold an event holds up no other.

    Raises:
        UnusableStore: when there is no such file.
        StoreError: when the store cannot be used as it is.
        ViewStopped: when a view cannot fold an event.
    """
    with existing(url) as store:
        with bar.shown("folding events into views") as advance:
            store.views.catch_up(*(view.name for view in views), progress=advance)
        yield store


def _file_of(url: str) -> Path | None:
    """The SQLite file that a URL names; None for every other URL, also one that nobody understands."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    if parsed.drivername != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


@frozen
class Bar:
    """A progress bar on a terminal; where the output goes to a file or a program, there is none."""

    console: Console
    wanted: bool

    @contextmanager
    def shown(self, what: str) -> Generator[Callable[[int, int], None]]:
        """Give the function that is told how far the work has come, and how far it goes.

        The bar comes up with the first word of progress that is not the last: short work shows nothing.
        """
        if not (self.wanted and self.console.is_terminal):
            yield _silent
            return
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        task = bar.add_task(what, total=None)

        def advance(reached: int, goal: int) -> None:
            if reached < goal:
                bar.start()
            bar.update(task, completed=reached, total=goal)

        try:
            yield advance
        finally:
            bar.stop()


def _silent(_reached: int, _goal: int) -> None:
    """Where nobody looks, nothing is shown."""
