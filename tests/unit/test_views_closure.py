from datetime import timedelta
from decimal import Decimal

from attrs import evolve as changed

from incident_domain.events import (
    Agreement,
    AnalysisRecorded,
    ChangeLinked,
    Closed,
    ConfirmationRequested,
    Cost,
    DeviationRecorded,
    DomainEvent,
    EffortRecorded,
    EscalatedToGroup,
    FindingsReported,
    HoldReason,
    IncidentId,
    LinkedAsChild,
    PutOnHold,
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
    WorkResumed,
)
from incident_projections.closure import CLOSURE
from incident_projections.closure_readers import (
    Child,
    Deviation,
    Effort,
    Finding,
    closure_report,
)
from incident_projections.queue import Phase
from incident_projections.stretches import STRETCHES
from tests.examples import EXAMPLES
from tests.histories import at, classified, example, shown

ONE = IncidentId("INC-1")
VIEWS = (CLOSURE, STRETCHES)


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

    with shown(VIEWS, *(("INC-1", each) for each in story)) as connection:
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
    assert report.services == example(AnalysisRecorded).services
    by = (report.resolved_by, report.verified_by, report.closed_by)
    assert by == (resolved.by.person, example(RecordVerified).by.person, end.by.person)


def test_p5_2_the_time_is_told_apart_by_phase_holder_and_who_was_waited_for() -> None:
    """What was handled adds up to the handling time; the wait for the closing is beside it."""
    begun = [changed(each, occurred_at=at(0)) for each in classified("INC-1")]
    story = [
        *begun,
        changed(example(EscalatedToGroup), occurred_at=at(10)),
        changed(example(PutOnHold), reason=HoldReason.CUSTOMER, occurred_at=at(20)),
        changed(example(WorkResumed), occurred_at=at(50)),
        changed(example(Resolved), occurred_at=at(60)),
        changed(example(Closed), occurred_at=at(75), handling_seconds=3600),
    ]

    with shown(VIEWS, *(("INC-1", each) for each in story)) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    group = example(EscalatedToGroup).group
    told = [(each.phase, each.hold, each.group, each.handled, each.length) for each in report.time]
    assert told == [
        (Phase.CLASSIFICATION, None, None, True, timedelta(minutes=10)),
        (Phase.INVESTIGATION, None, group, True, timedelta(minutes=20)),
        (Phase.INVESTIGATION, HoldReason.CUSTOMER, group, True, timedelta(minutes=30)),
        (Phase.AWAITING_CLOSURE, None, group, False, timedelta(minutes=15)),
    ]
    assert sum((each.length for each in report.time if each.handled), timedelta()) == report.handling


def test_p5_2_satisfaction_is_unknown_until_it_is_stated() -> None:
    """A closing without a word from the customer leaves agreement and satisfaction as they are known."""
    end = changed(example(Closed), agreement=Agreement.UNKNOWN)

    with shown(VIEWS, *(("INC-1", each) for each in (*classified("INC-1"), end))) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert (report.agreement, report.satisfaction) == (Agreement.UNKNOWN, None)


def test_p5_1_a_rejected_resolution_is_counted_and_takes_the_resolution_back() -> None:
    """After a reopening the report has no resolution and no agreement, and counts both."""
    kinds = (ServiceRestored, Resolved, ConfirmationRequested, RecordVerified, ResolutionRejected, Reopened)
    story = [*classified("INC-1"), *(EXAMPLES[kind] for kind in kinds)]

    with shown(VIEWS, *(("INC-1", each) for each in story)) as connection:
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

    with shown(VIEWS, *told) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert report.effort == Effort(minutes=16, costs={"EUR": Decimal("0.30")})
    assert report.effort_with_children == Effort(
        minutes=38, costs={"EUR": Decimal("0.60"), "USD": Decimal("5")}
    )
    child = Effort(minutes=22, costs={"EUR": Decimal("0.30"), "USD": Decimal("5")})
    assert report.children == (Child(incident=IncidentId("INC-2"), number=None, effort=child),)


def test_deviations_stay_visible_in_the_report() -> None:
    """A history made elsewhere keeps what it broke, also what is recorded after the end."""
    deviation = example(DeviationRecorded)

    story = (*classified("INC-1"), example(Closed), deviation)

    with shown(VIEWS, *(("INC-1", each) for each in story)) as connection:
        report = closure_report(connection, ONE)

    assert report is not None
    assert report.deviations == (
        Deviation(clause=deviation.clause, code=deviation.code, missing=deviation.missing),
    )


def test_an_unknown_incident_has_no_report() -> None:
    """There is nothing to report of an incident that is not there."""
    with shown(VIEWS, *(("INC-1", each) for each in classified("INC-1"))) as connection:
        assert closure_report(connection, IncidentId("INC-2")) is None
