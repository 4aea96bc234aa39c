"""The auditor's folder, written from the database, against nothing but its files.

The reference writes the same files, each into its place by a rename, from bytes that
are in memory already. Ours reads them from the database, leaf by leaf, and lists them
with their hashes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.store.sqlite import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.world import World
from tests.bench.world import signed_leaves
from tests.bench.world import world

LEAVES, SMOKE_LEAVES = 20_000, 600
_BATCH = 10_000  # leaves that are in memory at once

PURE = "writing the files"
OURS = "export"


def fill(made: World, count: int) -> None:
    """Publish a log of that many genuine leaves."""
    installation = made.installation
    for first in range(0, count, _BATCH):
        with installation.ledger.write() as transaction:
            size = min(_BATCH, count - first)
            for leaf in signed_leaves(installation, made.question, size):
                transaction.append(leaf)
    publish_all(installation)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def write_all(contents: Mapping[str, bytes], folder: Path) -> None:
    """The least that has to be done."""
    for path, data in contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = folder / ".draft"
        draft.write_bytes(data)
        draft.rename(place)
    os.sync()


def clear(*folders: Path) -> None:
    """Take the folders away, if they are there."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare the files, then times."""
    asked = arguments(argv, __doc__, rounds=5)
    count = SMOKE_LEAVES if asked.smoke else LEAVES
    with world() as made, tempfile.TemporaryDirectory() as name:
        fill(made, count)
        ours, pure = Path(name) / "ours", Path(name) / "pure"
        done = export(made.installation, ours)
        contents = dict(files(ours))
        published = dict(files(made.installation.log_folder / "tile"))
        if published != dict(files(ours / "tile")):
            raise SystemExit("the exported tree is not the published one")
        contenders: Mapping[str, Callable[[], object]] = {
            PURE: lambda: write_all(contents, pure),
            OURS: lambda: export(made.installation, ours),
        }
        samples = race(
            contenders,
            rounds=asked.rounds,
            prepare=lambda: clear(ours, pure),
        )
    write(
        f"same tree: {done.size:,} leaves in {done.files:,} files",
        circumstances(journal_mode(), asked.rounds),
        report(samples, [Line(PURE), Line(OURS, PURE)]),
    )


if __name__ == "__main__":
    main()
