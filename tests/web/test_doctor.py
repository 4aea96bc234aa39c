"""``flask consent doctor``: what is declared and not called, and the other way."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consentkit.web.gates import Gate
from consentkit.web.gates import examine
from consentkit.web.gates import find_gates
from tests import declared
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

VIEWS = """
from types import SimpleNamespace
from tests import declared
from tests.declared import OFFERS, SHOP

consent = SimpleNamespace(share=None, require=None, check=None)

def score(user):
    with consent.share(user, "credit-score", recipient="acme-credit", data={"city"}):
        pass

def offers(user):
    consent.share(user, OFFERS, recipient=SHOP)
    consent.check(user, "shop-offers", recipient="controller")
    consent.require(declared.NIGHT_HELP, recipient=declared.ABROAD)

def others(user, purpose):
    consent.share(user, purpose, recipient="acme-credit")
    consent.share("a", "file")
    consent.check(user, "credit-score", recipient="nobody")

for each in (SHOP, "controller"):
    consent.share and (lambda user: consent.share(user, OFFERS, recipient=each))

def hidden(user, declared):
    consent.require(declared.OFFERS, recipient="corner-shops")
"""


@pytest.fixture
def views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an app, one of whose modules is loaded."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "views_of_a_shop.py").write_text(VIEWS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    importlib.import_module("views_of_a_shop")
    (folder / "unloaded.py").write_text(VIEWS, encoding="utf-8")
    yield folder
    del sys.modules["views_of_a_shop"]


def test_calls_are_found_by_text_and_by_name(views: Path) -> None:
    gates = find_gates(views)

    assert [(each.purpose, each.recipient, each.shares) for each in gates] == [
        ("shop-offers", "corner-shops", True),
        ("shop-offers", "controller", False),
        ("night-help", "night-desk", True),
        ("", "acme-credit", True),
        ("credit-score", "nobody", False),
        ("", "corner-shops", True),  # "declared" is what the caller gives
        ("credit-score", "acme-credit", True),
        ("shop-offers", "", True),  # and "each" not the last of those two
    ]
    assert {each.place.partition(":")[0] for each in gates} == {"views_of_a_shop.py"}
    assert [each.is_clear for each in gates].count(False) == 3


def gate(purpose: str, recipient: str, *, shares: bool = True) -> Gate:
    return Gate(purpose, recipient, "views.py:1", shares)


def test_what_is_declared_and_called_lacks_nothing() -> None:
    gates = [
        gate("credit-score", "acme-credit"),
        gate("shop-offers", "corner-shops"),
        gate("shop-offers", "controller", shares=False),
        gate("night-help", "night-desk"),
    ]

    assert list(examine(declared.registry(), gates)) == []
    assert len(list(examine(declared.registry(), gates[1:]))) == 2


def test_what_is_missing_is_named() -> None:
    mute = replace(declared.SCORE, recipients=(replace(declared.CREDIT, hosts=()),))
    registry = declared.registry(purposes=[mute])
    asked = gate("credit-score", "acme-credit", shares=False)

    one, two, three, four = examine(registry, [asked, gate("credit-score", "nobody")])

    assert one == "purpose 'credit-score' has no gate for recipient 'acme-credit'"
    assert two == "recipient 'acme-credit' has no call"
    assert three.startswith("recipient 'acme-credit' has no hosts: what goes there")
    assert four.startswith("views.py:1 is a gate for 'credit-score' and 'nobody',")
    checked = gate("zzz", "acme-credit", shares=False)
    *_, last = examine(registry, [checked])
    assert last.startswith("views.py:1 asks about 'zzz' and 'acme-credit', which are")


SHOP_APP = """
from types import SimpleNamespace
from flask import Flask
from consentkit import ConsentKit, ShareRequest
from tests.declared import ABROAD, CREDIT, NIGHT_HELP, OFFERS, SHOP, registry

consent = ConsentKit(registry())

