"""Configuration items and planned changes, in memory and from files (P1.7, P3.6)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_adapters.catalogue_file import BadCatalogue
from incident_adapters.configuration_items import ListedConfigurationItems
from incident_adapters.planned_changes import ListedPlannedChanges
from incident_domain.events import ConfigurationItem
from incident_domain.ports import ConfigurationItems, PlannedChange, PlannedChanges

LASER = ConfigurationItem(item="ci-17", name="Laser 17", kind="printer")
SWITCH = ConfigurationItem(item="ci-18", name="switch, 2nd floor", kind="network")
EVENING = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)

ITEMS_CSV = 'item,name,kind\nci-17,Laser 17,printer\n\nci-18,"switch, 2nd floor",network\n'
ITEMS_JSON = """[
  {"item": "ci-17", "name": "Laser 17", "kind": "printer"},
  {"item": "ci-18", "name": "switch, 2nd floor", "kind": "network"}
]
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


@pytest.fixture(params=["memory", "csv", "json"])
def items(request: pytest.FixtureRequest, tmp_path: Path) -> ConfigurationItems:
    """Give the same two items from each implementation."""
    match request.param:
        case "memory":
            return ListedConfigurationItems([LASER, SWITCH])
        case "csv":
            return ListedConfigurationItems.from_file(written(tmp_path, "items.csv", ITEMS_CSV))
        case _:
            return ListedConfigurationItems.from_file(written(tmp_path, "items.json", ITEMS_JSON))


@pytest.mark.clause("P1.7")
def test_p1_7_an_item_is_found_by_its_identifier(items: ConfigurationItems) -> None:
    """The exact identifier finds the item, and nothing else does."""
    assert items.find("ci-18") == SWITCH
    assert items.find("CI-18") is None


@pytest.mark.clause("P1.7")
def test_p1_7_items_are_searched_by_any_of_their_words(items: ConfigurationItems) -> None:
    """Part of the identifier, the name or the kind finds an item in any case."""
    assert items.search("LASER") == [LASER]
    assert items.search("net") == [SWITCH]
    assert items.search("ci-1") == [LASER, SWITCH]
    assert items.search("fax") == []


CHANGES_CSV = """change,title,starts_at,ends_at
CHG-89,router,2026-03-03T21:00:00Z,2026-03-03T22:00:00Z
CHG-88,driver roll-out,2026-03-02T22:00:00+01:00,2026-03-02T23:00:00+01:00
"""
CHANGES_JSON = """[
{"change": "CHG-89", "title": "router",
 "starts_at": "2026-03-03T21:00:00Z", "ends_at": "2026-03-03T22:00:00Z"},
{"change": "CHG-88", "title": "driver roll-out",
 "starts_at": "2026-03-02T22:00:00+01:00", "ends_at": "2026-03-02T23:00:00+01:00"}]"""
ROLL_OUT = PlannedChange(
    change="CHG-88", title="driver roll-out", starts_at=EVENING, ends_at=EVENING + timedelta(hours=1)
)
ROUTER = PlannedChange(
    change="CHG-89",
    title="router",
    starts_at=EVENING + timedelta(days=1),
    ends_at=EVENING + timedelta(days=1, hours=1),
)


@pytest.fixture(params=["memory", "csv", "json"])
def changes(request: pytest.FixtureRequest, tmp_path: Path) -> PlannedChanges:
    """Give the same two changes from each implementation."""
    match request.param:
        case "memory":
            return ListedPlannedChanges([ROUTER, ROLL_OUT])
        case "csv":
            return ListedPlannedChanges.from_file(written(tmp_path, "changes.csv", CHANGES_CSV))
        case _:
            return ListedPlannedChanges.from_file(written(tmp_path, "changes.json", CHANGES_JSON))


@pytest.mark.clause("P3.6")
def test_p3_6_a_planned_change_is_found_by_its_identifier(changes: PlannedChanges) -> None:
    """The exact identifier finds the change, with its times in UTC."""
    assert changes.find("CHG-88") == ROLL_OUT
    assert changes.find("CHG-1") is None


@pytest.mark.clause("P3.6")
def test_p3_6_changes_are_found_by_the_time_they_are_under_way(changes: PlannedChanges) -> None:
    """A change counts from its start until just before its end."""
    assert changes.between(EVENING - timedelta(days=1), EVENING + timedelta(days=7)) == [ROLL_OUT, ROUTER]
    assert changes.between(EVENING + timedelta(minutes=30), EVENING + timedelta(minutes=31)) == [ROLL_OUT]
    assert changes.between(EVENING - timedelta(hours=1), EVENING) == []
    assert changes.between(EVENING + timedelta(hours=1), EVENING + timedelta(hours=2)) == []


