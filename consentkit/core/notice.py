"""The notice: the exact text that was shown, as a manifest with a digest.

A notice is fixed by what was on the screen (the fragment's bytes) and by what it asked
(the questions and their scopes). Both stand in the manifest; the manifest's SHA-256
is the notice's name everywhere, in forms, leaves and permanent addresses (EDPB
guidelines 05/2020 §108; ISO/IEC TS 27560 6.3.4.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from typing import Any
from typing import NewType
from typing import cast

from consentkit.core import canonical
from consentkit.errors import DeclarationError
from consentkit.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.registry import Question

__all__ = ["SIGNALLED", "STANDARD", "Notice", "NoticeDigest", "Offer"]

NoticeDigest = NewType("NoticeDigest", str)
"""64 hex digits, SHA-256 of a notice's manifest."""

STANDARD = "standard"
"""The variant of a notice that everybody gets."""

SIGNALLED = "opt-out-signal"
"""The variant that says: your browser opts out, and a yes here counts in spite of it.
"""

_FIELDS = frozenset(
    {
        *("assets", "controller", "controls", "html_sha256", "id", "locale", "offers"),
        *("purposes", "template_sha256", "text_sha256", "variant", "version"),
    }
)
_OFFER_TEXTS = ("purpose", "recipient", "scope")
_OFFER_LISTS = ("data", "optional")

_VERSION_DIGITS = 12  # enough to tell versions apart by eye; the digest is the proof


