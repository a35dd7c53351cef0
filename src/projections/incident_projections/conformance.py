"""Conformance: which clauses of the process a history broke or cannot show, by whom, when, with the evidence.

Two sources speak: the deviations that an import recorded, and the replay, which decides every event again
from what was recorded before it.  Where both say the same of one event it is one finding.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from enum import Enum
from itertools import groupby
from typing import Final, TypeAlias
from uuid import UUID

from attrs import frozen

from incident_domain.actor import Actor, GroupId
from incident_domain.conformance import Verdict, objections_to, ruling_clause, verdict
from incident_domain.envelope import Recorded
from incident_domain.events import (
    ChildLinked,
    ChildUnlinked,
    DeviationRecorded,
    FurtherReportAdded,
    FurtherReportWithdrawn,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentId,
    LinkedAsChild,
    NumberAssigned,
    SameAsUndone,
    UnlinkedFromParent,
)
from incident_domain.incident import Incident, Unregistered
from incident_domain.policy import DEFAULT_POLICY, Policy
from incident_domain.refusal import Objection
from incident_projections.replaying import BEGINNING, Break, Replay, Stands, State, Step, Told
from incident_projections.view import INCIDENT_EVENTS


class Found(Enum):
    """Who says so: the import recorded a deviation, the replay objects, or both."""

    IMPORT = "import"
    REPLAY = "replay"
    BOTH = "both"


@frozen(kw_only=True)
class Finding:
    """A clause that was broken, or of which it cannot be shown that it was followed.

    The evidence is the event at `position`, and the deviation at `deviation` where the import recorded one.
    `group` is the support group that acted, else the one that held the incident before; None is the service
    desk.  `correlation_id` leads to the request, or to the row of an imported log, that the event comes from.
    """

    clause: str
    code: str
    verdict: Verdict
    message: str
    found: Found
    incident: str
    position: int
    version: int
    name: str
    event_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    by: Actor
    group: GroupId | None
    correlation_id: UUID
    deviation: int | None = None

    @property
    def month(self) -> str:
        """The month in which it happened, in UTC, such as 2026-03."""
        return f"{self.occurred_at:%Y-%m}"


@frozen(kw_only=True)
class Selection:
    """What is asked for: events that happened from `since` on and before `until`, and one clause."""

    since: datetime | None = None
    until: datetime | None = None
    clause: str | None = None

    def covers(self, happened: datetime) -> bool:
        """Whether an instant lies in the period."""
        return (self.since is None or happened >= self.since) and (
            self.until is None or happened < self.until
        )

    def asks_for(self, clause: str) -> bool:
        """Whether the clause is the one that is asked for."""
        return self.clause in (None, clause)


EVERYTHING: Final = Selection()


@frozen(kw_only=True)
class Cell:
    """How often a clause was found so, of one group in one month; None is the service desk."""

    clause: str
    verdict: Verdict
    group: GroupId | None
    month: str
    count: int


@frozen(kw_only=True)
class ClauseTotal:
    """A clause over the whole selection.

    `broken` and `not_shown` count findings, `incidents` those that have any, and `shown` the events that the
    clause rules and to which nothing was objected.
    """

    clause: str
    broken: int
    not_shown: int
    shown: int
    incidents: int


@frozen(kw_only=True)
class Totals:
    """What an examination came to.

    `events` were looked at, `examined` of them are of incidents and in the selection.  `breaks` counts the
    streams that no incident can have had; `first_breaks` are the first of them.
    """

    events: int
    examined: int
    clauses: tuple[ClauseTotal, ...]
    cells: tuple[Cell, ...]
    breaks: int
    first_breaks: tuple[Break, ...]


class Examination:
    """The examination of one history; events are given in the order of the journal, from the first on.

    `stands` and `numbers` may be mappings that are not in memory.  `numbers` is empty at first, and gets the
    incident that has each number (P1.5).
    """

    def __init__(
        self,
        selection: Selection = EVERYTHING,
        *,
        policy: Policy = DEFAULT_POLICY,
        stands: Stands | None = None,
        numbers: MutableMapping[int, str] | None = None,
    ) -> None:
        self._selection = selection
        self._replay = Replay(stands, policy=policy)
        self._numbers: MutableMapping[int, str] = {} if numbers is None else numbers
        self._cells: Counter[tuple[str, Verdict, GroupId | None, str]] = Counter()
        self._shown: Counter[str] = Counter()
        self._incidents: Counter[str] = Counter()
        self._events = 0
        self._examined = 0
        self._breaks: list[Break] = []
        self._broken = 0
        self._near_side: Recorded | None = None

    def findings(self, history: Iterable[Told]) -> Iterator[Finding]:
        """Every finding, one command after the other; the totals are whole when it has come to its end."""
        for _, events in groupby(history, key=_command_of):
            yield from self._command(events)
        if self._near_side is not None:
            yield from self._one_sided(self._near_side)

    def totals(self) -> Totals:
        """What was found so far."""
        found: dict[str, Counter[Verdict]] = {}
        for (clause, kind, _, _), count in self._cells.items():
            found.setdefault(clause, Counter())[kind] += count
        return Totals(
            events=self._events,
            examined=self._examined,
            clauses=tuple(
                ClauseTotal(
                    clause=clause,
                    broken=found.get(clause, Counter())[Verdict.BROKEN],
                    not_shown=found.get(clause, Counter())[Verdict.NOT_SHOWN],
                    shown=self._shown[clause],
                    incidents=self._incidents[clause],
                )
                for clause in sorted({*found, *self._shown}, key=in_order)
            ),
            cells=tuple(
                Cell(clause=clause, verdict=kind, group=group, month=month, count=count)
                for (clause, kind, group, month), count in sorted(self._cells.items(), key=_cell_order)
            ),
            breaks=self._broken,
            first_breaks=tuple(self._breaks),
        )

    def _command(self, events: Iterable[Told]) -> Iterator[Finding]:
        """The findings of the events that one command recorded in one stream."""
        examined: list[Step] = []
        deviations: dict[_Said, Step] = {}
        objected: dict[_Said, tuple[Step, Objection]] = {}
        for told in events:
            yield from self._other_side(told)
            objections = () if isinstance(told, Break) else tuple(self._objections(told))
            step = self._replay.take(told)
            self._events += 1
            if isinstance(step, Break):
                self._note(step)
            elif step is not None and self._asked_for(step.recorded):
                examined.append(step)
                event = step.recorded.event
                for each in objections:
                    objected.setdefault((each.clause, each.code), (step, each))
                if isinstance(event, DeviationRecorded):
                    deviations[event.clause, event.code] = step
        self._examined += len(examined)
        for said in dict.fromkeys((*deviations, *objected)):
            yield from self._counted(_finding(said, deviations.get(said), objected.get(said)))
        clauses = {clause for clause, _ in (*deviations, *objected)}
        for step in examined:
            clause = _ruling(step.recorded)
            if clause not in clauses and self._selection.asks_for(clause):
                self._shown[clause] += 1

    def _asked_for(self, recorded: Recorded) -> bool:
        return type(recorded.event) in INCIDENT_EVENTS and self._selection.covers(recorded.occurred_at)

    def _objections(self, recorded: Recorded) -> Iterator[Objection]:
        event = recorded.event
        if not isinstance(event, IncidentEvent):
            return
        if isinstance(event, NumberAssigned):
            holder = self._numbers.setdefault(event.number, recorded.stream)
            if holder != recorded.stream:
                yield Objection(
                    clause="P1.5",
                    code="number-taken",
                    message="number: it belongs to another incident already",
                )
        stand = self._replay.stands.get(recorded.stream, BEGINNING)
        if stand.broken or not self._selection.covers(recorded.occurred_at):
            return
        before = None if stand.last is None else stand.last.event
        yield from objections_to(
            self._replay.situation,
            IncidentId(recorded.stream),
            before if isinstance(before, IncidentEvent) else None,
            event,
        )

    def _other_side(self, told: Told) -> Iterator[Finding]:
        """What ties two incidents together stands in both: the far side follows at once."""
        awaited, self._near_side = self._near_side, None
        if awaited is not None and not _is_far_side(told, awaited):
            yield from self._one_sided(awaited)
        if isinstance(told, Recorded) and isinstance(told.event, _NEAR_SIDES) and self._asked_for(told):
            self._near_side = told

    def _one_sided(self, near: Recorded) -> Iterator[Finding]:
        clause, stand = _ruling(near), self._replay.stands.get(near.stream, BEGINNING)
        if stand.broken:
            return
        objection = Objection(
            clause=clause, code="one-sided", message="the other incident's record does not say so"
        )
        step = Step(recorded=near, before=stand, after=stand.state)
        yield from self._counted(_finding((clause, "one-sided"), None, (step, objection)))

    def _note(self, broken: Break) -> None:
        self._broken += 1
        if len(self._breaks) < _BREAKS_SHOWN:
            self._breaks.append(broken)

    def _counted(self, finding: Finding) -> Iterator[Finding]:
        if not self._selection.asks_for(finding.clause):
            return
        self._cells[finding.clause, finding.verdict, finding.group, finding.month] += 1
        if finding.clause not in self._replay.stands.get(finding.incident, BEGINNING).notes:
            self._replay.note(finding.incident, finding.clause)
            self._incidents[finding.clause] += 1
        yield finding


def _command_of(told: Told) -> tuple[object, ...]:
    """What is common to the events that one command recorded in one stream."""
    if isinstance(told, Break):
        return told.stream, told.position
    return told.stream, told.causation_id, told.by, told.occurred_at


_Said: TypeAlias = tuple[str, str]
"""The clause and the code of an objection."""

_BREAKS_SHOWN: Final = 10

_NEAR_SIDES: Final = (LinkedAsChild, UnlinkedFromParent, IdentifiedAsSame, SameAsUndone)
_FAR_SIDES: Final[Mapping[type[object], type[object]]] = {
    LinkedAsChild: ChildLinked,
    UnlinkedFromParent: ChildUnlinked,
    IdentifiedAsSame: FurtherReportAdded,
    SameAsUndone: FurtherReportWithdrawn,
}


def _is_far_side(told: Told, near: Recorded) -> bool:
    if isinstance(told, Break):
        return False
    match told.event:
        case ChildLinked(child=named) | ChildUnlinked(child=named):
            pass
        case FurtherReportAdded(report=named) | FurtherReportWithdrawn(report=named):
            pass
        case _:
            return False
    return named == near.stream and type(told.event) is _FAR_SIDES[type(near.event)]


def _finding(said: _Said, deviation: Step | None, objected: tuple[Step, Objection] | None) -> Finding:
    clause, code = said
    recorded = None if deviation is None else deviation.recorded
    step, message = (deviation, "") if objected is None else (objected[0], objected[1].message)
    assert step is not None, "a finding was recorded or objected to"
    if recorded is not None and isinstance(recorded.event, DeviationRecorded):
        message = recorded.event.missing
    at = step.recorded
    return Finding(
        clause=clause,
        code=code,
        verdict=verdict(Objection(clause=clause, code=code, message=message), at.by.role),
        message=message,
        found=_found_by(recorded, objected),
        incident=at.stream,
        position=at.position,
        version=at.version,
        name=at.name,
        event_id=at.event_id,
        occurred_at=at.occurred_at,
        recorded_at=at.recorded_at,
        by=at.by,
        group=at.by.group or _holder(step.before.state),
        correlation_id=at.correlation_id,
        deviation=None if recorded is None else recorded.position,
    )


def _found_by(recorded: Recorded | None, objected: tuple[Step, Objection] | None) -> Found:
    if objected is None:
        return Found.IMPORT
    return Found.REPLAY if recorded is None else Found.BOTH


def _holder(state: State) -> GroupId | None:
    """The group that held the incident; None for the service desk."""
    if not isinstance(state, Incident) or isinstance(state, Unregistered):
        return None
    assignment = state.record.work.assignment
    return None if assignment is None else assignment.group


def _ruling(recorded: Recorded) -> str:
    assert isinstance(recorded.event, IncidentEvent), "only an incident's events are examined"
    return ruling_clause(recorded.event)


def in_order(clause: str) -> tuple[str, tuple[int, ...]]:
    """The order of clauses in the process, in which the tenth of a step comes after its second."""
    return clause[:1], tuple(int(each) for each in re.findall("[0-9]+", clause))


def _cell_order(
    cell: tuple[tuple[str, Verdict, GroupId | None, str], int],
) -> tuple[tuple[str, tuple[int, ...]], str, str, str]:
    (clause, kind, group, month), _ = cell
    return in_order(clause), kind.value, group or "", month
