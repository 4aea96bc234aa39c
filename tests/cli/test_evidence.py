"""``consentkit verify`` and ``consentkit receipt``, as an auditor types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consentkit import cli
from consentkit.log.proof import PROOF_HEADER

from ..audit.builder import ALICE  # noqa: TID252 - tests are no package with a name
from ..audit.builder import EVIDENCE  # noqa: TID252 - the same
from ..audit.builder import whole_log  # noqa: TID252 - the same

LOG = whole_log()
FILES = LOG.files(4)
KEYS = ["--key", LOG.log_key.vkey, "--key", LOG.collector.vkey]
HOLDS, FAILS = 0, 1
EMPTY_NOTE = "expected a newline at the end of the note"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "log"
    for path, data in FILES.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    place = tmp_path / "receipt.tlog-proof"
    place.write_bytes(LOG.receipt(3))
    return place


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(bytes(data))


def json_of(capsys: pytest.CaptureFixture[str]) -> Any:
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


@pytest.mark.requirement("R99")
def test_a_good_log_exits_0_and_is_described(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(folder), *KEYS]) == HOLDS

    printed = capsys.readouterr()
    assert f"{LOG.origin}, {len(LOG.leaves)} entries, root " in printed.out
    assert "log: holds\nhistory: not checked\nrecords: holds\nholds\n" in printed.out
    assert "asserted 1, confirmed 1, session 3" in printed.out
    assert printed.err == ""


@pytest.mark.requirement("R99")
def test_the_json_report_has_exactly_the_promised_shape(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(folder), *KEYS, "--json"]) == HOLDS

    assert json_of(capsys) == {
        "holds": True,
        "layers": {"log": "holds", "history": "not checked", "records": "holds"},
        "findings": [],
        "last_moved": {
            "entry": "2026-01-01T00:00:17.000Z",
            "cosigned": None,
            "cosignature_checked": False,
            "stamped": None,
        },
        "administrative_acts": {"logged": 3, "with_facts": 0},
        "batches": {"logged": 1, "with_people": 0},
        "copy": {"manifest": "not checked", "strays": []},
        "released_without_consent": [],
    }


@pytest.mark.requirement("R95", "R99")
def test_a_tampered_log_exits_1_and_names_layer_step_and_entry(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = folder / f"tile/entries/000.p/{len(LOG.leaves)}"
    flip(bundle, bundle.read_bytes().index(b'"assurance":"confirmed"') + 14)

    assert cli.main(["verify", str(folder), *KEYS, "--json"]) == FAILS

    report = json_of(capsys)
    at = 13  # where the builder puts the second answer of the same person
    assert report["layers"] == {
        "log": "fails",
        "history": "not checked",
        "records": "fails",
    }
    assert report["holds"] is False
    first = report["findings"][0]
    assert set(first) == {"layer", "step", "entry", "what"}
    assert (first["layer"], first["step"], first["entry"]) == ("log", "entries", at)
    assert ("records", "leaf", at) in [
        (each["layer"], each["step"], each["entry"]) for each in report["findings"]
    ]

    assert cli.main(["verify", str(folder), *KEYS]) == FAILS
    printed = capsys.readouterr().out
    assert f"log, step entries, entry {at}: " in printed
    assert printed.endswith("DOES NOT HOLD\n")


def test_a_broken_rule_fails_the_records_layer_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = whole_log()
    log.choice(ALICE)
    for path, data in log.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    arguments = ["verify", str(tmp_path), *KEYS, "--json"]

    assert cli.main(arguments) == FAILS
    assert json_of(capsys)["layers"]["log"] == "holds"
    assert cli.main([*arguments, "--layer", "log"]) == HOLDS
    assert json_of(capsys)["layers"]["records"] == "not checked"
    assert cli.main([*arguments, "--layer", "records"]) == FAILS
    assert json_of(capsys)["layers"] == {
        "log": "not checked",
        "history": "not checked",
        "records": "fails",
    }


def test_a_checkpoint_that_does_not_open_leaves_the_rest_unchecked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "checkpoint").write_bytes(b"")

    assert cli.main(["verify", str(folder), *KEYS, "--json"]) == FAILS

    report = json_of(capsys)
    assert report["layers"]["records"] == "not checked"
    assert report["findings"] == [
        {
            "layer": "log",
            "step": "checkpoint",
            "entry": None,
            "what": EMPTY_NOTE,
        }
    ]


def test_without_the_records_layer_the_text_counts_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["verify", str(folder), *KEYS, "--layer", "log"]) == HOLDS
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(LOG.origin)
    assert second.startswith("last entry: 1 January 2026, 00:00:17 UTC")
    assert third == "log: holds"

    (folder / "checkpoint").write_bytes(b"")
    assert cli.main(["verify", str(folder), *KEYS]) == FAILS
    assert capsys.readouterr().out == (
        "log: fails\nhistory: not checked\nrecords: not checked\n"
        f"log, step checkpoint: {EMPTY_NOTE}\nDOES NOT HOLD\n"
    )


@pytest.mark.requirement("R99")
def test_any_other_file_that_is_missing_is_a_finding(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tile = f"tile/0/000.p/{len(LOG.leaves)}"
    (folder / tile).unlink()

    assert cli.main(["verify", str(folder), *KEYS]) == FAILS
    assert f"{tile} is not there" in capsys.readouterr().out


@pytest.mark.requirement("R47", "R48", "R99")
def test_a_good_receipt_exits_0_and_says_what_was_said(
    receipt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = tmp_path / "disclosures.json"
    encoded = [disclosure.encoded for disclosure in EVIDENCE]
    shown.write_text(json.dumps({"disclosures": encoded}, separators=(",", ":")))

    arguments = ["receipt", str(receipt), *KEYS, "--disclosures", str(shown)]
    assert cli.main(arguments) == HOLDS

    printed = capsys.readouterr().out
    assert "said YES" in printed
    assert "'locale' = 'en-GB'" in printed
    assert f"Collector's signature: {LOG.collector.name}" in printed
    assert printed.endswith("holds\n")

    assert cli.main([*arguments, "--json"]) == HOLDS
    report = json_of(capsys)
    assert report["holds"] is True
    assert report["findings"] == []
    assert report["receipt"]["evidence"]["page"] == "/bill"


@pytest.mark.requirement("R48", "R99")
def test_a_tampered_receipt_exits_1_and_names_the_step(
    receipt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(receipt, -20)

    assert cli.main(["receipt", str(receipt), *KEYS]) == FAILS
    assert capsys.readouterr().out.startswith("receipt, step checkpoint: ")

    assert cli.main(["receipt", str(receipt), *KEYS, "--json"]) == FAILS
    report = json_of(capsys)
    (finding,) = report["findings"]
    assert (report["holds"], finding["step"]) == (False, "checkpoint")


@pytest.mark.requirement("R48", "R99")
def test_a_receipt_that_ends_after_its_first_line_is_a_damaged_one(
    receipt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt.write_bytes(PROOF_HEADER + b"\n")

    assert cli.main(["receipt", str(receipt), *KEYS]) == FAILS
    assert capsys.readouterr().out.startswith("receipt, step form: ")


@pytest.mark.requirement("R48", "R99")
def test_the_verdict_says_if_the_collectors_signature_was_not_checked(
    receipt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["receipt", str(receipt), *KEYS[:2]]) == HOLDS

    assert capsys.readouterr().out.splitlines()[-1] == (
        "holds (the collector's signature was not checked: give its --key)"
    )


def test_a_progress_bar_is_drawn_on_a_terminal_and_taken_away_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert cli.main(["verify", str(folder), *KEYS]) == HOLDS

    printed = capsys.readouterr()
    size = len(LOG.leaves)
    assert f"{'#' * 30} {size}/{size} entries, 0 findings" in printed.err
    assert printed.err.endswith("\r\x1b[K")
    assert "\r" not in printed.out


def test_the_help_names_every_option_and_the_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command, words in {
        "": ["verify", "receipt", "0 holds, 1 does not hold, 2 unreadable"],
        "verify": ["DIR|URL", "--key", "--layer", "--json"],
        "receipt": ["FILE", "--key", "--disclosures", "--json"],
    }.items():
        with pytest.raises(SystemExit) as stopped:
            cli.main([*filter(None, [command]), "--help"])

        printed = " ".join(capsys.readouterr().out.split())
        assert stopped.value.code == 0
        assert [word for word in words if word not in printed] == []


@pytest.mark.requirement("R99")
def test_the_program_runs_with_cryptography_and_nothing_else_of_ours(
    folder: Path,
) -> None:
    """Every other dependency is made impossible to import."""
    program = (
        "import sys\n"
        "for name in ('flask', 'sqlalchemy', 'marshmallow', 'click', 'alembic',"
        " 'webargs', 'apispec', 'babel', 'urllib3', 'standardwebhooks'):\n"
        "    sys.modules[name] = None\n"
        "from consentkit.cli import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program, "verify", str(folder), *KEYS, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (HOLDS, "")
    assert json.loads(done.stdout)["holds"] is True
