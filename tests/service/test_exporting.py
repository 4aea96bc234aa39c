"""The auditor's folder: all of it there, of one size, and nobody's name in it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import README
from consentkit.audit.annexed import disclosure_path
from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.manifest import parse_manifest
from consentkit.audit.receipt import open_evidence
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.trust import Trust
from consentkit.audit.verify import Examination
from consentkit.core.act import State
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.policy import check_policy
from consentkit.log.policy import parse_policy
from consentkit.service.administering import Official
from consentkit.service.exporting import ALL_ADMIN
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from tests.service.exports import ALICE
from tests.service.exports import BOB
from tests.service.exports import LINE
from tests.service.exports import audit
from tests.service.exports import cosigned
from tests.service.exports import files
from tests.service.exports import hand_over
from tests.service.exports import official_act
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet
from tests.service.witnessed import use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Path], str]
    Fill = Callable[[Path], None]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.mark.requirement("R95", "R99")
def test_an_export_holds_in_all_layers_and_holds_all_entries(
    wallet: Wallet, out: Path
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    wallet.share(ALICE, CREDIT_SCORE)
    wallet.answer(BOB, SHOPS, said=State.REFUSED)
    wallet.revoke(ALICE)

    done = hand_over(wallet, out)

    log = audit(wallet, out)
    assert log.size == done.size == len(wallet.leaves())
    assert done.files == len(files(out))
    assert set(parse_manifest((out / MANIFEST).read_bytes())) | {MANIFEST} == set(
        files(out)
    )


@pytest.mark.requirement("R99")
def test_every_checkpoint_and_every_notice_is_there(wallet: Wallet, out: Path) -> None:
    sizes = set()
    for wording in ("Do you agree?", "Will you agree?"):
        notice = wallet.notice("credit-score", wording=wording)
        sizes.add(publish_all(wallet.installation))
        assert notice.digest
    wallet.answer(ALICE, CREDIT_SCORE)

    sizes.add(hand_over(wallet, out).size)

    there = files(out)
    assert {path for path in there if path.startswith("checkpoints/")} == {
        f"checkpoints/{size}" for size in sizes
    }
    logged = {leaf.body["notice"]: leaf.body for leaf in wallet.leaves("notice")}
    assert len(logged) == 2
    for digest in logged:
        notice_then = wallet.installation.history.notice(digest)
        assert notice_then is not None
        assert there[f"notices/{digest}.html"] == notice_then.html
        assert there[f"notices/{digest}.json"] == notice_then.manifest_bytes


@pytest.mark.requirement("R95")
def test_no_id_of_anybody_in_the_app_is_in_it(wallet: Wallet, out: Path) -> None:
    for who in (ALICE, BOB):
        wallet.answer(who, CREDIT_SCORE)
        wallet.share(who, CREDIT_SCORE)
    act = wallet.leaves("choice")[0]

    hand_over(wallet, out, ALL_ADMIN, act.id)

    for path, data in files(out).items():
        assert not re.search(rb"alice|liddell|bob-77231", data + path.encode()), path


def test_private_facts_are_shown_of_the_acts_asked_for_and_of_no_other(
    wallet: Wallet, out: Path
) -> None:
    act = wallet.answer(ALICE, CREDIT_SCORE)
    wallet.answer(BOB, CREDIT_SCORE)

    done = hand_over(wallet, out, act.id)

    shown = [path for path in files(out) if path.startswith("disclosures/")]
    assert shown == [disclosure_path(act.id)]
    assert open_evidence((out / shown[0]).read_bytes(), act)["locale"] == "en"
    assert done.disclosures == 1
    audit(wallet, out)


@pytest.mark.requirement("R102")
def test_who_acted_for_the_operator_is_shown_by_default(
    wallet: Wallet, out: Path
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    act = official_act(wallet)

    hand_over(wallet, out)

    facts = open_evidence((out / disclosure_path(act.id)).read_bytes(), act)
    assert facts["person"] == "dpo@wallet.example"
    audit(wallet, out)


BAD_IDS = {
    "unknown": "f" * 32,
    "not an id": "everything",
    "an id in capitals": "F" * 32,
    "a path": "../../etc/passwd",
}


@pytest.mark.parametrize("case", BAD_IDS)
def test_an_act_without_private_facts_is_refused_before_anything_is_written(
    wallet: Wallet, out: Path, case: str
) -> None:
    with pytest.raises(InvalidRequestError, match="all-admin") as caught:
        hand_over(wallet, out, BAD_IDS[case])

    assert caught.value.code == "no-evidence"
    assert files(out) == {}


def test_the_facts_of_an_erased_person_leave_the_folder(
    wallet: Wallet, out: Path
) -> None:
    wallet.damaged = True  # the erasure here is done by hand, without its leaf
    act = wallet.answer(ALICE, CREDIT_SCORE)
    other = wallet.answer(BOB, CREDIT_SCORE)
    hand_over(wallet, out, act.id, other.id)
    wallet.sql("DELETE FROM consent_evidence WHERE id = ?", act.id)

    hand_over(wallet, out)

    shown = [path for path in files(out) if path.startswith("disclosures/")]
    assert shown == [disclosure_path(other.id)], "what was asked for before stays"
    audit(wallet, out)


def test_a_folder_that_cannot_be_written_is_told(wallet: Wallet, out: Path) -> None:
    out.write_text("a file")

    with pytest.raises(LogUnavailableError, match="the folder of the export"):
        hand_over(wallet, out)


def test_a_log_that_never_published_has_nothing_to_export(
    wallet: Wallet, out: Path
) -> None:
    with pytest.raises(ConfigurationError, match="flask consent publish"):
        export(wallet.installation, out)


def test_the_log_key_is_not_needed(wallet: Wallet, out: Path) -> None:
    hand_over(wallet, out)
    key = wallet.folder / "keys" / "log.pem"
    kept = key.read_bytes()
    key.unlink()
    away = Wallet(wallet.folder, publishes=False)

    export(away.installation, out.with_name("again"))

    key.write_bytes(kept)
    key.chmod(0o600)
    assert files(out.with_name("again")) == files(out)


@pytest.mark.requirement("R98")
def test_the_checkpoint_is_the_cosigned_one_and_its_policy_is_met(
    wallet: Wallet, out: Path
) -> None:
    use(wallet, LINE)
    wallet.answer(ALICE, CREDIT_SCORE)
    size = cosigned(wallet)
    wallet.answer(BOB, CREDIT_SCORE)

    done = hand_over(wallet, out)

    assert done.size == size == len(wallet.leaves()) - 1
    assert done.left_out == 1
    policy = parse_policy((out / "policy").read_bytes())
    assert check_policy((out / "checkpoint").read_bytes(), policy)
    assert (out / f"checkpoints/{size}").read_bytes() == (
        out / "checkpoint"
    ).read_bytes()
    audit(wallet, out, policy=True)


def rotated(wallet: Wallet) -> tuple[str, str]:
    """Have the log's key changed; the retired one and the new one."""
    by = Official("dpo@wallet.example", "the yearly change of keys")
    old = wallet.installation.keyring.log
    new = rotate_key(wallet.installation, "log", by=by)
    retire_key(wallet.installation, old.key_id.hex(), by=by)
    wallet.damaged = True  # its trust is in the retired key only
    return old.vkey, new.vkey


