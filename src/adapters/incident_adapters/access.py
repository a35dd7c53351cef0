"""The record of access to the record: every export and every verification, in a stream of its own."""

from uuid import uuid4

from eventsourcing.persistence import IntegrityError

from incident_adapters.batch import ACCESS_STREAM
from incident_adapters.journal import Change, Journal
from incident_domain.envelope import Recorded
from incident_domain.events import AccessEvent
from incident_domain.reading import Readable, allow_reading


def record_access(journal: Journal, event: AccessEvent) -> Recorded:
    """Record that the journal was exported or verified; when this returns, it is on disk.

    Raises:
        Refused: when the role of whoever did it may not read the journal.
        StoreError: when the store cannot be written.
    """
    allow_reading(event.by, Readable.JOURNAL)
    cause = uuid4()
    change = Change(causation_id=cause, correlation_id=cause, events={ACCESS_STREAM: [event]})
    while True:
        last = [
            each.originator_version for each in journal.store.select_events(ACCESS_STREAM, desc=True, limit=1)
        ]
        try:
            [recorded] = journal.append([change], seen={ACCESS_STREAM: sum(last)})
        except IntegrityError:
            continue  # Another access was recorded in between.
        return recorded


def accesses(journal: Journal) -> list[Recorded]:
    """Every export and every verification that was recorded, in that order."""
    return journal.read(ACCESS_STREAM)
