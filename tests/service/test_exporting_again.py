"""An export brought up to date: what is new is added, and nothing is overwritten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import README
from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.log.cosignature import cosign
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing
from tests.service.exports import ALICE
from tests.service.exports import BOB
from tests.service.exports import WITNESS
from tests.service.exports import audit
from tests.service.exports import cosigned
from tests.service.exports import files
from tests.service.exports import hand_over
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Path], str]
    Fill = Callable[[Path], None]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "export"


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
