"""Agreements as files that people write, and the public holidays that they may ask for."""

import json
import sys
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from incident_adapters.agreement_file import AgreementFile, BadAgreement, read_agreement
from incident_adapters.holidays_source import public_holidays
from incident_domain import HoldReason, Holiday, Party, PublishAgreement, TargetKind, Window
from incident_domain.priority import Priority
from incident_domain.validation import InvalidValue
from tests.documents import ROOT, blocks
from tests.examples import GOLD, GOLD_TERMS, MANAGER
from tests.process_spec import minute

GOLD_FILE = """
agreement = "gold"
party = "customer"
holds_from = 2026-01-01T00:00:00+01:00
warn_at_percent = [50, 80]
escalate_to = "head-eva"

[hours]
timezone = "Europe/Madrid"
mon = ["09:00-14:00", "15:00-18:00"]
tue = ["09:00-14:00", "15:00-18:00"]
wed = ["09:00-14:00", "15:00-18:00"]
thu = ["09:00-14:00", "15:00-18:00"]
fri = ["09:00-14:00", "15:00-18:00"]

[[hours.holidays]]
date = 2026-01-06
name = "Epifanía del Señor"
source = "holidays 0.84"

[pauses]
resolve = ["customer", "change"]

[[targets]]
kind = "acknowledge"
priority = 1
minutes = 15

[[targets]]
kind = "update"
priority = 1
minutes = 60

[[targets]]
kind = "resolve"
priority = 1
minutes = 240

[[targets]]
kind = "resolve"
priority = 1
minutes = 120
service = "printing"

[[targets]]
kind = "resolve"
priority = 2
minutes = 480
"""
SMALL: dict[str, Any] = {
    "agreement": "small",
    "party": "group",
    "holds_from": "2026-01-01T00:00:00Z",
    "group": "network",
    "hours": {"timezone": "UTC", "sat": ["00:00-24:00"]},
    "targets": [{"kind": "resolve", "priority": 3, "minutes": 60}],
}


def written(tmp_path: Path, content: str | bytes, name: str = "gold.toml") -> Path:
    """A file with this content."""
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def small(tmp_path: Path, **different: Any) -> Path:
    """A small agreement as JSON, with what is different; None leaves a key out."""
    content = {key: value for key, value in {**SMALL, **different}.items() if value is not None}
    return written(tmp_path, json.dumps(content), "small.json")


def test_a_toml_file_is_the_agreement_that_it_describes(tmp_path: Path) -> None:
    """Hours, holidays, targets, pauses, warnings and whom to call in are all there."""
    read = read_agreement(written(tmp_path, GOLD_FILE))

    assert read == AgreementFile(
        agreement=GOLD,
        party=Party.CUSTOMER,
        holds_from=datetime(2025, 12, 31, 23, tzinfo=UTC),
        terms=GOLD_TERMS,
    )
    assert read.publication(MANAGER, minute(0)) == PublishAgreement(
        agreement=GOLD,
        by=MANAGER,
        at=minute(0),
        party=Party.CUSTOMER,
        holds_from=datetime(2025, 12, 31, 23, tzinfo=UTC),
        terms=GOLD_TERMS,
    )


def test_the_file_that_the_documentation_shows_is_one(tmp_path: Path) -> None:
    """It has every part that a file may have, and its own holidays besides the public ones."""
    [shown] = [each for each in blocks(ROOT / "docs/reference/service-levels.md") if each.language == "toml"]

    terms = read_agreement(written(tmp_path, shown.text)).terms

    assert [each.minutes for each in terms.targets] == [15, 240, 120]
    sources = {each.date: each.source for each in terms.hours.holidays}
    assert sources[date(2026, 4, 28)] == "the calendar of the province"
    assert sources[date(2026, 1, 6)] == f"holidays {version('holidays')}"


def test_a_json_file_says_the_same_as_a_toml_file(tmp_path: Path) -> None:
    """The keys and the values are the same in both."""
    read = read_agreement(
        small(tmp_path, pauses={"resolve": ["supplier"]}, hours={"timezone": "UTC", "sat": ["22:00-24:00"]})
    )

    assert (read.party, read.terms.group) == (Party.GROUP, "network")
    assert read.terms.hours.weekly == ((),) * 5 + ((Window(1320, 1440),), ())
    [rule] = read.terms.pauses
    assert (rule.kind, rule.reasons) == (TargetKind.RESOLVE, (HoldReason.SUPPLIER,))
    assert read.terms.targets[0].priority is Priority.MODERATE


