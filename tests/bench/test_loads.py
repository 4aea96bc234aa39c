"""The load by wrk runs, is real, and prints its rows. No time is asserted, ever."""

from __future__ import annotations

import re

import pytest

from tests.bench import loads


def test_a_short_load_fails_no_request_and_is_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loads.main(["--smoke"])

    printed = capsys.readouterr().out
    for name in loads.PATHS:
        assert re.search(rf"\| {re.escape(name)} \| \d+ \| [\d.]+ ms \|", printed)
    assert re.search(r"no request failed; [1-9]\d* grants, all in the log", printed)
