"""The clock view: what an incident's history makes of every agreement that runs on it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, get_args

import pytest
from attrs import evolve as changed
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from incident_domain.envelope import Recorded
from incident_domain.events import (
    AnalysisRecorded,
    Closed,
    HoldReason,
    Holiday,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentId,
    Party,
    PauseRule,
    SameAsUndone,
    TargetBreached,
    TargetKind,
    TargetWarned,
    Terms,
)
from incident_domain.service_clock import ClockState
from incident_projections.clock_facts import CLOCK_EVENTS, ClockEvent, read_facts
from incident_projections.clocks import TermsOf, Turn, timers_of_facts
from incident_projections.engine import Projections
from incident_projections.sla_readers import Outcome, SlaTimer, breached, due_within, timers_of, to_watch
from incident_projections.sla_timers import SlaTimerRow, fold_sla_timers, sla_timers, timer_row
from tests.agreements import (
    GOLD,
    GOLD_TERMS,
    NETWORK,
    NETWORK_OLA,
    OFFICE,
    P3,
    SERVERS,
    UPSTREAM,
    acknowledged,
    any_terms,
    applied,
    cancelled,
    escalated,
    held,
    known,
    member,
    moved,
    notified,
    prioritised,
    progress,
    recounted,
    rejected,
    reopened,
    resolved,
    resumed,
    target,
    told,
)
from tests.histories import (
    DESK,
    MANAGER,
    START,
    ListSource,
    at,
    example,
    histories,
    recorded,
    registered,
    rows_of,
    shown,
)

ACKNOWLEDGE, UPDATE, RESOLVE = TargetKind.ACKNOWLEDGE, TargetKind.UPDATE, TargetKind.RESOLVE
INCIDENT: Final = IncidentId("INC-1")
GOLD_ONLY: Final = known(gold_1=(Party.CUSTOMER, GOLD_TERMS))
BEGUN: Final[tuple[IncidentEvent, ...]] = (registered(INCIDENT), applied(), prioritised(0))


def clocks(
    *events: IncidentEvent, now: float, terms_of: TermsOf = GOLD_ONLY
) -> dict[tuple[TargetKind, int], SlaTimer]:
    """The clocks of an incident with these events, by kind and cycle, so many minutes after the start."""
    with shown([sla_timers(terms_of)], *told(INCIDENT, *events)) as connection:
        found = timers_of(connection, INCIDENT, terms_of=terms_of, now=at(now))
    return {(each.kind, each.cycle): each for each in found}


def minutes(span: timedelta | None) -> float | None:
    return None if span is None else span / timedelta(minutes=1)


def test_an_incident_without_an_agreement_has_no_clocks() -> None:
    """That no agreement applies is a state, not a very long target."""
    assert clocks(registered(INCIDENT), prioritised(1), resolved(600_000), now=700_000) == {}


@pytest.mark.clause("P3.2")
def test_the_acknowledgement_stops_the_response_clock_only() -> None:
    """From registration to acknowledgement the response clock runs; the others go on after it."""
    found = clocks(*BEGUN, escalated(5), acknowledged(12), now=100)

    response, resolution = found[ACKNOWLEDGE, 1], found[RESOLVE, 1]
    assert (response.state, minutes(response.elapsed)) == (ClockState.STOPPED, 12)
    assert (response.outcome, minutes(response.remaining)) == (Outcome.MET, 3)
    assert (resolution.state, minutes(resolution.elapsed)) == (ClockState.RUNNING, 100)
    assert resolution.due_at == at(240)


@pytest.mark.clause("P3.2")
def test_an_acknowledgement_in_the_very_second_is_in_time_and_later_is_not() -> None:
    """Stopping exactly when due is in time; a microsecond later it was breached, from the due time on."""
    in_time = clocks(*BEGUN, escalated(5), acknowledged(15), now=100)[ACKNOWLEDGE, 1]
    late = acknowledged(15)
    late = changed(late, occurred_at=late.occurred_at + timedelta(microseconds=1))
    too_late = clocks(*BEGUN, escalated(5), late, now=100)[ACKNOWLEDGE, 1]

    assert (in_time.outcome, in_time.first_breached_at) == (Outcome.MET, None)
    assert (too_late.outcome, too_late.first_breached_at) == (Outcome.BREACHED, at(15))


def test_a_second_acknowledgement_changes_nothing() -> None:
    """The first one answered the customer; another group's is its own affair."""
    found = clocks(*BEGUN, escalated(5), acknowledged(12), escalated(20, SERVERS), acknowledged(50), now=60)

    assert minutes(found[ACKNOWLEDGE, 1].elapsed) == 12


