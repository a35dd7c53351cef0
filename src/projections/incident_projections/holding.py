"""Who holds an incident, and how often it changed hands: facts that several views show.

A first assignment is no reassignment (P2.5).  Every later one to another group, or to another person of the
same group, is; a rejected hand-off (X3) is counted apart, as a bounce.
"""

from typing import Any, Final, TypeAlias, TypedDict, assert_never

from sqlalchemy import BigInteger, Column, Integer, Text

from incident_domain.actor import Role
from incident_domain.events import (
    Acknowledged,
    AssignedToPerson,
    EscalatedToGroup,
    HandOffRejected,
    Reopened,
)
from incident_projections.instants import micros

HandOver: TypeAlias = EscalatedToGroup | AssignedToPerson | HandOffRejected | Acknowledged | Reopened
"""The events that change who holds an incident, or count how it went to and fro."""


class Holding(TypedDict):
    """Who holds the incident, since when, whom they got it from, and the counts.

    Without a group it is the service desk.  A group that gives the incident back gives it to `from_group` as
    that group was when it held it, or to the service desk.
    """

    line: int | None
    support_group: str | None
    person: str | None
    held_since: int | None
    acknowledged_at: int | None
    from_line: int | None
    from_group: str | None
    from_person: str | None
    from_acknowledged_at: int | None
    reassignments: int
    bounces: int
    reopenings: int


NOBODY: Final[Holding] = {
    "line": None,
    "support_group": None,
    "person": None,
    "held_since": None,
    "acknowledged_at": None,
    "from_line": None,
    "from_group": None,
    "from_person": None,
    "from_acknowledged_at": None,
    "reassignments": 0,
    "bounces": 0,
    "reopenings": 0,
}


def holding_columns() -> list[Column[Any]]:
    """The columns of a table that shows `Holding`."""
    return [
        Column("line", Integer),
        Column("support_group", Text),
        Column("person", Text),
        Column("held_since", BigInteger),
        Column("acknowledged_at", BigInteger),
        Column("from_line", Integer),
        Column("from_group", Text),
        Column("from_person", Text),
        Column("from_acknowledged_at", BigInteger),
        Column("reassignments", Integer, nullable=False),
        Column("bounces", Integer, nullable=False),
        Column("reopenings", Integer, nullable=False),
    ]


def handed_over(held: Holding, event: HandOver) -> Holding:
    """Who holds the incident after the event."""
    group, person = held["support_group"], held["person"]
    match event:
        case EscalatedToGroup():
            by_desk = event.by.role is Role.SERVICE_DESK
            return {
                "line": event.line.value,
                "support_group": event.group,
                "person": None,
                "held_since": micros(event.occurred_at),
                "acknowledged_at": None,
                "from_line": None if by_desk else held["line"],
                "from_group": None if by_desk else group,
                "from_person": None if by_desk else person,
                "from_acknowledged_at": None if by_desk else held["acknowledged_at"],
                "reassignments": held["reassignments"] + (group is not None and group != event.group),
                "bounces": held["bounces"],
                "reopenings": held["reopenings"],
            }
        case AssignedToPerson():
            again = person is not None and person != event.person
            return {**held, "person": event.person, "reassignments": held["reassignments"] + again}
        case HandOffRejected():
            return {
                "line": held["from_line"],
                "support_group": held["from_group"],
                "person": held["from_person"],
                "held_since": None if held["from_group"] is None else micros(event.occurred_at),
                "acknowledged_at": held["from_acknowledged_at"],
                "from_line": None,
                "from_group": None,
                "from_person": None,
                "from_acknowledged_at": None,
                "reassignments": held["reassignments"],
                "bounces": held["bounces"] + 1,
                "reopenings": held["reopenings"],
            }
        case Acknowledged():
            return {**held, "acknowledged_at": micros(event.occurred_at)}
        case Reopened():
            return {**held, "reopenings": held["reopenings"] + 1}
        case _:
            assert_never(event)
