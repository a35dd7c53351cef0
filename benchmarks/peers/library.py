"""A plain application of the `eventsourcing` library: its aggregates, its mapper, its recorders."""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, UUID, uuid5

import attrs
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    Transcoding,
    UUIDAsHex,
)

import incident_domain as itil
from benchmarks.stores import is_sqlite, sqlite_path
from incident_adapters.codec import Entry
from incident_domain.events import WIRE_NAMES


class LibraryIncident(Aggregate):
    """An incident the library's way; its events carry what ours carry."""

    @event("Registered")
    def __init__(self, *, what: Any, occurred_at: datetime, correlation_id: UUID, causation_id: UUID) -> None:
        self.happened = 1
        self.last = (what, occurred_at, correlation_id, causation_id)

    @event("Happened")
    def happen(self, *, what: Any, occurred_at: datetime, correlation_id: UUID, causation_id: UUID) -> None:
        """Take what happened next."""
        self.happened += 1
        self.last = (what, occurred_at, correlation_id, causation_id)


class LibraryIncidents(Application[UUID]):
    """The library's own application, with nothing changed."""

    def register(self, entry: Entry, what: Any) -> UUID:
        """Save a new incident with its first event."""
        made = LibraryIncident(what=what, **_envelope(entry))
        self.save(made)
        return made.id

    def happen(self, incident: UUID, entry: Entry, what: Any) -> None:
        """Load an incident, let something happen to it, and save it."""
        found: LibraryIncident = self.repository.get(incident)
        found.happen(what=what, **_envelope(entry))
        self.save(found)


def plain(value: Any) -> Any:
    """The same data without types of our own: texts, numbers, lists and dictionaries."""
    kind: Any = cast("object", value).__class__
    if attrs.has(kind):
        return {each.name: plain(getattr(value, each.name)) for each in attrs.fields(kind)}
    if issubclass(kind, Enum):
        return value.value
    if kind is datetime:
        return value.isoformat()
    if kind is tuple:
        return [plain(each) for each in value]
    return value


def default_mapper() -> Mapper[UUID]:
    """The mapper that an application gets by default."""
    transcoder = JSONTranscoder()
    for each in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO()):
        transcoder.register(each)
    return Mapper[UUID](transcoder)


def typed_mapper() -> Mapper[UUID]:
    """The same mapper, taught the types of our events in the way the library offers."""
    mapper = default_mapper()
    transcoder = cast("JSONTranscoder", mapper.transcoder)
    transcoder.register(_TupleAsList())
    for kind in dict.fromkeys(each for name in WIRE_NAMES for each in _kinds(name)):
        transcoder.register(_EnumAsValue(kind) if issubclass(kind, Enum) else _ClassAsFields(kind))
    return mapper


def stored(mapper: Mapper[UUID], entry: Entry, what: Any) -> StoredEvent:
    """An event of ours as an event of the library's, in its bytes."""
    # The decorators make these classes, where no type checker sees it.
    kind: Any = getattr(LibraryIncident, "Registered" if entry.version == 1 else "Happened")
    created = {"originator_topic": "benchmarks.peers.library:LibraryIncident"} if entry.version == 1 else {}
    made = kind(
        originator_id=uuid5(NAMESPACE_OID, entry.stream),
        originator_version=entry.version,
        timestamp=entry.recorded_at,
        what=what,
        **created,
        **_envelope(entry),
    )
    return mapper.to_stored_event(made)


def _envelope(entry: Entry) -> dict[str, Any]:
    return {
        "occurred_at": entry.event.occurred_at,
        "correlation_id": entry.correlation_id,
        "causation_id": entry.causation_id,
    }


def _kinds(kind: type[Any]) -> Iterator[type[Any]]:
    """An attrs class, and every class and enum among its values."""
    yield kind
    attrs.resolve_types(kind)
    for each in attrs.fields(kind):
        yield from _kinds_within(each.type)


def _kinds_within(declared: Any) -> Iterator[type[Any]]:
    if isinstance(declared, type) and issubclass(declared, Enum):
        yield declared
    elif isinstance(declared, type) and attrs.has(declared):
        yield from _kinds(declared)
    for each in getattr(declared, "__args__", ()):
        yield from _kinds_within(each)


class _TupleAsList(Transcoding):
    type = tuple
    name = "tuple"

    def encode(self, obj: tuple[Any, ...]) -> list[Any]:
        return list(obj)

    def decode(self, data: list[Any]) -> tuple[Any, ...]:
        return tuple(data)


class _EnumAsValue(Transcoding):
    def __init__(self, kind: type[Enum]) -> None:
        self.type = kind
        self.name = kind.__name__

    def encode(self, obj: Enum) -> Any:
        return obj.value

    def decode(self, data: Any) -> Any:
        return self.type(data)


class _ClassAsFields(Transcoding):
    def __init__(self, kind: type[Any]) -> None:
        self.type = kind
        self.name = kind.__name__

    def encode(self, obj: Any) -> dict[str, Any]:
        return {each.name: getattr(obj, each.name) for each in attrs.fields(self.type)}

    def decode(self, data: dict[str, Any]) -> Any:
        return self.type(**data)


def plain_of(happened: itil.DomainEvent) -> dict[str, Any]:
    """What an event of ours says, without its time, which the library keeps beside it."""
    what: dict[str, Any] = plain(happened)
    del what["occurred_at"]
    return {"name": WIRE_NAMES[type(happened)], **what}


def library_settings(url: str) -> dict[str, str]:
    """The environment that leads the library's own recorders to a store."""
    if is_sqlite(url):
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": sqlite_path(url)}
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.removeprefix("/"),
        "POSTGRES_HOST": str(parts.hostname),
        "POSTGRES_PORT": str(parts.port),
        "POSTGRES_USER": str(parts.username),
        "POSTGRES_PASSWORD": parts.password or "",
    }


def take_journal_mode(application: LibraryIncidents, mode: str) -> None:
    """Give an application's SQLite file the journal mode of everybody else's; left alone it is WAL."""
    recorder: Any = application.recorder
    pool = recorder.datastore.pool
    connection = pool.get_connection()
    connection.cursor().execute(f"PRAGMA journal_mode = {mode}")
    pool.put_connection(connection)
