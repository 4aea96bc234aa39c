"""What an export says about itself to whoever opens the folder."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["heading", "readme"]

_HEADING = "The consent log {origin}"

_TEXT = """\
{heading}
{rule}

This folder is a copy for auditors. Nothing in it is to be trusted for lying here:
get the log's verifier keys from the operator by another way, compare them with those
below, and keep the file `checkpoint` for the next time. VKEY is the key in use.

By a tool that is not ours
--------------------------
`checkpoint` and `tile/` are the files of a C2SP tlog-tiles log. Tessera's fsck rebuilds
the tree from the entries and compares it with the signed root (Go is needed):

  printf %s 'VKEY' > ../fsck.key
  go run github.com/transparency-dev/tessera/cmd/fsck@latest \\
    --storage_url=file://"$PWD"/ --public_key=../fsck.key --ui=false

Was the folder copied whole? MANIFEST lists each file with size and SHA-256. It finds
accidents, not forgers:

  awk '{{print $3 "  " $1}}' MANIFEST | sha256sum --check --quiet

By ours
-------
All layers: the tree, its history, what the entries say, and everything else here. It
needs Python, `pip install --no-deps consentkit` and `pip install cryptography`, no
server, no database and no private key:

  consentkit verify . --policy policy{keys}

Each of these keys signed checkpoints of this log, at its time; the newest is the last.
Without a retired key, what only that one signed is not checked.

Look at `policy` first: it names the witnesses that the operator chose. Write your own
if you trust others. Add `--since FILE` for each checkpoint and receipt that you kept.

On what basis did somebody get something? The operator tells you the person's handle
(`flask consent handle`); this folder names nobody:

  consentkit as-of . --subject HANDLE --at 2026-01-31T12:00:00Z --key VKEY

What lies here
--------------
checkpoint, tile/      the log
checkpoints/           every checkpoint that it signed up to this size
keys                   the keys that its entries register, log first: role and VKEY
policy                 the log's keys and its witnesses (C2SP tlog-policy)
notices/               every text that was shown: HTML, and its manifest by SHA-256
batches/               who was in a batch, by handle, as long as that is kept
disclosures/           private facts behind entries, as far as they were asked for;
                       who acted for the operator is always meant to be here
timestamps/            RFC 3161 time stamps over checkpoints, if the log has any
MANIFEST               each of these files with size and SHA-256
"""


def heading(origin: str) -> bytes:
    """What the file ``README`` of an export of that log begins with, keys aside."""
    return f"{_HEADING.format(origin=origin)}\n".encode()


def readme(origin: str, vkeys: Iterable[str]) -> bytes:
    """The file ``README`` of an export of the log ``origin``, with all of its keys."""
    title = _HEADING.format(origin=origin)
    keys = "".join(f" \\\n    --key {shlex.quote(vkey)}" for vkey in vkeys)
    return _TEXT.format(heading=title, rule="=" * len(title), keys=keys).encode()
