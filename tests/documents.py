"""The documents of the project as the tests see them: code blocks, links and headings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

ROOT: Final = Path(__file__).resolve().parent.parent
DOCUMENTS: Final = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCE: Final = re.compile(r"^```(\w*)$")
_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$")
_CODE: Final = re.compile(r"`[^`]*`")


@frozen(kw_only=True)
class Block:
    """A fenced block: its language, its text and the line on which the text begins."""

    language: str
    text: str
    line: int


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in their order."""
    found: list[Block] = []
    language, begun, lines = "", 0, list[str]()
    for number, line in enumerate(_lines(document), start=1):
        fence = _FENCE.match(line)
        if fence and not begun:
            language, begun, lines = fence[1], number + 1, []
        elif fence:
            found.append(Block(language=language, text="".join(f"{each}\n" for each in lines), line=begun))
            begun = 0
        elif begun:
            lines.append(line)
    return found


def links(document: Path) -> Iterator[str]:
    """Where the links of a document lead."""
    for line in _prose(document):
        yield from _LINK.findall(line)


def anchors(document: Path) -> set[str]:
    """The names under which the headings of a document can be linked to."""
    headings = [match[1] for line in _prose(document) if (match := _HEADING.match(line))]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def named(document: Path) -> str:
    """The document's path below the root, as a test names it."""
    return document.relative_to(ROOT).as_posix()


def _prose(document: Path) -> Iterator[str]:
    inside = False
    for line in _lines(document):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def code_spans(document: Path) -> Iterator[str]:
    """What a document sets as code within its sentences."""
    for line in _prose(document):
        yield from (each.strip("`") for each in _CODE.findall(line))


def _lines(document: Path) -> list[str]:
    return document.read_text(encoding="utf-8").splitlines()
