"""Reading the page to judge: a file, standard input, or a web address."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib import request

from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes: ...


__all__ = [
    "MAX_BYTES",
    "Source",
    "decode",
    "opener",
    "read_limited",
    "read_source",
]

# The parser takes 4 million characters; a Chinese page has three bytes for each.
MAX_BYTES = 12_000_000
_TIMEOUT_SECONDS = 15.0
_MARKUP = frozenset({"text/html", "application/xhtml+xml"})

# Labels of the Encoding Standard, as far as pages use them; the rest is read as UTF-8.
_ENCODINGS = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "shift_jis": "cp932",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
}
# HTML looks for the declaration in the first 1024 bytes.
_DECLARED = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([\w-]+)""", re.IGNORECASE)
_PRESCANNED = 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A page as text, and its address if it came from one."""

    html: str
    url: str = ""


def read_source(target: str, *, cookies: Mapping[str, str] | None = None) -> Source:
    """Read ``target``: ``-`` is standard input, ``http(s)://…`` is fetched.

    ``cookies`` go with the request for an address.

    Raises:
        InvalidRequestError: it cannot be read, is too large or is no HTML.
    """
    try:
        if target == "-":
            return Source(decode(read_limited(sys.stdin.buffer)))
        if target.startswith(("http://", "https://")):
            return _fetch(target, cookies or {})
        with Path(target).open("rb") as file:
            return Source(decode(read_limited(file)))
    except (OSError, ValueError) as error:
        raise InvalidRequestError(
            f"expected a file, an http(s) address or -, got {target!r}: {error}",
            code="page-unreadable",
        ) from error


def _fetch(url: str, cookies: Mapping[str, str]) -> Source:
    asked = request.Request(url)  # noqa: S310  the opener knows http alone
    if cookies:
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
        asked.add_header("Cookie", sent)
    with opener().open(asked, timeout=_TIMEOUT_SECONDS) as response:
        kind = response.headers.get_content_type()
        if kind not in _MARKUP:
            raise InvalidRequestError(
                f"expected an HTML page at {url!r}, got {kind}", code="not-a-page"
            )
        charset = response.headers.get_content_charset("")
        # After a redirect the page's own host is the one that answered.
        return Source(decode(read_limited(response), declared=charset), response.url)


def opener() -> request.OpenerDirector:
    """Return an opener for http and https alone: no redirect leads to a file."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPRedirectHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    opener.addheaders = [("User-Agent", "consentkit-lint"), ("Accept", "text/html")]
    return opener


def read_limited(stream: _Readable) -> bytes:
    """Read all of it.

    Raises:
        InvalidRequestError: it is too large.
    """
    data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InvalidRequestError(
            f"expected a page of at most {MAX_BYTES} bytes, got more",
            code="page-too-large",
        )
    return data


def decode(data: bytes, *, declared: str = "") -> str:
    """Decode as a browser would: byte order mark, header, declaration, UTF-8."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    match = _DECLARED.search(data[:_PRESCANNED])
    label = declared or (match[1].decode("ascii") if match else "")
    return data.decode(_ENCODINGS.get(label.lower(), "utf-8"), "replace")
