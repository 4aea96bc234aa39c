"""Who and what an app can declare: controller, data category, recipient, purpose.

The words are those of GDPR Art. 13, ISO/IEC 29184 and W3C DPV. Every value is frozen
and checks its own form; whether a *notice* made of them is complete is the registry's
question, since one element may come from several values.

Texts that people read may be a string or a mapping of BCP 47 locale to string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from types import MappingProxyType
from typing import Literal
from typing import TypeVar
from typing import get_args

from consentkit.core.text import TextLike
from consentkit.core.text import check_country
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import check_line
from consentkit.core.text import check_party_name
from consentkit.core.text import freeze_text
from consentkit.core.text import locales_of
from consentkit.errors import DeclarationError

__all__ = [
    "OWN_USE_ID",
    "AutomatedDecision",
    "Controller",
    "DataCategory",
    "DataItem",
    "Purpose",
    "Recipient",
    "Relation",
    "Role",
]

Relation = Literal["own", "affiliate", "partner", "supplier", "public-body"]
Role = Literal["controller", "joint-controller", "processor"]

_Listed = TypeVar("_Listed")

OWN_USE_ID = "controller"
"""The recipient id under which the controller's own use is asked about."""

_DURATION = re.compile(r"P(?:\d+[YMWD])+\Z")
_HOST = re.compile(r"[a-z0-9.-]+(?::\d{1,5})?\Z")
_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(days=36_525)  # a hundred years: longer is endless by another name


class _Declared:
    """Frozen values that are the same if their fields are, and hash by id."""

    __slots__ = ()

    def _freeze(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _freeze_texts(self, what: str, *names: str) -> None:
        for name in names:
            value = freeze_text(what, name, getattr(self, name))
            object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True)
class Controller(_Declared):
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
class DataCategory(_Declared):
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
class DataItem(_Declared):
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
class AutomatedDecision(_Declared):
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
class Recipient(_Declared):
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
        self._freeze(hosts=tuple(_as_list(what, "hosts", self.hosts)))
        for host in self.hosts:
            if not isinstance(host, str) or not _HOST.match(host):
                raise DeclarationError(
                    f"{what}: hosts must be lower-case host names, with ':port' if "
                    f"needed; got {host!r:.80}"
                )

    def __hash__(self) -> int:
        return hash((type(self), self.id))


