"""Who acts for a person: as whom, and on what authority (ISO/IEC TS 27560 6.3.7.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from uuid import UUID

from consentkit.core.act import Actor
from consentkit.errors import DeclarationError

__all__ = ["GUARDIANS", "Representative"]

GUARDIANS = frozenset({Actor.PARENT, Actor.GUARDIAN})
"""Who answers by law; a delegate answers because the person said so."""

_ACTORS = GUARDIANS | {Actor.DELEGATE}
_WORD = re.compile(r"(?:[a-z0-9][a-z0-9-]{0,63})?\Z")
_LINE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{0,200}\Z")


@dataclass(frozen=True, kw_only=True)
class Representative:
    """The person who is signed in, as one who acts for ``subject``.

    ``by`` is the app's own id of who acts, and ``actor`` what they are to the subject:
    *parent*, *guardian* or *delegate*. ``verification`` is a word for how their
    authority was verified, such as ``"register-extract"``, and ``evidence`` the app's
    reference to what shows it; while either is empty, a parent or guardian can do
    nothing. A delegate's authority is the delegation that the person gave here.

    ``label`` is how the subject is called on the page. ``adult`` says that the app
    knows who acts to be of age, where it cannot tell their birthday. ``of_adult`` is
    for the guardian of somebody who is of age: what they agree to does not lapse.

    Raises:
        DeclarationError: a field is not of its form, or somebody would act for
            themselves.
    """

    subject: str | int | UUID = field(kw_only=False)
    by: str | int | UUID
    actor: Actor | str
    label: str
    verification: str = ""
    evidence: str = ""
    adult: bool = False
    of_adult: bool = False

    def __post_init__(self) -> None:
        """See ``Raises``."""
        if not isinstance(self.actor, str) or self.actor not in _ACTORS:
            raise DeclarationError(
                "a representative must act as 'parent', 'guardian' or 'delegate'; "
                f"got {self.actor!r:.40}"
            )
        object.__setattr__(self, "actor", Actor(self.actor))
        if str(self.subject) == str(self.by):
            raise DeclarationError(
                "a representative must be somebody else than the subject: return None "
                "for a person who answers for themselves"
            )
        if not isinstance(self.verification, str) or not _WORD.match(self.verification):
            raise DeclarationError(
                "verification must be a word of a-z, 0-9 and '-', such as "
                "'register-extract'"
            )
        for name in ("evidence", "label"):
            value = getattr(self, name)
            if not isinstance(value, str) or not _LINE.match(value):
                raise DeclarationError(
                    f"{name} of a representative must be one line of text, 200 "
                    "characters at most"
                )
        if not self.label:
            raise DeclarationError(
                "label of a representative must say how the subject is called"
            )
        for name in ("adult", "of_adult"):
            if not isinstance(getattr(self, name), bool):
                raise DeclarationError(
                    f"{name} of a representative must be True or False"
                )
        if self.of_adult and self.actor is not Actor.GUARDIAN:
            raise DeclarationError("only a guardian can be the guardian of an adult")

    @property
    def is_guardian(self) -> bool:
        """Whether they act by law, as parent or guardian."""
        return self.actor in GUARDIANS

    @property
    def is_proven(self) -> bool:
        """Whether it is said how their authority was verified, and what shows it."""
        return bool(self.verification and self.evidence) or not self.is_guardian
