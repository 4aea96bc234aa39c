"""Global Privacy Control at the door: it narrows, it is kept, and the page says so."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask import Response
from flask import jsonify
from flask import session
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from jinja2 import FileSystemLoader
from werkzeug.datastructures import Headers

from consentkit.errors import ConsentDeniedError
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.service.rebuilding import differences
from consentkit.store.ledger import Ledger
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

GPC = {"Sec-GPC": "1"}
HONOURED = "Opt-out signal honoured"
PROMPT = 'data-ck-action="accept"'
ASK = "/consent/ask/credit-score"
YES = {"acme-credit": "given"}
OFFERS = {"controller": "given", "corner-shops": "given"}
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/sec_gpc.json").read_text())
HEADERS = {each["id"]: each for each in VECTORS["header_vectors"]}
RESOURCES = {each["id"]: each for each in VECTORS["support_resource_vectors"]}


def browser(shop: Host, subject: str = MAYA) -> FlaskClient:
    """A browser that opts out, in which ``subject`` has signed in."""
    client = shop.client(subject)
    client.environ_base["HTTP_SEC_GPC"] = "1"
    return client


def reason(client: FlaskClient) -> str:
    """What the gate says to a program; ``granted`` where the view ran."""
    sent = client.post("/score", headers={"Accept": "application/json"})
    return "granted" if sent.status_code == 200 else str(body_of(sent)["reason"])


def states(shop: Host) -> dict[tuple[str, str], str]:
    rows = shop.sql("SELECT purpose, recipient, state FROM consent_state")
    return {(purpose, recipient): state for purpose, recipient, state in rows}


def last_act(shop: Host) -> dict[str, Any]:
    (row,) = shop.sql(
        "SELECT bytes FROM consent_leaf WHERE handle IS NOT NULL AND kind IN "
        "('choice', 'revocation') ORDER BY position DESC LIMIT 1"
    )
    return dict(read_leaf(row[0]).body)


@pytest.mark.requirement("R105")
@pytest.mark.parametrize("name", HEADERS)
def test_the_header_counts_as_the_vectors_say(name: str, tmp_path: Path) -> None:
    shop = host(tmp_path)
    maya = shop.client(MAYA)
    answer(maya, "credit-score", YES)

    sent = maya.post(
        "/score",
        headers=Headers([("Accept", "application/json"), *HEADERS[name]["headers"]]),
    )

    assert (sent.status_code == 403) is HEADERS[name]["opt_out"]


@pytest.mark.requirement("R106", "D44")
def test_a_signal_beats_an_older_yes_for_good_and_leaves_own_use_alone(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    answer(maya, "shop-offers", OFFERS)
    assert reason(maya) == "granted"

    assert reason(browser(shop)) == "opt_out_signal"

    assert not shop.allows(MAYA)
    assert reason(maya) == "withdrawn"  # the signal is gone, the end is not
    assert states(shop) == {
        ("credit-score", "acme-credit"): "withdrawn",
        ("shop-offers", "controller"): "given",
        ("shop-offers", "corner-shops"): "withdrawn",
    }


@pytest.mark.requirement("R106")
def test_the_signal_is_on_record_as_an_act_from_gpc(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    browser(shop).get("/feature-free-page", headers={"User-Agent": "Quiet/1.0"})

    act = last_act(shop)
    assert (act["kind"], act["actor"], act["channel"]) == (
        *("revocation", "subject", "web"),
    )
    facts = maya.get(f"/consent/receipts/{act['id']}.json")
    with shop.app.app_context():
        receipt = shop.consent.receipt(MAYA, act["id"])
        assert receipt is not None
        assert receipt.facts["source"] == "gpc"
        assert receipt.facts["user_agent"] == "Quiet/1.0"
        assert list(differences(shop.state.installation)) == []
    assert facts.status_code in {200, 503}


@pytest.mark.requirement("R23", "R106")
def test_a_signal_is_recorded_once_however_many_pages_are_seen(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    acts = shop.acts()
    quiet = browser(shop)

    for path in ("/", "/consent/", ASK, "/", "/consent/disclosures", "/nowhere"):
        quiet.get(path)

    assert shop.acts() == acts + 1


@pytest.mark.requirement("R23", "R106")
def test_a_signal_of_somebody_who_agreed_to_nothing_writes_nothing(
    shop: Host,
) -> None:
    for path in ("/", "/consent/", ASK, "/consent/static/consentkit.css"):
        for client in (browser(shop), shop.client()):
            client.get(path, headers=GPC).close()

    assert shop.acts() == 0
    assert shop.sql("SELECT * FROM consent_subject") == []


@pytest.mark.requirement("R106", "R109")
def test_no_signal_changes_nothing(shop: Host, maya: FlaskClient) -> None:
    answer(maya, "credit-score", YES)
    before = shop.sql("SELECT * FROM consent_state"), shop.acts()

    for value in ("0", "", "true"):
        maya.get("/", headers={"Sec-GPC": value})
    maya.get("/", headers={"DNT": "1"})

    assert (shop.sql("SELECT * FROM consent_state"), shop.acts()) == before
    assert shop.allows(MAYA)


@pytest.mark.requirement("R106")
def test_a_browser_that_says_no_is_not_asked_unless_the_person_comes_for_it(
    shop: Host,
) -> None:
    quiet = browser(shop)

    page = quiet.get("/").text
    assert PROMPT not in page
    assert HONOURED in page
    assert 'href="/consent/"' in page
    assert ASK in quiet.get("/consent/").text
    assert PROMPT in quiet.get(ASK).text


@pytest.mark.requirement("R106")
def test_a_yes_given_in_the_face_of_the_signal_counts_in_spite_of_it(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    quiet = browser(shop)
    quiet.get("/")
    page = quiet.get(ASK).text
    assert "your yes counts in spite of it" in page
    assert not shop.allows(MAYA)

    result = answer(quiet, "credit-score", YES)
    assert "You said <strong>yes</strong>" in result.text
    quiet.get("/")

    assert reason(quiet) == "granted"
    assert shop.allows(MAYA)
    for path in ("/", "/consent/"):
        shown = quiet.get(path).text
        assert "except where you said yes in spite of it" in shown
        assert "Shared until" in shown
    notice = last_act(shop)["notice"]
    manifest = body_of(quiet.get(f"/consent/notices/{notice}.json"))
    assert manifest["variant"] == "opt-out-signal"
    assert "your yes counts" in quiet.get(f"/consent/notices/{notice}.html").text


@pytest.mark.requirement("R106")
def test_a_form_that_did_not_tell_of_the_conflict_cannot_be_a_yes(
    shop: Host, maya: FlaskClient
) -> None:
    """She switched the signal on between loading the page and pressing the button."""
    token = re.findall(r'name="token" value="([^"]+)"', maya.get(ASK).text)[-1]
    said = {"token": token, "choice.credit-score.acme-credit": "given"}

    page = maya.post("/consent/choices", data=said, headers=GPC)

    assert page.status_code == 409
    assert "your yes counts in spite of it" in page.text
    assert shop.acts() == 0
    said["choice.credit-score.acme-credit"] = "refused"
    assert maya.post("/consent/choices", data=said, headers=GPC).status_code == 303


def test_a_notice_worded_by_the_host_that_does_not_tell_of_it_does_not_count(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    loader = shop.app.jinja_env.loader
    assert loader is not None
    source, _, _ = loader.get_source(shop.app.jinja_env, "consentkit/notice.html")
    folder = tmp_path / "templates" / "consentkit"
    folder.mkdir(parents=True)
    (folder / "notice.html").write_text(source.replace("{{ page.signal }}", "Hi."))
    own = shop.app.jinja_loader
    assert isinstance(own, FileSystemLoader)
    own.searchpath.insert(0, str(tmp_path / "templates"))
    quiet = browser(shop)

    assert answer(quiet, "credit-score", YES).status_code == 409
    assert not shop.allows(MAYA)


@pytest.mark.requirement("R106", "D44")
def test_the_person_is_told_that_their_browser_ended_it(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = browser(shop).get("/consent/").text  # the first that carries the signal

    assert "Shared until" not in page
    for told in (page, maya.get("/consent/").text):
        assert "your browser told us not to share your data, so we stopped" in told
    answer(maya, "credit-score", {"acme-credit": "refused"})
    assert "You said no on" in maya.get("/consent/").text


@pytest.mark.requirement("R107", "D44")
def test_the_pages_say_that_the_signal_is_honoured_and_only_then(
    maya: FlaskClient, nobody: FlaskClient
) -> None:
    for path in ("/", "/consent/", ASK):
        assert HONOURED in maya.get(path, headers=GPC).text
        assert HONOURED not in maya.get(path).text
        assert HONOURED not in maya.get(path, headers={"Sec-GPC": "0"}).text
    assert HONOURED in nobody.get("/", headers=GPC).text


def test_a_question_of_own_use_alone_says_nothing_of_a_signal(tmp_path: Path) -> None:
    own = replace(declared.OFFERS, recipients=[], id="shop-offers")
    shop = host(tmp_path, registry=declared.registry(purposes=[own]))

    page = browser(shop).get("/consent/ask/shop-offers").text

    assert HONOURED not in page
    assert PROMPT in page


def test_what_the_signal_is_not_about_is_still_asked_beside_what_it_is_about(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    shop.app.add_url_rule(
        "/offers",
        "offers",
        lambda: shop.app.jinja_env.from_string(
            '{{ consent_widget("shop-offers") }}'
        ).render(),
    )

    page = browser(shop).get("/offers").text

    assert HONOURED in page
    assert "choice.shop-offers.controller" in page
    assert "choice.shop-offers.corner-shops" not in page
    assert "in spite of it" not in page


@pytest.mark.requirement("R106")
def test_a_signal_of_another_persons_browser_is_not_about_this_one(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    answer(shop.client(TOM), "credit-score", YES)
    browser(shop, TOM).get("/")

    assert shop.allows(MAYA)
    assert not shop.allows(TOM)
    for here, allowed in ((TOM, True), (MAYA, False), (None, False)):
        with shop.app.test_request_context("/", headers=GPC):
            if here is not None:
                session["person"] = here
            decision = shop.consent.check(
                MAYA, "credit-score", recipient="acme-credit", data={"spending"}
            )
            assert bool(decision) is allowed, here


def test_a_check_with_a_broken_subject_loader_heeds_the_signal(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)

    def broken() -> str:
        raise KeyError("person")

    shop.consent.subject_loader(broken)
    with shop.app.test_request_context("/", headers=GPC):
        decision = shop.consent.check(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        )
    assert decision.reason == "opt_out_signal"


@pytest.mark.requirement("R106", "R62")
def test_a_signal_that_cannot_be_written_denies_all_the_same(
    shop: Host,
    maya: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer(maya, "credit-score", YES)

    def down(_ledger: Ledger) -> None:
        raise LogUnavailableError("the consent database did not answer")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(Ledger, "write", down)
        with shop.app.test_request_context("/", headers=GPC):
            session["person"] = MAYA
            assert not shop.consent.check(
                MAYA, "credit-score", recipient="acme-credit", data={"spending"}
            )
        assert browser(shop).post("/feature").text == "done"
    assert "an opt-out signal is not on record yet" in caplog.text
    assert MAYA not in caplog.text

    browser(shop).post("/feature")
    assert not shop.allows(MAYA)


KEYS = [("credit-score", "acme-credit"), ("shop-offers", "corner-shops")]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["given", "refused", "deferred", "look", "stop"]),
        st.booleans(),
    ),
    max_size=4,
)


@pytest.mark.requirement("R106")
@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_the_header_never_turns_a_no_into_a_yes(
    steps: list[tuple[str, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever was said before, in a browser with the signal or without."""
    shop = host(tmp_path_factory.mktemp("shop"))
    for said, signal in steps:
        client = browser(shop) if signal else shop.client(MAYA)
        if said == "look":
            client.get("/")
        elif said == "stop":
            with shop.app.app_context():
                shop.consent.revoke(MAYA)
        else:
            answer(client, "credit-score", {"acme-credit": said})
            answer(client, "shop-offers", {"corner-shops": said})

    for purpose, recipient in KEYS:
        plain = shop.allows(MAYA, purpose, recipient, data=None)
        with shop.app.test_request_context("/", headers=GPC):
            heard = shop.consent.check(MAYA, purpose, recipient=recipient, data=None)
        assert not heard or plain


