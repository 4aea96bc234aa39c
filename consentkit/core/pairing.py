"""Two answers that count only together: to share, and to share with another country."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.registry import CROSS_BORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.core.status import Status

    Key = tuple[str, str]

__all__ = ["lacks_its_pair"]


def lacks_its_pair(
    key: Key, standing: Mapping[Key, Status], registry: Registry, *, now: Millis
) -> bool:
    """Whether that answer is one of two, and the other one is no live yes."""
    purpose, recipient = key
    base = purpose.removesuffix(CROSS_BORDER)
    other = base if purpose.endswith(CROSS_BORDER) else base + CROSS_BORDER
    share = registry.question(base, recipient)
    pair = registry.question(other, recipient)
    if share is None or pair is None or not share.cross_border:
        return False
    status = standing.get((other, recipient))
    return status is None or not status.authorises(now) or status.scope != pair.scope
