"""The credit score and the shop offers: pages that explain, and buttons that ask.

The question itself is on a page of its own, which consentkit serves. A button here
uses an answer that was given there, or says calmly that nothing was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from flask import Blueprint
from flask import flash
from flask import redirect
from flask import render_template
from flask import url_for

from consentkit.errors import ConsentDeniedError
from example_app.wallet import book
from example_app.wallet import sharing
from example_app.wallet.consent import consent
from example_app.wallet.forms import refuse_foreign_posts
from example_app.wallet.signing_in import current_person
from example_app.wallet.signing_in import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

__all__ = ["blueprint"]

blueprint = Blueprint("services", __name__, cli_group=None)
blueprint.before_request(refuse_foreign_posts)


@blueprint.get("/credit-score")
@signed_in
def credit_score() -> ResponseReturnValue:
    person = current_person()
    decision = consent.check(
        person.id, "credit-score", recipient="acme-credit", data=sharing.SCORE_NEEDS
    )
    return render_template(
        "wallet/credit_score.html", decision=decision, score=book.score_of(person.id)
    )


@blueprint.post("/credit-score")
@signed_in
def work_out() -> ResponseReturnValue:
    _try(sharing.work_out_score, company="Acme Credit Scoring Ltd")
    return redirect(url_for(".credit_score"))


@blueprint.get("/offers")
@signed_in
def shop_offers() -> ResponseReturnValue:
    person = current_person()
    decision = consent.check(
        person.id, "shop-offers", recipient="corner-shops", data=sharing.OFFERS_NEED
    )
    return render_template(
        "wallet/shop_offers.html", decision=decision, offers=book.offers_for(person.id)
    )


@blueprint.post("/offers")
@signed_in
def look_for_offers() -> ResponseReturnValue:
    _try(sharing.fetch_offers, company="Corner Shops Network Ltd")
    return redirect(url_for(".shop_offers"))


def _try(share: Callable[[book.Account], object], *, company: str) -> None:
    """Share, and tell the person on the next page what came of it."""
    try:
        share(current_person())
    except ConsentDeniedError:
        flash(f"Nothing was sent to {company}.", "not-sent")
    except sharing.RecipientError:
        flash(f"{company} did not answer. Please try again later.", "trouble")


@blueprint.cli.command("send-offers")
def send_offers() -> None:
    """Fetch shop offers for everybody who agreed; what a nightly job would run."""
    people = book.all_people()
    served = sum(_fetch_if_agreed(person) for person in people)
    click.echo(f"fetched offers for {served} of {len(people)} people")
    click.echo(f"sent nothing about the other {len(people) - served}")


def _fetch_if_agreed(person: book.Account) -> bool:
    # Asked first, so that the log does not fill with refusals of people who were
    # never going to be sent; the share asks again, for whoever said no meanwhile.
    if not consent.check(
        person.id, "shop-offers", recipient="corner-shops", data=sharing.OFFERS_NEED
    ):
        return False
    try:
        sharing.fetch_offers(person)
    except ConsentDeniedError:
        return False
    except sharing.RecipientError as error:
        raise click.ClickException(f"Corner Shops Network Ltd: {error}") from error
    return True
