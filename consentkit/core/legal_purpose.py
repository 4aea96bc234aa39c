"""What may be done without asking: a duty by law, or somebody's life at stake.

A purpose that rests on law is declared apart from those that people are asked about,
and can never be one of them: who asks for consent, and goes on by another basis once
it is refused, has deceived the person (EDPB guidelines 05/2020 §121-123).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from consentkit.core.declared import Declared
from consentkit.core.declared import as_list
from consentkit.core.declared import check_unique
from consentkit.core.legal_basis import LegalBasis
from consentkit.core.purpose import practice_of
from consentkit.core.text import TextLike
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import check_line
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError

__all__ = ["LegalPurpose"]

_OUTSIDE = frozenset({"public-body", "supplier"})
"""Relations to whom the law can oblige; whoever gains by the app's business cannot."""


@dataclass(frozen=True, kw_only=True)
class LegalPurpose(Declared):
    """What data may be released for without consent, to whom, and by which law.

    ``title`` is what the person reads in the list of their disclosures ("Obey the order
    of a court"), ``law`` cites what obliges or allows it. Recipients are public bodies
    or suppliers that decide for themselves what to do with the data: never the
    controller itself, an affiliate, a partner or a processor, and never for marketing
    (R72). One abroad says in its ``safeguard`` which treaty or approval allows it
    (GDPR Art. 48; PIPL Art. 41).

    Raises:
        DeclarationError: a field is not of its form, there is no law, data or
            recipient, a recipient is none of those, or the ``iri`` is of marketing.
    """

    id: str = field(kw_only=False)
    title: TextLike
    basis: LegalBasis | str
    law: str
    data: Sequence[DataCategory]
    recipients: Sequence[Recipient]
    iri: str = ""

    def __post_init__(self) -> None:
        check_id("legal purpose", self.id)
        what = f"legal purpose {self.id!r}"
        self._freeze_texts(what, "title")
        check_line(what, "law", self.law)
        if not self.law.strip():
            raise DeclarationError(
                f"{what}: law must cite what obliges or allows the release, such as "
                "'Criminal Procedure Rules 2025, part 17'; got nothing"
            )
        _check_iri(what, self.iri)
        self._freeze(
            basis=_as_basis(what, self.basis),
            data=tuple(as_list(what, "data", self.data)),
            recipients=tuple(as_list(what, "recipients", self.recipients)),
        )
        for name, kind in (("data", DataCategory), ("recipients", Recipient)):
            _check_each(what, name, getattr(self, name), kind)
        for recipient in self.recipients:
            _check_outside(what, recipient)

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    @property
    def categories(self) -> frozenset[str]:
        """The ids of the data that may be released for it."""
        return frozenset(each.id for each in self.data)


def _as_basis(what: str, value: LegalBasis | str) -> LegalBasis:
    known = {each.value: each for each in LegalBasis}
    if not isinstance(value, str) or value not in known:
        raise DeclarationError(
            f"{what}: basis must be one of {', '.join(known)}; got {value!r:.40}"
        )
    return known[value]


def _check_iri(what: str, iri: str) -> None:
    check_curie(what, iri)
    if practice_of(iri) is not None:
        raise DeclarationError(
            f"{what}: {iri!r:.80} is marketing, which no law obliges anybody to: "
            "declare a Purpose, and ask people"
        )


def _check_each(what: str, name: str, values: Sequence[object], kind: type) -> None:
    if not values or not all(isinstance(each, kind) for each in values):
        found = ", ".join(type(each).__name__ for each in values) or "nothing"
        raise DeclarationError(
            f"{what}: {name} must list one or more {kind.__name__} values; got {found}"
        )
    check_unique(what, name, [getattr(each, "id") for each in values])  # noqa: B009  of either kind


def _check_outside(what: str, recipient: Recipient) -> None:
    if recipient.relation not in _OUTSIDE or recipient.role != "controller":
        raise DeclarationError(
            f"{what}: recipient {recipient.id!r} must be a public-body or a supplier "
            f"in the role of a controller; got {recipient.relation} as "
            f"{recipient.role}: what goes to such needs the person's consent"
        )
