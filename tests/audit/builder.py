"""Makes whole, valid logs in memory, so that tests can damage them one way at a time.

Every field of a leaf can be overridden; what is not given is what an honest log would
hold. Nothing here is random: the same calls give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import prove_inclusion
from consentkit.log.merkle import root_of
from consentkit.log.policy import Policy
from consentkit.log.policy import parse_policy
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import plan
from consentkit.log.sealing import Disclosure
from consentkit.log.sealing import commit
from consentkit.log.tiles import TileReader

ORIGIN = "wallet.example/consent/2026"
START = 1_767_225_600_000
YEAR = 31_536_000_000
SCOPE = "5" * 64
NOTICE = "a" * 64
ALICE = "a11ce" + "0" * 27
BOB = "b0b" + "0" * 29
EVIDENCE = (
    Disclosure.make("locale", "en-GB", bytes(16)),
    Disclosure.make("page", "/bill", bytes([1]) * 16),
)
FOREIGN = Ed25519Signer.from_seed(f"{ORIGIN}/collector/x", b"x" * 32)
SECOND = Ed25519Signer.from_seed(f"{ORIGIN}/collector/a2", b"2" * 32)
OFFER = {
    "data": ["contacts", "spending"],
    "optional": ["contacts"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "scope": SCOPE,
}


class MemorySource:
    """A log's files in a dict; ``unreadable`` ones are listed all the same."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.unreadable: set[str] = set()

    def read(self, path: str) -> bytes:
        if path not in self.files or path in self.unreadable:
            raise VerificationError(f"{path} is not there")
        return self.files[path]

    def paths(self) -> Iterator[str]:
        yield from sorted(self.files)


def answer(state: str = "given", **fields: Any) -> dict[str, Any]:
    """One choice of a leaf; a grant of the needed data for a year unless told."""
    grants = state in {"given", "renewed"}
    return {
        "data": ["spending"] if grants else [],
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "scope": SCOPE,
        "state": state,
        "until": START + YEAR if grants else 0,
        **fields,
    }


class LogBuilder:
    """A log that grows leaf by leaf; begins with genesis, key and notice."""

    def __init__(self, origin: str = ORIGIN, *, begin: bool = True) -> None:
        self.origin = origin
        self.log_key = Ed25519Signer.from_seed(origin, bytes([1]) * 32)
        self.collector = Ed25519Signer.from_seed(
            f"{origin}/collector/a1", bytes([2]) * 32
        )
        self.leaves: list[bytes] = []
        self.time = START
        self._heads: dict[str, tuple[int, str]] = {}
        if begin:
            self.genesis()
            self.key(self.collector, 0)
            self.notice()

    def add(
        self, kind: str, *, signer: Ed25519Signer | None = None, **fields: Any
    ) -> str:
        """Append a leaf; return its id."""
        self.time += 1_000
        body: dict[str, Any] = {
            "id": f"{len(self.leaves):032x}",
            "kind": kind,
            "log": self.origin,
            "time": self.time,
        }
        if "subject" in fields:
            seq, prev = self._heads.get(fields["subject"], (-1, ""))
            body |= {"seq": seq + 1, "prev": prev}
        body |= fields
        data = sign_leaf(body, signer or self.collector)
        self.append(data)
        return str(body["id"])

    def append(self, data: bytes) -> None:
        """Append bytes that are meant to be a leaf."""
        self.leaves.append(data)
        try:
            leaf = read_leaf(data)
        except VerificationError:
            return
        if leaf.subject is not None and leaf.seq is not None:
            self._heads[leaf.subject] = leaf.seq, leaf.hash.hex()

    def genesis(self) -> None:
        self.add("genesis", controller="wallet")

    def key(self, new: Ed25519Signer, first: int, **fields: Any) -> None:
        """Register ``new`` as a collector from index ``first``."""
        self.add(
            "key", **{"role": "collector", "vkey": new.vkey, "from": first, **fields}
        )

    def notice(self, digest: str = NOTICE, offers: Sequence[Any] = (OFFER,)) -> None:
        self.add(
            "notice", notice=digest, html="b" * 64, locale="en", offers=list(offers)
        )

    def choice(self, subject: str = ALICE, *choices: Any, **fields: Any) -> str:
        """A person's answer: yes to the one question, unless told otherwise."""
        challenge = f"{len(self.leaves):064x}"[::-1]
        return self.add(
            "choice",
            **{
                "subject": subject,
                "actor": "subject",
                "assurance": "session",
                "challenge": challenge,
                "channel": "web",
                "choices": list(choices) or [answer()],
                "evidence": commit(EVIDENCE),
                "notice": NOTICE,
                **fields,
            },
        )

    def revocation(self, subject: str = ALICE, *choices: Any, **fields: Any) -> str:
        return self.add(
            "revocation",
            **{
                "subject": subject,
                "actor": "subject",
                "assurance": "session",
                "challenge": "",
                "channel": "web",
                "choices": list(choices) or [answer("withdrawn")],
                "evidence": "e" * 64,
                **fields,
            },
        )

    def bring_in(self, subject: str = ALICE, *choices: Any, **fields: Any) -> str:
        """An import of what somebody else claims was said."""
        return self.add(
            "import",
            **{
                "subject": subject,
                "actor": "subject",
                "assurance": "asserted",
                "channel": "import",
                "choices": list(choices) or [answer()],
                "evidence": "e" * 64,
                "source": "old-system",
                **fields,
            },
        )

    def disclosure(self, record: str, subject: str = ALICE, **fields: Any) -> str:
        """A share that rests on the leaf with the id ``record``."""
        grant = hash_leaf(self.leaves[int(record, 16)]).hex()
        return self.add(
            "disclosure",
            **{
                "subject": subject,
                "amount": 12,
                "caller": "jobs.score",
                "channel": "server",
                "data": ["spending"],
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "record": record,
                "grant": grant,
                "scope": SCOPE,
                **fields,
            },
        )

    def batch(self) -> str:
        return self.add(
            "disclosure-batch",
            amount=900,
            caller="jobs.export",
            channel="server",
            count=3,
            data=["spending"],
            purpose="credit-score",
            recipient="acme-credit",
            root="c" * 64,
            withheld=1,
        )

    def denial(self, subject: str = ALICE) -> str:
        return self.add(
            "denial",
            subject=subject,
            amount=12,
            caller="jobs.score",
            channel="server",
            data=["spending"],
            purpose="credit-score",
            recipient="acme-credit",
            reason="withdrawn",
        )

    def suspension(self, action: str, purpose: str = "", recipient: str = "") -> str:
        return self.add(
            "suspension",
            action=action,
            evidence="e" * 64,
            purpose=purpose,
            recipient=recipient,
        )

    def erasure(self, subject: str = ALICE) -> str:
        return self.add("erasure", subject=subject, reason="request")

    def trust(self, *, pinned: bool = False) -> Trust:
        """The keys an auditor was given, the collector's too if ``pinned``."""
        keys = [self.log_key.vkey]
        return Trust.of([*keys, self.collector.vkey] if pinned else keys)

    def files(self, *sizes: int) -> dict[str, bytes]:
        """All files, published at each of ``sizes`` and at last in full."""
        return published(self.leaves, self.log_key, *sizes)

    def source(self, *sizes: int) -> MemorySource:
        return MemorySource(self.files(*sizes))

    def checkpoint(self, size: int | None = None) -> bytes:
        """The signed checkpoint of the first ``size`` leaves, of all unless told."""
        hashes = [hash_leaf(leaf) for leaf in self.leaves[:size]]
        checkpoint = Checkpoint(self.origin, len(hashes), root_of(hashes))
        return sign_checkpoint(checkpoint, self.log_key)

    def receipt(self, index: int) -> bytes:
        """The receipt of one leaf, at the log's present size."""
        files, size = self.files(), len(self.leaves)
        path = prove_inclusion(index, size, TileReader(files.__getitem__, size))
        return format_proof(
            TlogProof(index, tuple(path), files["checkpoint"], self.leaves[index])
        )


