"""Every disclosure rests on a grant that held at that moment, or it is a violation.

This asks again, from the leaves alone, what the gate asked before data left: was
there an answer of this person, for this purpose and this recipient, that said yes to
this data, and nobody had stopped it?
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from consentkit.audit.batches import BatchPages
from consentkit.audit.report import Finding
from consentkit.audit.rules import fault
from consentkit.audit.standing import StandingAnswers
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.errors import VerificationError
from consentkit.log.batch import BatchEntry
from consentkit.log.batch import BatchTree
from consentkit.log.leaf import Leaf
from consentkit.log.merkle import EMPTY_ROOT

__all__ = ["Sharing"]

_EARLIER = "an entry of an earlier log"
_MAX_FAULTS = 100  # of one batch: more would say no more
_SHARES = frozenset({Kind.DISCLOSURE, Kind.DISCLOSURE_BATCH})


class Sharing:
    """10. grant and 11. suspension, for each disclosure.

    ``table`` must hold the state after the entries before the one that is checked. A
    batch names nobody: who was in it lies beside the log, in ``pages``, or nowhere.
    ``batches`` counts those of somebody in this log, ``shown`` those of them whose
    people lie there, as many as the entry says.
    """

    kinds = _SHARES | {Kind.SUSPENSION}

    def __init__(self, table: StandingAnswers) -> None:
        self._table = table
        self._suspended: dict[tuple[str, str], str] = {}
        self.pages: BatchPages | None = None
        self.batches = 0
        self.shown = 0

    def succeed(self) -> None:
        """Go on with the log that follows: what was stopped is stopped there, too."""
        self._suspended = dict.fromkeys(self._suspended, _EARLIER)
        self.batches = self.shown = 0

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body = leaf.body
        if body["kind"] == Kind.SUSPENSION:
            self._suspend(index, body)
            return ()
        # 10. grant
        if body["kind"] == Kind.DISCLOSURE_BATCH:
            found = list(self._check_batch(index, leaf))
        else:
            found = [fault("grant", index, what) for what in self._unfounded(body)]
        # 11. suspension: a batch of nobody is how it is refused
        if body.get("count") == 0:
            return found
        return found + self.check_stopped(index, body)

    def check_stopped(self, index: int, body: Mapping[str, Any]) -> list[Finding]:
        """11. for whatever handed data over, with purpose and recipient in ``body``."""
        if not self._suspended:
            return []
        stopped_by = self._stopped(body["purpose"], body["recipient"])
        return [fault("suspension", index, what) for what in stopped_by]

    def _check_batch(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """Each entry as if it were a disclosure; and all of them as the leaf says."""
        body, pages = leaf.body, self.pages
        self.batches += body["count"] > 0
        known = self._table.knows(body["purpose"], body["recipient"])
        if body["count"] and not known:
            yield fault("grant", index, "nobody was asked about this before")
        if (body["root"] == EMPTY_ROOT.hex()) != (body["count"] == 0):
            yield fault("batch", index, "its root is not one of so many entries")
        if pages is None or leaf.id not in pages.pages:
            return
        tree, count = BatchTree(_forget), 0
        wrong = self._check_people(index, body, pages.entries(leaf.id), tree)
        try:
            for count, finding in wrong:  # noqa: B007  the last count is asked for below
                if finding is not None:
                    yield finding
        except VerificationError as error:
            yield fault("batch", index, f"who was in it cannot be read: {error}")
            return
        if count != body["count"]:
            what = f"it is of {body['count']} people, {count} are shown"
            yield fault("batch", index, what)
            return
        self.shown += 1
        if tree.finish().hex() != body["root"]:
            yield fault("batch", index, "its root is of other people than are shown")

    def _check_people(
        self,
        index: int,
        body: Mapping[str, Any],
        entries: Iterator[BatchEntry],
        tree: BatchTree,
    ) -> Iterator[tuple[int, Finding | None]]:
        """What is wrong with each person, with how many there were up to them."""
        last, faults = "", 0
        for count, entry in enumerate(entries, start=1):
            tree.add([entry.hash])
            wrong = [
                ("grant", what) for what in self._unfounded({**body, **entry.to_dict()})
            ]
            if entry.subject <= last:
                wrong.append(("batch", "not in the order of the handles"))
            last = entry.subject
            faults += len(wrong)
            for step, what in wrong if faults <= _MAX_FAULTS else ():
                yield count, fault(step, index, f"person {count} in it: {what}")
            yield count, None

    def _suspend(self, index: int, body: Mapping[str, Any]) -> None:
        stopped = body["purpose"], body["recipient"]
        if body["action"] == "suspend":
            self._suspended.setdefault(stopped, f"entry {index}")
        else:
            self._suspended.pop(stopped, None)

    def _stopped(self, purpose: str, recipient: str) -> Iterator[str]:
        """What stops a sharing: of the purpose, the recipient, both, or everything."""
        for stopped in ((purpose, recipient), (purpose, ""), ("", recipient), ("", "")):
            if stopped in self._suspended:
                yield f"{self._suspended[stopped]} had stopped this sharing"

    def _unfounded(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Why no answer carries the disclosure in ``body``."""
        row = self._table.get(body["subject"], body["purpose"], body["recipient"])
        if row is None:
            if self._table.unknown_past:
                return
            yield "this person was never asked about this purpose and recipient"
            return
        if row.state not in AUTHORISING:
            yield f"the person's answer was {row.state} at that point"
            return
        entry = f"entry {row.entry}" if row.entry >= 0 else _EARLIER
        grant = f"the grant in {entry}"
        if not row.authorises(body["time"]):
            yield f"{grant} had expired"
        if not self._table.rests_on(row, body["record"], body["grant"]):
            yield f"it names another record than the one in force, {grant}"
        if not body["data"] or not row.data.issuperset(body["data"]):
            yield f"{grant} does not cover this data"
        if body["scope"] != row.scope:
            yield f"{grant} was given for another scope"


def _forget(_level: int, _number: int, _hashes: bytes) -> None:
    """Only the root of a batch's tree is asked for."""
