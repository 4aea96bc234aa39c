"""An honest log and its forgery, and what an auditor finds who kept a part of one."""

from __future__ import annotations

from collections.abc import Iterable

from consentkit.audit.kept import History
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.verify import Examination
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.encoding import decode_base64
from consentkit.log.policy import Policy

from .builder import ALICE
from .builder import START
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer

NOW = START // 1_000


def honest_log(*, later: int = 3) -> LogBuilder:
    """Alice says no to the question; then others come."""
    log = LogBuilder()
    log.choice(ALICE, answer("refused"))
    for number in range(later):
        log.choice(f"{number:032x}")
    return log


def forged_log(*, later: int = 3) -> LogBuilder:
    """The same with a yes in Alice's place, all of it signed with the true keys."""
    log = LogBuilder()
    log.choice(ALICE, answer("given"))
    for number in range(later):
        log.choice(f"{number:032x}")
    return log


def examined(
    source: MemorySource, *kept: bytes, policy: Policy | None = None
) -> Examination:
    """An examination of the log against what was kept, done to its end."""
    trust = LogBuilder().trust()
    files = [(f"file {number}", data) for number, data in enumerate(kept)]
    history = History.open(files, trust=trust, policy=policy)
    examination = Examination(source, trust=trust, history=history)
    list(examination.find_faults())
    return examination


def found(
    source: MemorySource, *kept: bytes, policy: Policy | None = None
) -> list[str]:
    """Step and first word of each finding; the other two layers have to hold."""
    report = examined(source, *kept, policy=policy).report()
    assert report.layers[Layer.LOG] is Verdict.HOLDS
    assert report.layers[Layer.RECORDS] is Verdict.HOLDS
    return [f"{each.step}: {each.what.partition(':')[0]}" for each in report.findings]


def pieces(finding: Finding) -> tuple[list[str], bytes, bytes]:
    """A proof cut at its empty lines: its own lines, and the two notes."""
    assert finding.proof is not None
    head, *rest = finding.proof.split("\n\n")
    first, second = "\n\n".join(rest[:2]) + "\n", "\n\n".join(rest[2:])
    lines = head.split("\n")
    assert lines[0] == "consentkit/contradiction@v1"
    return lines[1:], first.encode(), second.encode()


def opened(note: bytes) -> Checkpoint:
    return open_checkpoint(note, LogBuilder().trust().log)


def hashes(lines: Iterable[str]) -> list[bytes]:
    return [decode_base64(line.rpartition(" ")[2].encode()) for line in lines]
