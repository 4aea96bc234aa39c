"""Leaves: the closed list of what may be recorded, and who may have signed it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.leaf_grammar import FORMS
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import sign_note

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

ORIGIN = "wallet.example/consent/2026"
COLLECTOR = Ed25519Signer.from_seed(f"{ORIGIN}/collector/a1", bytes([1]) * 32)
LOG = Ed25519Signer.from_seed(ORIGIN, bytes([2]) * 32)

HEX_128 = "0123456789abcdef" * 2
HEX_256 = "0123456789abcdef" * 4

COMMON = {"id": HEX_128, "log": ORIGIN, "time": 1_767_225_600_123}
PERSON = {"subject": HEX_128, "seq": 3, "prev": HEX_256}
ACTED = {"actor": "subject", "channel": "web", "evidence": HEX_256}
SHARE = {
    "amount": 12,
    "caller": "statements.send",
    "channel": "server",
    "data": ["spending"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
}
GIVEN = {
    "data": ["income", "spending"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "scope": HEX_256,
    "state": "given",
    "until": 1_798_761_600_000,
}
REFUSED = {
    **GIVEN,
    "data": [],
    "purpose": "offers.cross-border",
    "state": "refused",
    "until": 0,
}
WITHDRAWN = {**GIVEN, "data": [], "state": "withdrawn", "until": 0}
OFFER = {
    "data": ["income", "spending"],
    "optional": ["income"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "scope": HEX_256,
}

FIELDS: dict[str, dict[str, Any]] = {
    "genesis": {
        "controller": "wallet",
        "previous": {
            "checkpoint": base64.b64encode(
                OWN["checkpoint"]["signed"].encode()
            ).decode(),
            "reason": "key-compromise",
        },
    },
    "key": {"from": 0, "role": "collector", "until": 9, "vkey": COLLECTOR.vkey},
    "notice": {
        "html": HEX_256,
        "locale": "zh-Hans-CN",
        "notice": HEX_256,
        "offers": [OFFER],
    },
    "choice": PERSON
    | ACTED
    | {
        "assurance": "session",
        "challenge": HEX_256,
        "choices": [GIVEN, REFUSED],
        "notice": HEX_256,
    },
    "revocation": PERSON
    | ACTED
    | {"assurance": "session", "challenge": "", "choices": [WITHDRAWN]},
    "disclosure": PERSON
    | SHARE
    | {"grant": HEX_256, "record": HEX_128, "scope": HEX_256},
    "disclosure-batch": SHARE | {"count": 2, "root": HEX_256, "withheld": 1},
    "denial": PERSON | SHARE | {"reason": "not_asked"},
    "suspension": {
        "action": "suspend",
        "evidence": HEX_256,
        "purpose": "credit-score",
        "recipient": "",
    },
    "erasure": PERSON | {"evidence": HEX_256, "reason": "request"},
    "delivery": PERSON
    | {
        "attempts": 3,
        "recipient": "acme-credit",
        "record": HEX_128,
        "status": "acknowledged",
    },
    "import": PERSON
    | ACTED
    | {"assurance": "asserted", "choices": [WITHDRAWN], "source": "crm-2025"},
    "closure": {"reason": "end-of-period", "successor": "wallet.example/consent/2027"},
    "admin": {"action": "publish", "evidence": HEX_256, "target": "credit-score"},
}
BODIES = {kind: {**COMMON, "kind": kind, **FIELDS[kind]} for kind in FIELDS}
OPTIONAL = {
    "genesis": {"previous"},
    "key": {"until"},
    "erasure": {"evidence"},
    "closure": {"successor"},
}


def signed(body: Mapping[str, Any], *signers: Ed25519Signer) -> bytes:
    """A leaf of any body whatever, as somebody with the collector's key could make."""
    text = LEAF_HEADER + b"\n" + canonical.encode(body) + b"\n"
    return sign_note(text, *(signers or [COLLECTOR]))


