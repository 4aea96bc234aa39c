"""Consents that were never worth anything, set invalid in bulk without asking anybody.

A box that was ticked, a line in small print: whoever answered such a question agreed to
nothing (CCPA regulations §7004(b)). All that was taken through a notice, through a
widget or within a span of time ends at once; the persons need not act, and an answer to
another, good question stays. Run again after it was cut short, it ends the rest.
"""

from __future__ import annotations

import functools
import re
import time
from collections import Counter
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core import canonical
from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.record import rfc3339
from consentkit.errors import InvalidRequestError
from consentkit.log.leaf import read_leaf
from consentkit.service.administering import find_act
from consentkit.service.administering import record_admin_act
from consentkit.service.ending import Manner
from consentkit.service.ending import end_grants
from consentkit.service.recording import PersonRecorder
from consentkit.store.oversight import GrantFilter
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["Invalidation", "SharesMade", "Taken", "invalidate", "preview"]

AT_A_TIME = 500
"""Persons in one transaction: some tenths of a second for which others wait."""

# SQLite's waiting writers look again every 100 ms: without a pause longer than that
# they would find the file taken each time.
_BREATH = 0.15
_KEPT_ACTS = 10_000  # read ones: many shares rest on one act
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Taken:
    """Which consents are meant: by how they were taken. All that is given must hold.

    ``notice`` is a notice's digest, ``widget`` the SHA-256 of the template that notices
    were made from. ``since`` is the first instant, ``until`` the first one that is too
    late; alone they need an ``until`` that has passed, so that a second run means the
    same. ``purpose`` (with its cross-border consent) and ``recipient`` narrow it.

    Raises:
        InvalidRequestError: nothing says how they were taken, or it is not of its form
            (code ``selection``).
    """

    notice: str | None = None
    widget: str | None = None
    since: Millis | None = None
    until: Millis | None = None
    purpose: str | None = None
    recipient: str | None = None

    def __post_init__(self) -> None:
        """See ``Raises``."""
        for name, value in (("notice", self.notice), ("widget", self.widget)):
            if value is not None and not _SHA256.match(value):
                raise _unusable(f"a {name} as 64 lowercase hex digits")
        if self.notice is None and self.widget is None and self.until is None:
            raise _unusable("a notice, a widget, or a span of time with its end")
        since, until = self.since, self.until
        if since is not None and until is not None and until <= since:
            raise _unusable("a span of time that ends after it begins")

    @property
    def target(self) -> str:
        """The token that stands in the log for what was meant."""
        parts = {
            "notice": self.notice,
            "widget": self.widget,
            "since": None if self.since is None else rfc3339(self.since),
            "until": None if self.until is None else rfc3339(self.until),
            "purpose": self.purpose,
            "recipient": self.recipient,
        }
        given = {name: value for name, value in parts.items() if value}
        if given.keys() == {"notice"}:
            return given["notice"]
        return ",".join(f"{name}={value}" for name, value in given.items())


@dataclass(frozen=True, slots=True)
class SharesMade:
    """What one recipient got on the strength of such consents."""

    recipient: str
    shares: int
    persons: int


