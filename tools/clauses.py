"""Write docs/reference/process.md: every clause of the process, with its rule, its events and its tests.

A clause's rule is wherever a docstring names it or a refusal carries it; its tests are those that are marked
with it.  `--check` writes nothing and fails when the page is stale.  Both fail when a clause has no rule or
no test, and when code or tests name a clause that the process does not have.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from attrs import frozen

ROOT: Final = Path(__file__).resolve().parent.parent
WORDING: Final = Path("tools/clauses.toml")
PAGE: Final = Path("docs/reference/process.md")
EVENTS: Final = Path("src/incident_domain/events")
PACKAGES: Final = (
    Path("src/incident_domain"),
    Path("src/projections/incident_projections"),
    Path("src/adapters/incident_adapters"),
)

_CLAUSE: Final = re.compile(r"\b(?:P[0-9]\.[0-9]+|X[0-9])\b")
_RANGE: Final = re.compile(r"\b(P[0-9])\.([0-9]+) to \1\.([0-9]+)\b")

_Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_HEAD: Final = """\
# The process, clause by clause

This page is generated from the docstrings, the refusals and the tests; `make check` fails when it is stale.
Every clause has at least one rule and one test.
A refusal (`Objection.clause`) and a deviation (`DeviationRecorded.clause`) name what was broken by these ids.
"""


class Incomplete(Exception):
    """The process and the code do not answer each other; the message names every gap."""


@frozen(kw_only=True)
class Step:
    """A step of the process and its clauses, each with one line of wording."""

    title: str
    clauses: dict[str, str]


@frozen(kw_only=True, order=True)
class Mention:
    """A place that names a clause: a file below the root, and what is defined there."""

    file: Path
    name: str


def steps(root: Path) -> list[Step]:
    """The process in the project's own wording."""
    held = tomllib.loads((root / WORDING).read_text(encoding="utf-8"))
    return [Step(title=step["title"], clauses=step["clauses"]) for step in held["step"]]


def rules(root: Path) -> dict[str, list[Mention]]:
    """For each clause that the code names, where."""
    found: dict[str, list[Mention]] = {}
    for package in PACKAGES:
        for file, tree in _modules(root, package):
            for name, clause in _named(tree):
                _add(found, clause, Mention(file=file, name=name))
    return found


def marked_tests(root: Path) -> dict[str, list[Mention]]:
    """For each clause that a test is marked with, the tests."""
    found: dict[str, list[Mention]] = {}
    for file, tree in _modules(root, Path("tests")):
        for name, clause in _marked(tree, ""):
            _add(found, clause, Mention(file=file, name=name))
    return found


def _add(found: dict[str, list[Mention]], clause: str, mention: Mention) -> None:
    mentions = found.setdefault(clause, [])
    if mention not in mentions:
        mentions.append(mention)


def _modules(root: Path, folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted((root / folder).rglob("*.py")):
        yield file.relative_to(root), ast.parse(file.read_text(encoding="utf-8"))


def _named(module: ast.Module) -> Iterator[tuple[str, str]]:
    """What a module defines, each with every clause that it names."""
    assigned = ""
    for node in module.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from _of_definition(node, node.name)
            case ast.Assign(targets=[ast.Name(id=assigned)]) | ast.AnnAssign(target=ast.Name(id=assigned)):
                yield from ((assigned, clause) for clause in _in_values(node))
            case ast.Expr(value=ast.Constant(value=str(words))) if assigned:
                yield from ((assigned, clause) for clause in _in_words(words))
            case _:
                assigned = ""


def _of_definition(node: _Definition, name: str) -> Iterator[tuple[str, str]]:
    yield from ((name, clause) for clause in _in_words(ast.get_docstring(node) or ""))
    inner = [each for each in node.body if isinstance(each, _Definition)]
    for each in node.body:
        if each not in inner:
            yield from ((name, clause) for clause in _in_values(each))
    for each in inner:
        yield from _of_definition(each, f"{name}.{each.name}" if isinstance(node, ast.ClassDef) else name)


def _in_values(node: ast.AST) -> Iterator[str]:
    """Clauses that stand by themselves as a value, as a refusal carries them."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and _CLAUSE.fullmatch(each.value):
            yield each.value


def _in_words(words: str) -> Iterator[str]:
    yield from _CLAUSE.findall(words)
    for step, first, last in _RANGE.findall(words):
        yield from (f"{step}.{number}" for number in range(int(first), int(last) + 1))


def _marked(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    """Tests with the clauses that they, or the class or module around them, are marked with."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from _marked(child, f"{name}::{child.name}")
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr="clause"), args=args):
                for each in args:
                    yield name, ast.literal_eval(each)
            case _:
                yield from _marked(child, name)


def page(root: Path) -> str:
    """The whole page.

    Raises:
        Incomplete: when a clause has no rule or no test, or when a clause is named that does not exist.
    """
    process, ruled, tested = steps(root), rules(root), marked_tests(root)
    known = [clause for step in process for clause in step.clauses]
    gaps = [
        *(f"{clause} has no rule" for clause in known if not _outside_events(ruled.get(clause, []))),
        *(f"{clause} has no test" for clause in known if clause not in tested),
        *(
            f"{mention.file}: {mention.name} names {clause}, which the process does not have"
            for found in (ruled, tested)
            for clause, mentions in found.items()
            for mention in mentions
            if clause not in known
        ),
    ]
    if gaps:
        raise Incomplete("\n".join(gaps))
    sections = [_section(step, ruled, tested) for step in process]
    return "\n".join([_HEAD, *sections])


def _outside_events(mentions: Sequence[Mention]) -> list[Mention]:
    return [each for each in mentions if not each.file.is_relative_to(EVENTS)]


def _section(step: Step, ruled: dict[str, list[Mention]], tested: dict[str, list[Mention]]) -> str:
    lines = [f"## {step.title}", ""]
    for clause, wording in step.clauses.items():
        decided = _outside_events(ruled[clause])
        recorded = [each for each in ruled[clause] if each not in decided]
        lines += [f"### {clause}", "", wording, "", f"- Rule: {_links(decided)}"]
        if recorded:
            lines.append(f"- Events: {_links(recorded)}")
        lines += [f"- Tests: {_links(tested[clause])}", ""]
    return "\n".join(lines)


def _links(mentions: Sequence[Mention]) -> str:
    up = "../" * (len(PAGE.parts) - 1)
    return ", ".join(
        f"[`{each.name.removeprefix('::') or each.file.stem}`]({up}{each.file.as_posix()})"
        for each in mentions
    )


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` compare it; 0 when all is well."""
    try:
        made = page(ROOT)
    except Incomplete as gaps:
        print(gaps, file=sys.stderr)
        return 1
    file = ROOT / PAGE
    if list(arguments) == ["--check"]:
        if file.is_file() and file.read_text(encoding="utf-8") == made:
            return 0
        print(f"{PAGE} is stale; write it anew with: python -m tools.clauses", file=sys.stderr)
        return 1
    file.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
