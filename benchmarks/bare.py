"""The limit: the driver alone, inserting and committing the bytes that our journal would, as durably."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from eventsourcing.persistence import StoredEvent

from benchmarks.stores import Kind, bare_postgresql, bare_sqlite
from incident_adapters.recorder import open_recorder

Insert: TypeAlias = Callable[[StoredEvent], None]
Select: TypeAlias = Callable[[str], Sequence[tuple[int, str, int, str, bytes]]]

_COLUMNS = "position, stream, version, name, state"


class Bare:
    """A driver's connection and our journal's table; positions are counted here, nothing is checked."""

    def __init__(self, kind: Kind, url: str, *, synchronous: str = "FULL") -> None:
        open_recorder(url).close()
        self.insert, self.select = (
            _on_sqlite(url, kind.mode, synchronous) if kind.is_sqlite else _on_postgresql(url)
        )


def _on_sqlite(url: str, mode: str, synchronous: str) -> tuple[Insert, Select]:
    connection = bare_sqlite(url, mode, synchronous=synchronous)
    execute = connection.execute
    positions = iter(range(1, 2**31))

    def insert(row: StoredEvent) -> None:
        values = (next(positions), row.originator_id, row.originator_version, row.topic, row.state)
        execute("BEGIN IMMEDIATE")
        execute(f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", values)
        execute("COMMIT")

    def select(stream: str) -> Sequence[tuple[int, str, int, str, bytes]]:
        sql = f"SELECT {_COLUMNS} FROM journal WHERE stream = ? ORDER BY version"
        return execute(sql, (stream,)).fetchall()

    return insert, select


def _on_postgresql(url: str) -> tuple[Insert, Select]:
    connection = bare_postgresql(url)
    execute = connection.execute
    positions = iter(range(1, 2**31))
    insertion = f"INSERT INTO journal ({_COLUMNS}) VALUES (%s, %s, %s, %s, %s)".encode()
    selection = f"SELECT {_COLUMNS} FROM journal WHERE stream = %s ORDER BY version".encode()

    def insert(row: StoredEvent) -> None:
        values = (next(positions), row.originator_id, row.originator_version, row.topic, row.state)
        execute(insertion, values, prepare=True)

    def select(stream: str) -> Sequence[tuple[int, str, int, str, bytes]]:
        return execute(selection, (stream,), prepare=True, binary=True).fetchall()

    return insert, select
