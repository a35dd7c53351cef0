"""Waiting (X1)."""

import pytest
from attrs import evolve

from incident_domain import (
    AwaitingClosure,
    EscalateToGroup,
    HoldReason,
    InInvestigation,
    InvalidValue,
    PutIncidentOnHold,
    PutOnHold,
    Resume,
    WorkResumed,
)
from tests.examples import DESK, IMPORTER, SUPPORT
from tests.process_spec import (
    ACKNOWLEDGED,
    DATABASE,
    DATABASE_GROUP,
    ESCALATED,
    ON_HOLD,
    RESOLVED,
    ask,
    given,
    minute,
)


@pytest.mark.clause("X1")
@pytest.mark.parametrize("reason", HoldReason)
def test_x1_a_hold_names_its_reason_who_is_awaited_and_until_when(reason: HoldReason) -> None:
    """All three stand in the event."""
    given(ACKNOWLEDGED).when(ask(PutIncidentOnHold, reason=reason)).then(
        PutOnHold(by=SUPPORT, occurred_at=minute(30), reason=reason, awaited="driver 4.3", until=minute(300))
    )


@pytest.mark.clause("X1")
def test_x1_a_hold_waits_for_somebody() -> None:
    """Who is awaited is never blank; until when may be unknown."""
    with pytest.raises(InvalidValue, match="awaited: must not be blank"):
        ask(PutIncidentOnHold, awaited=" ")
    given(ACKNOWLEDGED).when(ask(PutIncidentOnHold, until=None)).then_kinds(PutOnHold)


@pytest.mark.clause("X1")
def test_x1_a_hold_does_not_end_before_it_begins() -> None:
    """A date that is over already is refused to everyone."""
    given(ACKNOWLEDGED).when(ask(PutIncidentOnHold, until=minute(30))).then_refused("X1", "hold-ends-in-past")


@pytest.mark.clause("X1")
def test_x1_the_wait_ends_once() -> None:
    """Resuming what does not wait changes nothing."""
    given(ON_HOLD).when(ask(Resume)).then(WorkResumed(by=SUPPORT, occurred_at=minute(35)))
    given(ON_HOLD, ask(Resume)).when(ask(Resume)).then_nothing_happened()


@pytest.mark.clause("X1")
def test_x1_another_reason_replaces_the_one_before() -> None:
    """The same hold again changes nothing."""
    given(ON_HOLD).when(ask(PutIncidentOnHold)).then_nothing_happened()
    other = ask(PutIncidentOnHold, at=minute(31), reason=HoldReason.CUSTOMER)
    given(ON_HOLD).when(other).then_kinds(PutOnHold)


@pytest.mark.clause("X1", "P3.2")
def test_x1_a_hold_satisfies_nothing() -> None:
    """Before the acknowledgement there is no hold, so no hold stands in for one; nor is it a resolution."""
    given(ESCALATED).when(ask(PutIncidentOnHold)).then_refused("P3.2", "not-acknowledged")
    held = given(ESCALATED).when(ask(PutIncidentOnHold, by=DESK)).state()
    assert isinstance(held, InInvestigation)
    assert held.record.work.assignment is not None
    assert not held.record.work.assignment.acknowledged
    assert held.record.restored_at is None


@pytest.mark.clause("X1", "P2.5")
def test_x1_a_hold_outlives_a_hand_over() -> None:
    """What is awaited is still awaited, and the new group may end the wait."""
    handed_on = ask(EscalateToGroup, at=minute(31), group=DATABASE)
    given(ON_HOLD, handed_on).when(ask(Resume, by=DATABASE_GROUP)).then_kinds(WorkResumed)
    given(ON_HOLD, handed_on).when(ask(Resume)).then_refused("P3.1", "not-escalated-to-group")


@pytest.mark.clause("X1")
def test_x1_an_imported_hold_on_a_resolved_incident_can_be_ended() -> None:
    """What a history made elsewhere left waiting is resumed like anything else."""
    held = ask(PutIncidentOnHold, by=IMPORTER, at=minute(60), until=None)
    given(RESOLVED).when(evolve(held, by=SUPPORT)).then_refused("X7", "resolved")
    outcome = given(RESOLVED, held).when(ask(Resume, at=minute(61))).then_kinds(WorkResumed)
    assert isinstance(outcome.state(), AwaitingClosure)
