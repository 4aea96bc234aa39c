"""The history layer: is this log the one that others were shown before?

Every older checkpoint must be a prefix of the tree at hand. One walk along the tiles,
from the smallest to the largest, makes all those roots out of the same hashes, and
ends at the signed root: so each of them belongs to the tree that was signed, or the
walk does not arrive. What contradicts is named, with a proof that anybody can check.

Steps, in the numbers of ``consentkit.audit.verify``:

1. quorum: the newest checkpoint is cosigned as the policy asks;
2. checkpoints: each file of ``checkpoints/`` opens, with the size that it is named by;
   one that only a log key signed that was not given, such as a retired one, can speak
   neither for the log nor against it, and is counted;
3. consistency: each older checkpoint is a prefix of the tree at hand;
4. receipt: the record of each old receipt still stands at its index;
7. time stamp: each time stamp is over the checkpoint of its size.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.audit import contradiction
from consentkit.audit.annexed import stored_path
from consentkit.audit.kept import Kept
from consentkit.audit.kept import open_kept
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.windows import TimeWindows
from consentkit.errors import ConsistencyError
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.cosignature import claimed_times
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import prove_consistency
from consentkit.log.merkle import prove_inclusion
from consentkit.log.note import split_note
from consentkit.log.policy import check_policy
from consentkit.log.tiles import TileReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Generator
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.audit.bundle import Source
    from consentkit.audit.kept import History
    from consentkit.audit.kept import Place
    from consentkit.audit.stamped import StampCheck
    from consentkit.audit.trust import Trust

__all__ = ["MAX_CONTRADICTIONS", "HistoryCheck"]

MAX_CONTRADICTIONS = 20
"""How many are told one by one: a rewritten log contradicts every checkpoint since."""

_IF_A_COPY = "if this is an older copy of the log, take a new one"


class HistoryCheck:
    """Holds a log against what was kept of it; call ``check`` once.

    ``stored`` are the sizes of the log's own older checkpoints, read one at a time.
    Every moment at which a quorum saw the log is handed to ``windows``; ``stamps`` is
    shown every tree that it has time stamps of. ``unopened`` counts those stored ones
    that only log keys signed that were not given. ``cosigned`` is the time (s) of the
    newest cosignature on a checkpoint of this tree: without a policy a mere claim.
    """

    def __init__(
        self,
        source: Source,
        newest: Kept,
        history: History,
        *,
        trust: Trust,
        stored: Collection[int] = (),
        windows: TimeWindows | None = None,
        stamps: StampCheck | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._source = source
        self._newest = newest
        self._history = history
        self._trust = trust
        self._stored = frozenset(stored)
        self._windows = TimeWindows() if windows is None else windows
        self._stamps = stamps
        self._progress = progress
        self._reader = TileReader(source.read, newest.size)
        self._walk: CompactRange | None = CompactRange()
        self.unopened = 0
        self.cosigned: int | None = None

    def check(self) -> Iterator[Finding]:
        """Everything in which the log is not the one that was shown before.

        Raises:
            LogUnavailableError: the source cannot be read.
        """
        # 1. quorum
        yield from self._check_quorum()
        # 2. checkpoints, 3. consistency, 7. time stamp
        told = 0
        for finding in self._check_sizes():
            told += finding.proof is not None
            if finding.proof is None or told <= MAX_CONTRADICTIONS:
                yield finding
        if told > MAX_CONTRADICTIONS:
            yield _finding(
                "consistency", f"{told - MAX_CONTRADICTIONS} more of this kind"
            )
        # 4. receipt
        for kept in self._history.kept:
            if kept.place is not None:
                yield from self._check_place(kept, kept.place)

    def _check_quorum(self) -> Iterator[Finding]:
        if self._history.policy is None:
            return
        try:
            cosigned = check_policy(self._newest.note, self._history.policy)
        except VerificationError as error:
            yield _finding("quorum", str(error), cause=type(error))
        else:
            self._newest = replace(self._newest, cosigned=cosigned)

    def _check_sizes(self) -> Iterator[Finding]:
        """Go from the smallest checkpoint to the largest, all of one size at once."""
        given: dict[int, list[Kept]] = defaultdict(list)
        for kept in (self._newest, *self._history.kept):
            given[kept.size].append(kept)
        stamped = self._stamps.sizes if self._stamps else ()
        beyond: list[Kept] = []
        for size in sorted(self._stored.union(given, stamped)):
            group = given.get(size, [])
            if size in self._stored:
                group = [*group, *(yield from self._open_stored(size))]
            root = yield from self._root_at(size)
            if size > self._newest.size:
                beyond += group
            yield from self._compare(root, group)
            self._note_times(size, [kept for kept in group if kept.root == root])
            if self._stamps:
                yield from self._stamps.check(size, root)
            if self._progress and size < self._newest.size:
                self._progress(size, self._newest.size)
        if beyond:
            yield self._truncated(beyond)

    def _open_stored(self, size: int) -> Generator[Finding, None, list[Kept]]:
        path, data = stored_path(size), b""
        try:
            data = self._source.read(path)
            kept = open_kept(path, data, trust=self._trust, policy=self._history.policy)
            if kept.size != size or kept.place is not None:
                raise MalformedError(f"{path}: expected a checkpoint of that size")
        except VerificationError as error:
            unknown = isinstance(error, UnknownKeyError)
            if unknown and _is_of(data, self._trust.origin, size):
                self.unopened += 1
            else:
                yield _finding("checkpoints", str(error), cause=type(error))
            return []
        return [kept]

    def _root_at(self, size: int) -> Generator[Finding, None, bytes | None]:
        """The root of the first ``size`` entries, None where it cannot be told."""
        newest = self._newest
        if size > newest.size:
            return None
        signed = newest.root if size == newest.size else None
        if self._walk is None or (signed and not self._walk.size):
            return signed
        try:
            self._walk.extend(size, self._reader)
        except VerificationError as error:
            self._walk = None
            what = f"nothing between here and the signed root can be compared: {error}"
            yield _finding("consistency", what, cause=type(error))
            return signed
        root = self._walk.root()
        if signed and root != signed:
            yield _finding(
                "consistency",
                "the tiles do not lead to the signed root, so nothing is shown to be "
                "a prefix of its tree",
            )
        return signed or root

    def _compare(self, root: bytes | None, group: Sequence[Kept]) -> Iterator[Finding]:
        for kept in group:
            if kept.root == root:
                continue
            other = next((each for each in group if each.root != kept.root), None)
            if other is not None:
                yield _split_view(kept, other)
            elif root is not None:
                yield self._rewritten(kept, root)

    def _truncated(self, beyond: Sequence[Kept]) -> Finding:
        """One for all that reach further than the log: the last reaches furthest."""
        kept, others = beyond[-1], len(beyond) - 1
        also = f" ({others} more that were kept say so)" if others else ""
        what = (
            f"TRUNCATED: by {kept.name} the log had {kept.size} entries{also}, it has "
            f"{self._newest.size} now; {_IF_A_COPY}"
        )
        proof = contradiction.truncated(kept.note, self._newest.note)
        return _finding("consistency", what, proof=proof, cause=ConsistencyError)

    def _rewritten(self, kept: Kept, prefix: bytes) -> Finding:
        newest = self._newest
        try:
            proof = prove_consistency(kept.size, newest.size, self._reader)
            check_consistency(kept.size, prefix, newest.size, newest.root, proof)
        except VerificationError as error:
            what = f"{kept.name} cannot be shown to be a prefix of the log: {error}"
            return _finding("consistency", what, cause=type(error))
        what = (
            f"REWRITTEN: the first {kept.size} of {newest.size} entries are not those "
            f"that {kept.name} was signed for"
        )
        shown = contradiction.rewritten(
            kept.note, newest.note, prefix=prefix, proof=proof
        )
        return _finding("consistency", what, proof=shown, cause=ConsistencyError)

    def _note_times(self, size: int, agreeing: Sequence[Kept]) -> None:
        """Add up the cosignatures on all copies of one checkpoint."""
        times: dict[str, int] = {}
        for kept in agreeing:
            self._note_newest(kept)
            for name, time in kept.cosigned.items():
                times[name] = min(time, times.get(name, time))
        seen = self._history.policy.seen(times) if self._history.policy else None
        if seen is not None:
            self._windows.add(size, seen)

    def _note_newest(self, kept: Kept) -> None:
        claimed = (
            kept.cosigned.values() if self._history.policy else claimed_times(kept.note)
        )
        self.cosigned = max((*claimed, self.cosigned or 0)) or None

    def _check_place(self, kept: Kept, place: Place) -> Iterator[Finding]:
        """4. receipt: the record stands where the receipt shows it to stand."""
        newest, index = self._newest, place.index
        if index >= newest.size:
            what = f"TRUNCATED: the log ends before the record of {kept.name}"
            yield _finding("receipt", what, index, cause=InclusionError)
            return
        try:
            found = self._reader.read_hash(0, index)
            path = prove_inclusion(index, newest.size, self._reader)
            check_inclusion(found, index, newest.size, path, newest.root)
        except VerificationError as error:
            what = f"whether the record of {kept.name} is there cannot be told: {error}"
            yield _finding("receipt", what, index, cause=type(error))
            return
        if found != place.leaf_hash:
            proof = contradiction.replaced(
                kept.note,
                newest.note,
                index=index,
                leaves=(place.leaf_hash, found),
                paths=(place.path, path),
            )
            what = f"REWRITTEN: another record stands where {kept.name} shows its own"
            yield _finding("receipt", what, index, proof=proof, cause=InclusionError)


def _is_of(data: bytes, origin: str, size: int) -> bool:
    """Whether it is a checkpoint of that log and size, signed in the log's name."""
    try:
        note = split_note(data)
        checkpoint = parse_checkpoint_text(note.text)
    except VerificationError:
        return False
    named = any(each.name == origin for each in note.signatures)
    return named and (checkpoint.origin, checkpoint.size) == (origin, size)


def _split_view(kept: Kept, other: Kept) -> Finding:
    what = (
        f"SPLIT VIEW: {kept.name} and {other.name} are both signed for {kept.size} "
        "entries, with different roots"
    )
    proof = contradiction.split_view(kept.note, other.note)
    return _finding("consistency", what, proof=proof, cause=ConsistencyError)


def _finding(
    step: str,
    what: str,
    entry: int | None = None,
    *,
    proof: str | None = None,
    cause: type[VerificationError] = VerificationError,
) -> Finding:
    return Finding(Layer.HISTORY, step, entry, what, cause, proof)
