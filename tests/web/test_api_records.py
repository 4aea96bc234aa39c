"""Receipts, shares and notices over JSON: the person's own, page by page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from consentkit import ConsentDeniedError
from consentkit.audit import Trust
from consentkit.audit import verify_receipt
from consentkit.testing import answer
from tests.web.asking import API
from tests.web.asking import refusal
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.test_openapi import WHERE
from tests.web.test_openapi import check
from tests.web.test_representing import KIM
from tests.web.test_representing import LEE
from tests.web.test_representing import RUTH
from tests.web.test_representing import TOM
from tests.web.test_representing import acts
from tests.web.test_representing import delegated
from tests.web.test_representing import household

RECEIPTS, DISCLOSURES = f"{API}/receipts", f"{API}/disclosures"


@pytest.fixture
def lived(shop: Host, maya: FlaskClient) -> Host:
    """Maya said yes, said no, and was shared about twice, once in vain."""
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "refused"})
    with shop.app.app_context():
        with shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ):
            pass
        with pytest.raises(ConsentDeniedError):
            shop.consent.share(
                MAYA, "shop-offers", recipient="corner-shops"
            ).__enter__()
    shop.publish()
    return shop


@pytest.mark.requirement("R48", "R49", "R51")
def test_a_receipt_is_found_in_the_list_and_proves_itself(
    lived: Host, maya: FlaskClient
) -> None:
    listed = body_of(maya.get(RECEIPTS))
    assert (listed["total"], listed["next_url"]) == (2, None)
    newest, first = listed["receipts"]
    assert [each["state"] for each in first["choices"]] == ["given"]
    assert {each["state"] for each in newest["choices"]} == {"requested", "refused"}

    sent = maya.get(first["url"])
    found = body_of(sent)
    assert sent.headers["Cache-Control"] == "no-store"
    assert found["receipt_id"] == first["receipt_id"]
    trust = Trust.of(lived.state.installation.keyring.vkeys)
    assert verify_receipt(found["tlog_proof"].encode(), trust=trust)
    assert found == next(
        each
        for each in body_of(maya.get("/consent/export.json"))["receipts"]
        if each["receipt_id"] == first["receipt_id"]
    )


@pytest.mark.requirement("R77")
@pytest.mark.usefixtures("lived")
def test_the_list_of_shares_comes_in_parts_and_of_one_recipient(
    maya: FlaskClient,
) -> None:
    page, found = f"{DISCLOSURES}?limit=1", []
    while page:
        body = body_of(maya.get(page))
        assert body["total"] == 2
        found += body["disclosures"]
        page = body["next_url"]
    assert [each["shared"] for each in found] == [False, True]
    only = body_of(maya.get(f"{DISCLOSURES}?recipient=acme-credit"))
    assert [each["recipient"] for each in only["disclosures"]] == ["acme-credit"]


@pytest.mark.requirement("R13")
@pytest.mark.usefixtures("lived")
def test_a_notice_is_there_for_everybody_word_for_word(
    maya: FlaskClient, nobody: FlaskClient
) -> None:
    digest = body_of(maya.get(RECEIPTS))["receipts"][0]["notice"]

    sent = nobody.get(f"{API}/notices/{digest}")

    assert "immutable" in sent.headers["Cache-Control"]
    notice = body_of(sent)
    assert notice["html"] == nobody.get(f"/consent/notices/{digest}.html").text
    assert notice["manifest"] == json.loads(
        nobody.get(f"/consent/notices/{digest}.json").text
    )
    refusal(nobody.get(f"{API}/notices/{'0' * 64}"), "not-found")


@pytest.mark.requirement("R53")
@pytest.mark.usefixtures("lived")
def test_nobody_sees_what_is_somebody_elses(
    maya: FlaskClient, tom: FlaskClient, nobody: FlaskClient
) -> None:
    url = body_of(maya.get(RECEIPTS))["receipts"][0]["url"]

    refusal(tom.get(url), "not-found")
    assert body_of(tom.get(RECEIPTS))["receipts"] == []
    assert body_of(tom.get(DISCLOSURES))["disclosures"] == []
    for address in (url, RECEIPTS, DISCLOSURES):
        refusal(nobody.get(address), "sign-in")


@pytest.mark.requirement("R84")
def test_a_parent_sees_the_childs_and_a_delegate_nothing(tmp_path: Path) -> None:
    home = household(tmp_path)
    delegated(home, "credit-score")
    answer(home.client(TOM), "credit-score", {"acme-credit": "given"})
    answer(acts(home, RUTH, "parent"), "credit-score", {"acme-credit": "given"})
    lee = acts(home, LEE, "delegate", TOM)

    assert body_of(acts(home, RUTH, "parent").get(RECEIPTS))["total"] == 1
    assert body_of(home.client(KIM).get(RECEIPTS))["total"] == 1
    for address in (RECEIPTS, f"{RECEIPTS}/{'0' * 32}", DISCLOSURES):
        refusal(lee.get(address), "forbidden")


QUERIES = ("limit=0", "limit=201", "limit=x", "after=-1", "recipients=a", "recipient=A")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_means_nothing_is_refused(maya: FlaskClient, query: str) -> None:
    refusal(maya.get(f"{DISCLOSURES}?{query}"), "invalid-request")


@pytest.mark.usefixtures("lived")
def test_the_document_says_what_these_answer(maya: FlaskClient) -> None:
    described = body_of(maya.get(WHERE))
    listed = maya.get(f"{RECEIPTS}?limit=1")
    newest = body_of(listed)["receipts"][0]

    check(described, RECEIPTS, listed)
    check(described, RECEIPTS, maya.get(f"{RECEIPTS}?limit=0"))
    check(described, f"{RECEIPTS}/{{receipt_id}}", maya.get(newest["url"]))
    check(described, f"{RECEIPTS}/{{receipt_id}}", maya.get(f"{RECEIPTS}/x"))
    check(described, DISCLOSURES, maya.get(DISCLOSURES))
    notice = f"{API}/notices/{newest['notice']}"
    check(described, f"{API}/notices/{{digest}}", maya.get(notice))
    names = {
        each["name"]
        for each in described["paths"][DISCLOSURES]["get"]["parameters"]
        if each["in"] == "query"
    }
    assert names == {"after", "limit", "recipient"}
