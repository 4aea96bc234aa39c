"""Forgetting, holding and purging, as an operator runs them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from consentkit.errors import ConfigurationError
from consentkit.store import sqlite as sqlite_module
from consentkit.store.erasing import Erasures
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

BY = ("--by", "dpo@shop.example")
TOMORROW = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


def told(done: Result) -> dict[str, str]:
    """What a command printed, by its labels."""
    assert done.exit_code == 0, done.output
    return dict(line.split(": ", 1) for line in done.output.splitlines())


def erase(shop: Host, *more: str) -> Result:
    return run(shop, "erase", MAYA, "--reason", "request", *BY, *more)


@pytest.fixture
def agreed(shop: Host) -> Host:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    return shop


@pytest.mark.requirement("R92")
def test_a_person_is_erased_and_named_by_their_handle_only(agreed: Host) -> None:
    ((handle,),) = agreed.sql("SELECT handle FROM consent_subject")
    done = erase(agreed)
    assert told(done)["erased"] == handle
    assert MAYA not in done.output
    assert agreed.grants() == []


def test_somebody_unknown_is_said_to_be(shop: Host) -> None:
    done = erase(shop)
    assert done.exit_code == 0
    assert done.output == "nobody is known under this id: nothing was written\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("erase", MAYA),
        ("erase", MAYA, "--reason", "request"),
        ("erase", MAYA, *BY),
        ("erase", MAYA, *BY, "--reason", "request", "--hold-until", "soon"),
        ("purge", *BY),
        ("purge", "--reason", "monthly"),
        ("hold-open", "f" * 32),
        ("hold-release", "f" * 32),
    ],
)
def test_a_command_that_lacks_something_is_wrong_use(
    agreed: Host, arguments: tuple[str, ...]
) -> None:
    assert run(agreed, *arguments).exit_code == 2
    assert len(agreed.grants()) == 1


def test_a_reason_that_is_a_sentence_is_told_in_one_line(agreed: Host) -> None:
    done = run(agreed, "erase", MAYA, *BY, "--reason", "Maya asked for it")
    assert done.exit_code == 1
    assert "stands in the log for ever" in done.output
    assert "Traceback" not in done.output
    assert len(agreed.grants()) == 1


def test_a_busy_database_is_said_and_the_same_command_finishes(
    agreed: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "_PATIENCE", 50)
    rewrite = sqlite_module._rewrite
    path = agreed.state.config.places.database_uri.removeprefix("sqlite:///")

    def while_somebody_reads(connection: object) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM consent_leaf").fetchone()
            rewrite(connection)  # type: ignore[arg-type]  what it was given itself

    monkeypatch.setattr(sqlite_module, "_rewrite", while_somebody_reads)
    done = erase(agreed)
    assert done.exit_code == 1
    assert "erased: " in done.output
    assert "Run the same command again" in done.output
    assert "Traceback" not in done.output

    monkeypatch.setattr(sqlite_module, "_rewrite", rewrite)
    assert erase(agreed).exit_code == 0
    assert agreed.state.installation.erasures.residue() is None


@pytest.mark.requirement("R92")
def test_what_is_held_is_listed_with_its_reason_and_its_end(agreed: Host) -> None:
    handle = told(erase(agreed, "--hold-until", TOMORROW))["erased"]

    (line,) = run(agreed, "holds").output.splitlines()

    assert line.startswith(f"{handle} request since ")
    assert line.endswith(f" until {TOMORROW}T00:00:00.000Z")
    for name in ("hold-open", "hold-release"):
        claim = run(agreed, name, handle, *BY, "--reason", "case 7")
        assert claim.exit_code == 0
        if name == "hold-open":
            (opened,) = map(json.loads, claim.output.splitlines())
            assert opened["facts"]["locale"] == "en"
    assert run(agreed, "holds").output == ""
    assert run(agreed, "rebuild", "--check").exit_code == 0


def test_a_hold_until_yesterday_erases_nothing(agreed: Host) -> None:
    done = erase(agreed, "--hold-until", "2020-01-01")
    assert done.exit_code == 1
    assert "end after it begins" in done.output
    assert len(agreed.grants()) == 1


@pytest.mark.requirement("R103")
def test_a_purge_says_what_went(agreed: Host) -> None:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    done = run(agreed, "purge", *BY, "--reason", "monthly")
    assert told(done)["evidence"] == "0"
    assert "nothing was old enough: nothing was written" in done.output

    erase(agreed)
    done = run(agreed, "purge", *BY, "--reason", "monthly", "--before", today)
    assert told(done)["before"] == f"{today}T00:00:00.000Z"
    assert told(done)["persons"] == "0"


@pytest.mark.requirement("R78")
def test_a_purge_before_the_minimum_names_the_rule(tmp_path: Path) -> None:
    shop = host(tmp_path, CONSENTKIT_PROFILE="CN", CONSENTKIT_RETENTION="P4Y")
    last_year = f"{datetime.now(UTC) - timedelta(days=365):%Y-%m-%d}"
    done = run(shop, "purge", *BY, "--reason", "tidy", "--before", last_year)
    assert done.exit_code == 1
    assert "sharing_record_retention_min of CN: P3Y" in done.output
    assert "Network Data Security Management Regulations art 12" in done.output


@pytest.mark.requirement("R78")
def test_a_period_below_the_minimum_of_the_profile_stops_the_app_from_starting(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match=r"CONSENTKIT_RETENTION is P6Y.*P7Y"):
        host(tmp_path, CONSENTKIT_PROFILE="IN (consent manager)")


def test_what_is_left_to_the_owner_of_the_tables_is_said_in_one_sentence(
    agreed: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the web role on PostgreSQL, which cannot do better."""
    monkeypatch.setattr(Erasures, "left_to", lambda _: "consent_owner")
    done = erase(agreed)
    assert done.exit_code == 0
    assert "erased: " in done.stdout
    (said,) = done.stderr.splitlines()
    assert "'flask consent sweep', as the owner" in said
