"""Every view there is."""

from typing import Final

from incident_projections.clocks import TermsOf
from incident_projections.closure import CLOSURE
from incident_projections.customer_status import CUSTOMER_STATUS
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.known_errors import KNOWN_ERRORS, MATCHING
from incident_projections.major_incidents import MAJOR_INCIDENTS
from incident_projections.queue import QUEUE
from incident_projections.similar import SIMILAR
from incident_projections.sla_timers import SLA_TIMERS_TABLE, sla_timers
from incident_projections.stretches import STRETCHES
from incident_projections.timeline import TIMELINE
from incident_projections.view import View

VIEWS: Final[tuple[View, ...]] = (
    QUEUE,
    TIMELINE,
    CLOSURE,
    STRETCHES,
    HAND_OVERS,
    MAJOR_INCIDENTS,
    CUSTOMER_STATUS,
    SIMILAR,
    KNOWN_ERRORS,
    MATCHING,
)
"""Every view that needs nothing but events."""

NAMES: Final = (SLA_TIMERS_TABLE.name, *(each.name for each in VIEWS))
"""The names of all views."""


def views(terms_of: TermsOf) -> tuple[View, ...]:
    """Every view, that of the service clocks too, which counts by the terms of agreements."""
    # First, as it may read the journal: nothing of the transaction is written yet that could hold that up.
    return (sla_timers(terms_of), *VIEWS)
