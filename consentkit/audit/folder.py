"""A folder as a whole, after its tree: what else lies there, layer by layer.

A web address cannot be listed, so nothing of this is checked there. The steps are in
``layout`` and ``manifest`` (log 6. and 7.), here (history 6.) and in ``annexes``
(records 12. to 14.), in the numbers of ``consentkit.audit.verify``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import is_annex
from consentkit.audit.annexes import AnnexCheck
from consentkit.audit.layout import LayoutCheck
from consentkit.audit.manifest import ManifestCheck
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.source import named
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.audit.bundle import Source
    from consentkit.audit.trust import Trust

__all__ = ["FolderCheck"]


class FolderCheck:
    """Looks at all that lies beside the tree of ``size`` leaves, in these layers.

    ``official`` counts the administrative acts whose private facts lie open there; None
    where that was not looked at. ``listed`` says whether a ``MANIFEST`` was there, and
    looked at.
    """

    def __init__(
        self, source: Source, size: int, *, trust: Trust, layers: Collection[Layer]
    ) -> None:
        self._source = source
        self._size = size
        self._trust = trust
        self._layers = layers
        self.official: int | None = None
        self.listed = False

    def check(self) -> Iterator[Finding]:
        """Everything that does not belong there, or is not as it belongs.

        Raises:
            LogUnavailableError: the source cannot be read.
        """
        if self._source.paths() is None:
            return
        annexes = frozenset(path for path in self._paths() if is_annex(path))
        if Layer.LOG in self._layers:
            # log 6. layout
            yield from LayoutCheck(self._source, self._size).check(self._paths())
            # log 7. manifest
            if MANIFEST in annexes:
                self.listed = True
                yield from ManifestCheck(self._source).check(self._paths())
        # history 6. policy
        if Layer.HISTORY in self._layers and POLICY in annexes:
            yield from self._check_policy()
        # records 12. to 14.
        if Layer.RECORDS in self._layers:
            check = AnnexCheck(self._source, self._size)
            yield from check.check(annexes)
            self.official = check.official

    def _paths(self) -> Iterable[str]:
        """Listed anew each time: a long log's paths would fill the memory."""
        return self._source.paths() or ()

    def _check_policy(self) -> Iterator[Finding]:
        """6. policy: the one that lies there speaks of this log. It is not applied."""
        try:
            policy = parse_policy(self._source.read(POLICY))
            if not {log.key for log in policy.logs} & set(self._trust.log):
                raise UnknownKeyError("it names no log with a key that was given")
        except VerificationError as error:
            what = named(POLICY, error)
            yield Finding(Layer.HISTORY, "policy", None, what, type(error))
