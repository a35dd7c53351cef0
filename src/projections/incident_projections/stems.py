"""The words of a text, and the stem that stands for all forms of a word, in English and in Spanish.

A text is not asked for its language: texts of a service desk are short and mix the two.  A word goes through
the English stemmer and then through the Spanish one, each of which leaves alone most of what the other knows.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from snowballstemmer.english_stemmer import EnglishStemmer
from snowballstemmer.spanish_stemmer import SpanishStemmer

_MOST_WORDS: Final = 100
_WORD: Final = re.compile(r"\w{3,}")

_ENGLISH: Final = (
    "and any are been but can cannot could did does for from had has have her him his how its not now our out"
    " she some than that the their them then there they this those too very was were what when where which"
    " while who why will with would you your"
)
_SPANISH: Final = (
    "algo algun aqui asi como con cual cuando del desde donde dos ella ellas ellos entre era eran ese eso"
    " esta estaba estan estas este esto estos fue fueron hace hacia han hasta hay las les los mas mis"
    " mucho muy nada ninguna ninguno nos nosotros otra otro para pero poco por porque que quien sea ser"
    " sin sobre solo son sus tambien tan tanto tengo tiene tienen toda todas todo todos tras una unas uno"
    " unos usted"
)
_STOP_WORDS: Final = frozenset([*_ENGLISH.split(), *_SPANISH.split()])


def folded(text: str) -> str:
    """The text without case, accents and outer blanks, for comparing."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each)).strip()


def stems(text: str) -> Mapping[str, str]:
    """The stems of a text, each with the word that it comes from, in lower case.

    All forms of a word have one stem: `printers`, `printed` and `printing`; `impresora` and `impresoras`.
    Accents make no difference, since people leave them out.

    Words have three characters or more and are no English or Spanish stop words; of several with one stem
    the first stands for all.  Of a long text only a hundred words count, the longest: long words are rare,
    and rare ones tell texts apart.
    """
    written = dict.fromkeys(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))
    found = {word: stem for word in written if (stem := _stem(word)) is not None}
    if len(found) > _MOST_WORDS:
        longest = set(sorted(found, key=lambda word: (-len(word), word))[:_MOST_WORDS])
        found = {word: stem for word, stem in found.items() if word in longest}
    said: dict[str, str] = {}
    for word, stem in found.items():
        said.setdefault(stem, word)
    return said


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str | None:
    plain = folded(word)
    if plain in _STOP_WORDS:
        return None
    # A stemmer holds the word that it works on: one for each call, so that threads do not meet in it.
    english: Any = EnglishStemmer()
    spanish: Any = SpanishStemmer()
    return str(spanish.stemWord(english.stemWord(plain)))
