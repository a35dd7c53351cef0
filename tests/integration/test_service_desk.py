"""One door for every command, the same over every store."""

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from incident_adapters import service_desk, streams
from incident_adapters.batch import Batch
from incident_adapters.configuration_items import ListedConfigurationItems
from incident_adapters.incident_ids import new_incident_id
from incident_adapters.journal import Change, Journal
from incident_adapters.planned_changes import ListedPlannedChanges
from incident_adapters.recorder import StoreError
from incident_adapters.service_desk import Contended, ServiceDesk
from incident_domain import (
    AssignNumber,
    AttachConfigurationItems,
    BrokenHistory,
    Cancel,
    ChildOutcome,
    Classify,
    ConfigurationItem,
    CorrectHoliday,
    Ended,
    IncidentId,
    InformCustomer,
    InformManagement,
    JudgeNotMajor,
    LinkAsChild,
    LinkChange,
    MatchKnownError,
    PublishAgreement,
    RecordInteraction,
    Refused,
    RegisterIncident,
    Resolve,
    Unregistered,
)
from incident_domain.events import (
    AgreementApplied,
    IncidentRegistered,
    NumberAssigned,
    Resolved,
    RowsImported,
    SourceRowKept,
)
from incident_domain.ports import PlannedChange
from tests.examples import EXAMPLES, GOLD, IMPORTER, INCIDENT, KNOWN_ERROR, OTHER
from tests.process_spec import (
    ACKNOWLEDGED,
    CHILD,
    MAJOR,
    PHASES,
    REGISTERED,
    RESOLVED,
    SOLVED,
    THIRD,
    Asked,
    ServiceDeskOnPaper,
    ask,
    days,
    minute,
    of,
)

COMMAND = UUID("c2a86f0e-92e1-4e36-8b65-2a4c9cf7e6b3")
REQUEST = UUID("0f4c0b8c-1d8e-4b0a-8e77-64a1f0f3a9d2")
IMPORT = "import-servicenow"


def late() -> datetime:
    """A clock that stands still after the whole story."""
    return minute(0) + days(30)


@pytest.fixture
def journal(any_store_url: str) -> Iterator[Journal]:
    """Give an empty journal on each kind of store."""
    with Journal.open(any_store_url, clock=late) as opened:
        yield opened


def desk_on(journal: Journal, **ports: object) -> ServiceDesk:
    """A desk with a memory of its own, as another process has it."""
    return ServiceDesk(journal, **ports)  # type: ignore[arg-type]


@pytest.fixture
def desk(journal: Journal) -> ServiceDesk:
    """Give a desk with nothing recorded yet."""
    return desk_on(journal)


def handle_all(desk: ServiceDesk, asked: Iterable[Asked]) -> None:
    for each in asked:
        desk.handle(each)


def another(incident: IncidentId) -> tuple[Asked, ...]:
    return of(incident, REGISTERED)


# What a command comes to


def test_what_is_recorded_is_returned_with_its_position(desk: ServiceDesk, journal: Journal) -> None:
    """The caller gets the events as the journal holds them, and the position that views must have reached."""
    handled = desk.handle(ask(RegisterIncident), command_id=COMMAND, correlation_id=REQUEST)

    assert list(handled.recorded) == journal.read(INCIDENT)
    assert handled.position == journal.head() == 1
    [registered] = handled.recorded
    assert (registered.causation_id, registered.correlation_id) == (COMMAND, REQUEST)
    assert registered.recorded_at == late()


def test_a_command_without_an_outside_request_is_its_own_correlation(desk: ServiceDesk) -> None:
    """Every event says what set it off, also when the caller names nothing."""
    [registered] = desk.handle(ask(RegisterIncident)).recorded

    assert registered.correlation_id == registered.causation_id


@pytest.mark.parametrize("phase", PHASES)
def test_the_stored_history_is_the_one_that_the_domain_decides(phase: str, desk: ServiceDesk) -> None:
    """What stands in the store after the commands of a phase is what deciding them on paper gives."""
    # given
    on_paper = ServiceDeskOnPaper()

    # when
    for each in PHASES[phase]:
        desk.handle(each)
        on_paper.do(each)

    # then
    def without_numbers(events: Iterable[object]) -> list[object]:
        return [NumberAssigned if isinstance(each, NumberAssigned) else each for each in events]

    for incident in (INCIDENT, OTHER):
        stored = [each.event for each in desk.journal.read(incident)]
        assert without_numbers(stored) == without_numbers(on_paper.histories.get(incident, []))


