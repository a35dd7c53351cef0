"""What other programs make of the exported journal: DuckDB, pm4py, and plain readers of JSON and XML."""

import json
import shutil
import sqlite3
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import duckdb
import pytest
from eventsourcing.persistence import StoredEvent
from jsonschema import Draft202012Validator

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.cli_export import Format
from incident_adapters.converters import written_instant
from incident_adapters.demo_stage import SCANNERS
from incident_adapters.journal import Journal
from incident_domain.envelope import Recorded
from incident_domain.events import WIRE_NAMES, IncidentEvent, Prioritised
from incident_projections.process_mining import activity
from tests.exporting import export_elsewhere
from tests.long_journals import tell_again
from tests.servicenow_logs import needs_real_log
from tools.schemas import event_schema

XES: Final = "{http://www.xes-standard.org/}"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a store in which the demo was played; nobody exports it, which is recorded."""
    file = tmp_path_factory.mktemp("played") / "demo.sqlite"
    assert run(["demo", "--store", f"sqlite:///{file}"]) == ExitCode.DONE
    return file


@pytest.fixture
def told(played: Path, tmp_path: Path) -> str:
    """Give the URL of a store of one's own in which the demo was played."""
    return f"sqlite:///{shutil.copyfile(played, tmp_path / 'told.sqlite')}"


@pytest.fixture(scope="module")
def history(played: Path) -> list[Recorded]:
    """Give all that the journal of the demo holds."""
    with Journal.open(f"sqlite:///{played}") as journal:
        return journal.read_all(0, 1000)


@pytest.fixture(scope="module")
def of_incidents(history: list[Recorded]) -> list[Recorded]:
    """Give what happened to its incidents, which is what is mined: no agreement is."""
    return [each for each in history if isinstance(each.event, IncidentEvent)]


def export(url: str, file: Path, form: Format, *narrowed: str) -> Path:
    """Export with the program."""
    words = ["export", str(file), "--format", form.value, *narrowed, "--store", url]
    assert run(words) == ExitCode.DONE
    return file


@pytest.fixture(scope="module")
def mining() -> Any:
    """Give pm4py; what it says to whoever imports it is not about us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("pm4py")


@pytest.mark.parametrize("narrowed", [(), ("--to", "1999-01-01")])
def test_a_batch_of_cloud_events_is_an_array_whose_data_keep_to_their_schemas(
    told: str, history: list[Recorded], tmp_path: Path, narrowed: tuple[str, ...]
) -> None:
    """Each event has the attributes that CloudEvents 1.0 asks for, and its data the schema it names."""
    batch = json.loads(export(told, tmp_path / "batch.json", Format.CLOUDEVENTS, *narrowed).read_bytes())

    assert len(batch) == (0 if narrowed else len(history))
    for found, recorded in zip(batch, history, strict=False):
        name = WIRE_NAMES[type(recorded.event)]
        assert found["specversion"] == "1.0"
        assert found["source"] == "urn:itil-incidents:journal"
        assert (found["id"], found["type"]) == (str(recorded.event_id), name)
        assert (found["subject"], found["time"]) == (recorded.stream, written_instant(recorded.occurred_at))
        assert all(key.isalnum() and key.islower() and len(key) <= 20 for key in found)
        assert int(found["sequence"]) == recorded.position
        schema: Any = Draft202012Validator(event_schema(name))
        assert found["dataschema"] == schema.schema["$id"]
        assert list(schema.iter_errors(found["data"])) == []
    assert [each["sequence"] for each in batch] == sorted(each["sequence"] for each in batch)


def test_parquet_answers_questions_in_sql(told: str, history: list[Recorded], tmp_path: Path) -> None:
    """DuckDB finds every event with its times as instants, and reads into the event itself."""
    file = export(told, tmp_path / "journal.parquet", Format.PARQUET)

    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.execute(f"CREATE VIEW journal AS SELECT * FROM '{file}'")
        counted = database.execute("SELECT name, count(*) FROM journal GROUP BY name").fetchall()
        times = database.execute(
            "SELECT position, occurred_at, recorded_at FROM journal ORDER BY 1"
        ).fetchall()
        priorities = database.execute(
            "SELECT stream, CAST(event->>'$.priority' AS INTEGER) FROM journal "
            "WHERE name = 'incident.prioritised.v1' ORDER BY position"
        ).fetchall()

    assert dict(counted) == Counter(WIRE_NAMES[type(each.event)] for each in history)
    assert times == [(each.position, each.occurred_at, each.recorded_at) for each in history]
    assert priorities == [
        (each.stream, each.event.priority.value) for each in history if isinstance(each.event, Prioritised)
    ]


def traces(file: Path) -> Iterator[tuple[str, list[dict[str, str]]]]:
    for trace in ElementTree.parse(file).getroot().iter(f"{XES}trace"):
        events = [
            {each.attrib["key"]: each.attrib["value"] for each in event}
            for event in trace.iter(f"{XES}event")
        ]
        yield trace[0].attrib["value"], events


def test_xes_has_a_trace_for_each_incident(told: str, of_incidents: list[Recorded], tmp_path: Path) -> None:
    """In each trace stand the events of its incident, in their order, with who did what and when."""
    found = dict(traces(export(told, tmp_path / "journal.xes", Format.XES)))

    streams = {each.stream for each in of_incidents}
    assert set(found) == streams
    for stream in streams:
        told_of = [each for each in of_incidents if each.stream == stream]
        assert [each["concept:name"] for each in found[stream]] == [activity(each.event) for each in told_of]
        assert [each["org:resource"] for each in found[stream]] == [each.by.person for each in told_of]
        assert [datetime.fromisoformat(each["time:timestamp"]) for each in found[stream]] == [
            each.occurred_at for each in told_of
        ]
        assert [each["identity:id"] for each in found[stream]] == [str(each.event_id) for each in told_of]
        assert {each["lifecycle:transition"] for each in found[stream]} == {"complete"}


def test_xes_holds_what_xml_cannot_as_a_replacement_character(told: str, tmp_path: Path) -> None:
    """A control character in somebody's identifier makes no file that nobody can read."""
    store = f"sqlite:///{tmp_path / 'odd.sqlite'}"
    with Journal.open(told) as source, Journal.open(store) as target:
        rows = source.store.read(0, 10)
        target.store.insert_events(
            [
                StoredEvent(row[1], row[2], row[3], row[4].replace(b'"amaya"', b'"am\\u0001ya"'))
                for row in rows
            ]
        )

    resources = {
        each["org:resource"]
        for _, trace in traces(export(store, tmp_path / "odd.xes", Format.XES))
        for each in trace
    }

    assert "am\N{REPLACEMENT CHARACTER}ya" in resources


