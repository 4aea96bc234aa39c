"""What is passed on to third parties, checked as they would: with notes and hashes."""

from __future__ import annotations

import pytest

from consentkit.errors import ConsistencyError
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf

from .builder import cosigned
from .histories import NOW
from .histories import examined
from .histories import forged_log
from .histories import hashes
from .histories import honest_log
from .histories import opened
from .histories import pieces


@pytest.mark.requirement("R98")
def test_a_split_view_is_shown_by_two_notes_of_one_size() -> None:
    theirs = honest_log().checkpoint()
    (finding,) = examined(forged_log().source(), theirs).report().findings

    lines, first, second = pieces(finding)

    assert lines == ["SPLIT VIEW"]
    assert first == theirs
    assert opened(first).size == opened(second).size
    assert opened(first).root != opened(second).root


@pytest.mark.requirement("R98")
def test_a_rewritten_log_is_shown_by_a_proof_that_anybody_can_check() -> None:
    for size in range(4, 7):
        old = honest_log().checkpoint(size)
        (finding,) = examined(forged_log().source(), old).report().findings

        (kind, prefix, *proof), first, second = pieces(finding)

        assert kind == "REWRITTEN"
        assert prefix.startswith("prefix ")
        (root,) = hashes([prefix])
        before, after = opened(first), opened(second)
        assert first == old
        assert root != before.root
        check_consistency(before.size, root, after.size, after.root, hashes(proof))
        with pytest.raises(ConsistencyError):
            check_consistency(
                before.size, before.root, after.size, after.root, hashes(proof)
            )


@pytest.mark.requirement("R49", "R98")
def test_a_replaced_record_is_shown_by_two_inclusion_proofs() -> None:
    old = honest_log().receipt(3)
    finding = examined(forged_log(later=9).source(), old).report().findings[-1]

    (kind, entry, *lines), *notes = pieces(finding)

    assert (kind, entry) == ("REPLACED", "entry 3")
    at = next(n for n, line in enumerate(lines) if line.startswith("second "))
    leaves = []
    for note, (leaf, *path) in zip(notes, (lines[:at], lines[at:]), strict=True):
        checkpoint = opened(note)
        leaves += hashes([leaf])
        check_inclusion(leaves[-1], 3, checkpoint.size, hashes(path), checkpoint.root)
    assert leaves == [hash_leaf(log.leaves[3]) for log in (honest_log(), forged_log())]


@pytest.mark.requirement("R98")
def test_a_truncation_is_shown_by_both_notes_with_their_cosignatures() -> None:
    source = honest_log(later=0).source()
    source.files["checkpoint"] = cosigned(source.files["checkpoint"], NOW + 9, "ngo")
    larger = cosigned(honest_log().checkpoint(), NOW, "ngo")
    (finding,) = examined(source, larger).report().findings

    assert pieces(finding) == (["TRUNCATED"], larger, source.files["checkpoint"])
