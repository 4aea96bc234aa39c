"""Dark patterns: what the markup, the screen and the way through an app can prove.

Any page is judged, ours or not. Where ``data-ck-*`` annotations say what a control
means, the rules are exact; elsewhere the words tell, in seven languages. Three front
ends judge: `lint` reads the markup alone, runs no script and fetches nothing;
``browsing`` shows the page in Chromium and measures it; ``walk`` goes through a running
app. ``Findings.rules_checked`` says which rules were tried.

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
