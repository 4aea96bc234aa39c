"""Which witnesses have to have seen a checkpoint (C2SP tlog-policy, as of July 2026).

::

    log <vkey> [<url>]                        none: the log is known from elsewhere
    witness <name> <vkey> [<url>]
    group <name> <k | any | all> <name> …     k of these witnesses and groups
    quorum <name | none>                      exactly one

Names mean nothing outside the file. A line refers to lines above it, and a name
stands in one group at most, so a witness counts in one way. The spaces, tabs, empty
lines and ``#`` comments of the standard are read; a line of any other kind, and a key
of a type that is not checked here, is refused rather than passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.cosignature import open_cosignatures
from consentkit.log.encoding import parse_decimal
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier

__all__ = [
    "MAX_POLICY_BYTES",
    "NO_QUORUM",
    "Group",
    "Policy",
    "PolicyLog",
    "Seen",
    "Witness",
    "check_policy",
    "find_cosigners",
    "format_policy",
    "parse_policy",
]

# Some hundreds of witnesses; the standard asks for room for 32.
MAX_POLICY_BYTES = 64 * 1024

NO_QUORUM = "none"
_STEP = "quorum"

# tlog-policy, "Character set": tab and newline are the only control characters.
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_SPACE = re.compile(rb"[ \t]+")
_NO_ITEM = re.compile(r"[\x00-\x20\x7f]")


class PolicyLog(NamedTuple):
    """A log whose checkpoints are accepted."""

    key: Verifier
    url: str = ""


class Witness(NamedTuple):
    """A witness, under the name that this policy gives it."""

    name: str
    key: Verifier
    url: str = ""


class Group(NamedTuple):
    """Has witnessed what at least ``threshold`` of its members have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Seen(NamedTuple):
    """When a quorum saw a checkpoint, in seconds since the epoch.

    At ``first`` a whole quorum had seen it; at ``last`` or later a whole quorum still
    knew of no larger tree. No smaller number of lying witnesses can move either.
    """

    first: int
    last: int


