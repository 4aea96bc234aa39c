"""On what basis did somebody get something about a person, at a given moment?

(GDPR Art. 7(1); EDPB guidelines 05/2020 §104-108; CJEU C-61/19 Orange Romania.) The
answer is made from the log alone: what the person had said by then, the text they were
shown, what was shared on it, and for each of these the proof that it stands in the tree
that the log signed.

1. log: the log and the records layer hold; the caller sees to that
   (``consentkit.audit.verify``), or the rest is worth nothing.
2. entries: those of the person with a time up to the moment, in the order of the log,
   and before them those of the logs that it continues.
   Times are the collectors' claims: how far they can be off is for the history layer.
3. inclusion: each entry that the answer rests on is in the signed tree, or in the
   tree of an earlier log that the genesis of the next one names.
4. notice: the text hashes to what its own entry says, which comes before the act.

Who the person is, the log does not know: the operator tells their handle. A batch
names no persons; where an export shows who was in it, the person is looked for, and of
the others it is told how many there were.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.proven import logs_in_a_row
from consentkit.audit.replay import ANSWERS
from consentkit.audit.replay import act_of
from consentkit.core.act import Kind
from consentkit.core.legal_basis import RELEASE_ACTIONS
from consentkit.core.legal_basis import RELEASE_PREFIX
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.status import status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.audit.bundle import Source
    from consentkit.audit.proven import Entry
    from consentkit.audit.proven import Found
    from consentkit.audit.proven import ProvenLog
    from consentkit.audit.proven import ShownNotice
    from consentkit.core.act import Millis
    from consentkit.core.act import State
    from consentkit.core.status import Status
    from consentkit.log.batch import BatchEntry
    from consentkit.log.checkpoint import Checkpoint

__all__ = ["AsOf", "Basis", "Question", "as_of"]

_KINDS = (Kind.NOTICE, Kind.SUSPENSION, Kind.DISCLOSURE_BATCH)
_MATTERING = (
    *(f'"kind":"{kind}"'.encode() for kind in _KINDS),
    f'"action":"{RELEASE_PREFIX}'.encode(),
)


@dataclass(frozen=True)
class Question:
    """Who is asked about, and when; ``purpose`` and ``recipient`` None for any."""

    subject: str
    at: Millis
    purpose: str | None = None
    recipient: str | None = None

    def covers(self, key: tuple[str, str]) -> bool:
        """Whether (purpose, recipient) is asked about."""
        return self.purpose in {None, key[0]} and self.recipient in {None, key[1]}


@dataclass(frozen=True)
class Basis:
    """Where the person stood on one question, and what had been shared on it.

    ``acts`` are all that was said on it by then; the last one stands, ``status`` is
    what it amounts to. ``status`` is None where nothing stands: shares without an
    answer, or an erased person. ``shown`` is the last notice that an act names.
    ``stopped`` is the suspension that was in force, if one was. ``released`` are
    (official's act, person's entry) of what left without consent, ``named`` the batches
    that the person was in. ``batches`` are those of which nobody can tell.
    ``missing`` is the purpose whose yes this one needs besides, and lacks: that to
    sending it abroad; or, of such a one, that to the sharing itself.
    """

    purpose: str
    recipient: str
    at: Millis
    status: Status | None
    acts: tuple[Entry, ...]
    shown: ShownNotice | None
    shares: tuple[Entry, ...]
    batches: int
    stopped: Entry | None
    released: tuple[tuple[Entry, Entry], ...] = ()
    named: tuple[tuple[Entry, BatchEntry], ...] = ()
    missing: str | None = None

    @property
    def state(self) -> State | None:
        """The state at that moment: a grant that was over by then is expired."""
        return None if self.status is None else self.status.at(self.at)

    @property
    def in_force(self) -> bool:
        """Whether there was a grant at that moment that nobody had stopped."""
        granted = self.status is not None and self.status.authorises(self.at)
        return granted and self.stopped is None

    @property
    def sufficient(self) -> bool:
        """Whether that grant was all that the gate asks for."""
        return self.in_force and self.missing is None


@dataclass(frozen=True)
class AsOf:
    """The answer: a basis for each question that had come up by then.

    ``checkpoint`` is the signed note of the log that was asked, ``erased`` the entry
    by which the person had been erased by then. ``links`` are the entries that name
    the log before, the newest first, as far as those logs were given. ``known`` is
    whether any entry names the person, be it later than the moment.
    """

    question: Question
    checkpoint: bytes
    bases: tuple[Basis, ...]
    erased: Entry | None
    links: tuple[Entry, ...] = ()
    known: bool = True

    def entries(self) -> Iterator[Entry]:
        """Every entry that the answer rests on, once, in the order of the logs."""
        resting: list[Entry | None] = [self.erased, *self.links]
        for basis in self.bases:
            resting += [*basis.acts, *basis.shares, basis.stopped]
            resting += [entry for pair in basis.released for entry in pair]
            resting += [entry for entry, _ in basis.named]
            resting.append(basis.shown.entry if basis.shown else None)
        found = {(-each.back, each.index): each for each in resting if each}
        yield from (found[place] for place in sorted(found))


def as_of(
    source: Source,
    note: bytes,
    checkpoint: Checkpoint,
    question: Question,
    *,
    previous: Sequence[Source] = (),
) -> AsOf:
    """The answer that the log of this opened checkpoint gives.

    ``note`` is the checkpoint as it was signed. If the log continues others,
    ``previous`` are those, newest first. That they hold is not checked.

    Raises:
        VerificationError: an entry is not in the tree, or a notice is not the logged
            one; ``step`` and ``entry`` say which.
        LogUnavailableError: the source stopped answering.
    """
    logs, links = logs_in_a_row(source, note, checkpoint, previous)
    story = _Story(question)
    for log in reversed(logs):
        for found in log.search(_matters(question)):
            story.known |= found.leaf.subject == question.subject
            # A notice is before its act by its index, whatever the two clocks said.
            if found.leaf.time <= question.at or found.leaf.kind == Kind.NOTICE:
                story.take(found)
    came_up = {*story.acts, *story.shares, *story.released, *story.named}
    keys = sorted(filter(question.covers, came_up))
    return AsOf(
        question,
        note,
        tuple(_basis(key, story) for key in keys),
        story.erased.entry() if story.erased else None,
        tuple(links),
        story.known,
    )


def _matters(question: Question) -> Callable[[bytes], bool]:
    needles = (f'"subject":"{question.subject}"'.encode(), *_MATTERING)
    return lambda data: any(needle in data for needle in needles)


@dataclass
class _Story:
    """What the entries up to the moment say, in the order of the logs.

    What a log ends with, the one that follows begins with; but it logs its notices
    anew.
    """

    question: Question
    acts: dict[tuple[str, str], list[Found]] = field(default_factory=dict)
    shares: dict[tuple[str, str], list[Found]] = field(default_factory=dict)
    standing: dict[tuple[str, str], Status] = field(default_factory=dict)
    batches: dict[tuple[str, str], int] = field(default_factory=dict)
    stopped: dict[tuple[str, str], Found] = field(default_factory=dict)
    notices: dict[tuple[ProvenLog, str], Found] = field(default_factory=dict)
    releases: dict[str, Found] = field(default_factory=dict)
    released: dict[tuple[str, str], list[tuple[Found, Found]]] = field(
        default_factory=dict
    )
    named: dict[tuple[str, str], list[tuple[Found, BatchEntry]]] = field(
        default_factory=dict
    )
    erased: Found | None = None
    known: bool = False

    def take(self, found: Found) -> None:
        """Take in the next entry."""
        leaf = found.leaf
        match leaf.kind:
            case Kind.NOTICE:
                self.notices.setdefault((found.log, leaf.body["notice"]), found)
            case Kind.SUSPENSION:
                self._suspend(found)
            case Kind.ADMIN if leaf.body["action"] in RELEASE_ACTIONS:
                self.releases[leaf.body["target"]] = found
            case Kind.DISCLOSURE_BATCH:
                self._take_batch(found)
            case _ if leaf.subject == self.question.subject:
                self._take_own(found)

    def _take_own(self, found: Found) -> None:
        leaf = found.leaf
        if leaf.kind == Kind.DISCLOSURE:
            self.shares.setdefault(_key(leaf.body), []).append(found)
        elif leaf.kind == Kind.DENIAL and leaf.id in self.releases:
            pair = self.releases.pop(leaf.id), found
            self.released.setdefault(_key(leaf.body), []).append(pair)
        elif leaf.kind == Kind.ERASURE:
            self.erased = found
            self.standing.clear()  # nobody may rely on what they once said
        elif leaf.kind in ANSWERS:
            act = act_of(leaf)
            for choice in act.choices:
                self.acts.setdefault(choice.key, []).append(found)
                self.standing[choice.key] = status_of(act, choice)

    def _take_batch(self, found: Found) -> None:
        key, pages, leaf_id = _key(found.leaf.body), found.log.pages, found.leaf.id
        if leaf_id not in pages.pages:
            self.batches[key] = self.batches.get(key, 0) + 1
            return
        entry = pages.find(leaf_id, self.question.subject)
        if entry is not None:
            self.named.setdefault(key, []).append((found, entry))

    def _suspend(self, found: Found) -> None:
        key = _key(found.leaf.body)
        if found.leaf.body["action"] == "suspend":
            self.stopped.setdefault(key, found)
        else:
            self.stopped.pop(key, None)

    def notice_of(self, act: Found) -> Found | None:
        """Where the notice was logged that an act names: in the act's own log."""
        return self.notices.get((act.log, act.leaf.body["notice"]))

    def stop_of(self, key: tuple[str, str]) -> Found | None:
        """What stopped this sharing: for the two, for one of them, or altogether."""
        purpose, recipient = key
        wider = (key, (purpose, ""), ("", recipient), ("", ""))
        return next(
            (self.stopped[each] for each in wider if each in self.stopped), None
        )


