"""A verification, against hashing the leaves and against checking the signatures.

The references do the least that has to be done, in memory: each leaf hashed once; the
same Ed25519 signatures verified once, by as many processes. Ours reads the published
files, takes them apart, and does all that ``consentkit verify`` does.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consentkit.audit import signatures
from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.signatures import usable_cpus
from consentkit.audit.tree import walk_bundles
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.log.keys import Verifier
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import root_of
from consentkit.log.note import split_note
from consentkit.store.sqlite import journal_mode
from tests.bench.large_log import LargeLog
from tests.bench.large_log import write_log
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.peak import peak_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LEAVES, SIGNED, SMOKE = 1_000_000, 100_000, 600
JOBS = usable_cpus()
REACH_MIB = 150

PURE = "pure SHA-256 of the leaves"
LAYER = "verify, log layer"
REPLAYED = "verify, log and records, signatures taken for good"
BARE = f"bare Ed25519 verifications, processes: {JOBS}"
WHOLE = f"verify, log and records, processes: {JOBS}"

_LAYERS = (Layer.LOG, Layer.RECORDS)

# Spawned, or they would begin with all that this process holds.
_SPAWN = multiprocessing.get_context("spawn")


def _leaves(log: LargeLog) -> list[bytes]:
    bundles = walk_bundles(FolderSource(log.folder), log.size)
    return [entry for bundle in bundles for entry in bundle.entries or ()]


def _hash(leaves: Sequence[bytes]) -> list[bytes]:
    return [hashlib.sha256(b"\x00" + data).digest() for data in leaves]


def _verify(log: LargeLog, layers: Sequence[Layer], jobs: int = 1) -> bytes:
    source, trust = FolderSource(log.folder), Trust.of([log.vkey])
    return verify_log(source, trust=trust, layers=layers, jobs=jobs).root


def _replay(log: LargeLog) -> bytes:
    """All but the signatures. No option does that: it would say too little."""
    with patch.object(signatures, "holds", new=lambda _: True):
        return _verify(log, _LAYERS)


def _pairs(leaves: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Each signature with what it stands under."""
    notes = map(split_note, leaves)
    return [(note.signatures[0].signature, note.text) for note in notes]


def _verify_when_told(
    connection: Connection, key: bytes, pairs: Sequence[tuple[bytes, bytes]]
) -> None:
    """A process that holds its share of the signatures; None is the end."""
    public = Ed25519PublicKey.from_public_bytes(key)
    while connection.recv() is not None:
        for signature, text in pairs:
            public.verify(signature, text)
        connection.send(len(pairs))


def _start(key: bytes, leaves: Sequence[bytes], until: ExitStack) -> Connection:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(
        target=_verify_when_told, args=(theirs, key, _pairs(leaves))
    )
    process.start()
    until.callback(process.join)
    until.callback(ours.send, None)
    return ours


def _bare(processes: Sequence[Connection]) -> int:
    for each in processes:
        each.send("go")
    return sum(each.recv() for each in processes)


def _time_hashes(log: LargeLog, rounds: int) -> tuple[str, str]:
    """The log layer, and what comes on top of it but for signatures."""
    leaves = _leaves(log)
    if not _verify(log, [Layer.LOG]) == _replay(log) == root_of(_hash(leaves)):
        raise SystemExit("the verified root is not that of the leaves")
    contenders: Mapping[str, Callable[[], object]] = {
        PURE: partial(_hash, leaves),
        LAYER: partial(_verify, log, [Layer.LOG]),
        REPLAYED: partial(_replay, log),
    }
    samples = race(contenders, rounds=rounds)
    lines = [Line(PURE), Line(LAYER, PURE, 3.0), Line(REPLAYED, PURE, 6.5)]
    return (
        f"same root: {len(leaves):,} leaves of {len(leaves[-1])} bytes",
        report(samples, lines),
    )


def _time_signatures(log: LargeLog, rounds: int) -> tuple[str, str]:
    """Everything, against the signatures alone."""
    leaves = _leaves(log)
    key = Verifier.parse(read_leaf(leaves[1]).body["vkey"]).public_key
    with ExitStack() as until:
        processes = [_start(key, leaves[number::JOBS], until) for number in range(JOBS)]
        if _bare(processes) != log.size:
            raise SystemExit("the reference did not verify each signature once")
        contenders: Mapping[str, Callable[[], object]] = {
            BARE: partial(_bare, processes),
            WHOLE: partial(_verify, log, _LAYERS, JOBS),
        }
        samples = race(contenders, rounds=rounds)
    return (
        f"same signatures: {log.size:,}",
        report(samples, [Line(BARE), Line(WHOLE, BARE, 1.15)]),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Compare the roots and count the signatures, then time, then weigh."""
    asked = arguments(argv, __doc__, rounds=5, shares=True)
    count, signed = (
        (SMOKE, SMOKE)
        if asked.smoke
        else (max(SMOKE, int(size * asked.share)) for size in (LEAVES, SIGNED))
    )
    with tempfile.TemporaryDirectory(prefix="consentkit-bench-") as name:
        folder = Path(name)
        few = write_log(folder / "signed", signed)
        many = write_log(folder / "large", count)
        most = write_log(folder / "most", count, acts=1)
        tables = [
            *_time_signatures(few, asked.rounds),
            *_time_hashes(many, asked.rounds),
        ]
        usual, highest = (peak_of(log.folder, log.vkey) for log in (many, most))
    write(
        circumstances(journal_mode(), asked.rounds),
        *tables,
        f"peak memory of log and records: {usual:.0f} MiB,",
        f"and {highest:.0f} MiB where each leaf is another person's first answer; "
        f"≤ {REACH_MIB} MiB",
    )


if __name__ == "__main__":
    main()
