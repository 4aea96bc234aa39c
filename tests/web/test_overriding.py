"""Templates that a host puts in place of ours: any looks pass, no trap does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Blueprint
from flask import Flask
from jinja2 import ChoiceLoader
from jinja2 import DictLoader

from consentkit.errors import ConfigurationError
from consentkit.lint import lint
from consentkit.testing import answer
from consentkit.web.overriding import TEMPLATES
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import host

NOTICE, WIDGET, CARD = ("notice.html", "widget.html", "card.html")
DECLINE = '{{ button(question, "refused", "decline", question.decline) }}'
STATEMENT = "{{- statement(question) }}"
BOX = '<input type="checkbox" name'
ACTION = '<form method="post" action="{{ page.action }}"'
FIELD = '<input type="hidden" name="token" value="{{ page.token }}">'
FRAGMENT = "{{ page.notice_html }}"

GRANT = '<input type="hidden" name="consent" value="yes">'
CHOSEN = '<input type="hidden" name="choice.shop-offers.controller" value="given">'
SMALL_LINK = (
    '<a href="#" style="font-size: 9px" data-ck-action="decline">{{ question.decline }}'
    "</a>"
)
NO_TO_NO = DECLINE.replace("question.decline", '"Do not stop me from not sharing"')


def source_of(name: str) -> str:
    return (TEMPLATES / "consentkit" / name).read_text("utf-8")


def changed(name: str, *, old: str, new: str) -> dict[str, str]:
    """Our template with one thing in it put otherwise."""
    source = source_of(name)
    assert old in source
    return {f"consentkit/{name}": source.replace(old, new)}


def putting(templates: dict[str, str]) -> Callable[[Flask], None]:
    """What sets up an app that has these templates of its own."""

    def set_up(app: Flask) -> None:
        assert app.jinja_loader
        app.jinja_loader = ChoiceLoader([DictLoader(templates), app.jinja_loader])

    return set_up


TRAPS = {
    "a box that is ticked": (
        *(NOTICE, BOX, '<input type="checkbox" checked name'),
        "D01 preselected-control",
    ),
    "a yes that is chosen": (
        *(NOTICE, '<input type="radio"', '<input checked type="radio"'),
        "D01 preselected-control",
    ),
    "no decline": (NOTICE, DECLINE, "", "D03 decline-missing"),
    "a decline that is a small link": (
        *(NOTICE, DECLINE, SMALL_LINK),
        "D04 decline-not-a-control",
    ),
    "text that is small": (
        *(NOTICE, STATEMENT, f'<div style="font-size: 8px">{STATEMENT}</div>'),
        "D08 small-text",
    ),
    "an essential that is hidden": (
        *(NOTICE, STATEMENT, f"<div hidden>{STATEMENT}</div>"),
        "D09 concealed-essential",
    ),
    "an essential that is folded away": (
        *(NOTICE, STATEMENT, f"<details><summary>x</summary>{STATEMENT}</details>"),
        "D09 concealed-essential",
    ),
    "a double negative": (NOTICE, DECLINE, NO_TO_NO, "D17 double-negative"),
    "a hidden field that says yes": (
        *(NOTICE, STATEMENT, STATEMENT + GRANT),
        "D02 hidden-grant",
    ),
    "a hidden field that says yes round the notice": (
        *(WIDGET, FIELD, FIELD + GRANT),
        "D02 hidden-grant",
    ),
    "focus on the yes": (
        *(NOTICE, 'data-ck-action="{{ action }}" {{ keys', "autofocus {{ keys"),
        "D30 autofocus-accept",
    ),
    "a hidden answer to another question": (
        *(NOTICE, STATEMENT, STATEMENT + CHOSEN),
        "a control sends choice.shop-offers.controller=given",
    ),
    "a yes of another name": (
        *(NOTICE, 'name="{{ question.choice_name }}" value="{{ value }}"', 'name="x"'),
        "sends choice.credit-score.acme-credit=given",
    ),
    "no box for what is optional": (
        *(NOTICE, BOX, '<input type="button" name'),
        "no control sends data.credit-score.acme-credit=city",
    ),
    "a form without its token": (WIDGET, FIELD, "", "no form sends its token"),
    "a form that goes elsewhere": (
        *(WIDGET, ACTION, '<form method="post" action="/elsewhere"'),
        'is not method="post" action="/consent/choices"',
    ),
    "answers in an address": (
        *(WIDGET, ACTION, ACTION.replace("post", "get")),
        'is not method="post"',
    ),
    "other words than are logged": (
        *(WIDGET, FRAGMENT, "{{ page.notice_html|replace('Acme', 'Wallet') }}"),
        "what is shown has to be what is logged",
    ),
    "a question without its mark": (WIDGET, " data-ck-root", "", "data-ck-root"),
    "a stop that cannot be pressed": (
        *(CARD, '<button type="submit"', '<button type="button"'),
        "a form that stops an answer has no button",
    ),
    "a stop without its token": (
        *(CARD, 'value="{{ card.stop_token }}"', 'value=""'),
        "no form sends its token to /consent/revocations",
    ),
    "code in the page": (
        *(NOTICE, STATEMENT, f"<script>send()</script>{STATEMENT}"),
        "inline-script: <script>",
    ),
    "code in an attribute": (
        *(WIDGET, ACTION, f'{ACTION} onsubmit="send()"'),
        "event-handler: <form> has onsubmit",
    ),
    "code of somebody else's": (
        *(NOTICE, STATEMENT, f'<script src="//cdn.example/x.js"></script>{STATEMENT}'),
        "foreign-script: <script>",
    ),
    "a button that sends elsewhere": (
        *(NOTICE, DECLINE, f'{DECLINE}<button formaction="/x">x</button>'),
        "a button has a formaction",
    ),
    "no word on how long": (
        *(NOTICE, "{{- rows(page.closing) }}", ""),
        "it leaves out what is declared: “Then",
    ),
}


@pytest.mark.requirement("R16", "R17", "D01", "D02", "D03", "D04", "D09", "D17")
@pytest.mark.parametrize("trap", TRAPS)
def test_an_app_whose_own_template_is_a_trap_does_not_start(
    tmp_path: Path, trap: str
) -> None:
    name, old, new, why = TRAPS[trap]
    templates = changed(name, old=old, new=new)

    with pytest.raises(ConfigurationError) as refused:
        host(tmp_path, before=putting(templates))

    message = str(refused.value)
    assert why in message
    assert f"consentkit/{name}" in message
    assert "docs/styling.md" in message


def test_flask_run_fails_at_its_start_and_says_why(tmp_path: Path) -> None:
    templates = changed(NOTICE, old=BOX, new='<input type="checkbox" checked name')
    code = (
        "from pathlib import Path\n"
        "from tests.web.hosts import host\n"
        "from tests.web.test_overriding import putting\n"
        f"app = host(Path({str(tmp_path)!r}), before=putting({templates!r})).app\n"
    )
    (tmp_path / "shop.py").write_text(code)

    run = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "flask", "--app", str(tmp_path / "shop.py"), "run"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode != 0
    assert "D01 preselected-control" in run.stderr


@pytest.mark.requirement("R33", "D03")
def test_the_second_stage_is_judged_where_there_is_one(tmp_path: Path) -> None:
    trap = putting(changed("confirmation.html", old=DECLINE, new=""))
    twice = declared.registry(purposes=[replace(declared.SCORE, two_stage=True)])

    host(tmp_path / "once", before=trap)
    with pytest.raises(ConfigurationError, match="D03 decline-missing"):
        host(tmp_path / "twice", registry=twice, before=trap)
    host(tmp_path / "honest", registry=twice, before=putting(RESTYLED[LINED]))


BUTTONS = '<div class="consentkit-answers"'
LINED = "classes and order"
RESTYLED = {
    "a frame of its own": changed(
        "base.html", old="<body>", new='<body class="shop"><p>Shop</p>'
    ),
    LINED: changed(
        NOTICE, old=BUTTONS, new='<hr><div class="shop-row consentkit-answers"'
    ),
    "words of its own": changed(
        NOTICE, old='{{ t("Ask me later") }}', new="Not today, ask me later"
    ),
    "no later": changed(
        NOTICE,
        old='<p class="consentkit-later">',
        new='<p class="consentkit-later" hidden>',
    ),
    "a page that asks nothing": {"consentkit/result.html": "Thank you."},
}


@pytest.mark.parametrize("looks", RESTYLED)
def test_a_template_that_only_looks_otherwise_is_taken(
    tmp_path: Path, looks: str
) -> None:
    shop = host(tmp_path, before=putting(RESTYLED[looks]))
    maya = shop.client(MAYA)

    answer(maya, "credit-score", {"acme-credit": "given"})
    assert shop.allows(MAYA)
    assert maya.get("/consent/").status_code == 200


def test_a_template_of_a_blueprint_is_judged_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "theme" / "consentkit"
    folder.mkdir(parents=True)
    ticked = source_of(NOTICE).replace(BOX, '<input checked type="checkbox" name')
    (folder / NOTICE).write_text(ticked)
    theme = Blueprint("theme", __name__, template_folder=str(tmp_path / "theme"))

    with pytest.raises(ConfigurationError, match="D01"):
        host(tmp_path, before=lambda app: app.register_blueprint(theme))


LAYOUT = """<html lang="{{ page.lang or 'en' }}"><body><a href="{{ url_for('home') }}">
{{ shop_name }}</a>{% block content %}{% endblock %}</body></html>"""


def test_a_template_that_needs_the_whole_app_is_judged_before_it_is_shown(
    tmp_path: Path,
) -> None:
    trap = LAYOUT.replace("</body>", f"<form>{GRANT}</form></body>")
    for layout, taken in ((LAYOUT, True), (trap, False)):
        templates = {"consentkit/base.html": layout}
        shop = host(tmp_path / str(taken), before=putting(templates))
        shop.app.context_processor(lambda: {"shop_name": "Shop"})
        maya = shop.client(MAYA)
        if taken:
            assert "Shop</a>" in maya.get("/consent/").text
        else:
            for path in ("/consent/ask/credit-score", "/consent/", "/"):
                with pytest.raises(ConfigurationError, match="D02"):
                    maya.get(path)


def test_a_template_that_comes_after_the_start_is_judged_before_it_is_shown(
    tmp_path: Path,
) -> None:
    templates = changed(NOTICE, old=BOX, new='<input type="checkbox" checked name')
    shop = host(tmp_path, after=putting(templates))
    before = shop.sql("SELECT count(*) FROM consent_leaf WHERE kind = 'notice'")

    for path in ("/", "/consent/", "/consent/ask/credit-score"):
        with pytest.raises(ConfigurationError, match="D01"):
            shop.client(MAYA).get(path)
    after = shop.sql("SELECT count(*) FROM consent_leaf WHERE kind = 'notice'")
    assert after == before
    assert shop.client(MAYA).get("/consent/disclosures").status_code == 200


def test_a_template_that_is_edited_while_the_app_runs_is_judged_again(
    tmp_path: Path,
) -> None:
    templates = changed(NOTICE, old=BUTTONS, new=f"<hr>{BUTTONS}")
    shop = host(tmp_path, before=putting(templates), TEMPLATES_AUTO_RELOAD=True)
    maya = shop.client(MAYA)
    assert maya.get("/").status_code == 200

    (name,) = templates
    templates[name] = source_of(NOTICE).replace(BOX, f"{BOX[:-4]} checked name")

    with pytest.raises(ConfigurationError, match="D01"):
        maya.get("/")


def test_what_a_template_shows_only_at_times_is_judged_before_it_is_stored(
    tmp_path: Path,
) -> None:
    sly = '<input type="checkbox" {{ "checked" if session.get("person") }} name'
    shop = host(tmp_path, before=putting(changed(NOTICE, old=BOX, new=sly)))

    with pytest.raises(ConfigurationError, match="D01"):
        shop.client(MAYA).get("/consent/ask/credit-score")
    assert not shop.sql("SELECT 1 FROM consent_leaf WHERE kind = 'notice'")


def test_the_words_declared_are_not_held_against_a_template(tmp_path: Path) -> None:
    """Our own template with them would break the same rule."""
    lined = changed(NOTICE, old=BUTTONS, new=f"<hr>{BUTTONS}")
    pushy = declared.registry(
        purposes=[replace(declared.SCORE, description="Hurry, only today: 10 % off!")]
    )
    page = host(tmp_path / "plain", registry=pushy).client(MAYA).get("/").text
    assert lint(page).rules_broken == ("D16",)

    host(tmp_path / "own", registry=pushy, before=putting(lined))


def test_without_an_override_the_linter_is_not_even_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.web.hosts import host\n"
        f"shop = host(Path({str(tmp_path)!r}))\n"
        "page = shop.client('maya').get('/consent/ask/credit-score')\n"
        "assert page.status_code == 200\n"
        "sys.exit(any(name.startswith('consentkit.lint') for name in sys.modules))"
    )

    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  our own


SHEETS = source_of("head.html") + '<link rel="stylesheet" href="/static/shop.css">'


def test_style_sheets_of_the_apps_own_need_no_linter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "consentkit/head.html"
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)

    shop = host(tmp_path / "sheets", before=putting({head: SHEETS}))
    assert "/static/shop.css" in shop.client(MAYA).get("/consent/").text
    elsewhere = '<link rel="stylesheet" href="https://cdn.example/x.css">'
    script, preload = "<script src='/x.js'></script>", "<link rel=preload href=x>"
    for more in (script, "Shop", preload, elsewhere):
        with pytest.raises(ConfigurationError, match=r"head\.html"):
            host(tmp_path / "more", before=putting({head: SHEETS + more}))


def test_without_the_linter_a_question_of_the_apps_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    lined = changed(NOTICE, old=BUTTONS, new=f"<hr>{BUTTONS}")

    with pytest.raises(ConfigurationError) as refused:
        host(tmp_path / "asks", before=putting(lined))
    assert "overrides consentkit/notice.html" in str(refused.value)
    assert "pip install 'consentkit[lint]'" in str(refused.value)

    host(tmp_path / "thanks", before=putting({"consentkit/result.html": "Thanks."}))