def test_a_reopening_does_not_ask_for_another_acknowledgement() -> None:
    """What was resolved at once was answered; the response clock is not run again."""
    found = clocks(*BEGUN, resolved(10), reopened(100), now=200)

    assert (found[ACKNOWLEDGE, 1].state, minutes(found[ACKNOWLEDGE, 1].elapsed)) == (ClockState.STOPPED, 10)


@pytest.mark.clause("P3.3")
def test_every_report_begins_a_new_cycle_and_the_old_one_stays_known() -> None:
    """An update that came late is late forever; the next has its whole time."""
    found = clocks(*BEGUN, progress(50), notified(120), now=130)

    assert [(cycle, each.outcome) for (kind, cycle), each in found.items() if kind is UPDATE] == [
        (1, Outcome.MET),
        (2, Outcome.BREACHED),
        (3, None),
    ]
    assert found[UPDATE, 2].first_breached_at == at(110)
    assert found[UPDATE, 3].due_at == at(180)
    assert [each.name for each in found[UPDATE, 3].why] == ["incident.customer_notified.v1"]


@pytest.mark.clause("P3.3")
def test_no_update_is_owed_for_what_is_resolved() -> None:
    """The clock of updates stops at the resolution, takes no news, and goes on after a reopening."""
    found = clocks(*BEGUN, progress(10), resolved(30), notified(40), reopened(500), now=510)

    assert found[UPDATE, 2].state is ClockState.RUNNING
    assert minutes(found[UPDATE, 2].elapsed) == 30
    assert (UPDATE, 3) not in found


@pytest.mark.clause("X1")
def test_a_wait_pauses_the_clocks_that_the_terms_pause_for_it() -> None:
    """Waiting for the customer stops the time to resolve, not the time to update."""
    paused = clocks(*BEGUN, held(60), now=200)
    going_on = clocks(*BEGUN, held(60), resumed(160), now=200)

    assert (paused[RESOLVE, 1].state, minutes(paused[RESOLVE, 1].elapsed)) == (ClockState.PAUSED, 60)
    assert paused[RESOLVE, 1].due_at is None
    assert paused[RESOLVE, 1].outcome is None
    assert paused[UPDATE, 1].state is ClockState.RUNNING
    assert going_on[RESOLVE, 1].due_at == at(340)
    assert {each.turn: each.sentence for each in going_on[RESOLVE, 1].why} == {
        Turn.STARTED: "The incident was registered.",
        Turn.MOVED: "The priority became 2.",
        Turn.PAUSED: "The incident waits for: customer.",
        Turn.RESUMED: "The wait is over.",
    }


@pytest.mark.clause("X1")
def test_a_wait_for_another_reason_pauses_nothing() -> None:
    """A reason that the terms do not name lets every clock run."""
    found = clocks(*BEGUN, held(60, HoldReason.CHANGE), now=200)

    assert found[RESOLVE, 1].state is ClockState.RUNNING


@pytest.mark.clause("X1")
def test_a_wait_whose_reason_changes_resumes_or_pauses() -> None:
    """From the customer to a change: from then on the time counts again."""
    found = clocks(*BEGUN, held(60), held(100, HoldReason.CHANGE), now=200)

    assert found[RESOLVE, 1].due_at == at(280)


