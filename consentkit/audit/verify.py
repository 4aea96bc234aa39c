"""Does a published log hold? Three layers, each usable alone.

**log**: the files are the tree that the log's key signed (stricter than C2SP asks).

1. checkpoint: it opens under the log's key, which comes from outside, and its origin.
2. tiles: every file for that size is there, with exactly its bytes.
3. entries: each bundle parses to its exact count, and its entries hash to level 0.
4. tree: each higher level is what the level below it hashes to.
5. root: the tree hashes to the signed root.
6. layout, folders only: nothing else lies there, and left-over partial files agree
   with those that replaced them. A web address cannot be listed.

So one changed byte of any file is found, and the entry named if it is in one entry.
A signature line of a key that was not given is the exception: nobody can say what
should have stood there.

**history**: the log continues what it once showed to others. Needs what others kept;
without it the layer is "not checked", and a log rewritten as a whole by whoever holds
its key passes the other two.

**records**: what the entries say keeps the rules of consent.

1. leaf: each entry is a leaf, in its only spelling.
2. log: it was written for this log.
3. signature: by a collector key valid for its index. Entry 1 registers the first one,
   which signs the genesis and itself; pin it with a collector key from outside.
4. order: the genesis first and once, nothing after a closure.
5. unique: no id and no challenge twice.
6. chain: seq and prev of one subject without a gap; nothing after an erasure.
7. time: never back by more than ``rules.MAX_SKEW_MS``.
8. notice: logged before the choice that names it, and the choice within its offers.
9. state: who may say what, and what may follow what.
10. grant: each disclosure rests on the grant in force, which covers its data.
11. suspension: nothing was shared that was stopped at that point.

Whether the person behind a ``session`` act was really there, no log can prove: see
the counts by assurance.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator

from consentkit.audit.bundle import Source
from consentkit.audit.layout import CHECKPOINT
from consentkit.audit.layout import LayoutCheck
from consentkit.audit.records import RecordsCheck
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Report
from consentkit.audit.report import Verdict
from consentkit.audit.report import VerifiedLog
from consentkit.audit.tree import TreeCheck
from consentkit.audit.tree import walk_bundles
from consentkit.audit.trust import Trust
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint

__all__ = ["CHECKABLE", "MAX_FINDINGS", "Examination", "find_faults", "verify_log"]

CHECKABLE = (Layer.LOG, Layer.RECORDS)
"""The layers that the log alone can be checked for."""

MAX_FINDINGS = 1_000
"""Where an examination ends: more would say no more, and fill the memory."""


def verify_log(
    source: Source, *, trust: Trust, layers: Collection[Layer] = CHECKABLE
) -> VerifiedLog:
    """The log, if it holds in every one of ``layers``.

    Says nothing about whether others were shown the same log: the history layer is
    not part of it.

    Raises:
        VerificationError: the first thing that does not hold, with step and entry.
        LogUnavailableError: the source cannot be read.
    """
    examination = Examination(source, trust=trust, layers=layers)
    for finding in examination.find_faults():
        raise finding.error()
    return examination.seen()


def find_faults(
    source: Source, *, trust: Trust, layers: Collection[Layer] = CHECKABLE
) -> Iterator[Finding]:
    """Everything that does not hold, in the order in which it is met.

    Raises:
        LogUnavailableError: the source cannot be read.
    """
    return Examination(source, trust=trust, layers=layers).find_faults()


class Examination:
    """One pass over one log, in constant memory for the log layer.

    Take everything from ``find_faults``, then ask for the ``report``. ``progress`` is
    called with (entries done, entries in all) from time to time.
    """

    def __init__(
        self,
        source: Source,
        *,
        trust: Trust,
        layers: Collection[Layer] = CHECKABLE,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._source = source
        self._trust = trust
        self._progress = progress
        self._records = RecordsCheck(trust)
        self._checkpoint: Checkpoint | None = None
        self._findings: list[Finding] = []
        self._wanted = frozenset(layers)
        self._done: set[Layer] = set()

    def find_faults(self) -> Iterator[Finding]:
        """Everything that does not hold, up to ``MAX_FINDINGS``."""
        for finding in self._examine():
            self._findings.append(finding)
            yield finding
            if len(self._findings) == MAX_FINDINGS:
                return
        self._done |= self._wanted

    def report(self) -> Report:
        """What has been found so far, layer by layer."""
        found = {finding.layer for finding in self._findings}
        layers = dict.fromkeys(Layer, Verdict.NOT_CHECKED)
        layers |= dict.fromkeys(self._done.intersection(CHECKABLE), Verdict.HOLDS)
        layers |= dict.fromkeys(found, Verdict.FAILS)
        if self._checkpoint is None:
            layers[Layer.RECORDS] = Verdict.NOT_CHECKED
        log = None if self._checkpoint is None else self.seen()
        return Report(layers, tuple(self._findings), log)

    def seen(self) -> VerifiedLog:
        """The log as far as it was read; verified only if nothing was found.

        Raises:
            VerificationError: not even the checkpoint was opened.
        """
        if self._checkpoint is None:
            raise VerificationError("no checkpoint was opened", step=CHECKPOINT)
        return VerifiedLog(
            origin=self._checkpoint.origin,
            size=self._checkpoint.size,
            root=self._checkpoint.root,
            kinds=dict(self._records.kinds),
            assurances=dict(self._records.assurances),
        )

    def _examine(self) -> Iterator[Finding]:
        # log 1. checkpoint
        try:
            checkpoint = open_checkpoint(
                self._source.read(CHECKPOINT),
                self._trust.log,
                origin=self._trust.origin,
            )
        except VerificationError as error:
            yield Finding(Layer.LOG, CHECKPOINT, None, str(error), type(error))
            return
        self._checkpoint = checkpoint
        # log 2. to 5., and all of records, in one pass
        tree = TreeCheck(self._source, checkpoint)
        chosen: dict[Layer, TreeCheck | RecordsCheck] = {
            Layer.LOG: tree,
            Layer.RECORDS: self._records,
        }
        checks = [check for layer, check in chosen.items() if layer in self._wanted]
        for bundle in walk_bundles(self._source, checkpoint.size):
            for check in checks:
                yield from check.check(bundle)
            if self._progress:
                self._progress(bundle.first + bundle.width, checkpoint.size)
        for check in checks:
            yield from check.finish()
        # log 6. layout
        paths = self._source.paths() if Layer.LOG in self._wanted else None
        if paths is not None:
            yield from LayoutCheck(self._source, checkpoint.size).check(paths)
