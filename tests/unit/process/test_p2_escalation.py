"""Step 2: handing on (P2.4 to P2.6), rejecting a hand-off (X3) and calling in somebody higher up (X2)."""

import pytest
from attrs import evolve

from incident_domain import (
    Actor,
    AssignedToPerson,
    AssignToPerson,
    AwaitingClosure,
    DeviationRecorded,
    EscalatedHierarchically,
    EscalatedToGroup,
    EscalateHierarchically,
    EscalateToGroup,
    EscalationGround,
    HandOffRejected,
    InClassification,
    InInvestigation,
    Line,
    NotifyCustomer,
    PersonId,
    RejectHandOff,
)
from tests.examples import DESK, IMPORTER, NETWORK, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    CLASSIFIED,
    DATABASE,
    DATABASE_GROUP,
    ESCALATED,
    MANAGEMENT,
    NOTHING_MATCHED,
    READY_TO_CLASSIFY,
    RESOLVED,
    ask,
    given,
    minute,
)

TO_THE_DATABASE = ask(
    EscalateToGroup,
    at=minute(19),
    by=SUPPORT,
    group=DATABASE,
    line=Line.THIRD,
    ground=EscalationGround.OTHER_EXPERTISE,
    reason="the spooler's tables are broken",
)


@pytest.mark.clause("P2.4")
def test_p2_4_an_incident_is_handed_to_a_group_with_line_and_reason() -> None:
    """Functional escalation records the line, the group, the ground and the reason, once."""
    outcome = given(NOTHING_MATCHED).when(ask(EscalateToGroup))
    outcome.then(
        EscalatedToGroup(
            by=DESK,
            occurred_at=minute(15),
            line=Line.SECOND,
            group=NETWORK,
            ground=EscalationGround.NO_MATCH,
            reason="nothing known fits",
        )
    )
    assert isinstance(outcome.state(), InInvestigation)
    given(ESCALATED).when(ask(EscalateToGroup, at=minute(16))).then_nothing_happened()


@pytest.mark.clause("P2.4")
def test_p2_4_the_knowledge_base_is_searched_before_an_ordinary_escalation() -> None:
    """Neither a match nor a search without one being recorded, the escalation is refused."""
    given(CLASSIFIED).when(ask(EscalateToGroup)).then_refused("P2.2", "no-match-recorded")


@pytest.mark.clause("P2.4")
def test_p2_4_an_escalation_names_everything_that_is_missing() -> None:
    """Classification and search are missing, and the refusal says both."""
    given(READY_TO_CLASSIFY).when(ask(EscalateToGroup)).then_refused(
        "P2.1", "not-classified", "no-match-recorded"
    )


@pytest.mark.clause("P2.4")
def test_p2_4_the_desk_keeps_the_contact_with_the_customer() -> None:
    """The desk tells the customer also while a group holds the incident; another group may not."""
    given(ACKNOWLEDGED).when(ask(NotifyCustomer, by=DESK)).then_allowed()
    given(ACKNOWLEDGED).when(ask(NotifyCustomer, by=DATABASE_GROUP)).then_refused(
        "P3.1", "not-escalated-to-group"
    )


@pytest.mark.clause("P2.5")
def test_p2_5_the_group_assigns_the_incident_to_one_of_its_people() -> None:
    """First the group, then a person of it; the same person again changes nothing."""
    given(ESCALATED).when(ask(AssignToPerson)).then(
        AssignedToPerson(by=SUPPORT, occurred_at=minute(18), group=NETWORK, person=SUPPORT.person)
    )
    given(ESCALATED, ask(AssignToPerson)).when(ask(AssignToPerson, at=minute(19))).then_nothing_happened()


@pytest.mark.clause("P2.5")
def test_p2_5_a_reassignment_is_an_event_of_its_own() -> None:
    """Each change of the person stays visible."""
    other = ask(AssignToPerson, at=minute(19), person=PersonId("network-hugo"))
    given(ESCALATED, ask(AssignToPerson)).when(other).then_kinds(AssignedToPerson)


@pytest.mark.clause("P2.5")
def test_p2_5_nobody_is_assigned_while_no_group_holds_it() -> None:
    """A person without a group contradicts itself, for the importer too."""
    given(NOTHING_MATCHED).when(ask(AssignToPerson, by=DESK)).then_refused("P2.5", "no-group")
    given(NOTHING_MATCHED).when(ask(AssignToPerson, by=IMPORTER)).then_refused("P2.5", "no-group")


@pytest.mark.clause("P2.5")
def test_p2_5_a_group_does_not_assign_what_another_holds() -> None:
    """The receiving group alone is answerable."""
    given(ESCALATED).when(ask(AssignToPerson, by=DATABASE_GROUP)).then_refused(
        "P3.1", "not-escalated-to-group"
    )


@pytest.mark.clause("P2.5")
def test_p2_5_the_receiving_line_brings_in_whoever_is_needed() -> None:
    """The group that holds the incident hands it on to another line, without a person yet."""
    state = given(ACKNOWLEDGED, ask(AssignToPerson)).when(TO_THE_DATABASE).then_allowed().state()
    assert isinstance(state, InInvestigation)
    assignment = state.record.work.assignment
    assert assignment is not None
    assert (assignment.line, assignment.group, assignment.person, assignment.acknowledged) == (
        Line.THIRD,
        DATABASE,
        None,
        False,
    )


@pytest.mark.clause("P2.5")
def test_p2_5_a_group_hands_on_only_what_it_holds_and_has_acknowledged() -> None:
    """An unacknowledged incident is rejected, not passed on."""
    given(ESCALATED).when(TO_THE_DATABASE).then_refused("P3.2", "not-acknowledged")
    given(ACKNOWLEDGED).when(evolve(TO_THE_DATABASE, by=evolve(SUPPORT, group=None))).then_refused(
        "P3.1", "not-escalated-to-group"
    )


