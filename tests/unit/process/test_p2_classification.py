"""Step 2: classification and initial support (P2.1 to P2.3)."""

from itertools import product

import pytest

from incident_domain import (
    Assessment,
    Classified,
    Classify,
    DeviationRecorded,
    Impact,
    InClassification,
    InRegistration,
    KnownErrorId,
    MatchedToKnownError,
    MatchKnownError,
    NoMatchFound,
    Prioritise,
    Prioritised,
    Priority,
    PriorityOverride,
    RecordNoMatch,
    RegisterIncident,
    Resolve,
    Resolved,
    RetireKnownError,
    ServiceRestored,
    Urgency,
    priority_of,
)
from tests.examples import DESK, IMPORTER, KNOWN_ERROR, SUPPORT
from tests.process_spec import (
    CLASSIFIED,
    KNOWN,
    PROBLEM,
    READY_TO_CLASSIFY,
    REGISTERED,
    RESOLVED,
    SOLVED,
    Asked,
    ask,
    given,
    minute,
)


@pytest.mark.clause("P2.1")
def test_p2_1_classification_gives_category_and_priority() -> None:
    """The category is recorded, and the priority follows from impact and urgency."""
    outcome = given(READY_TO_CLASSIFY).when(ask(Classify))
    outcome.then(
        Classified(by=DESK, occurred_at=minute(12), category="hardware", subcategory="printer"),
        Prioritised(
            by=DESK,
            occurred_at=minute(12),
            impact=Impact.MEDIUM,
            urgency=Urgency.HIGH,
            priority=Priority.HIGH,
        ),
    )
    assert isinstance(outcome.state(), InClassification)


@pytest.mark.clause("P2.1")
def test_p2_1_the_matrix_knows_every_pair_and_never_ranks_a_graver_one_lower() -> None:
    """A higher impact or urgency never gives a lower priority."""
    gravest = list(Impact), list(Urgency)
    for (i, impact), (u, urgency) in product(enumerate(gravest[0]), enumerate(gravest[1])):
        here = priority_of(Assessment(impact=impact, urgency=urgency))
        milder = [
            priority_of(Assessment(impact=i2, urgency=u2))
            for i2, u2 in product(gravest[0][i:], gravest[1][u:])
        ]
        assert here == min(milder)
    assert {priority_of(Assessment(impact=i, urgency=u)) for i, u in product(*gravest)} == set(Priority)


@pytest.mark.clause("P2.1")
def test_p2_1_an_override_is_recorded_with_its_reason() -> None:
    """A priority other than the matrix's says why, and a later one without override is the matrix's again."""
    override = PriorityOverride(priority=Priority.CRITICAL, reason="payday")
    outcome = given(READY_TO_CLASSIFY).when(ask(Classify, override=override))
    prioritised = outcome.decision.events[outcome.command.incident][-1]
    assert isinstance(prioritised, Prioritised)
    assert (prioritised.priority, prioritised.override_reason) == (Priority.CRITICAL, "payday")
    back = given(READY_TO_CLASSIFY, ask(Classify, override=override)).when(ask(Classify, at=minute(13)))
    back.then_kinds(Prioritised)


@pytest.mark.clause("P2.1")
def test_p2_1_impact_and_urgency_are_judged_anew() -> None:
    """Only a change is recorded."""
    given(CLASSIFIED).when(ask(Prioritise)).then(
        Prioritised(
            by=DESK,
            occurred_at=minute(13),
            impact=Impact.HIGH,
            urgency=Urgency.HIGH,
            priority=Priority.CRITICAL,
        )
    )
    given(CLASSIFIED, ask(Prioritise)).when(ask(Prioritise, at=minute(20))).then_nothing_happened()


@pytest.mark.clause("P2.1", "P3.8")
def test_p2_1_a_changed_classification_is_recorded_alone() -> None:
    """A new category leaves the priority as it is."""
    given(CLASSIFIED).when(ask(Classify, category="software")).then_kinds(Classified)


@pytest.mark.clause("P2.1")
def test_p2_1_nothing_of_step_2_goes_before_the_classification() -> None:
    """Priority and match wait for the classification."""
    given(READY_TO_CLASSIFY).when(ask(Prioritise)).then_refused("P2.1", "not-classified")
    given(READY_TO_CLASSIFY).when(ask(RecordNoMatch)).then_refused("P2.1", "not-classified")


