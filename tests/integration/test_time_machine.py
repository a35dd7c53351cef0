"""The past of real stores: what was known, what was true, and nothing touched by the question."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve as changed
from sqlalchemy import Connection, select

from incident_adapters import time_machine
from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.report_data import incident_report, service_report
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.time_machine import NoRoom, as_of
from incident_domain import (
    Acknowledge,
    AssignNumber,
    EscalateToGroup,
    IncidentId,
    InInvestigation,
    JudgeNotMajor,
    LinkAsChild,
    PublishAgreement,
    RecordAnalysis,
    RecordEffort,
    RegisterIncident,
    Unregistered,
)
from incident_domain.events import AgreementId, Party, TargetKind
from incident_domain.service_clock import ClockState
from incident_domain.validation import InvalidValue
from incident_projections.closure_readers import closure_report
from incident_projections.engine import Projections
from incident_projections.past import AsOf, OccurredBy, RecordedBy, UpTo
from incident_projections.queue_readers import incident_entry
from incident_projections.sla_readers import timers_of
from incident_projections.timeline import timeline
from incident_projections.view import View
from incident_projections.views import views
from tests.agreements import GOLD, GOLD_TERMS
from tests.examples import MANAGER
from tests.histories import ListSource
from tests.process_spec import minute
from tests.watched import asked, at_work, publish_gold

PARENT, CHILD = IncidentId("INC-1"), IncidentId("INC-2")
EVERY_QUESTION = [UpTo(position=12), RecordedBy(at=minute(60)), OccurredBy(at=minute(60))]


class Clock:
    """The journal's clock, which stands where a test puts it."""

    now = minute(0)

    def __call__(self) -> datetime:
        """The time, in UTC."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock at the beginning of the story."""
    return Clock()


@pytest.fixture
def desk(store_url: str, clock: Clock) -> Iterator[ServiceDesk]:
    """Give a desk on each database, to which the story was told.

    An incident is escalated at minute 10 and acknowledged at minute 20, of which the desk heard at minute 90.
    Another is linked to it as its child at minute 30.  A third comes up at minute 50 and is registered, like
    the effort spent on the first, at minute 90.
    """
    with ServiceDesk.open(store_url, clock=clock) as desk:
        publish_gold(desk)
        at_work(desk, PARENT)
        clock.now = minute(10)
        desk.handle(asked(EscalateToGroup, PARENT, 10))
        clock.now = minute(30)
        for kind in (RegisterIncident, AssignNumber, RecordAnalysis):
            desk.handle(asked(kind, CHILD, 30))
        link = asked(LinkAsChild, CHILD, 30)
        assert isinstance(link, LinkAsChild)
        desk.handle(changed(link, parent=PARENT))
        desk.handle(asked(JudgeNotMajor, CHILD, 30))
        clock.now = minute(90)
        desk.handle(asked(Acknowledge, PARENT, 20))
        desk.handle(asked(RecordEffort, PARENT, 40))
        desk.handle(asked(RegisterIncident, "INC-3", 50))
        clock.now = minute(200)
        yield desk


def acknowledged_at(desk: ServiceDesk, question: AsOf) -> datetime | None:
    """When the incident was acknowledged, as a queue showed it."""
    past = as_of(desk.journal, question)
    with past.reading() as connection:
        entry = incident_entry(connection, PARENT, now=past.now)
    assert entry is not None
    return entry.acknowledged_at


def test_what_was_known_and_what_was_true_are_two_answers(desk: ServiceDesk) -> None:
    """At minute 60 the acknowledgement had happened, and nobody who looked could see it."""
    assert acknowledged_at(desk, RecordedBy(at=minute(60))) is None
    assert acknowledged_at(desk, OccurredBy(at=minute(60))) == minute(20)
    assert acknowledged_at(desk, OccurredBy(at=minute(15))) is None
    assert acknowledged_at(desk, RecordedBy(at=minute(90))) == minute(20)


