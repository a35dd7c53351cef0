"""Verifying a store: its journal, its tree and its checkpoints as they lie in the database."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy.exc import DBAPIError

from incident_adapters.archive_line import line_of
from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.export_selection import WHOLE_JOURNAL, Progress
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import JournalRecorder, StoreError
from incident_adapters.signed_note import Verifier
from incident_adapters.tampering import Fault, Found, Tampering
from incident_adapters.verification import Looked, Trusted, Verification, faults_of_journal, trusted
from incident_projections.merkle import EMPTY_ROOT, Frontier, Hash, leaf_hash
from incident_projections.tiles import TilesDamaged

_AT_A_TIME: Final = 4096
_KINDS: Final = "integer text integer text blob"
# As bytes, since a text of damaged bytes could not be read; SQLite keeps a value of any kind in any column.
_ROWS: Final = {
    "sqlite": "SELECT position, CAST(stream AS BLOB), CAST(version AS BLOB), CAST(name AS BLOB), "
    "CAST(state AS BLOB), typeof(position) || ' ' || typeof(stream) || ' ' || typeof(version) || ' ' || "
    "typeof(name) || ' ' || typeof(state) FROM journal WHERE position BETWEEN ? AND ? ORDER BY position",
    "postgresql": "SELECT position, convert_to(stream, 'UTF8'), convert_to(version::text, 'UTF8'), "
    f"convert_to(name, 'UTF8'), state, '{_KINDS}' FROM journal "
    "WHERE position BETWEEN %s AND %s ORDER BY position",
}
# By stretches of positions, and not by so many rows: where somebody did away with the key of the table, a
# position may be there any number of times.
_FIRST: Final = "SELECT min(position) FROM journal"
_NEXT: Final = {
    "sqlite": f"{_FIRST} WHERE position > ?",
    "postgresql": f"{_FIRST} WHERE position > %s",
}


def verify_store(
    store: JournalRecorder,
    keys: Sequence[Verifier],
    kept: Sequence[SignedCheckpoint] = (),
    progress: Progress | None = None,
) -> Verification:
    """Establish whether the journal of a store is what was signed; nothing in the store is changed.

    What is recorded meanwhile is no part of it.

    Raises:
        InvalidValue: when no key of a log is given, or a checkpoint in `kept` is signed by none of the keys.
        StoreError: when the store cannot be read.
    """
    log = ProofLog(store)
    # In this order, since each of them is made from the next, so that a store at work is never found wrong.
    notes = log.notes()
    size = _size(log)
    head = _whole_number(store, store.max_notification_id() or 0)
    trust = trusted(notes, kept, keys)
    faults: list[Fault] = []
    if not notes:
        says = "no checkpoint is stored: none was made (incidents checkpoint makes one), or it was removed"
        faults.append(Fault(what=Tampering.CHECKPOINT_MISSING, says=says))
    hashes = (0 if trust.newest is None else trust.newest.size) if size is None else size
    looked = _look(store, log, hashes, head, set(trust.roots), progress)
    faults.extend(_missing(trust, head))
    faults.extend(faults_of_journal(trust, looked, lambda: _leaves(log, hashes), lambda: _found(store, head)))
    if not faults and trust.newest is not None:
        faults.extend(_faults_of_tree(log, size, head, trust.newest))
    covered = 0 if trust.newest is None else trust.newest.size
    return trust.verification(WHOLE_JOURNAL, looked.events, min(covered, looked.events), faults)


def _missing(trust: Trusted, head: int) -> Iterator[Fault]:
    """A store has every checkpoint that was ever made of it; an archive has the newest only."""
    for size in sorted(trust.only_kept):
        if size <= head:
            says = f"the checkpoint over {size} events that you keep is not stored any more"
            yield Fault(what=Tampering.CHECKPOINT_MISSING, says=says)


def _look(
    store: JournalRecorder,
    log: ProofLog,
    size: int,
    head: int,
    sizes: set[int],
    progress: Progress | None,
) -> Looked:
    tree, ordered, differs = Frontier(), True, None
    roots = {0: EMPTY_ROOT}
    page: list[Found] = []
    for page in _pages(store, head):
        hashes = [leaf_hash(each.line) for each in page]
        for each, hashed in zip(page, hashes, strict=True):
            ordered = ordered and each.position == tree.size + 1 and not each.of_another_kind
            tree.append(hashed)
            if tree.size in sizes:
                roots[tree.size] = tree.root()
        if ordered and differs is None:
            first = page[0].position
            pairs = zip(log.leaves(first - 1, min(first - 1 + len(page), size)), hashes, strict=False)
            differs = next((at for at, (one, other) in enumerate(pairs, first) if one != other), None)
        if progress is not None:
            progress(page[-1].position, head)
    shorter = head < size
    return Looked(events=head, ordered=ordered and not shorter, roots=roots, differs=differs)


def _pages(store: JournalRecorder, head: int) -> Iterator[list[Found]]:
    """The rows up to a position, which may hold what this library never writes."""
    engine = store.engine.execution_options(isolation_level="AUTOCOMMIT")
    ask, ask_next = _ROWS[engine.dialect.name], _NEXT[engine.dialect.name]
    first: int | None = None
    last = 0
    while True:
        try:
            with engine.connect() as connection:
                ask_first = (_FIRST, None) if first is None else (ask_next, (last,))
                first = connection.exec_driver_sql(*ask_first).scalar()
                if first is None or first > head:
                    return
                last = min(_whole_number(store, first) + _AT_A_TIME - 1, head)
                rows = connection.exec_driver_sql(ask, (first, last)).all()
        except DBAPIError as error:
            raise StoreError(
                f"store {store.store}: the journal cannot be read after position {last} "
                f"({type(error.orig).__name__}); the database is damaged, restore it from a backup"
            ) from None
        yield [_as_found(_whole_number(store, at), *row) for at, *row in rows]


def _whole_number(store: JournalRecorder, position: object) -> int:
    if not isinstance(position, int):
        raise StoreError(
            f"store {store.store}: a position of the journal is no whole number, so that its table is not "
            "what this library made; restore the database from a backup"
        )
    return position


def _found(store: JournalRecorder, head: int) -> Iterator[Found]:
    for page in _pages(store, head):
        yield from page


def _as_found(
    position: int,
    stream: bytes | None,
    version: bytes | None,
    name: bytes | None,
    state: bytes | None,
    kinds: str,
) -> Found:
    if stream is None or version is None or name is None or state is None:
        return Found(position=position, line=b"", row=None)
    try:
        row = (position, stream.decode(), int(version), name.decode(), state)
    except ValueError:
        return Found(position=position, line=b"", row=None)
    return Found(position=position, line=line_of(row), row=row, of_another_kind=kinds != _KINDS)


def _leaves(log: ProofLog, size: int) -> Iterator[Hash | None]:
    for begin in range(0, size, _AT_A_TIME):
        yield from log.leaves(begin, min(begin + _AT_A_TIME, size))


def _size(log: ProofLog) -> int | None:
    try:
        return log.size()
    except TilesDamaged:
        return None


def _faults_of_tree(log: ProofLog, size: int | None, head: int, newest: Checkpoint) -> Iterator[Fault]:
    """What is wrong with the size or the upper rows of a tree whose lowest are right."""
    try:
        if size is None or not newest.size <= size <= head:
            says = (
                "the events are those that were signed, but the stored size of the tree is not one from "
                f"{newest.size} to {head}"
            )
            yield Fault(what=Tampering.TREE_CHANGED, says=says)
            return
        if log.root(newest.size) == newest.root:
            return
        says = "the events are those that were signed, but the upper rows of the stored tree are not"
    except TilesDamaged as damaged:
        says = f"the events are those that were signed, but the stored tree is not whole: {damaged}"
    yield Fault(what=Tampering.TREE_CHANGED, says=says)
