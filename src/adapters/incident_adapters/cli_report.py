"""The closure report of one incident, and of a period (P5.3): as text, as JSON, or as a page to print."""

from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec
from attrs import evolve as changed
from attrs import frozen
from rich.text import Text

from incident_adapters.cli_errors import UnwritableFile
from incident_adapters.cli_past import of_which
from incident_adapters.report_closure import incident_page
from incident_adapters.report_data import (
    IncidentReport,
    ServiceReport,
    incident_data,
    period_data,
    service_report,
)
from incident_adapters.report_page import Page, in_place_of_the_personal
from incident_adapters.report_period import period_page
from incident_adapters.report_text import text
from incident_adapters.report_words import Language, Wording
from incident_adapters.role_reader import RoleReader
from incident_adapters.whole_file import whole_file
from incident_domain import IncidentId
from incident_domain.personal import ERASED, SEALED
from incident_domain.reading import Readable
from incident_domain.validation import InvalidValue
from incident_projections.closure import CLOSURE
from incident_projections.hand_overs import HAND_OVERS
from incident_projections.past import AsOf
from incident_projections.sla_timers import SLA_TIMERS_TABLE
from incident_projections.stretches import STRETCHES

VIEWS: Final = (CLOSURE, STRETCHES, HAND_OVERS, SLA_TIMERS_TABLE)
"""The views that reports are made of."""


class Format(Enum):
    """What a report is printed as: for a terminal, for a program, or for a browser and for paper."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


@frozen(kw_only=True)
class Printing:
    """How a report is printed: as what, in which language, in lines of how many characters.

    One of the past says on its page that it is, and of which.
    """

    form: Format
    language: Language
    width: int
    past: AsOf | None = None

    def of(self, report: IncidentReport | ServiceReport) -> str:
        """The report, printed so.

        Raises:
            InvalidValue: for a page, where the packages that make it are not installed.
        """
        match report:
            case IncidentReport():
                return self._written(incident_data(report), incident_page(report, self.language))
            case ServiceReport():
                return self._written(period_data(report), period_page(report, self.language))

    def _written(self, data: object, page: Page) -> str:
        if self.past is not None:
            said = of_which(self.past, self.language)
            page = changed(page, subtitle=f"{page.subtitle} {said}".lstrip())
        say = Wording(self.language).say
        page = in_place_of_the_personal(page, say(ERASED), say(SEALED))
        match self.form:
            case Format.TEXT:
                return text(page, self.width)
            case Format.JSON:
                return msgspec.json.format(msgspec.json.encode(data), indent=2).decode()
            case Format.HTML:
                return html_of(page)


def html_of(page: Page) -> str:
    """The page as HTML.

    Raises:
        InvalidValue: where the packages that make it are not installed.
    """
    try:
        from incident_adapters.report_html import html  # noqa: PLC0415, an extra, and slow to import
    except ModuleNotFoundError as error:
        raise InvalidValue(
            "--format", f"html needs {error.name}: pip install 'itil-incidents[reports]', or take text"
        ) from error
    return html(page)


def form(asked: Format | None, *, as_json: bool) -> Format:
    """What to print as, from the report's own option and from the program's.

    Raises:
        InvalidValue: when they contradict each other.
    """
    if as_json and asked not in (None, Format.JSON):
        raise InvalidValue("--format", "contradicts --json; give one of them")
    return Format.JSON if as_json else asked or Format.TEXT


def of_incident(read: RoleReader, name: IncidentId) -> IncidentReport:
    """The closure report of an incident that was found in the store."""
    found = read.closure_report(name)
    assert found is not None, "the views hold every incident that was found"
    return found


def of_period(read: RoleReader, since: datetime | None, until: datetime | None) -> ServiceReport:
    """The report over a period.

    Raises:
        InvalidValue: when there is no beginning, or when the end does not lie after it.
    """
    if since is None:
        raise InvalidValue("--from", "is missing; name an incident, or a period by --from 2026-03-01")
    begins, ends = period(since, until, read.now)
    return service_report(read.allowed(Readable.PERIOD_REPORTS), since=begins, until=ends)


def period(since: datetime, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The period from `since` on and before `until`; up to now where that lies ahead, or is left out.

    A time that names no zone is one in UTC.

    Raises:
        InvalidValue: when the end does not lie after the beginning.
    """
    begins, ends = _in_utc("--from", since), now if until is None else min(_in_utc("--to", until), now)
    if ends <= begins:
        raise InvalidValue(
            "--to",
            "must lie after --from, and --from before now; give other times, or leave --to out for now",
        )
    return begins, ends


def _in_utc(option: str, instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        raise InvalidValue(option, "must lie in the years 1 to 9999 of UTC; correct the year") from None


def write(file: Path, printed: str) -> None:
    """Put the report into the file, whole or not at all: nobody ever reads half of it.

    A link leads to the file that is meant.  What is no file, such as a pipe or a device, takes the report as
    it comes and stays what it is.

    Raises:
        UnwritableFile: when it cannot be written; what was there before is there still.
        FileInUse: when another process is writing the same file.
    """
    try:
        if file.exists() and not file.is_file():
            file.write_text(f"{printed}\n", encoding="utf-8")
            return
        with whole_file(file) as part:
            part.write_text(f"{printed}\n", encoding="utf-8")
    except OSError as error:
        raise UnwritableFile(
            f"--output: {file} cannot be written ({error.strerror}); name another file"
        ) from error


def incident_text(report: IncidentReport, width: int) -> Text:
    """The closure report of one incident, for a terminal."""
    return Text(text(incident_page(report, Language.EN), width))