def test_every_kind_on_the_closed_list_has_its_form() -> None:
    assert set(FORMS) == set(Kind)
    assert set(BODIES) == {kind.value for kind in Kind}


@pytest.mark.parametrize("kind", BODIES)
def test_a_leaf_of_each_kind_opens_with_its_collectors_key(kind: str) -> None:
    body = BODIES[kind]
    data = sign_leaf(body, COLLECTOR)

    leaf = open_leaf(data, [COLLECTOR.verifier])

    assert dict(leaf.body) == body
    assert leaf.data == data == signed(body)
    assert leaf.hash == hash_leaf(data)
    assert leaf.signers == leaf.claimed == (COLLECTOR.name,)
    assert (leaf.kind, leaf.id, leaf.time, leaf.log) == (
        Kind(kind),
        HEX_128,
        1_767_225_600_123,
        ORIGIN,
    )
    assert (leaf.subject, leaf.seq, leaf.prev) == (
        body.get("subject"),
        body.get("seq"),
        body.get("prev"),
    )


@pytest.mark.requirement("R48")
def test_the_bytes_of_a_leaf_are_two_lines_of_ascii_and_one_signature() -> None:
    data = sign_leaf(BODIES["closure"], COLLECTOR)

    assert data.startswith(
        b"consentkit/leaf@v1\n"
        b'{"id":"0123456789abcdef0123456789abcdef","kind":"closure",'
        b'"log":"wallet.example/consent/2026","reason":"end-of-period",'
        b'"successor":"wallet.example/consent/2027","time":1767225600123}\n'
        b"\n"
        b"\xe2\x80\x94 wallet.example/consent/2026/collector/a1 "
    )
    assert data.count(b"\n") == 4


@pytest.mark.parametrize("kind", BODIES)
def test_no_field_may_be_missing_but_the_optional_ones(kind: str) -> None:
    for name in BODIES[kind]:
        body = {key: value for key, value in BODIES[kind].items() if key != name}
        if name in OPTIONAL.get(kind, set()):
            sign_leaf(body, COLLECTOR)
            continue
        with pytest.raises(MalformedError):
            sign_leaf(body, COLLECTOR)
        with pytest.raises(MalformedError):
            read_leaf(signed(body))


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("kind", BODIES)
def test_no_leaf_has_room_for_a_field_that_is_not_foreseen(kind: str) -> None:
    for name in ("email", "ip", "user", "", "Id"):
        with pytest.raises(MalformedError, match="1 that it does not have"):
            read_leaf(signed({**BODIES[kind], name: "x"}))


WRONG_FOR_EVERY_FIELD: dict[str, Any] = {
    "text with spaces": "Anne Smith",
    "text that is not ASCII": "Ännchen",
    "a quote": 'a"b',
    "a backslash": "a\\b",
    "a newline": "a\n",
    "a longer text": "a" * 8193,
    "a negative number": -1,
    "a truth value": True,
    "an array of numbers": [1],
    "an array of arrays": [[]],
    "an object": {"a": 1},
}


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("name", WRONG_FOR_EVERY_FIELD)
@pytest.mark.parametrize("kind", BODIES)
def test_no_field_takes_free_text_or_another_type(kind: str, name: str) -> None:
    for field in BODIES[kind]:
        body = {**BODIES[kind], field: WRONG_FOR_EVERY_FIELD[name]}
        with pytest.raises(MalformedError):
            sign_leaf(body, COLLECTOR)
        with pytest.raises(MalformedError):
            read_leaf(signed(body))


def changed(kind: str, /, **fields: Any) -> dict[str, Any]:
    return {**BODIES[kind], **{name.rstrip("_"): fields[name] for name in fields}}


def choice(**fields: Any) -> dict[str, Any]:
    return changed("choice", choices=[{**GIVEN, **fields}])


def ended(state: str, *, actor: str) -> dict[str, Any]:
    return changed("revocation", actor=actor, choices=[{**WITHDRAWN, "state": state}])


