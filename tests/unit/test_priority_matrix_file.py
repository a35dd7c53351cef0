"""A priority matrix, and hours by themselves, as files that people write."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from incident_adapters.agreement_file import BadAgreement, read_agreement, read_hours
from incident_adapters.priority_matrix_file import BadMatrix, read_priority_matrix
from incident_domain.priority import PRIORITY_MATRIX, Impact, Priority, Urgency
from incident_domain.working_time import Window
from tests.documents import ROOT, blocks

USUAL: dict[str, Any] = {
    "high": {"high": 1, "medium": 2, "low": 3},
    "medium": {"high": 2, "medium": 3, "low": 4},
    "low": {"high": 3, "medium": 4, "low": 5},
}


def written(tmp_path: Path, content: object, name: str = "file.json") -> Path:
    """A file with this content, as JSON unless it is a text."""
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.clause("P2.1")
def test_a_matrix_has_a_priority_for_each_impact_and_urgency(tmp_path: Path) -> None:
    """A table is that of an impact, a key in it that of an urgency."""
    assert read_priority_matrix(written(tmp_path, USUAL)) == PRIORITY_MATRIX

    turned = {**USUAL, "high": {**USUAL["high"], "low": 5}}
    assert read_priority_matrix(written(tmp_path, turned))[Impact.HIGH, Urgency.LOW] is Priority.PLANNING


def test_the_matrix_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    """It says in TOML what a JSON file would say."""
    [shown] = [
        each.text for each in blocks(ROOT / "docs/how-to/what-if.md") if each.text.startswith("# matrix.toml")
    ]

    read = read_priority_matrix(written(tmp_path, shown, "matrix.toml"))

    assert read[Impact.HIGH, Urgency.MEDIUM] is Priority.CRITICAL
    assert read.keys() == PRIORITY_MATRIX.keys()


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"high": {"high": 1, "medium": 2}}, "`low` - at `$.high`"),
        ({"high": {"high": 0, "medium": 2, "low": 3}}, "high.high: must be one of 1, 2, 3, 4, 5"),
        ({"high": {"high": "1", "medium": 2, "low": 3}}, "$.high.high"),
        ({"urgent": {}}, "file: has no urgent; it may have high, medium, low"),
        ({"medium": None}, "$.medium"),
    ],
)
def test_a_matrix_that_is_none_is_refused(tmp_path: Path, different: dict[str, Any], said: str) -> None:
    """One error names the file and the place in it."""
    file = written(tmp_path, {**USUAL, **different})

    with pytest.raises(BadMatrix) as bad:
        read_priority_matrix(file)

    assert str(bad.value).startswith(f"{file}: ")
    assert said in bad.value.rule
    assert str(pickle.loads(pickle.dumps(bad.value))) == str(bad.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.toml", "high = ["),
        ("m.json", "{"),
        ("m.yaml", "high: 1"),
        ("m.toml", ""),
        ("m.toml", f"high = {'[' * 5000}{']' * 5000}"),
        ("m.toml", f"high = {'9' * 5000}"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: str) -> None:
    """What is no TOML or JSON, or holds nothing, is neither a matrix nor hours."""
    file = written(tmp_path, content, name)

    with pytest.raises(BadMatrix):
        read_priority_matrix(file)
    with pytest.raises(BadAgreement):
        read_hours(file)


HOURS: dict[str, Any] = {
    "timezone": "Europe/Madrid",
    "mon": ["09:00-14:00", "15:00-18:00"],
    "holidays": [{"date": "2026-01-06", "name": "Reyes", "source": "the branch"}],
}


def test_hours_by_themselves_are_those_of_an_agreement(tmp_path: Path) -> None:
    """The same keys under no heading give the same hours."""
    agreement: dict[str, Any] = {
        "agreement": "gold",
        "party": "customer",
        "holds_from": "2026-01-01T00:00:00Z",
        "hours": HOURS,
        "targets": [],
    }

    hours = read_hours(written(tmp_path, HOURS))

    assert hours == read_agreement(written(tmp_path, agreement)).terms.hours
    assert hours.weekly[0] == (Window(540, 840), Window(900, 1080))


@pytest.mark.parametrize(
    ("different", "said"),
    [
        ({"timezone": "Europe/Madird"}, "timezone: must be an IANA time zone"),
        ({"mon": ["9-18"]}, "hours.mon: must be hours"),
        ({"monday": ["09:00-18:00"]}, "has no monday; it may have timezone, mon, tue"),
        ({"timezone": None}, "$.timezone"),
    ],
)
def test_hours_that_are_none_are_refused(tmp_path: Path, different: dict[str, Any], said: str) -> None:
    """One error names the file, the field and the rule."""
    file = written(tmp_path, {**HOURS, **different})

    with pytest.raises(BadAgreement) as bad:
        read_hours(file)

    assert str(bad.value).startswith(f"{file}: ")
    assert said in bad.value.rule
