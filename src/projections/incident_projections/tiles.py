"""The Merkle tree of a journal as rows of up to 256 hashes, beside the journal in its database.

Cut like the tiles of C2SP tlog-tiles: the row of number n at level 0 has the hashes of the leaves from
256 n on, and every full row is one hash in a row of the next level.  A row that is not full yet is written
again when it grows; a full one never changes.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Result,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    insert,
    select,
    text,
    update,
)

from incident_projections.merkle import HASH_SIZE, Hash, complete_root

_WIDTH_BITS: Final = 8
_WIDTH: Final = 1 << _WIDTH_BITS
_FULL: Final = _WIDTH * HASH_SIZE
_ROWS_KEPT: Final = 1024

# Any constant that other users of advisory locks in the database are unlikely to pick.
_CREATING: Final = 0x1717_0001_7135_0002

metadata: Final = MetaData()
tiles: Final = Table(
    "proof_tiles",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", LargeBinary, nullable=False),
)
tree: Final = Table("proof_tree", metadata, Column("size", BigInteger, nullable=False))
checkpoints: Final = Table(
    "proof_checkpoints",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
"""The signed notes by the size of the tree that they were made of."""

_t = tiles.c
_KEY: Final = (_t.level == bindparam("at_level"), _t.number == bindparam("at_number"))
# SQLite keeps a value of any kind in any column, and a text of damaged bytes could not be read.
_BYTES: Final = cast(_t.hashes, LargeBinary)
_HASHES: Final = select(_BYTES).where(*_KEY)
_FIRST_HASHES: Final = select(_t.number, _BYTES.label("hashes")).where(
    _t.level == 0, _t.number >= bindparam("first"), _t.number <= bindparam("last")
)
_GROW: Final = update(tiles).where(*_KEY).values(hashes=bindparam("to"))
_ADD: Final = insert(tiles).values(
    level=bindparam("at_level"), number=bindparam("at_number"), hashes=bindparam("to")
)
_SIZE: Final = select(tree.c.size)
# SQLite has no such clause and leaves it out: whoever writes is alone there.
_CLAIM: Final = _SIZE.with_for_update()
_RESIZE: Final = update(tree).values(size=bindparam("to"))


def create_tree(engine: Engine) -> None:
    """Create the tables of the tree where they are missing; the tree has no leaves then."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATING})"))
        metadata.create_all(connection)
        if connection.scalar(_SIZE) is None:
            connection.execute(insert(tree).values(size=0))


def tree_size(connection: Connection) -> int:
    """How many leaves the tree has.

    Raises:
        TilesDamaged: when its size is not stored as one whole number.
    """
    return _one_size(connection.execute(_SIZE))


def claim_tree(connection: Connection) -> int:
    """The same, and nobody else lets the tree grow before this transaction ends."""
    return _one_size(connection.execute(_CLAIM))


def _one_size(rows: Result[Any]) -> int:
    sizes: list[object] = list(rows.scalars())
    match sizes:
        case [int(size)] if size >= 0:
            return size
        case _:
            raise TilesDamaged("proof_tree: the size of the tree")


def clear_tree(connection: Connection) -> None:
    """Take every leaf out of a tree that was claimed in this transaction."""
    connection.execute(delete(tiles))
    connection.execute(_RESIZE, {"to": 0})


def grow(connection: Connection, size: int, leaves: Sequence[Hash]) -> None:
    """Add leaves to a tree of `size` that was claimed in this transaction.

    Raises:
        TilesDamaged: when a row that grows does not hold what it should.
    """
    level, hashes, at = 0, b"".join(leaves), size
    while hashes:
        number, held = divmod(at, _WIDTH)
        if held:
            begun = _stored(connection, level, number)[: held * HASH_SIZE]
            if len(begun) < held * HASH_SIZE:
                raise TilesDamaged(_row_of(level, number))
            hashes = begun + hashes
        rows = [hashes[cut : cut + _FULL] for cut in range(0, len(hashes), _FULL)]
        written = [
            {"at_level": level, "at_number": each, "to": row} for each, row in enumerate(rows, start=number)
        ]
        if held:
            connection.execute(_GROW, written[0])
        if added := written[1:] if held else written:
            connection.execute(_ADD, added)
        level, at = level + 1, number
        hashes = b"".join([complete_root(row) for row in rows if len(row) == _FULL])
    connection.execute(_RESIZE, {"to": size + len(leaves)})


class StoredNodes:
    """The hashes of a stored tree, for the proofs of `merkle`; what was read is kept for a while."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> Hash:
        """The hash over the complete subtree of 2**level leaves that begins at leaf index * 2**level.

        Raises:
            TilesDamaged: when the row that should hold it is missing or too short.
        """
        row_level, inside = divmod(level, _WIDTH_BITS)
        first = index << inside
        number, begin = divmod(first, _WIDTH)
        cut = slice(begin * HASH_SIZE, (begin + (1 << inside)) * HASH_SIZE)
        hashes = self._row(row_level, number)[cut]
        if len(hashes) < HASH_SIZE << inside:
            raise TilesDamaged(_row_of(row_level, number))
        return complete_root(hashes)

    def _row(self, level: int, number: int) -> bytes:
        key = (level, number)
        if key not in self._rows:
            if len(self._rows) == _ROWS_KEPT:
                self._rows.clear()
            self._rows[key] = _stored(self._connection, level, number)
        return self._rows[key]


class TilesDamaged(Exception):
    """A row of stored hashes, or the size of the tree, is missing or is none."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is missing or damaged; make the tree anew: incidents rebuild proof")


def _row_of(level: int, number: int) -> str:
    return f"proof_tiles: level {level}, number {number}"


def leaves(connection: Connection, begin: int, end: int) -> list[Hash | None]:
    """The stored hashes of the leaves from `begin` to before `end`; None where one is missing."""
    first, last = begin // _WIDTH, max(begin, end - 1) // _WIDTH
    rows = connection.execute(_FIRST_HASHES, {"first": first, "last": last})
    found: dict[int, bytes] = {row.number: row.hashes or b"" for row in rows}
    held: list[Hash | None] = []
    for leaf in range(begin, end):
        number, at = divmod(leaf, _WIDTH)
        hashed = found.get(number, b"")[at * HASH_SIZE : (at + 1) * HASH_SIZE]
        held.append(hashed if len(hashed) == HASH_SIZE else None)
    return held


def _stored(connection: Connection, level: int, number: int) -> bytes:
    return connection.execute(_HASHES, {"at_level": level, "at_number": number}).scalar() or b""
