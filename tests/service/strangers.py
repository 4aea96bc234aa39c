"""Rows among the leaves that no process of the app wrote, added past it by SQL."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from typing import NamedTuple

import psycopg

from consentkit.core.act import Kind
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import KEY_ID_SIZE
from consentkit.log.note import Signature
from consentkit.log.tiles import MAX_ENTRY_BYTES
from consentkit.service import key_texts
from consentkit.service.signers import NamedSigner
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from typing import TypeAlias

    from consentkit.log.keys import Signer
    from consentkit.log.leaf import Leaf

    Forge: TypeAlias = Callable[[Leaf, Signer], "Stranger"]

__all__ = [
    "GARBAGE",
    "SIGNED",
    "UNSIGNED",
    "Stranger",
    "add",
    "add_here",
    "as_an_act",
    "hash_of",
    "of_leaf",
]

GARBAGE = b"not a leaf"


class Stranger(NamedTuple):
    """What somebody puts into a row; by default that of no leaf at all."""

    kind: str = Kind.CHOICE.value
    data: bytes = GARBAGE
    id: str = ""
    hash: bytes = b""
    handle: str | None = None
    seq: int | None = None
    challenge: str | None = None
    time: int = NEW_YEAR

    @property
    def values(self) -> tuple[object, ...]:
        """In the order of the columns of ``_COLUMNS``."""
        return (
            self.id or secrets.token_hex(16),
            *(self.kind, self.hash or hash_leaf(self.data), self.data),
            *(self.handle, self.seq, self.challenge, self.time),
        )


_COLUMNS = "(log, id, kind, hash, bytes, handle, seq, challenge, time)"


def add(uri: str, *strangers: Stranger, log: int = 1) -> None:
    """Put them in as whoever logs in there."""
    with psycopg.connect(uri) as connection:
        for each in strangers:
            connection.execute(
                f"INSERT INTO consent_leaf {_COLUMNS} VALUES "  # noqa: S608  constants
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (log, *each.values),
            )


def hash_of(stranger: Stranger) -> str:
    """By which the row is named."""
    return hash_leaf(stranger.data).hex()


def add_here(sql: Callable[..., object], stranger: Stranger) -> None:
    """The same in SQLite, where whoever may do it may do everything."""
    sql(
        f"INSERT INTO consent_leaf {_COLUMNS} VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  constants
        *stranger.values,
    )


def of_leaf(leaf: Leaf) -> Stranger:
    """The row that a process of the app would write for that leaf."""
    challenge = leaf.body.get("challenge") or None
    return Stranger(
        *(leaf.kind.value, leaf.data, leaf.id, leaf.hash),
        *(leaf.subject, leaf.seq, challenge, leaf.time),
    )


def _signed(
    kind: Kind, signer: Signer, fields: Mapping[str, str | int], *, log: str = ORIGIN
) -> Stranger:
    """The row of a leaf that is sound, whoever signed it."""
    common = {"id": secrets.token_hex(16), "kind": kind.value, "log": log}
    body = {**fields, **common, "time": NEW_YEAR}
    return of_leaf(read_leaf(sign_leaf(body, signer)))


def _other_key(name: str) -> Signer:
    return NamedSigner(name, key_texts.open_key(key_texts.new_pem(), label="a key"))


def _once_more(genuine: Leaf, _: Signer) -> Stranger:
    """Its signature holds; nothing that the log may hold once stands in its row."""
    row = of_leaf(genuine)._replace(id="", handle=None, seq=None, challenge=None)
    return row._replace(time=NEW_YEAR + 1)


def _of_another_key(_: Leaf, signer: Signer) -> Stranger:
    return _signed(Kind.ADMIN, _other_key(signer.name), _NOTHING)


def _padded(genuine: Leaf, _: Signer) -> Stranger:
    """A genuine leaf with a line of nobody's below it, a byte longer than a leaf."""
    missing = MAX_ENTRY_BYTES + 1 - len(genuine.data) - len("— x \n".encode())
    name = "x" * (missing % 4 + 1)  # what follows it is base64, of four characters each
    raw = bytes(missing // 4 * 3)
    line = Signature(name, raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:]).line
    assert len(genuine.data + line) == MAX_ENTRY_BYTES + 1
    return Stranger(data=genuine.data + line)


def _another_range(_: Leaf, signer: Signer) -> Stranger:
    """A known key, made valid from elsewhere; signed by one that is not known."""
    fields: dict[str, str | int] = {"role": "collector", "vkey": signer.vkey}
    return _signed(Kind.KEY, _other_key(signer.name), {**fields, "from": 999})


_NOTHING = {"action": "test", "target": "nothing", "evidence": "0" * 64}

UNSIGNED: dict[str, Forge] = {
    **{
        f"no leaf, as a {kind.value}": lambda *_, k=kind.value: Stranger(k)
        for kind in (Kind.CHOICE, Kind.KEY, Kind.CLOSURE, Kind.NOTICE, Kind.ADMIN)
    },
    "another hash": lambda leaf, _: Stranger(data=leaf.data, hash=b"\0" * 32),
    "empty": lambda *_: Stranger(data=b""),
    "much too long": lambda *_: Stranger(data=b"x" * 10_000_000),
    "a byte too long": _padded,
    "a leaf of the log once more": _once_more,
    "of another key of that name": _of_another_key,
    "a known key from elsewhere": _another_range,
}
"""What whoever holds no key of the app's can add as the role of a web process."""


def _key(_: Leaf, signer: Signer) -> Stranger:
    vkey = _other_key(f"{ORIGIN}/collector/a9").vkey
    fields: dict[str, str | int] = {"role": "collector", "vkey": vkey, "from": 1}
    return _signed(Kind.KEY, signer, fields)


def _key_again(_: Leaf, signer: Signer) -> Stranger:
    """What the log's second entry says, once more."""
    fields: dict[str, str | int] = {"role": "collector", "vkey": signer.vkey, "from": 0}
    return _signed(Kind.KEY, signer, fields)


def _closure(_: Leaf, signer: Signer) -> Stranger:
    return _signed(
        Kind.CLOSURE, signer, {"reason": "over", "successor": "shop.example/log"}
    )


def _of_another_log(_: Leaf, signer: Signer) -> Stranger:
    del signer
    log = "shop.example/log"
    return _signed(Kind.ADMIN, _other_key(f"{log}/collector/a1"), _NOTHING, log=log)


def _ahead(genuine: Leaf, signer: Signer) -> Stranger:
    """Of that person, two entries on."""
    seq = (genuine.seq or 0) + 2
    body = {**genuine.body, "id": secrets.token_hex(16), "seq": seq, "prev": "0" * 64}
    body["challenge"] = secrets.token_hex(32)
    return of_leaf(read_leaf(sign_leaf(body, signer)))


def as_an_act(signer: Signer) -> Stranger:
    """One that no check of an entry by itself finds: it is in the log, as it came."""
    return _signed(Kind.ADMIN, signer, _NOTHING)


SIGNED: dict[str, Forge] = {
    "a key": _key,
    "a key that is known": _key_again,
    "a closure": _closure,
    "a genesis": lambda _, signer: _signed(
        Kind.GENESIS, signer, {"controller": "wallet"}
    ),
    "of another log": _of_another_log,
    "a gap in a person's entries": _ahead,
}
"""What whoever has taken over a web process can add, who signs as it does."""
