"""Lists that somebody keeps in a CSV or JSON file, read strictly."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen


class BadCatalogue(ValueError):
    """A catalogue file does not hold what it must.

    The message names the file, the line, the column where one is at fault, and the rule; never the content.
    """

    def __init__(self, file: Path, line: int, column: str | None, rule: str) -> None:
        where = f"{file}, line {line}" + (f", column {column}" if column else "")
        super().__init__(f"{where}: {rule}")
        self.file = file
        self.line = line
        self.column = column
        self.rule = rule

    def __reduce__(self) -> tuple[type["BadCatalogue"], tuple[Path, int, str | None, str]]:
        return type(self), (self.file, self.line, self.column, self.rule)


@frozen
class Row:
    """One entry of a catalogue, with the line on which it begins."""

    line: int
    values: dict[str, str]


def rows_of(file: Path, columns: Sequence[str]) -> list[Row]:
    """The entries of a UTF-8 file: `.csv` with the columns' names first, or `.json` with an array of objects.

    Each entry has exactly these columns, none of them blank, and the first column is different in each.

    Raises:
        BadCatalogue: for a file that holds anything else.
        OSError: when the file cannot be read.
    """
    text = _text(file)
    match file.suffix.lower():
        case ".csv":
            rows = list(_csv_rows(file, text, columns))
        case ".json":
            rows = list(_json_rows(file, text, columns))
        case _:
            raise BadCatalogue(file, 1, None, "must be a .csv or a .json file")
    first_seen: dict[str, int] = {}
    for row in rows:
        for column in columns:
            if not row.values[column].strip():
                raise BadCatalogue(file, row.line, column, "must not be blank")
        name = row.values[columns[0]]
        if name in first_seen:
            raise BadCatalogue(file, row.line, columns[0], f"is on line {first_seen[name]} already; keep one")
        first_seen[name] = row.line
    return rows


def _text(file: Path) -> str:
    held = file.read_bytes()
    try:
        return held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = held.count(b"\n", 0, error.start) + 1
        raise BadCatalogue(file, line, None, "must be UTF-8; save it with that encoding") from None


def _csv_rows(file: Path, text: str, columns: Sequence[str]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for fields in reader:
            if header is None:
                header = fields
                _check_columns(file, line, header, columns)
            elif fields:
                if len(fields) != len(header):
                    rule = f"must have {len(header)} fields, as the first line has; it has {len(fields)}"
                    raise BadCatalogue(file, line, None, rule)
                yield Row(line, dict(zip(header, fields, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadCatalogue(file, line, None, f"must be CSV: {error}") from None
    if header is None:
        raise BadCatalogue(file, 1, None, f"must name the columns: {', '.join(columns)}")


def _json_rows(file: Path, text: str, columns: Sequence[str]) -> Iterator[Row]:
    decoder = json.JSONDecoder(object_pairs_hook=list)
    at = _next(text, 0)
    if text[at : at + 1] != "[":
        raise BadCatalogue(file, _line(text, at), None, "must be an array of objects")
    at = _next(text, at + 1)
    expecting = text[at : at + 1] != "]"
    while expecting:
        line = _line(text, at)
        try:
            entry, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise BadCatalogue(file, error.lineno, None, f"must be JSON: {error.msg}") from None
        yield Row(line, _json_entry(file, line, entry, text[at - 1] == "}", columns))
        at = _next(text, at)
        expecting = text[at : at + 1] == ","
        if expecting:
            at = _next(text, at + 1)
    if text[at : at + 1] != "]" or _next(text, at + 1) != len(text):
        raise BadCatalogue(file, _line(text, at), None, "must be one array, with a comma between its objects")


def _json_entry(file: Path, line: int, entry: Any, is_object: bool, columns: Sequence[str]) -> dict[str, str]:
    if not is_object:
        raise BadCatalogue(file, line, None, "must be an object")
    pairs: list[tuple[str, Any]] = entry
    _check_columns(file, line, [key for key, _ in pairs], columns)
    for key, value in pairs:
        if not isinstance(value, str):
            raise BadCatalogue(file, line, key, "must be a text")
    return dict(pairs)


def _check_columns(file: Path, line: int, found: Sequence[str], columns: Sequence[str]) -> None:
    for column in columns:
        if column not in found:
            raise BadCatalogue(file, line, column, f"is missing; the columns are {', '.join(columns)}")
    for column in found:
        if column not in columns:
            raise BadCatalogue(file, line, column, f"is unknown; the columns are {', '.join(columns)}")
    if len(found) != len(columns):
        raise BadCatalogue(file, line, None, "names a column twice")


def _next(text: str, start: int) -> int:
    """The place of the next character that is no white space."""
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    return start


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
