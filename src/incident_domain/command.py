"""What every command has."""

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from incident_domain.actor import Actor
from incident_domain.declared import as_declared
from incident_domain.events import IncidentId
from incident_domain.validation import InvalidValue, aware, filled, utc
from incident_domain.working_time import YEARS

if TYPE_CHECKING:
    from attrs import Attribute


def _countable(_: object, attribute: "Attribute[datetime]", at: datetime) -> None:
    # One event of another year would stop the view of service clocks for every incident.
    if at.year not in YEARS:
        raise InvalidValue(
            attribute.name, f"must lie in the years {YEARS.start} to {YEARS.stop - 1}; correct the year"
        )


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
    at: datetime = field(converter=utc, validator=[aware, _countable])

    def __attrs_post_init__(self) -> None:
        as_declared(self)
