"""The options with which a reading command looks at the past."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final, assert_never

from attrs import frozen
from cyclopts import Parameter
from rich.console import RenderableType
from rich.text import Text

from incident_adapters.cli_text import below_each_other
from incident_adapters.report_words import Language, Wording, moment
from incident_domain.validation import InvalidValue
from incident_projections.past import AsOf, OccurredBy, RecordedBy, UpTo


@Parameter(name="*", group="As of the past")
@frozen(kw_only=True)
class PastAsked:
    """Which past is asked for; none of them is the present.  A time without a zone is in UTC."""

    recorded: Annotated[
        datetime | None,
        Parameter(
            name="--as-of", show_default=False, help="What was known then: all recorded by an instant."
        ),
    ] = None
    occurred: Annotated[
        datetime | None,
        Parameter(
            name="--as-of-occurred",
            show_default=False,
            help="What was true then, as it is known now: all that had happened by an instant.",
        ),
    ] = None
    position: Annotated[
        int | None,
        Parameter(
            name="--as-of-position", show_default=False, help="The first events of the journal, so many."
        ),
    ] = None

    @property
    def asked(self) -> AsOf | None:
        """How far the question goes; None for the present.

        Raises:
            InvalidValue: when more than one is given, for a position below 1, and for an instant that UTC
                cannot name.
        """
        given: list[AsOf] = []
        if self.recorded is not None:
            with named_by("--as-of"):
                given.append(RecordedBy(at=_in_utc(self.recorded)))
        if self.occurred is not None:
            with named_by("--as-of-occurred"):
                given.append(OccurredBy(at=_in_utc(self.occurred)))
        if self.position is not None:
            with named_by("--as-of-position"):
                given.append(UpTo(position=self.position))
        if len(given) > 1:
            raise InvalidValue(
                "--as-of",
                "is one question: give --as-of, --as-of-occurred or --as-of-position, not several",
            )
        return given[0] if given else None

    def over(self, answer: RenderableType, language: Language = Language.EN) -> RenderableType:
        """The answer below the line that says of which past it is; one about the present stands alone."""
        asked = self.asked
        return answer if asked is None else below_each_other([Text(of_which(asked, language)), answer])


PRESENT: Final = PastAsked()


def option_of(asked: AsOf) -> str:
    """The option that asks so."""
    match asked:
        case RecordedBy():
            return "--as-of"
        case OccurredBy():
            return "--as-of-occurred"
        case UpTo():
            return "--as-of-position"
        case _:
            assert_never(asked)


def of_which(asked: AsOf, language: Language) -> str:
    """The sentence that keeps an answer about this past from being taken for one about the present."""
    say = Wording(language)
    match asked:
        case RecordedBy(at=at):
            return say.say("As it was known on {at}.", at=moment(at))
        case OccurredBy(at=at):
            return say.say("As it was on {at}, as far as it is known now.", at=moment(at))
        case UpTo(position=position):
            return say.say("As of position {position} of the journal.", position=position)
        case _:
            assert_never(asked)


@contextmanager
def named_by(option: str) -> Generator[None]:
    """Say of a value that cannot be by which option it was given, whatever a program calls it."""
    try:
        yield
    except InvalidValue as wrong:
        raise InvalidValue(option, wrong.rule) from None


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
