"""Which gates are reached, told to whoever listens: the tests of an app.

Told by Python's own audit events (PEP 578), which cost next to nothing where nobody
listens, and which nobody can take an effect from.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentkit.core.registry import Registry

__all__ = ["GATE_EVENT", "tell_reached"]

GATE_EVENT = "consentkit.gate"
"""The audit event; its arguments are a registry, a purpose's and a recipient's id."""


def tell_reached(registry: Registry, purpose: str, recipient: str) -> None:
    """Somebody asks the gate about these two, by whichever call."""
    sys.audit(GATE_EVENT, registry, purpose, recipient)
