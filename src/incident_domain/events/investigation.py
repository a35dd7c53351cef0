"""Events of step 3, investigation and diagnosis (P3.1 to P3.9), and of waiting (X1)."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from attrs import frozen

from incident_domain.actor import GroupId
from incident_domain.events.event import Event
from incident_domain.events.registration import Channel
from incident_domain.personal import personal
from incident_domain.priority import Assessment


class Recipient(Enum):
    """To whom a workaround was given (P3.5)."""

    SERVICE_DESK = "service_desk"
    CUSTOMER = "customer"


class HoldReason(Enum):
    """What an incident waits for (X1)."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    CHANGE = "change"
    PROBLEM = "problem"
    EVIDENCE = "evidence"


class Knowledge(Enum):
    """What a review consulted (P3.6)."""

    KNOWN_ERRORS = "known_errors"
    PROBLEMS = "problems"
    SOLUTIONS = "solutions"
    PLANNED_CHANGES = "planned_changes"
    KNOWLEDGE_BASE = "knowledge_base"


@frozen(kw_only=True)
class Cost:
    """An amount of money; `currency` is its ISO 4217 code."""

    amount: Decimal
    currency: str


@frozen(kw_only=True)
class Acknowledged(Event):
    """The group confirmed that it received the incident (P3.2); stops the response clock."""

    group: GroupId


@frozen(kw_only=True)
class ProgressReported(Event):
    """What was done and how things stand (P3.3); the next report is due at `next_update_due` (UTC)."""

    text: str = personal()
    next_update_due: datetime


@frozen(kw_only=True)
class CustomerNotified(Event):
    """The customer was told the latest development and the present state (P3.4)."""

    channel: Channel
    text: str = personal()


@frozen(kw_only=True)
class WorkaroundProvided(Event):
    """A way to get along until the incident is resolved, and to whom it was given (P3.5)."""

    text: str = personal()
    given_to: tuple[Recipient, ...]


@frozen(kw_only=True)
class KnowledgeReviewed(Event):
    """What was consulted and what was found (P3.6)."""

    consulted: tuple[Knowledge, ...]
    found: str = personal()


@frozen(kw_only=True)
class ReassessmentRequested(Event):
    """The group asked the service desk to judge impact and urgency anew (P3.7)."""

    proposed: Assessment
    reason: str = personal()


@frozen(kw_only=True)
class ReassessmentAccepted(Event):
    """The service desk agreed; the new values follow as `Prioritised` (P3.7)."""

    reason: str = personal()


@frozen(kw_only=True)
class ReassessmentDeclined(Event):
    """The service desk kept impact and urgency as they are (P3.7)."""

    reason: str = personal()


@frozen(kw_only=True)
class SolutionProposed(Event):
    """A solution that may resolve the incident (P3.8)."""

    solution: str = personal()


@frozen(kw_only=True)
class EffortRecorded(Event):
    """Time spent, in minutes, and its cost where known (P3.9)."""

    minutes: int
    cost: Cost | None


@frozen(kw_only=True)
class FindingsReported(Event):
    """What was found, and what would prevent a recurrence (P3.9)."""

    findings: str = personal()
    prevention: str | None = personal()


@frozen(kw_only=True)
class ChangeLinked(Event):
    """A planned change that has to do with the incident (P3.6, P4.1)."""

    change: str


@frozen(kw_only=True)
class PutOnHold(Event):
    """The incident waits (X1): for what, for whom, and until when (UTC) where that is known."""

    reason: HoldReason
    awaited: str = personal()
    until: datetime | None


@frozen(kw_only=True)
class WorkResumed(Event):
    """The wait is over (X1)."""


InvestigationEvent: TypeAlias = (
    Acknowledged
    | ProgressReported
    | CustomerNotified
    | WorkaroundProvided
    | KnowledgeReviewed
    | ReassessmentRequested
    | ReassessmentAccepted
    | ReassessmentDeclined
    | SolutionProposed
    | EffortRecorded
    | FindingsReported
    | ChangeLinked
    | PutOnHold
    | WorkResumed
)
"""The events of step 3."""
