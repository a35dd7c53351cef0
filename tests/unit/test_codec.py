"""Events to bytes and back, strictly."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from attrs import evolve, fields, has
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_adapters.codec import Entry, EventMapper, stored_names
from incident_adapters.converters import WrongKind
from incident_adapters.upcasting import OLDER_VERSIONS
from incident_domain.events import (
    WIRE_NAMES,
    EffortRecorded,
    Event,
    IncidentRegistered,
    PutOnHold,
    RowsImported,
)
from incident_domain.personal import personal_fields
from tests.brackets import Brackets
from tests.examples import EXAMPLES, INCIDENT, entry_of
from tests.strategies import entries

MAPPER = EventMapper()


@pytest.mark.parametrize("kind", WIRE_NAMES, ids=lambda kind: kind.__name__)
def test_whatever_an_event_holds_comes_back_the_same(kind: type[Event]) -> None:
    """Every event of every class survives writing and reading, and the same event gives the same bytes."""

    @settings(max_examples=25)
    @given(entries(kind))
    def comes_back(entry: Entry) -> None:
        stored = MAPPER.to_stored_event(entry)
        assert MAPPER.to_domain_event(stored) == entry
        assert MAPPER.to_stored_event(MAPPER.to_domain_event(stored)) == stored
        assert MAPPER.recorded(3, entry.stream, entry.version, stored.topic, stored.state) == entry.at(3)

    comes_back()


def stored_with(kind: type[Event], change: Callable[[dict[str, Any]], object]) -> StoredEvent:
    """The example of an event class with its JSON changed."""
    stored = MAPPER.to_stored_event(entry_of(EXAMPLES[kind]))
    state = json.loads(stored.state)
    change(state)
    return StoredEvent(INCIDENT, 4, stored.topic, json.dumps(state).encode())


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(state: Any) -> None:
        for key in path[:-1]:
            state = state[key]
        state[path[-1]] = value

    return change


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    return change


DAMAGES: dict[str, tuple[type[Event], Callable[[dict[str, Any]], object], str]] = {
    "an extra key": (PutOnHold, put("event", "colour", value="SECRET"), "key event.colour is unknown"),
    "an extra key in a value": (
        IncidentRegistered,
        put("event", "customer", "colour", value="SECRET"),
        "key event.customer.colour is unknown",
    ),
    "an extra key in the actor": (
        PutOnHold,
        put("event", "by", "colour", value="SECRET"),
        "key event.by.colour is unknown",
    ),
    "an extra key in the envelope": (PutOnHold, put("colour", value="SECRET"), "envelope"),
    "a missing key": (PutOnHold, drop("event", "awaited"), "key event.awaited is missing"),
    "a missing key that has a default": (
        IncidentRegistered,
        drop("event", "customer", "email"),
        "key event.customer.email is missing",
    ),
    "a missing key in the actor": (PutOnHold, drop("event", "by", "group"), "key event.by.group is missing"),
    "a missing key in the envelope": (PutOnHold, drop("causation_id"), "envelope"),
    "a number for a text": (
        PutOnHold,
        put("event", "awaited", value=4711),
        "key event.awaited must be a text",
    ),
    "a text for an array": (
        RowsImported,
        put("event", "account", value="SECRET"),
        "key event.account must be an array",
    ),
    "an array of another length": (
        RowsImported,
        put("event", "account", 0, value=["SECRET"]),
        "key event.account must be made of arrays of 2",
    ),
    "true for a number": (
        RowsImported,
        put("event", "through_row", value=True),
        "key event.through_row must be a whole number of at most 64 bits",
    ),
    "a number that some readers would round": (
        RowsImported,
        put("event", "through_row", value=2**63),
        "key event.through_row must be a whole number of at most 64 bits",
    ),
    "an unknown member of an enumeration": (
        PutOnHold,
        put("event", "reason", value="SECRET"),
        "key event.reason must be one of the 5 values of HoldReason",
    ),
    "an unhashable member of an enumeration": (
        PutOnHold,
        put("event", "reason", value=["SECRET"]),
        "event.reason",
    ),
    "a time in another zone": (
        PutOnHold,
        put("event", "until", value="2026-01-02T03:04:05.000006+01:00"),
        "key event.until must be an instant in UTC with microseconds",
    ),
    "a time that is none": (
        PutOnHold,
        put("event", "until", value="2026-13-02T03:04:05.000006Z"),
        "key event.until cannot be read",
    ),
    "a number for a decimal": (
        EffortRecorded,
        put("event", "cost", "amount", value=4711),
        "key event.cost.amount must be a decimal number written as a text",
    ),
    "a decimal that is none": (
        EffortRecorded,
        put("event", "cost", "amount", value="x"),
        "key event.cost.amount",
    ),
    "a decimal without end": (
        EffortRecorded,
        put("event", "cost", "amount", value="Infinity"),
        "key event.cost.amount must be a finite decimal number",
    ),
    "a decimal in another spelling": (
        EffortRecorded,
        put("event", "cost", "amount", value="037.50"),
        "key event.cost.amount must be a finite decimal number",
    ),
    "an object that is none": (PutOnHold, put("event", "by", value="SECRET"), "key event.by"),
    "an event that is none": (PutOnHold, put("event", value="SECRET"), "envelope"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_bytes_that_nobody_wrote_are_refused_and_the_error_names_the_place_only(damage: str) -> None:
    """The error says wire name, stream, version and key, and never repeats what stands there."""
    # given
    kind, change, reason = DAMAGES[damage]
    stored = stored_with(kind, change)

    # when
    with pytest.raises(MapperDeserialisationError) as raised:
        MAPPER.to_domain_event(stored)

    # then
    said = str(raised.value)
    assert said.startswith(f"cannot read {WIRE_NAMES[kind]} of stream {INCIDENT}, version 4: ")
    assert reason in said
    assert "SECRET" not in said
    assert "4711" not in said
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("kind", WIRE_NAMES, ids=lambda kind: kind.__name__)
def test_no_key_may_be_missing_and_none_be_added_anywhere(kind: type[Event]) -> None:
    """Whichever key is taken out of an event, or put into any object in it, the event is refused."""
    stored = MAPPER.to_stored_event(entry_of(EXAMPLES[kind]))
    objects: list[dict[str, Any]] = []

    def kept(found: dict[str, Any]) -> dict[str, Any]:
        objects.append(found)
        return found

    state = json.loads(stored.state, object_hook=kept)

    def assert_refused() -> None:
        with pytest.raises(MapperDeserialisationError):
            MAPPER.to_domain_event(StoredEvent(INCIDENT, 1, stored.topic, json.dumps(state).encode()))

    for held in objects:
        for key in list(held):
            taken = held.pop(key)
            assert_refused()
            held[key] = taken
        held["colour"] = "green"
        assert_refused()
        del held["colour"]
    assert MAPPER.to_domain_event(stored) == entry_of(EXAMPLES[kind])


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"\xff", b'{"event":{}}', b"null"])
def test_bytes_that_are_no_state_are_refused(state: bytes) -> None:
    """Anything but the JSON object of a stored event is an error."""
    with pytest.raises(MapperDeserialisationError, match="its envelope is not"):
        MAPPER.to_domain_event(StoredEvent(INCIDENT, 1, "incident.closed.v1", state))
    with pytest.raises(MapperDeserialisationError, match="its envelope is not"):
        MAPPER.recorded_at(INCIDENT, 1, "incident.closed.v1", state)


def test_an_unknown_wire_name_is_refused() -> None:
    """An event of a later release is never skipped."""
    stored = MAPPER.to_stored_event(entry_of(EXAMPLES[PutOnHold]))
    later = StoredEvent(INCIDENT, 1, "incident.put_on_hold.v2", stored.state)

    with pytest.raises(MapperDeserialisationError, match="knows no event of that name"):
        MAPPER.to_domain_event(later)


def test_a_version_1_registration_without_its_contact_is_refused() -> None:
    """What an upcaster needs and does not find is named like any other missing key."""
    stored = stored_with(IncidentRegistered, lambda state: state["event"]["reporter"].pop("capacity"))
    first = StoredEvent(INCIDENT, 1, "incident.registered.v1", stored.state)

    with pytest.raises(MapperDeserialisationError, match=r"key event\.contact is missing"):
        MAPPER.to_domain_event(first)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("occurred_at", datetime(2026, 1, 1)),  # noqa: DTZ001 - what is to be refused
        ("occurred_at", "2026-01-01"),
        ("awaited", 4711),
        ("reason", "supplier"),
        ("by", None),
    ],
)
def test_what_could_not_be_read_again_is_not_written(field: str, wrong: object) -> None:
    """A value of another kind than declared is refused, by field, before it stands in the journal forever."""
    example: Any = EXAMPLES[PutOnHold]
    hold = evolve(example, **{field: wrong})

    with pytest.raises(WrongKind, match=rf"^PutOnHold\.{field} must be") as raised:
        MAPPER.to_stored_event(Entry(**_parts(hold)))
    assert "4711" not in str(raised.value)


def _parts(event: Any) -> dict[str, Any]:
    example = entry_of(EXAMPLES[PutOnHold])
    return {**{each.name: getattr(example, each.name) for each in fields(Entry)}, "event": event}


def test_an_event_without_a_wire_name_is_not_written() -> None:
    """A class that is missing in the registry cannot get into the journal."""
    plain = Event(by=EXAMPLES[PutOnHold].by, occurred_at=EXAMPLES[PutOnHold].occurred_at)

    with pytest.raises(TypeError, match="Event has no wire name"):
        MAPPER.to_stored_event(Entry(**_parts(plain)))


def personal_texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and content of every field declared as personal, found by walking the value itself."""
    kind: Any = value.__class__
    for each in fields(kind):
        inner: object = getattr(value, each.name)
        inner_kind: Any = inner.__class__
        if each.name in personal_fields(kind):
            if isinstance(inner, str):
                yield f"{path}{each.name}", inner
        elif has(inner_kind):
            yield from personal_texts(inner, f"{path}{each.name}.")


