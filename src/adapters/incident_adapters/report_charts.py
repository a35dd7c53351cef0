"""Charts as SVG that stands in a page.

Letters stay letters, and the same figures give the same picture.
"""

import re
from collections.abc import Iterable, Sequence
from io import StringIO
from threading import Lock
from typing import Any, Final, assert_never
from warnings import catch_warnings, filterwarnings

import matplotlib as mpl
from matplotlib import dates, ticker
from matplotlib.figure import Figure

from incident_adapters.report_page import Bars, Chart, Lines
from incident_adapters.report_words import Wording

COLOURS: Final = ("#1f6f8b", "#e2a03f", "#7a9e3d", "#a6485c", "#6c6ba8", "#8a8a8a")
"""Told apart also in print and by people who do not see every colour."""

_DATES: Final = ["%Y", "%Y-%m", "%Y-%m-%d", "%m-%d %H:%M", "%H:%M", "%H:%M"]
_INK: Final = "#333333"
_WIDTH: Final = 7.4
_DRAWING: Final = Lock()
# The types that the library brings along know too little of its arguments.
_mpl: Final[Any] = mpl
_dates: Final[Any] = dates
_ticker: Final[Any] = ticker


def svg(chart: Chart, say: Wording) -> str:
    """The chart as an `<svg>` element, with numbers as the language writes them."""
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": chart.about,
        "font.size": 9,
        "text.parse_math": False,
        "axes.edgecolor": "#999999",
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    # The settings belong to the whole library.
    with _DRAWING, _mpl.rc_context(style), catch_warnings():
        # Whoever looks at the page has fonts of their own; here letters are only measured.
        filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        match chart:
            case Bars():
                figure = _bars(chart, say)
            case Lines():
                figure = _lines(chart, say)
            case _:
                assert_never(chart)
        written = StringIO()
        figure.savefig(
            written,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _inline(written.getvalue())


def _inline(document: str) -> str:
    """The element alone, without the names of its groups, which would stand several times in a page."""
    element = document[document.index("<svg") :]
    return re.sub(r'<g id="[^"]*"', "<g", element)


def _bars(chart: Bars, say: Wording) -> Any:
    rows = len(chart.labels) * (1 if chart.stacked else 0.7 * len(chart.series))
    tall = 0.75 + 0.3 * rows + (0.2 if len(chart.series) > 1 else 0)
    figure: Any = Figure(figsize=(_WIDTH, tall), layout="constrained")
    axes = figure.subplots()
    places = range(len(chart.labels))
    ends = [0.0] * len(chart.labels)
    height = 0.7 if chart.stacked else 0.8 / len(chart.series)
    for number, (name, values) in enumerate(chart.series.items()):
        beside = 0.0 if chart.stacked else (number - (len(chart.series) - 1) / 2) * height
        axes.barh(
            [place + beside for place in places],
            values,
            height * 0.92,
            left=ends if chart.stacked else None,
            color=COLOURS[number % len(COLOURS)],
            label=_short(name),
        )
        if chart.stacked:
            ends = [end + value for end, value in zip(ends, values, strict=True)]
    axes.set_yticks(places, [_short(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.set_xlabel(chart.unit)
    axes.set_xlim(left=0)
    whole = _whole(chart.series.values())
    axes.xaxis.set_major_locator(_ticker.MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=whole))
    axes.xaxis.set_major_formatter(_numbers(say))
    _bare(axes, "x")
    _legend(axes, len(chart.series))
    return figure


def _lines(chart: Lines, say: Wording) -> Any:
    figure: Any = Figure(figsize=(_WIDTH, 3.7), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for number, (name, levels) in enumerate(chart.levels.items()):
        colour = COLOURS[number]
        upper.plot(chart.moments, levels, color=colour, label=_short(name), linewidth=1.6)
        if number == 0:
            upper.fill_between(chart.moments, levels, color=colour, alpha=0.12, linewidth=0)
    for number, (name, flows) in enumerate(chart.flows.items()):
        # What is counted at a point happened since the point before.
        lower.stairs(flows[1:], chart.moments, color=COLOURS[number + 2], label=_short(name), linewidth=1.4)
    locator = _dates.AutoDateLocator(maxticks=9)
    lower.xaxis.set_major_locator(locator)
    lower.xaxis.set_major_formatter(_dates.ConciseDateFormatter(locator, formats=_DATES, show_offset=False))
    for axes in (upper, lower):
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(_ticker.MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(_numbers(say))
        _bare(axes, "y")
        _legend(axes, 2)
    return figure


def _numbers(say: Wording) -> Any:
    def number(value: float, _place: int) -> str:
        return say.mark(value)

    return _ticker.FuncFormatter(number)


def _bare(axes: Any, grid: str) -> None:
    for side in ("top", "right", *(("left",) if grid == "y" else ())):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    axes.grid(axis="y" if grid == "y" else "x", color="#dddddd", linewidth=0.7)
    axes.tick_params(length=0)


def _legend(axes: Any, series: int) -> None:
    if series > 1:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=min(series, 4), frameon=False, borderaxespad=0.2
        )


def _whole(series: Iterable[Sequence[float]]) -> bool:
    return all(float(value).is_integer() for values in series for value in values)


def _short(label: str) -> str:
    said = "".join(each if each.isprintable() else "\ufffd" for each in label)
    return said if len(said) <= 34 else f"{said[:33]}…"
