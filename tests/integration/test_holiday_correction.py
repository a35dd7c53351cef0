"""A holiday entered late: what it changed is listed, and no history is rewritten (P3.7)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from attrs import evolve as changed

from incident_adapters.agreement_terms import AgreementTerms
from incident_adapters.holiday_correction import correct_holiday
from incident_adapters.service_desk import ServiceDesk
from incident_adapters.watch import watch_once
from incident_domain import Cancel, CorrectHoliday, MoveAgreement, Refused, Resolve
from incident_domain.events import Holiday, HoursRecounted, IncidentId, TargetBreached, TargetKind
from incident_projections.engine import Projections
from incident_projections.sla_readers import Recounted, timers_of
from tests.agreements import GOLD, GOLD_TERMS, OFFICE, target
from tests.examples import DESK, MANAGER
from tests.process_spec import minute
from tests.watched import asked, at_work, desk_with_views, publish_gold

RESOLVE = TargetKind.RESOLVE
TERMS = changed(GOLD_TERMS, hours=OFFICE, targets=(target(RESOLVE, 240),))
"""Office hours in UTC; the story begins on a Monday at 08:15, so that 240 minutes are used at 13:00."""

FORGOTTEN = Holiday(date=date(2026, 3, 2), name="Fiesta local", source="the town hall")
CORRECTION = CorrectHoliday(
    agreement=GOLD,
    by=MANAGER,
    at=minute(600),
    holiday=FORGOTTEN,
    counts_from=minute(0),
    reason="forgotten when it was agreed",
)
DUE, DUE_A_DAY_LATER = minute(285), minute(285 + 24 * 60)


@pytest.fixture
def store(store_url: str) -> Iterator[tuple[ServiceDesk, Projections]]:
    """Give a desk on which the agreement is published, with its views, on each database."""
    with desk_with_views(store_url) as opened:
        publish_gold(opened[0], TERMS)
        yield opened


def change(incident: str, **changes: Any) -> Recounted:
    """What the correction changes of an incident that was due on that day."""
    due = Recounted(
        incident=IncidentId(incident),
        kind=RESOLVE,
        cycle=1,
        due_before=DUE,
        due_after=DUE_A_DAY_LATER,
        breached_before=True,
        breached_after=False,
    )
    return changed(due, **changes)


def recounts(desk: ServiceDesk, incident: str) -> list[int]:
    """Under which versions the incident was counted anew."""
    return [
        each.event.version for each in desk.journal.read(incident) if isinstance(each.event, HoursRecounted)
    ]


def test_the_running_incidents_are_counted_anew_and_listed(store: tuple[ServiceDesk, Projections]) -> None:
    """Each with what was due and breached before and after; a resolved one has its outcome put right."""
    desk, views = store
    at_work(desk, "INC-1")
    at_work(desk, "INC-2", 10)
    resolution = asked(Resolve, "INC-2", 300)
    assert isinstance(resolution, Resolve)
    desk.handle(changed(resolution, by=DESK, restored_at=minute(300)))

    listed = correct_holiday(desk, views, CORRECTION)

    assert listed == (change("INC-1"), change("INC-2", due_before=None, due_after=None))
    with views.reading() as connection:
        clock = timers_of(
            connection, IncidentId("INC-1"), terms_of=AgreementTerms(desk.journal), now=minute(600)
        )[0]
    assert (clock.due_at, clock.breached, clock.version) == (DUE_A_DAY_LATER, False, 2)


def test_history_is_not_rewritten(store: tuple[ServiceDesk, Projections]) -> None:
    """The breach that was recorded stands in the journal; the correction is an event after it."""
    desk, views = store
    at_work(desk, "INC-1")
    watch_once(desk, views, minute(600))
    before = desk.journal.read("INC-1")

    correct_holiday(desk, views, CORRECTION)

    after = desk.journal.read("INC-1")
    assert after[:-1] == before
    assert any(isinstance(each.event, TargetBreached) for each in before)
    assert isinstance(after[-1].event, HoursRecounted)


def test_what_it_does_not_concern_is_left_alone(store: tuple[ServiceDesk, Projections]) -> None:
    """Registered before the day from which it counts, or ended, or gone on under other terms."""
    desk, views = store
    for each, begun in (("INC-1", 0), ("INC-2", 20), ("INC-3", 20), ("INC-4", 20)):
        at_work(desk, each, begun)
    desk.handle(asked(Cancel, "INC-2", 30))

    listed = correct_holiday(desk, views, changed(CORRECTION, counts_from=minute(10)))

    assert {each.incident for each in listed} == {"INC-3", "INC-4"}
    assert [recounts(desk, each) for each in ("INC-1", "INC-2", "INC-3", "INC-4")] == [[], [], [2], [2]]


def test_the_same_call_again_changes_nothing_and_lists_the_same(
    store: tuple[ServiceDesk, Projections],
) -> None:
    """Idempotent: the second time nothing is recorded."""
    desk, views = store
    at_work(desk, "INC-1")
    first = correct_holiday(desk, views, CORRECTION)
    head = desk.journal.head()

    again = correct_holiday(desk, views, CORRECTION)

    assert again == first
    assert desk.journal.head() == head


def test_broken_off_it_goes_on_where_it_was(
    store: tuple[ServiceDesk, Projections], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version was published and one incident counted anew when it ended; the next call does the rest."""
    desk, views = store
    for each in ("INC-1", "INC-2", "INC-3"):
        at_work(desk, each)
    monkeypatch.setattr("incident_adapters.holiday_correction._IN_ONE_WRITE", 1)
    write, writes = desk.in_one_write, iter((True, True, False))

    def break_off(work: Any) -> Any:
        if not next(writes):
            raise InterruptedError
        return write(work)

    with monkeypatch.context() as broken:
        broken.setattr(desk, "in_one_write", break_off)
        with pytest.raises(InterruptedError):
            correct_holiday(desk, views, CORRECTION)
    assert [recounts(desk, each) for each in ("INC-1", "INC-2", "INC-3")] == [[2], [], []]

    listed = correct_holiday(desk, views, CORRECTION)

    assert listed == (change("INC-1"), change("INC-2"), change("INC-3"))
    assert [recounts(desk, each) for each in ("INC-1", "INC-2", "INC-3")] == [[2], [2], [2]]


