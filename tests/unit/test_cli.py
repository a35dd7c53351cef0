"""What the command line says before any store is opened: help, words, errors."""

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from io import StringIO

import pytest
from eventsourcing.persistence import OperationalError
from rich.console import Console
from sqlalchemy.exc import OperationalError as DatabaseFailed

from incident_adapters.cli import run
from incident_adapters.cli_errors import EXPECTED, ExitCode, explained
from incident_adapters.cli_import import zone_named
from incident_adapters.cli_queue import EVERYTHING, Narrowing, Which, chosen
from incident_adapters.cli_store import Bar
from incident_adapters.cli_text import cell, moment, section
from incident_domain import Actor, Objection, PersonId, Refused, Role
from incident_domain.validation import InvalidValue
from incident_projections.describe import duration
from incident_projections.queue_readers import BadCursor
from incident_projections.views import VIEWS

COMMANDS = (
    *("demo", "queue", "show", "timeline", "report", "import", "import servicenow"),
    *("board", "pingpong", "status"),
    *("agreements", "agreements publish", "agreements list", "what-if"),
    *("rebuild", "views", "project", "watch", "clocks", "due"),
)
GROUPS = ("import", "agreements")


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reports a fault can say what they have."""
    run(["--version"])

    assert capsys.readouterr().out.split() == [version("itil-incidents")]


def test_the_help_of_rebuild_names_every_view(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to make a mistake to learn the names."""
    run(["rebuild", "--help"])

    said = capsys.readouterr().out
    assert [view.name for view in VIEWS if view.name not in said] == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Help says what a command is for, which options hold everywhere, and what the exit codes mean."""
    code = run([*command.split(), "--help"])

    said = capsys.readouterr().out
    assert code == ExitCode.DONE
    assert f"Usage: incidents {command}".strip() in said
    assert "Exit codes:" in said
    assert "--store" in said
    assert "--json" in said


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in GROUPS])
def test_help_gives_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command shows how it is called."""
    run([*command.split(), "--help"])

    assert f"\n incidents {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the program shows what there is."""
    assert run([]) == ExitCode.DONE

    said = capsys.readouterr().out
    assert all(f"│ {command} " in said for command in COMMANDS if " " not in command)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("quee", "queue"),
        ("queue --grop network", "--group"),
        ("queue waiting", "WHICH"),
        ("queue work --line 4", "--line"),
        ("queue work --priority critical", "--priority"),
        ("queue --limit 0", "--limit"),
        ("queue review --group network", "review"),
        ("show", "INCIDENT"),
        ("report --from yesterday", "--from"),
        ("pingpong", "--from"),
        ("pingpong --from 2026-03-01 --limit 0", "--limit"),
        ("status", "INCIDENT"),
        ("status 4711 --language fr", "--language"),
        ("rebuild everything", "VIEW"),
        ("import servicenow log.csv", "--zone"),
        ("agreements publish gold.toml --role incident-manager", "--by"),
        ("agreements publish gold.toml --by ben", "--role"),
        ("queue --group net\udcff", "--group"),
        ("queue --person net\udcff", "--person"),
        ("queue work --service net\udcff", "--service"),
        ("due --agreement net\udcff", "--agreement"),
        ("import servicenow log.csv --zone UTC --agreement net\udcff", "--agreement"),
        ("import servicenow log.csv --zone Europe/Madird", "--zone"),
    ],
)
def test_misuse_is_one_line_that_names_the_option(
    words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not understood is said in one line on standard error, with the exit code of misuse."""
    code = run(words.split())

    said = capsys.readouterr()
    assert code == ExitCode.MISUSED
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("incidents: ")
    assert named in said.err


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=1, minutes=6), "1 h 06 min"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
    ],
)
def test_a_length_of_time_is_said_by_its_two_largest_units(length: timedelta, said: str) -> None:
    """Whoever reads a queue needs no seconds."""
    assert duration(length) == said


def test_an_instant_is_said_to_the_minute() -> None:
    """An instant stands without its seconds, and an unknown one stands empty."""
    assert moment(datetime(2026, 3, 2, 8, 12, 59, tzinfo=UTC)) == "2026-03-02 08:12"
    assert moment(None) == ""


def test_what_is_stored_cannot_steer_the_terminal() -> None:
    """Control characters of a text are shown as such, and its line breaks do not break a table."""
    assert cell("red\x1b[31m\nalert\x07 [bold]").plain == "red�[31m alert� [bold]"
    [title, *_] = section("gold\x1b[31m").renderables
    assert str(title) == "gold�[31m"


@pytest.mark.parametrize(
    ("which", "narrowing", "role", "queue"),
    [
        (None, EVERYTHING, Role.AUDITOR, "review"),
        (None, EVERYTHING, Role.SUPPORT_GROUP, "work"),
        (None, EVERYTHING, Role.CUSTOMER, "review"),
        (None, Narrowing(group="network"), Role.AUDITOR, "work"),
        ("work", EVERYTHING, Role.AUDITOR, "work"),
        ("work", Narrowing(overdue=True), Role.AUDITOR, "work"),
        ("closure", EVERYTHING, Role.AUDITOR, "closure"),
        ("review", EVERYTHING, Role.SUPPORT_GROUP, "review"),
    ],
)
def test_narrowing_or_the_role_chooses_the_work_queue(
    which: Which | None, narrowing: Narrowing, role: Role, queue: Which
) -> None:
    """The review queue is shown unless something says otherwise, or who asks reads the work queue alone."""
    assert chosen(which, narrowing, Actor(person=PersonId("chen"), role=role)) == queue


@pytest.mark.parametrize(
    ("terminal", "wanted", "shown"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_progress_is_shown_to_people_only(*, terminal: bool, wanted: bool, shown: bool) -> None:
    """A bar stands on a terminal; a file, a program, or somebody who wants JSON gets none."""
    screen = StringIO()
    bar = Bar(Console(file=screen, force_terminal=terminal, width=80), wanted)

    with bar.shown("importing") as advance:
        advance(50, 100)
        advance(100, 100)

    assert ("importing" in screen.getvalue()) is shown


def test_short_work_shows_no_bar() -> None:
    """What is done with its first step never draws a bar."""
    screen = StringIO()

    with Bar(Console(file=screen, force_terminal=True, width=80), wanted=True).shown("folding") as advance:
        advance(100, 100)

    assert screen.getvalue() == ""


@pytest.mark.parametrize("name", ["Europe/Madird", "../etc/passwd", "", "Europe"])
def test_a_time_zone_that_does_not_exist_is_refused(name: str) -> None:
    """The line says how a zone is named."""
    with pytest.raises(InvalidValue, match="Europe/Madrid"):
        zone_named(name)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused([Objection(clause="P1.5", code="no-number", message="it has no number")]), 1),
        (InvalidValue("summary", "must not be blank"), 2),
        (BadCursor(), 2),
        (OperationalError("the server\nis gone"), 3),
    ],
)
def test_every_expected_error_is_one_line_with_its_exit_code(error: Exception, code: int) -> None:
    """No error that can be expected shows more than a line."""
    assert isinstance(error, EXPECTED)
    ended, line = explained(error)

    assert ended == code
    assert "\n" not in line


@pytest.mark.parametrize(
    ("command", "rest", "said"),
    [
        ("due", "--within 8", "--within: 8 is not understood; write a length of time such as 30m, 8h or 2d"),
        (
            "queue",
            "--as-of now",
            "--as-of: now is not understood; write a date, or an instant such as 2026-03-02T10:00+01:00",
        ),
        ("due", "--within", "--within: its value is missing; write it after the option"),
        ("agreements publish", "", "FILE: is missing; give it after the command"),
    ],
)
def test_a_slip_on_the_command_line_is_told_with_how_it_is_written(
    capsys: pytest.CaptureFixture[str], command: str, rest: str, said: str
) -> None:
    """The line names the option, what may stand there, and the command whose help tells more."""
    assert run([*command.split(), *rest.split()]) is ExitCode.MISUSED
    assert capsys.readouterr().err == f"incidents: {said} (incidents {command} --help tells more)\n"


def test_what_a_database_says_is_not_repeated() -> None:
    """An answer of the database may hold what is stored, so it is not printed."""
    failed = DatabaseFailed("INSERT INTO queue VALUES (?)", ("Dora Peña",), Exception("near Dora Peña"))

    assert "Dora" not in explained(failed)[1]
