"""What lies beside the entries, held against the entries: keys, texts, evidence.

Steps of the records layer, in the numbers of ``consentkit.audit.verify``:

12. keys: the file ``keys`` lists what the entries register, and nothing else;
13. texts: each notice that was logged is there, hashes to the digest in its entry,
    and offers what the entry says; no other is there;
14. evidence: the private facts in ``disclosures/`` are those that entries commit to.
    Who was in a batch is held against its entry by ``sharing``; here it is only seen
    to that there is such an entry.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from consentkit.audit.annexed import KEYS
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import batch_pages_in
from consentkit.audit.annexed import check_disclosures
from consentkit.audit.annexed import disclosure_path
from consentkit.audit.annexed import disclosures_in
from consentkit.audit.annexed import format_keys
from consentkit.audit.annexed import notice_paths
from consentkit.audit.annexed import notices_in
from consentkit.audit.receipt import open_evidence
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.search import may_register
from consentkit.audit.search import search_leaves
from consentkit.audit.source import named
from consentkit.core.act import Kind
from consentkit.core.notice import Notice
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Mapping
    from typing import Any

    from consentkit.audit.bundle import Source
    from consentkit.log.leaf import Leaf

__all__ = ["OFFICIAL", "AnnexCheck", "open_notice"]

OFFICIAL = (Kind.ADMIN, Kind.SUSPENSION)
"""The kinds of leaf that record what officials did: administrative acts."""

_ID = re.compile(rb'"id":"([0-9a-f]{32})"')


def open_notice(source: Source, body: Mapping[str, Any]) -> Notice:
    """The notice that the ``notice`` leaf of this body logged, from its two files.

    Raises:
        VerificationError: a file is not there, or not what the leaf says.
    """
    manifest, html = map(source.read, notice_paths(body["notice"]))
    if hashlib.sha256(manifest).hexdigest() != body["notice"]:
        raise InclusionError("the manifest does not hash to the digest in its name")
    if hashlib.sha256(html).hexdigest() != body["html"]:
        raise InclusionError("the text does not hash to what the entry says")
    notice = Notice.from_bytes(manifest, html)
    said = {"locale": body["locale"], "offers": body["offers"]}
    if {name: notice.manifest[name] for name in said} != said:
        raise InclusionError("the manifest offers otherwise than the entry says")
    return notice


class AnnexCheck:
    """Reads the log once more, for the entries that its annexes belong to.

    A folder with neither manifest nor notices is a published log and not an export:
    there no notice is missed. ``official`` counts the administrative acts whose private
    facts lie there, and are theirs.
    """

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._keys: list[Mapping[str, Any]] = []
        self._notices: dict[str, tuple[int, Leaf]] = {}
        self._committed: dict[str, tuple[int, Leaf]] = {}
        self.official = 0

    def check(self, paths: Collection[str]) -> Iterator[Finding]:
        """12. to 14.: in what the files called ``paths`` differ from the entries."""
        texts, disclosed = notices_in(paths), disclosures_in(paths)
        is_export = MANIFEST in paths or texts
        batches = set(batch_pages_in(paths))
        if not (is_export or disclosed or batches or KEYS in paths):
            return
        self._read(disclosed | batches)
        # 12. keys
        if KEYS in paths:
            yield from self._check_keys()
        # 13. texts
        if is_export:
            yield from self._check_texts(texts)
        # 14. evidence
        for leaf_id in sorted(disclosed):
            yield from self._check_evidence(leaf_id)
        for leaf_id in sorted(batches):
            _, leaf = self._committed.get(leaf_id, (None, None))
            if leaf is None or leaf.kind is not Kind.DISCLOSURE_BATCH:
                yield _finding("batch", f"batches/{leaf_id}: no entry is of that batch")

    def _read(self, disclosed: Collection[str]) -> None:
        ids = {leaf_id.encode() for leaf_id in disclosed}

        def may_matter(data: bytes) -> bool:
            return may_register(data) or not ids.isdisjoint(_ID.findall(data))

        for index, leaf in search_leaves(self._source, self._size, may_matter):
            if leaf.id in disclosed:
                self._committed.setdefault(leaf.id, (index, leaf))
            if leaf.kind == Kind.KEY:
                self._keys.append(leaf.body)
            elif leaf.kind == Kind.NOTICE:
                self._notices.setdefault(leaf.body["notice"], (index, leaf))

    def _check_keys(self) -> Iterator[Finding]:
        try:
            listed = self._source.read(KEYS)
        except VerificationError as error:
            yield _finding("keys", str(error), error)
            return
        if listed != format_keys(self._keys):
            yield _finding("keys", f"{KEYS} does not list what the entries register")

    def _check_texts(self, texts: Collection[str]) -> Iterator[Finding]:
        for digest, (index, leaf) in self._notices.items():
            try:
                open_notice(self._source, leaf.body)
            except VerificationError as error:
                what = f"the notice {digest}: {error}"
                yield _finding("texts", what, error, entry=index)
        for digest in sorted(set(texts) - set(self._notices)):
            yield _finding("texts", f"the notice {digest} was never logged")

    def _check_evidence(self, leaf_id: str) -> Iterator[Finding]:
        path = disclosure_path(leaf_id)
        index, leaf = self._committed.get(leaf_id, (None, None))
        try:
            data = self._source.read(path)
            check_disclosures(data)
            if leaf is None:
                raise MalformedError("no entry has that id")
            open_evidence(data, leaf)
        except VerificationError as error:
            yield _finding("evidence", named(path, error), error, entry=index)
        else:
            self.official += leaf.kind in OFFICIAL


def _finding(
    step: str,
    what: str,
    error: VerificationError | None = None,
    *,
    entry: int | None = None,
) -> Finding:
    cause = VerificationError if error is None else type(error)
    return Finding(Layer.RECORDS, step, entry, what, cause)