@pytest.mark.clause("X1")
def test_a_pause_by_its_own_rule_stops_the_response_clock_but_never_satisfies_it() -> None:
    """Paused until the end of days, the response still stands out."""
    terms = changed(GOLD_TERMS, pauses=(PauseRule(kind=ACKNOWLEDGE, reasons=(HoldReason.CUSTOMER,)),))
    found = clocks(*BEGUN, held(10), now=90_000, terms_of=known(gold_1=(Party.CUSTOMER, terms)))

    assert (found[ACKNOWLEDGE, 1].state, found[ACKNOWLEDGE, 1].outcome) == (ClockState.PAUSED, None)
    assert minutes(found[ACKNOWLEDGE, 1].remaining) == 5


@pytest.mark.clause("P3.7")
def test_a_new_priority_keeps_the_time_already_used() -> None:
    """Raised or lowered, the clock is measured against the new target with what it has used."""
    lowered = clocks(*BEGUN, prioritised(100, P3), now=120)
    raised = clocks(registered(INCIDENT), applied(), prioritised(0, P3), prioritised(300), now=301)

    assert lowered[RESOLVE, 1].due_at == at(480)
    assert minutes(lowered[RESOLVE, 1].elapsed) == 120
    assert (raised[RESOLVE, 1].breached, raised[RESOLVE, 1].first_breached_at) == (True, at(300))


@pytest.mark.clause("P3.7")
def test_without_a_priority_time_counts_and_nothing_is_due() -> None:
    """No target is agreed yet: no due time, no breach; the priority then finds the time used."""
    found = clocks(registered(INCIDENT), applied(), now=1000)
    later = clocks(registered(INCIDENT), applied(), prioritised(30), now=31)

    assert (found[RESOLVE, 1].due_at, found[RESOLVE, 1].remaining) == (None, None)
    assert minutes(found[RESOLVE, 1].elapsed) == 1000
    assert not found[RESOLVE, 1].breached
    assert later[ACKNOWLEDGE, 1].first_breached_at == at(30)
    assert later[RESOLVE, 1].due_at == at(240)


@pytest.mark.clause("P3.7")
def test_services_that_become_known_choose_the_target() -> None:
    """A target for a service concerned goes before the one for every service."""
    terms = changed(GOLD_TERMS, targets=(*GOLD_TERMS.targets, target(RESOLVE, 100, service="payroll")))
    analysed = changed(example(AnalysisRecorded), occurred_at=at(10), services=("payroll",))
    found = clocks(*BEGUN, analysed, now=20, terms_of=known(gold_1=(Party.CUSTOMER, terms)))

    assert found[RESOLVE, 1].due_at == at(100)
    assert found[RESOLVE, 1].why[-1].sentence == "The affected services became known."


@pytest.mark.clause("P3.7")
def test_another_version_counts_by_its_own_hours_from_then_on() -> None:
    """Moved to office hours at 16:00 with 3 of 4 hours used: the last hour is the first of Tuesday."""
    terms_of = known(
        gold_1=(Party.CUSTOMER, GOLD_TERMS), gold_2=(Party.CUSTOMER, changed(GOLD_TERMS, hours=OFFICE))
    )
    found = clocks(*BEGUN, held(180), resumed(420), moved(480, 2), now=490, terms_of=terms_of)

    assert minutes(found[RESOLVE, 1].elapsed) == 240
    assert found[RESOLVE, 1].due_at == at(480)
    assert not found[RESOLVE, 1].breached
    assert found[RESOLVE, 1].version == 2