def test_xes_narrowed_to_a_period_holds_no_empty_trace(told: str, tmp_path: Path) -> None:
    """An incident of which nothing falls into the period is not in the log."""
    [(stream, events)] = traces(
        export(told, tmp_path / "part.xes", Format.XES, "--incident", SCANNERS, "--to", "2026-03-02T09:00")
    )

    assert stream == SCANNERS
    assert {each["time:timestamp"] < "2026-03-02T09:00" for each in events} == {True}


def test_a_model_of_the_demo_is_discovered_and_its_history_conforms(
    told: str, of_incidents: list[Recorded], tmp_path: Path, mining: Any
) -> None:
    """pm4py reads our XES, makes a Petri net of it, and finds every trace in keeping with the net."""
    file = export(told, tmp_path / "journal.xes", Format.XES)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = mining.read_xes(str(file))
        net, begins, ends = mining.discover_petri_net_inductive(log)
        fitness = mining.fitness_token_based_replay(log, net, begins, ends)

    assert Counter(log["concept:name"]) == Counter(activity(each.event) for each in of_incidents)
    assert {each.label for each in net.transitions if each.label} == set(log["concept:name"])
    assert fitness["percentage_of_fitting_traces"] == 100


@pytest.mark.parametrize(("form", "ending"), [(Format.OCEL_JSON, "jsonocel"), (Format.OCEL_SQLITE, "sqlite")])
def test_ocel_knows_what_each_event_was_about(
    told: str, of_incidents: list[Recorded], tmp_path: Path, mining: Any, form: Format, ending: str
) -> None:
    """pm4py reads both forms of OCEL 2.0: the same events, objects, relations and changed attributes."""
    file = export(told, tmp_path / f"journal.{ending}", form)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = (
            mining.read_ocel2_json(str(file))
            if form is Format.OCEL_JSON
            else mining.read_ocel2_sqlite(str(file))
        )

    assert log.is_ocel20()
    assert dict(zip(log.events["ocel:eid"], log.events["ocel:activity"], strict=True)) == {
        str(each.event_id): activity(each.event) for each in of_incidents
    }
    assert Counter(log.objects["ocel:type"]) == {
        "person": 7,
        "incident": 3,
        "group": 2,
        "configuration item": 1,
    }
    subjects = log.relations[log.relations["ocel:qualifier"] == "subject"]
    assert dict(zip(subjects["ocel:eid"], subjects["ocel:oid"], strict=True)) == {
        str(each.event_id): f"incident:{each.stream}" for each in of_incidents
    }
    between = set(zip(log.o2o["ocel:oid"], log.o2o["ocel:oid_2"], log.o2o["ocel:qualifier"], strict=True))
    assert (f"incident:{SCANNERS}", "configuration item:ap-0217", "item") in between
    assert (f"incident:{SCANNERS}", "group:network", "group") in between


