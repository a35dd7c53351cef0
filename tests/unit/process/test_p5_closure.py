"""Step 5: closure (P5.1 to P5.3)."""

import pytest
from attrs import evolve

from incident_domain import (
    Agreement,
    AwaitingClosure,
    ChildAnswer,
    ChildOutcome,
    Classify,
    ClassifyRootCause,
    Close,
    Closed,
    ConfirmationRequested,
    ConfirmResolution,
    DeviationRecorded,
    Ended,
    InInvestigation,
    PersonId,
    RecordSatisfaction,
    RecordVerified,
    RejectResolution,
    Reopen,
    Reopened,
    RequestConfirmation,
    ResolutionConfirmed,
    ResolutionRejected,
    Resolve,
    RootCauseClassified,
    Satisfaction,
    SatisfactionRecorded,
    VerifyRecord,
)
from incident_domain.command import Command
from incident_domain.validation import InvalidValue
from tests.examples import CUSTOMER, DESK, IMPORTER, INCIDENT, OTHER, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    CHILD,
    CLASSIFIED,
    CLOSED,
    ORDINARY,
    READY_TO_CLOSE,
    RESOLVED,
    Asked,
    ask,
    given,
    minute,
    of,
)


@pytest.mark.clause("P5.1")
def test_p5_1_the_customer_is_asked_and_confirms() -> None:
    """Both are recorded, each once."""
    given(RESOLVED).when(ask(RequestConfirmation)).then(
        ConfirmationRequested(by=DESK, occurred_at=minute(41))
    )
    given(RESOLVED).when(ask(ConfirmResolution)).then(
        ResolutionConfirmed(by=CUSTOMER, occurred_at=minute(45))
    )
    both = (ask(RequestConfirmation), ask(ConfirmResolution))
    given(RESOLVED, both).when(ask(RequestConfirmation, at=minute(46))).then_nothing_happened()
    given(RESOLVED, both).when(ask(ConfirmResolution, at=minute(46))).then_nothing_happened()


@pytest.mark.clause("P5.1")
def test_p5_1_a_rejection_reopens_and_keeps_the_history() -> None:
    """The group that resolved it goes on, and the rejected resolution stays on record."""
    outcome = given(RESOLVED).when(ask(RejectResolution))
    outcome.then(
        ResolutionRejected(by=CUSTOMER, occurred_at=minute(45), reason="colour still fails"),
        Reopened(by=CUSTOMER, occurred_at=minute(45), reason="The customer rejected the resolution."),
    )
    state = outcome.state()
    assert isinstance(state, InInvestigation)
    assert state.record.work.assignment is not None
    assert state.record.work.assignment.acknowledged


@pytest.mark.clause("P5.1")
def test_p5_1_a_rejection_takes_back_an_earlier_confirmation() -> None:
    """What was collected for the closing has to be collected anew."""
    again = ask(Resolve, at=minute(60), restored_at=minute(59))
    given(READY_TO_CLOSE, ask(RejectResolution, at=minute(50)), again).when(
        ask(Close, at=minute(70))
    ).then_refused("P5.2", "record-not-verified", "not-confirmed", "satisfaction-unknown")


@pytest.mark.clause("P5.1")
def test_p5_1_there_is_nothing_to_reject_before_a_resolution() -> None:
    """The customer's words are not dropped in silence; the same rejection twice is one."""
    given(ACKNOWLEDGED).when(ask(RejectResolution)).then_refused("P5.1", "not-resolved")
    given(RESOLVED, ask(RejectResolution)).when(ask(RejectResolution)).then_nothing_happened()


@pytest.mark.clause("P5.1")
@pytest.mark.parametrize("kind", [ConfirmResolution, RejectResolution, RecordSatisfaction])
def test_p5_1_a_customer_speaks_only_for_their_own_incidents(kind: type[Command]) -> None:
    """Another customer is refused; the desk may record what the customer told it."""
    stranger = evolve(CUSTOMER, person=PersonId("customer-ivo"))
    given(RESOLVED).when(evolve(ORDINARY[kind], by=stranger)).then_refused("P5.1", "not-the-customer")
    given(RESOLVED).when(evolve(ORDINARY[kind], by=DESK)).then_allowed()


@pytest.mark.clause("P5.1")
@pytest.mark.parametrize(
    "kind",
    [
        RequestConfirmation,
        ConfirmResolution,
        RejectResolution,
        Reopen,
        VerifyRecord,
        RecordSatisfaction,
    ],
    ids=lambda kind: kind.__name__,
)
def test_p5_1_nothing_of_step_5_happens_before_the_resolution(kind: type[Command]) -> None:
    """A step dated before the resolution is refused, and is a deviation for the importer."""
    early = evolve(ORDINARY[kind], at=minute(39))
    given(RESOLVED).when(early).then_refused("P5.1", "before-resolution")
    deviation, *_ = given(RESOLVED).when(evolve(early, by=IMPORTER)).decision.events[INCIDENT]
    assert isinstance(deviation, DeviationRecorded)


