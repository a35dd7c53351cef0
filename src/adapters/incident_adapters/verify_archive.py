"""Verifying an archive with nothing but the file, a public key, and perhaps a checkpoint that was kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import msgspec
from attrs import frozen

from incident_adapters.archive_file import (
    CLOSING_BEGINS,
    INCLUSION_BEGINS,
    LEAVES_BEGIN,
    LONGEST_LINE,
    ArchiveUnreadable,
    ClosingLine,
    Header,
    InclusionLine,
    LeavesLine,
    header_of,
)
from incident_adapters.archive_line import NotAnArchiveLine, row_of
from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.export_selection import WHOLE_JOURNAL, Progress
from incident_adapters.signed_note import Verifier, strictly_decoded
from incident_adapters.tampering import Fault, Found, Tampering, tampering
from incident_adapters.verification import Looked, Trusted, Verification, faults_of_journal, trusted
from incident_domain.validation import InvalidValue
from incident_projections.merkle import EMPTY_ROOT, HASH_SIZE, Frontier, Hash, includes, leaf_hash

_LEAVES: Final = msgspec.json.Decoder(LeavesLine).decode
_INCLUSION: Final = msgspec.json.Decoder(InclusionLine).decode
_CLOSING: Final = msgspec.json.Decoder(ClosingLine).decode
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)
_PROGRESS_EACH: Final = 1000
_TAIL: Final = 2**20


@frozen
class _Leaves:
    """The hashes that were stored for the events from a position on."""

    first: int
    hashes: list[Hash]


@frozen
class _Inclusion:
    """The hash that was stored for an event of a part, and what leads from it to the root."""

    position: int
    leaf: Hash
    proof: list[Hash]


_Line: TypeAlias = Found | _Leaves | _Inclusion | Fault


def verify_archive(
    file: Path,
    keys: Sequence[Verifier],
    kept: Sequence[SignedCheckpoint] = (),
    progress: Progress | None = None,
) -> Verification:
    """Establish whether an archive holds what was signed.

    Nothing in its header is signed: it says only what the archive is held against, a whole journal or a part.

    Raises:
        InvalidValue: when no key of a log is given, or a checkpoint in `kept` is signed by none of the keys,
            is of another log, or covers more or less than the hashes of a part lead to.
        OSError: when the file cannot be read.
    """
    with file.open("rb") as opened:
        header, note = _beginning(opened), _end(opened)
        trust = trusted([] if note is None else [note], kept, keys)
        faults: list[Fault] = []
        if header is None:
            faults.append(_unreadable(1, "is no header of an archive"))
        if note is None:
            says = "the archive ends without a checkpoint: it was cut off, or made where there was none"
            faults.append(Fault(what=Tampering.CHECKPOINT_MISSING, says=says))
        if header is None and note is None:
            # A file of another kind: what its lines are not is nobody's business.
            return trust.verification(WHOLE_JOURNAL, 0, 0, faults)
        if header is None or header.selection.whole:
            looked, of_lines = _look(opened, trust, header, progress)
            faults.extend(of_lines)
            faults.extend(faults_of_journal(trust, looked, lambda: _leaves(opened), lambda: _found(opened)))
            proved = 0 if trust.newest is None else min(trust.newest.size, looked.events)
            return trust.verification(WHOLE_JOURNAL, looked.events, proved, faults)
        if len(trust.by_size) > 1:
            raise InvalidValue(
                "--checkpoint",
                f"covers {' or '.join(map(str, sorted(trust.by_size)))} events: a part is held only against "
                "a checkpoint over as many as its own; leave others out, or verify the whole journal",
            )
        events, proved, of_part = _faults_of_part(opened, trust, header, progress)
        return trust.verification(header.selection, events, proved, [*faults, *of_part])


def _look(
    file: BinaryIO, trust: Trusted, header: Header | None, progress: Progress | None
) -> tuple[Looked, list[Fault]]:
    """A first look at an archive of a whole journal, and what is wrong with lines that hold no event."""
    tree, ordered, differs = Frontier(), True, None
    roots, faults, block = {0: EMPTY_ROOT}, list[Fault](), list[Hash]()
    sizes = set(trust.roots)
    for line in _lines(file):
        match line:
            case Found():
                ordered = ordered and line.row is not None and line.position == tree.size + 1
                hashed = leaf_hash(line.line)
                tree.append(hashed)
                block.append(hashed)
                if tree.size in sizes:
                    roots[tree.size] = tree.root()
                if progress is not None and header is not None and tree.size % _PROGRESS_EACH == 0:
                    progress(tree.size, header.events)
            case _Leaves(first, hashes):
                begins = tree.size - len(block) + 1
                if differs is None and (first, hashes) != (begins, block):
                    differs = begins
                block = []
            case _Inclusion():
                differs = differs or line.position
            case Fault():
                faults.append(line)
    faults.extend(_miscounted(header, tree.size) if not faults else ())
    return Looked(events=tree.size, ordered=ordered, roots=roots, differs=differs), faults


def _faults_of_part(
    file: BinaryIO, trust: Trusted, header: Header, progress: Progress | None
) -> tuple[int, int, list[Fault]]:
    """How many events a part has, how many of them are proved, and what is wrong with it."""
    events, proved, right = 0, 0, True
    last: Found | None = None
    unproved: Found | None = None
    faults: list[Fault] = []
    versions: dict[str, int] = {}
    whole_streams = header.selection.since is None and header.selection.until is None
    for line in _lines(file):
        match line:
            case Found():
                events += 1
                right = right and unproved is None and (last is None or last.position < line.position)
                last = line
                unproved = line if _covers(trust.newest, line.position) else None
                if whole_streams:
                    faults.extend(_left_out(line, versions))
                if progress is not None and events % _PROGRESS_EACH == 0:
                    progress(events, header.events)
            case _Inclusion():
                proves = unproved is not None and leaf_hash(unproved.line) == line.leaf
                right = right and proves and _leads(line, trust.newest)
                proved, unproved = proved + proves, None
            case _Leaves():
                right = False
            case Fault():
                faults.append(line)
    faults.extend(_miscounted(header, events) if not faults else ())
    if trust.newest is not None and not (right and unproved is None):
        wrong = list(_faults_of_proofs(file, trust.newest))
        if not (wrong or faults):
            says = (
                "its lines do not stand as in an archive: an event is out of order, or hashes prove no event"
            )
            wrong = [Fault(what=Tampering.UNREADABLE, says=says)]
        faults.extend(wrong)
    return events, proved, faults


def _faults_of_proofs(file: BinaryIO, newest: Checkpoint) -> Iterator[Fault]:
    """What is wrong in a part of which not every event is proved: it is gone through again."""
    lines = list(_lines(file))
    inclusions = [each for each in lines if isinstance(each, _Inclusion)]
    leaves = {each.position: each.leaf for each in inclusions if _leads(each, newest)}
    found = [each for each in lines if isinstance(each, Found)]
    done = tampering(found, leaves.get, sorted(leaves))
    yield from done
    for each in inclusions:
        if each.position not in leaves:
            says = f"the hashes beside position {each.position} do not lead to what the checkpoint signed"
            yield Fault(what=Tampering.TREE_CHANGED, first=each.position, last=each.position, says=says)
    known = {each.position for each in inclusions}
    for one in found:
        if _covers(newest, one.position) and one.position not in known and not done:
            says = f"{one.place}the event at position {one.position} has no proof that it was signed"
            yield Fault(what=Tampering.INSERTED, first=one.position, last=one.position, says=says)


def _covers(newest: Checkpoint | None, position: int) -> bool:
    return newest is not None and position <= newest.size


def _leads(inclusion: _Inclusion, newest: Checkpoint | None) -> bool:
    """Whether what stands beside an event leads to the root that was signed."""
    return newest is not None and includes(
        inclusion.leaf, inclusion.position - 1, newest.size, inclusion.proof, newest.root
    )


def _left_out(each: Found, versions: dict[str, int]) -> Iterator[Fault]:
    """A part has whole streams, unless it is of a period: their versions run from 1 without a gap."""
    if each.row is None:
        return
    _, stream, version, _, _ = each.row
    expected = versions.get(stream, 0) + 1
    if version > expected:
        says = f"{each.place}version {version} of {stream} follows {expected - 1}: an event is left out"
        yield Fault(what=Tampering.REMOVED, first=each.position, last=each.position, says=says)
    versions[stream] = version


def _miscounted(header: Header | None, events: int) -> Iterator[Fault]:
    if header is not None and header.events != events:
        says = f"the header names {header.events} events, but {events} follow"
        yield Fault(what=Tampering.UNREADABLE, says=says)


def _leaves(file: BinaryIO) -> Iterator[Hash | None]:
    """The hashes that stand between the events, in the order of the positions that they are for."""
    expected = 1
    for line in _lines(file):
        if isinstance(line, _Leaves):
            if line.first != expected:
                yield None
                return
            yield from line.hashes
            expected += len(line.hashes)


def _found(file: BinaryIO) -> Iterator[Found]:
    return (line for line in _lines(file) if isinstance(line, Found))


def _beginning(file: BinaryIO) -> Header | None:
    file.seek(0)
    try:
        return header_of(file.readline(LONGEST_LINE))
    except ArchiveUnreadable:
        return None


def _end(file: BinaryIO) -> str | None:
    """The note in the last line; None where that is no closing line, or has none."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    try:
        return _CLOSING(last).checkpoint
    except _UNREADABLE:
        return None


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """What stands in the lines after the header, each as far as it can be read."""
    file.seek(0)
    number, position, closed, cut_off = 0, 0, False, False
    for line in _whole_lines(file):
        number += 1
        if number == 1:
            continue
        if closed:
            yield _unreadable(number, "stands after the end of the archive")
            return
        cut_off = line is None
        if line is None:
            yield _unreadable(number, "is longer than any event, or is cut off before its end")
            continue
        read = _read(line, number, position)
        match read:
            case None:
                closed = True
            case Found(position=position):
                yield read
            case _:
                yield read
    if not (closed or cut_off):
        yield _unreadable(number + 1, "with which an archive ends is missing: it is cut off")