def test_both_forms_of_ocel_say_the_same(told: str, tmp_path: Path) -> None:
    """Events with their attributes, objects with theirs over time, and all relations agree."""
    written = json.loads(export(told, tmp_path / "journal.jsonocel", Format.OCEL_JSON).read_bytes())
    file = export(told, tmp_path / "journal.sqlite", Format.OCEL_SQLITE)

    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        related = database.execute("SELECT ocel_event_id, ocel_object_id, ocel_qualifier FROM event_object")
        assert set(related) == {
            (each["id"], one["objectId"], one["qualifier"])
            for each in written["events"]
            for one in each["relationships"]
        }
        changed = database.execute(
            "SELECT ocel_id, ocel_time, ocel_changed_field, priority FROM object_incident "
            "WHERE ocel_changed_field = 'priority' ORDER BY rowid"
        )
        assert sorted(changed) == sorted(
            (each["id"], one["time"], "priority", one["value"])
            for each in written["objects"]
            for one in each["attributes"]
            if one["name"] == "priority"
        )
    declared = {each["name"]: {one["name"] for one in each["attributes"]} for each in written["eventTypes"]}
    for each in written["events"]:
        assert {one["name"] for one in each["attributes"]} <= declared[each["type"]]


@pytest.mark.parametrize("form", [Format.XES, Format.OCEL_JSON, Format.OCEL_SQLITE])
def test_event_logs_for_mining_carry_no_personal_text(told: str, tmp_path: Path, form: Format) -> None:
    """Neither name nor telephone, workplace or words of a person is in them; identifiers are."""
    written = export(told, tmp_path / "log", form).read_bytes()

    for text in ("Unai Rey", "unai@parcels.example", "Zaragoza, loading bay 4", "prints blank labels"):
        assert text.encode() not in written
    assert b"unai" in written


@pytest.mark.parametrize("form", Format)
def test_memory_does_not_grow_with_the_journal(
    told: str, postgres_database: str, tmp_path: Path, form: Format
) -> None:
    """Five times as many events take no more memory; SQLite would keep pages of the store in it."""
    with Journal.open(told) as source, Journal.open(postgres_database) as target:
        tell_again(source, target, 200)
        few = export_elsewhere(postgres_database, tmp_path / "few", form)
        tell_again(source, target, 1000, after=200)
        assert target.head() == 60 * 1000

    many = export_elsewhere(postgres_database, tmp_path / "many", form)

    assert (tmp_path / "many").stat().st_size > 3 * (tmp_path / "few").stat().st_size
    assert many.megabytes < few.megabytes + 20


@needs_real_log
def test_the_real_log_is_mined(real_store_url: str, tmp_path: Path, mining: Any) -> None:
    """A model is discovered from 20,769 real incidents, and their conformance to it is measured."""
    measured = export_elsewhere(real_store_url, tmp_path / "journal.xes", Format.XES)
    rows = export_elsewhere(real_store_url, tmp_path / "journal.parquet", Format.PARQUET)

    assert max(measured.megabytes, rows.megabytes) < 400
    with duckdb.connect() as database:
        database.execute(f"CREATE VIEW journal AS SELECT * FROM '{tmp_path / 'journal.parquet'}'")
        [(events, incidents, closed)] = database.execute(
            "SELECT count(*), count(DISTINCT stream) FILTER (name LIKE 'incident.%'), "
            "count(*) FILTER (name = 'incident.closed.v1') FROM journal"
        ).fetchall()
    assert (events, incidents, closed) == (496_415, 20_769, 20_768)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = mining.read_xes(str(tmp_path / "journal.xes"))
        assert log["case:concept:name"].nunique() == incidents
        assert (log["concept:name"] == "incident.closed").sum() == closed
        often = mining.filter_variants_top_k(log, 20)
        model = mining.discover_petri_net_inductive(often)
        fitness = mining.fitness_token_based_replay(log, *model)
    assert 50 < fitness["percentage_of_fitting_traces"] < 100
