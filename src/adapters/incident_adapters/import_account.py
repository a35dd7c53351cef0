"""What became of the rows of an import: every row has exactly one outcome."""

from collections.abc import Iterable, Mapping
from typing import Self

from attrs import frozen

_RECORDED = "recorded"
_DEVIATING = "deviating"
_UNCHANGED = "unchanged"
_REFUSED = "refused/"
_CLAUSE = "clause/"


@frozen
class ImportAccount:
    """The totals of an import, as `RowsImported.account` holds them."""

    totals: Mapping[str, int]

    @property
    def rows(self) -> int:
        """All rows: recorded, deviating, unchanged and refused ones together."""
        return self.recorded + self.deviating + self.unchanged + sum(self.refused.values())

    @property
    def recorded(self) -> int:
        """Rows that were recorded and broke no rule of the process."""
        return self.totals.get(_RECORDED, 0)

    @property
    def deviating(self) -> int:
        """Rows that were recorded with at least one deviation from the process."""
        return self.totals.get(_DEVIATING, 0)

    @property
    def unchanged(self) -> int:
        """Rows that say nothing new."""
        return self.totals.get(_UNCHANGED, 0)

    @property
    def refused(self) -> dict[str, int]:
        """Rows that were not recorded but kept word for word, by the code of the reason."""
        return self._under(_REFUSED)

    @property
    def deviations(self) -> dict[str, int]:
        """Deviating rows by clause; a row that broke several clauses counts under each."""
        return self._under(_CLAUSE)

    def with_recorded(self, clauses: Iterable[str]) -> Self:
        """One more row that was recorded, with deviations from these clauses."""
        broken = sorted(set(clauses))
        return self._with(_DEVIATING if broken else _RECORDED, *(_CLAUSE + clause for clause in broken))

    def with_unchanged(self) -> Self:
        """One more row that says nothing new."""
        return self._with(_UNCHANGED)

    def with_refused(self, code: str) -> Self:
        """One more row that could not be recorded."""
        return self._with(_REFUSED + code)

    def _with(self, *keys: str) -> Self:
        return type(self)({**self.totals, **{key: self.totals.get(key, 0) + 1 for key in keys}})

    def _under(self, prefix: str) -> dict[str, int]:
        return {
            key.removeprefix(prefix): count
            for key, count in sorted(self.totals.items())
            if key.startswith(prefix)
        }
