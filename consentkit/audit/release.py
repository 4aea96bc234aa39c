"""Whether a recipient may hold what it was sent, checked by the recipient itself.

It needs neither the sender's server nor a database: the line that came along, and the
keys of the sender's log and collectors, which came another way. What it shows:

* The collector wrote down, before the data left, that this very recipient gets these
  categories for this purpose, on which record, and until when that consent holds.
* With an inclusion proof the log has it, so that an auditor finds it. Without one it
  is a promise: the log has to hold it within ten minutes, and a recipient that keeps
  it can show that it was broken (``consentkit receipt --log``).
* With ``body`` it was about exactly these bytes.
* Of a batch it shows how many people it is about; with an entry, that one of them is
  in it, and the record that this rests on.

It does not show that the consent has not ended since: for that the sender tells its
recipients (``docs/recipients.md``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.receipt import step
from consentkit.audit.release_proof import RELEASE_HEADER
from consentkit.audit.release_proof import ReleaseProof
from consentkit.audit.release_proof import open_statement
from consentkit.audit.release_proof import parse_release
from consentkit.audit.report import format_time
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import open_leaf
from consentkit.log.merkle import check_inclusion
from consentkit.log.proof import parse_proof

if TYPE_CHECKING:
    from consentkit.audit.release_proof import Statement
    from consentkit.audit.trust import Trust
    from consentkit.log.batch import BatchEntry
    from consentkit.log.leaf import Leaf

__all__ = ["VerifiedRelease", "verify_release"]


@dataclass(frozen=True)
class VerifiedRelease:
    """What a recipient may do with the data that came along.

    ``disclosure`` is the id of the entry, new with every share: who has seen it before
    is shown a copy. ``record`` is the id under which the sender will tell of the end.
    ``until`` is the first instant at which the consent no longer holds. ``index`` is
    the entry's place in the log, None for a promise. ``bound`` says that it was about
    exactly the bytes that it was checked with. ``entry`` is the person of a batch that
    it is about, None for a single share and for the batch as a whole.
    """

    leaf: Leaf
    until: Millis
    collector: str
    index: int | None
    bound: bool
    entry: BatchEntry | None = None

    @property
    def disclosure(self) -> str:
        """The id of the entry about this share."""
        return self.leaf.id

    @property
    def record(self) -> str:
        """The id of the consent record that it rests on; empty for a whole batch."""
        if self.entry is not None:
            return self.entry.record
        return str(self.leaf.body.get("record", ""))

    @property
    def count(self) -> int:
        """How many people it is about."""
        return 1 if self.entry else int(self.leaf.body.get("count", 1))

    @property
    def purpose(self) -> str:
        """What the data may be used for."""
        return str(self.leaf.body["purpose"])

    @property
    def recipient(self) -> str:
        """Who may hold it."""
        return str(self.leaf.body["recipient"])

    @property
    def data(self) -> frozenset[str]:
        """The data categories that it may hold."""
        return frozenset(self.leaf.body["data"])

    @property
    def time(self) -> Millis:
        """When it was written down, by the collector's clock."""
        return Millis(self.leaf.time)

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable form; with ``count`` where it is of a batch."""
        of_batch = self.leaf.kind is Kind.DISCLOSURE_BATCH
        return {
            **({"count": self.count} if of_batch else {}),
            "bound": self.bound,
            "collector": self.collector,
            "data": sorted(self.data),
            "disclosure": self.disclosure,
            "index": "promised" if self.index is None else self.index,
            "log": self.leaf.log,
            "purpose": self.purpose,
            "recipient": self.recipient,
            "record": self.record,
            "time": self.time,
            "until": self.until,
        }


def verify_release(
    proof: str | bytes | None,
    *,
    trust: Trust,
    recipient: str,
    purpose: str = "",
    body: bytes | None = None,
    at: Millis | None = None,
) -> VerifiedRelease:
    """What ``proof`` permits ``recipient``, if it holds under keys from outside.

    ``proof`` is the header's value, as it came: None says that none came. ``purpose``
    is the one that it has to be for, if there is a choice; ``body`` are the bytes that
    came along with it; ``at`` is when they came, in milliseconds since the epoch, now
    if it is left out.

    Raises:
        VerificationError: it does not hold; ``step`` says which of the eight failed.
        ConfigurationError: there is no collector's key to check it with.
        TypeError: ``body`` is no bytes, or ``at`` no whole number.
    """
    _check_call(body, at)
    if not trust.collectors:
        raise ConfigurationError(
            "a release is signed by a collector, whose key is needed: one with "
            "'/collector/' in its name, which 'flask consent keys list' prints"
        )
    now = time.time_ns() // 1_000_000 if at is None else at
    # 1. form: a statement, and a leaf or the proof of one
    with step("form"):
        parts = parse_release(_as_text(proof))
    # 2. collector: both signed by one of this log's
    with step("collector"):
        leaf = open_leaf(parts.leaf, trust.collectors)
        statement = open_statement(parts.statement, trust.collectors)
    # 3. binding: the statement is about this leaf, and that is a share in this log;
    #    an entry is in the tree of this batch
    with step("binding"):
        _check_binding(leaf, statement, trust)
        if parts.entry is not None:
            parts.entry.check(leaf)
    # 4. recipient and 5. purpose: for whom, and what for
    _check_word("recipient", leaf, recipient)
    if purpose:
        _check_word("purpose", leaf, purpose)
    # 6. time: begun, and not over
    with step("time"):
        _check_time(leaf, statement, now)
    # 7. inclusion: in the log, or promised and not overdue
    with step("inclusion"):
        index = _included(parts, leaf, trust, now)
    # 8. body: exactly these bytes, if it speaks of any
    if body is not None and not statement.binds(body):
        raise VerificationError(
            "expected a proof of exactly the bytes that came; it is of others, or of "
            "none",
            step="body",
        )
    return VerifiedRelease(
        leaf,
        Millis(statement.until),
        ", ".join(leaf.signers),
        index,
        body is not None,
        parts.entry.entry if parts.entry else None,
    )


def _check_call(body: object, at: object) -> None:
    """Refuse a call that is wrong whatever came: its author has to hear of it."""
    if body is not None and not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(
            "expected 'body' as the bytes that came, before anything read them, such "
            f"as request.get_data(); got {type(body).__name__}"
        )
    if at is not None and type(at) is not int:
        raise TypeError(
            "expected 'at' as whole milliseconds since the epoch, such as "
            f"round(moment.timestamp() * 1000); got {type(at).__name__}"
        )


def _as_text(proof: object) -> str:
    """The line, as frameworks hand headers over: text, bytes, or None for none."""
    if not proof and isinstance(proof, str | bytes | None):
        raise MalformedError(f"no proof came: expected it in {RELEASE_HEADER}")
    if isinstance(proof, bytes):
        return proof.decode("latin-1")  # whatever is no base64url is refused by that
    if not isinstance(proof, str):
        raise MalformedError(
            f"expected the value of {RELEASE_HEADER}, got {type(proof).__name__}"
        )
    return proof


def _check_binding(leaf: Leaf, statement: Statement, trust: Trust) -> None:
    if statement.leaf != leaf.hash.hex():
        raise MalformedError("the statement is about another leaf")
    if leaf.kind not in {Kind.DISCLOSURE, Kind.DISCLOSURE_BATCH}:
        raise MalformedError(f"expected a disclosure, got an entry {leaf.kind.value!r}")
    if leaf.log != trust.origin:
        raise MalformedError(f"expected a leaf of {trust.origin!r}, got {leaf.log!r}")


def _check_word(name: str, leaf: Leaf, expected: str) -> None:
    found = leaf.body[name]
    if found != expected:
        raise VerificationError(
            f"expected a release for {name} {expected!r:.80}, got one for {found!r}",
            step=name,
        )


def _check_time(leaf: Leaf, statement: Statement, now: int) -> None:
    if leaf.time - now > MAX_SKEW_MS:
        raise VerificationError(f"it is of {format_time(leaf.time)}, which is to come")
    if now >= statement.until:
        raise VerificationError(
            f"the consent that it rests on held until {format_time(statement.until)}"
        )


def _included(parts: ReleaseProof, leaf: Leaf, trust: Trust, now: int) -> int | None:
    if parts.inclusion is None:
        due = leaf.time + MAX_DELAY_MS
        if now > due:
            raise InclusionError(
                f"it is a promise that was due at {format_time(due)}: expected a proof "
                "that the log holds it by now"
            )
        return None
    proof = parse_proof(parts.inclusion)
    checkpoint = open_checkpoint(proof.checkpoint, trust.log, origin=trust.origin)
    check_inclusion(
        leaf.hash, proof.index, checkpoint.size, proof.proof, checkpoint.root
    )
    return proof.index
