"""The journal as a Parquet file: a row for each event, with the event itself as JSON."""

from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow
import pyarrow.parquet

from incident_adapters.event_data import event_data
from incident_adapters.export_selection import Extract, Progress, recorded
from incident_adapters.journal import Journal
from incident_domain.envelope import Recorded
from incident_domain.events import WIRE_NAMES

_ROWS_OF_A_GROUP: Final = 4_000
_ENCODE: Final = msgspec.json.Encoder().encode
# The library brings no types.
_arrow: Final[Any] = pyarrow
_parquet: Final[Any] = pyarrow.parquet

_INSTANT: Final = _arrow.timestamp("us", tz="UTC")
_SCHEMA: Final = _arrow.schema(
    [
        _arrow.field("position", _arrow.int64(), nullable=False),
        _arrow.field("stream", _arrow.string(), nullable=False),
        _arrow.field("version", _arrow.int64(), nullable=False),
        _arrow.field("name", _arrow.string(), nullable=False),
        _arrow.field("occurred_at", _INSTANT, nullable=False),
        _arrow.field("recorded_at", _INSTANT, nullable=False),
        _arrow.field("event_id", _arrow.string(), nullable=False),
        _arrow.field("correlation_id", _arrow.string(), nullable=False),
        _arrow.field("causation_id", _arrow.string(), nullable=False),
        _arrow.field("person", _arrow.string(), nullable=False),
        _arrow.field("role", _arrow.string(), nullable=False),
        _arrow.field("group", _arrow.string()),
        _arrow.field("event", _arrow.string(), nullable=False),
    ]
)


def write_parquet(journal: Journal, wanted: Extract, part: Path, progress: Progress) -> None:
    """Write an extract as Parquet, a row group at a time, into the part of a file.

    Raises:
        MapperDeserialisationError: when an event cannot be read by this release.
        OSError: when it cannot be written.
    """
    events = recorded(journal, wanted, progress)
    with (
        part.open("wb") as out,
        _parquet.ParquetWriter(out, _SCHEMA, compression="zstd") as writer,
    ):
        while page := list(islice(events, _ROWS_OF_A_GROUP)):
            writer.write_table(_arrow.Table.from_pylist([_row(each) for each in page], schema=_SCHEMA))


def _row(each: Recorded) -> dict[str, Any]:
    return {
        "position": each.position,
        "stream": each.stream,
        "version": each.version,
        "name": WIRE_NAMES[type(each.event)],
        "occurred_at": each.occurred_at,
        "recorded_at": each.recorded_at,
        "event_id": str(each.event_id),
        "correlation_id": str(each.correlation_id),
        "causation_id": str(each.causation_id),
        "person": each.by.person,
        "role": each.by.role.value,
        "group": each.by.group,
        "event": _ENCODE(event_data(each.event)).decode(),
    }
