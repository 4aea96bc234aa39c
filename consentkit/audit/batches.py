"""Who was in the batches, where an auditor's folder shows it: by handle, page by page.

A page is a file ``batches/<id of the leaf>/<number>.jsonl`` with the second lines of up
to 4,096 entries (``consentkit.log.batch``), each with its end, in the tree's order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.annexed import batch_page_path
from consentkit.audit.annexed import batch_pages_in
from consentkit.errors import MalformedError
from consentkit.log.batch import BatchEntry
from consentkit.log.batch import parse_entry

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.audit.source import Source

__all__ = ["PAGE_ENTRIES", "BatchPages", "format_page"]

PAGE_ENTRIES = 4_096
"""Entries on a page: some 990 kB."""


def format_page(entries: Collection[BatchEntry]) -> bytes:
    """The page of these entries."""
    return b"".join(each.line + b"\n" for each in entries)


class BatchPages:
    """The pages of one folder; none where it cannot be listed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: Mapping[str, int] | None = None

    @property
    def pages(self) -> Mapping[str, int]:
        """How many pages there are, by the id of the batch's leaf."""
        if self._known is None:
            self._known = batch_pages_in(self._source.paths() or ())
        return self._known

    def entries(self, leaf_id: str) -> Iterator[BatchEntry]:
        """Everybody in one batch, in the order of its pages.

        Raises:
            VerificationError: a page is missing, or not of that form.
        """
        for number in range(self.pages.get(leaf_id, 0)):
            yield from self._page(leaf_id, number)

    def find(self, leaf_id: str, handle: str) -> BatchEntry | None:
        """One person's entry, None if they are in none of the pages.

        Raises as ``entries`` does.
        """
        low, high = 0, self.pages.get(leaf_id, 0)
        while low < high:  # pages are in the order of the handles
            middle = (low + high) // 2
            page = self._page(leaf_id, middle)
            if handle > page[-1].subject:
                low = middle + 1
            elif handle < page[0].subject:
                high = middle
            else:
                return next((each for each in page if each.subject == handle), None)
        return None

    def _page(self, leaf_id: str, number: int) -> list[BatchEntry]:
        data = self._source.read(batch_page_path(leaf_id, number))
        lines = data.split(b"\n")
        if lines.pop() or not 0 < len(lines) <= PAGE_ENTRIES:
            raise MalformedError(f"expected 1 to {PAGE_ENTRIES} lines on a page")
        return list(map(parse_entry, lines))
