"""Keys as text: in a file that only its owner can read, or in the environment.

The text is an unencrypted PKCS #8 PEM, a seed in base64, or for the secret 64 hex
digits. What stands before a PEM, or after a ``#``, is for people; one such line marks
a key that was made by itself, so that no production ever rests on it.

No error here repeats what was read, nor an address that somebody may have mistaken for
the place of the key itself.
"""

from __future__ import annotations

import binascii
import contextlib
import os
import re
import secrets
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote
from urllib.parse import urlsplit

from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.log.keys import Ed25519Signer

__all__ = [
    "KeyFile",
    "KeyText",
    "KeyVariable",
    "create_file",
    "is_development",
    "make_folder",
    "mark_development",
    "new_pem",
    "new_secret",
    "open_key",
    "parse_text_uri",
    "read_secret",
]

SECRET_BYTES = 32
_DEVELOPMENT = b"# a development key, made by consentkit itself: not for production\n"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNNAMED = "unnamed"  # a key knows no name; whoever opens one gives it one


class KeyText(Protocol):
    """Where the text of a key is; ``label`` is how errors speak of the place."""

    @property
    def label(self) -> str:
        """The place in words that give nothing away."""

    def read(self) -> bytes:
        """The text.

        Raises:
            ConfigurationError: it is not there, or others could read it too.
        """


@dataclass(frozen=True)
class KeyFile:
    """A file of mode 0600."""

    path: Path
    label: str

    def exists(self) -> bool:
        """Whether something is there; who may not look is told by ``read``."""
        return os.path.lexists(self.path)

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            ConfigurationError: absent, unreadable, or open to others.
        """
        try:
            if self.path.stat().st_mode & 0o077:
                raise ConfigurationError(
                    f"{self.label} can be read by others than its owner: chmod 600 it, "
                    "and replace the key if anybody else was on this machine"
                )
            return self.path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{self.label} cannot be read ({error.strerror}); the user that this "
                "process runs as has to own it"
            ) from error


@dataclass(frozen=True)
class KeyVariable:
    """A variable of this process's environment."""

    variable: str
    label: str

    def read(self) -> bytes:
        """The variable's value.

        Raises:
            ConfigurationError: it is not set, or empty.
        """
        value = os.environ.get(self.variable, "")
        if not value:
            raise ConfigurationError(
                f"{self.label} is not set: expected a key in this process's environment"
            )
        return value.encode()


def parse_text_uri(uri: str, *, label: str) -> KeyFile | KeyVariable:
    """The place that ``file:///…``, a plain path or ``env:NAME`` stands for.

    Raises:
        ConfigurationError: it is none of these; ``label`` names the key.
    """
    parts = urlsplit(uri) if uri.isprintable() else urlsplit("")
    if parts.scheme == "env" and _NAME.fullmatch(uri.removeprefix("env:")):
        return KeyVariable(
            uri.removeprefix("env:"), f"the environment variable that {label} names"
        )
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = unquote(parts.path) if not (parts.query or parts.fragment) else ""
    else:
        path = uri if not parts.scheme and uri.isprintable() else ""
    if not path or "\0" in path or (parts.scheme and not path.startswith("/")):
        raise ConfigurationError(
            f"{label} must say where the key is, and not hold it: a path, "
            "'file:///etc/wallet/key.pem', 'env:NAME' or 'pkcs11:token=…;object=…"
            "?module-path=…&pin-source=…'"
        )
    return KeyFile(Path(path), f"the file that {label} names")


def open_key(text: bytes, *, label: str) -> Ed25519Signer:
    """The private key in a PEM, or in base64 as the 32 bytes of its seed.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        if b"-----BEGIN" in text:
            return Ed25519Signer.from_pem(_UNNAMED, text)
        return Ed25519Signer.from_seed(_UNNAMED, _base64(_without_comments(text)))
    except MalformedError as error:
        raise ConfigurationError(
            f"{label} must be an Ed25519 key as unencrypted PKCS #8 PEM, as 'openssl "
            "genpkey -algorithm ed25519' writes it, or its seed of 32 bytes in base64"
        ) from error


def read_secret(text: bytes, *, label: str) -> bytes:
    """The 32 bytes that 64 hex digits spell.

    Raises:
        ConfigurationError: it is anything else.
    """
    try:
        secret = bytes.fromhex(_without_comments(text).decode().strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ConfigurationError(f"{label} must hold {SECRET_BYTES * 2} hex digits")
    return secret


def is_development(text: bytes) -> bool:
    """Whether consentkit made this key by itself, for development."""
    return _DEVELOPMENT.strip() in text


def mark_development(text: bytes) -> bytes:
    """The same key, marked as one that no production may use."""
    return _DEVELOPMENT + text


def new_pem() -> bytes:
    """A new private key."""
    return Ed25519Signer.generate(_UNNAMED).to_pem()


def new_secret() -> bytes:
    """A new secret, as the text that ``read_secret`` reads."""
    return secrets.token_hex(SECRET_BYTES).encode() + b"\n"


def create_file(path: Path, data: bytes) -> bool:
    """Write a file that is complete and private once it is visible; False if there.

    Raises:
        ConfigurationError: the folder cannot be made or written.
    """
    make_folder(path.parent)
    with _made(path):
        return _link(path, data)


def make_folder(folder: Path) -> None:
    """Make the key folder, for its owner alone, unless it is there.

    Raises:
        ConfigurationError: it cannot be made.
    """
    with _made(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


@contextlib.contextmanager
def _made(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be made ({error.strerror}); set CONSENTKIT_KEY_FOLDER to a "
            "folder that this process owns"
        ) from error


def _link(path: Path, data: bytes) -> bool:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Another process may have been faster: its key is the key then.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
            return True
        return False
    finally:
        draft.unlink()


def _base64(text: bytes) -> bytes:
    try:
        return b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise MalformedError("expected a seed in base64") from error


def _without_comments(text: bytes) -> bytes:
    lines = text.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"#"))
