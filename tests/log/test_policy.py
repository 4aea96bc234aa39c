"""Trust policies: what the file may say, and how it is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import MalformedError
from consentkit.log import policy
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import Group
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import Witness
from tests.log.policies import EXAMPLE
from tests.log.policies import LOG
from tests.log.policies import NAMES
from tests.log.policies import VKEYS
from tests.log.policies import WITNESSES
from tests.log.policies import X1
from tests.log.policies import X2
from tests.log.policies import parsed


def test_a_policy_reads_back() -> None:
    example = parsed(EXAMPLE)

    assert policy.parse_policy(policy.format_policy(example)) == example


@given(st.data())
def test_every_policy_reads_back(data: st.DataObject) -> None:
    word = st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=4
    )
    names = data.draw(
        st.lists(word.filter(lambda w: w != "none"), unique=True, max_size=8)
    )
    count = data.draw(st.integers(0, min(len(names), len(NAMES))))
    witnesses = tuple(
        Witness(name, WITNESSES[key].verifier, data.draw(st.just("") | word))
        for name, key in zip(names[:count], NAMES, strict=False)
    )
    free, groups = [*names[:count]], []
    for name in names[count:]:
        if free:
            members = data.draw(
                st.lists(st.sampled_from(free), min_size=1, unique=True)
            )
            threshold = data.draw(st.integers(1, len(members)))
            groups.append(Group(name, threshold, tuple(members)))
            free = [each for each in free if each not in members] + [name]
    known = ["none", *names[:count], *(group.name for group in groups)]
    quorum = data.draw(st.sampled_from(known))
    one = Policy((PolicyLog(LOG.verifier),), witnesses, tuple(groups), quorum)

    assert policy.parse_policy(policy.format_policy(one)) == one


def test_white_space_comments_and_addresses_are_read_as_the_standard_has_it() -> None:
    spaced = parsed(
        "# a comment\n \t # another\n\n \t\n"
        f"\tlog  {LOG.vkey}\thttps://logs.example/one/ \n"
        f"witness # {VKEYS['X1']} https://w.example\n"
        "group any any #\n"
        "quorum\tany\n"
    )

    assert spaced == Policy(
        (PolicyLog(LOG.verifier, "https://logs.example/one/"),),
        (Witness("#", WITNESSES["X1"].verifier, "https://w.example"),),
        (Group("any", 1, ("#",)),),
        "any",
    )


def test_names_are_octets_and_look_alikes_are_two() -> None:
    kelvin = parsed(
        f"witness K {VKEYS['X1']}\nwitness \u212a {VKEYS['X2']}\n"
        f"witness \udcff {VKEYS['X3']}\nquorum \udcff\n"
    )

    assert not kelvin.is_met({"K", "\u212a"})
    assert kelvin.is_met({"\udcff"})
    assert policy.parse_policy(policy.format_policy(kelvin)) == kelvin


SAME_KEY = Ed25519Signer.from_seed(
    "other.example", b"X1" * 16, algorithm=Algorithm.COSIGNATURE_V1
).vkey
SAME_LOG = Ed25519Signer.from_seed("logs.example/again", b"l" * 32).vkey
BAD: dict[str, str] = {
    "nothing": "",
    "no quorum": X1,
    "two quorums": X1 + "quorum X1\nquorum X1\n",
    "a quorum of nobody known": "quorum X1\n",
    "a quorum above its witness": "quorum X1\n" + X1,
    "a quorum of two": X1 + X2 + "quorum X1 X2\n",
    "an empty quorum": X1 + "quorum\n",
    "no final newline": X1 + "quorum X1",
    "a carriage return": X1 + "quorum X1\r\n",
    "a vertical tab": X1 + "quorum\vX1\n",
    "a null byte": X1 + "quorum X1\0\n",
    "a delete character": X1 + "quorum X1\x7f\n",
    "an unknown line": X1 + "threshold 2\nquorum X1\n",
    "a line in capitals": X1 + "QUORUM X1\n",
    "a witness without a key": "witness X1\nquorum none\n",
    "a witness without a name": f"witness {VKEYS['X1']}\nquorum none\n",
    "a witness with a comment": X1[:-1] + " https://x # mine\nquorum X1\n",
    "a witness with a log's key": f"witness X1 {LOG.vkey}\nquorum X1\n",
    "a witness with a broken key": X1[:-2] + "\nquorum X1\n",
    "a witness called none": f"witness none {VKEYS['X1']}\nquorum none\n",
    "two witnesses of one name": X1 + f"witness X1 {VKEYS['X2']}\nquorum X1\n",
    "two witnesses with one key": X1 + f"witness X2 {SAME_KEY}\nquorum X1\n",
    "a log with a witness's key": f"log {VKEYS['X1']}\nquorum none\n",
    "a log without a key": "log\nquorum none\n",
    "two logs with one key": f"log {LOG.vkey}\nlog {SAME_LOG}\nquorum none\n",
    "a group of nobody": X1 + "group g 1\nquorum X1\n",
    "a group without a threshold": X1 + "group g X1\nquorum X1\n",
    "a group that asks for none": X1 + "group g 0 X1\nquorum g\n",
    "a group that asks for too many": X1 + "group g 2 X1\nquorum g\n",
    "a group with a leading zero": X1 + "group g 01 X1\nquorum g\n",
    "a group with a sign": X1 + "group g +1 X1\nquorum g\n",
    "a group with a foreign digit": X1 + "group g \u0661 X1\nquorum g\n",
    "a group of itself": X1 + "group g any g\nquorum X1\n",
    "a group above its witness": X1 + "group g any X2\n" + X2 + "quorum g\n",
    "a group of none": X1 + "group g any none\nquorum g\n",
    "a group called none": X1 + "group none any X1\nquorum none\n",
    "a group called as a witness": X1 + X2 + "group X1 any X2\nquorum X1\n",
    "a member named twice": X1 + X2 + "group g 2 X1 X1\nquorum g\n",
    "a member of two groups": X1 + X2 + "group g any X1\ngroup h 2 X1 X2\nquorum h\n",
    "too long": "#" * policy.MAX_POLICY_BYTES + "\nquorum none\n",
}


@pytest.mark.parametrize("case", BAD)
def test_a_policy_in_any_other_form_is_refused(case: str) -> None:
    with pytest.raises(MalformedError):
        parsed(BAD[case])


def test_the_line_at_fault_is_named() -> None:
    with pytest.raises(MalformedError, match="policy, line 2: expected log, witness"):
        parsed(X1 + "blame X1\nquorum X1\n")


@pytest.mark.parametrize("name", ["", "a b", "a\n", "a\tb", "\x7f"])
def test_a_policy_that_could_not_be_written_cannot_be_made(name: str) -> None:
    with pytest.raises(MalformedError):
        Policy(witnesses=(Witness(name, WITNESSES["X1"].verifier),))
    if name:
        with pytest.raises(MalformedError):
            Policy((PolicyLog(LOG.verifier, name),))


def test_a_quorum_that_nothing_defines_cannot_be_made() -> None:
    with pytest.raises(MalformedError, match="defined nowhere"):
        Policy(quorum="ngo")


@given(
    st.lists(
        st.sampled_from([*EXAMPLE.encode().split(b"\n"), b"quorum none"])
        | st.binary(max_size=30),
        max_size=6,
    )
)
def test_any_bytes_are_a_policy_or_are_refused(lines: list[bytes]) -> None:
    data = b"\n".join([*lines, b"quorum none", b""])
    try:
        read = policy.parse_policy(data)
    except MalformedError:
        return

    assert policy.parse_policy(policy.format_policy(read)) == read


def test_a_key_that_is_no_text_is_refused() -> None:
    for word in ("\udcff", f"\udcff{VKEYS['X1']}", "+\udcff+", "++"):
        with pytest.raises(MalformedError, match="policy, line 1"):
            parsed(f"witness X1 {word}\nquorum none\n")


def test_a_policy_of_exactly_the_limit_is_read() -> None:
    line = "quorum none\n"
    comment = "#" * (policy.MAX_POLICY_BYTES - len(line) - 1) + "\n"

    assert parsed(comment + line) == Policy()


def test_the_address_of_a_log_reads_back() -> None:
    one = Policy((PolicyLog(LOG.verifier, "https://logs.example/one"),))

    assert policy.parse_policy(policy.format_policy(one)) == one


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "length": (
        lambda: parsed(BAD["too long"]),
        "a policy has at most 65536 bytes, got 65549",
    ),
    "characters": (
        lambda: parsed(BAD["a null byte"]),
        (
            "expected lines that end in a newline, and no other control character but "
            "the tab"
        ),
    ),
    "items": (
        lambda: parsed(BAD["a quorum of two"]),
        (
            "policy, line 3: expected log, witness, group or quorum with its items, "
            "got 'quorum' with 2"
        ),
    ),
    "second quorum": (
        lambda: parsed(BAD["two quorums"]),
        "policy, line 3: a second quorum",
    ),
    "no quorum": (
        lambda: parsed(X1),
        "expected a line 'quorum <name>' or 'quorum none'",
    ),
    "order": (
        lambda: parsed(BAD["a quorum above its witness"]),
        "policy, line 1: 'X1' is defined on no line above",
    ),
    "threshold that is no number": (
        lambda: parsed(X1 + "group g \udcff X1\nquorum g\n"),
        "policy, line 2: expected a decimal number below 2^63, no leading zero",
    ),
    "type of key": (
        lambda: parsed(BAD["a witness with a log's key"]),
        f"expected a key of type 04, got that of {LOG.name!r}",
    ),
    "one key": (
        lambda: parsed(BAD["two witnesses with one key"]),
        "one public key is given twice",
    ),
    "threshold": (
        lambda: parsed(BAD["a group that asks for too many"]),
        "group 'g': expected a threshold from 1 to 1, got 2",
    ),
    "member": (
        lambda: parsed(BAD["a member of two groups"]),
        "group 'h': 'X1' is not defined above, or is in a group already",
    ),
    "name": (
        lambda: parsed(BAD["a witness called none"]),
        "the name 'none' is taken",
    ),
    "item": (
        lambda: Policy(witnesses=(Witness("a b", WITNESSES["X1"].verifier),)),
        "'a b' cannot stand in a policy",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
