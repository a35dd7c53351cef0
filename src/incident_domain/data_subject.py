"""Whose data the personal fields of an event are: the customer's of the incident, as the event leaves it.

That holds for all of the record: the customer's basics, and what is written about the matter in free text.
Where the customer is corrected, what was written before stays the data of whom it was written about.
"""

from incident_domain.actor import PersonId
from incident_domain.events import CustomerCorrected, DomainEvent, IncidentRegistered
from incident_domain.evolution import Registered


def subject_after(subject: PersonId | None, event: DomainEvent) -> PersonId | None:
    """The data subject of a stream from an event on, the event itself included."""
    if isinstance(event, IncidentRegistered | CustomerCorrected):
        return event.customer.person
    return subject


def subject_of(state: object) -> PersonId | None:
    """The data subject of a stream by its state; None where that is no incident, or not registered yet."""
    return state.record.basics.person if isinstance(state, Registered) else None