@pytest.mark.clause("P2.1")
def test_p2_1_the_importer_classifies_what_was_never_numbered_and_every_gap_is_a_deviation() -> None:
    """Each thing that step 1 left open is a deviation of its own, with its clause."""
    outcome = given(REGISTERED).when(ask(Classify, by=IMPORTER))
    outcome.then_kinds(*[DeviationRecorded] * 4, Classified, Prioritised)
    deviations = [
        (each.clause, each.code)
        for each in outcome.decision.events[outcome.command.incident]
        if isinstance(each, DeviationRecorded)
    ]
    assert deviations == [
        ("P1.5", "no-number"),
        ("P1.6", "no-analysis"),
        ("P1.8", "similarity-undecided"),
        ("P1.11", "gravity-undecided"),
    ]


@pytest.mark.clause("P2.1")
def test_p2_1_no_service_agreement_is_a_legal_state() -> None:
    """An incident without an agreement is registered and classified like any other."""
    no_agreement = ask(RegisterIncident, agreement=None)
    state = given(no_agreement, READY_TO_CLASSIFY[1:]).when(ask(Classify)).then_allowed().state()
    assert not isinstance(state, InRegistration)


@pytest.mark.clause("P2.2")
@pytest.mark.parametrize("entry", [PROBLEM, KNOWN, SOLVED], ids=["problem", "known error", "solved"])
def test_p2_2_a_match_with_the_knowledge_base_is_recorded(entry: tuple[Asked, ...]) -> None:
    """A problem and a known error can both be matched, once."""
    given(entry, CLASSIFIED).when(ask(MatchKnownError)).then(
        MatchedToKnownError(by=DESK, occurred_at=minute(14), known_error=KNOWN_ERROR)
    )
    given(entry, CLASSIFIED, ask(MatchKnownError)).when(
        ask(MatchKnownError, at=minute(15))
    ).then_nothing_happened()


@pytest.mark.clause("P2.2")
def test_p2_2_that_nothing_matched_is_recorded_with_what_was_consulted() -> None:
    """The search is on record also when it found nothing."""
    given(CLASSIFIED).when(ask(RecordNoMatch)).then(
        NoMatchFound(by=DESK, occurred_at=minute(14), consulted=("known errors", "problems"))
    )


@pytest.mark.clause("P2.2")
def test_p2_2_only_an_entry_in_use_is_matched() -> None:
    """An unknown and a retired entry are refused."""
    given(CLASSIFIED).when(ask(MatchKnownError, known_error=KnownErrorId("rumour"))).then_refused(
        "P2.2", "no-such-entry"
    )
    given(SOLVED, ask(RetireKnownError), CLASSIFIED).when(ask(MatchKnownError)).then_refused(
        "P2.2", "no-such-entry"
    )


@pytest.mark.clause("P2.2")
def test_p2_2_a_resolved_incident_is_matched_no_more() -> None:
    """It has to be reopened first."""
    given(SOLVED, RESOLVED).when(ask(MatchKnownError, at=minute(60))).then_refused("X7", "resolved")


@pytest.mark.clause("P2.3")
def test_p2_3_the_desk_resolves_by_a_known_error_straight_from_step_2() -> None:
    """No escalation and no investigation are needed, and the resolution names the known error."""
    resolve = ask(Resolve, by=DESK, known_error=KNOWN_ERROR, changes=())
    given(SOLVED, CLASSIFIED, ask(MatchKnownError)).when(resolve).then(
        ServiceRestored(by=DESK, occurred_at=minute(40), restored_at=minute(38)),
        Resolved(
            by=DESK,
            occurred_at=minute(40),
            actions="driver rolled back on all printers",
            solution="driver 4.1",
            known_error=KNOWN_ERROR,
        ),
    )


@pytest.mark.clause("P2.3")
@pytest.mark.parametrize(
    "entry",
    [(), PROBLEM, KNOWN, (*SOLVED, ask(RetireKnownError))],
    ids=["none", "problem", "open", "retired"],
)
def test_p2_3_a_resolution_names_only_a_known_error_with_a_solution(entry: tuple[Asked, ...]) -> None:
    """What has no published solution resolves nothing."""
    resolve = ask(Resolve, by=DESK, known_error=KNOWN_ERROR)
    given(entry, CLASSIFIED).when(resolve).then_refused("P2.3", "no-published-solution")


@pytest.mark.clause("P2.3")
def test_p2_3_a_group_resolves_nothing_straight_from_step_2() -> None:
    """The short way is the desk's; a group needs an escalation."""
    given(SOLVED, CLASSIFIED).when(ask(Resolve, by=SUPPORT)).then_refused("P3.1", "not-escalated-to-group")
