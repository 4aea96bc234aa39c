"""Starting the system's Chromium through Playwright, which is an extra."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Playwright

__all__ = ["chromium"]

# Where a system has it, in the order of Debian's name, Google's, and others'.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these it would look for its maker's servers while a page is judged.
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_HOW = (
    "install one with 'apt-get install chromium' or 'python -m playwright install "
    "chromium', or judge without --browser"
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A running Chromium, closed afterwards.

    Raises:
        ConfigurationError: Playwright is not installed, or there is no Chromium.
    """
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  an extra
    except ImportError as error:
        message = (
            "judging what a page looks like needs Playwright, which is not installed: "
            "pip install 'consentkit[lint]'"
        )
        raise ConfigurationError(message) from error
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright) -> Browser:
    from playwright.sync_api import Error  # noqa: PLC0415  an extra

    # As root, which is usual in CI, Chromium starts only without its sandbox.
    needed = ["--no-sandbox"] if os.geteuid() == 0 else []
    try:
        return playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, _NAMES)), None),
            args=[*_ARGUMENTS, *needed],
        )
    except Error as error:
        told = error.message.strip().splitlines() or ["no reason was given"]
        message = f"Chromium does not start ({told[0]}): {_HOW}"
        raise ConfigurationError(message) from error
