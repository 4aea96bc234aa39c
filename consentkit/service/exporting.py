"""The auditor's folder: the published log, and all that is needed to judge it.

The tree comes as the log publishes it, so that any C2SP tool can read it; beside it
lie the files of ``consentkit.audit.annexed``. Everything is of one size that was
signed, whatever is committed meanwhile, and comes bundle by bundle from the database:
the published files may be lost or on another machine.

Nobody's id, name or address in the app leaves it. What officials said about their own
acts does, since auditors have to know who acted (CONTROLLER_HANDLE), and what was
asked for by the id of an act.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit import annexed
from consentkit.audit.batches import PAGE_ENTRIES
from consentkit.audit.batches import format_page
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.search import may_register
from consentkit.core.act import Kind
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.keys import Verifier
from consentkit.log.leaf import read_leaf
from consentkit.log.note import split_note
from consentkit.log.policy import NO_QUORUM
from consentkit.log.policy import Group
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import Witness
from consentkit.log.policy import format_policy
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import tiles_for_size
from consentkit.service.administering import CONTROLLER_HANDLE
from consentkit.service.evidence import open_facts
from consentkit.service.export_folder import ExportFolder
from consentkit.service.export_readme import heading
from consentkit.service.export_readme import readme
from consentkit.service.marking import check_newest
from consentkit.store.keys import LOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path

    from consentkit.core.notice import Notice
    from consentkit.log.batch import BatchEntry
    from consentkit.service.installation import Installation

__all__ = ["ALL_ADMIN", "Exported", "export"]

ALL_ADMIN = "all-admin"
"""Asks for what officials said about all of their acts."""

_ID = re.compile(r"[0-9a-f]{32}")
_EVERY_WITNESS = "every-witness"
_ALTHOUGH_BEHIND = (
    "if the newest copy is lost for good, 'flask consent export --although-behind' "
    "hands over what is left of the log"
)


@dataclass(frozen=True)
class Exported:
    """What an export holds: ``size`` entries, and how many files in all.

    ``disclosures`` are the acts whose private facts were asked for, ``batches`` the
    shares with many of which it lists the people.
    ``left_out`` are those that were committed by now and are not among them: not
    published yet, or not cosigned. ``behind`` says in what the log is known to have
    come further than this database; empty if nothing says so.
    """

    size: int
    files: int
    disclosures: int
    batches: int
    left_out: int
    behind: str = ""


def export(
    installation: Installation,
    folder: Path,
    *,
    disclosures: Collection[str] = (ALL_ADMIN,),
    although_behind: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Exported:
    """Write the auditor's folder, or bring an earlier one up to date.

    ``disclosures`` are ids of acts whose private facts are to be shown, or
    ``ALL_ADMIN``. Those that the folder shows already stay, unless the person was
    erased since. ``progress`` is called with (files of the tree done, in all).
    A database that was put back from a backup makes a shorter log than people hold
    receipts of; ``although_behind`` hands that over all the same.

    Raises:
        ConfigurationError: nothing is published yet, or the folder holds other things.
        InvalidRequestError: there are no private facts to an id that was asked for
            (code ``no-evidence``).
        LogConflictError: database and folder, or database and log, contradict each
            other; or the database is older than what was signed.
        LogUnavailableError: the database cannot be reached, or the folder written.
        VerificationError: what is stored is no longer what was stored.
    """
    behind = _behind(installation)
    if behind and not although_behind:
        raise LogConflictError(f"nothing was exported: {behind}; {_ALTHOUGH_BEHIND}")
    place = ExportFolder(folder)
    size, checkpoint = _checkpoint(installation, place)
    draft = _Draft(installation, place, size)
    shown = draft.shown(disclosures)
    text = readme(installation.origin, _log_keys(installation, size))
    place.replace(annexed.README, text)
    draft.write_tree(progress)
    draft.write_checkpoints()
    draft.write_notices()
    draft.write_timestamps()
    batches = draft.write_batches()
    for leaf_id, data in shown.items():
        place.keep(annexed.disclosure_path(leaf_id), data)
    place.replace(annexed.KEYS, annexed.format_keys(draft.keys))
    policy = _policy(installation, draft.keys)
    place.replace(annexed.POLICY, format_policy(policy))
    draft.settle_left_over()
    place.finish(checkpoint)
    return Exported(
        size=size,
        files=place.files + 1,
        disclosures=len(shown),
        batches=batches,
        left_out=_newest(installation) - size,
        behind=behind,
    )


def _behind(installation: Installation) -> str:
    """In what the log is known to have come further than this database."""
    if installation.origin in installation.earlier:
        return ""  # it was closed, and the database knows its end
    try:
        check_newest(installation)
    except LogConflictError as error:
        return str(error)
    return ""


def _newest(installation: Installation) -> int:
    """The size that the log will have once everything is published."""
    latest = installation.publications.latest()
    return (latest[0] if latest else 0) + installation.publications.pending()


def _checkpoint(installation: Installation, place: ExportFolder) -> tuple[int, bytes]:
    """The checkpoint to export: the best cosigned one, but never a step back.

    Of a closed log the newest, whoever cosigned it: what follows names its end.
    """
    before = _size_before(installation, place)
    publications = installation.publications
    best = None if installation.exports.is_closed() else publications.covering(0)
    for found in (best, publications.latest()):
        if found is not None and found[0] >= before:
            return found
    raise ConfigurationError(
        "nothing of this log is published yet: run flask consent publish first"
    )


def _size_before(installation: Installation, place: ExportFolder) -> int:
    """The size of the export that lies there, 0 if it is new or was never finished."""
    note = place.read(CHECKPOINT)
    if note is None:
        text = place.read(annexed.README) or b""
        if place.is_new or text.startswith(heading(installation.origin)):
            return 0
        raise ConfigurationError(
            "the folder must be empty, or hold an earlier export of this log; what "
            "lies there has no checkpoint"
        )
    try:
        size = parse_checkpoint_text(split_note(note).text).size
    except VerificationError:
        size = -1
    signed = installation.publications.signed(size)
    if signed is None or not note.startswith(signed):
        raise ConfigurationError(
            "the folder must be empty, or hold an earlier export of this log; the "
            "checkpoint that lies there is not one that this database knows"
        )
    return size


class _Draft:
    """The parts of one export. ``keys`` is known once the tree is written."""

    def __init__(
        self, installation: Installation, place: ExportFolder, size: int
    ) -> None:
        self._installation = installation
        self._place = place
        self._size = size
        self._notices: dict[str, None] = {}
        self._purged: set[str] = set()
        self.keys: list[Mapping[str, Any]] = []

    def shown(self, asked: Collection[str]) -> dict[str, bytes]:
        """The files of private facts that were asked for, by the id of the act."""
        wanted: dict[str, None] = {}
        for each in asked:
            if each == ALL_ADMIN:
                wanted |= dict.fromkeys(self._official_acts())
            elif _ID.fullmatch(each):
                wanted[each] = None
            else:
                raise _no_evidence("expected the id of an act, 32 hex digits")
        found = {leaf_id: self._facts(leaf_id) for leaf_id in wanted}
        for leaf_id, data in found.items():
            if data is None:
                raise _no_evidence(f"no private facts are kept to the act {leaf_id}")
        return {leaf_id: data for leaf_id, data in found.items() if data is not None}

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

    def write_batches(self) -> int:
        """Who was in each batch, by handle, as long as that is kept; of how many."""
        installation, written = self._installation, 0
        for leaf_id in installation.exports.batches(self._size):
            row = installation.batches.find(leaf_id)
            if row is None:
                self._purged.add(leaf_id)
                continue
            entries = itertools.chain.from_iterable(installation.batches.entries(row))
            for number, page in enumerate(_pages(entries)):
                path = annexed.batch_page_path(leaf_id, number)
                self._place.keep(path, format_page(page))
            written += 1
        return written

    def settle_left_over(self) -> None:
        """Files of an earlier export: narrower tiles, facts that were asked for then.

        Raises:
            LogConflictError: the database no longer has what lies there.
        """
        for leaf_id in annexed.disclosures_in(self._place.left_over()):
            path, data = annexed.disclosure_path(leaf_id), self._facts(leaf_id)
            if data is None:
                self._place.remove(path)  # erased since: not here either
            else:
                self._place.keep(path, data)
        for path in self._place.left_over():
            if self._purged.intersection(annexed.batch_pages_in([path])):
                self._place.remove(path)  # their time was over
        for path in self._place.left_over():
            if not path.startswith("tile/"):
                raise LogConflictError(
                    f"the export holds {path}, which the database does not: nothing "
                    "was taken out; find out which of the two was changed"
                )
            self._settle_tile(path)

    def _settle_tile(self, path: str) -> None:
        """A partial tile makes room for the wider one that holds it."""
        self._place.keep(path, self._installation.exports.file(path))
        self._place.remove(path)

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

    def _official_acts(self) -> Iterable[str]:
        exports = self._installation.exports
        return exports.acts_with_evidence(CONTROLLER_HANDLE, self._size)

    def _facts(self, leaf_id: str) -> bytes | None:
        """The file of one act's private facts, None if there are none (any more)."""
        installation = self._installation
        found = installation.exports.evidence(
            leaf_id, self._size, about_nobody=CONTROLLER_HANDLE
        )
        if found is None:
            return None
        key = installation.keyring.controller_key
        if found.person is not None:
            key = installation.keyring.data_key(found.person)
        facts = open_facts(installation.origin, leaf_id, found.sealed, key)
        if sealing.commit(facts) != read_leaf(found.leaf).body.get("evidence"):
            raise LogConflictError(
                f"the private facts of the act {leaf_id} are not those that its leaf "
                "commits to"
            )
        return annexed.format_disclosures([each.encoded for each in facts])


def _log_keys(installation: Installation, size: int) -> list[str]:
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


def _pages(entries: Iterator[BatchEntry]) -> Iterator[list[BatchEntry]]:
    while page := list(itertools.islice(entries, PAGE_ENTRIES)):
        yield page


def _text(note: bytes) -> bytes:
    return note.partition(b"\n\n")[0]


def _no_evidence(what: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{what}; give ids of acts below the exported size, or {ALL_ADMIN}",
        code="no-evidence",
    )