@pytest.mark.clause("P3.7")
def test_a_corrected_holiday_is_counted_from_the_start() -> None:
    """With the forgotten holiday nothing of Monday counts, and the breach was none."""
    office = changed(GOLD_TERMS, hours=OFFICE)
    forgotten = changed(OFFICE, holidays=(Holiday(date=date(2026, 3, 2), name="Fiesta", source="BOE"),))
    terms_of = known(
        gold_1=(Party.CUSTOMER, office), gold_2=(Party.CUSTOMER, changed(office, hours=forgotten))
    )
    before = clocks(*BEGUN, now=400, terms_of=terms_of)[RESOLVE, 1]
    after = clocks(*BEGUN, recounted(400, 2), now=400, terms_of=terms_of)[RESOLVE, 1]

    assert (before.breached, before.first_breached_at) == (True, at(240))
    assert (after.breached, after.first_breached_at, minutes(after.elapsed)) == (False, None, 0)
    assert after.due_at == START + timedelta(days=1, hours=4)
    assert after.why[-1].name == "incident.hours_recounted.v1"


def test_a_correction_puts_a_frozen_outcome_right() -> None:
    """The resolution stood as late only since a holiday was forgotten."""
    office = changed(GOLD_TERMS, hours=OFFICE)
    forgotten = changed(OFFICE, holidays=(Holiday(date=date(2026, 3, 2), name="Fiesta", source="BOE"),))
    terms_of = known(
        gold_1=(Party.CUSTOMER, office), gold_2=(Party.CUSTOMER, changed(office, hours=forgotten))
    )

    late = clocks(*BEGUN, resolved(300), now=400, terms_of=terms_of)
    corrected = clocks(*BEGUN, resolved(300), recounted(400, 2), now=400, terms_of=terms_of)

    assert late[RESOLVE, 1].outcome is Outcome.BREACHED
    assert corrected[RESOLVE, 1].outcome is Outcome.MET


@pytest.mark.clause("P5.1")
def test_a_rejected_resolution_resumes_the_clock() -> None:
    """The time between resolution and reopening does not count, and what was used before it does."""
    found = clocks(*BEGUN, resolved(200), reopened(1000), now=1030)

    assert minutes(found[RESOLVE, 1].elapsed) == 230
    assert found[RESOLVE, 1].due_at == at(1040)
    assert {each.turn for each in found[RESOLVE, 1].why} >= {Turn.STOPPED, Turn.RESUMED}


def test_a_priority_given_after_the_resolution_counts_from_the_reopening() -> None:
    """The outcome is frozen; reopened, the clock runs against the new target."""
    frozen = clocks(*BEGUN, resolved(300), prioritised(310, P3), now=400)
    reopened_again = clocks(*BEGUN, resolved(300), prioritised(310, P3), reopened(400), now=400)

    assert frozen[RESOLVE, 1].outcome is Outcome.BREACHED
    assert reopened_again[RESOLVE, 1].due_at == at(580)
    assert not reopened_again[RESOLVE, 1].breached
    assert reopened_again[RESOLVE, 1].first_breached_at == at(240)


@pytest.mark.clause("X4")
def test_a_cancelled_incident_stops_every_clock() -> None:
    """Registered in error: nothing is owed any more."""
    found = clocks(*BEGUN, cancelled(10), now=5000)

    assert {each.state for each in found.values()} == {ClockState.STOPPED}
    assert {minutes(each.elapsed) for each in found.values()} == {10}


@pytest.mark.clause("X6")
def test_the_same_as_another_stops_and_undone_it_goes_on() -> None:
    """While another record carries on for both, its own clocks stand still."""
    same = IdentifiedAsSame(by=MANAGER, occurred_at=at(10), existing=IncidentId("INC-2"), reason="Same")
    undone = SameAsUndone(by=MANAGER, occurred_at=at(100), existing=IncidentId("INC-2"), reason="Not")
    found = clocks(*BEGUN, same, undone, now=105)

    assert {minutes(each.elapsed) for each in found.values()} == {15}
    assert found[ACKNOWLEDGE, 1].state is ClockState.RUNNING


