"""Data that is released by law and not by consent, as a call on ``ConsentKit``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from consentkit.core.period import millis_of
from consentkit.service import legal_release
from consentkit.service.administering import Official
from consentkit.service.live import live
from consentkit.service.release import share_terms
from consentkit.service.sharing import Circumstances
from consentkit.web.block import Block
from consentkit.web.calling import caller
from consentkit.web.gate import id_of
from consentkit.web.gate import ids_of
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from consentkit.core.legal_basis import LegalBasis
    from consentkit.core.legal_purpose import LegalPurpose
    from consentkit.core.vocabulary import DataCategory
    from consentkit.core.vocabulary import Recipient
    from consentkit.service.legal_release import LegalRelease
    from consentkit.service.legal_release import LegalRequest
    from consentkit.web.subject import SubjectId

__all__ = ["Releasing"]


class Releasing:
    """The part of ``ConsentKit`` that needs no consent, and leaves a trace instead."""

    def release_without_consent(
        self,
        subject: SubjectId,
        purpose: str | LegalPurpose,
        *,
        recipient: str | Recipient,
        data: Collection[str | DataCategory],
        basis: LegalBasis | str,
        by: Official | str,
        reason: str = "",
        evidence: bytes | str = b"",
        barred_until: datetime | None = None,
        amount: int = 1,
        sends: int = 1,
    ) -> AbstractContextManager[LegalRelease]:
        """A block that may hand over by law what nobody was asked for (R72).

        ``purpose`` is a declared ``LegalPurpose`` with that recipient, data and basis:
        ``"legal-obligation"``, or ``"vital-interest"``. ``by`` answers for it with a
        ``reason``, or is an ``Official``. ``evidence`` is the order itself, of which
        the fingerprint is kept, or a reference to it; a legal obligation needs one.
        Auditors see the release at once, and the person does, unless a court forbids
        it until ``barred_until``. ``amount`` and ``sends`` are as in ``share``.

        Raises (on entering the block):
            InvalidRequestError: it is not what was declared, or nobody answers for it,
                or nothing shows what it rests on.
            ConsentDeniedError: an official suspended the purpose or the recipient.
            LogError: it cannot be written down; nothing was released.
        """
        circumstances = Circumstances(caller=caller(), amount=amount)
        released = _released(
            legal_release.LegalRequest(
                subject=subject_key(subject),
                purpose=id_of(purpose),
                recipient=id_of(recipient),
                data=ids_of(data),
                basis=basis,
                by=Official.of(by, reason),
                evidence=evidence,
                barred_until=None if barred_until is None else millis_of(barred_until),
            ),
            circumstances,
            sends,
        )
        return Block(released, name="release_without_consent")


@contextlib.contextmanager
def _released(
    request: LegalRequest, circumstances: Circumstances, sends: int
) -> Iterator[LegalRelease]:
    state = current_state()
    terms = share_terms(sends, state.config.release_lifetime)
    release = legal_release.release_without_consent(
        state.installation, request, circumstances, terms
    )
    # Outside any ``except``: what goes wrong in the caller's body is the caller's.
    with live(release):
        yield release
