from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st

from incident_domain.actor import GroupId, PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    AssignedToPerson,
    Classified,
    Closed,
    DomainEvent,
    EscalatedToGroup,
    HandOffRejected,
    HoldReason,
    IdentifiedAsSame,
    Prioritised,
    PutOnHold,
    Reopened,
    Resolved,
    SameAsUndone,
    WorkResumed,
)
from incident_domain.evolution import BrokenHistory, evolve
from incident_domain.incident import (
    UNREGISTERED,
    AwaitingClosure,
    Ended,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    SameAs,
    Unregistered,
    handling_time,
)
from incident_domain.priority import Priority
from incident_projections.instants import micros
from incident_projections.queue import Phase
from incident_projections.stretches import STRETCHES, StretchRow
from tests.histories import at, classified, example, histories, recorded, registered, states_of

ONE = "INC-1"
NETWORK, SERVERS = GroupId("network"), GroupId("servers")


def folded(view: Any, journal: list[Recorded]) -> dict[str, tuple[Any, ...]]:
    """The rows of each incident after the whole journal."""
    rows: dict[str, tuple[Any, ...]] = {}
    for each in journal:
        if type(each.event) in view.about:
            rows[each.stream] = view.fold(rows.get(each.stream, ()), each, each.event)
    return rows


def stretches(*story: DomainEvent) -> tuple[StretchRow, ...]:
    """The stretches of one incident that was registered and classified at the start of the story."""
    return folded(STRETCHES, recorded(*((ONE, each) for each in story)))[ONE]


def begun(minutes: float = 0) -> list[DomainEvent]:
    return [changed(each, occurred_at=at(minutes)) for each in classified(ONE, minutes)]


def to(group: GroupId, minutes: float, *, by: DomainEvent | None = None) -> EscalatedToGroup:
    event = changed(example(EscalatedToGroup), group=group, occurred_at=at(minutes))
    return event if by is None else changed(event, by=by.by)


def minutes_of(rows: tuple[StretchRow, ...]) -> list[float]:
    return [(row["ended_at"] - row["began_at"]) / 60_000_000 for row in rows if row["ended_at"] is not None]


def test_p5_2_the_handling_time_is_told_apart_by_who_was_waited_for() -> None:
    """Each hand-over, hold and resolution begins a stretch where the one before ended."""
    rows = stretches(
        *begun(),
        to(NETWORK, 10),
        changed(example(PutOnHold), reason=HoldReason.SUPPLIER, occurred_at=at(15)),
        changed(example(WorkResumed), occurred_at=at(45)),
        changed(example(Resolved), occurred_at=at(50)),
        changed(example(Closed), occurred_at=at(80)),
    )

    assert minutes_of(rows) == [10, 5, 30, 5, 30]
    assert [row["hold"] for row in rows] == [None, None, "supplier", None, None]
    assert [row["support_group"] for row in rows] == [None, *["network"] * 4]
    assert [row["phase"] for row in rows] == [
        Phase.CLASSIFICATION.value,
        *[Phase.INVESTIGATION.value] * 3,
        Phase.AWAITING_CLOSURE.value,
    ]
    assert [row["handled"] for row in rows] == [1, 1, 1, 1, 0]


def test_x3_a_rejected_hand_off_gives_back_to_whom_it_came_from() -> None:
    """The group and the person before hold it again."""
    assigned = changed(example(AssignedToPerson), group=NETWORK, person=PersonId("nora"), occurred_at=at(10))
    rows = stretches(
        *begun(),
        to(NETWORK, 10),
        assigned,
        to(SERVERS, 20, by=assigned),
        changed(example(HandOffRejected), group=SERVERS, back_to=NETWORK, occurred_at=at(25)),
    )

    assert (rows[-1]["support_group"], rows[-1]["person"]) == ("network", "nora")
    assert rows[-2]["support_group"] == "servers"


def test_p5_1_the_time_between_a_resolution_and_its_reopening_is_not_handled() -> None:
    """It stays a stretch, and it does not count."""
    rows = stretches(
        *begun(),
        changed(example(Resolved), occurred_at=at(10)),
        changed(example(Reopened), occurred_at=at(100)),
        changed(example(Resolved), occurred_at=at(130)),
        changed(example(Closed), occurred_at=at(131)),
    )

    assert minutes_of(rows) == [10, 90, 30, 1]
    assert [row["handled"] for row in rows] == [1, 0, 1, 0]


def test_resolved_again_without_a_reopening_ends_the_handling_time_later() -> None:
    """A history made elsewhere may resolve twice; the last resolution counts, as the closing says."""
    rows = stretches(
        *begun(),
        changed(example(Resolved), occurred_at=at(10)),
        changed(example(Resolved), occurred_at=at(30), solution="another"),
        changed(example(Closed), occurred_at=at(31)),
    )

    assert minutes_of(rows) == [10, 20, 1]
    assert [row["handled"] for row in rows] == [1, 1, 0]


