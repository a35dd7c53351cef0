"""What a command's fields must be before any decision looks at them.

A value that breaks a rule here raises `InvalidValue`, which names the field, the rule and the way out.
The offending value itself is never repeated: it may be personal data.
"""

from datetime import UTC, datetime
from typing import Any

from attrs import Attribute, Converter


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
    if "\x00" in value:
        raise InvalidValue(attribute.name, "must not hold a NUL character; remove it")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValue(attribute.name, "must be valid Unicode; remove the lone surrogates") from None


def optional_text(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """Like `filled`, for a text that may be left out altogether (None).

    Raises:
        InvalidValue: when a text is given but blank or unstorable.
    """
    if value is not None:
        filled(_, attribute, value)


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


def _in_utc(value: datetime, attribute: "Attribute[Any]") -> datetime:
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValue(attribute.name, "must be a datetime")
    if value.tzinfo is None:
        raise InvalidValue(attribute.name, "must name its time zone, for example datetime.now(timezone.utc)")
    return value.astimezone(UTC)


def _in_utc_if_any(value: datetime | None, attribute: "Attribute[Any]") -> datetime | None:
    return None if value is None else _in_utc(value, attribute)


utc = Converter(_in_utc, takes_field=True)
"""Takes an instant in any zone and keeps it in UTC; raises `InvalidValue` when it names no zone."""

optional_utc = Converter(_in_utc_if_any, takes_field=True)
"""Like `utc`, for an instant that may be left out (None)."""
