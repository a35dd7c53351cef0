"""Step 1: a report comes in, is entered, numbered and analysed (P1.1 to P1.7)."""

from typing import Any

import pytest
from attrs import evolve

from incident_domain import (
    AnalysisRecorded,
    AssignNumber,
    AttachConfigurationItems,
    Capacity,
    Channel,
    Classify,
    ConfigurationItem,
    ConfigurationItemsAttached,
    CorrectCustomer,
    CustomerCorrected,
    DeviationRecorded,
    IncidentRegistered,
    InRegistration,
    InteractionRecorded,
    NumberAssigned,
    RecordAnalysis,
    RecordInteraction,
    RegisterIncident,
    Reporter,
)
from tests.examples import DESK, IMPORTER, INCIDENT, MANAGER, SUPPORT
from tests.process_spec import (
    CLASSIFIED,
    DORA,
    NUMBERED_AND_ANALYSED,
    REGISTERED,
    RESOLVED,
    ask,
    given,
    minute,
)


def registered(**different: Any) -> IncidentRegistered:
    event = IncidentRegistered(
        by=DESK,
        occurred_at=minute(0),
        incident=INCIDENT,
        reporter=Reporter(name="Dora Peña", capacity=Capacity.USER, channel=Channel.PHONE),
        customer=DORA,
        summary="cannot print",
    )
    return evolve(event, **different)


@pytest.mark.clause("P1.1")
@pytest.mark.parametrize("capacity", Capacity)
def test_p1_1_a_report_by_anyone_through_any_channel_is_registered(capacity: Capacity) -> None:
    """The registration records who reported, in which capacity, through which channel."""
    reporter = Reporter(name="Gil", capacity=capacity, channel=Channel.MONITORING)
    given().when(ask(RegisterIncident, reporter=reporter)).then(registered(reporter=reporter))


@pytest.mark.clause("P1.2")
def test_p1_2_the_customers_basics_are_recorded() -> None:
    """Name, workplace and a way to reach the customer stand in the registration."""
    given().when(ask(RegisterIncident)).then(registered())


@pytest.mark.clause("P1.2")
def test_p1_2_an_e_mail_address_is_a_way_to_reach_the_customer() -> None:
    """Telephone and e-mail are equally good."""
    customer = evolve(DORA, telephone=None, email="dora@north.example")
    given().when(ask(RegisterIncident, customer=customer)).then(registered(customer=customer))


@pytest.mark.clause("P1.2")
def test_p1_2_a_registration_without_basics_is_refused_with_all_that_is_missing() -> None:
    """One refusal names the name, the workplace and the way to reach the customer."""
    customer = evolve(DORA, name=" ", workplace="", telephone=" ", email=None)
    outcome = given().when(ask(RegisterIncident, customer=customer))
    outcome.then_refused("P1.2", "no-name", "no-workplace", "no-way-to-reach")


@pytest.mark.clause("P1.2")
def test_p1_2_the_importer_registers_without_basics_and_the_deviations_are_recorded() -> None:
    """The registration comes first, so that the history can be replayed, and the deviations follow it."""
    customer = evolve(DORA, workplace="", telephone=None)
    outcome = given().when(ask(RegisterIncident, customer=customer, by=IMPORTER))
    outcome.then_kinds(IncidentRegistered, DeviationRecorded, DeviationRecorded)
    assert isinstance(outcome.state(), InRegistration)


@pytest.mark.clause("P1.2")
def test_p1_2_wrong_basics_are_put_right() -> None:
    """A correction records the new basics and the reason."""
    corrected = ask(CorrectCustomer)
    outcome = given(REGISTERED).when(corrected)
    outcome.then(
        CustomerCorrected(
            by=DESK, occurred_at=minute(1), customer=corrected.customer, reason="moved upstairs"
        )
    )


@pytest.mark.clause("P1.2")
def test_p1_2_a_correction_cannot_take_the_basics_away() -> None:
    """A correction has to hold what a registration has to hold."""
    nobody = evolve(DORA, name="")
    given(REGISTERED).when(ask(CorrectCustomer, customer=nobody)).then_refused("P1.2", "no-name")


@pytest.mark.clause("P1.3")
def test_p1_3_a_support_group_cannot_register() -> None:
    """A support group's registration is refused, by the clause that says so."""
    outcome = given().when(ask(RegisterIncident, by=SUPPORT)).then_refused("P1.3", "role")
    assert "service_desk may" in outcome.objections[0].message


@pytest.mark.clause("P1.3")
def test_p1_3_the_service_desk_registers() -> None:
    """The service desk enters incidents."""
    given().when(ask(RegisterIncident, by=DESK)).then(registered())


@pytest.mark.clause("P1.4")
def test_p1_4_a_registered_incident_waits_for_the_managers_decisions() -> None:
    """From its registration on, an incident lacks what only the manager gives, and goes no further."""
    outcome = given(REGISTERED).when(ask(Classify))
    outcome.then_refused("P1.5", "no-number", "no-analysis", "similarity-undecided", "gravity-undecided")


@pytest.mark.clause("P1.5")
def test_p1_5_the_manager_gives_the_number_that_the_journal_offers() -> None:
    """A number that nobody typed in is the next free one."""
    outcome = given(REGISTERED).when(ask(AssignNumber))
    outcome.then(NumberAssigned(by=MANAGER, occurred_at=minute(2), number=outcome.desk.number))


