"""Ping-pong, management's board and the customer's view on real stores, and on the command line."""

import json
from typing import Any, Final

import pytest
from attrs import evolve as changed
from attrs import frozen
from sqlalchemy import create_engine

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import PRINTER, SCANNERS, TELEPHONES
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.time_machine import as_of
from incident_domain import Resolve
from incident_domain.command import Command
from incident_domain.events import (
    CustomerInformed,
    DomainEvent,
    IdentifiedAsSame,
    IncidentId,
    JudgedNotMajor,
    MajorDeclared,
    ManagementInformed,
    WorkaroundProvided,
)
from incident_projections.board import BoardEntry, board
from incident_projections.customer_status import CUSTOMER_STATUS, CustomerStatus, Standing, customer_status
from incident_projections.engine import Projections
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.major_incidents import MAJOR_INCIDENTS
from incident_projections.past import OccurredBy
from incident_projections.ping_pong import MovedIncident, Pair, most_moved, pairs
from incident_projections.queue import QUEUE
from incident_projections.sla_timers import sla_timers
from incident_projections.view import View
from tests.agreements import (
    NETWORK,
    SERVERS,
    acknowledged,
    applied,
    escalated,
    member,
    notified,
    prioritised,
    progress,
    rejected,
)
from tests.examples import INCIDENT, OTHER
from tests.histories import ListSource, at, classified, example, recorded
from tests.process_spec import MERGED, ask, minute
from tests.reported import TERMS

VIEWS: Final[tuple[View, ...]] = (
    HAND_OVERS,
    MAJOR_INCIDENTS,
    CUSTOMER_STATUS,
    QUEUE,
    sla_timers(TERMS),
)
ONE, TWO, THREE = (IncidentId(f"INC-{each}") for each in (1, 2, 3))


def story() -> list[tuple[str, DomainEvent]]:
    """Three incidents: a major one that goes to and fro, one that is the same, one not major after all."""
    events: list[DomainEvent] = [
        *classified(ONE),
        applied(0),
        prioritised(1),
        changed(example(MajorDeclared), occurred_at=at(2)),
        changed(example(ManagementInformed), occurred_at=at(3)),
        changed(example(CustomerInformed), occurred_at=at(4)),
        escalated(5),
        rejected(6),
        escalated(7, SERVERS),
        acknowledged(8, SERVERS),
        escalated(9, NETWORK, by=member(SERVERS)),
        progress(10),
        notified(11),
        example(WorkaroundProvided),
    ]
    return [
        *((ONE, each) for each in events),
        *((TWO, each) for each in classified(TWO, 1)),
        (TWO, changed(example(IdentifiedAsSame), existing=ONE)),
        *((THREE, each) for each in classified(THREE, 2)),
        (THREE, changed(example(MajorDeclared), occurred_at=at(3))),
        (THREE, escalated(4)),
        (THREE, escalated(5, SERVERS)),
        (THREE, example(JudgedNotMajor)),
    ]


@frozen(kw_only=True)
class Read:
    """What the readers say."""

    moved: tuple[MovedIncident, ...]
    last_moved: tuple[MovedIncident, ...]
    between: tuple[Pair, ...]
    soon: tuple[BoardEntry, ...]
    late: tuple[BoardEntry, ...]
    statuses: tuple[CustomerStatus | None, ...]


def read(url: str) -> Read:
    """Everything that the readers say of the story, its events coming in two parts and one of them twice."""
    engine = create_engine(url)
    source = ListSource(journal=recorded(*story()), cuts=[(3, 20), (7, 40)])
    views = Projections(engine, source, VIEWS)
    views.catch_up()
    with views.reading() as connection:
        found = Read(
            moved=most_moved(connection, since=at(0), until=at(60)),
            last_moved=most_moved(connection, since=at(8), until=at(60), limit=1),
            between=pairs(connection, since=at(0), until=at(60)),
            soon=board(connection, now=at(30)),
            late=board(connection, now=at(100)),
            statuses=tuple(
                customer_status(connection, each) for each in (ONE, TWO, THREE, IncidentId("none"))
            ),
        )
    engine.dispose()
    return found


def test_the_readers_say_the_same_on_every_store(store_url: str) -> None:
    """Counts, orders, what is owed and what a customer sees do not depend on the database."""
    found = read(store_url)

    assert found == read("sqlite://")
    assert [(each.incident, each.reassignments, each.bounces, each.returns) for each in found.moved] == [
        (ONE, 1, 1, 1),
        (THREE, 1, 0, 0),
    ]
    assert [each.incident for each in found.last_moved] == [ONE]
    assert len(found.between) == 4
    for entries, overdue in ((found.soon, False), (found.late, True)):
        (entry,) = entries
        assert [owed.overdue_by is not None for owed in entry.owed] == [overdue]
    assert [status and status.standing for status in found.statuses] == [
        Standing.IN_WORK,
        Standing.IN_WORK,
        Standing.IN_WORK,
        None,
    ]