@pytest.mark.clause("X6")
def test_undone_after_a_resolution_nothing_runs() -> None:
    """It goes back to waiting for its closure, where every clock stands."""
    same = IdentifiedAsSame(by=MANAGER, occurred_at=at(20), existing=IncidentId("INC-2"), reason="Same")
    undone = SameAsUndone(by=MANAGER, occurred_at=at(100), existing=IncidentId("INC-2"), reason="Not")
    found = clocks(*BEGUN, resolved(10), same, undone, now=105)

    assert {each.state for each in found.values()} == {ClockState.STOPPED}


def test_an_agreement_applied_late_finds_all_that_came_before() -> None:
    """The customer's clocks run from the registration, with the pauses and the answer since."""
    found = clocks(
        registered(INCIDENT),
        prioritised(1),
        escalated(2),
        acknowledged(9),
        held(20),
        resumed(50),
        applied(60),
        now=60,
    )

    assert minutes(found[ACKNOWLEDGE, 1].elapsed) == 9
    assert minutes(found[RESOLVE, 1].elapsed) == 30
    assert found[RESOLVE, 1].why[0].name == "incident.registered.v2"


OLA_TERMS: Final = Terms(
    hours=GOLD_TERMS.hours,
    targets=(target(ACKNOWLEDGE, 30), target(RESOLVE, 120)),
    group=NETWORK,
)
OLA: Final = known(network_ola_1=(Party.GROUP, OLA_TERMS))
IN_GROUP: Final[tuple[IncidentEvent, ...]] = (registered(INCIDENT), prioritised(0), applied(0, NETWORK_OLA))


def test_a_groups_clocks_run_while_it_holds_the_incident() -> None:
    """Before the hand-off, and after it was handed on, the group's time is not used."""
    waiting = clocks(*IN_GROUP, now=100, terms_of=OLA)
    handed_on = clocks(
        *IN_GROUP, escalated(100), acknowledged(110), escalated(150, SERVERS), now=900, terms_of=OLA
    )

    assert {each.state for each in waiting.values()} == {ClockState.WAITING}
    assert minutes(handed_on[ACKNOWLEDGE, 1].elapsed) == 10
    assert (handed_on[RESOLVE, 1].state, minutes(handed_on[RESOLVE, 1].elapsed)) == (ClockState.STOPPED, 50)


@pytest.mark.clause("X3")
def test_bouncing_never_buys_time() -> None:
    """Rejected and handed over again, a group's clocks go on from where they were."""
    found = clocks(*IN_GROUP, escalated(0), rejected(25), escalated(100), now=110, terms_of=OLA)

    assert minutes(found[ACKNOWLEDGE, 1].elapsed) == 35
    assert found[ACKNOWLEDGE, 1].first_breached_at == at(105)
    assert found[RESOLVE, 1].due_at == at(195)


@pytest.mark.clause("X3")
def test_a_hand_off_given_back_runs_the_first_groups_clock_again() -> None:
    """The group that handed it over holds it again, as acknowledged as it was."""
    found = clocks(
        *IN_GROUP,
        escalated(0),
        acknowledged(10),
        escalated(60, SERVERS, member()),
        rejected(90, SERVERS, NETWORK),
        now=100,
        terms_of=OLA,
    )

    assert found[RESOLVE, 1].state is ClockState.RUNNING
    assert minutes(found[RESOLVE, 1].elapsed) == 70
    assert found[ACKNOWLEDGE, 1].state is ClockState.STOPPED


def test_a_suppliers_time_to_resolve_runs_while_the_incident_waits_for_them() -> None:
    """Called in at 100; from 120 to 150 and from 200 on it waits for the supplier."""
    terms = Terms(hours=GOLD_TERMS.hours, targets=(target(ACKNOWLEDGE, 60), target(RESOLVE, 120)))
    found = clocks(
        registered(INCIDENT),
        prioritised(0),
        held(10, HoldReason.SUPPLIER),
        resumed(30),
        applied(100, UPSTREAM),
        held(120, HoldReason.SUPPLIER),
        resumed(150),
        held(160),
        resumed(200),
        held(200, HoldReason.SUPPLIER),
        now=210,
        terms_of=known(upstream_1=(Party.SUPPLIER, terms)),
    )

    assert minutes(found[RESOLVE, 1].elapsed) == 40
    assert found[RESOLVE, 1].due_at == at(290)
    assert minutes(found[ACKNOWLEDGE, 1].elapsed) == 110


