"""What each role sees of real stores through the desk, and that nobody sees what is not theirs."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import pytest
from attrs import evolve
from hypothesis import given, settings
from sqlalchemy import select

from incident_adapters.role_reader import RoleReader
from incident_adapters.service_desk import ServiceDesk
from incident_domain import (
    WIRE_NAMES,
    CorrectCustomer,
    GroupId,
    IncidentId,
    LinkAsChild,
    NotifyCustomer,
    PersonId,
    Readable,
    Refused,
    Role,
    SatisfactionRecorded,
    UnlinkFromParent,
)
from incident_domain.evolution import Registered
from incident_domain.reading import READERS
from incident_projections.hand_overs import HAND_OVERS_TABLE
from tests.commands import INCIDENTS, walks
from tests.examples import CUSTOMER, INCIDENT, NETWORK, OTHER, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    ACTORS,
    CLOSED,
    DATABASE_GROUP,
    DORA,
    ELSEWHERE,
    ESCALATED,
    PROBLEM,
    READY_TO_CLASSIFY,
    REGISTERED,
    UNDER_GOLD,
    Asked,
    ask,
    of,
)

LATER: Final = datetime(2099, 1, 1, tzinfo=UTC)
SATISFACTION: Final = WIRE_NAMES[SatisfactionRecorded]


@contextmanager
def told(url: str, *asked: Asked) -> Generator[ServiceDesk]:
    """A desk that was asked for all of that, as far as it was not refused, with views up to date."""
    with ServiceDesk.open(url, clock=lambda: LATER) as desk:
        for each in asked:
            try:
                desk.handle(each)
            except Refused:
                continue
        desk.views().catch_up()
        yield desk


def seen(reader: RoleReader, name: IncidentId) -> list[object]:
    """All that a role is shown of one incident; what it may not read at all is left out."""
    shown: list[object] = []
    for look in (reader.incident, reader.timeline, reader.clocks, reader.known_errors, reader.status):
        try:
            shown.append(look(name))
        except Refused:
            continue
    return [each for each in shown if each not in (None, ())]


def test_a_support_group_sees_its_queue_and_its_incidents(store_url: str) -> None:
    """What another group holds is neither in its queue nor there at all, whatever it asks for."""
    with told(store_url, *of(INCIDENT, ACKNOWLEDGED), *of(OTHER, READY_TO_CLASSIFY)) as desk:
        with desk.read_as(SUPPORT) as reader:
            assert [each.incident for each in reader.work_queue().entries] == [INCIDENT]
            assert reader.work_queue(group=NETWORK) == reader.work_queue()
            assert len(seen(reader, INCIDENT)) >= 3
            assert seen(reader, OTHER) == []
            with pytest.raises(Refused, match="own queue alone"):
                reader.work_queue(group=GroupId("database"))
        with desk.read_as(DATABASE_GROUP) as reader:
            assert reader.work_queue().entries == ()
            assert seen(reader, INCIDENT) == seen(reader, IncidentId("there is none")) == []


LOOKS: Final = ("incident", "timeline", "clocks", "known_errors", "status")
"""The names of a reader's methods that show something of one incident to a support group."""


@pytest.mark.parametrize("look", LOOKS)
def test_each_look_shows_a_group_its_incident_and_another_group_nothing(look: str) -> None:
    """There is something to see in each, clocks and known errors too, for the group that was handed it."""
    with told("sqlite://", *UNDER_GOLD, *PROBLEM) as desk:
        with desk.read_as(SUPPORT) as reader:
            assert getattr(reader, look)(INCIDENT)
        with desk.read_as(DATABASE_GROUP) as reader:
            assert not getattr(reader, look)(INCIDENT)


def test_a_support_group_sees_no_child_of_an_incident_that_it_was_never_handed(store_url: str) -> None:
    """That an incident has a parent is not enough: it is that of another group."""
    with told(store_url, *of(INCIDENT, ESCALATED), *of(OTHER, REGISTERED)) as desk:
        desk.handle(ask(LinkAsChild, incident=OTHER, parent=INCIDENT, at=LATER))
        desk.views().catch_up()
        with desk.read_as(DATABASE_GROUP) as reader:
            assert seen(reader, OTHER) == seen(reader, INCIDENT) == []


def test_a_support_group_sees_the_children_of_its_incident(store_url: str) -> None:
    """They are resolved with their parent (P4.3), whoever holds them."""
    parent, child = of(INCIDENT, ESCALATED), of(OTHER, REGISTERED)
    with told(store_url, *parent, *child) as desk:
        with desk.read_as(SUPPORT) as reader:
            assert seen(reader, OTHER) == []
        desk.handle(ask(LinkAsChild, incident=OTHER, parent=INCIDENT, at=LATER))
        desk.views().catch_up()
        with desk.read_as(SUPPORT) as reader:
            assert seen(reader, OTHER) != []
        desk.handle(ask(UnlinkFromParent, incident=OTHER, at=LATER))
        with desk.read_as(SUPPORT) as reader:
            assert seen(reader, OTHER) == []


def test_the_customers_satisfaction_is_not_for_the_group(store_url: str) -> None:
    """The desk's timeline has it, the group's is the same without it (P5.2)."""
    with told(store_url, *of(INCIDENT, CLOSED)) as desk:
        with desk.read_as(ACTORS[Role.SERVICE_DESK]) as reader:
            whole = reader.timeline(INCIDENT)
        with desk.read_as(SUPPORT) as reader:
            theirs = reader.timeline(INCIDENT)
    assert any(each.name == SATISFACTION for each in whole)
    assert theirs == tuple(each for each in whole if each.name != SATISFACTION)


