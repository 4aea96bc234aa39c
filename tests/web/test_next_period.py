"""docs/growth.md by hand on the example app: a period ends, and the next one begins.

The app as it stands: whoever never named the log finds the next one by starting again.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING

import pytest

from consentkit import cli
from example_app.instance import earlier_logs
from example_app.wallet import create_app
from example_app.wallet.book import EXTENSION
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.consent import consent
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import seed
from tests.web.asking import Phone
from tests.web.asking import said

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

MAYA = PEOPLE[0]
NEXT = "wallet.example/consent/next"
WHO = ("--by", "Ada King, operations")
OFFERS = ("shop-offers", "corner-shops")


@pytest.mark.requirement("R119")
def test_the_example_app_goes_on_in_the_next_log_once_it_is_started_anew(
    tmp_path: Path,
) -> None:
    app = wallet(tmp_path)
    seed(app.extensions[EXTENSION], until=date(YEAR, 12, 31))
    maya(app).answer(said("given"))
    old = flask(app, "keys", "list").split()[0]
    form = maya(app).token(OFFERS[0])
    assert f"begun: {NEXT}\n" in (told := flask(app, "log", "open", NEXT, *WHO))
    assert "now start every process of the app anew" in told
    assert "CONSENTKIT_LOG_ORIGIN" not in told
    assert maya(app).send(form, said("given", OFFERS)).status_code == 503

    app = wallet(tmp_path)
    assert maya(app).send(form, said("given", OFFERS)).status_code == 200
    with app.app_context():
        score = "credit-score", "acme-credit"
        assert consent.check(MAYA.id, score[0], recipient=score[1], data=["spending"])
    flask(app, "publish")
    flask(app, "log", "archive", "--to", str(tmp_path / "archive"), *WHO)
    flask(app, "publish")
    new = flask(app, "keys", "list").split()[0]
    listed = [line.split(": ", 1) for line in flask(app, "log", "list").splitlines()]
    assert [name for name, _ in listed] == [old.partition("+")[0], NEXT]
    assert "archived -" not in listed[0][1]
    logs = tmp_path / "consentkit" / "logs"
    following = logs / "wallet.example_consent_next"
    assert earlier_logs(following) == [logs / old.partition("+")[0].replace("/", "_")]
    (archived,) = (tmp_path / "archive").iterdir()
    assert cli.main(["verify", str(archived), "--key", old]) == 0
    for before in (archived, *earlier_logs(following)):
        verify = ["verify", str(following), "--key", new, "--previous", str(before)]
        assert cli.main(verify) == 0


def wallet(folder: Path) -> Flask:
    """The example app, started anew on the files that are there."""
    return create_app(
        {
            "CONSENTKIT_PUBLISH": "command",
            "SECRET_KEY": secrets.token_hex(),
            "WALLET_AUDITOR_DIGEST": "of nobody",
            "WALLET_INSTANCE": folder,
            "WALLET_OFFERS_TOKEN": "unused",
            "WALLET_OFFERS_URL": "http://127.0.0.1:9/offers/audience",
            "WALLET_REFERENCE_KEY": secrets.token_hex(),
            "WALLET_SCORES_TOKEN": "unused",
            "WALLET_SCORES_URL": "http://127.0.0.1:9/scores",
        }
    )


def maya(app: Flask) -> Phone:
    """Somebody who is signed in."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["person_id"] = MAYA.id
    return Phone(client)


def flask(app: Flask, *arguments: str) -> str:
    """What ``flask consent …`` prints; it has to succeed."""
    done = app.test_cli_runner().invoke(args=["consent", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout
