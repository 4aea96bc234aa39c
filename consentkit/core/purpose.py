"""A purpose: one thing data is used for, and everything that asking about it needs.

The word is that of GDPR Art. 13 and W3C DPV. What it is made of is in ``vocabulary``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from consentkit.core.declared import Declared
from consentkit.core.declared import as_list
from consentkit.core.declared import check_flag
from consentkit.core.declared import check_unique
from consentkit.core.text import TextLike
from consentkit.core.text import check_curie
from consentkit.core.text import check_id
from consentkit.core.text import check_line
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError

__all__ = ["Practice", "Purpose", "practice_of"]

_DURATION = re.compile(r"P(?:\d+[YMWD])+\Z")
_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(days=36_525)  # a hundred years: longer is endless by another name


class Practice(StrEnum):
    """What some laws forbid towards children, whoever agrees to it."""

    TRACKING = "tracking"
    TARGETED_ADVERTISING = "targeted-advertising"
    MARKETING = "marketing"


_PRACTICES = {
    "dpv:PersonalisedAdvertising": Practice.TARGETED_ADVERTISING,
    "dpv:TargetedAdvertising": Practice.TARGETED_ADVERTISING,
    "dpv:DirectMarketing": Practice.MARKETING,
    "dpv:Marketing": Practice.MARKETING,
    "dpv:SocialMediaMarketing": Practice.MARKETING,
}
"""What a purpose with one of these as its ``iri`` is, whatever else it says."""


def practice_of(iri: str) -> Practice | None:
    """What an IRI of W3C DPV says that a purpose is, None if none of the practices."""
    return _PRACTICES.get(iri)


@dataclass(frozen=True, kw_only=True)
class Purpose(Declared):
    """One thing data is used for, with the recipients that would use it for that.

    ``title`` is imperative ("Work out your credit score"), ``aim`` ends the sentence
    the person agrees to ("works out my credit score"). ``valid_for`` is how long a
    grant holds, ``retention`` how long a recipient keeps the data (ISO 8601 duration).
    ``necessity`` says why sensitive data is needed and ``impact`` what it can mean for
    the person (PIPL Art. 30). ``data_for`` narrows the data for single recipients.
    ``two_stage`` says that a yes counts only once it was confirmed by a link sent over
    another factor, as explicit consent can be asked for (EDPB guidelines 05/2020 §98).
    ``opt_out_signal`` False says that the law sees no sale in these shares, so that a
    browser's opt-out signal is not about them (Cal. Civ. Code 1798.140(ad)(2)).
    ``joint`` asks a child and who answers for them both; ``practices`` says which of
    those that a law may forbid towards children this purpose is.

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
    two_stage: bool = False
    joint: bool = False
    practices: Sequence[Practice | str] = ()
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
                _as_item(what, item) for item in as_list(what, "data", self.data)
            ),
            recipients=tuple(as_list(what, "recipients", self.recipients)),
            operations=tuple(as_list(what, "operations", self.operations)),
            practices=_as_practices(what, self.practices, self.iri),
        )
        for recipient in self.recipients:
            _check_recipient(what, recipient)
        for operation in self.operations:
            check_id("processing operation", operation)
        _check_times(what, self.retention, self.valid_for)
        check_curie(what, self.iri)
        check_flag(what, "opt_out_signal", self.opt_out_signal)
        check_flag(what, "two_stage", self.two_stage)
        check_flag(what, "joint", self.joint)
        check_unique(what, "data category", [item.category.id for item in self.items])
        check_unique(what, "recipient", [each.id for each in self.recipients])
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
            wanted = as_list(what, "the lists of data_for", listed)
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


def _as_practices(
    what: str, values: Sequence[Practice | str], iri: str
) -> tuple[Practice, ...]:
    """The practices that are named, and the one that the IRI means."""
    known = {each.value: each for each in Practice}
    named = as_list(what, "practices", values)
    for each in named:
        if not isinstance(each, str) or each not in known:
            raise DeclarationError(
                f"{what}: practices must be some of {', '.join(known)}; "
                f"got {each!r:.40}"
            )
    meant = {known[each] for each in named}
    by_iri = practice_of(iri)
    if by_iri is not None:
        meant.add(by_iri)
    return tuple(sorted(meant))


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
