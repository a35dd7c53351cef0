"""The archive: the journal as a file of JSON Lines, in which every event keeps its exact bytes.

The first line is the header, then comes one line for each event as `archive_line` writes it, and the last
line closes the archive with a checkpoint, or with null.  docs/reference/archive.md describes every field.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec
from attrs import define, frozen

from incident_adapters.archive_line import NotAnArchiveLine, line_of, row_of
from incident_adapters.converters import read_instant, written_instant
from incident_adapters.export_selection import Extract, Progress, Selection, rows
from incident_adapters.recorder import JournalRecorder, JournalRow
from incident_adapters.whole_file import whole_file
from incident_domain.events import IncidentId

SCHEMA: Final = "urn:itil-incidents:archive:1"
"""The identity of the JSON Schema of every line, which stands in docs/reference/schema."""

LONGEST_LINE: Final = 2**26
"""Bytes of a line: far above every event, so that a file of another kind does not fill the memory."""

_LINES_A_LOOK: Final = 1000


class ArchiveUnreadable(Exception):
    """A file is not a whole archive; the message names the line and the rule, never what the line holds."""


class SelectionLine(msgspec.Struct, forbid_unknown_fields=True):
    """What of the journal the archive holds; null for what narrows nothing."""

    incident: str | None
    organisation: str | None
    since: str | None = msgspec.field(name="from")
    until: str | None = msgspec.field(name="to")


class HeaderLine(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of an archive."""

    format: Literal["incident-archive"]
    version: Literal[1]
    schema: str
    written_by: str
    selection: SelectionLine
    through: int
    events: int


class ClosingLine(msgspec.Struct, forbid_unknown_fields=True):
    """The last line of an archive."""

    checkpoint: str | None


class _Beginning(msgspec.Struct):
    """What the header of every version says."""

    format: Literal["incident-archive"]
    version: int


_ENCODE: Final = msgspec.json.Encoder().encode
_BEGINNING: Final = msgspec.json.Decoder(_Beginning).decode
_HEADER: Final = msgspec.json.Decoder(HeaderLine).decode
_CLOSING: Final = msgspec.json.Decoder(ClosingLine).decode
_CLOSING_BEGINS: Final = b'{"checkpoint":'


@frozen(kw_only=True)
class Header:
    """What the first line of an archive says.

    `written_by` is the release that wrote it, `through` the last position of the journal that was looked at,
    `events` how many lines of events follow.
    """

    written_by: str
    selection: Selection
    through: int
    events: int


@define
class Archive:
    """An archive that is being read from its beginning to its end."""

    header: Header
    checkpoint: str | None
    """The signed note of the last line; it is known once every row was read."""

    _file: BinaryIO

    def rows(self) -> Iterator[JournalRow]:
        """The events as the journal holds them, in the order of their positions; they can be read once.

        Raises:
            ArchiveUnreadable: at the first line that is not what the format says, and when lines are missing,
                twice, or out of order.
        """
        number, position, whole = 1, 0, self.header.selection.whole
        for _ in range(self.header.events):
            number += 1
            line = _line(self._file, number)
            try:
                row = row_of(line)
            except NotAnArchiveLine as error:
                if line.startswith(_CLOSING_BEGINS):
                    raise ArchiveUnreadable(
                        f"line {number}: the archive ends here, after {number - 2} of the "
                        f"{self.header.events} events that its header names"
                    ) from None
                raise ArchiveUnreadable(f"line {number}: {error}") from None
            if row[0] <= position or (whole and row[0] != position + 1) or row[0] > self.header.through:
                raise ArchiveUnreadable(
                    f"line {number}: position {row[0]} follows {position}; "
                    "an event is missing, stands twice or out of order"
                )
            position = row[0]
            yield row
        self.checkpoint = _closing(_line(self._file, number + 1), number + 1)
        if self._file.read(1):
            raise ArchiveUnreadable(f"line {number + 2}: more follows after the end of the archive")


