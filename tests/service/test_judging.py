"""Many people judged by one: nobody gets the answer of somebody unlike them."""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.decision import decide
from consentkit.errors import LogUnavailableError
from consentkit.service.judging import Judge
from consentkit.service.judging import Wanted
from consentkit.store.batch_standings import STANDING
from consentkit.store.rows import standing_from
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NEW_YEAR

if TYPE_CHECKING:
    from tests.service.wallet import Wallet

_NOBODY_SAID = (None,) * 8


def _rows(scope: str) -> list[tuple[object, ...]]:
    """Whatever can stand in a row, and some of what cannot."""
    untils = (0, NEW_YEAR, NEW_YEAR + 1, NEW_YEAR + 9)
    whole = product(
        *((each.value for each in State), ("city", "city spending"), untils),
        *((scope, "0" * 64), ("session", "asserted"), ("a" * 32,), (NEW_YEAR,), ("",)),
    )
    sound = ("given", "spending", NEW_YEAR + 9, scope, "session", "a" * 32, 1, "")
    corrupt = [
        (*sound[:at], garbage, *sound[at + 1 :])
        for at, garbage in enumerate(("perhaps", b"", "for ever", None, "hearsay"))
    ]
    answers = [_NOBODY_SAID, sound, (*sound[:6], "?", ""), *corrupt, *whole]
    return [
        ("anna", "b" * 32, None, *answer, suspended, of_age)
        for answer, suspended, of_age in product(answers, (0, 1), (None, NEW_YEAR + 1))
    ]


@pytest.mark.sqlite
@pytest.mark.requirement("R75")
def test_whoever_is_judged_among_others_gets_the_answer_they_would_get_alone(
    wallet: Wallet,
) -> None:
    wanted = Wanted(*CREDIT_SCORE, None, Assurance.SESSION)
    judge = Judge(wallet.installation, wanted, wallet.clock())
    question = judge.question
    assert question is not None
    rows = _rows(question.scope)
    random.Random(1).shuffle(rows)  # noqa: S311  an order, no secret
    granted = 0
    for now in (NEW_YEAR, NEW_YEAR + 1, NEW_YEAR - 1):
        judge.turn_to(Millis(now))
        for row in rows:
            reason, until = judge.on(row)
            try:
                standing = standing_from(row[STANDING:])
            except LogUnavailableError:
                assert reason is Reason.STORE_UNAVAILABLE
                continue
            alone = decide(wanted.of("anna"), question, standing, now=Millis(now))
            assert reason is alone.reason
            if alone:
                assert until == alone.until_ms
                granted += 1
    assert granted
