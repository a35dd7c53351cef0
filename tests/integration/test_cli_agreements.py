"""Agreements published and listed on the command line, on real stores."""

from pathlib import Path

import pytest

from incident_adapters.cli_errors import ExitCode
from incident_adapters.service_desk import ServiceDesk
from incident_domain.actor import Role
from incident_domain.events import AgreementId, AgreementPublished
from tests.integration.test_cli import Incidents, incidents

__all__ = ["incidents"]

GOLD = """
agreement = "gold"
party = "customer"
holds_from = {since}

[hours]
timezone = "Europe/Madrid"
mon = ["09:00-18:00"]

[[targets]]
kind = "resolve"
priority = 2
minutes = {minutes}

[[targets]]
kind = "resolve"
priority = 1
minutes = 60
service = "payments"
"""


def gold(folder: Path, since: str = "2026-01-01T00:00:00Z", minutes: int = 480) -> str:
    """A file with the agreement."""
    file = folder / "gold.toml"
    file.write_text(GOLD.format(since=since, minutes=minutes))
    return str(file)


@pytest.mark.clause("P3.7")
def test_the_incident_manager_publishes_versions(
    incidents: Incidents, tmp_path: Path, store_url: str
) -> None:
    """Each file is a version, with who published it; the same file again records nothing."""
    as_ben = ("--by", "ben", "--role", "incident-manager", "--store", store_url)

    first = incidents("agreements", "publish", gold(tmp_path), *as_ben)
    again = incidents("agreements", "publish", gold(tmp_path), *as_ben, "--json")
    second = incidents(
        "agreements", "publish", gold(tmp_path, "2026-04-01T00:00:00Z", 360), *as_ben, "--json"
    )

    assert (first.code, first.out) == (ExitCode.DONE, "Published version 1 of gold.\n")
    assert again.data == {"agreement": "gold", "version": None, "published": False}
    assert second.data == {"agreement": "gold", "version": 2, "published": True}
    with ServiceDesk.open(store_url) as desk:
        recorded = desk.journal.read("agreement-gold")
    assert [(each.by.person, each.by.role) for each in recorded] == [("ben", Role.INCIDENT_MANAGER)] * 2
    assert all(
        isinstance(each.event, AgreementPublished) and each.event.agreement == AgreementId("gold")
        for each in recorded
    )


def test_all_versions_are_listed(incidents: Incidents, tmp_path: Path, store_url: str) -> None:
    """The list has every version with its targets by kind and service; as data it has every term."""
    as_ben = ("--by", "ben", "--role", "incident-manager", "--store", store_url)
    incidents("agreements", "publish", gold(tmp_path), *as_ben)
    incidents("agreements", "publish", gold(tmp_path, "2026-04-01T00:00:00Z", 360), *as_ben)

    text = incidents("agreements", "list", "--store", store_url)
    data = incidents("agreements", "list", "--json", "--store", store_url).data

    lines = [" ".join(each.split()) for each in text.out.splitlines()]
    assert lines[1:] == [
        "gold customer 1 2026-01-01 00:00 Europe/Madrid, no holidays",
        *("resolve: P2 480", "resolve payments: P1 60"),
        "gold customer 2 2026-04-01 00:00 Europe/Madrid, no holidays",
        *("resolve: P2 360", "resolve payments: P1 60"),
    ]
    (agreement,) = data["agreements"]
    assert (agreement["agreement"], agreement["party"]) == ("gold", "customer")
    assert [each["version"] for each in agreement["versions"]] == [1, 2]
    assert agreement["versions"][1]["terms"]["targets"][0]["minutes"] == 360


def test_nothing_agreed_is_said_so(incidents: Incidents, store_url: str) -> None:
    """A store without agreements has an empty list."""
    with ServiceDesk.open(store_url):
        pass

    assert incidents("agreements", "list", "--store", store_url).out == "Nothing is agreed.\n"
    assert incidents("agreements", "list", "--json", "--store", store_url).data == {"agreements": []}


@pytest.mark.clause("P3.7")
def test_only_the_incident_manager_publishes(incidents: Incidents, tmp_path: Path) -> None:
    """The service desk is refused, with who may, and nothing is recorded."""
    url = f"sqlite:///{tmp_path / 'desk.sqlite'}"

    refused = incidents(
        *("agreements", "publish", gold(tmp_path), "--by", "amira", "--role", "service-desk"),
        *("--store", url),
    )

    assert (refused.code, refused.out) == (ExitCode.REFUSED, "")
    assert "the incident manager does (P3.7)" in refused.err
    assert incidents("agreements", "list", "--json", "--store", url).data == {"agreements": []}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("agreement = 'gold'", "party"),
        (GOLD.format(since="2026-01-01T00:00:00Z", minutes=0), "minutes must be above zero"),
    ],
)
def test_a_file_that_is_no_agreement_is_said_so(
    incidents: Incidents, tmp_path: Path, content: str | None, said: str
) -> None:
    """A file that is missing or bad is one line that says what is wrong, and no store is made."""
    file = tmp_path / "bad.toml"
    if content is not None:
        file.write_text(content)
    store = tmp_path / "desk.sqlite"

    ran = incidents(
        *("agreements", "publish", str(file), "--by", "ben", "--role", "incident-manager"),
        *("--store", f"sqlite:///{store}"),
    )

    assert (ran.code, ran.out, ran.err.count("\n")) == (ExitCode.FILE, "", 1)
    assert said in ran.err
    assert not store.exists()


def test_the_name_of_an_agreement_cannot_steer_the_terminal(incidents: Incidents, tmp_path: Path) -> None:
    """What a file says is shown, with its control characters made visible."""
    file = tmp_path / "red.toml"
    file.write_text(Path(gold(tmp_path)).read_text().replace('"gold"', r'"red\u001b[31m"'))
    store = f"sqlite:///{tmp_path / 'red.sqlite'}"
    publish = ("agreements", "publish", str(file), "--by", "ben", "--role", "incident-manager")

    said = [incidents(*publish, "--store", store).out for _ in range(2)]

    assert said == [
        "Published version 1 of red�[31m.\n",
        "Nothing new: red�[31m was published with these terms before.\n",
    ]
