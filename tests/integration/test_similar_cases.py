"""How good the lists of similar incidents and of known errors are, on cases that were labelled by hand."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve as changed
from sqlalchemy import Connection, create_engine, event

from incident_domain.events import (
    AnalysisRecorded,
    ConfigurationItem,
    ConfigurationItemsAttached,
    DomainEvent,
    IdentifiedAsSame,
    IncidentId,
    KnownErrorId,
    ProblemRecorded,
)
from incident_projections.engine import Projections
from incident_projections.known_errors import KNOWN_ERRORS, MATCHING, matching
from incident_projections.similar import SIMILAR, SimilarIncident, similar_to
from tests.histories import ListSource, at, example, recorded, registered
from tests.similar_cases import CASES, OPEN, Case, Told

DAY = 24 * 60


def story(name: str, told: Told, minutes: float) -> list[tuple[str, DomainEvent]]:
    """An incident as the desk registers it and the manager analyses it."""
    events: list[DomainEvent] = [
        registered(name, minutes, summary=told.summary),
        changed(
            example(AnalysisRecorded),
            began_at=at(minutes),
            symptoms=told.symptoms,
            location=told.place,
            services=() if told.service is None else (told.service,),
            hardware=(),
        ),
    ]
    if told.item is not None:
        item = ConfigurationItem(item=told.item, name=told.item, kind="server")
        events.append(changed(example(ConfigurationItemsAttached), items=(item,)))
    return [(name, each) for each in events]


def known(name: str, told: Told) -> tuple[str, DomainEvent]:
    """The entry of the knowledge base that was made of such an incident."""
    problem = changed(
        example(ProblemRecorded),
        known_error=KnownErrorId(name),
        title=told.summary,
        symptoms=told.symptoms or "none",
        services=() if told.service is None else (told.service,),
    )
    return f"known-error-{name}", problem


def asked(case: int) -> IncidentId:
    """The name of the new incident of a case."""
    return IncidentId(f"new-{case:02}")


@contextmanager
def everything(url: str) -> Generator[Connection]:
    """Give a connection to a store where all is open, a day apart, all is known, and all is asked.

    The new incidents are no candidates for each other: each is found the same as another at once.
    """
    told: list[tuple[str, DomainEvent]] = []
    for day, (name, each) in enumerate(OPEN.items()):
        told += [*story(name, each, day * DAY), known(name, each)]
    for number, case in enumerate(CASES):
        told += story(asked(number), case.new, (len(OPEN) + number) * DAY)
        told.append((asked(number), example(IdentifiedAsSame)))
    engine = create_engine(url)
    views = Projections(engine, ListSource(journal=recorded(*told)), [SIMILAR, KNOWN_ERRORS, MATCHING])
    views.catch_up()
    with views.reading() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def connection(store_url: str) -> Iterator[Connection]:
    """Give a connection to such a store of each kind."""
    with everything(store_url) as connection:
        yield connection


def quality(found: Sequence[Sequence[str]]) -> tuple[float, float]:
    """How often the first is one that was wanted, and what part of those wanted is among the first five."""
    first = [bool(names) and names[0] in case.alike for case, names in zip(CASES, found, strict=True)]
    recall = [_recall(case, names) for case, names in zip(CASES, found, strict=True)]
    return sum(first) / len(first), sum(recall) / len(recall)


def _recall(case: Case, names: Sequence[str]) -> float:
    return len(set(case.alike).intersection(names[:5])) / len(case.alike)


def test_the_cases_are_enough_and_refer_to_what_is_there() -> None:
    """At least forty, in both languages, whose labels are names of open incidents."""
    assert len(CASES) >= 40
    assert {name for case in CASES for name in case.alike} <= OPEN.keys()


@pytest.mark.clause("P1.8")
def test_p1_8_similar_incidents_are_found_as_people_would(connection: Connection) -> None:
    """The first is right in nine of ten cases, and nearly all that are alike are among the first five."""
    found = [similar_to(connection, asked(number)) for number in range(len(CASES))]

    precision, recall = quality([[each.incident for each in alike] for alike in found])

    print(f"precision at 1: {precision:.3f}, recall at 5: {recall:.3f}, {len(CASES)} cases")  # noqa: T201
    assert precision >= 0.9
    assert recall >= 0.93
    assert all(_adds_up(each) for alike in found for each in alike)


def _adds_up(each: SimilarIncident) -> bool:
    return bool(each.reasons) and each.score == pytest.approx(sum(reason.weight for reason in each.reasons))


@pytest.mark.clause("P2.2")
def test_p2_2_known_errors_are_found_as_people_would(connection: Connection) -> None:
    """The same of the knowledge base, of which places and configuration items say nothing."""
    found = [matching(connection, asked(number)) for number in range(len(CASES))]

    precision, recall = quality([[each.entry.known_error for each in alike] for alike in found])

    print(f"precision at 1: {precision:.3f}, recall at 5: {recall:.3f}, {len(CASES)} cases")  # noqa: T201
    assert precision >= 0.85
    assert recall >= 0.9


def test_the_lists_are_the_same_on_every_database(connection: Connection) -> None:
    """Names, scores and reasons, in their order."""

    def lists(of: Connection) -> list[Any]:
        names = [asked(number) for number in range(len(CASES))]
        return [(similar_to(of, each), matching(of, each)) for each in names]

    with everything("sqlite://") as other:
        assert lists(connection) == lists(other)


def test_counting_and_looking_up_read_an_index_and_no_table(connection: Connection) -> None:
    """However many incidents are open, neither reads from end to end, nor beside the index on SQLite."""
    told: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        told.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", listen)
    similar_to(connection, asked(0))
    event.remove(connection, "before_cursor_execute", listen)
    if connection.dialect.name == "postgresql":
        # A handful of rows would be read from end to end.
        connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("SET enable_bitmapscan = off")
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "

    _, counting, looking_up, comparing = told
    for statement, parameters in (counting, looking_up):
        plan = str(connection.exec_driver_sql(explain + statement, parameters).all())
        assert "COVERING INDEX incident_traits_found" in plan or "Index Only Scan using" in plan, plan
        assert "SCAN incident_traits" not in plan, plan
        assert "Seq Scan" not in plan, plan
    plan = str(connection.exec_driver_sql(explain + comparing[0], comparing[1]).all())
    assert "SCAN incident_traits" not in plan, plan
    assert "Seq Scan" not in plan, plan