def test_a_clock_is_read_at_the_instant_that_is_asked_for(desk: ServiceDesk) -> None:
    """At minute 60 it was seen to run, for half an hour more than at minute 30; it had stopped before."""
    terms_of = AgreementTerms(desk.journal)

    def clock_of(question: AsOf) -> tuple[ClockState, timedelta]:
        past = as_of(desk.journal, question)
        with past.reading() as connection:
            timers = timers_of(connection, PARENT, terms_of=terms_of, now=past.now)
        return next((each.state, each.elapsed) for each in timers if each.kind is TargetKind.ACKNOWLEDGE)

    (before, used), (known, used_later) = (clock_of(RecordedBy(at=minute(each))) for each in (30, 60))
    assert (before, known) == (ClockState.RUNNING, ClockState.RUNNING)
    assert used_later - used == timedelta(minutes=30)
    assert clock_of(OccurredBy(at=minute(60))) == (ClockState.STOPPED, used - timedelta(minutes=10))


def test_the_domain_is_asked_as_of_the_past_too(desk: ServiceDesk) -> None:
    """An incident is in the state in which it was, and unknown before it was registered."""
    known = as_of(desk.journal, RecordedBy(at=minute(60))).incident(PARENT)
    true = as_of(desk.journal, OccurredBy(at=minute(60))).incident(PARENT)

    assert isinstance(known, InInvestigation)
    assert isinstance(true, InInvestigation)
    assert known != true
    assert true == desk.incident(PARENT)
    assert isinstance(as_of(desk.journal, RecordedBy(at=minute(20))).incident(CHILD), Unregistered)


@pytest.mark.parametrize("question", EVERY_QUESTION, ids=lambda each: type(each).__name__)
def test_one_incident_by_itself_has_the_same_answers(desk: ServiceDesk, question: AsOf) -> None:
    """Its timeline and its report, the effort of its children too, are those out of the whole journal."""
    past = as_of(desk.journal, question)

    with past.reading() as whole, past.reading(of=PARENT) as alone:
        reported = [
            incident_report(connection, PARENT, terms_of=AgreementTerms(desk.journal), now=past.now)
            for connection in (alone, whole)
        ]
        assert reported[0] == reported[1]
        for read in (closure_report, timeline):
            assert read(alone, PARENT) == read(whole, PARENT)
        assert timeline(alone, PARENT)


@pytest.mark.parametrize("position", [1, 7, 12, 17])
def test_as_of_a_position_every_table_is_that_of_the_events_up_to_it(
    desk: ServiceDesk, position: int
) -> None:
    """Also that of the clocks, which count by the terms of an agreement in the journal."""
    known = views(AgreementTerms(desk.journal))
    first = desk.journal.read_all(0, position)
    in_memory = ServiceDesk.open("sqlite://")
    engine = in_memory.journal.store.engine
    Projections(engine, ListSource(journal=first), known).catch_up()

    with as_of(desk.journal, UpTo(position=position)).reading() as connection, engine.connect() as other:
        assert rows(connection, known) == rows(other, known)
    in_memory.close()


def test_as_of_now_every_table_is_that_of_the_present(desk: ServiceDesk) -> None:
    """By each question; and the present is not touched by them."""
    known = views(AgreementTerms(desk.journal))
    present = Projections(desk.journal.store.engine, desk.journal, known)
    present.catch_up()
    with present.reading() as connection:
        before = rows(connection, known)
    head = desk.journal.head()
    now = desk.journal.now()

    for question in (RecordedBy(at=now), OccurredBy(at=now), UpTo(position=head)):
        with as_of(desk.journal, question).reading() as connection:
            assert rows(connection, known) == before
    as_of(desk.journal, UpTo(position=3)).incident(PARENT)

    with present.reading() as connection:
        assert rows(connection, known) == before
    assert desk.journal.head() == head
    assert set(present.positions().values()) == {head}


