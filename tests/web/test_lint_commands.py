"""``flask consent lint``: what this app would show, judged before anybody sees it."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemLoader

from tests.web.hosts import Host
from tests.web.hosts import host

DARK = """<form method="post"><label><input type="checkbox" name="x" checked> I agree
that Shop Ltd shares my data with its partners</label><button>Order</button></form>"""


def overridden(app: Flask) -> None:
    """Put a template of the app's own in place of ours, after the start."""
    folder = Path(app.instance_path) / "templates" / "consentkit"
    folder.mkdir(parents=True)
    (folder / "notice.html").write_text(f'<div data-ck-root lang="en">{DARK}</div>')
    app.jinja_loader = FileSystemLoader(folder.parent)


def test_every_question_is_judged_in_every_language(shop: Host) -> None:
    registry = shop.state.installation.registry

    run = shop.app.test_cli_runner().invoke(args=["consent", "lint", "--json"])

    assert run.exit_code == 0, run.output
    report = json.loads(run.output)
    assert report["findings"] == []
    assert report["questions"] == len(registry.purposes) * len(registry.locales)


def test_judging_stores_nothing(shop: Host) -> None:
    query = "SELECT count(*) FROM consent_leaf"
    before = shop.sql(query)

    shop.app.test_cli_runner().invoke(args=["consent", "lint"])

    assert shop.sql(query) == before


def test_a_template_that_breaks_a_rule_is_named_with_its_question(
    tmp_path: Path,
) -> None:
    spoilt = host(tmp_path, after=overridden)
    sarif = tmp_path / "report.sarif"

    run = spoilt.app.test_cli_runner().invoke(
        args=["consent", "lint", "--sarif", str(sarif)]
    )

    assert run.exit_code == 1
    assert "D01 error  question credit-score, en: " in run.output
    rules = {
        r["ruleId"] for r in json.loads(sarif.read_text("utf-8"))["runs"][0]["results"]
    }
    assert {"D01", "D11"} <= rules


def test_a_page_of_the_app_is_judged_as_well(shop: Host) -> None:
    shop.app.add_url_rule("/order", view_func=lambda: DARK)

    run = shop.app.test_cli_runner().invoke(args=["consent", "lint", "/order"])

    assert run.exit_code == 1
    assert "D01 error  /order: form" in run.output


def test_a_page_that_the_app_refuses_is_told(shop: Host) -> None:
    run = shop.app.test_cli_runner().invoke(args=["consent", "lint", "/nowhere"])

    assert run.exit_code == 1
    assert "expected a page at '/nowhere', got status 404" in run.output
