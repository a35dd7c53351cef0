"""Conformance: what the process allows is found to follow it, and what it does not is found."""

from typing import get_args

from hypothesis import given, settings

from incident_domain import Refused
from incident_domain.events import DeviationRecorded, DomainEvent, IncidentEvent
from incident_domain.retelling import COMMAND_OF
from incident_projections.conformance import Examination, Found
from tests.commands import Ledger, walks
from tests.histories import recorded
from tests.process_spec import Asked


def test_every_event_tells_of_a_command() -> None:
    """No event of an incident but the deviation goes unexamined."""
    assert COMMAND_OF.keys() == set(get_args(IncidentEvent)) - {DeviationRecorded}


@given(walks(60))
@settings(max_examples=100)
def test_what_the_process_allowed_conforms(asked: list[Asked]) -> None:
    """In whatever history is made by deciding, only what an importer recorded with a deviation is found."""
    found = list(Examination().findings(recorded(*made_by_deciding(asked))))

    assert [each for each in found if each.found is Found.REPLAY] == []


def made_by_deciding(asked: list[Asked]) -> list[tuple[str, DomainEvent]]:
    """The events that come of commands, each with its stream, in the order of one journal."""
    ledger = Ledger()
    told: list[tuple[str, DomainEvent]] = []
    for each in asked:
        try:
            happened = ledger.happened(each)
        except Refused:
            continue
        ledger.take(each, happened)
        told += [(stream, event) for stream, events in happened.items() for event in events]
    return told
