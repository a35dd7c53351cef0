"""Service level agreements as a small aggregate of their own: published in versions, never edited (P3.7)."""

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

from attrs import evolve as changed
from attrs import field, frozen

from incident_domain.actor import Actor, Role
from incident_domain.declared import as_declared, of_kind
from incident_domain.events import (
    AgreementEvent,
    AgreementId,
    AgreementPublished,
    Holiday,
    HolidayCorrected,
    Hours,
    Party,
    TargetKind,
    Terms,
)
from incident_domain.evolution import BrokenHistory
from incident_domain.priority import Priority
from incident_domain.refusal import Objection, Refused, contradiction
from incident_domain.validation import InvalidValue, aware, filled, optional_text, utc
from incident_domain.working_time import Calendar

if TYPE_CHECKING:
    from attrs import Attribute


_LONGEST: Final = 100 * 366 * 24 * 60


def sound(_: object, attribute: "Attribute[Terms]", terms: Terms) -> None:
    """Refuse terms that nobody can keep or count by.

    Raises:
        InvalidValue: naming which of the terms it is, and the rule.
    """
    of_kind(Terms, attribute.name, terms)
    calendar_of(terms.hours)
    for holiday in terms.hours.holidays:
        _sound_holiday(_, attribute, holiday)
    for target in terms.targets:
        _said(attribute, "targets: service", target.service)
    _said(attribute, "escalate_to", terms.escalate_to)
    _said(attribute, "group", terms.group)
    seen: set[tuple[TargetKind, Priority, str | None]] = set()
    for target in terms.targets:
        if not 0 < target.minutes <= _LONGEST:
            raise InvalidValue(
                "terms", "targets: minutes must be above zero and at most a hundred years; leave out the rest"
            )
        if (key := (target.kind, target.priority, target.service)) in seen:
            raise InvalidValue(
                "terms", "targets: one kind, priority and service is agreed twice; keep one of them"
            )
        seen.add(key)
    if any(not 0 < percent < 100 for percent in terms.warn_at_percent):
        raise InvalidValue("terms", "warn_at_percent: must lie between 1 and 99")


def _sound_holiday(_: object, attribute: "Attribute[Any]", holiday: Holiday) -> None:
    if type(holiday) is not Holiday:
        raise InvalidValue(attribute.name, "must be a holiday, with its date, name and source")
    # An instant is a date too, to Python, and belongs to no single day.
    if type(holiday.date) is not date:
        raise InvalidValue(attribute.name, "holiday: date must be a date without a time")
    _said(attribute, "holiday: name", holiday.name)
    _said(attribute, "holiday: source", holiday.source)


def _said(attribute: "Attribute[Any]", where: str, text: str | None) -> None:
    try:
        optional_text(None, attribute, text)
    except InvalidValue as bad:
        raise InvalidValue(bad.field, f"{where}: {bad.rule}") from None


@frozen(kw_only=True)
class AgreementCommand:
    """Something that somebody wants to be done to an agreement.

    Raises:
        InvalidValue: when a field does not hold what its meaning demands.
    """

    agreement: AgreementId = field(validator=filled)
    by: Actor
    at: datetime = field(converter=utc, validator=aware)

    def __attrs_post_init__(self) -> None:
        as_declared(self)


@frozen(kw_only=True)
class PublishAgreement(AgreementCommand):
    """Publish an agreement, or its next version, which holds from an instant on."""

    party: Party
    holds_from: datetime = field(converter=utc, validator=aware)
    terms: Terms = field(validator=sound)


@frozen(kw_only=True)
class CorrectHoliday(AgreementCommand):
    """Enter a holiday that was forgotten; it counts for incidents registered from `counts_from` on.

    Each version that holds from then on and lacks it is corrected by a version of its own.
    """

    holiday: Holiday = field(validator=_sound_holiday)
    counts_from: datetime = field(converter=utc, validator=aware)
    reason: str = field(validator=filled)


AgreementChange: TypeAlias = PublishAgreement | CorrectHoliday
"""All that can be asked of an agreement."""


@frozen(kw_only=True)
class Version:
    """A version of an agreement: the terms, and from when on they hold for new incidents."""

    holds_from: datetime
    terms: Terms


@frozen(kw_only=True)
class Agreement:
    """An agreement with all its versions, the first at index 0; one without any is not published yet."""

    party: Party = Party.CUSTOMER
    versions: tuple[Version, ...] = ()


UNPUBLISHED = Agreement()

AGREEMENT_ROLES = frozenset({Role.INCIDENT_MANAGER, Role.IMPORTER})
"""Who publishes agreements and corrects them."""


def version_at(agreement: Agreement, at: datetime) -> int | None:
    """The number of the version that holds for what is registered at an instant, from 1; None without one.

    It is the one that holds from the latest instant, and of several from the same instant the last.
    """
    holding = [
        (each.holds_from, number)
        for number, each in enumerate(agreement.versions, 1)
        if each.holds_from <= at
    ]
    return max(holding)[1] if holding else None


