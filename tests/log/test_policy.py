"""Trust policies: who has to have cosigned, and what the file may say."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log import policy
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import Group
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import Seen
from consentkit.log.policy import Witness

LOG = Ed25519Signer.from_seed("logs.example/one", b"l" * 32)
OTHER_LOG = Ed25519Signer.from_seed("logs.example/two", b"o" * 32)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: Ed25519Signer.from_seed(
        f"{name}.example", name.encode() * 16, algorithm=Algorithm.COSIGNATURE_V1
    )
    for name in NAMES
}
VKEYS = {name: key.vkey for name, key in WITNESSES.items()}
NOTE = sign_checkpoint(Checkpoint(LOG.name, 1, bytes(32)), LOG)

# The example of the standard, with keys filled in.
EXAMPLE = """\
log {log}

witness X1 {X1}
witness X2 {X2}
witness X3 {X3}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1}
witness Y2 {Y2}
witness Y3 {Y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
""".format(log=LOG.vkey, **VKEYS)


def parsed(text: str) -> Policy:
    return policy.parse_policy(text.encode("utf-8", "surrogateescape"))


def cosigned(*names: str, time: int = 5, note: bytes = NOTE) -> bytes:
    return add_cosignatures(
        note, [cosign(note, WITNESSES[name], time=time) for name in names]
    )


def met_by_the_words_of_the_example(names: Collection[str]) -> bool:
    return (
        sum(name.startswith("X") for name in names) >= 2
        and sum(name.startswith("Y") for name in names) >= 1
    )


@pytest.mark.requirement("R98")
def test_the_example_of_the_standard_is_met_by_exactly_whom_it_names() -> None:
    example = parsed(EXAMPLE)
    for count in range(len(NAMES) + 1):
        for names in itertools.combinations(NAMES, count):
            note, expected = cosigned(*names), met_by_the_words_of_the_example(names)

            assert example.is_met(names) is expected
            if expected:
                assert policy.check_policy(note, example) == dict.fromkeys(names, 5)
            else:
                with pytest.raises(UnknownKeyError, match="quorum 'X-and-Y'"):
                    policy.check_policy(note, example)


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


def test_a_quorum_of_none_asks_for_nobody_and_tells_no_time() -> None:
    none = parsed(f"witness X1 {VKEYS['X1']}\nquorum none\n")

    assert policy.check_policy(NOTE, none) == {}
    assert policy.check_policy(cosigned("X1"), none) == {"X1": 5}
    assert none.seen({"X1": 5}) is None


X1 = f"witness X1 {VKEYS['X1']}\n"
X2 = f"witness X2 {VKEYS['X2']}\n"
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


def test_a_long_chain_of_groups_is_evaluated_without_running_out_of_stack() -> None:
    lines = [X1, "group g0 any X1\n"]
    lines += [f"group g{n} any g{n - 1}\n" for n in range(1, 3_000)]
    chain = parsed("".join([*lines, "quorum g2999\n"]))

    assert chain.is_met({"X1"})
    assert not chain.is_met(())


@pytest.mark.requirement("R98")
def test_a_witness_counts_once_however_often_it_signs() -> None:
    two = parsed(X1 + X2 + "group both all X1 X2\nquorum both\n")
    note = cosigned("X1", time=9, note=cosigned("X1", time=3))

    assert policy.find_cosigners(note, two) == {"X1": 3}
    with pytest.raises(UnknownKeyError, match="got those of 'X1'"):
        policy.check_policy(note, two)


@pytest.mark.requirement("R98")
def test_a_cosignature_that_does_not_hold_spoils_the_checkpoint() -> None:
    one = parsed(X1 + X2 + "quorum X2\n")
    other = sign_checkpoint(Checkpoint(LOG.name, 2, bytes(32)), LOG)
    moved = cosigned("X1", note=other)[len(other) :]

    with pytest.raises(InvalidSignatureError):
        policy.check_policy(cosigned("X2") + moved, one)


def test_where_logs_are_named_one_of_them_has_to_have_signed() -> None:
    two = parsed(f"log {LOG.vkey}\nlog {OTHER_LOG.vkey}\nquorum none\n")
    other = parsed(f"log {OTHER_LOG.vkey}\nquorum none\n")

    assert policy.check_policy(NOTE, two) == {}
    with pytest.raises(UnknownKeyError):
        policy.check_policy(NOTE, other)


@pytest.mark.requirement("R98")
def test_no_minority_of_witnesses_moves_the_moment_a_checkpoint_was_seen() -> None:
    two_of_three = parsed(
        X1 + X2 + f"witness X3 {VKEYS['X3']}\ngroup g 2 X1 X2 X3\nquorum g\n"
    )
    for lie in (0, 99, 100, 101, 2**64 - 1):
        seen = two_of_three.seen({"X1": 100, "X2": 100, "X3": lie})
        assert seen == Seen(100, 100)

    assert two_of_three.seen({"X1": 1, "X2": 5, "X3": 9}) == Seen(5, 5)
    assert two_of_three.seen({"X1": 1, "X2": 5}) == Seen(5, 1)
    assert two_of_three.seen({"X1": 1}) is None


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


@pytest.mark.parametrize(
    ("cosigners", "came"),
    [((), "nobody"), (("X1",), "'X1'"), (("X1", "X2"), "'X1', 'X2'")],
    ids=["nobody", "one", "two"],
)
def test_a_quorum_that_is_not_met_is_told_with_whom_it_has(
    cosigners: tuple[str, ...], came: str
) -> None:
    with pytest.raises(UnknownKeyError) as caught:
        policy.check_policy(cosigned(*cosigners), parsed(EXAMPLE))

    assert caught.value.step == "quorum"
    assert str(caught.value) == (
        f"expected cosignatures that make up the quorum 'X-and-Y', got those of {came}"
    )
