"""People who agreed through a bad notice, and what became of their answers."""

from __future__ import annotations

from typing import Any

from consentkit.core.act import State
from consentkit.core.notice import Notice
from consentkit.service.invalidating import Invalidation
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import invalidate
from tests.service.officials import OFFICER
from tests.service.wallet import Wallet

__all__ = ["Rows", "agree", "flipped", "rows", "run"]

Rows = dict[tuple[str, str, str], tuple[str, str]]


def rows(wallet: Wallet) -> Rows:
    """Every standing answer: its state and the act it rests on."""
    found = wallet.sql(
        "SELECT subject, purpose, recipient, state, record FROM consent_state"
    )
    return {(each[0], each[1], each[2]): (each[3], each[4]) for each in found}


def flipped(before: Rows, after: Rows) -> set[tuple[str, str, str]]:
    """What became invalid; nothing else may have changed in any way."""
    changed = {key for key in after if after[key] != before[key]}
    assert before.keys() == after.keys()
    assert all(after[key][0] == "invalidated" for key in changed)
    return changed


def agree(wallet: Wallet, subject: str, notice: Notice, *keys: tuple[str, str]) -> str:
    form = wallet.form(subject, dict.fromkeys(keys, State.GIVEN), notice=notice.digest)
    return wallet.submit(form).id


def run(wallet: Wallet, taken: Taken, **options: Any) -> Invalidation:
    return invalidate(wallet.installation, taken, by=OFFICER, **options)
