"""Step 1: the same as, similar to, or new beside what is known already (P1.8 to P1.10, X6)."""

import pytest

from incident_domain import (
    Assessment,
    Cancel,
    Cancelled,
    ChildLinked,
    ChildUnlinked,
    Classify,
    DeviationRecorded,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    IdentifiedAsSame,
    IdentifyAsSame,
    Impact,
    IncidentId,
    LinkAsChild,
    LinkedAsChild,
    Prioritised,
    Priority,
    RecordAsNew,
    RecordedAsNew,
    RegisterIncident,
    SameAs,
    SameAsUndone,
    UndoSameAs,
    UnlinkedFromParent,
    UnlinkFromParent,
    Urgency,
)
from tests.examples import IMPORTER, INCIDENT, MANAGER, OTHER
from tests.process_spec import (
    ACKNOWLEDGED,
    CHILD,
    CLASSIFIED,
    CLOSED,
    MERGED,
    NUMBERED_AND_ANALYSED,
    PARENT,
    REGISTERED,
    RESOLVED,
    THIRD,
    Asked,
    ask,
    given,
    minute,
    of,
)

WORSE = Assessment(impact=Impact.HIGH, urgency=Urgency.HIGH)


@pytest.mark.clause("P1.8", "P1.10")
def test_p1_10_an_incident_like_no_other_is_recorded_as_new() -> None:
    """The decision is recorded with its reason, once."""
    given(NUMBERED_AND_ANALYSED).when(ask(RecordAsNew)).then(
        RecordedAsNew(by=MANAGER, occurred_at=minute(6), reason="nothing like it is open")
    )
    given(NUMBERED_AND_ANALYSED, ask(RecordAsNew)).when(ask(RecordAsNew)).then_nothing_happened()


@pytest.mark.clause("P1.8")
def test_p1_8_nothing_goes_on_before_same_similar_or_new_is_decided() -> None:
    """Classification names the open decision."""
    outcome = given(NUMBERED_AND_ANALYSED).when(ask(Classify))
    outcome.then_refused("P1.8", "similarity-undecided", "gravity-undecided")


@pytest.mark.clause("P1.8")
def test_p1_8_a_child_is_not_new_at_the_same_time() -> None:
    """Whoever finds a child to be new after all unlinks it first."""
    given(CHILD).when(ask(RecordAsNew)).then_refused("P1.8", "is-a-child")


@pytest.mark.clause("P1.9")
def test_p1_9_the_same_report_again_is_a_further_report_on_the_existing_incident() -> None:
    """Both incidents record it in one decision, and the existing one carries on for both."""
    outcome = given(PARENT, REGISTERED).when(ask(IdentifyAsSame))
    why = "same printer, same hour"
    outcome.then(IdentifiedAsSame(by=MANAGER, occurred_at=minute(6), existing=OTHER, reason=why))
    outcome.then_on(OTHER, FurtherReportAdded(by=MANAGER, occurred_at=minute(6), report=INCIDENT, reason=why))
    assert isinstance(outcome.state(), SameAs)


@pytest.mark.clause("P1.9")
def test_p1_9_a_subordinate_record_is_linked_to_its_parent() -> None:
    """Both incidents record it in one decision."""
    outcome = given(PARENT, REGISTERED).when(ask(LinkAsChild))
    why = "part of the outage"
    outcome.then(LinkedAsChild(by=MANAGER, occurred_at=minute(6), parent=OTHER, reason=why))
    outcome.then_on(OTHER, ChildLinked(by=MANAGER, occurred_at=minute(6), child=INCIDENT, reason=why))


@pytest.mark.clause("P1.9")
@pytest.mark.parametrize("kind", [IdentifyAsSame, LinkAsChild])
def test_p1_9_the_originals_impact_and_priority_change_where_needed(
    kind: type[IdentifyAsSame] | type[LinkAsChild],
) -> None:
    """A further report or a child can make the original graver, in the same decision."""
    outcome = given(PARENT, REGISTERED).when(ask(kind, reassessed=WORSE))
    *_, prioritised = outcome.decision.events[OTHER]
    assert prioritised == Prioritised(
        by=MANAGER,
        occurred_at=minute(6),
        impact=Impact.HIGH,
        urgency=Urgency.HIGH,
        priority=Priority.CRITICAL,
    )


