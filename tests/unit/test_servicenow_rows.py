from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from incident_adapters.servicenow_log import LogLine, LogUnreadable
from incident_adapters.servicenow_rows import Row, RowReader, RowRefused, SourceState
from incident_domain.events import Channel
from incident_domain.priority import Impact, Priority, Urgency
from tests.servicenow_logs import HEADER, ORDINARY, a_row

MADRID = ZoneInfo("Europe/Madrid")


def line(text: str | bytes, number: int = 2) -> LogLine:
    return LogLine(number, text if isinstance(text, bytes) else text.encode(), "of no matter")


def reader(zone: ZoneInfo = MADRID, header: str | bytes = HEADER) -> RowReader:
    return RowReader("log.csv", line(header, 1), zone)


def read(**said: str) -> Row:
    return reader().row(line(a_row(**said)))


def refusal(text: str | bytes, *, whole: bool = True) -> RowRefused:
    with pytest.raises(RowRefused) as refused:
        reader().row(LogLine(7, text if isinstance(text, bytes) else text.encode(), "", whole))
    return refused.value


def test_a_row_is_read_in_the_words_of_the_process() -> None:
    """Numbers, states, times in UTC and the three judgements come out typed; a question mark is unknown."""
    row = read(assigned_to="?", rfc="CHG1", caused_by="CHG1", knowledge="true", contact_type="Email")

    assert (row.number, row.state) == (45, SourceState.NEW)
    assert row.opened_at == datetime(2016, 2, 29, 0, 16, tzinfo=UTC)
    assert row.updated_at == row.updated_again_at == datetime(2016, 2, 29, 0, 23, tzinfo=UTC)
    assert row.resolved_at == datetime(2016, 2, 29, 10, 29, tzinfo=UTC)
    assert (row.impact, row.urgency, row.priority) == (Impact.MEDIUM, Urgency.MEDIUM, Priority.MODERATE)
    assert (row.person, row.changes, row.knowledge, row.channel) == (None, ("CHG1",), True, Channel.EMAIL)


def test_quoted_values_and_the_order_of_columns_are_taken_from_the_file() -> None:
    """A value may hold commas in quotes, columns may stand anywhere, others may stand between."""
    names = list(reversed([*ORDINARY, "short_description"]))
    said = {**ORDINARY, "location": "Madrid, floor 3", "short_description": 'He said ""no""'}
    text = ",".join(f'"{said[name]}"' for name in names)

    row = reader(header="\ufeff" + ",".join(names)).row(line(text))

    assert (row.location, row.caller) == ("Madrid, floor 3", "Caller 2403")


@pytest.mark.parametrize(
    ("local", "instant", "again"),
    [
        ("1/7/2016 12:00", "2016-07-01 10:00", "2016-07-01 10:00"),
        ("1/1/2016 12:00", "2016-01-01 11:00", "2016-01-01 11:00"),
        ("30/10/2016 02:30", "2016-10-30 00:30", "2016-10-30 01:30"),
    ],
)
def test_local_times_are_read_in_the_zone(local: str, instant: str, again: str) -> None:
    """Summer and winter time are told apart; in the hour that comes twice both instants are kept."""
    row = read(sys_updated_at=local)

    assert f"{row.updated_at:%Y-%m-%d %H:%M}" == instant
    assert f"{row.updated_again_at:%Y-%m-%d %H:%M}" == again


