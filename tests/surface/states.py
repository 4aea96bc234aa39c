"""Every page of ours in every state that people bring about, as an app sends it.

Made through the doors that people use, by an HTTP client and a clock that is moved; so
each is what somebody really gets, and drawing them needs no server.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

import time_machine
from flask import session

from consentkit import Representative
from consentkit.testing import answer
from consentkit.testing import form_token
from tests import declared
from tests.surface.shop import add_doors
from tests.web import screens
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

__all__ = ["all_states"]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEARS = timedelta(days=3_650)
PAGE = "/today/credit-score"  # of the app, with a question in it
ASK = {
    each.id: f"/consent/ask/{each.id}"
    for each in (declared.SCORE, declared.OFFERS, declared.NIGHT_HELP)
}
OFFERS = {"corner-shops": "given", "controller": "refused"}
TOKEN = re.compile(r'name="token" value="([^"]+)"')
TITLE = re.compile(r"<title>(.*?) –")
RECEIPT = re.compile(r'href="(/consent/receipts/[0-9a-f]{32})"')
NOTICE = re.compile(r'href="(/consent/notices/[0-9a-f]{64})"')


def all_states(folder: Path) -> dict[str, str]:
    """The pages by a name of their state."""
    with time_machine.travel(NOON, tick=False) as clock:
        shop = _open(folder)
        found = {
            **_strangers(shop),
            **_first_answers(shop),
            **_shared(shop),
            **_refused(shop),
            **_signalled(shop),
            **_represented(shop),
            **_sent_by_a_gate(shop),
        }
        clock.shift(timedelta(hours=3))
        found |= _late(shop)
        clock.shift(timedelta(days=400))
        found |= _expired(shop)
        found |= _changed(folder)
        found |= _erased(shop)
    return found | _drawn(found)


def _drawn(found: dict[str, str]) -> dict[str, str]:
    """The pages that this app has no occasion for, from values alone."""
    known = set(TITLE.findall("".join(found.values())))
    return {
        f"{name} (drawn)": html
        for name, html in screens.all_pages().items()
        if not known.intersection(TITLE.findall(html))
    }


def _open(folder: Path, **options: Any) -> Host:
    shop = host(folder, after=add_doors, PERMANENT_SESSION_LIFETIME=YEARS, **options)
    gate = shop.consent.require("credit-score", recipient="acme-credit")
    shop.app.add_url_rule("/near", "near", gate(lambda: "near you"))

    @shop.consent.representative_loader
    def acting() -> Representative | None:
        whom = session.get("acts_for")
        if not whom:
            return None
        return Representative(
            subject=whom, by=session["person"], actor="delegate", label="Tom"
        )

    return shop


def _text(sent: TestResponse, status: int = 200) -> str:
    assert sent.status_code == status, (sent.request.path, sent.status_code)
    return sent.text


def _press(client: FlaskClient, page: str, to: str) -> str:
    """Press the first button of a page; the page that it leads to."""
    form = {"token": form_token(client.get(page).text)}
    return _text(client.post(to, data=form, follow_redirects=True))


def _strangers(shop: Host) -> dict[str, str]:
    nobody, maya = shop.client(), shop.client(MAYA)
    other = {"Accept-Language": "sv"}
    return {
        "a question, nobody signed in": _text(nobody.get(ASK["credit-score"])),
        "a question in a page, nobody signed in": _text(nobody.get(PAGE)),
        "the centre, nobody signed in": _text(nobody.get("/consent/"), 401),
        "how to check": _text(nobody.get("/consent/checking")),
        "nothing there": _text(nobody.get("/consent/notices/none"), 404),
        "an empty centre": _text(maya.get("/consent/")),
        "no shares": _text(maya.get("/consent/disclosures")),
        "nothing to export": _text(maya.get("/consent/export")),
        "nothing to erase": _text(maya.get("/consent/erasure")),
        "nothing to stop": _text(maya.get("/consent/result")),
        "another language": _text(maya.get(ASK["credit-score"], headers=other)),
        "a question in a page": _text(maya.get(PAGE)),
        **{f"a question, {id_}": _text(maya.get(at)) for id_, at in ASK.items()},
    }


def _first_answers(shop: Host) -> dict[str, str]:
    """No, later and yes, each told, and then the page on which it was given."""
    found: dict[str, str] = {}
    maya = shop.client(MAYA)
    for said in ("refused", "deferred", "given"):
        told = answer(maya, "credit-score", {"acme-credit": said})
        found |= {
            f"told {said}": _text(told),
            f"asked again, {said}": _text(maya.get(ASK["credit-score"])),
            f"in a page, {said}": _text(maya.get(PAGE)),
            f"the centre, {said}": _text(maya.get("/consent/")),
        }
    found["told, several"] = _text(answer(maya, "shop-offers", OFFERS))
    night = {"night-desk": "given"}
    found["told, a pair"] = _text(answer(maya, "night-help", night, abroad=night))
    found["asked again, a pair"] = _text(maya.get(ASK["night-help"]))
    return found


def _shared(shop: Host) -> dict[str, str]:
    """Something was shared, something refused, and one use was stopped and told."""
    maya = shop.client(MAYA)
    with (
        shop.app.app_context(),
        shop.consent.share(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ),
    ):
        pass
    shop.client(TOM).post("/score")
    promised = RECEIPT.findall(maya.get("/consent/").text)[0]
    promise = _text(maya.get(promised))
    shop.publish()
    notice = NOTICE.findall(maya.get(ASK["credit-score"]).text)[0]
    full = {
        "the centre, full": _text(maya.get("/consent/")),
        "the list of shares": _text(maya.get("/consent/disclosures")),
        "a refused attempt": _text(shop.client(TOM).get("/consent/disclosures")),
        "a receipt that is promised": promise,
        "a receipt": _text(maya.get(promised)),
        "a notice": _text(maya.get(notice)),
        "all to export": _text(maya.get("/consent/export")),
        "all to erase": _text(maya.get("/consent/erasure")),
    }
    with shop.app.app_context():
        shop.consent.revoke(MAYA, "credit-score")
    return full | {
        "the centre, one told": _text(maya.get("/consent/")),
        "in a page, stopped": _text(maya.get(PAGE)),
        "told, stopped": _press(maya, "/consent/", "/consent/revocations"),
    }


def _refused(shop: Host) -> dict[str, str]:
    """Forms that are not taken."""
    maya = shop.client(MAYA)
    token = _token(maya, ASK["shop-offers"])
    spent = {"token": token, "choice.shop-offers.controller": "refused"}
    maya.post("/consent/choices", data=spent)
    other = {**spent, "choice.shop-offers.controller": "given"}
    choices = "/consent/choices"
    return {
        "no answer": _text(maya.post(choices, data={"token": _token(maya)}), 422),
        "a form of nobody": _text(maya.post(choices, data={"token": "x"}), 403),
        "a form of another": _text(
            maya.post(choices, data={"token": _token(shop.client(TOM))}), 403
        ),
        "a spent form": _text(maya.post(choices, data=other), 409),
        "a form that makes no sense": _text(
            maya.post(choices, data={"token": _token(maya), "choice.x.y": "given"}), 422
        ),
    }


def _token(client: FlaskClient, at: str = ASK["credit-score"]) -> str:
    """The token of the question's form, which is the last one on its page."""
    return str(TOKEN.findall(client.get(at).text)[-1])


