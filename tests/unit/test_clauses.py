"""The page that ties every clause of the process to its rule and its tests."""

from pathlib import Path

import pytest

from tools.clauses import (
    EVENTS,
    PAGE,
    ROOT,
    WORDING,
    Incomplete,
    Mention,
    main,
    marked_tests,
    page,
    rules,
    steps,
)

RULE = Path("src/incident_domain/waiting.py")
TEST = Path("tests/unit/test_waiting.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A process of three clauses, each with a rule, an event and a test."""
    files = {
        WORDING: '[[step]]\ntitle = "Waiting"\n[step.clauses]\n"P1.1" = "a"\n"P1.2" = "b"\n"X1" = "c"\n',
        RULE: (
            'def wait():\n    """Let it wait (P1.1 to P1.2)."""\n    return Objection(clause="X1")\n\n'
            'TABLE = {wait: "P1.1"}\n"""Who may (P1.2)."""\n'
        ),
        EVENTS / "waiting.py": 'class Waited:\n    """It waited (X1)."""\n',
        TEST: (
            'pytestmark = pytest.mark.clause("P1.2")\n\n'
            '@pytest.mark.clause("P1.1", "X1")\ndef test_it_waits():\n    ...\n'
        ),
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_rule_is_what_names_the_clause_in_its_words_or_in_a_refusal(project: Path) -> None:
    """Docstrings, ranges in them, refusals and tables all lead to the clause."""
    found = rules(project)

    assert found == {
        "P1.1": [Mention(file=RULE, name="wait"), Mention(file=RULE, name="TABLE")],
        "P1.2": [Mention(file=RULE, name="wait"), Mention(file=RULE, name="TABLE")],
        "X1": [Mention(file=EVENTS / "waiting.py", name="Waited"), Mention(file=RULE, name="wait")],
    }


def test_a_test_belongs_to_the_clauses_it_is_marked_with(project: Path) -> None:
    """A mark counts on a test, with several clauses too, and on a whole module."""
    found = marked_tests(project)

    assert found == {
        "P1.1": [Mention(file=TEST, name="::test_it_waits")],
        "P1.2": [Mention(file=TEST, name="")],
        "X1": [Mention(file=TEST, name="::test_it_waits")],
    }


def test_every_clause_leads_to_its_rule_and_tests(project: Path) -> None:
    """The page ties a clause to the files that hold its rule, its events and its tests."""
    made = page(project)

    assert made.endswith(
        "### X1\n\nc\n\n"
        "- Rule: [`wait`](../../src/incident_domain/waiting.py)\n"
        "- Events: [`Waited`](../../src/incident_domain/events/waiting.py)\n"
        "- Tests: [`test_it_waits`](../../tests/unit/test_waiting.py)\n"
    )


def test_a_clause_without_a_rule_or_a_test_is_named(project: Path) -> None:
    """An event alone is no rule, and what is missing is said clause by clause."""
    (project / RULE).write_text('def wait():\n    """Let it wait (P1.1, P1.2)."""\n', encoding="utf-8")
    (project / TEST).unlink()

    with pytest.raises(Incomplete) as gaps:
        page(project)

    assert str(gaps.value).splitlines() == [
        "X1 has no rule",
        "P1.1 has no test",
        "P1.2 has no test",
        "X1 has no test",
    ]


def test_a_clause_that_the_process_does_not_have_is_named(project: Path) -> None:
    """A misspelt clause in code or tests does not pass."""
    (project / RULE).with_name("more.py").write_text(
        'def more():\n    """More (P7.1)."""\n', encoding="utf-8"
    )

    with pytest.raises(Incomplete, match=r"src/incident_domain/more\.py: more names P7\.1"):
        page(project)


def test_a_stale_page_fails_the_check(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check passes on the page as it was written, and on no other."""
    monkeypatch.setattr("tools.clauses.ROOT", project)
    (project / PAGE).parent.mkdir(parents=True)

    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    (project / PAGE).write_text("old", encoding="utf-8")
    assert main(["--check"]) == 1
    assert "python -m tools.clauses" in capsys.readouterr().err


def test_the_wording_has_every_clause_of_the_five_steps_and_beyond() -> None:
    """Twelve, six, nine, three and three clauses make the steps, and eight more come from practice."""
    assert [len(step.clauses) for step in steps(ROOT)] == [12, 6, 9, 3, 3, 8]
