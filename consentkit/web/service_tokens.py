"""The tokens by which other services of the controller show themselves."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask import Flask

__all__ = ["ServiceTokens", "read_service_tokens"]

_KEY = "CONSENTKIT_API_TOKENS"
_SHORTEST = 32  # characters; of 256 random bits in hex there are 64
_MOST = 16  # services, each with a second token while the first is replaced


@dataclass(frozen=True)
class ServiceTokens:
    """The tokens by which other services show themselves; of each only its SHA-256."""

    digests: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, tokens: Collection[str]) -> ServiceTokens:
        """Those tokens."""
        return cls(tuple(map(_digest, tokens)))

    def __bool__(self) -> bool:
        return bool(self.digests)

    def knows(self, token: str) -> bool:
        """Whether it is one of them; how long that takes tells nothing of any."""
        sent = _digest(token)
        # All are compared before any is looked at.
        hits = [hmac.compare_digest(sent, each) for each in self.digests]
        return any(hits)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def read_service_tokens(app: Flask) -> ServiceTokens:
    """The tokens of the configuration; none closes the address.

    Raises:
        ConfigurationError: it is no list of tokens, or one is too short to be one. The
            message holds none of them.
    """
    tokens = app.config[_KEY]
    if not isinstance(tokens, (list, tuple)) or len(tokens) > _MOST:
        raise ConfigurationError(
            f"{_KEY} must be a list of {_MOST} tokens at most; got "
            f"{type(tokens).__name__}"
        )
    for number, token in enumerate(tokens):
        if not isinstance(token, str) or not _is_token(token):
            raise ConfigurationError(
                f"{_KEY}[{number}] must be a random text of {_SHORTEST} or more "
                "letters, digits and '-', '_', '.', '~', '+', '/', '='; make one with "
                "'openssl rand -hex 32'"
            )
    return ServiceTokens.of(tokens)


def _is_token(token: str) -> bool:
    """Whether it can stand after ``Bearer`` (RFC 6750 §2.1)."""
    plain = token.translate(str.maketrans("", "", "-._~+/="))
    return len(token) >= _SHORTEST and plain.isascii() and plain.isalnum()
