"""Somebody takes along all that is held about them, to read and to prove it."""

from __future__ import annotations

import hashlib
import json
import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import Markup

from consentkit.audit import Trust
from consentkit.audit import verify_receipt
from consentkit.core import canonical
from consentkit.core.record import ConsentRecord
from consentkit.errors import ConsentDeniedError
from consentkit.errors import LogUnavailableError
from consentkit.store.deliveries import Deliveries
from consentkit.testing import answer
from consentkit.testing import form_token
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

PAGE, FILE, API = "/consent/export", "/consent/export.json", "/consent/api/v1/export"
MANY = 5_000  # disclosures: somebody whose data is shared daily, for fourteen years
MEMBERS = [
    *("schema_version", "made", "pii_principal_id", "controller", "logs", "answers"),
    *("receipts", "notices", "disclosures", "batches", "notifications", "delegations"),
    *("reminders", "of_age"),
]


def live(shop: Host, client: FlaskClient, subject: str = MAYA) -> None:
    """Somebody agrees, declines, is shared about, is protected, and stops it."""
    answer(client, "credit-score", {"acme-credit": "given"})
    answer(client, "shop-offers", {"corner-shops": "refused", "controller": "given"})
    with shop.app.app_context():
        share = shop.consent.share(
            subject, "credit-score", recipient="acme-credit", data=["spending"]
        )
        with share:
            pass
        with pytest.raises(ConsentDeniedError):
            shop.consent.share(
                subject, "shop-offers", recipient="corner-shops"
            ).__enter__()
    client.post("/consent/revocations", data={"token": stop_score(client)})
    shop.publish()


def stop_score(client: FlaskClient) -> str:
    card = next(
        part
        for part in client.get("/consent/").text.split("<article")
        if 'data-ck-recipient="acme-credit"' in part
    )
    return form_token(card)


@pytest.fixture
def lived(shop: Host, maya: FlaskClient, tom: FlaskClient) -> Host:
    live(shop, maya)
    live(shop, tom, TOM)
    return shop


def export(client: FlaskClient) -> dict[str, Any]:
    return body_of(client.get(FILE))


def count(shop: Host, table: str, where: str) -> int:
    return int(shop.sql(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])  # noqa: S608  our own words


@pytest.mark.requirement("R91", "R51")
def test_the_file_holds_as_much_as_the_database(lived: Host, maya: FlaskClient) -> None:
    file = export(maya)

    assert list(file) == MEMBERS
    handle = file["pii_principal_id"]
    mine = f"subject = '{MAYA}'"
    acts = f"handle = '{handle}' AND kind IN ('choice', 'revocation')"
    assert len(file["answers"]) == count(lived, "consent_state", mine) == 3
    assert len(file["receipts"]) == count(lived, "consent_leaf", acts) == 3
    assert len(file["disclosures"]) == count(lived, "consent_disclosure", mine) == 2
    told = count(lived, "consent_delivery", f"handle = '{handle}'")
    assert len(file["notifications"]) == told > 0
    shown = {each["record"]["privacy_notice"]["sha256"] for each in file["receipts"]}
    assert {each["sha256"] for each in file["notices"]} == shown - {""}


@pytest.mark.requirement("R91", "R48", "R49")
def test_each_receipt_in_the_file_holds_without_us(
    lived: Host, maya: FlaskClient
) -> None:
    file = export(maya)
    (log,) = file["logs"]
    keyring = lived.state.installation.keyring
    assert log == {"origin": keyring.origin, "vkeys": [keyring.log.vkey]}
    trust = Trust.of(keyring.vkeys)

    for each in file["receipts"]:
        shown = json.dumps({"disclosures": each["disclosures"]}).encode()
        proof = each["tlog_proof"].encode()
        verified = verify_receipt(proof, trust=trust, disclosures=shown)
        assert verified.leaf.id == each["receipt_id"]
        assert verified.leaf.data.decode() == each["leaf"]
        assert dict(verified.evidence) == each["facts"]
        assert ConsentRecord.from_dict(each["record"]).act.id == each["receipt_id"]


