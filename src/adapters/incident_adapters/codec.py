"""Events as bytes, and bytes as events.

The bytes of a recorded event are what an auditor's proof is computed over, so the same event always gives
the same bytes: compact UTF-8 JSON with every key, in the order of declaration.  Reading is strict: an unknown
wire name, an extra key, a missing key or a value of another kind is refused, never skipped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from attrs import field, fields, frozen
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    CattrsError,
    ForbiddenExtraKeysError,
)
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent

from incident_adapters.converters import WrongKind, read_instant, strict_converter, written_instant
from incident_adapters.personal_seal import ClosedSeal, DamagedSeal
from incident_adapters.recorder_contract import JournalRow
from incident_adapters.seal import Seal, holders, opened, personal_paths, sealed
from incident_adapters.upcasting import OLDER_VERSIONS, Fields, Path
from incident_domain.envelope import Recorded
from incident_domain.events import WIRE_NAMES, DomainEvent, Event


@frozen(kw_only=True)
class Entry:
    """An event on its way into the journal: all that `Recorded` has, but no position yet.

    `subject` is whose data its personal fields are; None where they are nobody's in particular.
    """

    stream: str
    version: int
    event_id: UUID
    recorded_at: datetime
    correlation_id: UUID
    causation_id: UUID
    event: DomainEvent
    subject: str | None = field(default=None, eq=False)

    @property
    def originator_id(self) -> str:
        """The stream, as `eventsourcing` calls it."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, as `eventsourcing` calls it."""
        return self.version

    def at(self, position: int) -> Recorded:
        """What the journal holds once the entry has its position."""
        return Recorded(
            position=position,
            stream=self.stream,
            version=self.version,
            event_id=self.event_id,
            name=WIRE_NAMES[type(self.event)],
            recorded_at=self.recorded_at,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            event=self.event,
        )


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """The layout of `StoredEvent.state`."""

    event_id: UUID
    recorded_at: str
    correlation_id: UUID
    causation_id: UUID
    event: dict[str, Any]


_CLASSES: Final[Mapping[str, type[Event]]] = {name: cls for cls, name in WIRE_NAMES.items()}
_CONVERTER: Final = strict_converter(traces=False)
_READERS: Final[Mapping[str, Callable[[Fields, type[Event]], Any]]] = {
    name: _CONVERTER.get_structure_hook(cls) for name, cls in _CLASSES.items()
}
_WRITERS: Final[Mapping[type[Event], Callable[[Event], Fields]]] = {
    cls: _CONVERTER.get_unstructure_hook(cls) for cls in WIRE_NAMES
}
_PERSONAL: Final[Mapping[str, tuple[Path, ...]]] = {
    **{name: personal_paths(cls) for name, cls in _CLASSES.items()},
    **{name: older.personal for name, older in OLDER_VERSIONS.items()},
}
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_State)

