"""Events of an import: what became of the rows of a log that was made elsewhere."""

from attrs import frozen

from incident_domain.events.event import Event
from incident_domain.personal import personal


@frozen(kw_only=True)
class SourceRowKept(Event):
    """A row that could not be recorded, kept word for word; `row` counts the file's lines from 1.

    `verbatim` is the row's text with bytes that are no valid UTF-8 escaped, cut after 10,000
    characters; `sha256` is the digest of the whole row's bytes in hexadecimal.
    """

    row: int
    code: str
    reason: str
    sha256: str
    verbatim: str = personal()


@frozen(kw_only=True)
class RowsImported(Event):
    """All rows up to and with `through_row` are accounted for; stored in one write with their events.

    `source` is the file's name.  `sha256` is a digest of everything up to that row, in hexadecimal: it tells
    whether a file is the same as far as it was imported.  `account` holds the totals from the first row on:
    how many rows came to each outcome.
    """

    source: str
    through_row: int
    sha256: str
    account: tuple[tuple[str, int], ...]
