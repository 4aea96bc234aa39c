"""What comes with proof: requests of a wallet that exists as two keys only."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit import RELEASE_HEADER
from consentkit.audit.release_proof import ReleaseProof
from consentkit.audit.release_proof import Statement
from consentkit.audit.release_proof import format_release
from consentkit.audit.release_proof import sign_statement
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KEYS", "TOKEN", "proven"]

TOKEN = secrets.token_hex(16)
_ORIGIN = "wallet.example/consent/2026"
_LOG = Ed25519Signer.generate(_ORIGIN)
_COLLECTOR = Ed25519Signer.generate(f"{_ORIGIN}/collector/a1")
KEYS = [_LOG.vkey, _COLLECTOR.vkey]
"""The keys that the recipient was given beforehand."""


def proven(content: Mapping[str, Any], **about: Any) -> dict[str, Any]:
    """Body and headers of a request with proof, which may be about something else."""
    body = json.dumps(content).encode()
    return {
        "data": body,
        "headers": {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            RELEASE_HEADER: _proof(content, body, about),
        },
    }


def _proof(content: Mapping[str, Any], body: bytes, about: Mapping[str, Any]) -> str:
    now = time.time_ns() // 1_000_000
    leaf = {
        "amount": 1,
        "caller": "wallet:score",
        "channel": "server",
        "data": sorted(content["data"]),
        "grant": "0" * 64,
        "id": secrets.token_hex(16),
        "kind": "disclosure",
        "log": _ORIGIN,
        "prev": "0" * 64,
        "purpose": content["purpose"],
        "recipient": "acme-credit",
        "record": content["record"],
        "scope": "0" * 64,
        "seq": 1,
        "subject": "5" * 32,
        "time": now,
    }
    signed = sign_leaf({**leaf, **about}, _COLLECTOR)
    statement = Statement.of(read_leaf(signed).hash, until=now + 60_000, body=body)
    return format_release(ReleaseProof(signed, sign_statement(statement, _COLLECTOR)))