BAD_ITEMS: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("items.csv", "", "line 1: must name the columns: item, name, kind"),
    "missing column": ("items.csv", "item,name\nci-1,a\n", "line 1, column kind: is missing"),
    "unknown column": ("items.csv", "item,name,kind,owner\n", "line 1, column owner: is unknown"),
    "column twice": ("items.csv", "item,name,kind,kind\n", "line 1: names a column twice"),
    "short row": ("items.csv", "item,name,kind\nci-1,SECRET\n", "line 2: must have 3 fields"),
    "blank": ("items.csv", "item,name,kind\nci-1,a,b\nci-2,  ,b\n", "line 3, column name: must not be blank"),
    "twice": (
        "items.csv",
        "item,name,kind\nci-1,a,b\nci-1,c,d\n",
        "line 3, column item: is on line 2 already",
    ),
    "after a row of two lines": (
        "items.csv",
        'item,name,kind\nci-1,"a\nb",c\nci-2,,d\n',
        "line 4, column name: must not be blank",
    ),
    "open quote": ("items.csv", 'item,name,kind\nci-1,"SECRET\n', "line 2: must be CSV"),
    "other encoding": ("items.csv", b"item,name,kind\nci-1,caf\xe9,b\n", "line 2: must be UTF-8"),
    "other kind of file": ("items.xls", "x", "line 1: must be a .csv or a .json file"),
    "no array": ("items.json", '{"item": "SECRET"}', "line 1: must be an array of objects"),
    "no object": ("items.json", '[\n"SECRET"]', "line 2: must be an object"),
    "no JSON": ("items.json", '[\n{"item": "SECRET}]', "line 2: must be JSON"),
    "no end": ("items.json", '[\n{"item": "a", "name": "b", "kind": "c"}\n', "line 3: must be one array"),
    "something after the end": ("items.json", "[]\n[]", "line 1: must be one array"),
    "missing key": ("items.json", '[{"item": "a", "kind": "SECRET"}]', "line 1, column name: is missing"),
    "a number": (
        "items.json",
        '[\n\n{"item": 4711, "name": "b", "kind": "c"}]',
        "line 3, column item: must be a text",
    ),
    "key twice": (
        "items.json",
        '[{"item": "a", "item": "b", "name": "c", "kind": "d"}]',
        "line 1: names a column twice",
    ),
}


@pytest.mark.parametrize("fault", BAD_ITEMS)
def test_a_bad_file_is_refused_with_file_line_column_and_rule(fault: str, tmp_path: Path) -> None:
    """The error says where to look and what must be there, and never what is there."""
    name, text, said = BAD_ITEMS[fault]
    file = written(tmp_path, name, text)

    with pytest.raises(BadCatalogue) as raised:
        ListedConfigurationItems.from_file(file)

    assert str(raised.value).startswith(f"{file}, {said}")
    assert "SECRET" not in str(raised.value)
    assert "4711" not in str(raised.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("CHG-1,a,tomorrow,2026-03-02T23:00:00Z", "line 2, column starts_at: must be a time in ISO 8601"),
        (
            "CHG-1,a,2026-03-02T23:00:00,2026-03-02T23:00:00Z",
            "line 2, column starts_at: must name its",
        ),
        ("CHG-1,a,2026-03-02T23:00:00Z,2026-03-02T22:00:00Z", "line 2, column ends_at: must not be before"),
    ],
)
def test_a_change_that_cannot_be_planned_is_refused(row: str, said: str, tmp_path: Path) -> None:
    """Times need a zone, and an end comes after its start."""
    file = written(tmp_path, "changes.csv", f"change,title,starts_at,ends_at\n{row}\n")

    with pytest.raises(BadCatalogue) as raised:
        ListedPlannedChanges.from_file(file)

    assert str(raised.value).startswith(f"{file}, {said}")


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    """A file with no entries is no fault."""
    assert ListedConfigurationItems.from_file(written(tmp_path, "a.csv", "item,name,kind\n")).search("") == []
    assert ListedConfigurationItems.from_file(written(tmp_path, "a.json", " [ ] \n")).search("") == []
