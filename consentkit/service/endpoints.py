"""Where recipients want to be told, and one signed message to such a place.

Messages are Standard Webhooks (https://www.standardwebhooks.com): id, time and body
are signed, so that a recipient can tell a genuine, fresh message from a copy. Every
message carries a ``v1a`` signature by this log's collector key, which its ``key`` leaf
registered; with a shared secret a ``v1`` signature (HMAC) as well.

An address is looked up first and refused if it leads inside our own network, then the
connection goes to the very address that was looked at (R120).
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import socket
import time
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Self
from urllib.parse import urlsplit

import urllib3
from standardwebhooks import Webhook

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.log.keys import Signer

__all__ = ["Endpoint", "send"]

_TIMEOUT = 10.0  # seconds; nobody waits for it but the next message
_MAX_ANSWER = 65_536  # bytes read of an answer that nobody needs
_SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with, not one
_MIN_SECRET = 24  # bytes, as the standard asks
_TRANSLATED = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("2002::/16"),
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """Where one recipient takes messages, and the secret shared with it, if any.

    Raises:
        ConfigurationError: an address or a secret that cannot be used.
    """

    url: str
    secret: str = field(default="", repr=False)
    internal: bool = False
    """Whether an address inside our own network is meant, as on a developer's desk."""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        parts = urlsplit(self.url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.username:
            raise ConfigurationError(
                "expected an address 'https://host/path' without a name and password"
            )
        if parts.scheme == "http" and not self.internal:
            raise ConfigurationError(
                "expected an 'https' address: what is told is about persons; "
                "CONSENTKIT_NOTIFY_INTERNAL permits 'http' for development"
            )
        if self.secret and len(_secret(self.secret)) < _MIN_SECRET:
            raise ConfigurationError(
                f"expected 'whsec_' and at least {_MIN_SECRET} random bytes in base64"
            )

    @classmethod
    def of(cls, value: object, *, internal: bool) -> Self:
        """What a configuration value stands for: an address, or ``{url, secret}``.

        Raises:
            ConfigurationError: any other form.
        """
        if isinstance(value, str):
            return cls(value, internal=internal)
        if isinstance(value, dict) and value.keys() <= {"url", "secret"}:
            url, secret = value.get("url"), value.get("secret", "")
            if isinstance(url, str) and isinstance(secret, str):
                return cls(url, secret, internal=internal)
        raise ConfigurationError(
            "expected an address, or a mapping of 'url' and, if shared, 'secret'"
        )


def send(
    endpoint: Endpoint, *, message: str, body: bytes, at: int, signer: Signer
) -> None:
    """Deliver one message; a 2xx answer is the acknowledgement.

    ``message`` is its id, the same at every attempt; ``at`` in milliseconds is when
    this attempt is made.

    Raises:
        LogUnavailableError: it was not acknowledged; the message says why.
    """
    try:
        status = _post(endpoint, body, _headers(endpoint, message, body, at, signer))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise LogUnavailableError(f"no answer ({type(error).__name__})") from error
    if not 200 <= status < 300:  # noqa: PLR2004  the 2xx of RFC 9110
        raise LogUnavailableError(f"answered with status {status}")


def _headers(
    endpoint: Endpoint, message: str, body: bytes, at: int, signer: Signer
) -> dict[str, str]:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    signed = f"{message}.{at // 1000}.".encode() + body
    signatures = ["v1a," + base64.b64encode(signer.sign(signed)).decode()]
    if endpoint.secret:
        hook = Webhook(_secret(endpoint.secret))
        signatures.append(hook.sign(message, moment, body.decode()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "consentkit",
        "webhook-id": message,
        "webhook-timestamp": str(at // 1000),
        "webhook-signature": " ".join(signatures),
    }


def _post(endpoint: Endpoint, body: bytes, headers: Mapping[str, str]) -> int:
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    address = _address(host, port, internal=endpoint.internal)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    timeout = urllib3.Timeout(total=_TIMEOUT)
    with _pool(parts.scheme, address, port, host, timeout) as pool:
        end = time.monotonic() + _TIMEOUT
        response = pool.urlopen(
            "POST",
            path,
            body=body,
            headers={**headers, "Host": parts.netloc},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            _drain(response, end)
        finally:
            response.close()
        return response.status


def _pool(
    scheme: str, address: str, port: int, host: str, timeout: urllib3.Timeout
) -> urllib3.HTTPConnectionPool:
    """A connection to the address that was looked at, under the name it answers to."""
    if scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    return urllib3.HTTPSConnectionPool(
        address, port, timeout=timeout, server_hostname=host, assert_hostname=host
    )


def _drain(response: urllib3.BaseHTTPResponse, end: float) -> None:
    """Read a little of what nobody needs: a server may wait to be read."""
    read = 0
    while part := response.read(4_096):
        read += len(part)
        if read > _MAX_ANSWER or time.monotonic() > end:
            raise urllib3.exceptions.ProtocolError("too much, or too slow")


def _address(host: str, port: int, *, internal: bool) -> str:
    """The first address of the host, if every one of them is outside."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if not internal and not all(map(_is_outside, addresses)):
        raise LogUnavailableError(
            "its address leads inside our own network; nothing was sent"
        )
    return addresses[0]


def _is_outside(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if any(found in network for network in _TRANSLATED):
            return False  # an IPv4 address is hidden in it: which one, is not ours
        found = found.ipv4_mapped or found
    return found.is_global and not found.is_multicast


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