def _basis(key: tuple[str, str], story: _Story) -> Basis:
    acts = story.acts.get(key, [])
    naming = [found for found in acts if "notice" in found.leaf.body]
    logged = story.notice_of(naming[-1]) if naming else None
    shown = logged.shown() if logged else None
    stop = story.stop_of(key)
    return Basis(
        *key,
        at=story.question.at,
        status=story.standing.get(key),
        acts=tuple(found.entry() for found in acts),
        shown=shown,
        shares=tuple(found.entry() for found in story.shares.get(key, ())),
        batches=story.batches.get(key, 0),
        stopped=stop.entry() if stop else None,
        named=tuple(
            (found.entry(), entry) for found, entry in story.named.get(key, ())
        ),
        released=tuple(
            (act.entry(), line.entry()) for act, line in story.released.get(key, ())
        ),
        missing=_missing(key, story, shown),
    )


def _missing(
    key: tuple[str, str], story: _Story, shown: ShownNotice | None
) -> str | None:
    """The other purpose of a pair whose yes did not stand at that moment."""
    purpose, recipient = key
    abroad = purpose.endswith(CROSS_BORDER)
    base = purpose.removesuffix(CROSS_BORDER)
    other = base if abroad else base + CROSS_BORDER
    status = story.standing.get((other, recipient))
    if status is not None and status.authorises(story.question.at):
        return None
    needed = abroad or (other, recipient) in story.acts or _abroad(key, shown)
    return other if needed else None


def _abroad(key: tuple[str, str], shown: ShownNotice | None) -> bool:
    """Whether the text that was shown asks about sending it abroad as well."""
    if shown is None:
        return False
    pair = key[0] + CROSS_BORDER, key[1]
    if pair in map(_key, shown.entry.leaf.body["offers"]):
        return True
    told = shown.notice.manifest["purposes"] if shown.notice else ()
    return any(_crosses(each["definition"], key) for each in told)


def _crosses(definition: Mapping[str, Any], key: tuple[str, str]) -> bool:
    """Whether this question of a manifest is that one, to somebody abroad."""
    to = definition["recipient"]
    same = (definition["purpose"], to["id"]) == key
    return bool(same and to["country"] != definition["controller"]["country"])


def _key(body: Mapping[str, str]) -> tuple[str, str]:
    return body["purpose"], body["recipient"]
