"""What is told to whoever watches: decisions, and what was committed to the log.

Never about whom: no subject, no handle, no act's id. Ids are those of declared
purposes, recipients and data; what was never declared is told as ``"unknown"``, for it
could be anything. Told once it is so: a decision when it is made, an entry when its
transaction is durable.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

from consentkit.core.act import Kind
from consentkit.core.legal_basis import RELEASE_ACTIONS
from consentkit.core.registry import CROSS_BORDER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.decision import Decision
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["SILENT", "UNKNOWN", "Event", "Narrator", "Observer", "tell_decision"]

UNKNOWN = "unknown"
"""In place of the id of something that was never declared."""


class Event(StrEnum):
    """What can be told. Closed list, stable spelling; see ``docs/telemetry.md``."""

    DECIDED = "decided"
    ANSWERED = "answered"
    ENDED = "ended"
    SHARED = "shared"
    DENIED = "denied"
    RELEASED_WITHOUT_CONSENT = "released-without-consent"
    ERASED = "erased"
    SWITCHED = "switched"
    DELIVERED = "delivered"
    PUBLISHED = "published"
    PUBLICATION_FAILED = "publication-failed"


class Observer(Protocol):
    """Who watches an installation. It must never raise: nothing waits for it."""

    def hears(self, event: Event) -> bool:
        """Whether anybody listens, so that it is worth putting together."""

    def tell(self, event: Event, facts: Mapping[str, Any]) -> None:
        """Something happened."""


class _Nobody:
    def hears(self, _event: Event) -> bool:
        return False

    def tell(self, event: Event, facts: Mapping[str, Any]) -> None:
        """Nobody listens."""


SILENT: Observer = _Nobody()
"""The observer of an installation that nobody watches."""


def tell_decision(
    installation: Installation, kind: str, decision: Decision, *, begun: float
) -> Decision:
    """The same decision; how it came out is told, and how long it took.

    ``kind`` is what asked, "check", "check-many" or "share"; ``begun`` is by
    ``time.perf_counter``.
    """
    observer, registry = installation.observer, installation.registry
    if observer.hears(Event.DECIDED):
        told = {
            "kind": kind,
            "reason": decision.reason.value,
            **_named(registry, decision.purpose, decision.recipient),
            "data": _categories(registry, decision.data),
            "seconds": time.perf_counter() - begun,
        }
        observer.tell(Event.DECIDED, told)
    return decision


@dataclass(frozen=True)
class Narrator:
    """Tells of entries that were committed together, in the order of writing."""

    registry: Registry
    observer: Observer

    def tell(self, leaves: Iterable[Leaf]) -> None:
        """Tell of each what its kind has to tell, if anything."""
        released: dict[str, str] = {}  # by the id of the person's entry, the basis
        for leaf in leaves:
            if leaf.kind is Kind.ADMIN and leaf.body["action"] in RELEASE_ACTIONS:
                basis = RELEASE_ACTIONS[leaf.body["action"]]
                released[leaf.body["target"]] = basis.value
            for event, facts in self._events(leaf, released.get(leaf.id, "")):
                if self.observer.hears(event):
                    self.observer.tell(event, facts)

    def _events(
        self, leaf: Leaf, basis: str
    ) -> Iterator[tuple[Event, Mapping[str, Any]]]:
        body = leaf.body
        match leaf.kind:
            case Kind.CHOICE | Kind.IMPORT:
                yield from self._choices(Event.ANSWERED, body, "assurance", "channel")
            case Kind.REVOCATION:
                yield from self._choices(Event.ENDED, body, "actor", "channel")
            case Kind.DISCLOSURE | Kind.DISCLOSURE_BATCH:
                counts = {
                    "count": body.get("count", 1),
                    "withheld": body.get("withheld", 0),
                }
                yield Event.SHARED, {**self._share(body), **counts}
            case Kind.DENIAL if basis:
                told = {**self._share(body), "basis": basis}
                yield Event.RELEASED_WITHOUT_CONSENT, told
            case Kind.DENIAL:
                yield Event.DENIED, {**self._share(body), "reason": body["reason"]}
            case Kind.ERASURE:
                yield Event.ERASED, {"count": 1}
            case Kind.SUSPENSION:
                named = self._key(body)
                yield Event.SWITCHED, {"action": body["action"], **named}
            case Kind.DELIVERY:
                told = {"recipient": self._key(body)["recipient"]}
                counted = {name: body[name] for name in ("status", "attempts")}
                yield Event.DELIVERED, {**told, **counted}

    def _choices(
        self, event: Event, body: Mapping[str, Any], *names: str
    ) -> Iterator[tuple[Event, Mapping[str, Any]]]:
        """An event for each choice, with these facts of the act."""
        of_act = {name: body[name] for name in names}
        for choice in body["choices"]:
            data = _categories(self.registry, choice["data"])
            named = {**self._key(choice), "state": choice["state"], "data": data}
            yield event, {**named, **of_act}

    def _share(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self._key(body),
            "data": _categories(self.registry, body["data"]),
            "amount": body["amount"],
            "channel": body["channel"],
        }

    def _key(self, body: Mapping[str, Any]) -> dict[str, str]:
        return _named(self.registry, body.get("purpose", ""), body["recipient"])


def _named(registry: Registry, purpose: str, recipient: str) -> dict[str, str]:
    """Purpose and recipient as they are told; empty is every, in a suspension."""
    asked = purpose.removesuffix(CROSS_BORDER)
    declared = asked in registry.purposes or asked in registry.legal_purposes
    return {
        "purpose": purpose if declared or not purpose else UNKNOWN,
        "recipient": (
            recipient if recipient in registry.recipients or not recipient else UNKNOWN
        ),
    }


def _categories(registry: Registry, data: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(each for each in data if each in registry.categories))
