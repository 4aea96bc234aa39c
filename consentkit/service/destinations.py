"""Which recipient an address leads to, however the address is spelled.

A name has many spellings: capitals, a dot at its end, letters that IDNA turns into
others, an IP address as one number. All are brought into one before they are compared,
so that the guard of outgoing requests cannot be missed by a way of writing.

A declared host without a port is meant on every port. Names below it are not meant:
``api.acme.example`` says nothing of ``eu.api.acme.example``.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from typing import TYPE_CHECKING
from typing import NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.vocabulary import Recipient

__all__ = ["Address", "Destinations", "address_in", "spellings"]

_PORTS = {"http": 80, "https": 443}
# What the C library reads as an IPv4 address: 127.1, 0x7f.1, 2130706433, 0177.0.0.1.
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}\Z")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_DOTS = re.compile(r"[.\u3002\uff0e\uff61]")  # RFC 3490 §3.1


class Address(NamedTuple):
    """A host as somebody wrote it, and the port; None if it is not known."""

    host: str
    port: int | None = None


def address_in(url: str) -> Address | None:
    """The address in a URL, as urllib3 and requests read it; None if it has none."""
    # Loaded with the first request that is guarded, which loads it anyhow.
    from urllib3.exceptions import LocationParseError  # noqa: PLC0415
    from urllib3.util import parse_url  # noqa: PLC0415

    try:
        parsed = parse_url(url)
    except LocationParseError:
        return None  # nor could anything be sent there
    if not parsed.host:
        return None
    return Address(parsed.host, parsed.port or _PORTS.get(parsed.scheme or ""))


def spellings(host: str) -> frozenset[str]:
    """The one spelling of a host, or both where IDNA 2003 and 2008 differ."""
    text = host.strip("[]")
    address = _ip_address(text.partition("%")[0].lower())
    if address is not None:
        return frozenset({str(address)})
    text = unicodedata.normalize("NFKC", unquote(text)).lower()
    labels = [label for label in _DOTS.split(text) if label]
    if all(map(str.isascii, labels)):
        number = _ip_address(".".join(labels))
        return frozenset({".".join(labels) if number is None else str(number)})
    plain = (each if each.isascii() else _punycode(each) for each in labels)
    return frozenset({".".join(map(_idna_2003, labels)), ".".join(plain)})


class Destinations:
    """The hosts of all recipients that an app declared."""

    def __init__(self, recipients: Iterable[Recipient]) -> None:
        self._known: dict[str, list[tuple[int | None, str]]] = {}
        for recipient in recipients:
            for declared in recipient.hosts:
                host, _, port = declared.partition(":")
                for name in spellings(host):
                    meant = int(port) if port else None
                    self._known.setdefault(name, []).append((meant, recipient.id))

    def recipients(self, address: Address) -> frozenset[str]:
        """The ids of the recipients whose host that is; none for anybody else's."""
        return frozenset(
            recipient
            for name in spellings(address.host)
            for port, recipient in self._known.get(name, ())
            if port is None or address.port in (None, port)
        )


def _ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if _NUMERIC.match(text):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(text))
        except OSError:
            return None  # digits that are no address: a name, if an odd one
    try:
        found = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    if found in _NAT64:  # RFC 6052
        return ipaddress.IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found


def _idna_2003(label: str) -> str:
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return label  # no such name can be looked up


def _punycode(label: str) -> str:
    return "xn--" + label.encode("punycode").decode("ascii")
