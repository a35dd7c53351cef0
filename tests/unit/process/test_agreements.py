"""Service level agreements: published in versions, corrected by events of their own, never edited (P3.7)."""

from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest
from attrs import evolve

from incident_domain import (
    AgreementChange,
    AgreementEvent,
    AgreementId,
    AgreementPublished,
    BrokenHistory,
    CorrectHoliday,
    GroupId,
    Holiday,
    HolidayCorrected,
    Hours,
    Party,
    PersonId,
    PublishAgreement,
    Refused,
    Role,
    Target,
    TargetKind,
    Window,
    decide_agreement,
    evolve_agreement,
)
from incident_domain.agreements import (
    AGREEMENT_ROLES,
    UNPUBLISHED,
    Agreement,
    AgreementCommand,
    Version,
    calendar_of,
    target_for,
    version_at,
)
from incident_domain.priority import Priority
from incident_domain.validation import InvalidValue
from tests.examples import GOLD, GOLD_TERMS, MANAGER
from tests.process_spec import ACTORS, ORDINARY_AGREEMENTS, ask, days, minute

BEGIN = minute(-8000)
NEW_YEAR = minute(0) + days(300)
PRUDENCIO = Holiday(date=date(2026, 4, 28), name="San Prudencio", source="the branch")
SHORTER = evolve(GOLD_TERMS, targets=GOLD_TERMS.targets[:2])


def agreement(*commands: AgreementChange) -> Agreement:
    """The agreement that these commands made."""
    now = UNPUBLISHED
    for command in commands:
        for event in decide_agreement(now, command):
            now = evolve_agreement(now, event)
    return now


def happened(before: tuple[AgreementChange, ...], command: AgreementChange) -> list[AgreementEvent]:
    """What the command does to the agreement that was made before."""
    return decide_agreement(agreement(*before), command)


def refusal(before: tuple[AgreementChange, ...], command: AgreementChange) -> str:
    """The code by which the command is refused."""
    with pytest.raises(Refused) as refused:
        happened(before, command)
    assert refused.value.clause == "P3.7"
    return refused.value.code


PUBLISH: PublishAgreement = ask(PublishAgreement)
NEXT: PublishAgreement = ask(PublishAgreement, holds_from=NEW_YEAR, terms=SHORTER)
CORRECT: CorrectHoliday = ask(CorrectHoliday)


@pytest.mark.clause("P3.7")
def test_the_first_version_says_what_is_agreed_with_whom_and_from_when_on() -> None:
    """Publishing records the party, the terms and the instant from which they hold."""
    assert happened((), PUBLISH) == [
        AgreementPublished(
            by=MANAGER,
            occurred_at=minute(-9000),
            agreement=GOLD,
            version=1,
            party=Party.CUSTOMER,
            holds_from=BEGIN,
            terms=GOLD_TERMS,
        )
    ]


@pytest.mark.clause("P3.7")
@pytest.mark.parametrize(
    ("registered_at", "version"),
    [
        (BEGIN - timedelta(microseconds=1), None),
        (BEGIN, 1),
        (NEW_YEAR - timedelta(microseconds=1), 1),
        (NEW_YEAR, 2),
    ],
)
def test_a_version_holds_from_its_instant_until_the_next_one(
    registered_at: datetime, version: int | None
) -> None:
    """What is registered before the first has none, and the instant itself belongs to the new one."""
    assert version_at(agreement(PUBLISH, NEXT), registered_at) == version


@pytest.mark.clause("P3.7")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", ORDINARY_AGREEMENTS, ids=lambda kind: kind.__name__)
def test_the_incident_manager_publishes_and_corrects(kind: type[AgreementCommand], role: Role) -> None:
    """Every other role but the importer is refused, whatever was agreed."""
    command = evolve(ORDINARY_AGREEMENTS[kind], by=ACTORS[role])
    if role in AGREEMENT_ROLES:
        assert happened((PUBLISH,), evolve(command, agreement=GOLD)) == happened((PUBLISH,), command)
        return
    assert refusal((), command) == refusal((PUBLISH,), command) == "role"


@pytest.mark.parametrize(
    "before", [(PUBLISH,), (PUBLISH, NEXT), (PUBLISH, CORRECT), (PUBLISH, NEXT, CORRECT)]
)
def test_the_same_again_records_nothing(before: tuple[AgreementChange, ...]) -> None:
    """Every command that was followed is followed again, and changes nothing."""
    assert [happened(before, command) for command in before] == [[] for _ in before]


