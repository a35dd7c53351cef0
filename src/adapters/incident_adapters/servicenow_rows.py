"""The rows of a ServiceNow incident log: what each column says, in the types of the process."""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from attrs import frozen

from incident_adapters.servicenow_log import LONGEST_LINE, LogLine, LogUnreadable
from incident_domain.events import Channel
from incident_domain.priority import Impact, Priority, Urgency

Value = TypeVar("Value")

_UNKNOWN = ("?", "")
_LOCAL_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})", re.ASCII)
_NUMBER = re.compile(r"INC(\d{1,18})", re.ASCII)


class SourceState(Enum):
    """`incident_state`, as the log writes it."""

    NEW = "New"
    ACTIVE = "Active"
    AWAITING_USER_INFO = "Awaiting User Info"
    AWAITING_VENDOR = "Awaiting Vendor"
    AWAITING_PROBLEM = "Awaiting Problem"
    AWAITING_EVIDENCE = "Awaiting Evidence"
    RESOLVED = "Resolved"
    CLOSED = "Closed"


_COLUMNS: Final = (
    "number",
    "incident_state",
    "caller_id",
    "opened_by",
    "opened_at",
    "sys_updated_by",
    "sys_updated_at",
    "contact_type",
    "location",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "impact",
    "urgency",
    "priority",
    "assignment_group",
    "assigned_to",
    "knowledge",
    "problem_id",
    "rfc",
    "vendor",
    "caused_by",
    "closed_code",
    "resolved_by",
    "resolved_at",
)
"""The columns that are read; others may stand in the file."""

_STATES: Final[Mapping[str, SourceState]] = {each.value: each for each in SourceState}
_CHANNELS: Final = {"Phone": Channel.PHONE, "Email": Channel.EMAIL}
_IMPACTS: Final = {"1": Impact.HIGH, "2": Impact.MEDIUM, "3": Impact.LOW}
_URGENCIES: Final = {"1": Urgency.HIGH, "2": Urgency.MEDIUM, "3": Urgency.LOW}
_PRIORITIES: Final = {str(each.value): each for each in Priority}
_KNOWLEDGE: Final = {"true": True, "false": False}


@frozen(kw_only=True)
class Row:
    """One update of an incident; None where the log does not know.

    Times are in UTC.  `updated_at` is the first of the two instants that a local time can mean in the hour
    that clocks repeat, and `updated_again_at` the second; else they are one.
    """

    line: LogLine
    number: int
    state: SourceState
    caller: str | None
    opened_by: str | None
    opened_at: datetime
    updated_by: str | None
    updated_at: datetime
    updated_again_at: datetime
    channel: Channel
    location: str | None
    category: str | None
    subcategory: str | None
    symptom: str | None
    item: str | None
    impact: Impact
    urgency: Urgency
    priority: Priority
    group: str | None
    person: str | None
    knowledge: bool
    problem: str | None
    changes: tuple[str, ...]
    vendor: str | None
    closed_code: str | None
    resolved_by: str | None
    resolved_at: datetime | None


