"""The benchmarks run, agree and print their rows. No time is asserted, ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial

import pytest

from tests.bench import act
from tests.bench import check
from tests.bench import export
from tests.bench import start
from tests.bench import verify
from tests.bench.measure import Line
from tests.bench.measure import race
from tests.bench.measure import report

TIME = r"-?[\d.e+]+ (?:s|ms|µs)"
ROW = re.compile(
    rf"\| (?P<name>.+?) \| {TIME} \| {TIME} - {TIME} "
    rf"\| (?:[\d.]+ of (?P<against>.+?))? \| (?:≤ (?:[\d.]+|{TIME}))? \|"
)

BENCHMARKS: dict[
    Callable[[Sequence[str]], None], tuple[str, list[tuple[str, str | None]]]
] = {
    check.main: (
        "same answers: 20 people",
        [
            ("raw SELECT, 100 rows", None),
            ("checking.check, 100 rows", "raw SELECT, 100 rows"),
            ("consent.check, 100 rows", "raw SELECT, 100 rows"),
            ("raw SELECT, 300 rows", None),
            ("checking.check, 300 rows", "raw SELECT, 300 rows"),
            ("consent.check, 300 rows", "raw SELECT, 300 rows"),
            ("consent.check, 300 rows", "consent.check, 100 rows"),
        ],
    ),
    act.main: (
        "same rows: consent_leaf, consent_evidence, consent_state",
        [
            (act.RAW, None),
            (act.UNSIGNED, act.RAW),
            (act.CHOOSE, act.UNSIGNED),
            (act.CHOOSE, act.RAW),
            (act.REVOKE, act.CHOOSE),
            ("publish 300 waiting leaves", None),
        ],
    ),
    start.main: (
        "same notice, remembered and rendered anew; 50 choices in the centre",
        [
            (start.DEPENDENCIES, None),
            (start.WHOLE, start.DEPENDENCIES),
            (start.AUDIT, None),
            (start.WIDGET, None),
            (start.CENTRE, None),
        ],
    ),
    export.main: (
        "same tree: 603 leaves in 13 files",
        [(export.PURE, None), (export.OURS, export.PURE)],
    ),
    verify.main: (
        "same root: 600 leaves",
        [
            (verify.BARE, None),
            (verify.WHOLE, verify.BARE),
            (verify.PURE, None),
            (verify.LAYER, verify.PURE),
            (verify.REPLAYED, verify.PURE),
        ],
    ),
}


@pytest.mark.parametrize(
    "main", BENCHMARKS, ids=[main.__module__.rpartition(".")[2] for main in BENCHMARKS]
)
def test_a_benchmark_agrees_with_its_reference_and_prints_its_rows(
    main: Callable[[Sequence[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    agreement, rows = BENCHMARKS[main]

    main(["--smoke"])

    printed = capsys.readouterr().out
    assert agreement in printed
    found = [ROW.fullmatch(line) for line in printed.splitlines()]
    assert [(row["name"], row["against"]) for row in found if row] == rows


def test_every_round_runs_every_contender_once_and_begins_with_another_one() -> None:
    order: list[str] = []

    race({name: partial(order.append, name) for name in "abc"}, rounds=2)

    assert "".join(order) == "cab" + "abc" + "bca"


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_contenders() -> None:
    samples = {"raw": [1.0, 2.0, 4.0], "ours": [2.0, 6.0, 4.0]}

    table = report(samples, [Line("ours", "raw", 3.0)])

    assert "| ours | 4 s | 2 s - 6 s | 2.00 of raw | ≤ 3.00 |" in table
