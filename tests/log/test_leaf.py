"""Leaves: their bytes, and who may have signed them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import sign_note
from tests.log.leaves import BODIES
from tests.log.leaves import COLLECTOR
from tests.log.leaves import GIVEN
from tests.log.leaves import HEX_128
from tests.log.leaves import HEX_256
from tests.log.leaves import LOG
from tests.log.leaves import MALFORMED_BODIES
from tests.log.leaves import ORIGIN
from tests.log.leaves import OWN
from tests.log.leaves import changed
from tests.log.leaves import signed


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
