"""The view of service clocks: a row for every clock and cycle, with the instants at which it needs attention.

Time is no part of it: a row tells from when on it is due, breached or to be looked at, and readers bring the
`now`.  One row of each incident, without an agreement, carries the facts of which the others are made, and
how the incident stands for those who work on it.  Both together make its place in the queues, which is kept
in tables of its own.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Final, TypedDict

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from incident_domain import service_clock
from incident_domain.envelope import Recorded
from incident_domain.events import (
    AgreementApplied,
    AgreementMoved,
    HoursRecounted,
    IncidentRegistered,
    Party,
    TargetKind,
)
from incident_domain.incident import BREACH
from incident_domain.service_clock import ClockState
from incident_projections.clock_columns import (
    read_circumstances,
    read_timer,
    written_circumstances,
    written_clock,
    written_reasons,
)
from incident_projections.clock_facts import (
    CLOCK_EVENTS,
    Circumstances,
    ClockEvent,
    Fact,
    Step,
    circumstances_after,
    fact_of,
    read_facts,
    written,
)
from incident_projections.clocks import TermsOf, Timer, marked, stepped, timers_of_facts, unrecorded
from incident_projections.instants import micros_if_any
from incident_projections.standing import (
    REGISTERED,
    STANDING_EVENTS,
    StandingEvent,
    read_standing,
    standing_after,
    written_standing,
)
from incident_projections.view import METADATA, NAME, Derived, StreamView, unbegun
from incident_projections.work_queue import (
    WORK_SERVICES_TABLE,
    WORK_TABLE,
    work_rows,
    work_service_rows,
)

FACTS: Final = ""
"""The agreement and the kind of the row that carries an incident's facts."""


class SlaTimerRow(TypedDict):
    """A row of the view; instants and spans are microseconds, instants since 1970 UTC.

    `elapsed` is what was used when the clock was last touched, `last_step_at`.  `due_at` stands while the
    clock runs.  `over_at` is from when on more than the target now in force is used, None where that does not
    come by mere running; `first_breached_at` is the same under the targets that were in force, and stays.
    `watch_at` is when the next warning or breach that is not recorded falls due, and `recorded` lists those
    that are, in percent.  `why` lists what started, paused, resumed, moved and stopped the clock, as facts.
    `clock` is what else the next event has to know, None where it has to count from the facts.  `facts` and
    `standing` are in the row that carries the facts.
    """

    incident: str
    agreement: str
    kind: str
    cycle: int
    registered_at: int
    version: int | None
    party: str | None
    state: str | None
    target: int | None
    elapsed: int | None
    last_step_at: int | None
    due_at: int | None
    over_at: int | None
    first_breached_at: int | None
    watch_at: int | None
    recorded: str | None
    why: str | None
    clock: str | None
    facts: str | None
    standing: str | None


_DUE: Final = text("due_at IS NOT NULL")
_OVER: Final = text("over_at IS NOT NULL AND state IN ('running', 'paused')")
_WATCHED: Final = text("watch_at IS NOT NULL")

