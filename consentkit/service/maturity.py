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
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Choice
    from consentkit.core.notice import Notice
    from consentkit.core.purpose import Purpose
    from consentkit.core.representative import Representative
    from consentkit.core.status import Status
    from consentkit.service.installation import Installation
    from consentkit.service.recording import PersonRecorder
    from consentkit.service.representing import Authority

__all__ = ["is_joint", "mature"]

Key = tuple[str, str]


def mature(
    recorder: PersonRecorder,
    choices: tuple[Choice, ...],
    notice: Notice,
    standing: Mapping[Key, Status],
    representative: Representative | None,
) -> tuple[tuple[Choice, ...], Authority]:
    """What is written of these choices, and on what authority.

    Raises:
        InvalidRequestError: who acts may not act for the person (see
            ``representing.check_authority``); or a yes is not theirs to give: the law
            forbids it towards children (code ``prohibited-for-minors``), the person is
            too young (``too-young``) or of unknown age (``age-needed``), or nobody can
            confirm it for them (``own-confirmation``).
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
    purposes = _purposes(installation, asked)
    if any(
        installation.ages.forbids(each, recorder.subject, now, noted)
        for each in purposes
    ):
        raise InvalidRequestError(
            "the law lets nobody do this with the data of children, whoever agrees; "
            "nothing was stored",
            code="prohibited-for-minors",
        )
    if representative and any(notice.is_two_stage(each.key) for each in asked):
        raise InvalidRequestError(
            "this needs the person's own confirmation; nothing was stored",
            code="own-confirmation",
        )
    _note(recorder, authority, noted)
    if not asked or not installation.ages.is_child(recorder.subject, now, noted):
        return choices, authority
    if installation.ages.is_unknown(recorder.subject, noted):
        raise InvalidRequestError(
            "nobody knows whether the person is old enough to agree to this alone; "
            "nothing was stored",
            code="age-needed",
        )
    return _of_child(recorder, choices, standing, authority, purposes)


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
        raise InvalidRequestError(
            "the person is too young to agree to this alone; nothing was stored",
            code="too-young",
        )
    return choices, authority


def _note(recorder: PersonRecorder, authority: Authority, noted: int | None) -> None:
    """Keep when the person comes of age, once somebody has answered for them."""
    known = authority.of_age
    if known is None and noted is not None:
        known = recorder.installation.ages.of_age(recorder.subject)
    if known is not None and known != noted:
        recorder.transaction.represented(recorder.subject).set_of_age(known)


def _purposes(
    installation: Installation, choices: Sequence[Choice]
) -> tuple[Purpose, ...]:
    known = installation.registry.purposes
    return tuple(known[each] for each in base_purposes(c.key for c in choices))
