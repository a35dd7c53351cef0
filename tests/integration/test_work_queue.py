"""The order of the groups' queues: what an incident's place follows from, and what it says."""

import json
from datetime import timedelta
from typing import Any

from attrs import evolve as changed
from hypothesis import given
from sqlalchemy import create_engine, delete, select

from incident_domain.envelope import Recorded
from incident_domain.events import (
    Cancelled,
    HoldReason,
    IncidentEvent,
    JudgedNotMajor,
    MajorDeclared,
    Party,
    TargetKind,
)
from incident_projections.engine import Projections
from incident_projections.queue import QUEUE, QUEUE_TABLE
from incident_projections.queue_entries import Criterion, Place
from incident_projections.queue_readers import group_queue
from incident_projections.sla_timers import sla_timers
from incident_projections.work_queue import NEVER, WORK_SERVICES_TABLE, WORK_TABLE
from tests.agreements import (
    GOLD,
    GOLD_TERMS,
    NETWORK,
    NETWORK_OLA,
    P2,
    P3,
    acknowledged,
    any_terms,
    applied,
    escalated,
    held,
    known,
    prioritised,
    progress,
    resolved,
    resumed,
    told,
)
from tests.histories import ListSource, at, classified, example, histories, rows_of, shown

SHORTER = tuple(changed(each, minutes=5) for each in GOLD_TERMS.targets)
OLA_TERMS = changed(GOLD_TERMS, group=NETWORK, targets=SHORTER)
TERMS = known(gold_1=(Party.CUSTOMER, GOLD_TERMS), network_ola_1=(Party.GROUP, OLA_TERMS))
VIEWS = (sla_timers(TERMS), QUEUE)


def begun(incident: str, *events: IncidentEvent, minutes: float = 0) -> list[tuple[str, Any]]:
    """An incident under the agreement that was classified, and what happened to it then."""
    first, *rest = classified(incident, minutes)
    return [*((incident, each) for each in (first, applied(minutes), *rest)), *told(incident, *events)]


def places(*story: tuple[str, Any], minutes: float = 100) -> list[tuple[str, Place]]:
    with shown(VIEWS, *story) as connection:
        found: list[tuple[str, Place]] = []
        for entry in group_queue(connection, now=at(minutes)).entries:
            assert entry.place is not None
            found.append((entry.incident, entry.place))
        return found


def place(*events: IncidentEvent, minutes: float = 100) -> Place:
    [(_, only)] = places(*begun("INC-1", *events), minutes=minutes)
    return only


def test_p2_5_the_first_target_that_falls_due_makes_the_place() -> None:
    """To acknowledge, then to update, then to resolve: what is met or paused counts no more."""
    story: list[IncidentEvent] = [
        prioritised(0),
        acknowledged(10),
        progress(20),
        held(30, HoldReason.CUSTOMER),
        resumed(200),
    ]

    dues = [(made.target, made.due_at) for made in (place(*story[:length]) for length in range(1, 5))]

    assert dues == [
        (TargetKind.ACKNOWLEDGE, at(15)),
        (TargetKind.UPDATE, at(60)),
        (TargetKind.UPDATE, at(80)),
        (TargetKind.UPDATE, at(80)),
    ]
    assert place(*story, progress(410)).due_at == at(410)


def test_p2_5_what_is_paused_stands_behind_what_runs() -> None:
    """Nothing is due of an incident whose clocks all stand still; it is due again when they run."""
    pauses = tuple(changed(GOLD_TERMS.pauses[0], kind=kind) for kind in TargetKind)
    terms = known(gold_1=(Party.CUSTOMER, changed(GOLD_TERMS, pauses=pauses)))
    story = [
        *begun("INC-waits", prioritised(0), held(5)),
        *begun("INC-runs", prioritised(0, P3)),
        *begun("INC-none"),
    ]

    with shown((sla_timers(terms), QUEUE), *story) as connection:
        waiting = [entry.incident for entry in group_queue(connection, now=at(9)).entries]
    with shown((sla_timers(terms), QUEUE), *story, ("INC-waits", resumed(10))) as connection:
        running = [entry.incident for entry in group_queue(connection, now=at(10)).entries]

    assert waiting == ["INC-runs", "INC-waits", "INC-none"]
    assert running == ["INC-waits", "INC-runs", "INC-none"]