@pytest.mark.parametrize(
    ("asked_at", "standing"),
    [(5, Standing.RECEIVED), (100, Standing.IN_WORK), (200, Standing.RESOLVED)],
)
def test_the_past_of_what_is_the_same_as_another_is_that_ones(
    store_url: str, asked_at: float, standing: Standing
) -> None:
    """The views of one incident alone, as of then, know how far the one that carries on for it was."""
    resolve = ask(Resolve, incident=OTHER, at=minute(150), restored_at=minute(140))
    with ServiceDesk.open(store_url, clock=lambda: minute(1_000)) as desk:
        for command in (*MERGED, resolve):
            assert isinstance(command, Command)
            desk.handle(command)
        past = as_of(desk.journal, OccurredBy(at=minute(asked_at)))
        with past.reading([CUSTOMER_STATUS], of=INCIDENT) as alone, past.reading() as among_all:
            seen = customer_status(alone, INCIDENT)

            assert seen is not None
            assert seen.standing is standing
            assert seen == customer_status(among_all, INCIDENT)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store in which the demo was played; tests only read it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('played') / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) == ExitCode.DONE
    return url


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every terminal the same width."""
    monkeypatch.setenv("COLUMNS", "100")


def asked(url: str, words: str, capsys: pytest.CaptureFixture[str], code: ExitCode = ExitCode.DONE) -> str:
    """What the program says to these words."""
    capsys.readouterr()
    assert run(["--store", url, *words.split()]) == code
    said = capsys.readouterr()
    return said.out if code is ExitCode.DONE else said.err


def data(url: str, words: str, capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(asked(url, f"{words} --json", capsys))


def test_ping_pong_shows_the_way_an_incident_went(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The scanners went to the wrong group first, which rejected them."""
    said = asked(played, "pingpong --from 2026-03-01 --to 2026-04-01", capsys)
    answer = data(played, "pingpong --from 2026-03-01 --to 2026-04-01", capsys)

    assert "service desk > workplace (rejected) > network" in " ".join(said.split())
    assert set(answer) == {"since", "until", "incidents", "pairs"}
    assert [(each["incident"], each["bounces"]) for each in answer["incidents"]] == [(SCANNERS, 1)]
    assert {(each["giver"], each["taker"], each["rejected"]) for each in answer["pairs"]} == {
        (None, "workplace", 1),
        (None, "network", 0),
    }


def test_ping_pong_of_a_quiet_period_says_so(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is no error."""
    said = asked(played, "pingpong --from 2025-03-01 --to 2025-04-01", capsys)

    assert said == "Nothing went to and fro in this period.\n"


def test_a_period_that_ends_before_it_begins_is_refused(
    played: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the option."""
    said = asked(played, "pingpong --from 2026-04-01 --to 2026-03-01", capsys, ExitCode.MISUSED)

    assert "--to" in said


def test_the_board_shows_the_major_incident_only(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The telephones, with the group that holds them, and that nobody said when the next news come."""
    said = asked(played, "board", capsys)
    answer = data(played, "board", capsys)

    told = " ".join(said.split())
    assert "the customer was last told at 2026-03-02 10:01; no next update is announced" in told
    assert set(answer) == {"at", "entries"}
    assert [(each["incident"], each["group"], each["owed"]) for each in answer["entries"]] == [
        (TELEPHONES, "network", [])
    ]


def test_the_board_of_the_past_shows_what_was_owed_then(
    played: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute after the declaration neither management nor the customer knew."""
    (entry,) = data(played, "board --as-of-occurred 2026-03-02T09:57", capsys)["entries"]

    assert [(each["what"], each["overdue_by"]) for each in entry["owed"]] == [
        ("inform_management", "PT60S"),
        ("inform_customer", "PT60S"),
    ]


def test_a_board_without_major_incidents_says_so(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is no error."""
    said = asked(played, "board --as-of-occurred 2026-03-02T08:00", capsys)

    assert said.splitlines()[2:] == ["There is no major incident."]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (f"status {SCANNERS}", f"Your report {SCANNERS}: It is closed."),
        ("status 2 --language es", f"Su aviso {SCANNERS}: Está cerrado."),
        (f"status {TELEPHONES}", f"Your report {TELEPHONES}: We are working on it."),
        (
            f"status {SCANNERS} --as-of-occurred 2026-03-02T12:10",
            f"Your report {SCANNERS}: It is resolved; please tell us whether it works for you.",
        ),
    ],
)
def test_a_customer_is_told_in_plain_words(
    played: str, words: str, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their language, and as of any instant."""
    assert first in asked(played, words, capsys).splitlines()


def test_a_status_names_no_group_and_nobody(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the story tells of them: groups, people, other customers, and what they wrote."""
    internal = ("network", "workplace", "chen", "emil", "amaya", "bruno", "iker", "Unai", "firmware", "CHG")
    told = "until it is mended, use the network of bay 1", "Connect the scanners to the network of bay 1"
    for incident in (SCANNERS, TELEPHONES, PRINTER):
        for words in (f"status {incident}", f"status {incident} --language es", f"status {incident} --json"):
            said = " ".join(asked(played, words, capsys).split())
            for each in told:
                said = said.replace(each, "")
            assert [each for each in internal if each in said] == [], said


def test_a_status_as_data_has_the_sentence_too(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever builds a portal need not know the sentences."""
    answer = data(played, f"status {SCANNERS} --language es", capsys)

    assert answer["said"] == "Está cerrado."
    assert set(answer) == {
        "reference",
        "number",
        "standing",
        "said",
        "news",
        "workaround",
        "next_update_due",
    }


def test_there_is_no_status_of_an_unknown_reference(played: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The line says which word was not found."""
    assert "INCIDENT" in asked(played, "status 9999-9999-9999", capsys, ExitCode.REFUSED)
