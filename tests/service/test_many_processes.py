"""Four processes grant and revoke at random for the same people; one only watches.

SQLite's one file takes it all: no leaf is lost or doubled, no chain breaks, the state
is what the leaves say, and no check answers with what had ended before it began.
"""

from __future__ import annotations

from collections import Counter
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import NamedTuple

import pytest

from consentkit.audit.replay import ANSWERS
from consentkit.core.act import AUTHORISING
from consentkit.core.act import State
from tests.processes import at_once
from tests.processes import counter
from tests.service.contending import contend
from tests.service.contending import work
from tests.service.log_files import check_tree
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.log.leaf import Leaf
    from tests.service.contending import Act
    from tests.service.contending import Check

ACTING, ROUNDS = 4, 160  # a round is an act and a check, or a few more
WATCHING = 900  # checks of the process that changes nothing


class Step(NamedTuple):
    """One change of one answer, in the order of the person's chain."""

    reason: str
    record: str
    began: int
    returned: int


NEVER_ASKED = Step("not_asked", "", -1, -1)


@dataclass
class Contest:
    """What all processes noted, and the wallet that they left."""

    wallet: Wallet
    acts: list[Act]
    checks: list[Check]

    @property
    def answers(self) -> list[Leaf]:
        return self.wallet.leaves(*ANSWERS)

    def steps(self) -> dict[tuple[str, tuple[str, str]], list[Step]]:
        """What became of each person's answer to each question, step by step."""
        noted = {act.leaf: act for act in self.acts}
        steps: dict[tuple[str, tuple[str, str]], list[Step]]
        steps = defaultdict(lambda: [NEVER_ASKED])
        for leaf in self.answers:
            act = noted[leaf.id]
            for choice in leaf.body["choices"]:
                key = act.subject, (choice["purpose"], choice["recipient"])
                step = Step(*_answer(choice["state"], leaf.id), act.began, act.returned)
                steps[key].append(step)
        return steps


def _answer(state: str, leaf: str) -> tuple[str, str]:
    if State(state) in AUTHORISING:
        return "granted", leaf
    return ("not_asked" if state == State.REQUESTED else state), ""


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Contest:
    folder: Path = tmp_path_factory.mktemp("contest")
    wallet = Wallet(folder)
    shared = counter()
    rounds = [WATCHING, *[ROUNDS] * ACTING]
    notes = at_once(
        contend, [(folder, seed, shared, each) for seed, each in enumerate(rounds)]
    )
    return Contest(
        wallet,
        [act for acts, _ in notes for act in acts],
        [check for _, checks in notes for check in checks],
    )


@pytest.mark.requirement("R119")
def test_no_leaf_is_lost_and_none_is_doubled(contest: Contest) -> None:
    promised = Counter(act.leaf for act in contest.acts if act.leaf)
    assert promised == Counter(leaf.id for leaf in contest.answers)
    assert set(promised.values()) == {1}
    assert len(promised) > ACTING * ROUNDS / 2


@pytest.mark.requirement("R119")
def test_every_chain_is_whole_and_none_forks(contest: Contest) -> None:
    heads: dict[str, tuple[int, str]] = {}
    for leaf in contest.wallet.leaves():
        if leaf.subject is not None:
            seq, prev = heads.get(leaf.subject, (-1, ""))
            assert (leaf.seq, leaf.prev) == (seq + 1, prev)
            heads[leaf.subject] = seq + 1, leaf.hash.hex()
    rows = contest.wallet.sql("SELECT handle, seq, head FROM consent_subject")
    assert {row[0]: (row[1] - 1, row[2]) for row in rows} == heads


@pytest.mark.requirement("R55")
@pytest.mark.requirement("R119")
def test_no_check_answers_with_what_had_ended_before_it_began(contest: Contest) -> None:
    """And none misses what had returned: each saw a state that held meanwhile."""
    steps = contest.steps()
    sharp = 0
    for check in contest.checks:
        possible = set(_held_meanwhile(steps[check.subject, check.key], check))
        assert (check.reason, check.record) in possible
        sharp += len(possible) == 1
    assert {"granted", "withdrawn"} < {check.reason for check in contest.checks}
    # Most could have had one answer only; were they few, this would show little.
    assert sharp > len(contest.checks) / 2


def _held_meanwhile(steps: list[Step], check: Check) -> Iterator[tuple[str, str]]:
    """The answers that held at some instant between a check's begin and its return."""
    settled = max(at for at, step in enumerate(steps) if step.returned < check.began)
    yield steps[settled].reason, steps[settled].record
    for step in steps[settled + 1 :]:
        if step.began < check.returned:
            yield step.reason, step.record


@pytest.mark.requirement("R46")
@pytest.mark.requirement("R119")
def test_the_state_is_what_the_leaves_say_and_an_auditor_agrees(
    contest: Contest,
) -> None:
    """Every share of the watching process rests on a grant in force at that point."""
    contest.wallet.prove()
    kinds = contest.wallet.verify().kinds
    assert kinds["disclosure"] > 0
    assert kinds["denial"] > 0


WORKERS, ACTS = 8, 200


@pytest.mark.requirement("R119")
def test_concurrent_workers_lose_no_number_and_break_no_chain(tmp_path: Path) -> None:
    """Eight processes write and publish as fast as they can, partly for one person."""
    wallet = Wallet(tmp_path)
    for purpose in ("credit-score", "shop-offers"):
        wallet.notice(purpose)
    before = {leaf.id for leaf in wallet.leaves()}
    told = at_once(work, [(tmp_path, f"w{each}", ACTS) for each in range(WORKERS)])
    promised = [leaf for each in told for leaf in each]
    wallet.prove()  # chains and states as well
    check_tree(wallet)
    rows = wallet.sql("SELECT idx, id FROM consent_leaf ORDER BY idx")
    assert [row[0] for row in rows] == list(range(len(before) + WORKERS * ACTS))
    assert sorted(row[1] for row in rows) == sorted(before | set(promised))
    assert len(set(promised)) == WORKERS * ACTS
