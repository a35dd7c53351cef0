"""What another agreement, other hours or another priority matrix would have made of an incident's targets."""

from datetime import datetime, timedelta
from typing import Final

import pytest
from attrs import evolve as changed
from hypothesis import given

from incident_domain.envelope import Recorded
from incident_domain.events import (
    AgreementApplied,
    AgreementId,
    AgreementMoved,
    HoldReason,
    HoursRecounted,
    IncidentEvent,
    IncidentId,
    Party,
    PauseRule,
    Prioritised,
    TargetBreached,
    TargetKind,
    TargetWarned,
    Terms,
)
from incident_domain.priority import PRIORITY_MATRIX, Impact, Priority, Urgency
from incident_projections.clocks import TermsOf
from incident_projections.what_if import (
    Alternative,
    Change,
    Course,
    IncidentChange,
    OtherAgreement,
    TargetChange,
    TargetStanding,
    WhatIf,
    change_of,
)
from incident_projections.what_if_totals import CountedByGroup, CountedByPriority, WhatIfReport, report
from tests.agreements import (
    ALWAYS,
    GOLD,
    GOLD_TERMS,
    NETWORK,
    NETWORK_OLA,
    OFFICE,
    P3,
    SERVERS,
    acknowledged,
    any_terms,
    applied,
    escalated,
    held,
    known,
    moved,
    prioritised,
    progress,
    recounted,
    resolved,
    resumed,
    target,
    told,
)
from tests.histories import START, at, histories, recorded, registered

ACKNOWLEDGE, UPDATE, RESOLVE = TargetKind.ACKNOWLEDGE, TargetKind.UPDATE, TargetKind.RESOLVE
INCIDENT: Final = IncidentId("INC-1")
GOLD_ONLY: Final = known(gold_1=(Party.CUSTOMER, GOLD_TERMS))
BEGUN: Final[tuple[IncidentEvent, ...]] = (registered(INCIDENT), applied(), prioritised(0))
NOTHING_AGREED: Final = (registered(INCIDENT), prioritised(0))
SILVER: Final = AgreementId("silver")


def supposing(
    minutes: int,
    *,
    name: AgreementId = GOLD,
    party: Party = Party.CUSTOMER,
    holds_from: datetime = START,
    terms: Terms = GOLD_TERMS,
) -> Alternative:
    """An agreement with one target: to resolve within so many minutes."""
    other = OtherAgreement(
        party=party, holds_from=holds_from, terms=changed(terms, targets=(target(RESOLVE, minutes),))
    )
    return Alternative(agreements={name: other})


def compared(
    alternative: Alternative, *events: IncidentEvent, now: float = 10_000, terms_of: TermsOf = GOLD_ONLY
) -> IncidentChange:
    """The incident with these events under the alternative, so many minutes after the start."""
    history = recorded(*told(INCIDENT, *events))
    return WhatIf(alternative, terms_of).compare(INCIDENT, history, at(now))


def of(kind: TargetKind, found: IncidentChange, agreement: AgreementId = GOLD) -> TargetChange:
    """What became of the one target of a kind."""
    [target] = [each for each in found.targets if (each.agreement, each.kind) == (agreement, kind)]
    return target


@pytest.mark.parametrize(
    ("ends", "minutes", "change"),
    [
        (300, 480, Change.SAVED),
        (200, 100, Change.NEWLY_BREACHED),
        (300, 100, Change.BREACHED_ANYWAY),
        (200, 480, Change.MET_ANYWAY),
        (240, 240, Change.MET_ANYWAY),
    ],
)
@pytest.mark.clause("P4.1")
def test_another_target_saves_or_breaches(ends: int, minutes: int, change: Change) -> None:
    """240 minutes were agreed to resolve; whether another number would have been kept is told apart."""
    found = of(RESOLVE, compared(supposing(minutes), *BEGUN, resolved(ends)))

    assert found.change is change
    assert (found.was.target, found.would_be.target) == (timedelta(minutes=240), timedelta(minutes=minutes))
    assert found.was.used == found.would_be.used == timedelta(minutes=ends)