@dataclass(frozen=True, kw_only=True)
class Purpose(_Declared):
    """One thing data is used for, with the recipients that would use it for that.

    ``title`` is imperative ("Work out your credit score"), ``aim`` ends the sentence
    the person agrees to ("works out my credit score"). ``valid_for`` is how long a
    grant holds, ``retention`` how long a recipient keeps the data (ISO 8601 duration).
    ``necessity`` says why sensitive data is needed and ``impact`` what it can mean for
    the person (PIPL Art. 30). ``data_for`` narrows the data for single recipients.
    ``opt_out_signal`` False says that the law sees no sale in these shares, so that a
    browser's opt-out signal is not about them (Cal. Civ. Code 1798.140(ad)(2)).

    Raises:
        DeclarationError: a field is not of its form, a recipient is not a
            ``Recipient``, an id stands twice.
    """

    id: str = field(kw_only=False)
    title: TextLike
    description: TextLike
    data: Sequence[DataCategory | DataItem]
    recipients: Sequence[Recipient] = ()
    own_use: bool = False
    valid_for: timedelta | None = None
    retention: str = ""
    aim: TextLike = ""
    necessity: TextLike = ""
    impact: TextLike = ""
    if_refused: TextLike = ""
    automated: AutomatedDecision | None = None
    method: TextLike = ""
    operations: Sequence[str] = ("share",)
    iri: str = ""
    opt_out_signal: bool = True
    data_for: Mapping[str | Recipient, Sequence[DataCategory | str]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        check_id("purpose", self.id)
        what = f"purpose {self.id!r}"
        self._freeze_texts(
            what,
            *("title", "description", "aim", "necessity", "impact", "if_refused"),
            "method",
        )
        self._freeze(
            data=tuple(
                _as_item(what, item) for item in _as_list(what, "data", self.data)
            ),
            recipients=tuple(_as_list(what, "recipients", self.recipients)),
            operations=tuple(_as_list(what, "operations", self.operations)),
        )
        for recipient in self.recipients:
            _check_recipient(what, recipient)
        for operation in self.operations:
            check_id("processing operation", operation)
        _check_times(what, self.retention, self.valid_for)
        check_curie(what, self.iri)
        _check_flag(what, "opt_out_signal", self.opt_out_signal)
        _check_unique(what, "data category", [item.category.id for item in self.items])
        _check_unique(what, "recipient", [each.id for each in self.recipients])
        self._freeze(data_for=MappingProxyType(self._narrowed(what)))

    @property
    def items(self) -> tuple[DataItem, ...]:
        """The data of this purpose, each marked needed or optional."""
        return tuple(item for item in self.data if isinstance(item, DataItem))

    def _narrowed(self, what: str) -> dict[str | Recipient, tuple[str, ...]]:
        if not isinstance(self.data_for, Mapping):
            raise DeclarationError(
                f"{what}: data_for must be a mapping, "
                f"got {type(self.data_for).__name__}"
            )
        known = {item.category.id for item in self.items}
        recipients = {each.id for each in self.recipients} | {OWN_USE_ID}
        narrowed: dict[str | Recipient, tuple[str, ...]] = {}
        for key, listed in self.data_for.items():
            recipient = key if isinstance(key, str) else key.id
            wanted = _as_list(what, "the lists of data_for", listed)
            ids = tuple(each if isinstance(each, str) else each.id for each in wanted)
            if recipient not in recipients or not ids or not set(ids) <= known:
                raise DeclarationError(
                    f"{what}: data_for must map a recipient of this purpose to some "
                    f"of its data categories ({', '.join(sorted(known))})"
                )
            narrowed[recipient] = ids
        return narrowed

    def __hash__(self) -> int:
        return hash((type(self), self.id))


def _as_list(what: str, name: str, values: Sequence[_Listed]) -> Sequence[_Listed]:
    # a lone string is a sequence too, of letters that nobody meant
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise DeclarationError(
            f"{what}: {name} must be a list, got {type(values).__name__}"
        )
    return values


def _check_times(what: str, retention: str, valid_for: timedelta | None) -> None:
    check_line(what, "retention", retention)
    if retention and not _DURATION.match(retention):
        raise DeclarationError(
            f"{what}: retention must be an ISO 8601 duration such as 'P1Y' or "
            f"'P90D'; got {retention!r:.40}"
        )
    if valid_for is None:
        return
    if not isinstance(valid_for, timedelta):
        raise DeclarationError(
            f"{what}: valid_for must be a timedelta, got {type(valid_for).__name__}"
        )
    if not _SHORTEST <= valid_for <= _LONGEST:
        raise DeclarationError(
            f"{what}: valid_for must be from one second to a hundred years, "
            f"got {valid_for}"
        )


def _check_flag(what: str, name: str, value: object) -> None:
    # "false" out of somebody's settings is true to Python
    if not isinstance(value, bool):
        raise DeclarationError(
            f"{what}: {name} must be True or False, got {type(value).__name__}"
        )


def _as_item(what: str, value: object) -> DataItem:
    if isinstance(value, DataItem):
        return value
    if isinstance(value, DataCategory):
        return DataItem(value)
    raise DeclarationError(
        f"{what}: data must list DataCategory or DataItem values, "
        f"got {type(value).__name__}"
    )


def _check_recipient(what: str, value: object) -> None:
    if not isinstance(value, Recipient):
        raise DeclarationError(
            f"{what}: recipients must be Recipient values, each one named party; "
            f"got {type(value).__name__}"
        )
    if value.id == OWN_USE_ID:
        raise DeclarationError(
            f"{what}: the recipient id {OWN_USE_ID!r} is kept for the controller's own "
            "use; say own_use=True instead"
        )


def _check_unique(what: str, noun: str, ids: list[str]) -> None:
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise DeclarationError(f"{what}: {noun} {', '.join(twice)} is listed twice")