_UNREADABLE = (
    CattrsError,
    msgspec.MsgspecError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""What comes up when bytes are not what they should be."""

_UNWRITABLE = (WrongKind, TypeError, AttributeError)
"""What comes up when a field holds something else than it declares."""


def stored_names(kinds: Iterable[type[Event]]) -> tuple[str, ...]:
    """The wire names under which events of these kinds are stored, those of older versions too."""
    names = {WIRE_NAMES[kind] for kind in kinds}
    while older := {name for name, each in OLDER_VERSIONS.items() if each.successor in names} - names:
        names |= older
    return tuple(sorted(names))


def personal_texts(name: str, state: bytes) -> list[str]:
    """The personal texts in an event's bytes as they stand there, sealed or not.

    There are none in bytes that this release cannot read: it does not know which they are.
    """
    try:
        event = _DECODER.decode(state).event
        return [holder[path[-1]] for holder, path in holders(event, _PERSONAL[name])]
    except _UNREADABLE:
        return []


class EventMapper(Mapper[str]):
    """Turns entries into stored events and back.

    There is neither compressor nor cipher: proofs are computed over readable bytes, and where a `seal` is
    given it takes the personal fields one by one.  Without one, texts that are sealed stay closed.
    """

    def __init__(self, seal: Seal | None = None) -> None:
        super().__init__(JSONTranscoder())
        self._seal = seal or ClosedSeal()

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The bytes of an `Entry`.

        Raises:
            TypeError: when the event's class has no wire name.
            WrongKind: when a field holds something else than it declares, such as a time without a zone.
        """
        entry: Entry = domain_event
        kind = type(entry.event)
        if kind not in WIRE_NAMES:
            raise TypeError(f"{kind.__name__} has no wire name; add it to incident_domain.events.WIRE_NAMES")
        name = WIRE_NAMES[kind]
        try:
            event = _WRITERS[kind](entry.event)
        except _UNWRITABLE:
            raise WrongKind(f"{kind.__name__}.{_wrong_field(entry.event)}") from None
        if paths := _PERSONAL[name]:
            try:
                sealed(event, paths, self._seal, entry.subject or entry.stream, entry.stream)
            except ValueError as refused:
                raise WrongKind(f"{kind.__name__}: {refused}") from None
        state = _State(
            event_id=entry.event_id,
            recorded_at=written_instant(entry.recorded_at),
            correlation_id=entry.correlation_id,
            causation_id=entry.causation_id,
            event=event,
        )
        return StoredEvent(entry.stream, entry.version, name, _ENCODER.encode(state))

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The `Entry` that was stored; an older version of an event comes back as the present one.

        Raises:
            MapperDeserialisationError: when this release cannot read the bytes.
        """
        row = stored_event
        held = self.recorded(0, str(row.originator_id), row.originator_version, row.topic, row.state)
        return Entry(
            stream=held.stream,
            version=held.version,
            event_id=held.event_id,
            recorded_at=held.recorded_at,
            correlation_id=held.correlation_id,
            causation_id=held.causation_id,
            event=held.event,
        )

    def stored(self, entries: Sequence[Entry]) -> list[StoredEvent]:
        """The bytes of entries that are written together.

        Raises:
            WrongKind: when a field holds something else than it declares.
        """
        about = {each.subject or each.stream for each in entries if _PERSONAL[WIRE_NAMES[type(each.event)]]}
        self._seal.prepare_sealing(about)
        return [self.to_stored_event(each) for each in entries]

    def all_recorded(self, rows: Sequence[JournalRow]) -> list[Recorded]:
        """Rows of the journal that were read together.

        Raises:
            MapperDeserialisationError: when this release cannot read the bytes of one.
        """
        self._seal.prepare_opening(row[4] for row in rows)
        recorded = self.recorded
        return [recorded(*row) for row in rows]

    def recorded(self, position: int, stream: str, version: int, name: str, state: bytes) -> Recorded:
        """One row of the journal; `Recorded.name` stays the wire name under which it was written.

        Raises:
            MapperDeserialisationError: when this release cannot read the bytes; it names the wire name, the
                stream, the version and the key, never the value.
        """
        try:
            held = _DECODER.decode(state)
            current, event = self._present(stream, name, held.event)
            return Recorded(
                position=position,
                stream=stream,
                version=version,
                event_id=held.event_id,
                name=name,
                recorded_at=read_instant(held.recorded_at, datetime),
                correlation_id=held.correlation_id,
                causation_id=held.causation_id,
                event=_READERS[current](event, _CLASSES[current]),
            )
        except _UNREADABLE:
            raise self._unreadable(stream, version, name, state) from None

    def recorded_at(self, stream: str, version: int, name: str, state: bytes) -> datetime:
        """When one row of the journal was recorded; its event is not read, which would take much longer.

        Raises:
            MapperDeserialisationError: when this release cannot read the envelope.
        """
        try:
            return read_instant(_DECODER.decode(state).recorded_at, datetime)
        except _UNREADABLE:
            raise self._unreadable(stream, version, name, state) from None

    def _unreadable(self, stream: str, version: int, name: str, state: bytes) -> MapperDeserialisationError:
        return MapperDeserialisationError(
            f"cannot read {name} of stream {stream}, version {version}: {self._fault(stream, name, state)}; "
            "it is damaged, or a later release wrote it: read it with that release"
        )

    def _present(self, stream: str, name: str, event: Fields) -> tuple[str, Fields]:
        """The event opened and lifted to its present version, with that version's wire name."""
        if paths := _PERSONAL[name]:
            opened(event, paths, self._seal, stream)
        older = OLDER_VERSIONS.get(name)
        while older is not None:
            name, event = older.successor, older.lift(event)
            older = OLDER_VERSIONS.get(name)
        return name, event

    def _fault(self, stream: str, name: str, state: bytes) -> str:
        """What is wrong with bytes that could not be read, found by reading them again step by step."""
        if name not in _PERSONAL:
            return "this release knows no event of that name"
        try:
            held = _DECODER.decode(state)
            read_instant(held.recorded_at, datetime)
        except _UNREADABLE:
            return "its envelope is not event_id, recorded_at, correlation_id, causation_id and event as JSON"
        try:
            current, event = self._present(stream, name, held.event)
        except DamagedSeal as damaged:
            return str(damaged)
        except KeyError as missing:
            return f"key event.{missing.args[0]} is missing"
        except _UNREADABLE:
            return "a value is of another kind than that version wrote"
        try:
            strict_converter(traces=True).structure(event, _CLASSES[current])
        except CattrsError as error:
            return _trace(error, "event")
        return "it cannot be read"


def _wrong_field(event: Event) -> str:
    """The first field of an event that cannot be written, and the rule that it breaks."""
    for each in fields(type(event)):
        try:
            _CONVERTER.unstructure(getattr(event, each.name), unstructure_as=each.type)
        except WrongKind as error:
            return f"{each.name} {error}"
        except _UNWRITABLE:
            return f"{each.name} must be what the class declares"
    return "cannot be written"


def _trace(error: BaseException, path: str) -> str:
    """The first key that is wrong below `path`, and the rule that it breaks."""
    if isinstance(error, BaseValidationError):
        inner = error.exceptions[0]
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                path = f"{path}.{note.name}"
        return _trace(inner, path)
    if isinstance(error, ForbiddenExtraKeysError):
        return f"key {path}.{min(error.extra_fields)} is unknown"
    if isinstance(error, KeyError):
        return f"key {path} is missing"
    if isinstance(error, WrongKind):
        return f"key {path} {error}"
    return f"key {path} cannot be read"
