"""Ping-pong: the incidents that changed hands most in a period, and the groups between which they went."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from attrs import frozen
from sqlalchemy import BigInteger, Connection, Row, and_, bindparam, case, func, select

from incident_domain.actor import GroupId, PersonId
from incident_domain.events import IncidentId
from incident_domain.priority import Priority
from incident_projections.hand_overs import HAND_OVERS_TABLE, Move
from incident_projections.instants import instant, micros
from incident_projections.queue import QUEUE_TABLE, Phase


@frozen(kw_only=True)
class HandOver:
    """A time at which an incident changed hands; a group that is None stands for the service desk.

    A rejection (X3) has the `giver` and the `taker` of the hand-off that was rejected.  `person` is who holds
    the incident since, where somebody took it on.
    """

    at: datetime
    move: Move
    giver: GroupId | None
    taker: GroupId | None
    person: PersonId | None


@frozen(kw_only=True)
class MovedIncident:
    """An incident that went to and fro in a period, and every time it changed hands within it.

    `reassignments` counts the hand-offs from a group to another, and from a person to another of the same
    group; a first assignment is none (P2.5).  `bounces` counts the rejected hand-offs (X3), and `returns` the
    hand-offs to a group that had held the incident before.  `phase` and `priority` are those of now.
    """

    incident: IncidentId
    number: int | None
    phase: Phase
    priority: Priority | None
    reassignments: int
    bounces: int
    returns: int
    path: tuple[HandOver, ...]


@frozen(kw_only=True)
class Pair:
    """How often one group handed an incident to another in a period, and how often that was rejected (X3).

    `returned` are those that the taker had held before.  None stands for the service desk.
    """

    giver: GroupId | None
    taker: GroupId
    handed_over: int
    rejected: int
    returned: int


_h, _q = HAND_OVERS_TABLE.c, QUEUE_TABLE.c
_WITHIN: Final = and_(
    _h.at >= bindparam("since", type_=BigInteger), _h.at < bindparam("until", type_=BigInteger)
)
_HANDED_OVER: Final = _h.move == Move.HANDED_OVER.value
_REASSIGNED: Final = case(
    (_HANDED_OVER & _h.giver.is_not(None), 1), (_h.move == Move.PASSED_ON.value, 1), else_=0
)
_REJECTED: Final = case((_h.move == Move.REJECTED.value, 1), else_=0)
_MOVED: Final = (
    select(
        _h.incident,
        func.sum(_REASSIGNED).label("reassignments"),
        func.sum(_REJECTED).label("bounces"),
        func.sum(_h.returned).label("returns"),
    )
    .where(_WITHIN)
    .group_by(_h.incident)
    .having(func.sum(_REASSIGNED) + func.sum(_REJECTED) + func.sum(_h.returned) > 0)
    .order_by((func.sum(_REASSIGNED) + func.sum(_REJECTED)).desc(), func.sum(_h.returned).desc(), _h.incident)
    .limit(bindparam("limit"))
)
_PATHS: Final = (
    select(HAND_OVERS_TABLE)
    .where(_WITHIN, _h.incident.in_(bindparam("incidents", expanding=True)))
    .order_by(_h.incident, _h.step)
)
_STANDS: Final = select(_q.incident, _q.number, _q.phase, _q.priority).where(
    _q.incident.in_(bindparam("incidents", expanding=True))
)
_PAIRS: Final = (
    select(
        _h.giver,
        _h.taker,
        func.sum(case((_HANDED_OVER, 1), else_=0)).label("handed_over"),
        func.sum(_REJECTED).label("rejected"),
        func.sum(_h.returned).label("returned"),
    )
    .where(_WITHIN, _h.move != Move.PASSED_ON.value)
    .group_by(_h.giver, _h.taker)
)


def most_moved(
    connection: Connection, *, since: datetime, until: datetime, limit: int = 20
) -> tuple[MovedIncident, ...]:
    """The incidents that were reassigned or rejected most from `since` on and before `until`.

    Those with as many come in the order of their returns, then of their references.  One that the view of the
    queue does not hold yet is left out.

    Raises:
        ValueError: when `limit` is below 1.
    """
    if limit < 1:
        raise ValueError("limit: must be at least 1")
    period = {"since": micros(since), "until": micros(until)}
    moved = connection.execute(_MOVED, {**period, "limit": limit}).all()
    names = [row.incident for row in moved]
    stands = {row.incident: row for row in connection.execute(_STANDS, {"incidents": names})}
    paths: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    for row in connection.execute(_PATHS, {**period, "incidents": names}):
        paths.setdefault(row.incident, []).append(row)
    return tuple(
        MovedIncident(
            incident=row.incident,
            number=stand.number,
            phase=Phase(stand.phase),
            priority=None if stand.priority is None else Priority(stand.priority),
            reassignments=int(row.reassignments),
            bounces=int(row.bounces),
            returns=int(row.returns),
            path=_path(paths[row.incident]),
        )
        for row in moved
        if (stand := stands.get(row.incident)) is not None
    )


def pairs(connection: Connection, *, since: datetime, until: datetime) -> tuple[Pair, ...]:
    """Between which groups incidents went from `since` on and before `until`, the most frequent first."""
    found = connection.execute(_PAIRS, {"since": micros(since), "until": micros(until)}).all()
    return tuple(
        sorted(
            (
                Pair(
                    giver=row.giver,
                    taker=row.taker,
                    handed_over=int(row.handed_over),
                    rejected=int(row.rejected),
                    returned=int(row.returned),
                )
                for row in found
            ),
            key=lambda each: (-each.handed_over, -each.rejected, each.giver or "", each.taker),
        )
    )


def _path(rows: Iterable[Row[*tuple[Any, ...]]]) -> tuple[HandOver, ...]:
    return tuple(
        HandOver(at=instant(row.at), move=Move(row.move), giver=row.giver, taker=row.taker, person=row.person)
        for row in rows
    )
