"""The person's own pages: what stands, how to end it, who got what, the receipt."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from consentkit.audit import Trust
from consentkit.audit import verify_receipt
from consentkit.errors import ConsentDeniedError
from consentkit.testing import answer
from consentkit.testing import form_token
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

RECEIPT = re.compile(r"/consent/receipts/([0-9a-f]{32})")


def groups(page: str) -> dict[str, str]:
    """The centre's sections by the id of their heading."""
    parts = re.split(r'<section [^>]*aria-labelledby="consentkit-(\w+)">', page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def share(shop: Host, subject: str, times: int = 1) -> None:
    with shop.app.app_context():
        for _ in range(times):
            with shop.consent.share(
                subject, "credit-score", recipient="acme-credit", data=["spending"]
            ):
                pass


def receipt_of(client: FlaskClient, said: str = "given") -> str:
    page = answer(client, "credit-score", {"acme-credit": said}).text
    return str(RECEIPT.findall(page)[0])


def test_somebody_who_was_never_asked_sees_that_this_is_fine(maya: FlaskClient) -> None:
    page = maya.get("/consent/").text

    assert "You share data with <strong>nobody</strong>" in page
    assert "You have agreed to nothing. That is fine." in page
    assert "No share of your data stands here." in page
    for purpose in ("credit-score", "shop-offers", "night-help"):
        assert f'href="/consent/ask/{purpose}"' in groups(page)["asks"]


@pytest.mark.requirement("R52")
def test_the_centre_lists_what_stands_in_three_groups(maya: FlaskClient) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "refused"})
    token = form_token(groups(maya.get("/consent/").text)["agreed"])
    maya.post("/consent/revocations", data={"token": token})

    found = groups(maya.get("/consent/").text)

    assert found["agreed"].count("<article") == 1
    assert "Acme Credit Scoring Ltd" in found["agreed"]
    assert "Not used" in found["declined"]
    assert "Corner Shops Network Ltd" in found["ended"]
    assert "You stopped it on" in found["ended"]
    assert "asks" in found
    assert "night-help" in found["asks"]


@pytest.mark.requirement("R53", "R54", "R61")
def test_one_press_stops_one_recipient_and_a_second_press_does_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "given"})
    card = next(
        part
        for part in maya.get("/consent/").text.split("<article")
        if 'data-ck-recipient="corner-shops"' in part
    )
    form = {"token": form_token(card)}

    page = maya.post("/consent/revocations", data=form, follow_redirects=True)
    acts = shop.acts()
    again = maya.post("/consent/revocations", data=form, follow_redirects=True)

    assert page.status_code == again.status_code == 200
    assert "You <strong>stopped</strong> sharing with" in page.text
    assert "There was nothing left to stop" in again.text
    assert shop.acts() == acts
    assert {each[2] for each in shop.grants()} == {"acme-credit", "controller"}


@pytest.mark.requirement("R54", "R55")
def test_one_press_stops_everything(shop: Host, maya: FlaskClient) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "given"})
    everything = form_token(maya.get("/consent/").text)

    maya.post("/consent/revocations", data={"token": everything})

    assert shop.grants() == []
    assert not shop.allows(MAYA)


def test_the_button_for_everything_is_there_only_where_there_is_more_than_one_thing(
    maya: FlaskClient,
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert "Stop all sharing" not in maya.get("/consent/").text

    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "refused"})
    assert "Stop all sharing" in maya.get("/consent/").text


@pytest.mark.requirement("R115")
def test_what_a_stop_button_stops_stands_in_its_token_and_nowhere_else(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "refused"})
    token = shop.state.tokens.issue_stop(MAYA, "shop-offers", "corner-shops")

    maya.post("/consent/revocations", data={"token": token, "purpose": "credit-score"})

    assert [each[1] for each in shop.grants()] == ["credit-score"]


