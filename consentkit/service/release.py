"""What a yes hands over, and nothing beyond it.

A release belongs to one share: to its person, purpose, recipient and data, to the block
it was made for and the process that runs it. It is used once unless it says otherwise,
lives for a minute, and the gate is asked again whenever something is taken out by it
or sent under it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import NoReturn
from typing import Protocol

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.errors import UngatedSendError
from consentkit.service.filtering import filter_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from marshmallow import Schema

    from consentkit.core.registry import Registry

__all__ = ["LIFETIME", "Gate", "Release", "Terms", "share_terms"]

LIFETIME = 60
"""Seconds that a release lives at most, unless the app is configured otherwise."""

_MAX_SENDS = 10_000


@dataclass(frozen=True)
class Terms:
    """How far a release goes: for ``sends`` requests, within ``lifetime`` seconds."""

    sends: int = 1
    lifetime: float = LIFETIME

    def __post_init__(self) -> None:
        # A bool is an int to Python, but no number of requests.
        if type(self.sends) is not int or self.sends < 1:
            raise DeclarationError(
                "sends must be how many requests a share makes, 1 or more; got "
                f"{self.sends!r:.40}"
            )


def share_terms(sends: int, lifetime: float = LIFETIME) -> Terms:
    """The terms of a share about one person.

    Raises:
        DeclarationError: ``sends`` is no number, or of more requests than one share is.
    """
    terms = Terms(sends, lifetime)
    if sends > _MAX_SENDS:
        raise DeclarationError(
            f"sends must be at most {_MAX_SENDS} requests of one share; got more: make "
            "several shares, or share_many for many people"
        )
    return terms


class Gate(Protocol):
    """The gate that a release came through, for this very share."""

    @property
    def registry(self) -> Registry:
        """What the app declared that this is a share of."""

    def ask_again(self) -> Decision:
        """The same question once more, to the newest commit."""

    def held(self) -> AbstractContextManager[None]:
        """While it lasts, no end of the person's consent returns.

        Raises:
            LogUnavailableError: that cannot be had.
        """

    def prove(self, body: bytes | None) -> str:
        """What the recipient can show for it."""


class Release:
    """The permission to share, for the length of one ``with`` block."""

    def __init__(
        self,
        decision: Decision,
        *,
        disclosure: str,
        gate: Gate,
        terms: Terms | None = None,
    ) -> None:
        self.decision = decision
        self.disclosure = disclosure
        """The id of the disclosure leaf, durable before this object existed."""
        self._gate = gate
        self._terms = terms or Terms()
        self._left = self._terms.sends
        self._until = time.monotonic() + self._terms.lifetime
        self._process = os.getpid()
        self._over = False
        self._counting = threading.Lock()

    def __repr__(self) -> str:
        return (
            f"<Release {self.purpose!r} to {self.recipient!r}: "
            f"{', '.join(sorted(self.data))}>"
        )

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be copied or pickled: a copy would go on after the block.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"a {type(self).__name__.lower()} cannot be copied or pickled: it ends "
            "with its block; hand the object itself on, or share again"
        )

    @property
    def purpose(self) -> str:
        """The purpose the data may be used for."""
        return self.decision.purpose

    @property
    def recipient(self) -> str:
        """The one recipient that may get it."""
        return self.decision.recipient

    @property
    def data(self) -> frozenset[str]:
        """The ids of the data categories that may leave."""
        return self.decision.data

    @property
    def record(self) -> str:
        """The id of the consent record that this rests on."""
        return self.decision.record

    @property
    def issuer(self) -> Registry:
        """What the app declared that this is a share of."""
        return self._gate.registry

    @property
    def is_live(self) -> bool:
        """Whether its block goes on, here, and is not too old."""
        return not self._why_dead()

    def only(self, schema: Schema, rows: Any) -> Any:
        """``rows`` dumped by ``schema``, without any field that is not covered.

        Each field carries ``metadata={"category": "<data category id>"}``; a nested
        schema may leave that to its own fields. The gate is asked once more, so that
        what was stopped since the block began is not handed over.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            DeclarationError: a field of the schema names no declared data category, or
                hides further fields in a way that cannot be filtered.
            InvalidRequestError: this release has ended, or was replaced.
        """
        keep = filter_for(schema, self.covers)
        self._check_live()
        return keep.dump(rows)

    def proof(self, body: bytes | None = None) -> str:
        """What shows the recipient that it may hold the data: an HTTP header's value.

        Send it as ``Consent-Release``; ``consentkit.audit.verify_release`` reads it. It
        holds nothing about the person. With ``body`` it is about exactly these bytes,
        by their fingerprint.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            InvalidRequestError: this release has ended, or was replaced.
            LogUnavailableError: the database cannot be reached.
        """
        self._check_live()
        return self._gate.prove(body)

    def end(self) -> None:
        """Hand over nothing from here on: the block is over."""
        self._over = True

    def let_go(self) -> None:
        """Hold nobody up who ends a consent within the block."""

    def why_ended(self) -> str:
        """Why nothing more may be sent under it, empty while something may."""
        return self._why_dead() or (
            ""
            if self._left
            else f"its release was for {self._terms.sends} request"
            f"{'s' if self._terms.sends > 1 else ''} and is used up (a redirect and a "
            "retry are requests too; see the argument 'sends')"
        )

    def spend(self) -> None:
        """Count one request.

        Raises:
            UngatedSendError: there was none left.
        """
        with self._counting:
            why = self.why_ended()
            if why:
                raise UngatedSendError(
                    f"nothing was sent: {why}",
                    decision=Decision(Reason.NOT_ASKED, self.purpose, self.recipient),
                    host="",
                    recipients=frozenset({self.recipient}),
                )
            self._left -= 1

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """While bytes are written: asked again, and no end returns in between.

        Raises:
            ConsentDeniedError: the person has stopped it meanwhile.
            InvalidRequestError: this release has ended, or was replaced.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._gate.held())
            except LogUnavailableError as error:
                decision = Decision(
                    Reason.STORE_UNAVAILABLE, self.purpose, self.recipient
                )
                raise ConsentDeniedError(decision) from error
            self._check_live()
            yield

    def covers(self, category: str, where: str) -> bool:
        """Whether a field of that category may leave.

        Raises:
            DeclarationError: no such data category is declared.
        """
        if not isinstance(category, str) or category not in self.issuer.categories:
            raise DeclarationError(
                f"{where} belongs to a data category that is not declared: "
                f"{category!r:.80}; give it the id of one that is"
            )
        return category in self.data

    def _why_dead(self) -> str:
        if self._over:
            return (
                "a release ends with its block: hand data over inside of it, or share "
                "again"
            )
        if time.monotonic() > self._until:
            return (
                f"a release lives for {self._terms.lifetime:g} seconds: keep the block "
                "short, or see CONSENTKIT_RELEASE_LIFETIME"
            )
        if os.getpid() != self._process:
            return "a release belongs to the process that shares: share in this one"
        return ""

    def _permits(self, decision: Decision) -> bool:
        """Whether data may leave, by what the gate says now."""
        return bool(decision)

    def _check_live(self) -> None:
        why = self._why_dead()
        if why:
            raise InvalidRequestError(why)
        decision = self._gate.ask_again()
        if not self._permits(decision):
            raise ConsentDeniedError(decision)
        if decision.record != self.record:
            # The recipient was told to delete what came under the earlier record.
            raise InvalidRequestError(
                "the consent that this release rests on was replaced by another: share "
                "again",
                code="consent-replaced",
            )