def create_app():
    app = Flask(__name__, instance_path=__file__.replace("shop_of_doctor.py", "kept"))
    app.config.update(SECRET_KEY="of a test", CONSENTKIT_PUBLISH="command")
    consent.init_app(app)

    @consent.subject_loader
    def subject():
        return "maya"

    return app

def offers(users):
    with consent.share_many(users, OFFERS, recipient=SHOP):
        pass

def listed(users, column):
    own = [ShareRequest(each, "shop-offers", "controller") for each in users]
    consent.check_many(own)
    return consent.allowed_clause(column, "credit-score", recipient=CREDIT)

def night(user):
    consent.check(user, NIGHT_HELP, recipient=ABROAD)
"""
SHOP_TESTS = """
from shop_of_doctor import create_app, consent, night

def test_at_night():
    with create_app().app_context():
        night("maya")
"""
LACKS = """\
purpose 'credit-score' has no gate for recipient 'acme-credit'
purpose 'night-help' has no gate for recipient 'night-desk'
recipient 'acme-credit' has no call
recipient 'night-desk' has no call
shop_of_doctor.py:{share_many}: no test reaches the gate for 'shop-offers' and \
'corner-shops'
shop_of_doctor.py:{check_many}: no test reaches the gate for 'shop-offers' and \
'controller'
shop_of_doctor.py:{clause}: no test reaches the gate for 'credit-score' and \
'acme-credit'
4 calls in the loaded modules below {folder}, 7 things missing. Other code was not \
read. What tests reach is that of the last run, of 1 test.
"""


def test_the_status_is_2_where_the_app_does_not_start_without_its_database(
    tmp_path: Path,
) -> None:
    text = SHOP_APP.replace(
        'CONSENTKIT_PUBLISH="command"',
        'CONSENTKIT_PUBLISH="command", CONSENTKIT_DATABASE_URI='
        f'"postgresql://ck@/consent?host={tmp_path}"',
    )
    (tmp_path / "shop_of_doctor.py").write_text(text, encoding="utf-8")
    status = {}
    for command in ("doctor", "publish"):
        run = subprocess.run(  # noqa: S603  our own arguments
            [
                sys.executable,
                "-m",
                "flask",
                "--app",
                "shop_of_doctor",
                "consent",
                command,
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        status[command] = run.returncode, run.stderr.partition(":")[0]
        assert "Traceback" not in run.stderr
    assert status == {"doctor": (2, "cannot look"), "publish": (1, "Error")}


@pytest.mark.requirement("R66", "R67")
def test_an_app_is_told_all_that_its_code_and_its_tests_leave_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded app: its tests run, and then the doctor looks."""
    for name, text in {
        "shop_of_doctor.py": SHOP_APP,
        "test_shop.py": SHOP_TESTS,
        "pytest.ini": "[pytest]\nconsentkit_watch = shop_of_doctor:consent\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:playwright"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert tested.returncode == 0, tested.stdout
    monkeypatch.syspath_prepend(str(tmp_path))
    runner = importlib.import_module("shop_of_doctor").create_app().test_cli_runner()

    told = runner.invoke(
        args=["consent", "doctor", "--only", "code", "--tests", str(tmp_path)]
    )

    assert told.exit_code == 1, told.output
    places = {
        name: 1 + SHOP_APP[: SHOP_APP.index(text)].count("\n")
        for name, text in {
            "share_many": "consent.share_many(",
            "check_many": "ShareRequest(each",
            "clause": "consent.allowed_clause(",
        }.items()
    }
    assert sorted(told.output.splitlines()) == sorted(
        LACKS.format(folder=tmp_path, **places).splitlines()
    )
    del sys.modules["shop_of_doctor"]


def test_the_command_says_what_it_did_not_look_at(tmp_path: Path) -> None:
    run = host(tmp_path).app.test_cli_runner().invoke(args=["consent", "doctor"])

    assert run.exit_code == 1
    assert "purpose 'shop-offers' is never asked about for recipient" in run.output
    assert "Other code was not read" in run.output
    assert "Whether a test reaches a gate is not known" in run.output
