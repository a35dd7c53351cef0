"""The archive: the journal as a file of JSON Lines, in which every event keeps its exact bytes.

The first line is the header, then comes one line for each event as `archive_line` writes it, and the last
line closes the archive with a checkpoint, or with null.  Between the events stand the hashes by which they
are proved to be those of the checkpoint.  docs/reference/archive.md describes every field.
"""

import base64
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec
from attrs import define, frozen

from incident_adapters.archive_line import NotAnArchiveLine, line_of, row_of
from incident_adapters.converters import read_instant, written_instant
from incident_adapters.export_selection import Extract, Progress, Selection, rows
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import JournalRecorder, JournalRow
from incident_domain.events import IncidentId
from incident_projections.tiles import TilesDamaged

SCHEMA: Final = "urn:itil-incidents:archive:1"
"""The identity of the JSON Schema of every line, which stands in docs/reference/schema."""

LONGEST_LINE: Final = 2**26
"""Bytes of a line: far above every event, so that a file of another kind does not fill the memory."""

BLOCK: Final = 256
"""How many events stand before a line of hashes in an archive of a whole journal."""


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
    signed: int


class LeavesLine(msgspec.Struct, forbid_unknown_fields=True):
    """The hashes of the events before it, up to 256 of them, in an archive of a whole journal."""

    leaves: str
    first: int


class InclusionLine(msgspec.Struct, forbid_unknown_fields=True):
    """What leads from the event before it to the root of the checkpoint, in an archive of a part."""

    leaf: str
    position: int
    inclusion: list[str]


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
CLOSING_BEGINS: Final = b'{"checkpoint":'
LEAVES_BEGIN: Final = b'{"leaves":'
INCLUSION_BEGINS: Final = b'{"leaf":'
_PROOF_BEGINS: Final = (LEAVES_BEGIN, INCLUSION_BEGINS)


@frozen(kw_only=True)
class Header:
    """What the first line of an archive says.

    `written_by` is the release that wrote it, `through` the last position of the journal that was looked at,
    `events` how many lines of events follow, `signed` how many events of the journal its checkpoint covers.
    """

    written_by: str
    selection: Selection
    through: int
    events: int
    signed: int


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
            number, line = self._next(number)
            try:
                row = row_of(line)
            except NotAnArchiveLine as error:
                if line.startswith(CLOSING_BEGINS):
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
        number, line = self._next(number)
        self.checkpoint = _closing(line, number)
        if self._file.read(1):
            raise ArchiveUnreadable(f"line {number + 1}: more follows after the end of the archive")

    def _next(self, number: int) -> tuple[int, bytes]:
        """The number of the next line that proves nothing, and the line."""
        while True:
            number += 1
            line = _line(self._file, number)
            if not line.startswith(_PROOF_BEGINS):
                return number, line


def write_archive(store: JournalRecorder, wanted: Extract, part: Path, progress: Progress) -> int:
    """Write an extract as an archive into the part of a file; how many events of the journal it proves.

    It ends with the newest checkpoint of the journal, and has the hashes that lead to it.  Killed and started
    again, it goes on after the last whole line of the part that it left.

    Raises:
        ArchiveUnreadable: when the journal holds bytes that cannot stand in a line.
        TilesDamaged: when what is stored of the proof is not whole.
        OSError: when it cannot be written.
    """
    log = ProofLog(store)
    signed = log.signed_up_to(wanted.through)
    proved = 0 if signed is None else signed.checkpoint.size
    with part.open("r+b") as out:
        written, reached = _go_on(out, store, wanted, proved)
        found = rows(store, wanted, reached)
        while page := list(islice(found, BLOCK - written % BLOCK)):
            out.write(_block(page, log, proved, after=reached if wanted.selection.whole else None))
            written, reached = written + len(page), page[-1][0]
            progress(written, wanted.events)
        if wanted.selection.whole and reached < proved:
            # Events are gone that were signed: their hashes say so.
            out.write(_leaves_line(log, reached, proved))
        out.write(_ENCODE(ClosingLine(None if signed is None else str(signed.note))) + b"\n")
    return proved