MALFORMED_BODIES = {
    "unknown kind": changed("closure", kind="opening"),
    "kind in capitals": changed("closure", kind="CLOSURE"),
    "id in capitals": changed("closure", id=HEX_128.upper()),
    "id too short": changed("closure", id=HEX_128[:-1]),
    "time beyond 2^53-1": changed("closure", time=2**53 - 1 + 1),
    "empty log": changed("closure", log=""),
    "log with a plus": changed("closure", log="a+b"),
    "first leaf with a previous one": changed("choice", seq=0),
    "later leaf without a previous one": changed("choice", prev=""),
    "prev cut short": changed("choice", prev=HEX_128),
    "unknown actor": changed("choice", actor="robot"),
    "unknown channel": changed("choice", channel="pigeon"),
    "unknown assurance": changed("choice", assurance="certain"),
    "choice without challenge": changed("choice", challenge=""),
    "no choices": changed("choice", choices=[]),
    "choices unsorted": changed("choice", choices=[REFUSED, GIVEN]),
    "one question answered twice": changed("choice", choices=[GIVEN, GIVEN]),
    "unknown state": choice(state="maybe"),
    "choice that withdraws": choice(state="withdrawn", data=[], until=0),
    "grant without data": choice(data=[]),
    "grant without end": choice(until=0),
    "refusal with data": choice(state="refused", until=0),
    "refusal with an end": choice(state="refused", data=[]),
    "data unsorted": choice(data=["spending", "income"]),
    "data twice": choice(data=["income", "income"]),
    "data with a capital": choice(data=["Income"]),
    "purpose too long": choice(purpose="a" * 65),
    "purpose with another suffix": choice(purpose="a.other"),
    "recipient with the suffix": choice(recipient="a.cross-border"),
    "recipient that begins with a hyphen": choice(recipient="-a"),
    "scope cut short": choice(scope=HEX_128),
    "choice with a foreign field": choice(comment="x"),
    "revocation that grants": changed("revocation", choices=[GIVEN]),
    "revocation that refuses": changed("revocation", choices=[REFUSED]),
    "withdrawal by the controller": ended("withdrawn", actor="controller"),
    "withdrawal by an authority": ended("withdrawn", actor="authority"),
    "withdrawal by the system": ended("withdrawn", actor="system"),
    "revocation by the person": ended("revoked", actor="subject"),
    "revocation by a guardian": ended("revoked", actor="guardian"),
    "invalidation by the person": ended("invalidated", actor="subject"),
    "expiry by a delegate": ended("expired", actor="delegate"),
    "withdrawal and invalidation in one": changed(
        "revocation",
        choices=[WITHDRAWN, {**WITHDRAWN, "recipient": "b", "state": "invalidated"}],
    ),
    "import that claims more": changed("import", assurance="session"),
    "denial because granted": changed("denial", reason="granted"),
    "denial for an unknown reason": changed("denial", reason="because"),
    "disclosure without the grant": changed("disclosure", grant=""),
    "delivery of unknown outcome": changed("delivery", status="lost"),
    "suspension that does neither": changed("suspension", action="pause"),
    "locale with an underscore": changed("notice", locale="zh_CN"),
    "notice that offers nothing": changed("notice", offers=[]),
    "optional data that is not offered": changed(
        "notice", offers=[{**OFFER, "optional": ["photos"]}]
    ),
    "key of an unknown role": changed("key", role="publisher"),
    "key that ends before it begins": changed("key", from_=9),
    "key with a wrong id": changed("key", vkey=COLLECTOR.vkey.replace("+", "+0", 1)),
    "witness with a log's key": changed("key", role="witness"),
    "log with a witness's key": changed(
        "key",
        role="log",
        vkey=Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1).vkey,
    ),
    "earlier checkpoint not in base64": changed(
        "genesis", previous={"checkpoint": "~~~~", "reason": "x"}
    ),
    "earlier checkpoint without a reason": changed(
        "genesis", previous={"checkpoint": "AAAA"}
    ),
    "reason of 513 characters": changed("closure", reason="a" * 513),
}


