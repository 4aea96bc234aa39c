"""Leaving out an entry that may not be signed, where that is for somebody to decide.

A publisher stops at it and signs nothing. What waits cannot be deleted, and nobody can
see whether it is a promise that was given: so a person answers for leaving it out, and
an ``admin`` leaf says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError
from consentkit.service.administering import record_admin_act

if TYPE_CHECKING:
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.left_out import LeftOut

__all__ = ["LEAVE_OUT", "leave_out"]

LEAVE_OUT = "leave-out"

_HASH = re.compile(r"[0-9a-f]{64}\Z")


def leave_out(installation: Installation, leaf_hash: str, *, by: Official) -> LeftOut:
    """Let the log never hold the entry of that leaf hash, and note who decided it.

    Nothing else about the entry is undone: what its row once changed in other tables
    ``rebuilding.differences`` names.

    Raises:
        InvalidRequestError: no entry of that hash waits, or nothing speaks against it
            (code ``left-out``).
        LogUnavailableError: the database cannot be written.
    """
    if not _HASH.match(leaf_hash):
        raise InvalidRequestError(
            "expected the hash of an entry, 64 hex digits, as the message says that "
            f"names it; got {leaf_hash!r:.80}",
            code="left-out",
        )
    with installation.ledger.write_alone() as transaction:
        row = transaction.leave_out(leaf_hash)
        record_admin_act(
            installation,
            transaction,
            action=LEAVE_OUT,
            target=leaf_hash,
            by=by,
            now=installation.clock(),
        )
    return row