def _signalled(shop: Host) -> dict[str, str]:
    """A browser that says no by itself; and somebody who says yes in spite of it."""
    quiet = shop.client("quiet@example.org")
    answer(quiet, "shop-offers", OFFERS)
    quiet.environ_base["HTTP_SEC_GPC"] = "1"
    found = {
        "a signal, asked": _text(quiet.get(ASK["credit-score"])),
        "a signal, in a page": _text(quiet.get(PAGE)),
        "a signal, the centre": _text(quiet.get("/consent/")),
    }
    answer(quiet, "credit-score", {"acme-credit": "given"})
    return found | {
        "in spite of it, asked again": _text(quiet.get(ASK["credit-score"])),
        "in spite of it, the centre": _text(quiet.get("/consent/")),
    }


def _represented(shop: Host) -> dict[str, str]:
    """Somebody lets another answer for them; the other does."""
    others = "/consent/delegations"
    alone = _text(shop.client(TOM).get(others))
    with shop.app.app_context():
        shop.consent.delegate(
            TOM,
            to=MAYA,
            label="Tom",
            purposes=["credit-score"],
            until=NOON + YEARS / 20,
        )
    maya = shop.client(MAYA)
    with maya.session_transaction() as cookies:
        cookies["acts_for"] = TOM
    return {
        "nobody answers for them": alone,
        "acting, a question": _text(maya.get(ASK["credit-score"])),
        "acting, told": _text(answer(maya, "credit-score", {"acme-credit": "refused"})),
        "acting, the centre": _text(maya.get("/consent/")),
        "acting, beyond what was left": _text(maya.get(ASK["shop-offers"]), 403),
        "somebody answers for them": _text(shop.client(TOM).get(others)),
        "answered by another": _text(shop.client(TOM).get("/consent/")),
    }


def _sent_by_a_gate(shop: Host) -> dict[str, str]:
    """They said yes, and left out what the app's page needs as well."""
    near = shop.client("near@example.org")
    answer(near, "credit-score", {"acme-credit": "given"})
    here = {"Accept": CHROME, "Referer": "http://localhost/menu"}
    asked = _text(near.get("/near", headers=here, follow_redirects=True))
    form = {
        "token": TOKEN.findall(asked)[-1],
        "choice.credit-score.acme-credit": "refused",
    }
    (to,) = re.findall(r'action="(/consent/choices[^"]*)"', asked)
    return {
        "sent by a gate, left out": asked,
        "sent by a gate, told": _text(near.post(to, data=form, follow_redirects=True)),
    }


def _late(shop: Host) -> dict[str, str]:
    late = shop.client("late@example.org")
    answer(late, "credit-score", {"acme-credit": "given"})
    old = {"token": _token(late), "choice.credit-score.acme-credit": "refused"}
    with time_machine.travel(NOON + timedelta(hours=9), tick=False):
        return {
            "a form that was open too long": _text(
                late.post("/consent/choices", data=old), 409
            )
        }


def _expired(shop: Host) -> dict[str, str]:
    late = shop.client("late@example.org")
    return {
        "expired, the centre": _text(late.get("/consent/")),
        "expired, asked again": _text(late.get(ASK["credit-score"])),
        "expired, in a page": _text(late.get(PAGE)),
    }


def _changed(folder: Path) -> dict[str, str]:
    """The app asks for more, and somebody else is to get it."""
    moved = replace(declared.CREDIT, name="Acme Data Ltd")
    score = replace(declared.SCORE, recipients=[moved])
    shop = _open(folder, registry=declared.registry(purposes=[score, declared.OFFERS]))
    late = shop.client("late@example.org")
    return {
        "changed, asked again": _text(late.get(ASK["credit-score"])),
        "changed, in a page": _text(late.get(PAGE)),
        "what is no longer declared": _text(shop.client(MAYA).get("/consent/")),
    }


def _erased(shop: Host) -> dict[str, str]:
    late = shop.client("late@example.org")
    return {"erased": _press(late, "/consent/erasure", "/consent/erasure")}
