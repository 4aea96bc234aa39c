"""Requests to one server of somebody else's, bounded in size, time and tries.

Imported where something is sent: most processes send nothing, and urllib3 loads slowly.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import urllib3

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

__all__ = ["Post", "posting"]

_TOO_MANY, _SERVER_ERROR = 429, 500  # RFC 6585, RFC 9110: it may answer otherwise later


@contextlib.contextmanager
def posting(
    url: str,
    headers: Mapping[str, str],
    *,
    timeout: float,
    delays: Sequence[float],
    most: int,
) -> Iterator[Post]:
    """One connection to that address, for as many requests as it takes.

    An answer has to be there within twice the ``timeout`` (seconds), whole, and has
    ``most`` bytes. ``delays`` are the seconds between tries; half more at random.
    """
    with urllib3.PoolManager(retries=False) as pool:
        yield Post(pool, url, headers, timeout, delays, most)


@dataclass(frozen=True, slots=True)
class Post:
    """What sends a body to one address; see ``posting``."""

    _pool: urllib3.PoolManager
    _url: str
    _headers: Mapping[str, str]
    _timeout: float
    _delays: Sequence[float]
    _most: int

    def send(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, after a few tries where there was none.

        Raises:
            LogUnavailableError: there was none, or that of a server in trouble.
        """
        for delay in (*self._delays, None):
            try:
                status, answer = self._try(body)
            except urllib3.exceptions.HTTPError as error:
                fault = f"it did not answer ({type(error).__name__})"
            else:
                if status < _SERVER_ERROR and status != _TOO_MANY:
                    return status, answer
                fault = f"it answered with status {status}"
            if delay is not None:
                time.sleep(delay * (1 + secrets.randbelow(500) / 1000))
        raise LogUnavailableError(fault)

    def _try(self, body: bytes) -> tuple[int, bytes]:
        end = time.monotonic() + self._timeout
        response = self._pool.request(
            "POST",
            self._url,
            body=body,
            headers=self._headers,
            timeout=urllib3.Timeout(total=self._timeout),
            redirect=False,
            preload_content=False,
        )
        try:
            data = bytearray()
            while part := response.read1(self._most):
                data += part
                if len(data) > self._most or time.monotonic() > end:
                    raise urllib3.exceptions.ProtocolError("too much, or too slow")
            return response.status, bytes(data)
        finally:
            response.close()
