"""The event of an erasure: that a person was forgotten, and nothing more about them."""

from attrs import frozen

from incident_domain.actor import PersonId
from incident_domain.events.event import Event


@frozen(kw_only=True)
class PersonForgotten(Event):
    """The keys of a data subject were destroyed: what was sealed for them cannot be read any more.

    `texts` counts the sealed texts of theirs in the journal up to here, in `incidents` incidents.
    `left_readable` counts the texts of theirs that were recorded before there was a key, and that stand in
    the journal as they were written.
    """

    person: PersonId
    texts: int
    incidents: int
    left_readable: int
