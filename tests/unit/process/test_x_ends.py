"""Cancelled, silent, reopened, and the end (X4, X5, X7, X8)."""

import pytest
from attrs import evolve

from incident_domain import (
    Agreement,
    BrokenHistory,
    Cancel,
    Cancelled,
    Close,
    CloseAfterSilence,
    Closed,
    ConfirmResolution,
    DeviationRecorded,
    Ended,
    IncidentEvent,
    IncidentRegistered,
    InInvestigation,
    Policy,
    RecordBreach,
    RecordInteraction,
    RecordWarning,
    RegisterIncident,
    Reopen,
    Reopened,
    RequestConfirmation,
    Resolve,
    TargetBreached,
    TargetWarned,
)
from incident_domain import evolve as after
from incident_domain.command import Command
from tests.examples import DESK, EXAMPLES, IMPORTER, INCIDENT, OTHER
from tests.process_spec import (
    ACKNOWLEDGED,
    CANCELLED,
    CLOSED,
    ORDINARY,
    READY_TO_CLASSIFY,
    READY_TO_CLOSE,
    REGISTERED,
    RESOLVED,
    Asked,
    ask,
    days,
    given,
    minute,
)


@pytest.mark.clause("X4")
@pytest.mark.parametrize("phase", [REGISTERED, READY_TO_CLASSIFY, ACKNOWLEDGED])
def test_x4_what_was_registered_in_error_is_cancelled(phase: tuple[Asked, ...]) -> None:
    """Cancelling has a reason and ends the incident, once."""
    outcome = given(phase).when(ask(Cancel))
    outcome.then(Cancelled(by=DESK, occurred_at=minute(11), reason="entered twice"))
    assert isinstance(outcome.state(), Ended)
    given(phase, ask(Cancel)).when(ask(Cancel)).then_nothing_happened()


@pytest.mark.clause("X4")
def test_x4_what_was_resolved_was_no_error() -> None:
    """It is closed instead."""
    given(RESOLVED).when(ask(Cancel, at=minute(60))).then_refused("X4", "resolved")


SILENT = tuple(each for each in READY_TO_CLOSE if not isinstance(each, ConfirmResolution))


@pytest.mark.clause("X5")
def test_x5_silence_closes_after_the_agreed_time_and_is_never_agreement() -> None:
    """Counted from the moment the customer was asked."""
    given(SILENT).when(ask(CloseAfterSilence)).then(
        Closed(
            by=DESK,
            occurred_at=minute(41 + 7 * 24 * 60),
            agreement=Agreement.SILENCE,
            handling_seconds=40 * 60,
        )
    )


@pytest.mark.clause("X5")
def test_x5_the_agreed_time_is_waited_for() -> None:
    """A moment less is too short; another agreement has another time."""
    early = ask(CloseAfterSilence, at=minute(41 + 7 * 24 * 60 - 0.01))
    given(SILENT).when(early).then_refused("X5", "silence-too-short")
    given(SILENT, policy=Policy(silence=days(1))).when(early).then_kinds(Closed)


@pytest.mark.clause("X5")
def test_x5_nobody_is_silent_who_was_not_asked() -> None:
    """The silence counts from the question."""
    unasked = tuple(each for each in SILENT if not isinstance(each, RequestConfirmation))
    given(unasked).when(ask(CloseAfterSilence)).then_refused("X5", "not-asked")


@pytest.mark.clause("X5")
def test_x5_who_confirmed_is_not_silent() -> None:
    """The incident is closed with the customer's word."""
    given(READY_TO_CLOSE).when(ask(CloseAfterSilence)).then_refused("X5", "not-silent")


@pytest.mark.clause("X5", "P5.2")
def test_x5_silence_replaces_only_the_customers_word() -> None:
    """Record and root cause are needed all the same, and the refusal lists everything."""
    given(RESOLVED).when(ask(CloseAfterSilence)).then_refused(
        "P5.2", "record-not-verified", "no-root-cause", "not-asked"
    )


@pytest.mark.clause("X7")
def test_x7_a_reopening_is_an_event_and_the_work_goes_on_where_it_was() -> None:
    """There is no state of its own for it; it is deliberate and has a reason."""
    outcome = given(RESOLVED).when(ask(Reopen))
    outcome.then(Reopened(by=DESK, occurred_at=minute(46), reason="the driver came back overnight"))
    assert isinstance(outcome.state(), InInvestigation)
    given(RESOLVED, ask(Reopen)).when(ask(Reopen)).then_nothing_happened()


