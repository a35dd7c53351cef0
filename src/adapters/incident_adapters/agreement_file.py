"""A service level agreement as a file that people write: TOML or JSON, read strictly.

Hours are written as `"09:00-14:00"` under the names of the days, holidays as dates, targets in minutes of
working time.  The public holidays of a country may be asked for: they are looked up once, when the file is
read, and stand in the agreement from then on.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from attrs import field, frozen

from incident_adapters.holidays_source import public_holidays
from incident_adapters.written_file import UNREADABLE, read_written
from incident_domain.actor import Actor, GroupId, PersonId
from incident_domain.agreements import PublishAgreement, calendar_of, sound
from incident_domain.declared import as_declared
from incident_domain.events import (
    AgreementId,
    HoldReason,
    Holiday,
    Hours,
    Party,
    PauseRule,
    Target,
    TargetKind,
    Terms,
)
from incident_domain.priority import Priority
from incident_domain.validation import InvalidValue, aware, filled, utc
from incident_domain.working_time import DAYS, Window

_WINDOW: Final = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)


class BadAgreement(ValueError):
    """A file does not hold an agreement; the message names the file, the place in it and the rule."""

    def __init__(self, file: Path, rule: str) -> None:
        super().__init__(f"{file}: {rule}")
        self.file = file
        self.rule = rule

    def __reduce__(self) -> tuple[type["BadAgreement"], tuple[Path, str]]:
        return type(self), (self.file, self.rule)


@frozen(kw_only=True)
class AgreementFile:
    """What a file says: the agreement's name, with whom it is made, from when on it holds, and its terms."""

    agreement: AgreementId = field(validator=filled)
    party: Party
    holds_from: datetime = field(converter=utc, validator=aware)
    terms: Terms = field(validator=sound)

    def __attrs_post_init__(self) -> None:
        as_declared(self)

    def publication(self, by: Actor, at: datetime) -> PublishAgreement:
        """The command that publishes it."""
        return PublishAgreement(
            agreement=self.agreement,
            by=by,
            at=at,
            party=self.party,
            holds_from=self.holds_from,
            terms=self.terms,
        )


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A part of the file; a key that it does not have is refused."""


class _Holiday(_Strict):
    date: date
    name: str
    source: str


class _PublicHolidays(_Strict):
    country: str
    years: Annotated[list[int], msgspec.Meta(min_length=1, max_length=50)]
    subdivision: str | None = None


class _Hours(_Strict):
    timezone: str
    mon: list[str] = []
    tue: list[str] = []
    wed: list[str] = []
    thu: list[str] = []
    fri: list[str] = []
    sat: list[str] = []
    sun: list[str] = []
    holidays: list[_Holiday] = []
    public_holidays: _PublicHolidays | None = None


class _Target(_Strict):
    kind: TargetKind
    priority: Priority
    minutes: int
    service: str | None = None


class _File(_Strict):
    agreement: str
    party: Party
    holds_from: Annotated[datetime, msgspec.Meta(tz=True)]
    hours: _Hours
    targets: list[_Target]
    pauses: dict[TargetKind, list[HoldReason]] = {}
    warn_at_percent: list[int] = []
    escalate_to: str | None = None
    group: str | None = None


def read_agreement(file: Path) -> AgreementFile:
    """The agreement in a UTF-8 file: `.toml` or `.json`.

    Raises:
        BadAgreement: when the file holds anything else, an unknown key too.
        OSError: when the file cannot be read.
    """
    held = file.read_bytes()
    with _refusing(file):
        read = read_written(file, held, _File)
        if read.party is Party.GROUP and read.group is None:
            raise InvalidValue("group", "must name the group with which this is agreed")
        return AgreementFile(
            agreement=AgreementId(read.agreement),
            party=read.party,
            holds_from=read.holds_from,
            terms=_terms(read),
        )


def read_hours(file: Path) -> Hours:
    """The hours in a file by themselves: what an agreement says under `hours`, without that heading.

    Raises:
        BadAgreement: when the file holds anything else, an unknown key too.
        OSError: when the file cannot be read.
    """
    held = file.read_bytes()
    with _refusing(file):
        hours = _said_hours(read_written(file, held, _Hours))
        calendar_of(hours)
        return hours


@contextmanager
def _refusing(file: Path) -> Generator[None]:
    """Say of whatever is wrong with what a file holds in which file it is."""
    try:
        yield
    except UNREADABLE as wrong:
        raise BadAgreement(file, str(wrong)) from None


def _said_hours(hours: _Hours) -> Hours:
    return Hours(
        timezone=hours.timezone,
        weekly=tuple(_windows(day, getattr(hours, day)) for day in DAYS),
        holidays=_holidays(hours),
    )


def _windows(day: str, written: Sequence[str]) -> tuple[Window, ...]:
    windows: list[Window] = []
    for each in written:
        matched = _WINDOW.fullmatch(each)
        if matched is None:
            raise InvalidValue(f"hours.{day}", 'must be hours such as "09:00-18:00", up to 24:00')
        from_hour, from_minute, to_hour, to_minute = map(int, matched.groups())
        window = Window(from_hour * 60 + from_minute, to_hour * 60 + to_minute)
        if window.closes <= window.opens:
            raise InvalidValue(
                f"hours.{day}", "must end after they begin; write a night as two, the second on the next day"
            )
        windows.append(window)
    return tuple(windows)


def _holidays(hours: _Hours) -> tuple[Holiday, ...]:
    """Those that the file lists, and the public ones on other days."""
    listed = {
        each.date: Holiday(date=each.date, name=each.name, source=each.source) for each in hours.holidays
    }
    asked = hours.public_holidays
    if asked is not None:
        for each in public_holidays(asked.country, asked.subdivision, asked.years):
            listed.setdefault(each.date, each)
    return tuple(listed[day] for day in sorted(listed))


def _terms(read: _File) -> Terms:
    return Terms(
        hours=_said_hours(read.hours),
        targets=tuple(
            Target(
                kind=each.kind,
                priority=each.priority,
                minutes=each.minutes,
                service=each.service,
            )
            for each in read.targets
        ),
        pauses=tuple(PauseRule(kind=kind, reasons=tuple(reasons)) for kind, reasons in read.pauses.items()),
        warn_at_percent=tuple(read.warn_at_percent),
        escalate_to=None if read.escalate_to is None else PersonId(read.escalate_to),
        group=None if read.group is None else GroupId(read.group),
    )
