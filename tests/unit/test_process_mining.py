"""What event logs for process mining take from an event follows from what its class declares."""

from datetime import datetime
from typing import Any

import pytest

from incident_adapters.codec import Entry, EventMapper
from incident_adapters.event_data import event_data
from incident_adapters.ocel import EVENT_ATTRIBUTES
from incident_adapters.seal import personal_paths
from incident_domain.envelope import Recorded
from incident_domain.events import (
    WIRE_NAMES,
    AgreementPublished,
    AssignedToPerson,
    Classified,
    ConfigurationItemsAttached,
    Event,
    IncidentRegistered,
    KnownErrorDeclared,
    LinkedAsChild,
    NumberAssigned,
    Prioritised,
    ProblemRecorded,
)
from incident_projections.process_mining import (
    AttributeChange,
    MinedObject,
    ObjectKind,
    activity,
    changes,
    relations,
    subject,
    value_kinds,
    values,
)
from tests.examples import EXAMPLES, INCIDENT, OTHER, entry_of

ABOUT = MinedObject(ObjectKind.INCIDENT, INCIDENT)


def recorded(kind: type[Event], stream: str = INCIDENT) -> Recorded:
    """The example of an event as it stands in the journal."""
    entry: Entry = entry_of(EXAMPLES[kind])
    stored = EventMapper().to_stored_event(entry)
    return EventMapper().recorded(7, stream, 1, stored.topic, stored.state)


def related(kind: type[Event], stream: str = INCIDENT) -> dict[str, str]:
    return {each.qualifier: each.object.key for each in relations(recorded(kind, stream))}


def test_an_activity_is_the_wire_name_without_its_version() -> None:
    """A new version of an event is the same activity."""
    assert activity(recorded(IncidentRegistered).event) == "incident.registered"


def test_every_object_that_an_event_names_is_related_to_it() -> None:
    """The subject comes first; every other has the field that names it as its qualifier."""
    assert related(AssignedToPerson) == {
        "subject": f"incident:{INCIDENT}",
        "by": "person:network-chen",
        "by_group": "group:network",
        "group": "group:network",
        "person": "person:network-chen",
    }
    assert related(LinkedAsChild)["parent"] == f"incident:{OTHER}"
    assert related(ConfigurationItemsAttached)["item"] == "configuration item:ci-17"
    assert related(IncidentRegistered) == {
        "subject": f"incident:{INCIDENT}",
        "by": "person:desk-amaya",
        "customer": "person:customer-dora",
        "refers_to": f"incident:{OTHER}",
    }


def test_an_entry_of_the_knowledge_base_is_an_object_of_its_own() -> None:
    """Its events are about it, also those that name it nowhere."""
    stream = "known-error-printer-driver"

    assert related(ProblemRecorded, stream)["subject"] == "known error:printer-driver"
    assert related(KnownErrorDeclared, stream)["subject"] == "known error:printer-driver"


def test_agreements_and_imports_are_left_out() -> None:
    """Process mining is about incidents and known errors."""
    assert subject(recorded(AgreementPublished)) is None


def test_an_event_changes_attributes_of_its_subject() -> None:
    """The number, the category and the priority of an incident are told over time."""
    assert list(changes(recorded(NumberAssigned))) == [AttributeChange(ABOUT, "number", 1042)]
    assert list(changes(recorded(Classified))) == [
        AttributeChange(ABOUT, "category", "hardware"),
        AttributeChange(ABOUT, "subcategory", "printer"),
    ]
    assert list(changes(recorded(Prioritised))) == [
        AttributeChange(ABOUT, "impact", "medium"),
        AttributeChange(ABOUT, "urgency", "high"),
        AttributeChange(ABOUT, "priority", 1),
    ]


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: WIRE_NAMES[kind])
def test_no_event_carries_a_personal_text_into_an_event_log(kind: type[Event]) -> None:
    """What a class declares personal is in none of the values, attributes and relations."""
    event = recorded(kind)
    data: Any = event_data(event.event)
    texts = set[str]()
    for path in personal_paths(kind):
        holder = data
        for key in path:
            holder = None if holder is None else holder[key]
        texts |= {holder} if isinstance(holder, str) else set()

    taken = {str(each) for each in values(event.event).values()}
    taken |= {str(each.value) for each in changes(event)}
    taken |= {each.object.name for each in relations(event)}
    assert taken & texts == set()


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: WIRE_NAMES[kind])
def test_values_are_of_the_kind_that_is_declared_for_them(kind: type[Event]) -> None:
    """A log declares the attributes of a type of event once, and every event keeps to it."""
    of_kind = {"string": str, "integer": int, "boolean": bool, "time": datetime}
    declared = value_kinds(kind)

    for name, value in values(recorded(kind).event).items():
        assert isinstance(value, of_kind[declared[name].value])
        assert name not in EVENT_ATTRIBUTES
