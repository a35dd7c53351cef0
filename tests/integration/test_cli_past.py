"""The past on the command line: every reading command, as of an instant or a position."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from incident_adapters.cli import run
from incident_adapters.cli_errors import ExitCode
from incident_adapters.demo_stage import PRINTER, SCANNERS
from incident_adapters.service_desk import ServiceDesk
from incident_domain import Acknowledge, Actor, GroupId, PersonId, Role

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
READING = [
    ("queue", "review"),
    ("queue", "work"),
    ("queue", "closure"),
    ("show", SCANNERS),
    ("timeline", SCANNERS),
    ("report", SCANNERS),
    ("report", "--from", "2026-03-01"),
    ("board",),
    ("pingpong", "--from", "2026-03-01"),
    ("status", SCANNERS),
    ("agreements", "list"),
]
"""Every command that only reads."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a store with the demo, in which a group acknowledged the printer's incident late.

    It did so at nine, which was recorded long after the story.
    """
    url = f"sqlite:///{tmp_path_factory.mktemp('played') / 'demo.sqlite'}"
    assert run(["demo", "--store", url]) is ExitCode.DONE
    group = Actor(person=PersonId("emil"), role=Role.SUPPORT_GROUP, group=GroupId("workplace"))
    with ServiceDesk.open(url) as desk:
        desk.handle(Acknowledge(incident=PRINTER, by=group, at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC)))
    return url


def said(store: str, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What the program answers, as data."""
    capsys.readouterr()
    assert run([*words, "--store", store, "--json"]) is ExitCode.DONE
    return json.loads(capsys.readouterr().out)


