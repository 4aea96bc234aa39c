"""The drill: the log's key is stolen, the log is closed, and life goes on.

The thief has the house as it was that night, with every key in it. What they lack is
the memory of others: a witness, and the checkpoint in the new log's genesis.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.core.act import State
from consentkit.log.policy import parse_policy
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import format_request
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from tests.service.two_logs import NEW
from tests.service.two_logs import begin
from tests.service.two_logs import close
from tests.service.two_logs import found
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet
from tests.service.witnessed import show
from tests.service.witnessed import use
from tests.story.rewriting import act_of
from tests.story.rewriting import checkpoint
from tests.story.rewriting import proof_of
from tests.story.rewriting import replace
from tests.story.rewriting import sign_anew
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from consentkit.audit.report import Finding
    from consentkit.log.policy import Policy
    from tests.witness_process import WitnessProcess

MINUTE = 60_000


@dataclass
class Night:
    """The true wallet, the thief's copy of it, and the witness that knows the true."""

    wallet: Wallet
    thief: Wallet
    witness: WitnessProcess
    trust: Trust

    @property
    def policy(self) -> Policy:
        """What an auditor asks of the log: the one witness has to have seen it."""
        return parse_policy(f"witness w {self.witness.vkey}\nquorum w\n".encode())

    def judge(self, folder: Path) -> list[Finding]:
        """What an auditor finds in an old log who has its key and the policy."""
        history = History(policy=self.policy)
        source = FolderSource(folder)
        return list(find_faults(source, trust=self.trust, history=history))


def say_yes(body: dict[str, Any]) -> None:
    """Turn every no into a yes, as far as a form would have written it."""
    for choice in body.get("choices", ()):
        if choice["state"] == "refused":
            choice |= {
                "state": "given",
                "data": ["spending"],
                "until": body["time"] + 365 * 86_400_000,
            }


@contextmanager
def witnessed(wallet: Wallet, folder: Path, *vkeys: str) -> Iterator[WitnessProcess]:
    with serve_witness(folder, *vkeys) as witness:
        use(wallet, witness.line)
        yield witness


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    """Alice said yes, Bob said no; it is cosigned. Then everything is copied."""
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    trust, log_key = wallet.trust, wallet.installation.keyring.log.vkey
    with witnessed(wallet, tmp_path / "witness", log_key) as witness:
        assert show(wallet) == 1
        wallet.installation.ledger._database.dispose()
        shutil.copytree(wallet.folder, tmp_path / "thief")
        thief = Wallet(tmp_path / "thief", clock=wallet.clock)
        forged = sign_anew(thief, thief.leaves(), say_yes)
        replace(thief, forged)
        yield Night(wallet, thief, witness, trust)


@pytest.mark.requirement("R97", "R98")
def test_what_the_thief_signs_no_witness_cosigns_and_no_quorum_accepts(
    night: Night,
) -> None:
    forged, size = checkpoint(night.thief), len(night.thief.leaves())
    alone = FolderSource(night.thief.logs)
    assert list(find_faults(alone, trust=night.trust)) == []  # a true key signed it

    refused = [
        night.witness.add_checkpoint(format_request(AddCheckpoint(old, (), forged)))
        for old in (0, size)
    ]

    assert [each.status for each in refused] == [409, 422]
    assert [each.step for each in night.judge(night.thief.logs)] == ["quorum"]
    assert night.judge(night.wallet.logs) == []


@pytest.mark.requirement("R97", "R98", "R119")
def test_the_drill_closes_the_log_and_people_keep_what_they_said(
    night: Night, tmp_path: Path
) -> None:
    wallet, old = night.wallet, night.wallet.logs
    yes = act_of(wallet, State.GIVEN)
    receipt = proof_of(wallet, "alice", yes)
    wallet.clock.now += 2 * MINUTE

    assert close(wallet).finished
    wallet.clock.now += MINUTE
    begin(wallet)

    night.witness.process.terminate()
    night.witness.process.wait()
    vkeys = night.trust.log[0].vkey, wallet.installation.keyring.log.vkey
    with witnessed(wallet, tmp_path / "witness", *vkeys) as witness:
        shared = wallet.share("alice", CREDIT_SCORE)
        wallet.answer("bob", CREDIT_SCORE)
        wallet.share("bob", CREDIT_SCORE)
        assert show(wallet) == 1
        last = wallet.leaves("disclosure")
        assert last[-2].id == shared.disclosure
        assert (last[-2].body["grant"], last[-2].log) == (yes.hash.hex(), NEW)

        # What is there holds, by the same witness, for whoever knows the new keys.
        assert night.judge(old) == []
        assert found(wallet, old) == []
        assert list(differences(wallet.installation)) == []
        policy = parse_policy(f"witness w {witness.vkey}\nquorum w\n".encode())
        history = History(policy=policy)
        new, before = FolderSource(wallet.logs), [FolderSource(old)]
        faults = find_faults(new, trust=wallet.trust, history=history, previous=before)
        assert list(faults) == []

    # The receipt in Alice's hands is as good as ever, and so is a new copy of it.
    for proof in (receipt, proof_of(wallet, "alice", yes)):
        verified = verify_receipt(proof, trust=night.trust, policy=night.policy)
        assert verified.leaf.id == yes.id


@pytest.mark.requirement("R97", "R98")
def test_the_thiefs_log_cannot_stand_before_the_new_one(night: Night) -> None:
    wallet, old = night.wallet, night.wallet.logs
    wallet.clock.now += 2 * MINUTE
    ended_at = close(wallet).size or 0
    begin(wallet)
    wallet.share("alice", CREDIT_SCORE)
    assert found(wallet, old) == []

    # The thief goes on, longer than the true log ever was, and signs it all.
    for each in range(4):
        night.thief.answer(f"nobody-{each}", CREDIT_SCORE)
        publish_all(night.thief.installation)
    assert len(night.thief.leaves()) > ended_at

    faults = found(wallet, night.thief.logs)
    assert {(each.layer, each.step) for each in faults} == {(Layer.RECORDS, "previous")}
    assert any("the tree does not hash to the signed root" in f.what for f in faults)
    assert all(ORIGIN in each.what for each in faults)


def test_the_thief_cannot_reopen_the_closed_log(night: Night) -> None:
    """With the true tree and its key they can lengthen it, and nobody asks for that."""
    wallet, old = night.wallet, night.wallet.logs
    wallet.clock.now += 2 * MINUTE
    close(wallet)
    wallet.installation.ledger._database.dispose()
    shutil.rmtree(night.thief.folder)
    shutil.copytree(wallet.folder, night.thief.folder)
    night.thief.sql("UPDATE consent_log SET closed = NULL")
    reopened = Wallet(night.thief.folder, clock=wallet.clock)
    reopened.answer("mallory", CREDIT_SCORE)
    publish_all(reopened.installation)
    begin(wallet)

    assert found(wallet, reopened.logs) == []  # up to the pin it is the true log
    steps = [each.step for each in night.judge(reopened.logs)]
    assert "quorum" in steps
    assert "order" in steps
    assert night.judge(old) == []
