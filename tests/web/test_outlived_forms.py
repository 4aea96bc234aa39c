"""A page that was left open while its person was erased: it says so, and counts not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.testing import answer
from tests.web.asking import Phone
from tests.web.asking import refusal
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

QUESTION = "/consent/ask/credit-score"
CHOICE = "choice.credit-score.acme-credit"


def agree(client: FlaskClient) -> None:
    answer(client, "credit-score", {"acme-credit": "given"})


def opened(client: FlaskClient) -> dict[str, str]:
    """The yes of a page that is open now."""
    page = client.get(QUESTION).text
    return {
        "token": page.split('name="token" value="')[-1].split('"')[0],
        CHOICE: "given",
    }


def erase(shop: Host, subject: str = MAYA) -> None:
    with shop.app.app_context():
        shop.consent.erase(subject, reason="request")


def known(shop: Host, maya: FlaskClient) -> dict[str, str]:
    agree(maya)
    form = opened(maya)
    erase(shop)
    return form


def known_and_back(shop: Host, maya: FlaskClient) -> dict[str, str]:
    form = known(shop, maya)
    answer(maya, "credit-score", {"acme-credit": "refused"})
    return form


def spent(shop: Host, maya: FlaskClient) -> dict[str, str]:
    form = opened(maya)
    assert maya.post("/consent/choices", data=form).status_code == 303
    erase(shop)
    return form


def new(shop: Host, maya: FlaskClient) -> dict[str, str]:
    form = opened(maya)
    agree(maya)
    erase(shop)
    return form


def new_and_back(shop: Host, maya: FlaskClient) -> dict[str, str]:
    form = new(shop, maya)
    answer(maya, "credit-score", {"acme-credit": "refused"})
    return form


BEFORE = {
    "known": known,
    "known, and back by now": known_and_back,
    "its form sent already": spent,
    "new, and known in between": new,
    "new, known in between, and back by now": new_and_back,
}


@pytest.mark.requirement("R58", "R92", "R115")
@pytest.mark.parametrize("meanwhile", BEFORE.values(), ids=BEFORE)
def test_a_form_from_before_an_erasure_grants_nothing_and_says_why(
    shop: Host,
    maya: FlaskClient,
    meanwhile: Callable[[Host, FlaskClient], dict[str, str]],
) -> None:
    form = meanwhile(shop, maya)
    acts = shop.acts()

    page = maya.post("/consent/choices", data=form)

    assert page.status_code == 409
    assert "This page is older than the erasure of the records" in page.text
    assert f'name="{CHOICE}" value="given"' in page.text, "the question is asked anew"
    assert shop.acts() == acts
    assert not shop.allows(MAYA)
    agree(maya)
    assert shop.allows(MAYA), "a page that was opened since counts"


def test_a_client_of_the_interface_is_told_the_same(
    shop: Host, maya: FlaskClient
) -> None:
    agree(maya)
    phone = Phone(maya)
    token = phone.token()
    erase(shop)

    refusal(phone.send(token, said("given")), "erased-since")
    assert not shop.allows(MAYA)


def test_the_erasure_of_others_asks_nobody_twice(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    """Tom was there long before Maya opened her first form."""
    agree(tom)
    with shop.state.installation.database.write() as connection:
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = seq + 2000")
    answer(tom, "credit-score", {"acme-credit": "refused"})
    form = opened(maya)
    erase(shop, TOM)

    assert maya.post("/consent/choices", data=form).status_code == 303
    assert maya.post("/consent/choices", data=form).status_code == 303, "twice the same"
    assert shop.allows(MAYA)
