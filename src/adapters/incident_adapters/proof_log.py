"""The proof of a journal: the tree over its events, and the checkpoints that were signed of it.

Both lie beside the journal in its database.  They are made from the stored rows after those were recorded, so
that no command waits for them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, inspect, select
from sqlalchemy.dialects import postgresql, sqlite

from incident_adapters.archive_line import line_of
from incident_adapters.checkpoint import Checkpoint, SignedCheckpoint
from incident_adapters.export_selection import Progress
from incident_adapters.recorder import JournalRecorder, JournalRow
from incident_adapters.recorder_tables import journal
from incident_adapters.signed_note import Signature, SignedNote, Signer
from incident_domain.validation import InvalidValue
from incident_projections.merkle import Frontier, Hash, consistency_proof, inclusion_proof, leaf_hash, root
from incident_projections.tiles import (
    StoredNodes,
    checkpoints,
    claim_tree,
    clear_tree,
    create_tree,
    grow,
    leaves,
    metadata,
    tree_size,
)

_ROWS_AT_A_TIME: Final = 16_384

_HEAD: Final = select(func.max(journal.c.position))
_ROWS: Final = (
    select(journal)
    .where(journal.c.position > bindparam("after"))
    .order_by(journal.c.position)
    .limit(_ROWS_AT_A_TIME)
)
# As bytes, for a text of damaged bytes could not be read, and is to be told of.
_NOTES: Final = {
    "sqlite": "SELECT CAST(note AS BLOB) FROM proof_checkpoints",
    "postgresql": "SELECT convert_to(note, 'UTF8') FROM proof_checkpoints",
}


class JournalChanged(Exception):
    """The journal or its tree is no longer what was signed before; nothing is signed."""


class ProofLog:
    """The tree over what one store holds, and its checkpoints.  Threads and processes may share it."""

    def __init__(self, store: JournalRecorder) -> None:
        self._store = store
        self._engine = store.engine
        self._reading = store.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._found = False

    def catch_up(self, progress: Progress | None = None) -> int:
        """Take the events that were recorded since into the tree; its size then.

        Raises:
            JournalChanged: when events are missing that were there, or between others.
            TilesDamaged: when what is stored of the tree is not whole.
            StoreError: when the store fails.
        """
        if not self._there():
            create_tree(self._engine)
        with self._reading.connect() as connection:
            size = tree_size(connection)
        head = self._store.max_notification_id() or 0
        _refuse_shorter(head, size)
        while size < head and (rows := self._store.read(size, min(_ROWS_AT_A_TIME, head - size))):
            hashes = _hashes(rows, size)
            with self._engine.begin() as connection:
                claimed = claim_tree(connection)
                if claimed == size:
                    grow(connection, size, hashes)
                    claimed = size + len(hashes)
            size = claimed
            if progress is not None:
                progress(size, head)
        return size

    def make_anew(self, progress: Progress | None = None) -> int:
        """Make the tree anew from the journal, in one transaction; its size then.

        Nobody records in an SQLite store meanwhile.

        Raises:
            JournalChanged: when an event is missing, or they are not those that a stored checkpoint was made
                of; the tree is left as it was.
        """
        create_tree(self._engine)
        with self._engine.begin() as connection:
            claim_tree(connection)
            clear_tree(connection)
            signed = [_stored(note).checkpoint for note in _notes(connection)]
            roots = {each.size: each.root for each in signed}
            head: int = connection.scalar(_HEAD) or 0
            _refuse_shorter(head, max(roots, default=0))
            tree = Frontier()
            while tree.size < head:
                rows = connection.execute(_ROWS, {"after": tree.size})
                hashes = _hashes([(row[0], row[1], row[2], row[3], row[4]) for row in rows], tree.size)
                grow(connection, tree.size, hashes)
                for each in hashes:
                    tree.append(each)
                    if tree.size in roots and tree.root() != roots[tree.size]:
                        raise JournalChanged(
                            f"the first {tree.size} events are not those that a checkpoint was made of; "
                            "the tree is left as it was; see incidents verify"
                        )
                if progress is not None:
                    progress(tree.size, head)
            return tree.size

    def checkpoint(
        self,
        signers: Sequence[Signer],
        at: datetime,
        progress: Progress | None = None,
        *,
        kept: SignedCheckpoint | None = None,
    ) -> SignedCheckpoint:
        """Take in what was recorded, and sign how the journal stands.

        It has to continue the last checkpoint that is stored, and the one that was `kept`: whoever can write
        to the database could remove the former and have another history signed.

        Where nothing was recorded since the last checkpoint, that is signed by these keys also.  The first
        signer's name is the name of the log; with two signers of that name a key is replaced by the next.

        Raises:
            InvalidValue: when the signers have several names, or another than the log had so far.
            JournalChanged: when the tree is not a continuation of what was signed before.
            TilesDamaged: when what is stored of the tree is not whole.
            StoreError: when the store fails.
        """
        names = {each.name for each in signers}
        if len(names) != 1:
            raise InvalidValue("key", "must be of one name for all that sign; the name is that of the log")
        self.catch_up(progress)
        with self._engine.begin() as connection:
            # Whoever has claimed the tree is alone in signing it.
            size = claim_tree(connection)
            nodes = StoredNodes(connection)
            made = Checkpoint(origin=names.pop(), size=size, root=root(nodes, size))
            note = SignedNote(text=made.text)
            if kept is not None:
                _refuse_another_log(kept.checkpoint, made, nodes)
            for written in _notes(connection, "ORDER BY size DESC LIMIT 1"):
                last = _stored(written)
                _refuse_another_log(last.checkpoint, made, nodes)
                note = last.note if last.checkpoint == made else note
            note = note.signed_also(each.signature(note.text, at) for each in signers)
            _keep(connection, size, note)
        return SignedCheckpoint(checkpoint=made, note=note)

    def keep(self, signed: SignedCheckpoint, added: Sequence[Signature] = ()) -> None:
        """Keep a checkpoint that was signed elsewhere, or one here to which signatures were `added`.

        Where one over as many events is stored, its signatures stay as they are, unless one is added.

        Raises:
            JournalChanged: when it is not of this journal, or is none of the text that is stored.
            TilesDamaged: when what is stored of the tree is not whole.
        """
        with self._engine.begin() as connection:
            size, made = claim_tree(connection), signed.checkpoint
            if made.size > size or root(StoredNodes(connection), made.size) != made.root:
                raise JournalChanged(
                    f"the checkpoint over {made.size} events is not of this journal; nothing was kept"
                )
            note = signed.note
            for written in _notes(connection, f"WHERE size = {made.size}"):
                stored = _stored(written).note
                if stored.text != note.text:
                    raise JournalChanged(
                        f"another checkpoint over {made.size} events is stored; nothing was kept"
                    )
                note = note.signed_also(stored.signatures)
            _keep(connection, made.size, note.signed_also(added))

    def size(self) -> int:
        """How many events the tree holds; 0 where there is none yet."""
        if not self._there():
            return 0
        with self._reading.connect() as connection:
            return tree_size(connection)

    def notes(self) -> list[str]:
        """The checkpoints as they are stored, the oldest first."""
        if not self._there():
            return []
        with self._reading.connect() as connection:
            return _notes(connection)

    def leaves(self, begin: int, end: int) -> list[Hash | None]:
        """The stored hashes of the events after position `begin` up to `end`; None where one is missing."""
        if not self._there():
            return [None] * (end - begin)
        with self._reading.connect() as connection:
            return leaves(connection, begin, end)

    def root(self, size: int) -> Hash:
        """The root that is stored over the first `size` events.

        Raises:
            TilesDamaged: when what is stored is not whole.
        """
        with self._reading.connect() as connection:
            return root(StoredNodes(connection), size)

    def inclusions(self, positions: Sequence[int], size: int) -> list[list[Hash]]:
        """For each position the hashes that lead from its event to the root over `size` events (RFC 6962).

        Raises:
            ValueError: when `size` events have no such position.
            TilesDamaged: when what is stored is not whole.
        """
        with self._reading.connect() as connection:
            nodes = StoredNodes(connection)
            return [inclusion_proof(nodes, position - 1, size) for position in positions]

    def consistency(self, earlier: int, later: int) -> list[Hash]:
        """The hashes that show the tree over `earlier` events to be the beginning of that over `later`.

        Raises:
            ValueError: when the earlier tree is the larger one.
            TilesDamaged: when what is stored is not whole.
        """
        with self._reading.connect() as connection:
            return consistency_proof(StoredNodes(connection), earlier, later)

    def signed_up_to(self, position: int) -> SignedCheckpoint | None:
        """The newest checkpoint that covers no event after a position; None where there is none.

        Where the journal ends before what was signed last, it is that checkpoint, which shows what is gone.
        What is no checkpoint is passed over; `incidents verify` tells of it.
        """
        head = self._store.max_notification_id() or 0
        for written in reversed(self.notes()):
            try:
                signed = SignedCheckpoint.parse(written)
            except InvalidValue:
                continue
            if 0 < signed.checkpoint.size <= position or signed.checkpoint.size > head:
                return signed
        return None

    def _there(self) -> bool:
        """Whether the tables are there, which nobody takes away again."""
        if not self._found:
            with self._reading.connect() as connection:
                there = inspect(connection)
                self._found = all(there.has_table(each.name) for each in metadata.sorted_tables)
        return self._found


def _refuse_shorter(head: int, size: int) -> None:
    if head < size:
        raise JournalChanged(
            f"the journal ends at position {head}, but its proof holds {size} events: events are gone; "
            "see incidents verify"
        )


def _hashes(rows: Iterable[JournalRow], after: int) -> list[Hash]:
    """The hashes of rows that follow a position without a gap."""
    hashes: list[Hash] = []
    for expected, row in enumerate(rows, start=after + 1):
        if row[0] != expected:
            raise JournalChanged(f"there is no event at position {expected}; see incidents verify")
        hashes.append(leaf_hash(line_of(row)))
    return hashes


def _notes(connection: Connection, which: str = "ORDER BY size") -> list[str]:
    rows = connection.exec_driver_sql(f"{_NOTES[connection.dialect.name]} {which}").scalars()
    return ["" if each is None else each.decode(errors="replace") for each in rows]


def _stored(written: str) -> SignedCheckpoint:
    try:
        return SignedCheckpoint.parse(written)
    except InvalidValue:
        raise JournalChanged(
            "a checkpoint that is stored is none any more; nothing is signed; see incidents verify"
        ) from None


def _refuse_another_log(last: Checkpoint, made: Checkpoint, nodes: StoredNodes) -> None:
    if last.origin != made.origin:
        raise InvalidValue(
            "key", f"is not named {last.origin}, as the log is; make one of that name to replace a key"
        )
    if last.size > made.size or root(nodes, last.size) != last.root:
        raise JournalChanged(
            f"the tree is not that of the checkpoint over {last.size} events any more; "
            "nothing is signed; see incidents verify"
        )


def _keep(connection: Connection, size: int, note: SignedNote) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    put = insert(checkpoints).values(size=size, note=str(note))
    connection.execute(
        put.on_conflict_do_update(index_elements=[checkpoints.c.size], set_={"note": put.excluded.note})
    )
