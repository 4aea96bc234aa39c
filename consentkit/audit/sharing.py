"""Every disclosure rests on a grant that held at that moment, or it is a violation.

This asks again, from the leaves alone, what the gate asked before data left: was
there an answer of this person, for this purpose and this recipient, that said yes to
this data, and nobody had stopped it?
"""

from __future__ import annotations

from collections.abc import Iterator

from consentkit.audit.report import Finding
from consentkit.audit.rules import fault
from consentkit.audit.standing import Standing
from consentkit.audit.standing import StandingAnswers
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.log.leaf import Leaf

__all__ = ["Sharing"]

_EARLIER = "an entry of an earlier log"
_SHARES = frozenset({Kind.DISCLOSURE, Kind.DISCLOSURE_BATCH})


class Sharing:
    """10. grant and 11. suspension, for each disclosure.

    ``table`` must hold the state after the entries before the one that is checked. A
    batch names no subjects: whom it covers is shown person by person, from outside.
    """

    kinds = _SHARES | {Kind.SUSPENSION}

    def __init__(self, table: StandingAnswers) -> None:
        self._table = table
        self._suspended: dict[tuple[str, str], str] = {}

    def succeed(self) -> None:
        """Go on with the log that follows: what was stopped is stopped there, too."""
        self._suspended = dict.fromkeys(self._suspended, _EARLIER)

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
            for what in self._unfounded(leaf, row):
                yield fault("grant", index, what)
        # 11. suspension: of the purpose, of the recipient, of both, or of everything
        for stopped in ((purpose, recipient), (purpose, ""), ("", recipient), ("", "")):
            if stopped in self._suspended:
                what = f"{self._suspended[stopped]} had stopped this sharing"
                yield fault("suspension", index, what)

    def _suspend(self, index: int, leaf: Leaf) -> None:
        stopped = leaf.body["purpose"], leaf.body["recipient"]
        if leaf.body["action"] == "suspend":
            self._suspended.setdefault(stopped, f"entry {index}")
        else:
            self._suspended.pop(stopped, None)

    def _unfounded(self, leaf: Leaf, row: Standing | None) -> Iterator[str]:
        """Why the answer in ``row`` does not carry the disclosure in ``leaf``."""
        body = leaf.body
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
        if not row.authorises(leaf.time):
            yield f"{grant} had expired"
        if not self._table.rests_on(row, body["record"], body["grant"]):
            yield f"it names another record than the one in force, {grant}"
        if not body["data"] or not row.data.issuperset(body["data"]):
            yield f"{grant} does not cover this data"
        if body["scope"] != row.scope:
            yield f"{grant} was given for another scope"
