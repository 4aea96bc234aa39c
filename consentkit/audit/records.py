"""The records layer: is what the log says consistent with the rules of consent?

Steps, in the numbers of ``consentkit.audit.verify``: 1. leaf, 2. log and 3. signature
are here; 4 to 9 are in ``rules``, 10 and 11 in ``sharing``, 16 in ``releases``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from consentkit.audit.collectors import Collectors
from consentkit.audit.collectors import Line
from consentkit.audit.memory import Memory
from consentkit.audit.releases import Releases
from consentkit.audit.replay import ANSWERS
from consentkit.audit.report import Batches
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Released
from consentkit.audit.rules import Notices
from consentkit.audit.rules import Order
from consentkit.audit.rules import Rule
from consentkit.audit.rules import States
from consentkit.audit.rules import fault
from consentkit.audit.signatures import Claim
from consentkit.audit.signatures import Queue
from consentkit.audit.signatures import queue_for
from consentkit.audit.source import named
from consentkit.audit.tree import Bundle
from consentkit.audit.trust import KnownCollectors
from consentkit.core.act import Kind
from consentkit.errors import VerificationError
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import split_leaf

__all__ = ["RecordsCheck"]


@dataclass(slots=True)
class _Entry:
    """One entry on its way through the steps; ``refusal`` is what steps 1 to 3 found.

    ``lines`` are the signatures on it by keys that may sign there.
    """

    index: int
    leaf: Leaf | None = None
    message: bytes = b""
    lines: Sequence[Line] = ()
    refusal: Finding | None = None

    @property
    def claim(self) -> Claim | None:
        """What there is to check about its signatures."""
        return None if self.refusal is not None else (self.message, self.lines)


class RecordsCheck:
    """Applies the rules to every entry, in one pass, holding state but few entries.

    Feed every bundle of the log in order to ``check``, then call ``finish``, and
    ``close`` in any case. Signatures are checked by ``jobs`` processes; what is wrong
    with an entry may then be said some bundles later, in order still, or when
    ``settle`` asks for it.

    Where a bundle cannot be split, or no collector key is to be had, nothing after it
    can be judged: that is one finding, and the rest is left. ``rules`` are applied
    after those of this layer, to the same leaves. ``memory`` is what the log begins
    with that continues another; it comes to hold what this one ends with.
    """

    def __init__(
        self,
        trust: KnownCollectors,
        *,
        rules: Sequence[Rule] = (),
        jobs: int = 1,
        memory: Memory | None = None,
    ) -> None:
        self.kinds: Counter[str] = Counter()
        self.assurances: Counter[str] = Counter()
        memory = Memory() if memory is None else memory
        self._answers, self._chains = memory.answers, memory.chains
        self._times, self._sharing = memory.times, memory.sharing
        self._releases = Releases(memory.answers, memory.sharing)
        self._origin = trust.origin
        self._collectors = Collectors(trust)
        self._genesis: bytes | None = None
        self._stopped = False
        self._queue: Queue[_Entry] = queue_for(jobs)
        every = (Order(), memory.unique, self._chains, memory.times)
        some = (Notices(), States(self._answers), memory.sharing, self._releases)
        self._rules = {
            kind.value: [
                *(rule.check for rule in every),
                *(rule.check for rule in some if kind in rule.kinds),
                *(rule.check for rule in rules),
            ]
            for kind in Kind
        }

    def check(self, bundle: Bundle) -> Iterator[Finding]:
        """What is wrong with the entries of one bundle, and of those still waiting."""
        if self._stopped:
            return
        if bundle.entries is None:
            yield from self._stop(named(bundle.path, bundle.fault))
            return
        pairs = zip(bundle.entries, bundle.hashes, strict=True)
        for index, (data, leaf_hash) in enumerate(pairs, start=bundle.first):
            if index > 1:
                yield from self._open(index, data, leaf_hash)
            elif index == 0:
                self._genesis = data  # the key that signs it stands in entry 1
            elif self._genesis is not None:
                yield from self._open_first_two(self._genesis, data)
            if self._stopped:
                return

    @property
    def released(self) -> tuple[Released, ...]:
        """What left without consent, as far as the entries were checked."""
        return tuple(self._releases.found)

    @property
    def batches(self) -> Batches:
        """How many batches there were, and of how many it was shown who was in it."""
        return Batches(self._sharing.batches, self._sharing.shown)

    def settle(self) -> Iterator[Finding]:
        """What is wrong with the entries that wait for their signatures."""
        for entry, good in self._queue.drain():
            yield from self._judge(entry, good=good)

    def finish(self) -> Iterator[Finding]:
        """What is missing at the end."""
        if self._genesis is not None:
            yield from self._stop("the log does not register a collector key")
        yield from self.settle()
        yield from self._releases.finish(self._times.latest)

    def close(self) -> None:
        """End the processes that check signatures."""
        self._queue.close()

    def _open_first_two(self, genesis: bytes, data: bytes) -> Iterator[Finding]:
        """Entry 1 registers the key that signs the genesis, and itself."""
        self._genesis = None
        try:
            leaf = read_leaf(data)
        except VerificationError as error:
            yield _from_error("leaf", 1, error)
            yield from self._stop("entry 1 does not register a collector key")
            return
        try:
            self._collectors.register_first(leaf)
        except VerificationError as error:
            yield _from_error("signature", 1, error)
            yield from self._stop("entry 1 does not register a collector key")
            return
        yield from self._open(0, genesis)
        yield from self._open(1, data)

    def _open(
        self, index: int, data: bytes, leaf_hash: bytes | None = None
    ) -> list[Finding]:
        """Take in one entry; what is wrong with those whose signatures are checked.

        A list: of a million entries nearly all give none, and a generator costs more.
        """
        entry = self._read(index, data, leaf_hash)
        found: list[Finding] = []
        for earlier, good in self._queue.add(entry, entry.claim):
            found += self._judge(earlier, good=good)
        if entry.leaf is not None and entry.leaf.body["kind"] == Kind.KEY:
            found += self.settle()  # it may say who signs the next one
        return found

    def _read(self, index: int, data: bytes, leaf_hash: bytes | None) -> _Entry:
        # 1. leaf
        try:
            leaf, note = split_leaf(data, known_hash=leaf_hash)
        except VerificationError as error:
            return _Entry(index, refusal=_from_error("leaf", index, error))
        # 2. log
        if leaf.log != self._origin:
            return _Entry(index, refusal=_of_another_log(index, leaf, self._origin))
        # 3. signature: is there one that counts?
        try:
            lines = self._collectors.lines(index, note)
        except VerificationError as error:
            return _Entry(index, leaf, refusal=_from_error("signature", index, error))
        return _Entry(index, leaf, note.text, lines)

    def _judge(self, entry: _Entry, *, good: bool) -> list[Finding]:
        """All that follows from an entry, once its signatures were checked."""
        index, leaf = entry.index, entry.leaf
        # 3. signature: does it hold?
        refusal = entry.refusal if good else _bad_signature(entry)
        if leaf is None or refusal is not None:
            found = [] if refusal is None else [refusal]
            # A leaf that nobody vouches for changes no state. It keeps its place in
            # the subject's chain, or its successor would be blamed for it.
            return found if leaf is None else [*found, *self._chains.check(index, leaf)]
        self._collectors.used(entry.lines, index)
        kind, found = leaf.body["kind"], []
        if kind == Kind.KEY and index > 1:
            wrong = self._collectors.register(index, leaf.body)
            found += [fault("signature", index, what) for what in wrong]
        # 4. to 11., and 16.
        for check in self._rules[kind]:
            found += check(index, leaf)
        self._answers.apply(index, leaf)
        self.kinds[kind] += 1
        if kind in ANSWERS:
            self.assurances[leaf.body["assurance"]] += 1
        return found

    def _stop(self, what: str) -> Iterator[Finding]:
        self._stopped = True
        yield from self.settle()
        yield Finding(
            Layer.RECORDS, "leaf", None, f"{what}; nothing after it was checked"
        )


def _bad_signature(entry: _Entry) -> Finding | None:
    """What is wrong with the signatures, in words; they are checked again for it."""
    try:
        for verifier, signature in entry.lines:
            verifier.verify(entry.message, signature)
    except VerificationError as error:
        return _from_error("signature", entry.index, error)
    return None


def _from_error(step: str, index: int, error: VerificationError) -> Finding:
    return Finding(Layer.RECORDS, step, index, str(error), type(error))


def _of_another_log(index: int, leaf: Leaf, origin: str) -> Finding:
    what = f"expected a record of {origin!r}, got one of {leaf.log!r}"
    return fault("log", index, what)