def test_several_agreements_run_side_by_side() -> None:
    """The customer's clock and the group's clock of one incident know nothing of each other."""
    terms_of = known(gold_1=(Party.CUSTOMER, GOLD_TERMS), network_ola_1=(Party.GROUP, OLA_TERMS))
    story = told(INCIDENT, *BEGUN, applied(0, NETWORK_OLA), escalated(30), resolved(100))
    with shown([sla_timers(terms_of)], *story) as connection:
        found = timers_of(connection, INCIDENT, terms_of=terms_of, now=at(200))

    used = {each.agreement: minutes(each.elapsed) for each in found if each.kind is RESOLVE}
    assert used == {GOLD: 100, NETWORK_OLA: 70}


def test_what_is_stamped_before_its_predecessor_takes_no_time_back() -> None:
    """An event recorded later but dated earlier is taken at its predecessor's instant."""
    found = clocks(*BEGUN, held(60), resumed(50), resolved(40), now=100)

    assert minutes(found[RESOLVE, 1].elapsed) == 60


def test_a_hair_short_of_the_target_is_not_breached() -> None:
    """Used 99.9999 percent and more is still in time; nothing is rounded."""
    late = changed(resolved(240), occurred_at=at(240) - timedelta(microseconds=1))

    assert clocks(*BEGUN, late, now=300)[RESOLVE, 1].outcome is Outcome.MET


# What falls due


def test_the_next_hour_lists_what_runs_out_in_it() -> None:
    """In the order of falling due, only what runs, narrowed by what is asked."""
    story = [
        *told("INC-1", *BEGUN),
        *told("INC-2", registered("INC-2", 20), applied(20), prioritised(20), held(50)),
        *told("INC-3", registered("INC-3", 30), applied(30), prioritised(30), resolved(40)),
    ]
    with shown([sla_timers(GOLD_ONLY)], *story) as connection:
        found = due_within(connection, terms_of=GOLD_ONLY, now=at(60), until=at(120))
        resolving = due_within(connection, terms_of=GOLD_ONLY, now=at(200), until=at(260), kind=RESOLVE)
        others = due_within(
            connection, terms_of=GOLD_ONLY, now=at(0), until=at(900), agreement=UPSTREAM, party=Party.GROUP
        )

    assert [(each.incident, each.kind, each.due_at) for each in found] == [
        ("INC-1", UPDATE, at(60)),
        ("INC-2", UPDATE, at(80)),
    ]
    assert [(each.incident, minutes(each.remaining)) for each in resolving] == [("INC-1", 40)]
    assert others == ()


def test_what_is_breached_is_not_what_is_merely_due() -> None:
    """Due at closing time, a clock is breached only when working time goes on."""
    office = known(gold_1=(Party.CUSTOMER, changed(GOLD_TERMS, hours=OFFICE)))
    story = told("INC-1", registered("INC-1", 240), applied(240), prioritised(240), acknowledged(241))
    story += told("INC-1", progress(250), held(300, HoldReason.CHANGE))
    with shown([sla_timers(office)], *story) as connection:
        at_closing = breached(connection, terms_of=office, now=at(600), kind=RESOLVE)
        next_day = breached(connection, terms_of=office, now=at(1440.5), kind=RESOLVE)

    assert at_closing == ()
    assert [(each.incident, each.first_breached_at) for each in next_day] == [("INC-1", at(1440))]


