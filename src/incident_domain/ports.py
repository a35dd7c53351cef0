"""What the process asks of systems outside: configuration items (P1.7) and planned changes (P3.6, P4.1).

An integrator plugs in a real configuration management database or change calendar by giving the service desk
an object with these methods.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from attrs import field, frozen

from incident_domain.events import ConfigurationItem
from incident_domain.validation import aware, filled, utc


@frozen(kw_only=True)
class PlannedChange:
    """A change that is planned or under way; both instants are in UTC."""

    change: str = field(validator=filled)
    title: str = field(validator=filled)
    starts_at: datetime = field(converter=utc, validator=aware)
    ends_at: datetime = field(converter=utc, validator=aware)


class ConfigurationItems(Protocol):
    """The configuration management database (P1.7)."""

    def find(self, item: str) -> ConfigurationItem | None:
        """The item of that identifier, or None where there is none."""
        ...

    def search(self, text: str) -> Sequence[ConfigurationItem]:
        """The items in whose identifier, name or kind the text occurs, in any case of its letters."""
        ...


class PlannedChanges(Protocol):
    """The calendar of changes (P3.6)."""

    def find(self, change: str) -> PlannedChange | None:
        """The change of that identifier, or None where there is none."""
        ...

    def between(self, start: datetime, end: datetime) -> Sequence[PlannedChange]:
        """The changes under way at any time from `start` until before `end`, the earliest first."""
        ...
