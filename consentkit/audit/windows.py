"""When can an entry have been written? Witnesses say, not the log.

An entry's time is its collector's claim. A quorum that cosigned a tree without the
entry says that it was not in the log at that moment; one that cosigned a tree with
it, that it was. Between these two moments lies the truth, and so must the claim.
So it is with time stamps, see ``stamped`` for what they can say.

Step, in the numbers of ``consentkit.audit.verify``:

5. time window: each entry's time lies between the newest cosigned checkpoint before
   it and the oldest after it, give or take ``rules.MAX_SKEW_MS``; and so with the
   time-stamped ones.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.errors import VerificationError
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.audit.tree import Bundle
    from consentkit.log.policy import Seen

__all__ = ["TIME_WINDOW", "LeafTimes", "TimeWindows", "claims_too_late"]

TIME_WINDOW = "time window"
_SECOND = 1_000


class TimeWindows:
    """The moments at which a quorum saw the log, by its size then (a ``Rule``).

    24 bytes for each cosigned checkpoint: a year of them, one a minute, is 13 MB.
    ``said`` is what happened at those moments, for the findings.
    """

    def __init__(self, said: str = "cosigned") -> None:
        self._said = said
        self._sizes = array("Q")
        self._first = array("Q")
        self._last = array("Q")
        self._after = 0

    @property
    def known(self) -> bool:
        """Whether there is any."""
        return bool(self._sizes)

    def add(self, size: int, seen: Seen) -> None:
        """Take one checkpoint; give them in the order of their sizes."""
        self._sizes.append(size)
        self._first.append(seen.first)
        self._last.append(seen.last)

    def check(self, index: int, leaf: Leaf) -> Iterator[Finding]:
        """5. time window: what is wrong with the time of the leaf at ``index``."""
        while self._after < len(self._sizes) and self._sizes[self._after] <= index:
            self._after += 1
        if self._after:
            without = self._last[self._after - 1] * _SECOND
            if without - leaf.time > MAX_SKEW_MS:
                yield _outside(
                    index,
                    without - leaf.time,
                    f"before the log was {self._said} without it",
                )
        if self._after < len(self._sizes):
            late = leaf.time - self._first[self._after] * _SECOND
            if late > MAX_SKEW_MS:
                yield _outside(index, late, f"after the log was {self._said} with it")


class LeafTimes:
    """Hands each leaf to the windows where no other check reads the leaves.

    What is no leaf is passed over: the records layer is there to say so.
    """

    def __init__(self, *windows: TimeWindows) -> None:
        self._windows = windows

    def check(self, bundle: Bundle) -> Iterator[Finding]:
        """What is wrong with the times of one bundle's entries."""
        for index, data in enumerate(bundle.entries or (), start=bundle.first):
            try:
                leaf = read_leaf(data)
            except VerificationError:
                continue
            for windows in self._windows:
                yield from windows.check(index, leaf)

    def finish(self) -> Iterator[Finding]:
        """Nothing is left to say at the end."""
        yield from ()


def claims_too_late(time: int, seen: Seen) -> bool:
    """Whether a record of this time (ms) claims to be younger than its witnesses."""
    return time - seen.first * _SECOND > MAX_SKEW_MS


def _outside(index: int, by: int, what: str) -> Finding:
    text = f"its time is {by} ms {what}; {MAX_SKEW_MS} ms are allowed"
    return Finding(Layer.HISTORY, TIME_WINDOW, index, text)
