"""People by the million in an app's database, three published leaves each.

Everybody agrees, then data is shared on that; then six of ten share once more, and the
others take it back. Each leaf is signed by the app's collector key, chained and sealed
as the services do it, but written down without looking at it, by all processors, and
put into the tables many at a time. Whether it holds is for a verification to say.
"""

from __future__ import annotations

import os
import secrets
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import sqlalchemy as sa

from consentkit.core import canonical
from consentkit.core.act import State
from consentkit.log import sealing
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.merkle import hash_leaf
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import plan
from consentkit.log.tiles import partial_tiles
from consentkit.service.publishing import publish_all
from consentkit.service.publishing import write_files
from consentkit.store import schema
from consentkit.store.batch_standings import insert_many
from tests.bench.act import logged_notice
from tests.bench.large_log import signed_leaf
from tests.bench.world import LONG
from tests.bench.world import World
from tests.declared import CREDIT
from tests.declared import SCORE

if TYPE_CHECKING:
    from consentkit.log.keys import Signer
    from consentkit.log.publisher import Publication

__all__ = ["AT_ONCE", "LEAVES_EACH", "SPAN_MS", "agreed", "populate"]

LEAVES_EACH = 3
AT_ONCE = 8_192  # people written together: their leaves are some 25 MB
SPAN_MS = 300_000
"""All of it happened within so long, until now: times may not run back any further
behind those of the leaves that the app began its log with."""

_OF_TEN = 6  # so many go on agreeing
_CACHE_KIB = 1_000_000  # for SQLite's indices over random ids
_LOG_ID = 1


def agreed(number: int) -> bool:
    """Whether the person of that number still agrees at the end."""
    return number % 10 < _OF_TEN


class _Rows(NamedTuple):
    """What some people add, table by table; leaves without their places."""

    leaves: list[tuple[Any, ...]]
    people: list[tuple[Any, ...]]
    states: list[tuple[Any, ...]]
    evidence: list[tuple[Any, ...]]
    disclosures: list[tuple[Any, ...]]


@dataclass(frozen=True)
class _Scribe:
    """Writes what some people and the app did; in a process of its own."""

    origin: str
    collector: Signer
    wrapping_key: bytes
    notice: str
    choice: dict[str, Any]
    began: int
    leaves: int  # in all

    def time(self, index: int) -> int:
        """When the leaf of that number was written: 1 ms each, if there is room."""
        return self.began + index * min(self.leaves, SPAN_MS) // self.leaves

    def write(self, first: int, count: int) -> _Rows:
        rows = _Rows([], [], [], [], [])
        people = [_Person(self, rows, number) for number in range(first, first + count)]
        index = LEAVES_EACH * first
        agreeing, sharing, last = (self.time(index + n * count) for n in range(3))
        for each in people:
            each.agree(agreeing)
        for each in people:
            each.share(sharing)
        for each in people:
            (each.share if agreed(each.number) else each.stop)(last)
        for each in people:
            each.settle()
        return rows


class _Person:
    """Somebody's chain of leaves, and what the tables say of them."""

    def __init__(self, scribe: _Scribe, rows: _Rows, number: int) -> None:
        self.number = number
        self._scribe = scribe
        self._rows = rows
        self._handle = secrets.token_hex(16)
        self._data_key = sealing.new_data_key()
        self._seq = 0
        self._head = ""
        self._record = self._grant = ""
        self._state: tuple[Any, ...] = ()

    def agree(self, time: int) -> None:
        until = time + LONG
        choice = {**self._scribe.choice, "state": State.GIVEN.value, "until": until}
        self._record = self._act("choice", choice, time, notice=self._scribe.notice)
        self._grant = self._head
        self._state = (
            *(State.GIVEN.value, " ".join(choice["data"]), until, choice["scope"]),
            *("session", self._record, time, self._scribe.notice),
        )

    def stop(self, time: int) -> None:
        over = {"data": [], "state": State.WITHDRAWN.value, "until": 0}
        choice = {**self._scribe.choice, **over}
        act = self._act("revocation", choice, time)
        self._state = (
            *(State.WITHDRAWN.value, "", 0, choice["scope"]),
            *("session", act, time, ""),
        )

    def share(self, time: int) -> None:
        choice = self._scribe.choice
        body = {
            **{key: choice[key] for key in ("data", "purpose", "recipient", "scope")},
            "amount": 12,
            "caller": "jobs.score",
            "channel": "server",
            "grant": self._grant,
            "record": self._record,
        }
        share = self._leaf("disclosure", body, time)
        line = SCORE.id, CREDIT.id, " ".join(choice["data"]), "granted", self._record
        self._rows.disclosures.append((share, str(self.number), time, *line, _LOG_ID))

    def settle(self) -> None:
        """Write down where the chain ends and what the person last said."""
        scribe, subject = self._scribe, str(self.number)
        wrapped = sealing.wrap_key(
            self._data_key, scribe.wrapping_key, self._handle.encode()
        )
        chain = self._handle, wrapped, self._seq, self._head
        self._rows.people.append((subject, *chain, scribe.began))
        self._rows.states.append((subject, SCORE.id, CREDIT.id, *self._state))

    def _act(self, kind: str, choice: dict[str, Any], time: int, **more: str) -> str:
        """A choice or its end, with private evidence."""
        facts = [sealing.Disclosure.make("locale", "en")]
        body = {
            "actor": "subject",
            "assurance": "session",
            "challenge": secrets.token_hex(32),
            "channel": "web",
            "choices": [choice],
            "evidence": sealing.commit(facts),
            **more,
        }
        act = self._leaf(kind, body, time)
        sealed = sealing.seal(
            self._data_key,
            canonical.encode([each.encoded for each in facts]),
            sealing.evidence_context(self._scribe.origin, act),
        )
        self._rows.evidence.append((act, self._handle, sealed))
        return act

    def _leaf(self, kind: str, body: dict[str, Any], time: int) -> str:
        act, scribe = secrets.token_hex(16), self._scribe
        whole = {
            **body,
            "id": act,
            "kind": kind,
            "log": scribe.origin,
            "prev": self._head,
            "seq": self._seq,
            "subject": self._handle,
            "time": time,
        }
        data = signed_leaf(canonical.encode(whole), scribe.collector)
        leaf_hash = hash_leaf(data)
        place = self._handle, self._seq, body.get("challenge"), time
        self._rows.leaves.append((act, kind, leaf_hash, data, *place))
        self._seq, self._head = self._seq + 1, leaf_hash.hex()
        return act


