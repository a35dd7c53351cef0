from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import (
    Acknowledged,
    Agreement,
    AssignedToPerson,
    Cancelled,
    Closed,
    DeviationRecorded,
    DomainEvent,
    EffortRecorded,
    EscalatedToGroup,
    HandOffRejected,
    HoldReason,
    Line,
    MatchedToKnownError,
    Prioritised,
    PutOnHold,
    Reopened,
    Resolved,
    RootCauseClassified,
    Satisfaction,
    SatisfactionRecorded,
    WorkResumed,
)
from incident_domain.priority import Priority
from incident_projections.closure import CLOSURE
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.period import BacklogPoint, Cause, HolderTime, StateTime, Volume
from incident_projections.period_readers import period_report
from incident_projections.ping_pong import Pair
from incident_projections.queue import Phase
from incident_projections.stretches import STRETCHES
from tests.histories import at, classified, example, shown

VIEWS = (CLOSURE, STRETCHES, HAND_OVERS)
NETWORK, SERVERS = GroupId("network"), GroupId("servers")


def closed(
    incident: str, minutes: float, seconds: int, *, before: tuple[DomainEvent, ...] = ()
) -> list[tuple[str, DomainEvent]]:
    """A short story up to the closing at so many minutes, handled in so many seconds."""
    end = changed(example(Closed), occurred_at=at(minutes), handling_seconds=seconds)
    return [(incident, each) for each in (*classified(incident), *before, example(Resolved), end)]


def test_p5_3_the_report_of_a_period_takes_its_beginning_and_leaves_its_end() -> None:
    """Closed at the very beginning counts, at the very end does not, and cancelled never."""
    told = [*closed("INC-1", 10, 60), *closed("INC-2", 19.9, 60), *closed("INC-3", 20, 60)]
    told += [
        ("INC-4", each) for each in (*classified("INC-4"), changed(example(Cancelled), occurred_at=at(15)))
    ]

    with shown(VIEWS, *told) as connection:
        report = period_report(connection, since=at(10), until=at(20))

    assert report.closed == 2


def test_p5_3_the_report_of_a_period_counts_by_priority_group_agreement_and_satisfaction() -> None:
    """What never got a priority or a group has a place of its own, after the others."""
    high = changed(example(Prioritised), priority=Priority.HIGH)
    told = [
        *closed("INC-1", 1, 100, before=(high, example(EscalatedToGroup))),
        *closed("INC-2", 2, 300, before=(high, example(Resolved), example(Reopened))),
        *closed("INC-3", 3, 500),
    ]
    told.insert(-1, ("INC-3", example(SatisfactionRecorded)))

    with shown(VIEWS, *told) as connection:
        report = period_report(connection, since=at(0), until=at(60))

    assert list(report.by_priority) == [Priority.HIGH, None]
    assert report.by_priority[Priority.HIGH].count == 2
    assert list(report.by_group) == ["network", None]
    assert report.agreement == {Agreement.CONFIRMED: 3, Agreement.SILENCE: 0, Agreement.UNKNOWN: 0}
    assert report.satisfaction[Satisfaction.SATISFIED] == 1
    assert sum(report.satisfaction.values()) == 1
    assert report.reopened == 1
    assert report.reopen_rate == pytest.approx(1 / 3)


def test_a_period_without_a_closing_has_no_times_and_no_rate() -> None:
    """Nothing divided by nothing is unknown, not zero."""
    with shown(VIEWS, *closed("INC-1", 5, 60)) as connection:
        report = period_report(connection, since=at(60), until=at(90))

    assert (report.closed, report.handling.median, report.handling.p90) == (0, None, None)
    assert report.reopen_rate is None


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    """The error names the field and the rule."""
    with (
        shown(VIEWS, *closed("INC-1", 5, 60)) as connection,
        pytest.raises(ValueError, match="until: must lie after since"),
    ):
        period_report(connection, since=at(60), until=at(60))


