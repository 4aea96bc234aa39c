"""Are the batches what their leaves say? Entries are hashed anew, tree and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.log.batch import BatchTree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.batches import BatchRow

__all__ = ["batch_differences"]


def batch_differences(
    installation: Installation, told: Mapping[str, Leaf]
) -> Iterator[str]:
    """Each batch that is not what its leaf says; ``told`` are those not purged.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    stored = {each.leaf: each for each in installation.batches.all()}
    for leaf_id in sorted(told.keys() | stored.keys()):
        if leaf_id not in stored:
            yield f"batch {leaf_id}: the batch table does not list it"
        elif leaf_id not in told:
            yield f"batch {leaf_id}: the batch table lists it, and no leaf says so"
        else:
            for what in _compare(installation, stored[leaf_id], told[leaf_id]):
                yield f"batch {leaf_id}: {what}"


def _compare(installation: Installation, row: BatchRow, leaf: Leaf) -> Iterator[str]:
    body = leaf.body
    said = {
        "time": leaf.time,
        "purpose": body["purpose"],
        "recipient": body["recipient"],
        "data": " ".join(body["data"]),
        "size": body["count"],
    }
    differ = [name for name, value in said.items() if getattr(row, name) != value]
    if differ:
        yield f"the batch table lists it with other {', '.join(differ)}"
    differing: list[tuple[int, int]] = []

    def compare(level: int, number: int, hashes: bytes) -> None:
        if installation.batches.hashes(row, level, number) != hashes:
            differing.append((level, number))

    tree = BatchTree(compare)
    count = 0
    for entries in installation.batches.entries(row):
        tree.add(each.hash for each in entries)
        count += len(entries)
    root = tree.finish().hex()
    if count != body["count"]:
        yield f"the leaf names {body['count']} people, the entries are {count}"
    elif root != body["root"]:
        yield "the entries are not those that its leaf names"
    elif differing:
        yield "the tree is not that of its entries"
    # Of those who were erased since, nothing is listed any more.
    if installation.batches.withheld(row) > body["withheld"]:
        yield "more people are listed as withheld than its leaf counts"
