"""``flask consent keys …`` as an operator runs it, and a production that is careful."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

WHO = ("--by", "security@wallet.example", "--reason", "yearly change")
FILES = ["collector-a1.pem", "log.pem", "secret.key"]


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", "keys", *arguments])


def keys_of(tmp_path: Path) -> Path:
    return tmp_path / "consentkit" / "keys"


def make_keys(shop: Host, folder: Path) -> Result:
    return run(shop, "new", "--folder", str(folder))


def test_the_list_has_one_key_a_line_the_logs_own_first(shop: Host) -> None:
    done = run(shop, "list")

    log, collector = map(Verifier.parse, done.stdout.splitlines())
    assert done.exit_code == 0
    assert log.name == shop.state.installation.origin
    assert collector.name.startswith(f"{log.name}/collector/")
    assert done.stderr.splitlines() == [
        "  log key, entries from 0 on; in use; its private half is here",
        "  collector key, entries from 0 on; in use; its private half is here",
    ]


@pytest.mark.requirement("R97")
def test_a_host_that_only_serves_lists_the_logs_key_without_holding_it(
    shop: Host, tmp_path: Path
) -> None:
    before = run(shop, "list").stdout
    (keys_of(tmp_path) / "log.pem").unlink()
    again = host(tmp_path)

    done = run(again, "list")

    assert done.exit_code == 0
    assert done.stdout == before
    assert "log key, entries from 0 on; in use; not held here" in done.stderr
    init = again.app.test_cli_runner().invoke(args=["consent", "init"])
    assert init.exit_code == 0
    assert before.splitlines()[0] in init.output


@pytest.mark.requirement("R97")
def test_the_whole_change_of_both_keys_by_commands(shop: Host, tmp_path: Path) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    rotated = [run(shop, "rotate", role, *WHO) for role in ("collector", "log")]
    assert [done.exit_code for done in rotated] == [0, 0]
    collector, log = (Verifier.parse(done.stdout.strip()) for done in rotated)
    assert collector.name.endswith("/collector/a2")

    later = host(tmp_path)
    old = Verifier.parse(run(later, "list").stdout.splitlines()[0])
    retired = [run(later, "retire", name, *WHO) for name in ("a1", old.key_id.hex())]
    assert [done.exit_code for done in retired] == [0, 0]
    listed = run(later, "list")
    assert listed.stdout.splitlines()[1] == log.vkey
    assert listed.stderr.count("retired") == 2

    last = host(tmp_path)
    answer(last.client(MAYA), "credit-score", {"acme-credit": "refused"})
    last.publish()
    note = (last.state.installation.log_folder / "checkpoint").read_text("utf-8")
    assert note.count("\n— ") == 1


@pytest.mark.requirement("R97")
def test_a_server_with_a_retired_key_answers_that_it_stored_nothing(
    shop: Host, tmp_path: Path
) -> None:
    run(shop, "rotate", "collector", *WHO)
    run(host(tmp_path), "retire", "a1", *WHO)
    before = shop.acts()

    with pytest.raises(ValueError, match="no form"):
        answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    assert shop.client(MAYA).get("/consent/ask/credit-score").status_code == 503
    assert shop.acts() == before
    assert not shop.allows(MAYA)


REFUSED = {
    "nobody answers for it": ("rotate", "log", "--by", " ", "--reason", "x"),
    "no reason": ("rotate", "log", "--by", "x"),
    "no such role": ("rotate", "witness", *WHO),
    "the only key": ("retire", "a1", *WHO),
    "no such key": ("retire", "a7", *WHO),
    "an address that is none": ("rotate", "log", "--uri", "hunter2://x", *WHO),
    "a key that is not there": ("rotate", "log", "--uri", "/hunter2.pem", *WHO),
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_told_in_one_line_and_nothing_is_written(
    shop: Host, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    before = shop.sql("SELECT count(*) FROM consent_leaf")
    files = sorted(path.name for path in keys_of(tmp_path).iterdir())

    done = run(shop, *arguments)

    assert done.exit_code in (1, 2)
    assert "Error: " in done.output
    assert "Traceback" not in done.output
    assert "hunter2" not in done.output
    assert shop.sql("SELECT count(*) FROM consent_leaf") == before
    assert sorted(path.name for path in keys_of(tmp_path).iterdir()) == files


@pytest.mark.requirement("R118")
def test_new_makes_keys_that_only_their_owner_can_read(
    shop: Host, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere" / "keys"

    done = make_keys(shop, folder)

    assert done.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == FILES
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"made: {path}" in done.output
        for line in path.read_text().splitlines():
            assert line not in done.output
    made = {path: path.read_bytes() for path in folder.iterdir()}
    assert "nothing made" in make_keys(shop, folder).output
    assert {path: path.read_bytes() for path in folder.iterdir()} == made


@pytest.mark.requirement("R118")
def test_production_makes_no_keys_by_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="flask consent keys new"):
        host(tmp_path, CONSENTKIT_PRODUCTION=True)

    assert not keys_of(tmp_path).exists()


@pytest.mark.requirement("R118")
@pytest.mark.parametrize("file", FILES)
def test_production_refuses_each_key_that_was_made_by_itself(
    tmp_path: Path, file: str
) -> None:
    """The others are fit, as if somebody had replaced but two of the three."""
    host(tmp_path)
    for other in set(FILES) - {file}:
        path = keys_of(tmp_path) / other
        lines = path.read_text().splitlines(keepends=True)
        assert "development key" in lines[0]
        path.write_text("".join(lines[1:]))

    with pytest.raises(ConfigurationError, match=f"{file} holds a development key"):
        host(tmp_path, CONSENTKIT_PRODUCTION=True, CONSENTKIT_PUBLISH="thread")


@pytest.mark.requirement("R118")
def test_production_starts_with_keys_that_were_made_for_it(
    shop: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "production"
    make_keys(shop, home / "consentkit" / "keys")

    real = host(
        home,
        CONSENTKIT_PRODUCTION=True,
        CONSENTKIT_PUBLISH="thread",
        TESTING=False,
    )

    answer(real.client(MAYA), "credit-score", {"acme-credit": "given"})
    assert real.allows(MAYA)
    assert real.state.config.production
    assert "development" not in caplog.text


@pytest.mark.requirement("R118")
@pytest.mark.parametrize(
    ("spelt", "refused"), [("1", True), ("True", True), ("0", False)]
)
def test_production_may_be_said_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelt: str, *, refused: bool
) -> None:
    monkeypatch.setenv("CONSENTKIT_PRODUCTION", spelt)
    if refused:
        with pytest.raises(ConfigurationError, match="in production no key"):
            host(tmp_path)
    else:
        host(tmp_path)
    # What the app says itself counts more.
    assert not host(tmp_path, CONSENTKIT_PRODUCTION=False).state.config.production


@pytest.mark.parametrize(
    ("spelt", "production"),
    [("1", True), ("true", True), (1, True), ("0", False), ("", False), (0, False)],
)
def test_production_may_be_said_by_the_app_as_the_environment_says_it(
    tmp_path: Path, spelt: str | int, *, production: bool
) -> None:
    host(tmp_path)  # makes its keys
    if production:
        with pytest.raises(ConfigurationError, match="development key"):
            host(tmp_path, CONSENTKIT_PRODUCTION=spelt)
    else:
        assert not host(tmp_path, CONSENTKIT_PRODUCTION=spelt).state.config.production


def test_another_word_in_the_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSENTKIT_PRODUCTION", "maybe")
    with pytest.raises(ConfigurationError, match="CONSENTKIT_PRODUCTION"):
        host(tmp_path)


@pytest.mark.requirement("R118")
@pytest.mark.parametrize("quiet", ["DEBUG", "TESTING", ""])
def test_development_keys_are_mentioned_once_where_nobody_develops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, quiet: str
) -> None:
    with caplog.at_level(logging.WARNING, logger="consentkit"):
        host(tmp_path, **{"TESTING": False, **({quiet: True} if quiet else {})})

    warnings = [each for each in caplog.messages if "development keys" in each]
    assert len(warnings) == (0 if quiet else 1)


@pytest.mark.requirement("R118")
def test_keys_and_secret_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLLECTOR", Ed25519Signer.generate("a").to_pem().decode())
    monkeypatch.setenv("LOG", Ed25519Signer.generate("a").to_pem().decode())
    monkeypatch.setenv("SECRET", "5e" * 32)
    named = {
        "CONSENTKIT_COLLECTOR_KEY": "env:COLLECTOR",
        "CONSENTKIT_LOG_KEY": "env:LOG",
        "CONSENTKIT_SECRET": "env:SECRET",
        "CONSENTKIT_PRODUCTION": True,
        "CONSENTKIT_PUBLISH": "thread",
    }

    shop = host(tmp_path, **named)

    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    assert host(tmp_path, **named).allows(MAYA)
    assert not list(tmp_path.rglob("*.pem"))
    monkeypatch.setenv("SECRET", "5f" * 32)
    with pytest.raises(ConfigurationError, match="CONSENTKIT_SECRET") as caught:
        host(tmp_path, **named)
    assert "5f" * 32 not in str(caught.value)


APP = """
from tests.web.hosts import host
from pathlib import Path
app = host(
    Path({home!r}), CONSENTKIT_PRODUCTION=True, CONSENTKIT_KEY_FOLDER={keys!r}
).app
"""


@pytest.mark.requirement("R118")
def test_new_works_for_an_app_that_does_not_start_without_keys(tmp_path: Path) -> None:
    """As an operator begins: the app in production, and no key anywhere."""
    folder = tmp_path / "keys"
    (tmp_path / "shop.py").write_text(APP.format(home=str(tmp_path), keys=str(folder)))

    refused = flask(tmp_path, "init")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert "flask consent keys new" in refused.stderr
    assert refused.stderr.count("\n") == 1
    made = flask(tmp_path, "keys", "new", "--folder", str(folder))
    assert made.returncode == 0, made.stderr
    begun = flask(tmp_path, "init")
    assert begun.returncode == 0, begun.stderr
    assert begun.stdout.count("key: ") == 2


SETTINGS = {
    "a value that is none": "CONSENTKIT_RETENTION='soon'",
    "a folder that cannot be made": "CONSENTKIT_KEY_FOLDER='/dev/null/keys'",
    "a database that is none": "CONSENTKIT_DATABASE_URI='hunter2'",
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("command", [["init"], ["keys", "list"]], ids=" ".join)
def test_a_wrong_setting_is_told_in_one_line_by_every_command(
    tmp_path: Path, setting: str, command: list[str]
) -> None:
    (tmp_path / "shop.py").write_text(
        "from pathlib import Path\nfrom tests.web.hosts import host\n"
        f"app = host(Path({str(tmp_path)!r}), {setting}).app\n"
    )

    done = flask(tmp_path, *command)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.stderr


def test_a_mistake_of_the_apps_own_keeps_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("app = {}['no such thing']\n")

    done = flask(tmp_path, "init")

    assert done.returncode == 1
    assert "Traceback" in done.stderr


def flask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(  # noqa: S603  our own interpreter, our own arguments
        [sys.executable, "-m", "flask", "--app", "shop", "consent", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
