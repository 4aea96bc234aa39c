"""What processes did to consents and what they were told, each with two instants.

A process notes that it begins an operation before it begins, and what came of it once
it has returned, by CLOCK_MONOTONIC, which all processes of a machine share. Both lines
are written at once, so that what a killed process had begun is known: it may or may
not have taken place.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["CHANGING", "EVERY", "KINDS", "Key", "Operation", "Recorder", "read_history"]

Key = tuple[str, str, str]
"""Subject, purpose and recipient."""

EVERY = "*"
KINDS = frozenset({"grant", "revoke", "suspend", "resume", "check"})
CHANGING = KINDS - {"check"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``returned`` and ``outcome`` are None if its answer is not known.

    ``key`` names what it is about, with ``EVERY`` for each part that it leaves open.
    ``outcome`` is, of a grant, the record that it made; of a check, the record that a
    yes rests on, or else the reason of the no; of a revocation, what it ended, each as
    "purpose/recipient"; of a suspension and its end, "changed" or "nothing".
    """

    process: int
    number: int
    kind: str
    key: Key
    began: int
    returned: int | None = None
    outcome: str | None = None

    def covers(self, key: Key) -> bool:
        """Whether it is about this key as well."""
        pairs = zip(self.key, key, strict=True)
        return all(mine in (EVERY, theirs) for mine, theirs in pairs)

    def __str__(self) -> str:
        took = "?" if self.returned is None else (self.returned - self.began) // 1_000
        told = "nobody knows what" if self.outcome is None else self.outcome
        return (
            f"{self.process}.{self.number} at {self.began // 1_000} µs for {took} µs: "
            f"{self.kind} {' '.join(self.key)} -> {told}"
        )


class Recorder:
    """One process's notes, in a file of its own that outlives it."""

    def __init__(self, file: Path, process: int) -> None:
        self._file = file.open("ab", buffering=0)  # a line is out before we go on
        self._process = process
        self._numbers = count()

    def begin(self, kind: str, key: Key) -> int:
        """Note that it begins now; its number."""
        number = next(self._numbers)
        self._note([self._process, number, kind, key, time.monotonic_ns()])
        return number

    def end(self, number: int, outcome: str) -> None:
        """Note that it has returned, and with what."""
        self._note([number, time.monotonic_ns(), outcome])

    def close(self) -> None:
        """Nothing more will be noted."""
        self._file.close()

    def _note(self, entry: list[object]) -> None:
        self._file.write(json.dumps(entry).encode() + b"\n")


def read_history(files: Iterable[Path]) -> list[Operation]:
    """Every operation that was begun, in the order in which they began."""
    found = [each for file in files for each in _operations(file)]
    return sorted(found, key=lambda each: each.began)


def _operations(file: Path) -> Iterator[Operation]:
    begun: dict[int, Operation] = {}
    for line in file.read_bytes().split(b"\n")[:-1]:  # the last may be cut off
        entry = json.loads(line)
        if len(entry) > 3:
            process, number, kind, key, began = entry
            begun[number] = Operation(process, number, kind, tuple(key), began)
        else:
            number, returned, outcome = entry
            one = begun.pop(number)
            yield Operation(
                *(one.process, number, one.kind, one.key, one.began),
                returned,
                outcome,
            )
    yield from begun.values()
