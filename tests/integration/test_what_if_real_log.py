"""What would have been breached of a real log equals what plain arithmetic over the file says."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

from incident_adapters.service_desk import ServiceDesk
from incident_adapters.servicenow_commands import incident_of
from incident_adapters.what_if import what_if
from incident_domain.events import AgreementId, Hours, Party, Target, TargetKind, Terms
from incident_domain.priority import Priority
from incident_domain.working_time import ROUND_THE_CLOCK
from incident_projections.what_if import Alternative, Change, OtherAgreement, TargetStanding
from incident_projections.what_if_totals import WhatIfReport
from tests.integration.test_report_real_log import at, incidents_of_the_file
from tests.servicenow_logs import needs_real_log

SINCE: Final = datetime(2016, 1, 1, tzinfo=UTC)
UNTIL: Final = datetime(2017, 1, 1, tzinfo=UTC)
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
THREE_DAYS: Final = timedelta(days=3)
ALTERNATIVE: Final = Alternative(
    agreements={
        AgreementId("three-days"): OtherAgreement(
            party=Party.CUSTOMER,
            holds_from=SINCE,
            terms=Terms(
                hours=Hours(timezone=ROUND_THE_CLOCK.timezone, weekly=ROUND_THE_CLOCK.weekly),
                targets=tuple(
                    Target(kind=TargetKind.RESOLVE, priority=each, minutes=THREE_DAYS // timedelta(minutes=1))
                    for each in Priority
                ),
            ),
        )
    }
)


@needs_real_log
def test_three_days_to_resolve_are_what_plain_arithmetic_says(real_store_url: str) -> None:
    """From opening to resolution, without the time between it and a reopening, by priority and group."""
    with ServiceDesk.open(real_store_url) as desk:
        found = what_if(desk.journal, ALTERNATIVE, since=SINCE, until=UNTIL, now=NOW)

    expected = [plainly(rows) for rows in incidents_of_the_file()]
    late = [each for each in expected if each.used > THREE_DAYS]
    assert found.incidents == found.would_be_agreed == len(expected) == 20_769
    assert found.agreed == 0
    assert 0 < len(late) < len(expected)
    assert (found.changes[Change.WOULD_BREACH], found.changes[Change.WOULD_MEET]) == (
        len(late),
        len(expected) - len(late),
    )
    assert {each.incident: each.would_be.used for each in found.told} == {
        incident_of(each.number): each.used for each in late
    }
    assert {each.was.standing for each in found.told} == {TargetStanding.UNAGREED}
    assert breaches_by_priority(found) == Counter(each.priority for each in late)
    assert breaches_by_group(found) == Counter(each.group for each in late)


def breaches_by_priority(found: WhatIfReport) -> Counter[int | None]:
    counted: Counter[int | None] = Counter()
    for each in found.by_priority:
        counted[each.priority] += each.targets[Change.WOULD_BREACH]
    return +counted


def breaches_by_group(found: WhatIfReport) -> Counter[str | None]:
    counted: Counter[str | None] = Counter()
    for each in found.by_group:
        counted[each.group] += each.targets[Change.WOULD_BREACH]
    return +counted


@frozen(kw_only=True)
class Plainly:
    """What the rows of an incident say, by nothing but their columns."""

    number: int
    used: timedelta
    priority: int
    group: str | None


def plainly(rows: list[dict[str, str]]) -> Plainly:
    """How long an incident was open, until now where it was never resolved, and how it stood at last."""
    used, since, group = timedelta(), at(rows[0]["opened_at"]), None
    is_open = True
    for row in rows:
        told, now = row["incident_state"], at(row["sys_updated_at"])
        if not is_open and told not in {"Resolved", "Closed"}:
            since, is_open = now, True
        elif is_open and told in {"Resolved", "Closed"}:
            used, is_open = used + (now - since), False
        if not (group is None and row["assignment_group"] == row["assigned_to"] == "?"):
            group = "unnamed" if row["assignment_group"] == "?" else row["assignment_group"]
    return Plainly(
        number=int(rows[0]["number"].removeprefix("INC")),
        used=used + (NOW - since if is_open else timedelta()),
        priority=int(rows[-1]["priority"][0]),
        group=group,
    )