@pytest.mark.requirement("R91", "R13")
@pytest.mark.usefixtures("lived")
def test_each_notice_in_the_file_is_what_was_shown(maya: FlaskClient) -> None:
    for each in export(maya)["notices"]:
        html, manifest = each["html"], each["manifest"]
        assert each["sha256"] == canonical.digest(manifest)
        assert hashlib.sha256(html.encode()).hexdigest() == manifest["html_sha256"]
        text = hashlib.sha256(each["text"].encode()).hexdigest()
        assert text == manifest["text_sha256"]
        assert maya.get(f"/consent/notices/{each['sha256']}.html").text == html


@pytest.mark.requirement("R91", "R77")
@pytest.mark.usefixtures("lived")
def test_the_file_tells_what_stands_who_got_what_and_who_was_told(
    maya: FlaskClient,
) -> None:
    file = export(maya)

    stands = {(each["recipient"], each["event_state"]) for each in file["answers"]}
    assert stands == {
        ("acme-credit", "withdrawn"),
        ("corner-shops", "refused"),
        ("controller", "given"),
    }
    newest, oldest = file["disclosures"]
    assert (oldest["shared"], oldest["recipient_name"]) == (True, declared.CREDIT.name)
    assert (newest["shared"], newest["reason"]) == (False, "refused")
    assert oldest["record_id"] in {each["receipt_id"] for each in file["receipts"]}
    told = {each["recipient"]: each["event"] for each in file["notifications"]}
    assert told["acme-credit"] == "consent.ended"


@pytest.mark.requirement("R91", "R116")
@pytest.mark.usefixtures("lived")
def test_an_export_is_of_ones_own_alone(
    maya: FlaskClient, tom: FlaskClient, nobody: FlaskClient
) -> None:
    mine, theirs = export(maya), export(tom)

    assert mine["pii_principal_id"] != theirs["pii_principal_id"]
    ids = {each["receipt_id"] for each in theirs["receipts"]}
    ids |= {each["id"] for each in theirs["disclosures"] + theirs["notifications"]}
    ids |= {theirs["pii_principal_id"]}
    for path in (FILE, PAGE, API):
        text = maya.get(path).text
        assert not [each for each in ids if each in text]
        assert TOM not in text
        assert nobody.get(path).status_code == 401
        assert "Acme" not in nobody.get(path).text


def test_the_file_is_named_for_its_day_and_never_kept(maya: FlaskClient) -> None:
    for path in (FILE, API):
        headers = maya.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Type"] == "application/json"
        assert re.fullmatch(
            r'attachment; filename="consent-records-\d{4}-\d\d-\d\d\.json"',
            headers["Content-Disposition"],
        )


@pytest.mark.requirement("R91")
@pytest.mark.usefixtures("lived")
def test_the_interface_gives_the_same_file(maya: FlaskClient) -> None:
    file, api = export(maya), body_of(maya.get(API))

    assert {**file, "made": ""} == {**api, "made": ""}
    refused = maya.post(API, json={})
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.requirement("R91")
@pytest.mark.usefixtures("lived")
def test_the_page_says_it_all_in_words(maya: FlaskClient) -> None:
    page, file = maya.get(PAGE).text, export(maya)

    for each in file["receipts"]:
        assert each["receipt_id"] in page
    for told in (
        "You <strong>stopped</strong> sharing with",
        "Refused: you had said no.",
        "Shared.",
        "We are telling <bdi>Acme Credit Scoring Ltd</bdi>.",
        "All of it as a file",
        "browser, page and language of each answer",
        file["pii_principal_id"],
    ):
        assert told in page
    for notice in file["notices"]:
        assert notice["sha256"] in page
    # The words of the notice, but none of its controls.
    assert Markup.escape(declared.SCORE.description) in page
    assert "<button" not in page
    assert "<form" not in page
    # The page does not show all of it, so it does not say that it does.
    assert "all that we hold" not in page
    assert not {"user_agent", "path", "locale"} - set(file["receipts"][-1]["facts"])


