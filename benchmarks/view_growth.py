"""How fast all views catch up with a journal, and whether they get slower as it grows.

One build of all views is timed in slices of 20,000 events, so that they can be compared.
Every incident runs under an agreement with three clocks, so that the view of the clocks has its work too.
"""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from statistics import median
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from attrs import evolve as changed

from benchmarks.bare_rows import BareRows
from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores
from incident_adapters.codec import Entry, EventMapper
from incident_adapters.incident_ids import new_incident_id
from incident_adapters.journal import Journal
from incident_domain.events import (
    Acknowledged,
    AgreementApplied,
    DomainEvent,
    EscalatedToGroup,
    IncidentId,
    Party,
    ProgressReported,
    Resolved,
    WorkaroundProvided,
)
from incident_projections.engine import Projections
from incident_projections.views import views
from tests.agreements import GOLD_TERMS, known
from tests.histories import classified, example, registered

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
APPLIED: Final = example(AgreementApplied)
TERMS_OF: Final = known(**{f"{APPLIED.agreement}_{APPLIED.version}": (Party.CUSTOMER, GOLD_TERMS)})


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
            told = changed(registered(name, number), summary=summary)
            applied = changed(APPLIED, occurred_at=told.occurred_at)
            story: list[DomainEvent] = [told, applied, *rest]
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


def measure(stores: Stores, *, quick: bool) -> None:
    """Build all views from 2,000,000 events, from 200,000 when `quick`."""
    for kind in (SQLITE, POSTGRESQL):
        _measure(stores, kind, 200_000 if quick else 2_000_000)


def _measure(stores: Stores, kind: Kind, count: int) -> None:
    url = stores.fresh(kind)
    with closing(Journal.open(url)) as journal:
        fill(journal, count)
        every = views(TERMS_OF)
        projections = Projections(journal.store.engine, journal, every)
        began = time.perf_counter()
        ticks: list[tuple[int, float]] = [(0, began)]
        projections.catch_up(progress=lambda reached, _: ticks.append((reached, time.perf_counter())))
        whole = time.perf_counter() - began
        bare = BareRows(kind, url, [view.table for view in every])
        alone = bare.write()
    slices: list[float] = []
    since = ticks[0]
    for tick in ticks[1:]:
        if tick[0] - since[0] >= SLICE:
            slices.append((tick[0] - since[0]) / (tick[1] - since[1]))
            since = tick
    tenth = max(1, len(slices) // 10)
    tenths = [median(slices[at : at + tenth]) for at in range(0, len(slices), tenth)]
    folded = count / (ticks[-1][1] - began)
    print(f"\n{len(every)} views, {count:,} events: {kind.name}")
    print(f"  {count / whole:10,.0f} events/s with the indexes, {folded:,.0f} events/s to fold them")
    print(f"  {alone / whole:10.2f} times the bare driver, which has the {bare.count:,} rows at hand")
    print(f"  {' '.join(f'{each:,.0f}' for each in tenths)} events/s, tenth by tenth")
    print(f"  {folded / slices[0]:10.2f} is the ratio of the whole to the first {SLICE:,}")
    print(f"  {tenths[-1] / tenths[0]:10.2f} is the ratio of the last tenth to the first")
