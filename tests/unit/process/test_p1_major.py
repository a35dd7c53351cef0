"""Step 1: major or not, and who hears of it first (P1.11, P1.12)."""

import pytest

from incident_domain import (
    AcceptReassessment,
    Acknowledge,
    ApplyAgreement,
    AssignNumber,
    AssignToPerson,
    AttachConfigurationItems,
    Cancel,
    Classify,
    ClassifyRootCause,
    Close,
    CloseAfterSilence,
    ConfirmResolution,
    CorrectCustomer,
    CustomerInformed,
    DeclareMajor,
    DeclineReassessment,
    DeviationRecorded,
    EscalateHierarchically,
    EscalateToGroup,
    IdentifyAsSame,
    InformCustomer,
    InformManagement,
    JudgedNotMajor,
    JudgeNotMajor,
    LinkAsChild,
    LinkChange,
    MajorDeclared,
    ManagementInformed,
    MatchKnownError,
    MoveAgreement,
    NotifyCustomer,
    Prioritise,
    ProposeSolution,
    ProvideWorkaround,
    PutIncidentOnHold,
    RecordAnalysis,
    RecordAsNew,
    RecordBreach,
    RecordEffort,
    RecordInteraction,
    RecordNoMatch,
    RecordRestoration,
    RecordSatisfaction,
    RecordWarning,
    RecountHours,
    RegisterIncident,
    RejectHandOff,
    RejectResolution,
    Reopen,
    ReportFindings,
    ReportProgress,
    RequestConfirmation,
    RequestReassessment,
    Resolve,
    Resume,
    ReviewKnowledge,
    UndoSameAs,
    UnlinkFromParent,
    VerifyRecord,
)
from incident_domain.command import Command
from tests.examples import DESK, IMPORTER, MANAGER
from tests.process_spec import (
    ACKNOWLEDGED,
    ESCALATED,
    MAJOR,
    NUMBERED_AND_ANALYSED,
    ON_HOLD,
    ORDINARY,
    READY_TO_CLASSIFY,
    READY_TO_CLOSE,
    RESOLVED,
    SOLVED,
    Asked,
    ask,
    given,
    minute,
)

NOBODY_INFORMED = ("management-not-informed", "customer-not-informed")

LATER_STEPS: dict[type[Command], tuple[Asked, ...]] = {
    Classify: READY_TO_CLASSIFY,
    Prioritise: ACKNOWLEDGED,
    MatchKnownError: (*SOLVED, *ACKNOWLEDGED),
    RecordNoMatch: (*READY_TO_CLASSIFY, ask(Classify)),
    EscalateToGroup: (*READY_TO_CLASSIFY, ask(Classify), ask(RecordNoMatch)),
    AssignToPerson: ESCALATED,
    RejectHandOff: ESCALATED,
    EscalateHierarchically: ACKNOWLEDGED,
    Acknowledge: ESCALATED,
    ReportProgress: ACKNOWLEDGED,
    NotifyCustomer: ACKNOWLEDGED,
    ProvideWorkaround: ACKNOWLEDGED,
    ReviewKnowledge: ACKNOWLEDGED,
    RequestReassessment: ACKNOWLEDGED,
    AcceptReassessment: (*ACKNOWLEDGED, ask(RequestReassessment)),
    DeclineReassessment: (*ACKNOWLEDGED, ask(RequestReassessment)),
    ProposeSolution: ACKNOWLEDGED,
    RecordEffort: ACKNOWLEDGED,
    ReportFindings: ACKNOWLEDGED,
    LinkChange: ACKNOWLEDGED,
    PutIncidentOnHold: ACKNOWLEDGED,
    Resume: ON_HOLD,
    RecordRestoration: ACKNOWLEDGED,
    Resolve: ACKNOWLEDGED,
    RequestConfirmation: RESOLVED,
    ClassifyRootCause: RESOLVED,
    VerifyRecord: RESOLVED,
    Close: READY_TO_CLOSE,
    CloseAfterSilence: tuple(each for each in READY_TO_CLOSE if type(each).__name__ != "ConfirmResolution"),
}
"""Each later measure, and a phase in which it would go through."""


STEP_1 = {
    RegisterIncident,
    CorrectCustomer,
    AssignNumber,
    RecordAnalysis,
    RecordInteraction,
    AttachConfigurationItems,
    RecordAsNew,
    IdentifyAsSame,
    UndoSameAs,
    LinkAsChild,
    UnlinkFromParent,
    DeclareMajor,
    JudgeNotMajor,
    InformManagement,
    InformCustomer,
    Cancel,
}
THE_CUSTOMERS_WORD = {ConfirmResolution, RejectResolution, RecordSatisfaction, Reopen}
"""What a customer says is recorded at any time; what it leads back to is a later step again."""

