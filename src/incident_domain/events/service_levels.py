"""Events of the service levels that run on an incident (P3.7)."""

from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from incident_domain.events.agreements import AgreementId, Party, TargetKind
from incident_domain.events.event import Event
from incident_domain.personal import personal


@frozen(kw_only=True)
class AgreementApplied(Event):
    """An agreement runs on the incident, in the version that held when it was registered."""

    agreement: AgreementId
    version: int
    party: Party


@frozen(kw_only=True)
class AgreementMoved(Event):
    """The incident goes on under another version; what its clocks have used stays used."""

    agreement: AgreementId
    version: int
    reason: str = personal()


@frozen(kw_only=True)
class HoursRecounted(Event):
    """The clocks of an agreement are counted anew from their start by a corrected version."""

    agreement: AgreementId
    version: int
    reason: str = personal()


@frozen(kw_only=True)
class TargetWarned(Event):
    """A clock used `percent` of its target; `occurred_at` is the instant at which it did.

    `cycle` counts the cycles of a clock that begins anew with every update (P3.3), from 1.
    """

    agreement: AgreementId
    kind: TargetKind
    cycle: int
    percent: int
    due_at: datetime


@frozen(kw_only=True)
class TargetBreached(Event):
    """A clock used more than its target; `occurred_at` is the first instant from which it did."""

    agreement: AgreementId
    kind: TargetKind
    cycle: int
    due_at: datetime


ServiceLevelEvent: TypeAlias = (
    AgreementApplied | AgreementMoved | HoursRecounted | TargetWarned | TargetBreached
)
"""The events of the service levels that run on an incident."""
