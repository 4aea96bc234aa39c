"""The keys of one installation: generated for development, brought along otherwise.

Private keys are PEM files that only their owner can read, never rows of a database.
The collector key signs leaves and belongs in web processes; the log key signs
checkpoints and is opened only when something is to be published, so that a web
process which never publishes never holds it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log import sealing
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.log.keys import Signer
    from consentkit.store.subjects import Person

__all__ = ["Keyring", "check_opens", "check_registered"]

SECRET = "secret.key"  # noqa: S105  the name of a file
COLLECTOR = "a1"  # first collector key of a log; rotation gives the next its own name
_SECRET_BYTES = 32
_DERIVED_BYTES = 32  # AES-256 and HMAC-SHA-256 alike
_PUT_BACK = (
    "put back the key files that belong to the database, or begin a new log with a new "
    "CONSENTKIT_DATABASE_URI and CONSENTKIT_LOG_ORIGIN"
)


@dataclass(frozen=True)
class Keyring:
    """The keys of the log ``origin`` in ``folder``, each made when first needed.

    Once the log has ``begun`` none is made any more: a new one would be of no use to
    what the log and the database already hold.

    Raises (on access):
        ConfigurationError: a key file is lost, unreadable, open to others, or no key.
    """

    folder: Path
    origin: str
    begun: bool = False

    @cached_property
    def collector(self) -> Signer:
        """Signs leaves; its name is ``<origin>/collector/<name>``."""
        return self._signer(
            f"collector-{COLLECTOR}.pem", f"{self.origin}/collector/{COLLECTOR}"
        )

    @cached_property
    def log(self) -> Signer:
        """Signs checkpoints; its name is the origin. Publishers only."""
        return self._signer("log.pem", self.origin)

    @cached_property
    def key_encryption_key(self) -> bytes:
        """Wraps the data key of each person's private evidence."""
        return self._derive(b"consentkit/key-encryption-key@v1")

    @cached_property
    def form_key(self) -> bytes:
        """Signs form tokens."""
        return self._derive(b"consentkit/form-token@v1")

    @cached_property
    def controller_key(self) -> bytes:
        """Seals what officials say about their own acts."""
        return self._derive(b"consentkit/controller-evidence@v1")

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verifier keys to hand to auditors, log key first."""
        return self.log.vkey, self.collector.vkey

    def make_all(self) -> None:
        """Make whatever is not there yet, as a log is about to begin."""
        _ = self.vkeys, self._secret

    def data_key(self, person: Person) -> bytes:
        """The key of one person's private evidence.

        Raises:
            VerificationError: it was wrapped under another key, or was changed.
        """
        return sealing.unwrap_key(
            blob(person.wrapped_key), self.key_encryption_key, person.handle.encode()
        )

    def _derive(self, info: bytes) -> bytes:
        kdf = HKDF(
            algorithm=hashes.SHA256(), length=_DERIVED_BYTES, salt=None, info=info
        )
        return kdf.derive(self._secret)

    @cached_property
    def _secret(self) -> bytes:
        data = self._file(SECRET, lambda: secrets.token_hex(_SECRET_BYTES).encode())
        try:
            secret = bytes.fromhex(data.decode().strip())
        except ValueError:
            secret = b""
        if len(secret) != _SECRET_BYTES:
            raise ConfigurationError(
                f"{self.folder / SECRET} must hold {_SECRET_BYTES * 2} hex digits"
            )
        return secret

    def _signer(self, file: str, name: str) -> Signer:
        pem = self._file(file, lambda: Ed25519Signer.generate(name).to_pem())
        try:
            return Ed25519Signer.from_pem(name, pem)
        except MalformedError as error:
            raise ConfigurationError(
                f"{self.folder / file} must be an Ed25519 key as unencrypted PKCS #8 "
                "PEM, as 'openssl genpkey -algorithm ed25519' writes it"
            ) from error

    def _file(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The file's bytes; a new log's are made first, by whoever is first."""
        path = self.folder / name
        try:
            if not path.exists():
                if self.begun:
                    raise ConfigurationError(
                        f"{path} is not there, and a log goes on only with the keys it "
                        f"began with: {_PUT_BACK}"
                    )
                _create(path, make())
            if path.stat().st_mode & 0o077:
                raise ConfigurationError(
                    f"{path} can be read by others than its owner: chmod 600 it, and "
                    "replace the key if anybody else was on this machine"
                )
            return path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path} cannot be read or made ({error.strerror}); set "
                "CONSENTKIT_KEY_FOLDER to a folder that this process owns"
            ) from error


def check_registered(signer: Signer, role: str, key_leaves: Iterable[bytes]) -> None:
    """Refuse a key that the log never heard of: nobody could verify what it signs.

    Raises:
        ConfigurationError: no leaf registers it in this role.
    """
    for data in key_leaves:
        body = read_leaf(data).body
        if body["role"] == role and body["vkey"] == signer.vkey:
            return
    raise ConfigurationError(
        f"CONSENTKIT_KEY_FOLDER holds a {role} key that this log did not register: "
        + _PUT_BACK
    )


def check_opens(keyring: Keyring, persons: Iterable[Person]) -> None:
    """Refuse a secret that opens the data key of none of these persons.

    One that does not open may have been damaged by itself; that must not keep
    everybody else from revoking.

    Raises:
        ConfigurationError: their keys were wrapped under another secret, or it is lost.
    """
    _ = keyring.key_encryption_key  # a lost file is told while there is nobody, too
    wrapped_by_another = False
    for person in persons:
        try:
            keyring.data_key(person)
        except InvalidSignatureError:
            wrapped_by_another = True
        except MalformedError:
            continue  # cut short: no secret opens it
        else:
            return
    if wrapped_by_another:
        raise ConfigurationError(
            f"{keyring.folder / SECRET} is not the secret that keeps the private "
            f"evidence in this database: {_PUT_BACK}"
        )


def _create(path: Path, data: bytes) -> None:
    """Write a file that is complete and private from the moment it is visible."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
    finally:
        draft.unlink()
