import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve as changed
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from incident_domain.actor import GroupId
from incident_domain.events import (
    Closed,
    DomainEvent,
    EscalatedToGroup,
    IncidentId,
    Line,
    Prioritised,
    ProblemRecorded,
)
from incident_domain.priority import Priority
from incident_projections.closure_readers import closure_report
from incident_projections.engine import NeverBuilt, Projections
from incident_projections.known_errors import known_errors, matching
from incident_projections.period_readers import period_report
from incident_projections.queue_readers import (
    closure_queue,
    counts_by_phase,
    group_queue,
    incident_entry,
    review_queue,
)
from incident_projections.similar import similar_to
from incident_projections.timeline import timeline
from incident_projections.views import views as every_view
from incident_projections.work_queue import WorkState
from tests.agreements import any_terms
from tests.histories import ListSource, at, classified, example, recorded

NETWORK = GroupId("network")
VIEWS = every_view(any_terms)
NAMES = ["INC-1", "inc-2", "INC_3", "ÍNC-4", "INC-5", "a", "B", "z"]


def told() -> list[tuple[str, DomainEvent]]:
    """Incidents of equal weight and age, whose names every collation sorts in its own way."""
    story = [(name, each) for name in NAMES for each in classified(name)]
    story += [(name, example(EscalatedToGroup)) for name in NAMES[:-1]]
    story += [(NAMES[1], changed(example(Prioritised), priority=Priority.LOW)), (NAMES[4], example(Closed))]
    story.append(("known-error-1", example(ProblemRecorded)))
    return story


@pytest.fixture(params=[1, 3])
def connection(store_url: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """Give a connection for readers to a store whose views show the story, built once or three times."""
    engine = create_engine(store_url)
    views = Projections(engine, ListSource(journal=recorded(*told())), VIEWS)
    views.catch_up()
    for _ in range(request.param - 1):
        views.rebuild()
    with views.reading() as connection:
        yield connection
    engine.dispose()


def everything(connection: Connection) -> list[Any]:
    """What every reader says."""
    now, one = at(60), IncidentId(NAMES[0])
    pages: list[Any] = []
    cursor: str | None = None
    while True:
        page = group_queue(connection, now=now, group=NETWORK, line=Line.SECOND, limit=2, cursor=cursor)
        pages.append(page)
        if (cursor := page.next) is None:
            break
    return [
        *pages,
        group_queue(connection, now=now, unacknowledged=True, update_overdue=True),
        group_queue(connection, now=now, priority=Priority.LOW),
        group_queue(connection, now=now, service="e-mail", state=WorkState.INVESTIGATION),
        review_queue(connection, now=now),
        closure_queue(connection, now=now),
        incident_entry(connection, one, now=now),
        counts_by_phase(connection),
        timeline(connection, one),
        closure_report(connection, one),
        period_report(connection, since=datetime(2026, 1, 1, tzinfo=UTC), until=at(60) + timedelta(days=300)),
        similar_to(connection, one),
        matching(connection, one),
        known_errors(connection),
    ]


def test_every_reader_says_the_same_on_every_store(connection: Connection) -> None:
    """Order, pages, cursors, numbers and reasons do not depend on the database, nor on its collation."""
    engine = create_engine("sqlite://")
    views = Projections(engine, ListSource(journal=recorded(*told())), VIEWS)
    views.catch_up()
    with views.reading() as other:
        expected = everything(other)
    engine.dispose()

    assert everything(connection) == expected
    listed = [entry.incident for page in expected[:3] for entry in page.entries]
    alike = [name for name in listed if name != NAMES[1]]
    assert alike == sorted(alike)


def test_the_top_of_a_queue_is_read_through_an_index(connection: Connection) -> None:
    """However many incidents there are, the first page of each queue sorts nothing."""
    asked: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    review_queue(connection, now=at(60))
    closure_queue(connection, now=at(60))
    group_queue(connection, now=at(60))
    group_queue(connection, now=at(60), group=NETWORK)
    group_queue(connection, now=at(60), line=Line.SECOND)
    group_queue(connection, now=at(60), person=example(EscalatedToGroup).by.person)
    group_queue(connection, now=at(60), service="e-mail")
    event.remove(connection, "before_cursor_execute", listen)
    if connection.dialect.name == "postgresql":
        # A handful of rows would be read from end to end.
        connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("SET enable_bitmapscan = off")
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "

    for statement, parameters in asked:
        plan = str(connection.exec_driver_sql(explain + statement, parameters).all())
        assert "queue_by_" in plan or "work_services_by_service" in plan, plan
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


READERS: list[Callable[[Connection], object]] = [
    lambda connection: review_queue(connection, now=at(60)),
    lambda connection: group_queue(connection, now=at(60), group=NETWORK),
    lambda connection: incident_entry(connection, IncidentId(NAMES[0]), now=at(60)),
    lambda connection: timeline(connection, IncidentId(NAMES[0])),
    lambda connection: closure_report(connection, IncidentId(NAMES[0])),
    lambda connection: similar_to(connection, IncidentId(NAMES[0])),
    known_errors,
]
"""One of each view that has readers of its own."""


@pytest.mark.parametrize("read", READERS)
def test_a_view_that_nobody_has_built_is_said_so(
    store_url: str, read: Callable[[Connection], object]
) -> None:
    """The error names the views and the way out, in place of what the database says of a table."""
    engine = create_engine(store_url)
    views = Projections(engine, ListSource(journal=recorded(*told())), VIEWS)

    with (
        pytest.raises(NeverBuilt, match=r"not built yet, .*; call catch_up\(\)") as never,
        views.reading() as c,
    ):
        read(c)

    assert never.value.views == views.names
    assert str(pickle.loads(pickle.dumps(never.value))) == str(never.value)
    views.catch_up()
    with views.reading() as c:
        read(c)
    engine.dispose()


def test_what_goes_wrong_otherwise_is_what_the_database_says(store_url: str) -> None:
    """A table that no view has is no view that nobody has built."""
    engine = create_engine(store_url)
    views = Projections(engine, ListSource(journal=recorded(*told())), VIEWS)
    views.catch_up()

    with pytest.raises(DBAPIError, match="nobodys"), views.reading() as c:
        c.exec_driver_sql("SELECT * FROM nobodys")
    engine.dispose()
