"""Step 3: investigation and diagnosis (P3.1 to P3.9)."""

from decimal import Decimal

import pytest
from attrs import evolve

from incident_domain import (
    AcceptReassessment,
    Acknowledge,
    Acknowledged,
    Assessment,
    ChangeLinked,
    Channel,
    Cost,
    CustomerNotified,
    DeclineReassessment,
    DeviationRecorded,
    EffortRecorded,
    EscalateToGroup,
    FindingsReported,
    Impact,
    InvalidValue,
    Knowledge,
    KnowledgeReviewed,
    LinkChange,
    NotifyCustomer,
    Prioritised,
    Priority,
    ProgressReported,
    ProposeSolution,
    ProvideWorkaround,
    PutIncidentOnHold,
    ReassessmentAccepted,
    ReassessmentDeclined,
    ReassessmentRequested,
    Recipient,
    RecordAnalysis,
    RecordEffort,
    RecordRestoration,
    ReportFindings,
    ReportProgress,
    RequestReassessment,
    Resolve,
    ReviewKnowledge,
    SolutionProposed,
    Urgency,
    WorkaroundProvided,
)
from incident_domain.command import Command
from tests.examples import DESK, IMPORTER, INCIDENT, NETWORK, OTHER, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    CLASSIFIED,
    DATABASE_GROUP,
    ESCALATED,
    NOTHING_MATCHED,
    ORDINARY,
    PARENT,
    READY_TO_CLASSIFY,
    REGISTERED,
    RESOLVED,
    ask,
    given,
    minute,
)

WORK: tuple[type[Command], ...] = (
    ReportProgress,
    ProvideWorkaround,
    ReviewKnowledge,
    RequestReassessment,
    ProposeSolution,
    RecordEffort,
    ReportFindings,
    LinkChange,
    PutIncidentOnHold,
    RecordRestoration,
    Resolve,
)
"""All that a group does to an incident after receiving it."""


@pytest.mark.clause("P3.1")
@pytest.mark.parametrize("kind", WORK, ids=lambda kind: kind.__name__)
def test_p3_1_a_group_works_only_on_what_was_escalated_to_it(kind: type[Command]) -> None:
    """Before an escalation, and for any other group after it, all work is refused."""
    given(NOTHING_MATCHED).when(ORDINARY[kind]).then_refused("P3.1", "not-escalated-to-group")
    others = evolve(ORDINARY[kind], by=DATABASE_GROUP)
    given(ACKNOWLEDGED).when(others).then_refused("P3.1", "not-escalated-to-group")


@pytest.mark.clause("P3.1")
def test_p3_1_a_group_member_who_names_no_group_works_on_nothing() -> None:
    """Work is done on behalf of a group."""
    nameless = ask(ReportProgress, by=evolve(SUPPORT, group=None))
    given(ACKNOWLEDGED).when(nameless).then_refused("P3.1", "not-escalated-to-group")


@pytest.mark.clause("P3.2")
def test_p3_2_receipt_is_acknowledged_with_date_and_time() -> None:
    """The acknowledgement records the group and the instant, once."""
    given(ESCALATED).when(ask(Acknowledge)).then(
        Acknowledged(by=SUPPORT, occurred_at=minute(17), group=NETWORK)
    )
    given(ACKNOWLEDGED).when(ask(Acknowledge, at=minute(30))).then_nothing_happened()


@pytest.mark.clause("P3.2")
@pytest.mark.parametrize("kind", WORK, ids=lambda kind: kind.__name__)
def test_p3_2_there_is_no_work_before_the_acknowledgement(kind: type[Command]) -> None:
    """What goes through after the acknowledgement is refused before it, and a deviation for the importer."""
    given(ESCALATED).when(ORDINARY[kind]).then_refused("P3.2", "not-acknowledged")
    given(ACKNOWLEDGED).when(ORDINARY[kind]).then_allowed()
    imported = given(ESCALATED).when(evolve(ORDINARY[kind], by=IMPORTER))
    deviation, *_ = imported.decision.events[INCIDENT]
    assert isinstance(deviation, DeviationRecorded)
    assert (deviation.clause, deviation.code) == ("P3.2", "not-acknowledged")


