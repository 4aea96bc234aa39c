"""From configuration values to a running installation: tables, keys, log, readers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.service.accompanying import Accompanied
from consentkit.service.ages import Ages
from consentkit.service.beginning import first_leaves
from consentkit.service.beginning import leaves_after
from consentkit.service.clocks import checked
from consentkit.service.finishing import is_finished
from consentkit.service.high_water import HighWater
from consentkit.service.installation import EarlierLog
from consentkit.service.installation import Installation
from consentkit.service.installation import system_clock
from consentkit.service.key_texts import make_folder
from consentkit.service.keyring import Keyring
from consentkit.service.keyring import check_opens
from consentkit.service.log_names import check_log_name
from consentkit.service.log_names import folder_name
from consentkit.service.log_names import namesake
from consentkit.service.observing import SILENT
from consentkit.service.observing import Narrator
from consentkit.service.restoring import stop_if_behind
from consentkit.service.retention import Retention
from consentkit.service.sending import Sends
from consentkit.service.signers import KeySources
from consentkit.service.staleness import Mirror
from consentkit.store.batches import Batches
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.deliveries import Deliveries
from consentkit.store.disclosures import Disclosures
from consentkit.store.erasing import Erasures
from consentkit.store.exports import Exports
from consentkit.store.heartbeat import Heartbeat
from consentkit.store.history import History
from consentkit.store.keys import LOG
from consentkit.store.keys import Keys
from consentkit.store.ledger import Ledger
from consentkit.store.logs import find_logs
from consentkit.store.logs import open_log
from consentkit.store.oversight import Oversight
from consentkit.store.postgres_replica import Replica
from consentkit.store.publications import Publications
from consentkit.store.representing import Representations
from consentkit.store.rights import check_may_number
from consentkit.store.timestamps import Timestamps
from consentkit.store.witnesses import Witnesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.accompanying import Companion
    from consentkit.service.authorities import Authority
    from consentkit.service.cosigners import Cosigner
    from consentkit.service.endpoints import Endpoint
    from consentkit.service.observing import Observer
    from consentkit.store.logs import LogRow

__all__ = ["Places", "start", "warn_of_development_keys"]

_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True)
class Places:
    """Where an installation keeps its things.

    ``shared`` says that the database is the one in which the app keeps its own tables.
    ``logs`` is the folder that holds one folder a log. ``high_water`` is the file that
    remembers how far the log has come; left out, it lies beside the keys. ``sources``
    are keys elsewhere than in the folder ``keys``. ``replica_uri`` is a replica of the
    database, empty where there is none that may be asked.
    """

    database_uri: str
    keys: Path
    logs: Path
    high_water: Path | None = None
    sources: KeySources = field(default_factory=KeySources)
    shared: bool = False
    connections: Connections = field(default_factory=Connections)
    replica_uri: str = ""

    def high_water_of(self, origin: str, *, follows: bool = False) -> HighWater:
        """The high-water file of that log: one each, also where a name is set."""
        name = folder_name(origin)
        path = self.high_water or self.keys / f"{name}.high-water"
        if self.high_water is not None and follows:
            path = path.with_name(f"{path.name}.{name}")
        return HighWater(path, origin=origin)


def start(
    registry: Registry,
    places: Places,
    *,
    origin: str,
    cosigners: Iterable[Cosigner] = (),
    authority: Authority | None = None,
    endpoints: Mapping[str, Endpoint] | None = None,
    origin_is_a_guess: bool = False,
    publishes: bool = True,
    production: bool = False,
    retention: Retention | None = None,
    ages: Ages | None = None,
    observer: Observer = SILENT,
    companion: Callable[[], Companion | None] = lambda: None,
    clock: Callable[[], Millis] = system_clock,
) -> Installation:
    """An installation whose tables, keys and log are there; safe to race.

    With ``origin_is_a_guess`` the log that is there already keeps its own name, and one
    that was closed is followed by the one it names. A log that was closed is only
    opened to finish its publication.
    ``observer`` is told what happens. ``companion`` gives the function of the app that
    writes its row beside an act, if there is one by then.
    ``publishes`` False is for a process that leaves publishing to another one: it
    needs no log key, unless it is the one to begin the log. In ``production`` no key
    is made here, and no development key used.

    Raises:
        DeclarationError: a mandatory element of a notice is missing; all are named.
        ConfigurationError: a place, a key or the origin cannot be used, or a key
            is not the one that the log was begun with.
        LogUnavailableError: the database cannot be reached or written.
        LogConflictError: the table of keys is not what the key leaves say.
        MalformedError: a leaf that registered a key is no longer one, or a notice is
            not what was stored.
    """
    registry.check_complete()
    clock = checked(clock)
    _check_name(origin)
    database = Database(
        places.database_uri, shared=places.shared, connections=places.connections
    )
    try:
        database.upgrade()
        cosigners = tuple(cosigners)
        logs = find_logs(database)
        origin = _origin(
            database, logs, origin, cosigners, is_a_guess=origin_is_a_guess
        )
        _check_folder(origin, logs)
        follows = bool(logs) and logs[0].origin != origin
        keyring = Keyring(
            places.keys,
            origin,
            sources=places.sources,
            production=production,
            follows=follows,
        )
        log, keyring = _opened(registry, database, keyring, clock)
        _check_keys(keyring, History(database), publishes=publishes)
        high_water = places.high_water_of(origin, follows=follows)
        if publishes:
            _check_publishes(places, high_water, database)
        installation = Installation(
            registry=registry,
            origin=origin,
            database=database,
            ledger=Ledger(
                database,
                log.id,
                committed=Narrator(registry, observer).tell,
                accompany=Accompanied(database, companion).accompany,
            ),
            history=History(database),
            oversight=Oversight(database),
            reader=database.reader(),
            publications=Publications(database, log),
            witnesses=Witnesses(database, log),
            exports=Exports(database, log),
            timestamps=Timestamps(database, log),
            keys=Keys(database, log.id),
            keyring=keyring,
            log_folder=places.logs / folder_name(origin),
            high_water=high_water,
            sends=Sends(database.send_locks(), database.when_durable),
            deliveries=Deliveries(database),
            disclosures=Disclosures(database),
            batches=Batches(database),
            erasures=Erasures(database),
            representations=Representations(database),
            cosigners=cosigners,
            authority=authority,
            endpoints=dict(endpoints or {}),
            retention=retention or Retention(),
            ages=ages or Ages(),
            observer=observer,
            mirror=_mirror(database, places),
            earlier={
                each.origin: _earlier(database, each)
                for each in logs
                if each.id < log.id
            },
            clock=clock,
        )
        stop_if_behind(installation)
        _tell_of_start(installation)
    finally:
        # A server that loads the app first and forks then must not hand connections
        # down: on SQLite the processes would take each other's locks for their own.
        database.dispose()
    return installation


def _check_name(origin: str) -> None:
    try:
        check_log_name(origin)
    except MalformedError as error:
        raise ConfigurationError(
            "CONSENTKIT_LOG_ORIGIN must be a name without spaces, '+' and parts such "
            f"as '..', for example 'wallet.example/consent/2026'; got {origin!r:.80}"
        ) from error


def _opened(
    registry: Registry,
    database: Database,
    keyring: Keyring,
    clock: Callable[[], Millis],
) -> tuple[LogRow, Keyring]:
    """The log, begun if it is not there, and the keyring that knows its keys."""

    def begin(closed: LogRow | None) -> Iterable[Leaf]:
        if closed is None:
            return first_leaves(registry, keyring, clock())
        return leaves_after(closed, registry, keyring, database=database, now=clock())

    log = open_log(database, keyring.origin, first_leaves=begin, now=clock())
    keys = Keys(database, log.id)
    keys.check()
    return log, replace(keyring, registered=keys.ranges())


def _check_publishes(places: Places, high_water: HighWater, database: Database) -> None:
    """Try what a publisher needs beside the key."""
    if places.high_water is None:  # with no key file there is no key folder yet
        make_folder(places.keys)
    high_water.check_writable()
    check_may_number(database)


def _mirror(database: Database, places: Places) -> Mirror | None:
    if not places.replica_uri:
        return None
    replica = Replica(places.replica_uri, places.connections)
    return Mirror(replica, Heartbeat(database))


def _tell_of_start(installation: Installation) -> None:
    if _LOGGER.isEnabledFor(logging.INFO):
        kind = installation.database.describe()
        _LOGGER.info(
            "consentkit: started, log %s, %s",
            installation.origin,
            kind,
            extra={"event": "started", "log": installation.origin, "database": kind},
        )


def _earlier(database: Database, log: LogRow) -> EarlierLog:
    return EarlierLog(
        publications=Publications(database, log),
        exports=Exports(database, log),
        timestamps=Timestamps(database, log),
        keys=Keys(database, log.id),
    )


def _origin(
    database: Database,
    logs: Sequence[LogRow],
    origin: str,
    cosigners: Sequence[Cosigner],
    *,
    is_a_guess: bool,
) -> str:
    """The log to go on with, or to begin."""
    newest = logs[-1] if logs else None
    if newest is None:
        return origin
    if newest.closed is None or (origin != newest.origin and not is_a_guess):
        return newest.origin if is_a_guess else origin
    publications = Publications(database, newest)
    if not is_finished(publications, Witnesses(database, newest), cosigners):
        return newest.origin
    successor = newest.closure.successor if newest.closure else ""
    if is_a_guess and successor:
        return successor
    raise ConfigurationError(
        f"the log {newest.origin!r} was closed, and all of it is published: set "
        f"CONSENTKIT_LOG_ORIGIN to the name of the log that follows, {successor!r}"
    )


def _check_folder(origin: str, logs: Sequence[LogRow]) -> None:
    """Refuse to begin a log whose files would lie among those of another."""
    known = [each.origin for each in logs]
    taken = "" if origin in known else namesake(origin, known)
    if taken:
        raise ConfigurationError(
            f"CONSENTKIT_LOG_ORIGIN is {origin!r}, which would have the folder of "
            f"the log {taken!r}, {folder_name(taken)}: set it to another name"
        )


def warn_of_development_keys(installation: Installation) -> None:
    """Say once where keys are used that were made by themselves."""
    places = sorted(installation.keyring.development_keys)
    if places:
        _LOGGER.warning(
            "consentkit: development keys are in use (%s); set CONSENTKIT_PRODUCTION "
            "where people's answers are taken, and make keys with 'flask consent keys "
            "new'",
            ", ".join(places),
            extra={"event": "development-keys"},
        )


def _check_keys(keyring: Keyring, history: History, *, publishes: bool) -> None:
    """Refuse to go on with other keys: what they do would be found out too late."""
    _ = keyring.collector
    if publishes:
        _ = keyring.log  # one that is configured has to be registered
        keyring.signers(
            each for each in keyring.registered if each.role == LOG and each.signs_on
        )
    check_opens(keyring, history.some_persons())
