"""Personal data under a key of each data subject."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

import incident_domain as itil
from incident_adapters.journal import Journal
from incident_adapters.key_store import Key, SQLKeyStore, keys_beside
from incident_adapters.personal_seal import DamagedSeal, PersonalSeal, master_key
from incident_adapters.recorder import StoreError
from incident_adapters.service_desk import ServiceDesk
from incident_domain.personal import ERASED, SEALED

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AGENT = itil.Actor(person=itil.PersonId("amira"), role=itil.Role.SERVICE_DESK)
SECRET = "Zacarias Quiroga"


def registration(incident: str, person: str = "c-117", name: str = SECRET) -> itil.RegisterIncident:
    """A registration that says the customer's name wherever it can."""
    return itil.RegisterIncident(
        incident=itil.IncidentId(incident),
        by=AGENT,
        at=NOW,
        reporter=itil.Reporter(name=name, capacity=itil.Capacity.USER, channel=itil.Channel.PHONE),
        customer=itil.Customer(
            person=itil.PersonId(person),
            organisation="acme",
            name=name,
            workplace="Madrid",
            telephone="+34 600 000 000",
        ),
        summary=f"{name} has no mail",
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def keys_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a key store that is not there yet, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'apart.db'}"
        return
    server_url, name = request.getfixturevalue("postgresql_url"), f"keys_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield server_url.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def states(desk: ServiceDesk) -> bytes:
    """All that the journal holds, byte for byte."""
    return b"".join(row[4] for row in desk.journal.store.read(0, 1000))


def test_what_is_written_about_a_customer_is_sealed_and_reads_as_it_was(
    store_url: str, keys_url: str
) -> None:
    """The journal's bytes hold no personal text, and whoever has the keys reads all of it."""
    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        desk.handle(registration("A"))

        assert SECRET.encode() not in states(desk)
        assert b"Madrid" not in states(desk)

    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        [read] = desk.journal.read("A")
        assert isinstance(read.event, itil.IncidentRegistered)
        assert read.event.customer.name == SECRET


def test_a_later_event_is_sealed_for_the_customer_of_its_incident(store_url: str, keys_url: str) -> None:
    """An event that names nobody is about whom the incident is about, also in a process that comes later."""
    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        desk.handle(registration("A", "c/1: ñ"))
    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        desk.handle(
            itil.RecordInteraction(
                incident=itil.IncidentId("A"), by=AGENT, at=NOW, channel=itil.Channel.PHONE, text=SECRET
            )
        )

        assert SECRET.encode() not in states(desk)
        assert states(desk).count(b'"sealed:v1:c%2F1%3A%20%C3%B1:') == 6


def test_a_sealed_text_opens_only_where_it_stands(keys_url: str) -> None:
    """A sealed text moved to another field, stream or person is damaged, and the error repeats none of it."""
    seal = PersonalSeal(SQLKeyStore(keys_url))
    sealed = seal.seal(SECRET, subject="c-117", stream="A", field="summary")

    assert seal.open(sealed, stream="A", field="summary") == SECRET
    for moved, stream, field in (
        (sealed, "B", "summary"),
        (sealed, "A", "customer.name"),
        (sealed.replace("c-117", "c-118"), "A", "summary"),
        (sealed[:-2] + ("A" if sealed[-2] != "A" else "B") + sealed[-1], "A", "summary"),
    ):
        with pytest.raises(DamagedSeal) as raised:
            seal.open(moved, stream=stream, field=field)
        assert SECRET not in str(raised.value)
    seal.close()