@pytest.mark.requirement("R60")
@pytest.mark.parametrize("name", MALFORMED_BODIES)
def test_a_body_that_says_something_else_is_refused_by_both_sides(name: str) -> None:
    with pytest.raises(MalformedError):
        sign_leaf(MALFORMED_BODIES[name], COLLECTOR)
    with pytest.raises(MalformedError):
        read_leaf(signed(MALFORMED_BODIES[name]))


ACCEPTED_BODIES = {
    "first leaf of a subject": changed("choice", seq=0, prev=""),
    "withdrawal without a form": changed("revocation", challenge=""),
    "withdrawal by a parent": ended("withdrawn", actor="parent"),
    "revocation by the controller": ended("revoked", actor="controller"),
    "invalidation by an authority": ended("invalidated", actor="authority"),
    "expiry by the system": ended("expired", actor="system"),
    "reason of 512 characters": changed("closure", reason="a" * 512),
    "empty reason": changed("closure", reason=""),
    "all data optional": changed(
        "notice", offers=[{**OFFER, "optional": ["income", "spending"]}]
    ),
    "everything suspended": changed("suspension", purpose="", recipient=""),
    "own use": choice(recipient="controller"),
    "witness": changed(
        "key",
        role="witness",
        vkey=Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1).vkey,
    ),
}


@pytest.mark.parametrize("name", ACCEPTED_BODIES)
def test_what_the_form_foresees_is_accepted(name: str) -> None:
    body = ACCEPTED_BODIES[name]

    assert read_leaf(sign_leaf(body, COLLECTOR)).body == body


def test_a_refusal_names_kind_and_field_and_never_quotes_the_value() -> None:
    with pytest.raises(MalformedError) as caught:
        sign_leaf(changed("closure", reason="Anne Smith moved away"), COLLECTOR)

    assert str(caught.value) == (
        "closure leaf: expected 'reason' to be a token of up to 512 printable ASCII "
        "characters; got something else of type str"
    )
    assert caught.value.step == "leaf"


GOOD = sign_leaf(BODIES["choice"], COLLECTOR)
JSON_LINE = GOOD.split(b"\n")[1]


def with_line(line: bytes, header: bytes = LEAF_HEADER) -> bytes:
    return sign_note(header + b"\n" + line + b"\n", COLLECTOR)


MALFORMED_LEAVES = {
    "nothing": b"",
    "a newer version": with_line(JSON_LINE, b"consentkit/leaf@v2"),
    "another type": with_line(JSON_LINE, b"consentkit/evidence@v1"),
    "a checkpoint": OWN["checkpoint"]["signed"].encode(),
    "header alone": sign_note(LEAF_HEADER + b"\n", COLLECTOR),
    "no header": sign_note(JSON_LINE + b"\n", COLLECTOR),
    "space after the header": with_line(JSON_LINE, LEAF_HEADER + b" "),
    "third line": with_line(JSON_LINE + b"\nmore"),
    "empty third line": with_line(JSON_LINE + b"\n"),
    "two objects": with_line(JSON_LINE + JSON_LINE),
    "space in the JSON": with_line(JSON_LINE.replace(b",", b", ", 1)),
    "unsorted JSON": with_line(
        json.dumps(BODIES["choice"], separators=(",", ":")).encode()
    ),
    "key given twice": with_line(JSON_LINE.replace(b"{", b'{"actor":"subject",', 1)),
    "float": with_line(JSON_LINE.replace(b'"seq":3', b'"seq":3.0')),
    "escaped letter": with_line(JSON_LINE.replace(b"acme", rb"\u0061cme")),
    "array": with_line(b"[]"),
    "text": with_line(b'"a"'),
    "too long": with_line(b"x" * (65_536 - len(with_line(b"")))),
}