class RowRefused(Exception):
    """A row that cannot be recorded: a stable code, and a reason that repeats nothing of the row."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class RowReader:
    """Reads rows by the file's header; local times are of `zone`."""

    def __init__(self, source: str, header: LogLine, zone: ZoneInfo) -> None:
        try:
            names = _split(header.raw.removeprefix(b"\xef\xbb\xbf"))
        except RowRefused as refused:
            raise LogUnreadable(f"{source}, line 1, header: {refused.reason}") from None
        if any("\r" in name for name in names):
            raise LogUnreadable(f"{source}, line 1: it ends with CR alone; export the log with LF or CR LF")
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise LogUnreadable(
                f"{source}, line 1: the columns {', '.join(missing)} are missing from the header; "
                "export the log with them"
            )
        twice = sorted({name for name in _COLUMNS if names.count(name) > 1})
        if twice:
            raise LogUnreadable(
                f"{source}, line 1: the columns {', '.join(twice)} stand twice in the header; "
                "keep one of each"
            )
        self._width = len(names)
        self._pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*map(names.index, _COLUMNS))
        self._zone = zone

    def row(self, line: LogLine) -> Row:
        """The row that a line holds.

        Raises:
            RowRefused: when it holds none, or says something that the process has no word for.
        """
        if not line.whole:
            raise RowRefused("line-too-long", f"the line is longer than {LONGEST_LINE} bytes; shorten it")
        values = _split(line.raw)
        if len(values) != self._width:
            raise RowRefused(
                "wrong-columns", f"it has {len(values)} columns, the header has {self._width}; complete it"
            )
        said = dict(zip(_COLUMNS, self._pick(values), strict=True))
        number = _NUMBER.fullmatch(said["number"])
        if number is None or int(number[1]) == 0:
            raise RowRefused("bad-number", "column number: must be INC and a number of 1 or more; correct it")
        state = _STATES.get(said["incident_state"])
        if state is None:
            raise RowRefused(
                "unknown-state", f"column incident_state: must be one of {', '.join(_STATES)}; correct it"
            )
        updated_at = said["sys_updated_at"]
        resolved_at = _known(said["resolved_at"])
        changes = (_known(said["rfc"]), _known(said["caused_by"]))
        return Row(
            line=line,
            number=int(number[1]),
            state=state,
            caller=_known(said["caller_id"]),
            opened_by=_known(said["opened_by"]),
            opened_at=self._instant("opened_at", said["opened_at"]),
            updated_by=_known(said["sys_updated_by"]),
            updated_at=self._instant("sys_updated_at", updated_at),
            updated_again_at=self._instant("sys_updated_at", updated_at, fold=1),
            channel=_one_of(_CHANNELS, "contact_type", said["contact_type"]),
            location=_known(said["location"]),
            category=_known(said["category"]),
            subcategory=_known(said["subcategory"]),
            symptom=_known(said["u_symptom"]),
            item=_known(said["cmdb_ci"]),
            impact=_step(_IMPACTS, "impact", said["impact"]),
            urgency=_step(_URGENCIES, "urgency", said["urgency"]),
            priority=_step(_PRIORITIES, "priority", said["priority"]),
            group=_known(said["assignment_group"]),
            person=_known(said["assigned_to"]),
            knowledge=_one_of(_KNOWLEDGE, "knowledge", said["knowledge"]),
            problem=_known(said["problem_id"]),
            changes=tuple(dict.fromkeys(change for change in changes if change is not None)),
            vendor=_known(said["vendor"]),
            closed_code=_known(said["closed_code"]),
            resolved_by=_known(said["resolved_by"]),
            resolved_at=None if resolved_at is None else self._instant("resolved_at", resolved_at),
        )

    def _instant(self, column: str, text: str, *, fold: int = 0) -> datetime:
        instant = _instant(text, self._zone, fold)
        if instant is None:
            raise RowRefused(
                "bad-date", f"column {column}: must be a date such as 29/2/2016 01:16; correct it"
            )
        return instant


@lru_cache(maxsize=16_384)
def _instant(text: str, zone: ZoneInfo, fold: int) -> datetime | None:
    """A local time in UTC, None where it is none.

    In an hour that clocks skip, the offset before the change holds, so that 02:30 is an hour after 01:30.
    """
    parts = _LOCAL_TIME.fullmatch(text)
    if parts is None:
        return None
    day, month, year, hour, minute = map(int, parts.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _split(raw: bytes) -> list[str]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise RowRefused("not-utf-8", "it is not valid UTF-8; export the log in UTF-8") from None
    if "\x00" in text:
        raise RowRefused("nul", "it holds a NUL character; remove it")
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        raise RowRefused(
            "bad-quotes", "a quoted value does not end on its line; close the quote, without line breaks"
        ) from None


def _known(text: str) -> str | None:
    return None if text.strip() in _UNKNOWN else text


def _one_of(meanings: Mapping[str, Value], column: str, text: str) -> Value:
    if text not in meanings:
        raise RowRefused("bad-value", f"column {column}: must be one of {', '.join(meanings)}; correct it")
    return meanings[text]


def _step(meanings: Mapping[str, Value], column: str, text: str) -> Value:
    """The meaning of a text such as `2 - Medium`, which goes by its number."""
    step = text.partition(" - ")[0]
    if step not in meanings:
        raise RowRefused(
            "bad-value", f"column {column}: must begin with one of {', '.join(meanings)}; correct it"
        )
    return meanings[step]
