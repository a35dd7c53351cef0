"""Events of step 2, classification and initial support (P2.1 to P2.6), and of escalation."""

from enum import Enum, IntEnum
from typing import NewType, TypeAlias

from attrs import frozen

from incident_domain.actor import GroupId, PersonId
from incident_domain.events.event import Event
from incident_domain.personal import personal
from incident_domain.priority import Impact, Priority, Urgency

KnownErrorId = NewType("KnownErrorId", str)
"""The identity of an entry of the knowledge base: a problem, and the known error it becomes."""


class Line(IntEnum):
    """The line of support: the service desk is the first (P2.4)."""

    FIRST = 1
    SECOND = 2
    THIRD = 3


class EscalationGround(Enum):
    """Why an incident is handed to a group (P2.4, P2.6); `UNSTATED` only in histories made elsewhere."""

    NO_MATCH = "no_match"
    DESK_CANNOT_RESOLVE = "desk_cannot_resolve"
    OTHER_EXPERTISE = "other_expertise"
    EMERGENCY = "emergency"
    COMPLEX = "complex"
    UNSTATED = "unstated"


@frozen(kw_only=True)
class Classified(Event):
    """The incident was put into a category (P2.1, P3.8)."""

    category: str
    subcategory: str | None


@frozen(kw_only=True)
class Prioritised(Event):
    """Impact, urgency and the priority that holds from here on (P2.1).

    `override_reason` is None when the priority is the matrix's, and says why it is not otherwise.
    """

    impact: Impact
    urgency: Urgency
    priority: Priority
    override_reason: str | None = personal(default=None)


@frozen(kw_only=True)
class MatchedToKnownError(Event):
    """The incident matches an entry of the knowledge base (P2.2)."""

    known_error: KnownErrorId


@frozen(kw_only=True)
class NoMatchFound(Event):
    """The knowledge base was consulted and nothing matched (P2.2)."""

    consulted: tuple[str, ...]


@frozen(kw_only=True)
class EscalatedToGroup(Event):
    """Functional escalation: the incident was handed to a support group (P2.4 to P2.6).

    The service desk keeps the contact with the customer.
    """

    line: Line
    group: GroupId
    ground: EscalationGround
    reason: str = personal()


@frozen(kw_only=True)
class AssignedToPerson(Event):
    """Somebody of the group that holds the incident took it on (P2.5)."""

    group: GroupId
    person: PersonId


@frozen(kw_only=True)
class HandOffRejected(Event):
    """The group gave the incident back to where it came from (X3).

    `back_to` is the group that handed it over, or None when it came from the service desk.
    """

    group: GroupId
    back_to: GroupId | None
    back_to_line: Line
    reason: str = personal()


@frozen(kw_only=True)
class EscalatedHierarchically(Event):
    """Somebody higher up was called in (X2); apart from functional escalation and from a breach."""

    to: PersonId
    reason: str = personal()


ClassificationEvent: TypeAlias = (
    Classified
    | Prioritised
    | MatchedToKnownError
    | NoMatchFound
    | EscalatedToGroup
    | AssignedToPerson
    | HandOffRejected
    | EscalatedHierarchically
)
"""The events of step 2."""
