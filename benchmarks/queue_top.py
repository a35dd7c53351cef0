"""The top of a group's queue among a million incidents at work: our reader beside the driver alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from statistics import quantiles
from time import perf_counter_ns
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text

from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores, bare_postgresql, bare_sqlite
from incident_domain.actor import GroupId
from incident_domain.events import AgreementId, Party, Terms
from incident_projections.engine import Projections
from incident_projections.queue import QUEUE, QUEUE_TABLE
from incident_projections.queue_readers import group_queue
from incident_projections.sla_timers import sla_timers
from incident_projections.work_queue import WORK_TABLE
from tests.histories import ListSource, classified, recorded

GROUPS: Final = 50
TOP: Final = 50
ASKED: Final = 2_000
NOW: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_NOW: Final = int(NOW.timestamp()) * 1_000_000
_HOUR: Final = 3_600_000_000

# Numbers from 1 on; the products visit groups, priorities and instants in no order.
_NUMBERS: Final = {
    True: "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})",
    False: "WITH numbers AS (SELECT n::bigint FROM generate_series(1, {count}) AS n)",
}
_PLACE: Final = {
    "incident": "'INC-' || n",
    "minor": "CASE WHEN n % 2003 = 0 THEN 0 ELSE 1 END",
    "due": f"CASE WHEN n % 5 = 0 THEN {2**63 - 1} ELSE {_NOW} + (n * 7919 % 2000 - 100) * {_HOUR // 60} END",
    "weight": "n % 5 + 1",
    "registered_at": f"{_NOW} - n * 104729 % 1000 * {_HOUR}",
    "due_kind": "CASE WHEN n % 5 = 0 THEN NULL ELSE 'resolve' END",
    "due_agreement": "CASE WHEN n % 5 = 0 THEN NULL ELSE 'gold' END",
    "line": "2",
    "support_group": f"'group-' || (n * 31 % {GROUPS})",
    "person": "'person-' || (n * 17 % 1000)",
    "state": "'investigation'",
    "acknowledged": "1",
    "next_update_due": f"{_NOW} + n * 6007 % 100 * {_HOUR}",
}
_SHOWN: Final = {
    **{each: _PLACE[each] for each in ("incident", "registered_at", "line", "support_group", "person")},
    "rank": f"CASE WHEN n % 2003 = 0 THEN 0 ELSE {_PLACE['weight']} END",
    "number": "n",
    "next_update_due": _PLACE["next_update_due"],
    "priority": _PLACE["weight"],
}


def measure(stores: Stores, *, quick: bool) -> None:
    """Ask for the first 50 of one group after the other, among 1,000,000 incidents, 100,000 when `quick`."""
    count = 100_000 if quick else 1_000_000
    print(f"\nTop {TOP} of a group's queue, {count:,} incidents at work in {GROUPS} groups, {ASKED:,} times")
    for kind in (SQLITE, POSTGRESQL):
        url = stores.fresh(kind)
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        _fill(engine, count)
        _compare(kind, url, engine)
        engine.dispose()


def _fill(engine: Engine, count: int) -> None:
    """One incident that really is at work gives the columns that make no difference."""
    journal = recorded(*(("INC-0", each) for each in classified("INC-0")))
    Projections(engine, ListSource(journal=journal), (sla_timers(_no_terms), QUEUE)).catch_up()
    numbers = _NUMBERS[engine.dialect.name == "sqlite"].format(count=count)
    with engine.begin() as connection:
        for table, columns in ((WORK_TABLE, _PLACE), (QUEUE_TABLE, _SHOWN)):
            names = table.columns.keys()
            values = ", ".join(columns.get(each, f"one.{each}") for each in names)
            connection.execute(
                text(
                    f"INSERT INTO {table.name} ({', '.join(names)}) {numbers} SELECT {values}"
                    f" FROM numbers CROSS JOIN {table.name} AS one WHERE one.incident = 'INC-0'"
                )
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def _no_terms(agreement: AgreementId, version: int) -> tuple[Party, Terms]:
    raise LookupError(f"agreement: there is no version {version} of {agreement} here")


def _compare(kind: Kind, url: str, engine: Engine) -> None:
    bare: Any = bare_sqlite(url, kind.mode) if kind.is_sqlite else bare_postgresql(url)
    groups = [GroupId(f"group-{each}") for each in range(GROUPS)]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        asked = {group: _sql(connection, group) for group in groups}

        def driver(group: GroupId) -> None:
            bare.execute(*asked[group]).fetchall()

        def ours(group: GroupId) -> None:
            page = group_queue(connection, now=NOW, group=group, limit=TOP)
            assert len(page.entries) == TOP, len(page.entries)

        alone, read = _timed(groups, driver, ours)
    bare.close()
    print(f"  {kind.name}")
    for name, (p50, p99) in (
        ("bare driver, same SQL, rows fetched", alone),
        ("our reader, entries made", read),
    ):
        print(f"    {name:40} p50 {p50:6.3f} ms   p99 {p99:6.3f} ms")
    print(f"    {'ratio':40} p50 {read[0] / alone[0]:6.2f}      p99 {read[1] / alone[1]:6.2f}")


def _sql(connection: Connection, group: GroupId) -> tuple[Any, Any]:
    """What our reader has the driver execute."""
    seen: list[tuple[Any, Any]] = []

    def listen(_: Any, __: Any, statement: Any, parameters: Any, *___: Any) -> None:
        seen.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    group_queue(connection, now=NOW, group=group, limit=TOP)
    event.remove(connection, "before_cursor_execute", listen)
    [statement] = seen
    return statement


def _timed(groups: list[GroupId], *contenders: Callable[[GroupId], None]) -> list[tuple[float, float]]:
    """The 50th and the 99th percentile of each contender, in milliseconds; they take turns."""
    chance = Random(4711)
    taken: list[list[int]] = [[] for _ in contenders]
    for _ in range(ASKED + 100):
        group = chance.choice(groups)
        for each, times in zip(contenders, taken, strict=True):
            began = perf_counter_ns()
            each(group)
            times.append(perf_counter_ns() - began)
    return [(cuts[49] / 1e6, cuts[98] / 1e6) for cuts in (quantiles(each[100:], n=100) for each in taken)]
