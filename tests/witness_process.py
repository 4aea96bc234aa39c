"""A witness as somebody hosts it: ``consentkit witness serve``, a real process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import NamedTuple

import urllib3

from consentkit.log.keys import Verifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Said", "WitnessProcess", "serve_witness", "start_witness"]

NAME = "witness.example/w1"
_PROGRAM = "import sys; from consentkit.cli import main; sys.exit(main())"


class Said(NamedTuple):
    """One answer of a witness."""

    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True)
class WitnessProcess:
    """A running witness: its key, its address, and its process."""

    vkey: str
    url: str
    process: subprocess.Popen[str]

    @property
    def verifier(self) -> Verifier:
        return Verifier.parse(self.vkey)

    @property
    def line(self) -> str:
        """What the operator of a log writes into CONSENTKIT_WITNESSES."""
        return f"{self.vkey} {self.url}"

    def add_checkpoint(self, body: bytes) -> Said:
        return self.request("POST", "/add-checkpoint", body)

    def request(self, method: str, path: str, body: bytes | None = None) -> Said:
        with urllib3.PoolManager(retries=False, timeout=60) as pool:
            sent = pool.request(method, self.url + path, body=body)
        return Said(sent.status, sent.data, sent.headers.get("Content-Type", ""))


def start_witness(
    state: Path, *origin_keys: str, listen: str = "127.0.0.1:0", name: str = NAME
) -> subprocess.Popen[str]:
    """The process, which says its key and address once it listens."""
    keys = [part for key in origin_keys for part in ("--origin-key", key)]
    options = ["--state", str(state), "--listen", listen]
    named = ["--name", name] if name else []
    return subprocess.Popen(  # noqa: S603  our own interpreter and program
        [sys.executable, "-c", _PROGRAM, "witness", "serve", *keys, *options, *named],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def serve_witness(
    state: Path, *origin_keys: str, listen: str = "127.0.0.1:0", name: str = NAME
) -> Iterator[WitnessProcess]:
    """A witness that listens, until the end; ``listen`` can keep an earlier address."""
    with start_witness(state, *origin_keys, listen=listen, name=name) as process:
        try:
            assert process.stdout
            vkey = process.stdout.readline().strip()
            url = process.stdout.readline().strip().removeprefix("listening on ")
            assert url, process.stderr and process.stderr.read()
            yield WitnessProcess(vkey, url, process)
        finally:
            process.terminate()
            process.communicate(timeout=30)
