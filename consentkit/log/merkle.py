"""Trees of hashes and proofs about them (RFC 6962 §2.1, RFC 9162 §2.1, SHA-256).

``prove_…`` asks for hashes through ``HashReader`` and never fetches; ``check_…``
needs the proof alone. A tree of n leaves splits at the largest power of two below n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Protocol

from consentkit.errors import ConsistencyError
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "MAX_PROOF",
    "CompactRange",
    "HashReader",
    "check_consistency",
    "check_inclusion",
    "hash_leaf",
    "hash_node",
    "prove_consistency",
    "prove_inclusion",
    "root_of",
]

HASH_SIZE = 32

# A proof has at most one hash for each level of a tree of fewer than 2^63 leaves.
MAX_PROOF = 63

# RFC 6962 §2.1: the hash of nothing, not 32 zero bytes.
EMPTY_ROOT = hashlib.sha256().digest()

_SIZE_BYTES = 8


class HashReader(Protocol):
    """Where proofs get their hashes from."""

    def read_hash(self, level: int, index: int) -> bytes:
        """Return the root of the leaves [index << level, (index + 1) << level)."""


def hash_leaf(data: bytes) -> bytes:
    """Return the leaf hash of ``data``; the 00 keeps leaves and nodes apart."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The tree so far, as the roots of its perfect subtrees, largest first.

    Enough to append to and to take the root of: at most 63 hashes.

    Raises:
        MalformedError: the hashes are not those of a tree of ``size`` leaves.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self._hashes = list(hashes)
        self._size = size
        wrong = any(len(item) != HASH_SIZE for item in self._hashes)
        if size < 0 or len(self._hashes) != size.bit_count() or wrong:
            raise MalformedError(
                "expected one hash of 32 bytes for each bit set in the size"
            )

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest first."""
        return tuple(self._hashes)

    def append(self, node_hash: bytes, *, level: int = 0) -> None:
        """Add one leaf at the right, or the root of 2^level of them.

        Raises:
            MalformedError: not a hash, or no subtree of that level begins here.
        """
        if len(node_hash) != HASH_SIZE:
            raise MalformedError(f"expected a hash of 32 bytes, got {len(node_hash)}")
        below = self._size >> level
        if below << level != self._size:
            raise MalformedError(
                f"no subtree of level {level} begins at leaf {self._size}"
            )
        merged = node_hash
        while below & 1:
            merged = hash_node(self._hashes.pop(), merged)
            below >>= 1
        self._hashes.append(merged)
        self._size += 1 << level

    def extend(self, size: int, reader: HashReader) -> None:
        """Grow to the first ``size`` leaves of the tree that ``reader`` knows.

        Asks for the largest subtrees that fit. That ``reader`` knows the same tree is
        not checked: compare the root at the end of it all.

        Raises:
            MalformedError: the range is larger than that.
        """
        if size < self._size:
            raise MalformedError(f"a range of {self._size} cannot shrink to {size}")
        while self._size < size:
            level = (size - self._size).bit_length() - 1
            if self._size:
                level = min(level, (self._size & -self._size).bit_length() - 1)
            node_hash = reader.read_hash(level, self._size >> level)
            self.append(node_hash, level=level)

    def root(self) -> bytes:
        """Return the root hash."""
        return _fold(self._hashes)

    def to_bytes(self) -> bytes:
        """Return size (8 bytes, big-endian) and hashes."""
        return self._size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> CompactRange:
        """Return the range that ``to_bytes`` wrote.

        Raises:
            MalformedError: cut short, or the count of hashes does not fit the size.
        """
        head, body = data[:_SIZE_BYTES], data[_SIZE_BYTES:]
        if len(head) != _SIZE_BYTES:
            raise MalformedError("expected a size of 8 bytes before the hashes")
        return cls(
            int.from_bytes(head, "big"),
            (body[at : at + HASH_SIZE] for at in range(0, len(body), HASH_SIZE)),
        )


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root hash of the tree over these leaf hashes."""
    level = list(leaf_hashes)
    while len(level) > 1:
        # An odd last one moves up unchanged: that is the split of RFC 6962 §2.1.
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [hash_node(left, right) for left, right in pairs] + odd
    return level[0] if level else EMPTY_ROOT