# -- what depends on it ----------------------------------------------------------------


def _vary(response: Any) -> set[str]:
    return {each.lower() for each in response.vary}


@pytest.mark.requirement("R109")
@pytest.mark.parametrize("headers", [{}, GPC], ids=["without", "with"])
def test_what_depends_on_the_signal_says_so_and_is_not_for_shared_caches(
    headers: dict[str, str], maya: FlaskClient
) -> None:
    for path in ("/", "/consent/", ASK, "/score"):
        response = maya.get(path, headers=headers)
        assert "sec-gpc" in _vary(response), path
        kept = response.headers["Cache-Control"]
        assert "no-store" in kept or "private" in kept
    for path in ("/consent/static/consentkit.css", "/.well-known/gpc.json"):
        with maya.get(path, headers=headers) as public:
            assert "sec-gpc" not in _vary(public), path


# -- what the site says of itself ------------------------------------------------------


def judged(response: Any) -> object:
    """What a browser makes of the resource, as the vectors have it."""
    body = response.get_json(silent=True)
    plain = response.status_code == 200 and response.mimetype == "application/json"
    if not plain or not isinstance(body, dict) or type(body.get("gpc")) is not bool:
        return "unknown"
    return body["gpc"]


@pytest.mark.requirement("R108")
@pytest.mark.parametrize("name", RESOURCES)
def test_our_judge_of_resources_is_the_one_of_the_vectors(name: str) -> None:
    vector = RESOURCES[name]
    body = json.dumps(vector["body"])

    sent = Response(body, vector["status"], mimetype=vector["content_type"])

    assert judged(sent) == vector["support"]