def test_a_breach_is_dated_in_both_cases() -> None:
    """A breach comes with the first instant from which more than the target was used."""
    found = of(RESOLVE, compared(supposing(100), *BEGUN, resolved(300)))

    assert (found.was.breached_at, found.would_be.breached_at) == (at(240), at(100))


@pytest.mark.parametrize(
    ("now", "minutes", "change"),
    [
        (200, 480, Change.STILL_RUNNING),
        (200, 100, Change.NEWLY_BREACHED),
        (300, 480, Change.SAVED),
        (300, 100, Change.BREACHED_ANYWAY),
    ],
)
def test_a_clock_that_still_runs_is_read_now(now: int, minutes: int, change: Change) -> None:
    """What still runs is breached as soon as more than the target is used at the instant asked."""
    assert of(RESOLVE, compared(supposing(minutes), *BEGUN, now=now)).change is change


def test_a_clock_that_stands_still_may_still_run() -> None:
    """Who waits for the customer at the instant asked has not met the target yet."""
    found = of(RESOLVE, compared(supposing(100), *BEGUN, held(50), now=300))

    assert (found.change, found.would_be.used) == (Change.STILL_RUNNING, timedelta(minutes=50))


@pytest.mark.parametrize(
    ("ends", "change"), [(100, Change.WOULD_MEET), (101, Change.WOULD_BREACH), (None, Change.WOULD_BREACH)]
)
def test_that_nothing_was_agreed_is_a_state_of_its_own(ends: int | None, change: Change) -> None:
    """An incident under no agreement was neither met nor breached, and would run from its registration."""
    events = (*NOTHING_AGREED, *(() if ends is None else (resolved(ends),)))

    found = compared(supposing(100), *events)

    assert (found.agreed, found.would_be_agreed) == (False, True)
    assert of(RESOLVE, found).change is change
    assert of(RESOLVE, found).was == Course(
        standing=TargetStanding.UNAGREED, target=None, used=timedelta(), breached_at=None
    )


def test_a_target_that_the_alternative_leaves_out_is_no_longer_agreed() -> None:
    """That nothing would be promised saves nothing."""
    found = compared(supposing(100), *BEGUN, escalated(1), acknowledged(60), resolved(300))

    assert of(ACKNOWLEDGE, found).change is Change.NO_LONGER_AGREED
    assert of(ACKNOWLEDGE, found).was.standing is TargetStanding.BREACHED


def test_a_priority_for_which_nothing_is_agreed_has_no_target() -> None:
    """The clock counts and is never due; that is no target met."""
    found = compared(supposing(100), registered(INCIDENT), prioritised(0, P3), resolved(300))

    assert (found.targets, found.change) == ((), None)
    assert found.would_be_agreed


def test_an_agreement_takes_the_place_of_its_name_and_of_no_other() -> None:
    """On an incident under another agreement of the customer's nothing changes."""
    silver = changed(applied(), agreement=SILVER)
    terms_of = known(silver_1=(Party.CUSTOMER, GOLD_TERMS))

    found = compared(
        supposing(100), registered(INCIDENT), silver, prioritised(0), resolved(300), terms_of=terms_of
    )

    assert {each.agreement for each in found.targets} == {SILVER}
    assert {each.change for each in found.targets} <= {Change.MET_ANYWAY, Change.BREACHED_ANYWAY}


def test_a_groups_agreement_runs_beside_the_customers() -> None:
    """Only one of a party and a group runs; the group's clock runs while the group holds the incident."""
    terms = changed(GOLD_TERMS, group=NETWORK)
    alternative = supposing(100, name=NETWORK_OLA, party=Party.GROUP, terms=terms)

    found = compared(alternative, *BEGUN, escalated(50), resolved(170))

    assert of(RESOLVE, found).change is Change.MET_ANYWAY
    ola = of(RESOLVE, found, NETWORK_OLA)
    assert (ola.change, ola.would_be.used) == (Change.WOULD_BREACH, timedelta(minutes=120))


