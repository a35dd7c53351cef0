"""Configuration items where there is no configuration management database to ask (P1.7)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from incident_adapters.catalogue_file import rows_of
from incident_domain.events import ConfigurationItem


class ListedConfigurationItems:
    """Configuration items held in memory; implements `incident_domain.ports.ConfigurationItems`."""

    def __init__(self, items: Iterable[ConfigurationItem]) -> None:
        self._items = {each.item: each for each in items}

    @classmethod
    def from_file(cls, file: Path) -> Self:
        """The items of a CSV or JSON file with the columns `item`, `name` and `kind`, as it is now.

        Raises:
            BadCatalogue: naming file, line, column and rule.
            OSError: when the file cannot be read.
        """
        rows = rows_of(file, ("item", "name", "kind"))
        return cls(ConfigurationItem(**each.values) for each in rows)

    def find(self, item: str) -> ConfigurationItem | None:
        """The item of that identifier, or None where there is none."""
        return self._items.get(item)

    def search(self, text: str) -> list[ConfigurationItem]:
        """The items in whose identifier, name or kind the text occurs, in any case of its letters."""
        wanted = text.casefold()

        def fits(each: ConfigurationItem) -> bool:
            return any(wanted in value.casefold() for value in (each.item, each.name, each.kind))

        return [each for each in self._items.values() if fits(each)]
