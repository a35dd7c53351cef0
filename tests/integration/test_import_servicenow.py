import gzip
import json
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incident_adapters.import_account import ImportAccount
from incident_adapters.service_desk import Contended, ServiceDesk
from incident_adapters.servicenow import ImportProgress, import_servicenow
from incident_adapters.servicenow_commands import incident_of
from incident_adapters.servicenow_log import LogUnreadable
from incident_domain import (
    Actor,
    AssignNumber,
    AwaitingClosure,
    Capacity,
    Channel,
    Customer,
    Ended,
    InClassification,
    Party,
    PersonId,
    PublishAgreement,
    Recorded,
    RegisterIncident,
    Reporter,
    Role,
    RowsImported,
    SourceRowKept,
    Unregistered,
)
from incident_domain.incident import Incident
from incident_domain.validation import InvalidValue
from tests.agreements import GOLD, GOLD_TERMS
from tests.importing import MADRID, import_and_be_killed, import_elsewhere
from tests.servicenow_logs import HEADER, REAL_LOG, a_log, a_row, needs_real_log

LISBON = ZoneInfo("Europe/Lisbon")


def import_log(url: str, log: Path, zone: ZoneInfo = MADRID) -> ImportAccount:
    with ServiceDesk.open(url) as desk:
        return import_servicenow(desk, log, zone=zone)


def incident(url: str, number: int) -> Incident:
    with ServiceDesk.open(url) as desk:
        return desk.incident(incident_of(number))


def standing(url: str, number: int) -> InClassification:
    """An incident that stands in step 2."""
    found = incident(url, number)
    assert isinstance(found, InClassification)
    return found


def recorded(url: str) -> list[Recorded]:
    with ServiceDesk.open(url) as desk:
        return desk.journal.read_all(0, 1_000_000)


def but_for_the_time_of_recording(url: str) -> list[tuple[Any, ...]]:
    """Everything that the journal holds, except for when it was recorded."""
    with ServiceDesk.open(url) as desk:
        rows = desk.journal.store.read(0, 1_000_000)
    held: list[tuple[Any, ...]] = []
    for position, stream, version, name, state in rows:
        content = json.loads(state)
        assert content.pop("recorded_at")
        held.append((position, stream, version, name, content))
    return held


def part_of_the_real_log(path: Path, lines: int) -> Path:
    with gzip.open(REAL_LOG, "rb") as log:
        path.write_bytes(b"".join(islice(log, lines)))
    return path


def an_incident(number: int, *states: str) -> list[str]:
    """The rows of an incident that goes through these states, an hour each."""
    return [
        a_row(number=f"INC{number:07}", incident_state=state, sys_updated_at=f"1/3/2016 {hour:02}:00")
        for hour, state in enumerate(states, start=1)
    ]


def test_a_log_becomes_incidents_that_stand_where_it_left_them(store_url: str, tmp_path: Path) -> None:
    """Open is open, resolved is resolved and closed is closed."""
    log = a_log(
        tmp_path / "log.csv",
        [
            *an_incident(1, "New"),
            *an_incident(2, "New", "Resolved"),
            *an_incident(3, "New", "Active", "Awaiting User Info", "Resolved", "Closed"),
            *an_incident(4, "New", "Closed"),
        ],
    )

    account = import_log(store_url, log)

    assert account.rows == 10
    assert isinstance(incident(store_url, 1), InClassification)
    assert isinstance(incident(store_url, 2), AwaitingClosure)
    assert isinstance(incident(store_url, 3), Ended)
    assert isinstance(incident(store_url, 4), Ended)


