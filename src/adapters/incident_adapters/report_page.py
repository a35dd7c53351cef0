"""What a printed report consists of, whatever it is printed as."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias, assert_never

from attrs import evolve as changed
from attrs import frozen

from incident_domain.personal import ERASED, SEALED


@frozen(kw_only=True)
class Facts:
    """Names and values below each other; `large` are the few figures to be seen first."""

    rows: tuple[tuple[str, str], ...]
    large: bool = False


@frozen(kw_only=True)
class Grid:
    """A table; the columns from `numbers_from` on hold numbers.  `remark` stands below it."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers_from: int = 1
    remark: str = ""


@frozen(kw_only=True)
class Note:
    """A sentence or two, as somebody wrote them."""

    text: str


@frozen(kw_only=True)
class Bars:
    """A chart of horizontal bars: for every label a value of each series, `stacked` or beside each other."""

    about: str
    labels: tuple[str, ...]
    series: Mapping[str, tuple[float, ...]]
    unit: str
    stacked: bool = False


@frozen(kw_only=True)
class Lines:
    """A chart over time: a line for each of `levels`, and for each of `flows` steps below it."""

    about: str
    moments: tuple[datetime, ...]
    levels: Mapping[str, tuple[int, ...]]
    flows: Mapping[str, tuple[int, ...]]


Chart: TypeAlias = Bars | Lines
"""What is looked at rather than read; text leaves it out, since a table beside it has the numbers."""

Block: TypeAlias = Facts | Grid | Note | Chart
"""A piece of a section."""


@frozen(kw_only=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: tuple[Block, ...]


@frozen(kw_only=True)
class Page:
    """A report as it is printed: a title, a line below it, a first sentence, and sections."""

    language: str
    title: str
    subtitle: str
    lead: str
    sections: tuple[Section, ...]


def facts(*pairs: tuple[str, str | None], large: bool = False) -> Facts:
    """The names and values that are known."""
    return Facts(rows=tuple((name, value) for name, value in pairs if value), large=large)


def section(title: str, *blocks: Block) -> Section:
    """A section without the blocks that have nothing in them."""
    kept = (each for each in blocks if not isinstance(each, Facts | Grid) or each.rows)
    return Section(title=title, blocks=tuple(kept))


def sections(*made: Section) -> tuple[Section, ...]:
    """The sections that have something in them."""
    return tuple(each for each in made if each.blocks)


def in_place_of_the_personal(page: Page, erased: str, sealed: str) -> Page:
    """The page with these words for what was erased, and for what is sealed for want of the keys."""

    def text(value: str) -> str:
        return value.replace(ERASED, erased).replace(SEALED, sealed)

    def block(each: Block) -> Block:
        match each:
            case Facts():
                return changed(each, rows=tuple((name, text(value)) for name, value in each.rows))
            case Grid():
                return changed(each, rows=tuple(tuple(text(cell) for cell in row) for row in each.rows))
            case Note():
                return Note(text=text(each.text))
            case Bars() | Lines():
                return each
            case _:
                assert_never(each)

    told = (changed(each, blocks=tuple(block(one) for one in each.blocks)) for each in page.sections)
    return changed(page, lead=text(page.lead), sections=tuple(told))
