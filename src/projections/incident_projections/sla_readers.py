"""What people ask of the service clocks: of one incident, what falls due soon, what is breached.

Every reader takes the time `now` at which it is asked; what is used and what remains is exact for that
instant, which must not lie before the incident's last event.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Final, assert_never

from attrs import frozen
from sqlalchemy import Connection, RowMapping, Select, and_, bindparam, literal_column, or_, select

from incident_domain import service_clock, working_time
from incident_domain.agreements import calendar_of
from incident_domain.events import AgreementId, IncidentId, Party, TargetKind
from incident_domain.service_clock import ClockState, Reading
from incident_domain.working_time import from_micros, to_micros
from incident_projections.clock_columns import read_reasons
from incident_projections.clock_facts import Fact, Step, read_facts, wire_name
from incident_projections.clocks import TermsOf, Turn, timers_of_facts
from incident_projections.instants import instant_if_any
from incident_projections.sla_timers import FACTS, SLA_TIMERS_TABLE

_s: Final = SLA_TIMERS_TABLE.c


class Outcome(Enum):
    """How a clock that stopped stands against its target."""

    MET = "met"
    BREACHED = "breached"


@frozen(kw_only=True)
class Why:
    """The event that last turned a clock so: its position, its wire name, and what it was, in a sentence."""

    turn: Turn
    at: datetime
    position: int
    name: str
    sentence: str


@frozen(kw_only=True)
class SlaTimer:
    """A clock of an incident as it stands at the time asked; instants are UTC.

    `elapsed` is the working time used and `remaining` what is left of `target`, below zero once it is
    breached; both are exact.  Without a target (no priority yet, or nothing agreed for it) there is nothing
    that remains, and no breach.  `due_at` is None while the clock does not run.  `outcome` is None until it
    stops.  `recorded` are the shares of the target, in percent, at which the watch recorded a warning, with
    100 for the breach.
    """

    incident: IncidentId
    agreement: AgreementId
    version: int
    party: Party
    kind: TargetKind
    cycle: int
    state: ClockState
    target: timedelta | None
    elapsed: timedelta
    remaining: timedelta | None
    due_at: datetime | None
    breached: bool
    first_breached_at: datetime | None
    outcome: Outcome | None
    recorded: tuple[int, ...]
    why: tuple[Why, ...]


@frozen(kw_only=True)
class Recounted:
    """What a correction of the hours changed for a clock: due and breached, before it and after it."""

    incident: IncidentId
    kind: TargetKind
    cycle: int
    due_before: datetime | None
    due_after: datetime | None
    breached_before: bool
    breached_after: bool


def timers_of(
    connection: Connection, incident: IncidentId, *, terms_of: TermsOf, now: datetime
) -> tuple[SlaTimer, ...]:
    """The clocks of an incident, every cycle of them; none where no agreement applies to it."""
    found = connection.execute(_ONE, {"incident": incident}).mappings()
    return tuple(_timer(row, terms_of, now) for row in found)


def due_within(
    connection: Connection,
    *,
    terms_of: TermsOf,
    now: datetime,
    until: datetime,
    agreement: AgreementId | None = None,
    party: Party | None = None,
    kind: TargetKind | None = None,
    limit: int = 50,
) -> tuple[SlaTimer, ...]:
    """The running clocks that fall due from `now` on and before `until`, if nothing else happens.

    The first to fall due comes first; what is given narrows the answer.
    """
    asked = _asked(agreement, party, kind)
    bounds = {"since": to_micros(now), "before": to_micros(until), "limit": limit}
    found = connection.execute(_due_statement(frozenset(asked)), {**asked, **bounds}).mappings()
    return tuple(_timer(row, terms_of, now) for row in found)


def breached(
    connection: Connection,
    *,
    terms_of: TermsOf,
    now: datetime,
    agreement: AgreementId | None = None,
    party: Party | None = None,
    kind: TargetKind | None = None,
    limit: int = 50,
) -> tuple[SlaTimer, ...]:
    """The clocks not stopped yet that used more than their target before `now`, the longest since first."""
    asked = _asked(agreement, party, kind)
    bounds = {"before": to_micros(now), "limit": limit}
    found = connection.execute(_over_statement(frozenset(asked)), {**asked, **bounds}).mappings()
    return tuple(_timer(row, terms_of, now) for row in found)


def to_watch(
    connection: Connection, *, now: datetime, after: tuple[int, str] = (0, ""), limit: int = 500
) -> tuple[tuple[int, IncidentId], ...]:
    """The incidents with a warning or a breach that fell due before `now` and is not recorded.

    Each comes with the instant (microseconds) at which it did, the earliest first, and as often as it has
    such clocks.  `after` is the last of the page before.
    """
    at, incident = after
    bounds = {"before": to_micros(now), "at": at, "incident": incident, "limit": limit}
    return tuple((watch_at, IncidentId(name)) for watch_at, name in connection.execute(_WATCH, bounds))


def facts_under(
    connection: Connection, agreement: AgreementId, *, registered_from: datetime
) -> dict[IncidentId, tuple[Fact, ...]]:
    """The facts of the incidents on which the agreement runs or ran, of those registered since an instant."""
    found = connection.execute(_UNDER, {"agreement": agreement, "since": to_micros(registered_from)})
    return {IncidentId(incident): read_facts(facts) for incident, facts in found}


def changes_by_recount(
    incident: IncidentId, facts: tuple[Fact, ...], agreement: AgreementId, version: int, terms_of: TermsOf
) -> tuple[Recounted, ...]:
    """What a recount under a version changed on an incident, if there was one; as of that recount."""
    for index, fact in enumerate(facts):
        if fact.step is Step.RECOUNTED and fact.values == (agreement, version):
            at = from_micros(fact.at)
            before = _readings(facts[:index], agreement, terms_of, at)
            after = _readings(facts[: index + 1], agreement, terms_of, at)
            return tuple(
                Recounted(
                    incident=incident,
                    kind=kind,
                    cycle=cycle,
                    due_before=before[kind, cycle].due_at,
                    due_after=reading.due_at,
                    breached_before=before[kind, cycle].breached,
                    breached_after=reading.breached,
                )
                for (kind, cycle), reading in after.items()
                if (kind, cycle) in before
            )
    return ()


def _readings(
    facts: tuple[Fact, ...], agreement: AgreementId, terms_of: TermsOf, at: datetime
) -> dict[tuple[TargetKind, int], Reading]:
    return {
        (each.kind, each.cycle): service_clock.read(each.clock, at)
        for each in timers_of_facts(facts, terms_of)
        if each.agreement == agreement and each.agreed
    }


def _asked(agreement: AgreementId | None, party: Party | None, kind: TargetKind | None) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if agreement is not None:
        asked["agreement"] = agreement
    if party is not None:
        asked["party"] = party.value
    if kind is not None:
        asked["kind"] = kind.value
    return asked


_ONE: Final = (
    select(SLA_TIMERS_TABLE)
    .where(_s.incident == bindparam("incident"), _s.agreement != FACTS)
    .order_by(_s.agreement, _s.kind, _s.cycle)
)
_WATCH: Final = (
    select(_s.watch_at, _s.incident)
    .where(
        _s.watch_at.is_not(None),
        _s.watch_at < bindparam("before"),
        _s.watch_at >= bindparam("at"),
        or_(
            _s.watch_at > bindparam("at"),
            and_(_s.watch_at == bindparam("at"), _s.incident > bindparam("incident")),
        ),
    )
    .order_by(_s.watch_at, _s.incident)
    .limit(bindparam("limit"))
)
_UNDER: Final = (
    select(_s.incident, _s.facts)
    .where(
        _s.agreement == FACTS,
        _s.incident.in_(
            select(_s.incident).where(
                _s.agreement == bindparam("agreement"), _s.registered_at >= bindparam("since")
            )
        ),
    )
    .order_by(_s.incident)
)
# Written out, so that SQLite sees that the partial index holds all of these rows.
_NOT_STOPPED: Final = literal_column("state").in_([literal_column("'running'"), literal_column("'paused'")])


def _narrowed(statement: Select[Any], asked: frozenset[str]) -> Select[Any]:
    return statement.where(*(_s[each] == bindparam(each) for each in sorted(asked)))


@cache
def _due_statement(asked: frozenset[str]) -> Select[Any]:
    statement = select(SLA_TIMERS_TABLE).where(
        _s.due_at >= bindparam("since"), _s.due_at < bindparam("before"), _s.due_at.is_not(None)
    )
    return _narrowed(statement, asked).order_by(_s.due_at, _s.incident).limit(bindparam("limit"))


@cache
def _over_statement(asked: frozenset[str]) -> Select[Any]:
    statement = select(SLA_TIMERS_TABLE).where(
        _s.over_at < bindparam("before"), _s.over_at.is_not(None), _NOT_STOPPED
    )
    return _narrowed(statement, asked).order_by(_s.over_at, _s.incident).limit(bindparam("limit"))


def _timer(row: RowMapping, terms_of: TermsOf, now: datetime) -> SlaTimer:
    agreement, version = AgreementId(row["agreement"]), int(row["version"])
    state = ClockState(row["state"])
    at = to_micros(now)
    elapsed = row["elapsed"] or 0
    if state is ClockState.RUNNING:
        _, terms = terms_of(agreement, version)
        elapsed += working_time.elapsed(calendar_of(terms.hours), row["last_step_at"], at)
    target: int | None = row["target"]
    over = target is not None and elapsed > target
    first = row["first_breached_at"]
    return SlaTimer(
        incident=row["incident"],
        agreement=agreement,
        version=version,
        party=Party(row["party"]),
        kind=TargetKind(row["kind"]),
        cycle=row["cycle"],
        state=state,
        target=None if target is None else timedelta(microseconds=target),
        elapsed=timedelta(microseconds=elapsed),
        remaining=None if target is None else timedelta(microseconds=target - elapsed),
        due_at=instant_if_any(row["due_at"]),
        breached=over,
        first_breached_at=from_micros(first) if first is not None and first < at else None,
        outcome=_outcome(over=over) if state is ClockState.STOPPED and target is not None else None,
        recorded=tuple(json.loads(row["recorded"])),
        why=tuple(_why(each.turn, each.fact) for each in read_reasons(row["why"])),
    )


def _outcome(*, over: bool) -> Outcome:
    return Outcome.BREACHED if over else Outcome.MET


def _why(turn: Turn, fact: Fact) -> Why:
    return Why(
        turn=turn,
        at=from_micros(fact.at),
        position=fact.position,
        name=wire_name(fact.step),
        sentence=_sentence(fact),
    )


_SENTENCES: Final[Mapping[Step, str]] = {
    Step.REGISTERED: "The incident was registered.",
    Step.SERVICES: "The affected services became known.",
    Step.SAME: "It was found the same as another incident.",
    Step.UNDONE: "It goes on by itself again.",
    Step.REJECTED: "The hand-off was rejected.",
    Step.ACKNOWLEDGED: "The receipt was acknowledged.",
    Step.PROGRESS: "Progress was reported.",
    Step.NOTIFIED: "The customer was told how things stand.",
    Step.RESUMED: "The wait is over.",
    Step.RESOLVED: "The incident was resolved.",
    Step.REOPENED: "The incident was reopened.",
    Step.CLOSED: "The incident was closed.",
    Step.CANCELLED: "The incident was cancelled.",
}


def _sentence(fact: Fact) -> str:
    """The fact in plain words."""
    match fact.step:
        case Step.PRIORITISED:
            return f"The priority became {fact.values[0]}."
        case Step.ESCALATED:
            return f"The incident was handed to group {fact.values[0]}."
        case Step.HELD:
            return f"The incident waits for: {fact.values[0]}."
        case Step.APPLIED:
            return f"Agreement {fact.values[0]} was applied in version {fact.values[1]}."
        case Step.MOVED:
            return f"The incident was moved to version {fact.values[1]} of agreement {fact.values[0]}."
        case Step.RECOUNTED:
            return f"The hours were counted anew by version {fact.values[1]} of agreement {fact.values[0]}."
        case Step.WARNED | Step.BREACHED:
            return f"The watch recorded it for agreement {fact.values[0]}."
        case (
            Step.REGISTERED
            | Step.SERVICES
            | Step.SAME
            | Step.UNDONE
            | Step.REJECTED
            | Step.ACKNOWLEDGED
            | Step.PROGRESS
            | Step.NOTIFIED
            | Step.RESUMED
            | Step.RESOLVED
            | Step.REOPENED
            | Step.CLOSED
            | Step.CANCELLED
        ):
            return _SENTENCES[fact.step]
        case _:
            assert_never(fact.step)
