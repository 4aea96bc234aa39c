"""What a new answer takes back of a yes that stands is told before and after."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from consentkit.core.vocabulary import DataItem
from consentkit.lint import lint
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

ASK = "/consent/ask/credit-score"
CITY = "<bdi>“The city you live in”</bdi>"
ACME = "<bdi>Acme Credit Scoring Ltd</bdi>"
GONE = f"No longer shared with {ACME}: {CITY}."
YES = {"acme-credit": "given"}
LATER = 'value="deferred"'


def plain(page: str) -> str:
    """The page without the marks of what is stressed."""
    return re.sub(r"</?(strong|em)>", "", page)


def labels(client: FlaskClient) -> list[str]:
    """The answers that a question drawn by somebody else offers."""
    body = {"purpose": "credit-score", "again": True}
    sent = body_of(client.post("/consent/api/v1/presentations", json=body))
    return [each["answer"] for each in sent["wording"]["questions"][0]["answers"]]


@pytest.mark.requirement("R29")
def test_later_is_not_offered_where_it_would_end_a_yes(maya: FlaskClient) -> None:
    assert LATER in maya.get(ASK).text
    assert labels(maya) == ["refused", "given", "deferred"]
    early = maya.get(ASK).text

    answer(maya, "credit-score", YES)
    page = maya.get(ASK).text
    assert LATER not in page
    assert 'value="refused"' in page
    assert labels(maya) == ["refused", "given"]
    assert lint(page).rules_broken == ()

    token = re.findall(r'name="token" value="([^"]+)"', early)[-1]
    form = {"token": token, "choice.credit-score.acme-credit": "deferred"}
    maya.post("/consent/choices", data=form)
    assert LATER in maya.get(ASK).text, "a form from before still answers"


@pytest.mark.requirement("R31")
def test_what_an_empty_box_takes_back_is_told_before_and_after(
    maya: FlaskClient,
) -> None:
    told = answer(maya, "credit-score", YES, optional={"acme-credit": ["city"]})
    assert GONE not in told.text
    page = plain(maya.get(ASK).text)
    assert f"Your yes to {ACME} includes {CITY}." in page
    assert lint(page).rules_broken == ()

    told = answer(maya, "credit-score", YES)
    assert GONE in plain(told.text)
    assert "includes" not in maya.get(ASK).text

    told = answer(maya, "credit-score", YES, optional={"acme-credit": ["city"]})
    assert GONE not in plain(told.text), "more is shared than before, not less"


@pytest.mark.requirement("R31")
def test_a_yes_after_a_no_takes_nothing_back(maya: FlaskClient) -> None:
    answer(maya, "credit-score", YES, optional={"acme-credit": ["city"]})
    answer(maya, "credit-score", {"acme-credit": "refused"})
    assert GONE not in plain(answer(maya, "credit-score", YES).text)


def test_what_a_no_leads_to_is_told_once(tmp_path: Path) -> None:
    """Under a data item it would speak of the item, which it does not."""
    score = replace(declared.SCORE, data=[DataItem(declared.SPENDING)])
    shop: Host = host(tmp_path, registry=declared.registry(purposes=[score]))
    page = shop.client(MAYA).get(ASK).text
    assert page.count("Then no score is worked out.") == 1
    assert "This purpose needs it." in page
