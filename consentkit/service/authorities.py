"""How a checkpoint reaches a time-stamping authority: one request, and its answer.

RFC 3161 over HTTP (§3.4). The address is the operator's own configuration, so an
internal one is as good as any other. What comes back is bounded in size and time, and
kept only if it verifies as an auditor would verify it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import unquote
from urllib.parse import urlsplit

from consentkit.audit.timestamps import MAX_REPLY_BYTES
from consentkit.audit.timestamps import check_roots
from consentkit.audit.timestamps import load_library
from consentkit.audit.timestamps import open_timestamp
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from consentkit.core.act import Millis

__all__ = ["Authority", "request_timestamp"]

_TIMEOUT = 5.0  # seconds; authorities sign with slow, certified hardware
_RETRY_DELAYS = (0.050, 0.500)  # seconds between the three tries; half more at random
_PLAIN = re.compile(r"[!-~]+")  # printable ASCII without spaces


@dataclass(frozen=True)
class Authority:
    """A time-stamping authority as the operator chose it.

    ``roots`` are the certificates (PEM) that its answers have to lead to; it is asked
    once in ``interval`` milliseconds at most. ``login`` is its ``name:password``, if
    it asks for one; it is in no message.

    Raises:
        ConfigurationError: an address or roots that cannot be used, or the extra
            ``tsa`` is not installed.
    """

    url: str
    roots: bytes = field(repr=False)
    interval: int
    login: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        load_library()
        check_roots(self.roots)

    @classmethod
    def parse(cls, address: str, *, roots: bytes, interval: int) -> Authority:
        """The authority at an address ``https://[name:password@]host/path``.

        Raises:
            ConfigurationError: any other form, or as for the class.
        """
        try:
            parts = urlsplit(address)
            usable = parts.port != 0 and bool(parts.hostname)
        except ValueError:
            usable = False
        if (
            not usable
            or parts.scheme not in {"http", "https"}
            or parts.fragment
            or not _PLAIN.fullmatch(address)
        ):
            raise ConfigurationError(
                "expected the address of a time-stamping authority, such as "
                "'https://tsa.example/tsr'"
            )
        login, _, host = parts.netloc.rpartition("@")
        login = unquote(login)
        if login and (parts.scheme != "https" or not login.isascii()):
            raise ConfigurationError(
                "a name and password in an authority's address have to be ASCII, and "
                "go over 'https://' only"
            )
        return cls(
            parts._replace(netloc=host).geturl(),
            roots=roots,
            interval=interval,
            login=login,
        )

    @property
    def id(self) -> str:
        """What its stamps are filed under."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def request_timestamp(authority: Authority, text: bytes) -> tuple[bytes, Millis]:
    """Return the authority's good answer for ``text``, and the moment in it.

    Raises:
        LogUnavailableError: it did not answer.
        VerificationError: what it answered does not hold.
    """
    library = load_library()
    builder = library.TimestampRequestBuilder().data(text)
    request = builder.hash_algorithm(library.HashAlgorithm.SHA256).build()
    reply = _ask(authority, request.as_bytes())
    moment = open_timestamp(
        reply, text=text, roots=authority.roots, nonce=request.nonce
    )
    return reply, moment


def _ask(authority: Authority, body: bytes) -> bytes:
    from consentkit.service.posting import posting  # noqa: PLC0415  see there

    headers = {"Content-Type": "application/timestamp-query"}
    if authority.login:
        login = base64.b64encode(authority.login.encode()).decode()
        headers["authorization"] = f"Basic {login}"
    with posting(
        authority.url,
        headers,
        timeout=_TIMEOUT,
        delays=_RETRY_DELAYS,
        most=MAX_REPLY_BYTES,
    ) as post:
        status, answer = post.send(body)
    if status != 200:  # noqa: PLR2004  RFC 9110; a redirect is not followed
        raise LogUnavailableError(f"it answered with status {status}")
    return answer
