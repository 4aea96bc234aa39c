"""Forgetting a person: the link to them breaks, the log does not (GDPR Art. 17).

One transaction takes out who a handle is, their key, their answers, the list of who
received their data and their sealed evidence, and appends the ``erasure`` leaf. What
stays is the person's leaves under a number drawn by chance, which nobody can tie to
them any more, so that every proof still holds.

A legal hold (Art. 17(3)(e)) has two stages. First the person is restricted: all of the
above goes but the sealed evidence, and its key is wrapped anew under a key that
everyday work never opens. When the hold has run out, a purge shreds the rest.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.log import sealing
from consentkit.service.administering import record_admin_act
from consentkit.service.background import OVER
from consentkit.service.background import elected
from consentkit.service.background import start_thread
from consentkit.service.outbox import tell_of_erasure
from consentkit.service.recording import PersonRecorder
from consentkit.store.erasing import Hold

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction
    from consentkit.store.subjects import Person

__all__ = [
    "Erasing",
    "Erasure",
    "erase",
    "erase_within",
    "follow_erasures",
    "sweep",
]

_REST = 9  # times as long as a rewrite took: nobody else can write meanwhile
_LOGGER = logging.getLogger("consentkit")
# A word and no sentence: it stands in the log for ever, where no name may stand.
_REASON = re.compile(r"[a-z][a-z0-9-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Erasing:
    """Who is to be forgotten, and why.

    ``reason`` is a word such as ``request``. ``by`` is the official who does it, None
    where the person does it themselves; an official's act gets a leaf of its own. With
    ``hold_until`` the sealed evidence stays until then. ``handle`` is whom a form was
    made for, so that it cannot erase somebody who came later.

    Raises:
        InvalidRequestError: the reason is no word (code ``erasure-reason``), or nobody
            answers for the hold (code ``official``).
    """

    subject: str
    reason: str
    by: Official | None = None
    hold_until: Millis | None = None
    handle: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        if not _REASON.match(self.reason):
            raise InvalidRequestError(
                "the reason of an erasure stands in the log for ever: expected a word "
                "of a-z, 0-9 and '-', such as 'request' or 'account-closed'",
                code="erasure-reason",
            )
        if self.hold_until is not None and self.by is None:
            raise InvalidRequestError(
                "evidence is held back from an erasure only if somebody answers for "
                "it: say by whom",
                code="official",
            )


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did: its leaf, None where nobody was known under that id.

    ``swept`` says that the file holds no byte of it any more. If not, the rows are
    gone all the same, and ``sweep`` has to be called again; after the commit it is,
    where the erasure is part of a transaction of the app's.
    """

    leaf: Leaf | None
    swept: bool


def erase(
    installation: Installation, erasing: Erasing, *, sweeps: bool = True
) -> Erasure:
    """Forget a person; harmless to repeat, and the way to finish one cut short.

    Without ``sweeps`` the rewrite of the file is left to who follows erasures: it
    takes long where the file is large, and nobody should wait for it on a page.

    Raises:
        InvalidRequestError: the form was made for somebody who is erased already
            (code ``token-spent``), or the hold would end before it begins (code
            ``hold-over``).
        VerificationError: a hold is asked for, and the person's key does not open.
        LogUnavailableError: the database cannot be written; nothing was erased.
    """
    with (
        installation.sends.settled(erasing.subject),
        installation.ledger.write(joins=True) as transaction,
    ):
        transaction.eraser.remove_delegate(erasing.subject)
        transaction.eraser.remove_stranger(erasing.subject)
        person = transaction.eraser.lock_known(erasing.subject)
        leaf = _forget(installation, transaction, erasing, person) if person else None
    return Erasure(leaf, swept=sweeps and _sweep_when_durable(installation))


def _sweep_when_durable(installation: Installation) -> bool:
    """Sweep, or where the erasure waits for a commit of the app's, after that."""
    done: list[bool] = []
    installation.database.when_durable(lambda: done.append(sweep(installation)))
    return done == [True]


def _forget(
    installation: Installation,
    transaction: Transaction,
    erasing: Erasing,
    person: Person,
) -> Leaf:
    if erasing.handle and erasing.handle != person.handle:
        raise InvalidRequestError(
            "this form was already used, and what is there now came later; nothing "
            "was erased",
            code="token-spent",
        )
    now = installation.clock()
    recorder = PersonRecorder(installation, transaction, erasing.subject, person, now)
    shared = transaction.shared(erasing.subject)
    leaf = erase_within(recorder, erasing.reason, hold_until=erasing.hold_until)
    tell_of_erasure(recorder, leaf, shared)
    if erasing.by is not None:
        record_admin_act(
            installation,
            transaction,
            action="erase" if erasing.hold_until is None else "hold",
            target=person.handle,
            by=erasing.by,
            now=now,
        )
    return leaf


def erase_within(
    recorder: PersonRecorder, reason: str, *, hold_until: Millis | None = None
) -> Leaf:
    """Forget the person whose row is locked, within the caller's transaction.

    Raises:
        InvalidRequestError: the hold would end before it begins (code ``hold-over``).
        VerificationError: a hold is asked for, and the person's key does not open.
    """
    eraser, handle = recorder.transaction.eraser, recorder.person.handle
    leaf = recorder.append(Kind.ERASURE, {"reason": reason})
    if hold_until is not None:
        eraser.add_hold(_held(recorder, reason, hold_until))
    eraser.remove_person(recorder.subject, handle, keep_evidence=hold_until is not None)
    eraser.leave_residue(leaf.id)
    return leaf


def _held(recorder: PersonRecorder, reason: str, until: Millis) -> Hold:
    if until <= recorder.now:
        raise InvalidRequestError(
            "a hold must end after it begins: give a day in the future, or none to "
            "erase everything now",
            code="hold-over",
        )
    keyring, person = recorder.installation.keyring, recorder.person
    wrapped = sealing.wrap_key(
        keyring.data_key(person), keyring.hold_key, person.handle.encode()
    )
    return Hold(person.handle, wrapped, reason, recorder.now, until)


def sweep(installation: Installation) -> bool:
    """Rewrite the database file, so that no byte of what was erased is left in it.

    False if it is still due: somebody reads or writes for too long, or the disk is
    full, which the application's log says as a warning, or it is for the owner of the
    tables to do.
    """
    try:
        owner = installation.erasures.left_to()
        if owner and installation.erasures.residue():
            _LOGGER.info(
                "consentkit: bytes of what was erased are left: run 'flask consent "
                "sweep' as the owner of the tables, %r",
                owner,
                extra={"event": "erased-bytes-left"},
            )
            return False
        installation.erasures.rewrite()
    except LogUnavailableError as error:
        _LOGGER.warning(
            "consentkit: the database file may still hold bytes of what was erased: "
            "%s; it is rewritten as soon as possible",
            error,
            extra={"event": "erased-bytes-remain"},
        )
        return False
    return True


def follow_erasures(installation: Installation) -> None:
    """Sweep from a thread of its own, soon after each erasure, if elected.

    It ends at once where that is for the owner of the tables to do.
    """
    start_thread(
        "consentkit-sweeper", _Sweeper(installation), what="rewriting what was erased"
    )


class _Sweeper:
    """The work: it asks whether it may at first, and again whenever it could not."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._may = False

    def __call__(self) -> object:
        installation = self._installation
        if not self._may and installation.erasures.left_to():
            return OVER
        self._may = True
        with elected(installation.log_folder, "sweep") as mine:
            if mine and installation.erasures.residue():
                began = time.monotonic()
                self._may = sweep(installation)
                time.sleep(_REST * (time.monotonic() - began))
        return None
