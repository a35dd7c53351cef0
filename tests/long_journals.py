"""Journals of any length: the story of the demo, told again and again of other incidents."""

import re
from collections.abc import Iterator
from typing import Final

from eventsourcing.persistence import StoredEvent

from incident_adapters.demo_stage import PRINTER, SCANNERS, TELEPHONES
from incident_adapters.journal import Journal
from incident_adapters.recorder import ClaimNumbers, JournalRow

_INCIDENTS: Final = (PRINTER, SCANNERS, TELEPHONES)
_NUMBER: Final = re.compile(rb'"number":(\d+)')
_EVENT_ID: Final = re.compile(rb'"event_id":"........')
_TOLD_AT_ONCE: Final = 20


def tell_again(source: Journal, target: Journal, times: int, *, after: int = 0) -> None:
    """Record the story that `source` holds in `target` until it was told so many times there.

    Each time it is a story of three new incidents; `after` says how often it was told before.
    """
    told = source.store.read(0, 1000)
    for first in range(after, times, _TOLD_AT_ONCE):
        rows = [
            row for turn in range(first, min(first + _TOLD_AT_ONCE, times)) for row in _retold(told, turn)
        ]
        numbers = {row[1]: int(found[1]) for row in rows if (found := _NUMBER.search(row[4]))}
        target.store.insert_events(
            [StoredEvent(*row[1:]) for row in rows], number=ClaimNumbers(numbers=numbers)
        )


def _retold(told: list[JournalRow], turn: int) -> Iterator[JournalRow]:
    for position, stream, version, name, state in told:
        written = state
        for incident in _INCIDENTS:
            written = written.replace(incident.encode(), _renamed(incident, turn).encode())
        written = _NUMBER.sub(lambda found: b'"number":%d' % (int(found[1]) + 3 * turn), written)
        written = _EVENT_ID.sub(b'"event_id":"%08x' % (1000 * turn + position), written)
        yield position, _renamed(stream, turn), version, name, written


def _renamed(incident: str, turn: int) -> str:
    return f"{incident}-{turn}"
