"""Where a private key is, and how it signs: a file, the environment, or a token.

A place is a URI: ``file:///…`` or a plain path, ``env:NAME``, ``pkcs11:…``. A key has
no name of its own; ``NamedSigner`` gives it the one that stands on signature lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Protocol

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier
from consentkit.service.hsm import SCHEME
from consentkit.service.hsm import TokenKey
from consentkit.service.hsm import parse_token_uri
from consentkit.service.key_texts import is_development
from consentkit.service.key_texts import open_key
from consentkit.service.key_texts import parse_text_uri
from consentkit.service.key_texts import read_secret

if TYPE_CHECKING:
    from consentkit.service.hsm import TokenAddress
    from consentkit.service.key_texts import KeyText

__all__ = [
    "KeySource",
    "KeySources",
    "NamedSigner",
    "SigningKey",
    "TextSource",
    "TokenSource",
    "parse_key_uri",
    "parse_secret_uri",
]


class SigningKey(Protocol):
    """A private key, wherever it is; only its public half comes out."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of ``message``."""


class KeySource(Protocol):
    """A place that holds a private key; ``label`` names it in errors."""

    @property
    def label(self) -> str:
        """The place in words that give nothing away."""

    @property
    def is_development(self) -> bool:
        """Whether consentkit made the key by itself, for development."""

    @property
    def key(self) -> SigningKey:
        """The key, opened once.

        Raises:
            ConfigurationError: it is not there, or is no Ed25519 key.
        """


@dataclass(frozen=True)
class TextSource:
    """A key, or the secret, that is text in a file or in the environment."""

    text: KeyText

    @property
    def label(self) -> str:
        """The place in words that give nothing away."""
        return self.text.label

    @cached_property
    def _read(self) -> bytes:
        return self.text.read()

    @property
    def is_development(self) -> bool:
        """Whether consentkit made the key by itself, for development."""
        return is_development(self._read)

    @cached_property
    def key(self) -> SigningKey:
        """The private key, in this process's memory.

        Raises:
            ConfigurationError: it is not there, or is no Ed25519 key.
        """
        return open_key(self._read, label=self.label)

    @property
    def secret(self) -> bytes:
        """The 32 bytes that the text spells.

        Raises:
            ConfigurationError: it is not there, or is no secret.
        """
        return read_secret(self._read, label=self.label)


@dataclass(frozen=True)
class TokenSource:
    """A key on a PKCS #11 token; none of those is made by itself."""

    address: TokenAddress
    is_development: bool = False

    @property
    def label(self) -> str:
        """The place in words that give nothing away."""
        return self.address.label

    @cached_property
    def key(self) -> SigningKey:
        """The private key, which stays where it is.

        Raises:
            ConfigurationError: there is no such key, or the token does not let us in.
        """
        return TokenKey(self.address)


@dataclass(frozen=True)
class KeySources:
    """What the configuration names beside the key folder; it is looked at first."""

    collector: tuple[KeySource, ...] = ()
    log: tuple[KeySource, ...] = ()
    secret: TextSource | None = None

    def of(self, role: str) -> tuple[KeySource, ...]:
        """The places of keys in that role."""
        return self.collector if role == "collector" else self.log


class NamedSigner:
    """A key under its name: what signs leaves or checkpoints."""

    algorithm = Algorithm.ED25519

    def __init__(self, name: str, key: SigningKey) -> None:
        verifier = Verifier(name, self.algorithm, key.public_key)
        self.name = name
        self.key_id = verifier.key_id
        self.vkey = verifier.vkey
        self.sign = key.sign

    def __repr__(self) -> str:
        """Show the public half only."""
        return f"{type(self).__name__}({self.vkey!r})"


def parse_key_uri(uri: str, *, label: str) -> KeySource:
    """The place of a private key; nothing is opened yet.

    Raises:
        ConfigurationError: no URI of a kind that we know. It is not repeated: it may
            hold a PIN, or the key itself.
    """
    if uri.startswith(SCHEME):
        return TokenSource(parse_token_uri(uri, label=label))
    return TextSource(parse_text_uri(uri, label=label))


def parse_secret_uri(uri: str, *, label: str) -> TextSource:
    """The place of the secret, which has to come into this process's memory.

    Raises:
        ConfigurationError: no file and no variable.
    """
    if uri.startswith(SCHEME):
        raise ConfigurationError(f"{label} must be a file or 'env:NAME', not a token")
    return TextSource(parse_text_uri(uri, label=label))
