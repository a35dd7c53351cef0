"""What would have become of the service levels under other agreements, hours or priorities.

Pure: the events of an incident are folded twice, as it was and as it would have been, and what became of each
target is compared.  Nothing is written, so that no view knows of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias

from attrs import evolve as changed
from attrs import field, frozen

from incident_domain import service_clock
from incident_domain.actor import GroupId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    AgreementId,
    Hours,
    IncidentId,
    Party,
    Prioritised,
    TargetBreached,
    TargetKind,
    TargetWarned,
    Terms,
)
from incident_domain.priority import Impact, Priority, Urgency
from incident_domain.service_clock import ClockState
from incident_domain.working_time import from_micros, to_micros
from incident_projections.clock_facts import (
    CLOCK_EVENTS,
    Circumstances,
    ClockEvent,
    Fact,
    Step,
    circumstances_after,
    fact_of,
)
from incident_projections.clocks import TermsOf, Timer, timers_of_facts

Matrix: TypeAlias = Mapping[tuple[Impact, Urgency], Priority]
"""The priority for every pair of impact and urgency (P2.1)."""

REPLAYED: Final = CLOCK_EVENTS - {TargetWarned, TargetBreached}
"""The events that a replay needs: what the watch recorded moves no clock."""

_THIS_ONE: Final = 0
"""The version under which an agreement of the alternative stands in a replay; real ones begin with 1."""

_APPLYING: Final = (Step.APPLIED, Step.MOVED, Step.RECOUNTED)


@frozen(kw_only=True)
class OtherAgreement:
    """An agreement as it might have been: with whom, from when on it would have held, and its terms."""

    party: Party
    holds_from: datetime
    terms: Terms


@frozen(kw_only=True)
class Alternative:
    """What is supposed instead of what was.

    An agreement takes the place of the one of its name, in all its versions, on incidents registered since
    its `holds_from`.  It also runs, from the registration on, on those of them on which nothing of its party
    ran, and for a group's nothing of that group.  `hours` are those of every agreement, the recorded ones
    too.  By `matrix` priorities follow anew from impact and urgency, but where one was set by hand (P2.1).
    """

    agreements: Mapping[AgreementId, OtherAgreement] = field(factory=dict[AgreementId, OtherAgreement])
    hours: Hours | None = None
    matrix: Matrix | None = None


class TargetStanding(Enum):
    """How a target stands: nothing was agreed, its clock may still run, it was met, or breached."""

    UNAGREED = "unagreed"
    RUNNING = "running"
    MET = "met"
    BREACHED = "breached"


class Change(Enum):
    """What the alternative makes of a target.

    A breach is one that the watch would have recorded: more than the target then in force was used, in any
    cycle, also where a longer target made it good later.
    """

    SAVED = "saved"
    NEWLY_BREACHED = "newly_breached"
    BREACHED_ANYWAY = "breached_anyway"
    MET_ANYWAY = "met_anyway"
    STILL_RUNNING = "still_running"
    WOULD_BREACH = "would_breach"
    WOULD_MEET = "would_meet"
    NO_LONGER_AGREED = "no_longer_agreed"


@frozen(kw_only=True)
class Course:
    """What became of a target: of the cycle that used most, the target and what was used, working time.

    `breached_at` is the first instant from which more than the target was used, in any cycle.
    """

    standing: TargetStanding
    target: timedelta | None
    used: timedelta
    breached_at: datetime | None


_Courses: TypeAlias = Mapping[tuple[AgreementId, TargetKind], Course]
"""What became of each target, by agreement and kind."""


@frozen(kw_only=True)
class TargetChange:
    """A target of an incident, as it was and as it would have been.

    `priority` and `group` are those that the incident really had at last; without a group it was with the
    service desk.
    """

    incident: IncidentId
    agreement: AgreementId
    kind: TargetKind
    priority: Priority | None
    group: GroupId | None
    change: Change
    was: Course
    would_be: Course


@frozen(kw_only=True)
class IncidentChange:
    """An incident: whether an agreement ran on it or would have, and each target agreed in either case."""

    incident: IncidentId
    agreed: bool
    would_be_agreed: bool
    targets: tuple[TargetChange, ...]

    @property
    def change(self) -> Change | None:
        """What the alternative makes of the incident: breached as soon as one target is, met once all are.

        None where nothing is agreed in either case.
        """
        return change_of(
            _worst(each.was.standing for each in self.targets),
            _worst(each.would_be.standing for each in self.targets),
        )


class WhatIf:
    """Compares incidents under an alternative with what was; `terms_of` knows the recorded agreements."""

    def __init__(self, alternative: Alternative, terms_of: TermsOf) -> None:
        self._alternative = alternative
        self._terms_of = terms_of
        self._known: dict[tuple[AgreementId, int], tuple[Party, Terms]] = {}
        self._recorded: dict[tuple[AgreementId, int], tuple[Party, Terms]] = {}

    def compare(self, incident: IncidentId, history: Sequence[Recorded], now: datetime) -> IncidentChange:
        """What becomes of an incident's targets, as of `now`, which must not lie before its last event.

        The history begins with the registration; of it only the events in `REPLAYED` are looked at.
        """
        was = [fact_of(each.position, each.event) for each in history if isinstance(each.event, ClockEvent)]
        would_be = list(self._supposed(history, was))
        before = _courses(was, self._bare_terms, now)
        after = _courses(would_be, self._terms, now)
        return IncidentChange(
            incident=incident,
            agreed=any(each.step is Step.APPLIED for each in was),
            would_be_agreed=any(each.step is Step.APPLIED for each in would_be),
            targets=tuple(_changes(incident, _at_last(was), before, after)),
        )

    def _supposed(self, history: Sequence[Recorded], was: Sequence[Fact]) -> Iterator[Fact]:
        """The facts as they would have been."""
        registered = was[0].at
        others = {
            name: each
            for name, each in self._alternative.agreements.items()
            if to_micros(each.holds_from) <= registered
        }
        running = {AgreementId(each.values[0]): each for each in was if each.step is Step.APPLIED}
        taken = {_bound(*self._terms_of(name, fact.values[1])) for name, fact in running.items()}
        matrix = self._alternative.matrix
        by_position = {} if matrix is None else self._priorities(history, matrix)
        for fact in was:
            if fact.step in _APPLYING and fact.values[0] in others:
                # The alternative has one version, so that a move leads nowhere else.
                yield changed(fact, values=(fact.values[0], _THIS_ONE))
            elif fact.step is Step.PRIORITISED and fact.position in by_position:
                yield changed(fact, values=(by_position[fact.position].value,))
            else:
                yield fact
            if fact.step is Step.REGISTERED:
                for name, each in others.items():
                    if name not in running and _bound(each.party, each.terms) not in taken:
                        yield Fact(
                            at=fact.at, position=fact.position, step=Step.APPLIED, values=(name, _THIS_ONE)
                        )

    @staticmethod
    def _priorities(history: Sequence[Recorded], matrix: Matrix) -> dict[int, Priority]:
        """The priority by the matrix for each event whose priority was the matrix's, by its position."""
        return {
            each.position: matrix[each.event.impact, each.event.urgency]
            for each in history
            if isinstance(each.event, Prioritised) and each.event.override_reason is None
        }

    def _terms(self, agreement: AgreementId, version: int) -> tuple[Party, Terms]:
        """The terms of the alternative, and recorded ones with its hours."""
        found = self._known.get((agreement, version))
        if found is None:
            if version == _THIS_ONE:
                other = self._alternative.agreements[agreement]
                party, terms = other.party, _bare(other.terms)
            else:
                party, terms = self._bare_terms(agreement, version)
            hours = self._alternative.hours or terms.hours
            found = self._known[agreement, version] = party, changed(terms, hours=hours)
        return found

    def _bare_terms(self, agreement: AgreementId, version: int) -> tuple[Party, Terms]:
        """The recorded terms, so far as breaches follow from them."""
        found = self._recorded.get((agreement, version))
        if found is None:
            party, terms = self._terms_of(agreement, version)
            found = self._recorded[agreement, version] = party, _bare(terms)
        return found


