"""What a command's fields must be before any decision looks at them.

A value that breaks a rule here raises `InvalidValue`, which names the field, the rule and the way out.
The offending value itself is never repeated: it may be personal data.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from attrs import fields, has

if TYPE_CHECKING:
    from attrs import Attribute


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
    storable(_, attribute, value)


def storable(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse a text that not every store can keep: NUL characters and lone surrogates.

    None is let through, so that optional texts can use the same rule.

    Raises:
        InvalidValue: when the text holds such a character, or is not a text.
    """
    if value is None:
        return
    if not isinstance(value, str):
        raise InvalidValue(attribute.name, "must be a text")
    _within(attribute.name, value)


def optional_text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `filled`, for a text that may be left out altogether (None).

    Raises:
        InvalidValue: when a text is given but blank or unstorable.
    """
    if value is not None:
        filled(_, attribute, value)


def storable_within(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `storable`, for every text within a value: in a tuple, or in the fields of an attrs class.

    Raises:
        InvalidValue: naming the field of the command and the way down to the text, such as `customer.name`.
    """
    _within(attribute.name, value)


def _within(path: str, value: object) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidValue(path, "must not hold a NUL character; remove it")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidValue(path, "must be valid Unicode; remove the lone surrogates") from None
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            _within(path, each)
    elif has(kind := type(value)):
        for inner in fields(kind):
            _within(f"{path}.{inner.name}", getattr(value, inner.name))


def some(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse an empty collection.

    Raises:
        InvalidValue: when nothing is in it, or when it is not a tuple.
    """
    if not isinstance(value, tuple):
        raise InvalidValue(attribute.name, "must be a tuple")
    if not value:
        raise InvalidValue(attribute.name, "must name at least one")


def not_negative(_: object, attribute: "Attribute[Any]", value: Any) -> None:
    """Refuse an amount below zero.

    Raises:
        InvalidValue: when it is below zero.
    """
    if value < 0:
        raise InvalidValue(attribute.name, "must not be below zero")


def utc(value: datetime) -> datetime:
    """An instant in UTC, from one in any zone; `aware` refuses what this cannot bring there."""
    return value.astimezone(UTC) if _names_its_zone(value) else value


def optional_utc(value: datetime | None) -> datetime | None:
    """Like `utc`, for an instant that may be left out (None)."""
    return None if value is None else utc(value)


def aware(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Refuse an instant that names no time zone: nobody can say afterwards which one was meant.

    Raises:
        InvalidValue: when the zone is missing, or when it is no datetime.
    """
    if not isinstance(value, datetime):
        raise InvalidValue(attribute.name, "must be a datetime")
    if not _names_its_zone(value):
        raise InvalidValue(attribute.name, "must name its time zone, for example datetime.now(timezone.utc)")


def optional_aware(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `aware`, for an instant that may be left out (None).

    Raises:
        InvalidValue: when an instant is given that names no zone.
    """
    if value is not None:
        aware(_, attribute, value)


def _names_its_zone(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None
