"""The closure report of an incident as a page (P5.2, P5.3)."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from incident_adapters.report_data import IncidentReport
from incident_adapters.report_page import Bars, Facts, Grid, Note, Page, Section, facts, section, sections
from incident_adapters.report_words import Language, Wording, length, moment
from incident_projections.closure_readers import ClosureReport, Effort, TimeSpent
from incident_projections.describe import working_time
from incident_projections.report_service_levels import ServiceLevel

_HOUR: Final = timedelta(hours=1)


def incident_page(report: IncidentReport, language: Language) -> Page:
    """The report as it is printed."""
    say = Wording(language)
    closure = report.closure
    number = say.say("without a number") if closure.number is None else str(closure.number)
    return Page(
        language=language.value,
        title=say.say(
            "Closure report of incident {number}, {incident}", number=number, incident=closure.incident
        ),
        subtitle=_standing(closure, say),
        lead=closure.summary,
        sections=sections(
            _incident(closure, say),
            _resolution(closure, say),
            _cause(closure, say),
            _customer(closure, say),
            _dates(closure, say),
            _handling(closure, say),
            _service_levels(report.service_levels, say),
            _effort(closure, say),
            _course(closure, say),
        ),
    )


def _standing(report: ClosureReport, say: Wording) -> str:
    if report.closed_at is not None:
        said = say.say("Closed on {at}", at=moment(report.closed_at))
    elif report.cancelled_at is not None:
        said = say.say("Cancelled on {at}", at=moment(report.cancelled_at))
    else:
        said = say.say("Not closed yet")
    return f"{said}. {say.say('All times are in UTC')}."


def _incident(report: ClosureReport, say: Wording) -> Section:
    holder = report.group or say.say("service desk")
    return section(
        say.say("The incident"),
        facts(
            (say.say("customer"), f"{report.customer}, {report.organisation}"),
            (say.say("services"), ", ".join(report.services)),
            (say.say("category"), report.category),
            (say.say("priority"), None if report.priority is None else say.word(report.priority)),
            (say.say("with"), ", ".join(filter(None, (holder, report.person)))),
            (say.say("child of"), report.parent),
        ),
    )


def _resolution(report: ClosureReport, say: Wording) -> Section:
    return section(
        say.say("Actions and solution"),
        facts(
            (say.say("actions"), report.actions),
            (say.say("solution"), report.solution),
            (say.say("known error"), report.known_error or report.matched),
            (say.say("changes"), ", ".join(report.changes)),
            (say.say("resolved by"), report.resolved_by),
            (say.say("record found accurate by"), report.verified_by),
        ),
    )


def _cause(report: ClosureReport, say: Wording) -> Section:
    findings = Grid(
        head=(say.say("What was found"), say.say("To prevent it")),
        rows=tuple((each.findings, each.prevention or "") for each in report.findings),
        numbers_from=2,
    )
    return section(
        say.say("Root cause"),
        facts(
            (say.say("root cause"), report.root_cause or say.say("not classified")),
            (say.say("category of the cause"), report.root_cause_category),
        ),
        findings,
    )


def _customer(report: ClosureReport, say: Wording) -> Section:
    agreement = report.agreement
    satisfaction = report.satisfaction
    return section(
        say.say("The customer"),
        facts(
            (say.say("customer's agreement"), None if agreement is None else say.word(agreement)),
            (say.say("satisfaction"), say.say("unknown") if satisfaction is None else say.word(satisfaction)),
            (say.say("asked on"), moment(report.asked_at)),
            (say.say("confirmed on"), moment(report.confirmed_at)),
        ),
    )


def _dates(report: ClosureReport, say: Wording) -> Section:
    return section(
        say.say("Dates and times"),
        facts(
            (say.say("began"), moment(report.began_at)),
            (say.say("registered"), moment(report.registered_at)),
            (say.say("first acknowledged"), moment(report.acknowledged_first_at)),
            (say.say("service restored"), moment(report.restored_at)),
            (say.say("resolved"), moment(report.resolved_at)),
            (say.say("record verified"), moment(report.verified_at)),
            (say.say("closed"), moment(report.closed_at)),
            (say.say("cancelled"), moment(report.cancelled_at)),
        ),
    )


def _handling(report: ClosureReport, say: Wording) -> Section:
    """The handling time, and its parts by phase and by who was waited for."""
    handled = [each for each in report.time if each.handled]
    after = sum((each.length for each in report.time if not each.handled), timedelta())

    def awaited(each: TimeSpent) -> str:
        if each.hold is not None:
            return say.say("on hold: {reason}", reason=say.word(each.hold))
        return each.group or say.say("service desk")

    by_awaited = _split(handled, awaited)
    chart = Bars(
        about=say.say("Handling time by who was waited for"),
        labels=(say.say("handling time"),),
        series={name: (part / _HOUR,) for name, part in by_awaited},
        unit=say.say("hours"),
        stacked=True,
    )
    return section(
        say.say("Handling time"),
        facts(
            (say.say("handling time"), length(report.handling)),
            (say.say("after the resolution"), length(after) if after else None),
        ),
        *((chart,) if len(by_awaited) > 1 else ()),
        _shares(say.say("Waited for"), by_awaited, say),
        _shares(say.say("Phase"), _split(handled, lambda each: say.word(each.phase)), say),
    )


def _split(time: Sequence[TimeSpent], by: Callable[[TimeSpent], str]) -> list[tuple[str, timedelta]]:
    parts: dict[str, timedelta] = {}
    for each in time:
        parts[by(each)] = parts.get(by(each), timedelta()) + each.length
    return list(parts.items())


def _shares(title: str, parts: Sequence[tuple[str, timedelta]], say: Wording) -> Grid:
    whole = sum((part for _, part in parts), timedelta()).total_seconds()
    return Grid(
        head=(title, say.say("Time"), say.say("Share")),
        rows=tuple((name, length(part), say.share(part.total_seconds(), whole)) for name, part in parts),
    )


def _service_levels(levels: Sequence[ServiceLevel], say: Wording) -> Section:
    if not levels:
        none = Note(text=say.say("No service level agreement applies to it."))
        return section(say.say("Service levels"), none)
    heads = ("Agreement", "Target", "Agreed", "Used at most", "Clocks", "Breached", "Outcome")
    return section(
        say.say("Service levels"),
        Grid(
            head=tuple(map(say.say, heads)),
            rows=tuple(
                (
                    each.agreement,
                    say.word(each.kind),
                    say.say("no target") if each.target is None else working_time(each.target),
                    working_time(each.used),
                    say.count(each.cycles),
                    say.count(each.breached),
                    say.say("still running") if each.outcome is None else say.word(each.outcome),
                )
                for each in levels
            ),
            numbers_from=2,
        ),
    )


def _effort(report: ClosureReport, say: Wording) -> Section:
    own = _spent(report.effort, say)
    if not report.children:
        return section(say.say("Effort and cost"), facts((say.say("effort"), own)))
    children = (
        (
            say.say("child {incident}", incident=each.incident),
            _minutes(each.effort, say),
            _costs(each.effort, say),
        )
        for each in report.children
    )
    return section(
        say.say("Effort and cost"),
        Grid(
            head=(say.say("Incident"), say.say("Effort"), say.say("Cost")),
            rows=(
                (report.incident, _minutes(report.effort, say), _costs(report.effort, say)),
                *children,
                (
                    say.say("with its children"),
                    _minutes(report.effort_with_children, say),
                    _costs(report.effort_with_children, say),
                ),
            ),
        ),
    )


def _spent(effort: Effort, say: Wording) -> str:
    return ", ".join(filter(None, (_minutes(effort, say), _costs(effort, say))))


def _minutes(effort: Effort, say: Wording) -> str:
    return f"{say.count(effort.minutes)} min"


def _costs(effort: Effort, say: Wording) -> str:
    return ", ".join(say.amount(amount, currency) for currency, amount in effort.costs.items())


def _course(report: ClosureReport, say: Wording) -> Section:
    broken = Counter((each.clause, each.missing) for each in report.deviations)
    deviations = Grid(
        head=(say.say("Deviation from clause"), say.say("What was missing")),
        rows=tuple(broken),
        numbers_from=2,
    )
    counts = (
        (say.say("reassigned"), report.reassignments),
        (say.say("rejected by a group"), report.bounces),
        (say.say("reopened"), report.reopenings),
        (say.say("resolution rejected by the customer"), report.rejections),
    )
    told = Facts(rows=tuple((name, say.count(count)) for name, count in counts if count))
    calm = () if told.rows else (Note(text=say.say("Never reassigned, rejected or reopened.")),)
    return section(say.say("How it went"), told, *calm, deviations)
