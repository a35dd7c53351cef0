"""A priority matrix as a file that people write (P2.1): TOML or JSON, a table for each impact."""

from pathlib import Path

import msgspec

from incident_adapters.written_file import UNREADABLE, read_written
from incident_domain.priority import Impact, Priority, Urgency
from incident_projections.what_if import Matrix


class BadMatrix(ValueError):
    """A file does not hold a priority matrix; the message names the file, the place in it and the rule."""

    def __init__(self, file: Path, rule: str) -> None:
        super().__init__(f"{file}: {rule}")
        self.file = file
        self.rule = rule

    def __reduce__(self) -> tuple[type["BadMatrix"], tuple[Path, str]]:
        return type(self), (self.file, self.rule)


class _OfAnImpact(msgspec.Struct, forbid_unknown_fields=True):
    """The priorities of one impact, by urgency."""

    high: Priority
    medium: Priority
    low: Priority


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The tables of a file, by impact."""

    high: _OfAnImpact
    medium: _OfAnImpact
    low: _OfAnImpact


def read_priority_matrix(file: Path) -> Matrix:
    """The matrix in a UTF-8 file, `.toml` or `.json`: for each impact and urgency a priority from 1 to 5.

    Raises:
        BadMatrix: when the file holds anything else, when a pair is missing too.
        OSError: when the file cannot be read.
    """
    held = file.read_bytes()
    try:
        read = read_written(file, held, _File)
    except UNREADABLE as wrong:
        raise BadMatrix(file, str(wrong)) from None
    return {
        (impact, urgency): getattr(getattr(read, impact.value), urgency.value)
        for impact in Impact
        for urgency in Urgency
    }
