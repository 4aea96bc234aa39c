"""The kill switch: a purpose, a recipient, or one for the other, stopped at once.

Consents stay what they are. While a suspension stands, every check denies, in every
process, from its next read on; lifting it brings back exactly what was there (R66).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import InvalidRequestError
from consentkit.service.administering import record_official_act
from consentkit.service.marking import check_newest

if TYPE_CHECKING:
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["resume", "suspend"]


def suspend(
    installation: Installation,
    purpose: str | None = None,
    recipient: str | None = None,
    *,
    by: Official,
) -> Leaf | None:
    """Stop a purpose, a recipient, the pair, or, with neither, all; None if it was.

    Raises:
        InvalidRequestError: no such purpose or recipient is declared, or not one for
            the other (code ``unknown-purpose`` or ``unknown-recipient``): stopping a
            misspelt one would stop nothing.
        LogUnavailableError: the database cannot be written.
    """
    _check_declared(installation.registry, purpose, recipient)
    key = (purpose or "", recipient or "")
    with (
        installation.sends.settled(),
        installation.ledger.write_alone() as transaction,
    ):
        if transaction.suspension(*key) is not None:
            return None
        leaf = _record(installation, transaction, "suspend", key, by)
        transaction.suspend(*key, leaf)
    return leaf


def resume(
    installation: Installation,
    purpose: str | None = None,
    recipient: str | None = None,
    *,
    by: Official,
) -> Leaf | None:
    """Lift what was suspended in exactly these words; None if nothing was.

    What else stops the same sharing stays: a recipient's suspension is not lifted with
    a purpose's. That of everything stays while the database is known not to be the
    newest: what was withdrawn since would be shared again (R58).

    Raises:
        LogConflictError: it is not; the message says by whom that is known.
        LogUnavailableError: the database cannot be written.
    """
    key = (purpose or "", recipient or "")
    if key == ("", ""):
        check_newest(installation)
    with installation.ledger.write_alone() as transaction:
        if transaction.suspension(*key) is None:
            return None
        leaf = _record(installation, transaction, "resume", key, by)
        transaction.resume(*key)
    return leaf


def _record(
    installation: Installation,
    transaction: Transaction,
    action: str,
    key: tuple[str, str],
    by: Official,
) -> Leaf:
    purpose, recipient = key
    return record_official_act(
        installation,
        transaction,
        Kind.SUSPENSION,
        {"action": action, "purpose": purpose, "recipient": recipient},
        by=by,
        now=installation.clock(),
    )


def _check_declared(
    registry: Registry, purpose: str | None, recipient: str | None
) -> None:
    purposes = registry.purposes.keys() | registry.legal_purposes.keys()
    if purpose is not None and purpose not in purposes:
        raise InvalidRequestError(
            "expected the id of a declared purpose "
            f"({', '.join(sorted(purposes))}); got another: nothing was stopped",
            code="unknown-purpose",
        )
    declared = sorted(
        recipient_id
        for recipient_id in registry.recipients
        if purpose is None or _is_for(registry, purpose, recipient_id)
    )
    if recipient is not None and recipient not in declared:
        raise InvalidRequestError(
            f"expected the id of a recipient declared there ({', '.join(declared)}); "
            "got another: nothing was stopped",
            code="unknown-recipient",
        )


def _is_for(registry: Registry, purpose: str, recipient: str) -> bool:
    legal = registry.legal_purposes.get(purpose)
    if legal is None:
        return registry.question(purpose, recipient) is not None
    return any(recipient == each.id for each in legal.recipients)