def target_for(
    terms: Terms, kind: TargetKind, priority: Priority | None, services: tuple[str, ...]
) -> int | None:
    """The minutes agreed: the shortest of those for the services concerned, else those for every service.

    None means that nothing is agreed, for example while there is no priority.
    """
    agreed = [each for each in terms.targets if each.kind is kind and each.priority is priority]
    own = [each.minutes for each in agreed if each.service in services]
    general = [each.minutes for each in agreed if each.service is None]
    return min(own or general, default=None)


@lru_cache(maxsize=1024)
def calendar_of(hours: Hours) -> Calendar:
    """The hours as a calendar to count by.

    Raises:
        InvalidValue: for an unknown time zone, or hours outside 00:00 to 24:00.
    """
    return Calendar(
        timezone=hours.timezone,
        weekly=hours.weekly,
        holidays=frozenset(each.date for each in hours.holidays),
    )


def evolve_agreement(now: Agreement, event: AgreementEvent) -> Agreement:
    """The agreement after one more event.

    Raises:
        BrokenHistory: when the event cannot follow.
    """
    if event.version != len(now.versions) + 1:
        raise BrokenHistory(f"version {event.version} of an agreement follows {len(now.versions)}")
    match event:
        case AgreementPublished():
            version = Version(holds_from=event.holds_from, terms=event.terms)
            return Agreement(party=event.party, versions=(*now.versions, version))
        case HolidayCorrected():
            if not 1 <= event.corrects <= len(now.versions):
                raise BrokenHistory("a holiday corrected in a version that was never agreed")
            return changed(now, versions=(*now.versions, corrected(now.versions[event.corrects - 1], event)))
        case _:
            assert_never(event)


def corrected(version: Version, event: HolidayCorrected) -> Version:
    """The version that a forgotten holiday makes of the one before."""
    hours = changed(version.terms.hours, holidays=(*version.terms.hours.holidays, event.holiday))
    return Version(holds_from=event.counts_from, terms=changed(version.terms, hours=hours))


def decide_agreement(now: Agreement, ask: AgreementChange) -> list[AgreementEvent]:
    """What happens to the agreement; the same command again records nothing.

    Raises:
        Refused: when the role may not, or when there is nothing to correct.
    """
    if ask.by.role not in AGREEMENT_ROLES:
        raise Refused(
            [
                Objection(
                    clause="P3.7",
                    code="role",
                    message=f"{ask.by.role.value} does not publish agreements; the incident manager does",
                )
            ]
        )
    number = len(now.versions) + 1
    match ask:
        case PublishAgreement():
            return _publish(now, ask, number)
        case CorrectHoliday():
            return _correct(now, ask, number)
        case _:
            assert_never(ask)


def _publish(now: Agreement, ask: PublishAgreement, number: int) -> list[AgreementEvent]:
    if ask.party is Party.GROUP and ask.terms.group is None:
        # Its clocks run while that group holds an incident, so that none would ever run.
        raise contradiction("P3.7", "no-group", "group: an agreement with a group must name it; say which")
    version = Version(holds_from=ask.holds_from, terms=ask.terms)
    if now.versions:
        if version in now.versions and now.party is ask.party:
            return []
        if now.party is not ask.party:
            raise contradiction("P3.7", "other-party", "party: an agreement keeps it; publish another one")
        last = max(each.holds_from for each in now.versions)
        if ask.holds_from <= last:
            raise contradiction(
                "P3.7",
                "holds-too-early",
                f"holds_from: must lie after that of every version before it, {last.isoformat()}; "
                "let it hold from later on, for a version is never edited",
            )
    return [
        AgreementPublished(
            by=ask.by,
            occurred_at=ask.at,
            agreement=ask.agreement,
            version=number,
            party=ask.party,
            holds_from=ask.holds_from,
            terms=ask.terms,
        )
    ]


def _correct(now: Agreement, ask: CorrectHoliday, number: int) -> list[AgreementEvent]:
    if not now.versions:
        raise contradiction("P3.7", "no-such-agreement", "agreement: it is not published; publish it first")
    if version_at(now, ask.counts_from) is None:
        raise contradiction(
            "P3.7",
            "counts-too-early",
            "counts_from: must not lie before the day from which the agreement holds",
        )
    later = {each.holds_from for each in now.versions if each.holds_from > ask.counts_from}
    lacking = [
        (since, corrects)
        for since in (ask.counts_from, *sorted(later))
        if (corrects := version_at(now, since)) is not None
        and all(each.date != ask.holiday.date for each in now.versions[corrects - 1].terms.hours.holidays)
    ]
    return [
        HolidayCorrected(
            by=ask.by,
            occurred_at=ask.at,
            version=version,
            corrects=corrects,
            holiday=ask.holiday,
            counts_from=since,
            reason=ask.reason,
        )
        for version, (since, corrects) in enumerate(lacking, number)
    ]
