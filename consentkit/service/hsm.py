"""A private key that never leaves its token: PKCS #11 by its URI (RFC 7512).

Ed25519 as PKCS #11 v3.0 has it: key type ``EC_EDWARDS``, mechanism ``EDDSA``. Needs
the extra ``[hsm]``. The session stays open, is opened again in a fork, where PKCS #11
forbids the parent's, and once more if the token was away.

The PIN stands in no message and in no ``repr``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.service.key_texts import parse_text_uri

if TYPE_CHECKING:
    from collections.abc import Collection

    from consentkit.service.key_texts import KeyText

__all__ = ["SCHEME", "TokenAddress", "TokenKey", "parse_token_uri"]

SCHEME = "pkcs11:"
_PATH = frozenset({"object", "id", "token", "serial", "type"})
_QUERY = frozenset({"module-path", "pin-source", "pin-value"})
_KEY_SIZE = 32
# An EC_POINT is a DER OCTET STRING to some tokens and the bare point to others.
_DER_HEADER = b"\x04\x20"

T = TypeVar("T")


@dataclass(frozen=True)
class TokenAddress:
    """Where a key is: the library to load, the token in it, the key on the token."""

    module: str
    token: str | None
    serial: bytes | None
    object: str | None
    id: bytes | None
    label: str
    pin: KeyText | None = None
    pin_value: str | None = field(default=None, repr=False)

    def read_pin(self) -> str | None:
        """The PIN, None where the token asks for none.

        Raises:
            ConfigurationError: its file or variable cannot be read.
        """
        if self.pin is None:
            return self.pin_value
        return self.pin.read().decode("utf-8", "replace").strip()


def parse_token_uri(uri: str, *, label: str) -> TokenAddress:
    """The address that a ``pkcs11:`` URI spells.

    ``module-path`` is needed, and ``object`` or ``id``. ``pin-source`` is a path,
    ``file:///…`` or ``env:NAME``.

    Raises:
        ConfigurationError: an attribute is missing, unknown, twice there or unreadable.
    """
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    found = _attributes(path, ";", _PATH, label)
    found |= _attributes(query, "&", _QUERY, label)
    missing = "module-path" if "module-path" not in found else ""
    if not found.keys() & {"object", "id"}:
        missing = "object"
    if missing:
        raise ConfigurationError(f"{label}: the pkcs11 URI lacks {missing!r}")
    if found.keys() >= {"pin-source", "pin-value"}:  # RFC 7512 §2.4: refuse both
        raise ConfigurationError(f"{label}: give 'pin-source' or 'pin-value', not both")
    if found.get("type", b"private") != b"private":
        raise ConfigurationError(f"{label}: expected 'type=private' or no type")
    text = {
        name: _text(value, name, label)
        for name, value in found.items()
        if name not in ("id", "serial")  # bytes, whatever they spell
    }
    source = text.get("pin-source")
    return TokenAddress(
        module=text["module-path"],
        token=text.get("token"),
        serial=found.get("serial"),
        object=text.get("object"),
        id=found.get("id"),
        label=f"the key that {label} names",
        pin=parse_text_uri(source, label=f"pin-source of {label}") if source else None,
        pin_value=text.get("pin-value"),
    )


def _attributes(
    text: str, separator: str, known: Collection[str], label: str
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name not in known or not equals or name in found:
            raise ConfigurationError(
                f"{label}: a pkcs11 URI takes each of {', '.join(sorted(known))} once, "
                f"as name=value joined by {separator!r}, in that place"
            )
        found[name] = unquote_to_bytes(value)
    return found


def _text(value: bytes, name: str, label: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{label}: {name!r} must be UTF-8") from error


class TokenKey:
    """The private key at an address; only its public half is ever in this process.

    Raises:
        ConfigurationError: there is no such key, or the token does not let us in.
    """

    def __init__(self, address: TokenAddress) -> None:
        self._address = address
        self._key: Any = None
        self._epoch = -1
        self._locked_out = False
        # Never collected, hence never closed: a fork must not close its parent's
        # sessions, and to close one logs out all others on the same token.
        self._sessions: list[Any] = []
        self.public_key = self._guarded(self._open)

    def __repr__(self) -> str:
        """Show the public half only."""
        return f"{type(self).__name__}({self.public_key.hex()!r})"

    def sign(self, message: bytes) -> bytes:
        """The token's signature of ``message``.

        Raises:
            LogUnavailableError: the token does not sign, even in a new session.
        """
        with _PROCESS.lock:
            try:
                if self._epoch == _PROCESS.epoch:
                    return self._guarded(lambda: self._sign(message))
            except ConfigurationError:
                pass  # the token was away, or was reset: a new session may do
            try:
                self._guarded(self._open)
                return self._guarded(lambda: self._sign(message))
            except ConfigurationError as error:
                raise LogUnavailableError(str(error)) from error

    def _sign(self, message: bytes) -> bytes:
        return bytes(self._key.sign(message, mechanism=_pkcs11().Mechanism.EDDSA))

    def _open(self) -> bytes:
        """Open a session and find the key; its public half."""
        address, pkcs11 = self._address, _pkcs11()
        library = _PROCESS.library(address.module)
        token = library.get_token(
            token_label=address.token, token_serial=address.serial
        )
        try:
            session = token.open(user_pin=address.read_pin())
        except pkcs11.UserAlreadyLoggedIn:  # through another key of this process
            session = token.open()
        self._sessions.append(session)
        wanted = {
            "key_type": pkcs11.KeyType.EC_EDWARDS,
            "label": address.object,
            "id": address.id,
        }
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **wanted)
        point = bytes(public[pkcs11.Attribute.EC_POINT])
        private = pkcs11.ObjectClass.PRIVATE_KEY
        self._key = session.get_key(object_class=private, **wanted)
        self._epoch = _PROCESS.epoch
        return point.removeprefix(_DER_HEADER) if len(point) > _KEY_SIZE else point

    def _guarded(self, action: Callable[[], T]) -> T:
        """What it gives; what the library raises becomes an error of ours."""
        pkcs11 = _pkcs11()
        if self._locked_out:  # a token that is asked again and again locks itself
            raise ConfigurationError(
                f"{self._address.label}: its token refused the PIN; mend it and restart"
            )
        try:
            with _PROCESS.lock:
                return action()
        except pkcs11.PKCS11Error as error:
            self._epoch = -1
            refused = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)
            self._locked_out = isinstance(error, refused)
            raise ConfigurationError(
                f"{self._address.label} cannot be used ({type(error).__name__}): "
                "expected an Ed25519 key pair with that object or id, on a token with "
                "that name, that the PIN opens"
            ) from error


class _Process:
    """This process's own use of PKCS #11: a fork has to begin again (PKCS #11 §6.8).

    One lock for all calls: libraries are not asked to guard themselves.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self.lock = threading.RLock()
        self._begun: dict[str, int] = {}
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self.epoch += 1
        self.lock = threading.RLock()  # the parent's may have been held by a thread

    def library(self, module: str) -> Any:
        """The library, initialised by this process."""
        library = _pkcs11().lib(module)
        if self._begun.setdefault(module, self.epoch) != self.epoch:
            library.reinitialize()
            self._begun[module] = self.epoch
        return library


_PROCESS = _Process()


def _pkcs11() -> ModuleType:
    """python-pkcs11, loaded by those who have a token.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        return import_module("pkcs11")
    except ImportError as error:
        raise ConfigurationError(
            "a key at a pkcs11 URI needs the extra: pip install 'consentkit[hsm]'"
        ) from error
