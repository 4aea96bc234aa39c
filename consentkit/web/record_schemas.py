"""What the JSON interface answers about records and checks, for the OpenAPI document.

As in ``api_schemas``: a test fails if an answer and its schema differ.
"""

from __future__ import annotations

from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.web.answer_fields import ACT
from consentkit.web.answer_fields import Whole
from consentkit.web.answer_fields import count_field
from consentkit.web.answer_fields import flag_field
from consentkit.web.answer_fields import hex_field
from consentkit.web.answer_fields import ids_field
from consentkit.web.answer_fields import list_field
from consentkit.web.answer_fields import maybe_field
from consentkit.web.answer_fields import one_of_field
from consentkit.web.answer_fields import place_field
from consentkit.web.answer_fields import text_field
from consentkit.web.answer_fields import time_field
from consentkit.web.api_schemas import DisclosureSchema

__all__ = ["DecisionsSchema", "DisclosuresSchema", "ReceiptsSchema"]


class _SaidSchema(Whole):
    """What was said to one question."""

    purpose = text_field("Id of the purpose.")
    recipient = text_field("Id of the recipient.")
    state = one_of_field(State)
    data = ids_field("Ids of the data categories that a yes covers.")


class _SummarySchema(Whole):
    """One act, without its proof and private facts."""

    receipt_id = hex_field(ACT)
    time = time_field("When.")
    actor = one_of_field(Actor)
    assurance = one_of_field(Assurance)
    choices = list_field(_SaidSchema)
    notice = text_field("The digest of the notice that was answered, or empty.")
    index = place_field()
    corrected_by = text_field("The act that corrects this one, or empty.")
    url = text_field("The whole receipt.")


class _Page(Whole):
    """Part of a list."""

    total = count_field("How many there are in all.")
    next_url = maybe_field("The part that follows; null if this is the last.")


class ReceiptsSchema(_Page):
    """Acts of the person, newest first."""

    receipts = list_field(_SummarySchema)


class DisclosuresSchema(_Page):
    """Shares, and refused attempts, newest first."""

    disclosures = list_field(DisclosureSchema)


class _DecisionSchema(Whole):
    """The gate's answer to one check."""

    allowed = flag_field("True with the reason `granted` only.")
    reason = one_of_field(Reason)
    purpose = text_field("Id of the purpose.")
    recipient = text_field("Id of the recipient.")
    data = ids_field("Ids of the data categories that may leave.")
    missing = ids_field("Ids of those asked for and not agreed to.")
    record_id = text_field("The act that a yes rests on, empty where there is none.")
    until = time_field("When a yes ends; null where there is none.", maybe=True)


class DecisionsSchema(Whole):
    """What may be shared, in the order of the checks."""

    decisions = list_field(_DecisionSchema)