@contextmanager
def opened_archive(file: Path) -> Generator[Archive]:
    """Open an archive for reading.

    Raises:
        ArchiveUnreadable: when its first line is not a header that this release reads.
        OSError: when the file cannot be read.
    """
    with file.open("rb") as opened:
        yield Archive(header_of(_line(opened, 1)), None, opened)


def _block(page: list[JournalRow], log: ProofLog, proved: int, *, after: int | None) -> bytes:
    """The lines of some events, with the hashes that prove those of them that the checkpoint covers.

    In an archive of a whole journal `after` is the last position before them.
    """
    lines = [_event_line(row) for row in page]
    covered = [row[0] for row in page if row[0] <= proved]
    if not covered:
        return b"".join(lines)
    if after is not None:
        # Events that the checkpoint does not cover may follow in the same block.
        lines.insert(len(covered), _leaves_line(log, after, covered[-1]))
        return b"".join(lines)
    for at, (position, proof) in enumerate(zip(covered, log.inclusions(covered, proved), strict=True)):
        inclusion = InclusionLine(
            leaf=_text(_stored_leaves(log, position - 1, position)),
            position=position,
            inclusion=[_text(each) for each in proof],
        )
        lines[at] += _ENCODE(inclusion) + b"\n"
    return b"".join(lines)


def _event_line(row: JournalRow) -> bytes:
    line = line_of(row)
    if b"\n" in line:
        raise ArchiveUnreadable(
            f"position {row[0]}: what is stored holds a line break, so nothing of ours wrote it"
        )
    return line + b"\n"


def _leaves_line(log: ProofLog, begin: int, end: int) -> bytes:
    return _ENCODE(LeavesLine(leaves=_text(_stored_leaves(log, begin, end)), first=begin + 1)) + b"\n"


def _stored_leaves(log: ProofLog, begin: int, end: int) -> bytes:
    found = [each for each in log.leaves(begin, end) if each is not None]
    if len(found) != end - begin:
        raise TilesDamaged(f"proof_tiles: level 0, number {begin // BLOCK}")
    return b"".join(found)


def _text(hashed: bytes) -> str:
    return base64.b64encode(hashed).decode()


def _go_on(out: BinaryIO, store: JournalRecorder, wanted: Extract, proved: int) -> tuple[int, int]:
    """Keep what the part holds of this very archive; the events kept, and the position of the last one.

    A part of another selection, of another moment, of another store or with another checkpoint is begun anew.
    """
    header = _ENCODE(_header_of(wanted, proved)) + b"\n"
    kept, last = 0, None
    if out.readline(LONGEST_LINE) == header:
        end, read, newest = out.tell(), 0, None
        while (line := out.readline(LONGEST_LINE)).endswith(b"\n"):
            if not line.startswith(_PROOF_BEGINS):
                try:
                    row = row_of(line[:-1])
                except NotAnArchiveLine:
                    break
                if (newest is not None and row[0] <= newest[0]) or read == wanted.events:
                    break
                read, newest = read + 1, row
            # Hashes stand after what they prove, and belong to whole blocks.
            if newest is not None and (newest[0] > proved or line.startswith(_PROOF_BEGINS)):
                kept, last, end = read, newest, out.tell()
        if last is None or store.read(last[0] - 1, 1) == [last]:
            out.seek(end)
            out.truncate()
            return kept, 0 if last is None else last[0]
    out.seek(0)
    out.truncate()
    out.write(header)
    return 0, 0


def _header_of(wanted: Extract, proved: int) -> HeaderLine:
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
        signed=proved,
    )


def header_of(line: bytes) -> Header:
    """What the first line of an archive says.

    Raises:
        ArchiveUnreadable: when it is not a header that this release reads.
    """
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
    return Header(
        written_by=held.written_by,
        selection=selection,
        through=held.through,
        events=held.events,
        signed=held.signed,
    )


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
