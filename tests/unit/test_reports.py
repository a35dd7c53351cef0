"""The printed reports: the same figures as text and as a page, in every language."""

import re
import string
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from attrs import evolve as changed

from incident_adapters.report_closure import incident_page
from incident_adapters.report_data import IncidentReport, ServiceReport, incident_report, service_report
from incident_adapters.report_html import html
from incident_adapters.report_page import Bars, Page, section
from incident_adapters.report_period import period_page
from incident_adapters.report_spanish import SPANISH
from incident_adapters.report_text import text
from incident_adapters.report_words import Language, Wording, length
from incident_domain.actor import GroupId, PersonId
from incident_domain.events import (
    Agreement,
    DomainEvent,
    HoldReason,
    Satisfaction,
    TargetKind,
)
from incident_domain.priority import Priority
from incident_projections.queue import Phase
from incident_projections.sla_readers import Outcome
from tests.agreements import (
    GOLD,
    applied,
    escalated,
    prioritised,
    resolved,
)
from tests.histories import DESK, at, classified, registered, shown
from tests.reported import ONE, TERMS, VIEWS, story


def reports() -> tuple[IncidentReport, ServiceReport]:
    """Both reports of the story."""
    with shown(VIEWS, *story()) as connection:
        closure = incident_report(connection, ONE, terms_of=TERMS, now=at(500))
        assert closure is not None
        return closure, service_report(connection, since=at(-60), until=at(500))


@pytest.fixture(params=Language)
def pages(request: pytest.FixtureRequest) -> tuple[Page, Page]:
    """Give both reports of the story as pages, in each language."""
    closure, period = reports()
    return incident_page(closure, request.param), period_page(period, request.param)


_EMPTY = {"meta", "link", "br", "img"}


class _Parser(HTMLParser):
    """Checks that every element is closed in its turn, and collects ids and what is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in _EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in {"src", "href", "xlink:href"} and not (value or "").startswith("#"):
                self.loaded.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def parsed(document: str) -> _Parser:
    """The document, read by the rules of HTML."""
    parser = _Parser()
    parser.feed(document)
    parser.close()
    assert parser.open == []
    return parser


def test_p5_3_a_page_is_whole_html_that_needs_nothing_else(pages: tuple[Page, Page]) -> None:
    """Every element is closed, no id stands twice, nothing is loaded, and the charts are in it."""
    for page in pages:
        parser = parsed(html(page))

        assert len(parser.ids) == len(set(parser.ids))
        assert parser.loaded == []
        assert {"svg", "table", "h1"} <= parser.tags
        assert "script" not in parser.tags


def test_p5_3_the_same_figures_give_the_same_page(pages: tuple[Page, Page]) -> None:
    """Nothing in it depends on when or how often it was printed."""
    for page in pages:
        assert html(page) == html(page)


@pytest.mark.parametrize(
    ("language", "marks"),
    [("en", {"0.02", "0.1"}), ("es", {"0,02", "0,1"})],
)
def test_charts_write_numbers_as_the_language_does(language: str, marks: set[str]) -> None:
    """With all the decimals that they have, and thousands set apart."""
    hours = Bars(about="hours", labels=("a", "b"), series={"": (0.03, 0.1)}, unit="h")
    many = Bars(about="many", labels=("a", "b"), series={"": (10, 2_000)}, unit="")
    page = Page(language=language, title="t", subtitle="", lead="", sections=(section("s", hours, many),))

    numbers = {each for each in parsed(html(page)).said if re.fullmatch(r"[0-9.,]+", each)}

    assert marks <= numbers
    assert {"en": "2,000", "es": "2.000"}[language] in numbers
    assert not {"0.02" if language == "es" else "0,02", "2000"} & numbers


def test_p5_3_text_and_page_tell_the_same(pages: tuple[Page, Page]) -> None:
    """Every word of the text stands in the page too."""
    for page in pages:
        said = " ".join(" ".join(parsed(html(page)).said).split())
        for line in text(page, 200).splitlines():
            for cell in re.split(r" {2,}", line.strip()):
                assert cell in said


@pytest.mark.parametrize("width", [80, 100])
def test_lines_of_text_are_as_short_as_asked(pages: tuple[Page, Page], width: int) -> None:
    """Long texts break, and numbers stay whole."""
    for page in pages:
        assert max(map(len, text(page, width).splitlines())) <= width


def test_p5_2_the_closure_report_says_every_point_of_the_closing() -> None:
    """Actions, cause, agreement, satisfaction, handling time and its parts, costs with children, dates."""
    closure, _ = reports()
    said = [" ".join(line.split()) for line in text(incident_page(closure, Language.EN)).splitlines()]

    assert "actions Restarted" in said
    assert "root cause driver rolled out without a test" in said
    assert {"customer's agreement confirmed", "satisfaction satisfied"} <= set(said)
    assert "handling time 5 h 20 min" in said
    assert {"service desk 5 min 1.6 %", "network 4 h 45 min 89.1 %", "on hold: supplier 30 min 9.4 %"} <= set(
        said
    )
    assert {"INC-1 45 min 37.50 EUR", "child INC-2 45 min 37.50 EUR"} <= set(said)
    assert "with its children 90 min 75.00 EUR" in said
    assert "first acknowledged 2026-03-02 09:25" in said
    assert "gold acknowledge 15 min 25 min 1 1 breached" in said
    assert "gold resolve 4 h 00 min 4 h 50 min 1 1 breached" in said


def test_p5_2_a_clock_that_still_runs_is_read_at_the_time_asked() -> None:
    """The report of an open incident shows what is used by now, and a breach that nobody recorded."""
    open_still = (*classified(ONE), applied(0), prioritised(1))
    with shown(VIEWS, *((ONE, each) for each in open_still)) as connection:
        said = [
            text(incident_page(report, Language.EN)).splitlines()
            for now in (at(10), at(40))
            if (report := incident_report(connection, ONE, terms_of=TERMS, now=now))
        ]

    acknowledge, resolve = (
        [
            " ".join(line.split())
            for lines in said
            for line in lines
            if line.startswith(f"  gold       {kind}")
        ]
        for kind in ("acknowledge", "resolve")
    )
    assert acknowledge == [
        "gold acknowledge 15 min 10 min 1 0 still running",
        "gold acknowledge 15 min 40 min 1 1 breached",
    ]
    assert resolve == [
        "gold resolve 4 h 00 min 10 min 1 0 still running",
        "gold resolve 4 h 00 min 40 min 1 0 still running",
    ]


def test_p5_2_an_incident_without_an_agreement_says_so() -> None:
    """That none applies is an answer, not a gap."""
    with shown(VIEWS, *((ONE, each) for each in classified(ONE))) as connection:
        report = incident_report(connection, ONE, terms_of=TERMS, now=at(500))

    assert report is not None
    assert "No service level agreement applies to it." in text(incident_page(report, Language.EN))


def test_breaches_are_counted_by_who_held_the_incident_and_its_priority_then() -> None:
    """The group and the priority are those of the instant of the breach; the period's end is not in it."""
    with shown(VIEWS, *story()) as connection:
        levels = service_report(connection, since=at(-60), until=at(500)).service_levels
        before = service_report(connection, since=at(-60), until=at(15)).service_levels

    told = [(each.kind, each.priority, each.group, each.breaches) for each in levels.breaches]
    assert told[0] == (TargetKind.ACKNOWLEDGE, Priority.HIGH, "network", 1)
    assert (TargetKind.RESOLVE, Priority.HIGH, "network", 1) in told
    assert before.breaches == ()
    kept = {each.kind: (each.clocks, each.met) for each in levels.kept}
    assert (kept[TargetKind.ACKNOWLEDGE], kept[TargetKind.RESOLVE]) == ((1, 0), (1, 0))
    assert {each.agreement for each in levels.kept} == {GOLD}


