"""When a policy is met: whose cosignatures make up its quorum, and since when."""

from __future__ import annotations

import itertools
from collections.abc import Collection

import pytest

from consentkit.errors import InvalidSignatureError
from consentkit.errors import UnknownKeyError
from consentkit.log import policy
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.policy import Seen
from tests.log.policies import EXAMPLE
from tests.log.policies import LOG
from tests.log.policies import NAMES
from tests.log.policies import NOTE
from tests.log.policies import OTHER_LOG
from tests.log.policies import VKEYS
from tests.log.policies import X1
from tests.log.policies import X2
from tests.log.policies import cosigned
from tests.log.policies import parsed


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


def test_a_quorum_of_none_asks_for_nobody_and_tells_no_time() -> None:
    none = parsed(f"witness X1 {VKEYS['X1']}\nquorum none\n")

    assert policy.check_policy(NOTE, none) == {}
    assert policy.check_policy(cosigned("X1"), none) == {"X1": 5}
    assert none.seen({"X1": 5}) is None


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
