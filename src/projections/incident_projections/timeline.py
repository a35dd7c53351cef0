"""The timeline: one row for every event of an incident, in the order in which they were recorded.

The column `sentence` may hold personal data; it goes with the view when that is rebuilt after an erasure.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypedDict

from attrs import frozen
from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, bindparam, select

from incident_domain.actor import Actor, GroupId, PersonId, Role
from incident_domain.envelope import Recorded
from incident_domain.events import DeviationRecorded, IncidentEvent, IncidentId
from incident_projections.describe import describe
from incident_projections.instants import instant, micros
from incident_projections.view import INCIDENT_EVENTS, METADATA, NAME, EventView


class TimelineRow(TypedDict):
    """A row of the timeline view; instants are microseconds since 1970 UTC."""

    incident: str
    version: int
    position: int
    event_id: str
    name: str
    occurred_at: int
    recorded_at: int
    person: str
    role: str
    acting_group: str | None
    sentence: str
    deviates_from: str | None


TIMELINE_TABLE: Final = Table(
    "timeline",
    METADATA,
    Column("incident", NAME, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("acting_group", Text),
    Column("sentence", Text, nullable=False),
    Column("deviates_from", Text),
)


def timeline_row(recorded: Recorded, event: IncidentEvent) -> TimelineRow:
    """The row that an event makes."""
    return {
        "incident": recorded.stream,
        "version": recorded.version,
        "position": recorded.position,
        "event_id": str(recorded.event_id),
        "name": recorded.name,
        "occurred_at": micros(event.occurred_at),
        "recorded_at": micros(recorded.recorded_at),
        "person": event.by.person,
        "role": event.by.role.value,
        "acting_group": event.by.group,
        "sentence": describe(event),
        "deviates_from": event.clause if isinstance(event, DeviationRecorded) else None,
    }


TIMELINE: Final = EventView(version=2, table=TIMELINE_TABLE, about=INCIDENT_EVENTS, row=timeline_row)
"""The view of `timeline`."""


@frozen(kw_only=True)
class TimelineEntry:
    """An event as the timeline shows it.

    `version` counts the incident's events from 1, `name` is the wire name.  `deviates_from` is the clause of
    the process that a history made elsewhere broke, None for anything else.
    """

    version: int
    position: int
    event_id: str
    name: str
    occurred_at: datetime
    recorded_at: datetime
    by: Actor
    sentence: str
    deviates_from: str | None


_t: Final = TIMELINE_TABLE.c
_ONE: Final = (
    select(TIMELINE_TABLE)
    .where(
        _t.incident == bindparam("incident"),
        _t.name.not_in(bindparam("without", expanding=True)),
    )
    .order_by(_t.version)
)


def timeline(
    connection: Connection, incident: IncidentId, *, without: Sequence[str] = ()
) -> tuple[TimelineEntry, ...]:
    """Everything that was recorded of an incident, in that order; empty when there is none of that name.

    Events of the wire names in `without` are left out, for readers that they are not for.
    """
    return tuple(
        TimelineEntry(
            version=row.version,
            position=row.position,
            event_id=row.event_id,
            name=row.name,
            occurred_at=instant(row.occurred_at),
            recorded_at=instant(row.recorded_at),
            by=Actor(
                person=PersonId(row.person),
                role=Role(row.role),
                group=None if row.acting_group is None else GroupId(row.acting_group),
            ),
            sentence=row.sentence,
            deviates_from=row.deviates_from,
        )
        for row in connection.execute(_ONE, {"incident": incident, "without": without})
    )