@pytest.mark.clause("P5.2")
def test_p5_2_an_unresolved_incident_closes_with_nothing_but_refusals() -> None:
    """One refusal lists everything that closing needs."""
    given(CLASSIFIED).when(ask(Close)).then_refused(
        "P4.1",
        "not-resolved",
        "record-not-verified",
        "no-root-cause",
        "not-confirmed",
        "satisfaction-unknown",
    )


WANTED: dict[type[Command], str] = {
    VerifyRecord: "record-not-verified",
    ClassifyRootCause: "no-root-cause",
    ConfirmResolution: "not-confirmed",
    RecordSatisfaction: "satisfaction-unknown",
}


@pytest.mark.clause("P5.2")
@pytest.mark.parametrize("kind", WANTED, ids=lambda kind: kind.__name__)
def test_p5_2_closing_needs_each_point(kind: type[Command]) -> None:
    """Each point by itself holds up the closing, and nothing else then does."""
    all_but_one = tuple(each for each in READY_TO_CLOSE if not isinstance(each, kind))
    outcome = given(all_but_one).when(ask(Close))
    assert [each.code for each in outcome.objections] == [WANTED[kind]]


@pytest.mark.clause("P5.2")
def test_p5_2_the_points_are_recorded() -> None:
    """The root cause, the verified record and the customer's satisfaction each have an event."""
    given(RESOLVED).when(ask(ClassifyRootCause)).then(
        RootCauseClassified(
            by=DESK, occurred_at=minute(47), category="change", root_cause="rolled out without a test"
        )
    )
    given(RESOLVED).when(ask(VerifyRecord)).then(RecordVerified(by=DESK, occurred_at=minute(48)))
    given(RESOLVED).when(ask(RecordSatisfaction)).then(
        SatisfactionRecorded(
            by=CUSTOMER,
            occurred_at=minute(49),
            satisfaction=Satisfaction.SATISFIED,
            comment="quick, thanks",
        )
    )


@pytest.mark.clause("P5.2")
def test_p5_2_satisfaction_is_unknown_until_stated() -> None:
    """No value stands in for a customer who said nothing, and a later word replaces the one before."""
    silent = given(RESOLVED).when(ask(RequestConfirmation)).state()
    assert isinstance(silent, AwaitingClosure)
    assert silent.satisfaction is None
    second = ask(RecordSatisfaction, at=minute(51), satisfaction=Satisfaction.DISSATISFIED)
    said = given(RESOLVED, ask(RecordSatisfaction)).when(second).state()
    assert isinstance(said, AwaitingClosure)
    assert said.satisfaction is Satisfaction.DISSATISFIED


@pytest.mark.clause("P5.2")
def test_p5_2_the_root_cause_is_classified_as_soon_as_it_is_known() -> None:
    """Already during the investigation, by the group, and only a change is recorded."""
    known = ask(ClassifyRootCause, by=SUPPORT, at=minute(30))
    given(ACKNOWLEDGED).when(known).then_kinds(RootCauseClassified)
    given(ACKNOWLEDGED, known).when(ask(ClassifyRootCause)).then_nothing_happened()


@pytest.mark.clause("P5.2")
def test_p5_2_only_the_desk_closes() -> None:
    """Neither the group that resolved it nor the customer."""
    for by in (SUPPORT, CUSTOMER):
        given(READY_TO_CLOSE).when(ask(Close, by=by)).then_refused("P5.2", "role")


@pytest.mark.clause("P5.2", "P5.3")
def test_p5_2_the_handling_time_is_computed() -> None:
    """It runs from the registration to the resolution."""
    outcome = given(READY_TO_CLOSE).when(ask(Close))
    outcome.then(
        Closed(by=DESK, occurred_at=minute(50), agreement=Agreement.CONFIRMED, handling_seconds=40 * 60)
    )
    assert isinstance(outcome.state(), Ended)


@pytest.mark.clause("P5.2")
def test_p5_2_the_time_between_a_resolution_and_its_reopening_does_not_count() -> None:
    """Forty minutes, then a night resolved, then ten minutes more."""
    morning = 24 * 60
    second_round: tuple[Asked, ...] = (
        ask(Reopen, at=minute(morning)),
        ask(Resolve, at=minute(morning + 10), restored_at=minute(morning + 9)),
        ask(ConfirmResolution, at=minute(morning + 11)),
        ask(VerifyRecord, at=minute(morning + 12)),
        ask(RecordSatisfaction, at=minute(morning + 13)),
    )
    outcome = given(READY_TO_CLOSE, second_round).when(ask(Close, at=minute(morning + 14)))
    (closed,) = outcome.decision.events[INCIDENT]
    assert isinstance(closed, Closed)
    assert closed.handling_seconds == 50 * 60


@pytest.mark.clause("P5.2")
def test_p5_2_a_reopening_dated_before_its_resolution_counts_no_time_twice() -> None:
    """In a history made elsewhere the clock runs on from the resolution at the earliest."""
    disorder = (
        ask(Reopen, by=IMPORTER, at=minute(20)),
        ask(Resolve, by=IMPORTER, at=minute(50), restored_at=minute(45)),
    )
    outcome = given(RESOLVED, disorder).when(ask(Close, by=IMPORTER, at=minute(60)))
    closed = outcome.decision.events[INCIDENT][-1]
    assert isinstance(closed, Closed)
    assert closed.handling_seconds == 50 * 60


