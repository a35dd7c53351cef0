"""How a timer, and how its incident stands, lie in columns, so that the next event need not count anew.

What cannot be put down so is None, and is counted from the facts: a clock that was moved has stretches that
the calendars of several versions count.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from incident_domain.actor import GroupId
from incident_domain.agreements import calendar_of
from incident_domain.events import AgreementId, HoldReason, Party, TargetKind
from incident_domain.priority import Priority
from incident_domain.service_clock import ClockState, Noted, Run, ServiceClock
from incident_projections.clock_facts import Circumstances, Fact, Holder, Step
from incident_projections.clocks import Crossing, Reason, TermsOf, Timer, Turn

_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def written_reasons(why: Iterable[Reason]) -> str:
    """What turned a clock, as a JSON array of facts."""
    return _json(
        [
            [each.turn.value, each.fact.at, each.fact.position, each.fact.step.value, *each.fact.values]
            for each in why
        ]
    )


def read_reasons(column: str) -> tuple[Reason, ...]:
    """What turned a clock, as it was written."""
    return tuple(
        Reason(turn=Turn(turn), fact=Fact(at=at, position=position, step=Step(step), values=tuple(values)))
        for turn, at, position, step, *values in json.loads(column)
    )


def written_circumstances(now: Circumstances) -> str:
    """How the incident stands, as a JSON array."""
    return _json(
        [
            None if now.priority is None else now.priority.value,
            now.services,
            None if now.hold is None else now.hold.value,
            _written_holder(now.holder),
            now.answered,
            now.resolved,
            now.same,
            now.ended,
        ]
    )


def read_circumstances(column: str) -> Circumstances:
    """How the incident stands, as it was written."""
    priority, services, hold, holder, answered, resolved, same, ended = json.loads(column)
    return Circumstances(
        priority=None if priority is None else Priority(priority),
        services=tuple(services),
        hold=None if hold is None else HoldReason(hold),
        holder=_read_holder(holder),
        answered=answered,
        resolved=resolved,
        same=same,
        ended=ended,
    )


def _written_holder(holder: Holder | None) -> list[Any] | None:
    if holder is None:
        return None
    return [holder.group, holder.acknowledged, _written_holder(holder.handed_over_by)]


def _read_holder(written: list[Any] | None) -> Holder | None:
    if written is None:
        return None
    group, acknowledged, handed_over_by = written
    return Holder(
        group=GroupId(group), acknowledged=acknowledged, handed_over_by=_read_holder(handed_over_by)
    )


def written_clock(timer: Timer, terms_of: TermsOf) -> str | None:
    """What no other column holds of the timer, as a JSON array; None where that is not to be put down so."""
    clock = timer.clock
    _, terms = terms_of(timer.agreement, timer.version)
    calendar = calendar_of(terms.hours)
    counted_by = [clock.calendar, *(each.calendar for each in clock.runs)]
    if clock.noted is not None:
        counted_by.append(clock.noted.calendar)
    if any(each != calendar for each in counted_by):
        return None
    return _json(
        [
            timer.applied,
            timer.closed,
            clock.first_breached,
            None if clock.noted is None else [clock.noted.target],
            [[each.since, each.until, each.used_before] for each in clock.runs],
            [[each.percent, each.at, each.due_at] for each in timer.crossed],
        ]
    )


def read_timer(row: Mapping[str, Any], terms_of: TermsOf) -> Timer:
    """The timer of a row that tells all of it."""
    agreement, version = AgreementId(row["agreement"]), int(row["version"])
    _, terms = terms_of(agreement, version)
    calendar = calendar_of(terms.hours)
    applied, closed, first_breached, noted, runs, crossed = json.loads(row["clock"])
    return Timer(
        agreement=agreement,
        version=version,
        party=Party(row["party"]),
        kind=TargetKind(row["kind"]),
        clock=ServiceClock(
            target=row["target"],
            calendar=calendar,
            state=ClockState(row["state"]),
            at=row["last_step_at"],
            runs=tuple(
                Run(calendar=calendar, since=since, until=until, used_before=used)
                for since, until, used in runs
            ),
            first_breached=first_breached,
            noted=None if noted is None else Noted(target=noted[0], calendar=calendar),
        ),
        cycle=row["cycle"],
        agreed=True,
        applied=applied,
        closed=closed,
        crossed=tuple(Crossing(percent=percent, at=at, due_at=due_at) for percent, at, due_at in crossed),
        marks=frozenset(json.loads(row["recorded"])),
        why=read_reasons(row["why"]),
    )