def _read(line: bytes, number: int, position: int) -> _Line | None:
    """What one line says; None for the one that closes the archive."""
    try:
        if line.startswith(LEAVES_BEGIN):
            leaves = _LEAVES(line)
            return _Leaves(leaves.first, _hashes(strictly_decoded(leaves.leaves)))
        if line.startswith(INCLUSION_BEGINS):
            inclusion = _INCLUSION(line)
            proof = [strictly_decoded(each) for each in inclusion.inclusion]
            [leaf] = _hashes(strictly_decoded(inclusion.leaf))
            return _Inclusion(inclusion.position, leaf, proof)
        if line.startswith(CLOSING_BEGINS):
            _CLOSING(line)
            return None
    except _UNREADABLE:
        return _unreadable(number, "holds hashes or a checkpoint that cannot be read")
    try:
        row = row_of(line)
    except NotAnArchiveLine:
        return Found(position=position + 1, line=line, row=None, place=f"line {number}: ")
    return Found(position=row[0], line=line, row=row, place=f"line {number}: ")


def _whole_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines without their ends; None for one that has no end or is too long."""
    while line := file.readline(LONGEST_LINE):
        if line.endswith(b"\n"):
            yield line[:-1]
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield None


def _hashes(held: bytes) -> list[Hash]:
    if not held or len(held) % HASH_SIZE:
        raise ValueError
    return [held[at : at + HASH_SIZE] for at in range(0, len(held), HASH_SIZE)]


def _unreadable(number: int, how: str) -> Fault:
    return Fault(what=Tampering.UNREADABLE, says=f"line {number} {how}")
