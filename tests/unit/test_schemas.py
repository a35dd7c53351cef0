"""The JSON Schema of the archive says what the codec writes, and nothing else."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from incident_adapters.codec import Entry, EventMapper
from incident_domain.events import WIRE_NAMES
from tests.strategies import entries
from tools.schemas import FILE, ROOT, archive_schema, main

GOLDEN: Final = sorted((Path(__file__).parent.parent / "golden").iterdir())
LINES: Final[Any] = Draft202012Validator(archive_schema())


def line(name: str, state: Any) -> dict[str, Any]:
    return {"position": 7, "stream": "4T7K-9QXM-C3VW", "version": 1, "name": name, "state": state}


def test_the_schema_that_is_published_is_that_of_the_code() -> None:
    """What stands in docs/ is what the event classes say, and itself a good schema."""
    published = json.loads((ROOT / FILE).read_text(encoding="utf-8"))

    Draft202012Validator.check_schema(published)
    assert main(["--check"]) == 0


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_keeps_to_the_schema_of_its_name(golden: Path) -> None:
    """Every version of every event that was ever written is described, each under its own name."""
    state = json.loads(golden.read_bytes())

    assert list(LINES.iter_errors(line(golden.stem, state))) == []
    assert not LINES.is_valid(line(golden.stem + "0", state))


@given(st.sampled_from(list(WIRE_NAMES)).flatmap(entries))
def test_whatever_the_codec_writes_keeps_to_the_schema(entry: Entry) -> None:
    """No event with any content that its types allow is outside the schema."""
    stored = EventMapper().to_stored_event(entry)

    assert list(LINES.iter_errors(line(stored.topic, json.loads(stored.state)))) == []


def _with(*way: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        holder = state
        for key in way[:-1]:
            holder = holder[key]
        holder[way[-1]] = value

    return change


def _no_reason(state: dict[str, Any]) -> None:
    del state["event"]["reason"]


@pytest.mark.parametrize(
    "change",
    [
        _with("event", "more", value=1),
        _no_reason,
        _with("event", "reason", value="nobody"),
        _with("event", "awaited", value=None),
        _with("event", "until", value="2026-03-02T08:15:00Z"),
        _with("event", "by", "role", value="boss"),
        _with("recorded_at", value="2026-03-02 08:15:00.000000Z"),
        _with("event_id", value="7"),
        _with("more", value=1),
    ],
)
def test_what_the_codec_would_refuse_the_schema_refuses(change: Callable[[dict[str, Any]], None]) -> None:
    """An extra key, a missing one, or a value of another kind is an error, however deep it lies."""
    [held] = [json.loads(each.read_bytes()) for each in GOLDEN if each.stem == "incident.put_on_hold.v1"]
    changed = copy.deepcopy(held)
    change(changed)

    assert LINES.is_valid(line("incident.put_on_hold.v1", held))
    assert not LINES.is_valid(line("incident.put_on_hold.v1", changed))


def test_the_lines_that_hold_no_event_are_described() -> None:
    """Header, hashes and end have schemas of their own; a version that is not known is none."""
    header = {
        "format": "incident-archive",
        "version": 1,
        "schema": "urn:itil-incidents:archive:1",
        "written_by": "itil-incidents 0.1.0",
        "selection": {"incident": None, "organisation": None, "from": None, "to": None},
        "through": 56,
        "events": 56,
        "signed": 56,
    }

    assert LINES.is_valid(header)
    assert not LINES.is_valid({**header, "version": 2})
    assert LINES.is_valid({"leaves": "AA==", "first": 1})
    assert LINES.is_valid({"leaf": "AA==", "position": 1, "inclusion": ["AA=="]})
    assert LINES.is_valid({"checkpoint": None})
    assert not LINES.is_valid({"checkpoint": 1})
