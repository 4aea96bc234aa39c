"""The affiliate takes nothing without proof, and can show what it took it on."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
import requests

from consentkit.audit import Trust
from consentkit.audit import verify_release
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from tests.running import Running


@pytest.mark.requirement("R67")
def test_the_affiliate_refuses_data_without_proof_and_keeps_the_proof(
    running: Running,
) -> None:
    person = running.sign_in("ruth")
    person.answer("credit-score", "given", **{"data.credit-score.acme-credit": "city"})
    before = len(running.received("affiliate"))
    person.press("/credit-score")
    (taken, *_) = received = running.received("affiliate")
    assert len(received) == before + 1

    # The wallet's own token is not enough: its code might go past the gate.
    config = json.loads((running.instance / "wallet" / "config.json").read_bytes())
    bare = requests.post(
        f"{running.affiliate}/scores",
        json=taken,
        headers={"Authorization": f"Bearer {config['WALLET_SCORES_TOKEN']}"},
        timeout=10,
    )
    assert bare.status_code == 403
    assert len(running.received("affiliate")) == before + 1

    # What the affiliate kept holds under the wallet's keys, and for nobody else.
    (proof, *_) = requests.get(f"{running.affiliate}/proofs.json", timeout=10).json()
    trust = Trust.of(running.flask("consent", "keys", "list").split())
    shown = verify_release(proof, trust=trust, recipient="acme-credit")
    assert (shown.purpose, shown.record) == ("credit-score", taken["record"])
    assert sorted(shown.data) == taken["data"] == ["city", "spending"]
    with pytest.raises(VerificationError, match="for recipient 'corner-shops'"):
        verify_release(proof, trust=trust, recipient="corner-shops")

    # Told of the end it deletes the data, and can show that it held them rightly.
    person.stop()
    deadline = time.monotonic() + 20
    while taken in running.received("affiliate"):
        assert time.monotonic() < deadline, "the scorer still has it"
        time.sleep(0.2)
    kept = requests.get(f"{running.affiliate}/proofs.json", timeout=10).json()
    assert proof in kept
