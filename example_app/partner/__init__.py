"""Corner Shops Network Ltd, an outside company: picks offers of shops for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from example_app.partner.offers import AudienceSchema
from example_app.partner.offers import answer_request
from example_app.receiving import Identity
from example_app.receiving import create_recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

__all__ = ["create_app"]

_CORNER_SHOPS = Identity(
    folder="partner",
    name="Corner Shops Network Ltd",
    short_name="Corner Shops",
    relation="A network of independent shops",
)


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The shop network: ``POST /offers/audience`` takes a person, ``/`` shows who came.

    Raises:
        FileNotFoundError: there is neither ``config`` nor the runner's file.
    """
    return create_recipient(
        _CORNER_SHOPS,
        path="/offers/audience",
        schema=AudienceSchema(),
        answer=answer_request,
        config=config,
    )