@pytest.mark.parametrize("name", MALFORMED_LEAVES)
def test_bytes_that_are_no_leaf_are_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        read_leaf(MALFORMED_LEAVES[name])
    with pytest.raises((MalformedError, UnknownKeyError)):
        open_leaf(MALFORMED_LEAVES[name], [COLLECTOR.verifier])


def test_a_leaf_longer_than_a_bundle_can_hold_is_not_signed() -> None:
    many = [{**GIVEN, "recipient": f"r{n:05}"} for n in range(400)]

    with pytest.raises(MalformedError, match="at most 655"):
        sign_leaf(changed("choice", choices=many), COLLECTOR)


def test_a_leaf_as_long_as_a_bundle_can_hold_is_signed_and_read() -> None:
    names = [f"r{n:05}" for n in range(300)]
    short = sign_leaf(
        changed("choice", choices=[{**GIVEN, "recipient": each} for each in names]),
        COLLECTOR,
    )
    missing = 65_535 - len(short)
    filled = [
        each + "x" * min(58, max(0, missing - 58 * place))
        for place, each in enumerate(names)
    ]

    longest = sign_leaf(
        changed("choice", choices=[{**GIVEN, "recipient": each} for each in filled]),
        COLLECTOR,
    )

    assert len(longest) == 65_535
    assert read_leaf(longest).data == longest


def test_a_leaf_read_without_keys_names_no_signer() -> None:
    leaf = read_leaf(GOOD)

    assert leaf.signers == ()
    assert leaf.claimed == (COLLECTOR.name,)


@pytest.mark.requirement("R95")
def test_a_leaf_with_one_bit_changed_does_not_open() -> None:
    for at in range(len(GOOD)):
        tampered = bytearray(GOOD)
        tampered[at] ^= 1
        with pytest.raises((MalformedError, InvalidSignatureError, UnknownKeyError)):
            open_leaf(bytes(tampered), [COLLECTOR.verifier])


@pytest.mark.requirement("R96")
def test_time_place_and_predecessor_are_under_the_signature_and_in_the_hash() -> None:
    for fields in ({"time": 1}, {"seq": 4}, {"prev": HEX_256[::-1]}, {"log": "other"}):
        tampered = GOOD.replace(
            JSON_LINE, canonical.encode({**BODIES["choice"], **fields})
        )
        assert hash_leaf(tampered) != hash_leaf(GOOD)
        with pytest.raises(InvalidSignatureError):
            open_leaf(tampered, [COLLECTOR.verifier])


def test_a_leaf_is_signed_under_a_collectors_name_of_its_own_log() -> None:
    for name in (ORIGIN, f"{ORIGIN}/collector/", "other.example/collector/a1"):
        with pytest.raises(MalformedError, match="expected a key named"):
            sign_leaf(BODIES["choice"], Ed25519Signer.generate(name))


@pytest.mark.requirement("R97")
def test_a_leaf_signed_by_anybody_but_a_collector_of_its_log_does_not_open() -> None:
    foreign = Ed25519Signer.generate("other.example/collector/a1")

    for signer in (LOG, foreign):
        data = signed(BODIES["choice"], signer)
        with pytest.raises(UnknownKeyError):
            open_leaf(data, [COLLECTOR.verifier, signer.verifier])
    both = signed(BODIES["choice"], COLLECTOR, foreign)
    assert open_leaf(both, [COLLECTOR.verifier]).signers == (COLLECTOR.name,)


def test_the_body_cannot_be_changed_after_it_was_read() -> None:
    with pytest.raises(TypeError):
        read_leaf(GOOD).body["seq"] = 4  # type: ignore[index]  # that it fails is shown


def test_a_leaf_keeps_its_bytes_and_who_is_said_to_have_signed_them() -> None:
    for leaf in (read_leaf(GOOD), open_leaf(GOOD, [COLLECTOR.verifier])):
        assert leaf.data == GOOD
        assert leaf.claimed == (COLLECTOR.name,)
        assert leaf.hash == hash_leaf(GOOD)