def warned(minutes: float, kind: TargetKind, percent: int, cycle: int = 1) -> TargetWarned:
    return TargetWarned(
        by=DESK,
        occurred_at=at(minutes),
        agreement=GOLD,
        kind=kind,
        cycle=cycle,
        percent=percent,
        due_at=at(minutes),
    )


def breach(minutes: float, kind: TargetKind, cycle: int = 1) -> TargetBreached:
    return TargetBreached(
        by=DESK, occurred_at=at(minutes), agreement=GOLD, kind=kind, cycle=cycle, due_at=at(minutes)
    )


def watched(*events: IncidentEvent, now: float = 10_000) -> list[float]:
    """The minutes at which the watch has something to record."""
    with shown([sla_timers(GOLD_ONLY)], *told(INCIDENT, *events)) as connection:
        found = to_watch(connection, now=at(now))
    return [(each - to_start()) / 60_000_000 for each, _ in found]


def to_start() -> int:
    return int(START.timestamp()) * 1_000_000


def test_the_watch_is_due_at_every_warning_and_breach_once() -> None:
    """What is recorded is not due again; the next is the earliest of what is left."""
    answered: tuple[IncidentEvent, ...] = (
        *BEGUN,
        acknowledged(1),
        progress(1),
        progress(20),
        progress(40),
        resolved(60),
    )
    at_length: tuple[IncidentEvent, ...] = (
        *BEGUN,
        acknowledged(1),
        *(progress(each) for each in range(20, 240, 20)),
        resolved(239),
    )

    assert watched(*answered) == []
    assert watched(*at_length) == [120]
    assert watched(*at_length, warned(120, RESOLVE, 50)) == [192]
    assert watched(*at_length, warned(120, RESOLVE, 50), warned(192, RESOLVE, 80)) == []
    assert watched(*at_length, now=120) == []


def test_a_warning_no_sooner_than_the_breach_is_none() -> None:
    """The priority came when all was used up already: the breach is recorded, and no warning of it."""
    assert watched(registered(INCIDENT), applied(), prioritised(500), resolved(500)) == [500, 500, 500]
    all_three = (breach(500, ACKNOWLEDGE), breach(500, UPDATE), breach(500, RESOLVE))
    assert watched(registered(INCIDENT), applied(), prioritised(500), resolved(500), *all_three) == []


def test_a_breach_before_a_stop_is_still_to_be_recorded() -> None:
    """Ended, acknowledged late and told late: what nobody watched is found afterwards, also in old cycles."""
    assert watched(*BEGUN, warned(7.5, ACKNOWLEDGE, 50), warned(12, ACKNOWLEDGE, 80), cancelled(20)) == [15]
    closed = changed(example(Closed), occurred_at=at(500))
    marks = [warned(m, k, p) for m, k, p in ((30, UPDATE, 50), (48, UPDATE, 80))]
    acked: tuple[IncidentEvent, ...] = (*BEGUN, acknowledged(1), *marks, progress(90), resolved(91), closed)
    assert watched(*acked) == [60]
    assert watched(*acked, breach(60, UPDATE)) == []


def _rows(journal: list[Recorded], cuts: list[tuple[int, int]]) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    views = [sla_timers(any_terms)]
    Projections(engine, ListSource(journal=journal, cuts=cuts), views).catch_up()
    rows = rows_of(engine, views)
    engine.dispose()
    return rows


@given(
    journal=histories(),
    cuts=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), min_size=1, max_size=8),
)
def test_any_cut_with_redelivery_makes_the_same_clocks(
    journal: list[Recorded], cuts: list[tuple[int, int]]
) -> None:
    """However the history is cut into batches, and whatever is delivered again, the rows are the same."""
    assert _rows(journal, cuts) == _rows(journal, [])