@pytest.mark.clause("P3.2")
def test_p3_2_a_group_acknowledges_only_what_it_was_given() -> None:
    """Nobody acknowledges for another group, nor what no group holds."""
    given(ESCALATED).when(ask(Acknowledge, by=DATABASE_GROUP)).then_refused("P3.1", "not-escalated-to-group")
    given(ACKNOWLEDGED).when(ask(Acknowledge, by=DATABASE_GROUP)).then_refused(
        "P3.1", "not-escalated-to-group"
    )
    given(NOTHING_MATCHED).when(ask(Acknowledge)).then_refused("P3.1", "no-group")


@pytest.mark.clause("P3.2")
def test_p3_2_the_next_group_acknowledges_anew() -> None:
    """An acknowledgement is the group's own and is not handed on."""
    handed_on = ask(EscalateToGroup, group=DATABASE_GROUP.group, at=minute(19))
    progress = ask(ReportProgress, by=DATABASE_GROUP)
    given(ACKNOWLEDGED, handed_on).when(progress).then_refused("P3.2", "not-acknowledged")


@pytest.mark.clause("P3.2")
def test_p3_2_the_same_late_acknowledgement_is_imported_once() -> None:
    """Acknowledged after the resolution, in a history made elsewhere, it is one deviation and one event."""
    late = ask(Acknowledge, by=IMPORTER, at=minute(60))
    resolved = given(ESCALATED, ask(Resolve, by=DESK))
    resolved.when(late).then_kinds(DeviationRecorded, Acknowledged)
    resolved.when(late, late).then_nothing_happened()


@pytest.mark.clause("P3.3")
def test_p3_3_progress_says_when_the_next_report_is_due() -> None:
    """The report and the next due time are recorded together."""
    given(ACKNOWLEDGED).when(ask(ReportProgress)).then(
        ProgressReported(by=SUPPORT, occurred_at=minute(20), text="log collected", next_update_due=minute(80))
    )


@pytest.mark.clause("P3.3")
def test_p3_3_the_next_report_is_due_after_this_one() -> None:
    """A due time that is over already is refused to everyone."""
    given(ACKNOWLEDGED).when(ask(ReportProgress, next_update_due=minute(20))).then_refused(
        "P3.3", "update-due-in-past"
    )


@pytest.mark.clause("P3.3")
def test_p3_3_the_desk_reports_progress_while_it_gives_initial_support() -> None:
    """Step 2 has a history too."""
    given(CLASSIFIED).when(ask(ReportProgress, by=DESK)).then_kinds(ProgressReported)


@pytest.mark.clause("P3.4")
def test_p3_4_the_customer_is_told_the_latest_development() -> None:
    """The channel and the words are recorded, before, during and after the work."""
    told = CustomerNotified(
        by=DESK, occurred_at=minute(21), channel=Channel.EMAIL, text="the log is being read"
    )
    for phase in (REGISTERED, ACKNOWLEDGED):
        given(phase).when(ask(NotifyCustomer)).then(told)
    given(RESOLVED).when(ask(NotifyCustomer, at=minute(60))).then_kinds(CustomerNotified)


@pytest.mark.clause("P3.5")
def test_p3_5_a_workaround_is_recorded_with_to_whom_it_was_given() -> None:
    """The desk, the customer, or both."""
    given(ACKNOWLEDGED).when(ask(ProvideWorkaround)).then(
        WorkaroundProvided(
            by=SUPPORT,
            occurred_at=minute(22),
            text="use the printer on the 2nd floor",
            given_to=(Recipient.SERVICE_DESK, Recipient.CUSTOMER),
        )
    )


@pytest.mark.clause("P3.5")
def test_p3_5_a_workaround_given_to_nobody_is_none() -> None:
    """The command itself refuses it and names the field."""
    with pytest.raises(InvalidValue, match="given_to: must name at least one"):
        ask(ProvideWorkaround, given_to=())