def write_archive(
    store: JournalRecorder,
    wanted: Extract,
    file: Path,
    *,
    checkpoint: Callable[[], str | None],
    progress: Progress,
) -> None:
    """Write an extract as an archive, whole or not at all.

    Killed and started again, it goes on after the last whole line of the part that it left.
    Only a whole journal has a checkpoint at its end.

    Raises:
        FileInUse: when another process is writing the same file.
        ArchiveUnreadable: when the journal holds bytes that cannot stand in a line.
        OSError: when the file cannot be written; what was there before is there still.
    """
    with whole_file(file, kept=True) as part, part.open("r+b") as out:
        written, reached = _go_on(out, store, wanted)
        for row in rows(store, wanted, reached):
            line = line_of(row)
            if b"\n" in line:
                raise ArchiveUnreadable(
                    f"position {row[0]}: what is stored holds a line break, so nothing of ours wrote it"
                )
            out.write(line + b"\n")
            written += 1
            if written % _LINES_A_LOOK == 0:
                progress(written, wanted.events)
        note = checkpoint() if wanted.selection.whole else None
        out.write(_ENCODE(ClosingLine(note)) + b"\n")


@contextmanager
def opened_archive(file: Path) -> Generator[Archive]:
    """Open an archive for reading.

    Raises:
        ArchiveUnreadable: when its first line is not a header that this release reads.
        OSError: when the file cannot be read.
    """
    with file.open("rb") as opened:
        yield Archive(_header(_line(opened, 1)), None, opened)


def _go_on(out: BinaryIO, store: JournalRecorder, wanted: Extract) -> tuple[int, int]:
    """Keep what the part holds of this very archive; the events kept, and the position of the last one.

    A part of another selection, of another moment or of another store is begun anew.
    """
    header = _ENCODE(_header_of(wanted)) + b"\n"
    kept, last = 0, None
    if out.readline(LONGEST_LINE) == header:
        end = out.tell()
        while kept < wanted.events and (line := out.readline(LONGEST_LINE)).endswith(b"\n"):
            try:
                row = row_of(line[:-1])
            except NotAnArchiveLine:
                break
            if last is not None and row[0] <= last[0]:
                break
            kept, last, end = kept + 1, row, out.tell()
        if last is None or store.read(last[0] - 1, 1) == [last]:
            out.seek(end)
            out.truncate()
            return kept, 0 if last is None else last[0]
    out.seek(0)
    out.truncate()
    out.write(header)
    return 0, 0


def _header_of(wanted: Extract) -> HeaderLine:
    asked = wanted.selection
    return HeaderLine(
        format="incident-archive",
        version=1,
        schema=SCHEMA,
        written_by=f"itil-incidents {version('itil-incidents')}",
        selection=SelectionLine(
            incident=asked.incident,
            organisation=asked.organisation,
            since=None if asked.since is None else written_instant(asked.since),
            until=None if asked.until is None else written_instant(asked.until),
        ),
        through=wanted.through,
        events=wanted.events,
    )


def _header(line: bytes) -> Header:
    try:
        if _BEGINNING(line).version != 1:
            raise ArchiveUnreadable(
                "line 1: the archive has another version than 1; read it with the release that wrote it"
            )
        held = _HEADER(line)
        asked = held.selection
        selection = Selection(
            incident=None if asked.incident is None else IncidentId(asked.incident),
            organisation=asked.organisation,
            since=None if asked.since is None else read_instant(asked.since, None),
            until=None if asked.until is None else read_instant(asked.until, None),
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise ArchiveUnreadable("line 1: it is no header of an archive; name a file of that format") from None
    if selection.whole and held.events != held.through:
        raise ArchiveUnreadable(
            f"line 1: of a whole journal up to position {held.through} it names {held.events} events"
        )
    return Header(written_by=held.written_by, selection=selection, through=held.through, events=held.events)


def _closing(line: bytes, number: int) -> str | None:
    try:
        return _CLOSING(line).checkpoint
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ArchiveUnreadable(
            f"line {number}: the line with the checkpoint belongs here, which ends the archive"
        ) from None


def _line(file: BinaryIO, number: int) -> bytes:
    line = file.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ArchiveUnreadable(
            f"line {number}: the archive is cut off before the end of this line"
            if len(line) < LONGEST_LINE
            else f"line {number}: the line is longer than any event"
        )
    return line[:-1]
