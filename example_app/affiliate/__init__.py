"""Acme Credit Scoring Ltd, of the wallet's group: makes credit scores of payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from example_app.affiliate.scoring import ScoreRequestSchema
from example_app.affiliate.scoring import answer_request
from example_app.receiving import Identity
from example_app.receiving import create_recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

__all__ = ["create_app"]

_ACME = Identity(
    folder="affiliate",
    name="Acme Credit Scoring Ltd",
    short_name="Acme",
    relation="A company of the same group as Wallet Ltd",
    recipient="acme-credit",
)


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The credit scorer: ``POST /scores`` takes payments, ``/`` shows what came.

    Raises:
        FileNotFoundError: there is neither ``config`` nor the runner's file.
    """
    return create_recipient(
        _ACME,
        path="/scores",
        schema=ScoreRequestSchema(),
        answer=answer_request,
        config=config,
    )
