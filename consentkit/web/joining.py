"""Acts and the app's own rows in one transaction, as calls on ``ConsentKit``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import TypeVar

from consentkit.service.accompanying import not_shared
from consentkit.web.block import entered_first
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import sqlalchemy as sa
    from sqlalchemy.orm import Session
    from sqlalchemy.orm import scoped_session

    from consentkit.service.accompanying import Companion
    from consentkit.store.joining import Joined
    from consentkit.web.state import Loaders

__all__ = ["Joining", "check_companion", "joining"]

_Companion = TypeVar("_Companion", bound="Companion")


class Joining:
    """The part of ``ConsentKit`` that shares a transaction with the app."""

    _loaders: Loaders

    def joining(
        self, session: Session | scoped_session[Session] | sa.Connection
    ) -> AbstractContextManager[Joined]:
        """A block that is one transaction: its acts and the app's rows, or neither.

        Its end commits the session, an exception rolls it back. ``revoke``, ``erase``,
        ``correct``, ``delegate`` and ``end_delegation`` are written on the session's
        connection, each in a savepoint; what they return holds only once the block has
        ended, when ``committed`` of what ``as`` names is true. A check in the block
        counts what it took back, and nothing that was agreed to in it. Sharing, and
        what concerns the log as a whole, is refused.

        Raises (on entering the block):
            ConfigurationError: the session is not of the database that the consents are
                in, or its transaction cannot hold an act; or it is such a block
                already. Within it: what is called cannot wait for the commit.
            LogUnavailableError: on SQLite, somebody else writes. At the end: the app
                ended the transaction by itself, and nothing is stored.
        """
        return joining(session)

    def within_act(self, companion: _Companion) -> _Companion:
        """Register the function that writes the app's row beside a person's act.

        It is called with a ``Connection`` and a ``PersonsAct`` in the very transaction
        that stores the act, before it commits: for each answer, end, import, correction
        and erasure, whichever page or call it came from. What it raises undoes both,
        and the person is told that nothing was stored. It must not commit, and neither
        call ``consent`` nor wait for anybody: the person's row is locked meanwhile.

        The consents have to be in the app's own database: ``init_app`` refuses it
        otherwise, or the first act does.
        """
        self._loaders.companion = companion
        return companion


def check_companion(loaders: Loaders, *, shared: bool) -> None:
    """Refuse a function that could not write in the transaction of an act.

    Raises:
        ConfigurationError: the consents are in a database of their own.
    """
    if loaders.companion is not None and not shared:
        raise not_shared()


@entered_first
def joining(session: object) -> AbstractContextManager[Joined]:
    """The block of the current app; see ``Joining.joining``."""
    return current_state().installation.database.joining(session)
