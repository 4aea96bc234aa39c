"""Build the wheel and use it as an auditor would: alone, and from another folder.

The wheel is built from the sdist, so both are complete. It is installed beside
cryptography and nothing else: what checks evidence needs none of the server.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What a build forgets without a word, and which pattern proves that it is there.
EASILY_FORGOTTEN = {
    "the type marker": "py.typed",
    "templates": "web/templates/**/*.html",
    "static files": "web/static/**/*.*",
    "translations": "web/translations/**/*.po",
    "migrations": "store/migrations/**/*.py",
}


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its failure is ours."""
    done = subprocess.run(  # noqa: S603 - every command is written out below
        [str(part) for part in command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"wheel: {' '.join(map(str, command))} failed:\n{done.stdout}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel, built in `folder` from the sdist."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def files_in_the_tree() -> set[str]:
    """Every file of the package as it lies here."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "consentkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def check_contents(wheel: Path) -> None:
    """Fail when the wheel and the tree differ, or a kind of file is in neither."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if n.startswith("consentkit/")}
    tree = files_in_the_tree()
    report("missing from the wheel", tree - packed)
    report("in the wheel, but not in the tree", packed - tree)
    absent = [
        what
        for what, pattern in EASILY_FORGOTTEN.items()
        if not any((ROOT / "consentkit").glob(pattern))
    ]
    report("nowhere to be found", absent)


def report(what: str, names: Iterable[str]) -> None:
    """Stop with the names, if there are any."""
    if listed := sorted(names):
        sys.exit(f"wheel: {what}: {', '.join(listed)}")


def install(wheel: Path, folder: Path) -> Path:
    """The programs of a clean environment that holds the wheel and cryptography."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    python = programs / "python"
    run(python, "-m", "pip", "install", "--no-deps", wheel, cwd=folder)
    run(python, "-m", "pip", "install", "cryptography", cwd=folder)
    return programs


def main() -> None:
    """Build, look inside, install, use; print size and time."""
    with tempfile.TemporaryDirectory(prefix="consentkit-wheel-") as name:
        folder = Path(name)
        wheel = build(folder)
        check_contents(wheel)
        programs = install(wheel, folder / "env")
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        started = time.perf_counter()
        run(programs / "python", "-c", "import consentkit.audit", cwd=elsewhere)
        seconds = time.perf_counter() - started
        run(programs / "consentkit", "--help", cwd=elsewhere)
        sys.stdout.write(
            f"wheel: {wheel.name}, {wheel.stat().st_size / 1000:.0f} kB; "
            f"python -c 'import consentkit.audit' takes {seconds * 1000:.0f} ms, "
            "without Flask and without SQLAlchemy\n"
        )


if __name__ == "__main__":
    main()
