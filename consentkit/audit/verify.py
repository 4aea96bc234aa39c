"""Does a published log hold? Three layers, each usable alone.

**log**: the files are the tree that the log's key signed (stricter than C2SP asks).

1. checkpoint: it opens under the log's key, which comes from outside, and its origin.
2. tiles: every file for that size is there, with exactly its bytes.
3. entries: each bundle parses to its exact count, and its entries hash to level 0.
4. tree: each higher level is what the level below it hashes to.
5. root: the tree hashes to the signed root.
6. layout, folders only: nothing else lies there, and left-over partial files agree
   with those that replaced them. A file of a name that no log has is a stray: it is
   named, and changes no verdict. A web address cannot be listed.
7. manifest, folders with a ``MANIFEST``: each file it lists is there with its size
   and hash, and no other is. That finds a bad copy, and convicts nobody: it is told
   apart from the layers, as the copy's fault.

So one changed byte of any file is found, and the entry named if it is in one entry.
A signature line of a key that was not given is the exception: nobody can say what
should have stood there.

**history**: the log is the one that was shown to others before. It rests on what
others kept (``kept``); without that it is "not checked" unless something fails, and a
log rewritten as a whole by whoever holds its key passes the other two. What lies
beside the log itself can speak against it, never for it.

1. quorum: the newest checkpoint is cosigned as the policy asks.
2. checkpoints, folders only: each file of ``checkpoints/`` opens under the log's key,
   and is of the size that it is named by. One that only another key of the log's name
   signed, such as a retired one that was not given, is not checked, and counted.
3. consistency: every older checkpoint is a prefix of the tree. Else the log was
   TRUNCATED or REWRITTEN, or shows a SPLIT VIEW.
4. receipt: the record of each old receipt still stands at its index.
5. time window: the time of each entry lies between the moments at which a quorum of
   the policy cosigned the log without it and with it, give or take
   ``rules.MAX_SKEW_MS``; and between those at which it was time-stamped so.
6. policy, folders only: a ``policy`` that lies there names this log and its key. It is
   not applied: whose word counts is for the auditor to say.
7. time stamp, folders only: each RFC 3161 answer in ``timestamps/`` is over the
   checkpoint of its size, by an authority under the roots given. Without roots they
   are not judged.

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
10. grant: each disclosure rests on the grant in force, which covers its data; so does
    each person of a batch, where ``batches/`` shows who was in it. These are as many,
    and hash to the root, as its entry says (batch).
11. suspension: nothing was shared that was stopped at that point.
12. keys, folders only: a file ``keys`` lists what the entries register.
13. texts, exports only: each logged notice is there in full, as its entry says, and
    no other.
14. evidence, folders only: the private facts in ``disclosures/`` are those that the
    entries commit to.
15. previous: a log that continues another begins with what that one ends with, which
    has to be given (``previous``): it is the tree that the genesis names, and its
    entries keep these rules, too.
16. release: what left without consent names its basis and one entry of a person, who
    was never asked about it; it rests on no grant, and is counted apart.

Whether the person behind a ``session`` act was really there, no log can prove: see
the counts by assurance.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Generator
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

from consentkit.audit.annexed import stored_sizes
from consentkit.audit.annexes import OFFICIAL
from consentkit.audit.batches import BatchPages
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.bundle import Source
from consentkit.audit.folder import FolderCheck
from consentkit.audit.history import HistoryCheck
from consentkit.audit.kept import History
from consentkit.audit.kept import Kept
from consentkit.audit.memory import Memory
from consentkit.audit.previous import replay_previous
from consentkit.audit.records import RecordsCheck
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import Moved
from consentkit.audit.report import OfficialActs
from consentkit.audit.report import Report
from consentkit.audit.report import Verdict
from consentkit.audit.report import VerifiedLog
from consentkit.audit.signatures import processes_for
from consentkit.audit.stamped import StampCheck
from consentkit.audit.tree import Bundle
from consentkit.audit.tree import TreeCheck
from consentkit.audit.tree import walk_bundles
from consentkit.audit.trust import Trust
from consentkit.audit.windows import LeafTimes
from consentkit.audit.windows import TimeWindows
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import read_leaf

__all__ = [
    "MAX_FINDINGS",
    "Examination",
    "find_faults",
    "verify_log",
]

_NOTHING_KEPT = History()
_Check: TypeAlias = TreeCheck | RecordsCheck | LeafTimes

_SECOND = 1_000

MAX_FINDINGS = 1_000
"""Where an examination ends: more would say no more, and fill the memory."""


def verify_log(
    source: Source,
    *,
    trust: Trust,
    history: History = _NOTHING_KEPT,
    layers: Collection[Layer] = tuple(Layer),
    jobs: int = 1,
    previous: Sequence[Source] = (),
) -> VerifiedLog:
    """The log, if nothing speaks against it in any of ``layers``.

    With an empty ``history`` that says nothing about whether others were shown the
    same log. ``previous`` are the logs before, if it continues others, newest first.

    Raises:
        VerificationError: the first thing that does not hold, with step and entry.
        LogUnavailableError: the source cannot be read, or holds no checkpoint; or a
            process that checks signatures ended before it had answered.
    """
    examination = Examination(
        source,
        trust=trust,
        history=history,
        layers=layers,
        jobs=jobs,
        previous=previous,
    )
    with closing(examination.find_faults()) as faults:
        for finding in faults:
            if not finding.stray:
                raise finding.error()
    return examination.seen()


def find_faults(
    source: Source,
    *,
    trust: Trust,
    history: History = _NOTHING_KEPT,
    layers: Collection[Layer] = tuple(Layer),
    jobs: int = 1,
    previous: Sequence[Source] = (),
) -> Iterator[Finding]:
    """Everything that does not hold, and strays, in the order in which it is met.

    Raises:
        LogUnavailableError: the source cannot be read, or holds no checkpoint; or a
            process that checks signatures ended before it had answered.
    """
    return Examination(
        source,
        trust=trust,
        history=history,
        layers=layers,
        jobs=jobs,
        previous=previous,
    ).find_faults()


class Examination:
    """One pass over one log, in constant memory for the log and history layers.

    Take everything from ``find_faults``, then ask for the ``report``. ``progress`` is
    called with (entries done, entries in all) from time to time; the history layer's
    own, quicker walk along the tree comes first.
    """

    def __init__(
        self,
        source: Source,
        *,
        trust: Trust,
        history: History = _NOTHING_KEPT,
        layers: Collection[Layer] = tuple(Layer),
        progress: Callable[[int, int], None] | None = None,
        jobs: int = 1,
        previous: Sequence[Source] = (),
    ) -> None:
        self._source = source
        self._trust = trust
        self._history = history
        self._progress = progress
        self._windows = TimeWindows()
        self._stamped = TimeWindows("time-stamped")
        self._stamps = StampCheck(source, origin=trust.origin, roots=history.tsa_roots)
        self._jobs = jobs
        self._previous = previous
        self._memory = Memory()
        self._records: RecordsCheck | None = None
        self._checkpoint: Checkpoint | None = None
        self._unopened = 0
        self._moved = Moved()
        self._official: OfficialActs | None = None
        self._listed = False
        self._findings: list[Finding] = []
        self._wanted = frozenset(layers)
        self._done: set[Layer] = set()

    def find_faults(self) -> Generator[Finding, None, None]:
        """Everything that does not hold, and strays, up to ``MAX_FINDINGS``.

        Raises:
            LogUnavailableError: the source cannot be read, or holds no checkpoint; or
                a process that checks signatures ended before it had answered.
        """
        with closing(self._examine()) as findings:
            for finding in findings:
                self._findings.append(finding)
                yield finding
                if len(self._findings) == MAX_FINDINGS:
                    return
        self._done |= self._wanted

    def report(self) -> Report:
        """What has been found so far, layer by layer."""
        layers = dict.fromkeys(Layer, Verdict.NOT_CHECKED)
        if self._checkpoint is not None:
            layers |= dict.fromkeys(self._done, Verdict.HOLDS)
        if not self._history.vouches:
            layers[Layer.HISTORY] = Verdict.NOT_CHECKED
        wrong = [finding for finding in self._findings if not finding.stray]
        found = {finding.layer for finding in wrong if not finding.of_copy}
        layers |= dict.fromkeys(found, Verdict.FAILS)
        log = None if self._checkpoint is None else self.seen()
        return Report(
            layers,
            tuple(wrong),
            log,
            stamps=self._stamps.summary(),
            unopened=self._unopened,
            moved=self._moved,
            official=self._official,
            batches=self._records.batches if self._records else None,
            listed=self._listed,
            strays=tuple(finding for finding in self._findings if finding.stray),
        )

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
            kinds=dict(self._records.kinds if self._records else ()),
            assurances=dict(self._records.assurances if self._records else ()),
            released=self._records.released if self._records else (),
        )

    def _examine(self) -> Generator[Finding, None, None]:
        # log 1. checkpoint
        try:
            data = self._source.read(CHECKPOINT)
            checkpoint = open_checkpoint(
                data, self._trust.log, origin=self._trust.origin
            )
        except VerificationError as error:
            yield Finding(Layer.LOG, CHECKPOINT, None, str(error), type(error))
            return
        self._checkpoint = checkpoint
        # history 1. to 4., and 7.
        if Layer.HISTORY in self._wanted:
            yield from self._check_history(Kept(CHECKPOINT, data, checkpoint))
        # records 15., which the others rest on
        if Layer.RECORDS in self._wanted:
            self._memory = yield from replay_previous(
                self._source,
                checkpoint,
                self._previous,
                jobs=self._jobs,
                progress=self._progress,
            )
        # log 2. to 5., history 5., and all of records, in one pass
        try:
            yield from self._walk(self._checks(checkpoint), checkpoint.size)
        finally:
            if self._records is not None:
                self._records.close()
        # log 6. and 7., history 6., records 12. to 14.
        folder = FolderCheck(
            self._source, checkpoint.size, trust=self._trust, layers=self._wanted
        )
        yield from folder.check()
        self._listed = folder.listed
        if folder.official is not None and self._records is not None:
            logged = sum(self._records.kinds[kind] for kind in OFFICIAL)
            self._official = OfficialActs(logged, folder.official)

    def _walk(self, checks: Sequence[_Check], size: int) -> Iterator[Finding]:
        """All bundles in order past all checks, if there are any."""
        for bundle in walk_bundles(self._source, size) if checks else ():
            for check in checks:
                yield from self._in_order(check, check.check(bundle))
            if bundle.first + bundle.width == size:
                self._moved = replace(self._moved, entry=_last_time(bundle))
            if self._progress:
                self._progress(bundle.first + bundle.width, size)
        for check in checks:
            yield from self._in_order(check, check.finish())

    def _in_order(
        self, check: _Check, findings: Iterable[Finding]
    ) -> Iterator[Finding]:
        """What one check finds, after what is still to be said of earlier entries."""
        for finding in findings:
            if self._records is not None and check is not self._records:
                yield from self._records.settle()
            yield finding

    def _check_history(self, newest: Kept) -> Iterator[Finding]:
        paths = self._stamps.note(self._source.paths() or ())
        check = HistoryCheck(
            self._source,
            newest,
            self._history,
            trust=self._trust,
            stored=set(stored_sizes(paths)),
            windows=self._windows,
            stamps=self._stamps,
            progress=self._progress,
        )
        yield from check.check()
        self._unopened = check.unopened
        self._moved = Moved(
            cosigned=None if check.cosigned is None else check.cosigned * _SECOND,
            judged=self._history.policy is not None,
            stamped=self._stamps.newest,
        )
        for size, seen in self._stamps.seen():
            self._stamped.add(size, seen)

    def _checks(self, checkpoint: Checkpoint) -> list[_Check]:
        """What sees every bundle. Times are read with the records, or else alone."""
        checks: list[_Check] = []
        if Layer.LOG in self._wanted:
            checks.append(TreeCheck(self._source, checkpoint))
        if Layer.RECORDS in self._wanted:
            self._memory.sharing.pages = BatchPages(self._source)
            self._records = RecordsCheck(
                self._trust,
                rules=[each for each in (self._windows, self._stamped) if each.known],
                jobs=processes_for(checkpoint.size, self._jobs),
                memory=self._memory,
            )
            checks.append(self._records)
        elif self._windows.known or self._stamped.known:
            checks.append(LeafTimes(self._windows, self._stamped))
        return checks


def _last_time(bundle: Bundle) -> int | None:
    """What the last entry of a bundle claims to be of; others say if it is no leaf."""
    try:
        return read_leaf(bundle.entries[-1]).time if bundle.entries else None
    except VerificationError:
        return None
