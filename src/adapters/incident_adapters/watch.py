"""The watch: records warnings and breaches of service levels when they fall due (P3.7, X2).

What it records is dated at the instant at which a clock crossed a mark, not when that was noticed.  Each is
recorded once, however many watches run and however long none did: a decision is made on the incident as the
journal holds it, and its write is turned away if the incident has moved on.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from attrs import frozen
from eventsourcing.persistence import InterfaceError, InternalError, OperationalError

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.batch import Batch
from incident_adapters.in_background import InBackground
from incident_adapters.service_desk import Contended, ServiceDesk
from incident_domain.actor import Actor, PersonId, Role
from incident_domain.envelope import Recorded
from incident_domain.events import IncidentId, TargetBreached, TargetWarned
from incident_domain.incident import BREACH
from incident_domain.service_levels import RecordBreach, RecordWarning
from incident_domain.working_time import from_micros, to_micros
from incident_projections.clock_facts import ClockEvent, fact_of
from incident_projections.clocks import Crossing, TermsOf, Timer, timers_of_facts, unrecorded
from incident_projections.engine import Projections, ViewStopped
from incident_projections.sla_readers import to_watch
from incident_projections.sla_timers import SLA_TIMERS_TABLE

WATCH: Final = Actor(person=PersonId("watch"), role=Role.WATCH)
"""Who records warnings and breaches."""

_VIEW: Final = SLA_TIMERS_TABLE.name
_PAGE: Final = 500
_IN_ONE_WRITE: Final = 50
_log: Final = logging.getLogger(__name__)

Marking: TypeAlias = RecordWarning | RecordBreach
"""What a look asks to be recorded."""


@frozen(kw_only=True)
class Watched:
    """How many warnings and breaches a look recorded; those that another watch recorded are not counted."""

    warnings: int = 0
    breaches: int = 0


def watch_once(desk: ServiceDesk, projections: Projections, now: datetime) -> Watched:
    """Record every warning and breach that fell due before `now` and is not recorded yet.

    `projections` must hold the view of service clocks; it is brought up to date before and after.

    Raises:
        Contended: when others kept changing the same incidents; what is recorded stays, and the next look
            records the rest.
        StoreError: when the store fails; likewise.
        ViewStopped: when the view of service clocks cannot fold an event.
    """
    projections.catch_up(_VIEW)
    terms_of = AgreementTerms(desk.journal)
    seen: set[IncidentId] = set()
    warnings = breaches = 0
    after = (0, "")
    while True:
        with projections.reading() as connection:
            page = to_watch(connection, now=now, after=after, limit=_PAGE)
        due = [name for name in dict.fromkeys(name for _, name in page) if name not in seen]
        seen.update(due)
        for begin in range(0, len(due), _IN_ONE_WRITE):
            for each in _record(desk, due[begin : begin + _IN_ONE_WRITE], terms_of, now):
                warnings += isinstance(each.event, TargetWarned)
                breaches += isinstance(each.event, TargetBreached)
        if len(page) < _PAGE:
            break
        after = page[-1]
    if warnings or breaches:
        projections.catch_up(_VIEW)
    return Watched(warnings=warnings, breaches=breaches)


def _record(
    desk: ServiceDesk, incidents: Sequence[IncidentId], terms_of: TermsOf, now: datetime
) -> tuple[Recorded, ...]:
    def work(batch: Batch) -> None:
        for incident in incidents:
            # The view may be behind; what is due is decided on the history that the write is guarded by.
            for mark in due_marks(incident, batch.history(incident), terms_of, now):
                batch.decide(mark)

    _, recorded = desk.in_one_write(work)
    return recorded


def due_marks(
    incident: IncidentId, history: Sequence[Recorded], terms_of: TermsOf, now: datetime
) -> list[Marking]:
    """What is to be recorded of an incident with this history, in the order in which it fell due."""
    facts = [fact_of(each.position, each.event) for each in history if isinstance(each.event, ClockEvent)]
    until = to_micros(now)
    due: list[tuple[Crossing, Timer]] = [
        (crossing, timer)
        for timer in timers_of_facts(facts, terms_of)
        for crossing in unrecorded(timer, terms_of)
        if crossing.at < until
    ]
    due.sort(key=lambda each: each[0].at)
    return [_mark(incident, crossing, timer) for crossing, timer in due]


def _mark(incident: IncidentId, crossing: Crossing, timer: Timer) -> Marking:
    at, due_at = from_micros(crossing.at), from_micros(crossing.due_at)
    if crossing.percent == BREACH:
        return RecordBreach(
            incident=incident,
            by=WATCH,
            at=at,
            agreement=timer.agreement,
            kind=timer.kind,
            cycle=timer.cycle,
            due_at=due_at,
        )
    return RecordWarning(
        incident=incident,
        by=WATCH,
        at=at,
        agreement=timer.agreement,
        kind=timer.kind,
        cycle=timer.cycle,
        percent=crossing.percent,
        due_at=due_at,
    )


class Watch(InBackground):
    """The watch, in a thread of its own (`start`, `stop`) or in the caller's (`run`, `leave`).

    A look that fails since the store failed, others kept writing or the view of service clocks stopped is
    tried again in its turn; the log says so.  Anything else ends the watch.
    """

    def __init__(
        self, desk: ServiceDesk, projections: Projections, *, every: timedelta = timedelta(seconds=10)
    ) -> None:
        super().__init__("watch")
        self._desk = desk
        self._projections = projections
        self._every = every

    def run(self) -> None:
        """Look at once, and then in turns, until `leave` is called.

        Raises:
            KeyError: when the views are without that of the service clocks.
            OtherVersion: when the store holds the view as a newer release makes it.
        """
        self._look()
        while not self._leaving.wait(self._every.total_seconds()):
            self._look()

    def _look(self) -> None:
        passing: tuple[type[Exception], ...] = (
            Contended,
            OperationalError,
            InterfaceError,
            InternalError,
            *self._projections.troubles,
        )
        try:
            watched = watch_once(self._desk, self._projections, self._desk.journal.now())
        except ViewStopped as stopped:
            # Without its cause, whose words may hold what the event holds.
            _log.error("%s", stopped)
        except passing as trouble:
            _log.warning("the watch could not look (%s); it tries again", type(trouble).__name__)
        else:
            if watched != Watched():
                _log.info("recorded %d warnings and %d breaches", watched.warnings, watched.breaches)
