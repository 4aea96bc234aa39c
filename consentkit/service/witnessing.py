"""Showing the log to its witnesses, once a minute, and keeping what they say.

Everybody who is asked within one minute is asked about the same checkpoint, so that
their lines stand together under one. The log never waits for them: it goes on while
they are down, and says so once.
"""

from __future__ import annotations

import logging
import secrets
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.errors import ConsentKitError
from consentkit.errors import LogConflictError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import prove_consistency
from consentkit.log.tiles import TileReader
from consentkit.service.background import elected
from consentkit.service.background import start_thread
from consentkit.service.cosigners import request_cosignature
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable

    from consentkit.service.cosigners import Cosigner
    from consentkit.service.installation import Installation

__all__ = [
    "WitnessReport",
    "ask_witnesses",
    "check_with_witnesses",
    "follow_witnesses",
    "list_witnesses",
]

_MINUTE = 60_000  # ms; who asks more often is not admitted by public witnesses
_LONGEST = 600_000  # ms between two tries, however long a witness has been down
_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True)
class WitnessReport:
    """How one configured witness stands; ``newest`` is its last cosignature, if any."""

    cosigner: Cosigner
    standing: Standing
    newest: Cosignature | None


class _Round:
    """One checkpoint, to be shown to several witnesses at once."""

    def __init__(
        self, installation: Installation, size: int, *, note: bytes | None = None
    ) -> None:
        self.size = size
        self._publications = installation.publications
        self._note = note or self._publications.signed(size) or b""
        self._proofs: dict[int, list[bytes]] = {}
        self._lock = Lock()

    def ask(self, cosigner: Cosigner, held: int) -> Cosignature:
        """What the witness cosigned.

        Raises:
            LogError, VerificationError: it did not; the message says why.
        """
        line, time = request_cosignature(
            cosigner, self._note, held=min(held, self.size), prove=self._prove
        )
        return Cosignature(self.size, line, Millis(time * 1000))

    def _prove(self, old: int) -> list[bytes]:
        """The proof from that size; worked out once, whoever asks."""
        with self._lock:
            if old not in self._proofs:
                reader = TileReader(self._publications.read, self.size)
                self._proofs[old] = prove_consistency(old, self.size, reader)
            return self._proofs[old]


def ask_witnesses(installation: Installation) -> int | None:
    """Ask every witness that is due; how many cosigned, None if another is at it.

    What they said is kept; the publisher puts the lines under the checkpoint.

    Raises:
        LogUnavailableError: database or files cannot be reached or written.
    """
    latest = installation.publications.latest()
    if not installation.cosigners or latest is None:
        return 0
    with elected(installation.log_folder, "witnesses") as mine:
        if not mine:
            return None
        now = installation.clock()
        standings = _standings(installation)
        size = _size_to_show(standings.values(), latest[0], now)
        due = [
            each
            for each in installation.cosigners
            if _is_due(standings[each.key], size, latest[0], now)
        ]
        return _ask(installation, due, size, now) if due else 0


def check_with_witnesses(
    installation: Installation, size: int, *, sign: Callable[[Checkpoint], bytes]
) -> list[str]:
    """Ask every witness whether ``size`` leaves may be all there are; who is silent.

    For the moment at which nothing here remembers how far the log had come. Shown is
    the checkpoint that was signed at that size, or, before the first, one of an empty
    log: ``sign`` makes that, and it contradicts no tree.

    Raises:
        LogConflictError: a witness knows a longer log of this name, or another one.
        LogUnavailableError: the database cannot be reached.
    """
    note = installation.publications.signed(size) if size else None
    shown = _Round(installation, size, note=note or sign(_empty(installation)))
    silent = []
    with ThreadPoolExecutor() as pool:
        asked = {
            each: pool.submit(shown.ask, each, size) for each in installation.cosigners
        }
    for each, answer in asked.items():
        try:
            answer.result()
        except LogConflictError as error:
            raise LogConflictError(f"witness {each.name}: {error}") from error
        except (ConsentKitError, OSError):
            silent.append(each.name)
    return silent


