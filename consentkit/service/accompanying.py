"""The app's own row beside a person's act, in the transaction that stores the act.

It is called last before the commit, so that nobody waits for it but who waits for that
person anyhow; the signals of ``service.observing`` come after the commit. Whatever it
raises undoes both, for half of the two would be worse than neither.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import TypeAlias

from consentkit.audit.replay import act_of
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store.enclosing import enclosed

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from consentkit.core.act import Choice
    from consentkit.log.leaf import Leaf
    from consentkit.store.database import Database

    Companion: TypeAlias = Callable[[sa.Connection, "PersonsAct"], object]

__all__ = ["Accompanied", "PersonsAct", "not_shared"]

_SAYS_SOMETHING = frozenset({Kind.CHOICE, Kind.IMPORT, Kind.REVOCATION})
_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True, slots=True)
class PersonsAct:
    """What was done, as the app may keep it beside its own rows.

    ``subject`` is the app's id of the person, ``record`` that of their receipt.
    ``choices`` are what it says about each question; an erasure says nothing.
    """

    subject: str
    kind: Kind
    record: str
    time: Millis
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Accompanied:
    """Calls the app's function, if there is one by then, for each act of a person."""

    database: Database
    companion: Callable[[], Companion | None]

    def accompany(self, connection: sa.Connection, leaf: Leaf, subject: str) -> None:
        """Let the app write its row beside that leaf.

        Raises:
            LogUnavailableError: the app could not.
            ConfigurationError: this is not the database that the app's rows are in.
        """
        companion = self.companion()
        if companion is None or leaf.kind not in {*_SAYS_SOMETHING, Kind.ERASURE}:
            return
        if not (self.database.shared or self.database.joined):
            raise not_shared()
        choices = act_of(leaf).choices if leaf.kind in _SAYS_SOMETHING else ()
        act = PersonsAct(subject, leaf.kind, leaf.id, Millis(leaf.time), choices)
        try:
            with enclosed(connection, undone=_tell_undone):
                companion(connection, act)
        except Exception as error:
            _LOGGER.exception(
                "consentkit: the app's own part of an act failed",
                exc_info=wordless(error),
                extra={"event": "app-part-failed", "error": type(error).__name__},
            )
            raise LogUnavailableError(
                f"the app's own part of an act failed ({type(error).__name__}): "
                "nothing is stored but what it committed itself, which it must not; "
                "see the function under @consent.within_act"
            ) from wordless(error)


def _tell_undone() -> None:
    _LOGGER.warning(
        "consentkit: the app's own part of an act was undone, as it passed over a "
        "statement that failed; the act is stored",
        extra={"event": "app-part-undone"},
    )


def not_shared() -> ConfigurationError:
    """What is wrong where the app's rows are in another database."""
    return ConfigurationError(
        "@consent.within_act needs the consents in the app's own database: give "
        "init_app(app, engine=…) its engine, or CONSENTKIT_DATABASE_URI its address"
    )