def test_every_row_has_exactly_one_outcome(tmp_path: Path) -> None:
    """Recorded, recorded with deviations, no change or refused: together they are all the rows."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    log = a_log(
        tmp_path / "log.csv",
        [
            *an_incident(1, "New", "New", "Awaiting User Info", "Active", "Closed", "Closed", "Active"),
            a_row(incident_state="-100"),
            "junk",
        ],
    )

    account = import_log(url, log)

    assert (account.rows, account.recorded, account.deviating, account.unchanged) == (9, 2, 2, 2)
    assert account.refused == {"ended": 1, "unknown-state": 1, "wrong-columns": 1}
    step_1, closing = ("P1.2", "P1.6", "P1.8", "P1.11"), ("P4.1", "P5.1", "P5.2")
    assert account.deviations == dict.fromkeys((*step_1, *closing), 1)


def test_a_refused_row_is_kept_word_for_word(tmp_path: Path) -> None:
    """With its line, a code, a reason and the digest of its bytes; the rows around it go on."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    junk = b"\x00\xff junk"
    long = b"x" * (10 * 2**20)
    log = a_log(tmp_path / "log.csv", [*an_incident(1, "New"), junk, long, *an_incident(2, "New")])

    account = import_log(url, log)

    kept = [each.event for each in recorded(url) if isinstance(each.event, SourceRowKept)]
    assert [(row.row, row.code) for row in kept] == [(3, "not-utf-8"), (4, "line-too-long")]
    assert kept[0].verbatim == "\\x00\\xff junk"
    assert kept[0].sha256 == sha256(junk).hexdigest()
    assert kept[1].verbatim == "x" * 10_000
    assert kept[1].sha256 == sha256(long).hexdigest()
    assert (account.rows, account.deviating) == (4, 2)
    assert isinstance(incident(url, 2), InClassification)


def test_nothing_of_a_refused_row_is_recorded(tmp_path: Path) -> None:
    """The registration could stand, but what follows it in the row cannot, so that neither does."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    log = a_log(tmp_path / "log.csv", [a_row(number="INC0000001", sys_updated_at="28/2/2016 00:00")])

    account = import_log(url, log)

    assert account.refused == {"before-registration": 1}
    assert isinstance(incident(url, 1), Unregistered)


def test_a_row_before_the_one_before_it_contradicts_the_log(tmp_path: Path) -> None:
    """An incident's updates follow each other; the next row that does so goes on."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    rows = an_incident(1, "New", "Active", "Resolved")
    log = a_log(tmp_path / "log.csv", [rows[1], rows[0], rows[2]])

    account = import_log(url, log)

    assert account.refused == {"goes-back-in-time": 1}
    assert isinstance(incident(url, 1), AwaitingClosure)


def test_the_hour_that_comes_twice_goes_on(tmp_path: Path) -> None:
    """When clocks are put back, 02:10 after 02:50 is twenty minutes later and not earlier."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    log = a_log(
        tmp_path / "log.csv",
        [
            a_row(sys_updated_at="30/10/2016 02:50"),
            a_row(sys_updated_at="30/10/2016 02:10", incident_state="Resolved"),
        ],
    )

    assert import_log(url, log).refused == {}
    assert [f"{each.occurred_at:%H:%M}" for each in recorded(url)][-1] == "01:10"


def test_a_number_that_is_taken_is_left_out(store_url: str, tmp_path: Path) -> None:
    """A number is never reused: the import goes on without, and says so as a deviation (P1.5)."""
    log = a_log(tmp_path / "log.csv", an_incident(1, "New", "Closed"))
    with ServiceDesk.open(store_url) as desk:
        _register_here(desk, number=1)

    account = import_log(store_url, log)

    now = incident(store_url, 1)
    assert account.deviations["P1.5"] == 1
    assert isinstance(now, Ended)
    assert now.record.intake.number is None


def _register_here(desk: ServiceDesk, number: int) -> None:
    name, at = desk.new_incident_id(), datetime(2016, 1, 1, tzinfo=UTC)
    agent = Actor(person=PersonId("agent"), role=Role.SERVICE_DESK)
    manager = Actor(person=PersonId("manager"), role=Role.INCIDENT_MANAGER)
    customer = Customer(
        person=PersonId("c"), organisation="o", name="C", workplace="Madrid", telephone="1", email=None
    )
    reporter = Reporter(name="C", capacity=Capacity.USER, channel=Channel.PHONE)
    desk.handle(
        RegisterIncident(incident=name, by=agent, at=at, reporter=reporter, customer=customer, summary="s")
    )
    desk.handle(AssignNumber(incident=name, by=manager, at=at, number=number))


def test_a_second_run_imports_nothing(store_url: str, tmp_path: Path) -> None:
    """The journal stays as it is, and the account is the same; so it is under another name."""
    log = a_log(tmp_path / "log.csv", an_incident(1, "New", "Active", "Closed"))
    first = import_log(store_url, log)
    before = recorded(store_url)

    assert import_log(store_url, log) == first
    assert import_log(store_url, log.rename(tmp_path / "renamed.csv")) == first
    assert recorded(store_url) == before


def test_a_log_that_has_grown_goes_on(tmp_path: Path) -> None:
    """Only the new rows are recorded, seen behind those that came before them."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    rows = an_incident(1, "New", "Active", "Resolved", "Closed")
    import_log(url, a_log(tmp_path / "log.csv", rows[:2]))
    before = recorded(url)

    account = import_log(url, a_log(tmp_path / "log.csv", rows))

    after = recorded(url)
    assert account.rows == 4
    assert after[: len(before)] == before
    assert [each.event.through_row for each in after if isinstance(each.event, RowsImported)] == [3, 5]
    assert isinstance(incident(url, 1), Ended)


