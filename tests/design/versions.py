"""Run the tests on other versions: the lowest or newest of everything, other Pythons.

``python -m tests.design.versions --lowest --python 3.11 tests/core tests/log`` copies
the checkout, makes an environment beside the copy and runs the tests there, so that
neither the checkout nor its own environment changes. What follows the options is for
pytest; without it every test runs that needs no browser.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What is direct is what setup.cfg names; what those need in turn is as new as they
# let it be. The lowest of everything would find what others declare too loosely.
_RESOLUTIONS = {"lowest": "lowest-direct", "newest": "highest"}
_WHOLE = ("-m", "not browser")
_UNUSED = (".git", ".venv", ".*_cache", "__pycache__", "*.egg-info", "build", "dist")
# A shim of pyenv is on the path and does not start: only a Python that runs counts.
_PROBE = "import sys, ssl, sqlite3, venv; print('%d.%d' % sys.version_info[:2])"


def find_python(version: str) -> Path:
    """An interpreter of that version that really starts.

    Raises:
        SystemExit: there is none on the path, nor under pyenv.
    """
    for candidate in _candidates(version):
        done = subprocess.run(  # noqa: S603  an interpreter, found by its name
            [candidate, "-c", _PROBE], capture_output=True, text=True, check=False
        )
        if done.stdout.strip() == version:
            return candidate
    raise SystemExit(f"versions: there is no Python {version} here that starts")


def _candidates(version: str) -> Iterator[Path]:
    if version == "{}.{}".format(*sys.version_info):
        yield Path(sys.executable)
    if found := shutil.which(f"python{version}"):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"))


def install(folder: Path, python: Path, resolution: str) -> Path:
    """A copy of the checkout and an environment for it; the environment's Python."""
    shutil.copytree(ROOT, folder / "tree", ignore=shutil.ignore_patterns(*_UNUSED))
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        raise SystemExit("versions: uv is needed, pip cannot choose the lowest")
    inside = folder / "env" / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", python, folder / "env"],
        [
            *(uv, "pip", "install", "--quiet", "--python", inside),
            *("--resolution", resolution, "-e", f"{folder / 'tree'}[test]"),
        ],
        [uv, "pip", "freeze", "--python", inside, "--exclude-editable"],
    ):
        subprocess.run([str(part) for part in command], check=True)  # noqa: S603  ours
    return inside


def run(argv: Sequence[str] | None = None) -> int:
    """Install and test; what pytest returned."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    for name in _RESOLUTIONS:
        which.add_argument(f"--{name}", dest="which", action="store_const", const=name)
    parser.add_argument("--python", default="{}.{}".format(*sys.version_info))
    asked, selected = parser.parse_known_args(argv)
    # A shell has it ignored in what it starts in the background, and what is ignored is
    # inherited; there are tests that press Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="consentkit-versions-") as name:
        folder = Path(name)
        python = install(folder, find_python(asked.python), _RESOLUTIONS[asked.which])
        installed = time.monotonic()
        returned = subprocess.run(  # noqa: S603  the environment made above
            [python, "-m", "pytest", "-q", *(selected or _WHOLE)],
            cwd=folder / "tree",
            check=False,
        ).returncode
    sys.stdout.write(
        f"versions: {asked.which} on Python {asked.python}: pytest returned "
        f"{returned}; {installed - began:.0f} s to install, "
        f"{time.monotonic() - installed:.0f} s to test\n"
    )
    return returned


if __name__ == "__main__":
    sys.exit(run())
