"""The witness's HTTP interface (C2SP tlog-witness v1.0.0, monitoring as of 2026).

``POST /add-checkpoint`` and ``GET /<hex SHA-256 of the origin>/checkpoint``, nothing
else. Every request is bounded in size and time and so is their number; a server that
faces the internet still stands better behind a reverse proxy, which brings TLS.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING
from typing import Any

from consentkit.errors import LogUnavailableError
from consentkit.log.witness import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from consentkit.witness.cosigning import Witness

__all__ = ["WitnessServer"]

_SILENCE = 10.0  # seconds that a connection may say nothing
_PATIENCE = 20.0  # seconds for a whole body; it fits into a few packets
_MAX_CONNECTIONS = 64  # threads; logs come once a minute and hold one each
_TEXT = "text/plain; charset=utf-8"
_LENGTH = re.compile(r"[0-9]{1,9}")
_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LOGGER = logging.getLogger("consentkit.witness")


class _Handler(BaseHTTPRequestHandler):
    """One connection; several requests may come over it."""

    protocol_version = "HTTP/1.1"
    server_version = "consentkit-witness"
    sys_version = ""
    timeout = _SILENCE
    server: WitnessServer

    def do_POST(self) -> None:
        """Answer ``add-checkpoint``."""
        if self.path != "/add-checkpoint":
            self._refuse(HTTPStatus.NOT_FOUND, "not found")
            return
        length = self._length()
        if length is None:
            return
        data = self._body(length)
        if data is None:
            return
        try:
            reply = self.server.witness.add_checkpoint(data)
        except LogUnavailableError as error:
            _LOGGER.critical("%s", error)
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was cosigned")
            return
        self._send(reply.outcome, reply.body, reply.outcome.content_type)

    def do_GET(self) -> None:
        """Show the newest cosigned checkpoint of one log."""
        self.close_connection = True  # a body, if one came, is not read
        found = _CHECKPOINT.fullmatch(self.path)
        try:
            note = self.server.witness.checkpoint(found[1]) if found else None
        except LogUnavailableError as error:
            _LOGGER.critical("%s", error)
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "try again later")
            return
        if note is None:
            self._send(HTTPStatus.NOT_FOUND, b"not found\n", _TEXT)
        else:
            self._send(HTTPStatus.OK, note, _TEXT)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
        """Say nothing of each request: who asks is nobody's business."""

    def _length(self) -> int | None:
        """How long the body is said to be; refuses what does not say, or too much."""
        declared = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or not declared:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "expected a Content-Length")
        elif len(declared) > 1 or not _LENGTH.fullmatch(declared[0]):
            self._refuse(HTTPStatus.BAD_REQUEST, "expected one decimal Content-Length")
        elif int(declared[0]) > MAX_REQUEST_BYTES:
            reason = f"a request has at most {MAX_REQUEST_BYTES} bytes"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        else:
            return int(declared[0])
        return None

    def _body(self, length: int) -> bytes | None:
        """The whole body, None if the client went away or dawdles."""
        data = bytearray()
        end = time.monotonic() + _PATIENCE
        while len(data) < length:
            if time.monotonic() > end:
                raise TimeoutError  # http.server hangs up then
            part = self.rfile.read1(length - len(data))
            if not part:
                self.close_connection = True
                return None
            data += part
        return bytes(data)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        """Answer and hang up: what else comes on this connection is not read."""
        self.close_connection = True
        self._send(status, f"{reason}\n".encode(), _TEXT)

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; requests under way are answered before it closes.

    Raises:
        OSError: the address cannot be listened on.
    """

    daemon_threads = False  # so that closing waits for the answers under way

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.witness = witness
        self._places = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind; HTTPServer would also ask DNS for a name that nobody reads."""
        TCPServer.server_bind(self)

    def server_close(self) -> None:
        """Stop listening, let idle connections go, wait for the others."""
        with self._changing:
            for connection in self._open:
                # Nothing more is read from it; an answer can still be written.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
        super().server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or hang up if there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        with self._changing:
            self._open.add(request)
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._places.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._changing:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  their names there
        """Say what went wrong, but not with whom."""
        _LOGGER.warning("a connection broke off", exc_info=sys.exception())
