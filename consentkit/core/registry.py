"""All that one app declared, frozen, and the check that a notice made of it is whole.

The unit a person answers is a ``Question``: one purpose, one recipient. Nothing is
inherited between questions and there is no wildcard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

from consentkit.core import canonical
from consentkit.core.completeness import missing_elements
from consentkit.core.legal_purpose import LegalPurpose
from consentkit.core.legal_purpose import check_apart
from consentkit.core.purpose import Purpose
from consentkit.core.text import FALLBACK_LOCALE
from consentkit.core.text import check_locale
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from os import PathLike

__all__ = ["CROSS_BORDER", "Question", "Registry", "scope_of"]

_Named = TypeVar("_Named", Purpose, LegalPurpose, Recipient, DataCategory)

CROSS_BORDER = ".cross-border"
"""Suffix of the purpose id under which the separate transfer consent is kept."""


@dataclass(frozen=True)  # without slots: every check reads the cached properties
class Question:
    """One (purpose, recipient) that a person can answer, and what the answer covers.

    ``scope`` is the digest of what a grant rests on (DESIGN: "change is computed, not
    declared"). ``transfer`` marks the separate cross-border question (PIPL Art. 39);
    ``transfer_scope`` is that question's scope, empty when the recipient is at home.
    """

    controller: Controller
    purpose: Purpose
    recipient: Recipient
    items: tuple[DataItem, ...]
    scope: str
    transfer: bool = False
    transfer_scope: str = ""

    @property
    def purpose_id(self) -> str:
        """The purpose half of the key; a transfer question has a suffix of its own."""
        return self.purpose.id + (CROSS_BORDER if self.transfer else "")

    @property
    def recipient_id(self) -> str:
        """The recipient half of the key."""
        return self.recipient.id

    @property
    def key(self) -> tuple[str, str]:
        """(purpose id, recipient id)."""
        return self.purpose_id, self.recipient_id

    @property
    def own_use(self) -> bool:
        """Whether this asks about the controller's own use."""
        return self.recipient.id == OWN_USE_ID

    @cached_property
    def cross_border(self) -> bool:
        """Whether the recipient is outside the controller's territory."""
        return self.recipient.country != self.controller.country

    @property
    def covered_by_signal(self) -> bool:
        """Whether a browser's opt-out signal is about this.

        That is every share, unless declared otherwise: not the controller's own use,
        and not a processor, who does only what the controller says (Cal. Civ. Code
        1798.140(e)). The relation makes no difference.
        """
        share = not self.own_use and self.recipient.role != "processor"
        return share and self.purpose.opt_out_signal

    @property
    def separate(self) -> bool:
        """Whether a yes to this must be given on its own, and never with others.

        That is sharing, transfer, sensitive data and automated decisions (PIPL Art. 23,
        29, 39; GB/T 42574-2023): all but the controller's own use of ordinary data.
        """
        share = not self.own_use and self.recipient.role != "processor"
        grave = any(i.category.sensitive or i.category.special for i in self.items)
        decided = self.purpose.automated is not None
        return share or self.cross_border or grave or decided

    @property
    def data(self) -> tuple[str, ...]:
        """Every category asked about, sorted."""
        return tuple(sorted(item.category.id for item in self.items))

    @cached_property
    def categories(self) -> frozenset[str]:
        """The same as a set."""
        return frozenset(self.data)

    @property
    def optional(self) -> tuple[str, ...]:
        """The categories that the person may leave out, sorted."""
        return tuple(
            sorted(item.category.id for item in self.items if not item.necessary)
        )

    def definition(self) -> dict[str, Any]:
        """What the notice manifest says of this question, in words of ISO 27560."""
        return {
            **scope_of(
                self.controller, self.purpose, self.recipient, transfer=self.transfer
            ),
            "data": [
                {
                    "id": item.category.id,
                    "iri": item.category.iri,
                    "optional": not item.necessary,
                    "sensitive": item.category.sensitive,
                    "special": item.category.special,
                }
                for item in self.items
            ],
            "purpose_iri": self.purpose.iri,
            "scope": self.scope,
            # Named only where it holds: other notices keep their bytes.
            **({"two_stage": True} if self.purpose.two_stage else {}),
            "valid_for": _seconds(self.purpose),
        }


def _seconds(purpose: Purpose) -> int:
    return int(purpose.valid_for.total_seconds()) if purpose.valid_for else 0


def scope_of(
    controller: Controller, purpose: Purpose, recipient: Recipient, *, transfer: bool
) -> dict[str, Any]:
    """What a grant rests on: any change to it needs a new answer (PIPL Art. 14(2)).

    Data categories are not in it: the subset rule of the gate meets them. Neither is
    wording: that changes the notice's digest and nothing else.
    """
    return {
        "automated": purpose.automated is not None,
        "controller": {
            "country": controller.country,
            "id": controller.id,
            "name": controller.name,
        },
        "operations": sorted(purpose.operations),
        "purpose": purpose.id,
        "recipient": {
            "country": recipient.country,
            "id": recipient.id,
            "name": recipient.name,
            "relation": recipient.relation,
            "role": recipient.role,
        },
        "retention": purpose.retention,
        "transfer": transfer,
    }


class Registry:
    """Everything this app declared: one controller, its purposes, their recipients.

    ``locales`` are the languages that every text has to be there in; a plain string
    counts for all of them. ``legal_purposes`` rest on law: nobody is asked about them.

    Raises:
        DeclarationError: something is not of its type, a locale is not one, or one id
            names two different purposes, recipients or data categories.
    """

    def __init__(
        self,
        controller: Controller,
        purposes: Iterable[Purpose],
        *,
        locales: Sequence[str] = (FALLBACK_LOCALE,),
        legal_purposes: Iterable[LegalPurpose] = (),
    ) -> None:
        if not isinstance(controller, Controller):
            raise DeclarationError(
                f"a registry needs a Controller, got {type(controller).__name__}"
            )
        self.controller = controller
        self.locales = _locales(locales)
        self._own_use = _own_use(controller)
        self.purposes: Mapping[str, Purpose] = MappingProxyType(
            _unique("purpose", map(_checked, purposes))
        )
        self.legal_purposes: Mapping[str, LegalPurpose] = MappingProxyType(
            _unique("legal purpose", map(_checked_legal, legal_purposes))
        )
        check_apart(self.purposes, self.legal_purposes.values(), own_use=self._own_use)
        self.recipients: Mapping[str, Recipient] = MappingProxyType(
            _unique("recipient", self._all_recipients())
        )
        self.categories: Mapping[str, DataCategory] = MappingProxyType(
            _unique("data category", self._all_categories())
        )
        self._questions = {
            question.key: question
            for purpose in self.purposes.values()
            for question in self._ask(purpose)
        }

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Registry:
        """The registry that a ``consent.toml`` declares.

        Raises:
            DeclarationError: the file cannot be read or a key in it is not as it
                should be; the message names file, key and what was expected.
        """
        from consentkit.core.declaration import read_declaration  # noqa: PLC0415  marshmallow is not for auditors (ADR 0006)

        return cls(**read_declaration(path))

    def __repr__(self) -> str:
        return (
            f"<Registry {self.controller.id!r}: {len(self.purposes)} purposes, "
            f"{len(self.recipients)} recipients>"
        )

    def question(self, purpose_id: str, recipient_id: str) -> Question | None:
        """The question with that key, or None: nobody can have agreed to it."""
        return self._questions.get((purpose_id, recipient_id))

    def questions(self, purpose_id: str) -> tuple[Question, ...]:
        """All questions of one purpose, transfers included, in declared order."""
        return tuple(
            each for each in self._questions.values() if each.purpose.id == purpose_id
        )

    def all_questions(self) -> tuple[Question, ...]:
        """Every question there is, in declared order."""
        return tuple(self._questions.values())

    def missing(self) -> tuple[str, ...]:
        """Every mandatory element of a notice that is absent, by its place."""
        return tuple(missing_elements(self))

    def check_complete(self) -> None:
        """Refuse a registry from which no complete notice can be made (R1-R9, R41).

        Raises:
            DeclarationError: elements are missing; ``.missing`` lists every one.
        """
        missing = self.missing()
        if missing:
            raise DeclarationError(
                "the notices of this app would be incomplete; declare:\n  - "
                + "\n  - ".join(missing),
                missing=missing,
            )

    def _all_recipients(self) -> Iterable[Recipient]:
        for purpose in self.purposes.values():
            if purpose.own_use:
                yield self._own_use
            yield from purpose.recipients
        for legal in self.legal_purposes.values():
            yield from legal.recipients

    def _all_categories(self) -> Iterable[DataCategory]:
        for purpose in self.purposes.values():
            yield from (item.category for item in purpose.items)
        for legal in self.legal_purposes.values():
            yield from legal.data

    def _ask(self, purpose: Purpose) -> Iterable[Question]:
        own = (self._own_use,) if purpose.own_use else ()
        for recipient in (*own, *purpose.recipients):
            yield self._question(purpose, recipient, transfer=False)
            if recipient.country != self.controller.country:
                yield self._question(purpose, recipient, transfer=True)

    def _question(
        self, purpose: Purpose, recipient: Recipient, *, transfer: bool
    ) -> Question:
        wanted = purpose.data_for.get(recipient.id)
        return Question(
            controller=self.controller,
            purpose=purpose,
            recipient=recipient,
            items=tuple(
                item
                for item in purpose.items
                if wanted is None or item.category.id in wanted
            ),
            scope=self._scope(purpose, recipient, transfer=transfer),
            transfer=transfer,
            transfer_scope=(
                self._scope(purpose, recipient, transfer=True)
                if recipient.country != self.controller.country
                else ""
            ),
        )

    def _scope(self, purpose: Purpose, recipient: Recipient, *, transfer: bool) -> str:
        return canonical.digest(
            scope_of(self.controller, purpose, recipient, transfer=transfer)
        )


def _locales(locales: Sequence[str]) -> tuple[str, ...]:
    # a lone string is a sequence too, of letters that nobody meant
    found = () if isinstance(locales, str) else tuple(locales)
    if not found or len(set(found)) != len(found):
        raise DeclarationError(
            f"locales must be a list of at least one language, each once; got {locales}"
        )
    for locale in found:
        check_locale("the registry", "locales", locale)
    return found


def _checked(purpose: Purpose) -> Purpose:
    if not isinstance(purpose, Purpose):
        raise DeclarationError(
            f"a registry lists Purpose values, got {type(purpose).__name__}"
        )
    return purpose


def _checked_legal(purpose: LegalPurpose) -> LegalPurpose:
    if not isinstance(purpose, LegalPurpose):
        raise DeclarationError(
            "legal_purposes lists LegalPurpose values, got "
            f"{type(purpose).__name__}; what people are asked about is a Purpose"
        )
    return purpose


def _own_use(controller: Controller) -> Recipient:
    """The controller itself in the place of a recipient."""
    return Recipient(
        OWN_USE_ID,
        name=controller.name,
        contact=controller.contact,
        country=controller.country,
        relation="own",
        address=controller.address,
    )


def _unique(noun: str, values: Iterable[_Named]) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for value in values:
        known = found.setdefault(value.id, value)
        if known != value:
            raise DeclarationError(
                f"two different values are declared as {noun} {value.id!r}; "
                "give each its own id"
            )
    return found