@pytest.mark.parametrize("seconds", [-1, 315_537_897_600])
def test_no_closing_tells_a_handling_time_that_cannot_be(seconds: int) -> None:
    """It lies between two instants, so that every view can say it."""
    with pytest.raises(InvalidValue, match=r"^handling_seconds: "):
        Closed(by=DESK, occurred_at=minute(50), agreement=Agreement.CONFIRMED, handling_seconds=seconds)


@pytest.mark.clause("P5.2")
def test_p5_2_no_handling_time_is_negative() -> None:
    """Resolved before it was reopened, in a history made elsewhere, it adds nothing to the first round."""
    disorder = (
        ask(Reopen, by=IMPORTER, at=minute(60)),
        ask(Resolve, by=IMPORTER, at=minute(50), restored_at=minute(45)),
    )
    outcome = given(RESOLVED, disorder).when(ask(Close, by=IMPORTER, at=minute(70)))
    closed = outcome.decision.events[INCIDENT][-1]
    assert isinstance(closed, Closed)
    assert closed.handling_seconds == 40 * 60


@pytest.mark.clause("P5.3")
def test_p5_3_the_closed_record_holds_what_a_report_says() -> None:
    """The end, the agreement and the handling time are read from the history alone."""
    state = given(READY_TO_CLOSE).when(ask(Close)).state()
    assert isinstance(state, Ended)
    assert isinstance(state.end, Closed)
    assert state.record.root_cause == ("change", "rolled out without a test")
    assert state.record.restored_at == minute(38)


@pytest.mark.clause("P5.2")
def test_p5_2_the_importer_closes_what_lacks_everything_and_each_lack_is_a_deviation() -> None:
    """Closed is closed, the agreement is unknown, and every missing point is recorded with its clause."""
    outcome = given(CLASSIFIED).when(ask(Close, by=IMPORTER))
    *deviations, closed = outcome.decision.events[INCIDENT]
    assert [(each.clause, each.code) for each in deviations if isinstance(each, DeviationRecorded)] == [
        ("P4.1", "not-resolved"),
        ("P5.2", "record-not-verified"),
        ("P5.2", "no-root-cause"),
        ("P5.1", "not-confirmed"),
        ("P5.2", "satisfaction-unknown"),
    ]
    assert closed == Closed(
        by=IMPORTER, occurred_at=minute(50), agreement=Agreement.UNKNOWN, handling_seconds=50 * 60
    )


@pytest.mark.clause("P5.2")
@pytest.mark.parametrize("kind", [RequestConfirmation, ConfirmResolution, VerifyRecord, RecordSatisfaction])
def test_p5_2_what_was_never_resolved_collects_nothing_for_its_closing(kind: type[Command]) -> None:
    """It is refused; for the importer it is one deviation and one event, however often it is repeated."""
    given(ACKNOWLEDGED).when(ORDINARY[kind]).then_refused("P4.1", "not-resolved")
    imported = evolve(ORDINARY[kind], by=IMPORTER)
    assert len(given(ACKNOWLEDGED).when(imported).decision.events[INCIDENT]) == 2
    given(ACKNOWLEDGED, imported).when(imported).then_nothing_happened()


FAMILY: tuple[Asked, ...] = (
    *CHILD,
    ask(Resolve, incident=OTHER, with_children=(INCIDENT,)),
    *of(OTHER, READY_TO_CLOSE[len(RESOLVED) :]),
)


@pytest.mark.clause("P5.2", "P4.3")
def test_p5_2_a_parent_closes_with_the_children_that_are_ready() -> None:
    """A child closes by its own points, and a parent does not wait for it."""
    close = ask(Close, incident=OTHER, with_children=(INCIDENT,))
    outcome = given(FAMILY).when(close).then_kinds(Closed)
    (refused,) = outcome.decision.children
    assert refused.outcome is ChildOutcome.REFUSED
    assert [each.code for each in refused.objections] == [
        "record-not-verified",
        "no-root-cause",
        "not-confirmed",
        "satisfaction-unknown",
    ]
    points = (
        ask(Classify, by=IMPORTER, at=minute(42)),
        *READY_TO_CLOSE[len(RESOLVED) :],
    )
    together = given(FAMILY, points).when(close)
    together.then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.DONE))


@pytest.mark.clause("P5.2")
def test_p5_2_a_parent_closes_and_its_open_children_go_on() -> None:
    """A child that was not named is offered and stays open."""
    outcome = given(FAMILY).when(ask(Close, incident=OTHER))
    outcome.then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.OFFERED))
    assert isinstance(outcome.state(INCIDENT), AwaitingClosure)


@pytest.mark.clause("P5.2")
def test_p5_2_closing_twice_is_closing_once() -> None:
    """The same closing again changes nothing."""
    given(CLOSED).when(ask(Close)).then_nothing_happened()
