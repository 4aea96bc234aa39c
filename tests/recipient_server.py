"""A recipient's address: a real HTTP server that keeps what comes."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Got", "RecipientServer", "serve_recipient"]


@dataclass(frozen=True)
class Got:
    """One request as it came, names of headers in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecipientServer:
    """What came, and the answers to give: statuses in turn, the last one for ever."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    statuses: list[int] = field(default_factory=lambda: [204])
    location: str = ""
    chatter: bytes = b""

    def take(self, got: Got) -> int:
        self.got.append(got)
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextlib.contextmanager
def serve_recipient() -> Iterator[RecipientServer]:
    """Listen on a free port of this machine until the block ends."""
    recipient = RecipientServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.path, headers, self.rfile.read(length))
            self.send_response(recipient.take(got))
            if recipient.location:
                self.send_header("Location", recipient.location)
            self.send_header("Content-Length", str(len(recipient.chatter)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # they may have heard enough
                self.wfile.write(recipient.chatter)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recipient.url = f"http://127.0.0.1:{server.server_port}/hooks/consent"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield recipient
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
