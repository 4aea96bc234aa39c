"""Is there an order of the operations that explains every answer?

A history is linearizable if each operation can be given one instant between its call
and its return so that all answers are what the operations, one after the other at
those instants, would have been told (Herlihy and Wing, 1990). The search is that of
Wing and Gong (1993) as Lowe made it ("Testing for linearizability", 2017): it goes
through calls and returns in the order of the clock, puts an operation in place only
when its return asks for it, and remembers every configuration that it has been in.

It is done for each (subject, purpose, recipient) by itself, with every suspension and
resumption that covers it: enough to find any yes after a no that had returned, and any
grant or revocation that was lost.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING
from typing import NamedTuple

from tests.service.linear_history import EVERY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from tests.service.linear_history import Key
    from tests.service.linear_history import Operation

__all__ = ["NotLinearizableError", "Verdict", "check_history"]

_NOES = frozenset({"not_asked", "withdrawn"})
_SHOWN = 12  # operations in a message
_MOST = 100_000  # configurations at once: some 20 MB; beyond that a run was too wild


class _State(NamedTuple):
    """What holds for one key: the record of the standing yes, and who stopped it."""

    record: str = ""
    stops: frozenset[Key] = frozenset()


class _Configuration(NamedTuple):
    """One way it may have gone: the state, and what is placed and has not returned."""

    state: _State
    placed: frozenset[int]


@dataclass(frozen=True)
class Verdict:
    """What was checked: operations, keys, and how many overlapped with a change."""

    operations: int
    keys: int
    unknown: int
    overlapping: int

    def __str__(self) -> str:
        return (
            f"{self.operations} operations on {self.keys} keys are linearizable; "
            f"{self.overlapping} checks overlapped with a change, {self.unknown} "
            "operations never returned"
        )


class NotLinearizableError(AssertionError):
    """No order explains the answer of ``operation``."""

    def __init__(
        self, operation: Operation, key: Key, before: Sequence[Operation]
    ) -> None:
        self.operation = operation
        self.key = key
        lines = "".join(f"\n  {each}" for each in before)
        super().__init__(
            f"no order of the operations on {' '.join(key)} explains\n  {operation}\n"
            f"What was called before it returned, the last first:{lines}"
        )


def check_history(history: Sequence[Operation]) -> Verdict:
    """What was checked.

    Raises:
        NotLinearizableError: an answer that no order explains; the first of its key.
    """
    keys = sorted({each.key for each in history if EVERY not in each.key})
    records = {each.outcome for each in history if each.kind == "grant"}
    for key in keys:
        about = [each for each in history if each.covers(key)]
        _Search(key, about, frozenset(filter(None, records))).run()
    return Verdict(
        operations=len(history),
        keys=len(keys),
        unknown=sum(each.returned is None for each in history),
        overlapping=_overlapping(history),
    )


class _Search:
    """All that may have happened to one key so far."""

    def __init__(
        self, key: Key, about: Sequence[Operation], records: frozenset[str]
    ) -> None:
        self._key = _Key(key, records)
        self._about = about
        self._open: dict[int, Operation] = {}
        self._possible = {_Configuration(_State(), frozenset())}

    def run(self) -> None:
        for returns, number in _events(self._about):
            if returns:
                self._return(number)
            else:
                self._open[number] = self._about[number]
                self._possible = set(map(self._with_reads, self._possible))

    def _return(self, number: int) -> None:
        """Keep what has this operation in place by now, in whichever order."""
        kept = {
            found._replace(placed=found.placed - {number})
            for found in self._reachable(number)
        }
        if not kept:
            raise self._inexplicable(number)
        self._possible = kept
        del self._open[number]

    def _reachable(self, number: int) -> Iterator[_Configuration]:
        """Every configuration with that operation in place, each once."""
        seen = set(self._possible)
        waiting = list(seen)
        while waiting:
            one = waiting.pop()
            if number in one.placed:
                yield one
                continue
            for each in self._next(one):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
            if len(seen) > _MOST:
                raise OverflowError("too many operations at once to tell; take fewer")

    def _next(self, one: _Configuration) -> Iterator[_Configuration]:
        """Each open operation put in place, if its answer is what it would be told."""
        for number, operation in self._open.items():
            if number not in one.placed:
                state = self._key.after(operation, one.state)
                if state is not None:
                    placed = one.placed | {number}
                    yield self._with_reads(_Configuration(state, placed))

    def _with_reads(self, one: _Configuration) -> _Configuration:
        """With everything in place that fits and changes nothing: it forbids nothing.

        But for what never returned: it may change something later.
        """
        fitting = {
            number
            for number, operation in self._open.items()
            if operation.returned is not None
            and number not in one.placed
            and self._key.after(operation, one.state) == one.state
        }
        return one._replace(placed=one.placed | fitting) if fitting else one

    def _inexplicable(self, number: int) -> NotLinearizableError:
        wrong = self._about[number]
        assert wrong.returned is not None
        before = [each for each in self._about if each.began < wrong.returned]
        return NotLinearizableError(wrong, self._key.key, before[::-1][:_SHOWN])


class _Key(NamedTuple):
    """What one operation after the other does to a key, and what each is told."""

    key: Key
    records: frozenset[str]

    def after(self, operation: Operation, state: _State) -> _State | None:
        """The state after the operation; None if it would have been told otherwise."""
        told, known = operation.outcome, operation.outcome is not None
        match operation.kind:
            case "grant":
                # What never returned has a record that nobody was told.
                name = f"?{operation.process}.{operation.number}"
                return state._replace(record=told or name)
            case "revoke":
                ended = "/".join(self.key[1:]) in (told or "").split()
                fits = ended == bool(state.record) or not known
                return state._replace(record="") if fits else None
            case "suspend":
                fits = (told == "changed") != (operation.key in state.stops)
                stops = state.stops | {operation.key}
                return state._replace(stops=stops) if fits or not known else None
            case "resume":
                fits = (told == "changed") == (operation.key in state.stops)
                stops = state.stops - {operation.key}
                return state._replace(stops=stops) if fits or not known else None
            case _:
                return state if self._is_told(told, state) else None

    def _is_told(self, told: str | None, state: _State) -> bool:
        """Whether a check is told this where things stand so."""
        if told is None:
            return True
        if state.stops:
            return told == "suspended"
        if not state.record:
            return told in _NOES
        if state.record.startswith("?"):
            return told not in self.records | _NOES | {"suspended"}
        return told == state.record


def _events(about: Sequence[Operation]) -> list[tuple[bool, int]]:
    """Calls and returns by the clock; where it is the same, calls come first."""
    calls = ((each.began, False, number) for number, each in enumerate(about))
    returns = (
        (each.returned, True, number)
        for number, each in enumerate(about)
        if each.returned is not None
    )
    return [(returned, number) for _, returned, number in sorted(chain(calls, returns))]


def _overlapping(history: Iterable[Operation]) -> int:
    """How many checks were under way together with a change that covers their key."""
    changes: dict[int, Operation] = {}
    overlapped: set[tuple[int, int]] = set()
    checks: dict[int, Operation] = {}
    everything = list(history)
    met: dict[int, list[Operation]] = defaultdict(list)
    for returns, number in _events(everything):
        operation = everything[number]
        mine, theirs = (
            (checks, changes) if operation.kind == "check" else (changes, checks)
        )
        if returns:
            mine.pop(number)
            continue
        mine[number] = operation
        met[number] = [
            each
            for each in theirs.values()
            if each.covers(operation.key) or operation.covers(each.key)
        ]
        for each in met[number]:
            check = operation if operation.kind == "check" else each
            overlapped.add((check.process, check.number))
    return len(overlapped)
