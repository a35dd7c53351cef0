"""The conformance of a history as a page, for auditors."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from incident_adapters.report_page import Bars, Grid, Note, Page, Section, facts, section, sections
from incident_adapters.report_words import Language, Wording, moment
from incident_domain.conformance import Verdict
from incident_projections.conformance import Cell, Finding, Found, Selection, Totals

_SHOWN: Final = 30

_LEAD: Final = (
    "Broken is what the record says was done against the process.",
    "What cannot be shown may have been done: the record is silent.",
    "Shown counts the events that a clause rules and to which it does not object.",
)

_WHAT: Final = {
    "no-name": "the customer's name is missing",
    "no-workplace": "the customer's workplace is missing",
    "no-way-to-reach": "no way to reach the customer",
    "role-unknown": "in which role it was entered is unknown",
    "no-number": "no number",
    "no-analysis": "no analysis",
    "no-time-of-occurrence": "no time of occurrence",
    "similarity-undecided": "nobody decided whether it is the same, similar or new",
    "gravity-undecided": "nobody decided whether it is major",
    "management-not-informed": "management was not informed",
    "customer-not-informed": "the customer was not informed",
    "not-classified": "not classified before",
    "no-match-recorded": "no search of the knowledge base",
    "not-escalated-to-group": "not escalated to the group that acted",
    "not-acknowledged": "the group did not acknowledge it before",
    "not-restored": "no time of restoration",
    "not-resolved": "not resolved before",
    "resolved": "worked on after the resolution, without a reopening",
    "window-over": "reopened after the agreed window",
    "not-confirmed": "the customer did not confirm",
    "record-not-verified": "nobody vouched for the record",
    "no-root-cause": "no root cause",
    "satisfaction-unknown": "the customer's satisfaction is unknown",
    "role": "the role may not do this",
    "number-taken": "the number belongs to another incident",
    "one-sided": "the other incident's record does not say so",
    "other-content": "the rules give this event another content",
    "nothing-to-decide": "it changes nothing, so that no command records it",
    "invalid-value": "it holds a value that no command takes",
}
"""What an objection of a code says, in a few words; every other is said in its own."""


@frozen(kw_only=True)
class Examined:
    """What an examination came to, and the first findings of each kind as its evidence."""

    selection: Selection
    totals: Totals
    evidence: tuple[Finding, ...]


def conformance_page(examined: Examined, language: Language) -> Page:
    """The conformance as it is printed."""
    say = Wording(language)
    asked = examined.selection
    subtitle = [
        say.say("Happened from {at} on.", at=moment(asked.since)) if asked.since else "",
        say.say("Happened before {at}.", at=moment(asked.until)) if asked.until else "",
        say.say("Clause {clause} alone.", clause=asked.clause) if asked.clause else "",
        say.say("All times are in UTC."),
    ]
    return Page(
        language=language.value,
        title=say.say("Conformance with the process"),
        subtitle=" ".join(filter(None, subtitle)),
        lead=" ".join(map(say.say, _LEAD)),
        sections=sections(
            _overview(examined.totals, say),
            _clauses(examined.totals, say),
            _groups(examined.totals.cells, say),
            _months(examined.totals.cells, say),
            _evidence(examined.evidence, say),
            _breaks(examined.totals, say),
        ),
    )


def _overview(totals: Totals, say: Wording) -> Section:
    broken = sum(each.broken for each in totals.clauses)
    silent = sum(each.not_shown for each in totals.clauses)
    return section(
        say.say("At a glance"),
        facts(
            (say.say("Events examined"), say.count(totals.examined)),
            (say.say("Broken"), say.count(broken)),
            (say.say("Cannot be shown"), say.count(silent)),
            (say.say("Histories that cannot be"), say.count(totals.breaks)),
            large=True,
        ),
    )


def _clauses(totals: Totals, say: Wording) -> Section:
    wrong = [each for each in totals.clauses if each.broken or each.not_shown]
    chart = Bars(
        about=say.say("Findings by clause"),
        labels=tuple(each.clause for each in wrong),
        series={
            say.say("Broken"): tuple(each.broken for each in wrong),
            say.say("Cannot be shown"): tuple(each.not_shown for each in wrong),
        },
        unit=say.say("findings"),
        stacked=True,
    )
    heads = ("Clause", "Broken", "Cannot be shown", "Shown", "Incidents with findings")
    return section(
        say.say("By clause"),
        *((chart,) if wrong else (Note(text=say.say("Nothing was found against the process.")),)),
        Grid(
            head=tuple(map(say.say, heads)),
            rows=tuple(
                (
                    each.clause,
                    *map(say.count, (each.broken, each.not_shown, each.shown, each.incidents)),
                )
                for each in totals.clauses
            ),
        ),
    )


def _groups(cells: Iterable[Cell], say: Wording) -> Section:
    counts: Counter[tuple[str | None, str, Verdict]] = Counter()
    for each in cells:
        counts[each.group, each.clause, each.verdict] += each.count
    rows = [
        (group or say.say("service desk"), clause, _verdict(verdict, say), count)
        for (group, clause, verdict), count in counts.most_common()
    ]
    return section(
        say.say("By group"),
        _first(tuple(map(say.say, ("Group", "Clause", "Verdict", "Findings"))), rows, say),
    )


def _months(cells: Iterable[Cell], say: Wording) -> Section:
    counts: dict[str, Counter[Verdict]] = {}
    for each in cells:
        counts.setdefault(each.month, Counter())[each.verdict] += each.count
    return section(
        say.say("By month"),
        Grid(
            head=tuple(map(say.say, ("Month", "Broken", "Cannot be shown"))),
            rows=tuple(
                (month, *(say.count(found[verdict]) for verdict in (Verdict.BROKEN, Verdict.NOT_SHOWN)))
                for month, found in sorted(counts.items())
            ),
        ),
    )


def _evidence(findings: Sequence[Finding], say: Wording) -> Section:
    heads = ("Clause", "Verdict", "Position", "Incident", "When", "By", "What")
    return section(
        say.say("The first findings of each kind, with their evidence"),
        Grid(
            head=tuple(map(say.say, heads)),
            rows=tuple(
                (
                    each.clause,
                    _verdict(each.verdict, say),
                    str(each.position),
                    each.incident,
                    moment(each.occurred_at),
                    each.by.person,
                    _what(each, say),
                )
                for each in findings
            ),
            numbers_from=len(heads),
            remark=say.say("The report as JSON has them all."),
        ),
    )


def _what(finding: Finding, say: Wording) -> str:
    what = say.say(_WHAT[finding.code]) if finding.code in _WHAT else finding.message
    by = (
        say.say("recorded at the import") if finding.found is not Found.REPLAY else say.say("found by replay")
    )
    return f"{what} ({by})"


def _breaks(totals: Totals, say: Wording) -> Section:
    heads = ("Position", "Stream", "Version", "Event", "Why it cannot be")
    return section(
        say.say("Histories that cannot be"),
        Grid(
            head=tuple(map(say.say, heads)),
            rows=tuple(
                (str(each.position), each.stream, str(each.version), each.name, each.why)
                for each in totals.first_breaks
            ),
            numbers_from=len(heads),
        ),
    )


def _verdict(verdict: Verdict, say: Wording) -> str:
    return say.say({Verdict.BROKEN: "broken", Verdict.NOT_SHOWN: "cannot be shown"}.get(verdict, "shown"))


def _first(head: tuple[str, ...], rows: Sequence[tuple[str, str, str, int]], say: Wording) -> Grid:
    more = len(rows) - _SHOWN
    remark = say.say("And {count} more, which the report as JSON has.", count=say.count(more))
    return Grid(
        head=head,
        rows=tuple((*words, say.count(count)) for *words, count in rows[:_SHOWN]),
        numbers_from=len(head) - 1,
        remark=remark if more > 0 else "",
    )
