"""From configuration values to a running installation: tables, keys, log, readers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from dataclasses import replace
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
from consentkit.service.keyring import check_opens
from consentkit.service.keyring import check_registered
from consentkit.store.database import Database
from consentkit.store.history import History
from consentkit.store.ledger import Ledger
from consentkit.store.logs import find_log
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
    origin_is_a_guess: bool = False,
    publishes: bool = True,
    clock: Callable[[], Millis] = system_clock,
) -> Installation:
    """An installation whose tables, keys and log are there; safe to race.

    With ``origin_is_a_guess`` the log that is there already keeps its own name.
    ``publishes`` False is for a process that leaves publishing to another one: it
    needs no log key, unless it is the one to begin the log.

    Raises:
        DeclarationError: a mandatory element of a notice is missing; all are named.
        ConfigurationError: a place, a key or the origin cannot be used, or a key
            is not the one that the log was begun with.
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
    found = find_log(database) if origin_is_a_guess else None
    origin = found.origin if found else origin
    keyring = Keyring(places.keys, origin)
    log = open_log(
        database,
        origin,
        first_leaves=lambda: _first_leaves(registry, keyring, origin, clock()),
        now=clock(),
    )
    history = History(database, log.id)
    keyring = replace(keyring, begun=True)
    _check_keys(keyring, history, publishes=publishes)
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


def _check_keys(keyring: Keyring, history: History, *, publishes: bool) -> None:
    """Refuse to go on with other keys: what they do would be found out too late."""
    key_leaves = history.keys()
    check_registered(keyring.collector, "collector", key_leaves)
    if publishes:
        check_registered(keyring.log, "log", key_leaves)
    check_opens(keyring, history.some_persons())


def _first_leaves(
    registry: Registry, keyring: Keyring, origin: str, now: Millis
) -> Iterator[Leaf]:
    """How a log begins: with its name, then with the keys that may write to it."""
    keyring.make_all()
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
