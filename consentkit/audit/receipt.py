"""A person's receipt, checked without us: leaf, place in the log, signed checkpoint.

The file is a C2SP ``tlog-proof`` whose ``extra`` is the leaf. What it proves and what
it does not:

* The log's key signed a tree that holds exactly this leaf at this index. So the
  operator cannot deny it, alter it, or keep a log without it unnoticed.
* Which *collector* wrote the leaf is shown only to those who hold that collector's
  key from outside: a receipt alone cannot show which keys the log registered. Without
  a collector key its signature is reported as "not checked", and the receipt still
  holds, on the strength of the log's key. With one, the leaf has to be signed by it.
* It does not prove that nothing was said afterwards, nor that others are shown the
  same log: for that hold it against the log of today (``consentkit receipt --log``).
* When it was said is the collector's claim. With a policy the checkpoint has to be
  cosigned by its quorum, and the receipt tells since when others have seen it. A
  time stamp over its checkpoint tells the same of an authority.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from consentkit.audit.report import format_time
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.timestamps import TIME_STAMP
from consentkit.audit.timestamps import TimeStamp
from consentkit.audit.timestamps import open_timestamp
from consentkit.audit.trust import Trust
from consentkit.audit.windows import TIME_WINDOW
from consentkit.audit.windows import claims_too_late
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.disclosing import Disclosure
from consentkit.log.disclosing import commit
from consentkit.log.disclosing import parse_disclosure
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import split_note
from consentkit.log.policy import Policy
from consentkit.log.policy import Seen
from consentkit.log.policy import check_policy
from consentkit.log.proof import TlogProof
from consentkit.log.proof import parse_proof

__all__ = ["VerifiedReceipt", "open_evidence", "step", "verify_receipt"]

_SAID = {
    State.REQUESTED: "was ASKED and has not answered",
    State.DEFERRED: "said LATER, which is no",
    State.REFUSED: "said NO",
    State.GIVEN: "said YES",
    State.RENEWED: "said YES again",
    State.WITHDRAWN: "WITHDREW the agreement",
    State.EXPIRED: "has an agreement that EXPIRED",
    State.REVOKED: "had the agreement REVOKED by somebody else",
    State.INVALIDATED: "had the agreement declared INVALID by somebody else",
}


@dataclass(frozen=True)
class VerifiedReceipt:
    """A receipt that holds.

    ``collector`` is the name of the key that is known to have signed the leaf, None
    if no collector key was given. ``evidence`` are the private facts that were shown
    and that the leaf commits to. ``seen`` is when a quorum of witnesses saw its
    checkpoint, None if none was asked for; ``stamped`` when an authority stamped it.
    """

    leaf: Leaf
    index: int
    checkpoint: Checkpoint
    collector: str | None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    seen: Seen | None = None
    stamped: Millis | None = None

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable form."""
        return {
            "checkpoint": {
                "origin": self.checkpoint.origin,
                "root": self.checkpoint.root.hex(),
                "size": self.checkpoint.size,
            },
            "collector": self.collector or "not checked",
            "evidence": dict(self.evidence),
            "index": self.index,
            "leaf": dict(self.leaf.body),
            "stamped": "not checked" if self.stamped is None else self.stamped,
            "witnessed": self.seen.first if self.seen else "not checked",
        }

    def lines(self) -> Iterator[str]:
        """What was said, in plain words, and what is known about it."""
        body = self.leaf.body
        yield f"On {format_time(self.leaf.time)} the person behind this receipt"
        for choice in body.get("choices", ()):
            yield from _choice_lines(choice)
        if "choices" not in body:
            yield f"  is named in a record of the kind {self.leaf.kind}"
        if "notice" in body:
            yield f"The text shown has the fingerprint {body['notice']}."
        if "assurance" in body:
            yield f"How far the person's own part is proven: {body['assurance']}."
        for name, value in self.evidence.items():
            yield f"Evidence shown: {name!r} = {value!r}"
        yield f"Record {self.leaf.id}, entry {self.index} of {self.checkpoint.origin}"
        yield f"in the tree of {self.checkpoint.size} entries that the log signed."
        yield f"Collector's signature: {self.collector or 'not checked'}"
        if self.seen is not None:
            moment = self.seen.first * 1_000
            yield f"A quorum of witnesses had seen it by {format_time(moment)}."
            yield from _before_lines(moment, self.leaf.time)
        if self.stamped is not None:
            at = format_time(self.stamped)
            yield f"An authority time-stamped it at {at}."
            yield from _before_lines(self.stamped, self.leaf.time)


