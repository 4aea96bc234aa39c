"""A published log behind a web address.

Apart from ``bundle``, since what speaks HTTP takes longer to load than all that an
auditor of a folder needs.
"""

from __future__ import annotations

import base64
import http.client
from urllib.parse import unquote
from urllib.parse import urlsplit

from consentkit.audit import source
from consentkit.audit.source import CHECKPOINT
from consentkit.audit.source import no_log
from consentkit.audit.source import not_there
from consentkit.audit.source import too_large
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

__all__ = ["HttpSource"]

_TIMEOUT_SECONDS = 30.0  # of silence; a static file server that needs more is down
_NOT_FOUND = frozenset({http.client.NOT_FOUND, http.client.GONE})
_KEPT_OUT = frozenset({http.client.UNAUTHORIZED, http.client.FORBIDDEN})


class HttpSource:
    """A log behind a web address. Redirects are refused: evidence has one address.

    A user and password in the address are sent as Basic credentials (RFC 7617) and
    never repeated in a message. One connection is kept open for all files.

    Raises:
        ConfigurationError: the address is not of the form that can be read.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigurationError("the address has no usable port") from error
        if not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(
                "the address of a log must be http(s)://host/path without ? and #"
            )
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = connect(parts.hostname, port, timeout=_TIMEOUT_SECONDS)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "consentkit"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            token = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        host = parts.netloc.rpartition("@")[2]
        self.name = f"{parts.scheme}://{host}{self._prefix}"

    def read(self, path: str) -> bytes:
        """See ``Source.read``."""
        try:
            status, body = self._get(path)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LogUnavailableError(
                f"{self.name}/{path} cannot be reached: {type(error).__name__}"
            ) from error
        if status in _NOT_FOUND and path == CHECKPOINT:
            raise no_log(self.name, "address", f" {self._ask_for_name()}")
        if status in _NOT_FOUND:
            raise not_there(path)
        if status != http.client.OK:
            raise LogUnavailableError(
                f"expected status 200 for {self.name}/{path}, got {status}; "
                + (
                    self._ask_for_name()
                    if status in _KEPT_OUT
                    else "redirects are not followed, give the final address"
                )
            )
        if len(body) > source.MAX_FILE_BYTES:
            raise too_large(path, source.MAX_FILE_BYTES)
        return body

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def paths(self) -> None:
        """A web address has no listing."""

    def _ask_for_name(self) -> str:
        """What to try where a server may be keeping us out."""
        if "Authorization" in self._headers:
            return "are the name and password in the address right?"
        return "does it need a name and password, https://name:password@host/…?"

    def _get(self, path: str) -> tuple[int, bytes]:
        """One answer. A kept connection that the server has closed is opened anew."""
        kept = self._connection.sock is not None
        try:
            return self._ask(path)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            if not kept:
                raise
            return self._ask(path)

    def _ask(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", f"{self._prefix}/{path}", headers=self._headers)
        with self._connection.getresponse() as response:
            body = response.read(source.MAX_FILE_BYTES + 1)
            if len(body) > source.MAX_FILE_BYTES:
                # What is left of it would spoil the next.
                self._connection.close()
            return response.status, body
