"""What the JSON interface answers, field by field, for the OpenAPI document.

A field that an answer has and that does not stand here fails a test, and so does one
that stands here and is never sent.
"""

from __future__ import annotations

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.service.personal import EXPORT_SCHEMA
from consentkit.store.deliveries import DeliveryStatus

__all__ = [
    "ACT",
    "HEX",
    "ExportSchema",
    "ProblemSchema",
    "RevokedSchema",
    "Whole",
    "ids_field",
    "text_field",
    "time_field",
]

HEX = validate.Regexp(r"^[0-9a-f]{64}$")
"""A SHA-256."""

ACT = validate.Regexp(r"^[0-9a-f]{32}$")
"""The id of an act."""


def text_field(about: str) -> fields.Str:
    """A text that is always there."""
    return fields.Str(required=True, metadata={"description": about})


def time_field(about: str) -> fields.DateTime:
    """An instant (RFC 3339) that is always there."""
    return fields.DateTime(required=True, metadata={"description": about})


def ids_field(about: str) -> fields.List[str]:
    """Ids, or other texts; maybe none."""
    return fields.List(fields.Str(), required=True, metadata={"description": about})


class Whole(Schema):
    """An answer, whole: nothing stands in it that is not said here."""

    class Meta:
        """Unknown fields make the document say ``additionalProperties: false``."""

        unknown = RAISE


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
    ended = fields.List(fields.Nested(_EndedSchema), required=True)


class ProblemSchema(Schema):
    """A problem document (RFC 9457). Types are stable; titles and details are not."""

    type = fields.Str(required=True, metadata={"format": "uri-reference"})
    title = fields.Str(required=True)
    status = fields.Int(required=True)
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
    event_state = fields.Str(
        required=True, validate=validate.OneOf([each.value for each in State])
    )
    event_time = time_field("When it was said.")
    validity_duration = fields.Str(
        required=True,
        metadata={"description": "Until when a yes holds; empty where there is none."},
    )
    pii_covered = ids_field("Ids of the data categories that a yes covers.")
    assurance = fields.Str(
        required=True, validate=validate.OneOf([each.value for each in Assurance])
    )
    record_id = text_field("The act that it rests on.")
    scope = fields.Str(required=True, validate=HEX)


class _ReceiptSchema(Whole):
    """One act as it was signed, its proof, and the private facts about it."""

    receipt_id = fields.Str(required=True, validate=ACT)
    record = fields.Dict(
        required=True,
        metadata={"description": "The consent record (ISO/IEC TS 27560)."},
    )
    leaf = text_field("The signed entry, a C2SP signed note, verbatim.")
    index = fields.Int(
        required=True,
        allow_none=True,
        metadata={"description": "Its place in the log, null until it has one."},
    )
    tlog_proof = fields.Str(
        required=True,
        allow_none=True,
        metadata={
            "description": "The proof, C2SP tlog-proof; null until there is one."
        },
    )
    disclosures = ids_field("What the entry commits to, salted (RFC 9901).")
    facts = fields.Dict(
        required=True, metadata={"description": "The same in clear, by name."}
    )
    corrected_by = text_field("The act that corrects this one, or empty.")


class _NoticeSchema(Whole):
    """What was shown, word for word."""

    sha256 = fields.Str(required=True, validate=HEX)
    language = text_field("BCP 47 tag.")
    version = text_field("Its short version.")
    html_sha256 = fields.Str(required=True, validate=HEX)
    html = text_field("The fragment as it was on the page.")
    text = text_field("The same without markup.")
    manifest = fields.Dict(required=True)


class _DisclosureSchema(_RecipientSchema):
    """One share, or one that was refused."""

    id = text_field("Its entry.")
    time = time_field("When.")
    purpose = text_field("Id of the purpose.")
    data = ids_field("Ids of the data categories.")
    shared = fields.Bool(required=True)
    reason = fields.Str(
        required=True, validate=validate.OneOf([each.value for each in Reason])
    )
    record_id = text_field("The act that it rests on, empty if none.")


class _NotificationSchema(_RecipientSchema):
    """One message that went, or will go, to a recipient about this person."""

    id = text_field("Its id.")
    event = text_field("What it tells.")
    record_id = text_field("The act that it is about.")
    created = time_field("When it was written.")
    due = time_field("By when it has to arrive.")
    attempts = fields.Int(required=True)
    status = fields.Str(
        required=True, validate=validate.OneOf([each.value for each in DeliveryStatus])
    )
    message = text_field("Its body.")


class _DelegationSchema(Whole):
    """That somebody else may answer for the person, or might once."""

    id = text_field("Its id, which acts on it name among their facts.")
    label = text_field("What the person calls them.")
    purposes = ids_field("Ids of the purposes that they may answer about.")
    since = time_field("From when on.")
    until = time_field("Until when, if it is not taken back.")
    ended = text_field("When the person took it back, or empty.")


class ExportSchema(Whole):
    """Everything that is held about the person, and of nobody else."""

    schema_version = fields.Str(required=True, validate=validate.Equal(EXPORT_SCHEMA))
    made = time_field("When the file was made.")
    pii_principal_id = text_field(
        "The person's handle in the log, empty if it has none."
    )
    controller = fields.Nested(_ControllerSchema, required=True)
    logs = fields.List(fields.Nested(_LogSchema), required=True)
    answers = fields.List(fields.Nested(_AnswerSchema), required=True)
    receipts = fields.List(fields.Nested(_ReceiptSchema), required=True)
    notices = fields.List(fields.Nested(_NoticeSchema), required=True)
    disclosures = fields.List(fields.Nested(_DisclosureSchema), required=True)
    notifications = fields.List(fields.Nested(_NotificationSchema), required=True)
    delegations = fields.List(fields.Nested(_DelegationSchema), required=True)
    of_age = text_field(
        "When the person comes of age, empty if nobody answered for them."
    )
