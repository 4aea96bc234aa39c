"""What every copy of a log is made of: its tree, and what is needed to judge it.

An auditor's folder has more in it, an archive has only this: nothing here is about
anybody that the log itself does not hold. All of it is below a size that was signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit import annexed
from consentkit.audit.search import may_register
from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.log.keys import Verifier
from consentkit.log.leaf import read_leaf
from consentkit.log.policy import NO_QUORUM
from consentkit.log.policy import Group
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import Witness
from consentkit.log.policy import format_policy
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import tiles_for_size
from consentkit.service.export_readme import readme
from consentkit.store.keys import LOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.notice import Notice
    from consentkit.service.installation import Installation
    from consentkit.service.log_copy import LogCopy

__all__ = ["Parts", "log_keys"]

_EVERY_WITNESS = "every-witness"


class Parts:
    """The parts of one copy; ``keys`` are known once the tree is written."""

    def __init__(self, installation: Installation, place: LogCopy, size: int) -> None:
        self._installation = installation
        self._place = place
        self._size = size
        self._notices: dict[str, None] = {}
        self.keys: list[Mapping[str, Any]] = []

    def write_readme(self) -> None:
        """What the copy says about itself."""
        text = readme(
            self._installation.origin, log_keys(self._installation, self._size)
        )
        self._place.replace(annexed.README, text)

    def write_tree(self, progress: Callable[[int, int], None]) -> None:
        """Bundles and tiles, one at a time; what they register is noted on the way."""
        total = sum(1 for _ in tiles_for_size(self._size))
        for done, tile in enumerate(tiles_for_size(self._size), start=1):
            data = self._installation.exports.file(tile.path)
            self._place.keep(tile.path, data)
            if tile.level == ENTRIES and may_register(data):
                self._note(filter(may_register, decode_bundle(data, count=tile.width)))
            progress(done, total)

    def write_checkpoints(self) -> None:
        """Every checkpoint that was signed so far; witnesses may have come since."""
        for size, note in self._installation.exports.checkpoints(self._size):
            path = annexed.stored_path(size)
            before = self._place.read(path)
            if before is not None and _text(before) != _text(note):
                self._place.keep(path, note)  # which says what is the matter
            self._place.replace(path, note)

    def write_notices(self) -> None:
        """The text and the manifest of every notice that was logged."""
        for digest in self._notices:
            manifest, html = annexed.notice_paths(digest)
            notice = self._notice(digest)
            self._place.keep(manifest, notice.manifest_bytes)
            self._place.keep(html, notice.html)

    def write_timestamps(self) -> None:
        """What authorities said of the checkpoints up to this size."""
        for size, authority, answer in self._installation.timestamps.all():
            if size <= self._size:
                self._place.keep(annexed.timestamp_path(size, authority), answer)

    def write_keys(self) -> None:
        """What the entries register, and the policy that these keys make."""
        self._place.replace(annexed.KEYS, annexed.format_keys(self.keys))
        policy = _policy(self._installation, self.keys)
        self._place.replace(annexed.POLICY, format_policy(policy))

    def _note(self, entries: Iterable[bytes]) -> None:
        for data in entries:
            body = read_leaf(data).body
            if body["kind"] == Kind.NOTICE:
                self._notices[body["notice"]] = None
            elif body["kind"] == Kind.KEY:
                self.keys.append(body)

    def _notice(self, digest: str) -> Notice:
        notice = self._installation.history.notice(digest)
        if notice is None or notice.digest != digest:
            raise LogConflictError(
                f"the log names the notice {digest}, and the database does not have "
                "it as it was; compare the two: flask consent rebuild --check"
            )
        return notice


def log_keys(installation: Installation, size: int) -> list[str]:
    """Every key that the first ``size`` entries register for the log, oldest first."""
    ranges = installation.keys.ranges()
    # A key signs from the entry on that comes after the one that registers it.
    return [each.vkey for each in ranges if each.role == LOG and each.first <= size]


def _policy(installation: Installation, keys: Iterable[Mapping[str, Any]]) -> Policy:
    """The log by all of its keys, and all witnesses that are set.

    Retired keys, too: an older receipt was signed by no other. The log key itself may
    be on another machine: what counts is what the log says.
    """
    vkeys = dict.fromkeys(each["vkey"] for each in keys if each["role"] == LOG)
    logs = [PolicyLog(verifier) for verifier in map(Verifier.parse, vkeys)]
    # A witness's name with its key's id: no two are alike, and none is a word of ours.
    witnesses = [Witness(each.key, each.verifier) for each in installation.cosigners]
    names = tuple(each.name for each in witnesses)
    groups = (Group(_EVERY_WITNESS, len(names), names),) if names else ()
    quorum = _EVERY_WITNESS if names else NO_QUORUM
    return Policy(tuple(logs), tuple(witnesses), groups, quorum)


def _text(note: bytes) -> bytes:
    return note.partition(b"\n\n")[0]
