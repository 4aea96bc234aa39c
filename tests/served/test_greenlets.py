"""Greenlets instead of threads: nothing works half, it is refused in words."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from consentkit import ConfigurationError
from consentkit import ConsentKit
from tests.declared import registry
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Sequence

REFUSAL = (
    r"cannot run where {} has patched threads, sockets.*gunicorn -k gthread.*granian"
)
GEVENT = [
    *(sys.executable, "-m", "gunicorn", "tests.served.wallet_app:create_app()"),
    *("-k", "gevent", "--bind", "127.0.0.1:{port}", "--no-control-socket"),
]


def patch(
    name: str,
    question: str,
    monkeypatch: pytest.MonkeyPatch,
    parts: Sequence[str] = ("thread", "threading"),
) -> None:
    """Let it seem as if that library had patched threads, or something else."""
    module = ModuleType(name)
    setattr(module, question, lambda what: what in parts)
    monkeypatch.setitem(sys.modules, name, module)


PATCHERS = {
    "gevent": ("gevent.monkey", "is_module_patched"),
    "eventlet": ("eventlet.patcher", "is_monkey_patched"),
}


@pytest.mark.parametrize("name", PATCHERS)
def test_an_app_is_not_set_up_where_threads_are_greenlets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Flask("shop", instance_path=str(tmp_path))
    patch(*PATCHERS[name], monkeypatch)

    with pytest.raises(ConfigurationError, match=REFUSAL.format(name)):
        ConsentKit(registry(), app)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", ["socket", "select"])
@pytest.mark.parametrize("name", PATCHERS)
def test_an_app_is_not_set_up_where_all_but_threads_was_patched(
    name: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Flask("shop", instance_path=str(tmp_path))
    patch(*PATCHERS[name], monkeypatch, [part])

    with pytest.raises(ConfigurationError, match=REFUSAL.format(name)):
        ConsentKit(registry(), app)


@pytest.mark.parametrize("name", PATCHERS)
def test_no_request_is_answered_once_threads_have_become_greenlets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = host(tmp_path)
    assert shop.client().get("/").status_code == 200
    patch(*PATCHERS[name], monkeypatch)

    for path in ("/", "/consent/", "/consent/health/ready", "/feature"):
        with pytest.raises(ConfigurationError, match=REFUSAL.format(name)):
            shop.client().get(path)


def test_a_library_that_is_there_and_patched_nothing_is_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    __import__("gevent.monkey")
    assert host(tmp_path).client().get("/").status_code == 200


def test_a_worker_of_gevent_does_not_boot_and_says_why(tmp_path: Path) -> None:
    with serve(GEVENT, tmp_path) as served:
        assert served.process.wait(60) != 0

    assert "ConfigurationError: consentkit cannot run where gevent" in served.output
    assert "Worker failed to boot" in served.output
    assert not (tmp_path / "consent.sqlite3").exists()


def test_a_worker_of_gevent_that_got_the_app_whole_answers_nothing(
    tmp_path: Path,
) -> None:
    """The app is set up before gunicorn patches threads: each request is refused."""
    with serve([*GEVENT, "--preload"], tmp_path) as served:
        assert becomes(lambda: "Booting worker" in served.output)
        statuses = {served.get(path)[0] for path in ("/inside", "/consent/")}

    assert statuses == {500}
    assert "ConfigurationError: consentkit cannot run where gevent" in served.output
