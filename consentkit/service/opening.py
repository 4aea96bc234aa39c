"""The ordinary end of a period: one log closes, and the next one begins, in one go.

All that could go wrong with the next log is tried before anything is closed, so that a
failure leaves the old one as it was. What was cut short later is finished by running it
again, or by a start with the next log's name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.beginning import check_new
from consentkit.service.beginning import leaves_after
from consentkit.service.closing import check_successor
from consentkit.service.closing import close_log
from consentkit.service.keyring import Keyring
from consentkit.service.signers import KeySources
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.store.logs import find_logs
from consentkit.store.logs import open_log
from consentkit.store.periods import check_may_begin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.closing import Closed
    from consentkit.service.installation import Installation
    from consentkit.service.signers import KeySource
    from consentkit.store.logs import LogRow

__all__ = ["PERIOD_OVER", "Opened", "open_next"]

PERIOD_OVER = "period-over"
"""The reason of a closure that has no other."""

_TRIES = 30  # seconds that others may take to publish what is left, or to ask witnesses


@dataclass(frozen=True, slots=True)
class Opened:
    """The log that goes on from now, and how the one before it ended.

    ``closed`` is None where it had begun already. ``keys`` are its verifier keys, the
    log's own first; empty while the old one has not ended.
    """

    origin: str
    closed: Closed | None
    keys: tuple[str, ...]


def open_next(
    installation: Installation,
    successor: str,
    *,
    by: Official,
    collector: KeySource | None = None,
    log: KeySource | None = None,
) -> Opened:
    """End the log in use and begin the next one, named ``successor``.

    Its keys are looked for where ``collector`` and ``log`` say, else in the key folder;
    outside production they are made. The processes that run go on with the old log,
    and take nothing, until they are started again. The reason of ``by`` is a word.

    Raises:
        ConfigurationError: the next log could not begin, or this one not end; nothing
            was closed.
        InvalidRequestError: the name or the reason is none; as ``close_log`` says.
        MalformedError: the reason is no word.
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
    """
    if installation.origin == successor and installation.earlier:
        return Opened(successor, None, installation.keyring.vkeys)
    check_successor(installation, successor)
    keyring = _new_keys(installation, successor, collector, log)
    _check_may_end(installation)
    closed = _close(installation, successor, by)
    if not closed.finished:
        return Opened(successor, closed, ())
    _begin(installation, successor, keyring)
    return Opened(successor, closed, keyring.vkeys)


def _begin(installation: Installation, successor: str, keyring: Keyring) -> None:
    def first_leaves(before: LogRow | None) -> Iterable[Leaf]:
        if before is None:
            raise ConfigurationError("the log that was just closed is not there")
        return leaves_after(
            before,
            installation.registry,
            keyring,
            database=installation.database,
            now=installation.clock(),
        )

    open_log(
        installation.database,
        successor,
        first_leaves=first_leaves,
        now=installation.clock(),
    )


def _new_keys(
    installation: Installation,
    successor: str,
    collector: KeySource | None,
    log: KeySource | None,
) -> Keyring:
    """The next log's keys, there and opened."""
    old = installation.keyring
    given = {COLLECTOR: collector, LOG: log}
    for role, source in given.items():
        if source is None and old.sources.of(role):
            raise ConfigurationError(
                f"CONSENTKIT_{role.upper()}_KEY names the key of the log in use: name "
                f"that of the next one with --{role}-key; nothing was closed"
            )
    keyring = Keyring(
        old.folder,
        successor,
        sources=KeySources(
            collector=(collector,) if collector else (),
            log=(log,) if log else (),
            secret=old.sources.secret,
        ),
        production=old.production,
        follows=True,
    )
    keyring.make_all()
    check_new(keyring, installation.database, find_logs(installation.database)[-1])
    return keyring


def _check_may_end(installation: Installation) -> None:
    """Try what publishing the rest takes, and what it takes to begin a log."""
    keys = installation.keys.ranges(LOG)
    installation.keyring.signers(each for each in keys if each.signs_on)
    installation.high_water.check_writable()
    check_may_begin(installation.database)


def _close(installation: Installation, successor: str, by: Official) -> Closed:
    """Close it; while another process publishes, that one may come to its end."""
    for left in reversed(range(_TRIES)):
        closed = close_log(installation, successor=successor, reason=by.reason, by=by)
        if closed.finished or not left:
            break
        time.sleep(1)
    return closed
