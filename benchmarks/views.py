"""Catch-up: a view made from all events of a journal."""

import json
from functools import partial
from itertools import islice
from typing import Any, Final

from attrs import field, frozen
from sqlalchemy import MetaData, Table, make_url
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from benchmarks.peers.library import default_mapper, plain_of, stored
from benchmarks.peers.runner import LibraryRunner
from benchmarks.rounds import Aim, Contender, Work, judge, run, table
from benchmarks.stores import POSTGRESQL, SQLITE, Kind, Stores, bare_postgresql, bare_sqlite
from benchmarks.stories import OPEN_AT_A_TIME, entries
from incident_adapters.codec import Entry, EventMapper
from incident_adapters.journal import Journal
from incident_projections.engine import Projections
from incident_projections.queue import QUEUE
from incident_projections.views import VIEWS

_BATCH: Final = 2_000
_LIBRARY_SHARE: Final = 1_000

OURS: Final = "our queue view"
ALL: Final = f"all our {len(VIEWS)} views together"
BARE: Final = "bare driver: executemany, a row per event at hand"
BARE_READING: Final = "bare driver: read the journal, parse JSON, the same"
LIBRARY: Final = "eventsourcing: an event, a transaction"

Rows = list[tuple[Any, ...]]


def measure(stores: Stores, *, quick: bool) -> None:
    """Build the queue view from 200,000 events, from 25,000 when `quick`."""
    count, rounds = (25_000, 3) if quick else (200_000, 7)
    rows = _rows(count)
    for kind in (SQLITE, POSTGRESQL):
        _measure(stores, kind, rows, rounds)


def _measure(stores: Stores, kind: Kind, rows: Rows, rounds: int) -> None:
    count = len(rows)
    url = stores.fresh(kind)
    journal = _journal(url, count)
    queue = Projections(journal.store.engine, journal, [QUEUE])
    every = Projections(journal.store.engine, journal, VIEWS)
    bare = _Bare(kind, url)
    contenders = [
        Contender(name=OURS, prepare=lambda: queue.rebuild, count=count),
        Contender(name=ALL, prepare=lambda: every.rebuild, count=count),
        Contender(
            name=BARE,
            prepare=lambda: partial(bare.write, rows, reading=False),
            count=count,
            note="neither reads nor decodes nor folds anything",
        ),
        Contender(name=BARE_READING, prepare=lambda: partial(bare.write, rows, reading=True), count=count),
        _library(stores, kind, rows, rounds),
    ]
    result = run(contenders, rounds)
    title = f"Catch up over {count:,} events, {OPEN_AT_A_TIME} incidents open at a time: {kind.name}"
    table(f"{title}, {rounds} rounds", contenders, result, BARE, "events/s")
    judge(result, [Aim(OURS, BARE, 0.7), Aim(OURS, LIBRARY, 15)])
    journal.close()


def _journal(url: str, count: int) -> Journal:
    journal, mapper = Journal.open(url), EventMapper()
    source = entries("views", count)
    while batch := list(islice(source, _BATCH)):
        journal.store.insert_events([mapper.to_stored_event(each) for each in batch])
    return journal


def _rows(count: int) -> Rows:
    """The row of the queue that each event leaves behind, as the view itself makes it."""
    names = QUEUE.table.columns.keys()
    held: dict[str, tuple[Any, ...]] = {}
    rows: Rows = []
    for position, each in enumerate(entries("views", count), 1):
        event: Any = each.event
        held[each.stream] = QUEUE.fold(held.get(each.stream, ()), each.at(position), event)
        [row] = held[each.stream]
        rows.append(tuple(row[name] for name in names))
    return rows


@frozen
class _Statements:
    """SQL for a table with the queue's columns and indexes, but another name."""

    create: str
    indexes: list[str]
    upsert: str

    @classmethod
    def of(cls, kind: Kind, name: str) -> "_Statements":
        dialect: Any = make_url("sqlite://" if kind.is_sqlite else "postgresql://").get_dialect()()
        beside: Table = QUEUE.table.to_metadata(MetaData(), name=name)
        for index in beside.indexes:
            index.name = quoted_name(f"{name}_{index.name}", quote=None)
        columns: list[str] = beside.columns.keys()
        key = beside.primary_key.columns.keys()
        marks = ", ".join(["?" if kind.is_sqlite else "%s"] * len(columns))
        changes = ", ".join(f"{each} = excluded.{each}" for each in columns if each not in key)
        upsert = (
            f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
        )
        return cls(
            str(CreateTable(beside).compile(dialect=dialect)),
            [str(CreateIndex(each).compile(dialect=dialect)) for each in beside.indexes],
            upsert,
        )


class _Bare:
    """The driver alone: batches of the same size, each a transaction, indexes at the end."""

    def __init__(self, kind: Kind, url: str) -> None:
        self._sql = _Statements.of(kind, "bare_queue")
        self._begin = "BEGIN IMMEDIATE" if kind.is_sqlite else "BEGIN"
        self._page = (
            "SELECT position, stream, version, name, state FROM journal"
            " WHERE position > {} ORDER BY position LIMIT {}"
        )
        connection: Any = bare_sqlite(url, kind.mode) if kind.is_sqlite else bare_postgresql(url)
        self._connection = connection

    def write(self, rows: Rows, *, reading: bool) -> None:
        """Make the table anew, a row per event."""
        execute, cursor = self._connection.execute, self._connection.cursor()
        execute("DROP TABLE IF EXISTS bare_queue")
        execute(self._sql.create)
        for first in range(0, len(rows), _BATCH):
            if reading:
                for row in execute(self._page.format(first, _BATCH)).fetchall():
                    json.loads(row[4])
            execute(self._begin)
            cursor.executemany(self._sql.upsert, rows[first : first + _BATCH])
            execute("COMMIT")
        for index in self._sql.indexes:
            execute(index)


@frozen
class _Turn:
    """How far the library has come in the rows."""

    at: list[int] = field(factory=lambda: [0])

    def next(self, rows: Rows) -> Rows:
        first = self.at[0]
        self.at[0] += _LIBRARY_SHARE
        return rows[first : first + _LIBRARY_SHARE]


def _library(stores: Stores, kind: Kind, rows: Rows, rounds: int) -> Contender:
    sql = _Statements.of(kind, "library_queue")
    runner = LibraryRunner(stores.fresh(kind), sql.create, sql.upsert)
    mapper = default_mapper()
    source = list(islice(entries("views", len(rows)), (rounds + 1) * _LIBRARY_SHARE))
    runner.record([_stored(mapper, each) for each in source])
    turn = _Turn()

    def prepare() -> Work:
        return partial(runner.process, turn.next(rows))

    return Contender(
        name=LIBRARY,
        prepare=prepare,
        count=_LIBRARY_SHARE,
        note=f"{_LIBRARY_SHARE:,} events a round; the steps of its projection runner, the row at hand",
    )


def _stored(mapper: Any, each: Entry) -> Any:
    return stored(mapper, each, plain_of(each.event))
