"""What a transaction sees that is not committed yet, and what a check makes of it.

A yes is given on what is committed. In a block of ``consent.joining`` an act of the
same transaction may have taken it back: then the answer is no before the commit, too.
What was only agreed to in it makes nothing a yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.decision import Standing
from consentkit.core.decision import decide
from consentkit.core.registry import CROSS_BORDER
from consentkit.service.ages import mind_age
from consentkit.service.honouring import heed
from consentkit.store.joining import joined_to

if TYPE_CHECKING:
    from consentkit.core.decision import Decision
    from consentkit.core.decision import ShareRequest
    from consentkit.core.registry import Question
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["mind_pending", "standing_within"]


def mind_pending(
    installation: Installation,
    request: ShareRequest,
    question: Question | None,
    decision: Decision,
) -> Decision:
    """The decision, or the no that the block this runs in makes of a yes.

    Raises:
        LogUnavailableError: the transaction cannot be read.
        ConfigurationError: it has ended, or was entered in another thread.
    """
    if not decision or joined_to(installation.database) is None:
        return decision
    with installation.ledger.write(joins=True) as transaction:
        standing = standing_within(transaction, request)
    standing = heed(installation, request, question, standing)
    return decide(
        request,
        question,
        mind_age(installation, request, question, standing),
        now=installation.clock(),
        purpose_known=request.purpose in installation.registry.purposes,
    )


def standing_within(transaction: Transaction, request: ShareRequest) -> Standing:
    """What a decision rests on, as this very transaction sees it."""
    statuses = transaction.statuses(request.subject)
    purpose, recipient = request.purpose, request.recipient
    return Standing(
        status=statuses.get((purpose, recipient)),
        transfer=statuses.get((purpose + CROSS_BORDER, recipient)),
        suspended=transaction.suspended(purpose, recipient),
        of_age=transaction.represented(request.subject).of_age(),
    )
