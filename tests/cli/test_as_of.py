"""``consentkit as-of``, as an auditor types it."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from consentkit import cli
from consentkit.log.leaf import read_leaf

from ..audit.builder import ALICE  # noqa: TID252 - tests are no package with a name
from ..audit.builder import BOB  # noqa: TID252 - the same
from ..audit.builder import LogBuilder  # noqa: TID252 - the same
from ..audit.exported import HTML  # noqa: TID252 - the same
from ..audit.exported import exported  # noqa: TID252 - the same
from ..audit.exported import told_log  # noqa: TID252 - the same
from ..audit.successor import Successor  # noqa: TID252 - the same
from ..audit.successor import closed  # noqa: TID252 - the same

LOG = told_log()  # 4: Alice says yes, 5: shared, 6: Bob says no, 7: Alice stops it
KEYS = ["--key", LOG.log_key.vkey]
ANSWERED, FAILS, UNUSABLE = 0, 1, 2


def time_of(index: int) -> str:
    moment = datetime.fromtimestamp(read_leaf(LOG.leaves[index]).time / 1000, UTC)
    return moment.isoformat()


SHARED_AT, STOPPED_AT = time_of(5), time_of(7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "export"
    for path, data in exported(LOG, 4).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def ask(folder: Path, *more: str, at: str = SHARED_AT, subject: str = ALICE) -> int:
    asked = ["--subject", subject, "--at", at]
    return cli.main(["as-of", str(folder), *asked, *KEYS, *more])


def json_of(capsys: pytest.CaptureFixture[str]) -> Any:
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


@pytest.mark.requirement("R100")
def test_it_tells_state_text_and_shares_and_what_was_not_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(folder) == ANSWERED

    told = capsys.readouterr().out
    assert "log: holds\nhistory: not checked\nrecords: holds\n" in told
    assert "credit-score / acme-credit: given, in force" in told
    assert "    | May Acme see what you spend?" in told
    assert "  shared by then: 1\n    spending, on the act " in told
    assert "Not checked: whether others were shown the same log" in told
    assert told.endswith("\nholds\n")
    assert BOB not in told

    assert ask(folder, at=STOPPED_AT) == ANSWERED
    assert ": withdrawn, NOT in force" in capsys.readouterr().out


@pytest.mark.requirement("R100")
def test_the_json_answer_names_entry_time_and_proof_of_each_thing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(folder, "--json", "--purpose", "credit-score") == ANSWERED

    said = json_of(capsys)
    assert (said["holds"], said["findings"]) == (True, [])
    assert said["layers"]["records"] == "holds"
    (question,) = said["answer"]["questions"]
    assert question["state"] == "given"
    assert question["in_force"] is True
    assert question["standing"]["data"] == ["spending"]
    assert question["acts"][0]["entry"] == 4
    assert question["acts"][0]["proof"] == "entry-4.tlog-proof"
    assert question["shares"][0]["record"] == question["acts"][0]["id"]
    assert question["notice"]["text"][0] == "May Acme see what you spend?"
    assert question["stopped"] is None


@pytest.mark.requirement("R99", "R100")
def test_what_it_hands_on_is_proven_by_the_receipt_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answer"

    assert ask(folder, "-o", str(out), at=STOPPED_AT) == ANSWERED

    (text,) = out.glob("notices/*.html")
    assert text.read_bytes() == HTML
    proofs = sorted(out.glob("*.tlog-proof"))
    assert [proof.name for proof in proofs] == [
        f"entry-{index}.tlog-proof" for index in (3, 4, 5, 7)
    ]
    for proof in proofs:
        assert cli.main(["receipt", str(proof), *KEYS]) == ANSWERED
    capsys.readouterr()

    assert ask(folder, "--json", at=STOPPED_AT) == ANSWERED
    assert json.loads((out / "answer.json").read_text()) == json_of(capsys)["answer"]


def test_a_handle_that_is_not_in_the_log_is_told_apart(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answer"

    assert ask(folder, "-o", str(out), subject="0" * 32) == 2

    printed = capsys.readouterr().out
    assert "\n  this handle is not in the log: " in printed
    assert printed.endswith("\nNOT FOUND\n")
    assert not out.exists()
    assert ask(folder, "--json", subject="0" * 32) == 2
    assert json_of(capsys)["answer"]["known"] is False


def test_nothing_had_come_up_is_an_answer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(folder, at=time_of(2)) == ANSWERED
    assert "nothing that was asked about had come up" in capsys.readouterr().out
    assert ask(folder, "--recipient", "corner-shops", "--json") == ANSWERED
    assert json_of(capsys)["answer"]["questions"] == []


@pytest.mark.requirement("R100")
@pytest.mark.parametrize("as_json", ["in words", "as JSON"])
def test_a_log_that_does_not_hold_gives_no_answer(
    folder: Path, capsys: pytest.CaptureFixture[str], as_json: str
) -> None:
    bundle = folder / "tile/entries/000.p/8"
    bundle.write_bytes(bundle.read_bytes().replace(b'"withdrawn"', b'"withdrawN"'))

    assert ask(folder, *(["--json"] if as_json == "as JSON" else [])) == FAILS

    if as_json == "as JSON":
        said = json_of(capsys)
        assert (said["holds"], said["answer"]) == (False, None)
        assert said["findings"][0]["entry"] == 7
    else:
        told = capsys.readouterr().out
        assert "credit-score" not in told
        assert told.endswith("DOES NOT HOLD\n")


WRONG_USE = {
    "a name for a handle": (["--subject", "alice"], "flask consent handle"),
    "a time without a zone": (["--at", "2026-01-01T00:00:00"], "with its zone"),
    "a day": (["--at", "2026-01-01"], "with its zone"),
    "no time": (["--at", "yesterday"], "with its zone"),
    "a key that is none": (["--key", "key"], "--key"),
    "a place that is none": (["-o", "{folder}"], "new or an empty folder"),
}


@pytest.mark.parametrize("case", WRONG_USE)
def test_wrong_use_is_told_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    more, told = WRONG_USE[case]

    assert ask(folder, *(each.format(folder=folder) for each in more)) == UNUSABLE

    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
    assert "Traceback" not in printed.err


def test_a_folder_that_cannot_be_written_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")

    assert ask(folder, "-o", str(tmp_path / "file" / "answer")) == UNUSABLE
    assert "cannot be written" in capsys.readouterr().err


def test_a_published_log_without_texts_is_asked_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path, data in LOG.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    assert ask(tmp_path) == ANSWERED
    assert "the text is not here; ask the operator" in capsys.readouterr().out


# -- a log that continues another -----------------------------------------------------


def write(place: Path, files: dict[str, bytes]) -> str:
    for path, data in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return str(place)


@pytest.mark.requirement("R100")
def test_with_the_log_before_an_earlier_moment_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = told_log()
    new = Successor(closed(old))
    log = write(tmp_path / "new", new.files())
    before = ["--previous", write(tmp_path / "old", exported(old))]
    key = ["--key", new.log_key.vkey]
    asked = ["as-of", log, "--subject", ALICE, "--at", SHARED_AT, *key]

    assert cli.main([*asked, *before]) == ANSWERED
    told = capsys.readouterr().out
    assert "credit-score / acme-credit: given, in force" in told
    assert f"    given: entry 4 of {old.origin}, " in told
    assert "    | May Acme see what you spend?" in told

    out = tmp_path / "answer"
    assert cli.main([*asked, *before, "-o", str(out), "--json"]) == ANSWERED
    answer = json_of(capsys)["answer"]
    assert [each["log"] for each in answer["previous"]] == [new.origin]
    proof = answer["questions"][0]["acts"][0]["proof"]
    assert proof == "previous-1/entry-4.tlog-proof"
    assert cli.main(["receipt", str(out / proof), *KEYS]) == ANSWERED
    genesis = str(out / answer["previous"][0]["proof"])
    assert cli.main(["receipt", genesis, *key]) == ANSWERED


@pytest.mark.requirement("R100")
@pytest.mark.parametrize("given", ["none", "another", "to a log that continues none"])
def test_without_the_log_before_there_is_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    old = told_log()
    new = Successor(closed(old))
    if given == "to a log that continues none":
        old, new = new, old
    log = write(tmp_path / "new", new.files())
    other = old if given.startswith("to") else LogBuilder()
    before = ["--previous", write(tmp_path / "old", other.files())]
    asked = ["as-of", log, "--subject", ALICE, "--at", SHARED_AT]

    status = cli.main(
        [*asked, "--key", new.log_key.vkey, *(before if given != "none" else [])]
    )

    told = capsys.readouterr().out
    assert status == FAILS
    assert "records, step previous: " in told
    assert "credit-score" not in told