def test_the_same_command_twice_records_nothing(desk: ServiceDesk, journal: Journal) -> None:
    """A command that changes nothing is answered with no events and the position that shows its effect."""
    handle_all(desk, ACKNOWLEDGED)
    head = journal.head()

    for each in ACKNOWLEDGED:
        handled = desk.handle(each)
        assert handled.recorded == ()
        assert handled.position == head

    assert journal.head() == head


def test_a_refused_command_records_nothing(desk: ServiceDesk, journal: Journal) -> None:
    """The refusal lists every objection, and the journal stays as it was."""
    handle_all(desk, REGISTERED)

    with pytest.raises(Refused) as refused:
        desk.handle(ask(Classify))

    assert [each.clause for each in refused.value.objections] == ["P1.5", "P1.6", "P1.8", "P1.11"]
    assert journal.head() == 1


def test_a_command_sent_again_under_its_id_is_answered_with_what_it_recorded(
    desk: ServiceDesk, journal: Journal
) -> None:
    """A caller that never heard the answer may ask again, later and elsewhere: nothing happens twice."""
    # given
    handle_all(desk, CHILD)
    resolving = ask(Resolve, incident=OTHER, with_children=())
    first = desk.handle(resolving, command_id=COMMAND)
    handle_all(desk, another(THIRD))
    head = journal.head()

    # when
    here = desk.handle(resolving, command_id=COMMAND)
    elsewhere = desk_on(journal).handle(evolve(resolving, solution="another one"), command_id=COMMAND)

    # then
    assert here.recorded == elsewhere.recorded == first.recorded
    assert here.position == elsewhere.position == first.position
    assert journal.head() == head


