"""What a command may hold: each field says what is wrong with it, and never repeats it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, cast

import pytest
from attrs import AttrsInstance, evolve, fields, has

from incident_domain import (
    Acknowledge,
    GroupId,
    InvalidValue,
    RecordAnalysis,
    RecordProblem,
    RegisterIncident,
    Resolve,
    SourceRecord,
)
from tests.examples import KNOWN_ERROR, OTHER, SUPPORT
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


@pytest.mark.parametrize("command", FULL, ids=lambda command: type(command).__name__)
def test_every_field_holds_what_it_declares_and_nothing_like_it(command: Any) -> None:
    """A value of another type is refused by the field's name before anything is decided."""
    for each in fields(cast("type[AttrsInstance]", type(command))):
        with pytest.raises(InvalidValue, match=f"^{each.name}: "):
            evolve(command, **{each.name: object()})


def test_a_text_in_the_place_of_a_tuple_is_not_taken_for_its_letters() -> None:
    """The comma that makes a tuple of one is easily forgotten."""
    with pytest.raises(InvalidValue, match="services: must be of the type tuple itself"):
        ask(RecordAnalysis, services=cast("Any", "mail"))
    with pytest.raises(InvalidValue, match="changes: must be of the type tuple itself"):
        ask(Resolve, changes=cast("Any", ["CHG-88"]))


def test_a_value_deep_inside_is_of_its_own_type_too() -> None:
    """A role by its word and a name that is no text are refused by the way down to them."""
    with pytest.raises(InvalidValue, match=r"by\.role: must be of the type Role itself"):
        ask(Acknowledge, by=evolve(SUPPORT, role=cast("Any", "support_group")))
    with pytest.raises(InvalidValue, match=r"customer\.telephone: must be of the type str itself"):
        ask(RegisterIncident, customer=evolve(DORA, telephone=cast("Any", 5550101)))


def test_an_identifier_is_short_enough_for_every_index() -> None:
    """Two hundred characters are taken and one more is not, wherever an identifier stands."""
    ask(Acknowledge, by=evolve(SUPPORT, group=GroupId("\U0001f4df" * 200)))
    for wrong in (
        lambda: ask(Acknowledge, by=evolve(SUPPORT, group=GroupId("g" * 201))),
        lambda: ask(RegisterIncident, incident="i" * 201),
        lambda: ask(RecordProblem, known_error="k" * 201),
        lambda: ask(Resolve, with_children=("c" * 201,)),
    ):
        with pytest.raises(InvalidValue, match="must have at most 200 characters; give a shorter one"):
            wrong()


@pytest.mark.parametrize(
    "beyond",
    [
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ],
    ids=["after the year 9999", "before the year 1"],
)
def test_an_instant_that_utc_cannot_name_is_refused(beyond: datetime) -> None:
    """The last hours of the calendar exist in some zones only."""
    with pytest.raises(InvalidValue, match="at: must lie in the years 1 to 9999 of UTC"):
        ask(RegisterIncident, at=beyond)
    with pytest.raises(InvalidValue, match="began_at: must lie in the years 1 to 9999 of UTC"):
        ask(RecordAnalysis, began_at=beyond)


@pytest.mark.parametrize("year", [1, 1899, 9999])
def test_what_happened_lies_in_the_years_in_which_working_time_is_counted(year: int) -> None:
    """A slip in the year is refused: recorded, it would stop the service clocks of every incident."""
    with pytest.raises(InvalidValue, match=r"^at: must lie in the years 1900 to 9998"):
        ask(Acknowledge, at=datetime(year, 7, 1, tzinfo=UTC))
