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

from consentkit.audit.report import Finding
from consentkit.audit.rules import fault
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

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body = leaf.body
        if body["kind"] == Kind.SUSPENSION:
            self._suspend(index, body)
            return ()
        # 10. grant
        unfounded = self._unfounded(body) if "subject" in body else ()
        found = [fault("grant", index, what) for what in unfounded]
        # 11. suspension
        if self._suspended:
            stopped_by = self._stopped(body["purpose"], body["recipient"])
            found += [fault("suspension", index, what) for what in stopped_by]
        return found

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
