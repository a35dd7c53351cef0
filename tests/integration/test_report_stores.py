from sqlalchemy import create_engine

from incident_adapters.report_closure import incident_page
from incident_adapters.report_data import incident_report, service_report
from incident_adapters.report_period import period_page
from incident_adapters.report_text import text
from incident_adapters.report_words import Language
from incident_projections.engine import Projections
from tests.histories import ListSource, at, recorded
from tests.reported import ONE, TERMS, VIEWS, story


def test_a_report_says_the_same_on_every_store(store_url: str) -> None:
    """Medians, sums, steps of the backlog and breaches do not depend on the database."""
    assert reported(store_url) == reported("sqlite://")


def reported(url: str) -> tuple[object, ...]:
    """Both reports of the story from a store, as data and as text."""
    engine = create_engine(url)
    views = Projections(engine, ListSource(journal=recorded(*story())), VIEWS)
    views.catch_up()
    with views.reading() as connection:
        closure = incident_report(connection, ONE, terms_of=TERMS, now=at(500))
        months = [
            service_report(connection, since=at(begin), until=at(end))
            for begin, end in ((-60, 30), (30, 500), (-100_000, 100_000))
        ]
    engine.dispose()
    assert closure is not None
    assert [each.service_levels.breaches != () for each in months] == [True, True, True]
    pages = [incident_page(closure, Language.EN), *(period_page(each, Language.EN) for each in months)]
    return (closure, *months, *map(text, pages))
