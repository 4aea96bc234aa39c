"""What the payment app may release by law: to a court, and to an ambulance service."""

from __future__ import annotations

from consentkit.core.legal_purpose import LegalPurpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import Recipient
from tests import declared

COURT = Recipient(
    "leeds-court",
    name="Crown Court at Leeds",
    contact="orders@leeds-court.example",
    country="GB",
    relation="public-body",
    hosts=("orders.leeds-court.example",),
)
AMBULANCE = Recipient(
    "ambulance",
    name="Yorkshire Ambulance Service",
    contact="control@ambulance.example",
    country="GB",
    relation="public-body",
)
ORDERS = LegalPurpose(
    "court-order",
    title="Obey the order of a court",
    basis="legal-obligation",
    law="Proceeds of Crime Act 2002, s. 345",
    data=[declared.SPENDING],
    recipients=[COURT],
)
RESCUE = LegalPurpose(
    "rescue",
    title="Help somebody whose life is in danger",
    basis="vital-interest",
    law="UK GDPR Art. 6(1)(d)",
    data=[declared.CITY],
    recipients=[AMBULANCE],
)


def registry() -> Registry:
    """The payment app's declarations with what it may release by law."""
    return Registry(
        declared.WALLET,
        declared.PURPOSES,
        legal_purposes=[ORDERS, RESCUE],
    )
