"""Write docs/reference/schema: the JSON Schema of every line of an archive, made from the event classes.

`--check` writes nothing and fails when the file is stale.  Both fail for a kind of value that has no schema
here, and for an older version of an event that has none.
"""

import copy
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec
from attrs import has

from incident_adapters.archive_file import SCHEMA, ClosingLine, HeaderLine, InclusionLine, LeavesLine
from incident_adapters.upcasting import OLDER_VERSIONS
from incident_domain.events import WIRE_NAMES
from incident_domain.personal import personal_fields

ROOT: Final = Path(__file__).resolve().parent.parent
FILE: Final = Path("docs/reference/schema/archive-1.json")
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, Any]

_UUID: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
_INSTANT: Final[Schema] = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
}
_PLAIN: Final[Mapping[type[Any], Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    datetime: _INSTANT,
    date: {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?$"},
}


def _registered_v1(present: Schema) -> Schema:
    """One text for how to reach the customer, and nobody but users reported."""
    old = copy.deepcopy(present)
    reporter, customer = old["properties"]["reporter"], old["properties"]["customer"]
    _without(reporter, "capacity")
    _without(customer, "telephone", "email")
    customer["properties"]["contact"] = {"type": "string", "x-personal": True}
    customer["required"].append("contact")
    return old


_OLDER: Final[Mapping[str, Callable[[Schema], Schema]]] = {"incident.registered.v1": _registered_v1}
"""How the schema of an older version follows from that of the next."""


def archive_schema() -> Schema:
    """The schema of one line of an archive, whichever it is."""
    events = {name: event_schema(name) for name in sorted({*WIRE_NAMES.values(), *OLDER_VERSIONS})}
    _, lines = msgspec.json.schema_components(
        (HeaderLine, LeavesLine, InclusionLine, ClosingLine), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": DIALECT,
        "$id": SCHEMA,
        "title": "A line of an incident archive",
        "anyOf": [
            {"$ref": "#/$defs/HeaderLine"},
            {"$ref": "#/$defs/EventLine"},
            {"$ref": "#/$defs/LeavesLine"},
            {"$ref": "#/$defs/InclusionLine"},
            {"$ref": "#/$defs/ClosingLine"},
        ],
        "$defs": {**lines, "EventLine": _event_line(events), **events},
    }


def event_schema(name: str) -> Schema:
    """The schema of the events of a wire name, under an identity of its own."""
    return {"$id": f"urn:itil-incidents:event:{name}", **_fields_of(name)}


def _fields_of(name: str) -> Schema:
    if name in OLDER_VERSIONS:
        return _OLDER[name](_fields_of(OLDER_VERSIONS[name].successor))
    [kind] = [each for each, wire_name in WIRE_NAMES.items() if wire_name == name]
    return _of(kind)


def _event_line(events: Mapping[str, Schema]) -> Schema:
    envelope: Schema = {
        "event_id": _UUID,
        "recorded_at": _INSTANT,
        "correlation_id": _UUID,
        "causation_id": _UUID,
    }
    text, number = {"type": "string"}, {"type": "integer", "minimum": 1}
    names = {"enum": list(events)}
    return {
        "title": "EventLine",
        **_object({"position": number, "stream": text, "version": number, "name": names, "state": {}}),
        "allOf": [
            {
                "if": {"properties": {"name": {"const": name}}},
                "then": {"properties": {"state": _object({**envelope, "event": {"$ref": schema["$id"]}})}},
            }
            for name, schema in events.items()
        ],
    }


def _of(declared: Any) -> Schema:
    """The schema of a declared type."""
    declared = getattr(declared, "__supertype__", declared)
    args = get_args(declared)
    if get_origin(declared) in {Union, UnionType}:
        [inner] = [each for each in args if each is not NoneType]
        return {"anyOf": [_of(inner), {"type": "null"}]}
    if get_origin(declared) is tuple:
        if args[1:] == (Ellipsis,):
            return {"type": "array", "items": _of(args[0])}
        each = [_of(one) for one in args]
        return {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}
    if declared in _PLAIN:
        return dict(_PLAIN[declared])
    if isinstance(declared, type) and issubclass(declared, Enum):
        return {"enum": [each.value for each in declared]}
    if isinstance(declared, type) and has(declared):
        return _of_class(declared)
    raise TypeError(f"{declared}: there is no JSON Schema for it in tools/schemas.py yet; add one")


def _of_class(kind: type[Any]) -> Schema:
    properties = {name: _of(declared) for name, declared in get_type_hints(kind).items()}
    for name in personal_fields(kind):
        properties[name]["x-personal"] = True
    description = (getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    return {"title": kind.__name__, "description": description, **_object(properties)}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _without(schema: Schema, *names: str) -> None:
    for name in names:
        del schema["properties"][name]
        schema["required"].remove(name)


def main(arguments: Sequence[str]) -> int:
    """Write the schema, or with `--check` say whether it is stale."""
    written = json.dumps(archive_schema(), indent=1, ensure_ascii=False) + "\n"
    path = ROOT / FILE
    if "--check" not in arguments:
        path.parent.mkdir(exist_ok=True)
        path.write_text(written, encoding="utf-8")
        return 0
    if not path.exists() or path.read_text(encoding="utf-8") != written:
        print(f"{FILE} is stale: run python -m tools.schemas", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
