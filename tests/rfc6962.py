"""The published vectors of RFC 6962: the reference tree of eight leaves, its proofs, and their corruptions.

The values are those that certificate-transparency and transparency-dev/merkle publish; `corrupted` makes the
same wrong proofs from them that those projects test their verifiers with.
"""

from collections.abc import Iterator
from typing import Final

from attrs import evolve, frozen

LEAVES: Final = tuple(
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
ROOTS: Final = tuple(
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
)
"""The roots of the trees of the first 0, 1, … 8 leaves."""

SOME_HASH: Final = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")


@frozen(kw_only=True)
class Inclusion:
    """A claim that a leaf is in a tree."""

    hashed: bytes
    leaf: int
    size: int
    proof: tuple[bytes, ...]
    root: bytes


@frozen(kw_only=True)
class Consistency:
    """A claim that one tree is the beginning of another."""

    earlier: int
    later: int
    earlier_root: bytes
    later_root: bytes
    proof: tuple[bytes, ...]


def _hashes(*given: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(each) for each in given)


INCLUSION_PROOFS: Final = {
    (0, 1): (),
    (0, 8): _hashes(
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): _hashes(
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): _hashes("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (1, 5): _hashes(
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
"""By leaf, counted from 0, and size of the tree."""

CONSISTENCY_PROOFS: Final = {
    (1, 1): (),
    (1, 8): _hashes(
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): _hashes(
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): _hashes(
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (6, 7): _hashes(
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
"""By the sizes of the two trees."""


def wrong_inclusions(right: Inclusion) -> Iterator[tuple[str, Inclusion]]:
    """Everything that the published tests change in a right claim of inclusion."""
    leaf, size, proof = right.leaf, right.size, right.proof
    yield "leaf - 1", evolve(right, leaf=leaf - 1)
    yield "leaf + 1", evolve(right, leaf=leaf + 1)
    yield "leaf ^ 2", evolve(right, leaf=leaf ^ 2)
    yield "size * 2", evolve(right, size=size * 2)
    yield "size / 2", evolve(right, size=size // 2)
    yield "wrong leaf", evolve(right, hashed=b"WrongLeaf")
    yield "root of nothing", evolve(right, root=ROOTS[0])
    yield "some root", evolve(right, root=SOME_HASH)
    for name, wrong in _longer(proof, right.root):
        yield name, evolve(right, proof=wrong)
    for at in range(len(proof)):
        yield f"flipped bit in hash {at}", evolve(right, proof=_flipped(proof, at, 8))
    if proof:
        yield "without the last hash", evolve(right, proof=proof[:-1])
    if len(proof) > 1:
        yield "with a hash inserted", evolve(right, proof=(proof[0], SOME_HASH, *proof[1:]))


def wrong_consistencies(right: Consistency) -> Iterator[tuple[str, Consistency]]:
    """Everything that the published tests change in a right claim of consistency with a proof."""
    earlier, later, proof = right.earlier, right.later, right.proof
    yield "earlier - 1", evolve(right, earlier=earlier - 1)
    yield "earlier + 1", evolve(right, earlier=earlier + 1)
    yield "earlier ^ 2", evolve(right, earlier=earlier ^ 2)
    yield "later * 2", evolve(right, later=later * 2)
    yield "later / 2", evolve(right, later=later // 2)
    yield "wrong earlier root", evolve(right, earlier_root=b"WrongRoot")
    yield "wrong later root", evolve(right, later_root=b"WrongRoot")
    yield "swapped roots", evolve(right, earlier_root=right.later_root, later_root=right.earlier_root)
    yield "no proof", evolve(right, proof=())
    for root in (right.earlier_root, right.later_root):
        for name, wrong in _longer(proof, root):
            yield name, evolve(right, proof=wrong)
    yield "first hash twice", evolve(right, proof=(proof[0], *proof))
    yield "without the last hash", evolve(right, proof=proof[:-1])
    for at in range(len(proof)):
        yield f"flipped bit in hash {at}", evolve(right, proof=_flipped(proof, at, 16))


def _longer(proof: tuple[bytes, ...], root: bytes) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    yield "nothing at the end", (*proof, b"")
    yield "root at the end", (*proof, root)
    yield "nothing at the beginning", (b"", *proof)
    yield "root at the beginning", (root, *proof)


def _flipped(proof: tuple[bytes, ...], at: int, bit: int) -> tuple[bytes, ...]:
    hashed = proof[at]
    return (*proof[:at], bytes([hashed[0] ^ bit]) + hashed[1:], *proof[at + 1 :])
