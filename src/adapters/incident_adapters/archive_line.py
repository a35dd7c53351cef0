"""One event as a line: of the archive file, and as the leaf of the proof.

The line is the whole row of the journal, position, stream, version, wire name and state, with the state byte
for byte as it is stored.  Nothing can be changed in a row without changing its line, and the line gives the
row back exactly.
"""

from typing import Final

import msgspec

from incident_adapters.recorder import JournalRow

_ENCODE: Final = msgspec.json.Encoder().encode


class NotAnArchiveLine(ValueError):
    """Bytes are not a line as `line_of` writes it; the message names the rule, never what the line holds."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    position: int
    stream: str
    version: int
    name: str
    state: msgspec.Raw


_DECODE: Final = msgspec.json.Decoder(_Line).decode


def line_of(row: JournalRow) -> bytes:
    """One row as JSON in UTF-8, without a line break at its end."""
    position, stream, version, name, state = row
    return b'{"position":%d,"stream":%b,"version":%d,"name":%b,"state":%b}' % (
        position,
        _ENCODE(stream),
        version,
        _ENCODE(name),
        state,
    )


def row_of(line: bytes) -> JournalRow:
    """The row that `line_of` wrote as this line, given without its line break.

    Raises:
        NotAnArchiveLine: when the line is not JSON, has other keys, or is written in any other way than
            `line_of` does, be it by one blank.
    """
    try:
        held = _DECODE(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotAnArchiveLine(
            "the line is not a JSON object of position, stream, version, name and state"
        ) from None
    row = (held.position, held.stream, held.version, held.name, bytes(held.state))
    if line_of(row) != line:
        raise NotAnArchiveLine(
            "the line is not written as the journal's lines are: compact, keys in order, once"
        )
    return row
