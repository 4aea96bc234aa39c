"""The payment app of DESIGN.md §1 done right, as three processes that talk HTTP.

``wallet`` is the app that people use and the only one that knows consentkit.
``affiliate`` scores credit and ``partner`` runs a network of shops: two other
companies, which see what the wallet posts to them and nothing else. ``runner`` starts
the three; ``python -m example_app`` calls it.

Read ``wallet/consent.py`` and ``wallet/sharing.py`` first: they are what an app has to
write.
"""

from __future__ import annotations

__all__: list[str] = []
