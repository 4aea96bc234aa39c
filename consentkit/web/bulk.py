"""Many people at once, as calls on ``ConsentKit``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Assurance
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.service.checking_many import check_many
from consentkit.service.selecting import allowed_clause
from consentkit.web import batches
from consentkit.web import gate
from consentkit.web.calling import caller
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from datetime import timedelta

    import sqlalchemy as sa

    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Registry
    from consentkit.core.vocabulary import DataCategory
    from consentkit.core.vocabulary import Recipient
    from consentkit.service.batch import Batch
    from consentkit.web.subject import SubjectId

__all__ = ["Bulk"]


class Bulk:
    """The part of ``ConsentKit`` that asks about many people."""

    registry: Registry

    def check_many(
        self,
        requests: Iterable[ShareRequest],
        *,
        max_staleness: timedelta | None = None,
    ) -> list[Decision]:
        """The decision for each request, in their order, as ``check`` would decide.

        A request takes what ``check`` takes: ids as text, number or UUID, declared
        values or their ids. All of them are one statement on PostgreSQL, and one for
        every thousand on SQLite. Nothing is written. Whatever fails, it denies, and
        only what it fails for. ``max_staleness`` is as in ``check``.

        Raises:
            DeclarationError: one is no ``ShareRequest``, something of it but the id of
                the person is not of its form, or ``max_staleness`` is no length of
                time.
        """
        bound = None if max_staleness is None else gate.bound_of(max_staleness)
        found = [_asked(each) for each in requests]
        asked = [each for each in found if isinstance(each, ShareRequest)]
        decisions = iter(check_many(current_state().installation, asked, bound=bound))
        return [
            each if isinstance(each, Decision) else next(decisions) for each in found
        ]

    def allowed_clause(
        self,
        subject: sa.SQLColumnExpression[Any],
        purpose: str | Purpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory] | None = None,
        min_assurance: Assurance | str = Assurance.SESSION,
    ) -> sa.ColumnElement[bool]:
        """Whether ``check`` would say yes, as a condition in a statement of the app's.

        ``subject`` is a column of the statement that holds subject ids, such as
        ``User.id``; the statement has to select from its table, or it is refused when
        it runs. What holds is judged each time that it does. A row whose id is NULL is
        not allowed, and ``NOT`` of the clause keeps it. It writes nothing: whoever
        shares what was selected does so within ``share``. An opt-out signal of the
        current request is no part of it.

        Raises:
            DeclarationError: purpose, recipient or data is not declared so.
            ConfigurationError: the consents are not in the app's own database, the
                column holds no ids or is none of a table, or SQL cannot know who is a
                child.
        """
        wanted = None if data is None else gate.ids_of(data)
        question = gate.check_declared(self.registry, purpose, recipient, wanted)
        return allowed_clause(
            current_state().installation,
            subject,
            question,
            data=wanted,
            min_assurance=gate.assurance_of(min_assurance),
        )

    def share_many(
        self,
        subjects: sa.SelectBase | Iterable[SubjectId | None],
        purpose: str | Purpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory] | None = None,
        min_assurance: Assurance | str = Assurance.SESSION,
        amount: int | None = None,
    ) -> AbstractContextManager[Batch]:
        """A block that shares about many people; one line in the log, durable before.

        ``subjects`` is a statement that selects their ids, where the consents are in
        the app's own database, or any iterable of ids. To go through the batch hands
        out the ids of those whose answer covers it, as they were given, each asked
        about once more. The others are counted, and each of them sees why. ``amount``
        is how many records are meant to be handed over, one for each person if it is
        left out.

        Raises (on entering the block):
            ConsentDeniedError: the purpose or the recipient is unknown or stopped, or
                the line could not be written: nothing may leave.
            ConfigurationError: a statement was given, and the consents are not in the
                app's own database; or its column holds no ids.
            DeclarationError: what came is no list of ids, or another argument is not of
                its form.
        """
        return batches.share_many(
            subjects,
            purpose,
            recipient=recipient,
            data=data,
            min_assurance=min_assurance,
            amount=amount,
            caller=caller(),
        )


def _asked(given: ShareRequest) -> ShareRequest | Decision:
    """The request by ids; the no that it is where nobody can have agreed."""
    if not isinstance(given, ShareRequest):
        raise DeclarationError(
            "check_many takes ShareRequests, such as ShareRequest(user.id, purpose, "
            f"recipient); got a value of type {type(given).__name__}"
        )
    subject, purpose, recipient, data, min_assurance, signal = given
    try:
        asked = gate.request_of(subject, purpose, recipient, data, min_assurance)
    except InvalidRequestError:
        ids = gate.id_of(purpose), gate.id_of(recipient)
        return Decision(Reason.NOT_ASKED, *ids)
    return asked._replace(signal=True) if signal else asked
