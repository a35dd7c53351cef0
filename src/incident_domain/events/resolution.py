"""Events of step 4, resolution and recovery (P4.1 to P4.3)."""

from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from incident_domain.events.classification import KnownErrorId
from incident_domain.events.event import Event
from incident_domain.personal import personal


@frozen(kw_only=True)
class ServiceRestored(Event):
    """The service worked again from `restored_at` on (UTC), a time of its own (P4.2)."""

    restored_at: datetime


@frozen(kw_only=True)
class Resolved(Event):
    """The incident was resolved (P4.1): what was done, by which solution, under which changes.

    `known_error` names the entry of the knowledge base whose solution was used (P2.3).
    """

    actions: str = personal()
    solution: str = personal()
    known_error: KnownErrorId | None = None
    changes: tuple[str, ...] = ()


ResolutionEvent: TypeAlias = ServiceRestored | Resolved
"""The events of step 4."""
