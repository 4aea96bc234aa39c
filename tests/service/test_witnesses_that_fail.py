"""Down, slow, or lying: the log goes on, and takes nothing but true cosignatures."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.log.cosignature import cosign
from consentkit.log.cosignature import open_cosignature
from consentkit.log.witness import parse_request
from consentkit.service import cosigners as cosigners_module
from consentkit.service.publishing import publish_all
from consentkit.service.witnessing import ask_witnesses
from tests.service.log_files import say
from tests.service.wallet import Wallet
from tests.service.witnessed import KEY
from tests.service.witnessed import MINUTE
from tests.service.witnessed import faults
from tests.service.witnessed import honest
from tests.service.witnessed import lines_under
from tests.service.witnessed import on_disk
from tests.service.witnessed import pretended
from tests.service.witnessed import show
from tests.service.witnessed import use
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from pathlib import Path

    from tests.witness_process import WitnessProcess


@pytest.mark.requirement("R98")
def test_the_log_goes_on_while_its_witness_is_down_and_says_so_once(
    wallet: Wallet,
    witness: WitnessProcess,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert show(wallet) == 1
    witness.process.kill()
    witness.process.wait()
    for _ in range(6):
        wallet.clock.now += 13 * MINUTE
        say(wallet)
        assert show(wallet) == 0
        wallet.verify()

    assert lines_under(on_disk(wallet)) == 0
    (fault,) = faults(wallet)
    assert fault == "it did not answer (NewConnectionError)"
    told = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert len(told) == 1
    assert "the log goes on without" in told[0]

    listen = witness.url.removeprefix("http://")
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey, listen=listen) as again:
        wallet.clock.now += 13 * MINUTE
        assert show(wallet) == 1
    assert open_cosignature(on_disk(wallet), again.verifier)
    assert faults(wallet) == [""]
    assert caplog.records[-1].message.endswith("cosigns again")


def test_a_witness_that_is_down_is_asked_less_and_less_often(wallet: Wallet) -> None:
    asked: list[int] = []

    def fail(_body: bytes) -> tuple[int, bytes]:
        asked.append(wallet.clock.now)
        return 404, b""

    with pretended(fail) as line:
        use(wallet, line)
        for _ in range(60):
            show(wallet)
            wallet.clock.now += MINUTE

    pauses = [b - a for a, b in pairwise(asked)]
    assert pauses[0] <= 2 * MINUTE < pauses[2] <= 6 * MINUTE
    assert 10 * MINUTE <= pauses[-1] <= 13 * MINUTE


@pytest.mark.requirement("R98")
def test_a_cosignature_of_another_key_than_configured_is_not_taken(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    use(wallet, f"{KEY.vkey} {witness.url}")

    assert show(wallet) == 0
    (fault,) = faults(wallet)
    assert fault == f"expected a cosignature of w1+{KEY.key_id.hex()}, got none"
    assert wallet.sql("SELECT * FROM consent_cosignature") == []
    assert lines_under(on_disk(wallet)) == 0


def forged(body: bytes) -> tuple[int, bytes]:
    """A line of that witness, of another checkpoint."""
    note = parse_request(body).note.replace(b"\n3\n", b"\n4\n")
    return 200, cosign(note, KEY, time=1)


LIES: dict[str, tuple[Callable[[bytes], tuple[int, bytes]], str]] = {
    "another checkpoint": (forged, "does not match"),
    "words": (lambda _: (200, b"ok\n"), "signature line"),
    "nothing": (lambda _: (200, b""), "newline"),
    "a redirection": (lambda _: (307, b""), "status 307"),
    "nonsense": (lambda _: (299, b""), "status 299"),
    "unknown log": (lambda _: (404, b""), "does not know this log"),
    "not signed": (lambda _: (403, b""), "another key of this log"),
    "malformed": (lambda _: (400, b""), "could not read"),
    "endless": (lambda _: (200, bytes(200_000)), "did not answer"),
    "a size in words": (lambda _: (409, b"three\n"), "decimal number"),
    "too many requests": (lambda _: (429, b""), "status 429"),
    "trouble": (lambda _: (500, b""), "status 500"),
}


@pytest.mark.parametrize("name", LIES)
def test_whatever_a_witness_answers_nothing_but_its_cosignature_is_kept(
    wallet: Wallet, name: str
) -> None:
    answer, expected = LIES[name]
    with pretended(answer) as line:
        use(wallet, line)
        assert show(wallet) == 0

    (fault,) = faults(wallet)
    assert expected in fault
    assert wallet.sql("SELECT * FROM consent_cosignature") == []


def test_a_witness_that_fails_twice_is_asked_a_third_time(wallet: Wallet) -> None:
    left = [503, 500]
    with pretended(lambda body: (left.pop(), b"") if left else honest(body)) as line:
        use(wallet, line)
        assert show(wallet) == 1
    assert left == []


@pytest.mark.requirement("R98")
def test_a_slow_witness_holds_up_neither_the_log_nor_the_others(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        use(wallet, f"{KEY.vkey} {url}", witness.line)
        publish_all(wallet.installation)
        asking = threading.Thread(target=ask_witnesses, args=(wallet.installation,))
        began = time.monotonic()
        asking.start()
        time.sleep(0.3)
        say(wallet)
        publish_all(wallet.installation)
        assert asking.is_alive()
        wallet.verify()
        asking.join()

    assert 3 < time.monotonic() - began < 20  # three tries of a second
    assert faults(wallet) == ["it did not answer (ReadTimeoutError)", ""]


def test_a_witness_that_answers_drop_by_drop_is_given_up(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosigners_module, "_TIMEOUT", 0.2)
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        while not ended.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
                while not ended.is_set():
                    connection.sendall(b"x")
                    time.sleep(0.05)

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(5)
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        use(wallet, f"{KEY.vkey} http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        assert show(wallet) == 0
        assert time.monotonic() < began + 20  # not the minutes that it would take
        ended.set()
        thread.join()

    assert faults(wallet) == ["it did not answer (ProtocolError)"]


def test_a_log_whose_own_tiles_are_gone_says_so(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    wallet.damaged = True
    show(wallet)
    say(wallet)
    publish_all(wallet.installation)
    wallet.clock.now += MINUTE
    wallet.sql("DELETE FROM consent_tile")

    assert ask_witnesses(wallet.installation) == 0
    assert "tile/0/000" in faults(wallet)[0]
    assert witness.process.poll() is None


def test_a_database_that_is_gone_is_said(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    wallet.damaged = True
    publish_all(wallet.installation)
    wallet.sql("DROP TABLE consent_witness")
    with pytest.raises(LogUnavailableError):
        ask_witnesses(wallet.installation)
    assert witness.process.poll() is None
