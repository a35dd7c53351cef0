"""What a what-if comes to in all: counted by target, by priority and by group, with what changed listed."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from incident_domain.actor import GroupId
from incident_domain.events import AgreementId, TargetKind
from incident_domain.priority import Priority
from incident_projections.period_readers import none_last
from incident_projections.what_if import Change, IncidentChange, TargetChange

TOLD: Final = (Change.SAVED, Change.NEWLY_BREACHED, Change.WOULD_BREACH)
"""The changes that are told incident by incident: where the alternative decides about a breach."""


@frozen(kw_only=True)
class Counted:
    """How many targets changed in which way, of an agreement and a kind."""

    agreement: AgreementId
    kind: TargetKind
    targets: Mapping[Change, int]


@frozen(kw_only=True)
class CountedByPriority(Counted):
    """The same of one priority, that which the incidents really had at last; None for those without."""

    priority: Priority | None


@frozen(kw_only=True)
class CountedByGroup(Counted):
    """The same of one group, that which really held the incidents at last; None for the service desk."""

    group: GroupId | None


@frozen(kw_only=True)
class WhatIfReport:
    """What became of the incidents registered from `since` on and before `until`, and what would have.

    It holds as of `now` and of the journal's event at `position`.  On `agreed` of the incidents an agreement
    ran, and on `would_be_agreed` one would have.  `changes` counts the incidents: one is breached as soon as
    one of its targets is.  `told` lists the targets that were saved, that would have been breached, or that
    would have been where nothing was agreed: by change, then priority, then by how much.
    """

    since: datetime
    until: datetime
    now: datetime
    position: int
    incidents: int
    agreed: int
    would_be_agreed: int
    changes: Mapping[Change, int]
    by_target: tuple[Counted, ...]
    by_priority: tuple[CountedByPriority, ...]
    by_group: tuple[CountedByGroup, ...]
    told: tuple[TargetChange, ...]


def report(
    compared: Iterable[IncidentChange], *, since: datetime, until: datetime, now: datetime, position: int
) -> WhatIfReport:
    """Count what was compared; only what is told of single incidents is kept in memory."""
    incidents = agreed = would_be_agreed = 0
    changes: Counter[Change] = Counter()
    cube: Counter[_Cell] = Counter()
    told: list[TargetChange] = []
    for each in compared:
        incidents += 1
        agreed += each.agreed
        would_be_agreed += each.would_be_agreed
        if each.change is not None:
            changes[each.change] += 1
        for target in each.targets:
            cube[_cell(target)] += 1
            if target.change in TOLD:
                told.append(target)
    return WhatIfReport(
        since=since,
        until=until,
        now=now,
        position=position,
        incidents=incidents,
        agreed=agreed,
        would_be_agreed=would_be_agreed,
        changes=_in_order(changes),
        by_target=tuple(
            Counted(agreement=agreement, kind=kind, targets=targets)
            for (agreement, kind), targets in _summed(cube, lambda _: ())
        ),
        by_priority=tuple(
            CountedByPriority(agreement=agreement, kind=kind, priority=priority, targets=targets)
            for (agreement, kind, priority), targets in _summed(cube, lambda cell: (cell.priority,))
        ),
        by_group=tuple(
            CountedByGroup(agreement=agreement, kind=kind, group=group, targets=targets)
            for (agreement, kind, group), targets in _summed(cube, lambda cell: (cell.group,))
        ),
        told=tuple(sorted(told, key=_order)),
    )


@frozen(cache_hash=True)
class _Cell:
    agreement: AgreementId
    kind: TargetKind
    priority: Priority | None
    group: GroupId | None
    change: Change


def _cell(target: TargetChange) -> _Cell:
    return _Cell(target.agreement, target.kind, target.priority, target.group, target.change)


def _summed(
    cube: Mapping[_Cell, int], further: Callable[[_Cell], tuple[Any, ...]]
) -> Sequence[tuple[tuple[Any, ...], Mapping[Change, int]]]:
    """The cells summed up by agreement, kind and what `further` takes of a cell, in that order."""
    found: dict[tuple[Any, ...], Counter[Change]] = {}
    for cell, targets in cube.items():
        found.setdefault((cell.agreement, cell.kind, *further(cell)), Counter())[cell.change] += targets
    ordered = sorted(found, key=lambda key: (key[0], key[1].value, *map(none_last, key[2:])))
    return [(key, _in_order(found[key])) for key in ordered]


def _in_order(changes: Mapping[Change, int]) -> Mapping[Change, int]:
    return {each: changes.get(each, 0) for each in Change}


def _order(target: TargetChange) -> tuple[Any, ...]:
    return (
        TOLD.index(target.change),
        none_last(target.priority),
        -_excess(target),
        target.incident,
        target.agreement,
        target.kind.value,
    )


def _excess(target: TargetChange) -> float:
    """The seconds used above the target where it is breached, the greater of the two cases."""
    return max(
        (course.used - course.target).total_seconds() if course.target is not None else 0.0
        for course in (target.was, target.would_be)
    )
