"""An S3 server of our own (moto's), in a process of its own, on loopback only."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["S3Process", "serve_s3"]

_RUNS = re.compile(r"Running on (http://127\.0\.0\.1:[0-9]+)")
_PATIENCE = 60  # seconds until it says that it runs


@dataclass(frozen=True)
class S3Process:
    """A server that holds one bucket."""

    address: str
    bucket: str = "archive"

    @property
    def environment(self) -> dict[str, str]:
        """How a client finds it, and gets in."""
        return {
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ALLOW_HTTP": "true",
        }


@contextlib.contextmanager
def serve_s3(folder: Path) -> Iterator[S3Process]:
    """A server as long as the block lasts; what it says is in a file in ``folder``."""
    said = folder / "moto.log"
    command = (sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
    with (
        said.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,  # noqa: S603  ours
    ):
        try:
            served = S3Process(_address(said))
            bucket = f"{served.address}/{served.bucket}"
            made = urllib.request.Request(bucket, method="PUT")  # noqa: S310  ours
            urllib.request.urlopen(made, timeout=_PATIENCE).close()  # noqa: S310  ours
            yield served
        finally:
            process.kill()


def _address(said: Path) -> str:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        match = _RUNS.search(said.read_text())
        if match:
            return match[1]
        time.sleep(0.05)
    raise AssertionError("the S3 server did not start")
