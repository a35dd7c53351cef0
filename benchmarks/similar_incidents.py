"""How long it takes to find what is like a new incident, among many open ones, and whether it is found."""

import random
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from statistics import quantiles
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from sqlalchemy import Connection, create_engine, event

from benchmarks.stores import POSTGRESQL, SQLITE, Stores
from incident_domain.actor import Actor, PersonId, Role
from incident_domain.envelope import Recorded
from incident_domain.events import (
    WIRE_NAMES,
    AnalysisRecorded,
    Capacity,
    Channel,
    Customer,
    IncidentId,
    IncidentRegistered,
    Reporter,
)
from incident_projections.engine import Projections
from incident_projections.similar import SIMILAR, similar_to

ASKED: Final = 500
ROUNDS: Final = 3
START: Final = datetime(2026, 1, 1, tzinfo=UTC)
DESK: Final = Actor(person=PersonId("dana"), role=Role.SERVICE_DESK)
MANAGER: Final = Actor(person=PersonId("milo"), role=Role.INCIDENT_MANAGER)
SYLLABLES: Final = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "la",
    "me",
    "ni",
    "po",
    "ru",
    "sa",
    "te",
    "vi",
    "xo",
    "zu",
    "bra",
    "cle",
    "dri",
    "flo",
    "gru",
]


def zipf(kind: str, many: int) -> Callable[[random.Random, int], list[str]]:
    """Names of which the n-th comes up n times less often than the first, as words do in texts."""
    names = [
        kind + "".join([SYLLABLES[each // size % 20] for size in (1, 20, 400, 8000)]) for each in range(many)
    ]
    weights = list(accumulate(1 / rank for rank in range(1, many + 1)))
    return lambda chance, length: chance.choices(names, cum_weights=weights, k=length)


WORDS: Final = zipf("", 60_000)
SERVICES: Final = zipf("service-", 200)
PLACES: Final = zipf("site-", 300)
ITEMS: Final = zipf("ci-", 20_000)


@frozen
class Journal:
    """A journal made up as it is read: open incidents, then new ones that are each like one of them."""

    opened: int
    like: dict[int, int] = field(factory=dict)

    def head(self) -> int:
        """The position of the last event: two for each incident."""
        return 2 * (self.opened + ASKED)

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """The next events after a position."""
        last = min(self.head(), after + limit)
        return [self._recorded(position) for position in range(after + 1, last + 1)]

    def _recorded(self, position: int) -> Recorded:
        which, turn = divmod(position - 1, 2)
        told = self._told(which)[turn]
        return Recorded(
            position=position,
            stream=name(which),
            version=turn + 1,
            event_id=UUID(int=position),
            name=WIRE_NAMES[type(told)],
            recorded_at=told.occurred_at,
            correlation_id=UUID(int=which),
            causation_id=UUID(int=which),
            event=told,
        )

    def _told(self, which: int) -> tuple[IncidentRegistered, AnalysisRecorded]:
        chance = random.Random(which)
        if which < self.opened:
            at = START + timedelta(minutes=which)
            summary, symptoms = WORDS(chance, 8), WORDS(chance, chance.randint(4, 20))
            services, places, items = SERVICES(chance, 1), PLACES(chance, 1), ITEMS(chance, 1)
        else:
            # Half of the words of one that is open, and the same service, among words of its own.
            self.like[which] = chance.randrange(self.opened)
            first, second = self._told(self.like[which])
            own = dict.fromkeys((first.summary + " " + second.symptoms).split())
            at = START + timedelta(minutes=which)
            summary = WORDS(chance, 4) + chance.sample(list(own), len(own) // 2)
            symptoms, services = WORDS(chance, 4), list(second.services)
            places, items = PLACES(chance, 1), []
        registered = IncidentRegistered(
            by=DESK,
            occurred_at=at,
            incident=IncidentId(name(which)),
            reporter=Reporter(name="Ana", capacity=Capacity.USER, channel=Channel.PHONE),
            customer=Customer(
                person=PersonId("c-7"), organisation="acme", name="Ana", workplace="2", telephone="5"
            ),
            summary=" ".join(summary),
        )
        analysed = AnalysisRecorded(
            by=MANAGER,
            occurred_at=at,
            began_at=at,
            symptoms=" ".join(symptoms),
            location=places[0],
            services=tuple(services),
            hardware=tuple(items),
        )
        return registered, analysed


def name(which: int) -> str:
    """The reference of an incident."""
    return f"{which:04}-{which * 7919 % 10_000:04}-{which * 104_729 % 10_000:04}"


@contextmanager
def listened(connection: Connection) -> Generator[list[tuple[str, Any]]]:
    """Give the statements that go through a connection meanwhile, with their parameters."""
    said: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    yield said
    event.remove(connection, "before_cursor_execute", listen)


def measure(stores: Stores, *, quick: bool) -> None:
    """Ask among 200,000 open incidents, among 10,000 when `quick`."""
    for kind in (SQLITE, POSTGRESQL):
        print(f"\nSimilar incidents: {kind.name}")
        _measure(
            stores.fresh(kind).replace("postgresql://", "postgresql+psycopg://"), 10_000 if quick else 200_000
        )


def _measure(url: str, opened: int) -> None:
    engine = create_engine(url)
    journal = Journal(opened)
    views = Projections(engine, journal, [SIMILAR])
    began = time.perf_counter()
    views.catch_up()
    took = time.perf_counter() - began
    print(f"{engine.dialect.name}: {journal.head() / took:,.0f} events/s into the view")
    if engine.dialect.name == "postgresql":
        # What the server does by itself within a minute.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE incident_traits")
    found = 0
    asked, bare = [float("inf")] * ASKED, [float("inf")] * ASKED
    with views.reading() as connection:
        # Rounds rather than repetitions: what the one before left in a cache is gone by the next.
        for _ in range(ROUNDS):
            found = 0
            for each in range(ASKED):
                which = opened + each
                with listened(connection) as said:
                    began = time.perf_counter()
                    alike = similar_to(connection, IncidentId(name(which)), limit=5)
                    asked[each] = min(asked[each], time.perf_counter() - began)
                found += name(journal.like[which]) in [one.incident for one in alike]
                bare[each] = min(bare[each], by_driver(connection, said))
    p50, p99 = percentiles(asked)
    bare50, bare99 = percentiles(bare)
    print(
        f"  {opened:,} open, best of {ROUNDS} rounds: p50 {p50:.1f} ms, p99 {p99:.1f} ms;"
        f" the same SQL by the bare driver {bare50:.1f} and {bare99:.1f} ms, ratio {p50 / bare50:.2f};"
        f" the one that is alike among the first five: {found / ASKED:.3f}"
    )
    engine.dispose()


def by_driver(connection: Connection, said: Sequence[tuple[str, Any]]) -> float:
    """How long the bare driver takes for the same statements, in seconds."""
    cursor = connection.connection.cursor()
    began = time.perf_counter()
    for statement, parameters in said:
        cursor.execute(statement, parameters)
        cursor.fetchall()
    return time.perf_counter() - began


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    hundredths = quantiles(seconds, n=100)
    return hundredths[49] * 1000, hundredths[98] * 1000
