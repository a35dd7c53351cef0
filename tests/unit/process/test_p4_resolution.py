"""Step 4: resolution and recovery, alone and with the children (P4.1 to P4.3)."""

import pytest
from attrs import evolve

from incident_domain import (
    AwaitingClosure,
    ChildAnswer,
    ChildOutcome,
    Close,
    CorrectCustomer,
    CustomerCorrected,
    DeclareMajor,
    DeviationRecorded,
    InvalidValue,
    PutIncidentOnHold,
    RecordRestoration,
    Resolve,
    Resolved,
    ServiceRestored,
    WorkResumed,
)
from incident_domain.resolution import NEUTRAL_NOTE
from tests.examples import DESK, IMPORTER, INCIDENT, OTHER, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    CHILD,
    CLASSIFIED,
    ELSEWHERE,
    ON_HOLD,
    READY_TO_CLASSIFY,
    RESOLVED,
    THIRD,
    Asked,
    ask,
    given,
    minute,
    of,
)

RESTORED = ServiceRestored(by=SUPPORT, occurred_at=minute(40), restored_at=minute(38))
ROLLED_BACK = Resolved(
    by=SUPPORT,
    occurred_at=minute(40),
    actions="driver rolled back on all printers",
    solution="driver 4.1",
    changes=("CHG-88",),
)


@pytest.mark.clause("P4.1")
def test_p4_1_a_resolution_names_what_was_done_the_solution_and_the_changes() -> None:
    """From here on the incident awaits its closure."""
    outcome = given(ACKNOWLEDGED).when(ask(Resolve))
    outcome.then(RESTORED, ROLLED_BACK)
    assert isinstance(outcome.state(), AwaitingClosure)
    given(RESOLVED).when(ask(Resolve)).then_nothing_happened()


@pytest.mark.clause("P4.1")
@pytest.mark.parametrize("field", ["actions", "solution"])
def test_p4_1_a_resolution_without_words_is_none(field: str) -> None:
    """The command refuses a blank, and names the field."""
    with pytest.raises(InvalidValue, match=f"{field}: must not be blank"):
        ask(Resolve, **{field: "  "})


@pytest.mark.clause("P4.1")
def test_p4_1_only_an_open_incident_is_resolved() -> None:
    """Another resolution needs a reopening first; unclassified there is nothing to resolve."""
    given(RESOLVED).when(ask(Resolve, solution="another driver")).then_refused("X7", "resolved")
    given(READY_TO_CLASSIFY).when(ask(Resolve, by=DESK)).then_refused("P2.1", "not-classified")


@pytest.mark.clause("P4.1", "X1")
def test_p4_1_a_wait_ends_with_the_resolution() -> None:
    """Nothing that is resolved stays on hold."""
    given(ON_HOLD).when(ask(Resolve)).then(
        WorkResumed(by=SUPPORT, occurred_at=minute(40)), RESTORED, ROLLED_BACK
    )


@pytest.mark.clause("P4.2")
def test_p4_2_the_restoration_has_a_time_of_its_own() -> None:
    """It is recorded when it is known, before or with the resolution."""
    given(ACKNOWLEDGED).when(ask(RecordRestoration)).then(
        ServiceRestored(by=SUPPORT, occurred_at=minute(39), restored_at=minute(38))
    )
    before = given(ACKNOWLEDGED, ask(RecordRestoration)).when(ask(Resolve, restored_at=None))
    before.then(ROLLED_BACK)


@pytest.mark.clause("P4.2")
def test_p4_2_a_resolution_without_a_restoration_is_refused() -> None:
    """The time is asked for; a history made elsewhere may lack it, and says so."""
    unknown = ask(Resolve, restored_at=None)
    given(ACKNOWLEDGED).when(unknown).then_refused("P4.2", "not-restored")
    given(ACKNOWLEDGED).when(evolve(unknown, by=IMPORTER)).then_kinds(DeviationRecorded, Resolved)


@pytest.mark.clause("P4.2")
@pytest.mark.parametrize("kind", [RecordRestoration, Resolve])
@pytest.mark.parametrize(
    ("restored_at", "code"), [(41, "restored-in-future"), (-31, "restored-before-occurrence")]
)
def test_p4_2_the_restoration_lies_between_the_occurrence_and_its_recording(
    kind: type[RecordRestoration] | type[Resolve], restored_at: int, code: str
) -> None:
    """What contradicts the other times is refused to everyone; the bounds themselves are legal."""
    wrong = ask(kind, restored_at=minute(restored_at))
    given(ACKNOWLEDGED).when(wrong).then_refused("P4.2", code)
    given(ACKNOWLEDGED).when(evolve(wrong, by=IMPORTER)).then_refused("P4.2", code)
    for bound in (minute(-30), wrong.at):
        given(ACKNOWLEDGED).when(evolve(wrong, restored_at=bound)).then_allowed()


