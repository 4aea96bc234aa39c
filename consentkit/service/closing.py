"""The end of a log, and the one that follows: the drill for a stolen log key.

Whoever holds the log's key can sign any tree, but no witness cosigns one that does not
continue what it has seen. So the last cosigned checkpoint is the end; nothing is added
any more, and a new log under a new name, with new keys, begins by naming it
(EVIDENCE-LOG 2.5). What people said stays in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.service.administering import record_admin_act
from consentkit.service.finishing import is_finished
from consentkit.service.log_names import check_log_name
from consentkit.service.log_names import folder_name
from consentkit.service.log_names import namesake
from consentkit.service.publishing import publish_all
from consentkit.service.recording import sign_plain_leaf
from consentkit.service.witnessing import ask_witnesses
from consentkit.store.closures import Closure

if TYPE_CHECKING:
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["Closed", "check_successor", "close_log"]


@dataclass(frozen=True, slots=True)
class Closed:
    """How a closed log ends: ``size`` entries, None while somebody else publishes it.

    ``finished`` says that all of it is published and that every witness was asked.
    """

    closure: Closure
    size: int | None
    finished: bool


def close_log(
    installation: Installation, *, successor: str, reason: str, by: Official
) -> Closed:
    """Let nothing more into the log, publish all of it, and ask the witnesses.

    Harmless to repeat, and the way to finish what was cut short: a log that is closed
    keeps its first closure, and gets no other.

    Raises:
        InvalidRequestError: the successor is no name for a log, or one of a log that
            is here already, or has such a one's folder (code ``successor``), or that
            follows a closed one by now (``followed``); it was closed with another
            successor or reason (``closed-otherwise``).
        MalformedError: the reason is no word.
        LogConflictError: the log or its files are not as they were left.
        LogUnavailableError: database or files cannot be reached or written.
        ConfigurationError: a log key that has to sign is not here.
    """
    wanted = Closure(reason, successor)
    check_successor(installation, successor)
    publish_all(installation)  # what could not be published could not be closed
    with installation.ledger.write_alone() as transaction:
        before = transaction.closure()
        if before is None:
            _close(installation, transaction, wanted, by)
        elif before != wanted:
            raise InvalidRequestError(
                f"this log was closed already, for {before.reason!r} and to be "
                f"followed by {before.successor!r}: expected the same again",
                code="closed-otherwise",
            )
    size = publish_all(installation)
    if installation.cosigners and ask_witnesses(installation):
        size = publish_all(installation)  # their lines, under the checkpoint
    finished = is_finished(
        installation.publications, installation.witnesses, installation.cosigners
    )
    return Closed(wanted, size, finished)


def check_successor(installation: Installation, successor: str) -> None:
    """Refuse what cannot be the name of the log that is to follow.

    Raises:
        InvalidRequestError: it is none, or has the folder of a log that is here (code
            ``successor``), or is that of a log which follows a closed one by now
            (``followed``).
    """
    try:
        check_log_name(successor)
    except MalformedError as error:
        raise InvalidRequestError(
            "expected the origin of the log that is to follow, a name without spaces, "
            "'+' and parts such as '..', for example 'wallet.example/consent/2026b'; "
            f"got {successor!r:.80}",
            code="successor",
        ) from error
    logs = [*installation.earlier, installation.origin]
    if successor in logs[1:]:
        closed = logs[logs.index(successor) - 1]
        raise InvalidRequestError(
            f"the log {closed!r} was closed, and is followed by {successor!r} already: "
            f"nothing to do; to close {installation.origin!r} give a new name",
            code="followed",
        )
    if successor in logs:
        raise InvalidRequestError(
            f"expected a new name for the log that is to follow; {successor!r} is in "
            "this database already",
            code="successor",
        )
    taken = namesake(successor, logs)
    if taken:
        raise InvalidRequestError(
            f"expected a name with a folder of its own for the log that is to follow; "
            f"{successor!r} would have that of {taken!r}, {folder_name(taken)}",
            code="successor",
        )


def _close(
    installation: Installation,
    transaction: Transaction,
    closure: Closure,
    by: Official,
) -> None:
    now = installation.clock()
    transaction.next_index()  # of all that waits nothing comes behind the closure
    record_admin_act(
        installation,
        transaction,
        action="close-log",
        target=closure.successor,
        by=by,
        now=now,
    )
    transaction.append(
        sign_plain_leaf(installation, Kind.CLOSURE, closure._asdict(), now=now)
    )
    transaction.take_places()
    transaction.close(now)
