"""What the affiliate and the partner have in common: an inbox, and a page to see it.

They are two companies. Each is its own process with its own database and key; they
share this code and no data. Both show what came and on which record, and delete it when
they are told that the consent has ended. The affiliate takes nothing without proof that
it may hold it, and keeps the proof; of consentkit it has the part for auditors.
"""

from __future__ import annotations

from example_app.receiving.factory import Identity
from example_app.receiving.factory import create_recipient

__all__ = ["Identity", "create_recipient"]
