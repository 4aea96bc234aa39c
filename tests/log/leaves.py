"""A body of each kind of leaf, and bodies that say something else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consentkit.core import canonical
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.note import sign_note

__all__ = [
    "ACTED",
    "BODIES",
    "COLLECTOR",
    "COMMON",
    "FIELDS",
    "GIVEN",
    "HEX_128",
    "HEX_256",
    "LOG",
    "MALFORMED_BODIES",
    "OFFER",
    "OPTIONAL",
    "ORIGIN",
    "OWN",
    "PERSON",
    "REFUSED",
    "SHARE",
    "VECTORS",
    "WITHDRAWN",
    "changed",
    "choice",
    "ended",
    "signed",
]

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

ORIGIN = "wallet.example/consent/2026"
COLLECTOR = Ed25519Signer.from_seed(f"{ORIGIN}/collector/a1", bytes([1]) * 32)
LOG = Ed25519Signer.from_seed(ORIGIN, bytes([2]) * 32)

HEX_128 = "0123456789abcdef" * 2
HEX_256 = "0123456789abcdef" * 4

COMMON = {"id": HEX_128, "log": ORIGIN, "time": 1_767_225_600_123}
PERSON = {"subject": HEX_128, "seq": 3, "prev": HEX_256}
ACTED = {"actor": "subject", "channel": "web", "evidence": HEX_256}
SHARE = {
    "amount": 12,
    "caller": "statements.send",
    "channel": "server",
    "data": ["spending"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
}
GIVEN = {
    "data": ["income", "spending"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "scope": HEX_256,
    "state": "given",
    "until": 1_798_761_600_000,
}
REFUSED = {
    **GIVEN,
    "data": [],
    "purpose": "offers.cross-border",
    "state": "refused",
    "until": 0,
}
WITHDRAWN = {**GIVEN, "data": [], "state": "withdrawn", "until": 0}
OFFER = {
    "data": ["income", "spending"],
    "optional": ["income"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "scope": HEX_256,
}

FIELDS: dict[str, dict[str, Any]] = {
    "genesis": {
        "controller": "wallet",
        "previous": {
            "checkpoint": base64.b64encode(
                OWN["checkpoint"]["signed"].encode()
            ).decode(),
            "reason": "key-compromise",
        },
    },
    "key": {"from": 0, "role": "collector", "until": 9, "vkey": COLLECTOR.vkey},
    "notice": {
        "html": HEX_256,
        "locale": "zh-Hans-CN",
        "notice": HEX_256,
        "offers": [OFFER],
    },
    "choice": PERSON
    | ACTED
    | {
        "assurance": "session",
        "challenge": HEX_256,
        "choices": [GIVEN, REFUSED],
        "notice": HEX_256,
    },
    "revocation": PERSON
    | ACTED
    | {"assurance": "session", "challenge": "", "choices": [WITHDRAWN]},
    "disclosure": PERSON
    | SHARE
    | {"grant": HEX_256, "record": HEX_128, "scope": HEX_256},
    "disclosure-batch": SHARE | {"count": 2, "root": HEX_256, "withheld": 1},
    "denial": PERSON | SHARE | {"reason": "not_asked"},
    "suspension": {
        "action": "suspend",
        "evidence": HEX_256,
        "purpose": "credit-score",
        "recipient": "",
    },
    "erasure": PERSON | {"evidence": HEX_256, "reason": "request"},
    "delivery": PERSON
    | {
        "attempts": 3,
        "recipient": "acme-credit",
        "record": HEX_128,
        "status": "acknowledged",
    },
    "import": PERSON
    | ACTED
    | {"assurance": "asserted", "choices": [WITHDRAWN], "source": "crm-2025"},
    "closure": {"reason": "end-of-period", "successor": "wallet.example/consent/2027"},
    "admin": {"action": "publish", "evidence": HEX_256, "target": "credit-score"},
}
BODIES = {kind: {**COMMON, "kind": kind, **FIELDS[kind]} for kind in FIELDS}
OPTIONAL = {
    "genesis": {"previous"},
    "key": {"until"},
    "erasure": {"evidence"},
    "closure": {"successor"},
}


def signed(body: Mapping[str, Any], *signers: Ed25519Signer) -> bytes:
    """A leaf of any body whatever, as somebody with the collector's key could make."""
    text = LEAF_HEADER + b"\n" + canonical.encode(body) + b"\n"
    return sign_note(text, *(signers or [COLLECTOR]))