def test_a_command_whose_answer_was_lost_is_recorded_once(
    desk: ServiceDesk, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store took the write and could not say so: sent again under its id, the command does no more."""
    # given
    handle_all(desk, REGISTERED)
    insert = journal.store.insert_events

    def insert_and_fail(*events: Any, **keywords: Any) -> list[int]:
        insert(*events, **keywords)
        raise StoreError("the connection was lost after the commit")

    with monkeypatch.context() as failing:
        failing.setattr(journal.store, "insert_events", insert_and_fail)
        with pytest.raises(StoreError):
            desk.handle(ask(RecordInteraction), command_id=COMMAND)

    # when
    handled = desk.handle(ask(RecordInteraction), command_id=COMMAND)

    # then
    assert list(handled.recorded) == journal.read(INCIDENT, after_version=1)
    assert journal.head() == 2


def test_a_command_over_two_incidents_sent_again_is_answered_with_both_sides(
    desk: ServiceDesk, journal: Journal
) -> None:
    """All that one write recorded comes back, and nothing of the writes around it."""
    handle_all(desk, [*another(OTHER), *REGISTERED])
    first = desk.handle(ask(LinkAsChild), command_id=COMMAND)
    handle_all(desk, another(THIRD))

    again = desk_on(journal).handle(ask(LinkAsChild), command_id=COMMAND)

    assert [each.stream for each in first.recorded] == [INCIDENT, OTHER]
    assert again == first


# Numbers and references (P1.5)


@pytest.mark.clause("P1.5")
def test_p1_5_numbers_go_up_by_one_in_the_order_of_asking(desk: ServiceDesk) -> None:
    """Each incident gets the next free number; asking again leaves it as it is."""
    for incident in (INCIDENT, OTHER, THIRD):
        handle_all(desk, another(incident))

    numbers = [
        each.event
        for incident in (THIRD, INCIDENT, THIRD, OTHER)
        for each in desk.handle(ask(AssignNumber, incident=incident)).recorded
    ]

    assert [each.number for each in numbers if isinstance(each, NumberAssigned)] == [1, 2, 3]
    assert len(numbers) == 3


@pytest.mark.clause("P1.5")
def test_p1_5_a_number_brought_along_belongs_to_one_incident(desk: ServiceDesk, journal: Journal) -> None:
    """A history made elsewhere keeps its number, nobody else gets it, and the next one follows on it."""
    for incident in (INCIDENT, OTHER):
        handle_all(desk, another(incident))
    desk.handle(ask(AssignNumber, by=IMPORTER, number=45))

    with pytest.raises(Refused) as refused:
        desk.handle(ask(AssignNumber, incident=OTHER, by=IMPORTER, number=45))
    [numbered] = desk.handle(ask(AssignNumber, incident=OTHER)).recorded

    assert (refused.value.clause, refused.value.code) == ("P1.5", "number-taken")
    assert isinstance(numbered.event, NumberAssigned)
    assert numbered.event.number == 46
    assert journal.numbered(45) == INCIDENT


@pytest.mark.clause("P1.5")
@pytest.mark.parametrize("number", [-1, 0, 10**18, 2**64])
def test_p1_5_a_number_that_no_store_could_keep_is_refused(
    number: int, desk: ServiceDesk, journal: Journal
) -> None:
    """Every store takes and refuses the same numbers."""
    handle_all(desk, REGISTERED)

    with pytest.raises(Refused) as refused:
        desk.handle(ask(AssignNumber, by=IMPORTER, number=number))

    assert refused.value.code == "bad-number"
    assert journal.head() == 1


def number_incidents(url: str, writers: int, each: int, process: int) -> list[int]:
    """Register and number incidents from several threads of one process; the numbers given."""

    def write(desk: ServiceDesk, writer: int) -> list[int]:
        given: list[int] = []
        for turn in range(each):
            incident = IncidentId(f"{process}-{writer}-{turn}")
            handle_all(desk, another(incident))
            [numbered] = desk.handle(ask(AssignNumber, incident=incident)).recorded
            assert isinstance(numbered.event, NumberAssigned)
            given.append(numbered.event.number)
        return given

    with ServiceDesk.open(url) as desk, ThreadPoolExecutor(writers) as threads:
        return [number for given in threads.map(partial(write, desk), range(writers)) for number in given]


@pytest.mark.clause("P1.5")
def test_p1_5_64_writers_in_several_processes_get_each_number_once(store_url: str) -> None:
    """Numbers are unique and without gaps, however many desks ask at the same time."""
    with multiprocessing.get_context("spawn").Pool(4) as processes:
        given = processes.map(partial(number_incidents, store_url, 16, 2), range(4))

    numbers = [number for each in given for number in each]
    assert sorted(numbers) == list(range(1, 129))
    with Journal.open(store_url) as journal:
        events = [each.event for each in journal.read_all(0, 1000)]
    assert sorted(each.number for each in events if isinstance(each, NumberAssigned)) == sorted(numbers)


@pytest.mark.clause("P1.5")
def test_p1_5_new_references_can_be_said_on_the_telephone() -> None:
    """Three groups of four letters and digits, none of which is mistaken for another."""
    references = {ServiceDesk.new_incident_id() for _ in range(1000)}

    assert len(references) == 1000
    for each in references:
        groups = each.split("-")
        assert [len(group) for group in groups] == [4, 4, 4]
        assert set("".join(groups)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert len(new_incident_id()) == 14


@pytest.mark.clause("P1.5")
@pytest.mark.parametrize(
    "name", ["known-error-printer-driver", "agreement-gold", "import-servicenow", "erasures", "access"]
)
def test_p1_5_names_of_other_streams_are_no_references(
    name: str, desk: ServiceDesk, journal: Journal
) -> None:
    """An incident cannot be registered under the name of another kind of stream."""
    with pytest.raises(Refused) as refused:
        desk.handle(ask(RegisterIncident, incident=IncidentId(name)))

    assert refused.value.code == "reserved-reference"
    assert journal.head() == 0


# Desks that do not know of each other


def test_a_refusal_from_memory_is_checked_with_the_journal(journal: Journal) -> None:
    """What another desk did meanwhile counts: what was refused before may be allowed now."""
    # given
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, MAJOR)
    with pytest.raises(Refused):
        here.handle(ask(Classify))

    # when
    handle_all(there, [ask(InformManagement), ask(InformCustomer)])

    # then
    assert here.handle(ask(Classify)).recorded


def test_a_decision_from_memory_is_not_recorded_once_the_incident_moved_on(journal: Journal) -> None:
    """What was open when this desk looked, and is cancelled now, takes nothing any more."""
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, REGISTERED)
    there.handle(ask(Cancel))

    with pytest.raises(Refused) as refused:
        here.handle(ask(RecordInteraction))

    assert refused.value.code == "ended"
    assert journal.head() == 2
    assert isinstance(here.incident(INCIDENT), Ended)


def test_nothing_to_do_from_memory_is_checked_with_the_journal(journal: Journal) -> None:
    """Judged not major here, declared major there: to judge it not major again is something to do."""
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, [*REGISTERED, ask(JudgeNotMajor)])
    handle_all(there, [MAJOR[-1]])

    assert len(here.handle(ask(JudgeNotMajor)).recorded) == 1


def test_a_registration_that_another_desk_made_first_is_seen(journal: Journal) -> None:
    """A registration reads nothing beforehand; its write shows that the incident is there already."""
    here, there = desk_on(journal), desk_on(journal)
    handle_all(there, REGISTERED)

    assert here.handle(ask(RegisterIncident)).recorded == ()
    assert journal.head() == len(REGISTERED)


def test_a_lost_race_is_decided_anew(journal: Journal) -> None:
    """A write that came between looking and recording costs another look, not the command."""
    # given
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, REGISTERED)
    between = [ask(RecordInteraction, text="the other desk was faster")]

    # when
    def work(batch: Batch) -> None:
        batch.decide(ask(RecordInteraction))
        while between:
            there.handle(between.pop())

    _, recorded = here.in_one_write(work)

    # then
    assert [each.version for each in recorded] == [3]
    assert journal.read(INCIDENT)[2].event == recorded[0].event


def test_races_lost_without_end_are_given_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that always comes second says so at last, and has recorded nothing."""
    monkeypatch.setattr(service_desk, "_ATTEMPTS", 7)
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, REGISTERED)
    texts = iter(range(100))

    def work(batch: Batch) -> None:
        batch.decide(ask(RecordInteraction, text="never first"))
        there.handle(ask(RecordInteraction, text=f"number {next(texts)}"))

    with pytest.raises(Contended, match="try it again"):
        here.in_one_write(work)

    written = [each.event for each in journal.read(INCIDENT)[1:]]
    assert [getattr(each, "text", "") for each in written] == [f"number {nth}" for nth in range(7)]


