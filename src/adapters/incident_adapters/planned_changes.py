"""Planned changes where there is no change calendar to ask (P3.6, P4.1)."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Self

from incident_adapters.catalogue_file import BadCatalogue, Row, rows_of
from incident_domain.ports import PlannedChange
from incident_domain.validation import InvalidValue


class ListedPlannedChanges:
    """Planned changes held in memory; implements `incident_domain.ports.PlannedChanges`."""

    def __init__(self, changes: Iterable[PlannedChange]) -> None:
        self._changes = {each.change: each for each in sorted(changes, key=lambda each: each.starts_at)}

    @classmethod
    def from_file(cls, file: Path) -> Self:
        """The changes of a CSV or JSON file, as it is now.

        Its columns are `change`, `title`, `starts_at` and `ends_at`; both times are ISO 8601 with a zone.

        Raises:
            BadCatalogue: naming file, line, column and rule.
            OSError: when the file cannot be read.
        """
        rows = rows_of(file, ("change", "title", "starts_at", "ends_at"))
        return cls([_change(file, each) for each in rows])

    def find(self, change: str) -> PlannedChange | None:
        """The change of that identifier, or None where there is none."""
        return self._changes.get(change)

    def between(self, start: datetime, end: datetime) -> list[PlannedChange]:
        """The changes under way at any time from `start` until before `end`, the earliest first."""
        return [each for each in self._changes.values() if each.starts_at < end and each.ends_at > start]


def _change(file: Path, row: Row) -> PlannedChange:
    starts_at, ends_at = _instant(file, row, "starts_at"), _instant(file, row, "ends_at")
    try:
        planned = PlannedChange(
            change=row.values["change"], title=row.values["title"], starts_at=starts_at, ends_at=ends_at
        )
    except InvalidValue as error:
        raise BadCatalogue(file, row.line, error.field, error.rule) from None
    if planned.ends_at < planned.starts_at:
        raise BadCatalogue(file, row.line, "ends_at", "must not be before starts_at")
    return planned


def _instant(file: Path, row: Row, column: str) -> datetime:
    try:
        return datetime.fromisoformat(row.values[column])
    except ValueError:
        rule = "must be a time in ISO 8601 with a zone, for example 2026-03-02T22:00:00+01:00"
        raise BadCatalogue(file, row.line, column, rule) from None
