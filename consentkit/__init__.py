"""Honest consent for Flask: ask properly, remember provably, share what is covered.

The front door. ``ConsentKit`` is the Flask extension; the other names declare what an
app asks, or are values that it gets back. Auditors start at ``consentkit.audit``,
which needs neither Flask nor a database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentkit.core.act import Actor as Actor
    from consentkit.core.act import Assurance as Assurance
    from consentkit.core.act import State as State
    from consentkit.core.decision import Decision as Decision
    from consentkit.core.decision import Reason as Reason
    from consentkit.core.decision import ShareRequest as ShareRequest
    from consentkit.core.legal_purpose import LegalPurpose as LegalPurpose
    from consentkit.core.purpose import Purpose as Purpose
    from consentkit.core.registry import Registry as Registry
    from consentkit.core.representative import Representative as Representative
    from consentkit.core.vocabulary import AutomatedDecision as AutomatedDecision
    from consentkit.core.vocabulary import Controller as Controller
    from consentkit.core.vocabulary import DataCategory as DataCategory
    from consentkit.core.vocabulary import DataItem as DataItem
    from consentkit.core.vocabulary import Recipient as Recipient
    from consentkit.errors import ConfigurationError as ConfigurationError
    from consentkit.errors import ConsentDeniedError as ConsentDeniedError
    from consentkit.errors import ConsentKitError as ConsentKitError
    from consentkit.errors import DeclarationError as DeclarationError
    from consentkit.errors import InvalidRequestError as InvalidRequestError
    from consentkit.errors import LogError as LogError
    from consentkit.errors import UngatedSendError as UngatedSendError
    from consentkit.errors import VerificationError as VerificationError
    from consentkit.service.accompanying import PersonsAct as PersonsAct
    from consentkit.service.administering import Official as Official
    from consentkit.service.confirming import ConfirmationLink as ConfirmationLink
    from consentkit.service.telling import ErasureTask as ErasureTask
    from consentkit.store.autogenerate import include_name as include_name
    from consentkit.web.extension import ConsentKit as ConsentKit

__all__ = [
    "Actor",
    "Assurance",
    "AutomatedDecision",
    "ConfigurationError",
    "ConfirmationLink",
    "ConsentDeniedError",
    "ConsentKit",
    "ConsentKitError",
    "Controller",
    "DataCategory",
    "DataItem",
    "Decision",
    "DeclarationError",
    "ErasureTask",
    "InvalidRequestError",
    "LegalPurpose",
    "LogError",
    "Official",
    "PersonsAct",
    "Purpose",
    "Reason",
    "Recipient",
    "Registry",
    "Representative",
    "ShareRequest",
    "State",
    "UngatedSendError",
    "VerificationError",
    "include_name",
]

# Loaded when they are asked for (PEP 562): an auditor's environment has no Flask, and
# who verifies a receipt should not wait for what declares a purpose.
_HOMES = {
    "Actor": "consentkit.core.act",
    "Assurance": "consentkit.core.act",
    "State": "consentkit.core.act",
    "Decision": "consentkit.core.decision",
    "Reason": "consentkit.core.decision",
    "ShareRequest": "consentkit.core.decision",
    "Registry": "consentkit.core.registry",
    "Representative": "consentkit.core.representative",
    "AutomatedDecision": "consentkit.core.vocabulary",
    "Controller": "consentkit.core.vocabulary",
    "DataCategory": "consentkit.core.vocabulary",
    "DataItem": "consentkit.core.vocabulary",
    "LegalPurpose": "consentkit.core.legal_purpose",
    "Purpose": "consentkit.core.purpose",
    "Recipient": "consentkit.core.vocabulary",
    "ConfigurationError": "consentkit.errors",
    "ConsentDeniedError": "consentkit.errors",
    "ConsentKitError": "consentkit.errors",
    "DeclarationError": "consentkit.errors",
    "InvalidRequestError": "consentkit.errors",
    "LogError": "consentkit.errors",
    "UngatedSendError": "consentkit.errors",
    "VerificationError": "consentkit.errors",
    "Official": "consentkit.service.administering",
    "ConfirmationLink": "consentkit.service.confirming",
    "ErasureTask": "consentkit.service.telling",
    "PersonsAct": "consentkit.service.accompanying",
    "ConsentKit": "consentkit.web.extension",
    "include_name": "consentkit.store.autogenerate",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'consentkit' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
