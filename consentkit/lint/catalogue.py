"""All rules of all front ends: the parsed page's, the browser's and the walk's."""

from __future__ import annotations

from consentkit.lint import browsing
from consentkit.lint import flow_rules
from consentkit.lint import table

__all__ = ["slugs"]


def slugs() -> dict[str, str]:
    """Return the name in words of every rule that any front end can judge."""
    parsed = {rule.id: rule.slug for rule in table.RULES}
    shown = {rule.id: rule.slug for rule in browsing.RULES}
    walked = {rule.id: rule.slug for rule in flow_rules.RULES}
    return dict(sorted({**walked, **shown, **parsed}.items()))
