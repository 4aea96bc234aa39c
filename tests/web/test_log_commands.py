"""``flask consent log close`` as an operator runs it, and what people see of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result

from consentkit import cli
from consentkit.errors import ConfigurationError
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

NEW = "wallet.example/consent/2026b"
CLOSE = ("log", "close", "--successor", NEW, "--reason", "key-compromise")
WHO = ("--by", "security@wallet.example")


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


def receipt_of(shop: Host) -> str:
    ((leaf_id,),) = shop.sql("SELECT id FROM consent_leaf WHERE kind = 'choice'")
    return str(leaf_id)


@pytest.mark.requirement("R97")
def test_the_drill_as_commands(
    shop: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    origin = shop.state.installation.origin
    old_key = shop.state.installation.keyring.log.vkey

    done = run(shop, *CLOSE, *WHO)

    assert done.exit_code == 0
    assert done.stdout == (
        f"closed: {origin}, 7 entries\n"
        f"now set CONSENTKIT_LOG_ORIGIN = {NEW!r}, restart\n"
    )
    keys = tmp_path / "consentkit" / "keys"
    made = run(shop, "keys", "new", "--folder", str(keys), "--successor", NEW)
    assert made.stdout.count("made: ") == 2
    with pytest.raises(ConfigurationError, match=NEW):
        host(tmp_path, CONSENTKIT_LOG_ORIGIN=origin)

    again = host(tmp_path, CONSENTKIT_LOG_ORIGIN=NEW)
    assert again.allows(MAYA)
    again.publish()
    new, old = tmp_path / "new", tmp_path / "old"
    assert run(again, "export", str(new)).exit_code == 0
    assert run(again, "export", str(old), "--log", origin).exit_code == 0
    key = again.state.installation.keyring.log.vkey
    command = ["verify", str(new), "--key", key, "--policy", str(new / "policy")]
    assert cli.main([*command, "--previous", str(old)]) == 0
    assert cli.main(["verify", str(old), "--key", old_key]) == 0
    assert cli.main(command) == 1
    assert f"continues {origin!r}: give its files" in capsys.readouterr().out
    assert run(again, "rebuild", "--check").exit_code == 0


def test_a_process_that_goes_on_with_a_closed_log_answers_503(
    shop: Host, tmp_path: Path
) -> None:
    client = shop.client(MAYA)
    answer(client, "credit-score", {"acme-credit": "given"})
    assert run(shop, *CLOSE, *WHO).exit_code == 0

    sent = answer(shop.client(TOM), "credit-score", {"acme-credit": "given"})
    assert sent.status_code == 503
    assert client.get("/score").status_code == 503

    guessing = host(tmp_path)
    assert guessing.state.installation.origin == NEW
    sent = answer(guessing.client(TOM), "credit-score", {"acme-credit": "given"})
    assert sent.status_code < 400
    assert guessing.allows(TOM)


@pytest.mark.requirement("R97")
def test_a_receipt_of_the_closed_log_is_there_as_before(
    shop: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    origin, act = shop.state.installation.origin, receipt_of(shop)
    old_key = shop.state.installation.keyring.log.vkey
    run(shop, *CLOSE, *WHO)
    maya = host(tmp_path).client(MAYA)

    page = maya.get(f"/consent/receipts/{act}").get_data(as_text=True)
    assert origin in page
    assert act in maya.get("/consent/").get_data(as_text=True)
    assert body_of(maya.get(f"/consent/receipts/{act}.json"))["index"] == 4
    proof = tmp_path / "kept.tlog-proof"
    proof.write_bytes(maya.get(f"/consent/receipts/{act}.tlog-proof").data)
    assert cli.main(["receipt", str(proof), "--key", old_key]) == 0
    assert "holds" in capsys.readouterr().out


def test_what_cannot_be_done_is_told_in_one_line(shop: Host) -> None:
    for arguments, words in {
        (*CLOSE[:3], "with space", *CLOSE[4:], *WHO): "expected the origin",
        (*CLOSE[:5], "two words", *WHO): "reason",
        (*CLOSE, "--by", " "): "expected the person",
        ("export", "folder", "--log", NEW): "expected the origin of a log",
    }.items():
        done = run(shop, *arguments)
        assert done.exit_code == 1, arguments
        assert words in done.stderr
        assert "Traceback" not in done.output
    assert shop.sql("SELECT closed FROM consent_log") == [(None,)]