def test_each_group_has_an_agreement_of_its_own() -> None:
    """That of another group runs beside it, and promises nothing where that group never has the incident."""
    terms_of = known(network_ola_1=(Party.GROUP, changed(GOLD_TERMS, group=NETWORK)))
    events = (registered(INCIDENT), applied(agreement=NETWORK_OLA), prioritised(0), escalated(5))
    servers = AgreementId("servers-ola")
    alternative = supposing(100, name=servers, party=Party.GROUP, terms=changed(GOLD_TERMS, group=SERVERS))

    never = compared(alternative, *events, resolved(200), terms_of=terms_of)
    at_last = compared(alternative, *events, escalated(50, SERVERS), resolved(200), terms_of=terms_of)

    assert {each.agreement for each in never.targets} == {NETWORK_OLA}
    assert never.would_be_agreed
    assert of(RESOLVE, at_last, servers).change is Change.WOULD_BREACH
    same_group = supposing(100, name=servers, party=Party.GROUP, terms=changed(GOLD_TERMS, group=NETWORK))
    beside = compared(same_group, *events, resolved(200), terms_of=terms_of)
    assert {each.agreement for each in beside.targets} == {NETWORK_OLA}


def test_what_was_registered_before_it_would_have_held_keeps_what_it_had() -> None:
    """As an agreement holds for what is registered since an instant, so does one that is supposed."""
    later = supposing(480, holds_from=START + timedelta(microseconds=1))

    assert of(RESOLVE, compared(later, *BEGUN, resolved(300))).change is Change.BREACHED_ANYWAY
    assert compared(later, *NOTHING_AGREED, resolved(300)).targets == ()


def test_all_recorded_versions_give_way_to_the_one_supposed() -> None:
    """An incident that was moved, or recounted, would have run under the alternative all the time."""
    strict = changed(GOLD_TERMS, targets=(target(RESOLVE, 30),))
    terms_of = known(
        gold_1=(Party.CUSTOMER, GOLD_TERMS), gold_2=(Party.CUSTOMER, strict), gold_3=(Party.CUSTOMER, strict)
    )
    events = (*BEGUN, moved(10, 2), recounted(20, 3), resolved(200))

    found = of(RESOLVE, compared(supposing(240), *events, terms_of=terms_of))

    assert (found.change, found.would_be.used) == (Change.SAVED, timedelta(minutes=200))


def test_pauses_follow_the_terms_supposed() -> None:
    """A wait for the customer stops the clock only where that is agreed."""
    unforgiving = changed(GOLD_TERMS, pauses=())
    events = (*BEGUN, held(10), resumed(110), resolved(300))

    paused = of(RESOLVE, compared(supposing(240), *events))
    counted = of(RESOLVE, compared(supposing(240, terms=unforgiving), *events))
    other = changed(GOLD_TERMS, pauses=(PauseRule(kind=RESOLVE, reasons=(HoldReason.CHANGE,)),))

    assert (paused.change, paused.would_be.used) == (Change.MET_ANYWAY, timedelta(minutes=200))
    assert (counted.change, counted.would_be.used) == (Change.NEWLY_BREACHED, timedelta(minutes=300))
    assert of(RESOLVE, compared(supposing(240, terms=other), *events)).change is Change.NEWLY_BREACHED


def test_other_hours_count_for_recorded_agreements_too() -> None:
    """The office closes eight hours after the start, and opens again sixteen hours later."""
    overnight = 20 * 60
    strict = supposing(9 * 60)

    recorded_one = of(RESOLVE, compared(Alternative(hours=OFFICE), *BEGUN, resolved(overnight)))
    supposed = of(RESOLVE, compared(changed(strict, hours=OFFICE), *BEGUN, resolved(overnight)))

    assert recorded_one.would_be.used == supposed.would_be.used == timedelta(hours=8)
    assert (recorded_one.change, supposed.change) == (Change.BREACHED_ANYWAY, Change.SAVED)


MATRIX: Final = {**PRIORITY_MATRIX, (Impact.MEDIUM, Urgency.HIGH): Priority.MODERATE}


