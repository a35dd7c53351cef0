"""Files that are there whole or not at all."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


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

    Raises:
        FileInUse: when another process is making the same file.
        OSError: when it cannot be written.
    """
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
