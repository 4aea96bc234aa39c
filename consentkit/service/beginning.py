"""How a log begins: with its name, its keys, and where it continues another.

A log that follows a closed one names its last checkpoint, so that nobody can put
another end in its place: the old log's key is not needed to tell, and may be stolen.
What is in force goes on, since it is the same database; what an auditor has to find in
the log itself, the notices and the keys, is written anew (``docs/adr/0016``).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.core.notice import Notice
from consentkit.errors import ConfigurationError
from consentkit.log.encoding import encode_base64
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.asking import notice_fields
from consentkit.store.history import History
from consentkit.store.keys import Keys
from consentkit.store.keys import public_half
from consentkit.store.publications import Publications
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.core.act import Millis
    from consentkit.core.canonical import JSON
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.keyring import Keyring
    from consentkit.store.database import Database
    from consentkit.store.logs import LogRow

__all__ = ["check_new", "first_leaves", "leaves_after"]


def first_leaves(registry: Registry, keyring: Keyring, now: Millis) -> Iterator[Leaf]:
    """The leaves of a log that is the first one.

    Raises:
        ConfigurationError: a key cannot be made or read.
    """
    return _sign(keyring, now, _genesis(registry), *_keys(keyring))


def leaves_after(
    closed: LogRow,
    registry: Registry,
    keyring: Keyring,
    *,
    database: Database,
    now: Millis,
) -> Iterator[Leaf]:
    """The leaves of a log that follows the one that was closed.

    Raises:
        ConfigurationError: a key cannot be made or read, or an earlier log had it.
        MalformedError: a stored notice is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    genesis = _genesis(registry)
    latest = Publications(database, closed).latest()
    if latest is not None and closed.closure is not None:
        genesis["previous"] = {
            "checkpoint": encode_base64(latest[1]).decode(),
            "reason": closed.closure.reason,
        }
    keys = _keys(keyring)
    check_new(keyring, database, closed)
    yield from _sign(keyring, now, genesis, *keys)
    for _, manifest, html in History(database).all_notices():
        notice = Notice.from_bytes(blob(manifest), blob(html))
        fields: dict[str, JSON] = {"kind": Kind.NOTICE.value, **notice_fields(notice)}
        yield from _sign(keyring, now, fields)


def check_new(keyring: Keyring, database: Database, closed: LogRow) -> None:
    """Refuse a key of the log that is to be followed: whoever stole it signs with it.

    Raises:
        ConfigurationError: it had one of these keys.
        LogUnavailableError: the database cannot be reached.
    """
    used = {public_half(each.vkey) for each in Keys(database, closed.id).ranges()}
    if used & set(map(public_half, keyring.vkeys)):
        raise ConfigurationError(
            f"a key of the log {closed.origin!r}, which was closed, is given for "
            f"{keyring.origin!r}: expected new ones, in CONSENTKIT_COLLECTOR_KEY and "
            "CONSENTKIT_LOG_KEY, or made by 'flask consent keys new --successor "
            f"{keyring.origin}'"
        )


def _genesis(registry: Registry) -> dict[str, JSON]:
    return {"kind": Kind.GENESIS.value, "controller": registry.controller.id}


def _keys(keyring: Keyring) -> list[dict[str, JSON]]:
    """The keys that may write to the log, made now if they are nowhere."""
    keyring.make_all()
    common: dict[str, JSON] = {"kind": Kind.KEY.value, "from": 0}
    return [
        {**common, "role": "collector", "vkey": keyring.collector.vkey},
        {**common, "role": "log", "vkey": keyring.log.vkey},
    ]


def _sign(keyring: Keyring, now: Millis, *bodies: dict[str, JSON]) -> Iterator[Leaf]:
    for body in bodies:
        common = {"id": secrets.token_hex(16), "log": keyring.origin, "time": now}
        yield read_leaf(sign_leaf({**body, **common}, keyring.collector))
