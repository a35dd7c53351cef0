"""The documents hold together: links lead somewhere, pages are found, commands exist."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, anchors, blocks, code_spans, links, named


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(document: Path) -> None:
    """A link within the project names a file that exists, and a heading of it where it names one."""
    dead: list[str] = []
    for link in links(document):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        generated = target == ROOT / "docs" / "reference" / "code.md"
        if not target.exists() or (anchor and not generated and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    """No page of docs/ is written and then not found, and none is promised that is not there."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    promised = set(re.findall(r"[\w./-]+\.md", navigation))
    written = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}

    assert promised == written


def test_every_make_target_that_is_named_exists() -> None:
    """`make something` in a document is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    shown = [
        text
        for document in DOCUMENTS
        for text in [*code_spans(document), *(block.text for block in blocks(document))]
    ]
    made = {target for text in shown for target in re.findall(r"^make ([a-z]+)", text, flags=re.MULTILINE)}

    assert made
    assert made - targets == set()


def test_every_decision_is_listed() -> None:
    """The list of decisions names each of them."""
    folder = ROOT / "docs" / "decisions"
    decisions = {page.name for page in folder.glob("[0-9]*.md")}

    assert decisions
    assert set(links(folder / "index.md")) == decisions


def test_the_tutorial_can_be_pasted_into_a_prompt() -> None:
    """A prompt ends a block of indented lines with an empty line only, and not before it."""
    stuck: list[int] = []
    for block in blocks(ROOT / "docs" / "tutorial.md"):
        if block.language != "python":
            continue
        lines = block.text.splitlines()
        for statement, following in pairwise(ast.parse(block.text).body):
            compound = isinstance(statement, ast.With | ast.For | ast.Try | ast.FunctionDef)
            if compound and lines[following.lineno - 2]:
                stuck.append(block.line + following.lineno - 1)

    assert stuck == []
