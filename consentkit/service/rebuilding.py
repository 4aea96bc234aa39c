"""Is what is stored what the leaves say? The tables are projections; leaves are truth.

Compared are the answers, the disclosures, the ends of the persons' chains, the notices,
the suspensions and the private evidence. What an erasure or a purge took out is not
missed; what is missing without one is. The lines name handles, leaf ids, digests and
declared ids, and nothing about a person.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.replay import StateTable
from consentkit.core.act import Kind
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import RELEASE_ACTIONS
from consentkit.log.leaf import read_leaf
from consentkit.service.batch_comparing import batch_differences
from consentkit.service.dropped import DroppedLogs
from consentkit.service.evidence import StoredEvidence
from consentkit.service.evidence import ToldEvidence
from consentkit.service.purging import PURGE
from consentkit.service.purging import cutoff_of
from consentkit.service.purging import summary
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.audit.replay import Key
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.history import History

__all__ = ["differences"]

_NAME = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?\Z")
_NO_LEAF_YET: tuple[int, str] = (0, "")


def differences(installation: Installation) -> Iterator[str]:
    """Each row of a table that is not what the replay of all leaves amounts to.

    All logs of the database are replayed, one after the other, but those that
    were dropped.

    A leaf that is missing from the middle of a person's chain is named as well.

    Raises:
        MalformedError: a stored leaf is no longer one.
        LogUnavailableError: the database cannot be reached.
    """
    history = installation.history
    # The tables first: acts that come in meanwhile are then in the leaves at least,
    # and a second run tells them from real differences.
    evidence = StoredEvidence.read(installation)
    stored = _Stored.read(history)
    suspended = installation.oversight.suspensions()
    dropped = DroppedLogs.read(installation)
    told = _Told(purged=evidence.purged, barred=evidence.barred, dropped=dropped)
    for data in history.all_leaves():
        yield from told.apply(read_leaf(data))
    answers: dict[Key, Status | None] = {
        key: row.status for key, row in told.answers.items()
    }
    yield from _answers(answers, stored.answers)
    yield from _disclosures(told.disclosures, stored.disclosures)
    yield from batch_differences(installation, told.batches)
    yield from _bars(told.bars, stored.bars, set(told.disclosures))
    yield from _revived(told.evidence.erased, stored.chain_ends)
    yield from _chain_ends(told.chain_ends, stored.chain_ends)
    yield from _notices(told.notices, stored.notices)
    yield from _suspensions(told.suspensions, suspended)
    yield from told.evidence.differences(evidence)
    yield from dropped.differences()


@dataclass(frozen=True)
class _Stored:
    """What the tables say; of a notice only whether it is what its leaf names."""

    answers: Mapping[Key, Status | None]
    disclosures: Mapping[str, Mapping[str, Any]]
    bars: Mapping[str, Any]
    chain_ends: Mapping[str, tuple[Any, Any]]
    notices: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls, history: History) -> _Stored:
        return cls(
            answers=dict(history.all_statuses()),
            disclosures=dict(history.all_disclosures()),
            bars=history.all_bars(),
            chain_ends=dict(history.all_chain_ends()),
            notices={
                digest: (_sha256(manifest), _sha256(html))
                for digest, manifest, html in history.all_notices()
            },
        )


@dataclass
class _Told:
    """What the leaves so far amount to, table by table.

    An erased person has no rows any more. ``lines`` are the disclosures, person by
    person; ``purged`` is what each tombstone says that it took out. ``releases`` is
    the basis that an act gives for a line that follows it, ``bars`` until when the act
    keeps the line from its person, as its sealed part says (``barred``).
    """

    purged: Mapping[str, Any]
    barred: Mapping[str, Any]
    dropped: DroppedLogs
    answers: StateTable = field(default_factory=StateTable)
    evidence: ToldEvidence = field(default_factory=ToldEvidence)
    lines: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    releases: dict[str, str] = field(default_factory=dict)
    bars: dict[str, Any] = field(default_factory=dict)
    chain_ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    notices: dict[str, tuple[str, str]] = field(default_factory=dict)
    suspensions: dict[tuple[str, str], str] = field(default_factory=dict)
    batches: dict[str, Leaf] = field(default_factory=dict)

    @property
    def disclosures(self) -> dict[str, dict[str, Any]]:
        """The lines of everybody, by the id of their leaf."""
        return {
            leaf_id: line
            for lines in self.lines.values()
            for leaf_id, line in lines.items()
        }

    def apply(self, leaf: Leaf) -> Iterator[str]:
        """Take in the next leaf; say so where one before it is missing."""
        self.answers.apply(leaf)
        self.evidence.apply(leaf)
        self.dropped.apply(leaf)
        if leaf.kind == Kind.GENESIS:  # in a log that follows, chains begin anew
            self.chain_ends = dict.fromkeys(self.chain_ends, _NO_LEAF_YET)
        if leaf.kind == Kind.SUSPENSION:
            self._switch(leaf)
        if leaf.kind == Kind.NOTICE:
            digest = leaf.body["notice"]
            self.notices[digest] = (digest, leaf.body["html"])
        if leaf.kind in {Kind.DISCLOSURE, Kind.DENIAL}:
            line = {**_line_of(leaf), **self._release(leaf)}
            self.lines.setdefault(str(leaf.subject), {})[leaf.id] = line
        if leaf.kind == Kind.DISCLOSURE_BATCH:
            self.batches[leaf.id] = leaf
        if leaf.kind == Kind.ADMIN and leaf.body["action"] in RELEASE_ACTIONS:
            self._name(leaf)
        if leaf.kind == Kind.ADMIN and leaf.body["action"] == PURGE:
            yield from self._purge(leaf)
        if leaf.subject is not None and leaf.seq is not None:
            yield from self._lengthen(leaf, leaf.subject, leaf.seq)
            if leaf.kind == Kind.ERASURE:
                self._forget(leaf.subject)

    def _name(self, act: Leaf) -> None:
        """Keep what an act says of the line that is to follow."""
        named = act.body["target"]
        self.releases[named] = RELEASE_ACTIONS[act.body["action"]].value
        if act.id in self.barred:
            self.bars[named] = self.barred[act.id]

    def _release(self, leaf: Leaf) -> dict[str, str]:
        """What the line of a release says in place of a refusal."""
        basis = self.releases.pop(leaf.id, "")
        return {"reason": basis} if basis else {}

    def _switch(self, leaf: Leaf) -> None:
        key = leaf.body["purpose"], leaf.body["recipient"]
        if leaf.body["action"] == "suspend":
            self.suspensions[key] = leaf.id
        else:
            self.suspensions.pop(key, None)

    def _lengthen(self, leaf: Leaf, handle: str, seq: int) -> Iterator[str]:
        due, head = self.chain_ends.get(handle, _NO_LEAF_YET)
        if seq != due:
            yield (
                f"subject {handle}, leaf {leaf.id}: it has number {seq} in the chain, "
                f"where number {due} is due"
            )
        elif leaf.prev != head:
            yield f"subject {handle}, leaf {leaf.id}: it does not follow the one before"
        self.chain_ends[handle] = (seq + 1, leaf.hash.hex())

    def _forget(self, handle: str) -> None:
        del self.chain_ends[handle]
        self.lines.pop(handle, None)
        self.evidence.forget(handle)

    def _purge(self, tombstone: Leaf) -> Iterator[str]:
        """Take out what a purge took out; say so where it says something else."""
        cutoff = cutoff_of(tombstone)
        old = {each for each, line in self.disclosures.items() if line["time"] < cutoff}
        for lines in self.lines.values():
            for leaf_id in old & lines.keys():
                del lines[leaf_id]
        batches = {each for each, leaf in self.batches.items() if leaf.time < cutoff}
        for leaf_id in batches:
            del self.batches[leaf_id]
        amounts = {
            "batches": batches,
            "disclosures": old,
            "evidence": self.evidence.purge(cutoff),
        }
        says = self.purged.get(tombstone.id)
        if self.dropped.since(tombstone):
            return  # of what it took, part was in leaves that are gone themselves
        for name, ids in amounts.items():
            # A tombstone from before there were batches says nothing of them.
            if says is not None and says.get(name, summary(())) != summary(ids):
                yield (
                    f"leaf {tombstone.id}: the purge took other {name} than the leaves "
                    "before it amount to"
                )


def _line_of(leaf: Leaf) -> dict[str, Any]:
    """The line of the disclosure table that this leaf stands for."""
    body = leaf.body
    return {
        "subject": leaf.subject,
        "time": leaf.time,
        "purpose": body["purpose"],
        "recipient": body["recipient"],
        "data": " ".join(body["data"]),
        "reason": body.get("reason", Reason.GRANTED.value),
        "record": body.get("record", ""),
    }


def _answers(
    told: Mapping[Key, Status | None], stored: Mapping[Key, Status | None]
) -> Iterator[str]:
    for key in sorted(stored.keys() | told.keys()):
        if key not in stored or key not in told or stored[key] != told[key]:
            handle, purpose, recipient = key
            yield (
                f"subject {handle or 'without handle'}, {purpose} for {recipient}: "
                f"the leaves say {_said(told, key)}, "
                f"the state table says {_said(stored, key)}"
                + _other_columns(told.get(key), stored.get(key))
                + _by_leaf(told.get(key))
            )


def _said(answers: Mapping[Key, Status | None], key: Key) -> str:
    if key not in answers:
        return "nothing"
    status = answers[key]
    return "what cannot be read" if status is None else status.state.value


def _other_columns(one: Status | None, other: Status | None) -> str:
    """Which columns differ, where the answer itself is the same."""
    if one is None or other is None or one.state != other.state:
        return ""
    differ = [
        name for name in STATUS_COLUMNS if getattr(one, name) != getattr(other, name)
    ]
    return f", with other {', '.join(differ)}"


def _by_leaf(told: Status | None) -> str:
    """The act that the answer rests on, where there is one."""
    return "" if told is None else f" (leaf {told.record})"


def _disclosures(
    told: Mapping[str, Mapping[str, Any]], stored: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for leaf_id in _either(told, stored):
        here, there = told.get(leaf_id), stored.get(leaf_id)
        if there is None:
            yield f"leaf {leaf_id}: the disclosure table does not list it"
        elif here is None:
            yield (
                f"leaf {_named(leaf_id)}: the disclosure table lists it, and no leaf "
                "says so"
            )
        elif here != there:
            differ = [name for name in here if here[name] != there[name]]
            yield (
                f"leaf {leaf_id}: the disclosure table lists it with other "
                f"{', '.join(differ)}"
            )


def _bars(
    told: Mapping[str, Any], stored: Mapping[str, Any], listed: Collection[str]
) -> Iterator[str]:
    """Lines that are kept from their person otherwise than an official said."""
    for leaf_id in _either(told, stored):
        due = told.get(leaf_id) if leaf_id in listed else None
        if due != stored.get(leaf_id):
            yield (
                f"leaf {_named(leaf_id)}: the bar table keeps its line from the person "
                "otherwise than the act of an official says"
            )


def _revived(erased: Collection[str], stored: Collection[str]) -> Iterator[str]:
    for handle in sorted(set(erased) & set(stored)):
        yield f"subject {handle}: was erased, and the subject table names them again"


def _chain_ends(
    told: Mapping[str, tuple[int, str]], stored: Mapping[str, tuple[Any, Any]]
) -> Iterator[str]:
    for handle in _either(told, stored):
        here = told.get(handle, _NO_LEAF_YET)
        if handle not in stored:
            yield f"subject {handle}: has {here[0]} leaves and no row of their own"
        elif stored[handle] != here:
            same_length = stored[handle][0] == here[0]
            ends = "with another leaf" if same_length else "elsewhere"
            yield (
                f"subject {_named(handle)}: the chain of leaves has {here[0]}, the "
                f"subject table says that it ends {ends}"
            )


def _notices(
    told: Mapping[str, tuple[str, str]], stored: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    for digest in _either(told, stored):
        if digest not in stored:
            yield f"notice {digest}: the leaves name it, and it is not stored"
        elif digest not in told:
            yield f"notice {_named(digest)}: it is stored, and no leaf names it"
        elif stored[digest] != told[digest]:
            parts = zip(("manifest", "html"), told[digest], stored[digest], strict=True)
            differ = [name for name, here, there in parts if here != there]
            yield f"notice {digest}: it is stored with other {' and '.join(differ)}"


def _suspensions(
    told: Mapping[tuple[str, str], str], stored: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    for key in sorted(told.keys() | stored.keys(), key=str):
        here, there = told.get(key), stored.get(key)
        if here != there:
            what = "/".join(str(each) or "*" for each in key)
            yield (
                f"suspension {what if here else 'of something'}: the leaves say "
                f"{here or 'that nothing stopped it'}, the suspension table says "
                f"{_named(there) if there else 'that nothing did'}"
            )


def _either(told: Mapping[str, object], stored: Mapping[str, object]) -> list[str]:
    """The keys of both; a column can hold any type once somebody wrote to it."""
    return sorted(told.keys() | stored.keys(), key=str)


def _named(name: object) -> str:
    """A name of ours as it is; anything else there could tell of a person."""
    ours = isinstance(name, str) and _NAME.match(name)
    return str(name) if ours else "without a name of ours"


def _sha256(value: object) -> str:
    """The hash of stored bytes; none where something else was put in their place."""
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else ""