def test_a_customer_sees_how_their_own_incidents_stand(store_url: str) -> None:
    """Another's is answered like one that there is not."""
    own = of(INCIDENT, ESCALATED, customer=DORA)
    others = of(OTHER, REGISTERED, customer=ELSEWHERE)
    with (
        told(store_url, *own, *others) as desk,
        desk.read_as(evolve(CUSTOMER, person=DORA.person)) as reader,
    ):
        assert [each.reference for each in reader.statuses()] == [INCIDENT]
        assert reader.status(INCIDENT) == reader.statuses()[0]
        assert reader.status(OTHER) is None
        assert reader.status(IncidentId("there is none")) is None
        with desk.read_as(evolve(ACTORS[Role.SERVICE_DESK], person=DORA.person)) as at_work:
            assert at_work.statuses() == (), (
                "who is a customer too has a list of their own as a customer alone"
            )
        with pytest.raises(Refused, match="customer may not read an incident"):
            reader.timeline(INCIDENT)


def test_a_customer_who_takes_an_incident_over_does_not_read_what_was_told_before(store_url: str) -> None:
    """Also while the view is behind, neither of the two is shown what is the other's."""
    dora, other = (evolve(CUSTOMER, person=each.person) for each in (DORA, ELSEWHERE))
    with told(store_url, *of(INCIDENT, REGISTERED, customer=DORA)) as desk:
        desk.handle(ask(NotifyCustomer, incident=INCIDENT, text="Your salary is late, Dora", at=LATER))
        desk.views().catch_up()
        desk.handle(ask(CorrectCustomer, incident=INCIDENT, customer=ELSEWHERE, at=LATER))
        for who in (dora, other):
            with desk.read_as(who) as reader:
                assert reader.status(INCIDENT) is None
                assert reader.statuses() == ()
        desk.views().catch_up()
        with desk.read_as(other) as reader:
            [status] = reader.statuses()
            assert status.news is None
        with desk.read_as(dora) as reader:
            assert reader.statuses() == ()


@pytest.mark.parametrize("role", Role)
def test_a_reader_refuses_what_the_table_does_not_give(role: Role) -> None:
    """Every look goes through the table, with the answer that it gives."""
    with told("sqlite://", *of(INCIDENT, ACKNOWLEDGED)) as desk, desk.read_as(ACTORS[role]) as reader:
        looks: dict[Readable, list[Callable[[], object]]] = {
            Readable.REVIEW_QUEUE: [reader.review_queue],
            Readable.WORK_QUEUE: [reader.work_queue],
            Readable.CLOSURE_QUEUE: [reader.closure_queue],
            Readable.BOARD: [reader.board],
            Readable.INCIDENT: [
                lambda: reader.incident(INCIDENT),
                lambda: reader.timeline(INCIDENT),
                lambda: reader.clocks(INCIDENT),
            ],
            Readable.SIMILAR_INCIDENTS: [lambda: reader.similar(INCIDENT)],
            Readable.KNOWN_ERRORS: [lambda: reader.known_errors(INCIDENT)],
            Readable.CLOSURE_REPORT: [lambda: reader.closure_report(INCIDENT)],
            Readable.CUSTOMER_STATUS: [lambda: reader.status(INCIDENT), reader.statuses],
            Readable.PERIOD_REPORTS: [lambda: reader.allowed(Readable.PERIOD_REPORTS)],
        }
        for what, ways in looks.items():
            for look in ways:
                if role in READERS[what][1]:
                    look()
                else:
                    with pytest.raises(Refused, match=what.value):
                        look()


@settings(max_examples=40)
@given(walk=walks(30))
def test_whatever_happened_no_customer_sees_another_customers_incident(walk: list[Asked]) -> None:
    """A customer gets each of their own incidents and no other, one by one and in the list."""
    with told("sqlite://", *walk) as desk:
        customers = {name: _customer(desk, name) for name in INCIDENTS}
        for person in {DORA.person, ELSEWHERE.person, *filter(None, customers.values())}:
            own = {name for name, customer in customers.items() if customer == person}
            with desk.read_as(evolve(CUSTOMER, person=person)) as reader:
                assert {each.reference for each in reader.statuses()} == own
                assert {name for name in INCIDENTS if seen(reader, name)} == own


@settings(max_examples=40)
@given(walk=walks(30))
def test_whatever_happened_no_group_sees_what_it_was_never_handed(walk: list[Asked]) -> None:
    """A group gets what it was handed, and the children of that; its queue has what it holds."""
    with told("sqlite://", *walk) as desk:
        for member in (SUPPORT, DATABASE_GROUP):
            with desk.read_as(member) as reader:
                handed = {
                    row.incident
                    for row in reader.connection.execute(select(HAND_OVERS_TABLE))
                    if member.group in (row.taker, row.support_group)
                }
                children = {name for name in INCIDENTS if _parent(desk, name) in handed}
                assert {name for name in INCIDENTS if seen(reader, name)} == handed | children
                assert not any(
                    each.name == SATISFACTION for name in INCIDENTS for each in reader.timeline(name)
                )
                queue = reader.work_queue().entries
                assert {each.incident for each in queue} <= handed
                assert {each.group for each in queue} <= {member.group}


def _customer(desk: ServiceDesk, name: IncidentId) -> PersonId | None:
    state = desk.incident(name)
    return state.record.basics.person if isinstance(state, Registered) else None


def _parent(desk: ServiceDesk, name: IncidentId) -> str | None:
    state = desk.incident(name)
    return state.record.parent if isinstance(state, Registered) else None
