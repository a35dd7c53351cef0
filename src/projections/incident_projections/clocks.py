"""The clocks of an incident: what its history makes of every agreement that runs on it.

Pure: the facts of the incident and the terms of the agreements go in, timers come out.  A timer is one clock,
to acknowledge (P3.2), to update (P3.3) or to resolve (P4.1); each update begins a new cycle, which is a timer
of its own, so that what became of the cycle before stays known.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from enum import Enum
from typing import Final, TypeAlias, assert_never

from attrs import evolve as changed
from attrs import frozen

from incident_domain import service_clock as clocks
from incident_domain.agreements import calendar_of, target_for
from incident_domain.events import AgreementId, HoldReason, Party, TargetKind, Terms
from incident_domain.incident import BREACH
from incident_domain.service_clock import ClockState, ServiceClock
from incident_domain.working_time import Micros, from_micros, to_micros
from incident_projections.clock_facts import Circumstances, Fact, Step, circumstances_after

TermsOf: TypeAlias = Callable[[AgreementId, int], tuple[Party, Terms]]
"""With whom a version of an agreement was made, and its terms; a version never changes."""


_RETARGETING: Final = (Step.PRIORITISED, Step.SERVICES, Step.MOVED)


class Turn(Enum):
    """What a fact did to a clock."""

    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    MOVED = "moved"
    STOPPED = "stopped"


@frozen(kw_only=True)
class Reason:
    """The fact that last turned a clock so."""

    turn: Turn
    fact: Fact


@frozen(kw_only=True)
class Crossing:
    """A clock used a share of its target at an instant; `due_at` is when that target is or was used up.

    A share of `BREACH` percent stands for more than the whole target.
    """

    percent: int
    at: Micros
    due_at: Micros


@frozen(kw_only=True)
class Timer:
    """A clock of an agreement, in one of its cycles.

    `agreed` says that a version of the agreement names such a target.  `applied` is the position from which
    acknowledgements count.  `crossed` holds what the clock crossed up to its last step, `marks` the shares
    that the watch recorded.  `closed` cycles were ended by an update.
    """

    agreement: AgreementId
    version: int
    party: Party
    kind: TargetKind
    clock: ServiceClock
    cycle: int = 1
    agreed: bool = False
    applied: int | None = 0
    closed: bool = False
    crossed: tuple[Crossing, ...] = ()
    marks: frozenset[int] = frozenset()
    why: tuple[Reason, ...] = ()


def timers_of_facts(facts: Sequence[Fact], terms_of: TermsOf) -> tuple[Timer, ...]:
    """The timers that a whole history makes, those of kinds that nobody agreed on too."""
    timers: tuple[Timer, ...] = ()
    now = Circumstances()
    for number, fact in enumerate(facts, 1):
        now = circumstances_after(now, fact)
        match fact.step:
            case Step.APPLIED | Step.RECOUNTED:
                others = (each for each in timers if each.agreement != fact.values[0])
                timers = (*others, *_counted(facts[:number], fact, terms_of))
            case Step.WARNED | Step.BREACHED:
                timers = tuple(marked(each, fact) for each in timers)
            case _:
                timers = tuple(made for each in timers for made in stepped(each, now, fact, terms_of))
    return timers


def crossings(timer: Timer, percents: Sequence[int]) -> tuple[Crossing, ...]:
    """What the clock crossed, and what it is going to cross if nothing else happens, the earliest first.

    A warning that would come no sooner than the breach is left out.
    """
    found = (*timer.crossed, *_upcoming(timer, percents))
    breach = next((each.at for each in found if each.percent == BREACH), None)
    sound = (each for each in found if each.percent == BREACH or breach is None or each.at < breach)
    return tuple(sorted(sound, key=lambda each: (each.at, each.percent)))


def unrecorded(timer: Timer, terms_of: TermsOf) -> tuple[Crossing, ...]:
    """The crossings that the watch has yet to record, now or later; none without a target."""
    _, terms = terms_of(timer.agreement, timer.version)
    return tuple(each for each in crossings(timer, terms.warn_at_percent) if each.percent not in timer.marks)


def _counted(facts: Sequence[Fact], last: Fact, terms_of: TermsOf) -> tuple[Timer, ...]:
    """The timers of the agreement that the last fact names, from the start under the version it names."""
    agreement, version = AgreementId(last.values[0]), int(last.values[1])
    party, terms = terms_of(agreement, version)
    circumstances = Circumstances()
    # A supplier has nothing to do with what came before they were called in.
    applied = None if party is Party.SUPPLIER else 0
    timers = tuple(
        Timer(
            agreement=agreement,
            version=version,
            party=party,
            kind=kind,
            clock=ServiceClock(target=None, calendar=calendar_of(terms.hours)),
            agreed=any(each.kind is kind for each in terms.targets),
            applied=applied,
        )
        for kind in TargetKind
    )
    for fact in facts:
        circumstances = circumstances_after(circumstances, fact)
        match fact.step:
            case Step.WARNED | Step.BREACHED:
                timers = tuple(marked(each, fact) for each in timers)
            case Step.MOVED | Step.RECOUNTED if fact.values[0] == agreement:
                continue
            case _:
                timers = tuple(
                    made for each in timers for made in stepped(each, circumstances, fact, terms_of)
                )
    if last.step is Step.RECOUNTED:
        return tuple(_because(each, Turn.MOVED, last) for each in timers)
    return timers


def marked(timer: Timer, fact: Fact) -> Timer:
    """The timer after the watch recorded something, which may be of another timer."""
    agreement, kind, cycle, *percent = fact.values
    if (timer.agreement, timer.kind.value, timer.cycle) != (agreement, kind, cycle):
        return timer
    return changed(timer, marks=timer.marks | {int(percent[0]) if percent else BREACH})


def stepped(timer: Timer, now: Circumstances, fact: Fact, terms_of: TermsOf) -> Iterator[Timer]:
    """The timer after a fact, which is the same object where the fact does not concern it.

    Where the fact begins a new cycle, the timer of that comes too.
    """
    if timer.closed:
        yield timer
        return
    if fact.step is Step.APPLIED and fact.values[0] == timer.agreement and timer.applied is None:
        timer = changed(timer, applied=fact.position)
    if fact.step is Step.MOVED and fact.values[0] == timer.agreement:
        timer = _moved(timer, fact, terms_of)
    _, terms = terms_of(timer.agreement, timer.version)
    percents = terms.warn_at_percent
    if fact.step in _RETARGETING:
        timer = _retargeted(timer, now, fact, terms)
    if _begins_a_cycle(timer, fact):
        ended = _turned(timer, fact, clocks.stop(timer.clock, from_micros(fact.at)), percents)
        yield changed(_because(ended, Turn.STOPPED, fact), closed=True)
        timer = changed(
            timer,
            clock=clocks.reset(timer.clock, from_micros(fact.at)),
            cycle=timer.cycle + 1,
            crossed=(),
            marks=frozenset(),
            why=(Reason(turn=Turn.STARTED, fact=fact),),
        )
    yield _driven(timer, wanted(timer, terms, now), fact, percents)


def _begins_a_cycle(timer: Timer, fact: Fact) -> bool:
    told = fact.step is Step.PROGRESS or fact.step is Step.NOTIFIED
    waits = timer.clock.state in (ClockState.RUNNING, ClockState.PAUSED)
    return timer.kind is TargetKind.UPDATE and told and waits


def wanted(timer: Timer, terms: Terms, now: Circumstances) -> ClockState:
    """What the clock should do while an incident stands like this."""
    if timer.applied is None:
        return ClockState.WAITING
    if now.resolved or now.same or now.ended:
        return ClockState.STOPPED
    acknowledging = timer.kind is TargetKind.ACKNOWLEDGE
    match timer.party:
        case Party.GROUP:
            if now.holder is None or now.holder.group != terms.group:
                return ClockState.STOPPED
            if acknowledging and now.holder.acknowledged:
                return ClockState.STOPPED
        case Party.SUPPLIER if timer.kind is TargetKind.RESOLVE:
            return ClockState.RUNNING if now.hold is HoldReason.SUPPLIER else ClockState.PAUSED
        case Party.SUPPLIER | Party.CUSTOMER:
            if acknowledging and now.answered > timer.applied:
                return ClockState.STOPPED
        case _:
            assert_never(timer.party)
    waiting = any(now.hold in rule.reasons for rule in terms.pauses if rule.kind is timer.kind)
    return ClockState.PAUSED if waiting else ClockState.RUNNING


def _driven(timer: Timer, to: ClockState, fact: Fact, percents: Sequence[int]) -> Timer:
    """The timer brought into the state that is wanted; a clock that waits starts by running."""
    at, state = from_micros(fact.at), timer.clock.state
    if to is state or to is ClockState.WAITING:
        return timer
    match state:
        case ClockState.WAITING:
            if to is not ClockState.RUNNING:
                return timer
            return _because(changed(timer, clock=clocks.start(timer.clock, at)), Turn.STARTED, fact)
        case ClockState.RUNNING if to is ClockState.PAUSED:
            return _because(_turned(timer, fact, clocks.pause(timer.clock, at), percents), Turn.PAUSED, fact)
        case ClockState.PAUSED if to is ClockState.RUNNING:
            clock = clocks.resume(timer.clock, at)
            return _because(_turned(timer, fact, clock, percents), Turn.RESUMED, fact)
        case ClockState.RUNNING | ClockState.PAUSED:
            return _because(_turned(timer, fact, clocks.stop(timer.clock, at), percents), Turn.STOPPED, fact)
        case ClockState.STOPPED:
            clock = clocks.reopen(timer.clock, at)
            running = _because(_turned(timer, fact, clock, percents), Turn.RESUMED, fact)
            return _driven(running, to, fact, percents)
        case _:
            assert_never(state)


def _moved(timer: Timer, fact: Fact, terms_of: TermsOf) -> Timer:
    """The timer under another version of its agreement."""
    _, before = terms_of(timer.agreement, timer.version)
    version = int(fact.values[1])
    _, terms = terms_of(timer.agreement, version)
    clock = clocks.recalendar(timer.clock, from_micros(fact.at), calendar_of(terms.hours))
    agreed = timer.agreed or any(each.kind is timer.kind for each in terms.targets)
    moved = _turned(timer, fact, clock, before.warn_at_percent)
    return _because(changed(moved, version=version, agreed=agreed), Turn.MOVED, fact)


def _retargeted(timer: Timer, now: Circumstances, fact: Fact, terms: Terms) -> Timer:
    """The timer against the target that holds for the priority and the services now."""
    clock = timer.clock
    minutes = target_for(terms, timer.kind, now.priority, now.services)
    target = None if minutes is None else timedelta(minutes=minutes)
    in_force = clock.target if clock.noted is None else clock.noted.target
    if in_force == (None if target is None else target // timedelta(microseconds=1)):
        return timer
    if clock.state is ClockState.WAITING:
        return changed(timer, clock=clocks.retarget(clock, from_micros(fact.at), target))
    turned = _turned(timer, fact, clocks.retarget(clock, from_micros(fact.at), target), terms.warn_at_percent)
    return _because(turned, Turn.MOVED, fact)


def _because(timer: Timer, turn: Turn, fact: Fact) -> Timer:
    others = (each for each in timer.why if each.turn is not turn)
    return changed(timer, why=(*others, Reason(turn=turn, fact=fact)))


def _turned(timer: Timer, fact: Fact, clock: ServiceClock, percents: Sequence[int]) -> Timer:
    """The timer with its clock after a step, and what the clock crossed before that step."""
    at = fact.at if timer.clock.at is None else max(fact.at, timer.clock.at)
    before = tuple(each for each in _upcoming(timer, percents) if each.at < at)
    turned = changed(timer, clock=clock, crossed=(*timer.crossed, *before))
    if clock.first_breached is None or any(each.percent == BREACH for each in turned.crossed):
        return turned
    # A step can itself be the breach: a target that is shorter than what is used already.
    due = clocks.over_at(clock)
    breach = Crossing(
        percent=BREACH,
        at=clock.first_breached,
        due_at=clock.first_breached if due is None else to_micros(due),
    )
    return changed(turned, crossed=(*turned.crossed, breach))


def _upcoming(timer: Timer, percents: Sequence[int]) -> Iterator[Crossing]:
    """What the running clock crosses next, if nothing else happens, of what it did not cross before."""
    clock = timer.clock
    due = clocks.due_at(clock)
    if due is None or clock.at is None:
        return
    known = {each.percent for each in timer.crossed}
    for percent in percents:
        share = None if percent in known else clocks.share_at(clock, percent)
        if share is not None:
            # Under a shorter target a share may have been used up before; it counts from the change on.
            yield Crossing(percent=percent, at=max(to_micros(share), clock.at), due_at=to_micros(due))
    over = None if BREACH in known else clocks.over_at(clock)
    if over is not None:
        yield Crossing(percent=BREACH, at=to_micros(over), due_at=to_micros(due))