def prove_inclusion(index: int, size: int, reader: HashReader) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves.

    Leaf's sibling first, as RFC 6962 §2.1.1 PATH.

    Raises:
        InclusionError: there is no such leaf in such a tree.
    """
    if not 0 <= index < size:
        raise InclusionError(f"leaf {index} is not in a tree of {size}")
    return _path(index, size, 0, reader)


def prove_consistency(old: int, new: int, reader: HashReader) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves continues that of ``old``.

    In the order of RFC 6962 §2.1.2 PROOF; empty for equal sizes and for size 0.

    Raises:
        ConsistencyError: the old tree is the larger one.
    """
    if not 0 <= old <= new:
        raise ConsistencyError(f"a tree of {new} cannot continue one of {old}")
    if old in {0, new}:
        return []
    level = (old & -old).bit_length() - 1  # the last perfect subtree of the old tree
    last = (old >> level) - 1
    start = [] if last == 0 else [reader.read_hash(level, last)]
    return start + _path(old - 1, new, level, reader)


def check_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that ``leaf_hash`` is leaf ``index`` of the tree (RFC 9162 §2.1.3.2).

    Raises:
        InclusionError: it is not, or the proof is not one for this place.
    """
    # 1. The leaf lies in the tree.
    if not 0 <= index < size:
        raise InclusionError(f"leaf {index} is not in a tree of {size}")
    # 2. Hashes are hashes; else an empty "leaf hash" would equal an empty "root".
    if not _well_formed(proof, leaf_hash, root):
        raise InclusionError("expected at most 63 hashes, each of 32 bytes")
    # 3. The proof leads up to the root, and is used up when it gets there.
    node, last, result = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise InclusionError("the inclusion proof has a hash too many")
        if node & 1 or node == last:
            result = hash_node(sibling, result)
            node, last = _skip_to_right_child(node, last)
        else:
            result = hash_node(result, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise InclusionError("the inclusion proof has too few hashes")
    if result != root:
        raise InclusionError(f"leaf {index} of {size}: the proof gives another root")


def check_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the new tree continues the old one (RFC 9162 §2.1.4.2).

    Raises:
        ConsistencyError: it does not, or the proof is not one for these sizes.
    """
    # 1. The sizes can follow each other, and hashes are hashes.
    if not 0 <= old <= new:
        raise ConsistencyError(f"a tree of {new} cannot continue one of {old}")
    if not _well_formed(proof, old_root, new_root):
        raise ConsistencyError("expected at most 63 hashes, each of 32 bytes")
    # 2. Equal trees and the empty tree need no proof, and may have none.
    if old in {0, new}:
        _check_trivial(old, old_root, new, new_root, proof)
        return
    # 3. The proof leads up to both roots at once.
    if _roots_of_consistency(old, old_root, new, proof) != (old_root, new_root):
        raise ConsistencyError(
            f"the tree of {new} leaves does not continue the tree of {old}"
        )


def _check_trivial(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    if proof:
        raise ConsistencyError("equal or empty trees are shown by an empty proof")
    if old == 0 and old_root != EMPTY_ROOT:
        raise ConsistencyError("expected the root of the empty tree at size 0")
    if old == new and old_root != new_root:
        raise ConsistencyError(f"two trees of {new} leaves have different roots")


def _roots_of_consistency(
    old: int, old_root: bytes, new: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    # RFC 9162 §2.1.4.2 steps 2-6. A perfect old tree is its own first hash.
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not proof:
        raise ConsistencyError("the consistency proof is empty")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_result = new_result = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ConsistencyError("the consistency proof has a hash too many")
        if node & 1 or node == last:
            old_result = hash_node(sibling, old_result)
            new_result = hash_node(sibling, new_result)
            node, last = _skip_to_right_child(node, last)
        else:
            new_result = hash_node(new_result, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ConsistencyError("the consistency proof has too few hashes")
    return old_result, new_result


def _skip_to_right_child(node: int, last: int) -> tuple[int, int]:
    # At the right edge a subtree without sibling moves up until it is a right child.
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _well_formed(proof: Sequence[bytes], *hashes: bytes) -> bool:
    if len(proof) > MAX_PROOF:
        return False
    return all(len(item) == HASH_SIZE for item in (*hashes, *proof))


def _path(index: int, size: int, level: int, reader: HashReader) -> list[bytes]:
    """The siblings from ``level`` up of the node over ``index``."""
    # Below the level where index and last leaf part, siblings lie on either side;
    # above it only full subtrees at the left remain.
    parting = (index ^ (size - 1)).bit_length()
    path: list[bytes] = []
    for at in range(level, size.bit_length()):
        sibling = (index >> at) ^ 1
        if at < parting:
            end = min((sibling + 1) << at, size)
            path.append(_root_between(sibling << at, end, reader))
        elif sibling < index >> at:
            path.append(reader.read_hash(at, sibling))
    return path


def _root_between(begin: int, end: int, reader: HashReader) -> bytes:
    """The root of the leaves [begin, end), where begin starts a perfect subtree."""
    hashes: list[bytes] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        hashes.append(reader.read_hash(level, begin >> level))
        begin += 1 << level
    return _fold(hashes)


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_node(left, root)
    return root
