"""Which collector key may have signed which entry.

Keys are valid by index, not by time: a stolen old key cannot sign "yesterday",
because yesterday's indices are taken. The log itself says which keys those are; the
first one can be pinned from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from typing import TypeAlias

from consentkit.audit.trust import KnownCollectors
from consentkit.audit.trust import is_collector_name
from consentkit.core.act import Kind
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Verifier
from consentkit.log.leaf import Leaf
from consentkit.log.note import UnverifiedNote
from consentkit.log.note import nobody_known

__all__ = ["COLLECTOR_ROLE", "Collectors", "Line"]

Line: TypeAlias = tuple[Verifier, bytes]
"""A signature, after the key that is said to have made it."""

COLLECTOR_ROLE = "collector"

_NAMED = 16  # of the keys that were expected: a log may have registered a million


@dataclass(slots=True)
class _Registered:
    """A key, the indices [first, end) it may sign, and the last one it did sign."""

    verifier: Verifier
    key_id: bytes
    first: int
    end: int | None
    used: int = -1

    def covers(self, index: int) -> bool:
        return self.first <= index and (self.end is None or index < self.end)


class Collectors:
    """The collector keys of one log, as its ``key`` leaves register them."""

    def __init__(self, trust: KnownCollectors) -> None:
        self._trust = trust
        self._keys: dict[str, _Registered] = {}

    def at(self, index: int) -> Iterator[Verifier]:
        """The keys that may sign entry ``index``."""
        return (key.verifier for key in self._keys.values() if key.covers(index))

    def lines(self, index: int, note: UnverifiedNote) -> Sequence[Line]:
        """The signatures on entry ``index`` that count: those of keys valid there.

        Looks up the names on the note, so that a log with very many keys is not
        searched for each entry. Nothing is verified.

        Raises:
            UnknownKeyError: there is none.
        """
        lines = [
            (key.verifier, line.signature)
            for line in note.signatures
            if (key := self._keys.get(line.name)) is not None
            and key.key_id == line.key_id
            and key.covers(index)
        ]
        if not lines:
            some = islice(self.at(index), _NAMED)
            raise UnknownKeyError(nobody_known(some, note))
        return lines

    def used(self, lines: Iterable[Line], index: int) -> None:
        """Remember that these signatures on entry ``index`` were found to be good."""
        for verifier, _ in lines:
            self._keys[verifier.name].used = index

    def register_first(self, leaf: Leaf) -> None:
        """Take the first key, which has to sign the genesis and itself.

        Raises:
            MalformedError: not a collector key from index 0.
            UnknownKeyError: others were pinned from outside.
        """
        body, pinned = leaf.body, self._trust.collectors
        role = body["role"] if leaf.kind == Kind.KEY else leaf.kind
        if role != COLLECTOR_ROLE or body["from"] != 0:
            raise MalformedError(
                f"expected entry 1 to register a collector key from 0, got {role}"
            )
        if pinned and body["vkey"] not in {key.vkey for key in pinned}:
            raise UnknownKeyError(
                f"the first collector key, {body['vkey']}, is none of those given"
            )
        for what in self.register(0, body):
            raise MalformedError(what)

    def register(self, index: int, body: Mapping[str, Any]) -> Iterator[str]:
        """Take what the ``key`` leaf at ``index`` says; yield what is wrong with it.

        A second leaf for the same key sets a new end, as long as it has not ended. Keys
        of other roles say who may sign what outside the log, and are passed over.
        """
        if body["role"] != COLLECTOR_ROLE:
            return
        verifier = Verifier.parse(body["vkey"])  # the leaf's reader has parsed it too
        if not is_collector_name(verifier.name, origin=self._trust.origin):
            yield f"{verifier.name!r} is not the name of a collector of this log"
            return
        known = self._keys.get(verifier.name)
        if known is None:
            yield from self._add(index, verifier, body["from"], body.get("until"))
        elif known.verifier != verifier or known.first != body["from"]:
            yield f"{verifier.name!r} is registered already; a new key needs a new name"
        elif known.end is not None and known.end <= index:
            yield f"{verifier.name!r} ended before {known.end}; a key never comes back"
        else:
            yield from _end(known, body.get("until"))

    def _add(
        self, index: int, verifier: Verifier, first: int, end: int | None
    ) -> Iterator[str]:
        if first < index:
            yield f"the key is made valid from {first}, before the entry that says so"
        self._keys[verifier.name] = _Registered(
            verifier, verifier.key_id, max(first, index), end
        )


def _end(key: _Registered, end: int | None) -> Iterator[str]:
    key.end = end
    if end is not None and key.used >= end:
        yield f"the key ends before {end} but signed entries up to {key.used}"
