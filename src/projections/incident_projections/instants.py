"""How an instant stands in a column: whole microseconds since 1970-01-01 00:00 UTC.

An integer is the same in every database, exact, in order, and quick to compare; it has no zone to lose.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """The column value of an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


def micros_if_any(instant: datetime | None) -> int | None:
    """The column value of an instant that may be missing."""
    return None if instant is None else micros(instant)


def instant(value: int) -> datetime:
    """The instant in UTC that a column value stands for."""
    # The quickest way that is exact, and a page of a queue takes it some hundred times.
    return _EPOCH + _MICROSECOND * value


def instant_if_any(value: int | None) -> datetime | None:
    """The instant that a column value stands for, if there is one."""
    return None if value is None else instant(value)
