"""Who was told that a consent has ended: in the centre, and in an operator's shell."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from flask import current_app

from consentkit.testing import answer
from consentkit.web.delivery_commands import TaskReminder
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
    line, tasks = lines
    assert line.endswith("1 attempts; answered with status 503")
    assert tasks.startswith("1 erasure task is open, the oldest since ")
    assert told(shop, "--list") == lines
    message = line.split()[0]
    assert told(shop, "--done", message) == [f"{message}: acme-credit is noted as told"]
    assert told(shop, "--list") == [tasks]
    again = shop.app.test_cli_runner().invoke(
        args=["consent", "deliver", "--done", message]
    )
    assert again.exit_code == 1
    assert "nobody has acknowledged yet" in again.output


def test_several_are_noted_as_told_in_one_go(
    tmp_path: Path, acme: RecipientServer
) -> None:
    acme.statuses = [503]
    shop = with_notify(tmp_path, acme)
    share_and_stop(shop)
    told(shop)
    messages = [line.split()[0] for line in told(shop, "--list", "--all")]
    messages = [each for each in messages if len(each) > 9]
    assert len(messages) == 2
    done = [part for each in messages for part in ("--done", each)]
    assert [line.partition(":")[0] for line in told(shop, *done)] == messages
    assert told(shop, "--list", "--all") == []


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


@pytest.mark.requirement("R59")
def test_tasks_for_a_handler_that_is_not_there_stay_open_and_are_counted(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    for _ in range(3):
        share_and_stop(shop)

    *others, line = told(shop, "--list")

    assert line.startswith("3 erasure tasks are open, the oldest since 20")
    assert (
        "no handler is registered: decorate a function with @consent.erasure_" in line
    )
    assert line.endswith("; 'flask consent deliver --list --all' shows them")
    assert [each.split()[1] for each in others] == ["acme-credit"] * 3
    assert told(shop) == ["acknowledged: 0", *others, line]
    in_full = told(shop, "--list", "--all")
    assert {*in_full}.issuperset(others)
    each = [task for task in in_full if task not in others]
    assert len(each) == 3
    assert all("controller consent.erasure-task since 20" in task for task in each)
    assert all(task.endswith("0 attempts; no erasure handler") for task in each)


@pytest.mark.requirement("R59")
def test_a_task_that_a_handler_did_not_take_is_listed_by_itself(tmp_path: Path) -> None:
    shop = host(tmp_path)

    @shop.consent.erasure_handler
    def erase(task: ErasureTask) -> None:
        raise LookupError(task.purpose)

    share_and_stop(shop)
    told(shop)

    lines = told(shop, "--list")

    (line,) = [each for each in lines if "controller" in each]
    assert line.endswith("1 attempts; LookupError")


@pytest.mark.requirement("R59")
@pytest.mark.parametrize("handled", ["with a handler", "without"])
def test_a_web_process_says_once_that_nobody_takes_erasure_tasks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, handled: str
) -> None:
    shop = host(tmp_path)
    if handled == "with a handler":
        shop.consent.erasure_handler(lambda _task: None)
    remind = TaskReminder()

    with shop.app.app_context():
        remind()
        assert caplog.messages == []
    share_and_stop(shop)
    with shop.app.app_context():
        remind()
        remind()

    expected = [] if handled == "with a handler" else ["1 erasure task is open"]
    assert [each[len("consentkit: ") :][:22] for each in caplog.messages] == expected
    assert MAYA not in caplog.text


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
