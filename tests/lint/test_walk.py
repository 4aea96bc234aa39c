"""A walk through apps that do one thing wrong, and through one that does nothing so."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from consentkit.errors import InvalidRequestError
from consentkit.lint.command import run
from consentkit.lint.flow_rules import judge_journey
from consentkit.lint.walk import walk

from .walked import answering
from .walked import app


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let the server of each test say nothing of its requests."""
    logger = logging.getLogger("werkzeug")
    before, logger.disabled = logger.disabled, True
    yield
    logger.disabled = before


def found_with(trick: str) -> dict[str, str]:
    with answering(app(trick)) as start:
        findings = judge_journey(walk(start))
    return {finding.rule: finding.why for finding in findings}


@pytest.mark.parametrize("trick", ["", "banner"])
def test_an_honest_app_has_no_finding(trick: str) -> None:
    assert found_with(trick) == {}


def test_a_walk_counts_steps_from_where_people_begin() -> None:
    with answering(app()) as start:
        journey = walk(start)

    assert journey.question == f"{start}ask"
    assert journey.decline_steps == journey.accept_steps == 2
    assert journey.stop_steps == 2
    assert journey.stop_place == f"{start}me"


@pytest.mark.requirement("D02")
def test_a_form_that_grants_when_nothing_is_chosen_is_found() -> None:
    assert set(found_with("untouched")) == {"D02"}


@pytest.mark.requirement("D05")
@pytest.mark.parametrize(
    ("trick", "why"),
    [
        ("no no", "there is no way to no"),
        ("sure", "no takes 3 steps, yes takes 2 steps"),
    ],
)
def test_a_no_that_takes_longer_is_found(trick: str, why: str) -> None:
    found = found_with(trick)

    assert set(found) == {"D05"}
    assert why in found["D05"]


@pytest.mark.requirement("D12")
def test_a_report_that_enrols_whoever_opens_it_is_found() -> None:
    found = found_with("report")

    assert "/report" not in found.get("D24", "")
    assert "gave consent" in found["D12"]


@pytest.mark.requirement("D41")
def test_a_no_that_the_server_delays_is_found() -> None:
    found = found_with("slow no")

    assert set(found) == {"D41"}
    assert "longer than the yes" in found["D41"]


@pytest.mark.requirement("D14")
def test_a_service_refused_after_a_no_is_found() -> None:
    assert "D14" in found_with("wall")


@pytest.mark.requirement("D24")
def test_an_address_that_grants_when_it_is_opened_is_found() -> None:
    assert set(found_with("get")) == {"D24"}


@pytest.mark.requirement("D28")
def test_asking_again_after_a_no_is_found() -> None:
    found = found_with("nag")

    assert set(found) == {"D28"}
    assert "asks again by itself" in found["D28"]


@pytest.mark.requirement("D31")
@pytest.mark.parametrize("trick", ["why", "two pages"])
def test_a_stop_that_takes_more_is_found(trick: str) -> None:
    assert set(found_with(trick)) == {"D31"}


@pytest.mark.requirement("D32")
@pytest.mark.parametrize("trick", ["dead link", "no way back"])
def test_a_way_back_that_leads_nowhere_is_found(trick: str) -> None:
    assert "D32" in found_with(trick)


@pytest.mark.requirement("D44")
@pytest.mark.parametrize("trick", ["deaf", "override"])
def test_a_browser_signal_that_counts_for_nothing_is_found(trick: str) -> None:
    assert set(found_with(trick)) == {"D44"}


def test_a_page_that_never_asks_cannot_be_walked() -> None:
    with (
        answering(app()) as start,
        pytest.raises(InvalidRequestError, match="within 2 clicks"),
    ):
        walk(f"{start}far")


def test_the_command_walks(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(app("nag")) as start:
        assert run(["--walk", start]) == 1

    assert "D28 error" in capsys.readouterr().out
