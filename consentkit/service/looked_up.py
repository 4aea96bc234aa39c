"""One request to the very address that was looked at before.

The name is looked up first, and refused if it leads inside our own network (R120): a
second look-up could give another answer.

Imported where something is sent: most processes send nothing, and urllib3 loads slowly.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["post"]

_TIMEOUT = 10.0  # seconds; nobody waits for it but the next message
_MAX_ANSWER = 65_536  # bytes read of an answer that nobody needs
_TRANSLATED = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("2002::/16"),
)
_PORTS = {"http": 80, "https": 443}


def post(url: str, body: bytes, headers: Mapping[str, str], *, internal: bool) -> int:
    """The status of the answer. ``internal`` permits an address inside our network.

    Raises:
        LogUnavailableError: there was none, or the address is not permitted.
    """
    try:
        return _post(url, body, headers, internal=internal)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise LogUnavailableError(f"no answer ({type(error).__name__})") from error


def _post(url: str, body: bytes, headers: Mapping[str, str], *, internal: bool) -> int:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    address = _address(host, port, internal=internal)
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
