"""How each kind of value in an event is written and read: one cattrs hook a kind, strict both ways.

A value of another kind than declared is refused when it is written as well as when it is read: bytes that
cannot be read would stand in the journal forever.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from functools import cache, lru_cache, partial
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

from attrs import NOTHING, Attribute, fields, has, resolve_types
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn_from_attrs  # pyright: ignore[reportUnknownVariableType]

from incident_domain.actor import Actor

Hook: TypeAlias = Callable[[Any, Any], Any]
"""How cattrs calls whatever reads a value: with the value and its declared type."""

_INSTANT_LENGTH = len("2026-01-02T03:04:05.000006Z")
_DATE_LENGTH = len("2026-01-02")
_NO_OFFSET = timedelta(0)
_INT_LIMIT = 2**63


class WrongKind(ValueError):
    """A value is not what its field declares; the message says what it must be, never what it is."""


def strict_converter(*, traces: bool) -> Converter:
    """A converter that refuses extra keys, missing keys and values of another kind.

    With `traces` its errors say where the value stands, which costs time on every value.
    """
    made = Converter(detailed_validation=traces, forbid_extra_keys=True)
    made.register_structure_hook(str, _read_text)
    made.register_unstructure_hook(str, _written_text)
    made.register_structure_hook(int, _read_int)
    # Registered as a class, int would also write every IntEnum.
    made.register_unstructure_hook_func(_is_int, _written_int)
    made.register_structure_hook(datetime, read_instant)
    made.register_unstructure_hook(datetime, written_instant)
    made.register_structure_hook(date, _read_date)
    made.register_unstructure_hook(date, _written_date)
    made.register_structure_hook(Decimal, _read_decimal)
    made.register_unstructure_hook(Decimal, _written_decimal)
    # An IntEnum is nearer to itself than to int, which would read it otherwise.
    made.register_structure_hook(IntEnum, _read_enum)
    made.register_structure_hook(Enum, _read_enum)
    made.register_unstructure_hook_factory(_is_enum, _enum_writer)
    made.register_structure_hook_factory(_is_tuple, partial(_tuple_reader, made))
    made.register_structure_hook_factory(_is_optional, partial(_optional_reader, made))
    made.register_structure_hook_factory(has, partial(_class_reader, made))
    if not traces:
        made.register_structure_hook(Actor, _actor_reader(_class_reader(made, Actor)))
    return made


def written_instant(value: Any) -> str:
    """An instant as the journal keeps it: UTC, microseconds, for example `2026-01-02T03:04:05.000006Z`.

    Raises:
        WrongKind: when it is no instant, or not in UTC.
    """
    if not isinstance(value, datetime) or value.utcoffset() != _NO_OFFSET:
        raise WrongKind("must be a datetime in UTC")
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def read_instant(value: Any, _: Any) -> datetime:
    """The instant that was written.

    Raises:
        WrongKind: when it is written in any other way than `written_instant` does.
    """
    if type(value) is not str or len(value) != _INSTANT_LENGTH or value[-1] != "Z":
        raise WrongKind("must be an instant in UTC with microseconds")
    return datetime.fromisoformat(value)


def _written_date(value: Any) -> str:
    # An instant is a date too, to Python.
    if type(value) is not date:
        raise WrongKind("must be a date")
    return value.isoformat()


def _read_date(value: Any, _: Any) -> date:
    if type(value) is not str or len(value) != _DATE_LENGTH or value[4] != "-":
        raise WrongKind("must be a date, such as 2026-01-02")
    return date.fromisoformat(value)


def _written_text(value: Any) -> str:
    if type(value) is not str:
        raise WrongKind("must be a text")
    return value


def _read_text(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise WrongKind("must be a text")
    return value


def _written_int(value: Any) -> int:
    if type(value) is not int or not -_INT_LIMIT <= value < _INT_LIMIT:
        raise WrongKind("must be a whole number of at most 64 bits")
    return value


def _read_int(value: Any, _: Any) -> int:
    return _written_int(value)


def _is_int(kind: Any) -> bool:
    return kind is int


def _read_decimal(value: Any, _: Any) -> Decimal:
    if type(value) is not str:
        raise WrongKind("must be a decimal number written as a text")
    number = Decimal(value)
    if str(number) != value or not number.is_finite():
        raise WrongKind("must be a finite decimal number, written as str() writes it")
    return number


def _written_decimal(value: Any) -> str:
    if type(value) is not Decimal or not value.is_finite():
        raise WrongKind("must be a finite Decimal")
    return str(value)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


@cache
def _members(kind: type[Enum]) -> dict[tuple[type, Any], Enum]:
    """The members by their values; the type belongs to the key, since True equals 1."""
    return {(type(each.value), each.value): each for each in kind}


def _read_enum(value: object, kind: Any) -> Any:
    members = _members(kind)
    member = members.get((type(value), value))
    if member is None:
        raise WrongKind(f"must be one of the {len(members)} values of {kind.__name__}")
    return member


def _enum_writer(kind: type[Enum]) -> Callable[[Any], Any]:
    def write(member: Any) -> Any:
        if type(member) is not kind:
            raise WrongKind(f"must be a member of {kind.__name__}")
        return member.value

    return write


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple_reader(converter: Converter, kind: Any) -> Hook:
    """Reads `tuple[X, ...]` and `tuple[X, Y]` from an array, and from nothing that merely can be iterated."""
    args = get_args(kind)
    inner = [(each, converter.get_structure_hook(each)) for each in args if each is not Ellipsis]
    if len(args) == 2 and args[1] is Ellipsis:
        [(element, hook)] = inner

        def read_many(value: list[Any], _: Any) -> tuple[Any, ...]:
            if type(value) is not list:
                raise WrongKind("must be an array")
            return tuple([hook(each, element) for each in value])

        return read_many

    def read_fixed(value: list[Any], _: Any) -> tuple[Any, ...]:
        if type(value) is not list or len(value) != len(inner):
            raise WrongKind(f"must be made of arrays of {len(inner)}")
        return tuple([hook(each, element) for each, (element, hook) in zip(value, inner, strict=True)])

    return read_fixed


def _is_optional(kind: Any) -> bool:
    args = get_args(kind)
    return get_origin(kind) in {Union, UnionType} and len(args) == 2 and NoneType in args


def _optional_reader(converter: Converter, kind: Any) -> Hook:
    [inner] = [each for each in get_args(kind) if each is not NoneType]
    hook = converter.get_structure_hook(inner)

    def read(value: Any, _: Any) -> Any:
        return None if value is None else hook(value, inner)

    return read


def _class_reader(converter: Converter, kind: type[Any]) -> Hook:
    """Reads an attrs class from an object with exactly its keys; no default stands in for a missing key."""
    resolve_types(kind)
    required: list[Attribute[Any]] = [each.evolve(default=NOTHING) for each in fields(kind)]
    return make_dict_structure_fn_from_attrs(required, kind, converter)


def _actor_reader(read: Hook) -> Hook:
    """Makes each actor once: a few people do all the work, and checking them anew is what costs time."""

    @lru_cache(maxsize=4096)
    def actor(*items: tuple[str, Any]) -> Actor:
        made: Actor = read(dict(items), Actor)
        return made

    return lambda value, _: actor(*value.items())
