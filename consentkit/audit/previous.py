"""The log before: what a log begins with that continues another.

Its genesis holds the other one's last checkpoint, so size and root are pinned by the
log that is examined. No key of the other log is needed, which may have been stolen:
whatever else it was used for, this is the tree that people's answers are in.

1. pin: the genesis names an earlier log, by a checkpoint that can be read.
2. given: that log's files are at hand, and if it continues another, those as well.
3. tree: they are the tree of that size and root (the steps of the log layer).
4. records: its entries keep the rules, by the collectors that it registers itself.
5. end: it ends with a closure that names the log that follows.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from consentkit.audit.batches import BatchPages
from consentkit.audit.bundle import Source
from consentkit.audit.memory import Memory
from consentkit.audit.records import RecordsCheck
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.signatures import processes_for
from consentkit.audit.tree import TreeCheck
from consentkit.audit.tree import walk_bundles
from consentkit.audit.trust import UnpinnedCollectors
from consentkit.core.act import Kind
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.encoding import decode_base64
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.note import split_note
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import entries_path

__all__ = ["open_pin", "replay_previous"]

_Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Log:
    """A log that may continue another: its files as far as they are pinned."""

    source: Source
    origin: str
    size: int


def replay_previous(
    source: Source,
    checkpoint: Checkpoint,
    previous: Sequence[Source],
    *,
    jobs: int = 1,
    progress: _Progress | None = None,
) -> Generator[Finding, None, Memory]:
    """What is wrong with the logs before this one; what it begins with.

    ``previous`` are their files, the newest first.

    Raises:
        LogUnavailableError: a source stopped answering; or a process that checks
            signatures ended before it had answered.
    """
    log = _Log(source, checkpoint.origin, checkpoint.size)
    return (yield from _replay(log, list(previous), jobs, progress))


def open_pin(genesis: Leaf) -> tuple[bytes, Checkpoint] | None:
    """The last checkpoint of the log before, as the genesis names it, and opened.

    None for a log that continues no other. No signature is asked for.

    Raises:
        MalformedError: what stands there is no checkpoint.
    """
    previous = genesis.body.get("previous")
    if previous is None:
        return None
    note = decode_base64(previous["checkpoint"].encode())
    return note, parse_checkpoint_text(split_note(note).text)


def _replay(
    log: _Log, previous: Sequence[Source], jobs: int, progress: _Progress | None
) -> Generator[Finding, None, Memory]:
    # 1. pin
    try:
        before = _pin(log)
    except VerificationError as error:
        yield _fault(f"the checkpoint in the genesis of {log.origin!r}: {error}")
        return Memory(unknown_past=True)
    if before is None:
        if previous:
            yield _fault(f"{log.origin!r} continues no other log; one was given")
        return Memory()
    # 2. given
    if not previous:
        yield _fault(
            f"{log.origin!r} continues {before.origin!r}: give its files with "
            "--previous; what may rest on them was not judged"
        )
        return Memory(unknown_past=True)
    older = _Log(previous[0], before.origin, before.size)
    memory = yield from _replay(older, previous[1:], jobs, progress)
    # 3. tree, 4. records
    layers: set[Layer] = set()
    with closing(_examine(older, before, memory, jobs, progress)) as findings:
        for finding in findings:
            layers.add(finding.layer)
            yield _fault(f"{before.origin}: {finding}")
    if Layer.LOG in layers:  # another log: nothing that follows is judged by it
        return Memory(unknown_past=True)
    # 5. end
    if not _was_closed_for(older, log.origin):
        yield _fault(
            f"{before.origin!r} does not end with a closure that names {log.origin!r}"
        )
    memory.succeed(before.size)
    return memory


def _pin(log: _Log) -> Checkpoint | None:
    """The checkpoint that the genesis names, if it names one."""
    genesis = _entry(log, 0)
    pin = open_pin(genesis) if genesis else None
    if pin is None:
        return None
    _, checkpoint = pin
    if checkpoint.origin == log.origin:
        raise VerificationError("it is one of the same log")
    return checkpoint


def _examine(
    log: _Log,
    checkpoint: Checkpoint,
    memory: Memory,
    jobs: int,
    progress: _Progress | None,
) -> Generator[Finding, None, None]:
    tree = TreeCheck(log.source, checkpoint)
    memory.sharing.pages = BatchPages(log.source)
    records = RecordsCheck(
        UnpinnedCollectors(log.origin),
        jobs=processes_for(log.size, jobs),
        memory=memory,
    )
    try:
        for bundle in walk_bundles(log.source, log.size):
            yield from tree.check(bundle)
            yield from records.check(bundle)
            if progress is not None:
                progress(bundle.first + bundle.width, log.size)
        yield from tree.finish()
        yield from records.finish()
    finally:
        records.close()


def _was_closed_for(log: _Log, successor: str) -> bool:
    last = _entry(log, log.size - 1)
    return (
        last is not None
        and last.kind is Kind.CLOSURE
        and last.body.get("successor") == successor
    )


def _entry(log: _Log, index: int) -> Leaf | None:
    """One entry as it stands there, None if it cannot be read: others say why."""
    number, place = divmod(index, TILE_WIDTH)
    width = min(TILE_WIDTH, log.size - number * TILE_WIDTH)
    if not 0 <= place < width:
        return None
    try:
        data = log.source.read(entries_path(number, width))
        return read_leaf(decode_bundle(data, count=width)[place])
    except VerificationError:
        return None


def _fault(what: str) -> Finding:
    return Finding(Layer.RECORDS, "previous", None, what)