BESIDE_THE_STEPS = {ApplyAgreement, MoveAgreement, RecountHours, RecordWarning, RecordBreach}
"""Clocks run whatever else is done; they are no measure."""


def test_p1_11_every_command_is_of_step_1_or_a_later_one() -> None:
    """No command is forgotten by the test of the gate."""
    assert {*STEP_1, *THE_CUSTOMERS_WORD, *BESIDE_THE_STEPS, *LATER_STEPS} == set(ORDINARY)


@pytest.mark.clause("P1.11")
def test_p1_11_a_major_incident_is_declared_by_the_manager() -> None:
    """The decision has an actor, a time and a reason."""
    given(NUMBERED_AND_ANALYSED).when(ask(DeclareMajor)).then(
        MajorDeclared(by=MANAGER, occurred_at=minute(8), reason="a whole branch stands still")
    )


@pytest.mark.clause("P1.11")
def test_p1_11_management_is_informed_first_and_then_the_customer() -> None:
    """Once both are recorded in this order, the incident goes on."""
    given(MAJOR).when(ask(InformManagement)).then_kinds(ManagementInformed)
    given(MAJOR, ask(InformManagement)).when(ask(InformCustomer)).then_kinds(CustomerInformed)
    given(MAJOR, ask(InformManagement)).when(ask(Classify)).then_refused("P1.11", "customer-not-informed")
    both = given(MAJOR, ask(InformManagement), ask(InformCustomer)).when(ask(Classify))
    assert not both.objections


@pytest.mark.clause("P1.11")
def test_p1_11_the_customer_is_not_informed_before_management() -> None:
    """The other order is refused."""
    given(MAJOR).when(ask(InformCustomer)).then_refused("P1.11", "management-not-informed")


@pytest.mark.clause("P1.11")
def test_p1_11_an_importer_that_informed_the_customer_first_still_lacks_both() -> None:
    """The wrong order stays a deviation and opens no gate."""
    wrong_order = ask(InformCustomer, by=IMPORTER)
    given(MAJOR).when(wrong_order).then_kinds(DeviationRecorded, CustomerInformed)
    given(MAJOR, wrong_order, ask(InformManagement)).when(ask(Classify)).then_refused(
        "P1.11", "customer-not-informed"
    )


@pytest.mark.clause("P1.11")
@pytest.mark.parametrize("kind", LATER_STEPS, ids=lambda kind: kind.__name__)
def test_p1_11_until_both_know_every_later_step_is_refused(kind: type[Command]) -> None:
    """What went through before the declaration is refused after it, and the refusal names all that lacks."""
    given(LATER_STEPS[kind]).when(ORDINARY[kind]).then_allowed()
    major = given(LATER_STEPS[kind], ask(DeclareMajor, at=minute(42))).when(ORDINARY[kind])
    major.then_refused("P1.11", *NOBODY_INFORMED)


@pytest.mark.clause("P1.11")
def test_p1_11_only_a_major_incident_is_told_of_in_this_way() -> None:
    """Anything less is an ordinary notification."""
    given(READY_TO_CLASSIFY).when(ask(InformManagement)).then_refused("P1.11", "not-major")
    given(READY_TO_CLASSIFY).when(ask(InformCustomer)).then_refused("P1.11", "not-major")


@pytest.mark.clause("P1.11")
def test_p1_11_an_incident_can_turn_out_major_later() -> None:
    """Declared again after it was judged not major, it closes the gate again."""
    given(READY_TO_CLASSIFY).when(ask(DeclareMajor)).then_kinds(MajorDeclared)
    informed = (ask(InformManagement), ask(InformCustomer))
    given(MAJOR, informed, ask(JudgeNotMajor), ask(DeclareMajor)).when(ask(Classify)).then_refused(
        "P1.11", *NOBODY_INFORMED
    )


@pytest.mark.clause("P1.12")
def test_p1_12_what_is_not_major_goes_on_to_classification() -> None:
    """The decision has an actor, a time and a reason, and opens step 2."""
    given(NUMBERED_AND_ANALYSED).when(ask(JudgeNotMajor)).then(
        JudgedNotMajor(by=MANAGER, occurred_at=minute(8), reason="one printer of three")
    )
    given(READY_TO_CLASSIFY).when(ask(Classify)).then_allowed()


@pytest.mark.clause("P1.12")
def test_p1_12_only_the_manager_decides() -> None:
    """The service desk judges neither way."""
    given(NUMBERED_AND_ANALYSED).when(ask(JudgeNotMajor, by=DESK)).then_refused("P1.12", "role")
    given(NUMBERED_AND_ANALYSED).when(ask(DeclareMajor, by=DESK)).then_refused("P1.11", "role")
