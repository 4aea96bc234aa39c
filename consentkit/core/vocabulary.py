"""Who and what a purpose is made of: controller, data category, recipient.

The words are those of GDPR Art. 13, ISO/IEC 29184 and W3C DPV. Every value is frozen
and checks its own form; whether a *notice* made of them is complete is the registry's
question, since one element may come from several values.

Texts that people read may be a string or a mapping of BCP 47 locale to string.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Literal
from typing import get_args

from consentkit.core.declared import Declared
from consentkit.core.declared import as_list
from consentkit.core.text import TextLike
from consentkit.core.text import check_country
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import check_line
from consentkit.core.text import check_party_name
from consentkit.core.text import locales_of
from consentkit.errors import DeclarationError

__all__ = [
    "OWN_USE_ID",
    "AutomatedDecision",
    "Controller",
    "DataCategory",
    "DataItem",
    "Recipient",
    "Relation",
    "Role",
]

Relation = Literal["own", "affiliate", "partner", "supplier", "public-body"]
Role = Literal["controller", "joint-controller", "processor"]

OWN_USE_ID = "controller"
"""The recipient id under which the controller's own use is asked about."""

_HOST = re.compile(r"[a-z0-9.-]+(?::\d{1,5})?\Z")


@dataclass(frozen=True, kw_only=True)
class Controller(Declared):
    """The organisation that runs the app and answers for the data (GDPR Art. 4(7)).

    ``country`` is the home territory, ISO 3166-1 alpha-2. ``authority`` names whom a
    person can complain to, ``rights`` says in words which rights there are and how to
    use them (GDPR Art. 13(2)(b), (d)).

    Raises:
        DeclarationError: a field is not of its form.
    """

    id: str = field(kw_only=False)
    name: str
    contact: str
    address: str
    country: str
    authority: TextLike = ""
    rights: TextLike = ""
    website: str = ""

    def __post_init__(self) -> None:
        check_id("controller", self.id)
        what = f"controller {self.id!r}"
        for name in ("name", "contact", "address", "website"):
            check_line(what, name, getattr(self, name))
        check_country(what, self.country)
        self._freeze_texts(what, "authority", "rights")

    def __hash__(self) -> int:
        return hash((type(self), self.id))


@dataclass(frozen=True, kw_only=True)
class DataCategory(Declared):
    """A kind of personal data, as W3C DPV's ``pd:`` names it where ``iri`` is given.

    ``title`` speaks to the person ("Your spending history"); ``phrase`` is the same in
    the person's own mouth ("my spending history"), used in the sentence to agree to.

    Raises:
        DeclarationError: a field is not of its form.
    """

    id: str = field(kw_only=False)
    title: TextLike
    iri: str = ""
    sensitive: bool = False
    special: bool = False
    phrase: TextLike = ""

    def __post_init__(self) -> None:
        check_id("data category", self.id)
        what = f"data category {self.id!r}"
        self._freeze_texts(what, "title", "phrase")
        check_curie(what, self.iri)

    def __hash__(self) -> int:
        return hash((type(self), self.id))


@dataclass(frozen=True, kw_only=True)
class DataItem(Declared):
    """A data category within one purpose: needed or optional, and what a no means.

    An optional item is asked about on its own and is never ticked (GDPR Art. 13(2)(e);
    ISO/IEC 29184 5.4.6).
    """

    category: DataCategory = field(kw_only=False)
    necessary: bool = True
    if_refused: TextLike = ""

    def __post_init__(self) -> None:
        if not isinstance(self.category, DataCategory):
            raise DeclarationError(
                f"a data item holds a DataCategory, got {type(self.category).__name__}"
            )
        self._freeze_texts(f"data item {self.category.id!r}", "if_refused")

    def __hash__(self) -> int:
        return hash((type(self), self.category.id, self.necessary))


@dataclass(frozen=True, kw_only=True)
class AutomatedDecision(Declared):
    """Scoring or an automated decision: how it works, what follows, how to get a human.

    GDPR Art. 13(2)(f) and 22; PIPL Art. 24.
    """

    logic: TextLike
    consequence: TextLike
    human: TextLike

    def __post_init__(self) -> None:
        self._freeze_texts("automated decision", "logic", "consequence", "human")

    def __hash__(self) -> int:
        # not of the text: equal mappings may list their locales in another order
        return hash((type(self), locales_of(self.logic)))


@dataclass(frozen=True, kw_only=True)
class Recipient(Declared):
    """One named party that would get data, affiliates included.

    ``relation`` gives no privilege: it is what the notice says, never what the gate
    asks. ``agreement`` is the reference of the contract that binds the recipient.
    ``method`` says how the data travels; ``safeguard``, ``rights_url`` and ``risks``
    are needed when the recipient is abroad (PIPL Art. 39; GDPR Art. 44-49). ``hosts``
    are the names of its servers, with a port where it is not the usual one.

    Raises:
        DeclarationError: a field is not of its form, or the name is a class of
            recipients such as "partners" instead of one party.
    """

    id: str = field(kw_only=False)
    name: str
    contact: str
    country: str
    relation: Relation
    agreement: str = ""
    role: Role = "controller"
    address: str = ""
    method: TextLike = ""
    safeguard: TextLike = ""
    rights_url: str = ""
    risks: TextLike = ""
    active: bool = True
    hosts: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_id("recipient", self.id)
        what = f"recipient {self.id!r}"
        for name in ("name", "contact", "address", "agreement", "rights_url"):
            check_line(what, name, getattr(self, name))
        check_party_name(what, self.name)
        check_country(what, self.country)
        for name, words in (("relation", Relation), ("role", Role)):
            if getattr(self, name) not in get_args(words):
                raise DeclarationError(
                    f"{what}: {name} must be one of {', '.join(get_args(words))}; "
                    f"got {getattr(self, name)!r:.40}"
                )
        self._freeze_texts(what, "method", "safeguard", "risks")
        self._freeze(hosts=tuple(as_list(what, "hosts", self.hosts)))
        for host in self.hosts:
            if not isinstance(host, str) or not _HOST.match(host):
                raise DeclarationError(
                    f"{what}: hosts must be lower-case host names, with ':port' if "
                    f"needed; got {host!r:.80}"
                )

    def __hash__(self) -> int:
        return hash((type(self), self.id))
