from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import pytest
from attrs import evolve as changed
from hypothesis import given
from sqlalchemy import Connection, create_engine, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    Acknowledged,
    AssignedToPerson,
    DomainEvent,
    EscalatedToGroup,
    HandOffRejected,
    IncidentId,
    NumberAssigned,
    Reopened,
)
from incident_domain.evolution import BrokenHistory
from incident_domain.incident import Unregistered
from incident_projections.engine import Projections
from incident_projections.hand_overs import HAND_OVERS, HAND_OVERS_TABLE, Move, fold_hand_overs
from incident_projections.holding import NOBODY, handed_over
from incident_projections.ping_pong import Pair, most_moved, pairs
from incident_projections.queue import QUEUE
from tests.agreements import NETWORK, SERVERS, escalated, member, rejected
from tests.histories import ListSource, at, classified, example, histories, recorded, shown, states_of

VIEWS: Final = (QUEUE, HAND_OVERS)
ONE: Final = "INC-1"
TWO: Final = "INC-2"
WORKPLACE: Final = GroupId("workplace")


def assigned(minutes: float, person: str, group: GroupId = NETWORK) -> AssignedToPerson:
    return AssignedToPerson(by=member(group), occurred_at=at(minutes), group=group, person=PersonId(person))


def of(incident: str, *events: DomainEvent) -> list[tuple[str, DomainEvent]]:
    return [(incident, each) for each in (*classified(incident), *events)]


@contextmanager
def folded(journal: list[Recorded]) -> Generator[Connection]:
    """Give a connection to the hand-overs of a journal."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@given(journal=histories())
def test_the_rows_count_what_the_queue_counts_and_end_with_who_holds_it(journal: list[Recorded]) -> None:
    """Whatever the history, they add up to the queue's counts, and the last one names the holder."""
    with folded(journal) as connection:
        for incident, state in states_of(journal).items():
            rows = connection.execute(
                select(HAND_OVERS_TABLE)
                .where(HAND_OVERS_TABLE.c.incident == incident)
                .order_by(HAND_OVERS_TABLE.c.step)
            ).all()
            held = NOBODY
            for each in journal:
                event = each.event
                if each.stream == incident and isinstance(
                    event, EscalatedToGroup | AssignedToPerson | HandOffRejected | Acknowledged | Reopened
                ):
                    held = handed_over(held, event)
            assert not isinstance(state, Unregistered)
            assignment = state.record.work.assignment
            last = rows[-1] if rows else None
            moves = [(row.move, row.giver) for row in rows]

            assert [row.step for row in rows] == list(range(1, len(rows) + 1))
            assert (None if last is None else last.support_group) == (assignment and assignment.group)
            assert (None if last is None else last.person) == (assignment and assignment.person)
            assert sum(move == "rejected" for move, _ in moves) == held["bounces"]
            assert (
                sum(
                    move == "passed_on" or (move == "handed_over" and giver is not None)
                    for move, giver in moves
                )
                == held["reassignments"]
            )


@pytest.mark.clause("P2.5")
def test_p2_5_a_first_assignment_is_no_reassignment() -> None:
    """What goes from the desk to a group and to a person of it went to and fro nowhere."""
    with shown(VIEWS, *of(ONE, escalated(1), assigned(2, "chen"))) as connection:
        moved = most_moved(connection, since=at(0), until=at(60))
        between = pairs(connection, since=at(0), until=at(60))

    assert moved == ()
    assert between == (Pair(giver=None, taker=NETWORK, handed_over=1, rejected=0, returned=0),)