@pytest.mark.requirement("R108")
def test_an_app_with_a_gated_view_says_that_it_heeds_the_signal(
    shop: Host, nobody: FlaskClient
) -> None:
    (began,) = shop.sql("SELECT min(created) FROM consent_log")[0]

    sent = nobody.get("/.well-known/gpc.json")

    assert judged(sent) is True
    assert sent.headers["Content-Type"] == "application/json"
    assert set(body_of(sent)) == {"gpc", "lastUpdate"}
    day = datetime.fromtimestamp(began / 1000, UTC).date()
    assert body_of(sent)["lastUpdate"] == day.isoformat()
    assert nobody.post("/.well-known/gpc.json").status_code == 405


@pytest.mark.requirement("R108")
def test_an_app_without_a_gate_says_no_until_it_shares_through_one(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path, registry=declared.registry(purposes=[declared.NIGHT_HELP]))
    nobody = shop.client()
    assert judged(nobody.get("/.well-known/gpc.json")) is False

    with (
        shop.app.app_context(),
        pytest.raises(ConsentDeniedError),
        shop.consent.share(MAYA, "night-help", recipient="night-desk"),
    ):
        raise AssertionError

    assert judged(nobody.get("/.well-known/gpc.json")) is True


DECLARED: dict[str, tuple[object, bool, str | None]] = {
    "a day": ("2026-11-21", True, "2026-11-21"),
    "not all of it goes through the gate": (False, False, None),
    "left to be seen": (None, True, None),
}


@pytest.mark.requirement("R108")
@pytest.mark.parametrize(("value", "says", "day"), DECLARED.values(), ids=DECLARED)
def test_what_the_app_declares_goes_before_what_can_be_seen(
    value: object, *, says: bool, day: str | None, tmp_path: Path
) -> None:
    shop = host(tmp_path, CONSENTKIT_GPC=value)

    said = body_of(shop.client().get("/.well-known/gpc.json"))

    assert said["gpc"] is says
    assert day is None or said["lastUpdate"] == day


def _own_route(app: Flask) -> None:
    @app.get("/.well-known/gpc.json")
    def gpc() -> Response:
        return jsonify(gpc=False, ours=True)


ORDERS: dict[str, Callable[..., Host]] = {
    "before": lambda folder: host(folder, before=_own_route),
    "after": lambda folder: host(folder, after=_own_route),
}


@pytest.mark.requirement("R108")
@pytest.mark.parametrize("order", ORDERS)
def test_a_route_of_the_apps_own_goes_first_whoever_was_set_up_first(
    order: str, tmp_path: Path
) -> None:
    shop = ORDERS[order](tmp_path)

    assert body_of(shop.client().get("/.well-known/gpc.json"))["ours"] is True
