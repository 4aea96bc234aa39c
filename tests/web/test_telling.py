"""Who was told that a consent has ended: in the centre, and in an operator's shell."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from flask import current_app

from consentkit.testing import answer
from tests.recipient_server import RecipientServer
from tests.recipient_server import serve_recipient
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit import ErasureTask


@pytest.fixture
def acme() -> Iterator[RecipientServer]:
    with serve_recipient() as served:
        yield served


def told(shop: Host, *arguments: str) -> list[str]:
    arguments = ("consent", "deliver", *arguments)
    done = shop.app.test_cli_runner().invoke(args=arguments)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def with_notify(folder: Path, acme: RecipientServer, **config: object) -> Host:
    return host(
        folder,
        CONSENTKIT_NOTIFY={"acme-credit": acme.url},
        CONSENTKIT_NOTIFY_INTERNAL=True,
        **config,
    )


def share_and_stop(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.test_request_context():
        with shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ):
            pass
        shop.consent.revoke(MAYA)


@pytest.mark.requirement("R57")
def test_the_person_sees_whether_the_recipient_knows(
    tmp_path: Path, acme: RecipientServer
) -> None:
    shop = with_notify(tmp_path, acme)
    share_and_stop(shop)
    client = shop.client(MAYA)
    name = "<bdi>Acme Credit Scoring Ltd</bdi>"

    assert f"We are telling {name}." in client.get("/consent/").text
    told(shop)
    assert f"{name} confirmed on " in client.get("/consent/").text
    assert "We are telling" not in client.get("/consent/").text


@pytest.mark.requirement("R57")
def test_an_operator_sees_who_is_not_told_yet_and_why(
    tmp_path: Path, acme: RecipientServer
) -> None:
    acme.statuses = [503]
    shop = with_notify(tmp_path, acme)
    share_and_stop(shop)

    (count, *lines) = told(shop)

    assert count == "acknowledged: 0"
    by_recipient = {line.split()[1]: line for line in lines}
    assert by_recipient["acme-credit"].endswith("1 attempts; answered with status 503")
    assert by_recipient["controller"].endswith("0 attempts; no erasure handler")
    assert told(shop, "--list") == lines
    message = by_recipient["acme-credit"].split()[0]
    assert told(shop, "--done", message) == [f"{message}: acme-credit is noted as told"]
    assert [line.split()[1] for line in told(shop, "--list")] == ["controller"]
    again = shop.app.test_cli_runner().invoke(
        args=["consent", "deliver", "--done", message]
    )
    assert again.exit_code == 1
    assert "nobody has acknowledged yet" in again.output


@pytest.mark.requirement("R59")
def test_the_apps_own_handler_is_called_within_its_app_context(tmp_path: Path) -> None:
    asked: list[ErasureTask] = []
    contexts: list[str] = []
    shop = host(tmp_path)

    @shop.consent.erasure_handler
    def erase(task: ErasureTask) -> None:
        contexts.append(current_app.name)
        asked.append(task)

    share_and_stop(shop)

    assert told(shop)[0] == "acknowledged: 1"
    assert [(each.subject, each.data) for each in asked] == [(MAYA, ("spending",))]
    assert contexts == ["shop"]


@pytest.mark.requirement("R57", "R61")
def test_a_web_process_tells_recipients_from_a_thread_of_its_own(
    tmp_path: Path, acme: RecipientServer
) -> None:
    shop = with_notify(tmp_path, acme, CONSENTKIT_PUBLISH="thread")
    shop.client(MAYA).get("/consent/")
    share_and_stop(shop)

    deadline = time.monotonic() + 15
    while not acme.got:
        assert time.monotonic() < deadline, "nobody told the recipient"
        time.sleep(0.05)
    assert any(
        thread.name == "consentkit-deliveries" for thread in threading.enumerate()
    )