def rows(connection: Connection, known: tuple[View, ...]) -> dict[str, list[tuple[Any, ...]]]:
    """All that the views' tables hold, in the order of their keys."""
    return {
        table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
        for view in known
        for table in view.tables
    }


def test_a_report_of_a_period_is_of_what_was_known(desk: ServiceDesk) -> None:
    """What was registered late is in the report of later knowledge only."""

    def registered(question: AsOf) -> int:
        with as_of(desk.journal, question).reading() as connection:
            report = service_report(connection, since=minute(-60), until=minute(60))
        return report.period.volume.registered

    assert registered(RecordedBy(at=minute(60))) == 2
    assert registered(OccurredBy(at=minute(60))) == 3


def test_terms_that_were_published_after_what_they_rule_are_found(desk: ServiceDesk) -> None:
    """An incident that was registered late may run under a version from after the instant."""
    silver, late = AgreementId("silver"), IncidentId("INC-4")
    desk.handle(
        PublishAgreement(
            agreement=silver,
            by=MANAGER,
            at=minute(100),
            party=Party.CUSTOMER,
            holds_from=minute(-60),
            terms=GOLD_TERMS,
        )
    )
    register = asked(RegisterIncident, late, 50)
    assert isinstance(register, RegisterIncident)
    desk.handle(changed(register, agreement=silver))

    past = as_of(desk.journal, OccurredBy(at=minute(60)))

    assert set(past.agreements()) == {GOLD}
    assert set(as_of(desk.journal, OccurredBy(at=minute(100))).agreements()) == {GOLD, silver}
    with past.reading() as connection:
        timers = timers_of(connection, late, terms_of=AgreementTerms(desk.journal), now=past.now)
    assert {each.agreement for each in timers} == {silver}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="shows the open files of a process on Linux")
def test_what_was_folded_lies_in_a_file_without_a_name(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its cache cannot hold goes into a file that is deleted already: kill -9 cannot leave it behind."""
    monkeypatch.setattr(time_machine, "_CACHE_KIB", 1)
    for each in range(100):
        desk.handle(asked(RegisterIncident, f"INC-{each:03}", 60))

    with as_of(desk.journal, OccurredBy(at=minute(60))).reading() as connection:
        assert timeline(connection, PARENT)
        assert open_files_of_sqlite() == ["deleted"]

    assert open_files_of_sqlite() == []


def test_where_there_is_no_room_for_the_past_the_error_says_so(
    desk: ServiceDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is well, and making room is what helps."""
    connect = sqlite3.connect

    def on_a_full_disk(name: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(name, **options)
        if not name:
            connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(sqlite3, "connect", on_a_full_disk)

    with pytest.raises(NoRoom, match="make room"), as_of(desk.journal, OccurredBy(at=minute(60))).reading():
        pytest.fail("there was no room")


def open_files_of_sqlite() -> list[str]:
    """Of each temporary file that SQLite has open in this process, whether it is deleted."""
    found: list[str] = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            leads_to = str(each.readlink())
            if "etilqs_" in leads_to:
                found.append("deleted" if leads_to.endswith("(deleted)") else "there")
    return found


def test_an_interrupted_question_leaves_nothing_open(desk: ServiceDesk) -> None:
    """Ctrl-C in the middle of the fold ends it, and the next question is answered."""

    def interrupt(_reached: int, _goal: int) -> None:
        raise KeyboardInterrupt

    past = as_of(desk.journal, OccurredBy(at=minute(60)))
    with pytest.raises(KeyboardInterrupt), past.reading(progress=interrupt):
        pytest.fail("it was interrupted before")

    with past.reading() as connection:
        assert timeline(connection, PARENT)


def test_an_instant_that_lies_ahead_is_refused(desk: ServiceDesk) -> None:
    """What will be is not on record; the error says so."""
    ahead = minute(200) + timedelta(seconds=1)

    for question in (RecordedBy(at=ahead), OccurredBy(at=ahead)):
        with pytest.raises(InvalidValue, match="as_of: lies ahead"):
            as_of(desk.journal, question)
