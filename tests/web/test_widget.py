"""The question in a host's page: what each person sees, and that it is what is kept."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

from consentkit.core.notice import Notice
from consentkit.errors import DeclarationError
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.store.ledger import Ledger
from consentkit.testing import answer
from consentkit.web.widgets import consent_centre_link
from consentkit.web.widgets import consent_head
from consentkit.web.widgets import consent_widget
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

FRAGMENT = re.compile(
    r'<div class="consentkit-notice".*\n</div>(?=\n</form>)', re.DOTALL
)
FINGERPRINT = re.compile(r"/consent/notices/([0-9a-f]{64})")


def leaves(shop: Host) -> list[dict[str, Any]]:
    """Every leaf in the order of the log."""
    rows = shop.sql("SELECT bytes FROM consent_leaf ORDER BY position")
    return [dict(read_leaf(row[0]).body) for row in rows]


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("name", ["checked", "value", "state", "selected", "default"])
def test_nothing_can_be_passed_that_would_set_an_answer(name: str, shop: Host) -> None:
    with shop.app.test_request_context("/"):
        with pytest.raises(TypeError, match=name):
            consent_widget("credit-score", **{name: True})
        with pytest.raises(TypeError):
            consent_widget("credit-score", True)  # type: ignore[call-arg]


def test_a_page_for_nobody_asks_to_sign_in_and_offers_nothing(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path, CONSENTKIT_SIGN_IN_URL="/sign-in")

    page = shop.client().get("/").text

    assert 'href="/sign-in"' in page
    assert "<form" not in page
    assert "<input" not in page
    assert shop.acts() == 0


@pytest.mark.requirement("R32")
def test_the_first_time_the_question_is_asked_of_a_named_account(
    maya: FlaskClient,
) -> None:
    page = maya.get("/").text

    assert "m•••@example.org" in page
    assert "maya@example.org" not in page
    assert page.count("<form") == 1
    buttons = re.findall(r'value="(refused|given|deferred)" data-ck-action', page)
    assert buttons == ["refused", "given", "deferred"]
    assert "checked" not in page
    assert "selected" not in page


@pytest.mark.requirement("R9")
def test_the_way_to_stop_is_on_the_screen_before_the_choice_and_it_works(
    maya: FlaskClient,
) -> None:
    page = maya.get("/").text
    before = page[: page.index('data-ck-action="decline"')]
    (link,) = re.findall(
        r'data-ck-essential="withdraw".*?href="([^"]+)"', before, re.DOTALL
    )

    assert maya.get(link).status_code == 200


@pytest.mark.parametrize(
    ("said", "shown"),
    [("given", "Shared until"), ("refused", "Not shared"), ("deferred", "Not shared")],
)
def test_who_has_answered_sees_the_answer_and_the_way_out_of_it(
    maya: FlaskClient, said: str, shown: str
) -> None:
    answer(maya, "credit-score", {"acme-credit": said})

    page = maya.get("/").text

    assert shown in page
    assert "choice.credit-score" not in page
    assert ('data-ck-action="withdraw"' in page) is (said == "given")
    assert 'href="/consent/ask/credit-score"' in page


def test_the_questions_own_page_asks_again_whatever_stands(maya: FlaskClient) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})

    page = maya.get("/consent/ask/credit-score").text

    assert "Shared until" in page
    assert 'value="refused"' in page


def test_a_question_that_was_left_open_is_asked_with_the_others_answered(
    tmp_path: Path,
) -> None:
    """Another recipient joined the purpose after she answered."""
    offers = replace(declared.OFFERS, recipients=[declared.SHOP, declared.CREDIT])
    first = host(tmp_path / "app")
    answer(
        first.client(MAYA),
        "shop-offers",
        {"controller": "given", "corner-shops": "given"},
    )
    then = host(tmp_path / "app", registry=declared.registry(purposes=[offers]))

    with then.app.test_request_context("/"):
        then.consent.subject_loader(lambda: MAYA)
        page = consent_widget(declared.OFFERS)

    assert "choice.shop-offers.acme-credit" in page
    assert not then.allows(MAYA, "shop-offers", "acme-credit", data={"city"})


def test_an_unknown_purpose_in_a_template_is_told_with_the_known_ones(
    shop: Host,
) -> None:
    with (
        shop.app.test_request_context("/"),
        pytest.raises(DeclarationError, match="credit-score, night-help, shop-offers"),
    ):
        consent_widget("credit-scor")


@pytest.mark.requirement("R13", "R38")
def test_the_page_shows_the_very_bytes_that_are_kept_and_logged(
    shop: Host, maya: FlaskClient
) -> None:
    page = maya.get("/").text
    (shown,) = FRAGMENT.findall(page)
    (digest,) = set(FINGERPRINT.findall(page))
    html = hashlib.sha256(shown.encode()).hexdigest()

    (logged,) = [leaf for leaf in leaves(shop) if leaf["kind"] == "notice"]
    assert (logged["notice"], logged["html"]) == (digest, html)
    for client in (maya, shop.client()):
        kept = client.get(f"/consent/notices/{digest}.html")
        assert kept.data == shown.encode()
        manifest = client.get(f"/consent/notices/{digest}.json")
        assert hashlib.sha256(manifest.data).hexdigest() == digest
        assert body_of(manifest)["html_sha256"] == html
        assert Notice.from_bytes(manifest.data, kept.data).digest == digest
        assert shown in client.get(f"/consent/notices/{digest}").text


@pytest.mark.requirement("R13")
def test_a_notice_keeps_its_address_when_the_next_one_is_out(tmp_path: Path) -> None:
    first = host(tmp_path)
    (old,) = set(FINGERPRINT.findall(first.client(MAYA).get("/").text))
    bytes_before = first.client().get(f"/consent/notices/{old}.html").data
    score = replace(declared.SCORE, title="Work out the score of your credit")
    then = host(tmp_path, registry=declared.registry(purposes=[score]))
    (new,) = set(FINGERPRINT.findall(then.client(MAYA).get("/").text))

    assert new != old
    assert then.client().get(f"/consent/notices/{old}.html").data == bytes_before
    assert then.client().get(f"/consent/notices/{new}.html").status_code == 200


def test_a_purpose_that_is_gone_leaves_its_notice_readable(tmp_path: Path) -> None:
    first = host(tmp_path)
    (old,) = set(FINGERPRINT.findall(first.client(MAYA).get("/").text))
    then = host(tmp_path, registry=declared.registry(purposes=[declared.OFFERS]))

    page = then.client().get(f"/consent/notices/{old}")

    assert page.status_code == 200
    assert "/consent/ask/" not in page.text


@pytest.mark.requirement("R15")
def test_the_notice_stands_in_the_log_before_any_answer_to_it(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "refused", "controller": "refused"})

    seen: set[str] = set()
    for leaf in leaves(shop):
        if leaf["kind"] == "notice":
            seen.add(leaf["notice"])
        if leaf["kind"] == "choice":
            assert leaf["notice"] in seen
    assert len(seen) == 2


def test_a_notice_is_logged_once_however_often_it_is_shown(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    for client in (maya, tom, maya):
        client.get("/")
        client.get("/consent/ask/credit-score")

    assert [leaf["kind"] for leaf in leaves(shop)].count("notice") == 1


@pytest.mark.requirement("R23")
def test_looking_writes_nothing_about_the_person(shop: Host, maya: FlaskClient) -> None:
    for path in ("/", "/consent/", "/consent/ask/shop-offers", "/consent/disclosures"):
        maya.get(path)

    assert shop.acts() == 0
    assert shop.sql("SELECT * FROM consent_subject") == []


def test_a_notice_that_cannot_be_stored_is_not_shown(
    maya: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_ledger: Ledger) -> None:
        raise LogUnavailableError("the consent database did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write_alone", down)
        page = maya.get("/consent/ask/credit-score")
    assert page.status_code == 503
    assert "choice." not in page.text

    assert maya.get("/consent/ask/credit-score").status_code == 200


ABSENT = {
    "no such notice": "0" * 64,
    "too short": "ab",
    "capitals": "AB" * 32,
    "not hex": "z" * 64,
    "overlong": "a" * 5000,
    "a path": "..%2f..%2fetc%2fpasswd",
    "a nul": "%00",
    "not UTF-8": "%ff%fe",
}


@pytest.mark.parametrize("name", ABSENT)
@pytest.mark.parametrize("ending", ["", ".html", ".json"])
def test_a_notice_that_never_was_is_not_found(
    name: str, ending: str, nobody: FlaskClient
) -> None:
    assert nobody.get(f"/consent/notices/{ABSENT[name]}{ending}").status_code == 404


@pytest.mark.requirement("R52")
@pytest.mark.requirement("D32")
def test_the_standing_link_leads_to_what_stands_without_a_new_prompt(
    maya: FlaskClient,
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    footer = maya.get("/").text.partition("<footer>")[2]
    (link,) = re.findall(
        r'<a href="([^"]+)" lang="en" data-ck-manage>Your choices</a>', footer
    )

    page = maya.get(link)

    assert page.status_code == 200
    assert "Shared until" in page.text
    assert 'data-ck-action="withdraw"' in page.text
    assert 'data-ck-action="accept"' not in page.text


@pytest.mark.requirement("R52")
def test_every_page_of_ours_has_the_standing_link(
    shop: Host, maya: FlaskClient
) -> None:
    """Also those that say that something did not work."""
    result = answer(maya, "credit-score", {"acme-credit": "given"})
    (receipt,) = re.findall(r"/consent/receipts/[0-9a-f]{32}", result.text)
    (digest,) = set(FINGERPRINT.findall(maya.get("/consent/ask/credit-score").text))
    pages = [
        result,
        shop.client().get("/consent/"),
        maya.post("/consent/choices"),
        *(
            maya.get(path)
            for path in (
                "/consent/",
                "/consent/disclosures",
                "/consent/ask/credit-score",
                "/consent/ask/nothing",
                receipt,
                f"/consent/notices/{digest}",
            )
        ),
    ]

    for page in pages:
        assert '<a href="/consent/">Your choices</a>' in page.text


def test_the_head_names_files_that_are_the_ones_that_are_served(
    shop: Host, maya: FlaskClient
) -> None:
    with shop.app.test_request_context("/"):
        head = consent_head()
        link = consent_centre_link()
    found = re.findall(r'(?:href|src)="([^"]+)" integrity="sha384-([^"]+)"', head)
    assert [address.rpartition(".")[2] for address, _ in found] == ["css", "js"]

    for address, integrity in found:
        with maya.get(address) as file:
            digest = hashlib.sha384(file.data).digest()
        assert integrity.encode() == base64.b64encode(digest)
    assert 'href="/consent/"' in link


ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{1234*4321}}{0}%s"
OURS = r'<script(?! src="/consent/static/fresh\.js" integrity="sha384-[^"]+" defer></)'
INERT = re.compile(rf"{OURS}|<img|onerror=[^&]*>(?!&)")


def hostile() -> Any:
    """The declared app with an attack in every text that a declaration can hold."""
    controller = replace(
        declared.WALLET,
        name="Wallet " + ATTACK,
        address=ATTACK,
        authority=ATTACK,
        rights=ATTACK,
    )
    recipient = replace(
        declared.CREDIT, name="Acme " + ATTACK, method=ATTACK, address=ATTACK
    )
    spending = replace(declared.SPENDING, title=ATTACK, phrase=ATTACK)
    score = replace(
        declared.SCORE,
        title=ATTACK,
        description=ATTACK,
        aim=ATTACK,
        necessity=ATTACK,
        impact=ATTACK,
        if_refused=ATTACK,
        data=[spending],
        recipients=[recipient],
    )
    return declared.registry(controller=controller, purposes=[score])


@pytest.mark.requirement("R117")
def test_hostile_words_are_inert_wherever_they_come_from(tmp_path: Path) -> None:
    shop = host(tmp_path, registry=hostile())
    shop.consent.account_label_loader(lambda _subject: ATTACK)
    person = shop.client("<script>alert(1)</script>")
    result = answer(person, "credit-score", {"acme-credit": "given"})
    (receipt,) = re.findall(r"/consent/receipts/[0-9a-f]{32}", result.text)
    pages = [
        result,
        person.get("/"),
        person.get("/consent/?lang=<script>alert(1)</script>"),
        person.get("/consent/ask/credit-score", headers={"User-Agent": ATTACK}),
        person.get("/consent/ask/<script>alert(1)</script>"),
        person.get(receipt),
        person.post("/consent/choices", data={"token": ATTACK}),
    ]

    for page in pages:
        assert not INERT.search(page.text)
        assert str(1234 * 4321) not in page.text
    assert "&lt;script&gt;" in pages[1].text


@pytest.mark.requirement("R30", "R117")
def test_our_pages_bring_no_code_of_theirs_no_style_and_nothing_from_elsewhere(
    maya: FlaskClient,
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    for path in ("/consent/", "/consent/ask/credit-score", "/consent/disclosures"):
        text = maya.get(path).text
        assert not re.search(rf"{OURS}|\bstyle=|<style|\bon\w+=|javascript:", text)
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', text)


def test_a_host_that_forbids_undefined_names_in_templates_gets_every_page(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path, CONSENTKIT_LOCALE_SELECTOR="tlh")
    shop.app.jinja_env.undefined = StrictUndefined
    maya = shop.client(MAYA)
    result = answer(maya, "credit-score", {"acme-credit": "given"})
    (receipt,) = re.findall(r"/consent/receipts/[0-9a-f]{32}", result.text)

    for path in ("/", "/consent/", "/consent/disclosures", "/consent/ask/x", receipt):
        assert maya.get(path).status_code in {200, 404}


def _add_templates(shop: Host, folder: Path) -> None:
    loader = shop.app.jinja_loader
    assert isinstance(loader, FileSystemLoader)
    loader.searchpath.insert(0, str(folder))


def test_a_host_may_word_a_page_of_ours_anew(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "consentkit"
    folder.mkdir(parents=True)
    (folder / "result.html").write_text("{{ page.lines[0].said }} Thank you.")
    shop = host(tmp_path)
    _add_templates(shop, tmp_path / "templates")

    page = answer(shop.client(MAYA), "credit-score", {"acme-credit": "refused"})

    assert page.text.endswith("Thank you.")


def test_a_notice_worded_by_the_host_is_another_notice(tmp_path: Path) -> None:
    plain = host(tmp_path / "plain").client(MAYA).get("/").text
    shop = host(tmp_path / "other")
    folder = tmp_path / "templates" / "consentkit"
    folder.mkdir(parents=True)
    loader = shop.app.jinja_env.loader
    assert loader is not None
    source, _, _ = loader.get_source(shop.app.jinja_env, "consentkit/notice.html")
    (folder / "notice.html").write_text(source + "{#- ours #}")
    _add_templates(shop, tmp_path / "templates")
    other = shop.client(MAYA).get("/").text

    assert FRAGMENT.findall(plain) == FRAGMENT.findall(other)
    assert FINGERPRINT.findall(plain) != FINGERPRINT.findall(other)


@pytest.mark.requirement("R14")
def test_the_machine_readable_notice_names_the_same_things_as_the_text(
    maya: FlaskClient,
) -> None:
    page = maya.get("/consent/ask/shop-offers").text
    (digest,) = set(FINGERPRINT.findall(page))
    manifest = json.loads(maya.get(f"/consent/notices/{digest}.json").data)
    asked = {(each["purpose"], each["recipient"]) for each in manifest["offers"]}

    in_text = re.findall(r'name="choice\.([a-z-]+)\.([a-z-]+)"', page)
    assert asked == set(in_text)
    assert {each["name"] for each in manifest["controls"]} == {
        f"choice.{purpose}.{recipient}" for purpose, recipient in asked
    }
    assert {each["initial"] for each in manifest["controls"]} == {"off"}
    (data,) = {tuple(each["data"]) for each in manifest["offers"]}
    titles = {
        each.id: str(each.title)
        for each in (declared.SPENDING, declared.CITY, declared.MESSAGES)
    }
    assert data == tuple(id_ for id_, title in titles.items() if title in page)
