"""Bytes that were written once must load forever."""

from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from incident_adapters.codec import EventMapper
from incident_adapters.upcasting import OLDER_VERSIONS
from incident_domain.events import WIRE_NAMES, IncidentRegistered
from incident_domain.events.registration import Capacity
from tests.examples import EXAMPLES, INCIDENT, entry_of

GOLDEN = Path(__file__).parent.parent / "golden"
CURRENT = {name: EXAMPLES[kind] for kind, name in WIRE_NAMES.items() if kind in EXAMPLES}


def golden(name: str) -> StoredEvent:
    return StoredEvent(INCIDENT, 1, name, (GOLDEN / f"{name}.json").read_bytes())


def test_every_event_has_an_example_and_every_version_a_golden_file() -> None:
    """An event without an example or a version without a golden file fails here, and so does a stray file."""
    assert set(EXAMPLES) == set(WIRE_NAMES)
    assert {each.stem for each in GOLDEN.iterdir()} == {*WIRE_NAMES.values(), *OLDER_VERSIONS}


@pytest.mark.parametrize("name", CURRENT)
def test_a_golden_file_loads_and_is_written_again_byte_for_byte(name: str) -> None:
    """What is on record gives the example, and the example gives what is on record."""
    # given
    stored = golden(name)

    # when
    entry = EventMapper().to_domain_event(stored)

    # then
    assert entry == entry_of(CURRENT[name])
    assert EventMapper().to_stored_event(entry) == stored


@pytest.mark.parametrize("name", OLDER_VERSIONS)
def test_an_older_version_loads_as_the_present_one(name: str) -> None:
    """Every older version ends in a name that is still written."""
    present = EventMapper().to_domain_event(golden(name)).event

    assert WIRE_NAMES[type(present)].rpartition(".")[0] == name.rpartition(".")[0]


def test_the_first_registrations_say_who_reported_and_how_to_reach_the_customer() -> None:
    """A registration of version 1 had one contact and only users as reporters."""
    # given
    stored = golden("incident.registered.v1")

    # when
    recorded = EventMapper().recorded(7, INCIDENT, 1, stored.topic, stored.state)

    # then
    assert recorded.name == "incident.registered.v1"
    assert isinstance(recorded.event, IncidentRegistered)
    assert recorded.event.reporter.capacity is Capacity.USER
    assert recorded.event.customer.email == "dora@north.example"
    assert recorded.event.customer.telephone is None
    assert recorded.event.summary == "Dora Peña cannot print — “spooler” stops"
