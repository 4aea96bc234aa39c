"""Honest consent for Flask: ask properly, remember provably, refuse what is not covered.

The front door. ``ConsentKit`` is the Flask extension; the other names declare what an
app asks, or are values that it gets back. Auditors start at ``consentkit.audit``,
which needs neither Flask nor a database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Purpose
from consentkit.core.vocabulary import Recipient
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import ConsentKitError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from consentkit.web.extension import ConsentKit

__all__ = [
    "Actor",
    "Assurance",
    "AutomatedDecision",
    "ConfigurationError",
    "ConsentDeniedError",
    "ConsentKit",
    "ConsentKitError",
    "Controller",
    "DataCategory",
    "DataItem",
    "Decision",
    "DeclarationError",
    "InvalidRequestError",
    "LogError",
    "Purpose",
    "Reason",
    "Recipient",
    "Registry",
    "ShareRequest",
    "State",
    "VerificationError",
]


def __getattr__(name: str) -> object:
    # Auditors import this package in an environment without Flask or SQLAlchemy.
    if name == "ConsentKit":
        from consentkit.web.extension import ConsentKit  # noqa: PLC0415  see above

        return ConsentKit
    raise AttributeError(f"module 'consentkit' has no attribute {name!r}")
