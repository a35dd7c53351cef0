"""What process mining asks of an event: its activity, the objects it names, and what changed on them.

Everything follows from what the event classes declare, so that a new event needs nothing here.  A field that
is declared personal is no part of it: people are told apart by their identifiers alone.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from attrs import frozen, has

from incident_domain.actor import GroupId, PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    WIRE_NAMES,
    Classified,
    ConfigurationItem,
    CustomerCorrected,
    Event,
    IncidentId,
    IncidentRegistered,
    KnownErrorId,
    NumberAssigned,
    Prioritised,
    ProblemRecorded,
)
from incident_domain.personal import personal_fields
from incident_projections.view import INCIDENT_EVENTS, KNOWLEDGE_EVENTS

_KNOWN_ERROR_STREAM: Final = "known-error-"

Value: TypeAlias = str | int | bool | datetime
"""What an attribute holds in a format of process mining."""


class ObjectKind(Enum):
    """The kinds of object that events are about."""

    INCIDENT = "incident"
    GROUP = "group"
    PERSON = "person"
    CONFIGURATION_ITEM = "configuration item"
    KNOWN_ERROR = "known error"


class ValueKind(Enum):
    """The kinds of value, by their names in OCEL."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"


@frozen
class MinedObject:
    """Something that lives through several events; `name` is its identifier among those of its kind."""

    kind: ObjectKind
    name: str

    @property
    def key(self) -> str:
        """An identifier among objects of every kind."""
        return f"{self.kind.value}:{self.name}"


@frozen
class Relation:
    """An object that an event names; `qualifier` says as what: the field that names it, or `subject`."""

    object: MinedObject
    qualifier: str


@frozen
class AttributeChange:
    """An attribute of an object that an event set."""

    object: MinedObject
    attribute: str
    value: Value


OBJECT_ATTRIBUTES: Final[Mapping[ObjectKind, Mapping[str, ValueKind]]] = {
    ObjectKind.INCIDENT: {
        "number": ValueKind.INTEGER,
        "organisation": ValueKind.STRING,
        "category": ValueKind.STRING,
        "subcategory": ValueKind.STRING,
        "impact": ValueKind.STRING,
        "urgency": ValueKind.STRING,
        "priority": ValueKind.INTEGER,
    },
    ObjectKind.GROUP: {},
    ObjectKind.PERSON: {},
    ObjectKind.CONFIGURATION_ITEM: {"name": ValueKind.STRING, "kind": ValueKind.STRING},
    ObjectKind.KNOWN_ERROR: {"title": ValueKind.STRING},
}
"""The attributes of the objects of each kind; each has the value that the last event before gave it."""

_SET_BY: Final[Mapping[type[Event], Mapping[str, str]]] = {
    IncidentRegistered: {"organisation": "customer.organisation"},
    CustomerCorrected: {"organisation": "customer.organisation"},
    NumberAssigned: {"number": "number"},
    Classified: {"category": "category", "subcategory": "subcategory"},
    Prioritised: {"impact": "impact", "urgency": "urgency", "priority": "priority"},
    ProblemRecorded: {"title": "title"},
}
"""Which attributes of its subject an event sets, and the field that holds the value."""

_KIND_OF_NAME: Final[Mapping[Any, ObjectKind]] = {
    IncidentId: ObjectKind.INCIDENT,
    GroupId: ObjectKind.GROUP,
    PersonId: ObjectKind.PERSON,
    KnownErrorId: ObjectKind.KNOWN_ERROR,
}


@frozen
class _Leaf:
    """A field of an event, or of a value in it."""

    path: str
    read: Callable[[Any], Any]


def activity(event: Event) -> str:
    """What was done: the wire name without its version, such as `incident.resolved`."""
    return WIRE_NAMES[type(event)].rpartition(".")[0]


def subject(recorded: Recorded) -> MinedObject | None:
    """The incident or the known error that an event happened to; None for what process mining leaves out."""
    kind = type(recorded.event)
    if kind in INCIDENT_EVENTS:
        return MinedObject(ObjectKind.INCIDENT, recorded.stream)
    if kind in KNOWLEDGE_EVENTS:
        return MinedObject(ObjectKind.KNOWN_ERROR, recorded.stream.removeprefix(_KNOWN_ERROR_STREAM))
    return None


def relations(recorded: Recorded) -> list[Relation]:
    """The objects of an event, its subject first, each with every qualifier once."""
    about = subject(recorded)
    found = [] if about is None else [Relation(about, "subject")]
    for kind, leaf in _NAMES[type(recorded.event)]:
        name = _value(leaf, recorded.event)
        if name is not None and (named := MinedObject(kind, name)) != about:
            found.append(Relation(named, leaf.path))
    found.extend(Relation(_object_of(each), "item") for each in _items(recorded.event))
    return list(dict.fromkeys(found))


