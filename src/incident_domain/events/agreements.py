"""Events of service level agreements, and the terms that they carry (P3.7)."""

from datetime import date, datetime
from enum import Enum
from typing import NewType, TypeAlias

from attrs import frozen

from incident_domain.actor import GroupId, PersonId
from incident_domain.events.event import Event
from incident_domain.events.investigation import HoldReason
from incident_domain.priority import Priority
from incident_domain.working_time import Window

AgreementId = NewType("AgreementId", str)
"""The identity of a service level agreement, which is also the name that a registration gives."""


class TargetKind(Enum):
    """What a target measures: to acknowledge (P3.2), the next update (P3.3), to resolve (P4.1)."""

    ACKNOWLEDGE = "acknowledge"
    UPDATE = "update"
    RESOLVE = "resolve"


class Party(Enum):
    """With whom it was agreed: the customer, a support group of our own, a supplier."""

    CUSTOMER = "customer"
    GROUP = "group"
    SUPPLIER = "supplier"


@frozen(kw_only=True)
class Holiday:
    """A local date on which nobody attends, its name, and where that is known from."""

    date: date
    name: str
    source: str


@frozen(kw_only=True, cache_hash=True)
class Hours:
    """When somebody attends: a week's windows, Monday first, in an IANA time zone, and the holidays."""

    timezone: str
    weekly: tuple[tuple[Window, ...], ...]
    holidays: tuple[Holiday, ...] = ()


@frozen(kw_only=True)
class Target:
    """How many minutes of working time are agreed for a priority; `service` None means every service."""

    kind: TargetKind
    priority: Priority
    minutes: int
    service: str | None = None


@frozen(kw_only=True)
class PauseRule:
    """For which reasons of waiting (X1) a kind of clock stands still."""

    kind: TargetKind
    reasons: tuple[HoldReason, ...]


@frozen(kw_only=True)
class Terms:
    """What is agreed.

    A warning falls due when a clock has used each of `warn_at_percent` of its target.  On a breach the
    incident is escalated to `escalate_to`, where somebody is named (X2).  `group` is the support group that
    the terms bind, for an operational agreement.
    """

    hours: Hours
    targets: tuple[Target, ...]
    pauses: tuple[PauseRule, ...] = ()
    warn_at_percent: tuple[int, ...] = ()
    escalate_to: PersonId | None = None
    group: GroupId | None = None


@frozen(kw_only=True)
class AgreementPublished(Event):
    """A version of an agreement; it holds for incidents registered from `holds_from` (UTC) on."""

    agreement: AgreementId
    version: int
    party: Party
    holds_from: datetime
    terms: Terms


@frozen(kw_only=True)
class HolidayCorrected(Event):
    """A holiday that was forgotten, entered late as a new version.

    It counts for incidents registered from `counts_from` (UTC) on; each running one is counted anew by an
    event of its own, and no history is rewritten.  Everything else is as in the version that it `corrects`.
    """

    version: int
    corrects: int
    holiday: Holiday
    counts_from: datetime
    reason: str


AgreementEvent: TypeAlias = AgreementPublished | HolidayCorrected
"""All that can happen to an agreement."""
