"""Looking for some entries of a log, among many that are passed over unread.

An entry is canonical JSON, so each fact in it has one spelling: a search for bytes
finds every entry that could matter, at a small part of what parsing all would cost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.audit.tree import walk_bundles
from consentkit.errors import VerificationError
from consentkit.log.leaf import read_leaf

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.audit.bundle import Source
    from consentkit.log.leaf import Leaf

__all__ = ["may_register", "search_leaves"]

_REGISTERING = re.compile(rb'"kind":"(?:key|notice)"')


def search_leaves(
    source: Source, size: int, may_matter: Callable[[bytes], object]
) -> Iterator[tuple[int, Leaf]]:
    """The entries among the first ``size`` whose bytes may matter, with their indices.

    ``may_matter`` sees whole bundles as well as entries, so it may only ask what
    occurs in them. Nothing is verified, and what cannot be read is passed over: that
    is for the log and the records layer to name.

    Raises:
        LogUnavailableError: the source stopped answering.
    """
    for bundle in walk_bundles(source, size):
        if bundle.entries is None or not may_matter(bundle.data):
            continue
        for place, data in enumerate(bundle.entries):
            if not may_matter(data):
                continue
            try:
                leaf = read_leaf(data)
            except VerificationError:
                continue
            yield bundle.first + place, leaf


def may_register(data: bytes) -> bool:
    """Whether a key or a notice can be logged in these bytes."""
    return _REGISTERING.search(data) is not None
