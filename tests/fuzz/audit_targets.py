"""The readers of the audit room: receipts, evidence, what was kept, keys."""

from __future__ import annotations

import tempfile
from pathlib import Path

from consentkit.audit.annexed import check_disclosures
from consentkit.audit.annexed import format_disclosures
from consentkit.audit.kept import open_kept
from consentkit.audit.manifest import format_manifest
from consentkit.audit.manifest import parse_manifest
from consentkit.audit.manifest import print_of
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import open_evidence
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.timestamps import open_timestamp
from consentkit.audit.trust import Trust
from consentkit.core import canonical
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.leaf import read_leaf
from tests.audit.builder import EVIDENCE
from tests.audit.builder import MemorySource
from tests.tsa_process import make_tsa

from .log_targets import LOG
from .log_targets import NOTE
from .log_targets import RECEIPT
from .target import Target
from .target import text_of

__all__ = ["AUDIT_TARGETS"]

TRUST = LOG.trust(pinned=True)
SOURCE = MemorySource(LOG.files())
PROMISED = read_leaf(LOG.leaves[3])
SHOWN = [each.encoded for each in EVIDENCE]
WITHHELD = [EVIDENCE[1].digest]
STAMPED = LOG.checkpoint().partition(b"\n\n")[0] + b"\n"
with tempfile.TemporaryDirectory() as folder:
    AUTHORITY = make_tsa(Path(folder, "tsa"))
    ROOTS, STAMP = AUTHORITY.roots, AUTHORITY.stamp(STAMPED)
    MOMENT = open_timestamp(STAMP, text=STAMPED, roots=ROOTS)


def _verify_known_receipt(data: bytes) -> None:
    receipt = verify_receipt(data, trust=TRUST)
    entry = LOG.leaves[receipt.index]
    assert receipt.leaf.data == entry
    assert "\n".join(receipt.lines())
    assert canonical.encode(receipt.to_dict())


def _open_known_evidence(data: bytes) -> None:
    evidence = open_evidence(data, PROMISED)
    assert evidence.items() <= {each.name: each.value for each in EVIDENCE}.items()


def _open_known_kept(data: bytes) -> None:
    kept = open_kept("kept", data, trust=TRUST)
    assert kept.size == len(LOG.leaves)


def _compare(data: bytes) -> None:
    comparison = compare_with_log(data, source=SOURCE, trust=TRUST)
    if comparison.receipt is None:
        assert comparison.findings, "a promise that is not in the log is spoken of"
    else:
        assert comparison.receipt.leaf.data in LOG.leaves


def _open_known_timestamp(data: bytes) -> None:
    assert open_timestamp(data, text=STAMPED, roots=ROOTS) == MOMENT


def _read_trust(data: bytes) -> None:
    trust = Trust.of(text_of(data).split("\n"))
    assert trust.origin == trust.log[0].name


AUDIT_TARGETS = (
    Target(
        "receipt",
        _verify_known_receipt,
        (RECEIPT, LOG.receipt(0)),
        refusals=(VerificationError,),
    ),
    Target(
        "file of evidence",
        _open_known_evidence,
        (
            canonical.encode({"disclosures": SHOWN}),
            canonical.encode({"disclosures": SHOWN[:1], "withheld": WITHHELD}),
        ),
        refusals=(VerificationError,),
    ),
    Target(
        "kept checkpoint or receipt",
        _open_known_kept,
        (NOTE, RECEIPT),
        refusals=(VerificationError,),
    ),
    Target(
        "receipt or promise beside a log",
        _compare,
        (RECEIPT, LOG.leaves[3]),
        refusals=(VerificationError,),
    ),
    Target(
        "manifest of an export",
        parse_manifest,
        (
            b"",
            format_manifest({path: print_of(path.encode()) for path in SOURCE.files}),
        ),
        format_manifest,
    ),
    Target(
        "file of disclosures in an export",
        check_disclosures,
        (format_disclosures(SHOWN), format_disclosures([])),
    ),
    Target(
        "time stamp",
        _open_known_timestamp,
        (STAMP,),
        refusals=(VerificationError,),
    ),
    Target(
        "an auditor's keys",
        _read_trust,
        (
            LOG.log_key.vkey.encode(),
            f"{LOG.log_key.vkey}\n{LOG.collector.vkey}".encode(),
        ),
        refusals=(MalformedError, ConfigurationError),
    ),
)
