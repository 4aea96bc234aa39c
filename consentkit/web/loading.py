"""What the host app tells us about who is here, as decorators on ``ConsentKit``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from typing import TYPE_CHECKING
from typing import TypeVar

from consentkit.web.state import Loaders

if TYPE_CHECKING:
    from consentkit.core.representative import Representative
    from consentkit.service.ages import Birthdays
    from consentkit.service.confirming import ConfirmationLink
    from consentkit.service.telling import ErasureHandler

__all__ = ["Loading"]

_Label = TypeVar("_Label", bound="Callable[[str], str]")
_Subject = TypeVar("_Subject", bound="Callable[[], object]")
_Sender = TypeVar("_Sender", bound="Callable[[ConfirmationLink], object]")
_Birthday = TypeVar("_Birthday", bound="Birthdays")
_Acting = TypeVar("_Acting", bound="Callable[[], Representative | None]")
_Roles = TypeVar("_Roles", bound="Callable[[], Container[str] | None]")


class Loading:
    """The part of ``ConsentKit`` that takes functions of the host app."""

    def __init__(self) -> None:
        self._loaders = Loaders()

    def subject_loader(self, loader: _Subject) -> _Subject:
        """Register the function that gives the id of whoever is signed in, or None.

        Give an opaque id, not a mail address: it is a key of the state table.
        """
        self._loaders.subject = loader
        return loader

    def account_label_loader(self, loader: _Label) -> _Label:
        """Register how a person sees which account they answer for; mail is masked."""
        self._loaders.account_label = loader
        return loader

    def role_loader(self, loader: _Roles) -> _Roles:
        """Register what else a request may see: ``{"auditor"}`` opens the log."""
        self._loaders.roles = loader
        return loader

    def birthday_loader(self, loader: _Birthday) -> _Birthday:
        """Register the function that gives the birthday of a subject, None if unknown.

        It gets the id as text and returns a ``datetime.date``, which is kept nowhere.
        Who is too young by ``CONSENTKIT_PROFILE`` cannot say yes alone (R80).
        """
        self._loaders.birthday = loader
        return loader

    def representative_loader(self, loader: _Acting) -> _Acting:
        """Register as whom the person of a request acts; None is for themselves.

        While it returns a ``Representative``, the pages and the gate of that request
        are about ``representative.subject`` (R40, R81, R84).
        """
        self._loaders.representative = loader
        return loader

    def erasure_handler(self, handler: ErasureHandler) -> ErasureHandler:
        """Decorate the function that erases what consent no longer covers (R59).

        It gets an ``ErasureTask`` after each act that ended a grant, from a background
        thread or from ``flask consent deliver``, within an app context. Returning
        acknowledges the task; raising has it called again later.
        """
        self._loaders.erasure = handler
        return handler

    def confirmation_sender(self, sender: _Sender) -> _Sender:
        """Register the function that sends the link which confirms a yes (R33).

        It gets a ``ConfirmationLink`` after each first answer to a question of a
        purpose with ``two_stage``. It has to reach the person over another factor than
        their session: by mail, by text message. If it raises, the person is told that
        no message went out.
        """
        self._loaders.confirmation = sender
        return sender
