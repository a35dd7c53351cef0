"""A report as plain text."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final, assert_never

from incident_adapters.report_page import Bars, Block, Facts, Grid, Lines, Note, Page

_GAP: Final = "  "
_NARROWEST: Final = 8


def text(page: Page, width: int = 100) -> str:
    """The report as lines of at most so many characters, charts left out.

    What could steer a terminal is made visible instead.
    """
    lines = [plain(page.title), plain(page.subtitle)]
    if page.lead:
        lines += ["", *wrap(plain(page.lead), width)]
    for section in page.sections:
        lines += ["", plain(section.title)]
        written = [list(_block(block, width - len(_GAP))) for block in section.blocks]
        for number, block in enumerate(each for each in written if each):
            lines += [""] * (number > 0) + [f"{_GAP}{line}".rstrip() for line in block]
    return "\n".join(lines)


def plain(value: str) -> str:
    """The value on one line, with every character that does not print made visible."""
    return "".join(each if each.isprintable() else "\ufffd" for each in " ".join(value.split()))


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Facts():
            yield from _columns(block.rows, (False, False), width)
        case Grid():
            numbers = tuple(at >= block.numbers_from for at in range(len(block.head)))
            yield from _columns((block.head, *block.rows), numbers, width)
            if block.remark:
                yield from wrap(plain(block.remark), width)
        case Note():
            yield from wrap(plain(block.text), width)
        case Bars() | Lines():
            return
        case _:
            assert_never(block)


def _columns(rows: Sequence[Sequence[str]], numbers: Sequence[bool], width: int) -> Iterator[str]:
    """The rows below each other; where they are too wide, titles of numbers break, and then words."""
    cells = [[plain(value) for value in row] for row in rows]
    columns = [[row[at] for row in cells] for at in range(len(numbers))]
    room = width - len(_GAP) * (len(columns) - 1)
    widths = [max(map(len, column)) for column in columns]
    if sum(widths) > room:
        widths = [
            max(map(len, (*column[1:], *column[0].split()))) if number else wide
            for column, number, wide in zip(columns, numbers, widths, strict=True)
        ]
    words = [at for at, number in enumerate(numbers) if not number]
    while sum(widths) > room and max(widths[at] for at in words) > _NARROWEST:
        widths[max(words, key=lambda at: widths[at])] -= 1
    for row in cells:
        broken = [wrap(value, widths[at]) or [""] for at, value in enumerate(row)]
        for line in range(max(map(len, broken))):
            parts = (part[line] if line < len(part) else "" for part in broken)
            yield _GAP.join(
                part.rjust(wide) if number else part.ljust(wide)
                for part, wide, number in zip(parts, widths, numbers, strict=True)
            )
