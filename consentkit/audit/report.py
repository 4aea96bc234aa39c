"""What an examination found, as values, as JSON and in words.

``Report.to_dict`` is a public interface: tools read it, so its shape is fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from enum import StrEnum
from typing import Any

from consentkit.core.legal_basis import LegalBasis
from consentkit.errors import VerificationError

__all__ = [
    "COPY",
    "ON_BASIS",
    "Batches",
    "Finding",
    "Layer",
    "Moved",
    "OfficialActs",
    "Released",
    "Report",
    "Verdict",
    "VerifiedLog",
    "format_time",
    "iso_time",
]


COPY = "manifest"
"""The step that asks whether a folder is as it was written: it is about the copy."""

_LISTED = 50  # lines: more than that is for a program to read
ON_BASIS = {
    LegalBasis.LEGAL_OBLIGATION.value: "on legal duty",
    LegalBasis.VITAL_INTEREST.value: "to protect a life",
}
"""What a release without consent rested on, in words."""


class Layer(StrEnum):
    """The three things that can be checked, each usable alone."""

    LOG = "log"
    HISTORY = "history"
    RECORDS = "records"


class Verdict(StrEnum):
    """What can be said of a layer."""

    HOLDS = "holds"
    FAILS = "fails"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not hold: in which layer, at which step, at which entry.

    ``entry`` is the index of the leaf at fault, None where it is not one leaf's.
    ``proof`` shows the same to third parties, in the form of
    ``consentkit.audit.contradiction``; None where there is nothing to pass on. A
    ``stray`` is a file that no log has: it is named, and does not speak against it.
    """

    layer: Layer
    step: str
    entry: int | None
    what: str
    cause: type[VerificationError] = field(
        default=VerificationError, compare=False, repr=False
    )
    proof: str | None = field(default=None, compare=False, repr=False)
    stray: bool = False

    @property
    def of_copy(self) -> bool:
        """Whether it is about this copy of the files, and not about the log."""
        return self.step == COPY

    def error(self) -> VerificationError:
        """The same as an exception, for callers that want the first one raised."""
        return self.cause(self.what, step=self.step, entry=self.entry)

    def to_dict(self) -> dict[str, Any]:
        """The form that stands in the JSON report; ``proof`` only if there is one."""
        value = {
            "layer": "copy" if self.of_copy else self.layer.value,
            "step": self.step,
            "entry": self.entry,
            "what": self.what,
        }
        return value if self.proof is None else {**value, "proof": self.proof}

    def lines(self) -> Iterator[str]:
        """The finding in words, and its proof to copy from here to the empty line."""
        yield str(self)
        if self.proof is not None:
            yield self.proof

    def __str__(self) -> str:
        if self.stray:
            return f"copy: beside the log, not looked at: {self.what}"
        if self.of_copy:
            return f"copy: differs from its MANIFEST: {self.what}"
        place = "" if self.entry is None else f", entry {self.entry}"
        return f"{self.layer}, step {self.step}{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Released:
    """Data that left without consent: ``entry`` is the act, ``line`` the person's.

    ``basis`` is one of ``consentkit.core.legal_basis.LegalBasis``.
    """

    entry: int
    line: int
    time: int
    basis: str
    purpose: str
    recipient: str
    data: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The form that stands in the JSON report."""
        return {
            "entry": self.entry,
            "line": self.line,
            "time": iso_time(self.time),
            "basis": self.basis,
            "purpose": self.purpose,
            "recipient": self.recipient,
            "data": list(self.data),
        }

    def __str__(self) -> str:
        return (
            f"entry {self.entry}, {format_time(self.time)}: released without consent, "
            f"{ON_BASIS[self.basis]}: {', '.join(self.data)}, {self.purpose} for "
            f"{self.recipient} (entry {self.line})"
        )


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """What a log amounts to, as far as it was checked.

    ``kinds`` counts leaves by kind; ``assurances`` counts acts by how far the
    person's own part in them is proven. Both count what a collector signed, and are
    empty unless records were checked. ``released`` is what left without consent.
    """

    origin: str
    size: int
    root: bytes
    kinds: Mapping[str, int]
    assurances: Mapping[str, int]
    released: tuple[Released, ...] = ()

    def lines(self) -> Iterator[str]:
        """A line of text for each thing to know."""
        yield f"{self.origin}, {self.size} entries, root {self.root.hex()}"
        if self.kinds:
            yield "kinds: " + _counts(self.kinds)
        if self.assurances:
            yield "how far the person's own part is proven: " + _counts(self.assurances)
        if self.released:
            yield f"released without consent: {len(self.released)}"
            yield from (f"  {each}" for each in self.released[:_LISTED])
        if len(self.released) > _LISTED:
            yield f"  and {len(self.released) - _LISTED} more, which --json lists"


@dataclass(frozen=True, slots=True)
class Moved:
    """When a log last moved, in ms since the epoch; None where nobody says.

    ``entry`` is the time in its last entry, which a collector claims. ``cosigned`` is
    that of the newest cosignature on a checkpoint of this tree: with ``judged`` of a
    witness of the policy, else merely what the line claims. ``stamped`` is that of the
    newest time stamp that holds.
    """

    entry: int | None = None
    cosigned: int | None = None
    judged: bool = False
    stamped: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The form that stands in the JSON report."""
        return {
            "entry": _iso_or_none(self.entry),
            "cosigned": _iso_or_none(self.cosigned),
            "cosignature_checked": self.judged,
            "stamped": _iso_or_none(self.stamped),
        }

    def lines(self) -> Iterator[str]:
        """When, and on whose word; time stamps have a line of their own."""
        if self.entry is not None:
            yield f"last entry: {format_time(self.entry)}, as its collector claims"
        if self.cosigned is not None:
            word = (
                "by a witness of the policy"
                if self.judged
                else "as the line claims; --policy checks it"
            )
            yield f"last cosigned: {format_time(self.cosigned)}, {word}"


