"""From what an import recorded back to the rows of the log that it came from.

The correlation id of every imported event is made from the log's identity and the number of its row, so that
the log gives the ids of its rows back.  Whether the log is the one that was imported, the digest that stands
with the import's account says.
"""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid5

from attrs import frozen

from incident_adapters.servicenow_log import LogLine, open_log
from incident_domain.envelope import Recorded


@frozen(kw_only=True)
class SourceRow:
    """A row of a log, and what was recorded of it; `row` counts the file's lines from 1.

    `verbatim` is the line as it stands in the file, with bytes that are no valid UTF-8 escaped, and `sha256`
    the digest of its bytes.
    """

    row: int
    sha256: str
    verbatim: str
    events: tuple[Recorded, ...]


def row_id(source: UUID, row: int) -> UUID:
    """The correlation id of everything that is recorded of a row; `source` is the log's identity."""
    return uuid5(source, str(row))


def rows_of(path: Path, events: Iterable[Recorded]) -> tuple[SourceRow, ...]:
    """The rows of a log from which these events come, in the order of the file; others are left out.

    Raises:
        OSError: when the file cannot be opened.
        LogUnreadable: when it is no such log, or is damaged.
    """
    wanted: dict[UUID, list[Recorded]] = {}
    for each in events:
        wanted.setdefault(each.correlation_id, []).append(each)
    found: list[SourceRow] = []
    with open_log(path) as log:
        identity = UUID(log.identity[:32])
        for line in log.rows():
            told = wanted.pop(row_id(identity, line.number), None)
            if told is not None:
                found.append(_row(line, told))
            if not wanted:
                break
    return tuple(found)


def _row(line: LogLine, told: list[Recorded]) -> SourceRow:
    return SourceRow(
        row=line.number,
        sha256=line.sha256,
        verbatim=line.raw.decode(errors="backslashreplace"),
        events=tuple(told),
    )
