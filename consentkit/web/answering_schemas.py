"""What the JSON interface answers to who asks and answers, for the OpenAPI document.

As in ``api_schemas``: a test fails if an answer and its schema differ.
"""

from __future__ import annotations

from marshmallow import fields
from marshmallow import validate

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.service.choosing import ANSWERS
from consentkit.web.answer_fields import ACT
from consentkit.web.answer_fields import HEX
from consentkit.web.answer_fields import Whole
from consentkit.web.answer_fields import flag_field
from consentkit.web.answer_fields import hex_field
from consentkit.web.answer_fields import ids_field
from consentkit.web.answer_fields import list_field
from consentkit.web.answer_fields import maybe_field
from consentkit.web.answer_fields import one_of_field
from consentkit.web.answer_fields import text_field
from consentkit.web.answer_fields import time_field
from consentkit.web.links import FAILED
from consentkit.web.links import SENT

__all__ = ["ChosenSchema", "PresentedSchema", "StatusSchema"]


class _OfferedSchema(Whole):
    """A question, as its answer has to name it."""

    purpose = text_field("Id of the purpose; of a transfer with `.cross-border`.")
    recipient = text_field("Id of the recipient; `controller` is the app's own use.")
    data = ids_field("Ids of all data categories asked about.")
    optional = ids_field("Those among them that a yes can leave out.")


class _NoticeShownSchema(Whole):
    """The notice, logged before it is shown."""

    digest = hex_field(HEX)
    version = text_field("Its short version.")
    locale = text_field("BCP 47 tag of the language that it is in.")
    direction = one_of_field(["ltr", "rtl"])
    url = text_field("Its permanent address, a page.")
    html_url = text_field("The fragment's bytes, to be shown as they are.")
    manifest_url = text_field("The manifest's bytes; the digest is their SHA-256.")
    manifest = fields.Dict(
        required=True, metadata={"description": "The manifest: what is asked."}
    )


class _FactSchema(Whole):
    """One labelled statement."""

    label = text_field("What it is about.")
    lines = ids_field("What it says, a paragraph each.")


class _ItemSchema(Whole):
    """One data category."""

    data = text_field("Its id.")
    title = text_field("Its name.")
    need = text_field("Whether it is needed or optional, in words.")
    note = text_field("What it is for, or what happens without it.")
    box = maybe_field("The words on its empty box; null where it is needed.")


class _LabelSchema(Whole):
    """One control."""

    answer = one_of_field(sorted(each.value for each in ANSWERS))
    label = text_field("The words on it.")


class _QuestionSchema(Whole):
    """One question in the notice's words."""

    purpose = text_field("Id of the purpose.")
    recipient = text_field("Id of the recipient.")
    heading = maybe_field("Its heading; null where there is one question only.")
    statement = text_field("What a yes agrees to.")
    note = maybe_field("What else is to be known of it.")
    data_label = text_field("The label of the list of data.")
    items = list_field(_ItemSchema)
    facts = list_field(_FactSchema)
    answers = list_field(_LabelSchema)


class _WordingSchema(Whole):
    """All that the notice says, as plain text.

    To be shown in this order: asker, title, description, signal, instruction, reasons,
    effects, the questions, closing, save; of one question alone its statement and items
    come before the reasons, and its facts after them.
    """

    asker = text_field("Who asks.")
    title = text_field("The heading.")
    description = text_field("What it is for.")
    signal = maybe_field("That a yes counts in spite of the browser's opt-out signal.")
    instruction = maybe_field("How several questions are answered.")
    reasons = list_field(_FactSchema)
    effects = list_field(_FactSchema)
    questions = list_field(_QuestionSchema)
    closing = list_field(_FactSchema)
    save = maybe_field("The button that sends the answers to several questions.")


class _BesideSchema(Whole):
    """What is told with the question and is about the person."""

    account = maybe_field("The account that is signed in, shortened.")
    acting = maybe_field("For whom they answer, if not for themselves.")
    ending = maybe_field("That an answer is about to end.")
    changes = ids_field("What has changed since the last answer.")
    whose = maybe_field("Whose yes it takes besides, or instead.")
    ends = maybe_field("Until when a yes of today would hold.")
    signal = maybe_field("That an opt-out signal came with the request, and counts.")


class _StandingSchema(Whole):
    """The standing answer to one question."""

    purpose = text_field("Id of the purpose.")
    recipient = text_field("Id of the recipient.")
    recipient_name = text_field("Its legal name, or its id if it is declared no more.")
    state = one_of_field(State)
    holds = flag_field(
        "Whether it is a yes that counts now; before a share, ask the gate."
    )
    since = time_field("When it was said.")
    until = time_field("Until when a yes holds; null where there is none.", maybe=True)
    data = ids_field("Ids of the data categories that a yes covers.")
    assurance = one_of_field(Assurance)
    record_id = hex_field(ACT)
    receipt_url = maybe_field("Its receipt, a page; null for a delegate.")
    told = ids_field("What it means, in the words of the person's own page.")


class PresentedSchema(Whole):
    """A question, with nothing chosen, or that there is nothing to ask."""

    purpose = text_field("Id of the purpose.")
    notice = fields.Nested(
        _NoticeShownSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null where nothing is open."},
    )
    wording = fields.Nested(
        _WordingSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Null where nothing is open, and where a template of the "
            "app's words the notice: then show the fragment."
        },
    )
    questions = list_field(_OfferedSchema)
    beside = fields.Nested(_BesideSchema, required=True)
    answers = list_field(_StandingSchema)
    token = maybe_field("It answers this notice, for this person, once.")
    expires = time_field("When the token lapses.", maybe=True)
    choices_url = text_field("Where the answers go, in the language of the question.")
    centre_url = text_field("Where the person stops what they agreed to.")


class ChosenSchema(Whole):
    """The act, and what stands now of what was asked."""

    record_id = hex_field(ACT)
    receipt_url = maybe_field("Its receipt, a page; null for a delegate.")
    answers = list_field(_StandingSchema)
    link = fields.Str(
        required=True,
        allow_none=True,
        validate=validate.OneOf([SENT, FAILED]),
        metadata={
            "description": "What became of the link that confirms a yes of two "
            "stages; null where none was needed."
        },
    )
    told = ids_field("What to tell of that link.")


class StatusSchema(Whole):
    """What the person has answered, newest first."""

    answers = list_field(_StandingSchema)
    opt_out_signal = flag_field("Whether the request carries an opt-out signal.")
    centre_url = text_field("Where the person stops what they agreed to.")
