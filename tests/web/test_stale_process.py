"""A process that goes on with what was ended says so, to programs and to operators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit.testing import answer
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

WHO = ("--by", "security@wallet.example", "--reason", "yearly change")
CLOSE = ("log", "close", "--successor", "wallet.example/consent/2026b", *WHO[:3])
TYPE = "https://consentkit.dev/problems/restart-needed"
API = "/consent/api/v1/revocations"


def run(shop: Host, *arguments: str) -> None:
    done = shop.app.test_cli_runner().invoke(args=["consent", *arguments])
    assert done.exit_code == 0, done.output


def retire_its_key(stale: Host, folder: Path) -> None:
    """The key is changed while ``stale`` runs, which nobody restarts."""
    run(stale, "keys", "rotate", "collector", *WHO)
    run(host(folder), "keys", "retire", "a1", *WHO)


def close_its_log(stale: Host, _folder: Path) -> None:
    run(stale, *CLOSE, "key-compromise")


ENDED = {"a retired key": retire_its_key, "a closed log": close_its_log}
TOLD = {
    "a retired key": "this process holds a retired key",
    "a closed log": "restart with CONSENTKIT_LOG_ORIGIN = ",
}


def stop(client: FlaskClient) -> TestResponse:
    return client.post(API, json={})


def share(client: FlaskClient) -> TestResponse:
    return client.post("/score")


@pytest.mark.requirement("R62", "R73", "R97")
@pytest.mark.parametrize("ended", ENDED)
@pytest.mark.parametrize("ask", [stop, share])
def test_a_program_is_told_that_the_process_has_to_be_restarted(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    ended: str,
    ask: Callable[[FlaskClient], TestResponse],
) -> None:
    shop = host(tmp_path)
    client = shop.client(MAYA)
    answer(client, "credit-score", {"acme-credit": "given"})
    ENDED[ended](shop, tmp_path)
    acts = shop.acts()

    sent = ask(client)

    assert sent.status_code == 503
    told = body_of(sent)
    assert told["type"] == TYPE
    assert told["title"] == (
        "The signing key of this process is retired, or its log closed: it has to be "
        "restarted"
    )
    assert "collector" not in sent.text
    assert sent.headers["Retry-After"] == "1"
    assert TOLD[ended] in caplog.text
    assert MAYA not in caplog.text
    assert "Traceback" not in caplog.text
    assert shop.acts() == acts


@pytest.mark.requirement("R62")
def test_a_person_is_told_to_come_back_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop = host(tmp_path)
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    tom = shop.client(TOM)
    retire_its_key(shop, tmp_path)

    sent = answer(tom, "credit-score", {"acme-credit": "given"})

    assert sent.status_code == 503
    assert (
        "Nothing was saved and nothing is shared. Please try again later." in sent.text
    )
    assert "retired" not in sent.text
    (line,) = [each for each in caplog.messages if "retired key" in each]
    assert line.startswith("consentkit: StaleProcessError: the signing key ")
    assert "Restart" in line
    assert TOM not in caplog.text


@pytest.mark.requirement("R97")
def test_a_process_that_was_restarted_goes_on(tmp_path: Path) -> None:
    shop = host(tmp_path)
    retire_its_key(shop, tmp_path)

    again = host(tmp_path).client(MAYA)

    assert answer(again, "credit-score", {"acme-credit": "given"}).status_code < 400
    assert share(again).status_code == 200
    assert share(shop.client(MAYA)).status_code == 503
    assert (
        shop.client(MAYA).post("/score", headers={"Accept": CHROME}).status_code == 503
    )