def test_public_holidays_are_looked_up_once_and_listed_ones_go_before(tmp_path: Path) -> None:
    """Each says where it is known from; the release of the package is part of that."""
    hours = {
        "timezone": "Europe/Madrid",
        "mon": ["09:00-18:00"],
        "public_holidays": {"country": "ES", "subdivision": "PV", "years": [2026]},
        "holidays": [{"date": "2026-01-06", "name": "Reyes", "source": "the branch"}],
    }

    found = {each.date: each for each in read_agreement(small(tmp_path, hours=hours)).terms.hours.holidays}

    source = f"holidays {version('holidays')}"
    assert found[date(2026, 1, 1)] == Holiday(date=date(2026, 1, 1), name="Año Nuevo", source=source)
    assert found[date(2026, 1, 6)] == Holiday(date=date(2026, 1, 6), name="Reyes", source="the branch")
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("different", "rule"),
    [
        ({"agreement": None}, "agreement"),
        ({"agreement": " "}, "agreement: must not be blank"),
        ({"color": "gold"}, "color"),
        ({"party": "friend"}, "party"),
        ({"holds_from": "2026-01-01T00:00:00"}, "holds_from"),
        ({"holds_from": "soon"}, "holds_from"),
        ({"targets": [{"kind": "resolve", "priority": 6, "minutes": 60}]}, r"targets\[0\].priority"),
        ({"targets": [{"kind": "fix", "priority": 1, "minutes": 60}]}, r"targets\[0\].kind"),
        ({"targets": [{"kind": "resolve", "priority": 1, "minutes": "60"}]}, r"targets\[0\].minutes"),
        ({"targets": [{"kind": "resolve", "priority": 1, "minutes": 0}]}, "minutes must be above zero"),
        ({"pauses": {"resolve": ["lunch"]}}, "pauses"),
        ({"pauses": {"repair": ["customer"]}}, "pauses"),
        ({"warn_at_percent": [100]}, "warn_at_percent"),
        ({"agreement": "a" * 201}, "agreement: must have at most 200 characters"),
        ({"party": "group", "group": None}, "group: must name the group with which this is agreed"),
        ({"hours": {"timezone": "UTC", "mon": ["9:00-18:00"]}}, "hours.mon: must be hours such as"),
        ({"hours": {"timezone": "UTC", "mon": ["09:00-18:60"]}}, "hours.mon: must be hours such as"),
        ({"hours": {"timezone": "UTC", "mon": ["09:00-25:00"]}}, "mon: hours must lie between"),
        ({"hours": {"timezone": "UTC", "tue": ["22:00-06:00"]}}, "hours.tue: must end after they begin"),
        ({"hours": {"timezone": "UTC", "someday": ["09:00-18:00"]}}, "someday"),
        ({"hours": {"timezone": "Europe/Bilbao"}}, "timezone: must be an IANA time zone"),
        ({"hours": {"timezone": "UTC", "holidays": [{"date": "2026-02-30"}]}}, "hours.holidays"),
        (
            {"hours": {"timezone": "UTC", "public_holidays": {"country": "XX", "years": [2026]}}},
            "country: must be an ISO 3166-1 code",
        ),
    ],
)
def test_a_file_that_is_no_agreement_is_refused(tmp_path: Path, different: dict[str, Any], rule: str) -> None:
    """The one error names the file, the place in it and the rule."""
    file = small(tmp_path, **different)
    with pytest.raises(BadAgreement, match=rule) as bad:
        read_agreement(file)
    assert str(bad.value).startswith(f"{file}: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gold.toml", b"agreement = "),
        ("gold.toml", b"\xff\xfe"),
        ("gold.toml", b""),
        ("gold.json", b"{"),
        ("gold.json", b"\xff"),
        ("gold.json", b"[]"),
        ("gold.yaml", b"agreement: gold"),
        ("gold.toml", b"a = " + b"[" * 5000 + b"]" * 5000),
        ("gold.toml", b"a = " + b"9" * 5000),
    ],
)
def test_bytes_that_are_no_such_file_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    """Damaged, empty, or of another format: the same error."""
    with pytest.raises(BadAgreement, match=name):
        read_agreement(written(tmp_path, content, name))


