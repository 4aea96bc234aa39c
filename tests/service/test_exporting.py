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
from consentkit.audit.verify import verify_log
from consentkit.core.act import State
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import check_policy
from consentkit.log.policy import parse_policy
from consentkit.service.administering import Official
from consentkit.service.administering import record_admin_act
from consentkit.service.exporting import ALL_ADMIN
from consentkit.service.exporting import Exported
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet
from tests.service.witnessed import use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.audit.report import VerifiedLog
    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf

    Damage = Callable[[Path], str]
    Fill = Callable[[Path], None]

ALICE, BOB = "alice.liddell@wonderland.example", "bob-77231"
WITNESS = Ed25519Signer.generate("w1.example", algorithm=Algorithm.COSIGNATURE_V1)
LINE = f"{WITNESS.vkey} https://w1.example"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "export"


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def hand_over(wallet: Wallet, out: Path, *asked: str) -> Exported:
    """Publish and export."""
    publish_all(wallet.installation)
    if asked:
        return export(wallet.installation, out, disclosures=asked)
    return export(wallet.installation, out)


def audit(wallet: Wallet, out: Path, *, policy: bool = False) -> VerifiedLog:
    """Verify all layers of the export, with its own policy if so asked."""
    own = parse_policy((out / "policy").read_bytes()) if policy else None
    return verify_log(
        FolderSource(out),
        trust=wallet.trust,
        history=History.open(trust=wallet.trust, policy=own),
    )


def cosigned(wallet: Wallet, *, time: int = 1_767_225_700) -> int:
    """Have a witness cosign the newest checkpoint; its size."""
    publish_all(wallet.installation)
    latest = wallet.installation.publications.latest()
    assert latest is not None
    size, note = latest
    line = cosign(note, WITNESS, time=time)
    key = f"{WITNESS.name}+{WITNESS.key_id.hex()}"
    seen: Millis = wallet.clock()
    wallet.installation.witnesses.keep(key, Standing(), Cosignature(size, line, seen))
    return size


def official_act(wallet: Wallet) -> Leaf:
    """Something that an official did."""
    installation = wallet.installation
    with installation.ledger.write() as transaction:
        return record_admin_act(
            installation,
            transaction,
            action="change-role",
            target="auditor",
            by=Official("dpo@wallet.example", "a new auditor"),
            now=installation.clock(),
        )


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


def test_an_export_done_again_is_the_same_byte_for_byte(
    wallet: Wallet, out: Path
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    first = hand_over(wallet, out)
    before, written = files(out), (out / "checkpoint").stat().st_mtime_ns

    assert hand_over(wallet, out) == first
    assert files(out) == before
    assert (out / "checkpoint").stat().st_mtime_ns == written


@pytest.mark.requirement("R99")
def test_an_export_brought_up_to_date_is_what_a_new_one_would_be(
    wallet: Wallet, out: Path, tmp_path: Path
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    hand_over(wallet, out)
    wallet.revoke(ALICE)
    wallet.answer(BOB, SHOPS)

    hand_over(wallet, out)
    hand_over(wallet, tmp_path / "new")

    assert files(out) == files(tmp_path / "new")
    assert not [*out.glob("tile/0/000.p/5")], "no empty folder is left over either"
    audit(wallet, out)


def test_what_is_committed_meanwhile_waits_for_the_next_export(
    wallet: Wallet, out: Path
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    publish_all(wallet.installation)
    late: list[str] = []

    def go_on(_done: int, _total: int) -> None:
        if not late:
            late.append(wallet.answer(BOB, SHOPS).id)
            publish_all(wallet.installation)
            late.append(wallet.answer(BOB, CREDIT_SCORE).id)

    done = export(wallet.installation, out, progress=go_on)

    assert audit(wallet, out).size == done.size
    assert done.size < len(wallet.leaves())
    assert done.size + done.left_out == len(wallet.leaves())
    assert not [path for path, data in files(out).items() if late[0].encode() in data]


@pytest.mark.parametrize("at", [1, 2])
def test_an_export_that_was_killed_is_completed_by_the_next(
    wallet: Wallet, out: Path, at: int
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    publish_all(wallet.installation)

    def die(done: int, _total: int) -> None:
        if done == at:
            (out / ".draft").write_bytes(b"half of a file")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(wallet.installation, out, progress=die)
    assert not (out / MANIFEST).exists()
    assert not (out / "checkpoint").exists()

    hand_over(wallet, out)

    assert ".draft" not in files(out)
    audit(wallet, out)


def damaged_tile(out: Path) -> str:
    path = "tile/0/000.p/5"
    (out / path).write_bytes(bytes(160))
    return path


def damaged_checkpoint(out: Path) -> str:
    path = "checkpoints/5"
    note = (out / path).read_bytes()
    (out / path).write_bytes(note.replace(b"\n5\n", b"\n6\n"))
    return path


def lost_in_the_database(out: Path) -> str:
    path = "notices/" + "f" * 64 + ".html"
    (out / path).write_bytes(b"")
    return path


@pytest.mark.requirement("R95")
@pytest.mark.parametrize(
    "damage", [damaged_tile, damaged_checkpoint, lost_in_the_database]
)
@pytest.mark.parametrize("later", ["at once", "with more to export"])
def test_a_difference_to_an_earlier_export_stops_it_and_nothing_is_overwritten(
    wallet: Wallet, out: Path, damage: Damage, later: str
) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    hand_over(wallet, out)
    path = damage(out)
    there = (out / path).read_bytes()
    manifest = (out / MANIFEST).read_bytes()
    if later == "with more to export":
        wallet.revoke(ALICE)

    with pytest.raises(LogConflictError, match=re.escape(path)):
        hand_over(wallet, out)

    assert (out / path).read_bytes() == there
    assert (out / MANIFEST).read_bytes() == manifest


def strange_file(out: Path) -> None:
    (out / "letters.txt").write_text("Dear …")


def other_log(out: Path) -> None:
    elsewhere = Wallet(out.parent / "elsewhere")
    hand_over(elsewhere, out)


def checkpoint_that_is_none(out: Path) -> None:
    (out / "checkpoint").write_text("five\n")


def readme_of_another(out: Path) -> None:
    (out / README).write_text("another\n")


@pytest.mark.parametrize(
    "fill", [strange_file, other_log, checkpoint_that_is_none, readme_of_another]
)
def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(
    wallet: Wallet, out: Path, fill: Fill
) -> None:
    out.mkdir()
    fill(out)
    before = files(out)

    with pytest.raises(ConfigurationError, match="must be empty, or hold an earlier"):
        hand_over(wallet, out)

    assert files(out) == before


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


def test_an_export_never_takes_a_step_back(wallet: Wallet, out: Path) -> None:
    wallet.answer(ALICE, CREDIT_SCORE)
    cosigned_at = cosigned(wallet)
    wallet.sql("DELETE FROM consent_cosignature")
    wallet.answer(BOB, CREDIT_SCORE)
    first = hand_over(wallet, out)
    line = cosign(
        wallet.installation.publications.signed(cosigned_at) or b"", WITNESS, time=1
    )
    seen = Cosignature(cosigned_at, line, wallet.clock())
    wallet.installation.witnesses.keep("late", Standing(), seen)

    assert hand_over(wallet, out).size == first.size > cosigned_at
    assert (out / f"checkpoints/{cosigned_at}").read_bytes().endswith(line)


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
