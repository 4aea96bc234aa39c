"""Somebody acts for somebody else on our pages: they say so, and keep the rest out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import session
from flask.testing import FlaskClient

from consentkit import InvalidRequestError
from consentkit import Reason
from consentkit import Representative
from consentkit.core.purpose import Practice
from consentkit.errors import ConfigurationError
from consentkit.log.leaf import read_leaf
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import Host
from tests.web.hosts import host

KIM, RUTH, LEE, TOM = "kim", "ruth", "lee", "tom"
BIRTHS = {
    KIM: date(2015, 6, 1),
    **dict.fromkeys((RUTH, LEE, TOM), date(1980, 1, 1)),
}
ASK = "/consent/ask/credit-score"
PROOF = {"verification": "register-extract", "evidence": "case-4711"}


def household(folder: Path, **how: Any) -> Host:
    """An app in which a session says for whom somebody acts, and as whom."""
    shop = host(folder, **{"CONSENTKIT_PROFILE": "DE", **how})
    shop.consent.birthday_loader(BIRTHS.get)

    @shop.consent.representative_loader
    def acting() -> Representative | None:
        said = session.get("acts")
        return Representative(**said) if said else None

    return shop


def acts(shop: Host, who: str, actor: str, subject: str = KIM, **how: Any) -> Any:
    """A browser in which somebody acts for somebody, with all that it takes."""
    client = shop.client(who)
    with client.session_transaction() as cookies:
        proof = PROOF if actor != "delegate" else {}
        said = {"subject": subject, "by": who, "actor": actor, "label": "Kim"}
        cookies["acts"] = {**said, **proof, **how}
    return client


@pytest.fixture
def home(tmp_path: Path) -> Host:
    return household(tmp_path)


@pytest.fixture
def ruth(home: Host) -> FlaskClient:
    found: FlaskClient = acts(home, RUTH, "parent")
    return found


def last_act(shop: Host) -> dict[str, Any]:
    query = "SELECT bytes FROM consent_leaf WHERE kind IN ('choice', 'revocation')"
    return dict(read_leaf(shop.sql(f"{query} ORDER BY position")[-1][0]).body)


def delegated(home: Host, *purposes: str, days: int = 30) -> str:
    until = datetime.now(UTC) + timedelta(days=days)
    with home.app.app_context():
        given = home.consent.delegate(
            TOM, to=LEE, label="Lee", purposes=purposes, until=until
        )
    return given.id


# -- a parent ------------------------------------------------------------------------


@pytest.mark.requirement("R40", "R81")
def test_every_page_says_for_whom_a_parent_answers(
    home: Host, ruth: FlaskClient
) -> None:
    said = "You answer for <strong><bdi>Kim</bdi></strong>, as a parent."
    assert said in ruth.get(ASK).text
    assert said in ruth.get("/").text  # the question in a page of the app's
    page = answer(ruth, "credit-score", {"acme-credit": "given"})
    assert said in page.text
    assert said in ruth.get("/consent/").text

    assert home.allows(KIM)
    assert not home.allows(RUTH)
    assert last_act(home)["actor"] == "parent"


def test_the_account_on_the_page_is_the_one_that_is_signed_in(
    ruth: FlaskClient,
) -> None:
    assert "signed in as <strong><bdi>ruth</bdi></strong>" in ruth.get(ASK).text


def test_the_child_sees_who_decided_and_can_stop_it(
    home: Host, ruth: FlaskClient
) -> None:
    answer(ruth, "credit-score", {"acme-credit": "given"})
    kim = home.client(KIM)
    page = kim.get("/consent/").text
    assert "A parent decided this for you on" in page
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)

    assert kim.post("/consent/revocations", data={"token": token}).status_code == 303
    assert not home.allows(KIM)
    assert last_act(home)["actor"] == "subject"


@pytest.mark.requirement("R40", "R81")
@pytest.mark.parametrize("lacking", PROOF)
def test_without_a_verified_authority_no_page_of_the_child_opens(
    home: Host, lacking: str
) -> None:
    client = acts(home, RUTH, "parent", **{lacking: ""})
    for address in ("/consent/", ASK, "/consent/export.json", "/consent/erasure"):
        page = client.get(address)
        assert page.status_code == 403
        assert "Nobody has verified that you act for them." in page.text
    assert "You cannot answer for this person yet" in client.get("/").text
    assert client.get("/consent/checking").status_code == 200
    refused = client.post("/consent/api/v1/revocations", json={})
    assert refused.get_json()["type"].endswith("/authority-missing")


def test_a_form_made_for_one_pair_is_nobody_elses(
    home: Host, ruth: FlaskClient
) -> None:
    page = ruth.get(ASK).text
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    form = {"token": token, "choice.credit-score.acme-credit": "given"}
    others = (home.client(KIM), home.client(RUTH), acts(home, RUTH, "guardian"))
    for client in others:
        sent = client.post("/consent/choices", data=form)
        assert sent.status_code == 403
        assert "opened by somebody else" in sent.text
    assert home.acts() == 0


def test_a_parent_stops_and_takes_along_and_erases_for_the_child(
    home: Host, ruth: FlaskClient
) -> None:
    answer(ruth, "credit-score", {"acme-credit": "given"})
    sent = ruth.post("/consent/api/v1/revocations", json={})
    assert sent.get_json()["ended"]
    assert last_act(home)["actor"] == "parent"
    assert len(ruth.get("/consent/export.json").get_json()["receipts"]) == 2

    page = ruth.get("/consent/erasure").text
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)
    ruth.post("/consent/erasure", data={"token": token})
    (body,) = [
        read_leaf(row[0]).body
        for row in home.sql("SELECT bytes FROM consent_leaf WHERE kind = 'erasure'")
    ]
    assert body["reason"] == "request-of-parent"


def test_the_signal_of_a_parents_browser_ends_nothing_of_the_childs(
    home: Host, ruth: FlaskClient
) -> None:
    answer(ruth, "credit-score", {"acme-credit": "given"})
    ruth.get("/consent/", headers={"Sec-GPC": "1"})
    ruth.get("/", headers={"Sec-GPC": "1"})
    assert home.allows(KIM)


def test_the_gate_of_such_a_request_is_about_the_child(ruth: FlaskClient) -> None:
    assert ruth.get("/score", headers={"Accept": "application/json"}).status_code == 403
    answer(ruth, "credit-score", {"acme-credit": "given"})
    assert ruth.get("/score").get_json() == {"score": 700}


BROKEN = {
    "no representative": lambda: "kim",
    "two other people": lambda: Representative(
        "max", by="moritz", actor="parent", label="Max", **PROOF
    ),
    "an id that is none": lambda: Representative(
        "", by=RUTH, actor="parent", label="Nobody", **PROOF
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_loader_that_makes_no_sense_is_told_apart(home: Host, broken: Any) -> None:
    home.consent.representative_loader(broken)
    with pytest.raises(ConfigurationError, match="representative_loader"):
        home.client(RUTH).get("/consent/")
    assert home.client().get("/consent/").status_code == 401  # nobody acts for anybody


# -- a child -------------------------------------------------------------------------


@pytest.mark.requirement("R80")
def test_a_child_is_told_before_and_after_that_its_yes_is_not_enough(
    home: Host,
) -> None:
    kim = home.client(KIM)
    assert "You are not old enough to say yes to this alone" in kim.get(ASK).text

    page = answer(kim, "credit-score", {"acme-credit": "given"})
    assert page.status_code == 403
    assert "A parent or guardian has to say yes to this" in page.text
    assert home.grants() == []
    assert home.acts() == 0

    for said in ("refused", "deferred"):
        assert answer(kim, "credit-score", {"acme-credit": said}).status_code == 200


@pytest.mark.requirement("R80")
def test_somebody_of_unknown_age_is_told_just_that(home: Host) -> None:
    nobody_knows = home.client("max")
    said = "We do not know how old you are"
    assert said in nobody_knows.get(ASK).text
    page = answer(nobody_knows, "credit-score", {"acme-credit": "given"})
    assert page.status_code == 403
    assert said in page.text
    assert home.acts() == 0


@pytest.mark.requirement("R83")
def test_who_comes_of_age_is_asked_anew_and_can_confirm_or_undo(
    home: Host,
) -> None:
    birthday = datetime(2031, 6, 1, tzinfo=UTC)
    with time_machine.travel(birthday - timedelta(days=30), tick=False):
        ruth = acts(home, RUTH, "parent")
        answer(ruth, "credit-score", {"acme-credit": "given"})
    with time_machine.travel(birthday, tick=False):
        kim = home.client(KIM)
        with home.app.app_context():
            reason = home.consent.check(
                KIM, declared.SCORE, recipient=declared.CREDIT, data={"spending"}
            ).reason
        assert reason is Reason.GUARDIAN_REAFFIRMATION_NEEDED
        page = kim.get("/consent/").text
        assert "it counts only if you say yes yourself" in page
        assert "No longer shared" in page
        assert "Stop sharing" in page
        assert 'data-ck-action="accept"' in kim.get("/").text
        answer(kim, "credit-score", {"acme-credit": "given"})
        assert home.allows(KIM)
        assert last_act(home)["choices"][0]["state"] == "renewed"


@pytest.mark.requirement("R83")
def test_the_end_that_is_told_of_a_guardians_yes_is_the_one_that_counts(
    tmp_path: Path,
) -> None:
    lapse = datetime(2031, 6, 1, tzinfo=UTC)
    home = household(tmp_path)
    kim = home.client(KIM)

    def told() -> tuple[dict[str, Any], dict[str, Any]]:
        (answered,) = kim.get("/consent/api/v1/status").get_json()["answers"]
        (exported,) = kim.get("/consent/export.json").get_json()["answers"]
        assert answered["state"] == exported["event_state"]
        assert answered["until"] == exported["validity_duration"]
        assert answered["until"] == "2031-06-01T00:00:00.000Z"
        return answered, exported

    with time_machine.travel(lapse - timedelta(days=30), tick=False):
        ruth = acts(home, RUTH, "parent")
        page = answer(ruth, "credit-score", {"acme-credit": "given"})
        pages = page.text, kim.get("/consent/").text
        for words in (re.sub(r"<[^>]+>", "", each) for each in pages):
            assert "until 1 June 2031" in words
        answered, _ = told()
        assert (answered["state"], answered["holds"]) == ("given", True)
        with home.app.app_context():
            held = home.consent.check(
                KIM, declared.SCORE, recipient=declared.CREDIT, data={"spending"}
            )
        assert held.until == lapse
    with time_machine.travel(lapse, tick=False):
        answered, _ = told()
        assert (answered["state"], answered["holds"]) == ("expired", False)


@pytest.mark.requirement("R82")
def test_a_joint_yes_is_told_as_waiting_to_both(tmp_path: Path) -> None:
    home = household(tmp_path, CONSENTKIT_PROFILE="FR")
    kim, ruth = home.client(KIM), acts(home, RUTH, "parent")
    assert "once a parent or guardian says yes as well" in kim.get(ASK).text

    page = answer(kim, "credit-score", {"acme-credit": "given"})
    assert "It does not count yet." in page.text
    assert not home.allows(KIM)
    told = ruth.get("/").text
    assert "One yes of two is there." in told
    assert 'data-ck-action="accept"' in told
    assert 'data-ck-action="accept"' not in kim.get("/").text

    page = answer(ruth, "credit-score", {"acme-credit": "given"})
    assert "It does not count yet." not in page.text
    assert home.allows(KIM)


@pytest.mark.requirement("R85")
def test_what_the_law_forbids_for_children_is_not_asked_of_anybody(
    tmp_path: Path,
) -> None:
    tracking = replace(declared.SCORE, practices=[Practice.TRACKING])
    registry = declared.registry(purposes=[tracking])
    home = household(tmp_path, CONSENTKIT_PROFILE="IN", registry=registry)
    for client in (home.client(KIM), acts(home, RUTH, "parent")):
        page = client.get(ASK).text
        assert "The law forbids this for children" in page
        assert 'data-ck-action="accept"' not in page
    assert 'data-ck-action="accept"' in home.client(LEE).get(ASK).text
    sent = home.client(KIM).get("/score", headers={"Accept": "application/json"})
    assert sent.get_json()["reason"] == "prohibited_for_minors"


# -- a delegate ----------------------------------------------------------------------


@pytest.mark.requirement("R84")
def test_a_delegate_sees_and_does_what_was_left_to_them(home: Host) -> None:
    delegated(home, "credit-score")
    answer(home.client(TOM), "shop-offers", {"controller": "given"})
    lee = acts(home, LEE, "delegate", TOM)

    answer(lee, "credit-score", {"acme-credit": "given"})
    assert home.allows(TOM)
    assert last_act(home)["actor"] == "delegate"

    page = lee.get("/consent/").text
    assert "who left this to you" in page
    assert "acme-credit" in page
    assert "shop-offers" not in page
    gone = {"Receipt", "Stop all sharing", "Erase my records", "Who received your data"}
    assert not {each for each in gone if each in page}
    beyond = lee.get("/consent/ask/shop-offers")
    assert beyond.status_code == 403
    assert beyond.text.count("This is not left to you")
    assert "<form" not in beyond.text
    tom = home.client(TOM).get("/consent/").text
    assert "Somebody you chose decided this for you on" in tom


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(
    "address",
    [
        *("delegations", "disclosures", "disclosures.json", "erasure", "export"),
        *("export.json", f"receipts/{'0' * 32}", "api/v1/export"),
    ],
)
def test_the_rest_is_none_of_a_delegates(home: Host, address: str) -> None:
    delegated(home, "credit-score")
    lee = acts(home, LEE, "delegate", TOM)
    assert lee.get(f"/consent/{address}").status_code == 403


@pytest.mark.requirement("R84")
def test_the_person_sees_a_delegation_and_takes_it_back(home: Host) -> None:
    delegated(home, "credit-score")
    tom, lee = home.client(TOM), acts(home, LEE, "delegate", TOM)
    answer(lee, "credit-score", {"acme-credit": "given"})
    assert "Who can answer for you" in tom.get("/consent/").text
    page = tom.get("/consent/delegations").text
    assert "Lee" in page
    assert "Work out your credit score" in page
    (token,) = re.findall(r'name="token" value="([^"]+)"', page)

    assert (
        home.client(LEE).post("/consent/delegations", data={"token": token}).status_code
        == 403
    )
    sent = tom.post("/consent/delegations", data={"token": token})

    assert sent.status_code == 303
    assert "You took this back on" in tom.get("/consent/delegations").text
    assert lee.get(ASK).status_code == 403
    assert home.allows(TOM)


@pytest.mark.requirement("R84")
@pytest.mark.parametrize("actor", ["delegate", "guardian"])
def test_who_acts_for_somebody_lets_nobody_else_do_so(home: Host, actor: str) -> None:
    delegated(home, "credit-score")
    said = {"subject": TOM, "by": LEE, "actor": actor, "label": "Tom"}
    with home.app.test_request_context():
        session["person"], session["acts"] = LEE, said
        with pytest.raises(InvalidRequestError, match="only the person"):
            delegated(home, "shop-offers")
    with home.app.app_context():
        assert len(home.consent.delegations(TOM)) == 1


@pytest.mark.requirement("R84")
def test_the_app_ends_a_delegation_and_only_of_that_person(home: Host) -> None:
    given = delegated(home, "credit-score")
    lee = acts(home, LEE, "delegate", TOM)
    with home.app.app_context():
        home.consent.end_delegation(KIM, given)
        assert lee.get(ASK).status_code == 200
        home.consent.end_delegation(TOM, given)
    assert lee.get(ASK).status_code == 403


def test_nobody_has_let_anybody_answer_at_first(home: Host) -> None:
    tom = home.client(TOM)
    assert "Who can answer for you" not in tom.get("/consent/").text
    assert "You have let nobody answer" in tom.get("/consent/delegations").text


# -- the configuration ---------------------------------------------------------------


@pytest.mark.requirement("R80")
def test_the_app_can_set_its_own_age(tmp_path: Path) -> None:
    home = household(tmp_path, CONSENTKIT_AGE_OF_CONSENT=11)
    assert answer(home.client(KIM), "credit-score", {"acme-credit": "given"})
    assert home.allows(KIM)
