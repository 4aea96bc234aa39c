"""The usual leaf, read in one go: a log of a million of them is not read in an hour.

What a leaf may hold is a regular language but for a few relations between values
(``leaf_grammar``). So one regular expression for each kind says that the bytes are
canonical JSON of the right form and cuts them into fields; what is left to check is
checked on the values. It only ever says yes: whatever it does not take, sound or not,
is read the long way, which also knows what is wrong with it.
"""

from __future__ import annotations

import json
import re
from binascii import a2b_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from consentkit.core.act import Kind
from consentkit.log.leaf_grammar import COMMON
from consentkit.log.leaf_grammar import FORMS
from consentkit.log.leaf_grammar import Rule
from consentkit.log.note import KEY_ID_SIZE
from consentkit.log.note import Signature
from consentkit.log.note import UnverifiedNote

__all__ = ["read_usual"]

# As Latin-1, where each byte is a character: to read it so is to copy it.
_HEADER = "consentkit/leaf@v1\n"
_DASH = "\xe2\x80\x94 "

# One signature line, of a name in ASCII and of 4 + 64 bytes in base64, whose last
# character before the padding has two spare bits, both zero.
_SIGNATURE = (
    rf"\n{_DASH}([\x21-\x2a\x2c-\x7e]{{1,512}}) "
    r"([A-Za-z0-9+/]{90}[AEIMQUYcgkosw048]=)\n"
)
_KIND = '"kind":"'
_JSON = json.JSONDecoder()  # asked directly: ``json.loads`` takes twice as long
_KINDS = {kind.value: kind for kind in Kind}


def read_usual(data: bytes) -> tuple[UnverifiedNote, dict[str, Any]] | None:
    """The note and the body of a leaf as nearly all are, None for any other bytes.

    No signature is checked.
    """
    leaf = data.decode("latin-1")
    begin = leaf.find(_KIND) + len(_KIND)
    kind = _KINDS.get(leaf[begin : leaf.find('"', begin)])
    return _spelling(kind).read(leaf, data) if kind else None


@dataclass(frozen=True)
class _Spelling:
    """How the leaves of one kind are spelled.

    ``pattern`` has a group for each of ``names``, and after them one for the signer's
    name and one for the signature; ``parsers`` are for the groups that hold other JSON
    than text, and ``rests`` for what a pattern cannot say.
    """

    pattern: re.Pattern[str]
    names: tuple[str, ...]
    parsers: tuple[tuple[str, Callable[[str], Any]], ...]
    rests: tuple[tuple[str, Callable[[Any], bool]], ...]
    relations: tuple[Callable[[Any], bool], ...]

    def read(
        self, leaf: str, data: bytes
    ) -> tuple[UnverifiedNote, dict[str, Any]] | None:
        match = self.pattern.fullmatch(leaf)
        if match is None:
            return None
        groups = match.groups()
        name, signature = groups[-2:]
        body: dict[str, Any] = dict(zip(self.names, groups, strict=False))
        for field, parse in self.parsers:
            body[field] = parse(body[field])
        for field, rest in self.rests:
            if not rest(body[field]):
                return None
        for holds in self.relations:
            if not holds(body):
                return None
        raw = a2b_base64(signature)
        by = Signature(name, raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:])
        return UnverifiedNote(data[: data.rindex(b"\n\n") + 1], (by,)), body


@cache
def _spelling(kind: Kind) -> _Spelling:
    """Compiled when first met. Optional fields are left to the long way."""
    form = FORMS[kind]
    rules = {**COMMON, **form.required}
    rules["kind"] = Rule(kind, lambda value: value == kind, f'"(?:{kind})"')
    names = tuple(sorted(rules))
    members = (f'"{name}":{_group(rules[name].spelling)}' for name in names)
    return _Spelling(
        re.compile(rf"{_HEADER}\{{{','.join(members)}\}}\n{_SIGNATURE}"),
        names,
        tuple(
            (name, _parser(rules[name])) for name in names if not _is_text(rules[name])
        ),
        tuple((name, rest) for name in names if (rest := rules[name].rest)),
        tuple(relation.accepts for relation in form.relations),
    )


def _is_text(rule: Rule) -> bool:
    return rule.spelling.startswith('"')


def _parser(rule: Rule) -> Callable[[str], Any]:
    return int if rule.spelling.startswith("(") else _parse


def _parse(text: str) -> Any:
    """JSON whose form the pattern has judged."""
    return _JSON.raw_decode(text)[0]


def _group(spelling: str) -> str:
    """The spelling with a group around it, within the quotes of a text."""
    return f'"({spelling[1:-1]})"' if spelling.startswith('"') else f"({spelling})"
