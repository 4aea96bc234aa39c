"""The readers of the core room: canonical JSON, declarations, records, notices."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from consentkit.core import canonical
from consentkit.core.act import Choice
from consentkit.core.notice import Notice
from consentkit.core.notice import Offer
from consentkit.core.record import ConsentRecord
from consentkit.core.registry import Registry
from consentkit.errors import DeclarationError
from consentkit.errors import MalformedError
from tests.core.acts import act
from tests.core.acts import choice
from tests.declared import SCORE
from tests.declared import registry

from .target import Target

__all__ = ["CORE_TARGETS"]

HTML = b"<form>I agree that Wallet Ltd shares ...</form>"
NOTICE = Notice.of(
    registry().questions(SCORE.id),
    locale="en",
    html=HTML,
    text="I agree that Wallet Ltd shares ...",
    template=b"<form>{{ statement }}</form>",
    assets={"consentkit.css": b"form { font-size: 1rem }"},
    controls=["choice.credit-score.acme-credit"],
    variant="card",
)
RECORD = ConsentRecord(
    subject="a11ce" + "0" * 27,
    act=act(),
    locale="en",
    version="0123456789ab",
    definitions={each.key: each.definition() for each in registry().all_questions()},
)
DECLARATION = (Path(__file__).parents[1] / "core" / "consent.toml").read_bytes()


def _object(data: bytes) -> dict[str, Any]:
    """Any JSON object, in any spelling: the readers of objects see no bytes."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise MalformedError("no JSON") from e
    if not isinstance(value, dict):
        raise MalformedError("no object")
    return value


def _read_choice(data: bytes) -> None:
    value = _object(data)
    assert Choice.from_dict(value).to_dict() == value


def _read_offer(data: bytes) -> None:
    value = _object(data)
    assert Offer.from_dict(value).to_dict() == value


def _read_record(data: bytes) -> None:
    value = _object(data)
    assert ConsentRecord.from_dict(value).to_dict() == value


def _read_notice(data: bytes) -> Notice:
    notice = Notice.from_bytes(data, HTML)
    for key in notice.offers:
        notice.validity(key)
    return notice


def _notice_again(notice: Notice) -> bytes:
    return notice.manifest_bytes


def _read_declaration(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "consent.toml")
        file.write_bytes(data)
        declared = Registry.from_file(file)
    for question in declared.all_questions():
        canonical.encode(question.definition())
    assert all(declared.missing())


CORE_TARGETS = (
    Target(
        "canonical JSON",
        canonical.decode,
        (
            canonical.encode(RECORD.to_dict()),
            b'{"\xf0\x9f\x98\x82":-1,"\xef\xac\xb3":[]}',
        ),
        canonical.encode,
    ),
    Target("choice", _read_choice, (canonical.encode(choice().to_dict()),)),
    Target(
        "offer",
        _read_offer,
        tuple(canonical.encode(each.to_dict()) for each in NOTICE.offers.values()),
    ),
    Target("consent record", _read_record, (canonical.encode(RECORD.to_dict()),)),
    Target("notice", _read_notice, (NOTICE.manifest_bytes,), _notice_again),
    Target(
        "declaration",
        _read_declaration,
        (DECLARATION,),
        refusals=(DeclarationError,),
        # The developer's own file, and Python's reader of TOML takes a time that is
        # quadratic in the dots of one key.
        largest=1 << 14,
    ),
)
