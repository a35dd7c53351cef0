"""Files that are there whole or not at all."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

MADE_HERE: Final = int.from_bytes(b"OCEL", "big")
"""The `application_id` of a database that is only an export, and may be replaced by the next one."""

_DATABASE: Final = b"SQLite format 3\0"
_APPLICATION_ID: Final = slice(68, 72)


class FileInUse(Exception):
    """Another process is writing the same file at this moment."""


def part_of(file: Path) -> Path:
    """Where a file is made before it gets its name: beside it, so that the naming is one step."""
    return file.with_name(f".{file.name}.part")


@contextmanager
def whole_file(file: Path, *, kept: bool = False) -> Generator[Path]:
    """Give the path of the part in which `file` is made; at the end it is on disk and takes its name.

    One process at a time makes a file.  Where the making fails, what had the name before has it still, and
    the part is taken away unless it is `kept` for going on.  A process that is killed leaves it, and the next
    one finds it there.

    A link leads to the file that is meant.  A database is never replaced, be it a store of incidents or the
    keys to one: a slip in a name must not take the journal away.

    Raises:
        FileInUse: when another process is making the same file.
        OSError: when it cannot be written, or something is there that is not to be replaced.
    """
    file = Path(os.path.realpath(file))
    _refuse_what_must_stay(file)
    part = part_of(file)
    held = _locked(part)
    try:
        try:
            yield part
        except BaseException:
            if not kept:
                part.unlink(missing_ok=True)
            raise
        os.fsync(held)
        part.replace(file)
        _sync_folder(file.parent)
    finally:
        os.close(held)


@contextmanager
def database_written() -> Generator[None]:
    """Within, what keeps SQLite from writing a file is an OSError, as with every other file.

    Raises:
        OSError: when SQLite cannot write, since the disk is full or fails.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error


def _refuse_what_must_stay(file: Path) -> None:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not S_ISREG(mode):
        raise FileExistsError(errno.EEXIST, "a device or a pipe has that name")
    with file.open("rb") as there:
        begins = there.read(_APPLICATION_ID.stop)
    if begins.startswith(_DATABASE) and begins[_APPLICATION_ID] != MADE_HERE.to_bytes(4, "big"):
        raise FileExistsError(errno.EEXIST, "a database has that name, and none is ever replaced")


def _locked(part: Path) -> int:
    """The part, open and ours alone."""
    while True:
        held = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the opening and the lock its maker may have named it: then it is a part no more.
            if _same(held, part):
                return held
        except BlockingIOError:
            os.close(held)
            raise FileInUse(
                f"{part.name}: another process is writing it; wait for it, or name another file"
            ) from None
        except BaseException:
            os.close(held)
            raise
        os.close(held)


def _same(held: int, part: Path) -> bool:
    try:
        there = part.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(held), there)


def _sync_folder(folder: Path) -> None:
    """Make a name in the folder last through a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
