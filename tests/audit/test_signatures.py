"""Signatures checked by processes: the same findings in the same order, or an error."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consentkit import cli
from consentkit.audit import processes
from consentkit.audit import signatures
from consentkit.audit import verify
from consentkit.audit.processes import SignaturesInProcesses
from consentkit.audit.report import Finding
from consentkit.audit.signatures import Claim
from consentkit.audit.signatures import holds
from consentkit.audit.signatures import positive
from consentkit.audit.signatures import usable_cpus
from consentkit.audit.verify import Examination
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError

from .builder import ALICE
from .builder import BOB
from .builder import SECOND
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .builder import whole_log

KEY = SECOND.verifier


@pytest.fixture(autouse=True)
def processes_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small logs are worth processes here, and batches are small."""
    monkeypatch.setattr(signatures, "ENTRIES_A_PROCESS", 1)
    monkeypatch.setattr(processes, "_BATCH_ENTRIES", 4)


def claim(number: int, *, good: bool = True) -> Claim:
    message = b"message %d" % number
    return message, ((KEY, SECOND.sign(message if good else b"another")),)


def found(log: LogBuilder, source: MemorySource, jobs: int) -> list[Finding]:
    examination = Examination(source, trust=log.trust(), jobs=jobs)
    with closing(examination.find_faults()) as faults:
        return list(faults)


def forged(data: bytes) -> bytes:
    """The leaf with another signature under it, in good form."""
    text, _, line = data.rpartition(b" ")
    return text + b" " + line[:6] + bytes([line[6] ^ 1]) + line[7:]


@pytest.fixture
def damaged() -> LogBuilder:
    """Many faults of many kinds, some of which hang together."""
    log = LogBuilder()
    record = log.choice(ALICE)
    log.append(forged(log.leaves[3]))
    log.disclosure(record)
    log.key(SECOND, 7)
    log.choice(BOB, answer("refused"), signer=SECOND)
    log.append(b"no leaf")
    log.append(forged(log.leaves[4]))
    for number in range(300):
        record = log.choice(f"{number:032x}")
        log.disclosure(record, f"{number:032x}", data=["contacts"])
    log.leaves[50] = forged(log.leaves[50])
    log.leaves[99] = log.leaves[98]
    log.key(SECOND, 7, until=len(log.leaves) + 1)
    log.choice(ALICE, signer=SECOND)
    log.choice(BOB, signer=SECOND)
    return log


def test_a_log_holds_with_processes_as_it_does_without() -> None:
    log = whole_log()
    examination = Examination(log.source(), trust=log.trust(), jobs=2)

    assert list(examination.find_faults()) == []
    assert examination.report().holds
    assert examination.seen() == verify.verify_log(log.source(), trust=log.trust())


@pytest.mark.parametrize("jobs", [2, 3])
def test_processes_find_the_same_faults_in_the_same_order(
    damaged: LogBuilder, jobs: int
) -> None:
    source = damaged.source()
    tile = bytearray(source.files["tile/0/001"])
    tile[40] ^= 1
    source.files["tile/0/001"] = bytes(tile)
    alone = found(damaged, source, 1)

    assert found(damaged, source, jobs) == alone
    assert {finding.step for finding in alone} >= {"signature", "leaf", "grant", "tree"}
    assert len(alone) > 300


def test_the_first_fault_is_raised_whoever_found_it(damaged: LogBuilder) -> None:
    with pytest.raises(VerificationError, match="does not match") as caught:
        verify.verify_log(damaged.source(), trust=damaged.trust(), jobs=2)

    assert (caught.value.step, caught.value.entry) == ("signature", 4)


def test_entries_come_back_in_order_each_with_its_own_verdict() -> None:
    claims = {number: claim(number, good=number % 3 != 0) for number in range(50)}
    claims |= {50: (b"", ())}  # nothing signed is nothing broken

    with closing(SignaturesInProcesses[int](2)) as queue:
        results = [
            result for number in claims for result in queue.add(number, claims[number])
        ]
        results += queue.add(51, None)
        results += queue.drain()

    assert results == [(number, holds(claims[number])) for number in claims] + [
        (51, True)
    ]


def test_no_more_entries_wait_than_processes_can_be_given() -> None:
    with closing(SignaturesInProcesses[int](2)) as queue:
        back = 0
        for number in range(200):
            back += len(queue.add(number, claim(1)))
            assert number - back <= 4 * 2 * (4 + 1)


def test_a_process_that_dies_is_an_error_and_never_a_pass() -> None:
    log = whole_log()
    log.leaves[3:3] = [log.leaves[3]] * 200
    examination = Examination(log.source(), trust=log.trust(), jobs=2)

    with pytest.raises(LogUnavailableError, match="nothing is said of the log"):
        for _ in _killing(examination):
            pass

    assert not examination.report().holds


def _killing(examination: Examination) -> Iterator[Finding]:
    """Runs an examination, and kills a process as soon as one is there."""
    with closing(examination.find_faults()) as faults:
        for finding in faults:
            for process in multiprocessing.active_children():
                process.kill()
                process.join()
            yield finding


def test_the_command_says_that_a_process_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = whole_log()
    for path, data in log.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    monkeypatch.setattr(processes, "_check_all", _die)

    status = cli.main(
        ["verify", str(tmp_path), "--key", log.log_key.vkey, "--jobs", "2"]
    )

    assert status == 2
    printed = capsys.readouterr()
    assert "ended before it had answered" in printed.err
    assert "holds" not in printed.out


def _die(_: object) -> None:
    os._exit(1)


def test_processes_end_when_nobody_wants_more(damaged: LogBuilder) -> None:
    examination = Examination(damaged.source(), trust=damaged.trust(), jobs=2)
    with closing(examination.find_faults()) as faults:
        next(faults)
        assert multiprocessing.active_children()

    assert multiprocessing.active_children() == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_the_command_and_its_processes(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(_NEVER_DONE)
    with subprocess.Popen(  # noqa: S603 (the script written above)
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"working\n"
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=30)

    assert running.returncode != 0
    assert said.count(b"KeyboardInterrupt") <= 2  # of the command alone
    deadline = time.monotonic() + 10
    while _exists(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _exists(running.pid)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


_NEVER_DONE = """
import sys
from contextlib import closing
from consentkit.audit.processes import SignaturesInProcesses
from consentkit.log.keys import Ed25519Signer

def main():
    key = Ed25519Signer.generate("log.example/collector/a")
    claim = b"m", ((key.verifier, key.sign(b"m")),)
    with closing(SignaturesInProcesses(2)) as queue:
        told = False
        while True:
            if queue.add(0, claim) and not told:
                told = True
                print("working", flush=True)

if __name__ == "__main__":
    main()
"""


def test_a_number_of_processes_is_a_number_from_one_on() -> None:
    assert positive("3") == 3
    for text in ("0", "-1", "many", ""):
        with pytest.raises(ValueError, match=r"at least 1|invalid literal"):
            positive(text)


def test_there_is_at_least_one_processor_to_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cpus() == (os.cpu_count() or 1)
