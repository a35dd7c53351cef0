"""The Merkle tree of RFC 6962: hashes, proofs, and the check of proofs.

Leaves are counted from 0, as in the RFC; the leaf of the journal's position p is leaf p - 1.
Everything is computed over hashes: what the leaves hold is nobody's business here.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

Hash: TypeAlias = bytes
"""A SHA-256 hash, 32 bytes."""

Nodes: TypeAlias = Callable[[int, int], Hash]
"""Gives the hash over the complete subtree of 2**level leaves that begins at leaf index * 2**level."""

HASH_SIZE: Final = 32
EMPTY_ROOT: Final[Hash] = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""


def leaf_hash(leaf: bytes) -> Hash:
    """The hash of a leaf (RFC 6962, 2.1)."""
    return sha256(b"\0" + leaf).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """The hash of a node over two others (RFC 6962, 2.1)."""
    return sha256(b"\1" + left + right).digest()


class Frontier:
    """A tree that grows by leaves and keeps only what its root needs: one hash for each bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[Hash] = []

    def append(self, leaf: Hash) -> None:
        """Add the hash of the next leaf."""
        complete, joined, size = self._complete, leaf, self.size
        while size & 1:
            joined = sha256(b"\1" + complete.pop() + joined).digest()
            size >>= 1
        complete.append(joined)
        self.size += 1

    def root(self) -> Hash:
        """The root over all leaves so far."""
        if not self._complete:
            return EMPTY_ROOT
        *lefts, joined = self._complete
        for left in reversed(lefts):
            joined = node_hash(left, joined)
        return joined


def complete_root(hashes: bytes) -> Hash:
    """The hash over a complete subtree; its 1, 2, 4, 8 … hashes are given one after the other."""
    while len(hashes) > HASH_SIZE:
        pairs = range(0, len(hashes), 2 * HASH_SIZE)
        hashes = b"".join([sha256(b"\1" + hashes[at : at + 2 * HASH_SIZE]).digest() for at in pairs])
    return hashes


def root(nodes: Nodes, size: int) -> Hash:
    """The root of the tree of the first `size` leaves (RFC 6962, 2.1)."""
    return _over(nodes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(nodes: Nodes, leaf: int, size: int) -> list[Hash]:
    """The hashes that lead from a leaf to the root of the tree of `size` leaves (RFC 6962, 2.1.1).

    Raises:
        ValueError: when that tree has no such leaf.
    """
    if not 0 <= leaf < size:
        raise ValueError(f"leaf: {leaf} is not in a tree of {size}; name one from 0 to {size - 1}")
    proof: list[Hash] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if leaf < middle:
            proof.append(_over(nodes, middle, end))
            end = middle
        else:
            proof.append(_over(nodes, begin, middle))
            begin = middle
    return proof[::-1]


def consistency_proof(nodes: Nodes, earlier: int, later: int) -> list[Hash]:
    """The hashes that show one tree to be the beginning of a later one, by their sizes (RFC 6962, 2.1.2).

    Raises:
        ValueError: when the earlier tree is the larger one.
    """
    if not 0 <= earlier <= later:
        raise ValueError(f"earlier: {earlier} is not from 0 to {later}; the later tree is the larger one")
    if earlier in {0, later}:
        return []
    proof: list[Hash] = []
    begin, end = 0, later
    while end != earlier:
        middle = begin + _split(end - begin)
        if earlier <= middle:
            proof.append(_over(nodes, middle, end))
            end = middle
        else:
            proof.append(_over(nodes, begin, middle))
            begin = middle
    if begin:
        proof.append(_over(nodes, begin, end))
    return proof[::-1]


def includes(leaf_hash: Hash, leaf: int, size: int, proof: Sequence[Hash], root: Hash) -> bool:
    """Whether a proof shows that the leaf is in the tree of that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= leaf < size or not _are_hashes(leaf_hash, root, *proof):
        return False
    at, last, joined = leaf, size - 1, leaf_hash
    for each in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            joined = node_hash(each, joined)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            joined = node_hash(joined, each)
        at, last = at >> 1, last >> 1
    return last == 0 and joined == root


def is_consistent(
    earlier: int, later: int, earlier_root: Hash, later_root: Hash, proof: Sequence[Hash]
) -> bool:
    """Whether a proof shows the earlier tree to be the beginning of the later one (RFC 9162, 2.1.4.2).

    The empty tree is the beginning of every tree.
    """
    if earlier == later:
        return earlier >= 0 and not proof and earlier_root == later_root
    if earlier == 0 < later:
        return not proof
    if not 0 < earlier < later or not proof or not _are_hashes(earlier_root, later_root, *proof):
        return False
    hashes = [earlier_root, *proof] if earlier & (earlier - 1) == 0 else list(proof)
    at, last = earlier - 1, later - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and old == earlier_root and new == later_root


def _split(size: int) -> int:
    """The largest power of two below a size of two or more: where RFC 6962 parts a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def _over(nodes: Nodes, begin: int, end: int) -> Hash:
    """The hash over the leaves from `begin` to before `end`, which lie as RFC 6962 parts a tree."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, begin >> level)
    middle = begin + _split(size)
    return node_hash(_over(nodes, begin, middle), _over(nodes, middle, end))


def _are_hashes(*given: bytes) -> bool:
    return all(len(each) == HASH_SIZE for each in given)
