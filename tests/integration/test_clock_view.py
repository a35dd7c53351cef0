"""The clock view in real databases: the same rows on both, and from one pass, a rebuild or a restart."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, create_engine, event, inspect, text

from incident_domain.envelope import Recorded
from incident_projections.engine import Projections
from incident_projections.sla_readers import breached, due_within, to_watch
from incident_projections.sla_timers import sla_timers
from tests.agreements import any_terms
from tests.histories import START, ListSource, at, histories, recorded, registered, rows_of

VIEWS = [sla_timers(any_terms)]
CUTS = [(3, 7), (0, 4), (9, 11)]


def one_pass(journal: list[Recorded]) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()
    rows = rows_of(engine, VIEWS)
    engine.dispose()
    return rows


def _emptied(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{table}"'))


@given(journal=histories())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgresql_holds_the_same_clocks(postgres_database: str, journal: list[Recorded]) -> None:
    """Whatever the history and the cuts, the rows are those of one pass on SQLite, also after a rebuild."""
    engine = create_engine(postgres_database)
    _emptied(engine)
    views = Projections(engine, ListSource(journal=journal, cuts=CUTS), VIEWS)

    views.catch_up()
    grown = rows_of(engine, VIEWS)
    views.rebuild()

    assert grown == one_pass(journal)
    assert rows_of(engine, VIEWS) == grown
    engine.dispose()


def test_every_question_is_answered_by_an_index(store_url: str) -> None:
    """Each of the readers over many incidents walks an index of its own, and no whole table."""
    engine = create_engine(store_url)
    Projections(engine, ListSource(journal=recorded(("INC-1", registered("INC-1")))), VIEWS).catch_up()
    asked: list[str] = []

    def explain(connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if statement.startswith("SELECT sla_timers"):
            asked.append(_plan(connection, statement, parameters))

    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))
        event.listen(engine, "before_cursor_execute", explain)
        due_within(connection, terms_of=any_terms, now=START, until=at(60))
        breached(connection, terms_of=any_terms, now=START)
        to_watch(connection, now=START)
    engine.dispose()

    used = ["sla_timers_by_due", "sla_timers_by_over", "sla_timers_by_watch"]
    assert [next((each for each in used if each in plan), plan) for plan in asked] == used


def _plan(connection: Any, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    cursor = connection.connection.cursor()
    cursor.execute(explain + statement, parameters)
    return "\n".join(str(row) for row in cursor.fetchall())
