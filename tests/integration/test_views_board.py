from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import pytest
from attrs import evolve as changed
from hypothesis import given
from sqlalchemy import Connection, create_engine

from incident_domain.envelope import Recorded
from incident_domain.events import (
    Channel,
    Closed,
    CustomerInformed,
    DomainEvent,
    IdentifiedAsSame,
    IncidentId,
    JudgedNotMajor,
    MajorDeclared,
    ManagementInformed,
    NumberAssigned,
)
from incident_domain.incident import Ended, Gravity, Incident, SameAs, Unregistered
from incident_projections.board import BoardEntry, Debt, board
from incident_projections.engine import Projections
from incident_projections.major_incidents import MAJOR_INCIDENTS
from incident_projections.queue import QUEUE, Phase
from incident_projections.sla_timers import sla_timers
from incident_projections.view import View
from tests.agreements import (
    NETWORK,
    acknowledged,
    any_terms,
    applied,
    escalated,
    notified,
    prioritised,
    progress,
    resolved,
)
from tests.histories import (
    DESK,
    MANAGER,
    ListSource,
    at,
    classified,
    example,
    histories,
    registered,
    shown,
    states_of,
)
from tests.reported import TERMS

VIEWS: Final[tuple[View, ...]] = (MAJOR_INCIDENTS, QUEUE, sla_timers(TERMS))
ONE: Final = IncidentId("INC-1")
TWO: Final = IncidentId("INC-2")


def declared(minutes: float) -> MajorDeclared:
    return MajorDeclared(by=MANAGER, occurred_at=at(minutes), reason="A whole site stands still")


def management_told(minutes: float) -> ManagementInformed:
    return ManagementInformed(
        by=MANAGER, occurred_at=at(minutes), informed="head of IT", channel=Channel.PHONE
    )


def customer_told(minutes: float) -> CustomerInformed:
    return CustomerInformed(
        by=DESK, occurred_at=at(minutes), channel=Channel.PHONE, text="We are at work on it"
    )


def major(incident: IncidentId, *events: DomainEvent) -> list[tuple[str, DomainEvent]]:
    """A major incident that was declared two minutes after its registration."""
    return [(incident, each) for each in (registered(incident), declared(2), *events)]


def owed(entry: BoardEntry) -> list[tuple[Debt, datetime, timedelta | None]]:
    return [(each.what, each.due_at, each.overdue_by) for each in entry.owed]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@contextmanager
def folded(journal: list[Recorded]) -> Generator[Connection]:
    """Give a connection to the board of a journal."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), (*VIEWS[:2], sla_timers(any_terms))).catch_up()
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@given(journal=histories())
def test_the_board_holds_what_the_domain_holds_to_be_major(journal: list[Recorded]) -> None:
    """Whatever the history, an open major incident is on the board, and owes what the domain says."""
    with folded(journal) as connection:
        entries = {each.incident: each for each in board(connection, now=at(0))}

    states = states_of(journal)
    assert set(entries) == {IncidentId(name) for name, state in states.items() if _on_the_board(state)}
    for name, entry in entries.items():
        state = states[name]
        assert not isinstance(state, Unregistered)
        gravity = state.record.intake.gravity
        assert (entry.management_informed_at is None) == (gravity is Gravity.MAJOR)
        assert (entry.customer_informed_at is not None) == (gravity is Gravity.CUSTOMER_INFORMED)
        held = state.record.work.assignment
        assert entry.group == (None if held is None else held.group)


def _on_the_board(state: Incident) -> bool:
    if isinstance(state, Unregistered | SameAs | Ended):
        return False
    return state.record.intake.gravity not in (Gravity.UNDECIDED, Gravity.NOT_MAJOR)


@pytest.mark.clause("P1.11")
def test_p1_11_who_has_not_been_told_is_owed_it_from_the_declaration_on() -> None:
    """Management and then the customer; time is asked with the question."""
    told = major(ONE)
    with shown(VIEWS, *told) as connection:
        (entry,) = board(connection, now=at(12))
        (at_once,) = board(connection, now=at(2))
    with shown(VIEWS, *told, (ONE, management_told(5))) as connection:
        (half_told,) = board(connection, now=at(12))
    with shown(VIEWS, *told, (ONE, management_told(5)), (ONE, customer_told(8))) as connection:
        (all_told,) = board(connection, now=at(12))

    assert owed(entry) == [
        (Debt.INFORM_MANAGEMENT, at(2), minutes(10)),
        (Debt.INFORM_CUSTOMER, at(2), minutes(10)),
    ]
    assert [each.overdue_by for each in at_once.owed] == [None, None]
    assert owed(half_told) == [(Debt.INFORM_CUSTOMER, at(5), minutes(7))]
    assert half_told.management_informed_at == at(5)
    assert owed(all_told) == []
    assert (all_told.customer_informed_at, all_told.told_at) == (at(8), at(8))


@pytest.mark.clause("P1.11")
def test_p1_11_a_customer_told_before_management_is_still_owed_it() -> None:
    """The order is the process's; what an import told the other way round does not count."""
    with shown(VIEWS, *major(ONE, customer_told(3), management_told(4))) as connection:
        (entry,) = board(connection, now=at(6))

    assert owed(entry) == [(Debt.INFORM_CUSTOMER, at(4), minutes(2))]
    assert entry.told_at == at(3)


