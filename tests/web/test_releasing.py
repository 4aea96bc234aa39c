"""What the person reads of a release by law, in their list and in their file."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consentkit import DeclarationError
from consentkit import InvalidRequestError
from consentkit.service.live import live_releases
from consentkit.testing import answer
from consentkit.web.gates import examine
from tests import declared
from tests import legal
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

SAID = "Released without your consent: the law requires it."
ORDER: dict[str, Any] = {
    "recipient": legal.COURT,
    "data": {declared.SPENDING},
    "basis": "legal-obligation",
    "by": "dpo@wallet.example",
    "reason": "Order 17/2026",
    "evidence": b"the order",
}


@pytest.fixture
def shop(tmp_path: Path) -> Host:
    return host(tmp_path, registry=legal.registry())


def release(shop: Host, **changes: Any) -> None:
    with (
        shop.app.app_context(),
        shop.consent.release_without_consent(
            MAYA, legal.ORDERS, **{**ORDER, **changes}
        ) as found,
    ):
        assert live_releases() == (found,)
        assert found.data == {"spending"}


@pytest.mark.requirement("R72", "R77")
def test_the_person_reads_who_got_what_and_by_which_kind_of_law(shop: Host) -> None:
    release(shop)
    page = shop.client(MAYA).get("/consent/disclosures").text
    for words in ("Crown Court at Leeds", "Your spending history", SAID):
        assert words in page
    assert "Obey the order of a court" in page
    assert "Order 17/2026" not in page
    (row,) = shop.client(MAYA).get("/consent/disclosures.json").get_json()
    assert (row["shared"], row["reason"]) == (True, "legal-obligation")
    assert row["recipient_name"] == "Crown Court at Leeds"
    assert SAID in shop.client(MAYA).get("/consent/export").text
    with shop.app.app_context():
        (taken,) = shop.consent.export(MAYA)["disclosures"]
    assert (taken["shared"], taken["reason"]) == (True, "legal-obligation")


@pytest.mark.requirement("R72")
def test_while_a_court_forbids_it_no_page_tells_and_every_page_says_it_could_be(
    shop: Host,
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "refused"})
    release(shop, barred_until=datetime.now(UTC) + timedelta(days=90))
    client = shop.client(MAYA)
    for place in ("", "disclosures", "disclosures.json", "export", "erasure"):
        assert "court" not in client.get(f"/consent/{place}").text.casefold()
    with shop.app.app_context():
        assert shop.consent.disclosures(MAYA) == []
    assert "as soon as that ends" in client.get("/consent/disclosures").text


def test_without_any_such_purpose_the_list_says_nothing_of_bars(
    tmp_path: Path,
) -> None:
    page = host(tmp_path).client(MAYA).get("/consent/disclosures").text
    assert "as soon as that ends" not in page


UNUSABLE: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "nobody": ({"by": ""}, InvalidRequestError, "the person behind"),
    "no reason": ({"reason": " "}, InvalidRequestError, "the reason behind"),
    "one category": ({"data": declared.SPENDING}, DeclarationError, "a collection"),
    "a time of nowhere": (
        {"barred_until": datetime(2099, 1, 1)},  # noqa: DTZ001  that is the fault
        InvalidRequestError,
        "time zone",
    ),
    "a day as text": (
        {"barred_until": "2099-01-01"},
        InvalidRequestError,
        "an instant with a time zone, .*; got str",
    ),
    "evidence is None": ({"evidence": None}, InvalidRequestError, "got NoneType"),
    "no evidence": ({"evidence": ""}, InvalidRequestError, "the document that"),
}


@pytest.mark.parametrize(("changes", "error", "told"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_call_that_says_too_little_releases_nothing(
    shop: Host, changes: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        release(shop, **changes)
    assert shop.acts() == 0


def test_what_is_handed_over_by_hand_is_written_down_from_a_shell(
    shop: Host, tmp_path: Path
) -> None:
    order = tmp_path / "order.pdf"
    order.write_bytes(b"the order")
    runner = shop.app.test_cli_runner()
    what = ["consent", "release", MAYA, "court-order", "leeds-court"]
    who = ["--by", "dpo@wallet.example", "--reason", "Order 17/2026"]
    how = ["--data", "spending", "--basis", "legal-obligation"]

    refused = runner.invoke(args=[*what, *who, *how])
    assert (refused.exit_code, shop.acts()) == (1, 0)
    assert "the document that obliges you" in refused.output
    twice = [*what, *who, *how, "--evidence", str(order), "--reference", "17"]
    assert runner.invoke(args=twice).exit_code == 2

    done = runner.invoke(args=[*what, *who, *how, "--evidence", str(order)])
    assert done.output.startswith("released: court-order/leeds-court: spending\nact: ")
    listed = runner.invoke(args=["consent", "acts"]).output
    assert "release-without-consent:legal-obligation" in listed
    assert "dpo@wallet.example\twallet\tOrder 17/2026" in listed
    assert SAID in shop.client(MAYA).get("/consent/disclosures").text


def test_nobody_is_missed_a_gate_for_what_needs_none() -> None:
    told = list(examine(legal.registry(), []))
    assert "recipient 'acme-credit' has no call" in told
    assert "recipient 'leeds-court' has no call" not in told
