"""How long it takes to find what falls due among many running clocks, and to look at them once."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import quantiles
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from benchmarks.stores import POSTGRESQL, SQLITE, Stores
from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.watch import watch_once
from incident_domain.events import TargetKind
from incident_domain.working_time import to_micros
from incident_projections import rows
from incident_projections.clock_facts import Fact, Step
from incident_projections.clocks import TermsOf, timers_of_facts
from incident_projections.engine import Projections
from incident_projections.sla_readers import breached, due_within, to_watch
from incident_projections.sla_timers import SLA_TIMERS_TABLE, timer_row
from incident_projections.views import views
from tests.agreements import GOLD
from tests.process_spec import minute
from tests.watched import at_work, much_later, publish_gold

ASKED: Final = 500
DUE: Final = 100
NOW: Final = minute(60 * 24 * 100)
"""The clocks are spread over a hundred days from here; the incidents that are due began long before."""
SPREAD: Final = 100 * 24 * 60 * 60 * 1_000_000
BATCH: Final = 20_000
INSTANTS: Final = ("registered_at", "last_step_at", "due_at", "over_at", "first_breached_at", "watch_at")

BARE: Final = (
    "SELECT * FROM sla_timers WHERE due_at >= {p} AND due_at < {p} AND due_at IS NOT NULL"
    " ORDER BY due_at, incident LIMIT {p}"
)


def clocks(count: int, terms_of: TermsOf) -> Iterator[list[dict[str, Any]]]:
    """Rows of running clocks in batches: what real incidents make, each begun at an instant of its own."""
    begun = to_micros(NOW)
    facts = (
        Fact(at=begun, position=1, step=Step.REGISTERED),
        Fact(at=begun, position=2, step=Step.APPLIED, values=(GOLD, 1)),
        Fact(at=begun, position=3, step=Step.PRIORITISED, values=(2,)),
    )
    made = [timer_row("", begun, each, terms_of) for each in timers_of_facts(facts, terms_of)]
    batch: list[dict[str, Any]] = []
    for number in range(count):
        row: dict[str, Any] = dict(made[number % len(made)])
        # Any number without a common divisor with the spread visits the instants out of order.
        shift = number * 7_654_321_234_567 % SPREAD
        row |= {each: row[each] + shift for each in INSTANTS}
        batch.append({**row, "incident": f"RUN-{number // len(made):08}"})
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def fill(engine: Engine, count: int, terms_of: TermsOf) -> None:
    for batch in clocks(count, terms_of):
        with engine.begin() as connection:
            rows.save(connection, SLA_TIMERS_TABLE, batch)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def timed(work: Callable[[int], object]) -> tuple[float, float]:
    """The 50th and the 99th percentile of the time that it takes, in milliseconds."""
    for each in range(20):
        work(each)
    spent: list[float] = []
    for each in range(ASKED):
        before = time.perf_counter()
        work(each)
        spent.append(1000 * (time.perf_counter() - before))
    cuts = quantiles(spent, n=100)
    return cuts[49], cuts[98]


def shown(name: str, measured: tuple[float, float], bare: tuple[float, float] | None = None) -> None:
    ratio = "" if bare is None else f"   {measured[0] / bare[0]:.1f} times the bare driver"
    print(f"  {name:<44} p50 {measured[0]:8.3f} ms   p99 {measured[1]:8.3f} ms{ratio}")


def questions(connection: Connection, terms_of: TermsOf) -> None:
    """What falls due in the next hour, asked at many instants."""
    hours = [NOW + timedelta(hours=4 * each + 5) for each in range(ASKED)]
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    sql = BARE.format(p=mark)
    cursor: Any = connection.connection.cursor()

    def bare(each: int) -> object:
        now = hours[each]
        cursor.execute(sql, (to_micros(now), to_micros(now + timedelta(hours=1)), 50))
        return cursor.fetchall()

    def next_hour(each: int) -> object:
        now = hours[each]
        return due_within(connection, terms_of=terms_of, now=now, until=now + timedelta(hours=1))

    def resolving(each: int) -> object:
        now = hours[each]
        until = now + timedelta(hours=1)
        return due_within(connection, terms_of=terms_of, now=now, until=until, kind=TargetKind.RESOLVE)

    of_the_driver = timed(bare)
    shown("the bare driver, 50 rows", of_the_driver)
    shown("due in the next hour, 50 clocks", timed(next_hour), of_the_driver)
    shown("the same, to resolve only", timed(resolving), of_the_driver)
    shown(
        "breached, the first 50",
        timed(lambda each: breached(connection, terms_of=terms_of, now=hours[each])),
        of_the_driver,
    )
    shown("to be watched, when nothing is", timed(lambda _: to_watch(connection, now=minute(1))))


def look(desk: ServiceDesk, projections: Projections, name: str, first: int) -> float:
    """The seconds of one look that finds a hundred incidents due."""
    for each in range(first, first + DUE):
        at_work(desk, f"DUE-{each:05}")
    projections.catch_up()
    before = time.perf_counter()
    watched = watch_once(desk, projections, minute(16))
    spent = time.perf_counter() - before
    assert watched.breaches == DUE, watched
    print(f"  one look, {DUE} incidents due, {name:<22} {1000 * spent:8.1f} ms")
    return spent


def measure(stores: Stores, *, quick: bool) -> None:
    """Ask a million running clocks, and let the watch look; 50,000 when `quick`."""
    count = 50_000 if quick else 1_000_000
    for kind in (SQLITE, POSTGRESQL):
        print(f"\n{count:,} running clocks: {kind.name}")
        _measure(stores.fresh(kind), count)


def _measure(url: str, count: int) -> None:
    with ServiceDesk.open(url, clock=much_later) as desk:
        engine = desk.journal.store.engine
        terms_of = AgreementTerms(desk.journal)
        projections = Projections(engine, desk.journal, views(terms_of))
        publish_gold(desk)
        look(desk, projections, "and nothing else", 0)
        alone = look(desk, projections, "and nothing else", DUE)
        fill(engine, count, terms_of)
        among = look(desk, projections, f"among {count:,}", 2 * DUE)
        print(f"  among {count:,} a look takes {among / alone:.2f} times as long")
        with projections.reading() as connection:
            questions(connection, terms_of)