@pytest.mark.clause("P2.1")
def test_priorities_follow_from_another_matrix() -> None:
    """Medium impact and high urgency made priority 2 with 240 minutes; a 3 has 480."""
    found = compared(Alternative(matrix=MATRIX), *BEGUN, resolved(300))

    assert of(RESOLVE, found).change is Change.SAVED
    assert of(RESOLVE, found).priority is Priority.HIGH
    assert of(RESOLVE, found).would_be.target == timedelta(minutes=480)


@pytest.mark.clause("P2.1")
def test_a_priority_that_was_set_by_hand_stays() -> None:
    """An override is a judgement, which no matrix makes anew."""
    by_hand = prioritised(0)
    assert isinstance(by_hand, Prioritised)
    events = (registered(INCIDENT), applied(), changed(by_hand, override_reason="The board asked"))

    found = compared(Alternative(matrix=MATRIX), *events, resolved(300))

    assert of(RESOLVE, found).change is Change.BREACHED_ANYWAY


def test_a_breach_stays_one_when_a_longer_target_comes() -> None:
    """It is counted as the watch would have recorded it."""
    events = (*BEGUN, prioritised(300, P3), resolved(310))

    found = of(RESOLVE, compared(Alternative(), *events))

    assert (found.was.standing, found.was.target) == (TargetStanding.BREACHED, timedelta(minutes=480))


@pytest.mark.clause("P3.3")
def test_one_late_update_is_a_breach() -> None:
    """Each update begins a cycle; the one that used most is shown, with the first breach of all."""
    events = (*BEGUN, progress(20), progress(85), progress(165), progress(170), resolved(175))

    found = of(UPDATE, compared(Alternative(), *events))

    assert found.change is Change.BREACHED_ANYWAY
    assert (found.was.used, found.was.breached_at) == (timedelta(minutes=80), at(80))


@given(journal=histories())
def test_what_really_held_makes_no_difference(journal: list[Recorded]) -> None:
    """Under no alternative, or the agreement that an incident ran under, everything stays as it was."""
    for incident in {each.stream for each in journal if each.stream.startswith("INC-")}:
        history = [each for each in journal if each.stream == incident]
        now = max(each.occurred_at for each in history)
        names: dict[AgreementId, set[int]] = {}
        for each in history:
            if isinstance(each.event, AgreementApplied | AgreementMoved | HoursRecounted):
                names.setdefault(each.event.agreement, set()).add(each.event.version)
        really = {
            name: OtherAgreement(
                party=any_terms(name, min(versions))[0],
                holds_from=history[0].occurred_at,
                terms=any_terms(name, min(versions))[1],
            )
            for name, versions in names.items()
            if len(versions) == 1
        }
        for alternative in (Alternative(), Alternative(agreements=really)):
            found = WhatIf(alternative, any_terms).compare(IncidentId(incident), history, now)
            assert all(each.was == each.would_be for each in found.targets)
            assert found.agreed == found.would_be_agreed == bool(names)


@given(journal=histories())
def test_what_the_watch_recorded_moves_nothing(journal: list[Recorded]) -> None:
    """Warnings and breaches that are in the journal, or are not, give the same comparison."""
    watched = (TargetWarned, TargetBreached)
    for incident in {each.stream for each in journal if each.stream.startswith("INC-")}:
        history = [each for each in journal if each.stream == incident]
        unwatched = [each for each in history if not isinstance(each.event, watched)]
        now = max(each.occurred_at for each in history)
        compare = WhatIf(Alternative(hours=ALWAYS), any_terms).compare

        assert compare(IncidentId(incident), history, now) == compare(IncidentId(incident), unwatched, now)


def test_every_pair_of_standings_has_a_name() -> None:
    """None is left out, but that nothing is agreed in either case."""
    pairs = [(was, would_be) for was in TargetStanding for would_be in TargetStanding]

    assert {change_of(*pair) for pair in pairs} == {*Change, None}
    assert [pair for pair in pairs if change_of(*pair) is None] == [
        (TargetStanding.UNAGREED, TargetStanding.UNAGREED)
    ]


def counted(*found: IncidentChange) -> WhatIfReport:
    return report(found, since=START, until=at(1000), now=at(10_000), position=7)


