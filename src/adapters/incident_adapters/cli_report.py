"""The closure report of one incident, and of a period (P5.3), as data and as text."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from sqlalchemy import Connection

from incident_adapters import cli_text
from incident_adapters.cli_text import facts, moment, section, table, words
from incident_domain.validation import InvalidValue
from incident_projections.closure_readers import ClosureReport, Effort, Finding
from incident_projections.describe import duration
from incident_projections.period import Lengths, PeriodReport
from incident_projections.period_readers import period_report


def of_period(
    connection: Connection, since: datetime | None, until: datetime | None, now: datetime
) -> PeriodReport:
    """The report of what was closed from `since` on and before `until`; without an end, up to now.

    A time that names no zone is one in UTC.

    Raises:
        InvalidValue: when there is no beginning, or when the end does not lie after it.
    """
    if since is None:
        raise InvalidValue("--from", "is missing; name an incident, or a period by --from 2026-03-01")
    begins, ends = _in_utc("--from", since), now if until is None else _in_utc("--to", until)
    if ends <= begins:
        raise InvalidValue("--to", "must lie after --from; give a later time, or leave it out for now")
    return period_report(connection, since=begins, until=ends)


def _in_utc(option: str, instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(option, "must lie in the years 1 to 9999 of UTC; correct the year") from None


def incident_text(report: ClosureReport) -> RenderableType:
    """The closure report of one incident."""
    number = "without a number" if report.number is None else str(report.number)
    parts: list[RenderableType] = [
        section(f"Closure report of incident {number}, {report.incident}", facts(_points(report)))
    ]
    if report.findings:
        parts.append(section("Findings", *map(_finding, report.findings)))
    if report.deviations:
        parts.append(
            section(
                "Deviations from the process",
                table(("Clause", "What was missing"), ((e.clause, e.missing) for e in report.deviations)),
            )
        )
    return cli_text.below_each_other(parts)


def _finding(finding: Finding) -> RenderableType:
    prevented = "" if finding.prevention is None else f" To prevent it: {finding.prevention}."
    return cli_text.cell(f"{finding.findings}.{prevented}")


def _points(report: ClosureReport) -> Sequence[tuple[str, object]]:
    priority = report.priority
    return (
        ("customer", f"{report.customer} of {report.organisation}"),
        ("category", report.category),
        ("priority", None if priority is None else f"{priority.value} {priority.name.lower()}"),
        ("began", moment(report.began_at)),
        ("registered", moment(report.registered_at)),
        ("restored", moment(report.restored_at)),
        ("resolved", moment(report.resolved_at)),
        ("closed", moment(report.closed_at) or (None if report.cancelled_at else "not yet")),
        ("cancelled", moment(report.cancelled_at)),
        ("handling time", None if report.handling is None else duration(report.handling)),
        ("by", ", ".join(filter(None, (report.group or "service desk", report.person)))),
        ("actions", report.actions),
        ("solution", report.solution),
        ("known error", report.known_error),
        ("changes", ", ".join(report.changes)),
        ("root cause", _cause(report)),
        ("customer's agreement", None if report.agreement is None else words(report.agreement)),
        ("satisfaction", "unknown" if report.satisfaction is None else words(report.satisfaction)),
        ("effort", _spent(report.effort)),
        (
            "with its children",
            None if report.effort_with_children == report.effort else _spent(report.effort_with_children),
        ),
        ("reassigned", _times(report.reassignments)),
        ("rejected by a group", _times(report.bounces)),
        ("reopened", _times(report.reopenings)),
    )


def _cause(report: ClosureReport) -> str:
    if report.root_cause is None:
        return "not classified"
    return f"{report.root_cause} ({report.root_cause_category})"


def _times(count: int) -> str | None:
    return {0: None, 1: "once"}.get(count, f"{count} times")


def _spent(effort: Effort) -> str:
    costs = (f"{amount} {currency}" for currency, amount in effort.costs.items())
    return ", ".join((f"{effort.minutes} min", *costs))


def period_data(report: PeriodReport) -> Mapping[str, object]:
    """The report of a period for programs: what it counts by something comes as a list."""
    return {
        "since": report.since,
        "until": report.until,
        "closed": report.closed,
        "handling": report.handling,
        "by_priority": [
            {"priority": key, "handling": handling} for key, handling in report.by_priority.items()
        ],
        "by_group": [{"group": key, "handling": handling} for key, handling in report.by_group.items()],
        "agreement": report.agreement,
        "satisfaction": report.satisfaction,
        "reopened": report.reopened,
        "reopen_rate": report.reopen_rate,
        "reassignments": report.reassignments,
        "bounces": report.bounces,
        "deviations": report.deviations,
    }


def period_text(report: PeriodReport) -> RenderableType:
    """The report of a period for people."""
    title = f"Closed from {moment(report.since)} on and before {moment(report.until)}, in UTC"
    if not report.closed:
        return section(title, Text("nothing"))
    share = "" if report.reopen_rate is None else f" ({report.reopen_rate:.1%})"
    told = {words(key): count for key, count in report.satisfaction.items() if count}
    if unknown := report.closed - sum(told.values()):
        told["unknown"] = unknown
    agreed = {words(key): count for key, count in report.agreement.items() if count}
    parts: list[RenderableType] = [
        section(
            title,
            facts(
                (
                    ("closed", report.closed),
                    ("median handling time", _length(report.handling.median)),
                    ("nine in ten within", _length(report.handling.p90)),
                    ("reopened", f"{report.reopened}{share}"),
                    ("reassigned", report.reassignments),
                    ("rejected by a group", report.bounces),
                    ("customer's agreement", _listed(agreed)),
                    ("satisfaction", _listed(told)),
                )
            ),
        ),
        section("By priority", _by("Priority", report.by_priority)),
        section("By group", _by("Group", report.by_group)),
    ]
    if report.deviations:
        parts.append(
            section(
                "Incidents that broke a clause", table(("Clause", "Incidents"), report.deviations.items())
            )
        )
    return cli_text.below_each_other(parts)


def _by(what: str, handled: Mapping[Any, Lengths]) -> RenderableType:
    return table(
        (what, "Closed", "Median", "Nine in ten within"),
        (
            ("none" if key is None else key, each.count, _length(each.median), _length(each.p90))
            for key, each in handled.items()
        ),
    )


def _length(handling: timedelta | None) -> str:
    return "" if handling is None else duration(handling)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