@dataclass(frozen=True, slots=True)
class Invalidation:
    """What was ended, or would be.

    ``act`` is the id of the administrative act, empty where there was nothing to end.
    ``persons`` and ``grants`` were ended by this run; ``remaining`` persons have such a
    grant afterwards: they gave it meanwhile, so the question is still on show.
    ``shares`` counts every share under consents taken that way, also under those that
    had ended before.
    """

    target: str
    act: str
    persons: int
    grants: int
    remaining: int
    shares: tuple[SharesMade, ...]

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable report."""
        return {
            "target": self.target,
            "act": self.act,
            "persons": self.persons,
            "grants": self.grants,
            "remaining": self.remaining,
            "shares": [
                {
                    "recipient": each.recipient,
                    "shares": each.shares,
                    "persons": each.persons,
                }
                for each in self.shares
            ],
        }


def preview(installation: Installation, taken: Taken) -> Invalidation:
    """What ``invalidate`` would end; changes nothing.

    Raises:
        InvalidRequestError: see ``invalidate``.
        LogUnavailableError: the database cannot be reached.
    """
    wanted = _filter(installation, taken)
    persons, grants = installation.oversight.count(wanted)
    shares = _shares(installation, wanted)
    return Invalidation(taken.target, "", persons, grants, persons, shares)


def invalidate(
    installation: Installation,
    taken: Taken,
    *,
    by: Official,
    at_a_time: int = AT_A_TIME,
) -> Invalidation:
    """End every standing grant taken that way; effective person by person.

    Bounded transactions, so that others write meanwhile. Cut short, what was ended
    stays so, and the same call again ends the rest under the same administrative act.

    Raises:
        InvalidRequestError: no such notice or widget was ever shown (code
            ``unknown-notice``), nothing is known of the purpose or recipient
            (``unknown-purpose``, ``unknown-recipient``), or the span of time is not
            over (``selection``). Nothing is changed.
        LogUnavailableError: the database cannot be written; what was ended stays so.
    """
    wanted = _filter(installation, taken)
    run = _Run(installation, taken, wanted, by)
    after = ""
    while page := installation.oversight.subjects(wanted, after=after, limit=at_a_time):
        if after:
            time.sleep(_BREATH)
        run.end(page)
        after = page[-1]
    remaining, _ = installation.oversight.count(wanted)
    return Invalidation(
        target=taken.target,
        act=run.act,
        persons=run.persons,
        grants=run.grants,
        remaining=remaining,
        shares=_shares(installation, wanted),
    )


class _Run:
    """One run over all persons, and what it has ended so far."""

    def __init__(
        self,
        installation: Installation,
        taken: Taken,
        wanted: GrantFilter,
        by: Official,
    ) -> None:
        self._installation = installation
        self._taken = taken
        self._wanted = wanted
        self._by = by
        self.act = ""
        self.persons = 0
        self.grants = 0

    def end(self, subjects: list[str]) -> None:
        """End what these persons still have of it, in one transaction."""
        act = self.act or self._act_cut_short()
        with (
            self._installation.sends.settled(*subjects),
            self._installation.ledger.write() as transaction,
        ):
            act = act or self._declare(transaction)
            ended = [self._end_for(transaction, each, act) for each in subjects]
        self.act = act
        self.persons += sum(1 for grants in ended if grants)
        self.grants += sum(ended)

    def _act_cut_short(self) -> str:
        found = find_act(
            self._installation,
            action="invalidate",
            target=self._taken.target,
            by=self._by,
        )
        return found.id if found else ""

    def _declare(self, transaction: Transaction) -> str:
        return record_admin_act(
            self._installation,
            transaction,
            action="invalidate",
            target=self._taken.target,
            by=self._by,
            now=self._installation.clock(),
        ).id

    def _end_for(self, transaction: Transaction, subject: str, act: str) -> int:
        """How many grants of one person ended; they may have acted since the page."""
        if transaction.find_person(subject) is None:
            return 0
        recorder = PersonRecorder.lock(self._installation, transaction, subject)
        standing = transaction.statuses(subject)
        live = {
            key: status
            for key, status in standing.items()
            if self._wanted.covers(key, status)
        }
        if live:
            end_grants(
                recorder,
                live,
                standing=standing,
                state=State.INVALIDATED,
                manner=Manner(
                    Actor.CONTROLLER, channel=Channel.OPERATOR, facts={"act": act}
                ),
            )
        return len(live)


def _filter(installation: Installation, taken: Taken) -> GrantFilter:
    if (
        taken.notice is None
        and taken.widget is None
        and (taken.until or 0) > installation.clock()
    ):
        raise _unusable("a span of time that is over: what is given now is not bad yet")
    wanted = GrantFilter(
        notices=_notices(installation, taken),
        since=taken.since,
        until=taken.until,
        purpose=taken.purpose,
        recipient=taken.recipient,
    )
    _check_known(installation, taken, wanted)
    return wanted


def _notices(installation: Installation, taken: Taken) -> frozenset[str] | None:
    """The digests of all notices that are meant, None if they do not matter."""
    if taken.notice is None and taken.widget is None:
        return None
    found = frozenset(
        digest
        for digest, manifest, _ in installation.history.all_notices()
        if taken.notice in (None, digest)
        and taken.widget in (None, _template(blob(manifest)))
    )
    if not found:
        raise InvalidRequestError(
            "expected the digest of a notice, or of the template of one, that was "
            "shown here; got one that no notice has: compare it with "
            "/consent/notices/…",
            code="unknown-notice",
        )
    return found


def _template(manifest: bytes) -> object:
    value = canonical.decode(manifest)
    return value.get("template_sha256") if isinstance(value, dict) else None


def _check_known(installation: Installation, taken: Taken, wanted: GrantFilter) -> None:
    """Refuse a misspelt id; what is no longer declared may still be agreed to."""
    registry = installation.registry
    for what, name, declared in (
        ("purpose", taken.purpose, registry.purposes),
        ("recipient", taken.recipient, registry.recipients),
    ):
        known = name is None or name in declared
        if not known and installation.oversight.count(wanted) == (0, 0):
            raise InvalidRequestError(
                f"expected the id of a declared {what} ({', '.join(sorted(declared))}) "
                "or of one that somebody agreed to; got another: nothing was ended",
                code=f"unknown-{what}",
            )


def _shares(installation: Installation, wanted: GrantFilter) -> tuple[SharesMade, ...]:
    """Who got data on the strength of consents taken that way, ended since or not."""
    shares: Counter[str] = Counter()
    persons: defaultdict[str, set[str | None]] = defaultdict(set)
    read = functools.lru_cache(_KEPT_ACTS)(read_leaf)
    for share in installation.oversight.shares():
        leaf = read(share.leaf)
        notice = str(leaf.body.get("notice", ""))
        if wanted.took(share.key, notice, Millis(leaf.time)):
            recipient = share.key[1]
            shares[recipient] += 1
            persons[recipient].add(leaf.subject)
    return tuple(
        SharesMade(recipient, count, len(persons[recipient]))
        for recipient, count in sorted(shares.items())
    )


def _unusable(expected: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"expected {expected}, to tell which consents to invalidate; nothing was ended",
        code="selection",
    )
