"""What was released without consent, on which basis; it rests on no grant.

An official's act names a person's entry that follows it: a denial, since consent did
not cover it. Only together do they say that data was handed over, so that whoever
counts shares never counts these (``docs/adr/0024``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any

from consentkit.audit.report import Finding
from consentkit.audit.report import Released
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.rules import fault
from consentkit.audit.sharing import Sharing
from consentkit.audit.standing import StandingAnswers
from consentkit.core.act import Kind
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import RELEASE_ACTIONS
from consentkit.core.legal_basis import RELEASE_PREFIX
from consentkit.log.leaf import Leaf

__all__ = ["Releases"]

_ID = re.compile(r"[0-9a-f]{32}\Z")


class Releases:
    """16. release: each names its basis and one entry, which nobody was asked about.

    ``table`` and ``sharing`` must hold the state after the entries before the one that
    is checked. ``found`` are those that were told in full.
    """

    kinds = frozenset({Kind.ADMIN, Kind.DENIAL})

    def __init__(self, table: StandingAnswers, sharing: Sharing) -> None:
        self._table = table
        self._sharing = sharing
        self._named: dict[str, tuple[int, Leaf]] = {}
        self.found: list[Released] = []

    def check(self, index: int, leaf: Leaf) -> Iterable[Finding]:
        """See ``Rule.check``."""
        body = leaf.body
        if body["kind"] == Kind.ADMIN:
            wrong = self._name(index, leaf)
            return [fault("release", index, what) for what in wrong]
        act = self._named.pop(body["id"], None) if self._named else None
        if act is None:
            return ()
        self.found.append(_released(act, index, body))
        faults = [fault("release", index, what) for what in self._unfit(body)]
        return faults + self._sharing.check_stopped(index, body)

    def finish(self, latest: int) -> Iterator[Finding]:
        """Acts whose entry never came, though the log goes on until ``latest``.

        Both are written at once; a checkpoint may come between them.
        """
        for index, leaf in self._named.values():
            if latest - leaf.time > MAX_DELAY_MS:
                what = f"the entry {leaf.body['target']} that it names did not follow"
                yield fault("release", index, what)

    def _name(self, index: int, leaf: Leaf) -> Iterator[str]:
        action, target = leaf.body["action"], leaf.body["target"]
        if not action.startswith(RELEASE_PREFIX):
            return
        if action not in RELEASE_ACTIONS:
            yield f"{action!r:.80} names no basis for a release without consent"
        elif not _ID.match(target) or target in self._named:
            yield "it does not name one entry of a person that is to follow"
        else:
            self._named[target] = index, leaf

    def _unfit(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Why what is named cannot have been released by law."""
        if body["reason"] != Reason.NOT_ASKED or not body["data"]:
            yield "what is named as released is another refusal"
        key = body["subject"], body["purpose"], body["recipient"]
        if self._table.get(*key) is not None:
            yield "this person had been asked about this purpose and recipient"


def _released(act: tuple[int, Leaf], index: int, body: Mapping[str, Any]) -> Released:
    entry, leaf = act
    return Released(
        entry=entry,
        line=index,
        time=leaf.time,
        basis=RELEASE_ACTIONS[leaf.body["action"]].value,
        purpose=body["purpose"],
        recipient=body["recipient"],
        data=tuple(body["data"]),
    )