def _changes(
    incident: IncidentId, end: Circumstances, before: _Courses, after: _Courses
) -> Iterator[TargetChange]:
    """Each target that is agreed in either case, as it was and as it would have been."""
    for agreement, kind in sorted(before.keys() | after.keys(), key=lambda each: (each[0], each[1].value)):
        was = before.get((agreement, kind), _NOTHING)
        would_be = after.get((agreement, kind), _NOTHING)
        change = change_of(was.standing, would_be.standing)
        if change is not None:
            yield TargetChange(
                incident=incident,
                agreement=agreement,
                kind=kind,
                priority=end.priority,
                group=None if end.holder is None else end.holder.group,
                change=change,
                was=was,
                would_be=would_be,
            )


def _bare(terms: Terms) -> Terms:
    # A replay looks for breaches, and warnings would only cost time.
    return changed(terms, warn_at_percent=())


def change_of(was: TargetStanding, would_be: TargetStanding) -> Change | None:
    """What a change of standing is called; None where nothing is agreed in either case."""
    if was is TargetStanding.UNAGREED:
        return _FROM_NOTHING.get(would_be)
    if would_be is TargetStanding.UNAGREED:
        return Change.NO_LONGER_AGREED
    breached, would_breach = was is TargetStanding.BREACHED, would_be is TargetStanding.BREACHED
    if breached != would_breach:
        return Change.SAVED if breached else Change.NEWLY_BREACHED
    if breached:
        return Change.BREACHED_ANYWAY
    return Change.MET_ANYWAY if was is would_be is TargetStanding.MET else Change.STILL_RUNNING