@pytest.mark.clause("P4.2")
def test_p4_2_a_wrong_restoration_is_put_right_after_the_resolution() -> None:
    """Only a change is recorded."""
    corrected = ask(RecordRestoration, at=minute(60), restored_at=minute(37))
    given(RESOLVED).when(corrected).then_kinds(ServiceRestored)
    given(RESOLVED).when(evolve(corrected, restored_at=minute(38))).then_nothing_happened()


@pytest.mark.clause("P4.3")
def test_p4_3_the_incidents_information_is_updated_after_the_resolution() -> None:
    """The customer's basics are corrected until the end."""
    given(RESOLVED).when(ask(CorrectCustomer, at=minute(60))).then_kinds(CustomerCorrected)


RESOLVE_PARENT = ask(Resolve, incident=OTHER)
WITH_CHILD = evolve(RESOLVE_PARENT, with_children=(INCIDENT,))


@pytest.mark.clause("P4.3")
def test_p4_3_resolving_a_parent_offers_its_children() -> None:
    """A child that was not named stays as it is and is offered."""
    outcome = given(CHILD).when(RESOLVE_PARENT)
    outcome.then(RESTORED, ROLLED_BACK)
    outcome.then_on(INCIDENT)
    outcome.then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.OFFERED))


@pytest.mark.clause("P4.3")
def test_p4_3_a_named_child_is_resolved_with_its_parent() -> None:
    """It needs no classification and no escalation of its own, and gets the notes of its own organisation."""
    outcome = given(CHILD).when(WITH_CHILD)
    outcome.then_on(INCIDENT, RESTORED, ROLLED_BACK)
    outcome.then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.DONE))
    assert isinstance(outcome.state(INCIDENT), AwaitingClosure)


@pytest.mark.clause("P4.3")
def test_p4_3_a_parents_notes_never_flow_to_a_child_of_another_organisation() -> None:
    """That child is resolved with a neutral note, without known error and changes."""
    elsewhere = (*CHILD, ask(CorrectCustomer, customer=ELSEWHERE, at=minute(7)))
    outcome = given(elsewhere).when(WITH_CHILD)
    outcome.then_on(
        INCIDENT,
        RESTORED,
        Resolved(by=SUPPORT, occurred_at=minute(40), actions=NEUTRAL_NOTE, solution=NEUTRAL_NOTE),
    )


@pytest.mark.clause("P4.3")
def test_p4_3_every_child_is_answered_for_in_a_fixed_order() -> None:
    """One is done, one cannot be and says why, and the parent is resolved all the same."""
    major = ask(DeclareMajor, incident=THIRD, at=minute(9))
    family: tuple[Asked, ...] = (*CHILD, *of(THIRD, CHILD[len(ACKNOWLEDGED) :]), major)
    outcome = given(family).when(evolve(RESOLVE_PARENT, with_children=(THIRD, INCIDENT)))
    outcome.then(RESTORED, ROLLED_BACK)
    done, refused = outcome.decision.children
    assert done == ChildAnswer(child=INCIDENT, outcome=ChildOutcome.DONE)
    assert (refused.child, refused.outcome) == (THIRD, ChildOutcome.REFUSED)
    assert [each.code for each in refused.objections] == ["management-not-informed", "customer-not-informed"]
    assert list(outcome.decision.events) == [OTHER, INCIDENT]


@pytest.mark.clause("P4.3")
def test_p4_3_a_child_left_behind_is_resolved_by_naming_it_later() -> None:
    """The resolved parent records nothing more; the child is done; the same once more changes nothing."""
    later = given(CHILD, RESOLVE_PARENT)
    outcome = later.when(WITH_CHILD)
    assert list(outcome.decision.events) == [INCIDENT]
    again = later.when(WITH_CHILD, WITH_CHILD).then_nothing_happened()
    again.then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.UNCHANGED))


@pytest.mark.clause("P4.3")
def test_p4_3_a_childs_own_restoration_is_kept() -> None:
    """A child whose service worked earlier than its parent's keeps that time; its wait ends."""
    own = (
        ask(RecordRestoration, by=IMPORTER, restored_at=minute(10)),
        ask(PutIncidentOnHold, by=IMPORTER),
    )
    outcome = given(CHILD, own).when(WITH_CHILD)
    outcome.then_on(INCIDENT, WorkResumed(by=SUPPORT, occurred_at=minute(40)), ROLLED_BACK)


@pytest.mark.clause("P4.3")
def test_p4_3_only_a_child_is_taken_along() -> None:
    """A stranger that is named stops everything."""
    stranger = evolve(RESOLVE_PARENT, with_children=(THIRD,))
    given(CHILD, of(THIRD, CLASSIFIED)).when(stranger).then_refused("P4.3", "not-a-child")


@pytest.mark.clause("P4.3")
def test_p4_3_a_closed_child_is_left_in_peace() -> None:
    """A child that has ended is neither offered nor touched."""
    ended = given(CHILD, ask(Close, by=IMPORTER, at=minute(30)))
    ended.when(RESOLVE_PARENT).then_children(ChildAnswer(child=INCIDENT, outcome=ChildOutcome.UNCHANGED))
    (refused,) = ended.when(WITH_CHILD).decision.children
    assert [each.code for each in refused.objections] == ["ended"]