@pytest.mark.clause("P2.6")
@pytest.mark.parametrize("ground", [EscalationGround.EMERGENCY, EscalationGround.COMPLEX])
def test_p2_6_an_emergency_goes_to_investigation_without_a_search(ground: EscalationGround) -> None:
    """The ground says so, and no search of the knowledge base holds it up."""
    outcome = given(CLASSIFIED).when(ask(EscalateToGroup, ground=ground)).then_kinds(EscalatedToGroup)
    assert isinstance(outcome.state(), InInvestigation)


@pytest.mark.clause("X3")
def test_x3_a_group_rejects_a_hand_off_back_to_the_desk() -> None:
    """The rejection names the group, where it goes back to, and why."""
    outcome = given(ESCALATED).when(ask(RejectHandOff))
    outcome.then(
        HandOffRejected(
            by=SUPPORT,
            occurred_at=minute(16),
            group=NETWORK,
            back_to=None,
            back_to_line=Line.FIRST,
            reason="the network is fine",
        )
    )
    assert isinstance(outcome.state(), InClassification)


REJECTED_BY_THE_DATABASE = ask(RejectHandOff, by=DATABASE_GROUP, at=minute(20), reason="the tables are fine")


@pytest.mark.clause("X3")
def test_x3_a_group_rejects_a_hand_off_back_to_the_group_it_came_from() -> None:
    """The group that handed it on holds it again, and had acknowledged it."""
    outcome = given(ACKNOWLEDGED, TO_THE_DATABASE).when(REJECTED_BY_THE_DATABASE)
    outcome.then(
        HandOffRejected(
            by=DATABASE_GROUP,
            occurred_at=minute(20),
            group=DATABASE,
            back_to=NETWORK,
            back_to_line=Line.SECOND,
            reason="the tables are fine",
        )
    )
    state = outcome.state()
    assert isinstance(state, InInvestigation)
    assert state.record.work.assignment is not None
    assert state.record.work.assignment.acknowledged


@pytest.mark.clause("X3")
def test_x3_ping_pong_between_groups_is_visible() -> None:
    """Every hand-off and every rejection is an event of its own, also between the same two groups."""
    again = evolve(TO_THE_DATABASE, at=minute(21))
    outcome = given(ACKNOWLEDGED, TO_THE_DATABASE, REJECTED_BY_THE_DATABASE, again).when(
        evolve(REJECTED_BY_THE_DATABASE, at=minute(22))
    )
    outcome.then_kinds(HandOffRejected)
    history = outcome.desk.histories[outcome.command.incident]
    assert sum(isinstance(each, EscalatedToGroup) for each in history) == 3
    assert sum(isinstance(each, HandOffRejected) for each in history) == 1


@pytest.mark.clause("X3")
@pytest.mark.parametrize("by", [DATABASE_GROUP, IMPORTER], ids=["the group", "the importer"])
def test_x3_the_same_rejection_twice_is_one(by: Actor) -> None:
    """The incident that went back is not sent back a second time by the same command."""
    rejection = evolve(REJECTED_BY_THE_DATABASE, by=by)
    given(ACKNOWLEDGED, TO_THE_DATABASE, rejection).when(rejection).then_nothing_happened()


@pytest.mark.clause("X3")
def test_x3_what_a_group_acknowledged_it_no_longer_rejects() -> None:
    """It escalates instead; the importer's rejection is a deviation."""
    given(ACKNOWLEDGED).when(ask(RejectHandOff, at=minute(18))).then_refused("X3", "acknowledged")
    imported = given(ACKNOWLEDGED).when(ask(RejectHandOff, at=minute(18), by=IMPORTER))
    imported.then_kinds(DeviationRecorded, HandOffRejected)


@pytest.mark.clause("X3")
def test_x3_a_group_does_not_reject_what_another_was_given() -> None:
    """Only the group that received it."""
    given(ESCALATED).when(ask(RejectHandOff, by=DATABASE_GROUP)).then_refused(
        "P3.1", "not-escalated-to-group"
    )


@pytest.mark.clause("X2")
def test_x2_somebody_higher_up_is_called_in_and_the_incident_stays_where_it_is() -> None:
    """Hierarchical escalation names to whom and why, and moves nothing."""
    before = given(ESCALATED).when(ask(EscalateToGroup)).state()
    outcome = given(ESCALATED).when(ask(EscalateHierarchically))
    outcome.then(
        EscalatedHierarchically(
            by=DESK, occurred_at=minute(16), to=MANAGEMENT.person, reason="no group takes it"
        )
    )
    after = outcome.state()
    assert isinstance(before, InInvestigation)
    assert isinstance(after, InInvestigation)
    assert after.record.work == before.record.work


@pytest.mark.clause("X2")
def test_x2_management_does_not_escalate_by_itself() -> None:
    """Management is told and never writes to the record."""
    given(ESCALATED).when(ask(EscalateHierarchically, by=MANAGEMENT)).then_refused("X2", "role")


@pytest.mark.clause("P2.4", "X7")
def test_p2_4_a_resolved_incident_is_not_escalated() -> None:
    """It has to be reopened first; an importer's escalation is a deviation and leaves it resolved."""
    escalate = ask(EscalateToGroup, group=DATABASE, at=minute(60))
    given(RESOLVED).when(escalate).then_refused("X7", "resolved")
    imported = given(RESOLVED).when(evolve(escalate, by=IMPORTER))
    imported.then_kinds(DeviationRecorded, EscalatedToGroup)
    assert isinstance(imported.state(), AwaitingClosure)