def test_threads_share_a_desk(desk: ServiceDesk, journal: Journal) -> None:
    """Many threads at one incident lose no entry and make no gap."""
    handle_all(desk, REGISTERED)
    texts = [f"call {nth}" for nth in range(40)]

    def record(text: str) -> None:
        desk.handle(ask(RecordInteraction, text=text))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, texts))

    history = journal.read(INCIDENT)
    assert [each.version for each in history] == list(range(1, 42))
    assert sorted(getattr(each.event, "text", "") for each in history[1:]) == sorted(texts)


def test_more_incidents_than_fit_into_memory(
    desk: ServiceDesk, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was forgotten is read again."""
    monkeypatch.setattr(streams, "_KEPT", 2)
    incidents = [IncidentId(f"incident {nth}") for nth in range(5)]
    for incident in incidents:
        handle_all(desk, another(incident))

    for incident in incidents:
        assert desk.handle(ask(AssignNumber, incident=incident)).recorded[0].version == 2
    for incident in incidents:
        assert not desk.handle(ask(AssignNumber, incident=incident)).recorded


# Decisions over two incidents (P1.9, P4.3)


@pytest.mark.clause("P1.9")
def test_p1_9_a_parent_that_ends_at_the_same_moment_gets_no_child(journal: Journal) -> None:
    """Another desk cancels the parent between the look at it and the write: refused, without a trace."""
    # given
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, [*another(OTHER), *REGISTERED])
    head = journal.head()
    cancelling = [ask(Cancel, incident=OTHER)]

    # when
    def work(batch: Batch) -> None:
        batch.decide(ask(LinkAsChild))
        while cancelling:
            there.handle(cancelling.pop())

    with pytest.raises(Refused) as refused:
        here.in_one_write(work)

    # then
    assert refused.value.code == "closed-parent"
    assert journal.head() == head + 1


def race(url: str, side: str, pairs: int) -> list[str]:
    """One side of a race: link children to parents, or cancel the parents; what came of each."""
    come_to: list[str] = []
    with ServiceDesk.open(url) as desk:
        for nth in range(pairs):
            parent, child = IncidentId(f"parent {nth}"), IncidentId(f"child {nth}")
            command: Asked = (
                ask(LinkAsChild, incident=child, parent=parent)
                if side == "link"
                else ask(Cancel, incident=parent)
            )
            try:
                desk.handle(command)
            except Refused as refused:
                come_to.append(refused.code)
            else:
                come_to.append("done")
    return come_to


@pytest.mark.clause("P1.9")
def test_p1_9_linking_and_ending_race_in_two_processes(store_url: str) -> None:
    """No parent gets a child after its end, and each link stands on both sides or on none."""
    # given
    pairs = 40
    with ServiceDesk.open(store_url) as desk:
        for nth in range(pairs):
            handle_all(desk, another(IncidentId(f"parent {nth}")))
            handle_all(desk, another(IncidentId(f"child {nth}")))

    # when
    with multiprocessing.get_context("spawn").Pool(2) as processes:
        linked, cancelled = processes.starmap(
            race, [(store_url, "link", pairs), (store_url, "cancel", pairs)]
        )

    # then
    assert set(cancelled) == {"done"}
    assert set(linked) <= {"done", "closed-parent"}
    with Journal.open(store_url) as journal:
        for nth, came in enumerate(linked):
            parent = [each.name for each in journal.read(f"parent {nth}")]
            child = [each.name for each in journal.read(f"child {nth}")]
            if came == "done":
                assert parent[1:] == ["incident.child_linked.v1", "incident.cancelled.v1"]
                assert child[1:] == ["incident.linked_as_child.v1"]
            else:
                assert parent[1:] == ["incident.cancelled.v1"]
                assert child[1:] == []


@pytest.mark.clause("P4.3")
def test_p4_3_a_parent_is_resolved_with_its_children_in_one_write(desk: ServiceDesk) -> None:
    """The answer says what happened to each child."""
    handle_all(desk, CHILD)

    handled = desk.handle(ask(Resolve, incident=OTHER, with_children=(INCIDENT,)))

    [answer] = handled.children
    assert answer.child == INCIDENT
    resolved = {each.stream for each in handled.recorded if isinstance(each.event, Resolved)}
    assert resolved == ({OTHER, INCIDENT} if answer.outcome is ChildOutcome.DONE else {OTHER})
    positions = [each.position for each in handled.recorded]
    assert positions == list(range(positions[0], positions[0] + len(positions)))


# The knowledge base (P2.2, P2.3)


@pytest.mark.clause("P2.2")
def test_p2_2_the_knowledge_base_goes_through_the_same_door(desk: ServiceDesk, journal: Journal) -> None:
    """An entry is recorded in a stream of its own, and decisions about incidents see it."""
    handle_all(desk, SOLVED)
    handle_all(desk, PHASES["classified"])

    [matched] = desk.handle(ask(MatchKnownError)).recorded
    desk.handle(ask(Resolve, by=ask(Classify).by, known_error=KNOWN_ERROR))

    assert matched.event == evolve(EXAMPLES[type(matched.event)], by=matched.by, occurred_at=minute(14))
    assert len(journal.read(f"known-error-{KNOWN_ERROR}")) == 3


@pytest.mark.clause("P2.2")
def test_p2_2_an_entry_that_is_not_there_is_no_match(desk: ServiceDesk) -> None:
    """Only what is recorded in the knowledge base can be matched."""
    handle_all(desk, PHASES["classified"])

    with pytest.raises(Refused) as refused:
        desk.handle(ask(MatchKnownError))

    assert refused.value.clause == "P2.2"


# Service level agreements (P3.7)


@pytest.mark.clause("P3.7")
def test_p3_7_agreements_go_through_the_same_door(desk: ServiceDesk, journal: Journal) -> None:
    """An agreement is recorded in a stream of its own, and a registration runs under its version."""
    published = desk.handle(ask(PublishAgreement)).recorded
    [registered, applied] = desk.handle(ask(RegisterIncident, agreement=GOLD)).recorded

    assert list(published) == journal.read(f"agreement-{GOLD}")
    assert isinstance(registered.event, IncidentRegistered)
    assert isinstance(applied.event, AgreementApplied)
    assert (applied.stream, applied.event.version) == (INCIDENT, 1)
    assert desk.handle(ask(PublishAgreement)).recorded == ()


@pytest.mark.clause("P3.7")
def test_p3_7_a_version_published_by_another_desk_is_seen_by_the_next_registration(journal: Journal) -> None:
    """What a desk remembers of an agreement is compared with the journal when it writes."""
    one, another_desk = desk_on(journal), desk_on(journal)
    one.handle(ask(PublishAgreement))
    one.handle(ask(RegisterIncident, agreement=GOLD))

    another_desk.handle(ask(CorrectHoliday, counts_from=minute(-1)))
    recorded = one.handle(ask(RegisterIncident, incident=OTHER, agreement=GOLD)).recorded

    assert [each.event.version for each in recorded if isinstance(each.event, AgreementApplied)] == [2]


@pytest.mark.clause("P3.7")
def test_p3_7_what_no_desk_published_is_refused(desk: ServiceDesk, journal: Journal) -> None:
    """Nothing is recorded, neither of the incident nor of the agreement."""
    with pytest.raises(Refused) as refused:
        desk.handle(ask(RegisterIncident, agreement=GOLD))

    assert (refused.value.clause, refused.value.code) == ("P3.7", "no-such-agreement")
    assert journal.head() == 0


# What only the world outside can tell


@pytest.mark.clause("P1.6")
def test_p1_6_what_lies_in_the_future_is_refused(desk: ServiceDesk, journal: Journal) -> None:
    """Clocks may differ by a minute, and no more."""
    now = late()

    with pytest.raises(Refused) as refused:
        desk.handle(ask(RegisterIncident, at=now + timedelta(minutes=1, microseconds=1)))
    desk.handle(ask(RegisterIncident, at=now + timedelta(minutes=1)))

    assert (refused.value.clause, refused.value.code) == ("P1.6", "in-the-future")
    assert journal.head() == 1


ITEMS = ListedConfigurationItems([ConfigurationItem(item="ci-17", name="laser-17", kind="printer")])
CHANGES = ListedPlannedChanges(
    [PlannedChange(change="CHG-88", title="roll-out", starts_at=minute(0), ends_at=minute(60))]
)
FAX = ConfigurationItem(item="ci-99", name="fax", kind="fax")


@pytest.mark.clause("P1.7")
def test_p1_7_configuration_items_that_nobody_knows_are_refused(journal: Journal) -> None:
    """The refusal names exactly the unknown ones; a history made elsewhere may name what is gone by now."""
    desk = desk_on(journal, configuration_items=ITEMS)
    handle_all(desk, REGISTERED)
    attaching = ask(AttachConfigurationItems)

    with pytest.raises(Refused, match="ci-99") as refused:
        desk.handle(evolve(attaching, items=(*attaching.items, FAX)))
    desk.handle(attaching)
    desk.handle(evolve(attaching, items=(FAX,), by=IMPORTER))

    assert (refused.value.clause, refused.value.code) == ("P1.7", "unknown-configuration-item")
    assert "ci-17" not in str(refused.value)
    assert journal.head() == 3


@pytest.mark.clause("P3.6")
@pytest.mark.parametrize(
    ("command", "clause"),
    [(ask(LinkChange, change="CHG-1"), "P3.6"), (ask(Resolve, changes=("CHG-88", "CHG-1")), "P4.1")],
)
def test_p3_6_changes_that_nobody_plans_are_refused(command: Asked, clause: str, journal: Journal) -> None:
    """A change must be in the calendar to be linked, or to be named in a resolution."""
    desk = desk_on(journal, planned_changes=CHANGES)
    handle_all(desk, ACKNOWLEDGED)

    with pytest.raises(Refused, match="unknown: CHG-1;") as refused:
        desk.handle(command)

    assert (refused.value.clause, refused.value.code) == (clause, "unknown-change")
    assert desk.handle(ask(LinkChange)).recorded


# Many commands in one write


def test_a_batch_is_recorded_in_one_write(desk: ServiceDesk, journal: Journal) -> None:
    """Commands over several incidents see each other, and an import's own events go along."""
    # given
    kept = EXAMPLES[SourceRowKept]
    account = EXAMPLES[RowsImported]
    assert isinstance(kept, SourceRowKept)
    assert isinstance(account, RowsImported)

    # when
    def work(batch: Batch) -> list[str]:
        refused: list[str] = []
        for each in (*another(OTHER), *REGISTERED, ask(LinkAsChild), ask(Classify)):
            try:
                batch.decide(each)
            except Refused as refusal:
                refused.append(refusal.code)
                batch.add(IMPORT, kept, command_id=COMMAND)
        batch.add(IMPORT, account, command_id=REQUEST)
        return refused

    refused, recorded = desk.in_one_write(work)

    # then
    assert refused == ["no-number"]
    assert [(each.stream, each.version) for each in recorded] == [
        (OTHER, 1),
        (INCIDENT, 1),
        (INCIDENT, 2),
        (OTHER, 2),
        (IMPORT, 1),
        (IMPORT, 2),
    ]
    assert journal.read_all(0, 10) == list(recorded)


def test_a_refusal_in_a_batch_holds_for_the_journal_as_it_is(journal: Journal) -> None:
    """A batch that looked at something outdated, even only to refuse it, is decided anew."""
    # given
    here, there = desk_on(journal), desk_on(journal)
    handle_all(here, [*another(OTHER), *PHASES["ready to classify"][:-1]])
    there.handle(PHASES["ready to classify"][-1])
    tries: list[bool] = []

    # when
    def work(batch: Batch) -> bool:
        batch.decide(ask(RecordInteraction, incident=OTHER))
        try:
            batch.decide(ask(Classify))
        except Refused:
            tries.append(False)
        else:
            tries.append(True)
        return tries[-1]

    classified, recorded = here.in_one_write(work)

    # then
    assert tries == [False, True]
    assert classified
    assert {each.stream for each in recorded} == {INCIDENT, OTHER}


def test_a_batch_refuses_a_number_that_it_claims_twice(desk: ServiceDesk, journal: Journal) -> None:
    """Within one write, too, a number belongs to one incident."""

    def work(batch: Batch) -> str:
        for incident in (INCIDENT, OTHER):
            for each in another(incident):
                batch.decide(each)
        batch.decide(ask(AssignNumber, by=IMPORTER, number=7))
        with pytest.raises(Refused) as refused:
            batch.decide(ask(AssignNumber, incident=OTHER, by=IMPORTER, number=7))
        return refused.value.code

    code, _ = desk.in_one_write(work)

    assert code == "number-taken"
    assert journal.numbered(7) == INCIDENT


@pytest.mark.parametrize("first", ["the number", "another command"])
def test_the_next_number_is_asked_for_alone(first: str, desk: ServiceDesk, journal: Journal) -> None:
    """The store gives one number in a write, so whoever records many brings the numbers along."""
    handle_all(desk, REGISTERED)
    commands = (ask(AssignNumber), *another(OTHER))

    def work(batch: Batch) -> None:
        for each in commands if first == "the number" else reversed(commands):
            batch.decide(each)

    with pytest.raises(ValueError, match="alone in its write"):
        desk.in_one_write(work)
    assert journal.head() == 1


def test_only_an_imports_own_stream_takes_events_without_a_decision(desk: ServiceDesk) -> None:
    """Nothing gets into an incident past the process."""
    kept = EXAMPLES[SourceRowKept]
    assert isinstance(kept, SourceRowKept)

    with pytest.raises(ValueError, match="import-"):
        desk.in_one_write(lambda batch: batch.add(INCIDENT, kept, command_id=COMMAND))


def test_an_empty_batch_records_nothing(desk: ServiceDesk, journal: Journal) -> None:
    """Nothing decided, nothing written."""
    assert desk.in_one_write(lambda _: "nothing") == ("nothing", ())
    assert journal.head() == 0


# Reading


def test_an_incident_is_shown_as_it_is_now(journal: Journal) -> None:
    """A desk shows what other desks recorded, too."""
    here, there = desk_on(journal), desk_on(journal)
    assert isinstance(here.incident(INCIDENT), Unregistered)

    handle_all(there, RESOLVED)

    assert here.incident(INCIDENT) == there.incident(INCIDENT)
    assert not isinstance(here.incident(INCIDENT), Unregistered)


def test_a_history_that_cannot_be_is_named(desk: ServiceDesk, journal: Journal) -> None:
    """The error says in which stream, and at which version, what is recorded stops making sense."""
    registered = EXAMPLES[IncidentRegistered]
    journal.append(
        [Change(causation_id=COMMAND, correlation_id=REQUEST, events={INCIDENT: (registered, registered)})],
        seen={INCIDENT: 0},
    )

    with pytest.raises(BrokenHistory) as broken:
        desk.incident(INCIDENT)

    assert (broken.value.stream, broken.value.version) == (INCIDENT, 2)
