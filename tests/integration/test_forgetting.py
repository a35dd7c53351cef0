"""A person is forgotten, and no copy is left of what was known about them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import inspect

import incident_domain as itil
from incident_adapters import recorder_sqlite, remains
from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.archive_line import line_of
from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.forgetting import UnknownPerson, forget
from incident_adapters.recorder import StoreError
from incident_adapters.service_desk import ServiceDesk
from incident_domain.erasure import ForgetPerson
from incident_domain.events import PersonForgotten
from incident_domain.personal import ERASED
from incident_projections.engine import Projections
from incident_projections.similar import INCIDENT_TRAITS, similar_to
from incident_projections.timeline import TIMELINE, timeline
from incident_projections.view import METADATA
from incident_projections.views import views

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AGENT = itil.Actor(person=itil.PersonId("amira"), role=itil.Role.SERVICE_DESK)
MANAGER = itil.Actor(person=itil.PersonId("ben"), role=itil.Role.INCIDENT_MANAGER)
GONE, STAYS = itil.PersonId("c-117"), itil.PersonId("c-200")
FIRST, SECOND, OTHER = (itil.IncidentId(each) for each in ("AAAA-1", "BBBB-2", "CCCC-3"))

TOLD = (
    *("Zacarias", "Quiroga", "zacarias.quiroga@example.org", "600123987", "Calle Xilofono 7", "xilofono"),
    *("quesadilla", "wombat", "yacaranda", "kumquat", "jacinto", "vuvuzela"),
)
"""What is told about the person who is forgotten; stems of the words too, as the index has them."""


def registration(incident: itil.IncidentId, person: itil.PersonId) -> itil.RegisterIncident:
    """A registration that tells much about the one who is forgotten, and nothing about the other."""
    told = person == GONE
    return itil.RegisterIncident(
        incident=incident,
        by=AGENT,
        at=NOW,
        reporter=itil.Reporter(
            name="Zacarias Quiroga" if told else "Ana Sol",
            capacity=itil.Capacity.USER,
            channel=itil.Channel.PHONE,
        ),
        customer=itil.Customer(
            person=person,
            organisation="acme",
            name="Zacarias Quiroga" if told else "Ana Sol",
            workplace="Calle Xilofono 7" if told else "Plaza Mayor",
            telephone="+34 600123987" if told else "+34 611000111",
            email="zacarias.quiroga@example.org" if told else None,
        ),
        summary="The quesadilla printer of Quiroga is dead" if told else "The printer is dead",
    )


def work_on(desk: ServiceDesk, incident: itil.IncidentId, *, told: bool) -> None:
    """Take an incident into step 3, with free text that says something about the customer."""

    def say(word: str) -> str:
        return f"{word} said so" if told else "nothing of note"

    at_desk: dict[str, Any] = {"incident": incident, "by": AGENT, "at": NOW + timedelta(minutes=5)}
    manager: dict[str, Any] = {**at_desk, "by": MANAGER}
    group = itil.GroupId("mail")
    support: dict[str, Any] = {
        **at_desk,
        "by": itil.Actor(person=itil.PersonId("chen"), role=itil.Role.SUPPORT_GROUP, group=group),
    }
    for step in (
        itil.AssignNumber(**manager),
        itil.RecordAnalysis(
            **manager,
            began_at=NOW,
            symptoms=say("wombat"),
            location=say("yacaranda"),
            user=say("jacinto"),
            services=("printing",),
        ),
        itil.RecordAsNew(**manager, reason=say("kumquat")),
        itil.JudgeNotMajor(**manager, reason=say("kumquat")),
        itil.Classify(**at_desk, category="print", impact=itil.Impact.LOW, urgency=itil.Urgency.HIGH),
        itil.RecordNoMatch(**at_desk, consulted=("knowledge base",)),
        itil.EscalateToGroup(
            **at_desk,
            line=itil.Line.SECOND,
            group=group,
            ground=itil.EscalationGround.NO_MATCH,
            reason=say("vuvuzela"),
        ),
        itil.Acknowledge(**support),
        itil.NotifyCustomer(**support, channel=itil.Channel.EMAIL, text=say("kumquat")),
    ):
        desk.handle(step)


def projections(desk: ServiceDesk) -> Projections:
    """Every view of a desk's journal."""
    return Projections(desk.journal.store.engine, desk.journal, views(AgreementTerms(desk.journal)))


def asked(person: str = GONE, by: itil.Actor = MANAGER) -> ForgetPerson:
    return ForgetPerson(person=itil.PersonId(person), by=by, at=NOW + timedelta(hours=1))


def fill(desk: ServiceDesk) -> None:
    """Two incidents of the person who is forgotten, and one of somebody else."""
    for incident, person in ((FIRST, GONE), (SECOND, GONE), (OTHER, STAYS)):
        desk.handle(registration(incident, person))
        work_on(desk, incident, told=person == GONE)


