"""``flask consent init``, as an operator runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit import ConsentKit
from consentkit.store.roles import Role
from consentkit.testing import answer
from consentkit.web.state import current_state
from tests.declared import registry
from tests.service.roles import as_account
from tests.service.roles import make_roled
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet
from tests.web.hosts import bare_app
from tests.web.hosts import host

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.postgres_server import PostgresServer

ROLES = ("--web-role", "init-web", "--publisher-role", "init_publisher")


def app_of(folder: Path, uri: str) -> Flask:
    app = bare_app(
        folder,
        CONSENTKIT_DATABASE_URI=uri,
        CONSENTKIT_LOG_ORIGIN=ORIGIN,
        CONSENTKIT_KEY_FOLDER=str(folder / "keys"),
        CONSENTKIT_LOG_FOLDER=str(folder / "logs"),
    )
    consent = ConsentKit(registry())
    consent.init_app(app)
    consent.subject_loader(lambda: "maya")
    return app


def run(app: Flask, *options: str) -> tuple[int, list[str]]:
    done = app.test_cli_runner().invoke(args=["consent", "init", *options])
    with app.app_context():
        current_state().installation.close()
    return done.exit_code, done.output.splitlines()


def test_what_was_done_is_told_role_by_role_and_then_that_nothing_was(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    uri = make_roled(postgres, tmp_path).uri
    Wallet.close_all()

    code, told = run(app_of(tmp_path, uri), *ROLES)

    assert code == 0
    assert told[0] == f"log: {ORIGIN}"
    web, hint, publisher, _ = told[-4:]
    assert web.startswith("role init-web (web): made, ")
    assert web.endswith(" rights granted")
    assert 'GRANT "init-web" TO the account that is to use it' in hint
    assert publisher.startswith("role init_publisher (publisher): made, ")
    _, again = run(app_of(tmp_path, uri), *ROLES)
    assert again[-4] == "role init-web (web): nothing to change"

    refused_code, refused = run(
        app_of(tmp_path, as_account(uri, "web_process")), *ROLES
    )
    assert "roles are granted by the owner of the tables" in refused[-1]
    assert refused_code == 1


def test_an_app_is_used_as_the_web_role_and_published_as_the_publishers(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    roled = make_roled(postgres, tmp_path)
    Wallet.close_all()
    web = app_of(tmp_path, roled.uri_of(Role.WEB))
    browser = web.test_client()
    assert answer(browser, "credit-score", {"acme-credit": "given"}).status_code == 200
    for page in ("/", "/disclosures", "/export", "/erasure"):
        assert browser.get(f"/consent{page}").status_code == 200
    said = browser.get("/consent/health/ready").get_json()
    assert said["checks"]["store"] == [{"status": "pass"}]

    publisher = app_of(tmp_path, roled.uri_of(Role.PUBLISHER))
    done = publisher.test_cli_runner().invoke(args=["consent", "publish"])
    assert done.output.startswith("published: ")
    commands = web.test_cli_runner()
    for command in (
        ("suspend", "--all", "--by", "dpo", "--reason", "a test"),
        ("resume", "--all", "--by", "dpo", "--reason", "a test"),
        *(("acts",), ("witnesses",), ("handle", "maya"), ("rebuild", "--check")),
        ("export", str(tmp_path / "auditor")),
        ("erase", "nobody", "--reason", "request", "--by", "dpo"),
    ):
        told = commands.invoke(args=["consent", *command])
        assert told.exit_code == 0, told.output
    for app in (web, publisher):
        with app.app_context():
            current_state().installation.close()


def test_what_is_left_of_somebody_erased_is_swept(tmp_path: Path) -> None:
    found = host(tmp_path)
    runner = found.app.test_cli_runner()
    assert runner.invoke(args=["consent", "sweep"]).output == "nothing is left over\n"
    found.sql("UPDATE consent_log SET residue = 'an erasure'")

    done = runner.invoke(args=["consent", "sweep"])

    assert (done.exit_code, done.output) == (0, "swept\n")
    assert found.sql("SELECT residue FROM consent_log") == [(None,)]


def test_on_sqlite_there_is_nothing_to_grant(tmp_path: Path) -> None:
    code, told = run(host(tmp_path).app, *ROLES)

    assert code == 1
    assert "roles are for PostgreSQL" in told[-1]
    assert run(host(tmp_path / "other").app)[0] == 0
