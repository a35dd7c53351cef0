"""A ServiceNow incident log as a file: its lines one by one, whatever is in them.

A line is one row of the log, and nothing that is wrong with one line touches the next.
Memory stays flat: neither a long file nor a long line is ever held whole.
"""

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO

from attrs import frozen

LONGEST_LINE = 65_536
"""Bytes; a longer line is read over and kept only in part."""

_GZIP = b"\x1f\x8b"
_LINE_END = b"\r\n"


class LogUnreadable(Exception):
    """The file is no log that can be imported; the message names the file, the rule and the way out."""


@frozen
class LogLine:
    """One line without its end; `number` counts the file's lines from 1.

    `whole` is false when the line was too long and `raw` is only its beginning; `sha256` is of all its bytes.
    """

    number: int
    raw: bytes
    sha256: str
    whole: bool = True


class SourceLog:
    """An open log: the header is read, the rows follow.

    `header` is the first line.  `identity` is the digest of the header and the first row, which a log keeps
    while rows are added at its end, also under another name.
    """

    def __init__(
        self, name: str, content: IO[bytes] | gzip.GzipFile, compressed: IO[bytes], size: int
    ) -> None:
        self.name = name
        self.size = size
        self._content = content
        self._compressed = compressed
        self._number = 0
        header = self._line()
        if header is None:
            raise LogUnreadable(f"{name}: it is empty; give the file that was exported")
        first = self._line()
        self.header = header
        self.identity = sha256(f"{header.sha256}{first.sha256 if first else ''}".encode()).hexdigest()
        self._lines = chain([first] if first else [], iter(self._line, None))

    @property
    def read(self) -> int:
        """How many of the file's `size` bytes are read."""
        return self._compressed.tell()

    def rows(self) -> Iterator[LogLine]:
        """The lines after the header.

        Raises:
            LogUnreadable: where a compressed file is damaged or cut off.
        """
        return self._lines

    def _line(self) -> LogLine | None:
        try:
            raw = self._content.readline(LONGEST_LINE)
            if not raw:
                return None
            self._number += 1
            if raw.endswith(b"\n") or len(raw) < LONGEST_LINE:
                raw = raw.rstrip(_LINE_END)
                return LogLine(self._number, raw, sha256(raw).hexdigest())
            digest = sha256(raw)
            while (rest := self._content.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                digest.update(rest)
            digest.update(rest.rstrip(_LINE_END))
            return LogLine(self._number, raw, digest.hexdigest(), whole=False)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise LogUnreadable(
                f"{self.name}: the compressed file is damaged after line {self._number}; "
                "get it again: what was imported so far stays, and the import goes on from there"
            ) from None


@contextmanager
def open_log(path: Path) -> Generator[SourceLog]:
    """Open a log, plain or compressed with gzip.

    Raises:
        OSError: when the file cannot be opened.
        LogUnreadable: when it is empty or damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=file) as unpacked:
                yield SourceLog(path.name, unpacked, file, size)
        else:
            yield SourceLog(path.name, file, file, size)
