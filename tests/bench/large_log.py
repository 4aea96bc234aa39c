"""A large log that holds, written about as fast as one core can sign.

The leaves are written down as text, not built and checked: the verification that
follows says whether they are what they should be. Everybody answers, then data is
shared on that answer, then it is withdrawn, each ``people`` leaves apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from itertools import islice
from pathlib import Path

from consentkit.audit.bundle import CHECKPOINT
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.encoding import encode_base64
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import sign_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import plan
from consentkit.log.tiles import partial_tiles

__all__ = ["LargeLog", "signed_leaf", "write_log"]

ORIGIN = "wallet.example/consent/2026"
START, YEAR = 1_767_225_600_000, 31_536_000_000
SCOPE, NOTICE = "5" * 64, "a" * 64
ASKED = {"purpose": "credit-score", "recipient": "acme-credit", "scope": SCOPE}
OFFER = {"data": ["contacts", "spending"], "optional": ["contacts"], **ASKED}
ACTS = 4
"""Leaves of one person: an answer, two disclosures, a withdrawal."""

_CHUNK = 16_384  # leaves held at a time: 14 MB

_PLACE = f'"purpose":"credit-score","recipient":"acme-credit","scope":"{SCOPE}"'
_GIVEN = f'{{"data":["spending"],{_PLACE},"state":"given","until":%d}}'
_WITHDRAWN = f'{{"data":[],{_PLACE},"state":"withdrawn","until":0}}'
_CHOICE = (
    '{"actor":"subject","assurance":"session","challenge":"%(fresh)s",'
    f'"channel":"web","choices":[{_GIVEN.replace("%d", "%(until)d")}],'
    '"evidence":"%(fresh)s","id":"%(id)s","kind":"choice",'
    f'"log":"{ORIGIN}","notice":"{NOTICE}","prev":"%(prev)s","seq":%(seq)d,'
    '"subject":"%(subject)s","time":%(time)d}'
)
_DISCLOSURE = (
    '{"amount":12,"caller":"jobs.score","channel":"server","data":["spending"],'
    '"grant":"%(grant)s","id":"%(id)s","kind":"disclosure",'
    f'"log":"{ORIGIN}","prev":"%(prev)s","purpose":"credit-score",'
    '"recipient":"acme-credit","record":"%(record)s",'
    f'"scope":"{SCOPE}","seq":%(seq)d,"subject":"%(subject)s","time":%(time)d}}'
)
_REVOCATION = (
    '{"actor":"subject","assurance":"session","challenge":"%(fresh)s",'
    f'"channel":"web","choices":[{_WITHDRAWN}],"evidence":"%(fresh)s",'
    '"id":"%(id)s","kind":"revocation",'
    f'"log":"{ORIGIN}","prev":"%(prev)s","seq":%(seq)d,'
    '"subject":"%(subject)s","time":%(time)d}'
)
_FORMS = (_CHOICE, _DISCLOSURE, _DISCLOSURE, _REVOCATION)


@dataclass(frozen=True)
class LargeLog:
    """Where it lies, the key to check it with, and how many leaves it has."""

    folder: Path
    vkey: str
    size: int


def write_log(folder: Path, size: int, *, acts: int = ACTS) -> LargeLog:
    """Write a log of exactly ``size`` leaves (three at least) into ``folder``.

    ``acts`` of 1 makes every leaf the answer of another person: the most there is to
    remember.
    """
    log_key = Ed25519Signer.generate(ORIGIN)
    collector = Ed25519Signer.generate(f"{ORIGIN}/collector/a1")
    leaves = chain(_opening(collector), _leaves(collector, size - 3, acts))
    frontier, root, partial = Frontier.empty(), b"", dict[str, bytes]()
    while chunk := list(islice(leaves, _CHUNK)):
        publication = plan(ORIGIN, frontier, chunk)
        frontier, root = publication.frontier, publication.root
        for path, data in publication.files.items():
            if ".p/" in path:
                partial[path] = data  # replaced by the next chunk, unless the last
            else:
                _write(folder / path, data)
    for tile in partial_tiles(size):
        _write(folder / tile.path, partial[tile.path])
    signed = sign_checkpoint(Checkpoint(ORIGIN, size, root), log_key)
    _write(folder / CHECKPOINT, signed)
    return LargeLog(folder, log_key.vkey, size)


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _opening(collector: Ed25519Signer) -> Iterator[bytes]:
    """Genesis, the collector's key, and the notice that everybody answers."""
    bodies: Sequence[dict[str, object]] = (
        {"kind": "genesis", "controller": "wallet"},
        {"kind": "key", "role": "collector", "vkey": collector.vkey, "from": 0},
        {
            "kind": "notice",
            "notice": NOTICE,
            "html": "b" * 64,
            "locale": "en",
            "offers": [OFFER],
        },
    )
    for number, body in enumerate(bodies):
        common = {"id": f"{number:032x}", "log": ORIGIN, "time": START}
        yield sign_leaf({**common, **body}, collector)


def _leaves(collector: Ed25519Signer, count: int, acts: int) -> Iterator[bytes]:
    people = -(-count // acts)
    records: list[str] = []
    grants: list[bytes] = []
    ends: list[bytes] = []
    for number in range(count):
        seq, person = divmod(number, people)
        fresh = hashlib.sha256(b"%d" % number).hexdigest()
        time = START + number
        body = _FORMS[seq] % {
            "fresh": fresh,
            "grant": grants[person].hex() if seq else "",
            "id": fresh[:32],
            "prev": ends[person].hex() if seq else "",
            "record": records[person] if seq else "",
            "seq": seq,
            "subject": hashlib.sha256(b"person %d" % person).hexdigest()[:32],
            "time": time,
            "until": time + YEAR,
        }
        leaf = signed_leaf(body.encode(), collector)
        head = hash_leaf(leaf)
        if seq:
            ends[person] = head
        else:
            records.append(fresh[:32])
            grants.append(head)
            ends.append(head)
        yield leaf


def signed_leaf(body: bytes, signer: Signer) -> bytes:
    """The leaf of a body that nobody looks at here."""
    text = LEAF_HEADER + b"\n" + body + b"\n"
    signature = encode_base64(signer.key_id + signer.sign(text))
    return b"%s\n\xe2\x80\x94 %s %s\n" % (text, signer.name.encode(), signature)
