"""Events of step 5, closure (P5.1 to P5.3), and of the ends that are no closure (X4 to X8)."""

from enum import Enum
from typing import Final, TypeAlias

from attrs import field, frozen

from incident_domain.events.event import Event
from incident_domain.personal import personal
from incident_domain.validation import InvalidValue

# From the first second of the year 1 to the last of 9999.
_LONGEST: Final = 315_537_897_599


class Satisfaction(Enum):
    """How content the customer said they were; it is unknown until stated (P5.2)."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


class Agreement(Enum):
    """What the closing rests on: the customer's word, their silence, or nothing that can be shown."""

    CONFIRMED = "confirmed"
    SILENCE = "silence"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class ConfirmationRequested(Event):
    """The customer was asked whether the resolution worked (P5.1); silence counts from here (X5)."""


@frozen(kw_only=True)
class ResolutionConfirmed(Event):
    """The customer said that the resolution worked (P5.1)."""


@frozen(kw_only=True)
class ResolutionRejected(Event):
    """The customer said that it did not work (P5.1); a reopening follows."""

    reason: str = personal()


@frozen(kw_only=True)
class Reopened(Event):
    """Work goes on after a resolution (P5.1, X7): an event and a count, not a state."""

    reason: str = personal()


@frozen(kw_only=True)
class RootCauseClassified(Event):
    """The incident was classified by its root cause (P5.2)."""

    category: str
    root_cause: str = personal()


@frozen(kw_only=True)
class RecordVerified(Event):
    """The service desk found the record of the actions accurate and understandable (P5.2)."""


@frozen(kw_only=True)
class SatisfactionRecorded(Event):
    """The customer said how content they were (P5.2)."""

    satisfaction: Satisfaction
    comment: str | None = personal(default=None)


def _between_instants(_: object, __: object, seconds: int) -> None:
    if not 0 <= seconds <= _LONGEST:
        raise InvalidValue("handling_seconds", "must be a time that can lie between two instants, 0 or more")


@frozen(kw_only=True)
class Closed(Event):
    """The end (P5.2, X8).

    `handling_seconds` is the time from registration to resolution in whole seconds; the time between a
    resolution and its reopening does not count.  It is computed by the decision, never typed in.

    Raises:
        InvalidValue: when no two instants lie that many seconds apart.
    """

    agreement: Agreement
    handling_seconds: int = field(validator=_between_instants)


@frozen(kw_only=True)
class Cancelled(Event):
    """The incident was registered in error (X4)."""

    reason: str = personal()


@frozen(kw_only=True)
class DeviationRecorded(Event):
    """A history made elsewhere did what the process refuses; only the importer records this.

    `clause` is the clause of the process, `code` the refusal's stable code, and `missing` says what was
    missing or broken.
    """

    clause: str
    code: str
    missing: str


ClosureEvent: TypeAlias = (
    ConfirmationRequested
    | ResolutionConfirmed
    | ResolutionRejected
    | Reopened
    | RootCauseClassified
    | RecordVerified
    | SatisfactionRecorded
    | Closed
    | Cancelled
    | DeviationRecorded
)
"""The events of step 5."""
