import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any, Final

import msgspec
import pytest
from attrs import evolve as changed
from attrs import fields, has
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import Connection, create_engine

from incident_adapters import cli_status
from incident_adapters.customer_words import plain_words
from incident_adapters.report_words import Language
from incident_domain.actor import PersonId
from incident_domain.envelope import Recorded
from incident_domain.events import (
    Cancelled,
    Closed,
    ConfirmationRequested,
    CustomerCorrected,
    CustomerInformed,
    CustomerNotified,
    DomainEvent,
    Event,
    HoldReason,
    IdentifiedAsSame,
    IncidentEvent,
    IncidentId,
    IncidentRegistered,
    NumberAssigned,
    Recipient,
    ResolutionConfirmed,
    SameAsUndone,
    WorkaroundProvided,
)
from incident_domain.incident import (
    AwaitingClosure,
    Ended,
    Incident,
    InClassification,
    InInvestigation,
    InRegistration,
    SameAs,
    Unregistered,
)
from incident_projections.customer_status import (
    CUSTOMER_STATUS,
    CustomerStatus,
    Standing,
    Told,
    customer_status,
)
from incident_projections.engine import Projections
from incident_projections.view import INCIDENT_EVENTS
from tests.agreements import escalated, held, notified, progress, reopened, resolved, resumed
from tests.examples import EXAMPLES, INCIDENT
from tests.histories import (
    DESK,
    ListSource,
    at,
    classified,
    example,
    histories,
    recorded,
    registered,
    shown,
    states_of,
)
from tests.strategies import event_of

VIEWS: Final = (CUSTOMER_STATUS,)
ONE: Final = IncidentId("INC-1")
TWO: Final = IncidentId("INC-2")
MARK: Final = re.compile(r"<[^<>]*>")
KINDS: Final = sorted(INCIDENT_EVENTS, key=lambda kind: kind.__name__)
SEEN: Final = sorted(CUSTOMER_STATUS.about, key=lambda kind: kind.__name__)


def marked(value: Any, where: str) -> Any:
    """The value with every text in it replaced by a mark of its own, which says where it stood."""
    kind = value.__class__
    if kind is str:
        return f"<{where}>"
    if kind is tuple:
        return tuple(marked(each, f"{where}.{number}") for number, each in enumerate(value))
    if has(kind):
        inner = {each.name: getattr(value, each.name) for each in fields(kind)}
        return changed(value, **{name: marked(each, f"{where}.{name}") for name, each in inner.items()})
    return value


def marked_event(event: Event, number: int, incidents: Sequence[IncidentId]) -> Any:
    """The event with marks for texts, but for the references of incidents that there are."""
    made = marked(event, f"{number}.{type(event).__name__}")
    if isinstance(event, IncidentRegistered):
        return changed(made, incident=event.incident)
    if isinstance(event, IdentifiedAsSame):
        return changed(made, existing=incidents[number % len(incidents)])
    return made


def told_to_customer(event: DomainEvent) -> bool:
    """Whether the text of an event is for the customer's ears."""
    if isinstance(event, WorkaroundProvided):
        return Recipient.CUSTOMER in event.given_to
    return isinstance(event, CustomerInformed | CustomerNotified)


def told_texts(journal: Sequence[Recorded], incident: str) -> set[str]:
    """The marks that the customer of an incident may come to see."""
    return {
        f"<{each.position}.{type(each.event).__name__}.text>"
        for each in journal
        if each.stream == incident and told_to_customer(each.event)
    }


def everything_shown(status: CustomerStatus) -> str:
    """All that anybody gets of a status: as data, and as text in every language."""
    said = [msgspec.json.encode(status).decode()]
    for language in Language:
        said.append(msgspec.json.encode(cli_status.data(status, language)).decode())
        screen = StringIO()
        Console(file=screen, width=10_000).print(cli_status.text(status, language))
        said.append(screen.getvalue())
    return "\n".join(said)


def statuses(journal: Sequence[Recorded]) -> dict[str, CustomerStatus]:
    """What the customers of all incidents of a journal see."""
    engine = create_engine("sqlite://")
    Projections(engine, ListSource(journal=journal), VIEWS).catch_up()
    with engine.connect() as connection:
        found = {
            name: status
            for name in {each.stream for each in journal}
            if (status := customer_status(connection, IncidentId(name))) is not None
        }
    engine.dispose()
    return found


def seen(connection: Connection) -> CustomerStatus:
    status = customer_status(connection, ONE)
    assert status is not None
    return status


def one(*events: DomainEvent) -> list[tuple[str, DomainEvent]]:
    return [(ONE, each) for each in (*classified(ONE), *events)]


