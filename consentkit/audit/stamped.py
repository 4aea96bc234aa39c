"""The time stamps that lie beside a log, held against its tree.

Each is over the text of the checkpoint of its size, which follows from the tree alone.
So a log that was rewritten as a whole does not fit the stamps of the old one, and a
stamp that fits bounds the time of every entry.

Upwards for certain: what is in the tree was there. Downwards by what a log does: it has
its newest checkpoint stamped. A stamp over a tree of which a larger one had been
stamped before is no such stamp, and bounds nothing downwards.

Step, in the numbers of ``consentkit.audit.verify``:

7. time stamp: each answer in ``timestamps/`` holds, over the checkpoint of its size.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consentkit.audit.annexed import parse_timestamp_path
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.report import format_time
from consentkit.audit.source import named
from consentkit.audit.timestamps import TIME_STAMP
from consentkit.audit.timestamps import open_timestamp
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.policy import Seen

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.audit.bundle import Source
    from consentkit.core.act import Millis

__all__ = ["StampCheck"]

_SECOND = 1_000


class StampCheck:
    """Judges the stamps of one log by the roots that an auditor brought.

    Without ``roots`` they are counted, and not judged.
    """

    def __init__(self, source: Source, *, origin: str, roots: bytes | None) -> None:
        self._source = source
        self._origin = origin
        self._roots = roots
        self._paths: dict[int, list[str]] = defaultdict(list)
        self._times: dict[int, list[Millis]] = defaultdict(list)

    def note(self, paths: Iterable[str]) -> Iterator[str]:
        """The same paths; those of time stamps are remembered in passing."""
        for path in paths:
            found = parse_timestamp_path(path)
            if found is not None:
                self._paths[found[0]].append(path)
            yield path

    @property
    def sizes(self) -> Collection[int]:
        """Of which sizes the roots are needed."""
        return () if self._roots is None else self._paths.keys()

    def check(self, size: int, root: bytes | None) -> Iterator[Finding]:
        """7. time stamp: the stamps over the tree of ``size``, whose root that is.

        ``root`` is None where the log has not grown that far.
        """
        if self._roots is None:
            return
        for path in self._paths.get(size, ()):
            try:
                time = self._open(path, size, root, self._roots)
            except VerificationError as error:
                what = named(path, error)
                yield Finding(Layer.HISTORY, TIME_STAMP, None, what, type(error))
            else:
                self._times[size].append(time)

    def _open(self, path: str, size: int, root: bytes | None, roots: bytes) -> Millis:
        if root is None:
            raise VerificationError("there is no tree of that size to compare with")
        text = Checkpoint(self._origin, size, root).text()
        return open_timestamp(self._source.read(path), text=text, roots=roots)

    def seen(self) -> Iterator[tuple[int, Seen]]:
        """When trees were there, and were the newest, by size; the smallest first."""
        earliest: dict[int, int] = {}
        newest: dict[int, int] = {}
        before = None  # the earliest stamp over any larger tree
        for size in sorted(self._times, reverse=True):
            times = self._times[size]
            timely = [time for time in times if before is None or time <= before]
            newest[size] = max(timely, default=0)
            before = min([*times, before]) if before is not None else min(times)
            earliest[size] = before
        last = 0
        for size in sorted(self._times):
            last = max(last, newest[size])
            yield size, Seen(-(-earliest[size] // _SECOND), last // _SECOND)

    @property
    def newest(self) -> Millis | None:
        """When the last of those that hold was made."""
        return max(
            (time for times in self._times.values() for time in times), default=None
        )

    def summary(self) -> str:
        """What can be said of all of them; empty where there are none."""
        count = sum(map(len, self._paths.values()))
        if self._roots is None:
            return f"{count}, not checked" if count else ""
        good = sum(map(len, self._times.values()))
        if not good:
            return f"none of {count} holds" if count else "none"
        size = max(self._times)
        at = format_time(max(self._times[size]))
        return f"{good} of {count} hold, the last over {size} entries at {at}"