@pytest.mark.parametrize("change", ["another row", "fewer rows", "another zone"])
def test_another_log_than_the_one_that_was_begun_is_refused(tmp_path: Path, change: str) -> None:
    """What is accounted for has to be the same, or the account would be of something else."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    rows = an_incident(1, "New", "Active", "Resolved")
    import_log(url, a_log(tmp_path / "log.csv", rows))
    other = {"another row": [rows[0], rows[2], rows[2]], "fewer rows": rows[:2], "another zone": rows}[change]

    with pytest.raises(LogUnreadable, match=r"up to line 4 it is not the log that was imported before, or"):
        import_log(url, a_log(tmp_path / "log.csv", other), LISBON if change == "another zone" else MADRID)


def agree(url: str, holds_from: datetime) -> None:
    """Publish the agreement that the tests import under."""
    with ServiceDesk.open(url) as desk:
        desk.handle(
            PublishAgreement(
                agreement=GOLD,
                by=Actor(person=PersonId("ben"), role=Role.INCIDENT_MANAGER),
                at=desk.journal.now(),
                party=Party.CUSTOMER,
                holds_from=holds_from,
                terms=GOLD_TERMS,
            )
        )


def test_every_incident_of_a_log_falls_under_the_agreement_it_is_imported_with(
    store_url: str, tmp_path: Path
) -> None:
    """One that was opened before the agreement held deviates from P3.7, and none runs on it."""
    log = a_log(
        tmp_path / "log.csv",
        [
            a_row(number="INC0000001", opened_at="1/3/2016 08:00", sys_updated_at="1/3/2016 09:00"),
            a_row(number="INC0000002", opened_at="1/3/2016 12:00", sys_updated_at="1/3/2016 13:00"),
        ],
    )
    agree(store_url, datetime(2016, 3, 1, 10, tzinfo=MADRID))

    with ServiceDesk.open(store_url) as desk:
        account = import_servicenow(desk, log, zone=MADRID, agreement=GOLD)

    assert account.deviations["P3.7"] == 1
    assert [dict(standing(store_url, each).record.agreements) for each in (1, 2)] == [{}, {GOLD: 1}]


def test_an_import_under_an_agreement_that_was_never_published_records_nothing(
    store_url: str, tmp_path: Path
) -> None:
    """A slip in the name must not become a deviation of every incident."""
    with (
        ServiceDesk.open(store_url) as desk,
        pytest.raises(InvalidValue, match="gold was never published; publish it first"),
    ):
        import_servicenow(desk, a_log(tmp_path / "log.csv", [a_row()]), zone=MADRID, agreement=GOLD)

    assert recorded(store_url) == []


def test_an_import_does_not_go_on_under_another_agreement(tmp_path: Path) -> None:
    """Half of a log under an agreement and half without is what nobody wants."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    log = a_log(tmp_path / "log.csv", [a_row()])
    agree(url, datetime(2016, 1, 1, tzinfo=UTC))
    import_log(url, log)

    with ServiceDesk.open(url) as desk, pytest.raises(LogUnreadable, match="or agreement is another"):
        import_servicenow(desk, log, zone=MADRID, agreement=GOLD)


