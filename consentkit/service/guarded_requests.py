"""A ``requests.Session`` of which every request asks a guard, redirects included.

It needs the extra ``requests``. The session refuses before anything is looked up, the
connections below it (``guarded_http``) at the moment of sending.
"""

from __future__ import annotations

from typing import Any
from typing import NoReturn

import requests
from requests.adapters import BaseAdapter
from requests.adapters import HTTPAdapter

from consentkit.errors import ConfigurationError
from consentkit.service.destinations import address_in
from consentkit.service.guarded_http import guard_pools
from consentkit.service.guarding import Guard

__all__ = ["GuardedSession"]


class GuardedSession(requests.Session):
    """A session like any other, which does not reach a recipient outside of a share."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        super().__init__()

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be copied or pickled: what it is guarded by would not come along.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "a guarded session cannot be copied or pickled: make another one with "
            "guarded_session()"
        )

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> Any:
        """Send, if it may go there.

        Raises:
            UngatedSendError: it leads to a recipient, and no share with it is going on.
        """
        named = [request.url or "", f"//{_host(request)}"]
        self._guard.look(each for url in named if (each := address_in(url)))
        return super().send(request, **kwargs)

    def mount(self, prefix: str, adapter: BaseAdapter) -> None:
        """Use an ``HTTPAdapter`` with these settings for addresses with that prefix.

        Raises:
            ConfigurationError: it is an adapter of another kind, which cannot be
                watched.
        """
        if type(adapter) is not HTTPAdapter:
            raise ConfigurationError(
                "a guarded session takes a plain requests.adapters.HTTPAdapter, with "
                "any retries and pool sizes: what another one sends cannot be watched; "
                f"got {type(adapter).__name__}"
            )
        super().mount(prefix, _GuardedAdapter(self._guard, adapter))


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, guard: Guard, like: HTTPAdapter) -> None:
        self._guard = guard
        self.__setstate__(like.__getstate__())  # makes the pools, with its settings

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        guard_pools(self.poolmanager, self._guard)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        if proxy.lower().startswith("socks"):
            raise ConfigurationError(
                "a guarded session cannot watch what goes through a SOCKS proxy: use "
                "an HTTP proxy, or none"
            )
        manager = super().proxy_manager_for(proxy, **kwargs)
        guard_pools(manager, self._guard)
        return manager


def _host(request: requests.PreparedRequest) -> str:
    value = request.headers.get("Host") or ""
    return value.decode("latin-1") if isinstance(value, bytes) else value
