"""Histories for the tests of the views: events recorded one after the other, and a journal that is a list."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import NAMESPACE_OID, uuid5

from attrs import evolve as changed
from attrs import field, frozen
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, select

from incident_domain.actor import Actor, PersonId, Role
from incident_domain.envelope import Recorded
from incident_domain.events import (
    WIRE_NAMES,
    Capacity,
    Channel,
    Classified,
    Customer,
    DomainEvent,
    Event,
    IncidentEvent,
    IncidentId,
    IncidentRegistered,
    JudgedNotMajor,
    RecordedAsNew,
    Reporter,
)
from incident_domain.evolution import BrokenHistory, evolve
from incident_domain.incident import UNREGISTERED, Incident
from incident_projections.engine import Projections
from incident_projections.view import INCIDENT_EVENTS, View
from tests.examples import EXAMPLES
from tests.strategies import event_of

Happened = TypeVar("Happened", bound=Event)

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DESK: Final = Actor(person=PersonId("dana"), role=Role.SERVICE_DESK)
MANAGER: Final = Actor(person=PersonId("milo"), role=Role.INCIDENT_MANAGER)


def at(minutes: float) -> datetime:
    """So many minutes after the start of every story here."""
    return START + timedelta(minutes=minutes)


def registered(
    incident: str, minutes: float = 0, *, summary: str = "No e-mail since this morning"
) -> IncidentRegistered:
    """The registration of an incident by the service desk."""
    return IncidentRegistered(
        by=DESK,
        occurred_at=at(minutes),
        incident=IncidentId(incident),
        reporter=Reporter(name="Ana", capacity=Capacity.USER, channel=Channel.PHONE),
        customer=Customer(
            person=PersonId("customer-7"),
            organisation="acme",
            name="Ana",
            workplace="2.14",
            telephone="555-0100",
        ),
        summary=summary,
    )


def example(kind: type[Happened]) -> Happened:
    """The canonical example of a class of events."""
    found = EXAMPLES[kind]
    assert isinstance(found, kind)
    return found


def classified(incident: str, minutes: float = 0) -> list[DomainEvent]:
    """The shortest story that brings an incident to work: registered, judged, classified."""
    return [
        registered(incident, minutes),
        example(RecordedAsNew),
        example(JudgedNotMajor),
        example(Classified),
    ]


def recorded(*told: tuple[str, DomainEvent]) -> list[Recorded]:
    """The events as a journal that held nothing before records them: each is given with its stream."""
    versions: dict[str, int] = {}
    journal: list[Recorded] = []
    for position, (stream, event) in enumerate(told, start=1):
        versions[stream] = versions.get(stream, 0) + 1
        journal.append(
            Recorded(
                position=position,
                stream=stream,
                version=versions[stream],
                event_id=uuid5(NAMESPACE_OID, str(position)),
                name=WIRE_NAMES[type(event)],
                recorded_at=event.occurred_at + timedelta(seconds=1),
                correlation_id=uuid5(NAMESPACE_OID, "correlation"),
                causation_id=uuid5(NAMESPACE_OID, "causation"),
                event=event,
            )
        )
    return journal


@frozen(kw_only=True)
class ListSource:
    """A journal that is a list; it gives the pages that `cuts` says: how far each goes back, and its length.

    Going back delivers events once more that were delivered before.
    """

    journal: Sequence[Recorded]
    cuts: Sequence[tuple[int, int]] = ()
    asked: list[int] = field(factory=list)

    def head(self) -> int:
        """The position of the last event."""
        return len(self.journal)

    def read_all(self, after: int, limit: int, /) -> Sequence[Recorded]:
        """The next page after a position, or one that begins before it and goes beyond it."""
        if after >= len(self.journal):
            return []
        if not self.cuts:
            return self.journal[after : after + limit]
        back, length = self.cuts[len(self.asked) % len(self.cuts)]
        self.asked.append(after)
        return self.journal[max(0, after - back) : after + length]

    def recorded_times(self, after: int, limit: int, /) -> Sequence[tuple[int, datetime]]:
        """When the next events after a position were recorded."""
        return [(each.position, each.recorded_at) for each in self.journal[after : after + limit]]


@st.composite
def histories(draw: st.DrawFn) -> list[Recorded]:
    """Journals of a few incidents and known errors, whose events tell any story that replays."""
    incidents = [IncidentId(f"INC-{each}") for each in range(draw(st.integers(1, 3)))]
    states: dict[str, Incident] = {}
    told: list[tuple[str, DomainEvent]] = []
    for incident in incidents:
        first = changed(draw(event_of(IncidentRegistered)), incident=incident)
        states[incident] = evolve(UNREGISTERED, first)
        told.append((incident, first))
    kinds = sorted(INCIDENT_EVENTS - {IncidentRegistered}, key=lambda kind: kind.__name__)
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=25)):
        incident = draw(st.sampled_from(incidents))
        event: IncidentEvent = draw(event_of(kind))
        try:
            states[incident] = evolve(states[incident], event)
        except BrokenHistory:
            continue
        told.append((incident, event))
    return recorded(*told)


def states_of(journal: Iterable[Recorded]) -> Mapping[str, Incident]:
    """What the domain makes of the incidents in a journal."""
    states: dict[str, Incident] = {}
    for each in journal:
        event: Any = each.event
        if type(event) in INCIDENT_EVENTS:
            states[each.stream] = evolve(states.get(each.stream, UNREGISTERED), event)
    return states


def rows_of(engine: Engine, views: Iterable[View]) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the tables of the views hold, in the order of the keys."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for view in views
            for table in view.tables
        }


@contextmanager
def shown(views: Sequence[View], *told: tuple[str, DomainEvent]) -> Generator[Connection]:
    """Give a connection to a database in memory whose views show these events."""
    engine = create_engine("sqlite://")
    projections = Projections(engine, ListSource(journal=recorded(*told)), views)
    projections.catch_up()
    with projections.reading() as connection:
        yield connection
    engine.dispose()
