"""What leaves for a recipient leaves inside a share, or not at all (R67, R68).

A guard knows the hosts of the recipients that one app declared. Whatever sends asks it
twice: before it connects, and when the request is written. ``guarded_http`` does so
for urllib3 and, on top of it, requests.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.errors import UngatedSendError
from consentkit.service.destinations import Destinations
from consentkit.service.live import live_releases

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.core.registry import Registry
    from consentkit.service.destinations import Address
    from consentkit.service.release import Release

__all__ = ["Guard", "refusal", "sending", "usable"]


class Guard:
    """Refuses what no live release of this registry's app covers."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._destinations = Destinations(registry.recipients.values())

    def look(self, addresses: Iterable[Address]) -> None:
        """Refuse to go to an address that no live release leads to.

        Raises:
            UngatedSendError: it belongs to a recipient, and no share is going on.
        """
        for _ in self._releases(addresses):
            pass

    def spend(self, addresses: Iterable[Address]) -> tuple[Release, ...]:
        """The releases that cover a request to these addresses, used once by it.

        Raises:
            UngatedSendError: one of them belongs to a recipient, and no share with it
                is going on, or its release was used up.
        """
        releases = tuple(self._releases(addresses))
        for release in releases:
            release.spend()
        return releases

    def recipients(self, address: Address) -> frozenset[str]:
        """The recipients whose host that is."""
        return self._destinations.recipients(address)

    def issued(self, release: Release) -> bool:
        """Whether the release is of the app whose recipients this guards."""
        return release.issuer is self._registry

    def _releases(self, addresses: Iterable[Address]) -> Iterator[Release]:
        found: dict[int, Release] = {}
        for address in addresses:
            recipients = self.recipients(address)
            if recipients:
                ours = [each for each in live_releases() if self.issued(each)]
                release = usable(ours, recipients)
                if release is None:
                    raise refusal(address, recipients, ours)
                found[id(release)] = release
        yield from found.values()


@contextlib.contextmanager
def sending(releases: Iterable[Release]) -> Iterator[None]:
    """While bytes are written: each release was asked again, and holds till they are.

    Raises:
        ConsentDeniedError: the consent ended meanwhile; nothing of this was written.
    """
    with contextlib.ExitStack() as stack:
        for release in releases:
            stack.enter_context(release.sending())
        yield


def usable(releases: Iterable[Release], recipients: frozenset[str]) -> Release | None:
    """The innermost release for one of these recipients, if it may still be used.

    One further out is about somebody else: what is sent here is not about them.
    """
    for release in releases:
        if release.recipient in recipients:
            return None if release.why_ended() else release
    return None


def refusal(
    address: Address, recipients: frozenset[str], releases: Iterable[Release]
) -> UngatedSendError:
    """Why nothing may be sent there: what is missing, and what to do."""
    named = " or ".join(map(repr, sorted(recipients)))
    why = "no share with it is going on here"
    for release in releases:
        if release.recipient in recipients:
            why = release.why_ended()
            break
        why = f"the share that is going on here is with {release.recipient!r}"
    return UngatedSendError(
        f"{address.host!r:.80} belongs to recipient {named}, and {why}: nothing was "
        "sent; send it inside 'with consent.share(…)' with that recipient",
        decision=Decision(Reason.NOT_ASKED, "", min(recipients)),
        host=address.host,
        recipients=recipients,
    )
