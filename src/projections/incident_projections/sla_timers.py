"""The view of service clocks: a row for every clock and cycle, with the instants at which it needs attention.

Time is no part of it: a row tells from when on it is due, breached or to be looked at, and readers bring the
`now`.  One row of each incident, without an agreement, carries the facts of which the others are made.
"""

import json
from datetime import timedelta
from typing import Any, Final, TypedDict

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from incident_domain import service_clock
from incident_domain.envelope import Recorded
from incident_domain.events import IncidentRegistered
from incident_domain.incident import BREACH
from incident_domain.service_clock import ClockState
from incident_domain.working_time import from_micros
from incident_projections.clock_facts import CLOCK_EVENTS, ClockEvent, fact_of, read_facts, written
from incident_projections.clocks import NO_CLOCKS, Clocks, TermsOf, Timer, clocks_after, clocks_of, unrecorded
from incident_projections.instants import micros_if_any
from incident_projections.view import METADATA, NAME, StreamView, unbegun

FACTS: Final = ""
"""The agreement and the kind of the row that carries an incident's facts."""


class SlaTimerRow(TypedDict):
    """A row of the view; instants and spans are microseconds, instants since 1970 UTC.

    `elapsed` is what was used when the clock was last touched, `last_step_at`.  `due_at` stands while the
    clock runs.  `over_at` is from when on more than the target now in force is used, None where that does not
    come by mere running; `first_breached_at` is the same under the targets that were in force, and stays.
    `watch_at` is when the next warning or breach that is not recorded falls due, and `recorded` lists those
    that are, in percent.  `why` lists what started, paused, resumed, moved and stopped the clock, as facts.
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
    facts: str | None


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
    Column("facts", Text),
    Index("sla_timers_by_due", "due_at", "incident", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("sla_timers_by_over", "over_at", "incident", sqlite_where=_OVER, postgresql_where=_OVER),
    Index("sla_timers_by_watch", "watch_at", "incident", sqlite_where=_WATCHED, postgresql_where=_WATCHED),
    Index("sla_timers_by_agreement", "agreement", "registered_at", "incident"),
)


class _FactsRow(SlaTimerRow, total=False):
    """The row with the facts; `clocks` is what they come to, and spares replaying them within a batch."""

    clocks: Clocks


def _facts_row(incident: str, registered_at: int, facts: str, clocks: Clocks) -> _FactsRow:
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
        "facts": facts,
        "clocks": clocks,
    }


def timer_row(incident: str, registered_at: int, timer: Timer, terms_of: TermsOf) -> SlaTimerRow:
    """The row of a timer."""
    clock = timer.clock
    open_crossings = unrecorded(timer, terms_of)
    reading = None if clock.at is None else service_clock.read(clock, from_micros(clock.at))
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
        "elapsed": None if reading is None else _span(reading),
        "last_step_at": clock.at,
        "due_at": None if reading is None else micros_if_any(reading.due_at),
        "over_at": over,
        "first_breached_at": known if known is not None or not running else over,
        "watch_at": open_crossings[0].at if open_crossings else None,
        "recorded": json.dumps(sorted(timer.marks)),
        "why": json.dumps(
            [
                [each.turn.value, each.fact.at, each.fact.position, each.fact.step.value, *each.fact.values]
                for each in timer.why
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        ),
        "facts": None,
    }


def _span(reading: service_clock.Reading) -> int:
    return reading.elapsed // timedelta(microseconds=1)


def fold_sla_timers(
    rows: tuple[SlaTimerRow, ...], recorded: Recorded, event: ClockEvent, terms_of: TermsOf
) -> tuple[SlaTimerRow, ...]:
    """The incident's rows after one more event.

    Raises:
        BrokenHistory: for an event of an incident that was never registered.
    """
    fact = fact_of(recorded.position, event)
    if not rows:
        if not isinstance(event, IncidentRegistered):
            raise unbegun(recorded)
        return (
            _facts_row(
                recorded.stream, fact.at, f"[{written(fact)}]", clocks_after(NO_CLOCKS, fact, terms_of)
            ),
        )
    head: Any = rows[0]
    facts: str = head["facts"]
    before: Clocks = head["clocks"] if "clocks" in head else clocks_of(read_facts(facts), terms_of)
    now = clocks_after(before, fact, terms_of)
    first = _facts_row(recorded.stream, head["registered_at"], f"{facts[:-1]},{written(fact)}]", now)
    kept = {id(timer): row for timer, row in zip(_shown(before), rows[1:], strict=True)}
    return (
        first,
        *(
            kept.get(id(timer)) or timer_row(recorded.stream, head["registered_at"], timer, terms_of)
            for timer in _shown(now)
        ),
    )


def _shown(clocks: Clocks) -> list[Timer]:
    """The timers that have a row, in the order of the table's key."""
    shown = [each for each in clocks.timers if each.agreed]
    return sorted(shown, key=lambda each: (each.agreement, each.kind.value, each.cycle))


def sla_timers(terms_of: TermsOf) -> StreamView[SlaTimerRow, ClockEvent]:
    """The view of `sla_timers`; `terms_of` knows the terms of every version that an event names.

    Versions never change, so the rows are made of the journal alone.
    """

    def fold(rows: tuple[SlaTimerRow, ...], recorded: Recorded, event: ClockEvent) -> tuple[SlaTimerRow, ...]:
        return fold_sla_timers(rows, recorded, event, terms_of)

    return StreamView(version=1, table=SLA_TIMERS_TABLE, about=CLOCK_EVENTS, fold=fold)
