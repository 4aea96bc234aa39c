"""``flask consent doctor``: what is declared and not called, and the other way."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.web.gates import Gate
from consentkit.web.gates import examine
from consentkit.web.gates import find_gates
from tests import declared
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
        ("credit-score", "acme-credit", True),
    ]
    assert {each.place.partition(":")[0] for each in gates} == {"views_of_a_shop.py"}
    assert [each.is_clear for each in gates].count(False) == 1


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


def test_the_command_says_what_it_did_not_look_at(tmp_path: Path) -> None:
    run = host(tmp_path).app.test_cli_runner().invoke(args=["consent", "doctor"])

    assert run.exit_code == 1
    assert "purpose 'shop-offers' is never asked about for recipient" in run.output
    assert "Other code was not read" in run.output
