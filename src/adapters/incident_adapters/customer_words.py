"""What a customer is told of how their incident stands, in plain words."""

from collections.abc import Mapping
from typing import Final

from incident_adapters.report_words import Language, Wording
from incident_projections.customer_status import Standing

_SAID: Final[Mapping[Standing, str]] = {
    Standing.RECEIVED: "We have received your report and are looking at it.",
    Standing.IN_WORK: "We are working on it.",
    Standing.WAITING_FOR_CUSTOMER: "We are waiting for an answer from you.",
    Standing.ON_HOLD: "It is on hold; we go on as soon as we can.",
    Standing.RESOLVED: "It is resolved.",
    Standing.TO_CONFIRM: "It is resolved; please tell us whether it works for you.",
    Standing.CONFIRMED: "It is resolved, as you confirmed.",
    Standing.CLOSED: "It is closed.",
    Standing.CANCELLED: "It was cancelled.",
}


def plain_words(standing: Standing, language: Language) -> str:
    """How the incident stands, in a sentence for its customer."""
    return Wording(language).say(_SAID[standing])
