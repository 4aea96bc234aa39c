"""Builds and runs ``checklog``, the Go program beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.outside.published import KEPT
from tests.outside.published import REQUEST
from tests.outside.published import Published

__all__ = ["Judge", "build", "find_go"]

_SOURCE = Path(__file__).with_name("checklog")
_PACKAGES = Path("/usr/share/gocode")  # Debian's Go libraries, as source
_HOW_TO_GET = (
    "expected Go and golang.org/x/mod, found {found}; as root on Debian `make unit` "
    "installs them, else: sudo apt-get install golang-go golang-golang-x-mod-dev"
)


@dataclass(frozen=True)
class Judge:
    """The program, built."""

    program: Path

    def __call__(
        self,
        given: Published,
        *,
        since: tuple[str, ...] = (KEPT,),
        requests: tuple[str, ...] = (REQUEST,),
        receipts: tuple[str, ...] = (),
    ) -> tuple[int, list[str]]:
        """The exit status, and the lines that it printed."""
        options = {"-since": since, "-request": requests, "-receipt": receipts}
        files = [
            argument
            for option, names in options.items()
            for name in names
            for argument in (option, name)
        ]
        keys = ["-log", given.log_key.vkey, "-collector", given.collector_key.vkey]
        done = subprocess.run(  # noqa: S603  our own program
            [self.program, *keys, *files, given.log],
            cwd=given.folder,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()


def find_go(packages: Path = _PACKAGES) -> str:
    """The compiler. Without it, or the library, nothing would be shown: that fails."""
    go = shutil.which("go")
    library = packages / "src/golang.org/x/mod/sumdb/tlog"
    if go is None or not library.is_dir():
        found = "only the compiler" if go else "no `go`"
        pytest.fail(_HOW_TO_GET.format(found=found), pytrace=False)
    return go


def build(folder: Path) -> Judge:
    """Compile into ``folder``, from installed packages alone: nothing is fetched."""
    program = folder / "checklog.exe"
    settings = {
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "cache"),
        "GOENV": "off",
        "GOFLAGS": "",
        "GOPATH": str(_PACKAGES),
        "GOTOOLCHAIN": "local",
    }
    done = subprocess.run(  # noqa: S603  our own program
        [find_go(), "build", "-o", program, "."],
        cwd=_SOURCE,
        env={**os.environ, **settings},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Judge(program)