@dataclass(frozen=True)
class Policy:
    """The logs, witnesses and groups of one policy, and what is asked of them.

    Raises:
        MalformedError: a key of the wrong type or given twice, a name that is taken,
            unknown or grouped twice, or a threshold that no group can meet.
    """

    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NO_QUORUM

    def __post_init__(self) -> None:
        _check_keys([log.key for log in self.logs], Algorithm.ED25519)
        _check_keys([each.key for each in self.witnesses], Algorithm.COSIGNATURE_V1)
        urls = [each.url for each in self.logs] + [each.url for each in self.witnesses]
        _check_items(filter(None, urls))
        names = _check_groups([each.name for each in self.witnesses], self.groups)
        if self.quorum != NO_QUORUM and self.quorum not in names:
            raise MalformedError(f"the quorum {self.quorum!r} is defined nowhere")

    def is_met(self, witnessed: Collection[str]) -> bool:
        """Whether the witnesses of these names are enough."""
        if self.quorum == NO_QUORUM:
            return True
        met = {each.name for each in self.witnesses if each.name in witnessed}
        for group in self.groups:
            if sum(name in met for name in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def seen(self, times: Mapping[str, int]) -> Seen | None:
        """When a quorum of the witnesses with these ``times`` saw what they cosigned.

        None if they are no quorum, or if none is asked for.
        """
        if self.quorum == NO_QUORUM or not self.is_met(times):
            return None
        moments = sorted(set(times.values()))
        by = (m for m in moments if self.is_met([n for n in times if times[n] <= m]))
        since = (m for m in moments if self.is_met([n for n in times if times[n] >= m]))
        return Seen(first=min(by), last=max(since))


def parse_policy(data: bytes) -> Policy:
    """Return the policy that a file spells.

    Raises:
        MalformedError: too long, a forbidden character, a line of an unknown kind or
            with too few or too many items, a name used above its definition, not
            exactly one quorum, or no policy at all.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise MalformedError(
            f"a policy has at most {MAX_POLICY_BYTES} bytes, got {len(data)}"
        )
    if not data.endswith(b"\n") or _FORBIDDEN.search(data):
        raise MalformedError(
            "expected lines that end in a newline, and no other control character "
            "but the tab"
        )
    draft = _Draft()
    for number, line in enumerate(data.split(b"\n"), start=1):
        # Names are octets to the standard; this reading keeps different ones apart.
        items = [
            item.decode("utf-8", "surrogateescape")
            for item in _SPACE.split(line)
            if item
        ]
        if items and not items[0].startswith("#"):
            try:
                draft.take(items)
            except VerificationError as error:
                raise MalformedError(f"policy, line {number}: {error}") from error
    return draft.finish()


def format_policy(policy: Policy) -> bytes:
    """Return the policy as a file: logs, witnesses, groups, quorum."""
    lines = [_line("log", log.key.vkey, log.url) for log in policy.logs]
    lines += [_line("witness", w.name, w.key.vkey, w.url) for w in policy.witnesses]
    for group in policy.groups:
        lines.append(_line("group", group.name, str(group.threshold), *group.members))
    lines.append(_line("quorum", policy.quorum))
    return "".join(lines).encode("utf-8", "surrogateescape")


def find_cosigners(checkpoint_note: bytes, policy: Policy) -> dict[str, int]:
    """Return which of the policy's witnesses cosigned, and when (seconds).

    Raises:
        MalformedError: no checkpoint, or a line cut short.
        InvalidSignatureError: a line of a witness of the policy does not hold.
    """
    names = {witness.key: witness.name for witness in policy.witnesses}
    times = open_cosignatures(checkpoint_note, names)
    return {names[key]: time for key, time in times.items()}


def check_policy(checkpoint_note: bytes, policy: Policy) -> dict[str, int]:
    """Check a checkpoint as a policy asks; return its cosigners and their times.

    Where the policy names no log, the log's own signature is not looked at.

    Raises:
        MalformedError: no checkpoint.
        InvalidSignatureError: a line of a log or witness of the policy does not hold.
        UnknownKeyError: signed by no log of the policy, or the quorum is not met.
    """
    if policy.logs:
        open_checkpoint(checkpoint_note, [log.key for log in policy.logs])
    cosigners = find_cosigners(checkpoint_note, policy)
    if not policy.is_met(cosigners):
        came = ", ".join(map(repr, cosigners)) or "nobody"
        raise UnknownKeyError(
            f"expected cosignatures that make up the quorum {policy.quorum!r}, "
            f"got those of {came}",
            step=_STEP,
        )
    return cosigners


class _Draft:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._names: set[str] = set()

    def take(self, items: list[str]) -> None:
        """Add what one line says."""
        match items:
            case ["log", vkey] | ["log", vkey, _]:
                self._logs.append(PolicyLog(Verifier.parse(vkey), *items[2:]))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._witnesses.append(Witness(name, Verifier.parse(vkey), *items[3:]))
                self._names.add(name)
            case ["group", name, threshold, _, *_]:
                self._group(name, threshold, tuple(items[3:]))
            case ["quorum", name] if self._quorum is None:
                self._check_defined([name] if name != NO_QUORUM else [])
                self._quorum = name
            case ["quorum", _]:
                raise MalformedError("a second quorum")
            case _:
                raise MalformedError(
                    f"expected log, witness, group or quorum with its items, "
                    f"got {items[0]!r} with {len(items) - 1}"
                )

    def finish(self) -> Policy:
        """Return the policy, now that there are no more lines."""
        if self._quorum is None:
            raise MalformedError("expected a line 'quorum <name>' or 'quorum none'")
        return Policy(
            tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum
        )

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._check_defined(members)
        words = {"any": 1, "all": len(members)}
        number = words.get(threshold)
        if number is None:
            number = parse_decimal(threshold.encode("utf-8", "surrogateescape"))
        self._groups.append(Group(name, number, members))
        self._names.add(name)

    def _check_defined(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._names:
                raise MalformedError(f"{name!r} is defined on no line above")


def _check_keys(keys: list[Verifier], algorithm: Algorithm) -> None:
    for key in keys:
        if key.algorithm is not algorithm:
            raise MalformedError(
                f"expected a key of type {algorithm:02x}, got that of {key.name!r}"
            )
    # Two names for one key would let one witness count as two.
    if len({key.public_key for key in keys}) != len(keys):
        raise MalformedError("one public key is given twice")


def _check_groups(names: list[str], groups: tuple[Group, ...]) -> set[str]:
    """All names, if each is defined once and each member above its group."""
    _check_items([*names, *(group.name for group in groups)])
    known = {NO_QUORUM}
    free: set[str] = set()
    for name in names:
        _define(name, known, free)
    for group in groups:
        if not 1 <= group.threshold <= len(group.members):
            raise MalformedError(
                f"group {group.name!r}: expected a threshold from 1 to "
                f"{len(group.members)}, got {group.threshold}"
            )
        for member in group.members:
            if member not in free:
                raise MalformedError(
                    f"group {group.name!r}: {member!r} is not defined above, or is "
                    "in a group already"
                )
            free.remove(member)
        _define(group.name, known, free)
    return known


def _define(name: str, known: set[str], free: set[str]) -> None:
    if name in known:
        raise MalformedError(f"the name {name!r} is taken")
    known.add(name)
    free.add(name)


def _check_items(items: Iterable[str]) -> None:
    for item in items:
        if not item or _NO_ITEM.search(item):
            raise MalformedError(f"{item!r} cannot stand in a policy")


def _line(*items: str) -> str:
    return " ".join(item for item in items if item) + "\n"
