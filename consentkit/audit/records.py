"""The records layer: is what the log says consistent with the rules of consent?

Steps, in the numbers of ``consentkit.audit.verify``: 1. leaf, 2. log and 3. signature
are here; 4 to 9 are in ``rules``, 10 and 11 in ``sharing``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator

from consentkit.audit.collectors import Collectors
from consentkit.audit.replay import StateTable
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.rules import Chains
from consentkit.audit.rules import Notices
from consentkit.audit.rules import Order
from consentkit.audit.rules import Rule
from consentkit.audit.rules import States
from consentkit.audit.rules import Times
from consentkit.audit.rules import Uniqueness
from consentkit.audit.rules import fault
from consentkit.audit.sharing import Sharing
from consentkit.audit.tree import Bundle
from consentkit.audit.trust import Trust
from consentkit.core.act import Kind
from consentkit.errors import VerificationError
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf

__all__ = ["RecordsCheck"]


class RecordsCheck:
    """Applies the rules to every entry, in one pass, holding state but no entries.

    Feed every bundle of the log in order to ``check``, then call ``finish``. Where a
    bundle cannot be split, or no collector key is to be had, nothing after it can be
    judged: that is one finding, and the rest is left. ``rules`` are applied after
    those of this layer, to the same leaves.
    """

    def __init__(self, trust: Trust, *, rules: Iterable[Rule] = ()) -> None:
        self.kinds: Counter[str] = Counter()
        self.assurances: Counter[str] = Counter()
        self.table = StateTable()
        self._origin = trust.origin
        self._collectors = Collectors(trust)
        self._genesis: bytes | None = None
        self._stopped = False
        self._chains = Chains()
        self._rules: tuple[Rule, ...] = (
            Order(),
            Uniqueness(),
            self._chains,
            Times(),
            Notices(),
            States(self.table),
            Sharing(self.table),
            *rules,
        )

    def check(self, bundle: Bundle) -> Iterator[Finding]:
        """What is wrong with the entries of one bundle."""
        if self._stopped:
            return
        if bundle.entries is None:
            yield self._stop(f"{bundle.path}: {bundle.fault}")
            return
        for place, data in enumerate(bundle.entries):
            yield from self._check_entry(bundle.first + place, data)
            if self._stopped:
                return

    def finish(self) -> Iterator[Finding]:
        """What is missing at the end."""
        if self._genesis is not None:
            yield self._stop("the log does not register a collector key")

    def _check_entry(self, index: int, data: bytes) -> Iterator[Finding]:
        if index == 0:
            self._genesis = data  # the key that signs it stands in entry 1
        elif self._genesis is not None:
            yield from self._open_first_two(self._genesis, data)
            self._genesis = None
        else:
            yield from self._open(index, data)

    def _open_first_two(self, genesis: bytes, data: bytes) -> Iterator[Finding]:
        """Entry 1 registers the key that signs the genesis, and itself."""
        try:
            leaf = read_leaf(data)
        except VerificationError as error:
            yield _from_error("leaf", 1, error)
            yield self._stop("entry 1 does not register a collector key")
            return
        try:
            self._collectors.register_first(leaf)
        except VerificationError as error:
            yield _from_error("signature", 1, error)
            yield self._stop("entry 1 does not register a collector key")
            return
        yield from self._open(0, genesis)
        yield from self._open(1, data)

    def _open(self, index: int, data: bytes) -> Iterator[Finding]:
        # 1. leaf, 3. signature
        try:
            leaf = open_leaf(data, self._collectors.at(index))
        except VerificationError as error:
            yield from self._refuse(index, data, error)
            return
        # 2. log
        if leaf.log != self._origin:
            yield _of_another_log(index, leaf, self._origin)
            return
        self._collectors.used(leaf.signers, index)
        if leaf.kind == Kind.KEY and index > 1:
            for what in self._collectors.register(index, leaf.body):
                yield fault("signature", index, what)
        # 4. to 11.
        for rule in self._rules:
            yield from rule.check(index, leaf)
        self._take(leaf)

    def _refuse(
        self, index: int, data: bytes, error: VerificationError
    ) -> Iterator[Finding]:
        """Say which of the first three steps an entry fails at."""
        try:
            leaf = read_leaf(data)
        except VerificationError as malformed:
            yield _from_error("leaf", index, malformed)
            return
        if leaf.log != self._origin:
            yield _of_another_log(index, leaf, self._origin)
            return
        yield _from_error("signature", index, error)
        # A leaf that nobody vouches for changes no state. It keeps its place in the
        # subject's chain, or its successor would be blamed for it.
        yield from self._chains.check(index, leaf)

    def _take(self, leaf: Leaf) -> None:
        self.table.apply(leaf)
        self.kinds[leaf.kind.value] += 1
        if "assurance" in leaf.body:
            self.assurances[leaf.body["assurance"]] += 1

    def _stop(self, what: str) -> Finding:
        self._stopped = True
        return Finding(
            Layer.RECORDS, "leaf", None, f"{what}; nothing after it was checked"
        )


def _from_error(step: str, index: int, error: VerificationError) -> Finding:
    return Finding(Layer.RECORDS, step, index, str(error), type(error))


def _of_another_log(index: int, leaf: Leaf, origin: str) -> Finding:
    what = f"expected a record of {origin!r}, got one of {leaf.log!r}"
    return fault("log", index, what)