@pytest.mark.parametrize("earlier", [BEGIN, BEGIN - days(1)])
def test_a_version_never_takes_the_place_of_one_before_it(earlier: datetime) -> None:
    """What held once is not agreed otherwise afterwards."""
    late = evolve(PUBLISH, holds_from=earlier, terms=SHORTER)
    assert refusal((PUBLISH,), late) == "holds-too-early"


def test_an_agreement_with_a_group_names_it() -> None:
    """Its clocks run while that group holds an incident: without one none would ever run."""
    nobodys = evolve(PUBLISH, party=Party.GROUP)
    assert refusal((), nobodys) == "no-group"
    assert happened((), evolve(nobodys, terms=evolve(PUBLISH.terms, group=GroupId("network"))))


def test_an_agreement_keeps_its_party() -> None:
    """What is agreed with a supplier is another agreement."""
    supplier = evolve(NEXT, party=Party.SUPPLIER)
    assert refusal((PUBLISH,), supplier) == "other-party"
    ola = evolve(PUBLISH, party=Party.GROUP, terms=evolve(PUBLISH.terms, group=GroupId("network")))
    assert refusal((PUBLISH,), ola) == "other-party"


@pytest.mark.clause("P3.7")
def test_a_forgotten_holiday_is_an_event_that_says_from_when_on_it_counts() -> None:
    """The version before stays as it was; the corrected one differs by the holiday alone."""
    assert happened((PUBLISH,), CORRECT) == [
        HolidayCorrected(
            by=MANAGER,
            occurred_at=minute(-100),
            version=2,
            corrects=1,
            holiday=PRUDENCIO,
            counts_from=minute(20),
            reason="forgotten when it was agreed",
        )
    ]
    first, second = agreement(PUBLISH, CORRECT).versions
    assert first == Version(holds_from=BEGIN, terms=GOLD_TERMS)
    assert second.holds_from == minute(20)
    assert second.terms.hours.holidays == (*GOLD_TERMS.hours.holidays, PRUDENCIO)
    assert evolve(second.terms, hours=first.terms.hours) == first.terms


@pytest.mark.clause("P3.7")
def test_a_holiday_is_corrected_in_every_version_that_lacks_it() -> None:
    """Where a later version is agreed already, it is corrected too, from the instant from which it holds."""
    corrections = [
        (each.version, each.corrects, each.counts_from)
        for each in happened((PUBLISH, NEXT), CORRECT)
        if isinstance(each, HolidayCorrected)
    ]
    now = agreement(PUBLISH, NEXT, CORRECT)

    assert corrections == [(3, 1, minute(20)), (4, 2, NEW_YEAR)]
    assert [version_at(now, each) for each in (BEGIN, minute(20), NEW_YEAR)] == [1, 3, 4]
    assert now.versions[3].terms.targets == SHORTER.targets


def test_two_corrections_in_any_order_make_the_same_hours() -> None:
    """The holiday that counts from earlier on is entered last, and still counts in both versions."""
    other = Holiday(date=date(2026, 7, 31), name="San Ignacio", source="the branch")
    earlier = evolve(CORRECT, holiday=other, counts_from=minute(10))
    one, another = agreement(PUBLISH, CORRECT, earlier), agreement(PUBLISH, earlier, CORRECT)
    for instant in (minute(5), minute(15), minute(25), NEW_YEAR):
        found = [each.versions[(version_at(each, instant) or 0) - 1].terms for each in (one, another)]
        assert calendar_of(found[0].hours) == calendar_of(found[1].hours)


def test_a_holiday_that_was_agreed_from_the_beginning_needs_no_correction() -> None:
    """The date tells, whatever it is called."""
    known = evolve(CORRECT, holiday=Holiday(date=date(2026, 1, 6), name="Reyes", source="the branch"))
    assert happened((PUBLISH,), known) == []


def test_only_what_is_agreed_can_be_corrected() -> None:
    """Neither an agreement that nobody published, nor a time before it held."""
    assert refusal((), CORRECT) == "no-such-agreement"
    too_early = evolve(CORRECT, counts_from=BEGIN - timedelta(microseconds=1))
    assert refusal((PUBLISH,), too_early) == "counts-too-early"


