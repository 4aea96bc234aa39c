"""A whole auditor's folder in memory, with a true notice and true private facts."""

from __future__ import annotations

import hashlib

from consentkit.audit.annexed import KEYS
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import README
from consentkit.audit.annexed import disclosure_path
from consentkit.audit.annexed import format_disclosures
from consentkit.audit.annexed import format_keys
from consentkit.audit.annexed import notice_paths
from consentkit.audit.annexed import stored_path
from consentkit.audit.manifest import format_manifest
from consentkit.audit.manifest import print_of
from consentkit.core.notice import Notice
from consentkit.log.leaf import read_leaf
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import format_policy

from .builder import ALICE
from .builder import BOB
from .builder import EVIDENCE
from .builder import OFFER
from .builder import LogBuilder
from .builder import answer

HTML = (
    b"<h2>May Acme see what you spend?</h2>\n<p>It works out a <em>score</em>.</p>\n"
    b"<style>p { margin: 0 }</style><button>No</button> <button>Yes</button>"
)


def notice_of(html: bytes = HTML) -> Notice:
    """The notice that makes the one offer of these tests."""
    names = ("assets", "controls", "purposes", "template_sha256", "text_sha256")
    return Notice(
        {
            **dict.fromkeys(names, ""),
            "controller": "wallet",
            "html_sha256": hashlib.sha256(html).hexdigest(),
            "id": "credit-score",
            "locale": "en",
            "offers": [OFFER],
            "variant": "",
            "version": "1",
        },
        html,
    )


def log_notice(log: LogBuilder, notice: Notice) -> None:
    """Append the leaf of a notice."""
    log.add(
        "notice",
        notice=notice.digest,
        html=notice.html_sha256,
        locale=notice.locale,
        offers=[OFFER],
    )


def told_log() -> LogBuilder:
    """Alice says yes, Acme gets her data, she stops it; Bob says no."""
    log = LogBuilder(begin=False)
    log.genesis()
    log.key(log.collector, 0)
    log.key(log.log_key, 0, role="log")
    notice = notice_of()
    log_notice(log, notice)
    record = log.choice(ALICE, notice=notice.digest)
    log.disclosure(record, ALICE)
    log.choice(BOB, answer("refused"), notice=notice.digest)
    log.revocation(ALICE)
    return log


def with_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest that lists them all."""
    prints = {path: print_of(data) for path, data in files.items() if path != MANIFEST}
    return {**files, MANIFEST: format_manifest(prints)}


def exported(log: LogBuilder, *sizes: int) -> dict[str, bytes]:
    """The folder of a log, its checkpoints of these sizes in it."""
    notice = notice_of()
    manifest, html = notice_paths(notice.digest)
    bodies = [read_leaf(data).body for data in log.leaves]
    first = next(body["id"] for body in bodies if body["kind"] == "choice")
    facts = format_disclosures([each.encoded for each in EVIDENCE])
    policy = Policy(logs=(PolicyLog(log.trust().log[0]),))
    files = {
        **log.files(),
        **{stored_path(size): log.checkpoint(size) for size in sizes},
        KEYS: format_keys(body for body in bodies if body["kind"] == "key"),
        POLICY: format_policy(policy),
        README: b"Read me.\n",
        manifest: notice.manifest_bytes,
        html: notice.html,
        disclosure_path(first): facts,
    }
    return with_manifest(files)
