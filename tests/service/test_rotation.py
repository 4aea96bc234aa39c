"""Keys change while people answer, and every answer stays provable."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.note import split_note
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.rotating import list_keys
from consentkit.service.signers import KeySources
from consentkit.service.signers import parse_key_uri
from consentkit.service.witnessing import ask_witnesses
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.contending import publish
from tests.service.rotations import checkpoint
from tests.service.rotations import first_keys
from tests.service.rotations import retire
from tests.service.rotations import rotate
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet
from tests.service.witnessed import use
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")


def named(uri: str) -> KeySources:
    return KeySources(collector=(parse_key_uri(uri, label="CONSENTKIT_COLLECTOR_KEY"),))


def lines(checkpoint: bytes) -> list[str]:
    """The ids of the keys whose lines stand under a checkpoint."""
    return [each.key_id.hex() for each in split_note(checkpoint).signatures]


@pytest.mark.requirement("R97")
def test_the_drill_for_a_collectors_key(tmp_path: Path) -> None:
    """Acts before, during and after, by processes with the old and the new key."""
    old = Wallet(tmp_path)
    trust = first_keys(old)
    before = old.answer("alice", CREDIT_SCORE)

    added = rotate(old, "collector")
    restarted = Wallet(tmp_path)
    by_old = old.answer("bob", CREDIT_SCORE)
    by_new = restarted.answer("carol", CREDIT_SCORE)
    assert before.claimed == by_old.claimed == (f"{ORIGIN}/collector/a1",)
    assert by_new.claimed == (f"{ORIGIN}/collector/a2",)
    registered, admin = restarted.leaves("key", "admin")[-2:]
    assert registered.claimed == (f"{ORIGIN}/collector/a1",)
    assert registered.body["from"] == added.first
    assert admin.body["action"] == "rotate-key"

    ended = retire(restarted, "a1")
    with pytest.raises(LogConflictError, match=r"Restart: this process holds a ret"):
        old.answer("dan", CREDIT_SCORE)
    restarted.answer("dan", CREDIT_SCORE)

    publish_all(restarted.installation)
    leaves = restarted.leaves()
    assert leaves[added.first - 1].data == registered.data
    assert leaves[ended.until or 0].body["until"] == ended.until
    assert verify_log(FolderSource(restarted.logs), trust=trust).size == len(leaves)
    everything = [each.range.vkey for each in list_keys(restarted.installation)]
    for subject, act in {"alice": before, "bob": by_old, "carol": by_new}.items():
        receipt = find_receipt(restarted.installation, subject, act.id)
        assert receipt is not None
        assert receipt.proof is not None
        verified = verify_receipt(receipt.proof, trust=Trust.of(everything))
        assert verified.leaf.data == act.data
        assert verified.collector == act.claimed[0]


@pytest.mark.requirement("R97")
def test_a_forked_process_with_the_retired_key_writes_nothing(tmp_path: Path) -> None:
    """The parent loaded the app before the rotation, and its workers live on."""
    parent = Wallet(tmp_path)
    parent.answer("alice", CREDIT_SCORE)
    rotate(parent, "collector")

    def work() -> str:
        try:
            parent.answer("bob", CREDIT_SCORE)
        except LogConflictError as error:
            return str(error)
        return "written"

    assert in_fork(work).value == "written"
    retire(Wallet(tmp_path), "a1")
    before = parent.contents()
    assert "this process holds a retired key" in in_fork(work).value
    assert parent.contents() == before


@pytest.mark.requirement("R97")
def test_the_drill_for_the_logs_key(tmp_path: Path) -> None:
    """Both lines stand under the checkpoint from rotation until the old key retires."""
    wallet = Wallet(tmp_path)
    old = wallet.installation.keyring.log.vkey
    wallet.answer("alice", CREDIT_SCORE)
    assert lines(checkpoint(wallet)) == [Verifier.parse(old).key_id.hex()]

    new = rotate(wallet, "log")
    act = wallet.answer("bob", CREDIT_SCORE)
    both = checkpoint(wallet)  # by a publisher that started before the rotation
    assert lines(both) == [Verifier.parse(old).key_id.hex(), new.id]
    assert lines(checkpoint(Wallet(tmp_path))) == lines(both)
    receipt = find_receipt(wallet.installation, "bob", act.id)
    assert receipt is not None
    assert receipt.proof is not None
    for vkey in (old, new.vkey):
        verify_log(FolderSource(wallet.logs), trust=Trust.of([vkey]))
        verify_receipt(receipt.proof, trust=Trust.of([vkey]))

    retire(wallet, Verifier.parse(old).key_id.hex())
    assert lines(checkpoint(wallet)) == [new.id]
    verify_log(FolderSource(wallet.logs), trust=Trust.of([new.vkey]))
    with pytest.raises(UnknownKeyError):
        verify_log(FolderSource(wallet.logs), trust=Trust.of([old]))
    verify_receipt(receipt.proof, trust=Trust.of([old]))  # what was kept stays good


def test_the_checkpoint_that_first_covers_the_rotation_has_both_lines(
    wallet: Wallet,
) -> None:
    """A backlog of leaves from before it is published with it, and signed twice."""
    wallet.answer("alice", CREDIT_SCORE)
    new = rotate(wallet, "log")
    note = checkpoint(wallet)
    assert lines(note)[-1] == new.id
    assert open_checkpoint(note, [Verifier.parse(new.vkey)]).size == len(
        wallet.leaves()
    )


@pytest.mark.parametrize("files", ["tile", "checkpoint"])
def test_files_lost_during_the_overlap_are_made_again_as_they_were(
    wallet: Wallet, files: str
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    rotate(wallet, "log")
    before = checkpoint(wallet)
    (wallet.logs / files).rename(wallet.folder / "lost")
    (wallet.logs / "checkpoint").unlink(missing_ok=True)
    assert checkpoint(Wallet(wallet.folder)) == before
    wallet.answer("bob", CREDIT_SCORE)


@pytest.mark.requirement("R97", "R98")
def test_a_witness_that_knows_either_key_cosigns_during_the_overlap(
    tmp_path: Path,
) -> None:
    wallet = Wallet(tmp_path)
    old = wallet.installation.keyring.log.vkey
    new = rotate(wallet, "log")
    publish_all(wallet.installation)
    for number, vkey in enumerate((old, new.vkey)):
        with serve_witness(tmp_path / f"witness-{number}", vkey) as served:
            use(wallet, served.line)
            assert ask_witnesses(wallet.installation) == 1
    assert len(lines(checkpoint(wallet))) == 4


@pytest.mark.requirement("R97")
def test_a_publisher_without_the_new_log_key_stops_instead_of_leaving_it_out(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    new = rotate(wallet, "log")
    (wallet.folder / "keys" / f"log-{new.id}.pem").unlink()
    with pytest.raises(ConfigurationError, match=f"log-{new.id}.pem is not there"):
        publish_all(wallet.installation)
    with pytest.raises(ConfigurationError, match="CONSENTKIT_LOG_KEY"):
        Wallet(wallet.folder)
    Wallet(wallet.folder, publishes=False).answer("alice", CREDIT_SCORE)


def test_writers_at_once_with_both_keys_leave_no_gap_and_no_doubt(
    tmp_path: Path,
) -> None:
    old = Wallet(tmp_path)
    trust = first_keys(old)
    rotate(old, "collector")
    at_once(publish, [(tmp_path, 5)] * 3)
    retire(Wallet(tmp_path), "a1")
    at_once(publish, [(tmp_path, 5)] * 3)
    publish_all(Wallet(tmp_path).installation)
    assert verify_log(FolderSource(old.logs), trust=trust).size == len(old.leaves())


def test_a_key_is_never_registered_twice(wallet: Wallet, tmp_path: Path) -> None:
    log_file = str(tmp_path / "keys" / "log.pem")
    for role in ("collector", "log"):
        with pytest.raises(ConfigurationError, match="registered already"):
            rotate(wallet, role, log_file)


def test_a_key_from_elsewhere_is_taken_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = Wallet(tmp_path)
    trust = first_keys(wallet)
    monkeypatch.setenv("NEXT_KEY", b64encode(b"7" * 32).decode())
    new = rotate(wallet, "collector", "env:NEXT_KEY")
    expected = Ed25519Signer.from_seed(f"{ORIGIN}/collector/a2", b"7" * 32)
    assert new.vkey == expected.vkey
    assert not (tmp_path / "keys" / "collector-a2.pem").exists()
    later = Wallet(tmp_path, sources=named("env:NEXT_KEY"))
    assert later.answer("alice", CREDIT_SCORE).claimed == (new.name,)
    publish_all(later.installation)
    verify_log(FolderSource(later.logs), trust=trust)


def test_a_configured_key_that_was_never_registered_is_refused(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXT_KEY", b64encode(b"7" * 32).decode())
    key = parse_key_uri("env:NEXT_KEY", label="CONSENTKIT_LOG_KEY")
    for sources in (named("env:NEXT_KEY"), KeySources(log=(key,))):
        with pytest.raises(ConfigurationError, match="rotate --uri") as caught:
            Wallet(wallet.folder, sources=sources)
        assert b64encode(b"7" * 32).decode() not in str(caught.value)


def test_the_only_key_of_a_role_cannot_be_retired(wallet: Wallet) -> None:
    before = wallet.contents()
    log = wallet.installation.keyring.log.key_id.hex()
    for name in ("a1", log):
        with pytest.raises(InvalidRequestError, match="rotate first"):
            retire(wallet, name)
    for name in ("a2", "", "1", ORIGIN, "0" * 8):
        with pytest.raises(InvalidRequestError, match="collector a1"):
            retire(wallet, name)
    assert wallet.contents() == before


def test_a_process_does_not_retire_the_key_it_signs_with(wallet: Wallet) -> None:
    rotate(wallet, "collector")
    before = wallet.contents()
    with pytest.raises(ConfigurationError, match="this process signs with a1 itself"):
        retire(wallet, "a1")
    assert wallet.contents() == before


def test_a_rotation_that_was_cut_off_is_taken_up_again(wallet: Wallet) -> None:
    """The file was made, and the database did not answer: the same key is used."""
    wallet.break_writes("INSERT ON consent_evidence")
    before = wallet.contents()
    with pytest.raises(LogConflictError):
        rotate(wallet, "collector")
    assert wallet.contents() == before
    made = (wallet.folder / "keys" / "collector-a2.pem").read_bytes()
    wallet.mend_writes()
    new = rotate(wallet, "collector")
    assert Ed25519Signer.from_pem(new.name, made).vkey == new.vkey


def test_the_list_says_what_each_key_may_sign_and_which_are_here(
    wallet: Wallet,
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    added = rotate(wallet, "collector")
    later = Wallet(wallet.folder)
    ended = retire(later, "a1")
    (wallet.folder / "keys" / "log.pem").rename(wallet.folder / "elsewhere.pem")
    reports = list_keys(later.installation)
    assert [(each.range.role, each.is_here) for each in reports] == [
        ("log", False),
        ("collector", True),
        ("collector", True),
    ]
    assert [each.range for each in reports][1:] == [ended, added]
    (wallet.folder / "elsewhere.pem").rename(wallet.folder / "keys" / "log.pem")
    publish_all(later.installation)
    wallet.damaged = True  # its own key is retired: the log is proven by the new one
    later_trust = Trust.of(each.range.vkey for each in reports)
    assert verify_log(FolderSource(later.logs), trust=later_trust).kinds[Kind.KEY] == 4