def witness(name: str) -> Ed25519Signer:
    """A witness's key, always the same for one name."""
    seed = name.encode().ljust(32, b"w")
    return Ed25519Signer.from_seed(
        f"{name}.example", seed, algorithm=Algorithm.COSIGNATURE_V1
    )


def cosigned(note: bytes, time: int, *witnesses: str) -> bytes:
    """The checkpoint with the cosignatures of these witnesses, all at ``time`` (s)."""
    lines = [cosign(note, witness(name), time=time) for name in witnesses]
    return add_cosignatures(note, lines)


def policy_of(*witnesses: str, threshold: str = "all") -> Policy:
    """A policy that asks for that many of these witnesses."""
    lines = [f"witness {name} {witness(name).vkey}" for name in witnesses]
    lines += [f"group all-of-them {threshold} {' '.join(witnesses)}"]
    return parse_policy("\n".join([*lines, "quorum all-of-them", ""]).encode())


def published(
    entries: Sequence[bytes], signer: Ed25519Signer, *sizes: int
) -> dict[str, bytes]:
    """The files of a log of ``entries``, those left over from ``sizes`` included."""
    files: dict[str, bytes] = {}
    frontier, checkpoint = Frontier.empty(), plan(signer.name, Frontier.empty(), [])
    for start, end in pairwise([0, *sizes, len(entries)]):
        checkpoint = plan(signer.name, frontier, entries[start:end])
        frontier = checkpoint.frontier
        files |= checkpoint.files
    signed = Checkpoint(signer.name, checkpoint.size, checkpoint.root)
    return {**files, "checkpoint": sign_checkpoint(signed, signer)}


def whole_log() -> LogBuilder:
    """A valid log with every kind of leaf in it."""
    log = LogBuilder()
    record = log.choice(ALICE)
    log.disclosure(record, ALICE)
    log.choice(BOB, answer("refused"))
    log.denial(BOB)
    log.bring_in("c" * 32)
    log.batch()
    log.suspension("suspend", "credit-score")
    log.suspension("resume", "credit-score")
    log.revocation(ALICE)
    log.add(
        "delivery",
        subject=ALICE,
        recipient="acme-credit",
        record=f"{len(log.leaves) - 1:032x}",
        status="delivered",
        attempts=1,
    )
    log.choice(ALICE, answer(data=["contacts", "spending"]), assurance="confirmed")
    log.erasure(ALICE)
    log.add("admin", action="role-change", target="dpo", evidence="e" * 64)
    log.add("closure", reason="period-over")
    return log


def places(log: LogBuilder, trust: Trust | None = None) -> list[tuple[str, int | None]]:
    """Step and entry of each finding of the records layer.

    The log layer has to be content, and no finding may quote a person's handle.
    """
    found = list(find_faults(log.source(), trust=trust or log.trust()))
    assert {finding.layer for finding in found} <= {Layer.RECORDS}
    assert not [f for f in found if ALICE in f.what or BOB in f.what]
    return [(finding.step, finding.entry) for finding in found]
