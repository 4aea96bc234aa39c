"""A template that is honest at the start and sly later: no page of it is sent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consentkit.errors import ConfigurationError
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host
from tests.web.test_overriding import ACTION
from tests.web.test_overriding import BOX
from tests.web.test_overriding import FIELD
from tests.web.test_overriding import SHEETS
from tests.web.test_overriding import changed
from tests.web.test_overriding import putting

ASK = "/consent/ask/credit-score"
CITY = {"acme-credit": ["city"]}
WHEN = "{{% if request.args.evil %}}{}{{% endif %}}"
YES = '<input type="hidden" name="choice.credit-score.acme-credit" value="given">'
HIDING = "<style>[data-ck-action=decline] { display: none }</style>"
STOP = '<button type="submit" class="{{ "consentkit-plain" if card.lacks'

SLY = {
    "a yes that nobody pressed": (
        *("widget.html", FIELD, FIELD + WHEN.format(YES)),
        "what nobody presses or ticks sends choice.credit-score.acme-credit",
    ),
    "a yes from outside the form": (
        "widget.html",
        ACTION,
        WHEN.format(YES.replace("<input", '<input form="f"')) + ACTION + ' id="f"',
        "what nobody presses or ticks sends choice.credit-score.acme-credit",
    ),
    "a field about the person": (
        "widget.html",
        FIELD,
        FIELD + WHEN.format('<input type="hidden" name="mail" value="a@b.example">'),
        "a control sends mail, which answers no question",
    ),
    "a style that hides the no": (
        *("ask.html", "<h1", WHEN.format(HIDING) + "<h1"),
        "D03 decline-missing",
    ),
    "a script": (
        *("ask.html", "<h1", WHEN.format("<script>0</script>") + "<h1"),
        "inline-script",
    ),
    "a script of somebody else's": (
        "head.html",
        "<link",
        WHEN.format('<script src="https://cdn.example/x.js"></script>') + "<link",
        "foreign-script",
    ),
    "a style of somebody else's": (
        "head.html",
        "<link",
        WHEN.format('<link rel="stylesheet" href="//cdn.example/x.css">') + "<link",
        "foreign-style",
    ),
    "another address for the answers": (
        *("base.html", "<meta", WHEN.format('<base href="//b.example/">') + "<meta"),
        "base-address",
    ),
}


def sly(folder: Path, case: str) -> Host:
    name, old, new, _ = SLY[case]
    return host(folder, before=putting(changed(name, old=old, new=new)))


def in_production(shop: Host) -> Host:
    shop.app.testing = False
    return shop


@pytest.mark.requirement("R16", "R17", "D02", "D03")
@pytest.mark.parametrize("case", SLY)
def test_what_a_template_does_only_at_times_is_not_sent(
    tmp_path: Path, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A developer sees the rule; people get our own page, and the log the rule."""
    name, _, _, rule = SLY[case]
    shop = sly(tmp_path, case)
    maya = shop.client(MAYA)
    assert maya.get(ASK).status_code == 200
    with pytest.raises(ConfigurationError) as refused:
        maya.get(f"{ASK}?evil=1")
    assert rule in str(refused.value)
    assert f"consentkit/{name}" in str(refused.value)

    caplog.clear()
    in_production(shop)
    sent = maya.get(f"{ASK}?evil=1")
    assert sent.status_code == 200
    for trap in (YES, "display: none", "<script>", "cdn.example", "<base", "a@b"):
        assert trap not in sent.text
    (line,) = (each.getMessage() for each in caplog.records)
    assert rule in line
    assert "a@b.example" not in line
    assert MAYA not in line
    answer(maya, "credit-score", {"acme-credit": "refused"})
    assert not shop.allows(MAYA)


def test_a_question_in_a_page_of_the_app_is_seen_as_well(tmp_path: Path) -> None:
    shop = sly(tmp_path, "a yes that nobody pressed")
    assert shop.client(MAYA).get("/").status_code == 200
    with pytest.raises(ConfigurationError, match="nobody presses"):
        shop.client(MAYA).get("/?evil=1")


