"""The four faults of January 2018, each sufficient alone; each has a test here.

The default, the visibility, the coupling to another feature, and the affiliate folded
into "us": tried on the pages of the running app.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests

from consentkit.lint import lint

if TYPE_CHECKING:
    from tests.running import Person
    from tests.running import Running

QUESTIONS = {
    "credit-score": "Acme Credit Scoring Ltd",
    "shop-offers": "Corner Shops Network Ltd",
}


def states(person: Person, purpose: str) -> dict[str, str]:
    """The question's page in every state that a person can bring it to."""
    path = f"/consent/ask/{purpose}"
    pages = {"first": person.get(path).text}
    for said in ("deferred", "refused", "given"):
        person.answer(purpose, said)
        pages[said] = person.get(path).text
    person.stop()
    pages["stopped"] = person.get(path).text
    return pages


def errors(page: str) -> list[str]:
    return [
        f"{each.rule} {each.where}: {each.why}"
        for each in lint(page).findings
        if each.severity == "error"
    ]


@pytest.mark.requirement("R16", "D01", "D02")
@pytest.mark.parametrize("purpose", QUESTIONS)
def test_the_default_no_page_in_any_state_has_anything_ticked(
    running: Running, purpose: str
) -> None:
    for state, page in states(running.sign_in("xiaoyu"), purpose).items():
        assert not re.search(r"<input[^>]*\schecked", page), state
        assert not re.search(r"<option[^>]*\sselected", page), state
        assert errors(page) == [], state


@pytest.mark.requirement("R2", "R25", "D09", "D21")
@pytest.mark.parametrize(("purpose", "recipient"), QUESTIONS.items())
def test_the_visibility_all_that_is_agreed_to_stands_on_the_first_layer(
    running: Running, purpose: str, recipient: str
) -> None:
    page = running.sign_in("xiaoyu").get(f"/consent/ask/{purpose}").text
    assert "<details" not in page
    assert "hidden" not in re.sub(r"<(?:input|button)[^>]*>", "", page)
    (statement,) = re.findall(r'id="[^"]+-statement"[^>]*>(.*?)</p>', page)
    said = re.sub(r"<[^>]+>", "", statement)
    assert said.startswith("I agree that Wallet Ltd shares ")
    assert recipient in said


@pytest.mark.requirement("R22", "R24", "D12", "D14")
def test_the_coupling_the_yearly_bill_asks_nothing_and_needs_nothing(
    running: Running,
) -> None:
    xiaoyu = running.sign_in("xiaoyu")
    bill = xiaoyu.get("/review").text
    assert "data-ck-root" not in bill
    assert "/consent/choices" not in bill
    assert not re.search(r'type="(?:checkbox|radio)"', bill)
    question = xiaoyu.get("/consent/ask/credit-score").text
    forms = re.findall(r"<form.*?</form>", question, re.DOTALL)
    (asking,) = [form for form in forms if "/consent/choices" in form]
    assert "form_token" not in asking, "nothing of the wallet's own rides along"


@pytest.mark.requirement("R4", "R20", "R63", "D11", "D23")
def test_the_affiliate_is_a_recipient_by_name_like_any_other(running: Running) -> None:
    xiaoyu = running.sign_in("xiaoyu")
    page = xiaoyu.get("/consent/ask/credit-score").text
    for element in (
        "Acme Credit Scoring Ltd",
        "privacy@acme-credit.example",
        "A company in the same group as Wallet Ltd",
        "United Kingdom",
        "Your spending history",
    ):
        assert element in page.replace("<bdi>", "").replace("</bdi>", "")
    assert "Corner Shops" not in page, "one question, one recipient"
    xiaoyu.answer("shop-offers", "given")
    assert "Nothing was sent" in xiaoyu.press("/credit-score").text
    xiaoyu.stop()


@pytest.mark.requirement("R21", "D43")
def test_nothing_can_be_agreed_to_in_bulk(running: Running) -> None:
    xiaoyu = running.sign_in("xiaoyu")
    page = xiaoyu.get("/consent/ask/credit-score").text
    assert "accept-all" not in page
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    for field in (
        "choice.credit-score.*",
        "choice.*.*",
        "choice.shop-offers.corner-shops",
        "accept-all",
    ):
        answered = xiaoyu.post("/consent/choices", {"token": token, field: "given"})
        assert answered.status_code == 422, field
    listed = xiaoyu.get("/consent/").text
    assert 'data-ck-action="withdraw"' not in listed, "nothing stands that could end"


@pytest.mark.requirement("R10", "R27", "D13", "D17", "D18", "D19", "D29")
@pytest.mark.parametrize("purpose", QUESTIONS)
def test_one_question_is_complete_in_itself_and_says_yes_and_no_one_way(
    running: Running, purpose: str
) -> None:
    page = running.sign_in("xiaoyu").get(f"/consent/ask/{purpose}").text
    found = lint(page)
    assert {"D13", "D17", "D18", "D19", "D29"} <= set(found.rules_checked)
    assert found.rules_broken == ()
    assert page.index('value="refused"') < page.index('value="given"')
    # What is there to read needs neither a sign-in nor any other document.
    (address,) = set(re.findall(r'"(/consent/notices/[0-9a-f]{64})', page))
    alone = requests.get(f"{running.wallet}{address}.html", timeout=10)
    assert alone.status_code == 200
    assert alone.text in page
