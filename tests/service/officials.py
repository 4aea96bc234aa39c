"""Who acts for the controller in tests, and what other processes do meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from consentkit.core.act import State
from consentkit.service.administering import Official
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OFFICER", "answer_anew", "reasons"]

OFFICER = Official("dpo@wallet.example", "the ministry asked", "Wallet Ltd")


def reasons(folder: Path, subject: str, key: tuple[str, str], times: int) -> list[str]:
    """What the gate says to so many checks at once, in this process."""
    wallet = Wallet(folder)
    with ThreadPoolExecutor(5) as pool:
        found = pool.map(lambda _: wallet.check(subject, key), range(times))
        return [each.reason.value for each in found]


def answer_anew(folder: Path, subjects: list[str], notice: str) -> list[str]:
    """Have each of them agree to the question of that notice; the acts' ids."""
    wallet = Wallet(folder)
    forms = [
        wallet.form(each, {CREDIT_SCORE: State.GIVEN}, notice=notice)
        for each in subjects
    ]
    return [wallet.submit(form).id for form in forms]
