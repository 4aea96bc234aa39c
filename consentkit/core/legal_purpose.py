"""What may be done without asking: a duty by law, or somebody's life at stake.

A purpose that rests on law is declared apart from those that people are asked about,
and can never be one of them: who asks for consent, and goes on by another basis once
it is refused, has deceived the person (EDPB guidelines 05/2020 §121-123).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from consentkit.core.declared import Declared
from consentkit.core.declared import as_list
from consentkit.core.declared import check_unique
from consentkit.core.legal_basis import LegalBasis
from consentkit.core.purpose import Purpose
from consentkit.core.text import TextLike
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import check_line
from consentkit.core.text import is_telling
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError

__all__ = ["LegalPurpose", "check_apart"]

_OUTSIDE = frozenset({"public-body", "supplier"})
"""Relations to whom the law can oblige; whoever gains by the app's business cannot."""

_OWN_BUSINESS = frozenset({"own", "affiliate", "partner"})
"""Relations of those who gain by it, whatever else the same party is declared as."""

_SELLING = frozenset(
    {
        "advertising",
        "directmarketing",
        "marketing",
        "nonpersonalisedadvertising",
        "personalisedadvertising",
        "politicalcampaign",
        "promotionalcommunication",
        "publicrelations",
        "recruitmentadvertising",
        "recruitmenttargetedadvertising",
        "selldatatothirdparties",
        "sellinsightsfromdata",
        "sellproducts",
        "sellproductstodatasubject",
        "socialmediamarketing",
        "targetedadvertising",
    }
)
"""The terms of W3C DPV below ``dpv:Marketing`` and ``dpv:SellProducts``, in small
letters and without the prefix, which differs between its serialisations.

Source: https://w3id.org/dpv, version 2.3, ``modules/purposes.csv``; and two names of
other versions: ``NonPersonalisedAdvertising`` and ``PromotionalCommunication``.
"""


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
            recipient, a recipient is none of those, or the ``iri`` is of marketing or
            selling.
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
        if not is_telling(self.law):
            raise DeclarationError(
                f"{what}: law must cite what obliges or allows the release, such as "
                "'Criminal Procedure Rules 2025, part 17'; got nothing that could be "
                "looked up"
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


def check_apart(
    purposes: Mapping[str, Purpose],
    legal_purposes: Iterable[LegalPurpose],
    *,
    own_use: Recipient,
) -> None:
    """Refuse to do by law what people are asked about, or with whom they are.

    Nobody is asked about what would be done anyway (EDPB guidelines 05/2020 §122). And
    the controller, ``own_use``, an affiliate or a partner is no court by another id.

    Raises:
        DeclarationError: an id is that of both, or a recipient by law has the name or
            a host of one of those.
    """
    legal = {each.id: each for each in legal_purposes}
    both = sorted(purposes.keys() & legal.keys())
    if both:
        raise DeclarationError(
            f"{', '.join(both)} is declared as a purpose to ask about and as one that "
            "rests on law: a no could not be honoured; give each its own id"
        )
    gaining = [own_use]
    for purpose in purposes.values():
        gaining += [e for e in purpose.recipients if e.relation in _OWN_BUSINESS]
    for purpose_by_law in legal.values():
        for recipient in purpose_by_law.recipients:
            for other in gaining:
                _check_another(f"legal purpose {purpose_by_law.id!r}", recipient, other)


def _check_another(what: str, recipient: Recipient, other: Recipient) -> None:
    """Refuse a recipient by law that is somebody else by its name or its host."""
    shared = "name" if _plain(recipient.name) == _plain(other.name) else ""
    if any(_is_one(a, b) for a in recipient.hosts for b in other.hosts):
        shared = "host"
    if shared:
        raise DeclarationError(
            f"{what}: recipient {recipient.id!r} has the {shared} of {other.id!r}, "
            f"which is declared as {other.relation}: what goes to such needs the "
            "person's consent"
        )


def _plain(name: str) -> str:
    """A legal name without what is only spelling: case, spaces, stops."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def _is_one(one: str, other: str) -> bool:
    """Whether two declared hosts meet; one without a port is meant on every port."""
    (host, _, port), (name, _, number) = one.partition(":"), other.partition(":")
    on_one_port = not port or not number or int(port) == int(number)
    return on_one_port and _labels(host) == _labels(name)


def _labels(host: str) -> list[str]:
    return [label for label in host.split(".") if label]


def _as_basis(what: str, value: LegalBasis | str) -> LegalBasis:
    known = {each.value: each for each in LegalBasis}
    if not isinstance(value, str) or value not in known:
        raise DeclarationError(
            f"{what}: basis must be one of {', '.join(known)}; got {value!r:.40}"
        )
    return known[value]


def _check_iri(what: str, iri: str) -> None:
    check_curie(what, iri)
    if iri.partition(":")[2].casefold() in _SELLING:
        raise DeclarationError(
            f"{what}: {iri!r:.80} is marketing or selling, which no law obliges "
            "anybody to: declare a Purpose, and ask people"
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
