"""Which agreements run on an incident, and what the watch records of their clocks (P3.7, X2, X8)."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from incident_domain import (
    AgreementApplied,
    AgreementId,
    AgreementMoved,
    ApplyAgreement,
    BrokenHistory,
    Close,
    DeviationRecorded,
    EscalatedHierarchically,
    EscalateToGroup,
    HoursRecounted,
    IdentifyAsSame,
    IncidentEvent,
    IncidentRegistered,
    MoveAgreement,
    Party,
    PersonId,
    PublishAgreement,
    RecordBreach,
    RecordWarning,
    RecountHours,
    RegisterIncident,
    Reopen,
    Resolve,
    TargetBreached,
    TargetKind,
    TargetWarned,
    Unregistered,
)
from incident_domain import evolve as after
from incident_domain.validation import InvalidValue
from tests.examples import DESK, EXAMPLES, GOLD, GOLD_TERMS, IMPORTER, INCIDENT, MANAGER, WATCH
from tests.process_spec import (
    ACKNOWLEDGED,
    AGREED,
    BREACHED,
    CANCELLED,
    CLOSED,
    CLOSED_UNDER_GOLD,
    CORRECTED,
    DATABASE,
    MERGED,
    PARENT,
    REGISTERED,
    RESOLVED,
    UNDER_GOLD,
    Asked,
    ask,
    given,
    minute,
    of,
)

APPLIED = AgreementApplied(by=DESK, occurred_at=minute(0), agreement=GOLD, version=1, party=Party.CUSTOMER)
UNDER = {"agreement": GOLD}
SUPPLIERS = AgreementId("suppliers")


@pytest.mark.clause("P3.7")
def test_an_incident_runs_under_the_version_that_held_when_it_was_registered() -> None:
    """The registration names the agreement, and the version is recorded with it."""
    given(AGREED).when(ask(RegisterIncident, **UNDER)).then_kinds(IncidentRegistered, AgreementApplied)
    later = ask(RegisterIncident, **UNDER, at=minute(20))
    events = given(CORRECTED).when(later).then_allowed().decision.events[INCIDENT]
    assert [each.version for each in events if isinstance(each, AgreementApplied)] == [2]


@pytest.mark.clause("P3.7")
def test_that_no_agreement_applies_is_a_state() -> None:
    """An incident without one is registered, and no clock of an agreement runs on it."""
    now = given(AGREED).when(ask(RegisterIncident)).then_kinds(IncidentRegistered).state()
    assert not isinstance(now, Unregistered)
    assert (now.record.agreements, now.record.marks) == ({}, frozenset())


@pytest.mark.clause("P3.7")
@pytest.mark.parametrize(
    "before", [(), (ask(PublishAgreement, holds_from=minute(1)),)], ids=["unpublished", "not yet"]
)
def test_an_agreement_that_does_not_hold_is_refused(before: tuple[Asked, ...]) -> None:
    """Neither an unknown one nor one that holds from tomorrow on; the error says what to do."""
    outcome = given(before).when(ask(RegisterIncident, **UNDER))
    outcome.then_refused("P3.7", "no-such-agreement")
    assert "publish it, or leave it out" in outcome.objections[0].message
    given(before, REGISTERED).when(ask(ApplyAgreement)).then_refused("P3.7", "no-such-agreement")


@pytest.mark.clause("P3.7")
def test_an_imported_registration_under_an_unknown_agreement_is_a_deviation() -> None:
    """The fact is kept, the rule that it broke is named, and no clock runs."""
    given().when(ask(RegisterIncident, **UNDER, by=IMPORTER)).then_kinds(
        IncidentRegistered, DeviationRecorded
    )
    given(REGISTERED).when(ask(ApplyAgreement, by=IMPORTER)).then_refused("P3.7", "no-such-agreement")


@pytest.mark.clause("P3.7")
def test_an_agreement_applied_later_counts_from_the_registration() -> None:
    """Its version is that of the registration, not that of the day on which it was applied."""
    given(CORRECTED, ACKNOWLEDGED).when(ask(ApplyAgreement, at=minute(21))).then(
        evolve(APPLIED, occurred_at=minute(21))
    )
    given(UNDER_GOLD).when(ask(ApplyAgreement)).then_nothing_happened()


@pytest.mark.clause("P3.7")
def test_several_agreements_run_on_one_incident() -> None:
    """The customer's and the supplier's, each with its own version."""
    with_supplier = ask(PublishAgreement, agreement=SUPPLIERS, party=Party.SUPPLIER)
    now = given(UNDER_GOLD, with_supplier).when(ask(ApplyAgreement, agreement=SUPPLIERS)).state()
    assert not isinstance(now, Unregistered)
    assert now.record.agreements == {GOLD: 1, SUPPLIERS: 1}


@pytest.mark.clause("P3.7")
def test_a_running_incident_keeps_its_version_unless_it_is_moved() -> None:
    """A newer version changes nothing by itself; moving is an event with its reason."""
    newer = ask(PublishAgreement, holds_from=minute(21), at=minute(21))
    now = given(UNDER_GOLD, newer).when(ask(EscalateToGroup, group=DATABASE, at=minute(30))).state()
    assert not isinstance(now, Unregistered)
    assert now.record.agreements == {GOLD: 1}
    given(UNDER_GOLD, newer).when(ask(MoveAgreement, version=3)).then(
        AgreementMoved(
            by=MANAGER, occurred_at=minute(33), agreement=GOLD, version=3, reason="agreed with the branch"
        )
    )


@pytest.mark.clause("P3.7")
def test_a_correction_is_counted_by_an_event_of_its_own() -> None:
    """The manager has the clocks counted anew by the corrected version, and says why."""
    given(UNDER_GOLD).when(ask(RecountHours)).then(
        HoursRecounted(
            by=MANAGER, occurred_at=minute(34), agreement=GOLD, version=2, reason="nobody worked on that day"
        )
    )


@pytest.mark.parametrize("kind", [MoveAgreement, RecountHours])
def test_moving_goes_to_a_version_that_there_is_of_an_agreement_that_runs(
    kind: type[MoveAgreement | RecountHours],
) -> None:
    """Nothing else is moved or counted anew, and the version that it has is no news."""
    given(UNDER_GOLD).when(ask(kind, version=1)).then_nothing_happened()
    for version in (0, -1, 3):
        given(UNDER_GOLD).when(ask(kind, version=version)).then_refused("P3.7", "no-such-version")
    given(CORRECTED, ACKNOWLEDGED).when(ask(kind)).then_refused("P3.7", "agreement-not-running")
    given(CLOSED_UNDER_GOLD).when(ask(kind, at=minute(70))).then_refused("X8", "ended")


WARNING: RecordWarning = ask(RecordWarning)
WARNED = TargetWarned(
    by=WATCH,
    occurred_at=minute(32),
    agreement=GOLD,
    kind=TargetKind.ACKNOWLEDGE,
    cycle=1,
    percent=80,
    due_at=minute(32),
)
BROKEN = TargetBreached(
    by=WATCH,
    occurred_at=minute(36),
    agreement=GOLD,
    kind=TargetKind.ACKNOWLEDGE,
    cycle=1,
    due_at=minute(36),
)
ESCALATED_FOR_IT = EscalatedHierarchically(
    by=WATCH,
    occurred_at=minute(36),
    to=PersonId("head-eva"),
    reason="The target to acknowledge of agreement gold was breached.",
)


@pytest.mark.clause("P3.7")
def test_a_warning_is_recorded_once_for_each_share() -> None:
    """Another watch that found the same records nothing; another share, clock or cycle is another warning."""
    given(UNDER_GOLD).when(ask(RecordWarning)).then(WARNED)
    again = ask(RecordWarning, at=minute(33), due_at=minute(40))
    given(UNDER_GOLD).when(ask(RecordWarning), again).then_nothing_happened()
    others: list[dict[str, Any]] = [{"percent": 50}, {"kind": TargetKind.UPDATE}, {"cycle": 2}]
    for changes in others:
        given(UNDER_GOLD).when(ask(RecordWarning), evolve(WARNING, **changes)).then_kinds(TargetWarned)


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (RecordWarning, {"percent": 0}, "percent"),
        (RecordWarning, {"percent": 100}, "percent"),
        (RecordWarning, {"cycle": 0}, "cycle"),
        (RecordBreach, {"cycle": 0}, "cycle"),
    ],
)
def test_what_no_clock_can_do_is_not_recorded(
    kind: type[RecordWarning | RecordBreach], changes: dict[str, int], field: str
) -> None:
    """A warning at the whole target would take the place of its breach; cycles count from 1."""
    with pytest.raises(InvalidValue, match=f"^{field}: "):
        ask(kind, **changes)


@pytest.mark.clause("X2")
def test_a_breach_calls_in_whom_the_agreement_names() -> None:
    """The breach and the escalation are recorded together, once."""
    given(UNDER_GOLD).when(ask(RecordBreach)).then(BROKEN, ESCALATED_FOR_IT)
    given(BREACHED).when(ask(RecordBreach, at=minute(50))).then_nothing_happened()


@pytest.mark.clause("X2")
def test_a_breach_calls_in_nobody_where_nobody_is_named() -> None:
    """The breach alone is recorded."""
    silent = ask(PublishAgreement, terms=evolve(GOLD_TERMS, escalate_to=None))
    given(silent, of(INCIDENT, ACKNOWLEDGED, **UNDER)).when(ask(RecordBreach)).then(BROKEN)


@pytest.mark.clause("X2")
def test_who_is_called_in_is_said_by_the_version_that_runs() -> None:
    """Terms that came later change nothing before the incident is moved to them."""
    other = evolve(GOLD_TERMS, escalate_to=PersonId("head-iker"))
    newer = ask(PublishAgreement, holds_from=minute(21), terms=other)
    given(UNDER_GOLD, newer).when(ask(RecordBreach)).then(BROKEN, ESCALATED_FOR_IT)
    given(UNDER_GOLD, newer).when(ask(MoveAgreement, version=3), ask(RecordBreach)).then(
        BROKEN, evolve(ESCALATED_FOR_IT, to=PersonId("head-iker"))
    )


@pytest.mark.clause("X8")
def test_what_the_watch_finds_late_is_recorded_after_the_end_and_calls_in_nobody() -> None:
    """It happened while the incident was open; nobody is called to what is closed."""
    given(CLOSED_UNDER_GOLD).when(ask(RecordWarning)).then(WARNED)
    given(CLOSED_UNDER_GOLD).when(ask(RecordBreach)).then(BROKEN)
    given(CLOSED_UNDER_GOLD).when(ask(RecordBreach), ask(RecordBreach)).then_nothing_happened()
    given(CLOSED_UNDER_GOLD).when(ask(RecordBreach), ask(Close, at=minute(70))).then_refused("X8", "ended")


@pytest.mark.clause("P1.9")
def test_nobody_is_called_to_a_record_that_another_carries_on_for() -> None:
    """The breach is recorded in the record whose clock it was."""
    merged = (*AGREED, *PARENT, *of(INCIDENT, REGISTERED, **UNDER), ask(IdentifyAsSame))
    given(merged).when(ask(RecordBreach)).then(BROKEN)


@pytest.mark.parametrize("kind", [RecordWarning, RecordBreach])
def test_the_watch_records_clocks_that_run(kind: type[RecordWarning | RecordBreach]) -> None:
    """Not on what is not registered, under no agreement, or before the registration."""
    given(AGREED).when(ask(kind)).then_refused("P1.2", "not-registered")
    for phase in (ACKNOWLEDGED, CLOSED, CANCELLED, MERGED):
        given(AGREED, phase).when(ask(kind)).then_refused("P3.7", "agreement-not-running")
    early = ask(kind, at=minute(0) - timedelta(microseconds=1))
    given(UNDER_GOLD).when(early).then_refused("P1.6", "before-registration")


def test_a_breach_loses_nothing_of_the_incident() -> None:
    """The same group and person hold it as before: a breach is no state."""
    before = given(UNDER_GOLD).when(ask(RecordWarning)).state()
    breached = given(UNDER_GOLD).when(ask(RecordWarning), ask(RecordBreach)).state()
    assert type(before) is type(breached)
    assert not isinstance(before, Unregistered)
    assert not isinstance(breached, Unregistered)
    assert breached.record.work == before.record.work
    assert breached.record.triage == before.record.triage


def test_a_reopening_by_itself_escalates_nothing() -> None:
    """The clock goes on with the time that it had used; only a breach calls somebody in."""
    resolved = (*CORRECTED, *of(INCIDENT, RESOLVED, **UNDER))
    events = given(resolved).when(ask(Reopen)).then_allowed().decision.events[INCIDENT]
    assert not any(isinstance(each, EscalatedHierarchically | TargetBreached) for each in events)


def test_a_resolution_does_not_undo_a_breach() -> None:
    """What was breached before the resolution stays recorded after it."""
    now = given(BREACHED).when(ask(Resolve)).state()
    assert not isinstance(now, Unregistered)
    assert (GOLD, TargetKind.ACKNOWLEDGE, 1, 100) in now.record.marks


@pytest.mark.parametrize("kind", [AgreementMoved, HoursRecounted, TargetWarned, TargetBreached])
def test_a_history_of_clocks_that_never_ran_is_broken(kind: type[IncidentEvent]) -> None:
    """None of it can follow where no agreement was applied, before or after the end."""
    event = EXAMPLES[kind]
    assert isinstance(event, IncidentEvent)
    for state in (
        given().when(ask(RegisterIncident)).state(),
        given(ACKNOWLEDGED).when(ask(Resolve)).state(),
    ):
        with pytest.raises(BrokenHistory):
            after(state, event)
