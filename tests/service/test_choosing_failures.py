"""What may break while an act is written: then nothing of it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import State
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.service.choosing import choose
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    pass

GIVEN, REFUSED = State.GIVEN, State.REFUSED


WRITES = {
    "the person's row": "INSERT ON consent_subject",
    "the leaf": "INSERT ON consent_leaf",
    "the person's place in the chain": "UPDATE ON consent_subject",
    "the evidence": "INSERT ON consent_evidence",
    "the answer": "INSERT ON consent_state",
}


@pytest.mark.parametrize("event", WRITES.values(), ids=WRITES)
def test_a_write_that_fails_leaves_nothing_of_the_act(
    wallet: Wallet, event: str
) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    before = wallet.contents()
    wallet.break_writes(event)
    with pytest.raises(LogConflictError):
        wallet.submit(form)
    assert wallet.contents() == before
    wallet.mend_writes()
    assert wallet.submit(form).seq == 0


def test_a_clock_that_breaks_leaves_nothing_of_the_act(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    before = wallet.contents()
    wallet.clock.broken = True
    with pytest.raises(LogUnavailableError, match="clock"):
        wallet.submit(form)
    assert wallet.contents() == before
    wallet.clock.broken = False


def test_facts_that_cannot_be_committed_to_leave_nothing_of_the_act(
    wallet: Wallet,
) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    before = wallet.contents()
    bad: list[dict[str, Any]]
    bad = [{"ratio": 0.5}, {"agent": "x" * 20_000}, {"": "nameless"}]
    for facts in bad:
        with pytest.raises(MalformedError):
            wallet.submit(replace(form, facts=facts))
    assert wallet.contents() == before


def test_evidence_is_never_sealed_under_a_key_that_does_not_fit(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    form = wallet.form("alice", {CREDIT_SCORE: REFUSED})
    secret = wallet.folder / "keys" / "secret.key"
    before, good = wallet.contents(), secret.read_bytes()
    for bad, error in ((b"0" * 64, InvalidSignatureError), (b"no", ConfigurationError)):
        secret.write_bytes(bad)
        # As a process that was running when the file was exchanged, not yet read.
        keyring = replace(wallet.installation.keyring)
        with pytest.raises(error):
            choose(replace(wallet.installation, keyring=keyring), form)
        assert wallet.contents() == before
    secret.write_bytes(good)
    assert Wallet(wallet.folder).submit(form).seq == 1
