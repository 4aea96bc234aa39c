"""The payment app: accounts, payments, a yearly bill, and questions on pages apart."""

from __future__ import annotations

from example_app.wallet.factory import create_app

__all__ = ["create_app"]
