"""Whole periods that are older than the claim period go, the oldest first.

A log goes as one: its leaves, tiles, evidence and the rows that rest on them, and its
published files, which are a copy of it. None goes while anything that counts, or has to
be kept, rests on it, and none that is in no archive, unless an official says so. An
``admin`` leaf ``drop-log`` in the log in use says which one went, and its sealed fact
``dropped`` how much that was, so that whoever replays the leaves can tell.

What a person once refused, withdrew or let expire goes with it, where nothing newer was
said: they are then as somebody who was never asked, which is a no as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import TypeAlias

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.leaf import read_leaf
from consentkit.log.note import split_note
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import tiles_for_size
from consentkit.service.administering import record_admin_act
from consentkit.service.archive_places import find_checkpoint
from consentkit.service.archiving import find_archives
from consentkit.service.erasing import sweep
from consentkit.service.log_files import remove_log_files
from consentkit.store.dropping import MESSAGES
from consentkit.store.dropping import later_leaves
from consentkit.store.dropping import what_is_kept
from consentkit.store.periods import Periods

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.periods import Period

__all__ = ["DROP", "Dropped", "Dropping", "drop_periods"]

DROP = "drop-log"
"""The action of the ``admin`` leaf that says that a log was dropped."""

_Standing: TypeAlias = dict[str, set[tuple[str, str]]]
"""The questions of which a yes lasts so long, by the handle of who gave it."""

_NEVER = 2**63  # milliseconds: later than the end of any yes
_UNTIL = re.compile(rb'"until":([1-9][0-9]*)')
_HANDLE = re.compile(rb'"subject":"([0-9a-f]{32})"')


@dataclass(frozen=True, slots=True)
class Dropped:
    """A log that went; ``leaf`` says so in the log in use."""

    origin: str
    size: int
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Dropping:
    """What went, and the first of the old logs that had to stay, with the reason.

    ``swept`` says that the file holds no byte of what went, see ``erasing.sweep``.
    """

    dropped: Sequence[Dropped]
    kept: str
    reason: str
    swept: bool


def drop_periods(
    installation: Installation,
    *,
    by: Official,
    before: Millis | None = None,
    without_archive: bool = False,
) -> Dropping:
    """Drop the logs that ended before the claim period, or before ``before``.

    Oldest first, up to one that has to stay: what was said in a log is replayed on top
    of those before it. Harmless to repeat, and the way to finish what was cut short.

    Raises:
        InvalidRequestError: ``before`` lies in the future, or within the minimum of
            the profile; nothing was dropped (R78).
        LogConflictError: what is stored of a log is not what was stored.
        LogUnavailableError: the database or the published files cannot be written; a
            log that was named as dropped before is dropped.
    """
    cutoff = installation.retention.cutoff(installation.clock(), before=before)
    dropped: list[Dropped] = []
    kept = reason = ""
    for period in Periods(installation.database).all():
        if period.dropped is None:
            if period.closed is None or period.closed >= cutoff:
                break
            reason = _reason_to_keep(
                installation, period, cutoff, without_archive=without_archive
            )
            done = None if reason else _drop(installation, period, cutoff, by)
            if not isinstance(done, Dropped):
                kept, reason = period.origin, reason or done or ""
                break
            dropped.append(done)
        # The files of one whose drop was cut short after the commit, too.
        remove_log_files(installation.log_folder.parent, period.origin)
    return Dropping(dropped, kept, reason, sweep(installation))


def _reason_to_keep(
    installation: Installation, period: Period, cutoff: Millis, *, without_archive: bool
) -> str:
    """Why a log that is old enough has to stay all the same; empty if nothing says so.

    What is looked at here never changes any more.
    """
    if period.origin not in installation.earlier:
        return (
            "it is the newest: begin the next one first, with 'flask consent log open'"
        )
    if period.archived is None and not without_archive:
        return (
            "it is in no archive: 'flask consent log archive' it, or say "
            "--without-archive to have nothing left of it"
        )
    if not without_archive and not _is_in_an_archive(installation, period):
        return (
            "its archive is not found where it was put, or cannot be reached: put it "
            "back, 'flask consent log archive' it anew, or say --without-archive"
        )
    kept = what_is_kept(installation.database, period.id, cutoff)
    if kept:
        return _needed(kept)
    if any(_standing_at(installation, period, cutoff)):
        return "a yes that was given in it stood within the claim period"
    return ""


def _is_in_an_archive(installation: Installation, period: Period) -> bool:
    """Whether an archive of it still ends where the log does."""
    latest = installation.of_log(period.origin).publications.latest()
    end = latest and latest[1].partition(b"\n\n")[0]
    return any(
        (find_checkpoint(place) or b"").partition(b"\n\n")[0] == end
        for place in reversed(find_archives(installation, period.origin))
    )


def _needed(rests: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {name}" for name, count in rests.items())
    if MESSAGES in told:
        told += "; 'flask consent deliver --list' shows them, and '--done ID' notes one"
    return f"needed still: {told}"


def _drop(
    installation: Installation, period: Period, cutoff: Millis, by: Official
) -> Dropped | str:
    """Take the log out and say so, in one transaction; else what rests on it."""
    places = find_archives(installation, period.origin)
    latest = installation.of_log(period.origin).publications.latest()
    if latest is None:
        raise LogConflictError(f"the log {period.origin!r} ended without a checkpoint")
    root = parse_checkpoint_text(split_note(latest[1]).text).root.hex()
    now = installation.clock()
    with installation.ledger.write_alone() as transaction:
        dropper = transaction.dropper(period.id)
        rests = dropper.what_rests(cutoff)
        if rests:
            return _needed(rests)
        gone = dropper.take_out(now)
        leaf = record_admin_act(
            installation,
            transaction,
            action=DROP,
            target=period.origin,
            by=by,
            now=now,
            facts={
                "dropped": {
                    **gone,
                    "archive": places[-1] if places else "",
                    "leaves": period.size,
                    "root": root,
                }
            },
        )
        transaction.eraser.leave_residue(leaf.id)
    return Dropped(period.origin, period.size, leaf)


def _standing_at(
    installation: Installation, period: Period, cutoff: Millis
) -> Iterator[str]:
    """The handles of whom a yes from this log stood at ``cutoff`` or later.

    Only acts whose end lies beyond are read in full: usually there are none.
    """
    standing: _Standing = {}
    for data in _leaves(installation, period):
        handle = _HANDLE.search(data)
        known = handle is not None and handle[1].decode() in standing
        if known or any(int(each) >= cutoff for each in _UNTIL.findall(data)):
            _apply(standing, read_leaf(data), cutoff)
    for handle_text, answers in standing.items():
        later = later_leaves(
            installation.database, handle_text, after=period.id, before=cutoff
        )
        mine = {handle_text: answers}
        for data in later:
            _apply(mine, read_leaf(data), _NEVER)  # it takes away, and adds nothing
        if mine:
            yield handle_text


def _apply(standing: _Standing, leaf: Leaf, cutoff: int) -> None:
    """Take in one act: it counts if it lasts up to ``cutoff``, and replaces others."""
    handle = str(leaf.subject)
    if leaf.kind == Kind.ERASURE:
        standing.pop(handle, None)
        return
    answers = standing.pop(handle, set())
    for choice in leaf.body.get("choices", ()):
        key = choice["purpose"], choice["recipient"]
        answers.discard(key)
        if choice["until"] >= cutoff:
            answers.add(key)
    if answers:
        standing[handle] = answers


def _leaves(installation: Installation, period: Period) -> Iterator[bytes]:
    exports = installation.of_log(period.origin).exports
    for tile in tiles_for_size(period.size):
        if tile.level == ENTRIES:
            yield from decode_bundle(exports.file(tile.path), count=tile.width)
