"""What was done to a journal is found whatever it was, and told without being told what the events were."""

from collections.abc import Callable
from typing import Final, TypeAlias

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as some

from incident_adapters.archive_line import line_of
from incident_adapters.recorder import JournalRow
from incident_adapters.tampering import Found, Tampering, tampering
from incident_projections.merkle import Hash, leaf_hash

EVENTS: Final = 40
Rows: TypeAlias = list[JournalRow]
Change: TypeAlias = Callable[[Rows], Rows]


def row(position: int) -> JournalRow:
    stream, version = f"S-{position % 5}", 1 + position // 5
    return (position, stream, version, "incident.resolved.v1", b'{"told":"%d"}' % (position * 7919))


ROWS: Final = [row(position) for position in range(1, EVENTS + 1)]
LEAVES: Final = [leaf_hash(line_of(each)) for each in ROWS]


def signed(position: int) -> Hash | None:
    return LEAVES[position - 1] if position <= EVENTS else None


def found(rows: Rows) -> list[Found]:
    return [Found(position=each[0], line=line_of(each), row=each) for each in rows]


def faults(rows: Rows) -> list[tuple[Tampering, int | None, int | None]]:
    said = tampering(found(rows), signed, range(1, EVENTS + 1))
    return [(each.what, each.first, each.last) for each in said]


def renumbered(rows: Rows) -> Rows:
    return [(position, *each[1:]) for position, each in enumerate(rows, start=1)]


place: Final = some.integers(0, EVENTS - 1)
removals: Final[some.SearchStrategy[Change]] = place.map(lambda at: lambda rows: rows[:at] + rows[at + 1 :])
repetitions: Final[some.SearchStrategy[Change]] = some.tuples(place, place).map(
    lambda at: lambda rows: [*rows[: at[0]], *rows[at[1] : at[1] + 1], *rows[at[0] :]]
)
exchanges: Final[some.SearchStrategy[Change]] = some.tuples(place, place).map(
    lambda at: (
        lambda rows: (
            [
                rows[at[1]] if here == at[0] else rows[at[0]] if here == at[1] else each
                for here, each in enumerate(rows)
            ]
            if max(at) < len(rows)
            else rows
        )
    )
)
edits: Final[some.SearchStrategy[Change]] = some.tuples(place, some.binary(max_size=8)).map(
    lambda to: (
        lambda rows: [
            (*each[:4], b'{"told":"%s"}' % to[1].hex().encode()) if here == to[0] else each
            for here, each in enumerate(rows)
        ]
    )
)
changes: Final = some.lists(some.one_of(removals, repetitions, exchanges, edits), min_size=1, max_size=4)


@given(changes, some.booleans())
def test_whatever_is_changed_is_found(made: list[Change], close_up: bool) -> None:
    """Any few changes, with the positions made to fit or not: unless nothing came of them, it is a fault."""
    rows = list(ROWS)
    for change in made:
        rows = change(rows)
    if close_up:
        rows = renumbered(rows)

    assert bool(faults(rows)) is (rows != ROWS)


@given(some.integers(1, 5))
def test_what_comes_after_the_signed_events_is_nobodys_business(more: int) -> None:
    """Events that were recorded since are no fault."""
    assert faults(ROWS + [row(position) for position in range(EVENTS + 1, EVENTS + 1 + more)]) == []


@given(place, some.integers(1, EVENTS))
def test_a_stretch_that_is_removed_and_closed_up_is_told_exactly(first: int, length: int) -> None:
    """Which positions are gone, and that the rest stands so much before its place."""
    last = min(first + length, EVENTS)
    rows = renumbered(ROWS[:first] + ROWS[last:])

    told = faults(rows)

    if last == EVENTS:
        assert told == [(Tampering.CUT_OFF, first + 1, EVENTS)]
    elif last - first <= 16:
        assert told == [(Tampering.REMOVED, first + 1, last), (Tampering.MOVED, last + 1, EVENTS)]
    else:
        assert told[0][0] is Tampering.REMOVED


@given(place, some.integers(0, 2_000))
def test_a_flipped_bit_is_named(at: int, bit: int) -> None:
    """Which event, and which bit of its line, wherever it is."""
    line = bytearray(line_of(ROWS[at]))
    bit %= 8 * len(line)
    line[bit // 8] ^= 1 << bit % 8
    given_rows = found(ROWS)
    given_rows[at] = evolve(given_rows[at], line=bytes(line))

    [fault] = tampering(given_rows, signed, range(1, EVENTS + 1))

    assert (fault.what, fault.first) == (Tampering.ALTERED, at + 1)
    assert f"bit {bit % 8} of byte {bit // 8 + 1} of its line" in fault.says


def test_another_journal_is_said_to_be_one() -> None:
    """Where nothing fits, nobody is told of thousands of events one by one."""
    leaves = [leaf_hash(b"%d" % each) for each in range(3000)]
    others = [
        (position, "S", position, "incident.resolved.v1", b'"%d"' % position) for position in range(1, 3001)
    ]

    [fault] = tampering(found(others), lambda at: leaves[at - 1] if at <= 3000 else None, range(1, 3001))

    assert (fault.what, fault.first) == (Tampering.REWRITTEN, 1)
    assert "it is another journal" in fault.says
