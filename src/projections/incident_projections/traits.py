"""What makes two records alike: services, configuration items, places, words, nearness in time (P1.8, P2.2).

Pure: from two sets of traits to a score, with a reason for each part of it.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from math import log2
from typing import Final

from attrs import frozen

SERVICE: Final = "service"
ITEM: Final = "item"
PLACE: Final = "place"
WORD: Final = "word"

WEIGHTS: Final[Mapping[str, float]] = {ITEM: 5.0, SERVICE: 3.0, PLACE: 1.5, WORD: 1.0}
"""How much a trait in common says, by its kind, before its rarity counts."""

NEAR: Final = timedelta(hours=4)
"""Incidents that began within this time of each other are near; nearness alone makes nothing alike."""

_NEARNESS: Final = 1.0

# No index takes values of any length; what is alike in so many characters is alike.
_LONGEST: Final = 100
_MOST_WORDS: Final = 100

_ENGLISH: Final = (
    "and any are been but can cannot could did does for from had has have her his how its not now our out she"
    " some than that the their them then there they this those too very was were what when where which while"
    " who why will with would you your"
)
_SPANISH: Final = (
    "algo algun aqui asi como con cual cuando del desde donde dos ella ellas ellos entre era eran ese eso"
    " esta estaba estan estas este esto estos fue fueron hace hacia han hasta hay las les los mas mis"
    " mucho muy nada ninguna ninguno nos nosotros otra otro para pero poco por porque que quien sea ser"
    " sin sobre solo son sus tambien tan tanto tengo tiene tienen toda todas todo todos tras una unas uno"
    " unos usted"
)
_STOP_WORDS: Final = frozenset([*_ENGLISH.split(), *_SPANISH.split()])


@frozen(kw_only=True)
class Reason:
    """Why two records are alike: `what` they share of a `kind`; `weight` is its part of the score."""

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


def folded(text: str) -> str:
    """The text without case, accents and outer blanks, for comparing."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each)).strip()


def words(text: str) -> frozenset[str]:
    """The words that say something: folded, of three characters or more, no English or Spanish stop words.

    Of a long text only the hundred longest are taken: long words are rare, and rare ones tell records apart.
    """
    found = set(re.findall(r"\w{3,}", folded(text))) - _STOP_WORDS
    return frozenset(sorted(found, key=lambda word: (-len(word), word))[:_MOST_WORDS])


def traits(kind: str, values: Iterable[str]) -> frozenset[str]:
    """The traits of one kind, as they stand in the index: the kind, a colon, the folded value."""
    return frozenset(f"{kind}:{folded(each)[:_LONGEST]}" for each in values if folded(each))


def likeness(
    common: Collection[str], spread: Mapping[str, int], apart: timedelta | None
) -> tuple[float, tuple[Reason, ...]]:
    """The score of two records, and its reasons, the heaviest first; the score is the sum of the weights.

    `common` are the traits that both have; `spread` says for each how many records have it: the more, the
    less it says.  `apart` is the time between the two beginnings, None where one is unknown.
    """
    found: list[Reason] = []
    for kind, weight in WEIGHTS.items():
        shared = sorted(each for each in common if each.startswith(f"{kind}:"))
        if shared:
            worth = sum(weight / (1 + log2(max(1, spread.get(each, 1)))) for each in shared)
            what = tuple(each.removeprefix(f"{kind}:") for each in shared)
            found.append(Reason(kind=kind, what=what, weight=round(worth, 6)))
    if found and apart is not None and abs(apart) <= NEAR:
        found.append(Reason(kind="time", what=(), weight=_NEARNESS))
    reasons = tuple(sorted(found, key=lambda each: (-each.weight, each.kind)))
    return round(sum(each.weight for each in reasons), 6), reasons