@pytest.mark.clause("P1.5")
def test_p1_5_the_customer_has_a_reference_before_the_number() -> None:
    """The registration itself carries the reference, and the incident has no number yet."""
    state = given().when(ask(RegisterIncident)).state()
    assert isinstance(state, InRegistration)
    assert (state.record.incident, state.record.intake.number) == (INCIDENT, None)


@pytest.mark.clause("P1.5")
def test_p1_5_a_number_never_changes() -> None:
    """A numbered incident refuses another number, and keeps its own when asked for the next free one."""
    numbered = given(REGISTERED, ask(AssignNumber, number=7))
    numbered.when(ask(AssignNumber, number=8)).then_refused("P1.5", "numbered")
    numbered.when(ask(AssignNumber)).then_nothing_happened()


@pytest.mark.clause("P1.5")
@pytest.mark.parametrize("number", [0, -1])
def test_p1_5_a_number_below_one_is_refused(number: int) -> None:
    """A number that was typed in is never replaced by the next free one in silence."""
    given(REGISTERED).when(ask(AssignNumber, number=number)).then_refused("P1.5", "bad-number")


@pytest.mark.clause("P1.5")
def test_p1_5_a_reference_is_never_given_twice() -> None:
    """Another registration under a reference that is taken is refused."""
    outcome = given(REGISTERED).when(ask(RegisterIncident, summary="something else"))
    outcome.then_refused("P1.5", "reference-taken")


@pytest.mark.clause("P1.6")
def test_p1_6_the_analysis_is_recorded_with_the_time_of_occurrence() -> None:
    """The time of occurrence is a time of its own, before the report and before the recording."""
    given(REGISTERED).when(ask(RecordAnalysis)).then(
        AnalysisRecorded(
            by=MANAGER,
            occurred_at=minute(3),
            began_at=minute(-30),
            symptoms="print jobs vanish",
            location="Bilbao",
            user="Dora Peña",
            services=("printing",),
            hardware=("laser-17",),
        )
    )


@pytest.mark.clause("P1.6")
def test_p1_6_the_time_of_occurrence_is_never_in_the_future() -> None:
    """An occurrence after the moment of recording is refused to everyone, the importer too."""
    tomorrow = ask(RecordAnalysis, began_at=minute(60 * 24))
    given(REGISTERED).when(tomorrow).then_refused("P1.6", "occurred-in-future")
    given(REGISTERED).when(evolve(tomorrow, by=IMPORTER)).then_refused("P1.6", "occurred-in-future")


@pytest.mark.clause("P1.6")
def test_p1_6_an_analysis_needs_the_time_of_occurrence() -> None:
    """Only a history made elsewhere may lack it, and says so."""
    unknown = ask(RecordAnalysis, began_at=None)
    given(REGISTERED).when(unknown).then_refused("P1.6", "no-time-of-occurrence")
    imported = given(REGISTERED).when(evolve(unknown, by=IMPORTER))
    imported.then_kinds(DeviationRecorded, AnalysisRecorded)


@pytest.mark.clause("P1.6", "P4.2")
def test_p1_6_an_incident_cannot_begin_after_its_service_was_restored() -> None:
    """A later analysis that contradicts the restoration is refused to everyone."""
    later = ask(RecordAnalysis, at=minute(60), began_at=minute(39))
    given(RESOLVED).when(later).then_refused("P4.2", "occurred-after-restoration")
    given(RESOLVED).when(evolve(later, began_at=minute(38))).then_kinds(AnalysisRecorded)


@pytest.mark.clause("P1.6")
def test_p1_6_nothing_happens_to_an_incident_before_its_registration() -> None:
    """A command dated before the registration is refused to everyone."""
    early = ask(RecordAnalysis, at=minute(-1))
    given(REGISTERED).when(early).then_refused("P1.6", "before-registration")
    given(REGISTERED).when(evolve(early, by=IMPORTER)).then_refused("P1.6", "before-registration")


@pytest.mark.clause("P1.7")
def test_p1_7_an_interaction_with_a_user_is_recorded() -> None:
    """The channel and the words stand in the record."""
    given(NUMBERED_AND_ANALYSED).when(ask(RecordInteraction)).then(
        InteractionRecorded(
            by=DESK, occurred_at=minute(4), channel=Channel.EMAIL, text="a photograph of the display"
        )
    )


@pytest.mark.clause("P1.7")
def test_p1_7_the_same_words_at_another_time_are_another_interaction() -> None:
    """Two replies with the same words never melt into one."""
    again = ask(RecordInteraction, at=minute(9))
    given(REGISTERED, ask(RecordInteraction)).when(again).then_kinds(InteractionRecorded)


@pytest.mark.clause("P1.7")
def test_p1_7_configuration_items_are_attached_once() -> None:
    """Only the items that are not attached yet are recorded, each once."""
    printer, switch = (ConfigurationItem(item=each, name=each, kind="device") for each in ("ci-17", "ci-18"))
    attached = given(NUMBERED_AND_ANALYSED, ask(AttachConfigurationItems))
    attached.when(ask(AttachConfigurationItems, items=(printer, switch, switch))).then(
        ConfigurationItemsAttached(by=MANAGER, occurred_at=minute(5), items=(switch,))
    )
    attached.when(ask(AttachConfigurationItems, items=(printer,))).then_nothing_happened()


@pytest.mark.clause("P1.7", "P3.8")
def test_p1_7_more_becomes_known_at_any_time_before_the_end() -> None:
    """An analysis is recorded anew when more is known."""
    more = ask(RecordAnalysis, at=minute(30), symptoms="only colour jobs vanish")
    given(CLASSIFIED).when(more).then_kinds(AnalysisRecorded)
