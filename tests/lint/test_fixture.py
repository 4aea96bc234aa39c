"""``assert_honest``, the fixture for an app's own tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .scores import PAGES


def test_an_honest_page_passes(assert_honest: Callable[[str], None]) -> None:
    assert_honest(PAGES["pages/good-share-en"])


def test_a_page_with_an_error_fails_with_the_report(
    assert_honest: Callable[[str], None],
) -> None:
    with pytest.raises(pytest.fail.Exception, match="D15 error"):
        assert_honest(PAGES["pages/bad-shame-en"])
