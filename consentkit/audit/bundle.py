"""Where the files of one published log are read from: a folder, or a web address.

A source answers ``read(path)`` with the bytes of one file of the layout
(C2SP tlog-tiles: ``checkpoint``, ``tile/<L>/<N>``, ``tile/entries/<N>``). A folder can
also be listed, so that a file which does not belong there is seen; a web address
cannot. Nothing here judges what it reads.

Two failures are kept apart. A file that is *not there* is evidence, a
``VerificationError``; a disk or a server that *does not answer* says nothing about
the log, a ``LogUnavailableError``. So does a place without a checkpoint: more likely
than a log that lost it is a folder or an address that is not the log's own.
"""

from __future__ import annotations

import base64
import http.client
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Protocol
from urllib.parse import unquote
from urllib.parse import urlsplit

from consentkit.audit.annexed import MANIFEST
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHECKPOINT", "FolderSource", "HttpSource", "Source", "open_source"]

CHECKPOINT = "checkpoint"
MAX_FILE_BYTES = 256 * (2 + 65_535)  # a full bundle of the largest entries
MAX_MANIFEST_BYTES = 256 * 1024 * 1024  # two million files of a folder
_TIMEOUT_SECONDS = 30.0  # of silence; a static file server that needs more is down
_NOT_FOUND = frozenset({http.client.NOT_FOUND, http.client.GONE})
_KEPT_OUT = frozenset({http.client.UNAUTHORIZED, http.client.FORBIDDEN})


class Source(Protocol):
    """The files of one log, by their path in the layout."""

    def read(self, path: str) -> bytes:
        """The bytes of one file.

        Raises:
            VerificationError: there is no such file, or it is larger than any can be.
            LogUnavailableError: the source cannot be read at the moment, or has no
                checkpoint and so is no log.
        """

    def paths(self) -> Iterator[str] | None:
        """Every file there is, those of one directory in a row, or None: no listing."""


def open_source(location: str) -> FolderSource | HttpSource:
    """The source that a folder's name or an ``http(s)://`` address stands for.

    Close it when it is done with (``contextlib.closing``).

    Raises:
        ConfigurationError: it is neither.
    """
    if location.startswith(("http://", "https://")):
        return HttpSource(location)
    folder = Path(location)
    if not folder.is_dir():
        raise ConfigurationError(
            f"expected a folder or an http(s) address that holds a log; {location!r} "
            "is neither"
        )
    return FolderSource(folder)


class FolderSource:
    """A log that lies in a folder, such as a publisher's or an auditor's copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes:
        """See ``Source.read``."""
        place = self._folder / path
        try:
            status = place.stat()
            if not stat.S_ISREG(status.st_mode):
                raise VerificationError(f"{path} must be a regular file")
            limit = MAX_MANIFEST_BYTES if path == MANIFEST else MAX_FILE_BYTES
            if status.st_size > limit:
                raise _too_large(path, limit)
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            if path == CHECKPOINT:
                raise _no_log(str(self._folder), "folder") from error
            raise _not_there(path) from error
        except OSError as error:
            raise LogUnavailableError(
                f"{path} cannot be read: {error.strerror}"
            ) from error

    def close(self) -> None:
        """A folder holds nothing open."""

    def paths(self) -> Iterator[str]:
        """See ``Source.paths``. A linked directory is named, not entered."""
        for directory, inner, names in os.walk(self._folder, onerror=_unreadable):
            inner.sort()
            here = Path(directory)
            linked = [name for name in inner if (here / name).is_symlink()]
            for name in sorted([*names, *linked]):
                yield (here / name).relative_to(self._folder).as_posix()


class HttpSource:
    """A log behind a web address. Redirects are refused: evidence has one address.

    A user and password in the address are sent as Basic credentials (RFC 7617) and
    never repeated in a message. One connection is kept open for all files.

    Raises:
        ConfigurationError: the address is not of the form that can be read.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigurationError("the address has no usable port") from error
        if not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(
                "the address of a log must be http(s)://host/path without ? and #"
            )
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = connect(parts.hostname, port, timeout=_TIMEOUT_SECONDS)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "consentkit"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            token = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        host = parts.netloc.rpartition("@")[2]
        self.name = f"{parts.scheme}://{host}{self._prefix}"

    def read(self, path: str) -> bytes:
        """See ``Source.read``."""
        try:
            status, body = self._get(path)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LogUnavailableError(
                f"{self.name}/{path} cannot be reached: {type(error).__name__}"
            ) from error
        if status in _NOT_FOUND and path == CHECKPOINT:
            raise _no_log(self.name, "address", f" {self._ask_for_name()}")
        if status in _NOT_FOUND:
            raise _not_there(path)
        if status != http.client.OK:
            raise LogUnavailableError(
                f"expected status 200 for {self.name}/{path}, got {status}; "
                + (
                    self._ask_for_name()
                    if status in _KEPT_OUT
                    else "redirects are not followed, give the final address"
                )
            )
        if len(body) > MAX_FILE_BYTES:
            raise _too_large(path, MAX_FILE_BYTES)
        return body

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def paths(self) -> None:
        """A web address has no listing."""

    def _ask_for_name(self) -> str:
        """What to try where a server may be keeping us out."""
        if "Authorization" in self._headers:
            return "are the name and password in the address right?"
        return "does it need a name and password, https://name:password@host/…?"

    def _get(self, path: str) -> tuple[int, bytes]:
        """One answer. A kept connection that the server has closed is opened anew."""
        kept = self._connection.sock is not None
        try:
            return self._ask(path)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()
            if not kept:
                raise
            return self._ask(path)

    def _ask(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", f"{self._prefix}/{path}", headers=self._headers)
        with self._connection.getresponse() as response:
            body = response.read(MAX_FILE_BYTES + 1)
            if len(body) > MAX_FILE_BYTES:  # what is left of it would spoil the next
                self._connection.close()
            return response.status, body


def _no_log(place: str, kind: str, hint: str = "") -> LogUnavailableError:
    return LogUnavailableError(
        f"expected a log, but {place}/{CHECKPOINT} is not there: is this the log's "
        f"own {kind}, with `checkpoint` and `tile/` in it?{hint}"
    )


def _not_there(path: str) -> VerificationError:
    return VerificationError(f"{path} is not there")


def _too_large(path: str, limit: int) -> VerificationError:
    return VerificationError(
        f"{path} is larger than the {limit} bytes any such file of a log can have"
    )


def _unreadable(error: OSError) -> None:
    raise LogUnavailableError(
        f"a folder of the log cannot be listed: {error.strerror}"
    ) from error