SEVERAL: Final = known(
    gold_1=(Party.CUSTOMER, GOLD_TERMS),
    gold_2=(Party.CUSTOMER, changed(GOLD_TERMS, hours=OFFICE, warn_at_percent=(70,))),
    gold_3=(Party.CUSTOMER, changed(GOLD_TERMS, targets=(target(RESOLVE, 100),))),
    network_ola_1=(Party.GROUP, OLA_TERMS),
    upstream_1=(Party.SUPPLIER, changed(OLA_TERMS, pauses=GOLD_TERMS.pauses)),
)
_TOLD: Final[tuple[Callable[[float], IncidentEvent], ...]] = (
    prioritised,
    lambda minutes: prioritised(minutes, P3),
    escalated,
    lambda minutes: escalated(minutes, SERVERS, member()),
    rejected,
    acknowledged,
    progress,
    notified,
    held,
    lambda minutes: held(minutes, HoldReason.SUPPLIER),
    resumed,
    resolved,
    reopened,
    lambda minutes: applied(minutes, NETWORK_OLA),
    lambda minutes: applied(minutes, UPSTREAM),
    lambda minutes: moved(minutes, 2),
    lambda minutes: recounted(minutes, 3),
    lambda minutes: warned(minutes, RESOLVE, 50),
    lambda minutes: breach(minutes, UPDATE),
    lambda minutes: breach(minutes, UPDATE, 2),
)


@given(
    steps=st.lists(st.tuples(st.sampled_from(_TOLD), st.integers(-20, 200)), max_size=25),
    terms_of=st.sampled_from([any_terms, SEVERAL]),
)
def test_what_grew_event_by_event_is_what_all_facts_make(
    steps: list[tuple[Callable[[float], IncidentEvent], int]], terms_of: TermsOf
) -> None:
    """Carried along in columns or counted from the first fact, the clocks are the same."""
    now = 0
    events: list[IncidentEvent] = [registered(INCIDENT), applied()]
    for make, later in steps:
        now += later
        events.append(make(now))
    head, *timers = _grown(recorded(*told(INCIDENT, *events)), terms_of)

    counted = timers_of_facts(read_facts(head["facts"] or ""), terms_of)
    shown = [timer_row(INCIDENT, head["registered_at"], each, terms_of) for each in counted if each.agreed]
    assert timers == sorted(shown, key=_key)


def _grown(journal: list[Recorded], terms_of: TermsOf) -> list[SlaTimerRow]:
    rows: tuple[SlaTimerRow, ...] = ()
    for each in journal:
        if isinstance(each.event, ClockEvent):
            rows = fold_sla_timers(rows, each, each.event, terms_of)
    return list(rows)


def _key(row: SlaTimerRow) -> tuple[str, str, int]:
    return row["agreement"], row["kind"], row["cycle"]


def test_every_event_of_an_incident_is_weighed() -> None:
    """The events that no clock looks at are these; a new event has to be put on one of the two sides."""
    silent = {each.__name__ for each in get_args(IncidentEvent)} - {each.__name__ for each in CLOCK_EVENTS}

    assert silent == {
        "AssignedToPerson",
        "ChangeLinked",
        "ChildLinked",
        "ChildUnlinked",
        "Classified",
        "ConfigurationItemsAttached",
        "ConfirmationRequested",
        "CustomerCorrected",
        "CustomerInformed",
        "DeviationRecorded",
        "EffortRecorded",
        "EscalatedHierarchically",
        "FindingsReported",
        "FurtherReportAdded",
        "FurtherReportWithdrawn",
        "InteractionRecorded",
        "JudgedNotMajor",
        "KnowledgeReviewed",
        "LinkedAsChild",
        "MajorDeclared",
        "ManagementInformed",
        "MatchedToKnownError",
        "NoMatchFound",
        "NumberAssigned",
        "ReassessmentAccepted",
        "ReassessmentDeclined",
        "ReassessmentRequested",
        "RecordVerified",
        "RecordedAsNew",
        "ResolutionConfirmed",
        "ResolutionRejected",
        "RootCauseClassified",
        "SatisfactionRecorded",
        "ServiceRestored",
        "SolutionProposed",
        "UnlinkedFromParent",
        "WorkaroundProvided",
    }