def populate(made: World, people: int) -> None:
    """Put so many people into an app where nobody is yet; their ids are numbers."""
    installation = made.installation
    notice = logged_notice(made)
    publish_all(installation)
    question = made.question
    scribe = _Scribe(
        installation.origin,
        installation.keyring.collector,
        installation.keyring.key_encryption_key,
        notice.digest,
        {
            "data": list(question.data),
            "purpose": question.purpose_id,
            "recipient": question.recipient_id,
            "scope": question.scope,
        },
        installation.clock() - min(LEAVES_EACH * people, SPAN_MS),
        LEAVES_EACH * people,
    )
    installation.close()  # nothing is open when processes are forked
    with made.installation.database.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
        log = _Log(made, connection)
        for rows in _written(scribe, people):
            log.add(rows)
        log.publish()
    installation.close()


def _written(scribe: _Scribe, people: int) -> Iterator[_Rows]:
    """The rows, in order, a few portions ahead."""
    jobs = os.cpu_count() or 1
    # Forked, and told by the fork: a key cannot be sent.
    with ProcessPoolExecutor(
        jobs, get_context("fork"), initializer=_begin, initargs=(scribe,)
    ) as pool:
        waiting: deque[Future[_Rows]] = deque()
        for first in range(0, people, AT_ONCE):
            count = min(AT_ONCE, people - first)
            waiting.append(pool.submit(_write_some, first, count))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_scribes: list[_Scribe] = []  # the one of this process


def _begin(scribe: _Scribe) -> None:
    _scribes.append(scribe)


def _write_some(first: int, count: int) -> _Rows:
    return _scribes[0].write(first, count)


class _Log:
    """The log of an app, while a great deal is put into it."""

    def __init__(self, made: World, connection: sa.Connection) -> None:
        self._installation = made.installation
        self._connection = connection
        with made.installation.publications.prefixes() as prefixes:
            self._frontier: Frontier = prefixes.frontier
        position = sa.select(sa.func.max(schema.leaf.c.position))
        self._offset = (connection.scalar(position) or 0) + 1 - self._frontier.size
        self._partial: dict[tuple[int, int], bytes] = {}
        self._edge: dict[str, bytes] = {}
        self._last: Publication | None = None

    def add(self, rows: _Rows) -> None:
        first = self._frontier.size
        for table, added in (
            (schema.subject, rows.people),
            (schema.state, rows.states),
            (schema.evidence, rows.evidence),
            (schema.disclosure, rows.disclosures),
            (
                schema.leaf,
                [
                    (index + self._offset, _LOG_ID, index, *leaf)
                    for index, leaf in enumerate(rows.leaves, first)
                ],
            ),
        ):
            insert_many(self._connection, table, added)
        self._grow([leaf[3] for leaf in rows.leaves])

    def _grow(self, leaves: list[bytes]) -> None:
        """Tiles and bundles; what is only partly full waits for the last portion."""
        self._last = grown = plan(self._installation.origin, self._frontier, leaves)
        self._frontier = grown.frontier
        for row in grown.rows:
            self._partial[row.level, row.n] = row.hashes
        full = [key for key, each in self._partial.items() if len(each) == 8_192]
        self._keep({key: self._partial.pop(key) for key in full})
        for path, data in grown.files.items():
            if ".p/" in path:
                self._edge[path] = data  # outgrown by later portions, or not
            else:
                _write(self._installation.log_folder / path, data)

    def publish(self) -> None:
        """Sign what there is now, as if it had been published all along."""
        assert self._last is not None
        self._keep(self._partial)
        installation, connection = self._installation, self._connection
        size = self._last.size
        for tile in partial_tiles(size):
            _write(installation.log_folder / tile.path, self._edge[tile.path])
        note = sign_checkpoint(self._last.checkpoint, installation.keyring.log)
        installation.high_water.write(note)
        now = installation.clock()
        insert_many(connection, schema.checkpoint, [(_LOG_ID, size, note, now)])
        connection.execute(sa.update(schema.log).values(size=size))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT setval(pg_get_serial_sequence('consent_leaf', 'position'), "
                "(SELECT max(position) FROM consent_leaf))"
            )
        write_files(installation.log_folder, (), note)

    def _keep(self, tiles: dict[tuple[int, int], bytes]) -> None:
        table = schema.tile
        for level, n in tiles:
            same = table.c.log == _LOG_ID, table.c.level == level, table.c.number == n
            self._connection.execute(sa.delete(table).where(*same))
        rows = [(_LOG_ID, *key, hashes) for key, hashes in tiles.items()]
        insert_many(self._connection, table, rows)


def _write(place: Path, data: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
