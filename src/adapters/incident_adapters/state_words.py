"""What the fields of a state hold: as plain data for programs, and that written for people."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, cast

from attrs import AttrsInstance, fields, has

from incident_projections.describe import duration

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
"""What JSON can hold."""


def plain(value: object) -> Plain:
    """A value as JSON can hold it: an event with its kind, a set as a list in a fixed order, times in UTC.

    Raises:
        TypeError: for what no state holds.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return f"{value.isoformat().removesuffix('+00:00')}Z"
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, frozenset):
        return sorted((plain(each) for each in cast("Iterable[object]", value)), key=str)
    if isinstance(value, tuple):
        return [plain(each) for each in cast("Iterable[object]", value)]
    if isinstance(value, Mapping):
        held = cast("Mapping[object, object]", value)
        return {str(key): plain(each) for key, each in held.items()}
    kind = cast("type[AttrsInstance]", type(value))
    if not has(kind):
        raise TypeError(f"a state holds no {kind.__name__}")
    return {"is": kind.__name__, **{each.name: plain(getattr(value, each.name)) for each in fields(kind)}}


def written(value: Plain) -> str:
    """Plain data in a line of words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(written, value)) or "nothing"
    if isinstance(value, dict):
        told = {key: each for key, each in value.items() if key != "is" and each is not None}
        held = ", ".join(f"{key} {written(each)}" for key, each in told.items())
        return f"{value['is']} ({held})" if "is" in value else held
    return str(value)