TIES: tuple[type[IdentifyAsSame] | type[LinkAsChild], ...] = (IdentifyAsSame, LinkAsChild)


def tie(kind: type[IdentifyAsSame] | type[LinkAsChild], other: IncidentId) -> IdentifyAsSame | LinkAsChild:
    """Tie the story's incident to another one, in either way."""
    if kind is LinkAsChild:
        return ask(LinkAsChild, parent=other, at=minute(100))
    return ask(IdentifyAsSame, existing=other, at=minute(100))


CHILD_OF_THE_STORYS: tuple[Asked, ...] = (
    *CLASSIFIED,
    *of(OTHER, REGISTERED),
    ask(LinkAsChild, incident=OTHER, parent=INCIDENT),
)
REPORT_OF_THE_STORYS: tuple[Asked, ...] = (
    *CLASSIFIED,
    *of(OTHER, REGISTERED),
    ask(IdentifyAsSame, incident=OTHER, existing=INCIDENT),
)


@pytest.mark.clause("P1.9")
@pytest.mark.parametrize("kind", TIES)
@pytest.mark.parametrize(
    ("before", "other", "code"),
    [
        pytest.param(REGISTERED, INCIDENT, "cycle", id="itself"),
        pytest.param(REPORT_OF_THE_STORYS, OTHER, "same-as", id="its own further report"),
        pytest.param((*CHILD, *of(THIRD, CLASSIFIED)), THIRD, "has-a-parent", id="a second parent"),
        pytest.param(
            (*CHILD_OF_THE_STORYS, *of(THIRD, CLASSIFIED)), THIRD, "has-children", id="with children"
        ),
        pytest.param((*of(OTHER, CLOSED), *REGISTERED), OTHER, "closed-parent", id="a closed incident"),
        pytest.param((*of(OTHER, RESOLVED), *REGISTERED), OTHER, "resolved-parent", id="a resolved one"),
        pytest.param(REGISTERED, OTHER, "not-registered", id="an unknown one"),
    ],
)
def test_p1_9_an_incident_cannot_be_tied_to(
    kind: type[IdentifyAsSame] | type[LinkAsChild],
    before: tuple[Asked, ...],
    other: IncidentId,
    code: str,
) -> None:
    """Cycles, second parents, ended or resolved parents and strangers are refused, whichever the tie."""
    given(before).when(tie(kind, other)).then_refused("P1.9", code)


@pytest.mark.clause("P1.9")
def test_p1_9_an_incident_with_further_reports_becomes_a_child_but_never_a_report() -> None:
    """It can be a part of something larger; being the same as another would leave its reports astray."""
    reported = given(REPORT_OF_THE_STORYS, of(THIRD, CLASSIFIED))
    reported.when(tie(LinkAsChild, THIRD)).then_kinds(LinkedAsChild)
    reported.when(tie(IdentifyAsSame, THIRD)).then_refused("P1.9", "has-reports")


@pytest.mark.clause("P1.9")
def test_p1_9_there_are_no_grandchildren() -> None:
    """A child takes no children of its own."""
    outcome = given(CHILD, of(THIRD, REGISTERED)).when(ask(LinkAsChild, incident=THIRD, parent=INCIDENT))
    outcome.then_refused("P1.9", "grandchild")


@pytest.mark.clause("P1.9")
def test_p1_9_the_refusal_to_tie_names_everything_at_once() -> None:
    """A parent that would become the child of its own child hears of both ends."""
    outcome = given(CHILD_OF_THE_STORYS).when(tie(LinkAsChild, OTHER))
    outcome.then_refused("P1.9", "has-children", "grandchild")


@pytest.mark.clause("P1.9")
def test_p1_9_no_importer_can_tie_what_cannot_be_tied() -> None:
    """A cycle contradicts itself, whoever records it; a resolved parent is only against the rules."""
    given(REGISTERED).when(ask(LinkAsChild, parent=INCIDENT, by=IMPORTER)).then_refused("P1.9", "cycle")
    resolved = given(of(OTHER, RESOLVED), REGISTERED).when(ask(LinkAsChild, by=IMPORTER))
    resolved.then_kinds(DeviationRecorded, LinkedAsChild)


