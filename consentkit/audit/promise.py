"""A receipt or a promise, held against the log as it is now.

The signed leaf that a person gets at once is the collector's promise: within
``rules.MAX_DELAY_MS`` it stands in the log. A log that by its own account is past
that, and lacks the leaf, has broken the promise; the leaf and the checkpoint show it.

What the clock here says does not count: only a moment at which a quorum cosigned the
log, or the time that the log's own last entry claims. So a log that stands still
breaks no promise, it only keeps none. A promise is worth what its key is worth: one
by a key that the log had ended, or that was stolen, shows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit import contradiction
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.history import HistoryCheck
from consentkit.audit.kept import History
from consentkit.audit.kept import Kept
from consentkit.audit.receipt import VerifiedReceipt
from consentkit.audit.receipt import open_evidence
from consentkit.audit.receipt import step
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import format_time
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.errors import ConfigurationError
from consentkit.errors import InclusionError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import root_of
from consentkit.log.policy import find_cosigners
from consentkit.log.tiles import TILE_HEIGHT
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import TileReader
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import entries_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.audit.bundle import Source
    from consentkit.audit.timestamps import TimeStamp
    from consentkit.audit.trust import Trust
    from consentkit.log.policy import Policy

__all__ = ["Comparison", "compare_with_log", "is_promise"]


@dataclass(frozen=True)
class Comparison:
    """What a receipt or promise says, and in what the log does not bear it out.

    ``receipt`` is None for a promise whose leaf is not in the log. ``log`` is the
    newest checkpoint that it was held against, None where no log was asked.
    """

    receipt: VerifiedReceipt | None
    findings: tuple[Finding, ...]
    log: Checkpoint | None = None

    @property
    def holds(self) -> bool:
        """Whether the record stands in the log at hand, and nothing speaks against."""
        return self.receipt is not None and not self.findings

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable form; ``receipt`` only if its leaf is in a log."""
        value: dict[str, Any] = {
            "findings": [finding.to_dict() for finding in self.findings],
            "holds": self.holds,
            "log": None,
        }
        if self.log is not None:
            value["log"] = {
                "origin": self.log.origin,
                "root": self.log.root.hex(),
                "size": self.log.size,
            }
        if self.receipt is None:
            return value
        return {**value, "receipt": self.receipt.to_dict()}

    def lines(self) -> Iterator[str]:
        """The same in words, the verdict last."""
        if self.receipt is not None:
            yield from self.receipt.lines()
        if self.receipt is not None and self.log is not None:
            yield (
                f"Held against the log as it is now: {self.log.size} entries, newest "
                f"checkpoint with the root {self.log.root.hex()}"
            )
        for finding in self.findings:
            yield from finding.lines()
        yield self._verdict()

    def _verdict(self) -> str:
        if not self.holds:
            return "DOES NOT HOLD"
        if self.receipt is not None and self.receipt.collector is None:
            return "holds (the collector's signature was not checked: give its --key)"
        return "holds"


def is_promise(data: bytes) -> bool:
    """Whether ``data`` begins as a bare leaf does, not as a receipt."""
    return data.startswith(LEAF_HEADER + b"\n")


def compare_with_log(
    data: bytes,
    *,
    source: Source,
    trust: Trust,
    policy: Policy | None = None,
    disclosures: bytes | None = None,
    stamp: TimeStamp | None = None,
) -> Comparison:
    """Check a receipt or a promise, then look for its leaf in the log at hand.

    Raises:
        VerificationError: the receipt or promise does not hold by itself, or the
            log's checkpoint or tiles cannot be relied on to tell.
        ConfigurationError: a promise without its collector's key.
        LogUnavailableError: the source cannot be read.
    """
    with step(CHECKPOINT):
        note = source.read(CHECKPOINT)
        checkpoint = open_checkpoint(note, trust.log, origin=trust.origin)
    newest = Kept(CHECKPOINT, note, checkpoint)
    if is_promise(data):
        leaf = _open_promise(data, trust)
        evidence = {} if disclosures is None else open_evidence(disclosures, leaf)
        history = History(policy=policy)
        findings = tuple(HistoryCheck(source, newest, history, trust=trust).check())
        with step("inclusion"):
            index, last = _find(source, checkpoint, leaf.hash)
        if index is None:
            latest = _latest(source, newest, last, policy)
            wrong = *findings, _judge(leaf, latest, newest)
            return Comparison(None, wrong, checkpoint)
        signers = ", ".join(leaf.signers)
        receipt = VerifiedReceipt(leaf, index, checkpoint, signers, evidence)
    else:
        receipt = verify_receipt(
            data, trust=trust, disclosures=disclosures, policy=policy, stamp=stamp
        )
        history = History.open([("the receipt", data)], trust=trust, policy=policy)
        findings = tuple(HistoryCheck(source, newest, history, trust=trust).check())
    return Comparison(receipt, findings, checkpoint)


