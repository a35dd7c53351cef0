from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st

from incident_domain.events import (
    Agreement,
    AnalysisRecorded,
    Cancelled,
    ChangeLinked,
    Closed,
    ConfirmationRequested,
    Cost,
    DeviationRecorded,
    DomainEvent,
    EffortRecorded,
    EscalatedToGroup,
    FindingsReported,
    IncidentId,
    LinkedAsChild,
    Prioritised,
    RecordVerified,
    Reopened,
    ResolutionConfirmed,
    ResolutionRejected,
    Resolved,
    RootCauseClassified,
    Satisfaction,
    SatisfactionRecorded,
    ServiceRestored,
    UnlinkedFromParent,
)
from incident_domain.priority import Priority
from incident_projections.closure import CLOSURE
from incident_projections.closure_readers import Deviation, Effort, Finding, closure_report, period_report
from tests.examples import EXAMPLES
from tests.histories import at, classified, example, shown

ONE = IncidentId("INC-1")


def closed(
    incident: str, minutes: float, seconds: int, *, before: tuple[DomainEvent, ...] = ()
) -> list[tuple[str, DomainEvent]]:
    """A short story up to the closing at so many minutes, handled in so many seconds."""
    end = changed(example(Closed), occurred_at=at(minutes), handling_seconds=seconds)
    return [(incident, each) for each in (*classified(incident), *before, example(Resolved), end)]


def test_p5_3_the_closure_report_tells_what_was_done_and_why_it_may_be_closed() -> None:
    """Actions, solution, root cause, agreement, satisfaction, the times, and the handling time (P5.2)."""
    kinds = (
        AnalysisRecorded,
        EscalatedToGroup,
        FindingsReported,
        ChangeLinked,
        ServiceRestored,
        Resolved,
        ConfirmationRequested,
        ResolutionConfirmed,
        RootCauseClassified,
        RecordVerified,
        SatisfactionRecorded,
        Closed,
    )
    story = [*classified("INC-1"), *(EXAMPLES[kind] for kind in kinds)]

    with shown([CLOSURE], *(("INC-1", each) for each in story)) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    resolved, end = example(Resolved), example(Closed)
    assert (report.actions, report.solution) == (resolved.actions, resolved.solution)
    assert (report.known_error, report.changes) == (resolved.known_error, ("CHG-88",))
    assert report.root_cause == example(RootCauseClassified).root_cause
    found = example(FindingsReported)
    assert report.findings == (Finding(findings=found.findings, prevention=found.prevention),)
    assert (report.agreement, report.satisfaction) == (Agreement.CONFIRMED, Satisfaction.SATISFIED)
    assert report.began_at == example(AnalysisRecorded).began_at
    assert report.restored_at == example(ServiceRestored).restored_at
    assert (report.registered_at, report.resolved_at) == (at(0), resolved.occurred_at)
    assert report.asked_at == example(ConfirmationRequested).occurred_at
    assert report.confirmed_at == example(ResolutionConfirmed).occurred_at
    assert report.verified_at == example(RecordVerified).occurred_at
    assert (report.closed_at, report.handling) == (end.occurred_at, timedelta(seconds=end.handling_seconds))
    assert report.group == "network"


def test_p5_2_satisfaction_is_unknown_until_it_is_stated() -> None:
    """A closing without a word from the customer leaves agreement and satisfaction as they are known."""
    end = changed(example(Closed), agreement=Agreement.UNKNOWN)

    with shown([CLOSURE], *(("INC-1", each) for each in (*classified("INC-1"), end))) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert (report.agreement, report.satisfaction) == (Agreement.UNKNOWN, None)


def test_p5_1_a_rejected_resolution_is_counted_and_takes_the_resolution_back() -> None:
    """After a reopening the report has no resolution and no agreement, and counts both."""
    kinds = (ServiceRestored, Resolved, ConfirmationRequested, RecordVerified, ResolutionRejected, Reopened)
    story = [*classified("INC-1"), *(EXAMPLES[kind] for kind in kinds)]

    with shown([CLOSURE], *(("INC-1", each) for each in story)) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert (report.rejections, report.reopenings) == (1, 1)
    taken_back = (report.resolved_at, report.restored_at, report.actions, report.solution)
    assert (*taken_back, report.asked_at, report.verified_at) == (None,) * 6


