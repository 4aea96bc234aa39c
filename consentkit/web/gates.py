"""Where an app's code shares, as far as reading it can tell.

Read are the modules below the app's folder that are loaded. A call counts by its name
and its ``recipient=``; what its purpose and recipient are is known where they stand
there as text, or as a name of the module's. What is only known when it runs is said to
be unclear, never taken for a gate.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.purpose import Purpose
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.core.vocabulary import Recipient

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Iterator
    from types import ModuleType

    from consentkit.core.registry import Registry

__all__ = ["Gate", "examine", "find_gates", "untested"]

_GATES = {"share": 1, "share_many": 1, "require": 0}
_QUESTIONS = {**_GATES, "check": 1, "allowed_clause": 1}
"""Calls that ask about a purpose: its place among the arguments."""
_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""What has names of its own."""
_REQUEST = "ShareRequest"  # what ``check_many`` takes: subject, purpose, recipient


@dataclass(frozen=True)
class Gate:
    """One call in the app's code; empty is what reading does not tell."""

    purpose: str
    recipient: str
    place: str
    shares: bool

    @property
    def is_clear(self) -> bool:
        """Whether it is known what it is about."""
        return bool(self.purpose and self.recipient)


@dataclass(frozen=True)
class _Names:
    """What names stand for in a module, but those of which it is not known here."""

    module: ModuleType
    unclear: frozenset[str]

    def find(self, name: str) -> Any:
        """Its value; None if it is not known, or there is none."""
        return None if name in self.unclear else vars(self.module).get(name)


def find_gates(root: Path) -> list[Gate]:
    """The calls in the loaded modules whose files are below ``root``."""
    return [
        gate
        for module in tuple(sys.modules.values())
        if (path := _file(module)) and path.is_relative_to(root) and _is_own(path)
        for gate in _gates_in(module, path)
    ]


def examine(registry: Registry, gates: list[Gate]) -> Iterator[str]:
    """What is missing between what is declared and what is called."""
    sharing = {(each.purpose, each.recipient) for each in gates if each.shares}
    asking = {(each.purpose, each.recipient) for each in gates}
    for question in registry.all_questions():
        key = question.purpose_id, question.recipient_id
        own = question.recipient_id == OWN_USE_ID
        if not question.transfer and key not in (asking if own else sharing):
            what = "is never asked about" if own else "has no gate"
            yield f"purpose {key[0]!r} {what} for recipient {key[1]!r}"
    asked = {question.recipient_id for question in registry.all_questions()}
    for recipient in registry.recipients.values():
        if recipient.id == OWN_USE_ID:
            continue
        by_law_alone = recipient.id not in asked
        if not by_law_alone and not any(recipient.id == each for _, each in sharing):
            yield f"recipient {recipient.id!r} has no call"
        if not recipient.hosts:
            yield (
                f"recipient {recipient.id!r} has no hosts: what goes there past the "
                "gate is neither refused nor found"
            )
    for gate in gates:
        if gate.is_clear and not registry.question(gate.purpose, gate.recipient):
            does = "is a gate for" if gate.shares else "asks about"
            yield (
                f"{gate.place} {does} {gate.purpose!r} and {gate.recipient!r}, which "
                "are not declared for each other"
            )


def untested(gates: list[Gate], reached: Collection[tuple[str, str]]) -> Iterator[str]:
    """The gates whose purpose and recipient no test asked about."""
    for gate in gates:
        if gate.is_clear and (gate.purpose, gate.recipient) not in reached:
            yield (
                f"{gate.place}: no test reaches the gate for {gate.purpose!r} and "
                f"{gate.recipient!r}"
            )


def _file(module: ModuleType) -> Path | None:
    name = getattr(module, "__file__", None)
    return Path(name) if isinstance(name, str) and name.endswith(".py") else None


def _is_own(path: Path) -> bool:
    """Not what was installed, should that be below the app's folder."""
    return not {"site-packages", "dist-packages"} & set(path.parts)


def _gates_in(module: ModuleType, path: Path) -> Iterator[Gate]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # it changed since it was loaded
    scoped = list(_scoped(tree))
    # What has several values has the last of them by now, whichever was meant.
    given = Counter(
        name for node, hidden in scoped for name in _bound([node]) if name not in hidden
    )
    several = {name for name, times in given.items() if times > 1}
    for node, hidden in scoped:
        if not isinstance(node, ast.Call):
            continue
        call, asked = _called(node), _asked(node)
        if asked is not None:
            names = _Names(module, hidden | several)
            purpose, recipient = (_id(names, each) for each in asked)
            place = f"{path.name}:{node.lineno}"
            yield Gate(purpose, recipient, place, call in _GATES)


def _called(node: ast.Call) -> str:
    """The name that is called: a method's, or one that stands alone."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    is_request = isinstance(node.func, ast.Name) and node.func.id == _REQUEST
    return _REQUEST if is_request else ""


def _asked(node: ast.Call) -> tuple[ast.expr | None, ast.expr | None] | None:
    """What stands for purpose and recipient, None if the call is no question."""
    named = {each.arg: each.value for each in node.keywords}
    call = _called(node)
    if call == _REQUEST:
        _, purpose, recipient, *_ = (*node.args, None, None, None)
        return purpose or named.get("purpose"), recipient or named.get("recipient")
    if call not in _QUESTIONS or "recipient" not in named:
        return None
    at = _QUESTIONS[call]
    purpose = node.args[at] if len(node.args) > at else named.get("purpose")
    return purpose, named["recipient"]


def _scoped(tree: ast.Module) -> Iterator[tuple[ast.AST, frozenset[str]]]:
    """Each node, with the names that a function around it gives values of its own."""
    nodes: deque[tuple[ast.AST, frozenset[str]]] = deque([(tree, frozenset())])
    while nodes:
        node, hidden = nodes.popleft()
        if isinstance(node, _SCOPES):
            hidden |= frozenset(_bound(ast.walk(node)))
        yield node, hidden
        nodes.extend((child, hidden) for child in ast.iter_child_nodes(node))


def _bound(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Each name as often as it is given a value; once more for one of a loop."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.For | ast.AsyncFor):
            targets = ast.walk(node.target)
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def _id(names: _Names, node: ast.expr | None) -> str:
    value = _value(names, node)
    if isinstance(value, (Purpose, Recipient)):
        return value.id
    return value if isinstance(value, str) else ""


def _value(names: _Names, node: ast.expr | None) -> Any:
    """What an expression stands for, without running it."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return names.find(node.id)
    if isinstance(node, ast.Attribute):
        within = _value(names, node.value)
        return getattr(within, "__dict__", {}).get(node.attr)
    return None