@pytest.mark.clause("P1.9")
def test_p1_9_nothing_is_tied_to_an_incident_before_that_was_registered() -> None:
    """The other incident's history stays in order too."""
    outcome = given(REGISTERED, ask(RegisterIncident, incident=OTHER, at=minute(30))).when(ask(LinkAsChild))
    outcome.then_refused("P1.6", "before-registration")


@pytest.mark.clause("P1.9")
def test_p1_9_what_is_the_same_as_another_goes_on_there() -> None:
    """Every further command to it is refused and names the incident that carries on."""
    outcome = given(MERGED).when(ask(RecordAsNew, at=minute(9))).then_refused("P1.9", "same-as")
    assert OTHER in outcome.objections[0].message


@pytest.mark.clause("X6")
@pytest.mark.parametrize("phase", [REGISTERED, CLASSIFIED, ACKNOWLEDGED, RESOLVED])
def test_x6_same_as_is_undone_and_the_incident_is_where_it_was(phase: tuple[Asked, ...]) -> None:
    """Both histories keep the decision and its undoing, and the incident goes on in the phase it was in."""
    before = given(phase, PARENT).when(ask(RecordAsNew)).state()
    outcome = given(phase, PARENT).when(ask(IdentifyAsSame, at=minute(60)), ask(UndoSameAs, at=minute(61)))
    why = "another printer after all"
    outcome.then(SameAsUndone(by=MANAGER, occurred_at=minute(61), existing=OTHER, reason=why))
    outcome.then_on(
        OTHER, FurtherReportWithdrawn(by=MANAGER, occurred_at=minute(61), report=INCIDENT, reason=why)
    )
    assert type(outcome.state()) is type(before)


@pytest.mark.clause("X6")
def test_x6_a_link_to_a_parent_is_undone() -> None:
    """Both sides record it, and same, similar or new is to be decided again."""
    outcome = given(CHILD).when(ask(UnlinkFromParent))
    why = "not part of the outage"
    outcome.then(UnlinkedFromParent(by=MANAGER, occurred_at=minute(7), parent=OTHER, reason=why))
    outcome.then_on(OTHER, ChildUnlinked(by=MANAGER, occurred_at=minute(7), child=INCIDENT, reason=why))
    again = given(CHILD, ask(UnlinkFromParent)).when(ask(Classify))
    again.then_refused("P1.8", "similarity-undecided")


@pytest.mark.clause("X6", "X8")
def test_x6_nothing_is_undone_once_the_other_incident_has_ended() -> None:
    """The ended incident's history takes nothing more, so the tie stays as it is."""
    end = ask(Cancel, incident=OTHER, by=IMPORTER, at=minute(50))
    given(CHILD, end).when(ask(UnlinkFromParent, at=minute(60))).then_refused("X8", "ended")
    given(MERGED, end).when(ask(UndoSameAs, at=minute(60))).then_refused("X8", "ended")


@pytest.mark.clause("X6")
def test_x6_undoing_what_nobody_did_changes_nothing() -> None:
    """There is nothing to take back."""
    given(REGISTERED).when(ask(UndoSameAs)).then_nothing_happened()
    given(REGISTERED).when(ask(UnlinkFromParent)).then_nothing_happened()


@pytest.mark.clause("X6")
def test_x6_nothing_is_undone_before_the_registration() -> None:
    """An undoing dated before the registration is refused."""
    given(MERGED).when(ask(UndoSameAs, at=minute(-1))).then_refused("P1.6", "before-registration")


@pytest.mark.clause("X4", "P1.9")
def test_x4_an_incident_that_others_rely_on_is_not_cancelled() -> None:
    """Cancelling it would leave the further reports with nobody who carries on for them."""
    given(MERGED).when(ask(Cancel, incident=OTHER, at=minute(50))).then_refused("X4", "has-reports")
    undone = given(MERGED, ask(UndoSameAs)).when(ask(Cancel, incident=OTHER, at=minute(50)))
    undone.then_kinds(Cancelled)
