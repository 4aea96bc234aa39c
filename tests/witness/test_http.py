"""What a stranger can do to a witness over HTTP, and how it stops."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import closing
from contextlib import contextmanager
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.log.witness import MAX_REQUEST_BYTES
from consentkit.log.witness import Outcome
from consentkit.witness import server as server_module
from consentkit.witness.cosigning import Reply
from consentkit.witness.server import WitnessServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.log.small_log import SmallLog
    from tests.witness_process import WitnessProcess


class Slow:
    """Stands in for the witness's duty; answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def add_checkpoint(self, data: bytes) -> Reply:
        self.asked.set()
        assert self.may_answer.wait(10)
        return Reply(Outcome.COSIGNED, data)

    def checkpoint(self, _origin_hash: str) -> bytes | None:
        raise LogUnavailableError("the disk is full")


@contextmanager
def served(slow: Slow) -> Iterator[WitnessServer]:
    server = WitnessServer(("127.0.0.1", 0), slow)  # type: ignore[arg-type]  # stands in
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def connect(server: WitnessServer) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)


def raw(witness: WitnessProcess, head: str) -> bytes:
    """What comes back for these lines, to the end of the connection."""
    address = urlsplit(witness.url)
    assert address.hostname
    assert address.port
    with closing(
        socket.create_connection((address.hostname, address.port), timeout=10)
    ) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        parts = []
        while part := connection.recv(4096):
            parts.append(part)
    return b"".join(parts)


POST = "POST /add-checkpoint HTTP/1.1\nHost: w\n"
REFUSED = {
    "no length": (f"{POST}\n", 411),
    "chunks": (f"{POST}Transfer-Encoding: chunked\n\n0\n\n", 411),
    "chunks with a length": (
        f"{POST}Content-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n",
        411,
    ),
    "two lengths": (f"{POST}Content-Length: 1\nContent-Length: 2\n\n", 400),
    "a length below zero": (f"{POST}Content-Length: -1\n\n", 400),
    "a length with a sign": (f"{POST}Content-Length: +1\n\n", 400),
    "a length with a low line": (f"{POST}Content-Length: 1_0\n\n", 400),
    "one byte too many": (f"{POST}Content-Length: {MAX_REQUEST_BYTES + 1}\n\n", 413),
    "a gigabyte": (f"{POST}Content-Length: 999999999\n\n", 413),
    "an endless length": (f"{POST}Content-Length: {'9' * 5000}\n\n", 400),
    "another method": ("DELETE /add-checkpoint HTTP/1.1\nHost: w\n\n", 501),
    "no HTTP": ("please\n\n", 400),
    "too many headers": (POST + "X: y\n" * 200 + "\n", 431),
    "a line without end": (f"GET /{'x' * 70_000} HTTP/1.1\n\n", 414),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_out_of_bounds_is_refused_and_hung_up_on(
    bystander: WitnessProcess, name: str
) -> None:
    head, status = REFUSED[name]

    said = raw(bystander, head)

    assert f" {status} ".encode() in said.partition(b"\r\n")[0] or name == "no HTTP"
    assert said.count(b"HTTP/1.1 ") <= 1


def test_a_body_of_the_largest_size_is_read(bystander: WitnessProcess) -> None:
    assert bystander.add_checkpoint(b"x" * MAX_REQUEST_BYTES).status == 400


def test_what_follows_a_refused_body_is_not_taken_for_a_request(
    witness: WitnessProcess, log: SmallLog
) -> None:
    hidden = f"{POST}Content-Length: {len(log.body(0, 5))}\n\n"
    said = raw(witness, f"GET /x HTTP/1.1\nContent-Length: {len(hidden)}\n\n{hidden}")

    assert said.count(b"HTTP/1.1 ") == 1
    assert witness.add_checkpoint(log.body(0, 5)).status == 200  # not cosigned before


def test_a_client_that_leaves_in_the_middle_changes_nothing(
    witness: WitnessProcess, log: SmallLog
) -> None:
    body = log.body(0, 5)
    address = urlsplit(witness.url)
    for sent in (0, 10, len(body) - 1):
        with closing(
            socket.create_connection((address.hostname or "", address.port or 0))
        ) as connection:
            head = f"{POST}Content-Length: {len(body)}\n\n".replace("\n", "\r\n")
            connection.sendall(head.encode() + body[:sent])

    assert witness.add_checkpoint(body).status == 200


def test_several_requests_come_over_one_connection(
    witness: WitnessProcess, log: SmallLog
) -> None:
    address = urlsplit(witness.url)
    with closing(
        http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    ) as connection:
        for size in range(5):
            connection.request("POST", "/add-checkpoint", log.body(size, size + 1))
            answer = connection.getresponse()
            assert (answer.status, answer.will_close) == (200, False)
            answer.read()


def test_who_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module._Handler, "timeout", 0.05)
    with served(Slow()) as server, closing(connect(server)) as client:
        client.connect()

        assert client.sock.recv(100) == b""


def test_who_sends_drop_by_drop_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_PATIENCE", 0.1)
    with served(Slow()) as server, closing(connect(server)) as client:
        client.putrequest("POST", "/add-checkpoint")
        client.putheader("Content-Length", "1000")
        client.endheaders()
        began = time.monotonic()
        with pytest.raises(OSError, match=r"."):  # noqa: PT012  one drop after another
            while time.monotonic() < began + 10:
                client.sock.sendall(b"x")
                time.sleep(0.02)

    assert time.monotonic() < began + 5


def test_too_many_connections_at_once_are_hung_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_MAX_CONNECTIONS", 2)
    slow = Slow()
    with served(slow) as server:
        holding = [connect(server), connect(server)]
        for each in holding:
            each.connect()
        with closing(connect(server)) as late:
            late.connect()
            assert late.sock.recv(100) == b""
        for each in holding:
            each.close()
        slow.may_answer.set()
        assert is_served_soon(server)


def is_served_soon(server: WitnessServer) -> bool:
    """Whether a place becomes free within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with closing(connect(server)) as client, suppress(OSError):
            client.request("POST", "/add-checkpoint", b"x")
            return client.getresponse().status == 200
        time.sleep(0.01)
    return False


def test_stopping_answers_what_is_under_way_and_lets_idle_ones_go() -> None:
    slow = Slow()
    with served(slow) as server:
        idle, busy = connect(server), connect(server)
        idle.connect()
        busy.request("POST", "/add-checkpoint", b"the answer")
        assert slow.asked.wait(10)
        began = time.monotonic()
        threading.Timer(0.2, slow.may_answer.set).start()
    assert time.monotonic() < began + 5
    assert busy.getresponse().read() == b"the answer"
    assert idle.sock.recv(100) == b""
    for each in (idle, busy):
        each.close()


def test_a_memory_that_fails_is_said_without_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with served(Slow()) as server, closing(connect(server)) as client:
        client.request("GET", f"/{'0' * 64}/checkpoint")
        answer = client.getresponse()

        assert (answer.status, answer.read()) == (503, b"try again later\n")
    assert "the disk is full" in caplog.text
