"""The report over a period as a page (P5.3)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from incident_adapters.report_data import ServiceReport
from incident_adapters.report_page import Bars, Grid, Lines, Note, Page, Section, facts, section, sections
from incident_adapters.report_words import Language, Wording, length, moment
from incident_domain.events import HoldReason
from incident_projections.period import HolderTime, Lengths, PeriodReport, StateTime
from incident_projections.report_service_levels import PeriodServiceLevels

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_SHOWN: Final = 15
_DRAWN: Final = 10


def period_page(report: ServiceReport, language: Language) -> Page:
    """The report as it is printed."""
    say = Wording(language)
    period = report.period
    return Page(
        language=language.value,
        title=say.say(
            "Incidents from {since} to {until}", since=moment(period.since), until=moment(period.until)
        ),
        subtitle=say.say("The end is not part of the period. All times are in UTC."),
        lead="",
        sections=sections(
            _overview(period, say),
            _backlog(period, say),
            _times(period, say),
            _service_levels(report.service_levels, say),
            _quality(period, say),
            _states(period.states, say),
            _holders(say.say("Where the time went, by group"), period.groups, say),
            _persons(period.persons, say),
            _hand_overs(period, say),
            _causes(period, say),
            _deviations(period, say),
        ),
    )


def _overview(report: PeriodReport, say: Wording) -> Section:
    volume, first, last = report.volume, report.backlog[0], report.backlog[-1]
    return section(
        say.say("At a glance"),
        facts(
            (say.say("Registered"), say.count(volume.registered)),
            (say.say("Resolved"), say.count(volume.resolved)),
            (say.say("Closed"), say.count(volume.closed)),
            (say.say("Open at the end"), say.count(last.open)),
            (say.say("Median handling time"), length(report.handling.median)),
            (say.say("Reopened"), say.share(report.reopened, report.closed)),
            (say.say("Resolved by the first line"), say.share(report.first_line, report.closed)),
            large=True,
        ),
        facts(
            (say.say("Open at the beginning"), say.count(first.open)),
            (say.say("Waiting for closure at the end"), say.count(last.awaiting_closure)),
            (say.say("Times reopened"), say.count(volume.reopened)),
            (say.say("Cancelled"), say.count(volume.cancelled)),
        ),
    )


def _backlog(report: PeriodReport, say: Wording) -> Section:
    points = report.backlog
    most = max(points, key=lambda each: each.open)
    most_open = say.say("{count} on {at}", count=say.count(most.open), at=moment(most.at))
    return section(
        say.say("Backlog"),
        Lines(
            about=say.say("Open incidents over time, and what came and went"),
            moments=tuple(each.at for each in points),
            levels={
                say.say("Open"): tuple(each.open for each in points),
                say.say("Waiting for closure"): tuple(each.awaiting_closure for each in points),
            },
            flows={
                say.say("Registered"): tuple(each.registered for each in points),
                say.say("Resolved"): tuple(each.resolved for each in points),
            },
        ),
        facts((say.say("Most were open"), most_open)),
    )


def _times(report: PeriodReport, say: Wording) -> Section:
    none = say.say("none")
    by_priority = {none if key is None else say.word(key): each for key, each in report.by_priority.items()}
    return section(
        say.say("Time to acknowledge and to resolve, of what was closed"),
        _lengths(
            say.say("What"),
            {say.say("to acknowledge"): report.acknowledgement, say.say("to resolve"): report.handling},
            say,
        ),
        *((_length_bars(by_priority, say),) if report.closed else ()),
        _lengths(say.say("Priority"), by_priority, say),
        _lengths(
            say.say("Group at the end"),
            {say.say("service desk") if key is None else key: each for key, each in report.by_group.items()},
            say,
        ),
    )


def _lengths(what: str, lengths: Mapping[str, Lengths], say: Wording) -> Grid:
    listed = list(lengths.items())
    if len(listed) > _SHOWN:
        listed.sort(key=lambda each: -each[1].count)
    return _grid(
        (what, say.say("Incidents"), say.say("Median"), say.say("Nine in ten within")),
        [(name, say.count(each.count), length(each.median), length(each.p90)) for name, each in listed],
        say,
    )


def _length_bars(lengths: Mapping[str, Lengths], say: Wording) -> Bars:
    return Bars(
        about=say.say("Time to resolve by priority"),
        labels=tuple(lengths),
        series={
            say.say("median"): tuple((each.median or timedelta()) / _HOUR for each in lengths.values()),
            say.say("nine in ten within"): tuple(
                (each.p90 or timedelta()) / _HOUR for each in lengths.values()
            ),
        },
        unit=say.say("hours"),
    )


def _grid(head: Sequence[str], rows: Sequence[tuple[str, ...]], say: Wording, numbers_from: int = 1) -> Grid:
    """A table of the first rows, which says how many more there are."""
    more = len(rows) - _SHOWN
    remark = say.say("And {count} more, which the report as JSON has.", count=say.count(more))
    return Grid(
        head=tuple(head),
        rows=tuple(rows[:_SHOWN]),
        numbers_from=numbers_from,
        remark=remark if more > 0 else "",
    )


def _service_levels(levels: PeriodServiceLevels, say: Wording) -> Section:
    kept = [
        (
            each.agreement,
            say.word(each.kind),
            say.count(each.clocks),
            say.count(each.met),
            say.share(each.met, each.clocks),
        )
        for each in levels.kept
    ]
    breaches = [
        (
            each.agreement,
            say.word(each.kind),
            each.group or say.say("service desk"),
            say.say("none") if each.priority is None else say.word(each.priority),
            say.count(each.breaches),
        )
        for each in levels.breaches
    ]
    heads = ("Agreement", "Target", "Clocks of what was closed", "Met", "Share")
    heads_of_breaches = ("Agreement", "Target", "Group", "Priority", "Breaches in the period")
    return section(
        say.say("Service levels"),
        _grid(tuple(map(say.say, heads)), kept, say, 2),
        *_breach_bars(levels, say),
        _grid(tuple(map(say.say, heads_of_breaches)), breaches, say, 4),
    )


def _breach_bars(levels: PeriodServiceLevels, say: Wording) -> Iterable[Bars]:
    counts: dict[str, dict[str, int]] = {}
    for each in levels.breaches:
        group = each.group or say.say("service desk")
        of_group = counts.setdefault(group, {})
        priority = say.say("none") if each.priority is None else say.word(each.priority)
        of_group[priority] = of_group.get(priority, 0) + each.breaches
    if not counts:
        return
    groups = sorted(counts, key=lambda group: (-sum(counts[group].values()), group))[:_DRAWN]
    priorities = sorted({priority for each in counts.values() for priority in each})
    yield Bars(
        about=say.say("Breaches by group and priority"),
        labels=tuple(groups),
        series={
            priority: tuple(counts[group].get(priority, 0) for group in groups) for priority in priorities
        },
        unit=say.say("breaches"),
        stacked=True,
    )


def _quality(report: PeriodReport, say: Wording) -> Section:
    closed = report.closed
    told = sum(report.satisfaction.values())

    def of_closed(count: int) -> str:
        return f"{say.count(count)} ({say.share(count, closed)})"

    satisfaction = [(say.word(key), count) for key, count in report.satisfaction.items()]
    chart = Bars(
        about=say.say("Satisfaction"),
        labels=tuple(name for name, _ in satisfaction),
        series={say.say("incidents"): tuple(count for _, count in satisfaction)},
        unit=say.say("incidents"),
    )
    agreement = [
        (say.say("Customer's agreement: {word}", word=say.word(key)), of_closed(count))
        for key, count in report.agreement.items()
        if count
    ]
    title = say.say("How well it went, of what was closed")
    if not closed:
        return section(title, Note(text=say.say("Nothing was closed.")))
    return section(
        title,
        facts(
            (say.say("Closed"), say.count(closed)),
            (say.say("Reopened at least once"), of_closed(report.reopened)),
            (say.say("Resolved by the first line"), of_closed(report.first_line)),
            (say.say("Matched a known error"), of_closed(report.matched)),
            (say.say("Resolved by a known error"), of_closed(report.by_known_error)),
            (say.say("Reassigned"), say.count(report.reassignments)),
            (say.say("Rejected by a group"), say.count(report.bounces)),
            *agreement,
        ),
        *((chart,) if told else ()),
        Grid(
            head=(say.say("Satisfaction"), say.say("Incidents"), say.say("Share")),
            rows=tuple(
                (name, say.count(count), say.share(count, closed))
                for name, count in (*satisfaction, (say.say("unknown"), closed - told))
            ),
        ),
    )


def _states(states: Sequence[StateTime], say: Wording) -> Section:
    whole = sum((each.length for each in states), timedelta()).total_seconds()
    phases = list(dict.fromkeys(each.phase for each in states))
    holds = [each for each in (None, *HoldReason) if any(state.hold is each for state in states)]

    def hold_name(hold: HoldReason | None) -> str:
        return say.say("not on hold") if hold is None else say.say("on hold: {reason}", reason=say.word(hold))

    spent = {(each.phase, each.hold): each.length for each in states}
    chart = Bars(
        about=say.say("Where the time went, by state"),
        labels=tuple(map(say.word, phases)),
        series={
            hold_name(hold): tuple(spent.get((phase, hold), timedelta()) / _DAY for phase in phases)
            for hold in holds
        },
        unit=say.say("days"),
        stacked=True,
    )
    return section(
        say.say("Where the time went, by state"),
        *((chart,) if states else ()),
        Grid(
            head=(say.say("Phase"), say.say("Waited for"), say.say("Time"), say.say("Share")),
            rows=tuple(
                (
                    say.word(each.phase),
                    "" if each.hold is None else say.word(each.hold),
                    length(each.length),
                    say.share(each.length.total_seconds(), whole),
                )
                for each in states
            ),
            numbers_from=2,
        ),
    )


def _holders(title: str, held: Sequence[HolderTime], say: Wording) -> Section:
    drawn = held[:_DRAWN]
    chart = Bars(
        about=title,
        labels=tuple(each.group or say.say("service desk") for each in drawn),
        series={
            say.say("in work"): tuple(each.working / _DAY for each in drawn),
            say.say("on hold"): tuple(each.on_hold / _DAY for each in drawn),
        },
        unit=say.say("days"),
        stacked=True,
    )
    return section(
        title,
        *((chart,) if held else ()),
        _grid(
            (say.say("Group"), say.say("In work"), say.say("On hold")),
            [
                (each.group or say.say("service desk"), length(each.working), length(each.on_hold))
                for each in held
            ],
            say,
        ),
    )


def _persons(held: Sequence[HolderTime], say: Wording) -> Section:
    return section(
        say.say("Where the time went, by person"),
        _grid(
            (say.say("Person"), say.say("Group"), say.say("In work"), say.say("On hold")),
            [
                (
                    each.person or "",
                    each.group or say.say("service desk"),
                    length(each.working),
                    length(each.on_hold),
                )
                for each in held
            ],
            say,
            2,
        ),
    )


def _hand_overs(report: PeriodReport, say: Wording) -> Section:
    desk = say.say("service desk")
    return section(
        say.say("Hand-offs between groups"),
        _grid(
            (say.say("From"), say.say("To"), say.say("Handed over"), say.say("Rejected")),
            [
                (
                    each.giver or desk,
                    each.taker,
                    say.count(each.handed_over),
                    say.count(each.rejected),
                )
                for each in report.hand_overs
            ],
            say,
            2,
        ),
    )


def _causes(report: PeriodReport, say: Wording) -> Section:
    drawn = report.causes[:_DRAWN]
    chart = Bars(
        about=say.say("Root causes that come up most"),
        labels=tuple(each.root_cause for each in drawn),
        series={say.say("incidents"): tuple(each.incidents for each in drawn)},
        unit=say.say("incidents"),
    )
    return section(
        say.say("Root causes, for problem management"),
        *((chart,) if drawn else ()),
        _grid(
            tuple(map(say.say, ("Root cause", "Category", "Incidents", "Handling time", "Effort"))),
            [
                (
                    each.root_cause,
                    each.category,
                    say.count(each.incidents),
                    length(each.handling),
                    f"{say.count(each.effort_minutes)} min",
                )
                for each in report.causes
            ],
            say,
            2,
        ),
    )


def _deviations(report: PeriodReport, say: Wording) -> Section:
    return section(
        say.say("Clauses of the process that closed incidents broke"),
        _grid(
            (say.say("Clause"), say.say("Incidents")),
            [(clause, say.count(count)) for clause, count in report.deviations.items()],
            say,
        ),
    )
