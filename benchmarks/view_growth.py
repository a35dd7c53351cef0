"""How fast all views catch up with a journal, and whether they get slower as it grows.

Run as `python -m benchmarks.view_growth`: 200,000 events; with `--full` 2,000,000.  One build of all views is
timed in slices of 20,000 events, so that the slices can be compared with each other.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from attrs import evolve as changed

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.codec import Entry, EventMapper
from incident_adapters.incident_ids import new_incident_id
from incident_adapters.journal import Journal
from incident_domain.events import (
    Acknowledged,
    DomainEvent,
    EscalatedToGroup,
    IncidentId,
    ProgressReported,
    Resolved,
    WorkaroundProvided,
)
from incident_projections.engine import Projections
from incident_projections.views import views
from tests.histories import classified, example, registered
from tests.postgresql import running_postgresql

SLICE: Final = 20_000
OPEN_AT_A_TIME: Final = 500
WRITTEN_AT_ONCE: Final = 5_000
AFTER_CLASSIFICATION: Final[tuple[type[DomainEvent], ...]] = (
    EscalatedToGroup,
    Acknowledged,
    ProgressReported,
    WorkaroundProvided,
    Resolved,
)


def stories() -> Iterator[tuple[str, int, DomainEvent]]:
    """Stream, version and event of incidents without end, many of which are under way at a time."""
    chance = random.Random(4711)
    words = ["".join(chance.choices("abcdefghijklmnoprstuv", k=chance.randint(4, 9))) for _ in range(5_000)]
    weights = [1 / (rank + 5) for rank in range(len(words))]
    number = 0
    under_way: list[tuple[IncidentId, list[DomainEvent], int]] = []
    while True:
        if len(under_way) < OPEN_AT_A_TIME:
            number += 1
            name = new_incident_id()
            summary = " ".join(chance.choices(words, weights, k=6))
            first, *rest = classified(name, number)
            story: list[DomainEvent] = [changed(registered(name, number), summary=summary), *rest]
            for minutes, kind in enumerate(AFTER_CLASSIFICATION, start=1):
                event: Any = example(kind)
                story.append(changed(event, occurred_at=first.occurred_at + timedelta(minutes=minutes)))
            under_way.append((name, story, 1))
        at = chance.randrange(len(under_way))
        name, story, version = under_way[at]
        yield name, version, story[version - 1]
        if version < len(story):
            under_way[at] = (name, story, version + 1)
        else:
            under_way[at] = under_way[-1]
            under_way.pop()


def fill(journal: Journal, count: int) -> None:
    """Record so many events; their envelopes are like those of real ones."""
    mapper, told, correlation = EventMapper(None), islice(stories(), count), uuid5(NAMESPACE_OID, "request")
    position = 0
    while batch := list(islice(told, WRITTEN_AT_ONCE)):
        stored: list[Any] = []
        for stream, version, event in batch:
            position += 1
            identity = uuid5(NAMESPACE_OID, str(position))
            entry = Entry(
                stream=stream,
                version=version,
                event_id=identity,
                recorded_at=event.occurred_at,
                correlation_id=correlation,
                causation_id=identity,
                event=event,
            )
            stored.append(mapper.to_stored_event(entry))
        journal.store.insert_events(stored)


def measure(name: str, url: str, count: int) -> None:
    with closing(Journal.open(url)) as journal:
        fill(journal, count)
        every = views(AgreementTerms(journal))
        projections = Projections(journal.store.engine, journal, every)
        began = time.perf_counter()
        ticks: list[tuple[int, float]] = [(0, began)]
        projections.catch_up(progress=lambda reached, _: ticks.append((reached, time.perf_counter())))
        whole = time.perf_counter() - began
    slices: list[float] = []
    since = ticks[0]
    for tick in ticks[1:]:
        if tick[0] - since[0] >= SLICE:
            slices.append((tick[0] - since[0]) / (tick[1] - since[1]))
            since = tick
    tenth = max(1, len(slices) // 10)
    tenths = [median(slices[at : at + tenth]) for at in range(0, len(slices), tenth)]
    folded = count / (ticks[-1][1] - began)
    print(f"{name}: {len(every)} views, {count:,} events")
    print(f"  {count / whole:10,.0f} events/s with the indexes, {folded:,.0f} events/s to fold them")
    print(f"  {' '.join(f'{each:,.0f}' for each in tenths)} events/s, tenth by tenth")
    print(f"  {folded / slices[0]:10.2f} is the ratio of the whole to the first {SLICE:,}")
    print(f"  {tenths[-1] / tenths[0]:10.2f} is the ratio of the last tenth to the first")


def main() -> None:
    count = 2_000_000 if "--full" in sys.argv else 200_000
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'incidents.sqlite'}", count)
    with running_postgresql() as url:
        measure("PostgreSQL", url, count)


if __name__ == "__main__":
    main()