@pytest.mark.requirement("R116")
def test_a_stop_button_of_one_person_stops_nothing_for_another(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(tom, "credit-score", {"acme-credit": "given"})
    of_tom = form_token(tom.get("/consent/").text)

    assert maya.post("/consent/revocations", data={"token": of_tom}).status_code == 403
    assert len(shop.grants()) == 2


def test_an_answer_form_stops_nothing_and_a_stop_button_answers_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    stop = shop.state.tokens.issue_stop(MAYA)
    ask = re.findall(
        r'name="token" value="([^"]+)"', maya.get("/consent/ask/credit-score").text
    )[-1]

    assert maya.post("/consent/revocations", data={"token": ask}).status_code == 403
    form = {"token": stop, "choice.credit-score.acme-credit": "refused"}
    assert maya.post("/consent/choices", data=form).status_code == 403
    assert shop.allows(MAYA)


PRIVATE = [
    "/consent/",
    "/consent/export",
    "/consent/export.json",
    "/consent/disclosures",
    "/consent/receipts/{id}",
    "/consent/receipts/{id}.json",
    "/consent/receipts/{id}.tlog-proof",
]


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.requirement("R116")
def test_a_page_of_somebodys_own_is_for_who_is_signed_in(
    path: str, maya: FlaskClient, nobody: FlaskClient
) -> None:
    receipt = receipt_of(maya)

    answered = nobody.get(path.format(id=receipt))

    assert answered.status_code == 401
    assert receipt not in answered.text
    assert "Acme" not in answered.text


@pytest.mark.parametrize("ending", ["", ".json", ".tlog-proof"])
@pytest.mark.requirement("R51", "R116")
def test_somebody_elses_receipt_is_as_absent_as_one_that_never_was(
    ending: str, shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    receipt = receipt_of(maya)
    receipt_of(tom)
    shop.publish()

    theirs = tom.get(f"/consent/receipts/{receipt}{ending}")
    none = tom.get(f"/consent/receipts/{'0' * 32}{ending}")

    assert maya.get(f"/consent/receipts/{receipt}{ending}").status_code == 200
    assert theirs.status_code == none.status_code == 404
    assert theirs.data == none.data


@pytest.mark.requirement("R77", "R116")
def test_nobody_sees_who_received_the_data_of_somebody_else(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    receipt = receipt_of(maya)
    share(shop, MAYA)

    assert receipt in maya.get("/consent/disclosures").text
    for path in ("/consent/", "/consent/disclosures"):
        page = tom.get(path).text
        assert "No share of your data stands here." in page
        assert receipt not in page


@pytest.mark.requirement("R116")
def test_the_id_of_a_share_opens_nothing(shop: Host, maya: FlaskClient) -> None:
    """A receipt is of something the person did; a share is none."""
    receipt_of(maya)
    share(shop, MAYA)
    ((disclosure,),) = shop.sql("SELECT id FROM consent_disclosure")

    assert maya.get(f"/consent/receipts/{disclosure}").status_code == 404


@pytest.mark.requirement("R47")
@pytest.mark.parametrize("said", ["given", "refused", "deferred"])
def test_each_answer_gets_a_receipt_to_read_and_as_files(
    said: str, shop: Host, maya: FlaskClient
) -> None:
    receipt = receipt_of(maya, said)
    shop.publish()

    page = maya.get(f"/consent/receipts/{receipt}")
    data = maya.get(f"/consent/receipts/{receipt}.json")
    proof = maya.get(f"/consent/receipts/{receipt}.tlog-proof")

    assert "The log holds this entry." in page.text
    assert receipt in page.text
    assert body_of(data)["receipt_id"] == receipt
    assert body_of(data)["record"]["record_id"] == receipt
    assert body_of(data)["record"]["events"][0]["event_state"] == said
    assert body_of(data)["tlog_proof"].encode() == proof.data
    for file in (data, proof):
        assert file.headers["Content-Disposition"].startswith("attachment; filename=")


@pytest.mark.requirement("R47")
def test_stopping_gets_a_receipt_as_well(maya: FlaskClient) -> None:
    receipt_of(maya)
    token = form_token(maya.get("/consent/").text)

    page = maya.post(
        "/consent/revocations", data={"token": token}, follow_redirects=True
    )
    (receipt,) = RECEIPT.findall(page.text)

    assert (
        "You <strong>stopped</strong>" in maya.get(f"/consent/receipts/{receipt}").text
    )


@pytest.mark.requirement("R48", "R49")
def test_the_files_of_a_receipt_hold_without_us(shop: Host, maya: FlaskClient) -> None:
    receipt = receipt_of(maya)
    shop.publish()
    proof = maya.get(f"/consent/receipts/{receipt}.tlog-proof").data

    verified = verify_receipt(
        proof, trust=Trust.of(shop.state.installation.keyring.vkeys)
    )

    assert verified.leaf.id == receipt


@pytest.mark.requirement("R48", "R49")
def test_the_keys_to_check_a_receipt_with_check_both_of_its_signatures(
    shop: Host, maya: FlaskClient
) -> None:
    receipt = receipt_of(maya)
    shop.publish()
    proof = maya.get(f"/consent/receipts/{receipt}.tlog-proof").data
    page = unescape(shop.client().get("/consent/checking").text)
    keys = re.findall("--key '([^']+)'", page)

    keyring = shop.state.installation.keyring
    assert sorted(keys) == sorted([keyring.log.vkey, keyring.collector.vkey])
    assert verify_receipt(proof, trust=Trust.of(keys)).leaf.id == receipt


def test_a_receipt_before_publication_is_a_promise_and_says_so(
    maya: FlaskClient,
) -> None:
    receipt = receipt_of(maya)

    page = maya.get(f"/consent/receipts/{receipt}")
    proof = maya.get(f"/consent/receipts/{receipt}.tlog-proof")

    assert "The log has promised to take this entry" in page.text
    assert ".tlog-proof" not in page.text
    assert proof.status_code == 503
    assert proof.content_type == "application/problem+json"
    assert proof.headers["Retry-After"] == "1"
    assert body_of(maya.get(f"/consent/receipts/{receipt}.json"))["tlog_proof"] is None


@pytest.mark.requirement("R77")
def test_the_list_of_shares_is_paged_and_complete(
    shop: Host, maya: FlaskClient
) -> None:
    receipt_of(maya)
    share(shop, MAYA, times=53)
    with shop.app.app_context(), pytest.raises(ConsentDeniedError):
        shop.consent.share(MAYA, "shop-offers", recipient="corner-shops").__enter__()

    first = maya.get("/consent/disclosures").text
    (older,) = re.findall(r'href="([^"]+)">Older entries', first)
    second = maya.get(older).text

    assert first.count("<tr role") + second.count("<tr role") == 54 + 2
    assert "Refused: you had not answered." in first
    assert re.findall(r'href="([^"]+)">Newer entries', second) == [
        "/consent/disclosures"
    ]
    assert "Older entries" not in second
    assert (
        'href="/consent/disclosures"' in groups(maya.get("/consent/").text)["received"]
    )


@pytest.mark.requirement("R77", "R116")
def test_the_whole_list_can_be_taken_along_and_holds_nobody_elses(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    receipt = receipt_of(maya)
    assert "/disclosures.json" not in maya.get("/consent/disclosures").text
    share(shop, MAYA, times=3)
    with shop.app.app_context(), pytest.raises(ConsentDeniedError):
        shop.consent.share(MAYA, "shop-offers", recipient="corner-shops").__enter__()

    assert 'href="/consent/disclosures.json"' in maya.get("/consent/disclosures").text
    file = maya.get("/consent/disclosures.json")

    assert file.headers["Content-Disposition"].startswith("attachment")
    listed = json.loads(file.text)
    (refused,) = [entry for entry in listed if not entry["shared"]]
    shared = [entry for entry in listed if entry["shared"]]
    assert refused["reason"] == "not_asked"
    assert refused["record_id"] == ""
    assert len(shared) == 3
    for entry in shared:
        assert entry["recipient_name"] == declared.CREDIT.name
        assert entry["data"] == ["spending"]
        assert entry["record_id"] == receipt
        assert entry["time"].endswith("Z")
    assert json.loads(tom.get("/consent/disclosures.json").text) == []


@pytest.mark.requirement("R77")
def test_the_list_can_be_narrowed_to_one_recipient(
    shop: Host, maya: FlaskClient
) -> None:
    receipt_of(maya)
    share(shop, MAYA, times=52)
    assert "<select" not in maya.get("/consent/disclosures").text
    with shop.app.app_context(), pytest.raises(ConsentDeniedError):
        shop.consent.share(MAYA, "shop-offers", recipient="corner-shops").__enter__()

    whole = maya.get("/consent/disclosures?lang=en").text
    options = re.findall(r'<option value="([^"]*)"( selected)?>([^<]+)<', whole)
    only = maya.get("/consent/disclosures?recipient=acme-credit").text
    (older,) = re.findall(r'href="([^"]+)">Older entries', only)
    refused = maya.get("/consent/disclosures?recipient=corner-shops").text

    assert options == [
        ("", "", "everyone"),
        ("acme-credit", "", declared.CREDIT.name),
        ("corner-shops", "", declared.SHOP.name),
    ]
    assert '<input type="hidden" name="lang" value="en">' in whole
    assert "<td" in only
    assert declared.SHOP.name not in re.sub(
        "<select.*</select>", "", only, flags=re.DOTALL
    )
    assert '<option value="acme-credit" selected>' in only
    assert maya.get(older.replace("&amp;", "&")).text.count("<tr role") == 2 + 1
    assert refused.count("<tr role") == 1 + 1
    assert "Refused: you had not answered." in refused


@pytest.mark.parametrize("recipient", ["nobody", "", "acme-credit' OR 1", "\x00", "%"])
def test_a_recipient_who_is_not_on_the_list_narrows_nothing(
    recipient: str, shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    receipt_of(maya)
    share(shop, MAYA)

    asked = {"recipient": recipient}
    page = maya.get("/consent/disclosures", query_string=asked)

    assert page.status_code == 200
    assert page.text.count("<tr role") == 2
    page = tom.get("/consent/disclosures", query_string={"recipient": "acme-credit"})
    assert "No share of your data stands here." in page.text


@pytest.mark.parametrize(
    "after",
    ["-1", "x", "", "0", "1_0", "9" * 30, "-" + "9" * 30, "1e3", "\u0663", "\x00"],
)
def test_a_page_of_the_list_that_makes_no_sense_is_a_page_of_it(
    after: str, shop: Host, maya: FlaskClient
) -> None:
    receipt_of(maya)
    share(shop, MAYA)

    page = maya.get("/consent/disclosures", query_string={"after": after})

    assert page.status_code == 200


def test_the_centre_outlives_the_declarations_it_tells_of(tmp_path: Path) -> None:
    """What was agreed is listed and can be stopped after the purpose is gone."""
    first = host(tmp_path)
    receipt = receipt_of(first.client(MAYA))
    share(first, MAYA)
    then = host(tmp_path, registry=declared.registry(purposes=[declared.OFFERS]))
    client = then.client(MAYA)

    page = client.get("/consent/").text
    assert "credit-score" in page
    assert "acme-credit" in page
    assert client.get(f"/consent/receipts/{receipt}").status_code == 200
    token = form_token(page)
    assert client.post("/consent/revocations", data={"token": token}).status_code == 303
    assert then.grants() == []


def test_a_host_may_give_any_id_that_it_has(tmp_path: Path) -> None:
    shop = host(tmp_path)
    for subject in (7, UUID(int=7), "7" * 255, "ü/../%00?<b>", " ", "null"):
        shop.consent.subject_loader(lambda subject=subject: subject)
        client = shop.client()
        assert (
            answer(client, "credit-score", {"acme-credit": "given"}).status_code == 200
        )
        assert "Shared until" in client.get("/consent/").text
        with shop.app.app_context():
            assert shop.consent.check(
                subject, "credit-score", recipient="acme-credit", data=["spending"]
            )
    assert len(shop.grants()) == 6


def test_the_receipt_as_data_names_nobody(
    maya: FlaskClient,
) -> None:
    receipt = receipt_of(maya)
    data = json.loads(maya.get(f"/consent/receipts/{receipt}.json").data)

    assert set(data) == {
        "receipt_id",
        "record",
        "leaf",
        "index",
        "tlog_proof",
        "disclosures",
    }
    assert MAYA not in data["leaf"]
    assert TOM not in json.dumps(data)