def test_x6_the_same_as_another_and_then_not_goes_back_to_the_phase_before() -> None:
    """The time in between is a stretch of its own."""
    rows = stretches(
        *begun(),
        to(NETWORK, 10),
        changed(example(IdentifiedAsSame), occurred_at=at(20)),
        changed(example(SameAsUndone), occurred_at=at(30)),
    )

    assert [row["phase"] for row in rows[1:]] == ["investigation", "same_as", "investigation"]
    assert minutes_of(rows) == [10, 10, 10]


def test_a_stretch_knows_the_priority_of_its_time() -> None:
    """A new priority begins a stretch; the same one once more does not."""
    high = changed(example(Prioritised), priority=Priority.HIGH, occurred_at=at(5))

    rows = stretches(*begun(), high, changed(high, occurred_at=at(6)))

    assert [row["priority"] for row in rows] == [None, Priority.HIGH.value]


def test_what_is_recorded_late_holds_from_when_it_happened() -> None:
    """A resolution that was entered late takes back the stretches that it overtook."""
    rows = stretches(
        *begun(),
        to(NETWORK, 10),
        to(SERVERS, 40),
        changed(example(Resolved), occurred_at=at(30)),
    )

    assert minutes_of(rows) == [10, 20, 0]
    assert rows[-1]["began_at"] == micros(at(30))


BY_GROUP = example(AssignedToPerson)
TURNS: tuple[DomainEvent, ...] = (
    *(changed(example(Prioritised), priority=each) for each in (Priority.HIGH, Priority.LOW)),
    *(changed(example(PutOnHold), reason=each) for each in (HoldReason.SUPPLIER, HoldReason.CUSTOMER)),
    *(to(group, 0, by=by) for group in (NETWORK, SERVERS) for by in (None, BY_GROUP)),
    BY_GROUP,
    example(HandOffRejected),
    example(WorkResumed),
    example(Classified),
    example(IdentifiedAsSame),
    example(SameAsUndone),
    *(example(Resolved), example(Resolved), example(Reopened), example(Reopened)),
)


@st.composite
def turnings(draw: st.DrawFn) -> list[Recorded]:
    """A history of one incident that turns often, at whole minutes and in any order of time."""
    story: list[tuple[str, DomainEvent]] = [(ONE, registered(ONE))]
    state = evolve(UNREGISTERED, registered(ONE))
    drawn = draw(st.lists(st.tuples(st.sampled_from(TURNS), st.integers(0, 9)), min_size=4, max_size=20))
    for turn, minutes in drawn:
        event: Any = changed(turn, occurred_at=at(minutes))
        try:
            state = evolve(state, event)
        except BrokenHistory:
            continue
        story.append((ONE, event))
    return recorded(*story)


PHASES: dict[type[Incident], Phase] = {
    InRegistration: Phase.REGISTRATION,
    InClassification: Phase.CLASSIFICATION,
    InInvestigation: Phase.INVESTIGATION,
    AwaitingClosure: Phase.AWAITING_CLOSURE,
    SameAs: Phase.SAME_AS,
}


@given(journal=histories() | turnings())
def test_the_last_stretch_stands_as_the_incident_does(journal: list[Recorded]) -> None:
    """Phase, holder, priority and hold are those that the domain makes of the history."""
    rows = folded(STRETCHES, journal)

    for incident, state in states_of(journal).items():
        last = rows[incident][-1]
        if isinstance(state, Unregistered | Ended):
            assert last["ended_at"] is not None
            continue
        held, hold = state.record.work.assignment, state.record.work.hold
        assert last["ended_at"] is None
        assert last["phase"] == PHASES[type(state)].value
        assert (last["support_group"], last["person"]) == ((held and held.group), (held and held.person))
        assert last["priority"] == (state.record.triage.priority and state.record.triage.priority.value)
        assert last["hold"] == (hold and hold.reason.value)


@given(journal=histories() | turnings())
def test_stretches_follow_each_other_without_a_gap(journal: list[Recorded]) -> None:
    """From the registration on, each begins when the one before ends, and none is negative."""
    for rows in folded(STRETCHES, journal).values():
        assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
        assert all(one["ended_at"] == other["began_at"] for one, other in pairwise(rows))
        assert all(row["ended_at"] is None or row["ended_at"] >= row["began_at"] for row in rows)


@given(journal=turnings())
def test_p5_2_the_handled_stretches_add_up_to_the_handling_time(journal: list[Recorded]) -> None:
    """At every resolution the sum is what the domain computes, in whichever order things were recorded."""
    for length in range(1, len(journal) + 1):
        state = states_of(journal[:length])[ONE]
        if isinstance(state, AwaitingClosure):
            rows: tuple[StretchRow, ...] = folded(STRETCHES, journal[:length])[ONE]
            handled = sum(
                row["ended_at"] - row["began_at"]
                for row in rows
                if row["handled"] and row["ended_at"] is not None
            )
            resolved_at = state.resolution.occurred_at
            assert handled == handling_time(state.record, resolved_at) // timedelta(microseconds=1)


def test_an_event_before_the_registration_breaks_the_history() -> None:
    """Nothing can be folded of an incident that was never registered."""
    with pytest.raises(BrokenHistory):
        stretches(example(Resolved))