@pytest.mark.clause("P3.3")
def test_p3_3_the_next_update_is_owed_when_it_was_promised() -> None:
    """It is to come, and then it is overdue by so much; a new report moves it."""
    story = major(
        ONE,
        changed(example(NumberAssigned), number=7),
        management_told(3),
        customer_told(4),
        prioritised(5),
        escalated(6),
        acknowledged(7),
        progress(10),
    )
    with shown(VIEWS, *story) as connection:
        (before,), (after,) = (board(connection, now=at(asked)) for asked in (30, 90))
    with shown(VIEWS, *story, (ONE, progress(80))) as connection:
        (again,) = board(connection, now=at(90))

    assert owed(before) == [(Debt.NEXT_UPDATE, at(70), None)]
    assert owed(after) == [(Debt.NEXT_UPDATE, at(70), minutes(20))]
    assert owed(again) == [(Debt.NEXT_UPDATE, at(140), None)]
    assert (after.number, after.group, after.held_since) == (7, NETWORK, at(6))
    assert after.acknowledged_at == at(7)


@pytest.mark.clause("P3.3")
def test_p3_3_an_agreement_may_ask_for_the_next_update_earlier() -> None:
    """The earlier of both counts; news are agreed within an hour of the registration, or of the last news."""
    story = major(
        ONE,
        applied(2),
        management_told(3),
        customer_told(4),
        prioritised(5),
        escalated(6),
        acknowledged(7),
    )
    with shown(VIEWS, *story) as connection:
        (agreed,) = board(connection, now=at(30))
    with shown(VIEWS, *story, (ONE, changed(progress(10), next_update_due=at(25)))) as connection:
        (promised,) = board(connection, now=at(30))
    with shown(VIEWS, *story, (ONE, progress(10)), (ONE, notified(20))) as connection:
        (told,) = board(connection, now=at(30))

    assert owed(agreed) == [(Debt.NEXT_UPDATE, at(60), None)]
    assert owed(promised) == [(Debt.NEXT_UPDATE, at(25), minutes(5))]
    assert owed(told) == [(Debt.NEXT_UPDATE, at(70), None)]
    assert told.told_at == at(20)


def test_what_is_overdue_longest_comes_first() -> None:
    """Then what falls due next, and last what owes nothing."""
    quiet = IncidentId("INC-3")
    told = (management_told(3), customer_told(4))
    story = [
        *((quiet, each) for _, each in major(quiet, *told)),
        *major(ONE, *told, prioritised(5), escalated(6), progress(10)),
        *major(TWO, management_told(9)),
    ]
    with shown(VIEWS, *story) as connection:
        entries = board(connection, now=at(100))

    assert [each.incident for each in entries] == [TWO, ONE, quiet]


@pytest.mark.parametrize(
    "event",
    [example(JudgedNotMajor), changed(example(IdentifiedAsSame), existing=TWO), example(Closed)],
    ids=lambda event: type(event).__name__,
)
def test_what_is_no_major_incident_any_more_leaves_the_board(event: DomainEvent) -> None:
    """Judged not major after all, carried on by another, or closed."""
    with shown(VIEWS, *major(ONE)) as connection:
        assert [each.incident for each in board(connection, now=at(9))] == [ONE]
    with shown(VIEWS, *major(ONE), (ONE, event)) as connection:
        assert board(connection, now=at(9)) == ()


def test_a_resolved_one_stays_until_it_is_closed_and_promises_nothing() -> None:
    """Management sees that it waits for its closing; no progress is reported any more."""
    story = [(ONE, each) for each in (*classified(ONE), declared(2), management_told(3), customer_told(4))]
    with shown(VIEWS, *story, (ONE, progress(10)), (ONE, resolved(20))) as connection:
        (entry,) = board(connection, now=at(100))

    assert entry.phase is Phase.AWAITING_CLOSURE
    assert owed(entry) == []


def test_a_second_declaration_begins_anew() -> None:
    """Whoever was told of the first one has to be told again, once it was judged not major in between."""
    story = major(ONE, management_told(3), example(JudgedNotMajor), declared(30))

    with shown(VIEWS, *story) as connection:
        (entry,) = board(connection, now=at(31))

    assert entry.declared_at == at(30)
    assert entry.management_informed_at is None
