"""What officials do to the log: a leaf for each act, and who answers for it.

The leaf holds an action and a target, both plain tokens. Who did it, for whom and why
is free text about a person, hence private evidence: sealed under a key of the
controller, committed to by the leaf, and shown to auditors by its disclosures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.errors import InvalidRequestError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.leaf import read_leaf
from consentkit.service.recording import sign_plain_leaf
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction
    from consentkit.store.oversight import OfficialRow

__all__ = [
    "CONTROLLER_HANDLE",
    "AdministrativeAct",
    "Official",
    "administrative_acts",
    "find_act",
    "record_admin_act",
    "record_official_act",
]

CONTROLLER_HANDLE = ""
"""Evidence that is about no subject stands under this handle."""

_MAX_TEXT = 1_000  # characters of a name, an affiliation or a reason


@dataclass(frozen=True, slots=True)
class Official:
    """Who answers for an administrative act, and why they did it.

    ``person`` is a name or an address at which they can be asked, ``affiliation`` the
    organisation they act for; empty means the controller.

    Raises:
        InvalidRequestError: no person or no reason is given, or a text is too long
            (code ``official``).
    """

    person: str
    reason: str
    affiliation: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        for name in ("person", "reason"):
            if not getattr(self, name).strip():
                raise InvalidRequestError(
                    f"expected the {name} behind an administrative act; got nothing: "
                    "say who answers for it and why",
                    code="official",
                )
        longest = max(map(len, (self.person, self.reason, self.affiliation)))
        if longest > _MAX_TEXT:
            raise InvalidRequestError(
                f"expected at most {_MAX_TEXT} characters for each text of an "
                f"administrative act; got {longest}",
                code="official",
            )

    @classmethod
    def of(
        cls, by: Official | str, reason: str = "", affiliation: str = ""
    ) -> Official:
        """The official behind an act; one that is whole already brings its reason.

        Raises:
            InvalidRequestError: no person or no reason is given, or a whole official
                and a reason besides (code ``official``).
        """
        if isinstance(by, str):
            return cls(by, reason, affiliation)
        if reason or affiliation:
            raise InvalidRequestError(
                "expected the reason and the affiliation once; an Official brings its "
                "own",
                code="official",
            )
        return by


@dataclass(frozen=True, slots=True)
class AdministrativeAct:
    """One act of an official, its sealed part opened.

    ``facts`` are what else was sealed. ``fault`` says why the private part cannot be
    told; person, affiliation and reason are empty then.
    """

    id: str
    time: Millis
    action: str
    target: str
    person: str
    affiliation: str
    reason: str
    facts: Mapping[str, JSON]
    fault: str = ""


def record_admin_act(
    installation: Installation,
    transaction: Transaction,
    *,
    action: str,
    target: str,
    by: Official,
    now: Millis,
    facts: Mapping[str, JSON] | None = None,
) -> Leaf:
    """Sign and insert the ``admin`` leaf of one act, its private part sealed beside it.

    ``action`` and ``target`` are tokens without spaces and free of personal data:
    ``invalidate`` and a notice's digest, ``rotate-key`` and a key's name. ``facts`` are
    sealed with who did it and why.

    Raises:
        MalformedError: one of them is no token.
    """
    return record_official_act(
        installation,
        transaction,
        Kind.ADMIN,
        {"action": action, "target": target},
        by=by,
        now=now,
        facts=facts,
    )


def record_official_act(
    installation: Installation,
    transaction: Transaction,
    kind: Kind,
    fields: Mapping[str, JSON],
    *,
    by: Official,
    now: Millis,
    facts: Mapping[str, JSON] | None = None,
) -> Leaf:
    """Sign and insert the leaf of what an official did, an ``admin`` or a suspension.

    Raises:
        MalformedError: ``fields`` are not those of its kind.
    """
    said: dict[str, JSON] = {
        "affiliation": _affiliation(installation, by),
        "person": by.person,
        "reason": by.reason,
        **(facts or {}),
    }
    disclosures = [sealing.Disclosure.make(*fact) for fact in said.items()]
    leaf = sign_plain_leaf(
        installation,
        kind,
        {**fields, "evidence": sealing.commit(disclosures)},
        now=now,
    )
    transaction.append(leaf)
    sealed = sealing.seal(
        installation.keyring.controller_key,
        canonical.encode([each.encoded for each in disclosures]),
        sealing.evidence_context(installation.origin, leaf.id),
    )
    transaction.add_evidence(act=leaf.id, handle=CONTROLLER_HANDLE, sealed=sealed)
    return leaf


def administrative_acts(installation: Installation) -> list[AdministrativeAct]:
    """What officials did, oldest first, with who did it for whom and why.

    An act whose private part is lost or does not fit is listed with its ``fault``.

    Raises:
        MalformedError: a stored leaf is no longer one.
        ConfigurationError: the key of what officials say cannot be read.
        LogUnavailableError: the database cannot be reached.
    """
    rows = installation.oversight.acts_of_officials()
    return [_administrative_act(installation, row) for row in rows]


def find_act(
    installation: Installation, *, action: str, target: str, by: Official
) -> AdministrativeAct | None:
    """The newest act of that action on that target, by the same, for the same reason.

    Raises what ``administrative_acts`` raises.
    """
    same = (action, target, by.person, _affiliation(installation, by), by.reason)
    for act in reversed(administrative_acts(installation)):
        if same == (act.action, act.target, act.person, act.affiliation, act.reason):
            return act
    return None


def _affiliation(installation: Installation, by: Official) -> str:
    return by.affiliation or installation.registry.controller.id


def _administrative_act(
    installation: Installation, row: OfficialRow
) -> AdministrativeAct:
    leaf = read_leaf(row.data)
    try:
        facts, fault = _opened(installation, leaf, row.sealed), ""
    except VerificationError as error:
        facts, fault = {}, str(error)
    return AdministrativeAct(
        id=leaf.id,
        time=Millis(leaf.time),
        action=leaf.body["action"],
        target=_target(leaf),
        person=str(facts.pop("person", "")),
        affiliation=str(facts.pop("affiliation", "")),
        reason=str(facts.pop("reason", "")),
        facts=facts,
        fault=fault,
    )


def _opened(
    installation: Installation, leaf: Leaf, sealed: bytes | None
) -> dict[str, JSON]:
    """What was sealed beside the leaf, if it is what the leaf commits to."""
    if sealed is None:
        raise VerificationError("its private part is not there any more")
    context = sealing.evidence_context(leaf.log, leaf.id)
    key = installation.keyring.controller_key
    encoded = canonical.decode(sealing.unseal(key, blob(sealed), context))
    if not isinstance(encoded, list):
        raise VerificationError("its private part is no list of facts")
    told = [sealing.parse_disclosure(str(each)) for each in encoded]
    if sealing.commit(told) != leaf.body["evidence"]:
        raise VerificationError("its private part is not what the leaf commits to")
    return {each.name: each.value for each in told}


def _target(leaf: Leaf) -> str:
    if leaf.kind == Kind.SUSPENSION:
        return "/".join(leaf.body[name] or "*" for name in ("purpose", "recipient"))
    return str(leaf.body["target"])
