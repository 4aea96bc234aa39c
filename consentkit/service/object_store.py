"""An archive in object storage, through obstore: S3, Google Cloud Storage, Azure.

Where the place is and how to get in stand in the environment, as for any other tool
(``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL``, …). The store itself refuses to write an
object twice (``If-None-Match: *``), so not even two of us can.

obstore runs threads of its own, which no fork survives. It is imported where an archive
is opened, by a command in a process of its own, and by no web process.
"""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SCHEMES", "ObjectArchive", "open_store"]

SCHEMES = frozenset({"s3", "gs", "az"})
"""What the address of an archive in object storage begins with."""


class ObjectArchive:
    """Objects of one store. ``place`` is where they are, without a password."""

    def __init__(self, store: Any, *, place: str) -> None:
        self._obstore, self._errors = _load()
        self._store = store
        self.place = place

    def put(self, path: str, data: bytes) -> bool:
        """See ``Archive.put``."""
        with self._told():
            try:
                # In one piece: only so can the store refuse to write it twice.
                self._obstore.put(
                    self._store, path, data, mode="create", use_multipart=False
                )
            except self._errors.AlreadyExistsError:
                return False
        return True

    def get(self, path: str) -> bytes | None:
        """See ``Archive.get``."""
        with self._told():
            try:
                return bytes(self._obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (self._errors.BaseError, OSError) as error:
            # Nothing of its text: it can hold an address that was signed.
            raise LogUnavailableError(
                f"the archive {self.place} did not answer as expected "
                f"({type(error).__name__}); check its name and what the environment "
                "says of how to get in, and run the same command again"
            ) from error


def open_store(address: str) -> ObjectArchive:
    """The archive at an address such as ``s3://bucket/wallet-2026``.

    Raises:
        ConfigurationError: the address is none, holds a password, or obstore is not
            installed.
    """
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES or not parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "expected a folder, or an address such as s3://bucket/folder, gs://… or "
            "az://…, to archive to"
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "the address of an archive must not hold a password: it stands in the log; "
            "give it in the environment"
        )
    _, errors = _load()
    try:
        store = import_module("obstore.store").from_url(address)
    except errors.BaseError as error:
        raise ConfigurationError(
            f"obstore does not take {address!r:.200} ({type(error).__name__}): check "
            "the address, and what the environment says of how to get in"
        ) from error
    return ObjectArchive(store, place=address)


def _load() -> tuple[Any, Any]:
    try:
        return import_module("obstore"), import_module("obstore.exceptions")
    except ImportError as error:
        raise ConfigurationError(
            "archiving to object storage needs obstore: pip install "
            "'consentkit[objectstore]'"
        ) from error
