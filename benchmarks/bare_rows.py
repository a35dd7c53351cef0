"""The limit of a view: its rows, which are at hand, written by the driver alone into tables like its own."""

import time
from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen
from sqlalchemy import MetaData, Table, create_engine, make_url, select
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql import quoted_name

from benchmarks.stores import Kind, bare_postgresql, bare_sqlite

_BATCH: Final = 5_000


@frozen
class _Bare:
    create: str
    indexes: list[str]
    insert: str
    rows: list[tuple[Any, ...]]


class BareRows:
    """What views hold, ready to be written once more."""

    def __init__(self, kind: Kind, url: str, tables: Sequence[Table]) -> None:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            self._tables = [
                _bare(kind, table, [tuple(row) for row in connection.execute(select(table))])
                for table in tables
            ]
        engine.dispose()
        connected: Any = bare_sqlite(url, kind.mode) if kind.is_sqlite else bare_postgresql(url)
        self._connection = connected
        self._begin = "BEGIN IMMEDIATE" if kind.is_sqlite else "BEGIN"

    @property
    def count(self) -> int:
        """How many rows there are."""
        return sum(len(each.rows) for each in self._tables)

    def write(self) -> float:
        """Write them in batches, each a transaction, and index them at the end; the seconds that it took."""
        execute, cursor = self._connection.execute, self._connection.cursor()
        began = time.perf_counter()
        for table in self._tables:
            execute(table.create)
            for first in range(0, len(table.rows), _BATCH):
                execute(self._begin)
                cursor.executemany(table.insert, table.rows[first : first + _BATCH])
                execute("COMMIT")
            for index in table.indexes:
                execute(index)
        return time.perf_counter() - began


def _bare(kind: Kind, table: Table, rows: list[tuple[Any, ...]]) -> _Bare:
    dialect: Any = make_url("sqlite://" if kind.is_sqlite else "postgresql://").get_dialect()()
    beside = table.to_metadata(MetaData(), name=f"bare_{table.name}")
    for index in beside.indexes:
        index.name = quoted_name(f"bare_{index.name}", quote=None)
    columns: list[str] = beside.columns.keys()
    marks = ", ".join(["?" if kind.is_sqlite else "%s"] * len(columns))
    return _Bare(
        str(CreateTable(beside).compile(dialect=dialect)),
        [str(CreateIndex(each).compile(dialect=dialect)) for each in beside.indexes],
        f"INSERT INTO {beside.name} ({', '.join(columns)}) VALUES ({marks})",
        rows,
    )