def _open_promise(data: bytes, trust: Trust) -> Leaf:
    if not trust.collectors:
        raise ConfigurationError(
            "a promise is its collector's word: give the collector's key as well"
        )
    with step("collector"):
        leaf = open_leaf(data, trust.collectors)
        if leaf.log != trust.origin:
            raise InclusionError(
                f"expected a promise of {trust.origin!r}, got one of {leaf.log!r}"
            )
    return leaf


def _find(
    source: Source, checkpoint: Checkpoint, leaf_hash: bytes
) -> tuple[int | None, bytes]:
    """The index of a leaf, None if it is nowhere; and the hash of the last leaf.

    All leaf hashes are read, and have to lead to the signed root: that none of them
    is the one looked for is then as sure as the log's signature.
    """
    reader, tree = TileReader(source.read, checkpoint.size), CompactRange()
    found, last = None, b""
    while tree.size < checkpoint.size:
        hashes = reader.read_tile(0, tree.size // TILE_WIDTH)
        if leaf_hash in hashes:
            found = tree.size + hashes.index(leaf_hash)
        last = hashes[-1]
        if len(hashes) == TILE_WIDTH:
            tree.append(root_of(hashes), level=TILE_HEIGHT)
        else:
            for each in hashes:
                tree.append(each)
    if tree.root() != checkpoint.root:
        raise VerificationError("the leaf hashes do not lead to the signed root")
    return found, last


def _latest(
    source: Source, newest: Kept, last: bytes, policy: Policy | None
) -> tuple[int, str]:
    """The latest moment (ms) that the log is known to have reached, and how so."""
    known = [(0, "it says nothing about the time")]
    if policy is not None:
        seen = _seen(newest, policy)
        known += [(seen * 1_000, "a quorum cosigned it then")] if seen else []
    time = _time_of_last(source, newest.size, last)
    known += (
        [(time, f"that is the time of its entry {newest.size - 1}")] if time else []
    )
    return max(known)


def _seen(newest: Kept, policy: Policy) -> int | None:
    try:
        seen = policy.seen(find_cosigners(newest.note, policy))
    except VerificationError:
        return None  # the history layer has said what is wrong with it
    return seen.last if seen else None


def _time_of_last(source: Source, size: int, leaf_hash: bytes) -> int | None:
    """What the last entry claims, if it is there to be read."""
    if not size:
        return None
    width = (size - 1) % TILE_WIDTH + 1
    try:
        data = source.read(entries_path((size - 1) // TILE_WIDTH, width))
        leaf = read_leaf(decode_bundle(data, count=width)[-1])
    except VerificationError:
        return None
    return leaf.time if leaf.hash == leaf_hash else None


def _judge(leaf: Leaf, latest: tuple[int, str], newest: Kept) -> Finding:
    """A breach if the log has passed the moment by which the leaf had to be in."""
    due = leaf.time + MAX_DELAY_MS
    moment, reason = latest
    promised = f"record {leaf.id} was promised for {format_time(due)} at the latest"
    if moment <= due:
        what = f"{promised} and is not there yet; that is no breach before then"
        return Finding(Layer.HISTORY, "promise", None, what, InclusionError)
    what = (
        f"BREACH: {promised}; at {format_time(moment)} ({reason}) it is in none of "
        f"the log's {newest.size} entries"
    )
    proof = contradiction.broken_promise(leaf.data, newest.note, due=due)
    return Finding(Layer.HISTORY, "promise", None, what, InclusionError, proof)
