from collections.abc import Iterator
from datetime import timedelta

import pytest
from attrs import evolve as changed
from hypothesis import given
from sqlalchemy import Connection, Engine, create_engine

from incident_domain.actor import GroupId, PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    Acknowledged,
    AnalysisRecorded,
    AssignedToPerson,
    Classified,
    CustomerInformed,
    DomainEvent,
    EscalatedToGroup,
    HandOffRejected,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentId,
    Line,
    MajorDeclared,
    ManagementInformed,
    NumberAssigned,
    Prioritised,
    ProgressReported,
    PutOnHold,
    RecordedAsNew,
    Reopened,
    Resolved,
    SameAsUndone,
)
from incident_domain.incident import (
    AwaitingClosure,
    Ended,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    SameAs,
    Unregistered,
)
from incident_domain.priority import Priority
from incident_projections.engine import Projections, ViewStopped
from incident_projections.queue import QUEUE, Phase
from incident_projections.queue_readers import (
    BadCursor,
    Page,
    closure_queue,
    counts_by_phase,
    group_queue,
    incident_entry,
    review_queue,
)
from incident_projections.sla_timers import sla_timers
from tests.agreements import any_terms
from tests.examples import EXAMPLES, SUPPORT
from tests.histories import ListSource, at, classified, example, histories, recorded, registered, states_of

VIEWS = (sla_timers(any_terms), QUEUE)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Give an empty database in memory."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


def told(engine: Engine, *events: tuple[str, DomainEvent]) -> Connection:
    """Give a connection to the queues after these events."""
    Projections(engine, ListSource(journal=recorded(*events)), VIEWS).catch_up()
    return engine.connect()


def incidents(page: Page) -> list[str]:
    return [entry.incident for entry in page.entries]


def _phase(state: Incident) -> Phase:
    match state:
        case InRegistration():
            return Phase.REGISTRATION
        case InClassification():
            return Phase.CLASSIFICATION
        case InInvestigation():
            return Phase.INVESTIGATION
        case AwaitingClosure():
            return Phase.AWAITING_CLOSURE
        case SameAs():
            return Phase.SAME_AS
        case Ended() | Unregistered():
            raise AssertionError(state)


