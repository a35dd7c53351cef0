"""Which fields of events are personal data.

A field that says something about a natural person is declared with `personal()`.  The codec seals exactly
these fields when personal data is kept under a key per person; everything else stays readable forever.
"""

from typing import Any

from attrs import field, fields, has

_MARK = "personal"


def personal(**options: Any) -> Any:
    """An attrs field that holds personal data; takes the same options as `attrs.field`."""
    return field(metadata={_MARK: True}, **options)


def personal_fields(cls: type) -> tuple[str, ...]:
    """The names of the fields of an attrs class that are declared as personal, in their order."""
    if not has(cls):
        return ()
    return tuple(each.name for each in fields(cls) if each.metadata.get(_MARK))
