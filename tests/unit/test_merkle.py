import pytest

from incident_projections.merkle import (
    Frontier,
    Nodes,
    complete_root,
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root,
)
from tests.rfc6962 import (
    CONSISTENCY_PROOFS,
    INCLUSION_PROOFS,
    LEAVES,
    ROOTS,
    SOME_HASH,
    Consistency,
    Inclusion,
    wrong_consistencies,
    wrong_inclusions,
)


def nodes_over(hashes: list[bytes]) -> Nodes:
    def node(level: int, index: int) -> bytes:
        return complete_root(b"".join(hashes[index << level : (index + 1) << level]))

    return node


NODES = nodes_over([leaf_hash(each) for each in LEAVES])


def holds(claim: Inclusion | Consistency) -> bool:
    match claim:
        case Inclusion():
            return includes(claim.hashed, claim.leaf, claim.size, claim.proof, claim.root)
        case Consistency():
            return is_consistent(
                claim.earlier, claim.later, claim.earlier_root, claim.later_root, claim.proof
            )


def inclusion(leaf: int, size: int) -> Inclusion:
    proof = INCLUSION_PROOFS[leaf, size]
    return Inclusion(hashed=leaf_hash(LEAVES[leaf]), leaf=leaf, size=size, proof=proof, root=ROOTS[size])


def consistency(earlier: int, later: int) -> Consistency:
    proof = CONSISTENCY_PROOFS[earlier, later]
    roots = {"earlier_root": ROOTS[earlier], "later_root": ROOTS[later]}
    return Consistency(earlier=earlier, later=later, proof=proof, **roots)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_that_are_published(size: int) -> None:
    """The root of the reference tree comes out both from its nodes and leaf by leaf."""
    grown = Frontier()
    for each in LEAVES[:size]:
        grown.append(leaf_hash(each))

    assert (grown.size, grown.root()) == (size, ROOTS[size])
    assert root(NODES, size) == ROOTS[size]


@pytest.mark.parametrize(("leaf", "size"), INCLUSION_PROOFS)
def test_published_proofs_of_inclusion_are_made_and_believed(leaf: int, size: int) -> None:
    """The proof is the published one, and it convinces."""
    assert inclusion_proof(NODES, leaf, size) == list(INCLUSION_PROOFS[leaf, size])
    assert holds(inclusion(leaf, size))


@pytest.mark.parametrize(("earlier", "later"), CONSISTENCY_PROOFS)
def test_published_proofs_of_consistency_are_made_and_believed(earlier: int, later: int) -> None:
    """The proof is the published one, and it convinces."""
    assert consistency_proof(NODES, earlier, later) == list(CONSISTENCY_PROOFS[earlier, later])
    assert holds(consistency(earlier, later))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(wrong, id=f"{leaf} of {size}: {name}")
        for leaf, size in INCLUSION_PROOFS
        for name, wrong in wrong_inclusions(inclusion(leaf, size))
    ],
)
def test_no_corrupted_proof_of_inclusion_is_believed(wrong: Inclusion) -> None:
    """Whatever the published tests change in a proof, it convinces nobody."""
    assert not holds(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(wrong, id=f"{earlier} to {later}: {name}")
        for earlier, later in CONSISTENCY_PROOFS
        if earlier != later
        for name, wrong in wrong_consistencies(consistency(earlier, later))
    ],
)
def test_no_corrupted_proof_of_consistency_is_believed(wrong: Consistency) -> None:
    """Whatever the published tests change in a proof, it convinces nobody."""
    assert not holds(wrong)


@pytest.mark.parametrize(
    ("sizes", "roots", "proof", "believed"),
    [
        ((0, 0), (b"one", b"other"), (), False),
        ((1, 1), (b"one", b"other"), (), False),
        ((0, 0), (b"one", b"one"), (), True),
        ((0, 1), (b"one", b"other"), (), True),
        ((1, 1), (b"one", b"one"), (), True),
        ((1, 0), (b"one", b"other"), (), False),
        ((2, 1), (b"one", b"other"), (), False),
        ((1, 2), (b"one", b"other"), (), False),
        ((0, 0), (ROOTS[0], b"other"), (), False),
        ((1, 1), (ROOTS[0], b"other"), (), False),
        ((0, 0), (ROOTS[0], ROOTS[0]), (ROOTS[0],), False),
        ((0, 1), (ROOTS[0], ROOTS[0]), (ROOTS[0],), False),
        ((1, 1), (ROOTS[0], ROOTS[0]), (ROOTS[0],), False),
        ((-1, -1), (ROOTS[0], ROOTS[0]), (), False),
        ((-1, 1), (ROOTS[0], ROOTS[0]), (), False),
    ],
)
def test_the_published_edges_of_consistency(
    sizes: tuple[int, int], roots: tuple[bytes, bytes], proof: tuple[bytes, ...], believed: bool
) -> None:
    """Empty trees and equal sizes are judged as the published cases judge them."""
    assert is_consistent(*sizes, *roots, proof) is believed


@pytest.mark.parametrize(("leaf", "size"), [(0, 0), (0, 1), (1, 0), (2, 1)])
def test_the_published_edges_of_inclusion(leaf: int, size: int) -> None:
    """A hash of another length and a leaf outside of the tree convince nobody."""
    assert not includes(SOME_HASH, leaf, size, (), b"")
    assert not includes(b"", leaf, size, (), ROOTS[0])
    assert not includes(SOME_HASH, leaf, size, (), ROOTS[0])


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    """Asking for a leaf outside of the tree, or for a later tree as the earlier one, is an error."""
    with pytest.raises(ValueError, match="leaf: 8 is not in a tree of 8"):
        inclusion_proof(NODES, 8, 8)
    with pytest.raises(ValueError, match="earlier: 5 is not from 0 to 4"):
        consistency_proof(NODES, 5, 4)