def found_in(data: bytes) -> list[str]:
    """Which of the words that tell about the person stand in these bytes, in any case."""
    low = data.lower()
    return [word for word in TOLD if word.lower().encode() in low or word.lower().encode("utf-16-le") in low]


def lines(desk: ServiceDesk) -> list[bytes]:
    """The journal as a proof hashes it."""
    return [line_of(row) for row in desk.journal.store.read(0, 1000)]


def cells(desk: ServiceDesk) -> Iterator[str]:
    """Everything in every table of the store."""
    with desk.journal.store.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(table.select()):
                yield from (str(value) for value in row)


@pytest.mark.parametrize("ahead", [False, True], ids=["rollback journal", "write-ahead log"])
def test_no_file_of_an_sqlite_store_holds_what_was_forgotten(
    ahead: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain search over the store, its log, the keys and every export finds nothing, and did before."""

    # given
    def wanted(_: tuple[int, int, int]) -> bool:
        return ahead

    monkeypatch.setattr(recorder_sqlite, "write_ahead_log_is_safe", wanted)
    folder = tmp_path / "store"
    folder.mkdir()
    url, keys = f"sqlite:///{folder / 'incidents.db'}", f"sqlite:///{folder / 'incidents.keys.db'}"
    with ServiceDesk.open(url, keys=keys) as desk:
        fill(desk)
        known = projections(desk)
        known.catch_up()
        known.rebuild()
        assert set(found_in(" ".join(cells(desk)).encode())) >= {"quesadilla", "wombat", "kumquat"}
        before = lines(desk)
        logged = folder / f"incidents.db-{'wal' if ahead else 'journal'}"
        assert found_in(logged.read_bytes())

        # when
        done = forget(desk, known, asked())

        # then
        assert (done.incidents, done.left_readable) == (2, 0)
        assert done.texts > 20
        assert lines(desk)[: len(before)] == before
        assert {each.name: found_in(each.read_bytes()) for each in folder.iterdir() if each.is_file()} == {
            each.name: [] for each in folder.iterdir()
        }
    for command in (
        *(["show", "1"], ["timeline", "1"], ["queue", "work"], ["report", "1"], ["status", "1"]),
        *(["report", "1", "--language", "es"], ["report", "1", "--json"], ["rebuild"], ["timeline", "3"]),
        *(
            ["export", str(folder / f"after.{form}"), "--format", form]
            for form in ("jsonl", "cloudevents", "ocel-json", "ocel-sqlite", "xes", "parquet")
        ),
        *(["forget", GONE, "--by", "ben", "--role", "incident-manager"], ["conformance"], ["replay"]),
    ):
        assert run(["--store", url, *command]) == ExitCode.DONE, command
    printed = capsys.readouterr()
    assert found_in((printed.out + printed.err).encode()) == []
    assert ERASED in printed.out
    assert "[borrado]" in printed.out
    assert [each.name for each in folder.iterdir() if found_in(each.read_bytes())] == []


def in_files_of(database: str, words: Callable[[bytes], list[str]]) -> dict[str, list[str]]:
    """What of these words stands in the files of a PostgreSQL database, file by file."""
    with psycopg.connect(database, autocommit=True) as server:
        server.execute("CHECKPOINT")
        folder = server.execute(
            "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
    assert folder is not None
    files = [each for each in Path(folder[0]).iterdir() if each.is_file()]
    assert len(files) > 50
    return {each.name: found for each in files if (found := words(each.read_bytes()))}


def test_no_table_of_a_postgresql_store_holds_what_was_forgotten(
    postgres_database: str, tmp_path: Path
) -> None:
    """Neither a table nor a file of its tables and statistics on the server's disk holds a word of it."""
    with ServiceDesk.open(postgres_database, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)
        known.catch_up()
        with psycopg.connect(postgres_database, autocommit=True) as server:
            server.execute("ANALYZE")
        before = lines(desk)

        forget(desk, known, asked())

        assert lines(desk)[: len(before)] == before
        assert found_in(" ".join(cells(desk)).encode()) == []
        with psycopg.connect(postgres_database, autocommit=True) as server:
            statistics = server.execute("SELECT pg_stats::text FROM pg_stats").fetchall()
        assert found_in(repr(statistics).encode()) == []
        assert in_files_of(postgres_database, found_in) == {}


def test_a_backup_that_runs_on_the_server_is_told_of_and_keeps_no_key(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old rows of views that the server keeps for an older transaction are said; a key is gone at once."""
    # given
    monkeypatch.setattr(remains, "_SECONDS_BETWEEN", 0)
    keys = f"{postgres_database}_keys"
    with psycopg.connect(postgres_database, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(keys.rpartition("/")[2])))
    with ServiceDesk.open(postgres_database, keys=keys) as desk, ExitStack() as backups:
        fill(desk)
        known = projections(desk)
        known.catch_up()
        with psycopg.connect(keys) as server:
            [secret] = server.execute("SELECT secret FROM subject_keys WHERE subject = %s", [GONE]).fetchall()

        def holding_the_key(data: bytes) -> list[str]:
            return ["the key"] * (bytes(secret[0]) in data)

        assert in_files_of(keys, holding_the_key)
        for database in (postgres_database, keys):
            backup = backups.enter_context(psycopg.connect(database))
            backup.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            backup.execute("SELECT 1 FROM pg_class LIMIT 1")

        # when
        with pytest.raises(StoreError, match="a transaction that began before is still open"):
            forget(desk, known, asked())

        # then
        assert in_files_of(keys, holding_the_key) == {}
        assert found_in(" ".join(cells(desk)).encode()) == []
        backups.close()
        forget(desk, known, asked())
        assert in_files_of(postgres_database, found_in) == {}
        assert len(desk.journal.read("erasures")) == 1


def test_everything_shows_that_it_was_erased_and_others_are_untouched(store_url: str, tmp_path: Path) -> None:
    """Views, states in memory and the search for similar incidents have forgotten; the rest stands."""
    keys = f"sqlite:///{tmp_path / 'keys.db'}"
    with ServiceDesk.open(store_url, keys=keys) as desk, ServiceDesk.open(store_url, keys=keys) as running:
        fill(desk)
        known = projections(desk)
        known.catch_up()
        assert "Zacarias" in repr(running.incident(FIRST))
        with known.reading() as connection:
            others = timeline(connection, OTHER)

        forget(desk, known, asked())

        for each in (desk, running):
            assert found_in(repr(each.incident(FIRST)).encode()) == []
            assert found_in(repr(each.incident(OTHER)).encode()) == []
            assert "Ana Sol" in repr(each.incident(OTHER))
        with known.reading() as connection:
            assert f"Registered, reported by phone: {ERASED}." in [
                each.sentence for each in timeline(connection, FIRST)
            ]
            assert timeline(connection, OTHER) == others
            reasons = [str(each) for like in similar_to(connection, FIRST) for each in like.reasons]
            assert any("same service printing" in each for each in reasons)
            assert not any("erased" in each for each in reasons)
            traits = connection.execute(INCIDENT_TRAITS.select()).all()
        assert not any("erased" in row.trait for row in traits)
        # A rebuild, and a projector that comes later, see the same.
        was = sorted(cells(desk))
        known.rebuild()
        assert sorted(cells(desk)) == was


def test_what_was_read_before_an_erasure_is_not_folded_after_it(store_url: str, tmp_path: Path) -> None:
    """A projector that had read its batch when the person was forgotten brings nothing back."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)

        class Meanwhile:
            """A journal's reader that is overtaken by the erasure between its read and its write."""

            def __init__(self) -> None:
                self.overtaken = False

            def head(self) -> int:
                return desk.journal.head()

            def read_all(self, after: int, limit: int, /) -> list[itil.Recorded]:
                batch = desk.journal.read_all(after, limit)
                if not self.overtaken:
                    self.overtaken = True
                    assert "Zacarias" in repr(batch)
                    forget(desk, known, asked())
                return batch

        late = Projections(desk.journal.store.engine, Meanwhile(), views(AgreementTerms(desk.journal)))
        late.catch_up()

        assert found_in(" ".join(cells(desk)).encode()) == []


def test_forgetting_is_recorded_once_and_may_be_begun_again(store_url: str, tmp_path: Path) -> None:
    """The stream of erasures says who forgot whom and when, and nothing else about the person."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)

        first = forget(desk, known, asked())
        again = forget(desk, known, asked())

        [recorded] = desk.journal.read("erasures")
        assert recorded.event == first
        assert (recorded.by, first.person) == (MANAGER, GONE)
        assert (again.texts, again.incidents) == (first.texts, first.incidents)


def test_who_comes_back_can_be_forgotten_again_and_both_are_recorded(store_url: str, tmp_path: Path) -> None:
    """Their new key goes as the old one did, and the stream of erasures tells of both times."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)
        forget(desk, known, asked())
        desk.handle(registration(desk.new_incident_id(), GONE))

        forget(desk, known, asked())

        erasures = desk.journal.read("erasures")
        assert [each.event.incidents for each in erasures if isinstance(each.event, PersonForgotten)] == [
            2,
            3,
        ]
        assert found_in(repr(desk.journal.read_all(0, 1000)).encode()) == []


def test_what_was_recorded_before_there_was_a_key_is_counted(tmp_path: Path) -> None:
    """Bytes are never rewritten: the answer says how much stands readable."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    with ServiceDesk.open(url) as desk:
        desk.handle(registration(FIRST, GONE))
    with ServiceDesk.open(url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        work_on(desk, FIRST, told=True)

        done = forget(desk, projections(desk), asked())

    assert done.left_readable == 6


def test_only_the_incident_manager_forgets_and_only_whom_there_is(tmp_path: Path) -> None:
    """Another role, an unknown person and a desk without keys are refused, and nothing is recorded."""
    url, keys = f"sqlite:///{tmp_path / 'incidents.db'}", f"sqlite:///{tmp_path / 'keys.db'}"
    with ServiceDesk.open(url, keys=keys) as desk:
        fill(desk)
        known = projections(desk)
        with pytest.raises(itil.Refused, match="service_desk may not forget a person"):
            forget(desk, known, asked(by=AGENT))
        with pytest.raises(UnknownPerson) as unknown:
            forget(desk, known, asked("Zacarias Quiroga"))
        assert found_in(str(unknown.value).encode()) == []
        assert desk.journal.read("erasures") == []
        assert "Zacarias" in repr(desk.journal.read(FIRST))
    with ServiceDesk.open(url) as desk, pytest.raises(StoreError, match="no key store"):
        forget(desk, projections(desk), asked())


def test_nobody_is_reported_as_forgotten_while_the_key_is_in_another_store(
    store_url: str, tmp_path: Path
) -> None:
    """A slip in the key store's name, which makes a new and empty one, records nothing."""
    keys = f"sqlite:///{tmp_path / 'keys.db'}"
    with ServiceDesk.open(store_url, keys=keys) as desk:
        fill(desk)

    slip = f"sqlite:///{tmp_path / 'kesy.db'}"
    with ServiceDesk.open(store_url, keys=slip) as desk, pytest.raises(StoreError, match="26 texts about"):
        forget(desk, projections(desk), asked())

    with ServiceDesk.open(store_url, keys=keys) as desk:
        assert desk.journal.read("erasures") == []
        assert forget(desk, projections(desk), asked()).texts == 26


def test_an_erasure_that_was_broken_off_is_finished_by_the_next(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment at which the keys are gone nothing opens, and begun again it clears what is left."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)
        known.catch_up()

        class PowerCut(Exception):
            """The program ends here."""

        def cut(*_: object) -> None:
            raise PowerCut

        with monkeypatch.context() as broken:
            broken.setattr(Projections, "forget", cut)
            with pytest.raises(PowerCut):
                forget(desk, known, asked())
        assert found_in(repr(desk.journal.read_all(0, 1000)).encode()) == []
        assert set(found_in(" ".join(cells(desk)).encode()))

        forget(desk, known, asked())

        assert found_in(" ".join(cells(desk)).encode()) == []
        assert len(desk.journal.read("erasures")) == 1


def test_an_unfinished_rebuild_keeps_nothing(store_url: str, tmp_path: Path) -> None:
    """A table that is being built beside a view is cleared with it, also where its build cannot go on."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)
        known.catch_up()

        class Interrupted(Exception):
            """Whoever rebuilds is ended half-way."""

        def half_way(reached: int, goal: int) -> None:
            raise Interrupted

        with pytest.raises(Interrupted):
            known.rebuild(TIMELINE.name, progress=half_way)
        with desk.journal.store.engine.connect() as connection:
            held = connection.exec_driver_sql("SELECT * FROM timeline_building").all()
        assert found_in(repr(held).encode())

        forget(desk, known, asked())

        assert not inspect(desk.journal.store.engine).has_table("timeline_building")
        assert found_in(" ".join(cells(desk)).encode()) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET name = 'incident.of_a_later_release.v9' WHERE stream = 'AAAA-1' AND version = 4",
        "UPDATE journal SET state = '\xff'::bytea WHERE stream = 'AAAA-1' AND version = 4",
        "UPDATE journal SET state = '{\"person\":\"c-117\"}'::bytea WHERE stream = 'AAAA-1' AND version = 1",
        "DELETE FROM journal WHERE stream = 'AAAA-1' AND version = 4",
    ],
)
def test_an_event_that_cannot_be_read_keeps_nobody_from_being_forgotten(
    store_url: str, tmp_path: Path, change: str
) -> None:
    """The rows of the views go all the same, those of the person's other incidents too."""
    with ServiceDesk.open(store_url, keys=f"sqlite:///{tmp_path / 'keys.db'}") as desk:
        fill(desk)
        known = projections(desk)
        known.catch_up()
        with desk.journal.store.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                change = change.replace("'\\xff'::bytea", "x'ff'").replace("::bytea", "")
            assert connection.exec_driver_sql(change).rowcount == 1

        done = forget(desk, known, asked())

        assert done.incidents == 2
        assert found_in(" ".join(cells(desk)).encode()) == []
        assert "The printer is dead" in " ".join(cells(desk))
