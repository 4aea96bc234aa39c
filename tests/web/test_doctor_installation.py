"""``flask consent doctor``: the installation, in lines that are read in ten seconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host


def run(found: Host, *options: str) -> tuple[int, str]:
    runner = found.app.test_cli_runner()
    args = ["consent", "doctor", "--only", "installation", *options]
    done = runner.invoke(args=args)
    return done.exit_code, done.output


def test_a_new_app_is_told_what_is_not_for_production_and_nothing_else(
    tmp_path: Path,
) -> None:
    found = host(tmp_path)
    found.publish()

    code, told = run(found)

    lines = told.splitlines()
    assert code == 0
    assert [each.split(":")[0] for each in lines] == [
        "warning  log, high-water",
        "warning  keys, origin",
        "warning  configuration, production",
        "installation",
    ]
    assert all("; expected: " in each and ". Do: " in each for each in lines[:-1])
    assert lines[-1].startswith("installation: 0 faults, 3 warnings, ")


def test_what_is_fine_is_shown_on_request_and_machines_get_all_of_it(
    tmp_path: Path,
) -> None:
    found = host(tmp_path)
    _, told = run(found, "--all")
    _, for_machines = run(found, "--json")

    said = json.loads(for_machines)
    assert len(told.splitlines()) == len(said["findings"]) + 1
    assert {each["area"] for each in said["findings"]} == {
        *("database", "log", "keys", "duties", "configuration")
    }
    assert {each["level"] for each in said["findings"]} == {"fine", "warning"}
    assert said["missing"] == []


def test_a_fault_is_on_top_and_is_the_exit_status(tmp_path: Path) -> None:
    found = host(tmp_path)
    found.sql("DROP TRIGGER consent_leaf_no_update")

    code, told = run(found)

    assert code == 1
    assert told.startswith(
        "fault    database, leaves: not there, or switched off: consent_leaf_no_update;"
    )


def test_a_database_that_does_not_answer_is_not_looked_at(tmp_path: Path) -> None:
    found = host(tmp_path)
    found.sql("DROP TABLE consent_alembic_version")

    code, told = run(found)

    assert code == 2
    assert told.startswith("cannot look: the consent database did not answer")


@pytest.mark.requirement("R66")
def test_no_person_is_told_of(tmp_path: Path) -> None:
    """Whatever waits, is suspended or was erased about them."""
    found = host(tmp_path)
    browser = found.client(MAYA)
    assert answer(browser, "credit-score", {"acme-credit": "given"}).status_code == 200
    with found.app.app_context():
        found.consent.suspend(recipient="acme-credit", by="dpo", reason="a test")
        found.consent.erase(MAYA, reason="request")

    _, told = run(found, "--all")

    assert "suspended: */acme-credit" in told
    assert MAYA not in told
    for (handle,) in found.sql("SELECT handle FROM consent_leaf WHERE handle != ''"):
        assert handle not in told


def test_the_configuration_is_looked_at(tmp_path: Path) -> None:
    found = host(tmp_path, CONSENTKIT_FORM_LIFETIME=200_000)
    _, told = run(found)
    assert "configuration, forms: CONSENTKIT_FORM_LIFETIME is 200000 s" in told
