"""``--tsa-root`` and ``--timestamp``, as an auditor types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from consentkit import cli
from consentkit.audit.annexed import timestamp_path
from consentkit.log.note import split_note
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa

from ..audit.builder import LogBuilder  # noqa: TID252 - tests are no package with a name
from ..audit.histories import forged_log  # noqa: TID252 - the same
from ..audit.histories import honest_log  # noqa: TID252 - the same

HOLDS, FAILS, UNUSABLE = 0, 1, 2
KEY = ["--key", LogBuilder().log_key.vkey]


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return make_tsa(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture
def stamp(tsa: Tsa, tmp_path: Path) -> Path:
    """Over the honest log's seven entries."""
    place = tmp_path / "mine.tsr"
    place.write_bytes(tsa.stamp(split_note(honest_log().checkpoint()).text))
    return place


def write(place: Path, log: LogBuilder, stamp: Path) -> str:
    files = {**log.files(), timestamp_path(7, "a" * 16): stamp.read_bytes()}
    for path, data in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return str(place)


@pytest.fixture
def receipt(tmp_path: Path) -> str:
    place = tmp_path / "mine.tlog-proof"
    place.write_bytes(honest_log().receipt(3))
    return str(place)


@pytest.mark.requirement("R98", "R99")
def test_a_stamped_log_holds_and_the_report_says_when(
    tsa: Tsa, stamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "log", honest_log(), stamp)

    assert cli.main(["verify", folder, *KEY, "--tsa-root", str(tsa.root)]) == HOLDS
    printed = capsys.readouterr().out
    assert "history: not checked\n" in printed
    assert "time stamps: 1 of 1 hold, the last over 7 entries at " in printed
    assert cli.main(["verify", folder, *KEY]) == HOLDS
    assert "time stamps: 1, not checked\n" in capsys.readouterr().out


@pytest.mark.requirement("R98", "R99")
def test_a_rewritten_log_with_the_old_stamp_exits_1(
    tsa: Tsa, stamp: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "log", forged_log(), stamp)

    command = ["verify", folder, *KEY, "--tsa-root", str(tsa.root), "--json"]
    assert cli.main(command) == FAILS

    report = json.loads(capsys.readouterr().out)
    assert report["layers"]["history"] == "fails"
    assert [each["step"] for each in report["findings"]] == ["time stamp"]


@pytest.mark.requirement("R98")
def test_a_receipt_tells_of_its_stamp(
    tsa: Tsa, stamp: Path, receipt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["receipt", receipt, *KEY, "--timestamp", str(stamp)]
    command += ["--tsa-root", str(tsa.root)]

    assert cli.main(command) == HOLDS
    assert "An authority time-stamped it at " in capsys.readouterr().out
    assert cli.main([*command, "--json"]) == HOLDS
    assert json.loads(capsys.readouterr().out)["receipt"]["stamped"] > 0


@pytest.mark.requirement("R98")
def test_a_receipt_with_somebody_elses_stamp_exits_1(
    tsa: Tsa, receipt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.tsr"
    other.write_bytes(tsa.stamp(b"another text"))
    command = ["receipt", receipt, *KEY, "--timestamp", str(other)]

    assert cli.main([*command, "--tsa-root", str(tsa.root)]) == FAILS
    assert capsys.readouterr().out.startswith("receipt, step time stamp: it is over ")


def test_wrong_use_exits_2_and_says_what_is_missing(
    tsa: Tsa,
    stamp: Path,
    receipt: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = write(tmp_path / "log", honest_log(), stamp)
    promise = tmp_path / "promise"
    promise.write_bytes(honest_log().leaves[3])
    root, given = ["--tsa-root", str(tsa.root)], ["--timestamp", str(stamp)]
    wrong = {
        "needs --tsa-root": ["receipt", receipt, *KEY, *given],
        "the other way round": ["receipt", receipt, *KEY, *root],
        "is a promise": ["receipt", str(promise), *KEY, *root, *given, "--log", log],
        "--tsa-root": ["verify", log, *KEY, "--tsa-root", str(stamp)],
        "need --layer history": ["verify", log, *KEY, *root, "--layer", "log"],
        "No such file": ["verify", log, *KEY, "--tsa-root", "nowhere.pem"],
    }
    for reason, command in wrong.items():
        assert cli.main(command) == UNUSABLE
        assert reason in capsys.readouterr().err


def test_without_the_extra_everything_but_stamps_is_checked(
    tsa: Tsa,
    stamp: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = write(tmp_path / "log", honest_log(), stamp)
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)

    command = ["verify", log, *KEY, "--tsa-root", str(tsa.root)]
    assert cli.main(command) == UNUSABLE
    assert "pip install 'consentkit[tsa]'" in capsys.readouterr().err
    assert cli.main(["verify", log, *KEY]) == HOLDS