def test_a_local_time_that_clocks_skip_is_read_as_if_they_had_not() -> None:
    """On 27 March 2016 there was no 02:30 in Madrid: it is an hour after 01:30, which was 03:30."""
    row = read(sys_updated_at="27/3/2016 02:30")

    assert row.updated_at.astimezone(MADRID).strftime("%H:%M") == "03:30"


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("INC0000045,New", "wrong-columns", f"it has 2 columns, the header has {len(ORDINARY)}"),
        ("", "wrong-columns", "it has 1 columns"),
        (a_row() + ",more", "wrong-columns", f"it has {len(ORDINARY) + 1} columns"),
        (a_row(number="CHG0000045"), "bad-number", "column number: must be INC and a number"),
        (a_row(number="INC0000000"), "bad-number", "column number: must be INC and a number"),
        (a_row(number="INC" + "9" * 19), "bad-number", "column number: must be INC and a number"),
        (a_row(number="INC\u0664\u0665"), "bad-number", "column number: must be INC and a number"),
        (a_row(incident_state="-100"), "unknown-state", "column incident_state: must be one of New, Active"),
        (a_row(opened_at="2016-02-29 01:16"), "bad-date", "column opened_at: must be a date such as"),
        (
            a_row(sys_updated_at="30/2/2016 01:16"),
            "bad-date",
            "column sys_updated_at: must be a date such as",
        ),
        (a_row(sys_updated_at="?"), "bad-date", "column sys_updated_at: must be a date such as"),
        (a_row(sys_updated_at="1/1/0000 00:00"), "bad-date", "column sys_updated_at: must be a date such as"),
        (a_row(resolved_at="soon"), "bad-date", "column resolved_at: must be a date such as"),
        (a_row(contact_type="Pigeon"), "bad-value", "column contact_type: must be one of Phone, Email"),
        (a_row(impact="9 - Dire"), "bad-value", "column impact: must begin with one of 1, 2, 3"),
        (a_row(urgency="?"), "bad-value", "column urgency: must begin with one of 1, 2, 3"),
        (a_row(priority="0"), "bad-value", "column priority: must begin with one of 1, 2, 3, 4, 5"),
        (a_row(knowledge="maybe"), "bad-value", "column knowledge: must be one of true, false"),
        (a_row(location='"Madrid')[:-30] + '"', "bad-quotes", "a quoted value does not end on its line"),
        (a_row(location="a\x00b"), "nul", "it holds a NUL character"),
        (a_row().encode() + b"\xff\xfe", "not-utf-8", "it is not valid UTF-8"),
    ],
)
def test_a_malformed_row_is_refused_with_a_code_and_a_reason(
    text: str | bytes, code: str, reason: str
) -> None:
    """The reason names the column, the rule and the way out, and repeats nothing of the row."""
    refused = refusal(text)

    assert refused.code == code
    assert refused.reason.startswith(reason)
    assert ";" in refused.reason


@pytest.mark.parametrize(
    ("local", "zone"), [("1/1/0001 00:00", "Asia/Tokyo"), ("31/12/9999 23:59", "America/Lima")]
)
def test_a_time_beyond_the_calendar_is_a_bad_date(local: str, zone: str) -> None:
    """A local time that has no UTC in the years 1 to 9999 is refused like any other bad date."""
    with pytest.raises(RowRefused) as refused:
        reader(ZoneInfo(zone)).row(line(a_row(sys_updated_at=local)))

    assert refused.value.code == "bad-date"


def test_a_line_that_is_too_long_is_refused() -> None:
    """What was cut off cannot be read."""
    assert refusal(a_row(), whole=False).code == "line-too-long"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "number,incident_state",
            "log.csv, line 1: the columns caller_id, opened_by, opened_at, .* are missing",
        ),
        (
            HEADER + ",number",
            "log.csv, line 1: the columns number stand twice in the header; keep one of each",
        ),
        (
            ",".join(ORDINARY) + "\r" + ",".join(ORDINARY.values()),
            "log.csv, line 1: it ends with CR alone; export the log with LF or CR LF",
        ),
        (b"\x89PNG\r\n", "log.csv, line 1, header: it is not valid UTF-8; export the log in UTF-8"),
    ],
)
def test_a_file_with_another_header_is_no_such_log(header: str | bytes, message: str) -> None:
    """Without the header nothing can be read, so the whole file is refused with what is wrong."""
    with pytest.raises(LogUnreadable, match=message):
        reader(header=header)
