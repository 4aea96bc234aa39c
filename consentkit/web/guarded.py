"""Outgoing HTTP that cannot go past the gate, as calls on ``ConsentKit``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any

from consentkit.errors import ConfigurationError
from consentkit.service.guarding import Guard

if TYPE_CHECKING:
    import requests
    import urllib3

    from consentkit.core.registry import Registry

__all__ = ["Guarded"]


class Guarded:
    """The part of ``ConsentKit`` that makes HTTP clients."""

    registry: Registry

    def guarded_session(self) -> requests.Session:
        """A ``requests.Session`` that reaches recipients only inside ``share``.

        A request to one of a recipient's hosts outside of a share with it, a redirect
        included, raises ``UngatedSendError`` and sends nothing; any other address is
        reached as ever. When it sends, the gate is asked once more. Make one for the
        app and keep it, as you would a session.

        Raises:
            ConfigurationError: requests is not installed; it is in the extra
                ``requests``.
        """
        try:
            module = import_module("consentkit.service.guarded_requests")
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                "guarded_session() needs requests: pip install 'consentkit[requests]'; "
                "guarded_pool() needs nothing more"
            ) from error
        session: requests.Session = module.GuardedSession(Guard(self.registry))
        return session

    def guarded_pool(self, **options: Any) -> urllib3.PoolManager:
        """The same as a ``urllib3.PoolManager``, made with these options of its own."""
        # Whoever asks for it needs urllib3, nobody else does.
        from consentkit.service.guarded_http import guarded_pool  # noqa: PLC0415

        return guarded_pool(Guard(self.registry), **options)
