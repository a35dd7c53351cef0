"""What a command may hold: each field says what is wrong with it, and never repeats it."""

from collections.abc import Callable, Iterator
from datetime import UTC, timedelta, timezone
from functools import partial
from typing import Any, cast

import pytest
from attrs import evolve, fields, has

from incident_domain import (
    InvalidValue,
    RecordAnalysis,
    RegisterIncident,
    Resolve,
    SourceRecord,
)
from tests.examples import KNOWN_ERROR, OTHER
from tests.process_spec import DORA, ORDINARY, ORDINARY_KNOWLEDGE, THIRD, ask, minute

FULL = [
    *(each for kind, each in ORDINARY.items() if kind not in {RegisterIncident, Resolve}),
    ask(RegisterIncident, refers_to=OTHER, source=SourceRecord(system="servicenow", reference="INC1")),
    ask(Resolve, known_error=KNOWN_ERROR, with_children=(THIRD,)),
    *ORDINARY_KNOWLEDGE.values(),
]
"""A command of every kind, with every text that it can hold."""


def spoiled(value: object, text: str) -> Iterator[Callable[[], object]]:
    """Makers of the value with one of its texts replaced, one for each text that it holds."""
    if isinstance(value, str):
        yield lambda: text
    elif isinstance(value, tuple):
        parts = cast("tuple[object, ...]", value)
        for at, each in enumerate(parts):
            yield from (partial(_with_part, parts, at, make) for make in spoiled(each, text))
    elif has(kind := type(value)):
        for each in fields(kind):
            held = getattr(value, each.name)
            yield from (partial(_with_field, value, each.name, make) for make in spoiled(held, text))


def _with_part(parts: tuple[object, ...], at: int, make: Callable[[], object]) -> object:
    return (*parts[:at], make(), *parts[at + 1 :])


def _with_field(value: Any, name: str, make: Callable[[], object]) -> object:
    return evolve(value, **{name: make()})


@pytest.mark.parametrize("command", FULL, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"], ids=["NUL", "lone surrogate"])
def test_no_command_holds_a_text_that_a_store_cannot_keep(command: Any, text: str) -> None:
    """Wherever the text stands, the refusal names the field and does not repeat the text."""
    makers = list(spoiled(command, text))
    assert len(makers) >= 2
    for make in makers:
        with pytest.raises(InvalidValue) as refused:
            make()
        assert refused.value.field
        assert text not in str(refused.value)


def test_a_refused_text_is_named_by_the_way_down_to_it() -> None:
    """A text inside a value is named with the value that holds it."""
    with pytest.raises(InvalidValue, match=r"customer\.name: must not hold a NUL character; remove it"):
        ask(RegisterIncident, customer=evolve(DORA, name="a\x00b"))


@pytest.mark.parametrize("command", FULL, ids=lambda command: type(command).__name__)
def test_every_command_says_when_in_a_time_zone(command: Any) -> None:
    """A time without a zone is refused; one in any zone is the same instant in UTC."""
    with pytest.raises(InvalidValue, match="at: must name its time zone"):
        evolve(command, at=command.at.replace(tzinfo=None))
    elsewhere = command.at.astimezone(timezone(timedelta(hours=9)))
    assert evolve(command, at=elsewhere) == command
    assert evolve(command, at=elsewhere).at.tzinfo is UTC


def test_an_occurrence_without_a_zone_is_refused_by_name() -> None:
    """Every instant is asked for its zone, not only the command's own."""
    with pytest.raises(InvalidValue, match="began_at: must name its time zone"):
        ask(RecordAnalysis, began_at=minute(-30).replace(tzinfo=None))