FOREIGN = Ed25519Signer.from_seed("other.example/collector/a1", bytes([3]) * 32)
SAID: dict[str, tuple[Callable[[], object], str]] = {
    "another key's name": (
        lambda: sign_leaf(BODIES["choice"], LOG),
        f"expected a key named {ORIGIN}/collector/…, got {ORIGIN!r}",
    ),
    "another first line": (
        lambda: read_leaf(MALFORMED_LEAVES["a newer version"]),
        "expected the first line 'consentkit/leaf@v1'",
    ),
    "no object": (
        lambda: read_leaf(MALFORMED_LEAVES["array"]),
        "expected a JSON object in the leaf",
    ),
    "unknown kind": (
        lambda: sign_leaf(MALFORMED_BODIES["unknown kind"], COLLECTOR),
        "a leaf's kind must be on the closed list",
    ),
    "fields of another kind": (
        lambda: sign_leaf({"kind": "closure", "email": "x", "ip": "y"}, COLLECTOR),
        (
            "closure leaf: expected exactly the fields of its kind; missing "
            "['id', 'log', 'reason', 'time'], and 2 that it does not have"
        ),
    ),
    "field of another form": (
        lambda: sign_leaf(changed("closure", time=-1), COLLECTOR),
        (
            "closure leaf: expected 'time' to be an integer from 0 to 2^53-1; "
            "got something else of type int"
        ),
    ),
    "word that is not on the list": (
        lambda: sign_leaf(MALFORMED_BODIES["suspension that does neither"], COLLECTOR),
        (
            "suspension leaf: expected 'action' to be one of resume, suspend; "
            "got something else of type str"
        ),
    ),
    "key that cannot be parsed": (
        lambda: sign_leaf(MALFORMED_BODIES["key with a wrong id"], COLLECTOR),
        (
            "key leaf: expected 'vkey' to be a verifier key; "
            "got something else of type str"
        ),
    ),
    "object without a field": (
        lambda: sign_leaf(changed("genesis", previous={}), COLLECTOR),
        (
            "genesis leaf: expected 'previous' to be an object of checkpoint, reason; "
            "got something else of type dict"
        ),
    ),
    "offers of nothing": (
        lambda: sign_leaf(changed("notice", offers=[]), COLLECTOR),
        (
            "notice leaf: expected 'offers' to be at least 1, sorted and each once, "
            "of: an object of data, optional, purpose, recipient, scope; optional is "
            "part of data; got something else of type list"
        ),
    ),
    "choices of nothing": (
        lambda: sign_leaf(changed("import", choices=()), COLLECTOR),
        (
            "import leaf: expected 'choices' to be at least 1, sorted and each once, "
            "of: an object of data, purpose, recipient, scope, state, until; state "
            "requested, deferred, refused, given, renewed, withdrawn, expired, "
            "revoked, invalidated; data and end only in a grant; "
            "got something else of type tuple"
        ),
    ),
    "fields that contradict": (
        lambda: sign_leaf(changed("choice", seq=0), COLLECTOR),
        (
            "choice leaf: expected prev to be empty at seq 0 and the previous leaf's "
            "hash after it"
        ),
    ),
    "too long": (
        lambda: read_leaf(b"x" * 65_536),
        "a leaf has at most 65535 bytes, got 65536",
    ),
    "signed by others": (
        lambda: open_leaf(
            signed(BODIES["choice"], LOG, FOREIGN), [LOG.verifier, FOREIGN.verifier]
        ),
        (
            f"expected a signature of {ORIGIN}/collector/…, got {ORIGIN}, "
            "other.example/collector/a1"
        ),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refused_leaf_is_told_what_was_expected_at_which_step(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises((MalformedError, UnknownKeyError)) as caught:
        read()

    assert (str(caught.value), caught.value.step) == (message, "leaf")
