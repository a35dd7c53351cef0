"""The groups' queues on real databases: their order, pages and filters beside plain Python."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from attrs import evolve as changed
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, inspect, text

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import (
    AnalysisRecorded,
    AssignedToPerson,
    Classified,
    DomainEvent,
    IncidentId,
    JudgedNotMajor,
    Line,
    MajorDeclared,
    Party,
    RecordedAsNew,
)
from incident_domain.priority import Priority
from incident_domain.service_clock import ClockState
from incident_projections.engine import Projections
from incident_projections.queue import QUEUE
from incident_projections.queue_entries import Criterion, QueueEntry
from incident_projections.queue_readers import group_queue, incident_entry
from incident_projections.sla_readers import timers_of
from incident_projections.sla_timers import sla_timers
from incident_projections.work_queue import WorkState
from tests.agreements import (
    GOLD_TERMS,
    NETWORK,
    SERVERS,
    acknowledged,
    applied,
    escalated,
    held,
    known,
    prioritised,
    progress,
    resolved,
)
from tests.histories import ListSource, at, example, recorded, registered

TERMS = known(gold_1=(Party.CUSTOMER, GOLD_TERMS))
VIEWS = (sla_timers(TERMS), QUEUE)
NOW = at(100)
CHEN, DEE = PersonId("chen"), PersonId("dee")
MANY = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@frozen(kw_only=True)
class Drawn:
    """What an incident went through; small ranges, so that much is equal."""

    begun: int
    major: bool
    priority: Priority | None
    under_gold: bool
    services: tuple[str, ...]
    line: Line
    group: GroupId | None
    person: PersonId | None
    acknowledged: bool
    told_at: int | None
    on_hold: bool
    is_resolved: bool


INCIDENTS = st.lists(
    st.builds(
        Drawn,
        begun=st.integers(0, 2),
        major=st.booleans(),
        priority=st.none() | st.sampled_from([Priority.HIGH, Priority.MODERATE, Priority.LOW]),
        under_gold=st.booleans(),
        services=st.sampled_from([(), ("mail",), ("mail", "web"), ("web", "web")]),
        line=st.sampled_from([Line.SECOND, Line.THIRD]),
        group=st.none() | st.sampled_from([NETWORK, SERVERS]),
        person=st.none() | st.sampled_from([CHEN, DEE]),
        acknowledged=st.booleans(),
        told_at=st.none() | st.integers(20, 60),
        on_hold=st.booleans(),
        is_resolved=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=12,
)


def _story(name: str, drawn: Drawn) -> list[DomainEvent]:
    begun = drawn.begun
    story: list[DomainEvent] = [
        registered(name, begun),
        changed(example(AnalysisRecorded), services=drawn.services, occurred_at=at(begun)),
        example(RecordedAsNew),
        example(MajorDeclared) if drawn.major else example(JudgedNotMajor),
        example(Classified),
    ]
    if drawn.under_gold:
        story.append(applied(begun))
    if drawn.priority is not None:
        story.append(prioritised(begun + 1, drawn.priority))
    if drawn.group is not None:
        story.append(changed(escalated(begun + 2, drawn.group), line=drawn.line))
        if drawn.person is not None:
            assigned = changed(example(AssignedToPerson), group=drawn.group, person=drawn.person)
            story.append(assigned)
        if drawn.acknowledged:
            story.append(acknowledged(begun + 3, drawn.group))
    if drawn.told_at is not None:
        story.append(progress(drawn.told_at))
    if drawn.on_hold:
        story.append(held(61))
    if drawn.is_resolved:
        story.append(resolved(62))
    return story


@contextmanager
def _shown(store_url: str, incidents: list[Drawn]) -> Generator[Connection]:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{table}"'))
    told = [
        (name, event)
        for number, drawn in enumerate(incidents)
        for name in [f"INC-{number}"]
        for event in _story(name, drawn)
    ]
    views = Projections(engine, ListSource(journal=recorded(*told), cuts=[(2, 7), (0, 5)]), VIEWS)
    views.catch_up()
    with views.reading() as connection:
        yield connection
    engine.dispose()


def _at_work(connection: Connection, count: int) -> list[tuple[QueueEntry, datetime | None]]:
    """Every incident at work in the published order, by a plain sort, each with the first due instant."""
    found: list[tuple[QueueEntry, datetime | None]] = []
    for number in range(count):
        name = IncidentId(f"INC-{number}")
        entry = incident_entry(connection, name, now=NOW)
        assert entry is not None
        if entry.phase.value not in ("classification", "investigation"):
            continue
        due = [
            timer.due_at
            for timer in timers_of(connection, name, terms_of=TERMS, now=NOW)
            if timer.party is Party.CUSTOMER
            and timer.state is ClockState.RUNNING
            and timer.due_at is not None
        ]
        found.append((entry, min(due, default=None)))
    return sorted(found, key=_published)


def _published(standing: tuple[QueueEntry, datetime | None]) -> tuple[Any, ...]:
    entry, due = standing
    return (
        not entry.major,
        due is None,
        due or NOW,
        entry.priority is None,
        entry.priority or 0,
        entry.registered_at,
        entry.incident,
    )


def _names(entries: Iterable[QueueEntry]) -> list[str]:
    return [entry.incident for entry in entries]


@given(incidents=INCIDENTS)
@MANY
def test_p2_5_the_order_is_that_of_a_plain_sort(store_url: str, incidents: list[Drawn]) -> None:
    """Major first, then the target that falls due first, then priority, then age; the place says each."""
    with _shown(store_url, incidents) as connection:
        expected = _at_work(connection, len(incidents))

        page = group_queue(connection, now=NOW)

    assert _names(page.entries) == _names(entry for entry, _ in expected)
    for entry, (plain, due) in zip(page.entries, expected, strict=True):
        assert changed(entry, place=None) == plain
        assert entry.place is not None
        assert (entry.place.major, entry.place.due_at) == (plain.major, due)
        assert (entry.place.priority, entry.place.age) == (plain.priority, plain.age)
        assert entry.place.time_to_breach == (None if due is None else due - NOW)


@given(incidents=INCIDENTS, limit=st.integers(1, 4), group=st.none() | st.just(NETWORK))
@MANY
def test_pages_have_neither_gap_nor_double(
    store_url: str, incidents: list[Drawn], limit: int, group: GroupId | None
) -> None:
    """Page after page gives the whole queue once, with the same reasons as in one page."""
    with _shown(store_url, incidents) as connection:
        whole = group_queue(connection, now=NOW, group=group)
        seen: list[QueueEntry] = []
        cursor: str | None = None
        while True:
            page = group_queue(connection, now=NOW, group=group, limit=limit, cursor=cursor)
            assert page.next is None or len(page.entries) == limit
            seen += page.entries
            if (cursor := page.next) is None:
                break

    assert tuple(seen) == whole.entries
    assert whole.next is None


@given(incidents=INCIDENTS)
@MANY
def test_what_puts_an_incident_behind_the_one_before_it_is_said(
    store_url: str, incidents: list[Drawn]
) -> None:
    """It is the first criterion in which the two differ; the first of a queue is behind nobody."""
    with _shown(store_url, incidents) as connection:
        entries = group_queue(connection, now=NOW).entries

    for before, entry in zip((None, *entries), entries, strict=False):
        assert entry.place is not None
        if before is None:
            assert entry.place.behind_by is None
            continue
        assert before.place is not None
        differing = [
            (before.major != entry.major, Criterion.MAJOR),
            (before.place.due_at != entry.place.due_at, Criterion.TIME_TO_BREACH),
            (before.priority != entry.priority, Criterion.PRIORITY),
            (before.registered_at != entry.registered_at, Criterion.AGE),
            (True, Criterion.REFERENCE),
        ]
        assert entry.place.behind_by is next(criterion for differs, criterion in differing if differs)


FILTERS: list[tuple[dict[str, Any], Callable[[QueueEntry], bool]]] = [
    ({"group": NETWORK}, lambda each: each.group == NETWORK),
    ({"line": Line.FIRST}, lambda each: each.line is Line.FIRST),
    ({"line": Line.THIRD}, lambda each: each.line is Line.THIRD),
    ({"person": DEE}, lambda each: each.person == DEE),
    ({"service": "mail"}, lambda each: "mail" in each.services),
    ({"service": "web"}, lambda each: "web" in each.services),
    ({"service": "none"}, lambda each: "none" in each.services),
    ({"priority": Priority.MODERATE}, lambda each: each.priority is Priority.MODERATE),
    ({"state": WorkState.ON_HOLD}, lambda each: each.hold is not None),
    (
        {"state": WorkState.INITIAL_SUPPORT},
        lambda each: each.hold is None and each.phase.value == "classification",
    ),
    (
        {"state": WorkState.INVESTIGATION},
        lambda each: each.hold is None and each.phase.value == "investigation",
    ),
    ({"update_overdue": True}, lambda each: each.update_overdue),
    ({"unacknowledged": True}, lambda each: each.group is not None and each.acknowledged_at is None),
    (
        {"service": "web", "group": SERVERS, "unacknowledged": True},
        lambda each: "web" in each.services and each.group == SERVERS and each.acknowledged_at is None,
    ),
    (
        {"line": Line.SECOND, "person": CHEN, "update_overdue": True},
        lambda each: each.line is Line.SECOND and each.person == CHEN and each.update_overdue,
    ),
]


@given(incidents=INCIDENTS)
@MANY
def test_p2_5_every_filter_keeps_what_a_plain_filter_keeps(store_url: str, incidents: list[Drawn]) -> None:
    """By line, group, person, service, state, overdue update, unacknowledged: the same, in the same order."""
    with _shown(store_url, incidents) as connection:
        entries = group_queue(connection, now=NOW).entries
        for narrowing, keeps in FILTERS:
            kept = group_queue(connection, now=NOW, **narrowing).entries
            assert _names(kept) == _names(each for each in entries if keeps(each)), narrowing