@given(seconds=st.lists(st.integers(0, 10**6), min_size=1, max_size=25))
def test_median_and_p90_are_handling_times_that_occurred(seconds: list[int]) -> None:
    """At least half, and nine in ten, took no longer; with any less it would not be so."""
    told = [event for n, each in enumerate(seconds) for event in closed(f"INC-{n}", 5, each)]

    with shown(VIEWS, *told) as connection:
        handling = period_report(connection, since=at(0), until=at(60)).handling

    assert handling.median is not None
    assert handling.p90 is not None
    for value, share in ((handling.median, 0.5), (handling.p90, 0.9)):
        taken = int(value.total_seconds())
        assert taken in seconds
        assert sum(each <= taken for each in seconds) >= share * len(seconds)
        assert sum(each < taken for each in seconds) < share * len(seconds)


def begun(incident: str, minutes: float) -> list[DomainEvent]:
    """An incident that was registered and classified at an instant."""
    return [changed(each, occurred_at=at(minutes)) for each in classified(incident, minutes)]


def to(group: GroupId, minutes: float, line: Line = Line.SECOND) -> EscalatedToGroup:
    return changed(example(EscalatedToGroup), group=group, line=line, occurred_at=at(minutes))


def then(kind: type[Any], at_minute: float, **values: Any) -> Any:
    """The canonical event of a kind at an instant."""
    return changed(example(kind), occurred_at=at(at_minute), **values)


STORY: Mapping[str, list[DomainEvent]] = {
    "INC-1": [
        *begun("INC-1", 0),
        to(NETWORK, 10),
        then(Acknowledged, 15, group=NETWORK),
        then(AssignedToPerson, 15, group=NETWORK, person=PersonId("nora")),
        then(PutOnHold, 20, reason=HoldReason.SUPPLIER),
        then(WorkResumed, 50),
        then(MatchedToKnownError, 51),
        then(Resolved, 60),
        then(EffortRecorded, 60, minutes=25),
        then(RootCauseClassified, 62, category="network", root_cause="worn cable"),
        then(Closed, 70, handling_seconds=3600),
    ],
    "INC-2": [
        *begun("INC-2", 5),
        to(SERVERS, 6),
        then(HandOffRejected, 8, group=SERVERS, back_to=None),
        then(Resolved, 20, known_error=None),
        then(Reopened, 30),
        then(Resolved, 40, known_error=None),
        then(RootCauseClassified, 41, category="network", root_cause="worn cable"),
        then(Closed, 45, handling_seconds=1500),
    ],
    "INC-3": [*begun("INC-3", 30), then(Cancelled, 35)],
    "INC-4": [*begun("INC-4", 58), then(RootCauseClassified, 59)],
    "INC-5": [
        *begun("INC-5", 65),
        then(Resolved, 66, known_error=None),
        then(Closed, 70, handling_seconds=60),
    ],
}


def told() -> list[tuple[str, DomainEvent]]:
    return [(name, each) for name, story in STORY.items() for each in story]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_the_report_of_a_period_counts_what_happened_in_it() -> None:
    """Two resolutions of one incident are two; what happened at the end belongs to the next period."""
    with shown(VIEWS, *told()) as connection:
        whole = period_report(connection, since=at(0), until=at(90)).volume
        first, second = (
            period_report(connection, since=at(a), until=at(b)).volume for a, b in ((0, 30), (30, 90))
        )

    assert whole == Volume(registered=5, resolved=4, reopened=1, closed=3, cancelled=1)
    assert first == Volume(registered=2, resolved=1, reopened=0, closed=0, cancelled=0)
    assert second == Volume(registered=3, resolved=3, reopened=1, closed=3, cancelled=1)


def test_p3_2_the_time_to_acknowledge_runs_from_the_registration() -> None:
    """Only what was acknowledged has one."""
    with shown(VIEWS, *told()) as connection:
        report = period_report(connection, since=at(0), until=at(90))

    assert (report.acknowledgement.count, report.acknowledgement.median) == (1, minutes(15))


def test_p2_3_first_line_and_known_errors_are_counted_among_the_closed() -> None:
    """First-line means that no higher line was ever asked, not who held it at the end."""
    with shown(VIEWS, *told()) as connection:
        report = period_report(connection, since=at(0), until=at(90))

    assert (report.closed, report.first_line) == (3, 1)
    assert report.first_line_rate == pytest.approx(1 / 3)
    assert (report.matched, report.by_known_error) == (1, 1)


