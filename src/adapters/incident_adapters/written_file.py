"""A file that people write, TOML or JSON, taken apart into what it must hold."""

import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from incident_domain.validation import InvalidValue

_Kind = TypeVar("_Kind")

UNREADABLE: Final = (msgspec.MsgspecError, tomllib.TOMLDecodeError, InvalidValue)
"""What comes up when a file holds something else."""


def read_written(file: Path, held: bytes, kind: type[_Kind]) -> _Kind:
    """What the bytes of a UTF-8 file hold; its name says whether it is TOML or JSON.

    Raises:
        InvalidValue: for another kind of file, for bytes that are no text in UTF-8, and for TOML that Python
            does not read.
        MsgspecError: when it holds something else than `kind` declares.
        TOMLDecodeError: when it is no TOML.
    """
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("file", "must be text in UTF-8; save it so") from None
    match file.suffix.lower():
        case ".toml":
            return msgspec.convert(_toml(text), kind)
        case ".json":
            return msgspec.json.decode(text, type=kind)
        case _:
            raise InvalidValue("file", "must be a .toml or a .json file")


def _toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise InvalidValue("file", "is nested too deeply; write it flat") from None
    except ValueError:
        # Python reads no number of more than some thousand digits.
        raise InvalidValue("file", "holds a number with too many digits; correct it") from None
