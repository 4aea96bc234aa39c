"""The witness's name and key: made at the first start, the same for ever after.

Key and memory belong together. A witness that kept its key and lost its memory would
cosign a second past under the same name, so neither is used without the other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.witness.memory import Memory

__all__ = ["KEY_FILE", "open_key"]

KEY_FILE = "witness.pem"


def open_key(folder: Path, memory: Memory, *, name: str) -> Ed25519Signer:
    """Return the key of the witness in ``folder``; a new one if there is no witness.

    ``name`` is for the first start; later it may be empty, or has to be the same.

    Raises:
        ConfigurationError: another name than at the first start, a key without its
            memory or the other way round, or a file that others can read.
        LogUnavailableError: the memory cannot be read or written.
    """
    file = folder / KEY_FILE
    try:
        with memory.turn():  # of two first starts at once, one makes the key
            vkey = memory.vkey()
            if vkey is None:
                return _make(file, memory, name)
            return _load(file, vkey, name)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read or made ({error.strerror}); give --state a folder "
            "that this process owns"
        ) from error


def _make(file: Path, memory: Memory, name: str) -> Ed25519Signer:
    if file.exists():
        raise ConfigurationError(
            f"{file} is there, but the memory of its witness is not: put back the "
            "newest witness.sqlite3, or begin a new witness in an empty folder"
        )
    try:
        signer = Ed25519Signer.generate(name, algorithm=Algorithm.COSIGNATURE_V1)
    except MalformedError as error:
        raise ConfigurationError(f"--name: {error}") from error
    _write_private(file, signer.to_pem())
    memory.settle(signer.vkey)
    return signer


def _load(file: Path, vkey: str, name: str) -> Ed25519Signer:
    known = Verifier.parse(vkey)
    if name not in ("", known.name):
        raise ConfigurationError(
            f"this witness has been {known.name!r} since its first start, got --name "
            f"{name!r}: a new name is a new witness in an empty folder"
        )
    if not file.exists():
        raise ConfigurationError(
            f"{file}, the key of {vkey}, is not there: put it back, or begin a new "
            "witness in an empty folder"
        )
    if file.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"{file} can be read by others than its owner: chmod 600 it, and begin a "
            "new witness if anybody else was on this machine"
        )
    try:
        signer = Ed25519Signer.from_pem(
            known.name, file.read_bytes(), algorithm=Algorithm.COSIGNATURE_V1
        )
    except MalformedError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    if signer.vkey != vkey:
        raise ConfigurationError(f"{file} must be the key of {vkey}, it is another")
    return signer


def _write_private(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(data)
        target.flush()
        os.fsync(target.fileno())
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
