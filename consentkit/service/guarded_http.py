"""urllib3 connections that ask a guard at the lowest point of theirs.

Requests, pools, retries and redirects all end in a connection: it is asked before it
connects, counted as a request when its head is complete, and asked again right before
the request is written. What a pool keeps open between two shares is asked as well.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import Any

from urllib3 import HTTPConnectionPool
from urllib3 import HTTPSConnectionPool
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection

from consentkit.service.destinations import Address
from consentkit.service.destinations import address_in
from consentkit.service.guarding import sending

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.service.guarding import Guard
    from consentkit.service.release import Release

__all__ = ["guard_pools", "guarded_pool"]


class _Asking(HTTPConnection):
    """Asks ``guard`` wherever a connection is opened or written to."""

    guard: Guard
    _through: Address | None = None
    _named: set[Address]
    _releases: tuple[Release, ...] = ()
    _request: contextlib.ExitStack | None = None

    def set_tunnel(
        self,
        host: str,
        port: int | None = None,
        headers: Mapping[str, str] | None = None,
        scheme: str = "http",
    ) -> None:
        self._through = Address(host, port)
        super().set_tunnel(host, port, headers, scheme)

    def connect(self) -> None:
        self.guard.look(self._ends())
        super().connect()

    def request(
        self, method: str, url: str, body: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        # A body that is there goes out with its head, or neither does; one that is
        # yet to be made is asked about part by part.
        if body is not None and not isinstance(body, (bytes, str)):
            super().request(method, url, body, *args, **kwargs)
            return
        try:
            with contextlib.ExitStack() as self._request:
                super().request(method, url, body, *args, **kwargs)
        finally:
            self._request = None

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        whole = address_in(url) if "://" in url else None  # as a proxy is told
        self._releases = ()
        self._named = self._ends() | ({whole} if whole else set())
        super().putrequest(method, url, *args, **kwargs)

    def putheader(self, header: str | bytes, *values: Any) -> None:
        if _text(header).lower() == "host":
            for value in values:
                named = address_in(f"//{_text(value)}")
                self._named |= {named} if named else set()
        super().putheader(_text(header), *values)

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()  # what takes time comes before the last question
        self._releases = self.guard.spend(self._named)
        if self._request is not None:
            self._request.enter_context(sending(self._releases))
            self._releases = ()
        super().endheaders(*args, **kwargs)

    def send(self, data: Any) -> None:
        with sending(self._releases):
            super().send(data)

    def _ends(self) -> set[Address]:
        """Where the connection leads: to its host, and through it to another."""
        own = Address(self.host, self.port)
        return {own, self._through} if self._through else {own}


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def guard_pools(manager: PoolManager, guard: Guard) -> None:
    """Have all connections of ``manager`` ask ``guard``."""

    class Plain(_Asking):
        pass

    class Encrypted(_Asking, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    Plain.guard = Encrypted.guard = guard
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


def guarded_pool(guard: Guard, **options: Any) -> PoolManager:
    """A ``urllib3.PoolManager`` made with ``options``, all of it guarded."""
    manager = PoolManager(**options)
    guard_pools(manager, guard)
    return manager
