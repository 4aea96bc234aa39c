"""Data that is released without consent: because the law asks, or a life is at stake.

Written down first, like a share, as two leaves in one transaction. An administrative
act says that an official released, on which basis, and names the leaf that follows; who
they are and why is sealed. That leaf is the person's: a denial, for consent did not
cover it, with the data, the purpose and the recipient (``docs/adr/0024``). So no line
of the log ever calls this a share that somebody agreed to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import RELEASE_PREFIX
from consentkit.core.legal_basis import LegalBasis
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.text import is_telling
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.service.administering import record_admin_act
from consentkit.service.evidence import BARRED
from consentkit.service.failing import log_failed_check
from consentkit.service.recording import PersonRecorder
from consentkit.service.recording import new_id
from consentkit.service.release import Release
from consentkit.service.sharing import line_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from consentkit.core.canonical import JSON
    from consentkit.core.legal_purpose import LegalPurpose
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.service.release import Terms
    from consentkit.service.sharing import Circumstances

__all__ = ["LegalRelease", "LegalRequest", "release_without_consent"]

_MAX_REFERENCE = 1_000  # characters, as for the other texts of an official


@dataclass(frozen=True, slots=True)
class LegalRequest:
    """Whose data an official releases, for what, to whom, and by what they may.

    ``purpose`` is that of a declared ``LegalPurpose``, ``basis`` the one it declares:
    who releases says it, too. ``evidence`` is the document that asks for it, of which
    the SHA-256 is sealed, or a reference to it. Until ``barred_until`` the person must
    not be told; None is never barred.
    """

    subject: str
    purpose: str
    recipient: str
    data: frozenset[str]
    basis: LegalBasis | str
    by: Official
    evidence: bytes | str = b""
    barred_until: Millis | None = None


class LegalRelease(Release):
    """The permission to hand over by law, for the length of one ``with`` block.

    ``decision`` is what consent says, which is no: nobody was asked. ``disclosure`` is
    the id of the person's leaf, ``act`` that of the official's.
    """

    def __init__(self, gate: _LegalGate, terms: Terms | None = None) -> None:
        request, line = gate.request, gate.line
        decision = Decision(Reason.NOT_ASKED, request.purpose, request.recipient)
        super().__init__(decision, disclosure=line.id, gate=gate, terms=terms)
        self.basis = LegalBasis(request.basis)
        self.act = gate.act.id
        self._released = request.data

    @property
    def data(self) -> frozenset[str]:
        """The ids of the data categories that may leave."""
        return self._released

    def _permits(self, decision: Decision) -> bool:
        # Still nobody was asked; a suspension or a store that is down says otherwise.
        return decision.reason is Reason.NOT_ASKED


@dataclass(frozen=True, slots=True)
class _LegalGate:
    """See ``consentkit.service.release.Gate``."""

    installation: Installation
    request: LegalRequest
    act: Leaf
    line: Leaf

    @property
    def registry(self) -> Registry:
        return self.installation.registry

    def ask_again(self) -> Decision:
        request = self.request
        key = request.purpose, request.recipient
        try:
            standing = self.installation.reader.standing(request.subject, *key)
        except Exception as error:  # noqa: BLE001  logged, and denied
            log_failed_check(error)
            return Decision(Reason.STORE_UNAVAILABLE, *key)
        stopped = Reason.SUSPENDED if standing.suspended else Reason.NOT_ASKED
        return Decision(stopped, *key)

    def held(self) -> AbstractContextManager[None]:
        return self.installation.sends.held(self.request.subject)

    def prove(self, body: bytes | None) -> str:  # noqa: ARG002  of the protocol
        raise _refused(
            "there is no consent that could be proven to the recipient: send the "
            "reference of what obliges you"
        )


def release_without_consent(
    installation: Installation,
    request: LegalRequest,
    circumstances: Circumstances,
    terms: Terms | None = None,
) -> LegalRelease:
    """A release by law; both of its leaves are durable when this returns.

    A suspension stops this, too, and so does a recipient that is not active.

    Raises:
        InvalidRequestError: it is not what was declared, nothing shows what it rests
            on, or people were asked about it (code ``legal-release``).
        ConsentDeniedError: the purpose, the recipient or everything is suspended;
            nothing was written.
        LogError: it cannot be written; nothing was released.
    """
    purpose = _declared(installation.registry, request)
    _check(request, purpose, now=installation.clock())
    with installation.ledger.write() as transaction:
        recorder = PersonRecorder.lock(installation, transaction, request.subject)
        _check_never_asked(recorder, request)
        if transaction.suspended(request.purpose, request.recipient):
            # Not on record as refused: the person would read of it, whom it may be
            # forbidden to tell.
            raise ConsentDeniedError(
                Decision(Reason.SUSPENDED, request.purpose, request.recipient)
            )
        act = _act(recorder, request, purpose)
        line = _line(recorder, request, circumstances, act)
    return LegalRelease(_LegalGate(installation, request, act, line), terms)


def _act(
    recorder: PersonRecorder, request: LegalRequest, purpose: LegalPurpose
) -> Leaf:
    """The act of the official, which names the person's leaf that is to follow."""
    return record_admin_act(
        recorder.installation,
        recorder.transaction,
        action=RELEASE_PREFIX + LegalBasis(request.basis).value,
        target=new_id(),
        by=request.by,
        now=recorder.now,
        facts=_facts(request, purpose),
    )


