"""From configuration values to a running installation: tables, keys, log, readers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.log.keys import check_key_name
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.installation import Installation
from consentkit.service.installation import system_clock
from consentkit.service.keyring import Keyring
from consentkit.service.keyring import check_registered
from consentkit.store.database import Database
from consentkit.store.history import History
from consentkit.store.ledger import Ledger
from consentkit.store.logs import open_log
from consentkit.store.publications import Publications
from consentkit.store.reader import SqliteReader
from consentkit.store.witnesses import Witnesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.core.act import Millis
    from consentkit.core.canonical import JSON
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.cosigners import Cosigner

__all__ = ["Places", "start"]


@dataclass(frozen=True)
class Places:
    """Where an installation keeps its things.

    ``logs`` is the folder that holds one folder a log.
    """

    database_uri: str
    keys: Path
    logs: Path


def start(
    registry: Registry,
    places: Places,
    *,
    origin: str,
    cosigners: Iterable[Cosigner] = (),
    clock: Callable[[], Millis] = system_clock,
) -> Installation:
    """An installation whose tables, keys and log are there; safe to race.

    Raises:
        DeclarationError: a mandatory element of a notice is missing; all are named.
        ConfigurationError: a place, a key or the origin cannot be used.
        LogUnavailableError: the database cannot be reached or written.
        MalformedError: a leaf that registered a key is no longer one.
    """
    registry.check_complete()
    try:
        check_key_name(origin)
    except MalformedError as error:
        raise ConfigurationError(
            "CONSENTKIT_LOG_ORIGIN must be a name without spaces and '+', such as "
            f"'wallet.example/consent/2026'; got {origin!r:.80}"
        ) from error
    database = Database(places.database_uri)
    database.upgrade()
    keyring = Keyring(places.keys, origin)
    log = open_log(
        database,
        origin,
        first_leaves=lambda: _first_leaves(registry, keyring, origin, clock()),
        now=clock(),
    )
    history = History(database, log.id)
    check_registered(keyring.collector, "collector", history.keys())
    # A server that loads the app first and forks then must not hand SQLite's
    # connections down: the processes would take each other's locks for their own.
    database.dispose()
    return Installation(
        registry=registry,
        origin=origin,
        ledger=Ledger(database, log.id),
        history=history,
        reader=SqliteReader(database.path),
        publications=Publications(database, log),
        witnesses=Witnesses(database, log),
        keyring=keyring,
        log_folder=places.logs / origin.replace("/", "_"),
        cosigners=tuple(cosigners),
        clock=clock,
    )


def _first_leaves(
    registry: Registry, keyring: Keyring, origin: str, now: Millis
) -> Iterator[Leaf]:
    """How a log begins: with its name, then with the keys that may write to it."""
    bodies: list[dict[str, JSON]] = [
        {"kind": Kind.GENESIS.value, "controller": registry.controller.id},
        {
            "kind": Kind.KEY.value,
            "role": "collector",
            "vkey": keyring.collector.vkey,
            "from": 0,
        },
        {"kind": Kind.KEY.value, "role": "log", "vkey": keyring.log.vkey, "from": 0},
    ]
    for body in bodies:
        common = {"id": secrets.token_hex(16), "log": origin, "time": now}
        yield read_leaf(sign_leaf({**body, **common}, keyring.collector))
