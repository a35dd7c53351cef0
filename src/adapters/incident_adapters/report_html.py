"""A report as one HTML page, with its charts and its style in it, ready to be printed."""

from functools import cache
from typing import Any, Final, assert_never

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from incident_adapters.report_charts import svg
from incident_adapters.report_page import Bars, Block, Facts, Grid, Lines, Note, Page
from incident_adapters.report_words import Language, Wording

_CONTROLS: Final = {
    **dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A}, "\ufffd"),
    # Half of a line break as some systems write it.
    0x0D: None,
}


def html(page: Page) -> str:
    """The report as an HTML document that needs no other file; everything in it is escaped.

    Control characters, which HTML forbids and which would steer a terminal, are shown as such.
    """
    return _environment().get_template("report.html").render(page=page).translate(_CONTROLS)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("incident_adapters", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Their declared type has only those that the library brings along.
    filters: dict[str, Any] = environment.filters
    filters |= {"kind": _kind, "svg": _svg}
    return environment


def _kind(block: Block) -> str:
    """Which macro of the template writes the block."""
    match block:
        case Facts():
            return "figures" if block.large else "facts"
        case Grid():
            return "grid"
        case Note():
            return "note"
        case Bars() | Lines():
            return "chart"
        case _:
            assert_never(block)


def _svg(chart: Bars | Lines, language: str) -> Markup:
    # Our own drawing: its letters were escaped when it was made.
    return Markup(svg(chart, Wording(Language(language))))
