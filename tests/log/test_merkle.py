"""Hashes and proofs: every tree to 100 leaves, every leaf, every damaged proof."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import ConsistencyError
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import MAX_PROOF
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import hash_node
from consentkit.log.merkle import prove_consistency
from consentkit.log.merkle import prove_inclusion
from consentkit.log.merkle import root_of

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


OWN_TREE = vectors("own_vectors.json")["tree"]
TREE_8 = vectors("rfc6962_tree8.json")

LEAVES = [hash_leaf(bytes([i])) for i in range(130)]
SMALL = 100


class ListReader:
    """Hashes of a tree whose leaf hashes are all at hand."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        self.levels = [list(leaf_hashes)]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self.levels.append([hash_node(left, right) for left, right in pairs])

    def read_hash(self, level: int, index: int) -> bytes:
        return self.levels[level][index]


READER = ListReader(LEAVES)


def roots() -> list[bytes]:
    tree = CompactRange()
    found = [tree.root()]
    for leaf_hash in LEAVES:
        tree.append(leaf_hash)
        found.append(tree.root())
    return found


ROOTS = roots()


def rfc6962_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The definition of RFC 6962 §2.1, word for word."""
    n = len(leaf_hashes)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return leaf_hashes[0]
    k = 1 << ((n - 1).bit_length() - 1)
    left, right = rfc6962_root(leaf_hashes[:k]), rfc6962_root(leaf_hashes[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def damaged(proof: Sequence[bytes]) -> list[list[bytes]]:
    """The proof with one bit wrong in each hash, with one hash less, and one more."""
    wrong: list[list[bytes]] = [[*proof, bytes(32)], [bytes(32), *proof]]
    for at, item in enumerate(proof):
        flipped = bytes([item[0] ^ 1]) + item[1:]
        wrong.append([*proof[:at], flipped, *proof[at + 1 :]])
        wrong.append([*proof[:at], *proof[at + 1 :]])
    return wrong


def test_the_published_tree_of_eight_leaves_is_ours() -> None:
    leaf_hashes = [hash_leaf(bytes.fromhex(x)) for x in TREE_8["leaf_inputs_hex"]]
    reader = ListReader(leaf_hashes)

    assert [[item.hex() for item in level] for level in reader.levels] == TREE_8[
        "node_hashes_hex_by_level"
    ]
    for size, root in enumerate(TREE_8["roots_hex_by_size"]):
        assert root_of(leaf_hashes[:size]).hex() == root


def test_the_published_hashes_of_single_inputs_are_ours() -> None:
    for case in TREE_8["hasher"]:
        if case["what"] == "leaf":
            text = case.get("input_utf8", "").encode()
            data = bytes.fromhex(case["input_hex"]) if "input_hex" in case else text
            assert hash_leaf(data).hex() == case["hash"]
        elif case["what"] == "empty tree":
            assert EMPTY_ROOT.hex() == case["hash"]
        else:
            left, right = (case[side].encode() for side in ("left_utf8", "right_utf8"))
            assert hash_node(left, right).hex() == case["hash"]


def test_roots_to_130_leaves_are_those_of_the_vectors() -> None:
    for size, root in OWN_TREE["roots"].items():
        assert ROOTS[int(size)].hex() == root


def test_all_three_ways_to_a_root_agree() -> None:
    for size in range(131):
        expected = rfc6962_root(LEAVES[:size])
        assert ROOTS[size] == expected
        assert root_of(LEAVES[:size]) == expected


def test_all_inclusion_proofs_to_130_leaves_are_those_of_the_vectors() -> None:
    rolling = hashlib.sha256()
    for size in range(1, 131):
        for index in range(size):
            proof = prove_inclusion(index, size, READER)
            words = [str(index), str(size), *(item.hex() for item in proof)]
            rolling.update(" ".join(words).encode() + b"\n")

    assert rolling.hexdigest() == OWN_TREE["inclusion_rolling_sha256"]


def test_all_consistency_proofs_to_130_leaves_are_those_of_the_vectors() -> None:
    rolling = hashlib.sha256()
    for new in range(1, 131):
        for old in range(1, new + 1):
            proof = prove_consistency(old, new, READER)
            words = [str(old), str(new), *(item.hex() for item in proof)]
            rolling.update(" ".join(words).encode() + b"\n")

    assert rolling.hexdigest() == OWN_TREE["consistency_rolling_sha256"]


@pytest.mark.requirement("R95")
def test_every_leaf_of_every_tree_to_100_is_shown_and_no_damaged_proof_is() -> None:
    for size in range(1, SMALL + 1):
        for index in range(size):
            proof = prove_inclusion(index, size, READER)
            check_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            for wrong in damaged(proof):
                with pytest.raises(InclusionError):
                    check_inclusion(LEAVES[index], index, size, wrong, ROOTS[size])


def test_a_leaf_is_in_no_other_place_and_under_no_other_root() -> None:
    for size in range(2, 34):
        for index in range(size):
            proof = prove_inclusion(index, size, READER)
            for other in {*range(size)} - {index}:
                with pytest.raises(InclusionError):
                    check_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            for leaf, root in (
                (LEAVES[index - 1], ROOTS[size]),
                (LEAVES[index], ROOTS[size - 1]),
            ):
                with pytest.raises(InclusionError):
                    check_inclusion(leaf, index, size, proof, root)


@pytest.mark.requirement("R95")
def test_every_tree_to_100_continues_all_earlier_ones_by_its_own_proof_alone() -> None:
    for new in range(1, SMALL + 1):
        for old in range(1, new + 1):
            proof = prove_consistency(old, new, READER)
            check_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            for wrong in damaged(proof):
                with pytest.raises(ConsistencyError):
                    check_consistency(old, ROOTS[old], new, ROOTS[new], wrong)


def test_a_rewritten_tree_does_not_continue_the_old_one() -> None:
    for new in range(2, 34):
        for old in range(1, new):
            rewritten = [hash_leaf(b"rewritten"), *LEAVES[1:new]]
            proof = prove_consistency(old, new, ListReader(rewritten))
            with pytest.raises(ConsistencyError, match="does not continue"):
                check_consistency(old, ROOTS[old], new, root_of(rewritten), proof)


def test_the_empty_tree_is_continued_by_any_and_needs_no_proof() -> None:
    assert prove_consistency(0, 5, READER) == []
    check_consistency(0, EMPTY_ROOT, 5, ROOTS[5], [])
    check_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])

    for old_root, proof in ((bytes(32), []), (EMPTY_ROOT, [bytes(32)])):
        with pytest.raises(ConsistencyError):
            check_consistency(0, old_root, 5, ROOTS[5], proof)


@pytest.mark.requirement("R98")
def test_a_second_tree_of_the_same_size_is_a_split_view() -> None:
    with pytest.raises(ConsistencyError, match="two trees of 5 leaves"):
        check_consistency(5, ROOTS[5], 5, ROOTS[6], [])


def test_a_tree_that_shrank_is_refused_on_both_sides() -> None:
    with pytest.raises(ConsistencyError, match="a tree of 3 cannot continue one of 5"):
        check_consistency(5, ROOTS[5], 3, ROOTS[3], [])
    with pytest.raises(ConsistencyError, match="a tree of 3 cannot continue one of 5"):
        prove_consistency(5, 3, READER)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (7, 5)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(
        InclusionError, match=f"leaf {index} is not in a tree of {size}"
    ):
        prove_inclusion(index, size, READER)
    with pytest.raises(
        InclusionError, match=f"leaf {index} is not in a tree of {size}"
    ):
        check_inclusion(LEAVES[0], index, size, [], LEAVES[0])


def test_a_proof_longer_than_any_tree_is_refused_before_it_is_hashed() -> None:
    proof = [bytes(32)] * (MAX_PROOF + 1)

    with pytest.raises(InclusionError, match="at most 63"):
        check_inclusion(LEAVES[0], 0, 2**62, proof, ROOTS[5])
    with pytest.raises(ConsistencyError, match="at most 63"):
        check_consistency(1, ROOTS[1], 2**62, ROOTS[5], proof)


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def hashes(case: dict[str, Any]) -> list[bytes]:
    return [raw(item) for item in case["proof"] or []]


def case_name(case: dict[str, Any]) -> str:
    return str(case["file"].removeprefix("testdata/").removesuffix(".json"))


@pytest.mark.parametrize(
    "case", vectors("merkle_inclusion.json")["cases"], ids=case_name
)
def test_published_inclusion_cases_hold_exactly_when_they_should(
    case: dict[str, Any],
) -> None:
    arguments = (
        raw(case["leafHash"]),
        case["leafIdx"],
        case["treeSize"],
        hashes(case),
        raw(case["root"]),
    )
    if case["wantErr"]:
        with pytest.raises(InclusionError):
            check_inclusion(*arguments)
    else:
        check_inclusion(*arguments)


# Upstream compares two equal "roots" of twelve bytes; to us they are no hashes.
NOT_HASHES = "consistency/additional/sizes-are-equal-one-and-proof-is-empty"


@pytest.mark.parametrize(
    "case", vectors("merkle_consistency.json")["cases"], ids=case_name
)
def test_published_consistency_cases_hold_exactly_when_they_should(
    case: dict[str, Any],
) -> None:
    arguments = (
        case["size1"],
        raw(case["root1"]),
        case["size2"],
        raw(case["root2"]),
        hashes(case),
    )
    if case["wantErr"] or case_name(case) == NOT_HASHES:
        with pytest.raises(ConsistencyError):
            check_consistency(*arguments)
    else:
        check_consistency(*arguments)


@given(st.lists(st.binary(max_size=4), max_size=40), st.integers(0, 40))
def test_a_compact_range_survives_its_bytes_anywhere(
    leaves: list[bytes], cut: int
) -> None:
    leaf_hashes = [hash_leaf(leaf) for leaf in leaves]
    tree = CompactRange()
    for leaf_hash in leaf_hashes[:cut]:
        tree.append(leaf_hash)

    restored = CompactRange.from_bytes(tree.to_bytes())
    for leaf_hash in leaf_hashes[cut:]:
        restored.append(leaf_hash)

    assert restored.size == len(leaves)
    assert restored.root() == root_of(leaf_hashes)
    assert len(restored.hashes) == len(leaves).bit_count()


BAD_RANGES = {
    "nothing": b"",
    "size cut short": bytes(7),
    "hash missing": (3).to_bytes(8, "big") + bytes(32),
    "hash too many": (1).to_bytes(8, "big") + bytes(64),
    "hash cut short": (1).to_bytes(8, "big") + bytes(31),
    "hashes of nothing": bytes(8) + bytes(32),
}


@pytest.mark.parametrize("name", BAD_RANGES)
def test_a_compact_range_that_does_not_fit_its_size_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        CompactRange.from_bytes(BAD_RANGES[name])


def test_only_hashes_are_appended() -> None:
    with pytest.raises(MalformedError, match="32 bytes, got 3"):
        CompactRange().append(b"abc")


def test_a_range_that_takes_subtrees_is_the_one_that_took_their_leaves() -> None:
    for start in range(40):
        for end in range(start, 40):
            tree = CompactRange()
            for leaf in LEAVES[:start]:
                tree.append(leaf)
            tree.extend(end, READER)

            assert (tree.size, tree.root()) == (end, root_of(LEAVES[:end]))


def test_a_subtree_is_taken_only_where_one_begins() -> None:
    tree = CompactRange()
    tree.extend(6, READER)

    with pytest.raises(MalformedError, match="no subtree of level 2 begins at leaf 6"):
        tree.append(LEAVES[0], level=2)
    with pytest.raises(MalformedError, match="cannot shrink to 5"):
        tree.extend(5, READER)
    assert tree.root() == root_of(LEAVES[:6])


def test_a_range_cut_short_is_told_what_stands_in_front() -> None:
    with pytest.raises(MalformedError) as caught:
        CompactRange.from_bytes(bytes(7))

    assert str(caught.value) == "expected a size of 8 bytes before the hashes"


def test_a_range_of_other_hashes_than_its_size_has_is_told_how_many() -> None:
    with pytest.raises(MalformedError) as caught:
        CompactRange(3, [bytes(32)])

    assert str(caught.value) == (
        "expected one hash of 32 bytes for each bit set in the size"
    )


def test_a_range_may_be_extended_to_where_it_is() -> None:
    tree = CompactRange(1, [hash_leaf(b"a")])

    tree.extend(1, NothingToRead())

    assert tree.root() == hash_leaf(b"a")


class NothingToRead:
    def read_hash(self, level: int, index: int) -> bytes:
        raise AssertionError((level, index))


def test_what_is_no_leaf_hash_is_in_no_tree() -> None:
    for leaf_hash in (b"", bytes(31), bytes(33)):
        with pytest.raises(InclusionError) as caught:
            check_inclusion(leaf_hash, 0, 1, [], bytes(32))

        assert str(caught.value) == "expected at most 63 hashes, each of 32 bytes"
