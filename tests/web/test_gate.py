"""The gate as a host's code meets it: ``check``, ``share`` and ``require``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields

from consentkit.core.decision import Reason
from consentkit.core.vocabulary import DataCategory
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.store.ledger import Ledger
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

BROWSER = {"Accept": CHROME}


def lines(shop: Host) -> list[dict[str, Any]]:
    """What the log says was shared or refused."""
    rows = shop.sql("SELECT bytes FROM consent_leaf ORDER BY position")
    bodies = [dict(read_leaf(row[0]).body) for row in rows]
    return [each for each in bodies if each["kind"] in {"disclosure", "denial"}]


@pytest.mark.requirement("R15", "R73")
def test_a_program_without_consent_gets_403_and_a_problem_document(
    maya: FlaskClient,
) -> None:
    sent = maya.post("/score")

    assert sent.status_code == 403
    assert sent.content_type == "application/problem+json"
    assert sent.json == {
        "type": "https://consentkit.dev/problems/consent-missing",
        "title": "The consent that this needs is not there",
        "status": 403,
        "reason": "not_asked",
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "missing": [],
    }
    assert sent.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "accept",
    ["*/*", "application/json", "", "application/problem+json", "text/html;q=0.1,*/*"],
)
def test_only_who_prefers_pages_is_sent_to_one(accept: str, maya: FlaskClient) -> None:
    assert maya.get("/score", headers={"Accept": accept}).status_code == 403


def test_a_browser_without_consent_is_sent_to_the_question(maya: FlaskClient) -> None:
    sent = maya.post("/score", headers=BROWSER)

    assert sent.status_code == 303
    assert sent.location.partition("?")[0] == "/consent/ask/credit-score"
    assert maya.get(sent.location).status_code == 200


def test_a_browser_of_nobody_is_sent_to_sign_in_and_a_program_told_so(
    tmp_path: Path,
) -> None:
    with_page = host(tmp_path / "a", CONSENTKIT_SIGN_IN_URL="/sign-in").client()
    without = host(tmp_path / "b").client()

    assert with_page.get("/score", headers=BROWSER).location == "/sign-in"
    for sent in (with_page.get("/score"), without.get("/score", headers=BROWSER)):
        assert sent.status_code == 401
        assert body_of(sent)["type"] == "https://consentkit.dev/problems/sign-in"


@pytest.mark.requirement("R75", "R76")
def test_with_consent_the_view_runs_and_the_log_says_so_first(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})

    assert maya.post("/score").json == {"score": 700}

    (line,) = lines(shop)
    assert line["kind"] == "disclosure"
    assert line["caller"] == "score"
    assert line["channel"] == "web"
    assert line["data"] == ["spending"]


@pytest.mark.requirement("R75")
def test_a_refused_view_does_not_run_and_the_attempt_is_in_the_log(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "refused"})

    sent = maya.post("/score")

    assert body_of(sent)["reason"] == "refused"
    (line,) = lines(shop)
    assert (line["kind"], line["reason"]) == ("denial", "refused")


@pytest.mark.requirement("R24")
def test_the_hosts_feature_answers_alike_after_yes_no_and_stop(
    maya: FlaskClient,
) -> None:
    before = maya.post("/feature")
    for said in ("given", "refused", "stopped"):
        if said == "stopped":
            answer(maya, "credit-score", {"acme-credit": "given"})
            maya.post("/consent/api/v1/revocations", json={})
        else:
            answer(maya, "credit-score", {"acme-credit": said})
        after = maya.post("/feature")
        assert (after.status_code, after.data) == (before.status_code, before.data)
        assert after.headers == before.headers


@pytest.mark.requirement("R62", "R73")
def test_a_database_that_does_not_answer_is_a_no_that_says_try_again(
    maya: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})

    def down(_ledger: Ledger) -> None:
        raise LogUnavailableError("the consent database did not answer")

    monkeypatch.setattr(Ledger, "write", down)
    program, browser = maya.post("/score"), maya.post("/score", headers=BROWSER)

    assert program.status_code == browser.status_code == 503
    assert body_of(program)["reason"] == "store_unavailable"
    assert program.headers["Retry-After"] == "1"
    assert "nothing is shared" in browser.text


@pytest.mark.requirement("R65")
def test_a_recipient_that_is_switched_off_is_not_asked_about(tmp_path: Path) -> None:
    """Sending the person to the question would lead them round in a circle."""
    yes = host(tmp_path)
    answer(yes.client(MAYA), "credit-score", {"acme-credit": "given"})
    off = replace(declared.CREDIT, active=False)
    score = replace(declared.SCORE, recipients=[off])
    client = host(tmp_path, registry=declared.registry(purposes=[score])).client(MAYA)

    assert body_of(client.get("/score"))["reason"] == "recipient_inactive"
    assert client.get("/score", headers=BROWSER).status_code == 503


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("subject", [None, "", "a\x00b", b"maya", 1.5, True, object()])
def test_who_has_no_id_was_never_asked(shop: Host, subject: Any) -> None:
    with shop.app.app_context():
        decision = shop.consent.check(subject, "credit-score", recipient="acme-credit")
        assert decision.reason is Reason.NOT_ASKED
        with (
            pytest.raises(ConsentDeniedError),
            shop.consent.share(subject, "credit-score", recipient="acme-credit"),
        ):
            pytest.fail("the body of a refused share ran")


def test_a_block_that_nobody_entered_is_no_yes(shop: Host) -> None:
    """``if consent.share(…):`` would be true for everybody."""
    consent, asked = shop.consent, {"recipient": "acme-credit"}
    with shop.app.app_context():
        for block in (
            consent.share(MAYA, "credit-score", **asked),
            consent.share_many([MAYA], "credit-score", **asked),
        ):
            with pytest.raises(
                TypeError, match=r"expected 'with consent\.share.*check"
            ):
                assert not block
    assert shop.acts() == 0


@pytest.mark.requirement("R62", "R69")
@pytest.mark.parametrize(
    ("purpose", "recipient", "reason"),
    [
        ("credit-scor", "acme-credit", Reason.PURPOSE_UNKNOWN),
        ("*", "*", Reason.PURPOSE_UNKNOWN),
        ("", "", Reason.PURPOSE_UNKNOWN),
        ("credit-score", "*", Reason.RECIPIENT_UNKNOWN),
        ("credit-score", "corner-shops", Reason.RECIPIENT_UNKNOWN),
        ("credit-score.cross-border", "acme-credit", Reason.PURPOSE_UNKNOWN),
        ("night-help.cross-border", "night-desk", Reason.PURPOSE_UNKNOWN),
    ],
)
def test_what_was_never_declared_is_denied(
    shop: Host, purpose: str, recipient: str, reason: Reason
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        assert shop.consent.check(MAYA, purpose, recipient=recipient).reason is reason
        with (
            pytest.raises(ConsentDeniedError) as caught,
            shop.consent.share(MAYA, purpose, recipient=recipient),
        ):
            pytest.fail("the body of a refused share ran")

    assert caught.value.decision.reason is reason


def test_ids_and_declared_values_mean_the_same(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        by_id = shop.consent.check(
            MAYA, "credit-score", recipient="acme-credit", data=["spending"]
        )
        by_value = shop.consent.check(
            MAYA, declared.SCORE, recipient=declared.CREDIT, data={declared.SPENDING}
        )

    assert by_id == by_value
    assert by_id


@pytest.mark.requirement("R64")
def test_data_that_is_left_out_means_all_that_the_purpose_declares(shop: Host) -> None:
    """The optional city was not ticked, so that "all" is not covered."""
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        decision = shop.consent.check(MAYA, "credit-score", recipient="acme-credit")

    assert decision.reason is Reason.DATA_NOT_COVERED
    assert decision.missing == {"city"}


@pytest.mark.parametrize("data", ["spending", declared.SPENDING])
def test_one_category_alone_is_told_to_be_a_set(
    shop: Host, data: str | DataCategory
) -> None:
    wrong: Any = data
    with shop.app.app_context():
        with pytest.raises(DeclarationError, match=r"such as data=\{'spending'\}"):
            shop.consent.check(
                MAYA, "credit-score", recipient="acme-credit", data=wrong
            )
        with pytest.raises(DeclarationError, match="collection of data categories"):
            shop.consent.require("credit-score", recipient="acme-credit", data=wrong)


def test_a_misspelt_assurance_is_found_when_the_view_is_declared(shop: Host) -> None:
    with pytest.raises(DeclarationError, match="asserted, session, confirmed, signed"):
        shop.consent.require(
            "credit-score", recipient="acme-credit", min_assurance="sesion"
        )


def test_a_yes_of_a_session_is_not_enough_where_more_is_asked(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with shop.app.app_context():
        for asked, enough in (("asserted", True), ("session", True), ("signed", False)):
            decision = shop.consent.check(
                MAYA,
                "credit-score",
                recipient="acme-credit",
                data=["spending"],
                min_assurance=asked,
            )
            assert bool(decision) is enough


@pytest.mark.requirement("R75")
def test_a_share_is_recorded_with_the_place_in_the_code_that_made_it(
    shop: Host,
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    def send_the_monthly_report() -> None:
        with shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data=["spending"], amount=12
        ) as release:
            assert release.data == {"spending"}

    with shop.app.app_context():
        send_the_monthly_report()

    (line,) = lines(shop)
    assert line["caller"].endswith("test_gate:send_the_monthly_report")
    assert line["amount"] == 12
    assert line["channel"] == "server"


def test_what_goes_wrong_in_the_body_of_a_share_is_the_callers(shop: Host) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    with (
        shop.app.app_context(),
        pytest.raises(ZeroDivisionError),
        shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data=["spending"]
        ),
    ):
        1 // 0  # noqa: B018  what goes wrong

    assert [each["kind"] for each in lines(shop)] == ["disclosure"]


@pytest.mark.requirement("R55")
def test_a_stop_between_two_calls_of_a_view_counts_at_the_second(
    maya: FlaskClient,
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert maya.post("/score").status_code == 200

    maya.post("/consent/api/v1/revocations", json={"purpose": "credit-score"})

    assert body_of(maya.post("/score"))["reason"] == "withdrawn"


def test_a_gated_view_keeps_its_name_and_arguments(shop: Host) -> None:
    @shop.consent.require("credit-score", recipient="acme-credit")
    def named(one: int, *, two: int) -> int:
        """What it says."""
        return one + two

    assert (named.__name__, named.__doc__) == ("named", "What it says.")


@pytest.mark.requirement("R55", "R68")
def test_what_is_stopped_while_a_share_runs_is_not_handed_over_any_more(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    schema = Schema.from_dict(
        {"amount": fields.Integer(metadata={"category": "spending"})}
    )()
    with (
        shop.app.app_context(),
        shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ) as release,
    ):
        assert release.only(schema, {"amount": 1}) == {"amount": 1}
        shop.consent.revoke(MAYA)
        with pytest.raises(ConsentDeniedError) as refused:
            release.only(schema, {"amount": 1})
        assert refused.value.decision.reason is Reason.WITHDRAWN


def test_a_release_does_not_outlive_its_block(shop: Host, maya: FlaskClient) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    schema = Schema.from_dict(
        {"amount": fields.Integer(metadata={"category": "spending"})}
    )()
    with shop.app.app_context():
        with shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ) as release:
            pass
        with pytest.raises(InvalidRequestError, match="ends with its block"):
            release.only(schema, {"amount": 1})


def test_a_gate_on_the_wrong_side_of_its_route_stops_the_view(tmp_path: Path) -> None:
    shop = host(tmp_path)
    ran = []

    @shop.consent.require("credit-score", recipient="acme-credit")
    @shop.app.post("/wrong-side")
    def wrong_side() -> str:
        ran.append("sent")
        return "sent"

    with pytest.raises(ConfigurationError, match=r"below @app\.route"):
        shop.app.test_client().post("/wrong-side")
    assert ran == []


@pytest.mark.parametrize(
    ("purpose", "recipient", "data", "named"),
    [
        ("score", "acme-credit", None, "'score' for 'acme-credit'"),
        ("credit-score", "acme", None, "'credit-score' for 'acme'"),
        ("credit-score", "acme-credit", {"citty"}, "'citty'"),
    ],
)
def test_a_gate_that_no_answer_could_open_is_found_when_it_is_declared(
    purpose: str, recipient: str, data: set[str] | None, named: str, shop: Host
) -> None:
    with pytest.raises(DeclarationError, match=named):
        shop.consent.require(purpose, recipient=recipient, data=data)