@pytest.mark.parametrize("changes", [{"version": 1}, {"version": 3}, {"corrects": 2}, {"corrects": 0}])
def test_a_history_that_leaves_a_version_out_is_broken(changes: dict[str, Any]) -> None:
    """Versions are numbered one after the other, and only one that there is can be corrected."""
    [event] = happened((PUBLISH,), CORRECT)
    with pytest.raises(BrokenHistory):
        evolve_agreement(agreement(PUBLISH), evolve(event, **changes))


@pytest.mark.parametrize(
    ("services", "priority", "minutes"),
    [
        ((), Priority.CRITICAL, 240),
        (("mail",), Priority.CRITICAL, 240),
        (("mail", "printing"), Priority.CRITICAL, 120),
        (("printing",), Priority.HIGH, 480),
        ((), Priority.LOW, None),
        ((), None, None),
    ],
)
def test_a_target_is_that_of_the_service_or_else_of_all(
    services: tuple[str, ...], priority: Priority | None, minutes: int | None
) -> None:
    """The shortest for the services concerned; what is not agreed has none, and no very long one instead."""
    assert target_for(GOLD_TERMS, TargetKind.RESOLVE, priority, services) == minutes


TARGET = Target(kind=TargetKind.RESOLVE, priority=Priority.LOW, minutes=60)
HOURS = GOLD_TERMS.hours


@pytest.mark.parametrize(
    ("terms", "rule"),
    [
        ({"targets": (evolve(TARGET, minutes=0),)}, "minutes must be above zero"),
        ({"targets": (evolve(TARGET, minutes=-5),)}, "minutes must be above zero"),
        ({"targets": (evolve(TARGET, minutes=2**53),)}, "at most a hundred years"),
        ({"targets": (TARGET, evolve(TARGET, minutes=90))}, "agreed twice"),
        ({"targets": (evolve(TARGET, service=" "),)}, "targets: service"),
        ({"warn_at_percent": (0,)}, "warn_at_percent"),
        ({"warn_at_percent": (100,)}, "warn_at_percent"),
        ({"escalate_to": PersonId("")}, "escalate_to"),
        ({"escalate_to": PersonId("a" * 201)}, "terms.escalate_to: must have at most 200 characters"),
        ({"targets": [TARGET]}, "terms.targets: must be of the type tuple"),
        (
            {"targets": (evolve(TARGET, minutes=cast("int", 1.5)),)},
            "terms.targets.minutes: must be of the type int",
        ),
        ({"hours": None}, "terms.hours: must be of the type Hours"),
        ({"hours": evolve(HOURS, timezone="Europe/Bilbao")}, "IANA time zone"),
        ({"hours": Hours(timezone="UTC", weekly=((Window(0, 1441),),) + ((),) * 6)}, "24:00"),
        ({"hours": evolve(HOURS, weekly=HOURS.weekly[:6])}, "seven days"),
        ({"hours": evolve(HOURS, holidays=(evolve(PRUDENCIO, source=""),))}, "holiday: source"),
        ({"hours": evolve(HOURS, holidays=(evolve(PRUDENCIO, date=minute(0)),))}, "without a time"),
    ],
)
def test_terms_that_nobody_can_keep_are_refused(terms: dict[str, Any], rule: str) -> None:
    """The error says which of the terms is at fault, and its rule."""
    with pytest.raises(InvalidValue, match=rule):
        ask(PublishAgreement, terms=evolve(GOLD_TERMS, **terms))


def test_a_holiday_is_a_day() -> None:
    """An instant is refused where a date is asked for, since it lies on two dates at once."""
    with pytest.raises(InvalidValue, match="holiday: date must be a date without a time"):
        ask(CorrectHoliday, holiday=evolve(PRUDENCIO, date=minute(0)))


@pytest.mark.parametrize("holiday", [None, "2026-04-28", minute(0)])
def test_a_holiday_says_its_date_name_and_source(holiday: Any) -> None:
    """Anything else is refused before it is looked into."""
    with pytest.raises(InvalidValue, match="holiday: must be a holiday"):
        ask(CorrectHoliday, holiday=holiday)


def test_the_name_of_an_agreement_is_as_long_as_every_identifier_may_be() -> None:
    """The error names the field, not where the store would keep it."""
    with pytest.raises(InvalidValue, match="agreement: must have at most 200 characters"):
        ask(PublishAgreement, agreement=AgreementId("a" * 201))
