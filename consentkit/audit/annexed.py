"""What an auditor's folder holds beside the tree, and under which names.

==============================  ==================================================
``MANIFEST``                    every other file with its size and SHA-256
``README``                      how to check all this, for people
``batches/<id>/<n>.jsonl``      who was in the batch with that id, by handle
``checkpoints/<size>``          each checkpoint that was ever signed
``disclosures/<id>.json``       private facts of the entry with that id
``keys``                        the keys that the entries register
``notices/<digest>.html``       the text that was shown, byte for byte
``notices/<digest>.json``       its manifest, whose SHA-256 is the digest
``policy``                      the log's keys and its witnesses (C2SP tlog-policy)
``timestamps/<size>/<id>.tsr``  RFC 3161 tokens over the checkpoint of that size
==============================  ==================================================

None of it is trusted for lying there: keys and policy still come from outside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.core import canonical
from consentkit.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence
    from typing import Any

__all__ = [
    "KEYS",
    "MANIFEST",
    "POLICY",
    "README",
    "batch_page_path",
    "batch_pages_in",
    "check_disclosures",
    "disclosure_path",
    "disclosures_in",
    "format_disclosures",
    "format_keys",
    "is_annex",
    "notice_paths",
    "notices_in",
    "parse_timestamp_path",
    "stored_path",
    "stored_sizes",
    "timestamp_path",
]

KEYS, MANIFEST, POLICY, README = "keys", "MANIFEST", "policy", "README"
_LOG_ROLE = "log"
_STORED = re.compile(r"checkpoints/(0|[1-9][0-9]{0,18})")
_NOTICE = re.compile(r"notices/([0-9a-f]{64})\.(?:html|json)")
_DISCLOSURE = re.compile(r"disclosures/([0-9a-f]{32})\.json")
_BATCH = re.compile(r"batches/([0-9a-f]{32})/(0|[1-9][0-9]{0,8})\.jsonl")
_TIMESTAMP = re.compile(r"timestamps/(0|[1-9][0-9]{0,18})/([0-9a-f]{16})\.tsr")
_SHOWN = "disclosures"


def stored_path(size: int) -> str:
    """Where a log keeps the checkpoint that it once had at ``size``."""
    return f"checkpoints/{size}"


def stored_sizes(paths: Iterable[str]) -> Iterator[int]:
    """The sizes whose older checkpoints lie among the files called ``paths``."""
    for path in paths:
        match = _STORED.fullmatch(path)
        if match is not None:
            yield int(match[1])


def notice_paths(digest: str) -> tuple[str, str]:
    """Where the manifest and the text of a notice lie."""
    return f"notices/{digest}.json", f"notices/{digest}.html"


def notices_in(paths: Iterable[str]) -> set[str]:
    """The digests of the notices of which there is a file among ``paths``."""
    return {match[1] for match in map(_NOTICE.fullmatch, paths) if match}


def disclosure_path(leaf_id: str) -> str:
    """Where the private facts of one entry lie."""
    return f"disclosures/{leaf_id}.json"


def disclosures_in(paths: Iterable[str]) -> set[str]:
    """The ids of the entries whose private facts are among ``paths``."""
    return {match[1] for match in map(_DISCLOSURE.fullmatch, paths) if match}


def batch_page_path(leaf_id: str, number: int) -> str:
    """Where a page of the entries of one batch lies."""
    return f"batches/{leaf_id}/{number}.jsonl"


def batch_pages_in(paths: Iterable[str]) -> dict[str, int]:
    """How many pages each batch has among ``paths``: one more than its last number."""
    found: dict[str, int] = {}
    for match in map(_BATCH.fullmatch, paths):
        if match:
            found[match[1]] = max(found.get(match[1], 0), int(match[2]) + 1)
    return found


def timestamp_path(size: int, authority: str) -> str:
    """Where one authority's answer about the checkpoint of that size lies."""
    return f"timestamps/{size}/{authority}.tsr"


def parse_timestamp_path(path: str) -> tuple[int, str] | None:
    """Size and authority, None for the path of anything else."""
    match = _TIMESTAMP.fullmatch(path)
    return (int(match[1]), match[2]) if match else None


def is_annex(path: str) -> bool:
    """Whether a file of that name may lie beside the tree and the checkpoint."""
    forms = (_STORED, _NOTICE, _DISCLOSURE, _BATCH, _TIMESTAMP)
    return path in {KEYS, MANIFEST, POLICY, README} or any(
        form.fullmatch(path) for form in forms
    )


def format_keys(registered: Iterable[Mapping[str, Any]]) -> bytes:
    """The file ``keys`` for these bodies of ``key`` leaves, in the order of the log.

    One key a line, role and verifier key, the log's own first; from which entry to
    which it may sign, the entries say.
    """
    lines = dict.fromkeys(f"{body['role']} {body['vkey']}\n" for body in registered)
    ordered = sorted(lines, key=lambda line: not line.startswith(f"{_LOG_ROLE} "))
    return "".join(ordered).encode("ascii")


def format_disclosures(encoded: Sequence[str]) -> bytes:
    """The file of one entry's private facts; the auditor's receipt reads it, too."""
    return canonical.encode({_SHOWN: list(encoded)})


def check_disclosures(data: bytes) -> None:
    """Refuse a file of private facts that is not in its only spelling.

    Whether they are those of an entry, ``receipt.open_evidence`` tells.

    Raises:
        MalformedError: another spelling, or something else stands in it.
    """
    value = canonical.decode(data)
    if not isinstance(value, dict) or set(value) != {_SHOWN}:
        raise MalformedError(f"expected an object with nothing but {_SHOWN!r}")