def _empty(installation: Installation) -> Checkpoint:
    return Checkpoint(installation.origin, 0, EMPTY_ROOT)


def follow_witnesses(installation: Installation) -> None:
    """Ask them from now on, in a thread of their own, if there are any."""
    if installation.cosigners:
        start_thread(
            "consentkit-witnesses",
            partial(ask_witnesses, installation),
            what="asking the witnesses",
        )


def list_witnesses(installation: Installation) -> list[WitnessReport]:
    """Every configured witness and how it stands.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    standings = _standings(installation)
    return [
        WitnessReport(
            each, standings[each.key], installation.witnesses.newest(each.key)
        )
        for each in installation.cosigners
    ]


def _standings(installation: Installation) -> dict[str, Standing]:
    known = installation.witnesses.standings()
    return {
        each.key: known.get(each.key, Standing()) for each in installation.cosigners
    }


def _size_to_show(standings: Collection[Standing], newest: int, now: Millis) -> int:
    """The size that others were asked about within this minute, or else the newest."""
    last = max((each.asked for each in standings), default=0)
    began = min((each.time for each in standings if each.asked == last), default=now)
    return last if last and 0 <= now - began < _MINUTE else newest


def _is_due(standing: Standing, size: int, newest: int, now: Millis) -> bool:
    waits = 0 < standing.due - now <= 2 * _LONGEST  # beyond: the clock was set back
    # One that knows more than there is stops the publisher: ask whether it still does.
    return (standing.held < size or standing.held > newest) and not waits


def _ask(
    installation: Installation, cosigners: Iterable[Cosigner], size: int, now: Millis
) -> int:
    """Ask all of these at once; how many cosigned."""
    standings = _standings(installation)
    for each in cosigners:
        # Before asking: whatever happens then, not again within this minute.
        standings[each.key] = replace(
            standings[each.key], asked=size, time=now, due=now + _MINUTE
        )
        installation.witnesses.keep(each.key, standings[each.key], None)
    shown = _Round(installation, size)
    with ThreadPoolExecutor() as pool:
        answers = {
            each: pool.submit(shown.ask, each, standings[each.key].held)
            for each in cosigners
        }
        return sum(
            _keep(installation, each, standings[each.key], answer)
            for each, answer in answers.items()
        )


def _keep(
    installation: Installation,
    cosigner: Cosigner,
    before: Standing,
    answer: Future[Cosignature],
) -> bool:
    """Keep what the witness said, and whether that was a cosignature."""
    try:
        cosignature = answer.result()
    except (ConsentKitError, OSError) as error:
        _keep_fault(installation, cosigner, before, error)
        return False
    now = replace(before, held=cosignature.size, failures=0, fault="")
    installation.witnesses.keep(cosigner.key, now, cosignature)
    if before.fault:
        _LOGGER.warning(
            "consentkit: witness %s cosigns again",
            cosigner.name,
            extra={"event": "witness-again", "witness": cosigner.name},
        )
    return True


def _keep_fault(
    installation: Installation,
    cosigner: Cosigner,
    before: Standing,
    error: Exception,
) -> None:
    wait = min(_MINUTE << min(before.failures, 8), _LONGEST)
    longer = isinstance(error, LogConflictError) and error.size
    now = replace(
        before,
        held=longer or before.held,
        due=before.time + wait + secrets.randbelow(wait // 4),
        failures=before.failures + 1,
        fault=str(error),
    )
    installation.witnesses.keep(cosigner.key, now, None)
    if now.fault == before.fault:
        return  # said already
    severity = logging.ERROR if isinstance(error, LogConflictError) else logging.WARNING
    _LOGGER.log(
        severity,
        "consentkit: witness %s did not cosign the log: %s; %s",
        cosigner.name,
        error,
        "nothing more is published" if longer else "the log goes on without",
        extra={"event": "witness-failed", "witness": cosigner.name},
    )
