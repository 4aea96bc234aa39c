"""Whose yes it takes: the person's own, somebody's who answers for them, or both.

Only a yes is ever held up here. A no, a later and a withdrawal are taken from the
person at any age.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError
from consentkit.service.joining import join
from consentkit.service.joining import waiting_halves
from consentkit.service.representing import authority_of
from consentkit.service.representing import base_purposes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.purpose import Purpose
    from consentkit.core.representative import Representative
    from consentkit.core.status import Status
    from consentkit.service.installation import Installation
    from consentkit.service.recording import PersonRecorder
    from consentkit.service.representing import Authority

__all__ = ["bar", "check_not_barred", "is_joint", "mature"]

Key = tuple[str, str]

_BARRED = {
    "age-needed": "nobody knows whether the person is old enough to agree to this "
    "alone",
    "not-before-of-age": "this needs the person's own confirmation, and they are not "
    "old enough to give it",
    "own-confirmation": "this needs the person's own confirmation",
    "prohibited-for-minors": "the law lets nobody do this with the data of children, "
    "whoever agrees",
    "too-young": "the person is too young to agree to this alone",
}


def bar(
    installation: Installation,
    subject: str,
    purpose: Purpose,
    *,
    represented: bool,
    noted: Millis | None,
) -> str:
    """Why no yes to this can succeed now, as the code of a problem; empty if one can.

    ``represented`` says that somebody acts for the person; ``noted`` is when they come
    of age, as kept from when somebody answered for them.
    """
    ages, now = installation.ages, installation.clock()
    if ages.forbids(purpose, subject, now, noted):
        return "prohibited-for-minors"
    if not purpose.two_stage:
        return ""
    if ages.is_child(subject, now, noted):
        unknown = ages.is_unknown(subject, noted)
        return "age-needed" if unknown else "not-before-of-age"
    return "own-confirmation" if represented else ""


def mature(
    recorder: PersonRecorder,
    choices: tuple[Choice, ...],
    standing: Mapping[Key, Status],
    representative: Representative | None,
) -> tuple[tuple[Choice, ...], Authority]:
    """What is written of these choices, and on what authority.

    Raises:
        InvalidRequestError: who acts may not act for the person (see
            ``representing.check_authority``); or a yes is not theirs to give: no yes
            to it can succeed (see ``bar``), or the person is too young to say it alone
            (code ``too-young``) or of unknown age (``age-needed``).
    """
    installation, now = recorder.installation, recorder.now
    represented = recorder.transaction.represented(recorder.subject)
    authority = authority_of(
        installation,
        represented,
        representative,
        base_purposes(each.key for each in choices),
        now,
    )
    noted = represented.of_age()
    asked = [each for each in choices if each.grants]
    _refuse_barred(
        recorder,
        (each.key for each in asked),
        represented=representative is not None,
        noted=noted,
    )
    _note(recorder, authority, noted)
    if not asked or not installation.ages.is_child(recorder.subject, now, noted):
        return choices, authority
    if installation.ages.is_unknown(recorder.subject, noted):
        raise _refused("age-needed")
    purposes = _purposes(installation, (each.key for each in asked))
    return _of_child(recorder, choices, standing, authority, purposes)


def check_not_barred(
    recorder: PersonRecorder, keys: Iterable[Key], *, represented: bool = False
) -> None:
    """Refuse to go on where no yes to one of these can succeed.

    Raises:
        InvalidRequestError: the code says why, see ``bar``.
    """
    noted = recorder.transaction.represented(recorder.subject).of_age()
    _refuse_barred(recorder, keys, represented=represented, noted=noted)


def _refuse_barred(
    recorder: PersonRecorder,
    keys: Iterable[Key],
    *,
    represented: bool,
    noted: Millis | None,
) -> None:
    for purpose in _purposes(recorder.installation, keys):
        barred = bar(
            recorder.installation,
            recorder.subject,
            purpose,
            represented=represented,
            noted=noted,
        )
        if barred:
            raise _refused(barred)


def is_joint(installation: Installation, purpose: Purpose) -> bool:
    """Whether a child and who answers for them both have to agree."""
    joint = purpose.joint or installation.ages.rule.joint
    return joint and not purpose.two_stage


def _of_child(
    recorder: PersonRecorder,
    choices: tuple[Choice, ...],
    standing: Mapping[Key, Status],
    authority: Authority,
    purposes: Sequence[Purpose],
) -> tuple[tuple[Choice, ...], Authority]:
    installation = recorder.installation
    joint = all(is_joint(installation, each) for each in purposes)
    if joint and (authority.is_guardian or not authority.facts):
        waiting = waiting_halves(installation, recorder.person, standing)
        written, facts = join(
            choices,
            waiting,
            standing,
            recorder.now,
            of_guardian=authority.is_guardian,
        )
        return written, replace(authority, facts={**authority.facts, **facts})
    if not authority.is_guardian:
        raise _refused("too-young")
    return choices, authority


def _refused(code: str) -> InvalidRequestError:
    return InvalidRequestError(f"{_BARRED[code]}; nothing was stored", code=code)


def _note(recorder: PersonRecorder, authority: Authority, noted: int | None) -> None:
    """Keep when the person comes of age, once somebody has answered for them."""
    known = authority.of_age
    if known is None and noted is not None:
        known = recorder.installation.ages.of_age(recorder.subject)
    if known is not None and known != noted:
        recorder.transaction.represented(recorder.subject).set_of_age(known)


def _purposes(installation: Installation, keys: Iterable[Key]) -> tuple[Purpose, ...]:
    known = installation.registry.purposes
    return tuple(known[each] for each in sorted(base_purposes(keys)))
