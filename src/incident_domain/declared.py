"""Whether a command holds what its fields declare, so that no decision meets anything else.

A text that is given in the place of a tuple would be taken for its letters, a list could be changed after
the decision, and what one store cannot keep would stop its views: all of it is refused before it is decided.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Final, NewType, TypeAlias, Union, get_args, get_origin, get_type_hints

from attrs import AttrsInstance, fields, has

from incident_domain.validation import InvalidValue, storable

LONGEST_IDENTIFIER: Final = 200
"""Characters: what every index of every store takes, whatever the letters."""

_Check: TypeAlias = Callable[[str, Any], None]
"""Looks at the value of a field, which is named by the way down to it."""

_NO_OFFSET: Final = timedelta(0)


def as_declared(command: AttrsInstance) -> None:
    """Refuse a command with a value of another kind than its field declares, however deep it lies.

    Raises:
        InvalidValue: naming the way down to the value, such as `customer.name`.
    """
    for name, check in _fields_of(type(command)):
        check(name, getattr(command, name))


@cache
def _fields_of(kind: type[AttrsInstance]) -> tuple[tuple[str, _Check], ...]:
    declared = get_type_hints(kind)
    return tuple((each.name, _check_of(declared[each.name])) for each in fields(kind))


def _check_of(declared: Any) -> _Check:
    arguments = get_args(declared)
    if isinstance(declared, NewType):
        return _identifier
    if get_origin(declared) in {Union, UnionType}:
        [inner] = [each for each in arguments if each is not NoneType]
        return partial(_optional, _check_of(inner))
    if get_origin(declared) is tuple:
        return partial(_each, _check_of(arguments[0]))
    if declared is str:
        return _text
    if declared is datetime:
        return _instant
    if declared is date:
        return _date
    if has(declared):
        return partial(of_kind, declared)
    return partial(_exactly, declared)


def _optional(check: _Check, path: str, value: object) -> None:
    if value is not None:
        check(path, value)


def _each(check: _Check, path: str, value: Any) -> None:
    _exactly(tuple, path, value)
    for one in value:
        check(path, one)


def of_kind(kind: type[AttrsInstance], path: str, value: object) -> None:
    """Refuse a value that is not of the kind, or that holds what the kind's fields do not declare.

    Raises:
        InvalidValue: naming the way down to what is wrong, which begins with `path`.
    """
    _exactly(kind, path, value)
    for name, check in _fields_of(kind):
        check(f"{path}.{name}", getattr(value, name))


def _identifier(path: str, value: Any) -> None:
    _text(path, value)
    if len(value) > LONGEST_IDENTIFIER:
        raise InvalidValue(path, f"must have at most {LONGEST_IDENTIFIER} characters; give a shorter one")


def _text(path: str, value: Any) -> None:
    _exactly(str, path, value)
    storable(path, value)


def _instant(path: str, value: object) -> None:
    if not isinstance(value, datetime) or value.utcoffset() != _NO_OFFSET:
        raise InvalidValue(path, "must be a datetime in UTC")


def _date(path: str, value: object) -> None:
    # An instant is a date too, to Python, and belongs to no single day.
    if type(value) is not date:
        raise InvalidValue(path, "must be a date without a time")


def _exactly(kind: type[Any], path: str, value: object) -> None:
    if type(value) is not kind:
        raise InvalidValue(path, f"must be of the type {kind.__name__} itself")
