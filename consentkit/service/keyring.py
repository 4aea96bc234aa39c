"""The keys of one installation: generated for development, brought along otherwise.

Private keys are files that only their owner can read, variables of the environment or
keys on a token, never rows of a database. The collector key signs leaves and belongs in
web processes; the log key signs checkpoints and is opened only when something is to be
published, so that a web process which never publishes never holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING
from typing import NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log import sealing
from consentkit.service import key_texts
from consentkit.service.key_texts import KeyFile
from consentkit.service.log_names import folder_name
from consentkit.service.signers import KeySources
from consentkit.service.signers import NamedSigner
from consentkit.service.signers import TextSource
from consentkit.store.keys import COLLECTOR
from consentkit.store.keys import LOG
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from pathlib import Path

    from consentkit.log.keys import Signer
    from consentkit.service.signers import KeySource
    from consentkit.store.keys import KeyRange
    from consentkit.store.subjects import Person

__all__ = [
    "FIRST_COLLECTOR",
    "LOG_FILE",
    "SECRET",
    "Keyring",
    "check_opens",
    "folder_of",
]

SECRET = "secret.key"  # noqa: S105  the name of a file
LOG_FILE = "log.pem"
FIRST_COLLECTOR = "a1"  # rotation gives the next one its own name
_DERIVED_BYTES = 32  # AES-256 and HMAC-SHA-256 alike
_PUT_BACK = (
    "put back the key files that belong to the database, or begin a new log with a new "
    "CONSENTKIT_DATABASE_URI and CONSENTKIT_LOG_ORIGIN"
)


@dataclass(frozen=True)
class Keyring:
    """The keys of the log ``origin``: those that ``sources`` names, else in ``folder``.

    Before the log has begun a key that is nowhere is made, as a development key; in
    ``production`` none is made, and none that was made so is used. Afterwards only keys
    are of use that the log ``registered``: of those the newest that is here signs.
    ``development_keys`` says where those in use were found that were made by itself.

    A log that ``follows`` another has its keys in a folder of its own within
    ``folder``: never those of a log that was closed. The secret stays, since what
    people said in the earlier log was sealed under it.

    Raises (on access):
        ConfigurationError: a key is lost, unreadable, open to others, no key, not one
            that the log registered, or in production a development key.
    """

    folder: Path
    origin: str
    registered: tuple[KeyRange, ...] = ()
    sources: KeySources = field(default_factory=KeySources)
    production: bool = False
    development_keys: set[str] = field(default_factory=set, compare=False)
    follows: bool = False

    @property
    def own_folder(self) -> Path:
        """Where the files of this log's own keys are."""
        return folder_of(self.folder, self.origin) if self.follows else self.folder

    @cached_property
    def collector(self) -> Signer:
        """Signs leaves; its name is ``<origin>/collector/<name>``."""
        if not self.registered:
            return self._first(COLLECTOR, f"{self.origin}/collector/{FIRST_COLLECTOR}")
        return self._newest(COLLECTOR)

    @cached_property
    def log(self) -> Signer:
        """Signs checkpoints; its name is the origin. Publishers only.

        While the key is being changed this is the new one; see ``signers``.
        """
        return self._newest(LOG) if self.registered else self._first(LOG, self.origin)

    def signers(self, due: Iterable[KeyRange]) -> tuple[Signer, ...]:
        """The log keys with which a checkpoint has to be signed, all of ``due``."""
        return tuple(self._use(each) or self._miss(LOG, [each]) for each in due)

    def holds(self, key: KeyRange) -> bool:
        """Whether the private half of a registered key is here."""
        return self._find(key) is not None

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

    @cached_property
    def hold_key(self) -> bytes:
        """Wraps the data keys of legal holds; everyday work never opens it.

        Derived like the others: a secret of its own, needed once in some years, would
        be lost by then, and on the same machine it would protect against nobody else.
        """
        return self._derive(b"consentkit/hold-key@v1")

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The verifier keys of the keys that sign now, log key first."""
        return self.log.vkey, self.collector.vkey

    @property
    def secret_label(self) -> str:
        """Where the secret is, in words that give nothing away."""
        return self._secret_source.label

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
        source = self._secret_source
        if self.sources.secret is None:
            self._make_or_miss(
                self.folder / SECRET,
                key_texts.new_secret,
                is_new=not (self.registered or self.follows),
            )
        self._check_fit(source)
        return source.secret

    @cached_property
    def _secret_source(self) -> TextSource:
        return self.sources.secret or _file(self.folder / SECRET)

    def _first(self, role: str, name: str) -> Signer:
        """The key that a new log begins with; made here if it is nowhere."""
        (source,) = self.sources.of(role)[:1] or (None,)
        if source is None:
            path = self.own_folder / _file_names(role, name)[-1]
            self._make_or_miss(path, key_texts.new_pem, is_new=not self.registered)
            source = _file(path)
        self._check_fit(source)
        return NamedSigner(name, source.key)

    def _newest(self, role: str) -> Signer:
        """The newest key in this role that is here, and not yet retired."""
        registered = [each for each in self.registered if each.role == role]
        self._check_known(role, registered)
        usable = [each for each in registered if each.signs_on]
        found = (self._use(each) for each in reversed(usable))
        return next(filter(None, found), None) or self._miss(role, usable)

    def _use(self, key: KeyRange) -> Signer | None:
        """The signer of a registered key, None if it is not here."""
        source = self._find(key)
        if source is None:
            return None
        self._check_fit(source)
        return NamedSigner(key.name, source.key)

    def _find(self, key: KeyRange) -> KeySource | None:
        for source in self._places(key):
            if NamedSigner(key.name, source.key).vkey == key.vkey:
                return source
        return None

    def _check_known(self, role: str, registered: list[KeyRange]) -> None:
        """Whoever configures a key means it to be used: it must be of this log."""
        known = {each.vkey for each in registered}
        for source in self.sources.of(role):
            names = {each.name for each in registered}
            if not known & {NamedSigner(name, source.key).vkey for name in names}:
                raise ConfigurationError(
                    f"{source.label} is not a {role} key that this log registered: "
                    "register it first, with 'flask consent keys rotate --uri', or "
                    + _PUT_BACK
                )

    def _places(self, key: KeyRange) -> list[KeySource]:
        """Where the private half of a registered key may be."""
        names = _file_names(key.role, key.name, key.id)
        files = [_key_file(self.own_folder / name) for name in names]
        return [
            *self.sources.of(key.role),
            *(TextSource(file) for file in files if file.exists()),
        ]

    def _miss(self, role: str, wanted: list[KeyRange]) -> NoReturn:
        paths = [self.own_folder / _own_file(each) for each in wanted]
        if not paths or any(_key_file(path).exists() for path in paths):
            raise ConfigurationError(
                f"CONSENTKIT_KEY_FOLDER holds a {role} key that this log did not "
                f"register, or that was retired: {_PUT_BACK}"
            )
        raise ConfigurationError(
            f"{' or '.join(map(str, paths))} is not there, and a log goes on only with "
            "the keys that it registered: name the key by "
            f"CONSENTKIT_{role.upper()}_KEY, {_PUT_BACK}"
        )

    def _make_or_miss(
        self, path: Path, make: Callable[[], bytes], *, is_new: bool
    ) -> None:
        """Make a development key where a new log has none, and nowhere else."""
        if _key_file(path).exists():
            return
        if not is_new:
            raise ConfigurationError(
                f"{path} is not there, and a log goes on only with the keys it began "
                f"with: {_PUT_BACK}"
            )
        if self.production:
            raise ConfigurationError(
                f"{path} is not there, and in production no key is made by itself: "
                f"make them with 'flask consent keys new{self._option}', or name "
                "others by CONSENTKIT_COLLECTOR_KEY, CONSENTKIT_LOG_KEY and "
                "CONSENTKIT_SECRET"
            )
        key_texts.create_file(path, key_texts.mark_development(make()))

    @property
    def _option(self) -> str:
        return f" --successor {self.origin}" if self.follows else ""

    def _check_fit(self, source: TextSource | KeySource) -> None:
        if not source.is_development:
            return
        if self.production:
            raise ConfigurationError(
                f"{source.label} holds a development key, and CONSENTKIT_PRODUCTION is "
                "set: make keys with 'flask consent keys new' and begin the log of "
                "production with them"
            )
        self.development_keys.add(source.label)


def folder_of(folder: Path, origin: str) -> Path:
    """Where a log keeps what is its own."""
    return folder / folder_name(origin)


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
            f"{keyring.secret_label} is not the secret that keeps the private "
            f"evidence in this database: {_PUT_BACK}"
        )


def _file(path: Path) -> TextSource:
    return TextSource(_key_file(path))


def _key_file(path: Path) -> KeyFile:
    return KeyFile(path, label=str(path))


def _file_names(role: str, name: str, key_id: str = "") -> list[str]:
    """What the file of a key may be called, in the key folder."""
    if role == COLLECTOR:
        return [f"collector-{name.rpartition('/')[2]}.pem"]
    # All log keys have one name, the origin's: those after the first go by their id.
    return [f"log-{key_id}.pem", LOG_FILE] if key_id else [LOG_FILE]


def _own_file(key: KeyRange) -> str:
    """The name under which the file of this very key is written."""
    return _file_names(key.role, key.name, key.id if key.first else "")[0]
