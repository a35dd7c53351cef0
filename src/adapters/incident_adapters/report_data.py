"""Reports as data: the closure report of an incident, and the report over a period (P5.3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import fields, frozen
from sqlalchemy import Connection

from incident_domain import IncidentId
from incident_projections.clocks import TermsOf
from incident_projections.closure_readers import ClosureReport, closure_report
from incident_projections.period import Lengths, PeriodReport
from incident_projections.period_readers import period_report
from incident_projections.report_service_levels import (
    PeriodServiceLevels,
    ServiceLevel,
    period_service_levels,
    service_levels_of,
)


@frozen(kw_only=True)
class IncidentReport:
    """The closure report of an incident, and what became of its service levels."""

    closure: ClosureReport
    service_levels: tuple[ServiceLevel, ...]


def incident_report(
    connection: Connection, incident: IncidentId, *, terms_of: TermsOf, now: datetime
) -> IncidentReport | None:
    """The report of an incident, closed or not yet; None when there is none of that name.

    Clocks that still run are read at `now`, which must not lie before the incident's last event.
    """
    closure = closure_report(connection, incident)
    if closure is None:
        return None
    levels = service_levels_of(connection, incident, terms_of=terms_of, now=now)
    return IncidentReport(closure=closure, service_levels=levels)


@frozen(kw_only=True)
class ServiceReport:
    """What was closed and went on in a period, and its service levels."""

    period: PeriodReport
    service_levels: PeriodServiceLevels


def service_report(connection: Connection, *, since: datetime, until: datetime) -> ServiceReport:
    """The report from `since` on and before `until`, which must not lie in the future.

    Raises:
        ValueError: when `until` does not lie after `since`.
    """
    return ServiceReport(
        period=period_report(connection, since=since, until=until),
        service_levels=period_service_levels(connection, since=since, until=until),
    )


def incident_data(report: IncidentReport) -> Mapping[str, object]:
    """The report for programs."""
    closure = {each.name: getattr(report.closure, each.name) for each in fields(ClosureReport)}
    return {**closure, "service_levels": report.service_levels}


def period_data(report: ServiceReport) -> Mapping[str, object]:
    """The report for programs: what it counts by something comes as a list."""
    period = report.period
    by: Mapping[str, Mapping[Any, Lengths]] = {"priority": period.by_priority, "group": period.by_group}
    return {
        "since": period.since,
        "until": period.until,
        "closed": period.closed,
        "handling": period.handling,
        **{
            f"by_{what}": [{what: key, "handling": each} for key, each in lengths.items()]
            for what, lengths in by.items()
        },
        "acknowledgement": period.acknowledgement,
        "agreement": period.agreement,
        "satisfaction": period.satisfaction,
        "reopened": period.reopened,
        "reopen_rate": period.reopen_rate,
        "reassignments": period.reassignments,
        "bounces": period.bounces,
        "first_line": period.first_line,
        "first_line_rate": period.first_line_rate,
        "matched": period.matched,
        "by_known_error": period.by_known_error,
        "causes": period.causes,
        "deviations": period.deviations,
        "volume": period.volume,
        "backlog": period.backlog,
        "states": period.states,
        "groups": period.groups,
        "persons": period.persons,
        "hand_overs": period.hand_overs,
        "breaches": report.service_levels.breaches,
        "kept": report.service_levels.kept,
    }