def changed(kind: str, /, **fields: Any) -> dict[str, Any]:
    return {**BODIES[kind], **{name.rstrip("_"): fields[name] for name in fields}}


def choice(**fields: Any) -> dict[str, Any]:
    return changed("choice", choices=[{**GIVEN, **fields}])


def ended(state: str, *, actor: str) -> dict[str, Any]:
    return changed("revocation", actor=actor, choices=[{**WITHDRAWN, "state": state}])


MALFORMED_BODIES = {
    "unknown kind": changed("closure", kind="opening"),
    "kind in capitals": changed("closure", kind="CLOSURE"),
    "id in capitals": changed("closure", id=HEX_128.upper()),
    "id too short": changed("closure", id=HEX_128[:-1]),
    "time beyond 2^53-1": changed("closure", time=2**53 - 1 + 1),
    "empty log": changed("closure", log=""),
    "log with a plus": changed("closure", log="a+b"),
    "first leaf with a previous one": changed("choice", seq=0),
    "later leaf without a previous one": changed("choice", prev=""),
    "prev cut short": changed("choice", prev=HEX_128),
    "unknown actor": changed("choice", actor="robot"),
    "unknown channel": changed("choice", channel="pigeon"),
    "unknown assurance": changed("choice", assurance="certain"),
    "choice without challenge": changed("choice", challenge=""),
    "no choices": changed("choice", choices=[]),
    "choices unsorted": changed("choice", choices=[REFUSED, GIVEN]),
    "one question answered twice": changed("choice", choices=[GIVEN, GIVEN]),
    "unknown state": choice(state="maybe"),
    "choice that withdraws": choice(state="withdrawn", data=[], until=0),
    "grant without data": choice(data=[]),
    "grant without end": choice(until=0),
    "refusal with data": choice(state="refused", until=0),
    "refusal with an end": choice(state="refused", data=[]),
    "data unsorted": choice(data=["spending", "income"]),
    "data twice": choice(data=["income", "income"]),
    "data with a capital": choice(data=["Income"]),
    "purpose too long": choice(purpose="a" * 65),
    "purpose with another suffix": choice(purpose="a.other"),
    "recipient with the suffix": choice(recipient="a.cross-border"),
    "recipient that begins with a hyphen": choice(recipient="-a"),
    "scope cut short": choice(scope=HEX_128),
    "choice with a foreign field": choice(comment="x"),
    "revocation that grants": changed("revocation", choices=[GIVEN]),
    "revocation that refuses": changed("revocation", choices=[REFUSED]),
    "withdrawal by the controller": ended("withdrawn", actor="controller"),
    "withdrawal by an authority": ended("withdrawn", actor="authority"),
    "withdrawal by the system": ended("withdrawn", actor="system"),
    "revocation by the person": ended("revoked", actor="subject"),
    "revocation by a guardian": ended("revoked", actor="guardian"),
    "invalidation by the person": ended("invalidated", actor="subject"),
    "expiry by a delegate": ended("expired", actor="delegate"),
    "withdrawal and invalidation in one": changed(
        "revocation",
        choices=[WITHDRAWN, {**WITHDRAWN, "recipient": "b", "state": "invalidated"}],
    ),
    "import that claims more": changed("import", assurance="session"),
    "denial because granted": changed("denial", reason="granted"),
    "denial for an unknown reason": changed("denial", reason="because"),
    "disclosure without the grant": changed("disclosure", grant=""),
    "delivery of unknown outcome": changed("delivery", status="lost"),
    "suspension that does neither": changed("suspension", action="pause"),
    "locale with an underscore": changed("notice", locale="zh_CN"),
    "notice that offers nothing": changed("notice", offers=[]),
    "optional data that is not offered": changed(
        "notice", offers=[{**OFFER, "optional": ["photos"]}]
    ),
    "key of an unknown role": changed("key", role="publisher"),
    "key that ends before it begins": changed("key", from_=9),
    "key with a wrong id": changed("key", vkey=COLLECTOR.vkey.replace("+", "+0", 1)),
    "witness with a log's key": changed("key", role="witness"),
    "log with a witness's key": changed(
        "key",
        role="log",
        vkey=Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1).vkey,
    ),
    "earlier checkpoint not in base64": changed(
        "genesis", previous={"checkpoint": "~~~~", "reason": "x"}
    ),
    "earlier checkpoint without a reason": changed(
        "genesis", previous={"checkpoint": "AAAA"}
    ),
    "reason of 513 characters": changed("closure", reason="a" * 513),
}
