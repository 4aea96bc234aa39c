"""Witnesses as an operator sees them, and the cosigned checkpoint over HTTP."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from consentkit.log.cosignature import open_cosignature
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.witness_process import WitnessProcess

STRANGER = Ed25519Signer.generate("w2", algorithm=Algorithm.COSIGNATURE_V1)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    """One that was told of the log before the log was told of it."""
    vkey = host(tmp_path).state.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey) as served:
        yield served


def flask(shop: Host, *arguments: str) -> str:
    done = shop.app.test_cli_runner().invoke(args=["consent", *arguments])
    assert done.exit_code == 0
    return done.output


@pytest.mark.requirement("R98")
def test_publishing_tells_who_cosigned_and_who_did_not(
    tmp_path: Path, witness: WitnessProcess
) -> None:
    silent = f"{STRANGER.vkey} http://127.0.0.1:9"
    shop = host(tmp_path, CONSENTKIT_WITNESSES=[witness.line, silent])
    assert flask(shop, "witnesses").splitlines() == [
        "witness witness.example/w1: cosigned nothing yet",
        "witness w2: cosigned nothing yet",
    ]

    told = flask(shop, "publish").splitlines()

    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert told[0] == "published: 3 entries"
    assert told[1].startswith(
        f"witness witness.example/w1: cosigned 3 entries, {today}"
    )
    assert told[2].startswith("witness w2: cosigned nothing yet; it did not answer (")
    assert flask(shop, "witnesses").splitlines() == told[1:]


def test_without_witnesses_the_command_says_so(tmp_path: Path) -> None:
    shop = host(tmp_path)

    assert flask(shop, "witnesses") == "no witnesses: CONSENTKIT_WITNESSES is empty\n"
    assert flask(shop, "publish") == "published: 3 entries\n"


@pytest.mark.requirement("R98")
def test_auditors_get_the_checkpoint_with_its_cosignatures(
    tmp_path: Path, witness: WitnessProcess
) -> None:
    shop = host(tmp_path, CONSENTKIT_WITNESSES=[witness.line])
    shop.consent.role_loader(lambda: {"auditor"})
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    flask(shop, "publish")

    sent = shop.client().get("/consent/log/checkpoint")

    assert open_cosignature(sent.data, witness.verifier)
    assert sent.data == (shop.state.installation.log_folder / "checkpoint").read_bytes()


@pytest.mark.requirement("R98")
def test_a_receipt_that_a_person_downloads_is_cosigned(
    tmp_path: Path, witness: WitnessProcess
) -> None:
    shop = host(tmp_path, CONSENTKIT_WITNESSES=[witness.line])
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    flask(shop, "publish")
    with shop.app.app_context():
        (record,) = shop.consent.history(MAYA)
        receipt = shop.consent.receipt(MAYA, record.leaf.id)

    assert receipt
    assert receipt.proof
    _, _, note = receipt.proof.partition(b"\n\n")
    assert open_cosignature(note, witness.verifier)


def test_who_follows_asks_the_witnesses_from_a_thread(
    tmp_path: Path, witness: WitnessProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = host(tmp_path, CONSENTKIT_WITNESSES=[witness.line])
    started: list[str] = []
    monkeypatch.setattr(
        threading.Thread, "start", lambda thread: started.append(thread.name)
    )
    monkeypatch.setattr("consentkit.web.commands.ask_witnesses", lambda _: None)

    monkeypatch.setattr("consentkit.web.following.follow", lambda first, _work: first())
    shop.app.test_cli_runner().invoke(args=["consent", "publish", "--follow"])

    assert "consentkit-witnesses" in started
