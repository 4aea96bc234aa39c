"""An invalidation that is cut short, repeated, or done while people go on answering."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from consentkit.core.act import Millis
from consentkit.core.notice import Notice
from consentkit.service import invalidating
from consentkit.service.administering import Official
from consentkit.service.invalidating import Invalidation
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import invalidate
from consentkit.service.invalidating import preview
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.invalidations import agree
from tests.service.invalidations import run
from tests.service.officials import OFFICER
from tests.service.officials import answer_anew
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

MANY = 23


@pytest.fixture
def bad(wallet: Wallet) -> Notice:
    return wallet.notice("credit-score", wording="[x] and my score")


@pytest.fixture
def good(wallet: Wallet) -> Notice:
    return wallet.notice("credit-score")


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between transactions: nobody waits for one in most tests."""
    monkeypatch.setattr(invalidating, "_BREATH", 0)


@pytest.fixture
def many(wallet: Wallet, bad: Notice) -> Wallet:
    for number in range(MANY):
        agree(wallet, f"person-{number:02}", bad, CREDIT_SCORE)
    return wallet


def revoked(wallet: Wallet) -> list[str | None]:
    return [leaf.subject for leaf in wallet.leaves("revocation")]


@pytest.mark.requirement("R101")
@pytest.mark.usefixtures("at_work")
@pytest.mark.parametrize("ticks", [3, 9, 14, 23])
def test_killed_at_any_point_it_is_finished_by_the_same_call(
    many: Wallet, bad: Notice, ticks: int
) -> None:
    """Each person's leaf asks for the time once, and so does the act's."""

    def until_killed() -> None:
        left = iter(range(ticks))

        def clock() -> Millis:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return Millis(many.clock.now)

        dying = replace(many.installation, clock=clock)
        invalidate(dying, Taken(notice=bad.digest), by=OFFICER, at_a_time=5)

    assert in_fork(until_killed).signal == signal.SIGKILL
    ended = len(revoked(many))
    assert ended % 5 == 0
    assert ended < MANY
    many.prove()

    done = run(many, Taken(notice=bad.digest), at_a_time=5)
    assert done.persons == MANY - ended
    assert len(revoked(many)) == len(set(revoked(many))) == MANY
    assert len(many.leaves("admin")) == 1


@pytest.mark.requirement("R101")
def test_a_second_run_adds_nothing(many: Wallet, bad: Notice) -> None:
    run(many, Taken(notice=bad.digest))
    before = many.contents()
    again = run(many, Taken(notice=bad.digest))
    assert (again.persons, again.grants, again.act) == (0, 0, "")
    assert many.contents() == before


def test_who_runs_it_for_another_reason_answers_for_it_too(
    many: Wallet, bad: Notice
) -> None:
    first = run(many, Taken(notice=bad.digest))
    agree(many, "late", bad, CREDIT_SCORE)
    tom = Official("tom@wallet.example", "it was still on show")
    second = invalidate(many.installation, Taken(notice=bad.digest), by=tom)
    assert second.persons == 1
    assert second.act != first.act


@pytest.mark.requirement("R101")
def test_who_answers_a_good_question_meanwhile_keeps_that(
    many: Wallet, bad: Notice, good: Notice
) -> None:
    """In another process, in between the transactions of the run."""
    names = [f"person-{number:02}" for number in range(MANY)]
    done: list[Invalidation] = []
    bulk = threading.Thread(
        target=lambda: done.append(run(many, Taken(notice=bad.digest), at_a_time=4))
    )
    bulk.start()
    (kept,) = at_once(answer_anew, [(many.folder, names[::2], good.digest)])
    bulk.join()
    assert done[0].remaining == 0
    for name, record in zip(names[::2], kept, strict=True):
        assert many.check(name, CREDIT_SCORE).record == record
    for name in names[1::2]:
        assert many.check(name, CREDIT_SCORE).reason == "invalidated"


def test_who_agrees_the_same_way_meanwhile_is_counted(
    many: Wallet, bad: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        time,
        "sleep",
        lambda _: agree(many, "a-late-one", bad, CREDIT_SCORE),
    )
    assert run(many, Taken(notice=bad.digest), at_a_time=20).remaining == 1
    assert run(many, Taken(notice=bad.digest)).persons == 1


@pytest.mark.requirement("R101")
def test_a_dry_run_counts_and_changes_nothing(many: Wallet, bad: Notice) -> None:
    before = many.contents()
    told = preview(many.installation, Taken(notice=bad.digest))
    assert (told.persons, told.grants, told.act) == (MANY, MANY, "")
    assert many.contents() == before