@pytest.mark.parametrize("kind", WIRE_NAMES, ids=lambda kind: kind.__name__)
def test_exactly_the_personal_fields_go_through_the_seal(kind: type[Event]) -> None:
    """Every marked text is sealed in the bytes, nothing else is, and reading opens them again."""
    # given
    entry = entry_of(EXAMPLES[kind])
    plain = MAPPER.to_stored_event(entry)
    personal = dict(personal_texts(entry.event))

    # when
    stored = EventMapper(Brackets()).to_stored_event(entry)

    # then
    expected = json.loads(plain.state)
    for path, text in personal.items():
        *outer, last = path.split(".")
        holder = expected["event"]
        for key in outer:
            holder = holder[key]
        holder[last] = f"<{INCIDENT} {path}: {text[::-1]}>"
    assert json.loads(stored.state) == expected
    assert EventMapper(Brackets()).to_domain_event(stored) == entry


def test_a_sealed_older_version_is_opened_before_it_is_lifted() -> None:
    """The upcaster sees the texts as they were, not sealed ones."""
    stored = MAPPER.to_stored_event(entry_of(EXAMPLES[IncidentRegistered]))
    state = json.loads(stored.state)
    event, seal = state["event"], Brackets()
    del event["reporter"]["capacity"], event["customer"]["telephone"]
    event["customer"]["contact"] = event["customer"].pop("email")
    for holder, key, field in (
        (event["reporter"], "name", "reporter.name"),
        (event["customer"], "name", "customer.name"),
        (event["customer"], "workplace", "customer.workplace"),
        (event["customer"], "contact", "customer.contact"),
        (event, "summary", "summary"),
    ):
        holder[key] = seal.seal(holder[key], subject="c-1", stream=INCIDENT, field=field)
    first = StoredEvent(INCIDENT, 1, "incident.registered.v1", json.dumps(state).encode())

    opened = EventMapper(seal).to_domain_event(first).event

    assert isinstance(opened, IncidentRegistered)
    assert opened.customer.email == "dora@north.example"
    assert opened.customer.workplace == "Bilbao, 3rd floor"


@given(st.binary(max_size=200))
def test_no_bytes_bring_reading_down_in_any_other_way(state: bytes) -> None:
    """Whatever stands in the store, reading gives an entry or the one error that says where."""
    with pytest.raises(MapperDeserialisationError):
        MAPPER.to_domain_event(StoredEvent(INCIDENT, 1, "incident.closed.v1", state))


def test_events_are_found_under_the_names_of_older_versions_too() -> None:
    """What an older release wrote is not overlooked by whoever asks for events of a kind."""
    assert stored_names([IncidentRegistered]) == ("incident.registered.v1", "incident.registered.v2")
    assert set(stored_names(WIRE_NAMES)) == {*WIRE_NAMES.values(), *OLDER_VERSIONS}