def test_what_somebody_wrote_is_never_markup() -> None:
    """Names and texts are escaped in the page, in its charts too, and steer no terminal."""
    evil = "<script>alert(1)</script>\x1b[31m日本"
    events: list[DomainEvent] = [
        escalated(5, GroupId(evil)),
        changed(resolved(60), by=changed(DESK, person=PersonId(evil))),
    ]
    told = [registered(ONE, summary=evil), *classified(ONE)[1:], *events]
    with shown(VIEWS, *((ONE, each) for each in told)) as connection:
        closure = incident_report(connection, ONE, terms_of=TERMS, now=at(500))
        assert closure is not None
        period = service_report(connection, since=at(-60), until=at(500))
    for page in (incident_page(closure, Language.EN), period_page(period, Language.EN)):
        assert "script" not in parsed(html(page)).tags
        assert "\x1b" not in html(page)
        assert "\x1b" not in text(page)
        assert "<script>alert" in text(page)


def test_every_word_of_the_process_has_a_word_in_every_language() -> None:
    """Whatever an incident may be, wait for, or be answered with can be said."""
    spanish = Wording(Language.ES)
    words = (*Agreement, *HoldReason, *Outcome, *Priority, *Satisfaction, *TargetKind, *Phase)

    for member in words:
        assert member in {Phase.CLOSED, Phase.CANCELLED} or spanish.word(member)


def test_a_sentence_keeps_its_places_in_every_language() -> None:
    """A translation names the same values as its sentence, and none is empty."""

    def places(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}

    for sentence, said in SPANISH.items():
        assert said
        assert places(sentence) == places(said)


def test_an_unknown_sentence_is_an_error_not_a_gap() -> None:
    """Nothing is printed half in one language and half in another."""
    with pytest.raises(KeyError):
        Wording(Language.ES).say("nobody ever said this")


def test_numbers_are_written_as_the_language_writes_them() -> None:
    """Thousands and decimals are marked the other way round in Spanish."""
    english, spanish = Wording(Language.EN), Wording(Language.ES)

    assert (english.count(20_769), spanish.count(20_769)) == ("20,769", "20.769")
    assert (english.share(1, 3), spanish.share(1, 3)) == ("33.3 %", "33,3 %")
    assert english.amount(Decimal("1234.50"), "EUR") == "1,234.50 EUR"
    assert spanish.amount(Decimal("1234.50"), "EUR") == "1.234,50 EUR"
    assert spanish.share(0, 0) == ""


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(), "0 min"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=5, seconds=59), "5 min"),
        (timedelta(hours=1, minutes=5), "1 h 05 min"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
    ],
)
def test_a_length_is_told_by_its_two_largest_units(time: timedelta, said: str) -> None:
    """It is cut off, never rounded up."""
    assert length(time) == said
