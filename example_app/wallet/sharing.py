"""The two places where somebody's data leaves the wallet, each inside the gate.

``consent.share`` writes the disclosure to the log first and then runs the body;
``release.only`` hands over nothing but what the person agreed to. If the answer is no,
the body never runs and ``ConsentDeniedError`` says why.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from datetime import UTC
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Any

import urllib3
from flask import current_app
from marshmallow import Schema
from marshmallow import fields

from consentkit.audit import RELEASE_HEADER
from example_app.wallet import book
from example_app.wallet.consent import consent
from example_app.wallet.payment import INCOME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.service.release import Release
    from example_app.wallet.payment import Payment

__all__ = [
    "OFFERS_DATA",
    "OFFERS_NEED",
    "SCORE_DATA",
    "SCORE_NEEDS",
    "PersonSchema",
    "RecipientError",
    "SpendingSchema",
    "fetch_offers",
    "spending_of",
    "work_out_score",
]

SCORE_NEEDS = frozenset({"spending"})
SCORE_DATA = SCORE_NEEDS | {"city"}
OFFERS_NEED = frozenset({"city"})
OFFERS_DATA = OFFERS_NEED | {"shop-kinds"}

_BILLS = "home"
_TOP_KINDS = 3

# Reaches the hosts of recipients inside ``consent.share`` alone.
_http = consent.guarded_pool(retries=False, timeout=urllib3.Timeout(total=10))


class SpendingSchema(Schema):
    """A payment as a recipient gets it: the shop's name stays here."""

    paid_on = fields.Date(metadata={"category": "spending"})
    amount = fields.Integer(metadata={"category": "spending"})
    kind = fields.String(metadata={"category": "spending"})


class PersonSchema(Schema):
    """What goes along about the person; a field not agreed to is left out."""

    city = fields.String(metadata={"category": "city"})
    kinds = fields.List(fields.String(), metadata={"category": "shop-kinds"})


class RecipientError(Exception):
    """A recipient did not answer as agreed; what was sent may have arrived."""


def work_out_score(account: book.Account) -> book.Score:
    """Have Acme score the person's payments, and keep the answer.

    Raises:
        ConsentDeniedError: the person did not agree; nothing was sent.
        RecipientError: Acme could not be reached or did not take it.
    """
    spending = spending_of(book.payments_of(account.id))
    with consent.share(
        account.id,
        "credit-score",
        recipient="acme-credit",
        data=_agreed(account, "credit-score", "acme-credit", SCORE_NEEDS, SCORE_DATA),
        amount=len(spending),
    ) as release:
        answer = _post(
            "WALLET_SCORES",
            release,
            {
                **_basis(account, release),
                "applicant": release.only(PersonSchema(only=["city"]), account),
                "payments": release.only(SpendingSchema(many=True), spending),
            },
        )
    score = book.Score(answer["points"], answer["band"], datetime.now(UTC))
    book.keep_score(account.id, score)
    return score


def fetch_offers(account: book.Account) -> list[book.Offer]:
    """Have Corner Shops pick offers for the person, and keep them.

    Raises:
        ConsentDeniedError: the person did not agree; nothing was sent.
        RecipientError: Corner Shops could not be reached or did not take it.
    """
    person = {
        "city": account.city,
        "kinds": _favourite_kinds(book.payments_of(account.id)),
    }
    with consent.share(
        account.id,
        "shop-offers",
        recipient="corner-shops",
        data=_agreed(account, "shop-offers", "corner-shops", OFFERS_NEED, OFFERS_DATA),
    ) as release:
        answer = _post(
            "WALLET_OFFERS",
            release,
            {
                **_basis(account, release),
                "member": release.only(PersonSchema(), person),
            },
        )
    offers = [book.Offer(each["shop"], each["text"]) for each in answer["offers"]]
    book.keep_offers(account.id, offers)
    return offers


def _agreed(
    account: book.Account,
    purpose: str,
    recipient: str,
    needed: frozenset[str],
    wanted: frozenset[str],
) -> frozenset[str]:
    """What to ask the gate for: all we want, less what the person left unticked."""
    decision = consent.check(account.id, purpose, recipient=recipient, data=wanted)
    return needed | (wanted - decision.missing)


def _basis(account: book.Account, release: Release) -> dict[str, Any]:
    """Whose data it is, as only this recipient knows them, and what it rests on."""
    return {
        "reference": _reference(account, release.recipient),
        "purpose": release.purpose,
        "record": release.record,
        "data": sorted(release.data),
    }


def _reference(account: book.Account, recipient: str) -> str:
    """The person's name towards one recipient.

    Each recipient gets another one, so that two of them cannot lay their data together.
    """
    key = bytes.fromhex(current_app.config["WALLET_REFERENCE_KEY"])
    named = f"{recipient} {account.id}".encode()
    return hmac.digest(key, named, "sha256")[:16].hex()


def spending_of(payments: Iterable[Payment]) -> list[Payment]:
    """What the person spent. What they earn is not in what they agreed to share."""
    return [each for each in payments if each.kind != INCOME]


def _favourite_kinds(payments: Iterable[Payment]) -> list[str]:
    shops = [each for each in spending_of(payments) if each.kind != _BILLS]
    kinds = Counter(each.kind for each in shops)
    return [kind for kind, _ in kinds.most_common(_TOP_KINDS)]


def _post(service: str, release: Release, content: Mapping[str, Any]) -> Any:
    """Send it together with what shows that the recipient may hold exactly this.

    On one machine the address is a port of its own; ``Host`` is the name that the
    recipient has elsewhere, in ``consent.toml``, and that the guard knows it by.
    """
    url = current_app.config[f"{service}_URL"]
    token = current_app.config[f"{service}_TOKEN"]
    body = json.dumps(content).encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Host": consent.registry.recipients[release.recipient].hosts[0],
        RELEASE_HEADER: release.proof(body),
    }
    try:
        response = _http.request("POST", url, body=body, headers=headers)
    except urllib3.exceptions.HTTPError as error:
        raise RecipientError("the recipient could not be reached") from error
    if response.status != HTTPStatus.CREATED:
        raise RecipientError(f"the recipient answered {response.status}, expected 201")
    try:
        return response.json()
    except json.JSONDecodeError as error:
        raise RecipientError("the recipient's answer is not JSON") from error
