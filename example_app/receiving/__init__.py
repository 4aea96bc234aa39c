"""What the affiliate and the partner have in common: an inbox, and a page to see it.

They are two companies. Each is its own process with its own database and key; they
share this code and no data. Neither knows consentkit: whoever receives data can only
show what came, on which record, and keep what it was not sent from looking sent.
"""

from __future__ import annotations

from example_app.receiving.factory import Identity
from example_app.receiving.factory import create_recipient

__all__ = ["Identity", "create_recipient"]
