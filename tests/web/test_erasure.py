"""Somebody erases their records: told everything first, by one press, once."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # it has no types

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.service.erasing import sweep
from consentkit.service.rebuilding import differences
from consentkit.testing import answer
from consentkit.testing import form_token
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

PAGE = "/consent/erasure"


def live(shop: Host, client: FlaskClient, subject: str = MAYA) -> None:
    """Somebody agrees, and their data is shared."""
    answer(client, "credit-score", {"acme-credit": "given"})
    with (
        shop.app.app_context(),
        shop.consent.share(
            subject, "credit-score", recipient="acme-credit", data=["spending"]
        ),
    ):
        pass


def press(client: FlaskClient) -> tuple[int, str]:
    """Open the page and press its button."""
    form = {"token": form_token(client.get(PAGE).text)}
    sent = client.post(PAGE, data=form, follow_redirects=True)
    return sent.status_code, sent.text


@pytest.fixture
def agreed(shop: Host, maya: FlaskClient, tom: FlaskClient) -> Host:
    live(shop, maya)
    live(shop, tom, TOM)
    return shop


@pytest.mark.requirement("R92")
def test_the_page_says_what_goes_what_stays_and_why(
    agreed: Host, maya: FlaskClient
) -> None:
    page = maya.get(PAGE).text

    for told in (
        "What you allowed ends at once.",
        "of who received your data.",
        "2 entries in the log",
        "Entries stay as long as the log, so that anyone can check it is whole.",
        "hold your records until newer backups take their place.",
        "Ask them to erase your data as well.",
        "Acme Credit Scoring Ltd",
        "This cannot be undone.",
    ):
        assert told in page
    assert "Corner Shops" not in page
    (receipt,) = re.findall(r'href="(/consent/receipts/[0-9a-f]{32}\.json)"', page)
    assert maya.get(receipt).status_code == 200
    assert 'href="/consent/disclosures.json"' in page
    assert agreed.acts() == 4


@pytest.mark.requirement("R92")
def test_each_receipt_says_what_it_is_of_and_who_can_no_longer_answer_is_named(
    agreed: Host, maya: FlaskClient
) -> None:
    assert "Who can answer for you" not in maya.get(PAGE).text
    answer(maya, "credit-score", {"acme-credit": "refused"})
    answer(maya, "shop-offers", {"controller": "given"})
    with agreed.app.app_context():
        for name in ("Lee", "Kim"):
            ends = datetime.now(UTC) + timedelta(days=9)
            purposes = ["credit-score"]
            agreed.consent.delegate(
                MAYA, to=name, label=name, purposes=purposes, until=ends
            )
    page = maya.get(PAGE).text

    told = re.findall(r"<li><p><a[^>]+/receipts/[^>]+>.*?</a></p><p>(.*?)</p>", page)
    assert len(told) == len(set(told)) == 3
    assert all("Acme Credit" in each or "Wallet" in each for each in told)
    assert "<bdi>Lee</bdi> and <bdi>Kim</bdi>" in page
    (folded,) = re.findall("<details [^>]*>.*?</details>", page, re.DOTALL)
    assert folded.count("/receipts/") == 3
    assert page.index("<details ") < page.index("Erase my records now")


def test_the_centre_leads_there(maya: FlaskClient) -> None:
    assert f'href="{PAGE}"' in maya.get("/consent/").text


@pytest.mark.requirement("R92")
def test_one_press_erases_this_person_and_nobody_else(
    agreed: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    status, page = press(maya)

    assert status == 200
    assert "Your records are erased" in page
    assert "You are still signed in" in page
    assert [row[0] for row in agreed.grants()] == [TOM]
    assert not agreed.allows(MAYA)
    assert agreed.allows(TOM)
    assert agreed.sql("SELECT subject FROM consent_subject") == [(TOM,)]
    for path in ("", "disclosures", "export"):
        told = maya.get(f"/consent/{path}").text
        # It was shared: that the list is gone does not undo it.
        assert "Nobody has received" not in told
        assert "After you erase your records, we hold no list" in told
    centre = maya.get("/consent/")
    assert centre.status_code == 200
    assert "You share data with <strong>nobody</strong>" in centre.text
    assert "Acme" in tom.get("/consent/").text
    installation = agreed.state.installation
    agreed.publish()
    verified = verify_log(
        FolderSource(installation.log_folder),
        trust=Trust.of(installation.keyring.vkeys),
    )
    assert verified.kinds["erasure"] == 1
    assert list(differences(installation)) == []


def test_a_page_does_not_wait_for_the_bytes_and_the_publisher_sees_to_them(
    agreed: Host, maya: FlaskClient
) -> None:
    press(maya)
    erasures = agreed.state.installation.erasures
    assert erasures.residue() is not None
    published = agreed.app.test_cli_runner().invoke(args=["consent", "publish"])
    assert published.exit_code == 0
    assert erasures.residue() is None
    assert sweep(agreed.state.installation)


def test_a_second_press_of_the_same_button_erases_nothing_more(
    agreed: Host, maya: FlaskClient
) -> None:
    form = {"token": form_token(maya.get(PAGE).text)}
    first = maya.post(PAGE, data=form)
    acts = agreed.acts()

    again = maya.post(PAGE, data=form)

    assert again.status_code == first.status_code == 303
    assert again.location == first.location == "/consent/erased"
    assert agreed.acts() == acts


@pytest.mark.requirement("R115")
def test_a_button_from_before_does_not_erase_what_came_after(
    agreed: Host, maya: FlaskClient
) -> None:
    form = {"token": form_token(maya.get(PAGE).text)}
    maya.post(PAGE, data=form)
    answer(maya, "credit-score", {"acme-credit": "given"})

    assert maya.post(PAGE, data=form).status_code == 409
    assert agreed.allows(MAYA)


@pytest.mark.requirement("R116")
def test_somebody_elses_button_erases_nobody(
    agreed: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    form = {"token": form_token(tom.get(PAGE).text)}
    assert maya.post(PAGE, data=form).status_code == 403
    assert len(agreed.grants()) == 2


BAD_FORMS: dict[str, dict[str, str]] = {
    "no token": {},
    "an empty token": {"token": ""},
    "a made-up token": {"token": "eyJoIjoiIn0.x.y"},
}


@pytest.mark.requirement("R115")
@pytest.mark.parametrize("form", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_form_that_is_not_ours_erases_nobody(
    agreed: Host, maya: FlaskClient, form: dict[str, str]
) -> None:
    assert maya.post(PAGE, data=form).status_code == 403
    assert len(agreed.grants()) == 2


@pytest.mark.requirement("R115")
def test_the_token_of_another_form_erases_nobody(
    agreed: Host, maya: FlaskClient
) -> None:
    stop = agreed.state.tokens.issue_stop(MAYA)
    assert maya.post(PAGE, data={"token": stop}).status_code == 403
    erasing = {"token": form_token(maya.get(PAGE).text)}
    assert maya.post("/consent/revocations", data=erasing).status_code == 403
    assert len(agreed.grants()) == 2


@pytest.mark.requirement("R115")
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}],
    ids=["told by the browser", "another origin"],
)
def test_another_site_cannot_press_the_button(
    agreed: Host, maya: FlaskClient, headers: dict[str, str]
) -> None:
    form = {"token": form_token(maya.get(PAGE).text)}
    assert maya.post(PAGE, data=form, headers=headers).status_code == 403
    assert len(agreed.grants()) == 2


def test_the_hosts_own_protection_finds_its_token(tmp_path: Path) -> None:
    def protect(app: Flask) -> None:
        CSRFProtect(app)

    shop = host(tmp_path, before=protect)
    maya = shop.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})
    page = maya.get(PAGE).text
    (csrf,) = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    form = {"token": form_token(page)}
    assert maya.post(PAGE, data=form).status_code == 400
    assert maya.post(PAGE, data={**form, "csrf_token": csrf}).status_code == 303
    assert shop.grants() == []


def test_nobody_who_is_not_signed_in_gets_there(nobody: FlaskClient) -> None:
    assert nobody.get(PAGE).status_code == 401
    assert nobody.post(PAGE, data={"token": "x"}).status_code == 401


def test_where_nothing_is_held_there_is_no_button(
    shop: Host, maya: FlaskClient
) -> None:
    page = maya.get(PAGE).text
    assert "There is nothing to erase." in page
    assert "<form" not in page
    assert shop.acts() == 0


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_nothing_is_erased_but_by_post(
    agreed: Host, maya: FlaskClient, method: str
) -> None:
    form = {"token": form_token(maya.get(PAGE).text)}
    maya.open(PAGE, method=method, data=form)
    maya.get(PAGE, query_string=form)
    assert len(agreed.grants()) == 2


@pytest.mark.requirement("R92")
def test_the_app_erases_by_one_call(agreed: Host) -> None:
    with agreed.app.app_context():
        done = agreed.consent.erase(
            MAYA, reason="account-closed", by="dpo@shop.example"
        )
        again = agreed.consent.erase(MAYA, reason="account-closed")
    assert done.leaf is not None
    assert done.swept
    assert again.leaf is None
    assert [row[0] for row in agreed.grants()] == [TOM]


@pytest.mark.requirement("R57", "R92")
def test_who_has_the_data_is_told_as_the_page_says(shop: Host) -> None:
    client = shop.client(MAYA)
    answer(client, "credit-score", {"acme-credit": "given"})
    with (
        shop.app.test_request_context(),
        shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ),
    ):
        pass
    assert (
        "We tell them that your records are erased."
        in client.get("/consent/erasure").text
    )
    with shop.app.app_context():
        shop.consent.erase(MAYA, reason="request")
    assert shop.sql("SELECT recipient, event FROM consent_delivery") == [
        ("acme-credit", "consent.erased")
    ]
