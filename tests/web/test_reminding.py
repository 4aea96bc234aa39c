"""A yes that is about to end: asked about once, and silence ends it (R90)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from consentkit.core.registry import Registry
from consentkit.errors import ConfigurationError
from consentkit.testing import answer
from tests import declared
from tests.web import hosts
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
END = NOON + timedelta(days=365)
MONTH = timedelta(days=30)
MOMENT = timedelta(milliseconds=1)
YES = {"acme-credit": "given"}
PROMPT = 'data-ck-action="accept"'
ENDS = "If you do nothing, it ends by itself."


def host(folder: Path, **fields: Any) -> Host:
    years: dict[str, Any] = {"PERMANENT_SESSION_LIFETIME": timedelta(days=3_650)}
    return hosts.host(folder, **years, **fields)


def score(**fields: Any) -> Registry:
    changed = replace(declared.SCORE, **fields)
    return declared.registry(purposes=[changed, declared.OFFERS])


def reminded(client: FlaskClient, **headers: str) -> bool:
    """Whether the host's page asks, and says that the yes is about to end."""
    page = client.get("/", headers=headers).text
    assert (PROMPT in page) == (ENDS in page)
    return ENDS in page


@pytest.mark.requirement("R90")
def test_a_yes_that_is_about_to_end_is_asked_about_once(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya, phone = shop.client(MAYA), shop.client(MAYA)
        answer(maya, "credit-score", YES)
        acts = shop.acts()
        clock.move_to(END - MONTH - MOMENT)
        assert not reminded(maya)
        clock.move_to(END - MONTH)
        assert reminded(maya)
        for client in (maya, phone):
            for _ in range(3):
                assert not reminded(client)
                clock.shift(timedelta(days=4))
        assert shop.acts() == acts
        assert shop.allows(MAYA)


@pytest.mark.requirement("R90", "R91")
def test_what_somebody_was_reminded_of_is_in_their_export(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya, tom = shop.client(MAYA), shop.client(TOM)
        answer(maya, "credit-score", YES)
        clock.move_to(END - MONTH)
        assert reminded(maya)

        file = maya.get("/consent/export.json").get_json()
        assert file["reminders"] == [
            {
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "recipient_name": "Acme Credit Scoring Ltd",
                "record_id": file["receipts"][0]["receipt_id"],
            }
        ]
        assert tom.get("/consent/export.json").get_json()["reminders"] == []


@pytest.mark.requirement("R90")
def test_silence_ends_it_and_nothing_is_renewed_by_being_reminded(
    tmp_path: Path,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        clock.move_to(END - MONTH)
        assert reminded(maya)
        clock.move_to(END - MOMENT)
        assert shop.allows(MAYA)
        clock.move_to(END)
        assert not shop.allows(MAYA)
        assert shop.acts() == 1


@pytest.mark.requirement("R90")
def test_a_yes_to_the_reminder_is_a_new_act_with_a_window_of_its_own(
    tmp_path: Path,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        clock.move_to(END - MONTH)
        assert reminded(maya)
        answer(maya, "credit-score", YES)
        assert shop.sql("SELECT state FROM consent_state") == [("renewed",)]
        clock.move_to(END)
        assert not reminded(maya)
        assert shop.allows(MAYA)
        clock.move_to(END - MONTH + timedelta(days=365) - MONTH)
        assert reminded(maya)
        assert not reminded(maya)


SAID: dict[str, dict[str, str]] = {
    "a no": {"acme-credit": "refused"},
    "later": {"acme-credit": "deferred"},
}


@pytest.mark.requirement("R90")
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_nobody_is_reminded_of_what_they_did_not_agree_to(
    said: dict[str, str], tmp_path: Path
) -> None:
    with time_machine.travel(NOON, tick=False):
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        answer(maya, "credit-score", said)
        assert not reminded(maya)
        assert shop.sql("SELECT * FROM consent_reminder") == []


def test_a_short_yes_is_asked_about_in_its_last_quarter(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path, registry=score(valid_for=timedelta(days=8)))
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        assert not reminded(maya)
        clock.shift(timedelta(days=6) - MOMENT)
        assert not reminded(maya)
        clock.shift(MOMENT)
        assert reminded(maya)


def test_a_browser_that_opts_out_is_not_reminded(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path, registry=score(valid_for=timedelta(days=8)))
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        clock.shift(timedelta(days=7))
        page = maya.get("/", headers={"Sec-GPC": "1"}).text
        assert ENDS not in page


def test_the_question_that_the_person_opened_is_no_reminder(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        clock.move_to(END - MONTH)
        assert ENDS not in maya.get("/consent/ask/credit-score").text
        assert reminded(maya)


def test_what_somebody_was_reminded_of_goes_with_them_and_with_nobody_else(
    tmp_path: Path,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya, tom = shop.client(MAYA), shop.client(TOM)
        for client in (maya, tom):
            answer(client, "credit-score", YES)
        clock.move_to(END - MONTH)
        assert reminded(maya)
        assert reminded(tom)
        with shop.app.app_context():
            shop.consent.erase(MAYA, reason="request")
        assert shop.sql("SELECT subject FROM consent_reminder") == [(TOM,)]


def test_a_database_that_cannot_note_it_reminds_nobody_and_breaks_no_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        answer(maya, "credit-score", YES)
        clock.move_to(END - MONTH)
        shop.sql(
            "CREATE TRIGGER broken BEFORE INSERT ON consent_reminder "
            "BEGIN SELECT RAISE(ABORT, ''); END"
        )
        assert not reminded(maya)
        assert "a reminder could not be noted" in caplog.text
        assert MAYA not in caplog.text


# -- caps on validity ------------------------------------------------------------------

CAPPED = {
    "Australia, longer than a year": ("AU (CDR)", 366, "OAIC CDR Privacy Safeguard"),
    "French telephone marketing": ("FR (telephone marketing)", 400, "loi 2025-594"),
}
ALLOWED = {
    "a year": ("AU (CDR)", 365),
    "no rule": ("CN", 3_000),
    "no profile": ("", 3_000),
}


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(("profile", "days", "source"), CAPPED.values(), ids=CAPPED)
def test_a_yes_that_would_outlast_the_cap_of_the_profile_is_refused_at_start(
    profile: str, days: int, source: str, tmp_path: Path
) -> None:
    registry = score(valid_for=timedelta(days=days))
    config: dict[str, Any] = {"CONSENTKIT_PROFILE": profile}
    with pytest.raises(ConfigurationError) as refused:
        host(tmp_path, registry=registry, **config)

    told = str(refused.value)
    for part in ("'credit-score'", f"{days} days", "consent_max_validity", "P12M"):
        assert part in told
    assert source in told


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(("profile", "days"), ALLOWED.values(), ids=ALLOWED)
def test_a_yes_within_the_cap_is_accepted(
    profile: str, days: int, tmp_path: Path
) -> None:
    registry = score(valid_for=timedelta(days=days))
    config: dict[str, Any] = {"CONSENTKIT_PROFILE": profile}
    host(tmp_path, registry=registry, **config)
