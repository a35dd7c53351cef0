"""What was done to a journal whose events are not those that were signed, told from the hashes of the leaves.

A hash does not say what an event was.  But the row that stands at a place can be hashed as if it stood at
another, in another stream, or with one bit changed; where that gives a hash that was signed, it is known what
was done to it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import islice, pairwise
from typing import Final, TypeAlias

from attrs import define, evolve, field, frozen

from incident_adapters.archive_line import line_of
from incident_adapters.recorder import JournalRow
from incident_domain.events import WIRE_NAMES
from incident_projections.merkle import Hash, leaf_hash

Signed: TypeAlias = Callable[[int], Hash | None]
"""Gives the hash that was signed for a position; None where none was."""

_NEAR: Final = [sign * step for step in range(1, 17) for sign in (1, -1)]
_FAR: Final = [sign * step for step in range(17, 4097) for sign in (1, -1)]
_TRIED_FAR_AWAY: Final = 16
_MANY: Final = 256
_TOO_MANY: Final = 4 * _MANY
_TRIED_THOROUGHLY: Final = 16
_LONGEST_TRIED: Final = 16_384
_FIRST_FEW: Final = 16
_OF_ANOTHER_KIND: Final = "is stored as values of other kinds, a text as bytes or bytes as a text"


class Tampering(Enum):
    """What may have been done."""

    ALTERED = "altered"
    REMOVED = "removed"
    INSERTED = "inserted"
    DUPLICATED = "duplicated"
    MOVED = "moved"
    CUT_OFF = "cut off"
    UNREADABLE = "unreadable"
    ROLLED_BACK = "rolled back"
    REWRITTEN = "rewritten"
    TREE_CHANGED = "tree changed"
    CHECKPOINT_FORGED = "checkpoint forged"
    CHECKPOINT_MISSING = "checkpoint missing"


@frozen(kw_only=True)
class Fault:
    """One thing that is not as it was signed.

    `first` and `last` are the positions that it is about, None where it is about none.  `says` tells it in a
    sentence; it never holds what an event holds.
    """

    what: Tampering
    first: int | None = None
    last: int | None = None
    says: str


@frozen
class Found:
    """An event as it was found: `place` says where in a file, `position` is what it says of itself.

    `line` is what was hashed, `row` what it says, None where nobody can read it.  `of_another_kind` says that
    a database holds a text of it as bytes or bytes as a text, which this library never writes: it reads as it
    was signed, and yet nobody finds it who looks for its stream or its name.
    """

    position: int
    line: bytes
    row: JournalRow | None
    place: str = ""
    of_another_kind: bool = False


@define
class _Run:
    """Events that stand one after the other elsewhere than they were signed, all as far away."""

    signed_first: int
    signed_last: int
    away: int


@define
class _Seen:
    """What was found out while the events were gone through."""

    last_signed: int
    right: bytearray | defaultdict[int, int]
    runs: list[_Run] = field(factory=list[_Run])
    streams: dict[str, None] = field(factory=dict[str, None])
    unknown: list[Found] = field(factory=list[Found])
    faults: list[Fault] = field(factory=list[Fault])
    reached: int = 0


def tampering(found: Iterable[Found], signed: Signed, positions: Sequence[int]) -> list[Fault]:
    """What was done to the events, in the order of their positions.

    `positions` are those that were signed, in their order.  Events after the last of them are nobody's
    business here, unless they are signed ones that were moved there.
    """
    last = positions[-1] if positions else 0
    # A part may hold a few events of a journal of any length.
    seen = _Seen(last, bytearray(last + 1) if len(positions) == last else defaultdict(int))
    for each in found:
        _look_at(each, signed, seen)
        if len(seen.unknown) == _TOO_MANY:
            return [_another_journal(seen.unknown)]
    lost = [each for each in positions if not seen.right[each]]
    unknown = _found_far_away(seen, signed, lost)
    lost = [each for each in lost if not seen.right[each]]
    faults = [*seen.faults, *map(_moved, seen.runs)]
    still_lost = set(lost)
    altered = [each for each in unknown if each.position in still_lost]
    for at, each in enumerate(altered):
        how = _how_altered(each, signed, seen, altered, thoroughly=at < _TRIED_THOROUGHLY)
        what = Tampering.UNREADABLE if each.row is None else Tampering.ALTERED
        faults.append(_fault(what, each, how))
    there = {each.position for each in altered}
    faults.extend(
        _fault(Tampering.INSERTED, each, "was never signed and stands before events that were")
        for each in unknown
        if each.position not in there and each.position <= seen.reached
    )
    faults.extend(_gone([each for each in lost if each not in there], seen))
    return sorted(faults, key=lambda fault: fault.first or 0)


def out_of_order(found: Iterable[Found], after: int) -> list[Fault]:
    """What is wrong after a position, where no hash is known and the numbers alone tell; the first few."""
    return list(islice(_out_of_order(found, after), _FIRST_FEW))


def _out_of_order(found: Iterable[Found], after: int) -> Iterator[Fault]:
    last = after
    for each in found:
        if each.position <= after:
            continue
        if each.row is None:
            yield _fault(Tampering.UNREADABLE, each, "is no line of a journal")
        elif each.of_another_kind:
            yield _fault(Tampering.ALTERED, each, _OF_ANOTHER_KIND)
        elif each.position <= last:
            yield _fault(Tampering.INSERTED, each, f"stands after position {last}")
        elif each.position > last + 1:
            yield _removed(last + 1, each.position - 1)
        last = max(last, each.position)


def _another_journal(unknown: Sequence[Found]) -> Fault:
    first, last = unknown[0].position, unknown[-1].position
    return Fault(
        what=Tampering.REWRITTEN,
        first=first,
        last=last,
        says=f"{len(unknown)} events of positions {first} to {last}, and perhaps more after them, are not "
        "those that were signed: it is another journal, or one written anew",
    )


def _look_at(each: Found, signed: Signed, seen: _Seen) -> None:
    position = each.position
    expected = signed(position) if position > 0 else None
    if each.row is not None:
        seen.streams[each.row[1]] = None
    if expected is not None and not each.of_another_kind and leaf_hash(each.line) == expected:
        if seen.right[position]:
            seen.faults.append(_fault(Tampering.DUPLICATED, each, "stands there once more"))
        elif position < seen.reached:
            seen.right[position] = 1
            seen.faults.append(_fault(Tampering.MOVED, each, f"stands after position {seen.reached}"))
        else:
            seen.right[position] = 1
            seen.reached = position
        return
    for step in _steps(seen):
        if _is_signed_for(each, position + step, signed):
            _note_moved(each, position + step, seen)
            return
    if expected is not None or position <= seen.last_signed:
        seen.unknown.append(each)


def _steps(seen: _Seen) -> Iterator[int]:
    """How far away from where an event stands it may have been signed, the likeliest first."""
    away = seen.runs[-1].away if seen.runs else 0
    if away:
        yield away
    # Where very many differ, a look at every place around each would take too long.
    if len(seen.unknown) < _MANY:
        yield from (away + step for step in _NEAR)
        if away:
            yield from _NEAR
    if len(seen.unknown) < _TRIED_FAR_AWAY:
        yield from _FAR


def _is_signed_for(each: Found, position: int, signed: Signed) -> bool:
    if each.row is None or position < 1:
        return False
    expected = signed(position)
    return expected is not None and leaf_hash(line_of((position, *each.row[1:]))) == expected


def _note_moved(each: Found, position: int, seen: _Seen) -> None:
    """The event that was signed for a position stands at another."""
    if seen.right[position]:
        seen.faults.append(_fault(Tampering.DUPLICATED, each, f"is the event of position {position} again"))
        return
    seen.right[position] = 1
    seen.reached = max(seen.reached, each.position)
    away = position - each.position
    last = seen.runs[-1] if seen.runs else None
    if last is not None and last.away == away and last.signed_last + 1 == position:
        last.signed_last = position
    else:
        seen.runs.append(_Run(position, position, away))


def _found_far_away(seen: _Seen, signed: Signed, lost: Sequence[int]) -> list[Found]:
    """What is still unknown after a look at every position that is lost, where those are not too many."""
    if len(lost) > _MANY or len(seen.unknown) > _MANY:
        return seen.unknown
    unknown: list[Found] = []
    for each in seen.unknown:
        places = (at for at in lost if at != each.position and not seen.right[at])
        position = next((at for at in places if _is_signed_for(each, at, signed)), None)
        if position is None:
            unknown.append(each)
        else:
            _note_moved(each, position, seen)
    return unknown


def _moved(run: _Run) -> Fault:
    stands = run.signed_first - run.away
    if run.signed_first == run.signed_last:
        says = f"the event that was signed at position {run.signed_first} stands at {stands}"
    else:
        says = (
            f"the events that were signed at positions {run.signed_first} to {run.signed_last} stand at "
            f"{stands} to {run.signed_last - run.away}"
        )
    return Fault(what=Tampering.MOVED, first=run.signed_first, last=run.signed_last, says=says)


def _gone(lost: Sequence[int], seen: _Seen) -> Iterator[Fault]:
    """The stretches of positions at which nothing stands that was signed there or elsewhere."""
    breaks = [at for at, (one, other) in enumerate(pairwise(lost), start=1) if other != one + 1]
    for begin, end in pairwise([0, *breaks, len(lost)]):
        if begin == end:
            continue
        fault = _removed(lost[begin], lost[end - 1])
        if fault.last == seen.last_signed:
            says = f"{fault.says}, with which the signed events end"
            yield evolve(fault, what=Tampering.CUT_OFF, says=says)
        else:
            yield fault


def _removed(first: int, last: int) -> Fault:
    which = f"the event of position {first} is" if first == last else f"positions {first} to {last} are"
    return Fault(what=Tampering.REMOVED, first=first, last=last, says=f"{which} gone")


def _how_altered(
    each: Found, signed: Signed, seen: _Seen, altered: Sequence[Found], *, thoroughly: bool
) -> str:
    """What was changed in an event that stands where one was signed."""
    expected = signed(each.position)
    if expected is None:
        return "is not the one that was signed"
    if each.of_another_kind and leaf_hash(each.line) == expected:
        return _OF_ANOTHER_KIND
    if thoroughly and len(each.line) <= _LONGEST_TRIED:
        bit = _flipped_bit(each.line, expected)
        if bit is not None:
            return f"has one bit flipped: bit {bit % 8} of byte {bit // 8 + 1} of its line"
    if each.row is None:
        return "is no line of a journal any more"
    position, stream, version, name, state = each.row
    for other in altered:
        if other.row is not None and other is not each:
            _, its_stream, its_version, _, its_state = other.row
            swapped = (position, its_stream, its_version, name, state)
            if leaf_hash(line_of(swapped)) == expected:
                return f"was signed in the stream that stands at position {other.position}"
            if leaf_hash(line_of((position, stream, version, name, its_state))) == expected:
                return f"was signed with what stands at position {other.position}"
    for other_stream in seen.streams if thoroughly else ():
        if leaf_hash(line_of((position, other_stream, version, name, state))) == expected:
            return f"was signed in the stream {other_stream}"
    for other_version in range(1, 2 * _MANY):
        if leaf_hash(line_of((position, stream, other_version, name, state))) == expected:
            return f"was signed as version {other_version} of its stream"
    for other_name in WIRE_NAMES.values():
        if leaf_hash(line_of((position, stream, version, other_name, state))) == expected:
            return f"was signed under the name {other_name}"
    return "is not the one that was signed"


def _flipped_bit(line: bytes, expected: Hash) -> int | None:
    """The bit that has to be flipped back for the hash to be right."""
    changed = bytearray(line)
    for at in range(len(line)):
        for bit in range(8):
            changed[at] ^= 1 << bit
            if leaf_hash(bytes(changed)) == expected:
                return 8 * at + bit
            changed[at] ^= 1 << bit
    return None


def _fault(what: Tampering, each: Found, how: str) -> Fault:
    which = ""
    if each.row is not None:
        _, stream, version, name, _ = each.row
        which = f" ({stream}, version {version}, {name})"
    says = f"{each.place}the event at position {each.position}{which} {how}"
    return Fault(what=what, first=each.position, last=each.position, says=says)
