"""The wallet's own pages: who gets in, whose posts count, what the lists show."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from datetime import date
from typing import TYPE_CHECKING

import pytest

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.text import localise
from consentkit.errors import UngatedSendError
from example_app.wallet import create_app
from example_app.wallet import sharing
from example_app.wallet.book import EXTENSION
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.consent import consent
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import seed
from example_app.wallet.seeding import set_passwords
from example_app.wallet.signing_in import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

MAYA, TOM = PEOPLE[:2]
PASSWORDS = {each.email: f"password of {each.name}" for each in (MAYA, TOM)}
AUDITOR = secrets.token_hex(16)

EVERYDAY = ("/activity", "/review", "/account", "/credit-score", "/offers")
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder: Path = tmp_path_factory.mktemp("wallet")
    app = create_app(
        {
            "CONSENTKIT_PUBLISH": "command",
            "SECRET_KEY": secrets.token_hex(),
            "WALLET_AUDITOR_DIGEST": digest_of(AUDITOR),
            "WALLET_INSTANCE": folder,
            "WALLET_OFFERS_TOKEN": "unused",
            "WALLET_OFFERS_URL": "http://127.0.0.1:9/offers/audience",
            "WALLET_REFERENCE_KEY": secrets.token_hex(),
            "WALLET_SCORES_TOKEN": "unused",
            "WALLET_SCORES_URL": "http://127.0.0.1:9/scores",
        }
    )
    seed(app.extensions[EXTENSION], until=date(YEAR, 12, 31))
    set_passwords(app.extensions[EXTENSION], PASSWORDS)
    return app


@pytest.fixture
def nobody(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def maya(app: Flask) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["person_id"] = MAYA.id
    return client


def token_of(client: FlaskClient, path: str) -> str:
    found = TOKEN.search(client.get(path).text)
    assert found
    return found[1]


def sign_in(
    client: FlaskClient, email: str, password: str, *, back: str = ""
) -> TestResponse:
    form = {
        "email": email,
        "password": password,
        "next": back,
        "form_token": token_of(client, "/sign-in"),
    }
    return client.post("/sign-in", data=form)


@pytest.mark.parametrize("path", EVERYDAY)
def test_a_page_of_somebodys_own_asks_to_sign_in_and_comes_back(
    path: str, nobody: FlaskClient
) -> None:
    answer = nobody.get(path)
    assert answer.status_code == 302
    assert answer.location == f"/sign-in?next={path}"
    answer = sign_in(nobody, MAYA.email, PASSWORDS[MAYA.email], back=path)
    assert answer.location == path


@pytest.mark.parametrize("path", ["/", *EVERYDAY])
def test_every_page_has_the_way_to_ones_choices(path: str, maya: FlaskClient) -> None:
    answer = maya.get(path)
    assert answer.status_code == 200
    assert 'href="/consent/"' in answer.text


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(
    nobody: FlaskClient,
) -> None:
    wrong = sign_in(nobody, MAYA.email, PASSWORDS[TOM.email])
    unknown = sign_in(nobody, "nobody@example.org", PASSWORDS[TOM.email])
    assert wrong.status_code == unknown.status_code == 401
    assert "is not right" in wrong.text
    assert wrong.text.replace(MAYA.email, "") == unknown.text.replace(
        "nobody@example.org", ""
    )


FOREIGN = {
    "another site": "https://elsewhere.example/",
    "another site without a scheme": "//elsewhere.example/",
    "another site to a browser": "/\\elsewhere.example/",
    "a tab that browsers drop": "/\t/elsewhere.example/",
    "a script": "javascript:alert(1)",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_signing_in_never_leads_to_another_site(name: str, nobody: FlaskClient) -> None:
    password = PASSWORDS[MAYA.email]
    assert sign_in(nobody, MAYA.email, password, back=FOREIGN[name]).location == "/"


def test_signing_out_takes_everything_along(maya: FlaskClient) -> None:
    form = {"form_token": token_of(maya, "/account")}
    assert maya.post("/sign-out", data=form).status_code == 302
    assert maya.get("/account").status_code == 302


FORGED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no token": ({}, {}),
    "a wrong token": ({"form_token": "x"}, {}),
    "another site by its own word": ({}, {"Sec-Fetch-Site": "cross-site"}),
    "a sister site": ({}, {"Sec-Fetch-Site": "same-site"}),
    "another origin": ({}, {"Origin": "https://elsewhere.example"}),
    "a hidden origin": ({}, {"Origin": "null"}),
}


@pytest.mark.parametrize("path", ["/sign-out", "/credit-score", "/offers", "/sign-in"])
@pytest.mark.parametrize("name", FORGED)
def test_a_post_from_elsewhere_is_refused(
    name: str, path: str, maya: FlaskClient
) -> None:
    form, headers = FORGED[name]
    if headers:
        form = {"form_token": token_of(maya, "/account")}
    assert maya.post(path, data=form, headers=headers).status_code == 403
    assert maya.get("/account").status_code == 200


def test_a_post_from_our_own_page_counts(maya: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    form = {"form_token": token_of(maya, "/account")}
    assert maya.post("/sign-out", data=form, headers=headers).status_code == 302


def test_activity_pages_hold_twenty_five_payments_newest_first(
    maya: FlaskClient,
) -> None:
    first, last = maya.get("/activity").text, maya.get("/activity?page=9999").text
    assert first.count('class="payee"') == 25
    assert "December" in first
    assert "1 January" in last
    assert "Older" not in last


@pytest.mark.parametrize("page", ["0", "-3", "x", "1_0", "9" * 30, "\u0663"])
def test_a_page_number_that_makes_no_sense_shows_the_first_page(
    page: str, maya: FlaskClient
) -> None:
    assert "Page 1 of" in maya.get("/activity", query_string={"page": page}).text


def test_activity_can_be_narrowed_by_kind_month_and_words(maya: FlaskClient) -> None:
    text = maya.get("/activity?kind=home&month=3&words=alder").text
    assert "1 payment, newest first" in text
    assert "Sunday 1 March" in text
    assert "No payment fits" in maya.get("/activity?words=%25").text
    assert "Page 1 of" in maya.get("/activity?kind=no-such-kind&month=99").text


def test_nobody_sees_the_payments_of_somebody_else(maya: FlaskClient) -> None:
    assert "No payment fits" in maya.get("/activity?words=Harbourside").text


def test_the_review_asks_nothing_and_sends_nothing(maya: FlaskClient) -> None:
    """In 2018 this very page enrolled people; here it has nothing to press."""
    main = maya.get("/review").text.partition("<main")[2].partition("</main>")[0]
    assert "<svg" in main
    assert "January" in main
    for pressable in ("<form", "<input", "<button", "data-ck-"):
        assert pressable not in main


@pytest.mark.parametrize("path", ["/credit-score", "/offers"])
def test_without_an_answer_the_button_sends_nothing_and_says_so(
    path: str, maya: FlaskClient
) -> None:
    """The recipients of this fixture do not even exist: a try would say so."""
    before = maya.get("/review").data
    form = {"form_token": token_of(maya, path)}
    text = maya.post(path, data=form, follow_redirects=True).text
    assert "Nothing was sent to" in text
    assert "You have not answered" in text
    assert "/consent/ask/" in text
    assert maya.get("/review").data == before


def test_every_reason_for_a_no_is_told_in_words_of_its_own(app: Flask) -> None:
    parts = app.jinja_env.get_template("wallet/parts.html").module
    told = {
        reason: str(parts.why_not(Decision(reason, "credit-score", "acme-credit")))
        for reason in Reason
    }
    assert "Your browser tells us not to" in told[Reason.OPT_OUT_SIGNAL]
    assert [each for each in told if "could not make sure" in told[each]] == []


@pytest.mark.parametrize("tag", consent.registry.locales)
def test_what_is_said_of_the_number_and_of_shops_reads_right(tag: str) -> None:
    """The number is deleted with the yes; a phrase can stand before other words."""
    score = localise(consent.registry.purposes["credit-score"].description, tag)
    kept = (
        "stays in",
        "bleibt in",
        "reste dans",
        "se queda",
        "保存在",
        "ويبقى",
        "रहती है",
    )
    assert not any(each in score for each in kept)
    for category in consent.registry.categories.values():
        assert tag != "de" or "," not in localise(category.phrase, tag)


def test_the_log_is_for_the_auditor(nobody: FlaskClient) -> None:
    asked = nobody.get("/auditor")
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Basic ")
    for name, password, expected in (
        ("auditor", AUDITOR, 302),
        ("auditor", "another", 401),
        ("maya", AUDITOR, 401),
    ):
        sent = b64encode(f"{name}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {sent}"}
        assert nobody.get("/auditor", headers=headers).status_code == expected


def test_pages_load_nothing_from_elsewhere_and_are_not_kept(maya: FlaskClient) -> None:
    answer = maya.get("/")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "style=" not in answer.text
    assert "<script" not in answer.text


def test_a_page_that_is_not_there_says_that_nothing_happened(
    maya: FlaskClient,
) -> None:
    answer = maya.get("/no-such-page")
    assert answer.status_code == 404
    assert "Nothing was changed and nothing was sent." in answer.text


@pytest.mark.requirement("R67")
def test_the_doctor_finds_nothing_missing(app: Flask) -> None:
    """Each purpose has its gate, each recipient its call and its hosts."""
    done = app.test_cli_runner().invoke(args=["consent", "doctor"])

    assert done.exit_code == 0, done.output
    assert " 0 things missing" in done.output


@pytest.mark.requirement("R67")
@pytest.mark.parametrize("recipient", ["acme-credit", "corner-shops"])
def test_the_wallets_own_client_reaches_nobody_outside_of_a_share(
    recipient: str,
) -> None:
    (host,) = consent.registry.recipients[recipient].hosts

    with pytest.raises(UngatedSendError, match=recipient):
        sharing._http.request("POST", f"http://{host}/", body=b"data")
