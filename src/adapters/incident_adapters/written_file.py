"""A file that people write, TOML or JSON, taken apart into what it must hold."""

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from incident_domain.validation import InvalidValue

_Kind = TypeVar("_Kind")

UNREADABLE: Final = (msgspec.MsgspecError, tomllib.TOMLDecodeError, InvalidValue)
"""What comes up when a file holds something else."""

_WRONG_WORD: Final = re.compile(
    r"Invalid enum value '?(?P<word>.*?)'? - at (?P<key>`key` in )?`\$\.(?P<path>[^`]*)`", re.DOTALL
)
_WRONG_KEY: Final = re.compile(
    r"Object contains unknown field `(?P<word>[^`]*)`(?: - at `\$\.(?P<path>[^`]*)`)?"
)
_STEP: Final = re.compile(r"\w+|\[.*?\]")


def read_written(file: Path, held: bytes, kind: type[_Kind]) -> _Kind:
    """What the bytes of a UTF-8 file hold; its name says whether it is TOML or JSON.

    Raises:
        InvalidValue: for another kind of file, for bytes that are no text in UTF-8, for TOML that Python does
            not read, and for a word that is none of those that may stand there, which it lists.
        MsgspecError: when it holds something else than `kind` declares.
        TOMLDecodeError: when it is no TOML.
    """
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("file", "must be text in UTF-8; save it so") from None
    try:
        match file.suffix.lower():
            case ".toml":
                return msgspec.convert(_toml(text), kind)
            case ".json":
                return msgspec.json.decode(text, type=kind)
            case _:
                raise InvalidValue("file", "must be a .toml or a .json file")
    except msgspec.ValidationError as wrong:
        _refuse_word(kind, str(wrong))
        raise


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


def _refuse_word(kind: type[Any], wrong: str) -> None:
    """Say of a word that may not stand where it does, a value or a key, which ones may."""
    value, key = _WRONG_WORD.fullmatch(wrong), _WRONG_KEY.fullmatch(wrong)
    if value is not None:
        allowed = _words(_declared(kind, value["path"], of_keys=value["key"] is not None))
        raise InvalidValue(value["path"], f"must be one of {_listed(value['word'], allowed)}") from None
    if key is not None:
        path = key["path"] or ""
        allowed = _words(_declared(kind, path))
        raise InvalidValue(
            path or "file", f"has no {key['word']}; it may have {_listed(key['word'], allowed)}"
        ) from None


def _listed(word: str, allowed: Sequence[str]) -> str:
    nearest = get_close_matches(word, allowed, n=1)
    return ", ".join(allowed) + "".join(f"; did you mean {each}?" for each in nearest)


def _declared(kind: type[Any], path: str, *, of_keys: bool = False) -> inspect.Type:
    """What is declared at a place in the file, such as `targets[0].kind`."""
    found = inspect.type_info(kind)
    for step in _STEP.findall(path):
        match found:
            case inspect.StructType(fields=fields):
                [found] = [each.type for each in fields if each.encode_name == step]
            case inspect.ListType(item_type=held) | inspect.DictType(value_type=held):
                found = held
            case _:
                raise TypeError(f"nothing lies below {step}")
        if isinstance(found, inspect.UnionType):
            [found] = [each for each in found.types if not isinstance(each, inspect.NoneType)]
    return found.key_type if of_keys and isinstance(found, inspect.DictType) else found


def _words(declared: inspect.Type) -> list[str]:
    match declared:
        case inspect.EnumType(cls=cls):
            return [str(each.value) for each in cls]
        case inspect.StructType(fields=fields):
            return [each.encode_name for each in fields]
        case _:
            raise TypeError("no words are declared there")