def verify_receipt(
    data: bytes,
    *,
    trust: Trust,
    disclosures: bytes | None = None,
    policy: Policy | None = None,
    stamp: TimeStamp | None = None,
) -> VerifiedReceipt:
    """The receipt in ``data``, if it holds under keys that come from outside.

    ``disclosures`` is the JSON file beside it, an object that holds the RFC 9901
    disclosures as ``"disclosures": […]`` and, if only some of them are shown, the
    digests of the others as ``"withheld": […]``. A receipt in JSON is such a file.

    Raises:
        VerificationError: it does not hold; ``step`` says which of the eight failed.
        ConfigurationError: a time stamp is to be read without the extra ``tsa``.
    """
    # 1. form: it is a proof that carries a leaf
    with step("form"):
        proof = parse_proof(data)
        leaf = read_leaf(_extra(proof))
    # 2. checkpoint: signed by the log
    with step("checkpoint"):
        checkpoint = open_checkpoint(proof.checkpoint, trust.log, origin=trust.origin)
    # 3. inclusion: the leaf is in that tree, and was written for that log
    with step("inclusion"):
        check_inclusion(
            hash_leaf(leaf.data),
            proof.index,
            checkpoint.size,
            proof.proof,
            checkpoint.root,
        )
        if leaf.log != trust.origin:
            raise InclusionError(
                f"expected a record of {trust.origin!r}, got one of {leaf.log!r}"
            )
    # 4. quorum: cosigned as the policy asks, and 5. no younger than its witnesses
    seen = None
    if policy is not None:
        with step("quorum"):
            seen = policy.seen(check_policy(proof.checkpoint, policy))
        with step(TIME_WINDOW):
            _check_time(leaf, seen)
    # 6. collector: by a given key, if any is given
    collector = None
    if trust.collectors:
        with step("collector"):
            collector = ", ".join(open_leaf(leaf.data, trust.collectors).signers)
    # 7. evidence: what is shown is what the leaf commits to
    evidence = {} if disclosures is None else open_evidence(disclosures, leaf)
    # 8. time stamp: over this very checkpoint, and the leaf no younger than it
    stamped = None if stamp is None else _open_stamp(stamp, proof, leaf)
    return VerifiedReceipt(
        leaf, proof.index, checkpoint, collector, evidence, seen, stamped
    )


def open_evidence(data: bytes, leaf: Leaf) -> dict[str, Any]:
    """The private facts in a file of disclosures, if the leaf commits to them.

    Raises:
        VerificationError: it does not, or the file is not of that form.
    """
    with step("evidence"):
        shown, withheld = _read_disclosures(data)
        if commit(shown, withheld=withheld) != leaf.body.get("evidence"):
            raise InclusionError(
                "the disclosures are not those that the leaf commits to"
            )
    return {each.name: each.value for each in shown}


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name the step in whatever verification fails within."""
    try:
        yield
    except VerificationError as error:
        error.step = name
        raise


def _extra(proof: TlogProof) -> bytes:
    if proof.extra is None:
        raise MalformedError("expected the leaf in the receipt's 'extra' line")
    return proof.extra


def _read_disclosures(data: bytes) -> tuple[list[Disclosure], list[str]]:
    # The file itself vouches for nothing, so its spelling and what else stands in it
    # do not matter: each disclosure is in one spelling, and the leaf commits to all.
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError("expected JSON with the disclosures") from error
    if not isinstance(value, dict):
        raise MalformedError("expected a JSON object that holds 'disclosures'")
    shown = [parse_disclosure(each) for each in _texts(value.get("disclosures"))]
    return shown, _texts(value.get("withheld", []))


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise MalformedError("expected a list of texts")
    texts = [each for each in value if isinstance(each, str)]
    if len(texts) != len(value):
        raise MalformedError("expected a list of texts")
    return texts


def _open_stamp(stamp: TimeStamp, proof: TlogProof, leaf: Leaf) -> Millis:
    with step(TIME_STAMP):
        text = split_note(proof.checkpoint).text
        stamped = open_timestamp(stamp.reply, text=text, roots=stamp.roots)
    with step(TIME_WINDOW):
        if leaf.time - stamped > MAX_SKEW_MS:
            raise VerificationError(
                "it claims to be from after the log was time-stamped with it"
            )
    return stamped


def _check_time(leaf: Leaf, seen: Seen | None) -> None:
    if seen is not None and claims_too_late(leaf.time, seen):
        raise VerificationError("it claims to be from after the log was seen with it")


def _before_lines(moment: int, time: int) -> Iterator[str]:
    if moment - time > MAX_SKEW_MS:
        yield "For the time before, there is nothing but the collector's word."


def _choice_lines(choice: Mapping[str, Any]) -> Iterator[str]:
    state = State(choice["state"])
    yield f"  {_SAID[state]}"
    yield f"    purpose:   {choice['purpose']}"
    yield f"    recipient: {choice['recipient']}"
    if state in AUTHORISING:
        yield f"    data:      {', '.join(choice['data'])}"
        yield f"    until:     {format_time(choice['until'])}"
