"""Every disclosure rests on a grant that held at that moment, or it is a violation.

This asks again, from the leaves alone, what the gate asked before data left: was
there an answer of this person, for this purpose and this recipient, that said yes to
this data, and nobody had stopped it?
"""

from __future__ import annotations

from collections.abc import Iterator

from consentkit.audit.replay import Row
from consentkit.audit.replay import StateTable
from consentkit.audit.report import Finding
from consentkit.audit.rules import fault
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.log.leaf import Leaf

__all__ = ["Sharing"]

_SHARES = frozenset({Kind.DISCLOSURE, Kind.DISCLOSURE_BATCH})


class Sharing:
    """10. grant and 11. suspension, for each disclosure.

    ``table`` must hold the state after the entries before the one that is checked. A
    batch names no subjects: whom it covers is shown person by person, from outside.
    """

    def __init__(self, table: StateTable) -> None:
        self._table = table
        self._suspended: dict[tuple[str, str], int] = {}

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """See ``Rule.check``."""
        if leaf.kind == Kind.SUSPENSION:
            self._suspend(index, leaf)
        if leaf.kind not in _SHARES:
            return
        purpose, recipient = leaf.body["purpose"], leaf.body["recipient"]
        # 10. grant
        if leaf.subject is not None:
            row = self._table.get(leaf.subject, purpose, recipient)
            for what in _unfounded(leaf, row):
                yield fault("grant", index, what)
        # 11. suspension: of the purpose, of the recipient, of both, or of everything
        for stopped in ((purpose, recipient), (purpose, ""), ("", recipient), ("", "")):
            if stopped in self._suspended:
                what = f"entry {self._suspended[stopped]} had stopped this sharing"
                yield fault("suspension", index, what)

    def _suspend(self, index: int, leaf: Leaf) -> None:
        stopped = leaf.body["purpose"], leaf.body["recipient"]
        if leaf.body["action"] == "suspend":
            self._suspended.setdefault(stopped, index)
        else:
            self._suspended.pop(stopped, None)


def _unfounded(leaf: Leaf, row: Row | None) -> Iterator[str]:
    """Why the answer in ``row`` does not carry the disclosure in ``leaf``."""
    if row is None:
        yield "this person was never asked about this purpose and recipient"
        return
    status, body = row.status, leaf.body
    if status.state not in AUTHORISING:
        yield f"the person's answer was {status.state} at that point"
        return
    if not status.authorises(Millis(leaf.time)):
        yield f"the grant {status.record} had expired"
    if (body["record"], body["grant"]) != (status.record, row.grant):
        yield f"it names another record than the grant in force, {status.record}"
    if not body["data"] or set(body["data"]) - status.data:
        yield f"the grant {status.record} does not cover this data"
    if body["scope"] != status.scope:
        yield f"the grant {status.record} was given for another scope"
