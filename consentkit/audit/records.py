"""The records layer: is what the log says consistent with the rules of consent?

Steps, in the numbers of ``consentkit.audit.verify``: 1. leaf, 2. log and 3. signature
are here; 4 to 9 are in ``rules``, 10 and 11 in ``sharing``.
"""

from __future__ import annotations

from collections import Counter
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
    judged: that is one finding, and the rest is left.
    """

    def __init__(self, trust: Trust) -> None:
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
        if self._genesis is not None and not self._stopped:
            yield self._stop("the log does not register a collector key")

    def _check_entry(self, index: int, data: bytes) -> Iterator[Finding]:
        # 1. leaf
        try:
            leaf = read_leaf(data)
        except VerificationError as error:
            yield _from_error("leaf", index, error)
            if index == 1:
                yield self._stop("entry 1 does not register a collector key")
            return
        # 2. log
        if leaf.log != self._origin:
            what = f"expected a record of {self._origin!r}, got one of {leaf.log!r}"
            yield fault("log", index, what)
            return
        # 3. signature
        if index == 0:
            self._genesis = data
        elif index == 1:
            yield from self._open_first_two(leaf)
        else:
            yield from self._open(index, leaf)

    def _open_first_two(self, leaf: Leaf) -> Iterator[Finding]:
        """Entry 1 holds the key that signs the genesis, and itself."""
        try:
            self._collectors.register_first(leaf)
        except VerificationError as error:
            yield _from_error("signature", 1, error)
            yield self._stop("entry 1 does not register a collector key")
            return
        if self._genesis is not None:
            yield from self._open(0, read_leaf(self._genesis))
            self._genesis = None
        yield from self._open(1, leaf)

    def _open(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        try:
            opened = open_leaf(leaf.data, self._collectors.at(index))
        except VerificationError as error:
            yield _from_error("signature", index, error)
            # A leaf that nobody vouches for changes no state. It keeps its place in
            # the subject's chain, or its successor would be blamed for it.
            yield from self._chains.check(index, leaf)
            return
        self._collectors.used(opened.signers, index)
        if leaf.kind == Kind.KEY and index > 1:
            for what in self._collectors.register(index, leaf.body):
                yield fault("signature", index, what)
        for rule in self._rules:
            yield from rule.check(index, leaf)
        self._take(leaf)

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
