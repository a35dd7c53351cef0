"""What a verification says of a journal, by the checkpoints that were signed of it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve, field, frozen

from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.export_selection import Selection
from incident_adapters.signed_note import KeyKind, Verdict, Verifier
from incident_adapters.tampering import Fault, Found, Tampering, out_of_order, tampering
from incident_domain.validation import InvalidValue
from incident_projections.merkle import HASH_SIZE, Frontier, Hash

_NEXT: Final = "give the key that signed it also, or take it for forged"


@frozen(kw_only=True)
class Witnessed:
    """A witness, and the newest checkpoint that it signed: over how many events, and when, in UTC."""

    name: str
    covered: int
    at: datetime


@frozen(kw_only=True)
class Verification:
    """What was established about a journal, or about an archive of one or of a part.

    `selection` is what of the journal it says it is; that nothing was left out of a part is not proved.
    `events` is how many there are.  `covered` is how many of the journal's events, from the first on, the
    newest checkpoint covers that is signed by a key which was given, and `proved` how many of `events` are
    among those and were looked at; no checkpoint covers the rest yet.  `not_seen_by` names the witnesses
    whose keys were given and who signed none of the checkpoints.
    """

    selection: Selection
    events: int
    covered: int
    proved: int
    log: str | None
    signed_by: tuple[str, ...]
    witnesses: tuple[Witnessed, ...]
    not_seen_by: tuple[str, ...]
    key_for_tests: bool
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        """Whether everything that was signed is as it was signed."""
        return not self.faults


@frozen(kw_only=True)
class Trusted:
    """The checkpoints that are signed by a key that was given, by size, and what is wrong with others.

    `only_kept` are the sizes of those that somebody kept and that are not stored.
    """

    by_size: Mapping[int, SignedCheckpoint]
    only_kept: frozenset[int]
    keys: tuple[Verifier, ...]
    faults: tuple[Fault, ...]

    @property
    def newest(self) -> Checkpoint | None:
        """The one that covers most; None without any."""
        return None if not self.by_size else self.by_size[max(self.by_size)].checkpoint

    @property
    def roots(self) -> dict[int, Hash]:
        """The roots that were signed, by size."""
        return {size: each.checkpoint.root for size, each in self.by_size.items()}

    def verification(
        self, selection: Selection, events: int, proved: int, faults: Iterable[Fault]
    ) -> Verification:
        """What is to be said, with what the newest checkpoint says of itself."""
        if not self.by_size:
            return Verification(
                selection=selection,
                events=events,
                covered=0,
                proved=0,
                log=None,
                signed_by=(),
                witnesses=(),
                not_seen_by=tuple(each.name for each in self.keys if each.kind is KeyKind.WITNESS),
                key_for_tests=False,
                faults=(*self.faults, *faults),
            )
        signed = self.by_size[max(self.by_size)]
        verdicts = {key: key.verdict(signed.note) for key in self.keys}
        signers = [key for key, verdict in verdicts.items() if verdict is Verdict.SIGNED]
        forged = [
            _forged(f"the witness {key.name} did not sign {_of(signed)} as it stands")
            for key, verdict in verdicts.items()
            if key.kind is KeyKind.WITNESS and verdict is Verdict.FORGED
        ]
        seen = {key: self._seen_by(key) for key in self.keys if key.kind is KeyKind.WITNESS}
        return Verification(
            selection=selection,
            events=events,
            covered=signed.checkpoint.size,
            proved=proved,
            log=signed.checkpoint.origin,
            signed_by=tuple(str(key) for key in signers if key.kind is KeyKind.LOG),
            witnesses=tuple(each for each in seen.values() if each is not None),
            not_seen_by=tuple(key.name for key, each in seen.items() if each is None),
            key_for_tests=any(key.for_tests for key in signers),
            faults=(*self.faults, *forged, *faults),
        )

    def _seen_by(self, witness: Verifier) -> Witnessed | None:
        for size in sorted(self.by_size, reverse=True):
            at = witness.signed_at(self.by_size[size].note)
            if at is not None:
                return Witnessed(name=witness.name, covered=size, at=at)
        return None


def trusted(stored: Sequence[str], kept: Sequence[SignedCheckpoint], keys: Sequence[Verifier]) -> Trusted:
    """Which checkpoints are signed by one of the keys, of those that are stored and those that were kept.

    The last that is stored must be; one before it may be by a key that was replaced and is not given.  A key
    signs for the log of its own name alone.

    Raises:
        InvalidValue: when no key of a log is given, or a checkpoint that was kept is signed by none of them,
            or is of another log.
    """
    logs = [each for each in keys if each.kind is KeyKind.LOG]
    if not logs:
        raise InvalidValue(
            "--key", "is no key of a log; give the public key of whoever signs the checkpoints"
        )
    by_size: dict[int, SignedCheckpoint] = {}
    origin: str | None = None
    faults: list[Fault] = []
    for number, written in enumerate(stored, start=1):
        try:
            signed = SignedCheckpoint.parse(written)
        except InvalidValue:
            faults.append(_forged(f"checkpoint {number} of {len(stored)} is none any more: it was changed"))
            continue
        match _verdict(signed, logs):
            case Verdict.SIGNED if origin not in {None, signed.checkpoint.origin}:
                faults.append(
                    _forged(f"{_of(signed)} is of the log {signed.checkpoint.origin}, not {origin}")
                )
            case Verdict.SIGNED if by_size and signed.checkpoint.size <= max(by_size):
                faults.append(_forged(f"{_of(signed)} stands after one over {max(by_size)}"))
            case Verdict.SIGNED:
                origin = signed.checkpoint.origin
                by_size[signed.checkpoint.size] = signed
            case Verdict.FORGED:
                faults.append(_forged(f"{_of(signed)} was not signed as it stands by the key that it names"))
            case Verdict.NOT_SIGNED if number == len(stored):
                faults.append(_forged(f"{_of(signed)} is signed by none of the keys given; {_NEXT}"))
            case Verdict.NOT_SIGNED:
                continue
    sizes = set(by_size)
    for signed in kept:
        if _verdict(signed, logs) is not Verdict.SIGNED:
            raise InvalidValue("--checkpoint", f"{_of(signed)} is signed by none of the keys given; {_NEXT}")
        if origin not in {None, signed.checkpoint.origin}:
            raise InvalidValue(
                "--checkpoint",
                f"{_of(signed)} is of the log {signed.checkpoint.origin}, and what is verified is {origin}; "
                "name the checkpoints of that log",
            )
        origin = signed.checkpoint.origin
        other = by_size.setdefault(signed.checkpoint.size, signed)
        if other.checkpoint != signed.checkpoint:
            faults.append(_forged(f"{_of(signed)} that was kept is another than the one that is stored"))
            by_size[signed.checkpoint.size] = signed
    only_kept = frozenset(each.checkpoint.size for each in kept) - sizes
    return Trusted(by_size=by_size, only_kept=only_kept, keys=tuple(keys), faults=tuple(faults))


@frozen(kw_only=True)
class Looked:
    """What the first look at a whole journal found.

    `events` is the last position, `ordered` whether they run from 1 without a gap, `roots` the roots over the
    events at the sizes of the checkpoints, and `differs` the first position at which another hash is stored
    than that of the event, None without one.
    """

    events: int
    ordered: bool
    roots: Mapping[int, Hash]
    differs: int | None = field(default=None)


def faults_of_journal(
    trust: Trusted,
    looked: Looked,
    leaves: Callable[[], Iterable[Hash | None]],
    found: Callable[[], Iterable[Found]],
) -> Iterator[Fault]:
    """What is wrong with a whole journal; it is gone through again only where something is.

    `leaves` gives the hashes that are stored beside the events, `found` the events.
    """
    newest, roots = trust.newest, trust.roots
    right = {size for size, root in roots.items() if looked.roots.get(size) == root}
    if looked.ordered and looked.differs is None and len(right) == len(roots):
        return
    if (
        newest is not None
        and looked.ordered
        and len(right) == len(roots)
        and (looked.differs or 0) <= newest.size
    ):
        yield _tree_changed(looked.differs)
        return
    hashes, known = _authentic(leaves(), roots)

    def signed(position: int) -> Hash | None:
        begin = (position - 1) * HASH_SIZE
        return bytes(hashes[begin : begin + HASH_SIZE]) if position <= known else None

    wrong_there = tampering(found(), signed, range(1, known + 1))
    if not looked.ordered:
        wrong_there += out_of_order(found(), known)
    done = [_uncovered(each, newest) for each in wrong_there]
    yield from done
    if newest is None:
        return
    wrong = sorted(size for size in roots if size not in right and size <= looked.events)
    if looked.events < newest.size and known < newest.size:
        says = (
            f"the journal ends at position {looked.events}, but a checkpoint over {newest.size} events was "
            "signed: what came after is gone, or this is a copy from before"
        )
        yield Fault(what=Tampering.ROLLED_BACK, first=looked.events + 1, last=newest.size, says=says)
    elif wrong and not done:
        yield _rewritten(
            max((size for size in right if size < wrong[0]), default=0) + 1, wrong[0], newest, right
        )
    elif newest.size in right and known < newest.size:
        yield _tree_changed(looked.differs)
    elif looked.differs is not None and not done:
        yield _uncovered(_tree_changed(looked.differs), newest)


def _rewritten(first: int, last: int, newest: Checkpoint, right: Collection[int]) -> Fault:
    """A checkpoint is not of these events, though the hashes beside them are."""
    if newest.size in right:
        how = "after a checkpoint was signed, and signed again: two checkpoints name two histories"
    else:
        how = "and the hashes beside it with it, so that nobody can say which event"
    says = f"something from position {first} to {last} was changed, {how}"
    return Fault(what=Tampering.REWRITTEN, first=first, last=last, says=says)


def _authentic(leaves: Iterable[Hash | None], roots: Mapping[int, Hash]) -> tuple[bytearray, int]:
    """The stored hashes, and up to which position they are good for telling what was done.

    That is as far as a checkpoint signed them, and all of them where the newest did.
    """
    hashes, tree, known = bytearray(), Frontier(), 0
    for leaf in leaves:
        if leaf is None:
            break
        hashes += leaf
        tree.append(leaf)
        if tree.size in roots and roots[tree.size] == tree.root():
            known = tree.size
    return hashes, tree.size if known == max(roots, default=0) else known


def _uncovered(fault: Fault, newest: Checkpoint | None) -> Fault:
    if fault.first is None or (newest is not None and fault.first <= newest.size):
        return fault
    return evolve(fault, says=f"{fault.says}, though no checkpoint covers it yet")


def _tree_changed(position: int | None) -> Fault:
    return Fault(
        what=Tampering.TREE_CHANGED,
        first=position,
        last=position,
        says="the events are those that were signed, but the hashes stored beside them are not"
        + ("" if position is None else f", from position {position} on"),
    )


def _verdict(signed: SignedCheckpoint, logs: Sequence[Verifier]) -> Verdict:
    """One right signature is enough; a wrong one in the name of a key that was given is a forgery."""
    verdicts = {each.verdict(signed.note) for each in logs if each.name == signed.checkpoint.origin}
    if Verdict.FORGED in verdicts:
        return Verdict.FORGED
    return Verdict.SIGNED if Verdict.SIGNED in verdicts else Verdict.NOT_SIGNED


def _of(signed: SignedCheckpoint) -> str:
    return f"the checkpoint over {signed.checkpoint.size} events"


def _forged(says: str) -> Fault:
    return Fault(what=Tampering.CHECKPOINT_FORGED, says=says)
