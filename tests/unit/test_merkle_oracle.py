"""The tree beside another implementation of RFC 6962, which shares no line with it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some
from pymerkle import InmemoryTree

from incident_projections.merkle import (
    Frontier,
    complete_root,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root,
)


@settings(max_examples=60, deadline=None)
@given(some.integers(1, 300), some.data())
def test_another_implementation_makes_the_same_tree(size: int, drawn: some.DataObject) -> None:
    """Roots and proofs of inclusion are the other's own, and our proofs convince by its roots alone."""
    lines = [b"%d" % each for each in range(size)]
    other: Any = InmemoryTree(algorithm="sha256")
    other.append_entries(lines)
    hashes = [leaf_hash(each) for each in lines]
    grown = Frontier()
    for each in hashes:
        grown.append(each)

    def nodes(level: int, index: int) -> bytes:
        return complete_root(b"".join(hashes[index << level : (index + 1) << level]))

    leaf = drawn.draw(some.integers(0, size - 1), "leaf")
    earlier = drawn.draw(some.integers(1, size), "earlier")
    included = inclusion_proof(nodes, leaf, size)
    consistent = consistency_proof(nodes, earlier, size)

    assert root(nodes, size) == grown.root() == other.get_root(size)
    assert [leaf_hash(lines[leaf]), *included] == other.prove_inclusion(leaf + 1, size).path
    assert includes(leaf_hash(lines[leaf]), leaf, size, included, other.get_root(size))
    assert is_consistent(earlier, size, other.get_root(earlier), other.get_root(size), consistent)