def test_a_store_that_was_readable_stays_so_and_what_comes_is_sealed(tmp_path: Path) -> None:
    """Sealed and readable texts live in one journal; the key store beside an SQLite file is found."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    with ServiceDesk.open(url) as desk:
        desk.handle(registration("A", name="Readable"))
    beside = keys_beside(url)
    assert beside == f"sqlite:///{tmp_path / 'incidents.keys.db'}"
    with ServiceDesk.open(url, keys=beside) as desk:
        desk.handle(registration("B"))

    with ServiceDesk.open(url) as desk:
        names = [
            each.event.customer.name
            for each in desk.journal.read_all(0, 10)
            if isinstance(each.event, itil.IncidentRegistered)
        ]

    assert names == ["Readable", SECRET]


def test_without_the_keys_a_sealed_text_reads_as_sealed(
    store_url: str, keys_url: str, tmp_path: Path
) -> None:
    """An auditor without the key store reads everything else; with another key store it is not "erased"."""
    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        desk.handle(registration("A"))

    for keys in (None, PersonalSeal(SQLKeyStore(f"sqlite:///{tmp_path / 'other.db'}"))):
        with Journal.open(store_url, seal=keys) as journal:
            [read] = journal.read("A")
        assert isinstance(read.event, itil.IncidentRegistered)
        assert read.event.customer.name == SEALED
        assert read.event.customer.person == "c-117"


def test_a_text_in_the_form_of_a_sealed_one_is_no_trick(tmp_path: Path, keys_url: str) -> None:
    """Where texts are sealed it comes back as it was; where they stand readable it is refused."""
    with closing(PersonalSeal(SQLKeyStore(keys_url))) as seal:
        forged = seal.seal("x", subject="c-1", stream="A", field="summary")
    with ServiceDesk.open(f"sqlite:///{tmp_path / 'sealed.db'}", keys=keys_url) as desk:
        desk.handle(registration("A", name=forged))
        [read] = desk.journal.read("A")
        assert isinstance(read.event, itil.IncidentRegistered)
        assert read.event.customer.name == forged

    with ServiceDesk.open(f"sqlite:///{tmp_path / 'readable.db'}") as desk:
        with pytest.raises(
            ValueError, match=r"field reporter\.name: must not have the form of a sealed text"
        ):
            desk.handle(registration("A", name=forged))
        desk.handle(registration("B", name="sealed:v1: is how it begins"))
        assert [each.stream for each in desk.journal.read_all(0, 10)] == ["B"]


def test_keys_never_lie_in_the_journals_own_database(store_url: str) -> None:
    """A backup of the journal must not bring the keys along."""
    with pytest.raises(StoreError, match="keys must be apart"):
        ServiceDesk.open(store_url, keys=store_url)


def test_a_forgotten_key_is_erased_and_who_comes_back_gets_a_new_one(store_url: str, keys_url: str) -> None:
    """What was sealed before stays erased, in every process, and what is written afterwards is readable."""
    with (
        ServiceDesk.open(store_url, keys=keys_url) as desk,
        ServiceDesk.open(store_url, keys=keys_url) as other,
    ):
        desk.handle(registration("A"))
        assert SECRET in repr(other.incident(itil.IncidentId("A")))

        with closing(SQLKeyStore(keys_url)) as keys:
            assert keys.forget("c-117") == 1
        desk.handle(registration("B", name="Nueva"))

        for each in (desk, other):
            a, b = (read.event for read in each.journal.read_all(0, 10))
            assert isinstance(a, itil.IncidentRegistered)
            assert isinstance(b, itil.IncidentRegistered)
            assert (a.customer.name, a.summary, b.customer.name) == (ERASED, ERASED, "Nueva")
            assert SECRET not in repr(each.incident(itil.IncidentId("A")))


def test_nothing_readable_gets_among_what_is_sealed(store_url: str, keys_url: str) -> None:
    """A desk that was opened without the keys records nothing personal; what is not personal goes in."""
    with ServiceDesk.open(store_url, keys=keys_url) as desk:
        desk.handle(registration("A"))

    with ServiceDesk.open(store_url) as desk:
        with pytest.raises(StoreError, match="open it with its key store"):
            desk.handle(registration("B"))
        manager = itil.Actor(person=itil.PersonId("ben"), role=itil.Role.INCIDENT_MANAGER)
        desk.handle(itil.AssignNumber(incident=itil.IncidentId("A"), by=manager, at=NOW))

        assert [each.stream for each in desk.journal.read_all(0, 10)] == ["A", "A"]


def test_a_master_key_keeps_the_key_stores_file_closed(tmp_path: Path, keys_url: str) -> None:
    """With another master key, or none, no key comes out, and the error says what is needed."""
    url, master = f"sqlite:///{tmp_path / 'incidents.db'}", bytes(range(32))
    with ServiceDesk.open(url, keys=SQLKeyStore(keys_url, master)) as desk:
        desk.handle(registration("A"))
    with ServiceDesk.open(url, keys=SQLKeyStore(keys_url, master)) as desk:
        assert SECRET in repr(desk.journal.read("A"))

    for wrong in (None, bytes(32)):
        with (
            ServiceDesk.open(url, keys=SQLKeyStore(keys_url, wrong)) as desk,
            pytest.raises(StoreError, match="another master key"),
        ):
            desk.journal.read("A")


def test_a_master_key_is_read_from_a_file(tmp_path: Path) -> None:
    """It is 32 bytes in base64; anything else is refused without being repeated."""
    file = tmp_path / "master"
    file.write_bytes(b64encode(bytes(range(32))) + b"\n")
    assert master_key(file) == bytes(range(32))

    for wrong in (b"c2hvcnQ=", b"not base64 at all"):
        file.write_bytes(wrong)
        with pytest.raises(StoreError, match="must hold 32 bytes in base64") as refused:
            master_key(file)
        assert wrong.decode() not in str(refused.value)


def test_the_key_store_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """Its file is its owner's alone from the beginning."""
    SQLKeyStore(f"sqlite:///{tmp_path / 'own.db'}").close()

    assert (tmp_path / "own.db").stat().st_mode & 0o077 == 0


def test_many_at_once_agree_on_a_persons_key(keys_url: str) -> None:
    """Whoever seals first makes the key, and everybody else seals with that one."""

    def keys_made(_: int) -> Mapping[str, Key]:
        with closing(SQLKeyStore(keys_url)) as store:
            return store.keys_of([f"c-{n}" for n in range(50)])

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(keys_made, range(8)))

    assert len({key.name for each in keys for key in each.values()}) == 50
    assert all(each == keys[0] for each in keys)
