"""The time machine: every view, history and state as of a past instant or position.

The journal's events up to there are folded, by the same folds as ever, into a database of its own that is
read by the same readers.  Neither the journal nor the views of the present are touched.
"""

import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from attrs import frozen
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from incident_adapters.agreement_terms import AgreementTerms, published_agreements
from incident_adapters.batch import agreement_stream
from incident_adapters.journal import Journal
from incident_adapters.streams import AGREEMENT, INCIDENT, unbegun
from incident_domain.agreements import Agreement
from incident_domain.envelope import Recorded
from incident_domain.events import AgreementId, ChildLinked, IdentifiedAsSame, IncidentId
from incident_domain.incident import Incident
from incident_domain.validation import InvalidValue
from incident_projections.catching_up import Progress
from incident_projections.past import AsOf, Extent, UpTo, extent, fold_once
from incident_projections.view import View
from incident_projections.views import views as every_view

_CACHE_KIB: Final = 65_536


class NoRoom(Exception):
    """The disk has no room for the views of the past, which are kept in a temporary file."""

    def __init__(self) -> None:
        super().__init__(
            "past: there is no room for its temporary file; make room, or name a folder in SQLITE_TMPDIR"
        )


@frozen
class Past:
    """The journal as of the past."""

    journal: Journal
    extent: Extent

    @property
    def now(self) -> datetime:
        """The instant that readers take for now, in UTC."""
        return self.extent.now

    def history(self, stream: str) -> list[Recorded]:
        """The events of one stream as of then, in their order."""
        return self.extent.of_stream(self.journal.read(stream))

    def incident(self, name: IncidentId) -> Incident:
        """The incident as it was then; `Unregistered` where nothing was known of it."""
        return unbegun(name, INCIDENT).caught_up(self.history(name)).state

    def agreements(self) -> Mapping[AgreementId, Agreement]:
        """Every agreement that was published then, by its name, with the versions that it had."""
        streams = {name: agreement_stream(name) for name in published_agreements(self.journal)}
        found = {
            name: unbegun(stream, AGREEMENT).caught_up(self.history(stream)).state
            for name, stream in streams.items()
        }
        return {name: each for name, each in found.items() if each.versions}

    @contextmanager
    def reading(
        self,
        views: Sequence[View] | None = None,
        *,
        of: IncidentId | None = None,
        progress: Progress | None = None,
    ) -> Generator[Connection]:
        """Give a connection for the readers of the views, or of every view, as of then.

        With `of` the views hold that incident, its children and what carries on for it (P1.9) alone, which
        takes no time at all.  Else they are made of all events up to then.  They lie in a file without a
        name, which is gone with the process, however that ends.  The connection is for one thread.

        Raises:
            NoRoom: when there is no room for that file.
            ViewStopped: when a view cannot fold an event.
        """
        known = every_view(AgreementTerms(self.journal)) if views is None else views
        batches: Iterable[Sequence[Recorded]] = (
            self.extent.batches(self.journal, progress) if of is None else [self._family(of)]
        )
        engine = create_engine("sqlite://", creator=nameless, poolclass=StaticPool, hide_parameters=True)
        try:
            with engine.connect() as connection:
                try:
                    fold_once(connection, known, batches)
                except OperationalError as failed:
                    if isinstance(failed.orig, sqlite3.Error) and _is_full(failed.orig):
                        raise NoRoom from None
                    raise
                yield connection
        finally:
            engine.dispose()

    def _family(self, name: IncidentId) -> list[Recorded]:
        """The events as of then of an incident, of all that ever were its children or carried on for it."""
        family = [name]
        for stream in family:
            for each in self.journal.read(stream):
                match each.event:
                    case ChildLinked(child=other) if stream == name:
                        family.append(other)
                    case IdentifiedAsSame(existing=other) if other not in family:
                        family.append(other)
                    case _:
                        continue
        told = [event for stream in dict.fromkeys(family) for event in self.history(stream)]
        return sorted(told, key=lambda each: each.position)


def as_of(journal: Journal, asked: AsOf, *, progress: Progress | None = None) -> Past:
    """The journal as of a past instant, by the time of recording or of happening, or as of a position.

    Raises:
        InvalidValue: for an instant that lies ahead, and for a position at which nothing is recorded.
    """
    if not isinstance(asked, UpTo) and asked.at > journal.now():
        raise InvalidValue("as_of", "lies ahead; the past ends now")
    return Past(journal, extent(journal, asked, progress))


def nameless() -> sqlite3.Connection:
    """A database that SQLite keeps in its cache and, beyond that, in a file it has deleted already."""
    connection = sqlite3.connect("", check_same_thread=False, cached_statements=128)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    return connection


def _is_full(failed: sqlite3.Error) -> bool:
    return failed.sqlite_errorcode == sqlite3.SQLITE_FULL
