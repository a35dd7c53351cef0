"""The store that the command line works on: found, opened, and its views brought up to date."""

import os
from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from attrs import frozen
from platformdirs import user_data_path
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import ArgumentError

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.cli_errors import NotFound, UnusableStore
from incident_adapters.cli_past import named_by, option_of
from incident_adapters.journal import Journal, system_clock
from incident_adapters.personal_seal import PersonalSeal, master_key, seal_with
from incident_adapters.recorder import UnstorableEvent
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.time_machine import Past, as_of
from incident_domain import IncidentId, IncidentRegistered
from incident_domain.incident import Incident
from incident_projections.engine import Projections
from incident_projections.past import AsOf
from incident_projections.view import View
from incident_projections.views import views as every_view


@frozen(kw_only=True)
class OpenStore:
    """A store at work: the desk that commands go through, and the views of what it recorded."""

    desk: ServiceDesk
    views: Projections
    known: tuple[View, ...]

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

    Personal data is sealed with the key store that the variable `INCIDENTS_KEYS` names, else with the one
    beside an SQLite file, where there is one; `INCIDENTS_MASTER_KEY` names the file of its master key.

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
    with ServiceDesk(Journal.open(url, seal=_seal(url), clock=clock)) as desk:
        known = every_view(AgreementTerms(desk.journal))
        yield OpenStore(
            desk=desk, views=Projections(desk.journal.store.engine, desk.journal, known), known=known
        )


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


def _seal(url: str) -> PersonalSeal | None:
    keys, master = (os.environ.get(name) for name in ("INCIDENTS_KEYS", "INCIDENTS_MASTER_KEY"))
    return seal_with(keys or None, url, master_key(Path(master)) if master else None)


class Named(Protocol):
    """A view, or its table."""

    @property
    def name(self) -> str:
        """The view's name."""
        ...


@frozen(kw_only=True)
class ReadStore:
    """A store that is only read, as it stands or as of the past; `now` is the instant that readers take."""

    store: OpenStore
    bar: "Bar"
    names: Collection[str]
    past: Past | None
    now: datetime

    def find(self, wanted: str) -> IncidentId:
        """The incident that somebody means by its number or by its reference.

        Raises:
            NotFound: when there is none, or was none then.
        """
        name = self.store.find(wanted)
        if self.past is not None and not self.past.history(name):
            raise NotFound("INCIDENT: nothing was known of it as of then; name a later instant or position")
        return name

    def incident(self, name: IncidentId) -> Incident:
        """The incident as the domain sees it."""
        return self.store.desk.incident(name) if self.past is None else self.past.incident(name)

    @contextmanager
    def reading(self, *, of: IncidentId | None = None) -> Generator[Connection]:
        """Give a connection for the readers of the views.

        With `of` the views of the past are made of that incident, its children and what carries on for it.

        Raises:
            ViewStopped: when a view cannot fold an event.
        """
        if self.past is None:
            with self.store.views.reading() as connection:
                yield connection
            return
        known = [view for view in self.store.known if view.name in self.names]
        with ExitStack() as stack:
            with self.bar.shown("folding the events up to then") as advance:
                connection = stack.enter_context(self.past.reading(known, of=of, progress=advance))
            yield connection


@contextmanager
def reading(url: str, bar: "Bar", *views: Named, past: AsOf | None = None) -> Generator[ReadStore]:
    """Open a store that is there for reading these views, or every one, up to now or as of the past.

    Only views that are going to be read belong there: one that cannot fold an event holds up no other.

    Raises:
        UnusableStore: when there is no such file.
        StoreError: when the store cannot be used as it is.
        InvalidValue: when the past that is asked for lies ahead.
        ViewStopped: when a view cannot fold an event.
    """
    with existing(url) as store:
        names = [view.name for view in views] or store.views.names
        then = None
        if past is None:
            with bar.shown("folding events into views") as advance:
                store.views.catch_up(*names, progress=advance)
            now = store.desk.journal.now()
        else:
            with bar.shown("looking for where the past ends") as advance, named_by(option_of(past)):
                then = as_of(store.desk.journal, past, progress=advance)
            now = then.now
        yield ReadStore(store=store, bar=bar, names=names, past=then, now=now)


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