@dataclass(frozen=True, slots=True)
class OfficialActs:
    """How many administrative acts a folder's log has, and how many lie open there."""

    logged: int
    shown: int

    def to_dict(self) -> dict[str, int]:
        """The form that stands in the JSON report."""
        return {"logged": self.logged, "with_facts": self.shown}

    def __str__(self) -> str:
        return f"{self.logged}, {self.shown} of them with their sealed facts"


@dataclass(frozen=True, slots=True)
class Batches:
    """How many batches of somebody a log has, and of how many it lies there who."""

    logged: int
    shown: int

    def to_dict(self) -> dict[str, int]:
        """The form that stands in the JSON report."""
        return {"logged": self.logged, "with_people": self.shown}

    def __str__(self) -> str:
        return f"{self.logged}, {self.shown} of them with who was in it"


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one examination, layer by layer.

    ``log`` is None if not even the checkpoint could be opened; ``stamps`` is what can
    be said of time stamps beside it, empty if there are none. ``unopened`` counts
    its own older checkpoints that only log keys signed that were not given.
    ``official`` is None where there is no folder, or its records were not checked;
    ``batches`` where its records were not. ``listed`` is whether all of a folder was
    held against its ``MANIFEST``: what differs is a fault of the copy, and no layer's,
    but an export that differs does not hold. ``strays`` change no verdict.
    """

    layers: Mapping[Layer, Verdict]
    findings: tuple[Finding, ...]
    log: VerifiedLog | None
    stamps: str = ""
    unopened: int = 0
    moved: Moved = Moved()
    official: OfficialActs | None = None
    batches: Batches | None = None
    listed: bool = False
    strays: tuple[Finding, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether something was checked and nothing was found."""
        return not self.findings and Verdict.HOLDS in self.layers.values()

    @property
    def copy(self) -> Verdict:
        """Whether the folder is as its ``MANIFEST`` lists it, if it has one."""
        if any(finding.of_copy for finding in self.findings):
            return Verdict.FAILS
        return Verdict.HOLDS if self.listed else Verdict.NOT_CHECKED

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable form; its shape does not change."""
        return {
            "holds": self.holds,
            "layers": {layer.value: self.layers[layer].value for layer in Layer},
            "findings": [finding.to_dict() for finding in self.findings],
            "last_moved": self.moved.to_dict(),
            "administrative_acts": self.official and self.official.to_dict(),
            "batches": self.batches and self.batches.to_dict(),
            "copy": {
                "manifest": self.copy.value,
                "strays": [stray.what for stray in self.strays],
            },
            "released_without_consent": [
                each.to_dict() for each in (self.log.released if self.log else ())
            ],
        }

    def lines(self) -> Iterator[str]:
        """The report in words, the verdict last."""
        if self.log is not None:
            yield from self.log.lines()
        yield from self.moved.lines()
        if self.official is not None and self.official.logged:
            yield f"administrative acts: {self.official}"
        if self.batches is not None and self.batches.logged:
            yield f"batches: {self.batches}"
        for layer in Layer:
            yield f"{layer}: {self.layers[layer]}"
        if self.stamps:
            yield f"time stamps: {self.stamps}"
        if self.unopened:
            are = "checkpoints are" if self.unopened > 1 else "checkpoint is"
            yield (
                f"{self.unopened} older {are} signed by log keys that were not given: "
                "not checked; give them with --key, EXPORT/keys lists them"
            )
        for finding in (*self.strays, *self.findings):
            yield from finding.lines()
        yield self._verdict()

    def _verdict(self) -> str:
        if self.holds:
            return "holds"
        if self.findings and all(finding.of_copy for finding in self.findings):
            return "DOES NOT HOLD as a copy: take a new one; the log is not at fault"
        return "DOES NOT HOLD"


def format_time(millis: int) -> str:
    """A moment in words, in UTC."""
    try:
        moment = datetime.fromtimestamp(millis / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return f"{millis} ms after 1970"  # further off than the calendar goes
    return moment.strftime("%d %B %Y, %H:%M:%S UTC").lstrip("0")


def iso_time(millis: int) -> str:
    """A moment as programs read it (ISO 8601, UTC)."""
    try:
        moment = datetime.fromtimestamp(millis / 1000, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return f"{millis} ms after 1970"  # further off than the calendar goes
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_or_none(millis: int | None) -> str | None:
    return None if millis is None else iso_time(millis)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
