"""``--since``, ``--policy`` and ``--log``, as an auditor types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consentkit import cli
from consentkit.audit.rules import MAX_DELAY_MS

from ..audit.builder import ALICE  # noqa: TID252 - tests are no package with a name
from ..audit.builder import BOB  # noqa: TID252 - the same
from ..audit.builder import START  # noqa: TID252 - the same
from ..audit.builder import LogBuilder  # noqa: TID252 - the same
from ..audit.builder import answer  # noqa: TID252 - the same
from ..audit.builder import cosigned  # noqa: TID252 - the same
from ..audit.builder import witness  # noqa: TID252 - the same

HOLDS, FAILS, UNUSABLE = 0, 1, 2
KEY = ["--key", LogBuilder().log_key.vkey]
COLLECTOR = ["--key", LogBuilder().collector.vkey]
POLICY = f"witness ngo {witness('ngo').vkey}\nquorum ngo\n"


def log_with(state: str, *, others: int = 2) -> LogBuilder:
    log = LogBuilder()
    log.choice(ALICE, answer(state))
    for number in range(others):
        log.choice(f"{number:032x}")
    return log


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The log as it was forged: where Alice said no it holds a yes."""
    return write(tmp_path / "log", log_with("given"))


def write(place: Path, log: LogBuilder) -> Path:
    for path, data in log.files().items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def file(place: Path, data: bytes | str) -> str:
    place.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(place)


def json_of(capsys: pytest.CaptureFixture[str]) -> Any:
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


@pytest.mark.requirement("R98", "R99")
def test_a_log_that_continues_what_was_kept_exits_0_and_says_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = log_with("given", others=1)
    since = ["--since", file(tmp_path / "old", old.checkpoint(4))]
    since += ["--since", file(tmp_path / "mine.tlog-proof", old.receipt(3))]

    assert cli.main(["verify", str(folder), *KEY, *since]) == HOLDS
    assert "log: holds\nhistory: holds\nrecords: holds\n" in capsys.readouterr().out
    assert cli.main(["verify", str(folder), *KEY, *since, "--json"]) == HOLDS
    assert json_of(capsys) == {
        "holds": True,
        "layers": {"log": "holds", "history": "holds", "records": "holds"},
        "findings": [],
        "last_moved": {
            "entry": "2026-01-01T00:00:06.000Z",
            "cosigned": None,
            "cosignature_checked": False,
            "stamped": None,
        },
        "administrative_acts": {"logged": 0, "with_facts": 0},
        "batches": {"logged": 0, "with_people": 0},
        "copy": {"manifest": "not checked", "strays": []},
        "released_without_consent": [],
    }


