import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from incident_adapters.archive_line import NotAnArchiveLine, line_of, row_of
from incident_adapters.recorder import JournalRow

ROW: JournalRow = (7, "4T7K-9QXM-C3VW", 2, "incident.resolved.v1", b'{"event_id":"1","event":{}}')
LINE = (
    b'{"position":7,"stream":"4T7K-9QXM-C3VW","version":2,"name":"incident.resolved.v1",'
    b'"state":{"event_id":"1","event":{}}}'
)

storable = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)


def test_a_row_is_one_line_of_json_with_its_state_as_it_is_stored() -> None:
    """The line holds the state byte for byte, and nothing else depends on who writes it."""
    assert line_of(ROW) == LINE
    assert row_of(LINE) == ROW
    assert hashlib.sha256(b"\0" + LINE).hexdigest() == (
        "396cf5c0a431c8bae7a1609183ec8450a40251509e444be00f28704faa1b6f44"
    )


@given(some.integers(1, 2**63 - 1), storable, some.integers(1, 2**31 - 1), storable, storable)
def test_a_line_gives_its_row_back(position: int, stream: str, version: int, name: str, text: str) -> None:
    """Whatever a store can hold comes back from its line exactly, and on one line."""
    state = b'{"event":%b}' % repr([ord(each) for each in text]).encode()
    row = (position, stream, version, name, state)

    line = line_of(row)

    assert b"\n" not in line
    assert row_of(line) == row


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff",
        LINE[:-1],
        LINE + b"\n",
        LINE.replace(b":7", b": 7"),
        LINE.replace(b'"state":', b'"state": '),
        LINE.replace(b'"4T7K', b'"\\u0034T7K'),
        LINE.replace(b'"position":7,', b'"position":7,"position":7,'),
        LINE.replace(b'"position":7,"stream":"4T7K-9QXM-C3VW"', b'"stream":"4T7K-9QXM-C3VW","position":7'),
        LINE.replace(b'"version":2', b'"version":"2"'),
        LINE.replace(b'"version":2', b'"version":2,"seen":true'),
    ],
)
def test_a_line_that_is_written_in_any_other_way_is_refused(line: bytes) -> None:
    """There is one way to write a row, so that its hash is one."""
    with pytest.raises(NotAnArchiveLine, match="the line is not"):
        row_of(line)