@pytest.mark.requirement("R52")
def test_a_stop_that_is_taken_away_at_times_is_there_all_the_same(
    tmp_path: Path,
) -> None:
    gone = STOP.replace(
        '"submit"', '"{{ "button" if request.args.evil else "submit" }}"'
    )
    own = changed("card.html", old=STOP, new=gone)
    shop = in_production(host(tmp_path, before=putting(own)))
    maya = shop.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})
    stop = '<button type="submit" class="consentkit-button"'

    for path in ("/consent/", "/consent/?evil=1"):
        assert maya.get(path).text.count(stop) == 1


@pytest.mark.requirement("R52")
def test_a_template_that_comes_late_leaves_nobody_without_a_page_in_production(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trap = putting(changed("widget.html", old=FIELD, new=FIELD + YES))
    shop = in_production(host(tmp_path, after=trap))
    maya = shop.client(MAYA)

    for path in (ASK, "/", "/consent/"):
        sent = maya.get(path)
        assert sent.status_code == 200
        assert YES not in sent.text
    rehearsed, *sent_since = (each.getMessage() for each in caplog.records)
    assert "D02 hidden-grant" in rehearsed
    assert len(sent_since) == 2, "of the two pages with a question"


def test_a_notice_that_is_a_trap_at_times_gives_way_to_ours_in_production(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ticked = '<input type="checkbox" {{ "checked" if session.get("person") }} name'
    trap = putting(changed("notice.html", old=BOX, new=ticked))
    maya = in_production(host(tmp_path, before=trap)).client(MAYA)

    page = maya.get(ASK).text
    assert BOX in page
    assert "checked" not in page
    assert "D01 preselected-control" in caplog.records[-1].getMessage()
    answer(maya, "credit-score", {"acme-credit": "refused"})


def test_the_page_that_asks_again_is_seen_as_well(tmp_path: Path) -> None:
    maya = sly(tmp_path, "a script").client(MAYA)
    maya.get(ASK)
    with pytest.raises(ConfigurationError, match="inline-script"):
        maya.post("/consent/choices?evil=1", data={"token": token(maya)})


def token(client: FlaskClient) -> str:
    return client.get(ASK).text.rpartition('name="token" value="')[2].partition('"')[0]


@pytest.mark.parametrize("theirs", ["frame", "sheets"])
def test_an_honest_override_is_sent_as_it_is(
    tmp_path: Path, theirs: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what the app says of the person, and in its own dialect of Jinja."""
    own = {
        "frame": changed("base.html", old="<body>", new="<body>{{ request.path }}"),
        "sheets": {"consentkit/head.html": SHEETS},
    }[theirs]

    def set_up(app: Flask) -> None:
        putting(own)(app)
        app.jinja_env.trim_blocks = True

    shop = in_production(host(tmp_path, before=set_up))
    maya = shop.client(MAYA)
    shown = {"frame": f"<body>{ASK}", "sheets": "/static/shop.css"}[theirs]
    assert shown in maya.get(ASK).text
    answer(maya, "credit-score", {"acme-credit": "given"}, optional=CITY)
    for path in (ASK, "/consent/", "/", "/consent/ask/shop-offers"):
        assert maya.get(path).status_code == 200
    assert shop.allows(MAYA, data={"city"})
    assert not caplog.records


def test_looking_at_a_page_costs_less_than_a_person_can_notice(tmp_path: Path) -> None:
    """Some 30 ms of work; the bound is for a busy machine."""
    own = changed("base.html", old="<body>", new="<body><hr>")
    shop = host(tmp_path, before=putting(own), registry=declared.registry())
    maya = shop.client(MAYA)
    maya.get(ASK)
    began = time.process_time()
    for _ in range(5):
        maya.get(ASK)
    assert (time.process_time() - began) / 5 < 0.2
