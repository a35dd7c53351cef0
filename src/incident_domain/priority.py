"""Impact, urgency, and the priority that follows from them (P2.1)."""

from collections.abc import Mapping
from enum import Enum, IntEnum
from typing import Final

from attrs import frozen


class Impact(Enum):
    """How much of the business is affected."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Urgency(Enum):
    """How soon the business needs it mended."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Priority(IntEnum):
    """The order in which incidents are worked on; 1 comes first."""

    CRITICAL = 1
    HIGH = 2
    MODERATE = 3
    LOW = 4
    PLANNING = 5


PRIORITY_MATRIX: Final[Mapping[tuple[Impact, Urgency], Priority]] = {
    (Impact.HIGH, Urgency.HIGH): Priority.CRITICAL,
    (Impact.HIGH, Urgency.MEDIUM): Priority.HIGH,
    (Impact.HIGH, Urgency.LOW): Priority.MODERATE,
    (Impact.MEDIUM, Urgency.HIGH): Priority.HIGH,
    (Impact.MEDIUM, Urgency.MEDIUM): Priority.MODERATE,
    (Impact.MEDIUM, Urgency.LOW): Priority.LOW,
    (Impact.LOW, Urgency.HIGH): Priority.MODERATE,
    (Impact.LOW, Urgency.MEDIUM): Priority.LOW,
    (Impact.LOW, Urgency.LOW): Priority.PLANNING,
}
"""The priority for every pair of impact and urgency, the usual ITIL three-by-three matrix."""


@frozen(kw_only=True)
class Assessment:
    """Impact and urgency as somebody judged them."""

    impact: Impact
    urgency: Urgency


def priority_of(assessment: Assessment) -> Priority:
    """The priority that the matrix gives for an assessment."""
    return PRIORITY_MATRIX[assessment.impact, assessment.urgency]
