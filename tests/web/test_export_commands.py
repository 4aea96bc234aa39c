"""``flask consent export`` and ``handle``, as an operator runs them."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result

from consentkit import cli
from consentkit.testing import answer
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host


def run(shop: Host, *arguments: str) -> Result:
    return shop.app.test_cli_runner().invoke(args=["consent", *arguments])


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.mark.requirement("R99")
def test_an_export_is_verified_by_the_auditors_command(
    shop: Host, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.publish()

    done = run(shop, "export", str(out))

    told = re.fullmatch(
        r"exported: 5 entries, (\d+) files, 0 batches, private facts of 0 acts\n",
        done.stdout,
    )
    assert done.exit_code == 0
    assert told
    assert int(told[1]) == sum(path.is_file() for path in out.rglob("*"))
    key = shop.state.installation.keyring.log.vkey
    own = ["--policy", str(out / "policy")]
    assert cli.main(["verify", str(out), "--key", key, *own]) == 0
    assert capsys.readouterr().out.endswith("\nholds\n")


def test_what_waits_to_be_published_is_told(shop: Host, out: Path) -> None:
    shop.publish()
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})

    done = run(shop, "export", str(out))

    assert done.exit_code == 0
    assert "exported: 3 entries" in done.stdout
    assert "2 newer entries are not in it" in done.stderr


def test_private_facts_are_shown_by_the_id_of_the_act(shop: Host, out: Path) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.publish()
    act = shop.sql("SELECT id FROM consent_leaf WHERE kind = 'choice'")[0][0]

    done = run(
        shop, "export", str(out), "--disclosures", act, "--disclosures", "all-admin"
    )

    assert "private facts of 1 acts" in done.stdout
    assert (out / f"disclosures/{act}.json").exists()


@pytest.mark.parametrize(
    "arguments", [("--disclosures", "f" * 32), ("--disclosures", "everybody")]
)
def test_an_export_that_cannot_be_made_is_told_in_one_line(
    shop: Host, out: Path, arguments: tuple[str, ...]
) -> None:
    shop.publish()

    done = run(shop, "export", str(out), *arguments)

    assert done.exit_code == 1
    assert "Error: " in done.output
    assert "Traceback" not in done.output


def test_a_database_whose_leaves_were_deleted_is_told_in_one_line(
    shop: Host, out: Path
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.publish()
    shop.sql("DROP TRIGGER consent_leaf_no_delete")
    shop.sql("DELETE FROM consent_leaf WHERE kind = 'choice'")

    done = run(shop, "export", str(out))

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.splitlines()[-1] == (
        "Error: the published entries are not all in the database: "
        "tile/entries/000.p/5 cannot be made from it; compare the two: "
        "flask consent rebuild --check"
    )
    assert not (out / "checkpoint").exists()
    compared = run(shop, "rebuild", "--check")
    assert compared.exit_code == 1
    assert isinstance(compared.exception, SystemExit)


@pytest.mark.requirement("R100")
def test_the_handle_answers_the_auditors_question(
    shop: Host, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.publish()
    run(shop, "export", str(out))

    handle = run(shop, "handle", MAYA).output.strip()

    key = shop.state.installation.keyring.log.vkey
    asked = ["--subject", handle, "--at", "2999-01-01T00:00:00Z", "--key", key]
    assert cli.main(["as-of", str(out), *asked]) == 0
    told = capsys.readouterr().out
    assert "credit-score / acme-credit: expired" in told
    assert "    | " in told
    assert MAYA not in told


def test_somebody_whom_the_log_does_not_know_has_no_handle(shop: Host) -> None:
    done = run(shop, "handle", TOM)

    assert done.exit_code == 1
    assert "the log does not know anybody by that id" in done.output
    assert TOM not in done.output


@pytest.mark.requirement("R99", "R119")
def test_a_database_that_is_behind_exports_only_if_told_so_and_with_a_warning(
    shop: Host, tmp_path: Path, out: Path
) -> None:
    shop.publish()
    database = shop.state.config.places.database_uri.removeprefix("sqlite:///")
    copy = tmp_path / "copy"
    with (
        contextlib.closing(sqlite3.connect(database)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    shop.publish()
    for path in Path(database).parent.glob(f"{Path(database).name}*"):
        path.unlink()
    shutil.copy(copy, database)
    restored = host(tmp_path)

    refused = run(restored, "export", str(out))
    done = run(restored, "export", str(out), "--although-behind")

    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1].startswith(
        "Error: nothing was exported: by "
    )
    assert done.exit_code == 0
    assert "exported: 3 entries" in done.stdout
    assert done.stderr.splitlines()[-1].startswith(
        "WARNING: this is less than was signed, tell the auditor: by the high-water fi"
    )
