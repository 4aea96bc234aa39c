"""The list of an auditor's folder: is all of it there, as it was written?

One line a file, ``<path> <size> <SHA-256 in hex>``, sorted by path; ``MANIFEST`` does
not list itself. It finds what went wrong on the way, such as half a copy. It is no
evidence: whoever can change a file can change its line.

Step, in the numbers of ``consentkit.audit.verify``:

7. manifest: each file listed is there with its size and hash, and no other is that a
   log can have. Strays are named by the layout.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.layout import belongs
from consentkit.audit.report import COPY
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.audit.bundle import Source

__all__ = ["ManifestCheck", "format_manifest", "parse_manifest", "print_of"]

_LINE = re.compile(rb"([!-~]+) ((?:0|[1-9][0-9]*) [0-9a-f]{64})")


def print_of(data: bytes) -> str:
    """Size and SHA-256 of a file, as they stand behind its path."""
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}"


def format_manifest(prints: Mapping[str, str]) -> bytes:
    """The manifest of files whose paths and prints these are."""
    return "".join(f"{path} {prints[path]}\n" for path in sorted(prints)).encode()


def parse_manifest(data: bytes) -> dict[str, str]:
    """The print of each file by its path.

    Raises:
        MalformedError: a line of another form, or out of its order.
    """
    *lines, rest = data.split(b"\n")
    prints: dict[str, str] = {}
    before = ""
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        path = match[1].decode() if match else ""
        if match is None or path <= before or path == MANIFEST:
            raise MalformedError(
                f"{MANIFEST}, line {number}: expected '<path> <size> <SHA-256>', "
                "sorted by path"
            )
        prints[path], before = match[2].decode(), path
    if rest:
        raise MalformedError(f"{MANIFEST} must end in a newline")
    return prints


class ManifestCheck:
    """Holds the files of a folder against its manifest, one file at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def check(self, paths: Iterable[str]) -> Iterator[Finding]:
        """7. manifest: what is missing, changed or too many."""
        try:
            listed = parse_manifest(self._source.read(MANIFEST))
        except VerificationError as error:
            yield _finding(str(error))
            return
        for path in paths:
            if path == MANIFEST:
                continue
            expected = listed.pop(path, None)
            if expected is None and not belongs(path):
                continue
            if expected is None:
                yield _finding(f"{MANIFEST} does not list {path!r}")
            else:
                yield from self._compare(path, expected)
        for path in listed:
            yield _finding(f"{path} is not there, but {MANIFEST} lists it")

    def _compare(self, path: str, expected: str) -> Iterator[Finding]:
        try:
            came = print_of(self._source.read(path))
        except VerificationError as error:
            yield _finding(str(error))
            return
        if came != expected:
            what = f"expected size and SHA-256 {expected} of {path}, got {came}"
            yield _finding(what)


def _finding(what: str) -> Finding:
    return Finding(Layer.LOG, COPY, None, what)