def test_a_status_has_what_a_customer_may_see_and_nothing_else() -> None:
    """Another member is a decision about what customers may see, and belongs here."""
    assert [each.name for each in fields(CustomerStatus)] == [
        "reference",
        "number",
        "standing",
        "news",
        "workaround",
        "next_update_due",
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_of_an_event_only_what_was_told_to_the_customer_is_seen(kind: type[IncidentEvent]) -> None:
    """Each event of the golden corpus, with a mark in every text, shows the customer's marks alone."""
    first = marked_event(registered(INCIDENT), 1, [INCIDENT])
    event = marked_event(EXAMPLES[kind], 2, [INCIDENT])
    journal = recorded((INCIDENT, first), (INCIDENT, event))

    shown_marks = set(MARK.findall(everything_shown(statuses(journal)[INCIDENT])))

    assert shown_marks == told_texts(journal, INCIDENT)


def test_of_the_whole_corpus_nothing_internal_is_seen() -> None:
    """All events one after the other, those of the knowledge base and of agreements among them."""
    streams = [INCIDENT if kind in INCIDENT_EVENTS else "other" for kind in EXAMPLES]
    marks = [marked_event(each, place, [INCIDENT]) for place, each in enumerate(EXAMPLES.values(), 1)]
    journal = recorded(*zip(streams, marks, strict=True))

    shown_marks = set(MARK.findall(everything_shown(statuses(journal)[INCIDENT])))

    assert len(set(MARK.findall(str(journal)))) > 100
    assert {mark.split(".")[1] for mark in shown_marks} == {"CustomerNotified", "WorkaroundProvided"}
    assert shown_marks < told_texts(journal, INCIDENT)


@given(journal=histories())
def test_no_history_shows_a_customer_anything_internal(journal: list[Recorded]) -> None:
    """Whatever happened, and whichever incident carries on for another, customers see their own news only."""
    incidents = sorted({IncidentId(each.stream) for each in journal})
    marks = [changed(each, event=marked_event(each.event, each.position, incidents)) for each in journal]
    for name, status in statuses(marks).items():
        said = everything_shown(status)
        assert set(MARK.findall(said)) <= told_texts(marks, name)
        assert [other for other in incidents if other != name and other in said] == []


@given(events=st.lists(st.sampled_from(SEEN).flatmap(event_of), max_size=12))
def test_nothing_internal_is_seen_in_whatever_order_things_are_told(events: list[IncidentEvent]) -> None:
    """Of the events that the view is about the texts told to the customer are seen, and no other."""
    told = [marked_event(each, place, [INCIDENT]) for place, each in enumerate(events, 2)]
    journal = recorded((INCIDENT, registered(INCIDENT)), *((INCIDENT, each) for each in told))

    shown_marks = set(MARK.findall(everything_shown(statuses(journal)[INCIDENT])))

    assert shown_marks <= told_texts(journal, INCIDENT)


@given(journal=histories())
def test_the_standing_is_what_the_domain_says_in_other_words(journal: list[Recorded]) -> None:
    """Whatever the history, a customer is told the phase that decisions are made on."""
    found = statuses(journal)
    for name, state in states_of(journal).items():
        assert found[name].standing is _standing(state)
        assert not isinstance(state, Unregistered)
        assert found[name].number == state.record.intake.number


def _standing(state: Incident) -> Standing:
    match state:
        case InRegistration() | InClassification() | InInvestigation():
            if state.record.work.hold is not None:
                waits_for_them = state.record.work.hold.reason is HoldReason.CUSTOMER
                return Standing.WAITING_FOR_CUSTOMER if waits_for_them else Standing.ON_HOLD
            return Standing.RECEIVED if isinstance(state, InRegistration) else Standing.IN_WORK
        case AwaitingClosure(confirmed=True):
            return Standing.CONFIRMED
        case AwaitingClosure(asked_at=asked_at):
            return Standing.RESOLVED if asked_at is None else Standing.TO_CONFIRM
        case SameAs():
            # The other incident is none of this journal.
            return Standing.IN_WORK
        case Ended(end=end):
            return Standing.CANCELLED if isinstance(end, Cancelled) else Standing.CLOSED
        case Unregistered():
            raise AssertionError(state)


@pytest.mark.clause("P3.4")
def test_p3_4_the_customer_sees_the_last_news_and_the_present_state() -> None:
    """What they were told last, when, and when they hear more."""
    story = one(example(NumberAssigned), escalated(5), notified(10), progress(20))
    with shown(VIEWS, *story) as connection:
        status = seen(connection)

    assert status == CustomerStatus(
        reference=ONE,
        number=example(NumberAssigned).number,
        standing=Standing.IN_WORK,
        news=Told(text=notified(0).text, at=at(10)),
        workaround=None,
        next_update_due=at(80),
    )


@pytest.mark.clause("P3.5")
def test_p3_5_a_workaround_is_seen_by_the_customer_only_if_it_was_given_to_them() -> None:
    """What was given to the desk alone stays with the desk, and does not hide the one before it."""
    given_to_both = example(WorkaroundProvided)
    for_the_desk = changed(given_to_both, given_to=(Recipient.SERVICE_DESK,), text="Reset her password")
    with shown(VIEWS, *one(for_the_desk)) as connection:
        assert seen(connection).workaround is None
    with shown(VIEWS, *one(given_to_both, for_the_desk)) as connection:
        assert seen(connection).workaround == Told(text=given_to_both.text, at=given_to_both.occurred_at)


@pytest.mark.clause("P3.3")
def test_p3_3_no_next_update_is_promised_for_what_is_resolved() -> None:
    """The report promised it for the work, which is done."""
    with shown(VIEWS, *one(progress(20), resolved(30))) as connection:
        assert seen(connection).next_update_due is None
    with shown(VIEWS, *one(progress(20), resolved(30), reopened(40))) as connection:
        assert seen(connection).next_update_due == at(80)


@pytest.mark.clause("X1")
def test_x1_a_customer_is_told_that_something_waits_but_not_for_whom() -> None:
    """Only that their own answer is missing is said; suppliers and changes are not theirs to see."""
    standings: list[Standing] = []
    for story in (
        one(held(10, HoldReason.CUSTOMER)),
        one(held(10, HoldReason.SUPPLIER)),
        one(held(10, HoldReason.SUPPLIER), resumed(20)),
        one(held(10, HoldReason.CUSTOMER), resolved(20)),
    ):
        with shown(VIEWS, *story) as connection:
            standings.append(seen(connection).standing)

    assert standings == [
        Standing.WAITING_FOR_CUSTOMER,
        Standing.ON_HOLD,
        Standing.IN_WORK,
        Standing.RESOLVED,
    ]


@pytest.mark.clause("P5.1")
def test_p5_1_the_customer_is_asked_and_sees_what_they_answered() -> None:
    """Resolved, asked, confirmed, closed; a reopening goes back to work."""
    steps = (resolved(20), example(ConfirmationRequested), example(ResolutionConfirmed), example(Closed))
    standings: list[Standing] = []
    for number in range(len(steps) + 1):
        with shown(VIEWS, *one(*steps[:number])) as connection:
            standings.append(seen(connection).standing)
    with shown(VIEWS, *one(*steps[:2], reopened(30))) as connection:
        standings.append(seen(connection).standing)

    assert standings == [
        Standing.IN_WORK,
        Standing.RESOLVED,
        Standing.TO_CONFIRM,
        Standing.CONFIRMED,
        Standing.CLOSED,
        Standing.IN_WORK,
    ]


@pytest.mark.clause("P1.2")
def test_p1_2_a_customer_who_takes_over_does_not_inherit_what_another_was_told() -> None:
    """News and workaround were for the one before; a corrected telephone number changes nothing."""
    told = one(notified(10), example(WorkaroundProvided))
    before = registered(ONE).customer
    corrected = CustomerCorrected(
        by=DESK, occurred_at=at(20), customer=changed(before, telephone="555-0199"), reason="typo"
    )
    other = changed(corrected, customer=changed(before, person=PersonId("customer-8"), name="Luis"))

    with shown(VIEWS, *told, (ONE, corrected)) as connection:
        kept = seen(connection)
    with shown(VIEWS, *told, (ONE, other)) as connection:
        forgotten = seen(connection)

    assert (kept.news is None, kept.workaround is None) == (False, False)
    assert (forgotten.news, forgotten.workaround) == (None, None)


@pytest.mark.clause("P1.9")
@pytest.mark.parametrize(
    ("of_the_other", "standing"),
    [
        ((), Standing.IN_WORK),
        ((held(10),), Standing.ON_HOLD),
        ((resolved(10),), Standing.RESOLVED),
        ((resolved(10), example(ConfirmationRequested)), Standing.RESOLVED),
        ((resolved(10), example(Closed)), Standing.CLOSED),
    ],
    ids=["in work", "held", "resolved", "asked", "closed"],
)
def test_p1_9_the_same_as_another_stands_as_that_one_and_shows_nothing_of_it(
    of_the_other: tuple[DomainEvent, ...], standing: Standing
) -> None:
    """The other's customer, news and questions are theirs; only how far it is concerns this one's."""
    other: list[tuple[str, DomainEvent]] = [
        (TWO, each) for each in (*classified(TWO), example(WorkaroundProvided), notified(5), *of_the_other)
    ]
    same = changed(example(IdentifiedAsSame), existing=TWO)
    with shown(VIEWS, *other, *one(progress(1), same)) as connection:
        status = seen(connection)
    with shown(VIEWS, *other, *one(progress(1), same, example(SameAsUndone))) as connection:
        undone = seen(connection)

    assert status == CustomerStatus(
        reference=ONE, number=None, standing=standing, news=None, workaround=None, next_update_due=None
    )
    assert (undone.standing, undone.next_update_due) == (Standing.IN_WORK, at(61))


def test_there_is_no_status_of_what_was_never_registered() -> None:
    """A reference that nobody was given shows nothing."""
    with shown(VIEWS) as connection:
        assert customer_status(connection, ONE) is None


def test_every_standing_is_said_in_every_language() -> None:
    """A sentence of its own for each, and none twice."""
    said: Mapping[Language, list[str]] = {
        language: [plain_words(each, language) for each in Standing] for language in Language
    }

    assert all(len(set(sentences)) == len(Standing) for sentences in said.values())
    assert not set(said[Language.EN]) & set(said[Language.ES])
