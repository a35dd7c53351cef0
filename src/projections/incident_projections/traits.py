"""What makes two records alike: services, configuration items, places, words, nearness in time (P1.8, P2.2).

Pure: from what two records have in common to a score, with a reason for each part of it.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import log2
from typing import Final, TypeAlias

from attrs import frozen

from incident_projections.stems import folded, stems

SERVICE: Final = "service"
ITEM: Final = "item"
PLACE: Final = "place"
WORD: Final = "word"

WEIGHTS: Final[Mapping[str, float]] = {ITEM: 5.0, SERVICE: 3.0, PLACE: 1.5, WORD: 1.0}
"""How much a trait in common says, by its kind, before its rarity counts."""

NEAR: Final = timedelta(hours=4)
"""Incidents that began within this time of each other are near; nearness alone makes nothing alike."""

Traits: TypeAlias = Mapping[str, str]
"""Traits as they stand in the index, `kind:value`, each with how the record says it."""

_NEARNESS: Final = 1.0

# No index takes values of any length; what is alike in so many characters is alike.
_LONGEST: Final = 100


@frozen(kw_only=True)
class Reason:
    """Why two records are alike: `what` they share of a `kind`; `weight` is its part of the score.

    What they share is put as the record says it that was asked about.
    """

    kind: str
    what: tuple[str, ...]
    weight: float

    def __str__(self) -> str:
        """Say it in words."""
        match self.kind:
            case "service":
                return f"same service {', '.join(self.what)}"
            case "item":
                return f"same configuration item {', '.join(self.what)}"
            case "place":
                return f"same place {', '.join(self.what)}"
            case "word":
                return f"words in common: {', '.join(self.what)}"
            case _:
                return "began near in time"


def named(kind: str, values: Iterable[str]) -> dict[str, str]:
    """The traits that names of one kind are: compared without case, accents and outer blanks."""
    said = (each.strip() for each in values)
    return {f"{kind}:{folded(each)[:_LONGEST]}": each[:_LONGEST] for each in said if folded(each)}


def worded(text: str) -> dict[str, str]:
    """The traits that the words of a text are: compared by their stems."""
    return {f"{WORD}:{stem[:_LONGEST]}": word[:_LONGEST] for stem, word in stems(text).items()}


def kind_of(trait: str) -> str:
    """The kind of a trait."""
    return trait.partition(":")[0]


def worth(trait: str, having: int, among: int) -> float:
    """How much it says that a record has a trait which `having` of `among` records have: the more, the less.

    The weight of its kind where it is the only one, and never nothing.
    """
    among = max(among, having)
    return WEIGHTS[kind_of(trait)] * log2(1 + among / having) / log2(1 + among)


def likeness(
    common: Traits, worths: Mapping[str, float], apart: timedelta | None
) -> tuple[float, tuple[Reason, ...]]:
    """The score of two records, and its reasons, the heaviest first; the score is the sum of the weights.

    `common` are the traits that both have, `worths` says how much each says.  `apart` is the time between
    the two beginnings, None where that says nothing.
    """
    found: list[Reason] = []
    for kind in WEIGHTS:
        shared = sorted(each for each in common if kind_of(each) == kind)
        if shared:
            weight = sum(worths[each] for each in shared)
            what = tuple(sorted(common[each] for each in shared))
            found.append(Reason(kind=kind, what=what, weight=round(weight, 6)))
    if found and apart is not None and abs(apart) <= NEAR:
        found.append(Reason(kind="time", what=(), weight=_NEARNESS))
    reasons = tuple(sorted(found, key=lambda each: (-each.weight, each.kind)))
    return round(sum(each.weight for each in reasons), 6), reasons
