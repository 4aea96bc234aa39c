"""What an outsider can check, with keys from outside and none of our servers.

========================  ====================================================
``bundle``                where a log's files are read from: a folder or the web
``source``                … what both answer; ``http_source`` is the web
``trust``                 the keys that the auditor holds
``verify``                does a log hold? the steps, all layers, one pass
``tree``, ``layout``      the log layer: the files are the tree that was signed
``folder``                a folder as a whole: what lies beside the tree
``annexed``, ``manifest`` … its names and forms; whether all of it is there
``annexes``               … keys, notices and evidence, as the entries have them
``kept``                  what others kept: old checkpoints, receipts, a policy
``history``               the history layer: the log is the one shown before
``windows``               … when witnesses saw it, against what its entries claim
``timestamps``            … what a time-stamping authority's answer proves
``stamped``               … the stamps beside a log, held against its tree
``contradiction``         … what to show to third parties, as text
``records``               the records layer: entries one by one
``collectors``            … which key may sign which entry
``signatures``            … whether they are good; ``processes`` does it faster
``rules``, ``sharing``    … how entries have to agree with each other
``previous``, ``memory``  … and with the log that this one continues
``standing``, ``seen``    … what has to be remembered for it, in little memory
``replay``                leaves to the state that they amount to
``receipt``               does one person's receipt hold?
``release``               may a recipient hold what it was sent?
``release_proof``         … the line that it is shown, and its form
``batch_proof``           was this person in a batch? the file that shows it
``promise``               is it, or a mere promise, borne out by the log of today?
``as_of``                 on what basis did somebody get something, at a moment?
``proven``                … the entries that the answer rests on, with their proofs
``as_of_report``          … its answer as JSON, in words and as files
``as_of_command``         … as a command; ``plain_text`` is how it shows a notice
``search``                … finding the few entries that matter to a question
``progress``              how far a long examination has come
``releases``              what left without consent, on which basis
``report``                findings and verdicts, as values, JSON and words
========================  ====================================================

Formats: C2SP tlog-tiles, tlog-checkpoint, tlog-proof; the rules are those of the
project's own leaf. This room stands on ``core`` and ``log`` alone, so an auditor's
environment holds nothing but consentkit and cryptography. It decides nothing about
whom to trust, writes nothing, and never takes a key from the thing that it judges.
"""

from __future__ import annotations

from consentkit.audit.batch_proof import VerifiedEntry
from consentkit.audit.batch_proof import verify_batch_entry
from consentkit.audit.bundle import open_source
from consentkit.audit.kept import History
from consentkit.audit.promise import Comparison
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import VerifiedReceipt
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.release import VerifiedRelease
from consentkit.audit.release import verify_release
from consentkit.audit.release_proof import RELEASE_HEADER
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
    "RELEASE_HEADER",
    "Comparison",
    "Examination",
    "Finding",
    "History",
    "Layer",
    "Report",
    "Trust",
    "VerifiedEntry",
    "VerifiedLog",
    "VerifiedReceipt",
    "VerifiedRelease",
    "compare_with_log",
    "find_faults",
    "open_source",
    "replay",
    "verify_batch_entry",
    "verify_log",
    "verify_receipt",
    "verify_release",
]
