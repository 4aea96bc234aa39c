"""``flask consent log open|list|archive`` and ``purge``, as an operator runs them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine

from consentkit import cli
from consentkit.testing import answer
from tests.service.strangers import Stranger
from tests.service.strangers import add_here
from tests.service.strangers import hash_of
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

NEXT = "wallet.example/consent/2027"
WHO = ("--by", "dpo@wallet.example")
IN_NINE_YEARS = datetime.now(UTC) + timedelta(days=9 * 366)
CUT = f"{IN_NINE_YEARS - timedelta(days=6 * 366):%Y-%m-%d}"
YEARLY = ("--reason", "yearly", "--before", CUT)


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


@pytest.fixture
def agreed(shop: Host) -> Host:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    return shop


def place_in(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


@pytest.mark.requirement("R103")
def test_a_period_from_its_end_to_its_drop_as_commands(
    agreed: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = agreed.state.installation.origin
    key = agreed.state.installation.keyring.log.vkey
    opened = run(agreed, "log", "open", NEXT, *WHO)
    assert opened.exit_code == 0, opened.output
    closed, begun, log_key, _, now = opened.stdout.splitlines()
    assert closed.startswith(f"closed: {first}, ")
    assert begun == f"begun: {NEXT}"
    assert log_key.startswith(f"key: {NEXT}+")
    assert now == "now start every process of the app anew"

    again = host(tmp_path)
    assert again.state.installation.origin == NEXT
    assert run(again, "log", "open", NEXT, *WHO).stdout.startswith(f"begun: {NEXT}\n")
    assert again.allows(MAYA)
    archived = run(again, "log", "archive", "--to", str(tmp_path / "kept"), *WHO)
    assert archived.exit_code == 0, archived.output
    assert archived.stdout.startswith(f"archived: {first}, ")
    place = place_in(tmp_path / "kept")
    assert cli.main(["verify", str(place), "--key", key]) == 0
    assert "holds" in capsys.readouterr().out
    idle = run(again, "log", "archive", "--to", str(tmp_path / "kept"), *WHO)
    assert idle.stdout == "no log waits to be archived\n"

    with time_machine.travel(IN_NINE_YEARS):
        done = run(again, "purge", *WHO, *YEARLY)
        assert done.exit_code == 0, done.output
        assert f"dropped: {first}, " in done.stdout
        assert "nothing" not in done.stdout
        listed = run(again, "log", "list").stdout.splitlines()
        gone = run(again, "export", str(tmp_path / "out"), "--log", first)
        assert run(again, "rebuild", "--check").exit_code == 0
    assert [line.partition(":")[0] for line in listed] == [first, NEXT]
    assert listed[0].count("-, ") == 0
    assert f"dropped {IN_NINE_YEARS:%Y-%m-%d}" in listed[0]
    assert listed[1].endswith("closed -, archived -, dropped -")
    assert gone.exit_code == 1
    assert str(place) in gone.stderr


def test_where_the_origin_was_set_it_says_to_set_it_anew(tmp_path: Path) -> None:
    shop = host(tmp_path, CONSENTKIT_LOG_ORIGIN="wallet.example/consent/2026")
    opened = run(shop, "log", "open", NEXT, *WHO)
    assert f"now set CONSENTKIT_LOG_ORIGIN = {NEXT!r}, start every" in opened.stdout
    again = host(tmp_path, CONSENTKIT_LOG_ORIGIN=NEXT)
    assert again.state.installation.origin == NEXT


def test_what_is_in_no_archive_is_said_to_stay(agreed: Host, tmp_path: Path) -> None:
    first = agreed.state.installation.origin
    run(agreed, "log", "open", NEXT, *WHO)
    again = host(tmp_path)
    with time_machine.travel(IN_NINE_YEARS):
        done = run(again, "purge", *WHO, *YEARLY)
        assert done.exit_code == 0
        assert "dropped" not in done.stdout
        assert f"kept: {first}: it is in no archive" in done.stderr
        sure = run(again, "purge", *WHO, *YEARLY, "--without-archive")
    assert f"dropped: {first}, " in sure.stdout


def test_what_cannot_be_done_is_told_in_one_line(agreed: Host, tmp_path: Path) -> None:
    first = agreed.state.installation.origin
    for arguments, words in {
        ("open", "with space", *WHO): "expected the origin",
        ("open", first, *WHO): "in this database already",
        ("open", NEXT, *WHO, "--reason", "two words"): "reason",
        ("open", NEXT, *WHO, "--log-key", "env:"): "--log-key",
        ("open", NEXT, "--by", " "): "expected the person",
        ("archive", first, "--to", str(tmp_path / "x"), *WHO): "has ended",
        ("archive", first, "--to", "ftp://x", *WHO): "expected a folder",
        ("archive", "--to", "x", "--by", ""): "expected the person",
    }.items():
        done = run(agreed, "log", *arguments)
        assert done.exit_code == 1, arguments
        assert words in done.stderr, arguments
        assert "Traceback" not in done.output
    assert agreed.sql("SELECT closed FROM consent_log") == [(None,)]


def test_a_clock_that_is_years_ahead_purges_nothing_by_itself(agreed: Host) -> None:
    before = agreed.sql("SELECT count(*) FROM consent_evidence")
    with time_machine.travel(IN_NINE_YEARS):
        done = run(agreed, "purge", *WHO, "--reason", "yearly")
        assert done.exit_code == 1
        assert "by the clock of this machine" in done.stderr
        assert agreed.sql("SELECT count(*) FROM consent_evidence") == before
        sure = run(agreed, "purge", *WHO, *YEARLY)
    assert sure.exit_code == 0, sure.output


def test_an_entry_that_stops_publishing_is_left_out_as_a_command(agreed: Host) -> None:
    file = agreed.state.installation.database.file
    assert file is not None
    with closing(sqlite3.connect(file)) as connection, connection:
        add_here(lambda text, *values: connection.execute(text, values), Stranger())
    stopped = run(agreed, "publish")
    assert stopped.exit_code == 1
    told = stopped.stderr
    assert hash_of(Stranger()) in told
    assert "flask consent log leave-out" in told
    asked = ("log", "leave-out", hash_of(Stranger()), *WHO, "--reason", "a script")
    done = run(agreed, *asked)
    assert done.stdout == f"left out: {hash_of(Stranger())}, it is no entry\n"
    assert run(agreed, "publish").exit_code == 0
    assert "leave-out" in run(agreed, "acts").stdout
    again = run(agreed, *asked)
    assert again.exit_code == 1
    assert "nothing was left out" in again.stderr
