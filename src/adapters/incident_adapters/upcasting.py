"""Older versions of events, and how each becomes the next.

Bytes in the journal are never rewritten.  What an older release wrote is lifted, version by version, when it
is read.  An upcaster is a pure function from the event's old keys to its new ones.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from attrs import frozen

Fields: TypeAlias = dict[str, Any]
"""An event as JSON has it."""

Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a field, from the event inwards."""


@frozen(kw_only=True)
class Older:
    """One older version of an event.

    `successor` is the wire name of the next version and `lift` turns the one's keys into the other's.
    `personal` are the fields that held personal data then.
    """

    successor: str
    lift: Callable[[Fields], Fields]
    personal: tuple[Path, ...]


def _registered_v1_to_v2(old: Fields) -> Fields:
    """One text for how to reach the customer became two; until then only users reported."""
    customer = dict(old["customer"])
    contact: str = customer.pop("contact")
    by_email = "@" in contact
    return {
        **old,
        "reporter": {**old["reporter"], "capacity": "user"},
        "customer": {
            **customer,
            "telephone": None if by_email else contact,
            "email": contact if by_email else None,
        },
    }


OLDER_VERSIONS: Final[Mapping[str, Older]] = {
    "incident.registered.v1": Older(
        successor="incident.registered.v2",
        lift=_registered_v1_to_v2,
        personal=(
            ("reporter", "name"),
            ("customer", "name"),
            ("customer", "workplace"),
            ("customer", "contact"),
            ("summary",),
        ),
    ),
}
"""Every wire name that is read but no longer written."""