@pytest.mark.requirement("R98", "R99")
def test_a_rewritten_log_exits_1_and_prints_both_signed_notes_as_they_are(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = log_with("refused").checkpoint(4)
    arguments = ["verify", str(folder), *KEY, "--since", file(tmp_path / "old", old)]

    assert cli.main([*arguments, "--json"]) == FAILS
    report = json_of(capsys)
    (finding,) = report["findings"]
    assert report["layers"] == {"log": "holds", "history": "fails", "records": "holds"}
    assert set(finding) == {"layer", "step", "entry", "what", "proof"}
    assert finding["what"].startswith("REWRITTEN: ")
    assert repr(str(tmp_path / "old")) in finding["what"]
    assert finding["proof"].startswith(
        "consentkit/contradiction@v1\nREWRITTEN\nprefix "
    )
    for note in (old, (folder / "checkpoint").read_bytes()):
        assert f"\n\n{note.decode()}" in finding["proof"]

    assert cli.main(arguments) == FAILS
    printed = capsys.readouterr().out
    assert f"history, step consistency: {finding['what']}\n" in printed
    assert f"\n{finding['proof']}" in printed
    assert printed.endswith("DOES NOT HOLD\n")


@pytest.mark.requirement("R98")
def test_a_checkpoint_without_its_quorum_exits_1(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--policy", file(tmp_path / "policy", POLICY)]
    checkpoint = folder / "checkpoint"

    assert cli.main(["verify", str(folder), *KEY, *asked, "--json"]) == FAILS
    (finding,) = json_of(capsys)["findings"]
    assert (finding["layer"], finding["step"]) == ("history", "quorum")

    checkpoint.write_bytes(cosigned(checkpoint.read_bytes(), START // 1_000, "ngo"))
    assert cli.main(["verify", str(folder), *KEY, *asked, "--json"]) == HOLDS
    assert json_of(capsys)["layers"]["history"] == "holds"


def test_stored_checkpoints_in_the_folder_are_examined_without_being_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "checkpoints").mkdir()
    good, bad = log_with("given").checkpoint(4), log_with("refused").checkpoint(5)

    file(folder / "checkpoints/4", good)
    assert cli.main(["verify", str(folder), *KEY, "--json"]) == HOLDS
    assert json_of(capsys)["layers"]["history"] == "not checked"

    file(folder / "checkpoints/5", bad)
    assert cli.main(["verify", str(folder), *KEY, "--json"]) == FAILS
    assert json_of(capsys)["layers"]["history"] == "fails"


UNFIT = {
    "--since a file that is not there": None,
    "--since no note": b"size 4",
    "--since a checkpoint of another log": LogBuilder("a.example/b").checkpoint(),
    "--since a damaged receipt": log_with("given")
    .receipt(3)
    .replace(b"index 3", b"index 4"),
    "--policy a file that is not there": None,
    "--policy without a quorum": b"# empty\n",
}


@pytest.mark.requirement("R99")
@pytest.mark.parametrize("case", UNFIT)
def test_what_proves_nothing_by_itself_exits_2_and_is_named(
    case: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option, data = case.partition(" ")[0], UNFIT[case]
    place = tmp_path / "kept"
    if data is not None:
        place.write_bytes(data)

    assert cli.main(["verify", str(folder), *KEY, option, str(place)]) == UNUSABLE

    printed = capsys.readouterr()
    assert printed.out == ""
    assert str(place) in printed.err


def test_layers_and_what_was_kept_have_to_fit_each_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    since = ["--since", file(tmp_path / "old", log_with("given").checkpoint(4))]
    verify = ["verify", str(folder), *KEY, "--layer"]

    assert cli.main([*verify, "history"]) == UNUSABLE
    assert "--layer history alone needs --since or --policy" in capsys.readouterr().err
    assert cli.main([*verify, "log", *since]) == UNUSABLE
    assert "need --layer history as well" in capsys.readouterr().err
    assert cli.main([*verify, "history", *since, "--json"]) == HOLDS
    assert json_of(capsys)["layers"] == {
        "log": "not checked",
        "history": "holds",
        "records": "not checked",
    }


@pytest.mark.requirement("R49", "R99")
def test_a_receipt_is_looked_for_in_the_log_as_it_is_now(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = ["--log", str(folder)]
    good = file(tmp_path / "good", log_with("given", others=0).receipt(3))
    lost = file(tmp_path / "lost", log_with("refused", others=0).receipt(3))

    assert cli.main(["receipt", good, *KEY, *log, "--json"]) == HOLDS
    assert json_of(capsys)["findings"] == []
    assert cli.main(["receipt", lost, *KEY]) == HOLDS
    assert cli.main(["receipt", lost, *KEY, *log]) == FAILS
    printed = capsys.readouterr().out
    assert "said NO" in printed
    assert "history, step receipt, entry 3: REWRITTEN" in printed


@pytest.mark.requirement("R49", "R99")
def test_a_broken_promise_exits_1_with_the_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LogBuilder()
    log.choice(ALICE)
    promise = log.leaves.pop()
    log.time += MAX_DELAY_MS + 1
    log.choice(BOB)
    folder = write(tmp_path / "log", log)
    handed = file(tmp_path / "promise", promise)
    arguments = ["receipt", handed, *KEY, *COLLECTOR, "--log", str(folder)]

    assert cli.main([*arguments, "--json"]) == FAILS
    report = json_of(capsys)
    (finding,) = report["findings"]
    assert (report["holds"], finding["step"]) == (False, "promise")
    assert promise.decode() in finding["proof"]
    assert "receipt" not in report
    assert cli.main(arguments) == FAILS
    assert "BREACH" in capsys.readouterr().out

    log.append(promise)
    write(folder, log)
    assert cli.main(arguments) == HOLDS
    assert "said YES" in capsys.readouterr().out


def test_a_promise_without_a_log_or_without_its_key_is_wrong_use(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promise = file(tmp_path / "promise", log_with("given").leaves[3])

    assert cli.main(["receipt", promise, *KEY, *COLLECTOR]) == UNUSABLE
    assert "give --log" in capsys.readouterr().err
    assert cli.main(["receipt", promise, *KEY, "--log", str(folder)]) == UNUSABLE
    assert "give the collector's key as well" in capsys.readouterr().err


def test_the_help_names_the_options_for_what_others_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command, words in {
        "verify": ["--since CHECKPOINT|RECEIPT", "--policy FILE"],
        "receipt": ["--log DIR|URL", "--policy FILE", "promise"],
    }.items():
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])

        printed = " ".join(capsys.readouterr().out.split())
        assert [word for word in words if word not in printed] == []
