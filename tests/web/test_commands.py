"""``flask consent …`` as an operator runs it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


def test_init_tells_the_log_its_folder_and_its_keys(shop: Host, tmp_path: Path) -> None:
    done = run(shop, "init")

    assert done.exit_code == 0
    told = dict(line.split(": ", 1) for line in done.output.splitlines())
    assert told["log"] == shop.state.installation.origin
    assert told["log files"].startswith(str(tmp_path))
    assert done.output.count("key: ") == 2
    assert run(shop, "init").output == done.output


def test_no_command_shows_a_private_key(shop: Host, tmp_path: Path) -> None:
    output = run(shop, "init").output + run(shop, "keys", "list").output

    for path in (tmp_path / "consentkit" / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0
        for line in path.read_text().splitlines():
            assert line not in output


def test_publish_tells_how_far_the_log_has_come(shop: Host) -> None:
    assert run(shop, "publish").output == "published: 3 entries\n"

    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    assert run(shop, "publish").output == "published: 5 entries\n"
    assert run(shop, "publish").output == "published: 5 entries\n"


def test_a_log_that_was_changed_is_not_published_and_no_traceback_is_shown(
    shop: Host,
) -> None:
    run(shop, "publish")
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    folder = shop.state.installation.log_folder
    (folder / "tile" / "0" / "000.p" / "5").write_bytes(b"something else")

    done = run(shop, "publish")

    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "not what the database says" in done.output
    assert "Traceback" not in done.output


def test_a_lost_high_water_file_is_begun_anew_only_when_somebody_says_so(
    shop: Host,
) -> None:
    run(shop, "publish")
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.state.installation.high_water.path.unlink()

    done = run(shop, "publish")

    assert done.exit_code == 1
    assert "--accept-high-water" in done.output
    assert "docs/recovery.md" in done.output
    assert "Traceback" not in done.output

    assert run(shop, "publish", "--accept-high-water").output == (
        "high-water mark: 3 entries\npublished: 5 entries\n"
    )
    assert "nothing to accept" in run(shop, "publish", "--accept-high-water").output


def test_a_restored_backup_is_told_and_people_are_still_answered(
    shop: Host, tmp_path: Path
) -> None:
    run(shop, "publish")
    file, backup = tmp_path / "consentkit/consent.sqlite3", tmp_path / "backup"
    with closing(sqlite3.connect(file)) as source:
        source.execute("VACUUM INTO ?", [str(backup)])
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    run(shop, "publish")
    published = (shop.state.installation.log_folder / "checkpoint").read_bytes()
    backup.replace(file)
    again = host(tmp_path)

    assert (
        answer(
            again.client(MAYA), "credit-score", {"acme-credit": "refused"}
        ).status_code
        == 200
    )
    with again.app.app_context():
        decision = again.consent.check(MAYA, "credit-score", recipient="acme-credit")
    done = run(again, "publish")

    assert decision.reason == "suspended"  # until the newest copy is back
    assert done.exit_code == 1
    assert "an older copy of the database may have been put back" in done.output
    assert "docs/recovery.md" in done.output
    assert "Traceback" not in done.output
    folder = again.state.installation.log_folder
    assert (folder / "checkpoint").read_bytes() == published


def test_a_key_that_others_can_read_is_refused_in_one_line(
    shop: Host, tmp_path: Path
) -> None:
    run(shop, "init")
    (tmp_path / "consentkit" / "keys" / "log.pem").chmod(0o644)
    again = host(tmp_path)

    for command in (("init",), ("keys", "list")):
        done = run(again, *command)
        assert done.exit_code == 1
        assert "chmod 600" in done.output
        assert "Traceback" not in done.output


@pytest.mark.requirement("R46")
def test_rebuild_checks_that_the_state_is_what_the_leaves_say(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "refused"})
    done = run(shop, "rebuild", "--check")
    assert (done.exit_code, done.output) == (0, "the state is what the leaves say\n")

    path = shop.state.config.places.database_uri.removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE consent_state SET state = 'given'")
    connection.close()

    done = run(shop, "rebuild", "--check")
    assert done.exit_code == 1
    assert "the leaves say refused, the state table says given" in done.output
    assert "1 differences" in done.output
    assert MAYA not in done.output


def test_rebuild_without_check_is_told_to_be_nothing_yet(shop: Host) -> None:
    done = run(shop, "rebuild")

    assert done.exit_code == 2
    assert "--check" in done.output


@pytest.mark.parametrize(
    "arguments", [(), ("keys",), ("--help",), ("publish", "--help")]
)
def test_each_command_says_what_it_does(shop: Host, arguments: tuple[str, ...]) -> None:
    assert "Usage: " in run(shop, *arguments).output


def test_an_unknown_command_is_refused(shop: Host) -> None:
    assert run(shop, "forget-everything").exit_code == 2
