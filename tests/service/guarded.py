"""A wallet whose credit scorer is a server on this machine, and clients for it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from consentkit.core.registry import Registry
from consentkit.service.guarded_http import guarded_pool
from consentkit.service.guarded_requests import GuardedSession
from consentkit.service.guarding import Guard
from consentkit.service.live import live
from consentkit.service.release import Terms
from consentkit.service.sharing import Circumstances
from consentkit.service.sharing import authorise
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import WALLET
from tests.service.wallet import CREDIT_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.service.release import Release
    from tests.service.wallet import Wallet

__all__ = ["CLIENTS", "led_to", "shared"]


def led_to(url: str, *, shops: str = "shops.example") -> Registry:
    """The usual declarations, with the scorer's server at this URL."""
    credit = replace(CREDIT, hosts=(urlsplit(url).netloc,))
    shop = replace(SHOP, hosts=(urlsplit(f"//{shops}").netloc,))
    score = replace(SCORE, recipients=(credit,))
    return Registry(WALLET, [score, replace(OFFERS, recipients=(shop,))])


@contextmanager
def shared(
    wallet: Wallet,
    subject: str = "alice",
    key: tuple[str, str] = CREDIT_SCORE,
    *,
    sends: int = 1,
    lifetime: float = 60.0,
) -> Iterator[Release]:
    """A share as an app has it."""
    release = authorise(
        wallet.installation,
        wallet.request(subject, key),
        Circumstances(caller="jobs:score"),
        Terms(sends, lifetime),
    )
    with live(release):
        yield release


def _by_requests(guard: Guard) -> Callable[[str, bytes], int]:
    session = GuardedSession(guard)
    return lambda url, body: session.post(url, data=body, timeout=10).status_code


def _by_urllib3(guard: Guard) -> Callable[[str, bytes], int]:
    # As a number it means no redirects in some versions of urllib3.
    pool = guarded_pool(guard, retries=urllib3.Retry(3), timeout=10)
    return lambda url, body: pool.request("POST", url, body=body).status


CLIENTS = {"requests": _by_requests, "urllib3": _by_urllib3}
