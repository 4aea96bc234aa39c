"""What may stand in a leaf: one table, kind by kind, field by field.

Closed in every direction: unknown kinds, unknown fields, missing fields and unknown
words are refused, by whoever writes a leaf and by whoever reads one. No field has
room for a person's data: handles, hashes, ids, numbers and short ASCII tokens only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import lru_cache
from typing import Any
from typing import TypeAlias

from consentkit.core.act import AUTHORISING
from consentkit.core.act import STATES_OF
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.core.act import can_end
from consentkit.core.canonical import MAX_INTEGER
from consentkit.core.decision import Reason
from consentkit.errors import MalformedError
from consentkit.log.encoding import decode_base64
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier
from consentkit.log.keys import check_key_name

__all__ = ["COMMON", "FORMS", "Form", "Rule", "check_body"]

Body: TypeAlias = Mapping[str, Any]

# Printable ASCII that JSON writes as itself: no space, no quote, no backslash.
_CHARACTER = r"[\x21\x23-\x5b\x5d-\x7e]"
_ID_PATTERN = r"[a-z0-9][a-z0-9-]{0,63}"

_MAX_LONG = 8192  # a verifier key, or an earlier checkpoint with its cosignatures
_SEVERAL = 2  # of one alone there is no order to ask for
_PARSED_KEPT = 16  # a log's name is parsed once and not once a leaf


@dataclass(frozen=True)
class Rule:
    """What one field may hold: ``expected`` says it to people.

    ``spelling`` is a regular expression for canonical JSON, used to read faster. It
    may miss values that are accepted. One that it matches is accepted exactly when
    ``rest`` accepts it; None is nothing left to ask.
    """

    expected: str
    accepts: Callable[[Any], bool]
    spelling: str = ""
    rest: Callable[[Any], bool] | None = None


@dataclass(frozen=True)
class Form:
    """What one kind of leaf holds beyond the fields that all kinds have."""

    required: Mapping[str, Rule]
    optional: Mapping[str, Rule] = field(default_factory=dict)
    relations: tuple[Rule, ...] = ()  # between fields


def _text(pattern: str, expected: str) -> Rule:
    compiled = re.compile(pattern)
    return Rule(
        expected,
        lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None,
        f'"(?:{pattern})"',
    )


def _one_of(*words: str) -> Rule:
    allowed = frozenset(map(str, words))
    return Rule(
        "one of " + ", ".join(sorted(allowed)),
        lambda value: isinstance(value, str) and value in allowed,
        f'"(?:{"|".join(map(re.escape, sorted(allowed)))})"',
    )


def _parsed_by(parse: Callable[[str], object], expected: str) -> Rule:
    token = _text(rf"{_CHARACTER}{{1,{_MAX_LONG}}}", expected)

    @lru_cache(maxsize=_PARSED_KEPT)
    def parses(value: str) -> bool:
        try:
            parse(value)
        except MalformedError:
            return False
        return True

    return Rule(
        expected,
        lambda value: token.accepts(value) and parses(value),
        token.spelling,
        parses,
    )


def _object_of(fields: Mapping[str, Rule]) -> Rule:
    members = (f'"{name}":{fields[name].spelling}' for name in sorted(fields))
    rests = [(name, rule.rest) for name, rule in fields.items() if rule.rest]

    def rest(value: Body) -> bool:
        for name, accepts in rests:  # noqa: SIM110 (a million leaves: half the time)
            if not accepts(value[name]):
                return False
        return True

    return Rule(
        "an object of " + ", ".join(sorted(fields)),
        lambda value: (
            isinstance(value, Mapping)
            and value.keys() == fields.keys()
            and all(rule.accepts(value[name]) for name, rule in fields.items())
        ),
        rf"\{{{','.join(members)}\}}",
        rest,
    )


def _list_of(rule: Rule, *, key: Callable[[Any], Any], least: int = 0) -> Rule:
    def accepts(value: object) -> bool:
        if not isinstance(value, (list, tuple)) or len(value) < least:
            return False
        return all(map(rule.accepts, value)) and _ascends(map(key, value))

    def rest(value: Sequence[Any]) -> bool:
        if rule.rest is not None and not all(map(rule.rest, value)):
            return False
        return len(value) < _SEVERAL or _ascends(map(key, value))

    items = f"{rule.spelling}(?:,{rule.spelling})*"
    return Rule(
        f"at least {least}, sorted and each once, of: {rule.expected}",
        accepts,
        rf"\[{items}\]" if least else rf"\[(?:{items})?\]",
        rest,
    )


def _also(rule: Rule, expected: str, accepts: Callable[[Any], bool]) -> Rule:
    """The rule, and one more thing that its values have to be."""
    rest = rule.rest
    return Rule(
        f"{rule.expected}; {expected}",
        lambda value: rule.accepts(value) and accepts(value),
        rule.spelling,
        lambda value: (rest is None or rest(value)) and accepts(value),
    )


def _ascends(keys: Iterable[Any]) -> bool:
    ordered = list(keys)
    return ordered == sorted(set(ordered))


_HEX_128 = _text(r"[0-9a-f]{32}", "32 lowercase hex digits")
_HEX_256 = _text(r"[0-9a-f]{64}", "64 lowercase hex digits")
_HEX_256_OR_NONE = _text(r"(?:[0-9a-f]{64})?", "64 lowercase hex digits or nothing")
_ID = _text(_ID_PATTERN, "an id of a-z, 0-9 and '-', 64 at most")
_ID_OR_NONE = _text(rf"(?:{_ID_PATTERN})?", "an id of a-z, 0-9 and '-', or nothing")
_PURPOSE = _text(rf"{_ID_PATTERN}(?:\.cross-border)?", "a purpose's id")
_PURPOSE_OR_NONE = _text(
    rf"(?:{_ID_PATTERN}(?:\.cross-border)?)?", "a purpose's id or nothing"
)
_WORD = _text(
    rf"{_CHARACTER}{{0,512}}", "a token of up to 512 printable ASCII characters"
)
_LOCALE = _text(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", "a BCP 47 language tag")
_NATURAL = Rule(
    "an integer from 0 to 2^53-1",
    lambda value: type(value) is int and 0 <= value <= MAX_INTEGER,
    "(?:0|[1-9][0-9]{0,14})",  # those of 16 digits may be too large
)
_ORIGIN = _parsed_by(check_key_name, "the name of a log")
_VKEY = _parsed_by(Verifier.parse, "a verifier key")
_BASE64 = _parsed_by(lambda value: decode_base64(value.encode()), "base64")
_IDS = _list_of(_ID, key=str)

_OFFER_FIELDS = {
    "data": _IDS,
    "optional": _IDS,
    "purpose": _PURPOSE,
    "recipient": _ID,
    "scope": _HEX_256,
}


def _offers() -> Rule:
    offer = _also(
        _object_of(_OFFER_FIELDS),
        "optional is part of data",
        lambda value: set(value["optional"]) <= set(value["data"]),
    )
    return _list_of(offer, key=_question, least=1)


def _choices(*states: State) -> Rule:
    choice = _object_of(
        {
            "data": _IDS,
            "purpose": _PURPOSE,
            "recipient": _ID,
            "scope": _HEX_256,
            "state": _one_of(*states),
            "until": _NATURAL,
        }
    )
    whole = _also(
        choice,
        f"state {', '.join(states)}; data and end only in a grant",
        _grants_what_it_says,
    )
    return _list_of(whole, key=_question, least=1)


def _grants_what_it_says(choice: Body) -> bool:
    grants = choice["state"] in AUTHORISING
    return grants == bool(choice["data"]) == bool(choice["until"])


def _question(value: Body) -> tuple[str, str]:
    return value["purpose"], value["recipient"]


_CHAIN = Rule(
    "prev to be empty at seq 0 and the previous leaf's hash after it",
    lambda body: (body["seq"] == 0) == (body["prev"] == ""),
)


_ENDING = Rule(
    "choices that are withdrawn by the person, or ended otherwise by somebody else",
    lambda body: all(
        can_end(body["actor"], choice["state"]) for choice in body["choices"]
    ),
)


def _usable_key(body: Body) -> bool:
    witness = body["role"] == "witness"
    algorithm = Algorithm.COSIGNATURE_V1 if witness else Algorithm.ED25519
    fits = Verifier.parse(body["vkey"]).algorithm == algorithm
    return fits and body["from"] < body.get("until", MAX_INTEGER)


_KEY_RELATION = Rule("a key of the role's type, from before until", _usable_key)

COMMON = {"id": _HEX_128, "kind": _one_of(*Kind), "log": _ORIGIN, "time": _NATURAL}
_PERSON = {"subject": _HEX_128, "seq": _NATURAL, "prev": _HEX_256_OR_NONE}
_ACTED = {"actor": _one_of(*Actor), "channel": _one_of(*Channel), "evidence": _HEX_256}
_ASSURED = {"assurance": _one_of(*Assurance)}
_SHARE = {
    "amount": _NATURAL,
    "caller": _WORD,
    "channel": _one_of(*Channel),
    "data": _IDS,
    "purpose": _PURPOSE,
    "recipient": _ID,
}
_DENIALS = tuple(reason for reason in Reason if reason is not Reason.GRANTED)


def _of_a_person(*parts: Mapping[str, Rule], **fields: Rule) -> Form:
    required = dict(_PERSON)
    for part in (*parts, fields):
        required |= part
    return Form(required, relations=(_CHAIN,))


def _revocation() -> Form:
    form = _of_a_person(
        _ACTED,
        _ASSURED,
        challenge=_HEX_256_OR_NONE,
        choices=_choices(*STATES_OF[Kind.REVOCATION]),
    )
    return replace(form, relations=(*form.relations, _ENDING))


FORMS: Mapping[Kind, Form] = {
    Kind.GENESIS: Form(
        {"controller": _ID},
        {"previous": _object_of({"checkpoint": _BASE64, "reason": _WORD})},
    ),
    Kind.KEY: Form(
        {
            "from": _NATURAL,
            "role": _one_of("collector", "log", "witness", "partner"),
            "vkey": _VKEY,
        },
        {"until": _NATURAL},
        (_KEY_RELATION,),
    ),
    Kind.NOTICE: Form(
        {"html": _HEX_256, "locale": _LOCALE, "notice": _HEX_256, "offers": _offers()}
    ),
    Kind.CHOICE: _of_a_person(
        _ACTED,
        _ASSURED,
        challenge=_HEX_256,
        choices=_choices(*STATES_OF[Kind.CHOICE]),
        notice=_HEX_256,
    ),
    Kind.REVOCATION: _revocation(),
    Kind.DISCLOSURE: _of_a_person(
        _SHARE, grant=_HEX_256, record=_HEX_128, scope=_HEX_256
    ),
    Kind.DISCLOSURE_BATCH: Form(
        {**_SHARE, "count": _NATURAL, "root": _HEX_256, "withheld": _NATURAL}
    ),
    Kind.DENIAL: _of_a_person(_SHARE, reason=_one_of(*_DENIALS)),
    Kind.SUSPENSION: Form(
        {
            "action": _one_of("suspend", "resume"),
            "evidence": _HEX_256,
            "purpose": _PURPOSE_OR_NONE,
            "recipient": _ID_OR_NONE,
        }
    ),
    Kind.ERASURE: Form(
        {**_PERSON, "reason": _WORD}, {"evidence": _HEX_256}, relations=(_CHAIN,)
    ),
    Kind.DELIVERY: _of_a_person(
        attempts=_NATURAL,
        recipient=_ID,
        record=_HEX_128,
        status=_one_of("delivered", "failed", "acknowledged"),
    ),
    Kind.IMPORT: _of_a_person(
        _ACTED,
        assurance=_one_of(Assurance.ASSERTED),
        choices=_choices(*STATES_OF[Kind.IMPORT]),
        source=_WORD,
    ),
    Kind.CLOSURE: Form({"reason": _WORD}, {"successor": _ORIGIN}),
    Kind.ADMIN: Form({"action": _WORD, "evidence": _HEX_256, "target": _WORD}),
}


def check_body(body: Body) -> Kind:
    """Return the kind of a leaf's body, if it holds exactly what that kind holds.

    Raises:
        MalformedError: unknown kind, or a field that is missing, unknown or wrong.
            The message names the field and never quotes its value.
    """
    if not COMMON["kind"].accepts(body.get("kind")):
        raise MalformedError("a leaf's kind must be on the closed list", step="leaf")
    kind = Kind(body["kind"])
    form = FORMS[kind]
    required = COMMON | dict(form.required)
    allowed = required | dict(form.optional)
    _check_names(body, required.keys(), allowed.keys())
    for name in body:
        if not allowed[name].accepts(body[name]):
            raise MalformedError(
                f"{kind} leaf: expected {name!r} to be {allowed[name].expected}; "
                f"got something else of type {type(body[name]).__name__}",
                step="leaf",
            )
    for relation in form.relations:
        if not relation.accepts(body):
            raise MalformedError(
                f"{kind} leaf: expected {relation.expected}", step="leaf"
            )
    return kind


def _check_names(body: Body, required: Iterable[str], allowed: Iterable[str]) -> None:
    missing = sorted(set(required) - set(body))
    unknown = set(body) - set(allowed)
    if missing or unknown:
        raise MalformedError(
            f"{body['kind']} leaf: expected exactly the fields of its kind; missing "
            f"{missing}, and {len(unknown)} that it does not have",
            step="leaf",
        )
