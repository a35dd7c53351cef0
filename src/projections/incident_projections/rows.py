"""Rows in and out of a view's table, a whole batch at a time.

These are the statements on which the speed of a catch-up hangs, so they are the driver's own, written once
for each table and database.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Rows: TypeAlias = tuple[Mapping[str, Any], ...]
"""The rows of one stream in one view."""


def load(connection: Connection, table: Table, streams: Sequence[str]) -> dict[str, Rows]:
    """The rows of the streams in the order of their keys, by stream; a stream without rows is left out."""
    if not streams:
        return {}
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(_select_sqlite(table), (json.dumps(streams),))
    else:
        found = connection.exec_driver_sql(_select_postgresql(table), (list(streams),))
    names = table.columns.keys()
    stream_at = names.index(_key(table)[0])
    held: dict[str, list[Mapping[str, Any]]] = {}
    for values in found:
        held.setdefault(values[stream_at], []).append(dict(zip(names, values, strict=True)))
    return {stream: tuple(rows) for stream, rows in held.items()}


def write(
    connection: Connection, table: Table, before: Mapping[str, Rows], after: Mapping[str, Rows]
) -> None:
    """Turn the rows `before` into those `after`, both by stream, with the least writing."""
    key_of = itemgetter(*_key(table))
    changed: list[Mapping[str, Any]] = []
    gone: list[Mapping[str, Any]] = []
    for stream, rows in after.items():
        if rows is (old := before.get(stream, ())):
            continue
        left = {key_of(row): row for row in old}
        changed.extend(row for row in rows if left.pop(key_of(row), None) != row)
        gone.extend(left.values())
    _remove(connection, table, gone)
    save(connection, table, changed)


def save(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows, each in the place of the one with its key, if there is one."""
    if not rows:
        return
    names: list[str] = table.columns.keys()
    # In the order of the index, which is then gone through once: the larger the table, the more that saves.
    values = sorted(
        map(itemgetter(*names), rows), key=itemgetter(*(names.index(each) for each in _key(table)))
    )
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_upsert_sqlite(table), values)
        return
    made, upsert = _upsert_postgresql(table)
    connection.exec_driver_sql(made)
    # COPY is twice as fast as the driver's executemany, but knows no rows that are there already.
    cursor: Any = connection.connection.cursor()
    with cursor, cursor.copy("COPY arriving_rows FROM STDIN") as copy:
        for each in values:
            copy.write_row(each)
    connection.exec_driver_sql(upsert)
    connection.exec_driver_sql("DROP TABLE arriving_rows")


def _remove(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    keys = [tuple(row[each] for each in _key(table)) for row in rows]
    connection.exec_driver_sql(_delete(table, connection.dialect.name), keys)


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _quoted(table: Table, dialect: str) -> tuple[str, dict[str, str]]:
    names: list[str] = table.columns.keys()
    quote = (sqlite if dialect == "sqlite" else postgresql).dialect().identifier_preparer.quote
    return quote(table.name), {name: quote(name) for name in names}


@cache
def _select_sqlite(table: Table) -> str:
    name, columns = _quoted(table, "sqlite")
    return (
        f"SELECT {', '.join(columns.values())} FROM {name}"
        f" WHERE {columns[_key(table)[0]]} IN (SELECT value FROM json_each(?))"
        f" ORDER BY {', '.join(columns[each] for each in _key(table))}"
    )


@cache
def _select_postgresql(table: Table) -> str:
    name, columns = _quoted(table, "postgresql")
    return (
        f"SELECT {', '.join(columns.values())} FROM {name}"
        f" WHERE {columns[_key(table)[0]]} = ANY(%s)"
        f" ORDER BY {', '.join(columns[each] for each in _key(table))}"
    )


def _on_conflict(table: Table, columns: Mapping[str, str]) -> str:
    key = _key(table)
    changed = ", ".join(
        f"{column} = excluded.{column}" for name, column in columns.items() if name not in key
    )
    target = ", ".join(columns[each] for each in key)
    return f"ON CONFLICT ({target}) DO " + (f"UPDATE SET {changed}" if changed else "NOTHING")


@cache
def _upsert_sqlite(table: Table) -> str:
    name, columns = _quoted(table, "sqlite")
    return (
        f"INSERT INTO {name} ({', '.join(columns.values())}) VALUES ({', '.join('?' * len(columns))})"
        f" {_on_conflict(table, columns)}"
    )


@cache
def _upsert_postgresql(table: Table) -> tuple[str, str]:
    name, columns = _quoted(table, "postgresql")
    listed = ", ".join(columns.values())
    return (
        f"CREATE TEMPORARY TABLE arriving_rows ON COMMIT DROP AS SELECT {listed} FROM {name} WHERE false",
        f"INSERT INTO {name} ({listed}) SELECT {listed} FROM arriving_rows {_on_conflict(table, columns)}",
    )


@cache
def _delete(table: Table, dialect: str) -> str:
    name, columns = _quoted(table, dialect)
    mark = "?" if dialect == "sqlite" else "%s"
    return f"DELETE FROM {name} WHERE " + " AND ".join(f"{columns[each]} = {mark}" for each in _key(table))
