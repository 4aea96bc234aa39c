"""What the host app tells us about who is here, as decorators on ``ConsentKit``."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Container
from typing import TYPE_CHECKING
from typing import TypeVar

from consentkit.web.state import Loaders

if TYPE_CHECKING:
    from consentkit.service.telling import ErasureHandler

__all__ = ["Loading"]

_Label = TypeVar("_Label", bound="Callable[[str], str]")
_Subject = TypeVar("_Subject", bound="Callable[[], object]")
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

    def erasure_handler(self, handler: ErasureHandler) -> ErasureHandler:
        """Decorate the function that erases what consent no longer covers (R59).

        It gets an ``ErasureTask`` after each act that ended a grant, from a background
        thread or from ``flask consent deliver``, within an app context. Returning
        acknowledges the task; raising has it called again later.
        """
        self._loaders.erasure = handler
        return handler
