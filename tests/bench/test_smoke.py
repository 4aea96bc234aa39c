"""The benchmarks run, agree and print their rows. No time is asserted, ever."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate

import pytest
import sqlalchemy as sa

from consentkit.audit.bundle import FolderSource
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.store import schema
from tests.bench import act
from tests.bench import check
from tests.bench import clause
from tests.bench import crowd
from tests.bench import export
from tests.bench import growth
from tests.bench import partitioned
from tests.bench import pooler
from tests.bench import populating
from tests.bench import postgres
from tests.bench import rivals
from tests.bench import serving
from tests.bench import share_many
from tests.bench import start
from tests.bench import telemetry
from tests.bench import verify
from tests.bench.measure import Line
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import report_tails
from tests.bench.populating import LEAVES_EACH
from tests.bench.populating import populate
from tests.bench.rival_engines import RIVALS
from tests.bench.world import world

TIME = r"-?[\d.e+]+ (?:s|ms|µs)"
ROW = re.compile(
    rf"\| (?P<name>.+?) \| {TIME} \| {TIME} - {TIME} "
    rf"\| (?:[\d.]+ of (?P<against>.+?))? \| (?:≤ (?:[\d.]+|{TIME}))? \|"
)


def clause_rows(shop: str) -> list[tuple[str, str | None]]:
    """The lines of one store."""
    driver, hand = clause.DRIVER.format(shop), clause.HAND.format(shop)
    core, single = clause.BY_CORE.format(shop), clause.BY_CHECK.format(shop)
    gate = clause.CLAUSE.format(shop)
    return [
        (clause.UNGATED.format(shop), None),
        (driver, None),
        (hand, driver),
        (core, None),
        (single, None),
        *((gate, each) for each in (hand, driver, core)),
        *((clause.BY_MANY.format(shop, each), single) for each in ("100", "1,000")),
    ]


def partitioned_rows() -> list[tuple[str, str | None]]:
    """Each by itself in one piece, and partitioned against that."""
    found: list[tuple[str, str | None]] = []
    for what in partitioned.RACED:
        whole = partitioned.named(what, partitioned.WHOLE)
        found += [(whole, None), (partitioned.named(what, partitioned.PARTS), whole)]
    return found


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
    clause.main: (
        f"{clause.SERVER}: same 180 of 300 rows",
        [
            *clause_rows(clause.TEXT),
            *clause_rows(clause.NUMBERS),
            *clause_rows(clause.SERVER),
            (clause.CLAUSE.format(clause.NUMBERS), clause.CLAUSE.format(clause.TEXT)),
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
            *((act.RIVAL, act.CHOOSE) for each in RIVALS[-1:] if each.is_installed),
            ("publish 300 waiting leaves", None),
        ],
    ),
    rivals.main: (
        "same answers of checking.check, consent.check",
        [
            ("raw SELECT, 100 people", None),
            ("checking.check, 100 people", "raw SELECT, 100 people"),
            ("consent.check, 100 people", "raw SELECT, 100 people"),
            *(
                (f"{each.name}, 100 people", "consent.check, 100 people")
                for each in RIVALS
                if each.is_installed
            ),
        ],
    ),
    postgres.main: (
        "same answers: 20 people",
        [
            (postgres.RAW, None),
            (postgres.POOLED, postgres.RAW),
            (postgres.SERVICE, postgres.RAW),
            (postgres.PUBLIC, postgres.RAW),
            (postgres.SERVICE, postgres.POOLED),
            (postgres.INSERT, None),
            (postgres.GRANT, postgres.INSERT),
            (postgres.REVOKE, postgres.GRANT),
            ("publish 300 waiting leaves", None),
            ("publish 300 waiting leaves, with roles", None),
        ],
    ),
    partitioned.main: (
        "same answers: 100 people of 300",
        [
            (partitioned.named(partitioned.RAW, partitioned.WHOLE), None),
            *partitioned_rows(),
            (
                partitioned.named(partitioned.CHECK, partitioned.PARTS),
                partitioned.named(partitioned.RAW, partitioned.WHOLE),
            ),
        ],
    ),
    pooler.main: (
        "same answers: 20 people",
        [
            (pooler.PREPARED, None),
            (pooler.FULL, pooler.PREPARED),
            (pooler.POOLED, pooler.PREPARED),
            (pooler.POOLED, pooler.NOTHING),
            (pooler.WITH_AGE, pooler.PREPARED),
        ],
    ),
    crowd.main: (
        "none failed, the log agrees with the answers",
        [
            (f"{crowd.RAW}, 2 at once", None),
            (f"{crowd.GRANT}, 2 at once", f"{crowd.RAW}, 2 at once"),
        ],
    ),
    serving.main: (
        "same answer on 3 ways",
        [
            ("bare, SQLite", None),
            ("a check in the view, SQLite", "bare, SQLite"),
            ("behind require, SQLite", "bare, SQLite"),
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
    telemetry.main: (
        "same answers: 20 people",
        [
            (telemetry.NOBODY, None),
            (telemetry.FUNCTION, telemetry.NOBODY),
            (telemetry.PROMETHEUS, telemetry.NOBODY),
            (telemetry.OPENTELEMETRY, telemetry.NOBODY),
        ],
    ),
    export.main: (
        "same tree: 603 leaves in 13 files",
        [(export.PURE, None), (export.OURS, export.PURE)],
    ),
    growth.main: (
        "90 people, 270 leaves: ",
        [
            (f"{what}, {people} people", f"{what}, 30 people" if people > 30 else None)
            for what in (*growth.ONE_BY_ONE, growth.PUBLISH)
            for people in growth.SMOKE_PEOPLE
        ],
    ),
    share_many.main: (
        "SQLite: same people: 240 of 400",
        [
            row
            for engine in share_many.ENGINES
            for row in (
                (f"{share_many.RAW}, {engine}", None),
                (f"{share_many.CLAUSE}, {engine}", f"{share_many.RAW}, {engine}"),
                (f"{share_many.OURS}, {engine}", f"{share_many.RAW}, {engine}"),
            )
        ],
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


def test_people_by_the_million_are_what_the_services_would_have_made_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(populating, "AT_ONCE", 20)
    with world() as made:
        populate(made, 200)
        installation = made.installation
        size = publish_all(installation)
        trust = Trust.of(installation.keyring.vkeys)
        log = verify_log(FolderSource(installation.log_folder), trust=trust)

        assert list(differences(installation)) == []
        assert log.size == size
        assert log.size > 200 * LEAVES_EACH
        installation.close()


def test_people_by_the_million_did_not_act_before_their_log_was_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert populating.SPAN_MS < MAX_SKEW_MS
    monkeypatch.setattr(populating, "SPAN_MS", 20)
    with world() as made:
        populate(made, 200)
        installation = made.installation
        with installation.database.read() as connection:
            times = connection.scalars(
                sa.select(schema.leaf.c.time).order_by(schema.leaf.c.position)
            ).all()
        now = installation.clock()
        installation.close()

    behind = max(
        before - time
        for before, time in zip(accumulate(times, max), times, strict=True)
    )
    assert len(times) > 200 * LEAVES_EACH
    assert behind <= populating.SPAN_MS < 200 * LEAVES_EACH
    assert max(times) <= now


def test_a_rival_that_is_not_installed_is_named_and_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(RIVALS[0], module="nowhere")
    monkeypatch.setattr(rivals, "RIVALS", (away,))

    rivals.main(["--smoke"])

    printed = capsys.readouterr().out
    assert f"{away.name} is not installed" in printed
    assert f"| {away.name}" not in printed
    assert "| consent.check, 100 people |" in printed


def test_the_slowest_hundredth_is_shown_beside_the_median() -> None:
    table = report_tails({"ours": [1.0] * 98 + [3.0] * 3}, reach=4.0)

    assert "| ours | 101 | 1 s | 3 s | 3.00 | ≤ 4.00 |" in table


def test_every_round_runs_every_contender_once_and_begins_with_another_one() -> None:
    order: list[str] = []

    race({name: partial(order.append, name) for name in "abc"}, rounds=2)

    assert "".join(order) == "cab" + "abc" + "bca"


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_contenders() -> None:
    samples = {"raw": [1.0, 2.0, 4.0], "ours": [2.0, 6.0, 4.0]}

    table = report(samples, [Line("ours", "raw", 3.0)])

    assert "| ours | 4 s | 2 s - 6 s | 2.00 of raw | ≤ 3.00 |" in table
