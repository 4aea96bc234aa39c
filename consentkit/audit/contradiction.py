"""What shows to anybody that a log's key signed things that contradict each other.

::

    consentkit/contradiction@v1
    <SPLIT VIEW | REWRITTEN | REPLACED | TRUNCATED | BREACH>
    …                                       lines of that kind, see each function
                                            an empty line
    <first signed note, verbatim>
                                            an empty line
    <second signed note, verbatim>

A note here has one empty line of its own, before its signatures. So cut the text at
its empty lines: the second and third piece are the first note, the fourth and fifth
the second one. Any reader of signed notes opens them with the log's key, any RFC 6962
library checks the hashes; nothing of ours has to be believed. Hashes are in base64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.log.encoding import encode_base64

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CONTRADICTION_HEADER",
    "broken_promise",
    "replaced",
    "rewritten",
    "split_view",
    "truncated",
]

CONTRADICTION_HEADER = "consentkit/contradiction@v1"


def split_view(first: bytes, second: bytes) -> str:
    """Two checkpoints of one size with different roots; no lines of its own.

    To check: both notes open; the sizes are equal, the roots are not.
    """
    return _format("SPLIT VIEW", [], first, second)


def rewritten(
    first: bytes, second: bytes, *, prefix: bytes, proof: Iterable[bytes]
) -> str:
    """A checkpoint, and a later one of a tree that does not begin with the first.

    Lines: ``prefix <hash>``, the root of as many first entries of the second tree as
    the first one has; then the hashes of a consistency proof, one a line.
    To check: the proof leads from that root to the second note's (RFC 6962 §2.1.2);
    the first note was signed for another root.
    """
    lines = [f"prefix {_base64(prefix)}", *map(_base64, proof)]
    return _format("REWRITTEN", lines, first, second)


def replaced(
    first: bytes,
    second: bytes,
    *,
    index: int,
    leaves: tuple[bytes, bytes],
    paths: tuple[Iterable[bytes], Iterable[bytes]],
) -> str:
    """Two trees that hold different leaves at one index.

    Lines: ``entry <index>``; ``first <leaf hash>`` and its inclusion proof, one hash
    a line; ``second <leaf hash>`` and its own.
    To check: each proof leads to the root of its note (RFC 6962 §2.1.1); the two leaf
    hashes differ.
    """
    lines = [f"entry {index}"]
    for word, leaf, path in zip(("first", "second"), leaves, paths, strict=True):
        lines += [f"{word} {_base64(leaf)}", *map(_base64, path)]
    return _format("REPLACED", lines, first, second)


def truncated(first: bytes, second: bytes) -> str:
    """A checkpoint, and a smaller one that is given for the newest.

    No lines of its own. To check: both notes open; the second one's size is smaller.
    A log has small checkpoints from its early days, so the pair speaks against it
    only if the second is shown to be later: by cosignatures, or by where it was got.
    """
    return _format("TRUNCATED", [], first, second)


def broken_promise(promise: bytes, checkpoint: bytes, *, due: int) -> str:
    """A leaf that a collector signed, and a checkpoint of a log that lacks it.

    Lines: ``due <time>``, the milliseconds since the epoch by which it had to be in.
    To check: the first note opens with the collector's key; its leaf hash is none of
    those in the ``tile/0`` files, which lead to the second note's root; that note is
    from after the due time, by its cosignatures or by the last entry of its tree.
    """
    return _format("BREACH", [f"due {due}"], promise, checkpoint)


def _format(kind: str, lines: Iterable[str], first: bytes, second: bytes) -> str:
    head = "\n".join([CONTRADICTION_HEADER, kind, *lines])
    return f"{head}\n\n{first.decode()}\n{second.decode()}"


def _base64(data: bytes) -> str:
    return encode_base64(data).decode("ascii")
