"""What docs/auditors.md shows is what is printed; ``…`` there stands for hex digits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consentkit import cli

from ..audit.builder import ALICE  # noqa: TID252 - tests are no package with a name
from ..audit.builder import BOB  # noqa: TID252 - the same
from ..audit.builder import LogBuilder  # noqa: TID252 - the same
from ..audit.builder import answer  # noqa: TID252 - the same
from ..audit.exported import exported  # noqa: TID252 - the same
from ..audit.exported import told_log  # noqa: TID252 - the same

PAGE = Path(__file__).resolve().parents[2] / "docs/auditors.md"
KEYS = ["--key", LogBuilder().log_key.vkey, "--key", LogBuilder().collector.vkey]


def log_of_the_page(*, shared_after_all: bool) -> LogBuilder:
    log = LogBuilder()
    record = log.choice(ALICE)
    log.disclosure(record, ALICE)
    log.choice(BOB, answer("refused"))
    log.revocation(ALICE)
    if shared_after_all:
        log.disclosure(record, ALICE)
    return log


def samples(command: str) -> list[str]:
    """What the page says that this command prints, wherever it says so."""
    text = PAGE.read_text("utf-8").replace("\\\n", "")  # one command, one line
    blocks = re.findall(r"^```console\n([^`]*)^```", text, re.MULTILINE)
    shown = [block for block in blocks if block.startswith(f"$ consentkit {command} ")]
    return [printed for block in shown if (printed := block.partition("\n")[2])]


def assert_printed(sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    pattern = re.escape(sample).replace("…", r"[0-9a-f]+")
    printed = capsys.readouterr().out
    assert re.fullmatch(pattern, printed), printed


@pytest.mark.parametrize("number", [0, 1])
def test_a_verification_prints_what_the_page_shows(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, data in log_of_the_page(shared_after_all=number == 1).files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    assert cli.main(["verify", str(tmp_path), *KEYS[:2]]) == number
    assert_printed(samples("verify")[number], capsys)


def test_a_receipt_prints_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "receipt.tlog-proof"
    file.write_bytes(log_of_the_page(shared_after_all=False).receipt(3))
    (sample,) = samples("receipt")

    assert cli.main(["receipt", str(file), *KEYS]) == 0
    assert_printed(sample, capsys)


def test_an_as_of_question_is_answered_as_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = told_log()
    for path, data in exported(log).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (sample,) = samples("as-of")
    asked = ["--subject", ALICE, "--at", "2026-01-01T00:00:06Z"]

    assert cli.main(["as-of", str(tmp_path), *asked, *KEYS[:2]]) == 0
    assert_printed(sample, capsys)
