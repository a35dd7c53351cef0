"""What a command's fields must be before any decision looks at them.

A value that breaks a rule here raises `InvalidValue`, which names the field, the rule and the way out.
The offending value itself is never repeated: it may be personal data.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from attrs import Attribute

_NO_OFFSET: Final = timedelta(0)


class InvalidValue(ValueError):
    """A field does not hold what its meaning demands.

    `field` is the field's name and `rule` the sentence that says what it must hold.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule

    def __reduce__(self) -> tuple[type["InvalidValue"], tuple[str, str]]:
        return type(self), (self.field, self.rule)


def filled(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse anything but a text with at least one visible character.

    Raises:
        InvalidValue: for another type, for a blank text, and for one with a NUL or a lone surrogate,
            which no store can keep byte for byte.
    """
    if not isinstance(value, str):
        raise InvalidValue(attribute.name, "must be a text")
    if not value.strip():
        raise InvalidValue(attribute.name, "must not be blank; say it in at least one word")
    storable(attribute.name, value)


def optional_text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `filled`, for a text that may be left out altogether (None).

    Raises:
        InvalidValue: when a text is given but blank or unstorable.
    """
    if value is not None:
        filled(_, attribute, value)


def storable(path: str, text: str) -> None:
    """Refuse a text that not every store can keep; `path` is the way down to it, such as `customer.name`.

    Raises:
        InvalidValue: when it holds a NUL or a lone surrogate.
    """
    if "\x00" in text:
        raise InvalidValue(path, "must not hold a NUL character; remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidValue(path, "must be valid Unicode; remove the lone surrogates") from None


def some(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse an empty collection.

    Raises:
        InvalidValue: when nothing is in it, or when it is not a tuple.
    """
    if not isinstance(value, tuple):
        raise InvalidValue(attribute.name, "must be a tuple")
    if not value:
        raise InvalidValue(attribute.name, "must name at least one")


def utc(value: datetime) -> datetime:
    """An instant in UTC, from one in any zone; `aware` refuses what this cannot bring there."""
    try:
        return value.astimezone(UTC) if _names_its_zone(value) else value
    except OverflowError:
        return value


def optional_utc(value: datetime | None) -> datetime | None:
    """Like `utc`, for an instant that may be left out (None)."""
    return None if value is None else utc(value)


def aware(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse an instant that names no time zone: nobody can say afterwards which one was meant.

    Raises:
        InvalidValue: when the zone is missing, when it is no datetime, and when UTC has no such year.
    """
    if not isinstance(value, datetime):
        raise InvalidValue(attribute.name, "must be a datetime")
    if not _names_its_zone(value):
        raise InvalidValue(attribute.name, "must name its time zone, for example datetime.now(timezone.utc)")
    if value.utcoffset() != _NO_OFFSET:
        raise InvalidValue(attribute.name, "must lie in the years 1 to 9999 of UTC; correct the year")


def optional_aware(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `aware`, for an instant that may be left out (None).

    Raises:
        InvalidValue: when an instant is given that names no zone.
    """
    if value is not None:
        aware(_, attribute, value)


def _names_its_zone(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None
