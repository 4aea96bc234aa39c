"""The checker of histories, held against histories whose answer is known."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import count
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.service.linear_checker import NotLinearizableError
from tests.service.linear_checker import check_history
from tests.service.linear_history import EVERY
from tests.service.linear_history import Operation
from tests.service.linear_history import Recorder
from tests.service.linear_history import read_history

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence
    from pathlib import Path

    from tests.service.linear_history import Key

KEY = ("anna", "credit-score", "acme-credit")
PAIR = "credit-score/acme-credit"
ALL_OF_IT = (EVERY, "credit-score", EVERY)
_NUMBERS = count()


def did(
    kind: str,
    began: int,
    returned: int | None,
    outcome: str | None,
    key: Key = KEY,
) -> Operation:
    return Operation(0, next(_NUMBERS), kind, key, began, returned, outcome)


def holds(history: Iterable[Operation]) -> bool:
    """Whether some order explains the history."""
    try:
        check_history(sorted(history, key=lambda each: each.began))
    except NotLinearizableError:
        return False
    return True


GRANT = did("grant", 1, 2, "r1")
REVOKE = did("revoke", 3, 4, PAIR)

LEGAL: dict[str, Sequence[Operation]] = {
    "nobody asked": [did("check", 1, 2, "not_asked")],
    "yes after the grant": [GRANT, did("check", 3, 4, "r1")],
    "no after the end": [GRANT, REVOKE, did("check", 5, 6, "withdrawn")],
    "yes while it ends": [GRANT, REVOKE, did("check", 3, 9, "r1")],
    "no while it ends": [
        GRANT,
        did("revoke", 3, 9, PAIR),
        did("check", 4, 5, "withdrawn"),
    ],
    "yes before no while it ends": [
        GRANT,
        did("revoke", 3, 9, PAIR),
        did("check", 4, 5, "r1"),
        did("check", 6, 7, "withdrawn"),
    ],
    "two ends at once, one of which finds nothing": [
        GRANT,
        did("revoke", 3, 9, PAIR),
        did("revoke", 4, 5, ""),
    ],
    "two grants at once, either of which may be the last": [
        did("grant", 1, 5, "r1"),
        did("grant", 2, 4, "r2"),
        did("check", 6, 7, "r1"),
    ],
    "a renewal": [GRANT, did("grant", 3, 4, "r2"), did("check", 5, 6, "r2")],
    "an end of everything": [
        GRANT,
        did("revoke", 3, 4, PAIR, ("anna", EVERY, EVERY)),
        did("check", 5, 6, "withdrawn"),
    ],
    "a suspension and its end": [
        GRANT,
        did("suspend", 3, 4, "changed", ALL_OF_IT),
        did("check", 5, 6, "suspended"),
        did("resume", 7, 8, "changed", ALL_OF_IT),
        did("check", 9, 10, "r1"),
    ],
    "the suspension of another recipient": [
        GRANT,
        did("suspend", 3, 4, "changed", (EVERY, EVERY, "corner-shops")),
        did("check", 5, 6, "r1"),
    ],
    "a grant of a process that was killed, and seen": [
        did("grant", 1, None, None),
        did("check", 3, 4, "r9"),
    ],
    "a grant of a process that was killed, and never seen": [
        did("grant", 1, None, None),
        did("check", 3, 4, "not_asked"),
    ],
    "an end that was never told, and comes late": [
        GRANT,
        did("revoke", 3, None, None),
        did("check", 5, 6, "r1"),
        did("check", 7, 8, "withdrawn"),
    ],
    "one suspension that two officials pronounce": [
        did("suspend", 1, 9, "nothing", ALL_OF_IT),
        did("suspend", 2, 3, "changed", ALL_OF_IT),
        did("check", 4, 5, "suspended"),
    ],
}

ILLEGAL: dict[str, Sequence[Operation]] = {
    "a stale yes": [GRANT, REVOKE, did("check", 5, 6, "r1")],
    "a yes after a no that had returned": [
        GRANT,
        did("revoke", 3, 12, PAIR),
        did("check", 4, 5, "withdrawn"),
        did("check", 6, 7, "r1"),
    ],
    "a lost grant": [GRANT, did("check", 3, 4, "not_asked")],
    "a lost end": [
        GRANT,
        REVOKE,
        did("revoke", 5, 6, PAIR),
    ],
    "an end that was told and did not take place": [
        GRANT,
        did("revoke", 3, 4, ""),
    ],
    "a yes on the grant before the last": [
        GRANT,
        did("grant", 3, 4, "r2"),
        did("check", 5, 6, "r1"),
    ],
    "a yes to what nobody granted": [did("check", 1, 2, "r1")],
    "a yes to what will be granted": [
        did("check", 1, 2, "r1"),
        did("grant", 3, 4, "r1"),
    ],
    "a yes during a suspension": [
        GRANT,
        did("suspend", 3, 4, "changed", ALL_OF_IT),
        did("check", 5, 6, "r1"),
    ],
    "a yes while one of two suspensions stands": [
        GRANT,
        did("suspend", 3, 4, "changed", ALL_OF_IT),
        did("suspend", 5, 6, "changed", (EVERY, EVERY, "acme-credit")),
        did("resume", 7, 8, "changed", ALL_OF_IT),
        did("check", 9, 10, "r1"),
    ],
    "a suspension that outlives its end": [
        GRANT,
        did("suspend", 3, 4, "changed", ALL_OF_IT),
        did("resume", 5, 6, "changed", ALL_OF_IT),
        did("check", 7, 8, "suspended"),
    ],
    "a grant of a process that was killed, and forgotten once seen": [
        did("grant", 1, None, None),
        did("check", 3, 4, "r9"),
        did("check", 5, 6, "not_asked"),
    ],
    "an end that was never told, and taken back": [
        GRANT,
        did("revoke", 3, None, None),
        did("check", 5, 6, "withdrawn"),
        did("check", 7, 8, "r1"),
    ],
    "a grant that is still to be made by who is not there yet": [
        did("check", 1, 2, "r9"),
        did("grant", 3, None, None),
    ],
    "another reason than the true one": [
        GRANT,
        did("check", 3, 4, "store_unavailable"),
    ],
}


@pytest.mark.parametrize("history", LEGAL.values(), ids=LEGAL)
def test_what_some_order_explains_is_linearizable(
    history: Sequence[Operation],
) -> None:
    assert holds(history)


@pytest.mark.parametrize("history", ILLEGAL.values(), ids=ILLEGAL)
def test_what_no_order_explains_is_not(history: Sequence[Operation]) -> None:
    assert not holds(history)


def test_what_is_wrong_with_one_key_is_not_hidden_by_another() -> None:
    other = ("ben", *KEY[1:])
    fine = [replace(each, key=other) for each in LEGAL["yes after the grant"]]

    assert not holds([*ILLEGAL["a stale yes"], *fine])


def test_the_message_names_the_answer_and_what_came_before_it() -> None:
    history = ILLEGAL["a stale yes"]

    with pytest.raises(
        NotLinearizableError, match="no order of the operations"
    ) as told:
        check_history(history)

    assert told.value.operation == history[-1]
    assert told.value.key == KEY
    assert all(str(each) in str(told.value) for each in history)


def test_the_search_agrees_with_trying_every_order() -> None:
    """Small random histories, right and wrong ones, by the definition itself."""
    dice = random.Random(7)  # noqa: S311  the same histories in each run
    found = {True: 0, False: 0}
    for _ in range(1_500):
        history = _random_history(dice)
        expected = _by_definition(history)
        assert holds(history) is expected, "\n".join(map(str, history))
        found[expected] += 1
    assert min(found.values()) > 100, found


def _random_history(dice: random.Random) -> list[Operation]:
    history = []
    for number in range(dice.randint(2, 5)):
        began = dice.randint(0, 20)
        returned = began + dice.randint(1, 12)
        kind = dice.choice(["grant", "revoke", "check", "check", "suspend", "resume"])
        outcome = dice.choice(
            {
                "grant": [f"r{number}"],
                "revoke": [PAIR, ""],
                "check": ["r0", "r1", "r2", "withdrawn", "suspended"],
                "suspend": ["changed", "nothing"],
                "resume": ["changed", "nothing"],
            }[kind]
        )
        key = ALL_OF_IT if kind in ("suspend", "resume") else KEY
        # Times of their own: what begins as another returns would be neither.
        one = Operation(number, 0, kind, key, began * 10 + number, None, outcome)
        lost = kind != "check" and dice.random() < 0.15
        history.append(
            replace(one, outcome=None)
            if lost
            else replace(one, returned=returned * 10 + number)
        )
    return sorted(history, key=lambda each: each.began)


def _by_definition(history: Sequence[Operation]) -> bool:
    """Whether an order of all, or of all but what never returned, tells the same."""
    if not any(each.key == KEY for each in history):
        return True  # nobody's: there is no key to speak of
    certain = [each for each in history if each.returned is not None]
    pending = [each for each in history if each.returned is None]
    subsets = [
        [each for at, each in enumerate(pending) if mask >> at & 1]
        for mask in range(2 ** len(pending))
    ]
    return any(
        _keeps_time(order) and _tells(order)
        for subset in subsets
        for order in permutations([*certain, *subset])
    )


def _keeps_time(order: Sequence[Operation]) -> bool:
    return all(
        later.returned is None or later.returned > earlier.began
        for at, earlier in enumerate(order)
        for later in order[at + 1 :]
    )


def _tells(order: Sequence[Operation]) -> bool:
    record, stopped = "", False
    granted = {each.outcome for each in order if each.kind == "grant"} - {None}
    for each in order:
        told = each.outcome
        before = record, stopped
        match each.kind:
            case "grant":
                record = told or "?"
                continue
            case "revoke":
                record, expected = "", {PAIR if before[0] else ""}
            case "suspend":
                stopped, expected = True, {"nothing" if before[1] else "changed"}
            case "resume":
                stopped, expected = False, {"changed" if before[1] else "nothing"}
            case _ if stopped:
                expected = {"suspended"}
            case _ if record == "?":
                expected = {"r0", "r1", "r2"} - granted
            case _:
                expected = {record or "withdrawn"}
        if told is not None and told not in expected:
            return False
    return True


def test_what_a_killed_process_had_begun_is_known(tmp_path: Path) -> None:
    file = tmp_path / "0.history"
    notes = Recorder(file, 0)
    first = notes.begin("grant", KEY)
    notes.end(first, "r1")
    notes.begin("revoke", KEY)
    notes.close()
    file.write_bytes(file.read_bytes() + b"[1, 12")  # a line that was cut off

    told, untold = read_history([file])

    assert (told.kind, told.outcome) == ("grant", "r1")
    assert told.returned is not None
    assert told.began <= told.returned <= untold.began
    assert (untold.kind, untold.returned, untold.outcome) == ("revoke", None, None)
