"""Where recipients want to be told, and one signed message to such a place.

Messages are Standard Webhooks (https://www.standardwebhooks.com): id, time and body
are signed, so that a recipient can tell a genuine, fresh message from a copy. Every
message carries a ``v1a`` signature by this log's collector key, which its ``key`` leaf
registered; with a shared secret a ``v1`` signature (HMAC) as well.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Self
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from consentkit.log.keys import Signer

__all__ = ["Endpoint", "send"]

_SECRET_PREFIX = "whsec_"  # noqa: S105  what a secret begins with, not one
_MIN_SECRET = 24  # bytes, as the standard asks


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
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username
        ):
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
    from consentkit.service.looked_up import post  # noqa: PLC0415  see there

    headers = _headers(endpoint, message, body, at, signer)
    status = post(endpoint.url, body, headers, internal=endpoint.internal)
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


def _secret(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
