"""The log: is it published, is what it must not forget where it should be."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.errors import LogConflictError
from consentkit.service.finding import fault
from consentkit.service.finding import fine
from consentkit.service.finding import warning
from consentkit.service.marking import check_newest
from consentkit.service.marking import published_checkpoint
from consentkit.service.stamping import list_timestamps
from consentkit.service.witnessing import list_witnesses

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.service.finding import Finding
    from consentkit.service.finding import Looks
    from consentkit.service.installation import Installation
    from consentkit.service.witnessing import WitnessReport

__all__ = ["LOG"]

_LATE_MS = 60_000  # a publisher needs a second
_SILENT_MS = 600_000  # a witness that is down is asked every ten minutes
_MB = 1024 * 1024
_LITTLE, _NONE = 1024 * _MB, 100 * _MB


def _publisher(installation: Installation) -> Iterable[Finding]:
    publications = installation.publications
    latest, since = publications.latest(), publications.waiting_since()
    published = f"{latest[0] if latest else 0} entries published"
    if since is None:
        return [fine(f"{published}, none waits")]
    waits = installation.clock() - since
    told = (
        f"{published}, {publications.pending()} wait, the first for {waits // 1000} s"
    )
    if waits < _LATE_MS:
        return [fine(told)]
    report = fault if waits > MAX_DELAY_MS else warning
    return [
        report(
            told,
            expected=f"a second; promised are {MAX_DELAY_MS // 1000} s",
            do="see whether 'flask consent publish --follow' runs, and what it says",
        )
    ]


def _left_out(installation: Installation) -> Iterable[Finding]:
    count = installation.publications.left_out()
    if not count:
        return [fine("nothing")]
    return [
        warning(
            f"{count} rows that no process of this app wrote",
            expected="nothing: only the app writes to its log",
            do="find out who may write to the database (docs/roles.md)",
        )
    ]


def _high_water(installation: Installation) -> Iterable[Finding]:
    high_water = installation.high_water
    try:
        check_newest(installation)
        mark = high_water.read()
    except LogConflictError as error:
        return [
            fault(
                str(error),
                expected="a database as new as what was signed",
                do="follow docs/recovery.md",
            )
        ]
    if mark is None and installation.publications.latest() is not None:
        return [
            warning(
                f"{high_water.path} is not here",
                expected="the file with what was signed last, where the publisher runs",
                do="nothing, if another machine publishes; else docs/recovery.md",
            )
        ]
    file = installation.database.file
    if file is not None and high_water.path.absolute().is_relative_to(
        file.parent.absolute()
    ):
        return [
            warning(
                f"{high_water.path} is below the folder of the database",
                expected="a place that is not put back together with the database",
                do="leave it out of the backup, or set CONSENTKIT_HIGH_WATER",
            )
        ]
    size = mark.checkpoint.size if mark else 0
    return [fine(f"{high_water.path}, {size} entries")]


def _files(installation: Installation) -> Iterable[Finding]:
    folder = installation.log_folder
    on_disk = published_checkpoint(folder)
    latest = installation.publications.latest()
    if on_disk is None:
        return [
            fine(f"none here yet, in {folder}")
            if latest is None
            else warning(
                f"{folder} holds no checkpoint",
                expected="the published log, where the publisher runs",
                do="if no other machine publishes: 'flask consent publish'",
            )
        ]
    if not os.access(folder, os.W_OK):
        return [fine(f"{folder}, which this process only reads")]
    if latest and on_disk.partition(b"\n\n")[0] != latest[1].partition(b"\n\n")[0]:
        return [
            warning(
                f"the checkpoint in {folder} is not the newest of the database",
                expected="the newest, a second after it was signed",
                do="see whether 'flask consent publish --follow' runs",
            )
        ]
    return [fine(f"{folder}")]


def _disk(installation: Installation) -> Iterable[Finding]:
    file = installation.database.file
    places = {installation.log_folder, installation.high_water.path.parent}
    places |= {file.parent} if file else set()
    by_disk: dict[int, Path] = {}
    for place in map(_nearest, sorted(places)):
        by_disk.setdefault(place.stat().st_dev, place)
    return [_room(place) for place in by_disk.values()]


def _nearest(place: Path) -> Path:
    return next(each for each in (place, *place.parents) if each.exists())


def _room(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    told = f"{free // _MB:,} MB free at {place}"
    if free > _LITTLE:
        return fine(told)
    report = fault if free < _NONE else warning
    return report(told, expected=f"{_LITTLE // _MB:,} MB", do="make room")


def _witnesses(installation: Installation) -> Iterable[Finding]:
    reports = list_witnesses(installation)
    now = installation.clock()
    silent = [each for each in reports if _is_silent(each, now)]
    found = [
        warning(
            f"{each.cosigner.name}: {each.standing.fault or 'has cosigned nothing'}",
            expected="a cosignature each minute in which the log grows",
            do="see 'flask consent witnesses'; ask who runs it",
        )
        for each in silent
    ]
    if found or not reports:
        return found
    return [fine(f"{len(reports)} cosign")]


def _is_silent(report: WitnessReport, now: int) -> bool:
    standing = report.standing
    return standing.failures > 0 or (
        report.newest is None and 0 < standing.time < now - _SILENT_MS
    )


def _stamps(installation: Installation) -> Iterable[Finding]:
    if installation.authority is None:
        return []
    return [
        fine(each.name)
        if each.gap is None
        else warning(
            f"{each.name} has not stamped for {each.gap:.0f} h",
            expected="a stamp in each CONSENTKIT_TSA_INTERVAL in which the log grows",
            do="see 'flask consent timestamps'; ask who runs it",
        )
        for each in list_timestamps(installation)
    ]


def _end(installation: Installation) -> Iterable[Finding]:
    if not installation.exports.is_closed():
        return [fine(installation.origin)]
    return [
        warning(
            f"{installation.origin} is closed, and this process has no other",
            expected="one that takes entries: else nobody can answer",
            do="open the one that follows: see docs/growth.md",
        )
    ]


LOG: Looks = {
    "log": _end,
    "publisher": _publisher,
    "left-out": _left_out,
    "high-water": _high_water,
    "files": _files,
    "disk": _disk,
    "witnesses": _witnesses,
    "time-stamps": _stamps,
}
"""How to look at the log and what it is kept in."""
