"""What is no evidence at all exits 2: nothing is said about any log or receipt."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from consentkit import cli

from ..audit.builder import whole_log  # noqa: TID252 - tests are no package with a name

LOG = whole_log()
FILES = LOG.files(4)
KEYS = ["--key", LOG.log_key.vkey, "--key", LOG.collector.vkey]
RECEIPT = LOG.receipt(3)
UNUSABLE = 2


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
    place.write_bytes(RECEIPT)
    return place


WRONG_USE = {
    "nothing": [],
    "no log": ["verify", *KEYS],
    "no key": ["verify", "."],
    "an unknown layer": ["verify", ".", *KEYS, "--layer", "faith"],
    "an unknown command": ["bless", "."],
    "a key that is none": ["verify", ".", "--key", "wallet"],
    "a collector key alone": ["verify", ".", *KEYS[2:]],
    "a folder that is not there": ["verify", "/nonexistent", *KEYS],
    "a server that is not there": ["verify", "http://127.0.0.1:1/", *KEYS],
    "a receipt that is not there": ["receipt", "/nonexistent", *KEYS],
    "a receipt that is a folder": ["receipt", "/", *KEYS],
}


@pytest.mark.requirement("R99")
@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_and_unreadable_input_exit_2_and_print_no_report(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = cli.main(WRONG_USE[case])
    except SystemExit as stopped:
        status = stopped.code

    printed = capsys.readouterr()
    assert status == UNUSABLE
    assert printed.out == ""
    assert "consentkit" in printed.err


@pytest.mark.parametrize("command", ["verify", "receipt"])
def test_a_collector_key_alone_is_called_so_and_the_log_key_asked_for(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([command, ".", *KEYS[2:]]) == UNUSABLE

    printed = capsys.readouterr().err
    assert f"{LOG.collector.name!r} is a collector's key" in printed
    assert "the log's own key" in printed
    assert "the first that `flask consent keys list` prints" in printed


@pytest.mark.parametrize("version", ["4.5.6", "unknown"])
def test_the_version_is_that_of_the_installed_package(
    version: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"consentkit": "4.5.6"} if version != "unknown" else {}

    def look_up(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", look_up)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--version"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"{version}\n"


@pytest.mark.requirement("R99")
@pytest.mark.parametrize("command", ["verify", "receipt"])
def test_a_folder_without_a_checkpoint_is_no_log_and_none_is_judged(
    folder: Path, receipt: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the folder that the log's own folder lies in."""
    place = str(folder.parent)
    what = [place] if command == "verify" else [str(receipt), "--log", place]

    assert cli.main([command, *what, *KEYS]) == UNUSABLE

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{place}/checkpoint is not there" in printed.err
    assert "own folder, with `checkpoint` and `tile/` in it?" in printed.err


NO_RECEIPT = {
    "nothing": (b"", "expected a .tlog-proof file"),
    "JSON": (b'{"receipt": 1}\n', "expected a .tlog-proof file"),
    "a page": (b"<!doctype html>\n<title>x</title>", "expected a .tlog-proof file"),
    "a checkpoint": (FILES["checkpoint"], "expected a .tlog-proof file"),
    "CRLF": (RECEIPT.replace(b"\n", b"\r\n"), "changed in transfer, its line endings"),
    "a promise in CRLF": (
        LOG.leaves[3].replace(b"\n", b"\r\n"),
        "changed in transfer, its line endings",
    ),
}


@pytest.mark.requirement("R48", "R99")
@pytest.mark.parametrize("case", NO_RECEIPT)
@pytest.mark.parametrize("log_option", ["", "--log"])
def test_what_is_no_receipt_at_all_exits_2_and_convicts_nobody(
    case: str,
    log_option: str,
    folder: Path,
    receipt: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, hint = NO_RECEIPT[case]
    receipt.write_bytes(data)
    log = [log_option, str(folder)] if log_option else []

    assert cli.main(["receipt", str(receipt), *KEYS, *log]) == UNUSABLE

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{receipt}: " in printed.err
    assert hint in printed.err


@pytest.mark.parametrize("shape", [[], ["--json"]], ids=["text", "json"])
def test_a_reader_that_stops_early_ends_the_command_without_a_word(
    folder: Path, shape: list[str]
) -> None:
    """As ``consentkit verify … | head -0``; the status is what a shell would say."""
    code = "import sys; from consentkit.cli import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(  # noqa: S603  our own interpreter, our own arguments
            [sys.executable, "-c", code, "verify", str(folder), *KEYS, *shape],
            cwd=Path(__file__).parents[2],
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert done.stderr == b""
    assert done.returncode == 141