@given(journal=histories())
def test_the_queue_says_of_every_incident_what_the_domain_says(journal: list[Recorded]) -> None:
    """Whatever the history, the queue's row and the state that decisions are made on agree."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), [QUEUE]).catch_up()
    with engine.connect() as connection:
        for incident, state in states_of(journal).items():
            entry = incident_entry(connection, IncidentId(incident), now=at(0))
            assert entry is not None
            assert not isinstance(state, Unregistered)
            record = state.record
            assert (
                entry.phase is _phase(state)
                if not isinstance(state, Ended)
                else entry.phase.value
                in (
                    "closed",
                    "cancelled",
                )
            )
            assert entry.number == record.intake.number
            assert entry.began_at == record.intake.began_at
            assert (entry.customer, entry.organisation) == (record.basics.person, record.basics.organisation)
            assert (entry.category, entry.subcategory) == (record.triage.category, record.triage.subcategory)
            assert entry.priority == record.triage.priority
            assert entry.parent == record.parent
            assert entry.registered_at == record.registered_at
            held = record.work.assignment
            assert entry.group == (held.group if held else None)
            assert entry.line == (held.line if held else Line.FIRST)
            assert entry.person == (held.person if held else None)
            assert (entry.acknowledged_at is not None) == (held is not None and held.acknowledged)
            assert (entry.hold is None) == (record.work.hold is None)
            assert (entry.reassessment_since is None) == (record.work.reassessment is None)
    engine.dispose()


def test_p1_4_an_entry_stands_in_the_review_queue_from_its_registration_on(engine: Engine) -> None:
    """Oldest first, each with all that step 1 still lacks."""
    connection = told(
        engine,
        ("INC-2", registered("INC-2", 10)),
        ("INC-1", registered("INC-1", 0)),
        ("INC-2", changed(example(NumberAssigned), number=8)),
        ("INC-2", example(AnalysisRecorded)),
    )

    page = review_queue(connection, now=at(60))

    assert incidents(page) == ["INC-1", "INC-2"]
    assert page.entries[0].missing == (
        "no-number",
        "no-analysis",
        "similarity-undecided",
        "gravity-undecided",
    )
    assert page.entries[1].missing == ("similarity-undecided", "gravity-undecided")
    assert [entry.age for entry in page.entries] == [timedelta(minutes=60), timedelta(minutes=50)]


def test_p1_11_a_major_incident_lacks_that_management_and_customer_are_informed(engine: Engine) -> None:
    """The review queue names first what P1.11 wants first."""
    events: list[tuple[str, DomainEvent]] = [
        ("INC-1", registered("INC-1")),
        ("INC-1", example(NumberAssigned)),
        ("INC-1", example(AnalysisRecorded)),
        ("INC-1", example(RecordedAsNew)),
        ("INC-1", example(MajorDeclared)),
    ]
    missing: list[tuple[str, ...]] = []
    for more in ([], [ManagementInformed], [ManagementInformed, CustomerInformed]):
        fresh = create_engine("sqlite://")
        with told(fresh, *events, *(("INC-1", EXAMPLES[kind]) for kind in more)) as connection:
            missing.append(review_queue(connection, now=at(1)).entries[0].missing)
        fresh.dispose()

    assert missing == [("management-not-informed", "customer-not-informed"), ("customer-not-informed",), ()]


def test_p2_5_a_group_sees_major_incidents_first_then_by_priority_then_the_oldest(engine: Engine) -> None:
    """The order of a queue is the order of work."""
    stories = [
        ("INC-low", 0, Priority.LOW),
        ("INC-high-late", 20, Priority.HIGH),
        ("INC-high-early", 10, Priority.HIGH),
        ("INC-major", 30, Priority.LOW),
        ("INC-unprioritised", 5, None),
    ]
    events: list[tuple[str, DomainEvent]] = []
    for incident, minutes, priority in stories:
        events += [(incident, each) for each in classified(incident, minutes)]
        if priority is not None:
            events.append((incident, changed(example(Prioritised), priority=priority)))
    events.append(("INC-major", example(MajorDeclared)))

    connection = told(engine, *events)

    assert incidents(group_queue(connection, now=at(60))) == [
        "INC-major",
        "INC-high-early",
        "INC-high-late",
        "INC-low",
        "INC-unprioritised",
    ]
    high = group_queue(connection, now=at(60), priority=Priority.HIGH)
    assert incidents(high) == ["INC-high-early", "INC-high-late"]


def test_p2_5_the_queue_of_a_priority_has_the_major_incidents_of_it_first(engine: Engine) -> None:
    """Page by page too; a major incident of another priority is not among them."""
    events: list[tuple[str, DomainEvent]] = []
    for n, priority in enumerate((Priority.LOW, Priority.LOW, Priority.HIGH, Priority.LOW, Priority.HIGH)):
        name = f"INC-{n}"
        events += [(name, each) for each in classified(name, n)]
        events.append((name, changed(example(Prioritised), priority=priority)))
    events += [("INC-3", example(MajorDeclared)), ("INC-4", example(MajorDeclared))]
    connection = told(engine, *events)

    first = group_queue(connection, now=at(60), priority=Priority.LOW, limit=2)
    rest = group_queue(connection, now=at(60), priority=Priority.LOW, limit=2, cursor=first.next)

    assert (incidents(first), incidents(rest)) == (["INC-3", "INC-0"], ["INC-1"])
    assert rest.next is None


def test_p2_5_a_queue_is_narrowed_by_line_group_and_person(engine: Engine) -> None:
    """Each of the three, and all of them together."""
    escalated = example(EscalatedToGroup)
    network, database = GroupId("network"), GroupId("database")
    connection = told(
        engine,
        *(("INC-1", each) for each in classified("INC-1")),
        *(("INC-2", each) for each in classified("INC-2")),
        *(("INC-3", each) for each in classified("INC-3")),
        ("INC-1", escalated),
        ("INC-2", changed(escalated, group=database, line=Line.THIRD)),
        ("INC-2", changed(example(AssignedToPerson), group=database, person=PersonId("dee"))),
    )

    assert incidents(group_queue(connection, now=at(1), group=network)) == ["INC-1"]
    assert incidents(group_queue(connection, now=at(1), line=Line.THIRD)) == ["INC-2"]
    assert incidents(group_queue(connection, now=at(1), person=PersonId("dee"))) == ["INC-2"]
    both = group_queue(connection, now=at(1), line=Line.SECOND, group=network, person=PersonId("dee"))
    assert incidents(both) == []


def test_p3_2_a_hand_over_stands_as_unacknowledged_until_the_group_acknowledges(engine: Engine) -> None:
    """An acknowledgement counts for the group that gave it, and not for the next one."""
    escalated = example(EscalatedToGroup)
    connection = told(
        engine,
        *(("INC-1", each) for each in classified("INC-1")),
        *(("INC-2", each) for each in classified("INC-2")),
        *(("INC-3", each) for each in classified("INC-3")),
        ("INC-1", escalated),
        ("INC-1", example(Acknowledged)),
        ("INC-2", escalated),
        ("INC-2", example(Acknowledged)),
        ("INC-2", changed(escalated, group=GroupId("database"))),
    )

    assert incidents(group_queue(connection, now=at(1), unacknowledged=True)) == ["INC-2"]


def test_p3_3_an_overdue_update_shows_in_the_queue(engine: Engine) -> None:
    """Whether a report is overdue depends on the time asked, and at the very instant it is not."""
    connection = told(
        engine,
        *(("INC-1", each) for each in classified("INC-1")),
        ("INC-1", example(EscalatedToGroup)),
        ("INC-1", changed(example(ProgressReported), next_update_due=at(90))),
    )

    assert incidents(group_queue(connection, now=at(90), update_overdue=True)) == []
    late = group_queue(connection, now=at(91), update_overdue=True)
    assert incidents(late) == ["INC-1"]
    assert late.entries[0].update_overdue


def test_x1_a_hold_shows_its_reason_who_is_awaited_and_until_when(engine: Engine) -> None:
    """An incident on hold stays in its queue."""
    hold = example(PutOnHold)
    connection = told(engine, *(("INC-1", each) for each in classified("INC-1")), ("INC-1", hold))

    entry = group_queue(connection, now=at(1)).entries[0]

    assert entry.hold is not None
    assert (entry.hold.reason, entry.hold.awaited) == (hold.reason, hold.awaited)
    assert (entry.hold.since, entry.hold.until) == (hold.occurred_at, hold.until)


def test_x3_a_rejected_hand_off_goes_back_and_is_counted(engine: Engine) -> None:
    """The group before gets it back as it was when it held it: its person, its acknowledgement."""
    escalated = example(EscalatedToGroup)
    connection = told(
        engine,
        *(("INC-1", each) for each in classified("INC-1")),
        ("INC-1", escalated),
        ("INC-1", example(AssignedToPerson)),
        ("INC-1", example(Acknowledged)),
        ("INC-1", changed(escalated, by=SUPPORT, group=GroupId("database"))),
        ("INC-1", changed(example(HandOffRejected), group=GroupId("database"), back_to=GroupId("network"))),
    )

    entry = group_queue(connection, now=at(1)).entries[0]

    assert (entry.group, entry.person) == ("network", "network-chen")
    assert entry.acknowledged_at == example(Acknowledged).occurred_at
    assert (entry.reassignments, entry.bounces) == (1, 1)


def test_x7_a_reopening_is_a_count_and_the_incident_is_at_work_again(engine: Engine) -> None:
    """Resolved and reopened, it leaves the desk's closure queue and stands in its group's."""
    connection = told(
        engine,
        *(("INC-1", each) for each in classified("INC-1")),
        *(("INC-2", each) for each in classified("INC-2")),
        ("INC-1", example(Resolved)),
        ("INC-2", example(Resolved)),
        ("INC-2", example(Reopened)),
    )

    assert incidents(closure_queue(connection, now=at(1))) == ["INC-1"]
    assert [entry.reopenings for entry in group_queue(connection, now=at(1)).entries] == [1]
    counts = counts_by_phase(connection)
    assert (counts[Phase.AWAITING_CLOSURE], counts[Phase.CLASSIFICATION], counts[Phase.CLOSED]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("before", "phase"),
    [
        ([], Phase.REGISTRATION),
        ([Classified], Phase.CLASSIFICATION),
        ([EscalatedToGroup], Phase.INVESTIGATION),
        ([Classified, Resolved], Phase.AWAITING_CLOSURE),
    ],
)
def test_x6_an_incident_goes_back_to_the_phase_that_it_was_in(
    engine: Engine, before: list[type[IncidentEvent]], phase: Phase
) -> None:
    """Found the same as another, and not the same after all, it stands where it stood before."""
    events = [registered("INC-1"), *map(example, [*before, IdentifiedAsSame])]
    connection = told(engine, *(("INC-1", each) for each in events), ("INC-1", example(SameAsUndone)))

    entry = incident_entry(connection, IncidentId("INC-1"), now=at(1))

    assert entry is not None
    assert (entry.phase, entry.same_as) == (phase, None)


def test_pages_follow_each_other_without_gap_or_overlap(engine: Engine) -> None:
    """Page after page gives the whole queue once, in its order; the last page has no cursor."""
    events = [(f"INC-{n:02}", each) for n in range(7) for each in classified(f"INC-{n:02}", n % 3)]
    connection = told(engine, *events)
    whole = incidents(group_queue(connection, now=at(9)))

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = group_queue(connection, now=at(9), limit=3, cursor=cursor)
        seen += incidents(page)
        if (cursor := page.next) is None:
            break

    assert seen == whole
    assert len(whole) == 7


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ñ",
        "bm8",
        "W10",
        "WzEsMiwzXQ",
        "WyJhIiwyLCJiIl0",
        "WzAsMSwiSU5DLTEiXQ==",
        "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTk5LCJhIl0",
        "WzEsdHJ1ZSwiYSJd",
        "WzEsMSwiXHUwMDAwIl0",
    ],
)
def test_a_bad_cursor_is_one_clear_error(engine: Engine, cursor: str) -> None:
    """Whatever is given in place of a cursor, the answer is the same sentence."""
    connection = told(engine, ("INC-1", registered("INC-1")))

    with pytest.raises(BadCursor, match="cursor: is none that this queue gave out"):
        group_queue(connection, now=at(1), cursor=cursor)


def test_an_incident_that_was_never_registered_stops_the_view(engine: Engine) -> None:
    """An event out of nowhere is a broken history, not an empty row."""
    with pytest.raises(ViewStopped, match=r"cannot fold incident.number_assigned.v1 of stream INC-1"):
        Projections(
            engine, ListSource(journal=recorded(("INC-1", example(NumberAssigned)))), [QUEUE]
        ).catch_up()


def test_an_incident_that_is_unknown_has_no_entry(engine: Engine) -> None:
    """Asked for an incident that is not there, the queue says so."""
    connection = told(engine, ("INC-1", registered("INC-1")))

    assert incident_entry(connection, IncidentId("INC-2"), now=at(1)) is None