def test_totals_are_by_target_priority_and_group() -> None:
    """Every target is counted once in each; an incident is breached as soon as one of its targets is."""
    alternative = supposing(100)
    at_desk = compared(alternative, *NOTHING_AGREED, resolved(50))
    late = compared(alternative, *NOTHING_AGREED, escalated(10), resolved(150))
    later = compared(alternative, *NOTHING_AGREED, escalated(10), resolved(170))
    beyond = compared(alternative, registered(INCIDENT), prioritised(0, P3), resolved(9))

    found = counted(at_desk, late, later, beyond)

    assert (found.incidents, found.agreed, found.would_be_agreed) == (4, 0, 4)
    assert {change: n for change, n in found.changes.items() if n} == {
        Change.WOULD_MEET: 1,
        Change.WOULD_BREACH: 2,
    }
    [by_target] = found.by_target
    assert (by_target.targets[Change.WOULD_MEET], by_target.targets[Change.WOULD_BREACH]) == (1, 2)
    [by_priority] = found.by_priority
    assert isinstance(by_priority, CountedByPriority)
    assert (by_priority.priority, by_priority.targets) == (Priority.HIGH, by_target.targets)
    network, desk = found.by_group
    assert isinstance(network, CountedByGroup)
    assert (network.group, network.targets[Change.WOULD_BREACH]) == (NETWORK, 2)
    assert (desk.group, desk.targets[Change.WOULD_MEET]) == (None, 1)
    assert [each.would_be.used for each in found.told] == [timedelta(minutes=170), timedelta(minutes=150)]


def test_one_breach_makes_an_incident_breached() -> None:
    """The incident was late in one of its targets and would be in none."""
    events = (*BEGUN, escalated(1), acknowledged(10), progress(50), resolved(300))
    generous = changed(
        GOLD_TERMS, targets=(target(ACKNOWLEDGE, 15), target(UPDATE, 600), target(RESOLVE, 480))
    )
    alternative = Alternative(
        agreements={GOLD: OtherAgreement(party=Party.CUSTOMER, holds_from=START, terms=generous)}
    )

    found = compared(alternative, *events)

    assert of(ACKNOWLEDGE, found).change is Change.MET_ANYWAY
    assert found.change is Change.SAVED
    assert [each.kind for each in counted(found).told] == [UPDATE, RESOLVE]


def test_an_incident_is_met_once_all_its_targets_are() -> None:
    """What was acknowledged in time and still runs towards its resolution may still be breached."""
    found = compared(Alternative(), *BEGUN, escalated(1), acknowledged(10), now=50)

    assert of(ACKNOWLEDGE, found).change is Change.MET_ANYWAY
    assert found.change is Change.STILL_RUNNING


def test_what_is_told_comes_by_change_priority_and_excess() -> None:
    """What would be saved comes first, then what would be breached; in each the most urgent first."""
    p3 = changed(GOLD_TERMS, targets=(target(RESOLVE, 100), target(RESOLVE, 100, P3)))
    strict = Alternative(agreements={GOLD: OtherAgreement(party=Party.CUSTOMER, holds_from=START, terms=p3)})
    moderate = (registered(INCIDENT), applied(), prioritised(0, P3))

    found = counted(
        compared(strict, registered(INCIDENT), prioritised(0), resolved(110)),
        compared(strict, *moderate, resolved(230)),
        compared(strict, *BEGUN, resolved(120)),
        compared(strict, *BEGUN, resolved(130)),
        compared(supposing(480), *BEGUN, resolved(300)),
    )

    assert [(each.change, each.priority, each.would_be.used) for each in found.told] == [
        (Change.SAVED, Priority.HIGH, timedelta(minutes=300)),
        (Change.NEWLY_BREACHED, Priority.HIGH, timedelta(minutes=130)),
        (Change.NEWLY_BREACHED, Priority.HIGH, timedelta(minutes=120)),
        (Change.NEWLY_BREACHED, Priority.MODERATE, timedelta(minutes=230)),
        (Change.WOULD_BREACH, Priority.HIGH, timedelta(minutes=110)),
    ]
