"""Our pages among the host's: headers, mount points, languages."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask import Response
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from consentkit.core.registry import Registry
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

OURS = [
    "/consent/",
    "/consent/ask/credit-score",
    "/consent/ask/nothing",
    "/consent/disclosures",
    "/consent/checking",
    "/consent/export",
    "/consent/export.json",
    "/consent/api/v1/export",
    "/consent/api/v1/status",
    "/consent/notices/none",
    "/consent/receipts/none",
    "/consent/api/v1/nothing",
    "/consent/log/checkpoint",
]


@pytest.mark.parametrize("path", OURS)
@pytest.mark.requirement("R117")
def test_our_pages_cannot_be_framed_kept_or_sniffed(
    path: str, maya: FlaskClient
) -> None:
    headers = maya.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.requirement("R117")
def test_a_host_page_with_a_question_on_it_cannot_be_framed_or_kept(
    maya: FlaskClient,
) -> None:
    with_question = maya.get("/").headers
    assert with_question["X-Frame-Options"] == "DENY"
    assert with_question["Cache-Control"] == "no-store"

    without = maya.post("/feature").headers
    assert "X-Frame-Options" not in without
    assert "Cache-Control" not in without


OTHERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "private",
    "Referrer-Policy": "no-referrer",
}


@pytest.mark.parametrize("order", ["host first", "consentkit first"])
@pytest.mark.parametrize("path", ["/", "/consent/", "/consent/ask/credit-score"])
def test_the_hosts_own_headers_win(path: str, order: str, tmp_path: Path) -> None:
    def headers(app: Flask) -> None:
        @app.after_request
        def add(response: Response) -> Response:
            response.headers.update(OTHERS)
            return response

    shop = (
        host(tmp_path, before=headers)
        if order == "host first"
        else host(tmp_path, after=headers)
    )

    got = shop.client(MAYA).get(path).headers

    assert {name: got[name] for name in OTHERS} == OTHERS
    assert len(got.getlist("X-Frame-Options")) == 1


def test_the_style_sheet_may_be_kept(maya: FlaskClient) -> None:
    with maya.get("/consent/static/consentkit.css") as sheet:
        assert sheet.status_code == 200
        assert "no-store" not in sheet.headers["Cache-Control"]


def links(page: str) -> list[str]:
    """Every address that a page leads or sends to."""
    found = re.findall(r' (?:href|action)="([^"#][^"]*)"', page)
    return [each for each in found if not each.startswith(("mailto:", "http"))]


@pytest.mark.parametrize("prefix", ["/privacy/my-choices", "/c"])
def test_everything_works_under_a_prefix_of_ones_own(
    prefix: str, tmp_path: Path
) -> None:
    shop = host(tmp_path, CONSENTKIT_URL_PREFIX=prefix)
    maya = shop.client(MAYA)

    answered = answer(maya, "credit-score", {"acme-credit": "given"}, prefix=prefix)

    assert answered.status_code == 200
    assert maya.get("/consent/").status_code == 404
    ours = [each for each in links(maya.get(f"{prefix}/").text) if each != "/"]
    assert ours
    for each in ours:
        assert each.startswith(f"{prefix}/")
        with maya.get(each) as page:
            assert page.status_code in {200, 405}
    assert maya.post(f"{prefix}/api/v1/revocations", json={}).status_code == 200
    assert not shop.allows(MAYA)


@pytest.fixture
def mounted(tmp_path: Path) -> tuple[Host, Client]:
    """The app under ``/shop`` of a server that has nothing else."""
    shop = host(
        tmp_path, CONSENTKIT_SIGN_IN_URL="/sign-in", SESSION_COOKIE_PATH="/shop"
    )
    return shop, Client(DispatcherMiddleware(Flask("empty"), {"/shop": shop.app}))


def test_a_mounted_app_leads_nowhere_outside_its_mount(
    mounted: tuple[Host, Client],
) -> None:
    shop, outside = mounted
    shop.consent.subject_loader(lambda: MAYA)

    page = outside.get("/shop/consent/ask/credit-score").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page)
    form = {"token": token, "choice.credit-score.acme-credit": "given"}
    headers = {"Origin": "http://localhost"}
    sent = outside.post(action, data=form, headers=headers)
    result = outside.get(sent.location)

    assert action == "/shop/consent/choices"
    assert sent.location.startswith("/shop/consent/result/")
    assert result.status_code == 200
    assert shop.allows(MAYA)
    for text in (page, result.text, outside.get("/shop/consent/").text):
        assert links(text)
        assert all(each.startswith("/shop/") for each in links(text))


def test_a_mounted_app_sends_to_its_own_sign_in(mounted: tuple[Host, Client]) -> None:
    _shop, outside = mounted

    page = outside.get("/shop/consent/")
    gated = outside.get("/shop/score", headers={"Accept": "text/html"})

    assert 'href="/shop/sign-in"' in page.text
    assert gated.location == "/shop/sign-in"


def test_a_whole_address_is_left_alone(tmp_path: Path) -> None:
    sign_in = "https://id.wallet.example/?next=shop"
    shop = host(tmp_path, CONSENTKIT_SIGN_IN_URL=sign_in)

    page = shop.client().get("/consent/", base_url="http://localhost/mounted")

    assert f'href="{sign_in}"' in page.text


def multilingual() -> Registry:
    return declared.registry(locales=["en", "de", "ar"])


@pytest.fixture
def polyglot(tmp_path: Path) -> Host:
    return host(tmp_path, registry=multilingual())


@pytest.mark.requirement("R113")
def test_a_language_once_chosen_is_kept_from_the_question_to_the_receipt(
    polyglot: Host,
) -> None:
    """What is recorded is the language the person read, whatever the browser says."""
    maya = polyglot.client(MAYA)
    english = {"Accept-Language": "en"}
    page = maya.get("/consent/ask/credit-score?lang=de", headers=english)
    assert page.headers["Content-Language"] == "de"
    token = re.findall(r'name="token" value="([^"]+)"', page.text)[-1]
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page.text)
    form = {"token": token, "choice.credit-score.acme-credit": "given"}

    result = maya.post(action, data=form, headers=english, follow_redirects=True)

    assert result.headers["Content-Language"] == "de"
    (receipt,) = re.findall(r'href="(/consent/receipts/[^"]+)"', result.text)
    assert maya.get(receipt, headers=english).headers["Content-Language"] == "de"
    (act,) = polyglot.sql("SELECT notice FROM consent_state")
    manifest = maya.get(f"/consent/notices/{act[0]}.json").get_json()
    assert manifest["locale"] == "de"
    facts = maya.get(f"{urlsplit(receipt).path}.json").get_json()["disclosures"]
    assert len(facts) == 3


@pytest.mark.requirement("R113")
def test_a_language_of_the_hosts_page_is_kept_as_well(polyglot: Host) -> None:
    maya = polyglot.client(MAYA)

    page = maya.get("/?lang=de", headers={"Accept-Language": "en"}).text

    assert '<section class="consentkit consentkit-widget" lang="de"' in page
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', page)
    address = urlsplit(unescape(action))
    assert address.path == "/consent/choices"
    assert parse_qs(address.query)["lang"] == ["de"]


@pytest.mark.requirement("R113")
def test_choosing_a_language_chooses_nothing_else_and_is_another_notice(
    polyglot: Host,
) -> None:
    maya = polyglot.client(MAYA)
    digests = set()
    for language, direction in (("en", "ltr"), ("de", "ltr"), ("ar", "rtl")):
        page = maya.get(f"/consent/ask/credit-score?lang={language}").text
        assert (
            f'<html class="consentkit-page" lang="{language}" dir="{direction}"' in page
        )
        assert "checked" not in page
        digests |= set(re.findall(r"/consent/notices/([0-9a-f]{64})", page))

    assert len(digests) == 3


def test_how_a_reader_came_to_a_language_makes_no_other_notice(polyglot: Host) -> None:
    maya = polyglot.client(MAYA)
    by_link = maya.get("/consent/ask/credit-score?lang=de").text
    by_browser = maya.get(
        "/consent/ask/credit-score", headers={"Accept-Language": "de"}
    ).text
    fingerprint = re.compile(r"/consent/notices/([0-9a-f]{64})")

    assert fingerprint.findall(by_link) == fingerprint.findall(by_browser)


OUR_SCRIPT = '<script src="/consent/static/fresh.js" integrity="sha384-'
HOSTILE_QUERIES = {
    "a scheme": "_scheme=javascript&_external=1",
    "a script": "_scheme=javascript:alert(1)//&_external=true",
    "an anchor": "_anchor=%22%3E%3Cscript%3E",
    "a method": "_method=POST",
    "an endpoint": "endpoint=static",
    "a value of the rule": "purpose=shop-offers",
    "markup": "x=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "a language twice": "lang=de&lang=javascript:",
    "an unknown language": "lang=%22onclick=alert(1)",
}


@pytest.mark.parametrize("name", HOSTILE_QUERIES)
@pytest.mark.requirement("R117")
def test_the_links_to_other_languages_lead_to_this_page_whatever_is_asked(
    name: str, polyglot: Host
) -> None:
    path = "/consent/ask/credit-score"

    page = polyglot.client(MAYA).get(f"{path}?{HOSTILE_QUERIES[name]}")

    assert page.status_code == 200
    assert page.text.count("<script") == page.text.count(OUR_SCRIPT) == 1
    languages = re.findall(r'<a href="([^"]*)" lang="[a-z]+" hreflang', page.text)
    assert len(languages) == 2
    for each in languages:
        assert each.startswith(f"{path}?")
        assert re.search(r"\blang=(en|de|ar)\Z", each)


def test_a_host_in_one_language_offers_no_other(maya: FlaskClient) -> None:
    assert "hreflang" not in maya.get("/consent/").text


def test_the_hosts_selector_decides_on_the_language(tmp_path: Path) -> None:
    shop = host(
        tmp_path, registry=multilingual(), CONSENTKIT_LOCALE_SELECTOR=lambda: "de"
    )

    page = shop.client(MAYA).get("/consent/", headers={"Accept-Language": "ar"})

    assert page.headers["Content-Language"] == "de"
