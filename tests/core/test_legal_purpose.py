"""What can be declared to rest on law, and what has to be asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.legal_basis import LegalBasis
from consentkit.core.registry import Registry
from consentkit.errors import DeclarationError
from tests import declared
from tests import legal
from tests.legal import COURT
from tests.legal import ORDERS

if TYPE_CHECKING:
    from pathlib import Path

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "own": ({"recipients": [replace(COURT, relation="own")]}, "got own"),
    "affiliate": ({"recipients": [declared.CREDIT]}, "got affiliate"),
    "partner": ({"recipients": [declared.SHOP]}, "got partner"),
    "processor": ({"recipients": [replace(COURT, role="processor")]}, "as processor"),
    "joint": ({"recipients": [replace(COURT, role="joint-controller")]}, "as joint"),
    "marketing": ({"iri": "dpv:DirectMarketing"}, "is marketing"),
    "advertising": ({"iri": "dpv:TargetedAdvertising"}, "is marketing"),
    "ads of any kind": ({"iri": "dpv:Advertising"}, "is marketing"),
    "ads for no one": ({"iri": "dpv:NonPersonalisedAdvertising"}, "is marketing"),
    "a campaign": ({"iri": "dpv:PoliticalCampaign"}, "is marketing"),
    "a sale of data": ({"iri": "dpv:SellDataToThirdParties"}, "or selling"),
    "otherwise spelled": ({"iri": "dpv-owl:marketing"}, "is marketing"),
    "another basis": ({"basis": "legitimate-interest"}, "basis must be one of"),
    "no law": ({"law": " "}, "law must cite"),
    "a dot for a law": ({"law": ". -"}, "law must cite"),
    "a letter for a law": ({"law": "x"}, "law must cite"),
    "no data": ({"data": []}, "data must list one or more"),
    "an id as data": ({"data": ["spending"]}, "got str"),
    "nobody": ({"recipients": []}, "recipients must list one or more"),
    "twice": ({"recipients": [COURT, COURT]}, "leeds-court is listed twice"),
}


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(("change", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_for_the_law_to_ask_cannot_be_declared_so(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(DeclarationError, match=told):
        replace(ORDERS, **change)


@pytest.mark.requirement("R72")
def test_what_people_are_asked_about_cannot_rest_on_law_as_well() -> None:
    both = replace(ORDERS, id=declared.SCORE.id)
    with pytest.raises(DeclarationError, match="a no could not be honoured"):
        Registry(declared.WALLET, declared.PURPOSES, legal_purposes=[both])


DISGUISED: dict[str, tuple[dict[str, Any], str]] = {
    "its name": ({"name": declared.CREDIT.name}, "has the name of 'acme-credit'"),
    "its name, respelled": ({"name": declared.CREDIT.name.upper() + "."}, "the name"),
    "our name": ({"name": declared.WALLET.name}, "has the name of 'controller'"),
    "its host": ({"hosts": declared.CREDIT.hosts}, "the host of 'acme-credit'"),
    "its host, one port": (
        {"hosts": [f"{declared.SHOP.hosts[0]}.:8443"]},
        "the host of 'corner-shops', which is declared as partner",
    ),
}


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(("change", "told"), DISGUISED.values(), ids=DISGUISED)
def test_whoever_needs_consent_is_no_court_by_another_id(
    change: dict[str, Any], told: str
) -> None:
    other = replace(COURT, id="acme-legal", relation="supplier", **change)
    with pytest.raises(DeclarationError, match=told):
        Registry(
            declared.WALLET,
            declared.PURPOSES,
            legal_purposes=[replace(ORDERS, recipients=[other])],
        )


def test_another_port_of_a_shared_server_is_another_host() -> None:
    one = replace(declared.CREDIT, hosts=["shared.example:443"])
    two = replace(COURT, hosts=["shared.example:8443"])
    Registry(
        declared.WALLET,
        [replace(declared.SCORE, recipients=[one])],
        legal_purposes=[replace(ORDERS, recipients=[two])],
    )


def test_nobody_is_asked_about_what_rests_on_law() -> None:
    registry = legal.registry()
    registry.check_complete()
    asked = {question.purpose_id for question in registry.all_questions()}
    assert asked.isdisjoint(registry.legal_purposes)
    assert registry.recipients["leeds-court"] is COURT
    assert registry.legal_purposes["court-order"].basis is LegalBasis.LEGAL_OBLIGATION


def test_a_release_abroad_names_the_treaty_that_allows_it() -> None:
    abroad = replace(COURT, id="us-court", country="US")
    registry = Registry(
        declared.WALLET,
        declared.PURPOSES,
        legal_purposes=[replace(ORDERS, recipients=[abroad])],
    )
    (missing,) = registry.missing()
    assert missing.startswith("recipient 'us-court' (outside GB): safeguard")


def test_it_can_be_declared_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "consent.toml"
    file.write_text(
        """
        [controller]
        id = "wallet"
        name = "Wallet Ltd"
        contact = "privacy@wallet.example"
        address = "Leeds"
        country = "GB"
        [data.spending]
        title = "Your spending history"
        [recipients.leeds-court]
        name = "Crown Court at Leeds"
        contact = "orders@leeds-court.example"
        country = "GB"
        relation = "public-body"
        [purposes]
        [legal_purposes.court-order]
        title = "Obey the order of a court"
        basis = "legal-obligation"
        law = "Proceeds of Crime Act 2002, s. 345"
        data = ["spending"]
        recipients = ["leeds-court"]
        """
    )
    (purpose,) = Registry.from_file(file).legal_purposes.values()
    assert (purpose.id, purpose.categories) == ("court-order", {"spending"})
    file.write_text(file.read_text().replace('data = ["spending"]', 'data = ["city"]'))
    with pytest.raises(DeclarationError, match=r"legal_purposes\.court-order\.data"):
        Registry.from_file(file)
