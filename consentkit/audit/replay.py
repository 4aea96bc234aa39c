"""From leaves to the state they amount to: the one way to know who agreed to what.

Pure: leaves in, a table out. The table that a server keeps is only a cache of this
one, and whoever doubts it compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from consentkit.core.act import Act
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.status import Status
from consentkit.core.status import status_of
from consentkit.log.leaf import Leaf

__all__ = ["ANSWERS", "Key", "Row", "StateTable", "act_of", "replay"]

Key: TypeAlias = tuple[str, str, str]
"""(subject handle, purpose, recipient)."""

ANSWERS = frozenset({Kind.CHOICE, Kind.REVOCATION, Kind.IMPORT})
"""The kinds of leaf that change a state."""


@dataclass(frozen=True, slots=True)
class Row:
    """Where one subject stands on one question.

    ``grant`` is the leaf hash, in hex, of the act that ``status`` rests on, and
    ``seq`` that act's place in the subject's chain.
    """

    status: Status
    grant: str
    seq: int


class StateTable:
    """The state after the leaves so far. Apply every leaf, in the order of the log.

    An erased subject has no rows: nobody may rely on what they once said.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, str], Row]] = {}

    def apply(self, leaf: Leaf) -> None:
        """Take in one leaf; kinds that change no state are passed over.

        Raises:
            MalformedError: its choices contradict themselves.
        """
        if leaf.subject is None:
            return
        if leaf.kind == Kind.ERASURE:
            self._rows.pop(leaf.subject, None)
        elif leaf.kind in ANSWERS:
            act, grant = act_of(leaf), leaf.hash.hex()
            rows = self._rows.setdefault(leaf.subject, {})
            for choice in act.choices:
                rows[choice.key] = Row(status_of(act, choice), grant, act.seq)

    def get(self, subject: str, purpose: str, recipient: str) -> Row | None:
        """Where one subject stands on one question, None if it never came up."""
        return self._rows.get(subject, {}).get((purpose, recipient))

    def items(self) -> Iterator[tuple[Key, Row]]:
        """Every row under its key, one subject after the other."""
        for subject, rows in self._rows.items():
            for (purpose, recipient), row in rows.items():
                yield (subject, purpose, recipient), row


def replay(leaves: Iterable[Leaf]) -> dict[Key, Row]:
    """The final state that the leaves of one log, in order, amount to.

    Checks no signature and no rule: for that see ``consentkit.audit.verify``.

    Raises:
        MalformedError: a leaf's choices contradict themselves.
    """
    table = StateTable()
    for leaf in leaves:
        table.apply(leaf)
    return dict(table.items())


def act_of(leaf: Leaf) -> Act:
    """The act that a leaf of one of the ``ANSWERS`` records.

    Raises:
        MalformedError: its choices contradict themselves.
    """
    body: Mapping[str, object] = leaf.body
    return Act(
        id=leaf.id,
        kind=Kind(leaf.kind),
        time=Millis(leaf.time),
        choices=tuple(map(Choice.from_dict, leaf.body["choices"])),
        assurance=Assurance(leaf.body["assurance"]),
        actor=Actor(leaf.body["actor"]),
        channel=Channel(leaf.body["channel"]),
        notice=str(body.get("notice", "")),
        seq=leaf.seq or 0,
    )
