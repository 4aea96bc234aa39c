"""A wallet's log with witnesses: real ones in processes, pretended ones here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from typing import TYPE_CHECKING

from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.note import split_note
from consentkit.log.witness import parse_request
from consentkit.service.cosigners import Cosigner
from consentkit.service.publishing import publish_all
from consentkit.service.witnessing import ask_witnesses
from consentkit.service.witnessing import list_witnesses
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = [
    "KEY",
    "MINUTE",
    "faults",
    "honest",
    "lines_under",
    "on_disk",
    "pretended",
    "show",
    "use",
]

MINUTE = 60_000
KEY = Ed25519Signer.generate("w1", algorithm=Algorithm.COSIGNATURE_V1)


def use(wallet: Wallet, *lines: str) -> None:
    """Configure the wallet to ask these witnesses."""
    cosigners = tuple(Cosigner.parse(line) for line in lines)
    wallet.installation = replace(wallet.installation, cosigners=cosigners)


def show(wallet: Wallet) -> int | None:
    """Publish, ask the witnesses, and publish what they said."""
    publish_all(wallet.installation)
    count = ask_witnesses(wallet.installation)
    publish_all(wallet.installation)
    return count


def faults(wallet: Wallet) -> list[str]:
    return [each.standing.fault for each in list_witnesses(wallet.installation)]


def on_disk(wallet: Wallet) -> bytes:
    return (wallet.logs / "checkpoint").read_bytes()


def lines_under(note: bytes) -> int:
    """How many witnesses stand under the checkpoint; the first line is the log's."""
    return len(split_note(note).signatures) - 1


@contextmanager
def pretended(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    """The line of a witness with the key above that answers as told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, data = answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{KEY.vkey} http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(body: bytes) -> tuple[int, bytes]:
    return 200, cosign(parse_request(body).note, KEY, time=1)