def test_p3_9_the_causes_that_recur_come_first() -> None:
    """With the time and the effort that they took, of closed incidents only."""
    with shown(VIEWS, *told()) as connection:
        report = period_report(connection, since=at(0), until=at(90))

    assert report.causes == (
        Cause(
            category="network",
            root_cause="worn cable",
            incidents=2,
            handling=timedelta(seconds=5100),
            effort_minutes=25,
        ),
    )


def test_x3_hand_overs_and_rejections_are_counted_by_who_gave_and_who_took() -> None:
    """A rejection belongs to the pair whose hand-off it takes back."""
    with shown(VIEWS, *told()) as connection:
        report = period_report(connection, since=at(0), until=at(90))

    assert report.hand_overs == (
        Pair(giver=None, taker=SERVERS, handed_over=1, rejected=1, returned=0),
        Pair(giver=None, taker=NETWORK, handed_over=1, rejected=0, returned=0),
    )


def test_x1_the_time_of_a_period_is_told_apart_by_state_group_and_person() -> None:
    """Each stretch is cut off at the ends of the period; what is still open lasts to its end."""
    with shown(VIEWS, *told()) as connection:
        report = period_report(connection, since=at(18), until=at(64))

    assert report.states == (
        StateTime(phase=Phase.CLASSIFICATION, hold=None, length=minutes(2 + 10 + 5 + 6)),
        StateTime(phase=Phase.INVESTIGATION, hold=None, length=minutes(2 + 10)),
        StateTime(phase=Phase.INVESTIGATION, hold=HoldReason.SUPPLIER, length=minutes(30)),
        StateTime(phase=Phase.AWAITING_CLOSURE, hold=None, length=minutes(10 + 5 + 4)),
    )
    assert report.groups == (
        HolderTime(group=NETWORK, person=None, working=minutes(12), on_hold=minutes(30)),
        HolderTime(group=None, person=None, working=minutes(23), on_hold=minutes(0)),
    )
    assert report.persons == (
        HolderTime(group=NETWORK, person=PersonId("nora"), working=minutes(12), on_hold=minutes(30)),
    )


def test_the_backlog_is_what_was_open_just_before_each_instant() -> None:
    """It begins with what was open before the period, and each point adds what came and takes what went."""
    with shown(VIEWS, *told()) as connection:
        backlog = period_report(connection, since=at(6), until=at(90)).backlog

    assert backlog == (
        BacklogPoint(at=at(6), open=2, awaiting_closure=0, registered=0, resolved=0),
        BacklogPoint(at=at(66), open=2, awaiting_closure=1, registered=3, resolved=3),
        BacklogPoint(at=at(90), open=1, awaiting_closure=0, registered=0, resolved=1),
    )


@given(cuts=st.lists(st.integers(0, 90), min_size=2, max_size=5, unique=True).map(sorted))
def test_periods_that_follow_each_other_add_up(cuts: list[int]) -> None:
    """Volumes and times of the parts are those of the whole, and a backlog goes on where it was."""
    with shown(VIEWS, *told()) as connection:

        def report(since: datetime, until: datetime) -> Any:
            return period_report(connection, since=since, until=until)

        parts = [report(at(a), at(b)) for a, b in pairwise(cuts)]
        whole = report(at(cuts[0]), at(cuts[-1]))

    for count in ("registered", "resolved", "reopened", "closed", "cancelled"):
        assert sum(getattr(part.volume, count) for part in parts) == getattr(whole.volume, count)
    spent = [sum((state.length for state in each.states), timedelta()) for each in (*parts, whole)]
    assert sum(spent[:-1], timedelta()) == spent[-1]
    ends = [(each.backlog[-1].open, each.backlog[-1].awaiting_closure) for each in parts]
    starts = [(each.backlog[0].open, each.backlog[0].awaiting_closure) for each in parts]
    assert ends[:-1] == starts[1:]


def test_p5_2_deviations_are_counted_by_clause() -> None:
    """An incident that broke a clause twice counts once."""
    deviation = example(DeviationRecorded)

    with shown(VIEWS, *closed("INC-1", 5, 60), *[("INC-1", deviation)] * 2) as connection:
        report = period_report(connection, since=at(0), until=at(60))

    assert report.deviations == {"P5.2": 1}
