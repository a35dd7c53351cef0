"""Hypothesis strategies for everything that an event can hold, built from the declared types."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from attrs import has
from hypothesis import strategies as st

from incident_adapters.codec import Entry
from incident_domain.events import WIRE_NAMES, DomainEvent, Event

_characters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])

texts = st.text(_characters, min_size=1, max_size=40).filter(str.strip)
"""Texts that every store can keep, with at least one visible character."""

instants = st.integers(min_value=0, max_value=4_102_444_800_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
"""Instants in UTC from 1970 to 2100, to the microsecond."""

_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(min_value=0, max_value=2**53),
    datetime: instants,
    date: st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 1, 1)),
    Decimal: st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False),
    UUID: st.uuids(),
}


_BOUNDED: dict[str, st.SearchStrategy[Any]] = {
    "handling_seconds": st.integers(min_value=0, max_value=315_537_897_599),
}
"""Fields that hold less than their type allows."""


def of_type(
    declared: Any, among: Mapping[Any, st.SearchStrategy[Any]] = MappingProxyType({})
) -> st.SearchStrategy[Any]:
    """Values of a declared type, as events and commands use them, or those that `among` gives for it."""
    if declared in among:
        return among[declared]
    declared = getattr(declared, "__supertype__", declared)
    simple = {**_SIMPLE, **among}
    if declared in simple:
        return simple[declared]
    args = get_args(declared)
    if get_origin(declared) in {Union, UnionType}:
        return st.one_of([st.none() if each is NoneType else of_type(each, among) for each in args])
    if get_origin(declared) is tuple:
        if args[1:] == (Ellipsis,):
            return st.lists(of_type(args[0], among), max_size=3).map(tuple)
        return st.tuples(*(of_type(each, among) for each in args))
    if isinstance(declared, type) and issubclass(declared, Enum):
        return st.sampled_from(declared)
    if isinstance(declared, type) and has(declared):
        fields = {name: of_type(each, among) for name, each in get_type_hints(declared).items()}
        bounded = {name: _BOUNDED[name] for name in fields.keys() & _BOUNDED.keys()}
        return st.builds(declared, **fields | bounded)
    raise TypeError(f"no strategy for {declared}")


def event_of(kind: type[Event]) -> st.SearchStrategy[Any]:
    """Events of one class, with any content that its types allow."""
    return of_type(kind)


def events() -> st.SearchStrategy[DomainEvent]:
    """Events of any class."""
    return st.sampled_from(list(WIRE_NAMES)).flatmap(event_of)


def entries(kind: type[Event]) -> st.SearchStrategy[Entry]:
    """Entries for the journal that carry an event of one class."""
    return st.builds(
        Entry,
        stream=texts,
        version=st.integers(min_value=1, max_value=2**31 - 1),
        event_id=st.uuids(),
        recorded_at=instants,
        correlation_id=st.uuids(),
        causation_id=st.uuids(),
        event=event_of(kind),
    )