def _line(
    recorder: PersonRecorder,
    request: LegalRequest,
    circumstances: Circumstances,
    act: Leaf,
) -> Leaf:
    """The person's leaf, and the line in the list of who received their data."""
    line = recorder.append(
        Kind.DENIAL,
        {
            **line_of(circumstances, request.purpose, request.recipient),
            "data": [*sorted(request.data)],
            "reason": Reason.NOT_ASKED.value,
        },
        leaf_id=act.body["target"],
    )
    basis = LegalBasis(request.basis).value
    recorder.transaction.add_disclosure(line, subject=recorder.subject, reason=basis)
    if request.barred_until is not None:
        recorder.transaction.bar(line.id, request.barred_until)
    return line


def _facts(request: LegalRequest, purpose: LegalPurpose) -> dict[str, JSON]:
    """What is sealed beside who released, and why."""
    evidence = request.evidence
    facts: dict[str, JSON] = {"law": purpose.law}
    if isinstance(evidence, bytes) and evidence:
        facts["document_sha256"] = hashlib.sha256(evidence).hexdigest()
    elif isinstance(evidence, str) and evidence:
        facts["document"] = evidence
    if request.barred_until is not None:
        facts[BARRED] = request.barred_until
    return facts


def _declared(registry: Registry, request: LegalRequest) -> LegalPurpose:
    """What was declared for such a release.

    Raises:
        InvalidRequestError: nothing was.
    """
    purpose = registry.legal_purposes.get(request.purpose)
    if purpose is None and request.purpose in registry.purposes:
        raise _refused(
            f"people are asked about {request.purpose!r}, so that their answer counts "
            "and nothing beside it; what rests on law is a LegalPurpose of its own"
        )
    if purpose is None:
        known = ", ".join(registry.legal_purposes) or "none is declared"
        raise _refused(
            f"expected the id of a declared LegalPurpose ({known}); got another"
        )
    recipients = {each.id: each for each in purpose.recipients}
    recipient = recipients.get(request.recipient)
    if recipient is None or not recipient.active:
        raise _refused(
            f"expected an active recipient of {purpose.id!r} ({', '.join(recipients)})"
            "; got another"
        )
    return purpose


def _check(request: LegalRequest, purpose: LegalPurpose, *, now: Millis) -> None:
    if request.basis != purpose.basis:
        raise _refused(
            f"expected the basis that {purpose.id!r} declares, {purpose.basis!s}; got "
            f"{request.basis!r:.40}"
        )
    if not request.data or not request.data <= purpose.categories:
        raise _refused(
            f"expected some of the data that {purpose.id!r} declares "
            f"({', '.join(sorted(purpose.categories))}); got none or more"
        )
    if not is_telling(request.by.reason):
        raise _refused(
            "expected the reason for this release, such as the number of the order; "
            "got none that could be looked up"
        )
    _check_evidence(request.evidence, purpose)
    if request.barred_until is not None and request.barred_until <= now:
        raise _refused(
            "expected barred_until to be when the person may be told, in the future; "
            "got a time that has passed"
        )


def _check_evidence(evidence: bytes | str, purpose: LegalPurpose) -> None:
    if not isinstance(evidence, bytes | str):
        raise _refused(
            "expected as evidence a document, as bytes, or a reference to it; got "
            f"{type(evidence).__name__}"
        )
    if isinstance(evidence, str) and len(evidence) > _MAX_REFERENCE:
        raise _refused(
            f"expected a reference of at most {_MAX_REFERENCE} characters; give the "
            "document itself as bytes"
        )
    if not evidence and purpose.basis is not LegalBasis.LEGAL_OBLIGATION:
        return  # a life at stake waits for no paper
    shows = is_telling(evidence) if isinstance(evidence, str) else len(evidence) > 1
    if not shows:
        raise _refused(
            "expected as evidence the document that obliges you, as bytes, or a "
            "reference to it; got nothing that could be looked up"
        )


def _check_never_asked(recorder: PersonRecorder, request: LegalRequest) -> None:
    """Refuse to do without consent what this person was once asked for."""
    standing = recorder.transaction.statuses(recorder.subject)
    if any(each.removesuffix(CROSS_BORDER) == request.purpose for each, _ in standing):
        raise _refused(
            f"people were asked about {request.purpose!r} before: their answer stands, "
            "and what rests on law needs an id of its own"
        )


def _refused(why: str) -> InvalidRequestError:
    return InvalidRequestError(f"nothing was released: {why}", code="legal-release")