_FROM_NOTHING: Final = {
    TargetStanding.BREACHED: Change.WOULD_BREACH,
    TargetStanding.MET: Change.WOULD_MEET,
    TargetStanding.RUNNING: Change.STILL_RUNNING,
}
_NOTHING: Final = Course(standing=TargetStanding.UNAGREED, target=None, used=timedelta(), breached_at=None)


def _worst(standings: Iterable[TargetStanding]) -> TargetStanding:
    return max(standings, key=_FROM_BEST.index, default=TargetStanding.UNAGREED)


_FROM_BEST: Final = (
    TargetStanding.UNAGREED,
    TargetStanding.MET,
    TargetStanding.RUNNING,
    TargetStanding.BREACHED,
)


def _bound(party: Party, terms: Terms) -> tuple[Party, GroupId | None]:
    """Whom an agreement binds, so far as only one such runs on an incident."""
    return party, terms.group if party is Party.GROUP else None


def _at_last(facts: Sequence[Fact]) -> Circumstances:
    """The priority and the group in the end; nothing else of the circumstances is asked."""
    now = Circumstances()
    for each in facts:
        if each.step in _PLACING:
            now = circumstances_after(now, each)
    return now


_HANDED_OVER: Final = (Step.ESCALATED, Step.REJECTED)
_PLACING: Final = (Step.PRIORITISED, *_HANDED_OVER)


def _courses(facts: Sequence[Fact], terms_of: TermsOf, now: datetime) -> _Courses:
    """What became of each target, by agreement and kind."""
    applied = [each.values for each in facts if each.step is Step.APPLIED]
    if not applied:
        return {}
    if all(terms_of(AgreementId(name), version)[0] is not Party.GROUP for name, version in applied):
        # Who holds the incident moves no clock then.
        facts = [each for each in facts if each.step not in _HANDED_OVER]
    cycles: dict[tuple[AgreementId, TargetKind], list[Timer]] = {}
    for each in timers_of_facts(facts, terms_of):
        if each.agreed:
            cycles.setdefault((each.agreement, each.kind), []).append(each)
    return {key: _course(each, now) for key, each in cycles.items()}


def _course(cycles: Sequence[Timer], now: datetime) -> Course:
    at = to_micros(now)
    used, target = max(
        ((service_clock.used_at(each.clock, at), each.clock.target) for each in cycles),
        key=lambda each: each[0],
    )
    firsts = [first for each in cycles if (first := _first_breach(each, now)) is not None]
    if firsts:
        standing = TargetStanding.BREACHED
    elif all(each.clock.target is None for each in cycles):
        standing = TargetStanding.UNAGREED
    else:
        standing = _UNBREACHED[cycles[-1].clock.state]
    return Course(
        standing=standing,
        target=None if target is None else timedelta(microseconds=target),
        used=timedelta(microseconds=used),
        breached_at=min(firsts, default=None),
    )


_UNBREACHED: Final = {
    ClockState.WAITING: TargetStanding.UNAGREED,
    ClockState.RUNNING: TargetStanding.RUNNING,
    ClockState.PAUSED: TargetStanding.RUNNING,
    ClockState.STOPPED: TargetStanding.MET,
}


def _first_breach(timer: Timer, now: datetime) -> datetime | None:
    clock = timer.clock
    if clock.state is ClockState.RUNNING:
        return service_clock.read(clock, now).first_breached_at
    return None if clock.first_breached is None else from_micros(clock.first_breached)