@pytest.mark.clause("P3.6")
def test_p3_6_a_review_of_the_knowledge_is_recorded() -> None:
    """What was consulted and what was found."""
    given(ACKNOWLEDGED).when(ask(ReviewKnowledge)).then(
        KnowledgeReviewed(
            by=SUPPORT,
            occurred_at=minute(23),
            consulted=(Knowledge.KNOWN_ERRORS, Knowledge.PLANNED_CHANGES),
            found="a driver was rolled out yesterday",
        )
    )


@pytest.mark.clause("P3.6")
def test_p3_6_a_planned_change_is_linked_once() -> None:
    """The same change again, at any time, changes nothing."""
    given(ACKNOWLEDGED).when(ask(LinkChange)).then(
        ChangeLinked(by=SUPPORT, occurred_at=minute(29), change="CHG-88")
    )
    given(ACKNOWLEDGED, ask(LinkChange)).when(ask(LinkChange, at=minute(33))).then_nothing_happened()


MILDER = Assessment(impact=Impact.LOW, urgency=Urgency.MEDIUM)
ASKED = (*ACKNOWLEDGED, ask(RequestReassessment))


@pytest.mark.clause("P3.7")
def test_p3_7_the_group_asks_the_desk_to_judge_anew() -> None:
    """The request carries what the group proposes and why."""
    given(ACKNOWLEDGED).when(ask(RequestReassessment)).then(
        ReassessmentRequested(
            by=SUPPORT, occurred_at=minute(24), proposed=MILDER, reason="the workaround holds"
        )
    )


@pytest.mark.clause("P3.7")
def test_p3_7_the_desk_accepts_with_new_values() -> None:
    """The acceptance is followed by the new priority."""
    given(ASKED).when(ask(AcceptReassessment)).then(
        ReassessmentAccepted(by=DESK, occurred_at=minute(25), reason="agreed with the branch"),
        Prioritised(
            by=DESK,
            occurred_at=minute(25),
            impact=Impact.LOW,
            urgency=Urgency.MEDIUM,
            priority=Priority.LOW,
        ),
    )


@pytest.mark.clause("P3.7")
def test_p3_7_the_desk_declines_with_a_reason() -> None:
    """Impact and urgency stay as they are."""
    given(ASKED).when(ask(DeclineReassessment)).then(
        ReassessmentDeclined(by=DESK, occurred_at=minute(25), reason="the branch says otherwise")
    )


@pytest.mark.clause("P3.7")
def test_p3_7_the_group_does_not_answer_itself() -> None:
    """The request is the group's, the answer the desk's."""
    given(ASKED).when(ask(AcceptReassessment, by=SUPPORT)).then_refused("P3.7", "role")
    given(ACKNOWLEDGED).when(ask(RequestReassessment, by=DESK)).then_refused("P3.7", "role")


@pytest.mark.clause("P3.7")
def test_p3_7_one_request_at_a_time() -> None:
    """A second request waits for the answer to the first."""
    second = ask(RequestReassessment, at=minute(26))
    given(ASKED).when(second).then_refused("P3.7", "reassessment-open")
    given(ASKED, ask(DeclineReassessment)).when(second).then_kinds(ReassessmentRequested)


@pytest.mark.clause("P3.7")
@pytest.mark.parametrize("kind", [AcceptReassessment, DeclineReassessment])
def test_p3_7_an_answer_needs_a_request(kind: type[Command]) -> None:
    """New values are never dropped in silence: without a request the answer is refused to everyone."""
    answer = ORDINARY[kind]
    given(ACKNOWLEDGED).when(answer).then_refused("P3.7", "no-reassessment-asked")
    given(ACKNOWLEDGED).when(evolve(answer, by=IMPORTER)).then_refused("P3.7", "no-reassessment-asked")
    given(ASKED, answer).when(answer).then_nothing_happened()


@pytest.mark.clause("P3.7")
def test_p3_7_a_request_is_answered_before_the_resolution() -> None:
    """After the resolution there is nothing to judge anew."""
    given(ASKED, ask(Resolve)).when(ask(AcceptReassessment, at=minute(60))).then_refused("X7", "resolved")


