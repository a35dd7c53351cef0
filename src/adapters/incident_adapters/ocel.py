"""The objects of an object-centric event log (OCEL 2.0), collected on disk while its events are written.

The tables of the objects are those of OCEL 2.0 in SQLite, so that the log in that form needs no second copy.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from incident_adapters.converters import written_instant
from incident_domain.envelope import Recorded
from incident_projections.process_mining import (
    OBJECT_ATTRIBUTES,
    MinedObject,
    ObjectKind,
    Relation,
    ValueKind,
    changes,
)

EVENT_ATTRIBUTES: Final = {
    "position": ValueKind.INTEGER,
    "stream_version": ValueKind.INTEGER,
    "recorded_at": ValueKind.TIME,
}
"""What every event has beside the attributes of its own type."""

COLUMN_TYPES: Final = {
    ValueKind.STRING: "TEXT",
    ValueKind.INTEGER: "INTEGER",
    ValueKind.BOOLEAN: "BOOLEAN",
    ValueKind.TIME: "TIMESTAMP",
}

_BEGINNING: Final = "1970-01-01T00:00:00.000000Z"
"""OCEL's time of the first values of an object."""


class MinedObjects:
    """The objects that events name, their attributes over time, and what they are to each other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.executescript(
            """
            CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT) WITHOUT ROWID;
            CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
            CREATE TABLE object_object (
                ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT,
                PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier)
            ) WITHOUT ROWID;
            """
        )
        for kind, attributes in OBJECT_ATTRIBUTES.items():
            columns = "".join(f', "{name}" {COLUMN_TYPES[value]}' for name, value in attributes.items())
            connection.execute(
                f"CREATE TABLE {table_of(kind)} "
                f"(ocel_id TEXT, ocel_time TIMESTAMP, ocel_changed_field TEXT{columns})"
            )
            connection.execute(f"CREATE INDEX {table_of(kind)}_id ON {table_of(kind)} (ocel_id)")
            connection.execute("INSERT INTO object_map_type VALUES (?, ?)", (kind.value, kind.name.lower()))

    def take(self, recorded: Recorded, related: list[Relation]) -> None:
        """Take in the objects of one event and what it changed on them."""
        execute = self._connection.execute
        for each in related:
            self._take_object(each.object)
        first = related[0]
        if first.qualifier == "subject":
            for each in related[1:]:
                if not each.qualifier.startswith("by"):
                    execute(
                        "INSERT OR IGNORE INTO object_object VALUES (?, ?, ?)",
                        (first.object.key, each.object.key, each.qualifier),
                    )
        at = written_instant(recorded.occurred_at)
        for change in changes(recorded):
            execute(
                f"INSERT INTO {table_of(change.object.kind)} "
                f'(ocel_id, ocel_time, ocel_changed_field, "{change.attribute}") VALUES (?, ?, ?, ?)',
                (change.object.key, at, change.attribute, change.value),
            )

    def read(self) -> Iterator[dict[str, Any]]:
        """Every object as OCEL's JSON has it, in the order of their keys."""
        for kind, attributes in OBJECT_ATTRIBUTES.items():
            keys = self._connection.execute(
                "SELECT ocel_id FROM object WHERE ocel_type = ? ORDER BY ocel_id", (kind.value,)
            )
            for (key,) in keys:
                yield {
                    "id": key,
                    "type": kind.value,
                    "attributes": self._history(kind, key, list(attributes)),
                    "relationships": self._related(key),
                }

    def _history(self, kind: ObjectKind, key: str, attributes: list[str]) -> list[dict[str, Any]]:
        found = self._connection.execute(
            f"SELECT * FROM {table_of(kind)} WHERE ocel_id = ? AND ocel_changed_field IS NOT NULL "
            "ORDER BY rowid",
            (key,),
        )
        return [
            {"name": changed, "time": time, "value": values[attributes.index(changed)]}
            for _, time, changed, *values in found
        ]

    def _related(self, key: str) -> list[dict[str, str]]:
        found = self._connection.execute(
            "SELECT ocel_target_id, ocel_qualifier FROM object_object WHERE ocel_source_id = ?", (key,)
        )
        return [{"objectId": target, "qualifier": qualifier} for target, qualifier in found]

    def _take_object(self, named: MinedObject) -> None:
        new = self._connection.execute(
            "INSERT OR IGNORE INTO object VALUES (?, ?)", (named.key, named.kind.value)
        )
        if new.rowcount:
            self._connection.execute(
                f"INSERT INTO {table_of(named.kind)} (ocel_id, ocel_time) VALUES (?, ?)",
                (named.key, _BEGINNING),
            )


def table_of(kind: ObjectKind) -> str:
    """The table of the objects of a kind."""
    return f"object_{kind.name.lower()}"
