"""The hashes of the tree in rows, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine, text

from incident_adapters.recorder import open_recorder
from incident_projections.merkle import (
    Frontier,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root,
)
from incident_projections.tiles import (
    StoredNodes,
    TilesDamaged,
    claim_tree,
    create_tree,
    grow,
    leaves,
    tree_size,
)

BATCHES = (1, 2, 253, 1, 255, 512, 66_000, 7)
HASHES = [leaf_hash(b"%d" % each) for each in range(sum(BATCHES))]


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """Give a database in which the tree grew batch by batch."""
    with closing(open_recorder(store_url)) as recorder:
        create_tree(recorder.engine)
        create_tree(recorder.engine)
        for count in BATCHES:
            with recorder.engine.begin() as connection:
                size = claim_tree(connection)
                grow(connection, size, HASHES[size : size + count])
        yield recorder.engine


def test_the_stored_tree_is_that_of_its_leaves(engine: Engine) -> None:
    """However the leaves came in, roots and proofs at every kind of size are right."""
    roots = [Frontier().root()]
    grown = Frontier()
    for each in HASHES:
        grown.append(each)
        roots.append(grown.root())

    with engine.begin() as connection:
        nodes, size = StoredNodes(connection), tree_size(connection)
        assert size == len(HASHES)
        for at in (0, 1, 2, 3, 255, 256, 257, 511, 512, 1024, 65_535, 65_536, 65_537, size - 1, size):
            assert root(nodes, at) == roots[at]
            assert is_consistent(at, size, roots[at], roots[size], consistency_proof(nodes, at, size))
        for leaf in (0, 1, 255, 256, 65_535, 65_536, size - 1):
            assert includes(HASHES[leaf], leaf, size, inclusion_proof(nodes, leaf, size), roots[size])
        assert leaves(connection, 250, 600) == HASHES[250:600]
        assert leaves(connection, size - 2, size + 1) == [*HASHES[-2:], None]


def test_a_damaged_row_is_named(engine: Engine) -> None:
    """A row that is missing or cut short is an error that names it, for proofs and for growth alike."""
    last = len(HASHES) // 256
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM proof_tiles WHERE level = 0 AND number = 3"))
        connection.execute(
            text("UPDATE proof_tiles SET hashes = :cut WHERE level = 0 AND number = :last"),
            {"cut": b"short", "last": last},
        )

    with engine.begin() as connection:
        assert leaves(connection, 767, 769) == [HASHES[767], None]
        with pytest.raises(TilesDamaged, match="level 0, number 3 is missing or damaged"):
            inclusion_proof(StoredNodes(connection), 3 * 256, 4 * 256)
        with pytest.raises(TilesDamaged, match=f"level 0, number {last} "):
            grow(connection, len(HASHES), HASHES[:1])