def printed(store: str, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the program tells people, in one line."""
    capsys.readouterr()
    assert run([*words, "--store", store]) is ExitCode.DONE
    return " ".join(capsys.readouterr().out.split())


def refused(store: str, capsys: pytest.CaptureFixture[str], code: ExitCode, *words: str) -> str:
    """What the program says when it does not answer."""
    capsys.readouterr()
    assert run([*words, "--store", store]) is code
    answer = capsys.readouterr()
    assert answer.out == ""
    return answer.err


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_every_reading_command_answers_about_the_past(
    store: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A time without a zone is in UTC, and the answer is that of the last position then."""
    with ServiceDesk.open(store) as desk:
        recorded = [each for each in desk.journal.read_all(0, 1000) if each.recorded_at <= TEN]

    known = said(store, capsys, *words, "--as-of", "2026-03-02T10:00Z")

    assert said(store, capsys, *words, "--as-of", "2026-03-02T11:00+01:00") == known
    assert said(store, capsys, *words, "--as-of", "2026-03-02T10:00") == known
    if words[-1] == SCANNERS and words[0] != "show":
        # The others tell ages too, which are those of that event.
        assert said(store, capsys, *words, "--as-of-position", str(len(recorded))) == known
    if words not in {("queue", "closure"), ("agreements", "list")}:
        assert said(store, capsys, *words) != known


@pytest.mark.parametrize(
    "words", [each for each in READING if each[0] in {"timeline", "report"}], ids=" ".join
)
def test_as_of_the_last_position_it_is_the_present(
    store: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """What tells no ages is word for word the same."""
    with ServiceDesk.open(store) as desk:
        head = desk.journal.head()
    to = ("--to", "2026-03-03") if "--from" in words else ()

    past = said(store, capsys, *words, *to, "--as-of-position", str(head))

    assert past == said(store, capsys, *words, *to)


def test_what_was_known_and_what_was_true_are_two_options(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At ten nobody had recorded that the group had acknowledged receipt at nine."""

    def acknowledged_at(*asked: str) -> object:
        entries = said(store, capsys, "queue", "work", *asked)["entries"]
        return next(each["acknowledged_at"] for each in entries if each["incident"] == PRINTER)

    assert acknowledged_at("--as-of", "2026-03-02T10:00") is None
    assert acknowledged_at("--as-of-occurred", "2026-03-02T10:00") == "2026-03-02T09:00:00Z"
    assert acknowledged_at("--as-of-occurred", "2026-03-02T08:59") is None


def test_ages_are_those_of_the_instant(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An incident that was registered at half past seven is two and a half hours old at ten."""
    entries = said(store, capsys, "queue", "work", "--as-of", "2026-03-02T10:00")["entries"]

    ages = {each["incident"]: each["age"] for each in entries}
    assert ages[PRINTER] == "PT9000S"


@pytest.mark.parametrize("words", [*READING, ("clocks", SCANNERS), ("due",)], ids=" ".join)
def test_every_answer_about_the_past_says_about_which(
    store: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Nobody who scrolls back takes a queue of then for that of now, which says nothing of the kind."""
    asked = {
        "--as-of": ("2026-03-02T10:00", "As it was known on 2026-03-02 10:00."),
        "--as-of-occurred": ("2026-03-02T10:00", "As it was on 2026-03-02 10:00, as far as it is known now."),
        "--as-of-position": ("30", "As of position 30 of the journal."),
    }
    for option, (value, line) in asked.items():
        assert line in printed(store, capsys, *words, option, value)
        assert line not in printed(store, capsys, *words)


def test_a_customer_reads_of_which_past_it_is_in_their_language(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As everything else that they are told."""
    told = printed(store, capsys, "status", SCANNERS, "--language", "es", "--as-of", "2026-03-02T10:00")

    assert told.startswith("Tal como se sabía el 2026-03-02 10:00.")


@pytest.mark.parametrize(
    ("asked", "language", "line"),
    [
        (("--as-of", "2026-03-02T10:00"), "en", "As it was known on 2026-03-02 10:00."),
        (("--as-of-occurred", "2026-03-02T10:00"), "es", "Tal como era el 2026-03-02 10:00, según lo que"),
        (("--as-of-position", "30"), "en", "As of position 30 of the journal."),
    ],
)
@pytest.mark.parametrize("words", [("report", SCANNERS), ("report", "--from", "2026-03-01")], ids=" ".join)
def test_a_report_of_the_past_says_of_which(
    store: str,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    asked: tuple[str, ...],
    language: str,
    line: str,
) -> None:
    """Nobody who finds the page takes it for one of the present."""
    for form in ("text", "html"):
        capsys.readouterr()
        run([*words, *asked, "--language", language, "--format", form, "--store", store])
        assert line in " ".join(capsys.readouterr().out.split())


def test_an_incident_that_was_not_there_yet_is_not_found(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its number or its reference; the line says why, and what to do."""
    for words in (("show", SCANNERS), ("timeline", "2"), ("report", "2"), ("status", SCANNERS)):
        line = refused(store, capsys, ExitCode.REFUSED, *words, "--as-of", "2026-03-02T08:00")
        assert line == (
            "incidents: INCIDENT: nothing was known of it as of then; name a later instant or position\n"
        )


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (("--as-of", "2999-01-01"), "--as-of: lies ahead; the past ends now"),
        (("--as-of-occurred", "2999-01-01"), "--as-of-occurred: lies ahead; the past ends now"),
        (("--as-of-position", "0"), "--as-of-position: must be 1 or more, where the journal begins"),
        (
            ("--as-of-position", "62"),
            "--as-of-position: nothing is recorded there yet; name one from 1 to 61, the last",
        ),
        (
            ("--as-of", "2026-03-02", "--as-of-position", "3"),
            "--as-of: is one question: give --as-of, --as-of-occurred or --as-of-position, not several",
        ),
        (
            ("--as-of", "0001-01-01T00:00+10:00"),
            "--as-of: must lie in the years 1 to 9999 of UTC; correct the year",
        ),
    ],
)
def test_a_past_that_cannot_be_is_refused(
    store: str, capsys: pytest.CaptureFixture[str], asked: tuple[str, ...], line: str
) -> None:
    """The line says which pasts there are."""
    for words in (("queue",), ("agreements", "list")):
        assert refused(store, capsys, ExitCode.MISUSED, *words, *asked) == (
            f"incidents: {line} (incidents --help tells more)\n"
        )


@pytest.mark.parametrize("words", [("views",), ("rebuild",), ("watch", "--once"), ("project",)], ids=" ".join)
def test_a_command_that_does_more_than_read_knows_no_past(
    store: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """It is refused before anything is done."""
    assert "--as-of" in refused(store, capsys, ExitCode.MISUSED, *words, "--as-of", "2026-03-02")


def test_the_past_leaves_the_store_as_it_is(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A view that was never built is not built by a question about the past."""
    before = said(store, capsys, "views")

    said(store, capsys, "timeline", SCANNERS, "--as-of-position", "20")

    now = said(store, capsys, "views")
    assert [(each["view"], each["position"]) for each in now["views"]] == [
        (each["view"], each["position"]) for each in before["views"]
    ]


def test_an_empty_journal_has_no_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no position to name, and the line does not ask for one."""
    url = f"sqlite:///{tmp_path / 'empty.sqlite'}"
    with ServiceDesk.open(url):
        pass

    assert refused(url, capsys, ExitCode.MISUSED, "queue", "--as-of-position", "1") == (
        "incidents: --as-of-position: nothing is recorded yet, so that there is no past"
        " (incidents --help tells more)\n"
    )
