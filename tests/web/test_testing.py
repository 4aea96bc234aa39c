"""``consentkit.testing`` as an app's own tests use it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # it has no types

from consentkit import testing
from consentkit.testing import answer
from consentkit.testing import form_token
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host


def test_an_app_gets_a_yes_by_the_door_that_people_use(
    shop: Host, maya: FlaskClient
) -> None:
    assert maya.post("/score").status_code == 403

    assert answer(maya, "credit-score", {"acme-credit": "given"}).status_code == 200
    assert maya.post("/score").status_code == 200
    assert shop.client(TOM).post("/score").status_code == 403

    answer(maya, "credit-score", {"acme-credit": "refused"})
    assert maya.post("/score").status_code == 403


def test_several_recipients_are_answered_at_once(shop: Host, maya: FlaskClient) -> None:
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "refused"})

    assert shop.grants() == [(MAYA, "shop-offers", "corner-shops")]


def test_both_questions_about_a_recipient_abroad_are_answered(
    shop: Host, maya: FlaskClient
) -> None:
    answer(
        maya,
        "night-help",
        {"night-desk": "given"},
        abroad={"night-desk": "given"},
    )

    assert shop.allows(MAYA, "night-help", "night-desk", data=None)


def test_the_hosts_form_protection_is_satisfied(tmp_path: Path) -> None:
    def protect(app: Flask) -> None:
        CSRFProtect(app)

    shop = host(tmp_path, before=protect)

    sent = answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    assert sent.status_code == 200


def test_a_forgotten_sign_in_is_told(nobody: FlaskClient) -> None:
    with pytest.raises(ValueError, match="is somebody signed in"):
        answer(nobody, "credit-score", {"acme-credit": "given"})


def test_a_misspelt_purpose_is_told_and_a_misspelt_recipient_is_refused(
    shop: Host, maya: FlaskClient
) -> None:
    with pytest.raises(ValueError, match="no form of consentkit"):
        answer(maya, "credit-scor", {"acme-credit": "given"})

    assert answer(maya, "credit-score", {"acme": "given"}).status_code == 422
    assert shop.acts() == 0


def test_the_token_of_a_page_can_be_had_on_its_own(maya: FlaskClient) -> None:
    token = form_token(maya.get("/").text)

    form = {"token": token, "choice.credit-score.acme-credit": "deferred"}
    assert maya.post("/consent/choices", data=form).status_code == 303
    with pytest.raises(ValueError, match="no form of consentkit"):
        form_token("<form><input name='token'></form>")


def test_there_is_no_switch_that_opens_the_gate() -> None:
    names = {
        parameter
        for name in testing.__all__
        for parameter in inspect.signature(getattr(testing, name)).parameters
    }

    assert not names & {"allow", "bypass", "disable", "enabled", "force", "grant"}


def test_loading_the_plugin_loads_nothing_of_consentkit() -> None:
    """Coverage tools miss what was imported before they began (pytest-cov#510)."""
    tree = ast.parse(inspect.getsource(testing))
    imported = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
    ]

    assert not [each for each in imported if each.startswith(("consentkit", "flask"))]


def test_an_answer_can_be_given_where_pytest_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from consentkit.testing import *\n"
        "print(answer.__name__, 'assert_honest' in globals())"
    )

    done = subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("answer False\n", "")