def test_an_incident_that_missed_a_correction_gets_it_with_the_next(
    store: tuple[ServiceDesk, Projections],
) -> None:
    """Two holidays were forgotten; the second version holds both, for whoever is still under the first."""
    desk, views = store
    at_work(desk, "INC-1")
    desk.handle(CORRECTION)
    tuesday = changed(CORRECTION, holiday=changed(FORGOTTEN, date=date(2026, 3, 3)))

    listed = correct_holiday(desk, views, tuesday)

    assert listed == (change("INC-1", due_after=minute(285 + 2 * 24 * 60)),)
    assert recounts(desk, "INC-1") == [3]


def test_an_incident_moved_to_other_terms_keeps_them(store: tuple[ServiceDesk, Projections]) -> None:
    """The correction is one of the newer terms; who went back to the older ones is not moved by it."""
    desk, views = store
    at_work(desk, "INC-1")
    publish_newer(desk)
    at_work(desk, "INC-2", 20)
    at_work(desk, "INC-3", 20)
    desk.handle(
        MoveAgreement(
            incident=IncidentId("INC-3"), by=MANAGER, at=minute(30), agreement=GOLD, version=1, reason="Asked"
        )
    )

    listed = correct_holiday(desk, views, changed(CORRECTION, counts_from=minute(10)))

    assert [each.incident for each in listed] == ["INC-2"]


def publish_newer(desk: ServiceDesk) -> None:
    """Publish terms with half the time, for what is registered ten minutes after the story began."""
    newer = changed(TERMS, targets=(target(RESOLVE, 120),))
    publish_gold(desk, newer, holds_from=minute(10))


def test_a_holiday_that_the_terms_had_from_the_beginning_changes_nothing(
    store: tuple[ServiceDesk, Projections],
) -> None:
    """There is nothing to correct, and nothing to list."""
    desk, views = store
    at_work(desk, "INC-1")
    publish_gold(desk, changed(TERMS, hours=changed(OFFICE, holidays=(FORGOTTEN,))), holds_from=minute(5))

    assert correct_holiday(desk, views, changed(CORRECTION, counts_from=minute(10))) == ()


def test_only_who_publishes_may_correct(store: tuple[ServiceDesk, Projections]) -> None:
    """The service desk is refused, and nothing is counted anew."""
    desk, views = store
    at_work(desk, "INC-1")

    with pytest.raises(Refused, match="service_desk does not publish agreements"):
        correct_holiday(desk, views, changed(CORRECTION, by=DESK))

    assert recounts(desk, "INC-1") == []
