"""On what basis did somebody get something about a person, at a given moment?

(GDPR Art. 7(1); EDPB guidelines 05/2020 §104-108; CJEU C-61/19 Orange Romania.) The
answer is made from the log alone: what the person had said by then, the text they were
shown, what was shared on it, and for each of these the proof that it stands in the tree
that the log signed.

1. log: the log and the records layer hold; the caller sees to that
   (``consentkit.audit.verify``), or the rest is worth nothing.
2. entries: those of the person with a time up to the moment, in the order of the log.
   Times are the collectors' claims: how far they can be off is for the history layer.
3. inclusion: each entry that the answer rests on is in the signed tree.
4. notice: the text hashes to what its own entry says, which comes before the act.

Who the person is, the log does not know: the operator tells their handle. A batch
names no persons, so whether they were in one is proven from outside; how many batches
there were is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.audit.annexed import notice_paths
from consentkit.audit.annexes import open_notice
from consentkit.audit.replay import ANSWERS
from consentkit.audit.replay import act_of
from consentkit.audit.search import search_leaves
from consentkit.core.act import Kind
from consentkit.core.status import status_of
from consentkit.errors import VerificationError
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import prove_inclusion
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.tiles import TileReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.audit.bundle import Source
    from consentkit.core.act import Millis
    from consentkit.core.act import State
    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.checkpoint import Checkpoint
    from consentkit.log.leaf import Leaf

__all__ = ["AsOf", "Basis", "Entry", "Question", "ShownNotice", "as_of"]

_MATTERING = tuple(
    f'"kind":"{kind}"'.encode()
    for kind in (Kind.NOTICE, Kind.SUSPENSION, Kind.DISCLOSURE_BATCH)
)


@dataclass(frozen=True)
class Question:
    """Who is asked about, and when; ``purpose`` and ``recipient`` None for any."""

    subject: str
    at: Millis
    purpose: str | None = None
    recipient: str | None = None

    def covers(self, key: tuple[str, str]) -> bool:
        """Whether (purpose, recipient) is asked about."""
        return self.purpose in {None, key[0]} and self.recipient in {None, key[1]}


@dataclass(frozen=True)
class Entry:
    """An entry at its index, and the inclusion proof in the tree that was opened."""

    index: int
    leaf: Leaf
    path: tuple[bytes, ...]

    def proof(self, checkpoint: bytes) -> bytes:
        """The ``.tlog-proof`` file, which ``consentkit receipt`` reads as well."""
        return format_proof(
            TlogProof(self.index, self.path, checkpoint, self.leaf.data)
        )


@dataclass(frozen=True)
class ShownNotice:
    """A notice as it was logged; ``notice`` is None where its text is not at hand."""

    digest: str
    entry: Entry
    notice: Notice | None


@dataclass(frozen=True)
class Basis:
    """Where the person stood on one question, and what had been shared on it.

    ``acts`` are all that was said on it by then; the last one stands, ``status`` is
    what it amounts to. ``status`` is None where nothing stands: shares without an
    answer, or an erased person. ``shown`` is the last notice that an act names.
    ``stopped`` is the suspension that was in force, if one was.
    """

    purpose: str
    recipient: str
    at: Millis
    status: Status | None
    acts: tuple[Entry, ...]
    shown: ShownNotice | None
    shares: tuple[Entry, ...]
    batches: int
    stopped: Entry | None

    @property
    def state(self) -> State | None:
        """The state at that moment: a grant that was over by then is expired."""
        return None if self.status is None else self.status.at(self.at)

    @property
    def in_force(self) -> bool:
        """Whether there was a grant at that moment that nobody had stopped."""
        granted = self.status is not None and self.status.authorises(self.at)
        return granted and self.stopped is None


@dataclass(frozen=True)
class AsOf:
    """The answer: a basis for each question that had come up by then.

    ``checkpoint`` is the signed note that every proof leads to, ``erased`` the entry
    by which the person had been erased by then.
    """

    question: Question
    checkpoint: bytes
    bases: tuple[Basis, ...]
    erased: Entry | None

    def entries(self) -> Iterator[Entry]:
        """Every entry that the answer rests on, once, in the order of the log."""
        found = {self.erased.index: self.erased} if self.erased else {}
        for basis in self.bases:
            rest = (basis.stopped, basis.shown.entry if basis.shown else None)
            for each in (*basis.acts, *basis.shares, *rest):
                if each is not None:
                    found[each.index] = each
        yield from (found[index] for index in sorted(found))


def as_of(
    source: Source, note: bytes, checkpoint: Checkpoint, question: Question
) -> AsOf:
    """The answer that the log of this opened checkpoint gives.

    ``note`` is the checkpoint as it was signed. That the log holds is not checked.

    Raises:
        VerificationError: an entry is not in the tree, or a notice is not the logged
            one; ``step`` and ``entry`` say which.
        LogUnavailableError: the source stopped answering.
    """
    story = _Story(question)
    for index, leaf in search_leaves(source, checkpoint.size, _matters(question)):
        # A notice is before its act by its index, whatever the two clocks said.
        if leaf.time <= question.at or leaf.kind == Kind.NOTICE:
            story.take(index, leaf)
    prover = _Prover(source, checkpoint)
    keys = sorted(filter(question.covers, {*story.acts, *story.shares}))
    return AsOf(
        question,
        note,
        tuple(_basis(key, story, prover) for key in keys),
        prover.entry(story.erased) if story.erased else None,
    )


def _matters(question: Question) -> Callable[[bytes], bool]:
    needles = (f'"subject":"{question.subject}"'.encode(), *_MATTERING)
    return lambda data: any(needle in data for needle in needles)


@dataclass
class _Story:
    """What the entries up to the moment say, in the order of the log."""

    question: Question
    acts: dict[tuple[str, str], list[tuple[int, Leaf]]] = field(default_factory=dict)
    shares: dict[tuple[str, str], list[tuple[int, Leaf]]] = field(default_factory=dict)
    standing: dict[tuple[str, str], Status] = field(default_factory=dict)
    batches: dict[tuple[str, str], int] = field(default_factory=dict)
    stopped: dict[tuple[str, str], tuple[int, Leaf]] = field(default_factory=dict)
    notices: dict[str, tuple[int, Leaf]] = field(default_factory=dict)
    erased: tuple[int, Leaf] | None = None

    def take(self, index: int, leaf: Leaf) -> None:
        """Take in the next entry."""
        match leaf.kind:
            case Kind.NOTICE:
                self.notices.setdefault(leaf.body["notice"], (index, leaf))
            case Kind.SUSPENSION:
                self._suspend(index, leaf)
            case Kind.DISCLOSURE_BATCH:
                key = _key(leaf.body)
                self.batches[key] = self.batches.get(key, 0) + 1
            case _ if leaf.subject == self.question.subject:
                self._take_own(index, leaf)

    def _take_own(self, index: int, leaf: Leaf) -> None:
        if leaf.kind == Kind.DISCLOSURE:
            self.shares.setdefault(_key(leaf.body), []).append((index, leaf))
        elif leaf.kind == Kind.ERASURE:
            self.erased = index, leaf
            self.standing.clear()  # nobody may rely on what they once said
        elif leaf.kind in ANSWERS:
            act = act_of(leaf)
            for choice in act.choices:
                self.acts.setdefault(choice.key, []).append((index, leaf))
                self.standing[choice.key] = status_of(act, choice)

    def _suspend(self, index: int, leaf: Leaf) -> None:
        if leaf.body["action"] == "suspend":
            self.stopped.setdefault(_key(leaf.body), (index, leaf))
        else:
            self.stopped.pop(_key(leaf.body), None)

    def stop_of(self, key: tuple[str, str]) -> tuple[int, Leaf] | None:
        """What stopped this sharing: for the two, for one of them, or altogether."""
        purpose, recipient = key
        wider = (key, (purpose, ""), ("", recipient), ("", ""))
        return next(
            (self.stopped[each] for each in wider if each in self.stopped), None
        )


class _Prover:
    """Proves entries, each of them against the signed root."""

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        self._source = source
        self._checkpoint = checkpoint
        self._reader = TileReader(source.read, checkpoint.size)

    def entry(self, found: tuple[int, Leaf]) -> Entry:
        """The entry with its proof.

        Raises:
            VerificationError: there is none.
        """
        index, leaf = found
        size, root = self._checkpoint.size, self._checkpoint.root
        try:
            path = tuple(prove_inclusion(index, size, self._reader))
            check_inclusion(leaf.hash, index, size, path, root)
        except VerificationError as error:
            error.step, error.entry = "inclusion", index
            raise
        return Entry(index, leaf, path)

    def notice(self, digest: str, found: tuple[int, Leaf]) -> ShownNotice:
        """The notice of that digest.

        Raises:
            VerificationError: its files are there, and not what was logged.
        """
        entry = self.entry(found)
        if not all(map(self._has, notice_paths(digest))):
            return ShownNotice(digest, entry, None)
        try:
            notice = open_notice(self._source, entry.leaf.body)
        except VerificationError as error:
            error.step, error.entry = "notice", entry.index
            raise
        return ShownNotice(digest, entry, notice)

    def _has(self, path: str) -> bool:
        try:
            self._source.read(path)
        except VerificationError:
            return False
        return True


def _basis(key: tuple[str, str], story: _Story, prover: _Prover) -> Basis:
    acts = story.acts.get(key, [])
    named = [leaf.body["notice"] for _, leaf in acts if "notice" in leaf.body]
    logged = story.notices.get(named[-1]) if named else None
    stop = story.stop_of(key)
    return Basis(
        *key,
        at=story.question.at,
        status=story.standing.get(key),
        acts=tuple(map(prover.entry, acts)),
        shown=prover.notice(named[-1], logged) if logged else None,
        shares=tuple(map(prover.entry, story.shares.get(key, ()))),
        batches=story.batches.get(key, 0),
        stopped=prover.entry(stop) if stop else None,
    )


def _key(body: Mapping[str, str]) -> tuple[str, str]:
    return body["purpose"], body["recipient"]