def changes(recorded: Recorded) -> Iterator[AttributeChange]:
    """The attributes that an event set, on its subject and on the configuration items in it."""
    about = subject(recorded)
    if about is not None:
        for attribute, path in _SET_BY.get(type(recorded.event), {}).items():
            value: Any = attrgetter(path)(recorded.event)
            if value is not None:
                yield AttributeChange(about, attribute, _plain(value))
    for item in _items(recorded.event):
        yield AttributeChange(_object_of(item), "name", item.name)
        yield AttributeChange(_object_of(item), "kind", item.kind)


def value_kinds(kind: type[Event]) -> Mapping[str, ValueKind]:
    """The attributes that events of a class can have: fields that hold one value and name no object."""
    return {leaf.path: value for leaf, value in _VALUES[kind]}


def values(event: Event) -> dict[str, Value]:
    """The attributes of an event, without those that hold nothing."""
    found = ((leaf.path, _value(leaf, event)) for leaf, _ in _VALUES[type(event)])
    return {path: _plain(value) for path, value in found if value is not None}


def _names(kind: type[Event]) -> tuple[tuple[ObjectKind, _Leaf], ...]:
    """The fields that name an object."""
    return tuple(
        (_KIND_OF_NAME[declared], _Leaf(_qualifier(path), attrgetter(".".join(path))))
        for path, declared in _leaves(kind)
        if declared in _KIND_OF_NAME
    )


def _values(kind: type[Event]) -> tuple[tuple[_Leaf, ValueKind], ...]:
    found: list[tuple[_Leaf, ValueKind]] = []
    for path, declared in _leaves(kind):
        value = _value_kind(declared)
        if path != ("occurred_at",) and declared not in _KIND_OF_NAME and value is not None:
            found.append((_Leaf("_".join(path), attrgetter(".".join(path))), value))
    return tuple(found)


def _leaves(kind: type[Any], way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every field of a class and of the classes in it that is not personal, with its declared type."""
    hidden = personal_fields(kind)
    for name, declared in get_type_hints(kind).items():
        inner = _without_none(declared)
        if name in hidden:
            continue
        if isinstance(inner, type) and has(inner):
            yield from _leaves(inner, (*way, name))
        else:
            yield (*way, name), inner


def _without_none(declared: Any) -> Any:
    if get_origin(declared) not in {Union, UnionType}:
        return declared
    [inner] = [each for each in get_args(declared) if each is not NoneType]
    return inner


def _qualifier(path: tuple[str, ...]) -> str:
    """The field; of an actor or a customer, the one who acts or is the customer: `by`, `by_group`."""
    return path[0] if path[1:] == ("person",) else "_".join(path)


def _value(leaf: _Leaf, event: Event) -> Any:
    try:
        return leaf.read(event)
    except AttributeError:
        # A value that holds others may be left out as a whole.
        return None


def _value_kind(declared: Any) -> ValueKind | None:
    declared = getattr(declared, "__supertype__", declared)
    if not isinstance(declared, type):
        return None
    if issubclass(declared, Enum):
        return _value_kind(type(next(iter(declared)).value))
    if issubclass(declared, datetime):
        return ValueKind.TIME
    if issubclass(declared, bool):
        return ValueKind.BOOLEAN
    if issubclass(declared, int):
        return ValueKind.INTEGER
    return ValueKind.STRING if issubclass(declared, str | Decimal | date) else None


def _plain(value: Any) -> Value:
    match value:
        case Enum():
            return _plain(value.value)
        case bool() | int() | str() | datetime():
            return value
        case _:
            return str(value)


def _items(event: Event) -> tuple[ConfigurationItem, ...]:
    return tuple(
        item
        for name in _ITEMS[type(event)]
        for item in getattr(event, name)
        if isinstance(item, ConfigurationItem)
    )


def _with_items(kind: type[Event]) -> tuple[str, ...]:
    """The fields that hold configuration items."""
    declared = get_type_hints(kind).items()
    return tuple(name for name, each in declared if ConfigurationItem in get_args(each))


def _object_of(item: ConfigurationItem) -> MinedObject:
    return MinedObject(ObjectKind.CONFIGURATION_ITEM, item.item)


_NAMES: Final = {kind: _names(kind) for kind in WIRE_NAMES}
_VALUES: Final = {kind: _values(kind) for kind in WIRE_NAMES}
_ITEMS: Final = {kind: _with_items(kind) for kind in WIRE_NAMES}
