"""The languages of printed reports: words, numbers, lengths of time, shares and amounts.

A report is written in English, and its sentences are the keys of the other languages.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from attrs import frozen

from incident_adapters.report_spanish import SPANISH
from incident_domain.priority import Priority
from incident_projections.describe import words


class Language(Enum):
    """A language that reports are printed in, by its ISO 639-1 code."""

    EN = "en"
    ES = "es"


@frozen
class Wording:
    """How a report says things in a language."""

    language: Language

    def say(self, sentence: str, **values: object) -> str:
        """The sentence in the language, with the values in the places that it names.

        Raises:
            KeyError: for a sentence that nobody put into the language.
        """
        said = sentence if self.language is Language.EN else _SENTENCES[self.language][sentence]
        return said.format(**values) if values else said

    def word(self, value: Enum) -> str:
        """A member of an enumeration, to be read."""
        if isinstance(value, Priority):
            return f"{value.value} {self.say(value.name.lower())}"
        return self.say(words(value))

    def count(self, value: float) -> str:
        """A whole number with its thousands set apart, or another with one decimal."""
        return self._marked(f"{value:,}" if isinstance(value, int) else f"{value:,.1f}")

    def mark(self, value: float) -> str:
        """A number on an axis, with as many decimals as it has."""
        return self._marked(f"{value:,.10g}")

    def share(self, part: float, whole: float) -> str:
        """A part of a whole in percent; nothing where there is no whole."""
        return "" if not whole else self._marked(f"{100 * part / whole:.1f}") + " %"

    def amount(self, value: Decimal, currency: str) -> str:
        """An amount of money, exact."""
        return f"{self._marked(f'{value:,f}')} {currency}"

    def _marked(self, number: str) -> str:
        if self.language is Language.EN:
            return number
        return number.translate(str.maketrans(",.", ".,"))


_SENTENCES: Final[Mapping[Language, Mapping[str, str]]] = {Language.ES: SPANISH}


def moment(instant: datetime | None) -> str:
    """An instant to the minute, in UTC."""
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def length(time: timedelta | None) -> str:
    """A length of time by its two largest units, the same in every language here: `2 d 3 h`, `5 min`."""
    if time is None:
        return ""
    seconds = int(time.total_seconds())
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes or not seconds else f"{seconds} s"
