"""The journal as an object-centric event log: OCEL 2.0 in an SQLite file."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from incident_adapters.converters import written_instant
from incident_adapters.export_selection import Extract, Progress, recorded
from incident_adapters.journal import Journal
from incident_adapters.ocel import COLUMN_TYPES, EVENT_ATTRIBUTES, MinedObjects
from incident_adapters.whole_file import MADE_HERE, database_written
from incident_domain.envelope import Recorded
from incident_domain.events import Event
from incident_projections.process_mining import Value, activity, relations, subject, value_kinds, values

_EVENTS_A_TRANSACTION: Final = 5000


def write_ocel_sqlite(journal: Journal, wanted: Extract, part: Path, progress: Progress) -> int:
    """Write the incidents and known errors of an extract as OCEL 2.0 in SQLite; the number of events in it.

    It is written into the part of a file.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
        OSError: when it cannot be written.
    """
    part.write_bytes(b"")
    with database_written(), closing(sqlite3.connect(part, isolation_level=None)) as out:
        # The file has no name before it is whole, so that nothing of it need outlast a crash.
        out.execute("PRAGMA journal_mode = OFF")
        out.execute("PRAGMA synchronous = OFF")
        out.execute(f"PRAGMA application_id = {MADE_HERE}")
        events = _MinedEvents(out)
        out.execute("BEGIN")
        for each in recorded(journal, wanted, progress):
            if subject(each) is not None:
                events.take(each)
                if events.count % _EVENTS_A_TRANSACTION == 0:
                    out.execute("COMMIT")
                    out.execute("BEGIN")
        out.execute("COMMIT")
    return events.count


class _MinedEvents:
    """The tables of the events, one more for each of their types."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.count = 0
        self._connection = connection
        self._objects = MinedObjects(connection)
        self._types: dict[type[Event], tuple[str, list[str]]] = {}
        connection.executescript(
            """
            CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT) WITHOUT ROWID;
            CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT);
            CREATE TABLE event_object (
                ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT,
                PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier)
            ) WITHOUT ROWID;
            """
        )

    def take(self, each: Recorded) -> None:
        """Take in one event with its objects."""
        self.count += 1
        related = relations(each)
        self._objects.take(each, related)
        insert, attributes = self._types.get(type(each.event)) or self._new_type(type(each.event), each)
        key, found = str(each.event_id), {**_common(each), **values(each.event)}
        execute = self._connection.execute
        execute("INSERT INTO event VALUES (?, ?)", (key, activity(each.event)))
        execute(
            insert,
            (key, written_instant(each.occurred_at), *(_stored(found.get(name)) for name in attributes)),
        )
        self._connection.executemany(
            "INSERT INTO event_object VALUES (?, ?, ?)",
            [(key, one.object.key, one.qualifier) for one in related],
        )

    def _new_type(self, kind: type[Event], each: Recorded) -> tuple[str, list[str]]:
        name = activity(each.event)
        short = name.replace(".", "_")
        attributes = {**EVENT_ATTRIBUTES, **value_kinds(kind)}
        columns = "".join(f', "{column}" {COLUMN_TYPES[value]}' for column, value in attributes.items())
        self._connection.execute(
            f"CREATE TABLE event_{short} "
            f"(ocel_id TEXT PRIMARY KEY, ocel_time TIMESTAMP{columns}) WITHOUT ROWID"
        )
        self._connection.execute("INSERT INTO event_map_type VALUES (?, ?)", (name, short))
        marks = ", ".join("?" * (2 + len(attributes)))
        made = (f"INSERT INTO event_{short} VALUES ({marks})", list(attributes))
        self._types[kind] = made
        return made


def _common(each: Recorded) -> dict[str, Value]:
    return {"position": each.position, "stream_version": each.version, "recorded_at": each.recorded_at}


def _stored(value: Value | None) -> str | int | None:
    return written_instant(value) if isinstance(value, datetime) else value