@pytest.mark.clause("P2.5")
def test_p2_5_the_worst_incidents_come_first_with_the_way_they_went() -> None:
    """Reassignments to groups and persons, rejections and returns are counted, and each move is told."""
    events = [
        *of(
            ONE,
            changed(example(NumberAssigned), number=7),
            escalated(1),
            assigned(2, "chen"),
            assigned(3, "gina"),
            escalated(4, SERVERS, by=member()),
            rejected(5, SERVERS, back_to=NETWORK),
            escalated(6, WORKPLACE, by=member()),
            escalated(7, NETWORK, by=member(WORKPLACE)),
        ),
        *of(TWO, escalated(1, SERVERS), rejected(2, SERVERS)),
    ]
    with shown(VIEWS, *events) as connection:
        first, second = most_moved(connection, since=at(0), until=at(60))
        one = most_moved(connection, since=at(0), until=at(60), limit=1)

    assert one == (first,)
    assert (first.incident, first.number) == (IncidentId(ONE), 7)
    assert (first.reassignments, first.bounces, first.returns) == (4, 1, 1)
    assert [(each.move, each.giver, each.taker, each.person) for each in first.path] == [
        (Move.HANDED_OVER, None, NETWORK, "chen"),
        (Move.PASSED_ON, NETWORK, NETWORK, "gina"),
        (Move.HANDED_OVER, NETWORK, SERVERS, None),
        (Move.REJECTED, NETWORK, SERVERS, "gina"),
        (Move.HANDED_OVER, NETWORK, WORKPLACE, None),
        (Move.HANDED_OVER, WORKPLACE, NETWORK, None),
    ]
    assert (second.incident, second.reassignments, second.bounces, second.returns) == (TWO, 0, 1, 0)


@pytest.mark.clause("X3")
def test_x3_a_rejection_counts_for_the_pair_whose_hand_off_it_was() -> None:
    """Also where the desk took it from one group for another, and gets it back when that one rejects it."""
    events = of(ONE, escalated(1), escalated(2, SERVERS), rejected(3, SERVERS), escalated(4, SERVERS))

    with shown(VIEWS, *events) as connection:
        between = pairs(connection, since=at(0), until=at(60))

    assert between == (
        Pair(giver=NETWORK, taker=SERVERS, handed_over=1, rejected=1, returned=0),
        Pair(giver=None, taker=NETWORK, handed_over=1, rejected=0, returned=0),
        Pair(giver=None, taker=SERVERS, handed_over=1, rejected=0, returned=1),
    )


def test_a_period_has_what_happened_from_its_beginning_on_and_before_its_end() -> None:
    """Two periods that meet share nothing and leave nothing out."""
    events = of(ONE, escalated(10), escalated(20, SERVERS), rejected(30, SERVERS), escalated(40, WORKPLACE))

    with shown(VIEWS, *events) as connection:
        whole, early, late = (
            pairs(connection, since=at(begin), until=at(end)) for begin, end in ((0, 60), (0, 30), (30, 60))
        )
        moved = [
            [(each.reassignments, each.bounces) for each in most_moved(connection, since=begin, until=end)]
            for begin, end in ((at(0), at(30)), (at(30), at(60)))
        ]

    assert sum(each.handed_over for each in whole) == 3
    assert sum(each.handed_over for each in (*early, *late)) == 3
    assert [sum(each.rejected for each in found) for found in (whole, early, late)] == [1, 0, 1]
    assert moved == [[(1, 0)], [(0, 1)]]


def test_another_line_of_the_same_group_is_no_hand_over() -> None:
    """Nobody else got the incident, so nothing changed hands; only its person is open again."""
    events = of(ONE, escalated(1), assigned(2, "chen"), escalated(3))

    with shown(VIEWS, *events) as connection:
        rows = connection.execute(select(HAND_OVERS_TABLE)).all()

    assert [(row.move, row.support_group, row.person) for row in rows] == [("handed_over", NETWORK, None)]


@pytest.mark.parametrize("event", [assigned(1, "chen"), rejected(1)])
def test_what_nobody_holds_can_neither_be_taken_on_nor_given_back(
    event: AssignedToPerson | HandOffRejected,
) -> None:
    """Such a history is broken, and the error says where."""
    (told,) = recorded((ONE, event))

    with pytest.raises(BrokenHistory, match="while no group holds it"):
        fold_hand_overs((), told, event)


def test_at_least_one_incident_is_asked_for() -> None:
    """A limit of none is a slip, and says so."""
    with shown(VIEWS) as connection, pytest.raises(ValueError, match="limit"):
        most_moved(connection, since=at(0), until=at(1), limit=0)