def test_p3_9_effort_and_cost_are_summed_by_currency_and_over_children() -> None:
    """Minutes and money of the incident itself, and with its present children's; exact to the cent."""

    def spent(minutes: int, amount: str | None, currency: str = "EUR") -> EffortRecorded:
        cost = None if amount is None else Cost(amount=Decimal(amount), currency=currency)
        return changed(example(EffortRecorded), minutes=minutes, cost=cost)

    linked = changed(example(LinkedAsChild), parent=ONE)
    unlinked = changed(example(UnlinkedFromParent), parent=ONE)
    stories: dict[str, list[DomainEvent]] = {
        "INC-1": [spent(10, "0.10"), spent(5, "0.20"), spent(1, None)],
        "INC-2": [linked, spent(20, "5", "USD"), spent(2, "0.30")],
        "INC-3": [linked, spent(100, "99"), unlinked],
    }
    told = [(name, each) for name, story in stories.items() for each in (*classified(name), *story)]

    with shown([CLOSURE], *told) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert report.effort == Effort(minutes=16, costs={"EUR": Decimal("0.30")})
    assert report.effort_with_children == Effort(
        minutes=38, costs={"EUR": Decimal("0.60"), "USD": Decimal("5")}
    )


def test_deviations_stay_visible_in_the_report() -> None:
    """A history made elsewhere keeps what it broke, also what is recorded after the end."""
    deviation = example(DeviationRecorded)

    with shown([CLOSURE], *closed("INC-1", 5, 60), ("INC-1", deviation)) as connection:
        report = closure_report(connection, ONE)
        period = period_report(connection, since=at(0), until=at(60))

    assert report is not None
    assert report.deviations == (
        Deviation(clause=deviation.clause, code=deviation.code, missing=deviation.missing),
    )
    assert period.deviations == {"P5.2": 1}


def test_p5_3_the_report_of_a_period_takes_its_beginning_and_leaves_its_end() -> None:
    """Closed at the very beginning counts, at the very end does not, and cancelled never."""
    told = [*closed("INC-1", 10, 60), *closed("INC-2", 19.9, 60), *closed("INC-3", 20, 60)]
    told += [
        ("INC-4", each) for each in (*classified("INC-4"), changed(example(Cancelled), occurred_at=at(15)))
    ]

    with shown([CLOSURE], *told) as connection:
        report = period_report(connection, since=at(10), until=at(20))

    assert report.handling.closed == 2


def test_p5_3_the_report_of_a_period_counts_by_priority_group_agreement_and_satisfaction() -> None:
    """What never got a priority or a group has a place of its own, after the others."""
    high = changed(example(Prioritised), priority=Priority.HIGH)
    told = [
        *closed("INC-1", 1, 100, before=(high, example(EscalatedToGroup))),
        *closed("INC-2", 2, 300, before=(high, example(Resolved), example(Reopened))),
        *closed("INC-3", 3, 500),
    ]
    told.insert(-1, ("INC-3", example(SatisfactionRecorded)))

    with shown([CLOSURE], *told) as connection:
        report = period_report(connection, since=at(0), until=at(60))

    assert list(report.by_priority) == [Priority.HIGH, None]
    assert report.by_priority[Priority.HIGH].closed == 2
    assert list(report.by_group) == ["network", None]
    assert report.agreement == {Agreement.CONFIRMED: 3, Agreement.SILENCE: 0, Agreement.UNKNOWN: 0}
    assert report.satisfaction[Satisfaction.SATISFIED] == 1
    assert sum(report.satisfaction.values()) == 1
    assert report.reopened == 1
    assert report.reopen_rate == pytest.approx(1 / 3)


def test_a_period_without_a_closing_has_no_times_and_no_rate() -> None:
    """Nothing divided by nothing is unknown, not zero."""
    with shown([CLOSURE], *closed("INC-1", 5, 60)) as connection:
        report = period_report(connection, since=at(60), until=at(90))

    assert (report.handling.closed, report.handling.median, report.handling.p90) == (0, None, None)
    assert report.reopen_rate is None


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    """The error names the field and the rule."""
    with (
        shown([CLOSURE], *closed("INC-1", 5, 60)) as connection,
        pytest.raises(ValueError, match="until: must lie after since"),
    ):
        period_report(connection, since=at(60), until=at(60))


@given(seconds=st.lists(st.integers(0, 10**6), min_size=1, max_size=25))
def test_median_and_p90_are_handling_times_that_occurred(seconds: list[int]) -> None:
    """At least half, and nine in ten, took no longer; with any less it would not be so."""
    told = [event for n, each in enumerate(seconds) for event in closed(f"INC-{n}", 5, each)]

    with shown([CLOSURE], *told) as connection:
        handling = period_report(connection, since=at(0), until=at(60)).handling

    assert handling.median is not None
    assert handling.p90 is not None
    for value, share in ((handling.median, 0.5), (handling.p90, 0.9)):
        taken = int(value.total_seconds())
        assert taken in seconds
        assert sum(each <= taken for each in seconds) >= share * len(seconds)
        assert sum(each < taken for each in seconds) < share * len(seconds)


def test_an_unknown_incident_has_no_report() -> None:
    """There is nothing to report of an incident that is not there."""
    with shown([CLOSURE], *closed("INC-1", 5, 60)) as connection:
        assert closure_report(connection, IncidentId("INC-2")) is None