@pytest.mark.requirement("R97", "R99")
def test_an_export_names_every_log_key_and_holds_with_the_newest_alone(
    wallet: Wallet, out: Path
) -> None:
    act = wallet.answer(ALICE, CREDIT_SCORE)
    publish_all(wallet.installation)
    receipt = find_receipt(wallet.installation, ALICE, act.id)
    assert receipt is not None
    assert receipt.proof is not None
    hand_over(wallet, out)
    old, new = rotated(wallet)
    wallet.answer(BOB, CREDIT_SCORE)
    hand_over(wallet, out)  # over the one from before
    hand_over(wallet, out.with_name("anew"))
    assert files(out) == files(out.with_name("anew"))

    own = parse_policy((out / "policy").read_bytes())
    assert [each.key.vkey for each in own.logs] == [old, new]
    verify_receipt(receipt.proof, trust=Trust.of([old]), policy=own)
    (command,) = re.findall(
        r"^  (consentkit verify (?:.*\\\n)*.*)$",
        (out / README).read_text(),
        re.MULTILINE,
    )
    words = shlex.split(command)
    given = [words[n + 1] for n, word in enumerate(words) if word == "--key"]
    assert given == [old, new]
    for keys, unopened in ((given, 0), ([new], 1)):
        trust = Trust.of(keys)
        examination = Examination(
            FolderSource(out),
            trust=trust,
            history=History.open(trust=trust, policy=own),
        )
        assert list(examination.find_faults()) == []
        assert examination.report().unopened == unopened


def test_a_key_of_after_the_exported_size_is_not_named(
    wallet: Wallet, out: Path
) -> None:
    use(wallet, LINE)
    wallet.answer(ALICE, CREDIT_SCORE)
    size = cosigned(wallet)
    _, new = rotated(wallet)

    assert hand_over(wallet, out).size == size

    for name in ("keys", "policy", README):
        assert new not in (out / name).read_text()


def test_time_stamps_lie_beside_the_checkpoints(wallet: Wallet, out: Path) -> None:
    size = publish_all(wallet.installation) or 0
    wallet.installation.timestamps.add(size, "ab" * 8, b"\x30\x00", wallet.clock())

    hand_over(wallet, out)

    assert files(out)[f"timestamps/{size}/{'ab' * 8}.tsr"] == b"\x30\x00"
    audit(wallet, out)


def test_what_the_database_no_longer_has_as_it_was_is_not_exported(
    wallet: Wallet, out: Path
) -> None:
    wallet.damaged = True
    wallet.notice("credit-score")
    wallet.sql("DELETE FROM consent_notice")
    wallet.installation = Wallet(wallet.folder).installation  # nothing is remembered

    with pytest.raises(LogConflictError, match="rebuild --check"):
        hand_over(wallet, out)


def test_facts_that_the_leaf_does_not_commit_to_are_not_exported(
    wallet: Wallet, out: Path
) -> None:
    wallet.damaged = True
    one, other = wallet.answer(ALICE, CREDIT_SCORE), wallet.answer(ALICE, SHOPS)
    swap = "UPDATE consent_evidence SET id = ? WHERE id = ?"
    for new, old in (("x", one.id), (one.id, other.id), (other.id, "x")):
        wallet.sql(swap, new, old)

    with pytest.raises(Exception, match="sealed") as caught:
        hand_over(wallet, out, one.id)

    assert files(out) == {}
    assert "alice" not in str(caught.value)


def test_progress_is_told_file_by_file(wallet: Wallet, out: Path) -> None:
    publish_all(wallet.installation)
    told: list[tuple[int, int]] = []

    export(wallet.installation, out, progress=lambda *numbers: told.append(numbers))

    assert told == [(1, 2), (2, 2)]
