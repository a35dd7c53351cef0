"""What the journal knows about a recorded event, beside the event itself."""

from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from incident_domain.actor import Actor
from incident_domain.events import DomainEvent

KNOWN_ERROR_STREAM: Final = "known-error-"
AGREEMENT_STREAM: Final = "agreement-"
IMPORT_STREAM: Final = "import-"
"""How the names of streams begin that are no incident's; what follows is the identity."""


@frozen(kw_only=True)
class Recorded:
    """An event as the journal holds it.

    `position` counts all events of the journal from 1 without gaps, `version` those of one `stream`.
    `recorded_at` (UTC) is when the journal took it; `occurred_at` is when it happened, as the event says.
    `correlation_id` is common to everything that one outside request set off, `causation_id` is the command.
    """

    position: int
    stream: str
    version: int
    event_id: UUID
    name: str
    recorded_at: datetime
    correlation_id: UUID
    causation_id: UUID
    event: DomainEvent

    @property
    def by(self) -> Actor:
        """Who acted, in which role."""
        return self.event.by

    @property
    def occurred_at(self) -> datetime:
        """When it happened, in UTC."""
        return self.event.occurred_at
