"""Events of step 1, identification and registration (P1.1 to P1.12)."""

from datetime import datetime
from enum import Enum
from typing import NewType, TypeAlias

from attrs import frozen

from incident_domain.actor import PersonId
from incident_domain.events.event import Event
from incident_domain.personal import personal

IncidentId = NewType("IncidentId", str)
"""An incident's identity, the name of its stream, and the reference that the customer is given at once
(P1.5)."""


class Capacity(Enum):
    """In which capacity somebody reports (P1.1)."""

    USER = "user"
    SERVICE_DESK = "service_desk"
    IT_STAFF = "it_staff"
    MONITORING = "monitoring"


class Channel(Enum):
    """The way a message came or went (P1.1, P3.4)."""

    PHONE = "phone"
    EMAIL = "email"
    PORTAL = "portal"
    WALK_IN = "walk_in"
    MONITORING = "monitoring"


@frozen(kw_only=True)
class Reporter:
    """Who reported, in which capacity, through which channel (P1.1)."""

    name: str = personal()
    capacity: Capacity
    channel: Channel


@frozen(kw_only=True)
class Customer:
    """The customer's basics (P1.2).

    `person` identifies the customer and `organisation` whom they belong to; both are identifiers, not names.
    At least one of `telephone` and `email` says how to reach them.
    """

    person: PersonId
    organisation: str
    name: str = personal()
    workplace: str = personal()
    telephone: str | None = personal(default=None)
    email: str | None = personal(default=None)


@frozen(kw_only=True)
class SourceRecord:
    """Where a history made elsewhere comes from: the system, and its own reference of the incident."""

    system: str
    reference: str


@frozen(kw_only=True)
class ConfigurationItem:
    """An entry of the configuration management database (P1.7)."""

    item: str
    name: str
    kind: str


@frozen(kw_only=True)
class IncidentRegistered(Event):
    """The service desk entered an incident (P1.1 to P1.4).

    `agreement` names the service level agreement it falls under; None says that none applies, which is legal.
    `refers_to` is an earlier, closed incident that this one takes up again (X7).
    """

    incident: IncidentId
    reporter: Reporter
    customer: Customer
    summary: str = personal()
    agreement: str | None = None
    refers_to: IncidentId | None = None
    source: SourceRecord | None = None


@frozen(kw_only=True)
class CustomerCorrected(Event):
    """The customer's basics were wrong or have changed (P1.2, P4.3)."""

    customer: Customer
    reason: str = personal()


@frozen(kw_only=True)
class NumberAssigned(Event):
    """The incident got its number, unique and never reused (P1.5)."""

    number: int


@frozen(kw_only=True)
class AnalysisRecorded(Event):
    """The basic analysis (P1.6).

    `began_at` is the time of occurrence in UTC, which is neither the time of the report nor of the recording;
    None where a history made elsewhere does not tell.
    """

    began_at: datetime | None
    symptoms: str = personal()
    location: str | None = personal()
    user: str | None = personal(default=None)
    services: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()


@frozen(kw_only=True)
class InteractionRecorded(Event):
    """An exchange with a user about the incident (P1.7)."""

    channel: Channel
    text: str = personal()


@frozen(kw_only=True)
class ConfigurationItemsAttached(Event):
    """Configuration items that the incident touches (P1.7)."""

    items: tuple[ConfigurationItem, ...]


@frozen(kw_only=True)
class RecordedAsNew(Event):
    """The incident manager found it neither the same as nor similar to an existing one (P1.8, P1.10)."""

    reason: str = personal()


@frozen(kw_only=True)
class IdentifiedAsSame(Event):
    """It was found the same as an existing incident, which carries on for both (P1.8, P1.9)."""

    existing: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class FurtherReportAdded(Event):
    """Another report of this same incident came in (P1.9); recorded on the existing incident."""

    report: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class SameAsUndone(Event):
    """The decision that it is the same as `existing` was taken back (X6); the incident goes on by itself."""

    existing: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class FurtherReportWithdrawn(Event):
    """A further report turned out to be another incident (X6); recorded on the existing incident."""

    report: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class LinkedAsChild(Event):
    """The incident became a subordinate record of `parent` (P1.9)."""

    parent: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class ChildLinked(Event):
    """`child` became a subordinate record of this incident (P1.9)."""

    child: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class UnlinkedFromParent(Event):
    """The link to `parent` was taken back (X6)."""

    parent: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class ChildUnlinked(Event):
    """The link from `child` was taken back (X6)."""

    child: IncidentId
    reason: str = personal()


@frozen(kw_only=True)
class MajorDeclared(Event):
    """The incident manager judged it a major incident (P1.11)."""

    reason: str = personal()


@frozen(kw_only=True)
class JudgedNotMajor(Event):
    """The incident manager judged it not major (P1.12)."""

    reason: str = personal()


@frozen(kw_only=True)
class ManagementInformed(Event):
    """Management was told of the major incident, before anything else happened (P1.11)."""

    informed: str = personal()
    channel: Channel


@frozen(kw_only=True)
class CustomerInformed(Event):
    """The customer was told of the major incident, after management (P1.11)."""

    channel: Channel
    text: str = personal()


RegistrationEvent: TypeAlias = (
    IncidentRegistered
    | CustomerCorrected
    | NumberAssigned
    | AnalysisRecorded
    | InteractionRecorded
    | ConfigurationItemsAttached
    | RecordedAsNew
    | IdentifiedAsSame
    | FurtherReportAdded
    | SameAsUndone
    | FurtherReportWithdrawn
    | LinkedAsChild
    | ChildLinked
    | UnlinkedFromParent
    | ChildUnlinked
    | MajorDeclared
    | JudgedNotMajor
    | ManagementInformed
    | CustomerInformed
)
"""The events of step 1."""
