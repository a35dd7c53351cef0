"""Every view there is."""

from typing import Final

from incident_projections.closure import CLOSURE
from incident_projections.known_errors import KNOWN_ERRORS, MATCHING
from incident_projections.queue import QUEUE
from incident_projections.similar import SIMILAR
from incident_projections.timeline import TIMELINE
from incident_projections.view import View

VIEWS: Final[tuple[View, ...]] = (QUEUE, TIMELINE, CLOSURE, SIMILAR, KNOWN_ERRORS, MATCHING)
