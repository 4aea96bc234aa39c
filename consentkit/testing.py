"""What apps use in their own tests; also a pytest plugin.

A test that needs a consent gets one by the door that people use: a page is loaded, the
form on it is sent. There is no switch that opens the gate.

Only the fixture needs pytest; the functions do for other test runners as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

__all__ = ["answer", "form_token"]

_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_HOST_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def form_token(page: str) -> str:
    """The token of the first form on a page of ours.

    Raises:
        ValueError: there is no such form, for instance because nobody is signed in.
    """
    found = _TOKEN.search(page)
    if found is None:
        raise ValueError("the page holds no form of consentkit; is somebody signed in?")
    return found[1]


def answer(
    client: FlaskClient,
    purpose: str,
    answers: dict[str, str],
    *,
    prefix: str = "/consent",
    optional: dict[str, list[str]] | None = None,
    abroad: dict[str, str] | None = None,
) -> TestResponse:
    """Answer the question about ``purpose`` as the person signed in to ``client``.

    ``answers`` maps a recipient id to ``"given"``, ``"refused"`` or ``"deferred"``;
    ``optional`` maps a recipient id to the optional data categories to tick;
    ``abroad`` answers the separate question about sending data to another country.

    Raises:
        ValueError: there is no form to send, for instance because nobody is signed in.
    """
    page = client.get(f"{prefix}/ask/{purpose}").get_data(as_text=True)
    form_token(page)
    form: dict[str, str | list[str]] = {
        # The last form is the question's; those before it stop what was agreed.
        "token": _TOKEN.findall(page)[-1],
    }
    if host_token := _HOST_TOKEN.search(page):
        form["csrf_token"] = host_token[1]
    for recipient, state in answers.items():
        form[f"choice.{purpose}.{recipient}"] = state
    for recipient, state in (abroad or {}).items():
        form[f"choice.{purpose}.cross-border.{recipient}"] = state
    for recipient, data in (optional or {}).items():
        form[f"data.{purpose}.{recipient}"] = data
    return client.post(f"{prefix}/choices", data=form)


def _assert_honest(html: str) -> None:
    # Loaded when it is used: coverage tools miss what a plugin brings in before them.
    from consentkit.lint import lint  # noqa: PLC0415
    from consentkit.lint.report import format_text  # noqa: PLC0415

    findings = lint(html)
    if findings.errors:
        pytest.fail(format_text(findings), pytrace=False)


try:
    import pytest
except ModuleNotFoundError:
    pass  # another test runner; what is defined above is all there is for it
else:
    __all__ += ["assert_honest"]

    @pytest.fixture
    def assert_honest() -> Callable[[str], None]:
        """A check that a page of the app breaks no rule against dark patterns.

        A page that asks nothing passes; warnings are not counted. It needs the extra
        ``lint``.
        """
        return _assert_honest
