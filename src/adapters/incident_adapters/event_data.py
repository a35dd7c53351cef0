"""Events as plain data, for formats that others read: opened, and of the present version."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from incident_adapters.converters import strict_converter
from incident_adapters.upcasting import Fields
from incident_domain.events import WIRE_NAMES, Event

_CONVERTER: Final = strict_converter(traces=False)
_WRITERS: Final[Mapping[type[Event], Callable[[Any], Fields]]] = {
    kind: _CONVERTER.get_unstructure_hook(kind) for kind in WIRE_NAMES
}


def event_data(event: Event) -> Fields:
    """The event's fields as the journal would write them, with personal data as it can be read here."""
    return _WRITERS[type(event)](event)
