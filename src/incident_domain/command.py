"""What every command has."""

from datetime import datetime

from attrs import field, frozen

from incident_domain.actor import Actor
from incident_domain.declared import as_declared
from incident_domain.events import IncidentId
from incident_domain.validation import aware, filled, utc


@frozen(kw_only=True)
class Command:
    """Something that somebody wants to be done to an incident.

    `by` is who asks, in which role.  `at` is when it happens; any time zone goes in, UTC comes out.

    Raises:
        InvalidValue: when a field does not hold what its meaning demands; the message names the field,
            the rule and the way out.
    """

    incident: IncidentId = field(validator=filled)
    by: Actor
    at: datetime = field(converter=utc, validator=aware)

    def __attrs_post_init__(self) -> None:
        as_declared(self)
