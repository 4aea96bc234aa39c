"""``consentkit witness serve``: a witness for other people's logs.

Exit status: 0 stopped as asked · 2 the state, a key or the address cannot be used.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.witness.cosigning import Witness
from consentkit.witness.cosigning import read_origin_keys
from consentkit.witness.identity import open_key
from consentkit.witness.memory import Memory
from consentkit.witness.server import WitnessServer

if TYPE_CHECKING:
    import argparse

__all__ = ["add_options", "execute"]

MEMORY_FILE = "witness.sqlite3"
_MAX_PORT = 65_535
_POLL = 0.1  # seconds between two looks at whether to stop


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this command."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    serve = actions.add_parser(
        "serve",
        help="cosign what continues the newest tree seen",
        description=(
            "Run a witness: it cosigns each checkpoint that continues the newest tree "
            "it has seen of that log, and nothing else. Prints its verifier key. Never "
            "put back an older copy of the folder given with --state."
        ),
    )
    serve.add_argument(
        "--origin-key",
        metavar="VKEY",
        action="append",
        required=True,
        help="verifier key of a log to witness; repeatable",
    )
    serve.add_argument(
        "--state", metavar="DIR", required=True, help="the folder for memory and key"
    )
    serve.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8792",
        help="where to listen (default: %(default)s); port 0 takes any",
    )
    serve.add_argument(
        "--name",
        metavar="NAME",
        default="",
        help="the witness's name at its first start (default: this machine's)",
    )


def execute(options: argparse.Namespace) -> int:
    """Serve until interrupted or terminated; the exit status is 0 then.

    Raises:
        ConfigurationError: the state, a key or the address cannot be used.
        LogUnavailableError: the memory cannot be read or written.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s"
    )
    logs = read_origin_keys(options.origin_key)
    address = _address(options.listen)
    memory = Memory(_folder(options.state) / MEMORY_FILE)
    try:
        signer = open_key(
            Path(options.state), memory, name=options.name or _first_name(memory)
        )
        witness = Witness(signer, logs, memory, clock=lambda: int(time.time()))
        server = _listen(address, witness, options.listen)
        sys.stdout.write(f"{signer.vkey}\nlistening on {_url(server)}\n")
        sys.stdout.flush()
        _serve(server)
    finally:
        memory.close()
    return 0


def _serve(server: WitnessServer) -> None:
    """Until a signal asks to stop; then finish what is under way."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    serving = threading.Thread(
        target=server.serve_forever, args=(_POLL,), name="witness"
    )
    serving.start()
    asked.wait()
    server.shutdown()
    serving.join()
    server.server_close()


def _first_name(memory: Memory) -> str:
    """This machine's name, if the witness has none yet."""
    with memory.turn():
        return "" if memory.vkey() else socket.gethostname()


def _folder(name: str) -> Path:
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"--state {name}: {error.strerror}") from error
    return folder


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    valid = port.isascii() and port.isdigit() and int(port) <= _MAX_PORT
    if not host or not valid:
        raise ConfigurationError(
            f"--listen: expected HOST:PORT such as 127.0.0.1:8792, got {text!r:.80}"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _listen(address: tuple[str, int], witness: Witness, written: str) -> WitnessServer:
    try:
        return WitnessServer(address, witness)
    except OSError as error:
        raise ConfigurationError(f"--listen {written}: {error.strerror}") from error


def _url(server: WitnessServer) -> str:
    host, port = server.server_address[:2]
    shown = host.decode() if isinstance(host, bytes) else str(host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
