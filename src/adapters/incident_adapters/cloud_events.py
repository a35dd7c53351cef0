"""The journal as CloudEvents 1.0: one JSON array, the batch format, with an event on each line."""

from pathlib import Path
from typing import Any, Final

import msgspec

from incident_adapters.converters import written_instant
from incident_adapters.event_data import event_data
from incident_adapters.export_selection import Extract, Progress, recorded
from incident_adapters.journal import Journal
from incident_domain.envelope import Recorded
from incident_domain.events import WIRE_NAMES

SOURCE: Final = "urn:itil-incidents:journal"
"""Where the events come from; their ids are unique everywhere."""

_DIGITS_OF_A_POSITION: Final = 19
_ENCODE: Final = msgspec.json.Encoder().encode


def write_cloud_events(journal: Journal, wanted: Extract, part: Path, progress: Progress) -> None:
    """Write an extract as a batch of CloudEvents into the part of a file.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
        OSError: when it cannot be written.
    """
    with part.open("wb") as out:
        before = b"[\n"
        for each in recorded(journal, wanted, progress):
            out.write(before)
            out.write(_ENCODE(cloud_event(each)))
            before = b",\n"
        out.write(b"\n]\n" if wanted.events else b"[]\n")


def cloud_event(each: Recorded) -> dict[str, Any]:
    """One event with the attributes of CloudEvents.

    `sequence`, `recordedtime`, `correlationid` and `causationid` are documented extensions; `sequence` is the
    position, with zeros before it, so that its order is that of its letters.
    """
    name = WIRE_NAMES[type(each.event)]
    return {
        "specversion": "1.0",
        "id": str(each.event_id),
        "source": SOURCE,
        "type": name,
        "subject": each.stream,
        "time": written_instant(each.occurred_at),
        "dataschema": f"urn:itil-incidents:event:{name}",
        "datacontenttype": "application/json",
        "sequence": str(each.position).zfill(_DIGITS_OF_A_POSITION),
        "streamversion": each.version,
        "recordedtime": written_instant(each.recorded_at),
        "correlationid": str(each.correlation_id),
        "causationid": str(each.causation_id),
        "data": event_data(each.event),
    }