@pytest.mark.clause("X7")
def test_x7_every_reopening_counts() -> None:
    """The history holds one event for each."""
    again = (ask(Reopen), ask(Resolve, at=minute(60), restored_at=minute(59)))
    outcome = given(RESOLVED, again).when(ask(Reopen, at=minute(61))).then_kinds(Reopened)
    assert sum(isinstance(each, Reopened) for each in outcome.desk.histories[INCIDENT]) == 1


@pytest.mark.clause("X7")
def test_x7_the_window_for_reopening_is_agreed() -> None:
    """To its last moment it is open; after it, the refusal points to a new incident."""
    last = ask(Reopen, at=minute(40) + days(14))
    given(RESOLVED).when(last).then_kinds(Reopened)
    late = evolve(last, at=minute(40.01) + days(14))
    refused = given(RESOLVED).when(late).then_refused("X7", "window-over")
    assert "register a new incident that refers to it" in refused.objections[0].message
    given(RESOLVED, policy=Policy(reopen_window=days(15))).when(late).then_kinds(Reopened)


@pytest.mark.clause("X7")
@pytest.mark.parametrize(("window", "said"), [(14, "14 days"), (1.5, "1.5 days"), (1, "1 day")])
def test_x7_the_refusal_says_how_long_the_window_was(window: float, said: str) -> None:
    """Whole days or not, the length is the one that was agreed."""
    late = ask(Reopen, at=minute(40) + days(15))
    refused = given(RESOLVED, policy=Policy(reopen_window=days(window))).when(late)
    assert f"reopened for {said} after" in refused.objections[0].message


@pytest.mark.clause("X7")
def test_x7_a_new_incident_refers_to_the_ended_one() -> None:
    """Only to one that has ended: an open one is updated instead, and an unknown one is no incident."""
    referring = ask(RegisterIncident, incident=OTHER, refers_to=INCIDENT, at=minute(60))
    given(CLOSED).when(referring).then_kinds(IncidentRegistered)
    given(CANCELLED).when(referring).then_kinds(IncidentRegistered)
    given(RESOLVED).when(referring).then_refused("X7", "refers-to-open")
    given().when(referring).then_refused("X7", "refers-to-unknown")
    given().when(evolve(referring, by=IMPORTER)).then_refused("X7", "refers-to-unknown")


@pytest.mark.clause("X7")
def test_x7_a_reopened_service_has_to_be_restored_again() -> None:
    """The restoration before the reopening does not count for the next resolution."""
    again = ask(Resolve, at=minute(60), restored_at=None)
    given(RESOLVED, ask(Reopen)).when(again).then_refused("P4.2", "not-restored")


AFTER_THE_END = {RegisterIncident, RecordWarning, RecordBreach}
"""The same registration again is no news, and the watch may notice late what happened before."""


@pytest.mark.clause("X8")
@pytest.mark.parametrize("phase", [CLOSED, CANCELLED], ids=["closed", "cancelled"])
@pytest.mark.parametrize(
    "kind", [each for each in ORDINARY if each not in AFTER_THE_END], ids=lambda kind: kind.__name__
)
def test_x8_nothing_follows_the_end(phase: tuple[Asked, ...], kind: type[Command]) -> None:
    """Every command to an ended incident is refused, to the importer too."""
    later = evolve(ORDINARY[kind], at=minute(70), by=IMPORTER)
    given(phase).when(later).then_refused("X8", "ended")


DEVIATION = DeviationRecorded(
    by=IMPORTER, occurred_at=minute(90), clause="P5.2", code="no-root-cause", missing="the root cause"
)


@pytest.mark.clause("X8")
@pytest.mark.parametrize(
    "event",
    [
        each
        for each in EXAMPLES.values()
        if isinstance(each, IncidentEvent) and not isinstance(each, TargetWarned | TargetBreached)
    ],
    ids=lambda event: type(event).__name__,
)
def test_x8_a_history_that_goes_on_after_the_end_is_broken(event: IncidentEvent) -> None:
    """Only the audit's own mark may follow, and it changes nothing."""
    closed = given(READY_TO_CLOSE).when(ask(Close)).state()
    if isinstance(event, DeviationRecorded):
        assert after(closed, event) == closed
        return
    with pytest.raises(BrokenHistory):
        after(closed, event)


@pytest.mark.clause("X8")
def test_x8_nothing_precedes_the_registration() -> None:
    """No history begins with anything else, a deviation included."""
    outcome = given().when(ask(RecordInteraction)).then_refused("P1.2", "not-registered")
    with pytest.raises(BrokenHistory, match="before the registration"):
        after(outcome.state(), DEVIATION)
