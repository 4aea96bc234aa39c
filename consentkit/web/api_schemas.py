"""What the JSON interface answers, field by field, for the OpenAPI document.

A field that an answer has and that does not stand here fails a test, and so does one
that stands here and is never sent.
"""

from __future__ import annotations

from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from consentkit.audit.batch_proof import BATCH_PROOF_SCHEMA
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import LegalBasis
from consentkit.service.personal import EXPORT_SCHEMA
from consentkit.store.deliveries import DeliveryStatus
from consentkit.web.answer_fields import ACT
from consentkit.web.answer_fields import HEX
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

__all__ = [
    "DisclosureSchema",
    "ExportSchema",
    "NoticeSchema",
    "ProblemSchema",
    "ReceiptSchema",
    "RevokedSchema",
]


class _EndedSchema(Whole):
    """One grant that ended."""

    purpose = text_field("Id of the purpose.")
    recipient = text_field("Id of the recipient; `controller` is the app's own use.")


class RevokedSchema(Whole):
    """What a revocation ended; nothing, if nothing stood."""

    receipt_id = fields.Str(
        required=True,
        allow_none=True,
        validate=ACT,
        metadata={"description": "The act that ended it; null if nothing did."},
    )
    ended = list_field(_EndedSchema)


class ProblemSchema(Schema):
    """A problem document (RFC 9457). Types are stable; titles and details are not."""

    type = fields.Str(required=True, metadata={"format": "uri-reference"})
    title = fields.Str(required=True)
    status = count_field()
    detail = fields.Str()
    fields_ = fields.List(
        fields.Str(),
        data_key="fields",
        metadata={"description": "With `invalid-request`: what is wrong in the body."},
    )
    reason = fields.Str(
        validate=validate.OneOf([each.value for each in Reason]),
        metadata={"description": "With `consent-missing`: why the gate said no."},
    )
    purpose = fields.Str(metadata={"description": "With `consent-missing`."})
    recipient = fields.Str(metadata={"description": "With `consent-missing`."})
    missing = fields.List(
        fields.Str(),
        metadata={"description": "With `consent-missing`: data not covered."},
    )


class _ControllerSchema(Whole):
    """The organisation that answers for the data."""

    id = text_field("Its id.")
    name = text_field("Its legal name.")
    contact = text_field("Where it is reached.")
    address = text_field("Its address.")
    country = text_field("ISO 3166-1, two letters.")


class _LogSchema(Whole):
    """A log that holds the person's entries."""

    origin = text_field("Its name.")
    vkeys = ids_field("Its verifier keys, as C2SP signed-note writes them.")


class _RecipientSchema(Whole):
    """A recipient by id, and by name if it is declared still."""

    recipient = text_field("Id of the recipient.")
    recipient_name = text_field("Its legal name, empty if it is declared no longer.")


class _AnswerSchema(_RecipientSchema):
    """What stands now for one purpose and one recipient."""

    purpose = text_field("Id of the purpose.")
    event_state = one_of_field(State)
    event_time = time_field("When it was said.")
    validity_duration = text_field("Until when a yes holds; empty where there is none.")
    pii_covered = ids_field("Ids of the data categories that a yes covers.")
    assurance = one_of_field(Assurance)
    record_id = text_field("The act that it rests on.")
    scope = hex_field(HEX)


class ReceiptSchema(Whole):
    """One act as it was signed, its proof, and the private facts about it."""

    receipt_id = hex_field(ACT)
    record = fields.Dict(
        required=True,
        metadata={"description": "The consent record (ISO/IEC TS 27560)."},
    )
    leaf = text_field("The signed entry, a C2SP signed note, verbatim.")
    index = place_field()
    tlog_proof = maybe_field("The proof, C2SP tlog-proof; null until there is one.")
    disclosures = ids_field("What the entry commits to, salted (RFC 9901).")
    facts = fields.Dict(
        required=True, metadata={"description": "The same in clear, by name."}
    )
    corrected_by = text_field("The act that corrects this one, or empty.")


class NoticeSchema(Whole):
    """What was shown, word for word."""

    sha256 = hex_field(HEX)
    language = text_field("BCP 47 tag.")
    version = text_field("Its short version.")
    html_sha256 = hex_field(HEX)
    html = text_field("The fragment as it was on the page.")
    text = text_field("The same without markup.")
    manifest = fields.Dict(required=True)


class DisclosureSchema(_RecipientSchema):
    """One share, or one that was refused."""

    id = text_field("Its entry.")
    time = time_field("When.")
    purpose = text_field("Id of the purpose.")
    data = ids_field("Ids of the data categories.")
    shared = flag_field()
    reason = one_of_field((*Reason, *LegalBasis))
    record_id = text_field("The act that it rests on, empty if none.")


class _BatchProofSchema(Whole):
    """The person's file about a batch, as `verify_batch_entry` reads it."""

    schema_version = fields.Str(
        required=True, validate=validate.Equal(BATCH_PROOF_SCHEMA)
    )
    entry = text_field("The person's entry in the batch, verbatim.")
    place = count_field("Its place in the tree of the batch, from 0.")
    path = fields.List(
        hex_field(HEX),
        required=True,
        metadata={"description": "The hashes that lead to the root (RFC 6962 §2.1.1)."},
    )
    leaf = text_field("The batch's signed entry, a C2SP signed note, verbatim.")
    tlog_proof = maybe_field("The proof, C2SP tlog-proof; null until there is one.")


class _BatchSchema(Whole):
    """One share with many people that named the person."""

    id = hex_field(ACT, "The batch's entry in the log.")
    handed_over = flag_field("Whether the person's data left.")
    reason = one_of_field(Reason, "`granted`, or why they were kept back after all.")
    proof = fields.Nested(_BatchProofSchema, required=True)


class _NotificationSchema(_RecipientSchema):
    """One message that went, or will go, to a recipient about this person."""

    id = text_field("Its id.")
    event = text_field("What it tells.")
    record_id = text_field("The act that it is about.")
    created = time_field("When it was written.")
    due = time_field("By when it has to arrive.")
    attempts = count_field()
    status = one_of_field(DeliveryStatus)
    message = text_field("Its body.")


class _DelegationSchema(Whole):
    """That somebody else may answer for the person, or might once."""

    id = text_field("Its id, which acts on it name among their facts.")
    label = text_field("What the person calls them.")
    purposes = ids_field("Ids of the purposes that they may answer about.")
    since = time_field("From when on.")
    until = time_field("Until when, if it is not taken back.")
    ended = text_field("When the person took it back, or empty.")


class _ReminderSchema(_RecipientSchema):
    """That the person was reminded of a yes before its end; of each one once."""

    purpose = text_field("Id of the purpose.")
    record_id = text_field("The act that gave it.")


class ExportSchema(Whole):
    """Everything that is held about the person, and of nobody else."""

    schema_version = fields.Str(required=True, validate=validate.Equal(EXPORT_SCHEMA))
    made = time_field("When the file was made.")
    pii_principal_id = text_field(
        "The person's handle in the log, empty if it has none."
    )
    controller = fields.Nested(_ControllerSchema, required=True)
    logs = list_field(_LogSchema)
    answers = list_field(_AnswerSchema)
    receipts = list_field(ReceiptSchema)
    notices = list_field(NoticeSchema)
    disclosures = list_field(DisclosureSchema)
    batches = list_field(_BatchSchema)
    notifications = list_field(_NotificationSchema)
    delegations = list_field(_DelegationSchema)
    reminders = list_field(_ReminderSchema)
    of_age = text_field(
        "When the person comes of age, empty if nobody answered for them."
    )
