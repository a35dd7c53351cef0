"""The journal as an object-centric event log: OCEL 2.0 in JSON."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec

from incident_adapters.converters import written_instant
from incident_adapters.export_selection import Extract, Progress, recorded
from incident_adapters.journal import Journal
from incident_adapters.ocel import EVENT_ATTRIBUTES, MinedObjects
from incident_adapters.whole_file import database_written
from incident_domain.envelope import Recorded
from incident_domain.events import Event
from incident_projections.process_mining import (
    OBJECT_ATTRIBUTES,
    Relation,
    ValueKind,
    activity,
    relations,
    subject,
    value_kinds,
    values,
)

_ENCODE: Final = msgspec.json.Encoder().encode


def write_ocel_json(journal: Journal, wanted: Extract, part: Path, progress: Progress) -> int:
    """Write the incidents and known errors of an extract as OCEL 2.0 in JSON; the number of events in it.

    It is written into the part of a file.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
        OSError: when it cannot be written.
    """
    kinds: dict[str, type[Event]] = {}
    count = 0
    # A database without a name is a file that only this process has, and that goes with it.
    with (
        part.open("wb") as out,
        database_written(),
        closing(sqlite3.connect("")) as beside,
    ):
        objects = MinedObjects(beside)
        out.write(b'{"events":[\n')
        for each in recorded(journal, wanted, progress):
            if subject(each) is None:
                continue
            related = relations(each)
            objects.take(each, related)
            kinds.setdefault(activity(each.event), type(each.event))
            out.write(b",\n" if count else b"")
            out.write(_ENCODE(_event(each, related)))
            count += 1
        out.write(b'\n],\n"objects":[\n')
        for number, found in enumerate(objects.read()):
            out.write(b",\n" if number else b"")
            out.write(_ENCODE(found))
        out.write(b'\n],\n"eventTypes":' + _ENCODE([_event_type(*each) for each in sorted(kinds.items())]))
        out.write(b',\n"objectTypes":' + _ENCODE(_object_types()) + b"}\n")
    return count


def _event(each: Recorded, related: list[Relation]) -> dict[str, Any]:
    attributes = {
        "position": each.position,
        "stream_version": each.version,
        "recorded_at": each.recorded_at,
        **values(each.event),
    }
    return {
        "id": str(each.event_id),
        "type": activity(each.event),
        "time": written_instant(each.occurred_at),
        "attributes": [{"name": name, "value": value} for name, value in attributes.items()],
        "relationships": [{"objectId": one.object.key, "qualifier": one.qualifier} for one in related],
    }


def _event_type(name: str, kind: type[Event]) -> dict[str, Any]:
    return {"name": name, "attributes": _declared({**EVENT_ATTRIBUTES, **value_kinds(kind)})}


def _object_types() -> list[dict[str, Any]]:
    return [
        {"name": kind.value, "attributes": _declared(attributes)}
        for kind, attributes in OBJECT_ATTRIBUTES.items()
    ]


def _declared(attributes: Mapping[str, ValueKind]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind.value} for name, kind in attributes.items()]
