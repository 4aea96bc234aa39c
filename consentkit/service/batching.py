"""Many people, one recipient, one leaf: written down first, then shared (R74 to R76).

Everybody is asked about, and those whose answer covers it get an entry in a tree whose
root stands in the leaf; the others are noted with the reason. Check, entries and leaf
are one transaction that overlaps with no other: at the leaf's place in the log each
entry rests on a grant in force. It is durable when ``share_with_many`` returns, and
only then does the caller's code run; if it cannot be written, nothing leaves.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.log.batch import BatchTree
from consentkit.log.batch import hash_entries
from consentkit.log.tiles import TILE_WIDTH
from consentkit.service.batch import Batch
from consentkit.service.batch_gate import BatchGate
from consentkit.service.failing import cause_of
from consentkit.service.failing import log_failed_share
from consentkit.service.judging import Judge
from consentkit.service.observing import tell_decision
from consentkit.service.reaching import tell_reached
from consentkit.service.recording import sign_plain_leaf
from consentkit.service.release import Terms
from consentkit.service.sharing import known_ids
from consentkit.service.sharing import line_of
from consentkit.store.batch_standings import STANDING
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    import sqlalchemy as sa

    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.judging import Wanted
    from consentkit.service.sharing import Circumstances
    from consentkit.store.batch_writing import BatchWriter
    from consentkit.store.batch_writing import Candidate
    from consentkit.store.ledger import Transaction

__all__ = ["People", "share_with_many"]

# Of the decision about everybody: no answer of anybody's could have made it a yes.
_ABOUT_ALL = frozenset(
    {
        Reason.PURPOSE_UNKNOWN,
        Reason.RECIPIENT_UNKNOWN,
        Reason.RECIPIENT_INACTIVE,
        Reason.SUSPENDED,
    }
)
_RECORD = STANDING + STATUS_COLUMNS.index("record")
_GRANTED = Reason.GRANTED.value
_SCOPE_OF_NOTHING = "0" * 64  # of a question that was never declared: it has no entries


@dataclass(frozen=True)
class People:
    """Who is asked about: a statement that selects ids, or ids.

    ``is_id`` says whether a text can be anybody's id, ``restored`` makes of the text
    what the app had given.
    """

    ids: sa.SelectBase | Iterable[str | None]
    is_id: Callable[[str], bool]
    restored: Callable[[str], Any] = str


def share_with_many(
    installation: Installation,
    people: People,
    wanted: Wanted,
    circumstances: Circumstances,
    *,
    counted: bool = False,
    lifetime: float,
) -> Batch:
    """The batch, durable before it is returned; the withheld are on record, too.

    With ``counted`` its amount is a record for each person. It permits as many requests
    as there are people in it.

    Raises:
        ConsentDeniedError: nobody may be released, because of the purpose or the
            recipient; or it could not be written.
        InvalidRequestError: the statement selects something else than one column.
        ConfigurationError: its column is of a type that no subject id is of.
    """
    tell_reached(installation.registry, wanted.purpose, wanted.recipient)
    begun = time.perf_counter()
    try:
        with installation.ledger.write_alone() as transaction:
            writing = _Writing(installation, transaction, wanted, people.is_id)
            writing.ask(people.ids)
            leaf = writing.finish(circumstances, counted=counted)
            about_all = writing.about_all()
        row = installation.batches.row(leaf.id)
    except (InvalidRequestError, ConfigurationError):
        raise
    except Exception as error:  # noqa: BLE001  logged, and denied
        log_failed_share(error)
        decision = Decision(Reason.STORE_UNAVAILABLE, wanted.purpose, wanted.recipient)
        tell_decision(installation, "share", decision, begun=begun)
        raise ConsentDeniedError(decision) from cause_of(error)
    if about_all.reason in _ABOUT_ALL:
        tell_decision(installation, "share", about_all, begun=begun)
        raise ConsentDeniedError(about_all)
    decision = Decision(
        Reason.GRANTED,
        wanted.purpose,
        wanted.recipient,
        data=frozenset(leaf.body["data"]),
        until_ms=Millis(writing.until),
    )
    tell_decision(installation, "share", decision, begun=begun)
    gate = BatchGate(installation, wanted, decision, leaf, row, circumstances)
    return Batch(
        gate, terms=Terms(max(row.size, 1), lifetime), restored=people.restored
    )


@dataclass
class _Writing:
    """One batch on its way into the database."""

    installation: Installation
    transaction: Transaction
    wanted: Wanted
    is_id: Callable[[str], bool]
    named: int = 0
    withheld: int = 0
    until: int = 0
    _last: str | None = None
    _firsts: dict[int, str] = field(default_factory=dict)
    _tiles: list[tuple[int, int, int, str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._now = self.installation.clock()
        self._judge = Judge(self.installation, self.wanted, self._now)
        self._number = self._writer.next_number()
        self._tree = BatchTree(self._keep_tile)
        question = self._judge.question
        self._scope = question.scope if question else _SCOPE_OF_NOTHING

    @property
    def _writer(self) -> BatchWriter:
        return self.transaction.batches

    def ask(self, ids: sa.SelectBase | Iterable[str | None]) -> None:
        """Decide about everybody, in the order of their handles."""
        with closing(self._writer.candidates(ids, self._judge.asked)) as chunks:
            for chunk in chunks:
                self._take(chunk)

    def about_all(self) -> Decision:
        """What is said of whoever it is."""
        wanted = self.wanted
        suspended = self.transaction.suspended(wanted.purpose, wanted.recipient)
        return self._judge.on_all(suspended=suspended)

    def finish(self, circumstances: Circumstances, *, counted: bool) -> Leaf:
        """Write what the entries have in common, and the leaf."""
        root = self._tree.finish()
        self._flush_tiles()
        question, data = self._judge.question, self.wanted.data
        asked = question.categories if question and data is None else data or ()
        amount = self.named if counted else circumstances.amount
        line = line_of(
            replace(circumstances, amount=amount),
            self.wanted.purpose,
            self.wanted.recipient,
        )
        leaf = sign_plain_leaf(
            self.installation,
            Kind.DISCLOSURE_BATCH,
            {
                **line,
                "count": self.named,
                "data": known_ids(asked),
                "root": root.hex(),
                "withheld": self.withheld,
            },
            now=self._now,
        )
        self.transaction.append(leaf)
        self._writer.add_batch(self._number, leaf, scope=self._scope)
        self._writer.settle(self.named + self.withheld)
        return leaf

    def _take(self, chunk: Sequence[Candidate]) -> None:
        entries: list[tuple[int, str, str, str, bytes | None]] = []
        strangers: list[tuple[int, str, str]] = []
        named: list[tuple[str, str, bytes]] = []
        ends: list[int] = []
        number, judge = self._number, self._judge.on
        for row in self._each_once(chunk):
            subject, handle, act = row[:STANDING]
            reason, until = judge(row)
            if reason is Reason.GRANTED and handle and act:
                record = row[_RECORD]
                named.append((handle, record, act))
                entries.append((number, handle, _GRANTED, record, act))
                ends.append(until)
                continue
            if reason is Reason.GRANTED:
                reason = Reason.STORE_UNAVAILABLE  # nothing that it could rest on
            self.withheld += 1
            if handle:
                entries.append((number, handle, reason.value, "", None))
            elif self.is_id(subject):
                strangers.append((number, subject, reason.value))
        if ends:
            self.until = min(self.until or ends[0], *ends)
        self._name(named)
        self._writer.add_entries(entries)
        self._writer.add_strangers(strangers)
        self._flush_tiles()

    def _each_once(self, chunk: Sequence[Candidate]) -> Iterator[Candidate]:
        """Those who have an id, each once; the others are withheld."""
        for row in chunk:
            if row[0] is None:
                self.withheld += 1
            elif row[0] != self._last:
                self._last = row[0]
                yield row

    def _name(self, named: list[tuple[str, str, bytes]]) -> None:
        """Put people into the tree; note with whom its tiles begin."""
        begin = -self.named % TILE_WIDTH
        for at in range(begin, len(named), TILE_WIDTH):
            self._firsts[(self.named + at) // TILE_WIDTH] = named[at][0]
        self.named += len(named)
        self._tree.add(hash_entries(named, scope=self._scope))

    def _keep_tile(self, level: int, number: int, hashes: bytes) -> None:
        first = self._firsts.pop(number) if level == 0 else ""
        self._tiles.append((self._number, level, number, first, hashes))

    def _flush_tiles(self) -> None:
        self._writer.add_tiles(self._tiles)
        self._tiles.clear()
