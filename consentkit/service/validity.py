"""How long a yes can hold where the law of the app names a number (R90)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.profile import validity_cap_of
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from consentkit.core.registry import Registry

__all__ = ["check_validity"]


def check_validity(registry: Registry, profile: str) -> None:
    """Refuse to ask for a yes that would hold for longer than the profile lets it.

    Raises:
        ConfigurationError: a purpose is valid for longer, or the profile is unknown.
    """
    try:
        cap = validity_cap_of(profile)
    except DeclarationError as error:
        raise ConfigurationError(f"CONSENTKIT_PROFILE: {error}") from error
    for purpose in registry.purposes.values():
        length = purpose.valid_for
        if cap is not None and length is not None and not cap.allows(length):
            raise ConfigurationError(
                f"purpose {purpose.id!r} is valid for {length.days} days, longer than "
                f"CONSENTKIT_PROFILE lets a yes hold ({cap}): shorten valid_for"
            )
