"""The laws of the process hold in a real store: what was decided is stored, and the views tell the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

from hypothesis import HealthCheck, given, settings
from sqlalchemy import create_engine, text

from incident_adapters.service_desk import ServiceDesk
from incident_domain import DomainEvent, IncidentEvent, Refused, replay
from incident_domain.envelope import Recorded
from incident_projections.engine import Projections
from incident_projections.views import VIEWS
from tests.commands import INCIDENTS, Ledger, walks
from tests.histories import ListSource, rows_of
from tests.process_spec import Asked

LATER: Final = datetime(2099, 1, 1, tzinfo=UTC)
CUTS: Final = [(0, 7), (5, 9), (13, 14), (2, 1)]
_UNUSED: Final = count()


def emptied(store_url: str) -> str:
    """An empty store of the same kind."""
    if store_url.startswith("sqlite"):
        return f"{store_url}.{next(_UNUSED)}"
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return store_url


def decided(ledger: Ledger, asked: Asked) -> list[tuple[str, DomainEvent]] | Refused:
    """What the pure process makes of a command, carried along in the ledger."""
    try:
        happened = ledger.happened(asked)
    except Refused as refused:
        return refused
    ledger.take(asked, happened)
    return [(stream, event) for stream, events in happened.items() for event in events]


def stored(desk: ServiceDesk, asked: Asked) -> list[tuple[str, DomainEvent]] | Refused:
    """What the service desk records for a command."""
    try:
        return [(each.stream, each.event) for each in desk.handle(asked).recorded]
    except Refused as refused:
        return refused


def walked(desk: ServiceDesk, walk: list[Asked]) -> tuple[Ledger, list[tuple[str, DomainEvent]]]:
    """Walk in the ledger and in the store side by side, every command twice."""
    ledger, expected = Ledger(), list[tuple[str, DomainEvent]]()
    for asked in walk:
        pure, real = decided(ledger, asked), stored(desk, asked)
        if isinstance(pure, Refused):
            assert isinstance(real, Refused)
            assert real.objections == pure.objections
            continue
        assert real == pure
        assert stored(desk, asked) == [], "the same command again records nothing"
        expected += pure
    return ledger, expected


def everything(desk: ServiceDesk) -> Iterator[Recorded]:
    """The whole journal, page by page."""
    after = 0
    while page := desk.journal.read_all(after, 50):
        yield from page
        after = page[-1].position


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(walk=walks(40))
def test_what_is_stored_is_what_was_decided(store_url: str, walk: list[Asked]) -> None:
    """The journal holds every decision and no refusal, and replays to the states that were carried along."""
    url = emptied(store_url)
    with ServiceDesk.open(url, clock=lambda: LATER) as desk:
        ledger, expected = walked(desk, walk)
        journal = list(everything(desk))
        assert [(each.stream, each.event) for each in journal] == expected
        assert [each.position for each in journal] == list(range(1, len(expected) + 1))

    with ServiceDesk.open(url, clock=lambda: LATER) as reopened:
        for name in INCIDENTS:
            events = [each.event for each in reopened.journal.read(name)]
            history = [each for each in events if isinstance(each, IncidentEvent)]
            assert history == events
            assert replay(history) == ledger.incident(name) == reopened.incident(name)


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(walk=walks(40))
def test_the_views_of_any_walk_are_the_same_however_they_came_about(
    store_url: str, walk: list[Asked]
) -> None:
    """In step with the journal, from cuts with redelivery, or rebuilt: the rows are those of one pass."""
    url = emptied(store_url)
    with ServiceDesk.open(url, clock=lambda: LATER) as desk:
        views = create_engine(url)
        live = Projections(views, desk.journal, VIEWS)
        for number, asked in enumerate(walk):
            stored(desk, asked)
            if number % 9 == 0:
                live.catch_up()
        assert live.catch_up() == desk.journal.head()
        journal = list(everything(desk))
        in_step = rows_of(views, VIEWS)
        live.rebuild()
        rebuilt = rows_of(views, VIEWS)
        views.dispose()

    one_pass, cut = (
        _rows(ListSource(journal=journal)),
        _rows(ListSource(journal=journal, cuts=CUTS)),
    )
    assert in_step == one_pass
    assert rebuilt == one_pass
    assert cut == one_pass


def _rows(source: ListSource) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine("sqlite://")
    Projections(engine, source, VIEWS).catch_up()
    rows = rows_of(engine, VIEWS)
    engine.dispose()
    return rows
