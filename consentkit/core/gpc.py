"""Global Privacy Control: how a browser says that data is not to be sold or shared.

A signal only ever narrows. Its absence says nothing, and is no consent (W3C Global
Privacy Control; 11 CCR §7025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = ["HEADER", "SUPPORT_PATH", "opts_out", "support_resource"]

HEADER = "Sec-GPC"
SUPPORT_PATH = "/.well-known/gpc.json"

_OPTIONAL_WHITESPACE = " \t"  # RFC 9110 §5.6.3


def opts_out(values: Iterable[str]) -> bool:
    """Whether these values of the header opt out: one of them is exactly ``1``.

    A server may have joined several fields into one, by commas (RFC 9110 §5.3).
    """
    return any(
        each.strip(_OPTIONAL_WHITESPACE) == "1"
        for value in values
        for each in value.split(",")
    )


def support_resource(*, supports: bool, last_update: date) -> dict[str, bool | str]:
    """What a site says of itself at ``SUPPORT_PATH``."""
    return {"gpc": supports, "lastUpdate": last_update.isoformat()}
