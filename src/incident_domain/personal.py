"""Which fields of events are personal data, and what stands in their place once it is gone.

A field that says something about a natural person, and every free text that may, is declared with
`personal()`.  The codec seals exactly these fields under the key of their data subject where the desk has a
key store; everything else stays readable forever.
"""

from typing import Any, Final

from attrs import field, fields, has

_MARK = "personal"

ERASED: Final = "[erased]"
"""What a personal text reads as once the key of its data subject was destroyed."""

SEALED: Final = "[sealed]"
"""What a personal text reads as for whoever has not the key store that it was sealed with."""


def personal(**options: Any) -> Any:
    """An attrs field that holds personal data; takes the same options as `attrs.field`."""
    return field(metadata={_MARK: True}, **options)


def personal_fields(cls: type) -> tuple[str, ...]:
    """The names of the fields of an attrs class that are declared as personal, in their order."""
    if not has(cls):
        return ()
    return tuple(each.name for each in fields(cls) if each.metadata.get(_MARK))


def says_something(text: str) -> bool:
    """Whether a text is there to be read, and not only what stands in its place."""
    return text not in {ERASED, SEALED}
