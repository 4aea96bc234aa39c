"""What an outsider can check, with keys from outside and none of our servers.

========================  ====================================================
``bundle``                where a log's files are read from: a folder or the web
``trust``                 the keys that the auditor holds
``verify``                does a log hold? the steps, all layers, one pass
``tree``, ``layout``      the log layer: the files are the tree that was signed
``kept``                  what others kept: old checkpoints, receipts, a policy
``history``               the history layer: the log is the one shown before
``windows``               … when witnesses saw it, against what its entries claim
``contradiction``         … what to show to third parties, as text
``records``               the records layer: entries one by one
``collectors``            … which key may sign which entry
``rules``, ``sharing``    … how entries have to agree with each other
``replay``                leaves to the state that they amount to
``receipt``               does one person's receipt hold?
``promise``               is it, or a mere promise, borne out by the log of today?
``report``                findings and verdicts, as values, JSON and words
========================  ====================================================

Formats: C2SP tlog-tiles, tlog-checkpoint, tlog-proof; the rules are those of the
project's own leaf. This room stands on ``core`` and ``log`` alone, so an auditor's
environment holds nothing but consentkit and cryptography. It decides nothing about
whom to trust, writes nothing, and never takes a key from the thing that it judges.
"""

from __future__ import annotations

from consentkit.audit.bundle import open_source
from consentkit.audit.kept import History
from consentkit.audit.promise import Comparison
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import VerifiedReceipt
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.replay import replay
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Report
from consentkit.audit.report import VerifiedLog
from consentkit.audit.trust import Trust
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log

__all__ = [
    "Comparison",
    "Examination",
    "Finding",
    "History",
    "Layer",
    "Report",
    "Trust",
    "VerifiedLog",
    "VerifiedReceipt",
    "compare_with_log",
    "find_faults",
    "open_source",
    "replay",
    "verify_log",
    "verify_receipt",
]