@pytest.mark.clause("P3.8")
def test_p3_8_a_new_solution_is_recorded() -> None:
    """A proposal stands in the record before it is used."""
    given(ACKNOWLEDGED).when(ask(ProposeSolution)).then(
        SolutionProposed(by=SUPPORT, occurred_at=minute(26), solution="roll the driver back")
    )


@pytest.mark.clause("P3.8")
@pytest.mark.parametrize("kind", [ReportProgress, ProvideWorkaround, ReviewKnowledge, ProposeSolution])
def test_p3_8_the_same_entry_twice_is_one_and_the_same_words_later_are_another(kind: type[Command]) -> None:
    """An entry is told apart by its words, its time and its author."""
    entry = ORDINARY[kind]
    given(ACKNOWLEDGED, entry).when(entry).then_nothing_happened()
    given(ACKNOWLEDGED, entry).when(evolve(entry, at=minute(32))).then_allowed()


@pytest.mark.clause("P3.8")
@pytest.mark.parametrize(
    "kind", [ReportProgress, ProvideWorkaround, ReviewKnowledge, RequestReassessment, ProposeSolution]
)
def test_p3_8_work_on_a_resolved_incident_needs_its_reopening(kind: type[Command]) -> None:
    """What only work can add is refused after the resolution."""
    given(RESOLVED).when(ORDINARY[kind]).then_refused("X7", "resolved")


@pytest.mark.clause("P3.9")
def test_p3_9_time_and_cost_are_recorded_also_after_the_resolution() -> None:
    """Minutes, and the cost where it is known."""
    effort = EffortRecorded(
        by=SUPPORT, occurred_at=minute(27), minutes=45, cost=Cost(amount=Decimal("37.50"), currency="EUR")
    )
    given(ACKNOWLEDGED).when(ask(RecordEffort)).then(effort)
    given(RESOLVED).when(ask(RecordEffort, at=minute(60), cost=None)).then_kinds(EffortRecorded)


@pytest.mark.clause("P3.9")
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"minutes": -1}, "minutes"),
        ({"minutes": 2**62}, "minutes"),
        ({"cost": Cost(amount=Decimal(-1), currency="EUR")}, "cost"),
        ({"cost": Cost(amount=Decimal("1E+999999"), currency="EUR")}, "cost"),
        ({"cost": Cost(amount=Decimal("0.00001"), currency="EUR")}, "cost"),
        ({"cost": Cost(amount=Decimal("NaN"), currency="EUR")}, "cost"),
        ({"cost": Cost(amount=Decimal(1), currency="euro")}, "cost"),
    ],
)
def test_p3_9_effort_that_cannot_be_is_refused(wrong: dict[str, object], field: str) -> None:
    """The refusal names the field."""
    with pytest.raises(InvalidValue) as refused:
        ask(RecordEffort, **wrong)
    assert refused.value.field == field


@pytest.mark.clause("P3.9")
def test_p3_9_findings_and_prevention_are_reported() -> None:
    """Also after the resolution, when they are known best."""
    given(ACKNOWLEDGED).when(ask(ReportFindings)).then(
        FindingsReported(
            by=SUPPORT,
            occurred_at=minute(28),
            findings="driver 4.2 breaks the spooler",
            prevention="try it on one first",
        )
    )
    given(RESOLVED).when(ask(ReportFindings, at=minute(60))).then_kinds(FindingsReported)


@pytest.mark.clause("P3.9")
def test_p3_9_each_related_incident_keeps_its_own_effort() -> None:
    """Effort on the parent is recorded on the parent alone; sums over children are made when read."""
    outcome = given(PARENT, READY_TO_CLASSIFY).when(ask(RecordEffort, incident=OTHER))
    assert set(outcome.decision.events) == {OTHER}


@pytest.mark.clause("P3.8")
def test_p3_8_two_objections_are_named_at_once() -> None:
    """An unclassified incident of another group hears both."""
    given(READY_TO_CLASSIFY).when(ask(ReportProgress)).then_refused(
        "P2.1", "not-classified", "not-escalated-to-group"
    )
    given(READY_TO_CLASSIFY).when(ask(RecordAnalysis, at=minute(60))).then_allowed()
