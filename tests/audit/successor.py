"""Logs that continue another, as a change of a stolen log key leaves them."""

from __future__ import annotations

from typing import Any

from consentkit.log.encoding import encode_base64
from consentkit.log.merkle import hash_leaf

from .builder import ALICE
from .builder import SCOPE
from .builder import LogBuilder

NEXT = "wallet.example/consent/2026b"
THIRD = "wallet.example/consent/2026c"


class Successor(LogBuilder):
    """A log that begins where another ends; no id or challenge is of both."""

    def __init__(
        self, before: LogBuilder, origin: str = NEXT, *, note: bytes = b""
    ) -> None:
        self.before = before
        self.note = note or before.checkpoint()
        self.first: int = len(before.leaves) + getattr(before, "first", 0)
        super().__init__(origin)

    def add(self, kind: str, **fields: Any) -> str:
        self.time = max(self.time, self.before.time)
        if kind == "genesis":
            fields["previous"] = {
                "checkpoint": encode_base64(self.note).decode(),
                "reason": "key-compromise",
            }
        number = self.first + len(self.leaves)
        if fields.get("challenge"):
            fields["challenge"] = f"{number:064x}"[::-1]
        return super().add(kind, **{"id": f"{number:032x}", **fields})

    def share(self, record: str, leaf: bytes, **fields: Any) -> str:
        """A share on the grant in ``leaf``, of whichever log."""
        return self.add(
            "disclosure",
            **{
                "subject": ALICE,
                "amount": 1,
                "caller": "jobs.score",
                "channel": "server",
                "data": ["spending"],
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "record": record,
                "grant": hash_leaf(leaf).hex(),
                "scope": SCOPE,
                **fields,
            },
        )


def closed(log: LogBuilder, successor: str = NEXT) -> LogBuilder:
    log.add("closure", reason="key-compromise", successor=successor)
    return log