def test_p2_5_what_is_broken_comes_before_what_is_going_to_be() -> None:
    """The longest broken first, whatever the priority; a major incident before all of them."""
    story = [
        *begun("INC-soon", prioritised(90), minutes=90),
        *begun("INC-broken", prioritised(0, P2), acknowledged(1)),
        *begun("INC-longer", prioritised(0, P2)),
        *begun("INC-major", example(MajorDeclared)),
    ]

    found = places(*story, minutes=95)

    assert [incident for incident, _ in found] == ["INC-major", "INC-longer", "INC-broken", "INC-soon"]
    assert [made.behind_by for _, made in found] == [
        None,
        Criterion.MAJOR,
        Criterion.TIME_TO_BREACH,
        Criterion.TIME_TO_BREACH,
    ]
    left = [made.time_to_breach for _, made in found]
    assert left == [None, timedelta(minutes=-80), timedelta(minutes=-35), timedelta(minutes=10)]


def test_p2_5_a_group_cannot_promise_itself_to_the_top() -> None:
    """Only what was agreed with the customer orders a queue."""
    own: list[IncidentEvent] = [prioritised(0), escalated(0), applied(0, NETWORK_OLA)]

    made = place(*own)

    assert (made.agreement, made.due_at) == (GOLD, at(15))


def test_p2_5_the_place_says_what_it_follows_from() -> None:
    """Every criterion is in the sentence, with what is left or how long ago it was."""
    late = place(example(JudgedNotMajor), prioritised(0), acknowledged(1), minutes=180)
    early = place(prioritised(0), example(MajorDeclared), minutes=3)

    assert late.sentence == (
        "Not major; an update by gold was due 2 h 00 min ago; priority 2; registered 3 h 00 min ago."
    )
    assert early.sentence == (
        "Major incident; acknowledging by gold is due in 12 min; priority 2; registered 3 min ago."
    )
    assert place().sentence.startswith("Not major; no target runs; no priority;")


def test_what_is_not_at_work_takes_no_place() -> None:
    """Resolved and cancelled incidents leave the tables, not only the queue."""
    story = [*begun("INC-1", resolved(5)), *begun("INC-2", example(Cancelled)), *begun("INC-3")]

    with shown(VIEWS, *story) as connection:
        rows = connection.execute(select(WORK_TABLE.c.incident)).scalars().all()

    assert rows == ["INC-3"]


def test_an_incident_that_the_other_view_does_not_know_yet_is_left_out() -> None:
    """A page without it still leads to the next, and the one after it says what puts it there."""
    story = [*begun("INC-1"), *begun("INC-2"), *begun("INC-3", minutes=1)]

    with shown(VIEWS, *story) as connection:
        connection.execute(delete(QUEUE_TABLE).where(QUEUE_TABLE.c.incident == "INC-2"))
        first = group_queue(connection, now=at(9), limit=2)
        rest = group_queue(connection, now=at(9), limit=2, cursor=first.next)

    assert [entry.incident for entry in first.entries] == ["INC-1"]
    assert [entry.incident for entry in rest.entries] == ["INC-3"]
    [last] = rest.entries
    assert last.place is not None
    assert last.place.behind_by is Criterion.AGE


@given(journal=histories())
def test_both_views_agree_on_how_an_incident_stands(journal: list[Recorded]) -> None:
    """Whatever the history: what is at work has a row, and holder, priority and hold are the queue's."""
    engine = create_engine("sqlite://")
    views = (sla_timers(any_terms), QUEUE)
    Projections(engine, ListSource(journal=journal, cuts=[(3, 7), (0, 4)]), views).catch_up()
    rows = rows_of(engine, views)
    engine.dispose()
    names, shown_names = WORK_TABLE.columns.keys(), QUEUE_TABLE.columns.keys()
    places = {row[0]: dict(zip(names, row, strict=True)) for row in rows["work_queue"]}
    queue = {row[0]: dict(zip(shown_names, row, strict=True)) for row in rows["queue"]}

    assert set(places) == {name for name, row in queue.items() if row["at_work"]}
    for name, row in places.items():
        expected = queue[name]
        for same in ("registered_at", "support_group", "person", "next_update_due"):
            assert row[same] == expected[same], same
        assert row["line"] == (expected["line"] or 1)
        assert row["weight"] == (expected["priority"] or 6)
        assert (row["minor"] == 0) == (expected["rank"] == 0)
        assert (row["state"] == "on_hold") == (expected["hold_since"] is not None)
        owed = expected["support_group"] is not None and expected["acknowledged_at"] is None
        assert row["acknowledged"] == int(not owed)
        assert (row["due_kind"] is None) == (row["due"] == NEVER)
    services = {(row[0], row[1]) for row in rows["work_services"]}
    assert WORK_SERVICES_TABLE.columns.keys()[:2] == ["incident", "service"]
    assert services == {(name, service) for name in places for service in _services(queue[name]["services"])}


def _services(column: str) -> list[str]:
    found: list[str] = json.loads(column)
    return found
