"""The `eventsourcing` library's way to keep a view: for every event a transaction of its own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, StoredEvent, Tracking
from eventsourcing.utils import Environment

from benchmarks.peers.library import default_mapper, library_settings


class LibraryRunner:
    """What its projection runner does for each event.

    It takes the next notification, maps it, and records the row and the tracking in one transaction.
    The runner itself needs a subscription, which its SQLite recorder does not offer; so the same steps are
    taken here in a loop, without the subscription's own cost.
    """

    def __init__(self, url: str, create: str, upsert: str) -> None:
        self._application = Application[UUID](env=library_settings(url))
        factory: Any = self._application.factory
        self._view: Any = factory.__class__(Environment("queue", library_settings(url))).tracking_recorder()
        self._mapper: Mapper[UUID] = default_mapper()
        self._upsert = upsert
        self._done = 0
        with self._view.datastore.transaction(commit=True) as cursor:
            cursor.execute(create)

    def record(self, events: Sequence[StoredEvent]) -> None:
        """Put events into the application's store."""
        self._application.recorder.insert_events(events)

    def process(self, rows: Sequence[Sequence[Any]]) -> None:
        """Process so many events; the row that each makes is at hand."""
        waiting = iter(rows)
        until = self._done + len(rows)
        while self._done < until:
            start, limit = self._done + 1, min(500, until - self._done)
            for notification in self._application.recorder.select_notifications(start=start, limit=limit):
                self._mapper.to_domain_event(notification)
                self._process(next(waiting), Tracking("upstream", notification.id))
                self._done = notification.id

    def _process(self, row: Sequence[Any], tracking: Tracking) -> None:
        with self._view.datastore.transaction(commit=True) as cursor:
            # The library lets a view's recorder reach into its transaction by exactly this method.
            self._view._insert_tracking(cursor, tracking)  # noqa: SLF001
            cursor.execute(self._upsert, row)
