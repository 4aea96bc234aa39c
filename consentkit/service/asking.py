"""A notice, stored and logged before anybody sees it.

The order of the log then proves that the text existed before any answer to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.service.recording import sign_plain_leaf

if TYPE_CHECKING:
    from consentkit.core.canonical import JSON
    from consentkit.core.notice import Notice
    from consentkit.service.installation import Installation

__all__ = ["notice_fields", "publish_notice"]


def publish_notice(installation: Installation, notice: Notice) -> None:
    """Store the notice and log its digest, once; safe to race.

    Raises:
        DeclarationError: a mandatory element of a notice is missing (R1).
        LogUnavailableError: the database cannot be written; nothing may be asked.
    """
    installation.registry.check_complete()
    if installation.history.notice(notice.digest) is not None:
        return
    now = installation.clock()
    leaf = sign_plain_leaf(installation, Kind.NOTICE, notice_fields(notice), now=now)
    try:
        with installation.ledger.write_alone() as transaction:
            if not transaction.knows_notice(notice.digest):
                transaction.add_notice(notice, now=now)
                transaction.append(leaf)
    except LogConflictError:
        # Another process stored the same notice between our look and our write.
        if installation.history.notice(notice.digest) is None:
            raise


def notice_fields(notice: Notice) -> dict[str, JSON]:
    """What a ``notice`` leaf says about it."""
    return {
        "html": notice.html_sha256,
        "locale": notice.locale,
        "notice": notice.digest,
        "offers": [offer.to_dict() for _, offer in sorted(notice.offers.items())],
    }