@pytest.mark.parametrize(
    ("different", "said"),
    [
        (
            {"party": "custommer"},
            "party: must be one of customer, group, supplier; did you mean customer?",
        ),
        ({"party": "nobody"}, "party: must be one of customer, group, supplier"),
        (
            {"targets": [{"kind": "resolv", "priority": 3, "minutes": 60}]},
            "targets[0].kind: must be one of acknowledge, update, resolve; did you mean resolve?",
        ),
        (
            {"targets": [{"kind": "resolve", "priority": 9, "minutes": 60}]},
            "targets[0].priority: must be one of 1, 2, 3, 4, 5",
        ),
        (
            {"pauses": {"resolving": ["customer"]}},
            "pauses: must be one of acknowledge, update, resolve; did you mean resolve?",
        ),
        (
            {"pauses": {"resolve": ["change", "costumer"]}},
            (
                "pauses[...][1]: must be one of customer, supplier, change, problem, evidence; "
                "did you mean customer?"
            ),
        ),
        (
            {"hours": {"timezone": "UTC", "monday": []}},
            (
                "hours: has no monday; it may have timezone, mon, tue, wed, thu, fri, sat, sun, holidays, "
                "public_holidays; did you mean mon?"
            ),
        ),
        (
            {"hours": {"timezone": "UTC", "public_holidays": {"county": "ES", "years": [2026]}}},
            (
                "hours.public_holidays: has no county; it may have country, years, subdivision; "
                "did you mean country?"
            ),
        ),
        (
            {"warn_at_percents": [50]},
            (
                "file: has no warn_at_percents; it may have agreement, party, holds_from, hours, targets, "
                "pauses, warn_at_percent, escalate_to, group; did you mean warn_at_percent?"
            ),
        ),
    ],
)
def test_a_wrong_word_is_refused_with_those_that_may_stand_there(
    tmp_path: Path, different: dict[str, Any], said: str
) -> None:
    """Nobody has to look them up; where one is near, it is offered."""
    file = small(tmp_path, **different)
    with pytest.raises(BadAgreement) as bad:
        read_agreement(file)
    assert str(bad.value) == f"{file}: {said}"


def test_a_byte_order_mark_is_no_part_of_what_a_file_says(tmp_path: Path) -> None:
    """Some editors begin every file with one, be it TOML or JSON."""
    mark, name = "\ufeff", "marked.json"

    assert read_agreement(written(tmp_path, mark + json.dumps(SMALL), name)) == read_agreement(
        small(tmp_path)
    )
    assert read_agreement(written(tmp_path, mark + GOLD_FILE)).agreement == "gold"


def test_the_holidays_of_a_part_of_a_country_are_more_than_those_of_the_whole() -> None:
    """They come by date, once each, for exactly the years asked for."""
    spain, basque = public_holidays("ES", None, [2026]), public_holidays("ES", "PV", [2026, 2025, 2026])

    assert {each.date for each in spain} <= {each.date for each in basque}
    assert [each.date for each in basque] == sorted({each.date for each in basque})
    assert {each.date.year for each in basque} == {2025, 2026}


@pytest.mark.parametrize(
    ("country", "subdivision", "year", "field"),
    [("XX", None, 2026, "country"), ("ES", "XX", 2026, "subdivision"), ("ES", None, 1500, "years")],
)
def test_holidays_that_nobody_knows_are_refused(
    country: str, subdivision: str | None, year: int, field: str
) -> None:
    """An empty list would say that everybody works."""
    with pytest.raises(InvalidValue) as wrong:
        public_holidays(country, subdivision, [year])
    assert wrong.value.field == field


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who asks for public holidays needs it."""
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(InvalidValue, match=r"pip install 'itil-incidents\[calendars\]'"):
        public_holidays("ES", None, [2026])


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A spreadsheet under the wrong name is the usual reason."""
    file = tmp_path / "gold.toml"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(BadAgreement, match="must be text in UTF-8; save it so"):
        read_agreement(file)