@pytest.mark.requirement("R57", "R91")
def test_the_page_says_what_ended_of_which_somebody_is_told(
    shop: Host, maya: FlaskClient
) -> None:
    live(shop, maya)
    answer(maya, "credit-score", {"acme-credit": "given"})
    with (
        shop.app.app_context(),
        shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data=["spending"]
        ),
    ):
        pass
    maya.post("/consent/revocations", data={"token": stop_score(maya)})

    page = maya.get(PAGE).text
    _, _, told = page.partition('id="consentkit-told"')
    told, _, _ = told.partition("</section>")

    title = f"“<bdi>{declared.SCORE.title}</bdi>” ended on <time "
    assert told.count("<li>") == told.count(title) == 2


def test_somebody_about_whom_nothing_is_held_is_told_so(maya: FlaskClient) -> None:
    file, page = export(maya), maya.get(PAGE).text

    assert list(file) == MEMBERS
    assert file["pii_principal_id"] == ""
    assert not any(file[name] for name in MEMBERS[4:])
    assert "You have answered no question yet." in page
    assert "No share of your data stands here." in page


@pytest.mark.requirement("R91", "R92")
@pytest.mark.usefixtures("lived")
def test_the_centre_and_the_page_before_erasing_lead_there(maya: FlaskClient) -> None:
    for path in ("/consent/", "/consent/erasure"):
        page = maya.get(path).text
        assert f'href="{FILE}"' in page
        assert f'href="{PAGE}"' in page


def test_an_answer_that_waits_for_the_log_is_in_the_file_without_proof(
    maya: FlaskClient,
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})

    (receipt,) = export(maya)["receipts"]

    assert (receipt["index"], receipt["tlog_proof"]) == (None, None)
    assert receipt["leaf"]
    assert receipt["facts"]["path"] == "/consent/choices"


@pytest.mark.usefixtures("lived")
def test_a_database_that_is_down_is_told_before_the_first_byte(
    maya: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object) -> None:
        raise LogUnavailableError("the disk is gone")

    monkeypatch.setattr(Deliveries, "about", down)

    for path in (PAGE, FILE, API):
        sent = maya.get(path)
        assert sent.status_code == 503
        assert "gone" not in sent.text


def fill(shop: Host, rows: int) -> None:
    """Disclosures as years of daily shares leave them; several in one millisecond."""
    shop.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "  # noqa: S608  our own number
        f"i < {rows}) INSERT INTO consent_disclosure SELECT printf('%032x', i), "
        f"'{MAYA}', 1700000000000 + i / 3, 'credit-score', 'acme-credit', 'spending', "
        "'granted', '', 1 FROM n"
    )


def largest(chunks: Iterable[bytes]) -> tuple[int, int]:
    """(bytes of the largest chunk, bytes of all), none of them kept."""
    most = total = 0
    for each in chunks:
        most, total = max(most, len(each)), total + len(each)
    return most, total


@pytest.mark.requirement("R91")
def test_years_of_it_go_out_piece_by_piece(tmp_path: Path) -> None:
    shop = host(tmp_path)
    maya = shop.client(MAYA)
    for said in ("given", "refused") * 25:
        answer(maya, "credit-score", {"acme-credit": said})
    fill(shop, MANY)
    shop.publish()

    for path in (FILE, PAGE):
        maya.get(path).close()  # templates are compiled, modules are loaded
        tracemalloc.start()
        most, total = largest(maya.get(path, buffered=False).iter_encoded())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 64 * 1024
        assert peak < total
        assert total > 1_500_000
    file = export(maya)
    ids = [each["id"] for each in file["disclosures"]]
    assert len(ids) == len(set(ids)) == MANY
    assert len(file["receipts"]) == 50
    times = [each["time"] for each in file["disclosures"]]
    assert times == sorted(times, reverse=True)


def test_the_app_gets_the_same_value(lived: Host, maya: FlaskClient) -> None:
    with lived.app.app_context():
        value = lived.consent.export(MAYA)

    assert {**json.loads(json.dumps(value)), "made": ""} == {**export(maya), "made": ""}