SLA_TIMERS_TABLE: Final = Table(
    "sla_timers",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("agreement", NAME, primary_key=True),
    Column("kind", NAME, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("registered_at", BigInteger, nullable=False),
    Column("version", Integer),
    Column("party", Text),
    Column("state", Text),
    Column("target", BigInteger),
    Column("elapsed", BigInteger),
    Column("last_step_at", BigInteger),
    Column("due_at", BigInteger),
    Column("over_at", BigInteger),
    Column("first_breached_at", BigInteger),
    Column("watch_at", BigInteger),
    Column("recorded", Text),
    Column("why", Text),
    Column("clock", Text),
    Column("facts", Text),
    Column("standing", Text),
    Index("sla_timers_by_due", "due_at", "incident", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("sla_timers_by_over", "over_at", "incident", sqlite_where=_OVER, postgresql_where=_OVER),
    Index("sla_timers_by_watch", "watch_at", "incident", sqlite_where=_WATCHED, postgresql_where=_WATCHED),
    Index("sla_timers_by_agreement", "agreement", "registered_at", "incident"),
)


def _facts_row(
    incident: str, registered_at: int, facts: str, now: Circumstances, standing: str
) -> SlaTimerRow:
    return {
        "incident": incident,
        "agreement": FACTS,
        "kind": FACTS,
        "cycle": 0,
        "registered_at": registered_at,
        "version": None,
        "party": None,
        "state": None,
        "target": None,
        "elapsed": None,
        "last_step_at": None,
        "due_at": None,
        "over_at": None,
        "first_breached_at": None,
        "watch_at": None,
        "recorded": None,
        "why": None,
        "clock": written_circumstances(now),
        "facts": facts,
        "standing": standing,
    }


def timer_row(incident: str, registered_at: int, timer: Timer, terms_of: TermsOf) -> SlaTimerRow:
    """The row of a timer."""
    clock = timer.clock
    open_crossings = unrecorded(timer, terms_of)
    over = micros_if_any(service_clock.over_at(clock))
    known = next((each.at for each in timer.crossed if each.percent == BREACH), None)
    running = clock.state is ClockState.RUNNING
    return {
        "incident": incident,
        "agreement": timer.agreement,
        "kind": timer.kind.value,
        "cycle": timer.cycle,
        "registered_at": registered_at,
        "version": timer.version,
        "party": timer.party.value,
        "state": clock.state.value,
        "target": clock.target,
        "elapsed": 0 if clock.at is None else service_clock.used_at(clock, clock.at),
        "last_step_at": clock.at,
        "due_at": micros_if_any(service_clock.due_at(clock)),
        "over_at": over,
        "first_breached_at": known if known is not None or not running else over,
        "watch_at": open_crossings[0].at if open_crossings else None,
        "recorded": json.dumps(sorted(timer.marks)),
        "why": written_reasons(timer.why),
        "clock": written_clock(timer, terms_of),
        "facts": None,
        "standing": None,
    }


def fold_sla_timers(
    rows: tuple[SlaTimerRow, ...], recorded: Recorded, event: ClockEvent | StandingEvent, terms_of: TermsOf
) -> tuple[SlaTimerRow, ...]:
    """The incident's rows after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    if not rows:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        fact = fact_of(recorded.position, event)
        now = circumstances_after(Circumstances(), fact)
        standing = written_standing(REGISTERED)
        return (_facts_row(recorded.stream, fact.at, f"[{written(fact)}]", now, standing),)
    head, *timers = rows
    standing = head["standing"] or ""
    if isinstance(event, StandingEvent):
        standing = written_standing(standing_after(read_standing(standing), event))
    if not isinstance(event, ClockEvent):
        return {**head, "standing": standing}, *timers
    fact = fact_of(recorded.position, event)
    facts = f"{(head['facts'] or '[]')[:-1]},{written(fact)}]"
    now = circumstances_after(read_circumstances(head["clock"] or ""), fact)
    first = _facts_row(head["incident"], head["registered_at"], facts, now, standing)
    if fact.step in _COUNTED_ANEW or any(each["clock"] is None for each in timers):
        made = timers_of_facts(read_facts(facts), terms_of)
        shown = sorted(
            (each for each in made if each.agreed),
            key=lambda each: (each.agreement, each.kind.value, each.cycle),
        )
        return first, *(timer_row(head["incident"], head["registered_at"], each, terms_of) for each in shown)
    return first, *(
        made
        for row, following in zip_longest(timers, timers[1:])
        for made in (_after(row, fact, now, terms_of) if _concerns(fact, row, following) else (row,))
    )


_COUNTED_ANEW: Final = (Step.APPLIED, Step.MOVED, Step.RECOUNTED)


def _concerns(fact: Fact, row: SlaTimerRow, following: SlaTimerRow | None) -> bool:
    """Whether a fact can change a timer; `following` is the row after its own in the order of the key."""
    match fact.step:
        case Step.WARNED | Step.BREACHED:
            return (row["agreement"], row["kind"], row["cycle"]) == fact.values[:3]
        case Step.ACKNOWLEDGED if row["kind"] != TargetKind.ACKNOWLEDGE.value:
            return False
        case Step.PROGRESS | Step.NOTIFIED if row["kind"] != TargetKind.UPDATE.value:
            return False
        case Step.ESCALATED | Step.REJECTED if row["party"] != Party.GROUP.value:
            return False
        case _:
            # All cycles but the last have ended.
            last = (row["agreement"], row["kind"])
            return following is None or (following["agreement"], following["kind"]) != last


def _after(row: SlaTimerRow, fact: Fact, now: Circumstances, terms_of: TermsOf) -> Iterator[SlaTimerRow]:
    """The row of a timer after a fact, and that of the cycle that begins with it."""
    timer = read_timer(row, terms_of)
    marking = fact.step is Step.WARNED or fact.step is Step.BREACHED
    made = (marked(timer, fact),) if marking else stepped(timer, now, fact, terms_of)
    for each in made:
        yield row if each is timer else timer_row(row["incident"], row["registered_at"], each, terms_of)


def sla_timers(terms_of: TermsOf) -> StreamView[SlaTimerRow, ClockEvent | StandingEvent]:
    """The view of `sla_timers`, and of the order of the groups' queues.

    `terms_of` knows the terms of every version that an event names.  Versions never change, so the rows are
    made of the journal alone.
    """

    def fold(
        rows: tuple[SlaTimerRow, ...], recorded: Recorded, event: ClockEvent | StandingEvent
    ) -> tuple[SlaTimerRow, ...]:
        return fold_sla_timers(rows, recorded, event, terms_of)

    def look_up(batch: Sequence[Recorded]) -> None:
        for each in batch:
            if isinstance(each.event, AgreementApplied | AgreementMoved | HoursRecounted):
                # The fold says at which event there is no such version.
                with suppress(LookupError):
                    terms_of(each.event.agreement, each.event.version)

    return StreamView(
        version=3,
        table=SLA_TIMERS_TABLE,
        about=CLOCK_EVENTS | STANDING_EVENTS,
        fold=fold,
        derived=(
            Derived(table=WORK_TABLE, rows=work_rows),
            Derived(table=WORK_SERVICES_TABLE, rows=work_service_rows),
        ),
        beforehand=look_up,
    )
