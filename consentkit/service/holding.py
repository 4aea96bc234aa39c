"""Legal holds: what is kept of somebody who was erased, why, and until when.

The second stage of ``erasing``. Nobody's id is kept with a hold: whoever makes a claim
shows a receipt, and the handle in it leads here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError
from consentkit.log import sealing
from consentkit.service.administering import record_admin_act
from consentkit.service.erasing import sweep
from consentkit.service.evidence import open_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.erasing import Hold

__all__ = ["list_holds", "open_hold", "release_hold"]


def list_holds(installation: Installation) -> list[Hold]:
    """Every hold, the one that ends first on top.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    return installation.erasures.holds()


def open_hold(
    installation: Installation, handle: str, *, by: Official
) -> dict[str, Mapping[str, JSON]]:
    """The private facts of each act that is held, by its id; looking leaves a leaf.

    Raises:
        InvalidRequestError: nothing is held under that handle (code ``not-found``).
        VerificationError: the key or the evidence does not open.
        LogUnavailableError: the database cannot be reached or written.
    """
    hold = next(
        (each for each in installation.erasures.holds() if each.handle == handle), None
    )
    if hold is None:
        raise _nothing_held()
    data_key = sealing.unwrap_key(
        hold.wrapped_key, installation.keyring.hold_key, handle.encode()
    )
    opened = {
        act: open_facts(log, act, sealed, data_key)
        for log, act, sealed in installation.erasures.held_evidence(handle)
    }
    with installation.ledger.write_alone() as transaction:
        record_admin_act(
            installation,
            transaction,
            action="open-hold",
            target=handle,
            by=by,
            now=installation.clock(),
        )
    return {
        act: {fact.name: fact.value for fact in facts} for act, facts in opened.items()
    }


def release_hold(
    installation: Installation, handle: str, *, by: Official
) -> tuple[Leaf, bool]:
    """Shred what is held before its day; its leaf, and whether the file is swept.

    Raises:
        InvalidRequestError: nothing is held under that handle (code ``not-found``).
        LogUnavailableError: the database cannot be written; nothing was shredded.
    """
    with installation.ledger.write_alone() as transaction:
        if not transaction.eraser.remove_hold(handle):
            raise _nothing_held()
        leaf = record_admin_act(
            installation,
            transaction,
            action="release-hold",
            target=handle,
            by=by,
            now=installation.clock(),
        )
        transaction.eraser.leave_residue(leaf.id)
    return leaf, sweep(installation)


def _nothing_held() -> InvalidRequestError:
    return InvalidRequestError(
        "nothing is held under that handle; flask consent holds lists what is",
        code="not-found",
    )
