"""Dark patterns in a page: what a reader of the markup alone can prove.

Any page is judged, ours or not. Where ``data-ck-*`` annotations say what a control
means, the rules are exact; elsewhere the words tell, in English and Chinese. What
belongs here: rules that the parsed page and its text decide. What does not: rules
that need a layout (contrast, size of a button) or a walk through the app (steps to
decline, asking again); they are not in the table, and ``Findings.rules_checked``
says which rules were. No script is run and nothing is fetched by `lint`.

The rules carry the ids D01 to D46 of the project's list, each with its legal source.
"""

from __future__ import annotations

from consentkit.lint.finding import Finding
from consentkit.lint.finding import Findings
from consentkit.lint.finding import Severity
from consentkit.lint.page import Page
from consentkit.lint.table import judge

__all__ = ["Finding", "Findings", "Severity", "lint"]


def lint(html: str, *, lang: str | None = None, url: str = "") -> Findings:
    """Judge a page, or a fragment of one, and return what is wrong with it.

    Args:
        html: The page as the server sends it.
        lang: The page's language tag, where the markup itself names none.
        url: The page's address; it tells the page's own host from others.

    Raises:
        ConfigurationError: the HTML parser is not installed.
        InvalidRequestError: the page is too long or nested too deeply.
    """
    return judge(Page.parse(html, lang=lang or "", address=url))