def test_a_log_without_rows_is_nothing_to_import(tmp_path: Path) -> None:
    """The account is empty, and so is the journal."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"

    assert import_log(url, a_log(tmp_path / "log.csv", [])).rows == 0
    assert recorded(url) == []


def test_a_damaged_log_keeps_what_was_read(tmp_path: Path) -> None:
    """The import stops with the line, and goes on there once the file is whole."""
    url = f"sqlite:///{tmp_path / 'incidents.db'}"
    rows = [row for number in range(1, 1201) for row in an_incident(number, "New")]
    whole = gzip.compress(a_log(tmp_path / "log.csv", rows).read_bytes())
    log = tmp_path / "log.csv.gz"
    log.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(LogUnreadable, match=r"the compressed file is damaged after line \d+; get it again"):
        import_log(url, log)
    kept = recorded(url)
    assert kept

    log.write_bytes(whole)
    assert import_log(url, log).rows == 1200
    assert recorded(url)[: len(kept)] == kept


def test_the_progress_is_told_after_every_write(tmp_path: Path) -> None:
    """How much of the file is read, and the account so far."""
    rows = [row for number in range(1, 1201) for row in an_incident(number, "New")]
    told: list[ImportProgress] = []
    log = a_log(tmp_path / "log.csv", rows)

    with ServiceDesk.open("sqlite://") as desk:
        import_servicenow(desk, log, zone=MADRID, progress=told.append)

    assert [each.account.rows for each in told] == [499, 999, 1200]
    assert told[-1].read == told[-1].size == log.stat().st_size


def test_two_imports_of_one_log_do_not_mix(store_url: str, tmp_path: Path) -> None:
    """The one that comes second stops, and what is in the journal is what one import alone leaves."""
    log = a_log(
        tmp_path / "log.csv",
        [row for number in range(1, 601) for row in an_incident(number, "New", "Closed")],
    )
    undisturbed = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    import_log(undisturbed, log)

    def overtake(_: ImportProgress) -> None:
        import_log(store_url, log)

    with ServiceDesk.open(store_url) as desk, pytest.raises(Contended, match=r"somebody else is importing"):
        import_servicenow(desk, log, zone=MADRID, progress=overtake)

    assert but_for_the_time_of_recording(store_url) == but_for_the_time_of_recording(undisturbed)


def test_memory_does_not_grow_with_a_line(tmp_path: Path) -> None:
    """A line of 512 MB is read over in pieces."""
    log = tmp_path / "log.csv.gz"
    with gzip.open(log, "wb", compresslevel=1) as out:
        out.write(HEADER.encode() + b"\n")
        for _ in range(512):
            out.write(b"x" * 2**20)
        out.write(b"\n" + an_incident(1, "New")[0].encode() + b"\n")

    imported = import_elsewhere(f"sqlite:///{tmp_path / 'incidents.db'}", log)

    assert imported.account.refused == {"line-too-long": 1}
    assert imported.account.rows == 2
    assert imported.megabytes < 256


@needs_real_log
def test_killed_at_any_place_and_started_again_it_leaves_the_same_journal(
    store_url: str, tmp_path: Path
) -> None:
    """Positions, streams, versions, ids and events are those of an import without interruption."""
    log = part_of_the_real_log(tmp_path / "log.csv", 3001)
    undisturbed = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    import_log(undisturbed, log)

    assert import_and_be_killed(store_url, log, looks=1)
    assert import_and_be_killed(store_url, log, looks=700)
    assert import_and_be_killed(store_url, log, writes=1)
    assert import_and_be_killed(store_url, log, looks=1501)
    assert import_and_be_killed(store_url, log, looks=2000)
    while import_and_be_killed(store_url, log, looks=2000):
        pass

    assert but_for_the_time_of_recording(store_url) == but_for_the_time_of_recording(undisturbed)