@dataclass(frozen=True, slots=True)
class Offer:
    """What one question of a notice offered: the most that its answer can grant.

    ``data`` lists every category asked about, ``optional`` those among them that the
    person could leave out; both sorted.
    """

    purpose: str
    recipient: str
    scope: str
    data: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @classmethod
    def of(cls, question: Question) -> Offer:
        """The offer that a question makes."""
        return cls(
            purpose=question.purpose_id,
            recipient=question.recipient_id,
            scope=question.scope,
            data=question.data,
            optional=question.optional,
        )

    @property
    def key(self) -> tuple[str, str]:
        """(purpose, recipient)."""
        return self.purpose, self.recipient

    def allows(self, data: Iterable[str]) -> bool:
        """Whether an answer that covers exactly ``data`` was on offer."""
        covered = set(data)
        needed = set(self.data) - set(self.optional)
        return needed <= covered <= set(self.data)

    def to_dict(self) -> dict[str, Any]:
        """The form that stands in a leaf and in a manifest."""
        return {
            "data": list(self.data),
            "optional": list(self.optional),
            "purpose": self.purpose,
            "recipient": self.recipient,
            "scope": self.scope,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Offer:
        """Read what ``to_dict`` wrote.

        Raises:
            MalformedError: a field is missing, unknown or of the wrong type.
        """
        if not isinstance(value, Mapping) or set(value) != {
            *_OFFER_TEXTS,
            *_OFFER_LISTS,
        }:
            raise MalformedError(
                "an offer must have data, optional, purpose, recipient and scope"
            )
        texts = [value[name] for name in _OFFER_TEXTS]
        for name in _OFFER_LISTS:
            if not isinstance(value[name], (list, tuple)):
                raise MalformedError(f"the {name} of an offer must be a list")
            texts.extend(value[name])
        if not all(isinstance(text, str) for text in texts):
            raise MalformedError("an offer must hold text and lists of text")
        return cls(
            purpose=value["purpose"],
            recipient=value["recipient"],
            scope=value["scope"],
            data=tuple(value["data"]),
            optional=tuple(value["optional"]),
        )


@dataclass(frozen=True)
class Notice:
    """The manifest of what is shown, and the very bytes of it.

    Build one with ``Notice.of``; read one back with ``Notice.from_bytes``.

    Raises:
        MalformedError: an element of the manifest is missing, or the HTML is not the
            one that it speaks of.
    """

    manifest: Mapping[str, Any]
    html: bytes

    def __post_init__(self) -> None:
        missing = sorted(_FIELDS - set(self.manifest))
        if missing:
            raise MalformedError(f"a notice manifest must have {', '.join(missing)}")
        if hashlib.sha256(self.html).hexdigest() != self.manifest.get("html_sha256"):
            raise MalformedError("the notice's text is not the one its manifest names")

    @classmethod
    def of(
        cls,
        questions: Iterable[Question],
        *,
        locale: str,
        html: bytes,
        text: str,
        template: bytes,
        assets: Mapping[str, bytes],
        controls: Iterable[str],
        variant: str,
    ) -> Notice:
        """The notice that asks ``questions`` with exactly ``html``.

        ``text`` is what a person reads of it, ``template`` the source it was rendered
        from, ``assets`` what changes its looks, ``controls`` the names of its inputs.

        Raises:
            DeclarationError: there is no question to ask.
        """
        asked = sorted(questions, key=lambda question: question.key)
        if not asked:
            raise DeclarationError("a notice must ask at least one question")
        body = {
            "assets": [
                {"path": path, "sha256": hashlib.sha256(data).hexdigest()}
                for path, data in sorted(assets.items())
            ],
            "controller": asked[0].controller.id,
            "controls": [{"initial": "off", "name": name} for name in sorted(controls)],
            "html_sha256": hashlib.sha256(html).hexdigest(),
            "id": asked[0].purpose.id,
            "locale": locale,
            "offers": [Offer.of(question).to_dict() for question in asked],
            "purposes": [_purpose_of(question) for question in asked],
            "template_sha256": hashlib.sha256(template).hexdigest(),
            "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
            "variant": variant,
        }
        version = canonical.digest(body)[:_VERSION_DIGITS]
        return cls({**body, "version": version}, html)

    @classmethod
    def from_bytes(cls, manifest: bytes, html: bytes) -> Notice:
        """Read a stored notice back.

        Raises:
            MalformedError: the manifest is not canonical JSON, or not of this text.
        """
        value = canonical.decode(manifest)
        if not isinstance(value, dict):
            raise MalformedError("a notice manifest must be a JSON object")
        return cls(value, html)

    @cached_property
    def manifest_bytes(self) -> bytes:
        """The manifest as it is stored and hashed."""
        return canonical.encode(dict(self.manifest))

    @cached_property
    def digest(self) -> NoticeDigest:
        """SHA-256 of the manifest, in hex: the notice's permanent name."""
        return NoticeDigest(hashlib.sha256(self.manifest_bytes).hexdigest())

    @property
    def tells_of_signal(self) -> bool:
        """Whether a yes to it was given in the face of an opt-out signal."""
        return bool(self.manifest["variant"] == SIGNALLED)

    def definition(self, key: tuple[str, str]) -> Mapping[str, Any] | None:
        """What it said about one of its questions; None if it did not ask that."""
        for each in self.manifest["purposes"]:
            if (each["id"], each["definition"]["recipient"]["id"]) == key:
                return cast("Mapping[str, Any]", each["definition"])
        return None

    def is_two_stage(self, key: tuple[str, str]) -> bool:
        """Whether it told that a yes counts only once it is confirmed by a link."""
        definition = self.definition(key)
        return definition is not None and definition.get("two_stage") is True

    @property
    def html_sha256(self) -> str:
        """SHA-256 of the fragment's bytes, in hex."""
        return str(self.manifest["html_sha256"])

    @property
    def locale(self) -> str:
        """BCP 47 tag of the language shown."""
        return str(self.manifest["locale"])

    @property
    def version(self) -> str:
        """Short mark by which people tell two wordings apart."""
        return str(self.manifest["version"])

    @cached_property
    def offers(self) -> dict[tuple[str, str], Offer]:
        """What can be answered, by (purpose, recipient).

        Raises:
            MalformedError: the notice is not of our making.
        """
        listed = self.manifest["offers"]
        if not isinstance(listed, (list, tuple)):
            raise MalformedError("the offers of a notice must be a list")
        offers = [Offer.from_dict(each) for each in listed]
        return {offer.key: offer for offer in offers}

    def validity(self, key: tuple[str, str]) -> int:
        """How long an answer to one of its questions holds, in milliseconds.

        Raises:
            MalformedError: the notice does not ask that question, or is not of our
                making.
        """
        try:
            definition = self.definition(key)
            if definition is not None:
                return int(definition["valid_for"]) * 1000
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedError(
                "a notice manifest must define each of its purposes"
            ) from error
        raise MalformedError("the notice does not ask about that purpose and recipient")


def _purpose_of(question: Question) -> dict[str, Any]:
    definition = question.definition()
    return {
        "definition": definition,
        "id": question.purpose_id,
        "sha256": canonical.digest(definition),
    }
