"""The log layer on its own: are the files the tree that was signed?"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import MAX_FINDINGS
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.tiles import encode_bundle

from .builder import MemorySource
from .builder import published

TESSERA = json.loads(
    (Path(__file__).parents[1] / "vectors/tessera_testdata_log.json").read_text("utf-8")
)
SIGNER = Ed25519Signer.from_seed("logs.example/one", bytes([9]) * 32)
TRUST = Trust.of([SIGNER.vkey])
EDGES = [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1000]


def log_of(size: int, *sizes: int) -> dict[str, bytes]:
    """A log of ``size`` tiny entries that are no leaves of ours."""
    return published([b"%d" % number for number in range(size)], SIGNER, *sizes)


def faults(files: dict[str, bytes]) -> list[Finding]:
    return list(find_faults(MemorySource(files), trust=TRUST, layers=[Layer.LOG]))


def places(files: dict[str, bytes]) -> list[tuple[str, int | None]]:
    """The step and the entry of each finding."""
    return [(finding.step, finding.entry) for finding in faults(files)]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


@pytest.mark.parametrize("size", EDGES)
def test_a_log_that_the_publisher_wrote_holds(size: int) -> None:
    verified = verify_log(MemorySource(log_of(size)), trust=TRUST, layers=[Layer.LOG])

    assert (verified.origin, verified.size) == ("logs.example/one", size)


def test_a_log_with_three_levels_holds_and_its_middle_level_is_checked() -> None:
    files = log_of(65_537)
    assert "tile/2/000.p/1" in files
    assert faults(files) == []

    files["tile/1/000"] = flipped(files["tile/1/000"], 32 * 7)

    assert places(files) == [("tree", None), ("tree", None)]


def test_leaving_partial_files_of_earlier_sizes_is_no_fault() -> None:
    files = log_of(700, 1, 5, 255, 256, 300, 512, 600)

    assert "tile/0/000.p/5" in files
    assert "tile/1/000.p/1" in files
    assert faults(files) == []


@pytest.mark.requirement("R95")
def test_a_log_that_tessera_wrote_holds_at_each_of_its_sizes() -> None:
    everything = {
        path: base64.b64decode(data) for path, data in TESSERA["files_base64"].items()
    }
    trust = Trust.of([TESSERA["vkey"]])
    for size in range(16):
        checkpoint = everything[f"checkpoint.{size}"]
        source = MemorySource({**everything, "checkpoint": checkpoint})

        found = list(find_faults(source, trust=trust, layers=[Layer.LOG]))

        assert {finding.step for finding in found} <= {"layout"}
        if size == 15:
            assert [finding.what for finding in found] == [
                f"'checkpoint.{number}' is not a file of a log"
                for number in sorted(range(16), key=str)
            ]


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("size", [1, 2, 3, 257])
def test_every_missing_file_is_named(size: int) -> None:
    complete = log_of(size)
    for path in complete:
        first = faults({name: complete[name] for name in complete if name != path})[0]

        assert path in first.what
        assert first.step in {"checkpoint", "tiles", "entries"}


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("size", [1, 3, 257])
def test_a_byte_more_or_less_in_any_file_is_found(size: int) -> None:
    complete = log_of(size)
    for path, data in complete.items():
        for changed in (data + b"\0", data[:-1], b"", data + data):
            found = faults({**complete, path: changed})

            assert found, path
            assert path in found[0].what or found[0].step == "checkpoint"


def test_the_entry_with_a_wrong_length_is_named_though_the_bundle_cannot_be_split() -> (
    None
):
    files = log_of(300)
    data = bytearray(files["tile/entries/000"])
    at = sum(2 + len(str(number)) for number in range(77))
    data[at + 1] += 1
    files["tile/entries/000"] = bytes(data)

    assert places(files) == [("entries", 77)]


def test_an_entry_swapped_with_another_is_found_in_both_places() -> None:
    files = log_of(10)
    entries = [b"%d" % number for number in range(10)]
    entries[2], entries[5] = entries[5], entries[2]
    files["tile/entries/000.p/10"] = encode_bundle(entries)

    assert places(files) == [("entries", 2), ("entries", 5)]


def test_an_entry_that_is_changed_with_its_tile_still_does_not_lead_to_the_root() -> (
    None
):
    files = log_of(300)
    other = published([b"%d" % (n + (n == 4)) for n in range(300)], SIGNER)
    for path in ("tile/entries/000", "tile/0/000"):
        files[path] = other[path]

    assert places(files) == [("tree", None)]

    files["tile/1/000.p/1"] = other["tile/1/000.p/1"]

    assert places(files) == [("root", None)]


def test_a_missing_tile_is_filled_in_from_below_so_that_the_rest_is_still_checked() -> (
    None
):
    files = log_of(600)
    del files["tile/0/001"]
    assert places(files) == [("tiles", None)]

    files["tile/0/002.p/88"] = flipped(files["tile/0/002.p/88"], 0)
    assert places(files) == [("tiles", None), ("entries", 512), ("root", None)]


def test_where_entries_and_their_tile_are_both_gone_nothing_is_invented() -> None:
    files = log_of(300)
    del files["tile/0/000"], files["tile/entries/000"]

    assert places(files) == [("tiles", None), ("entries", None)]


UNEXPECTED = {
    "a hidden file": ".DS_Store",
    "an older checkpoint": "checkpoint.old",
    "a tile that x/mod would name so": "tile/8/0/000",
    "a level that is not there": "tile/3/000",
    "a number that is not there": "tile/0/001",
    "a number in another spelling": "tile/0/x000/000",
    "a full tile too early": "tile/0/000",
    "a wider bundle than the tree": "tile/entries/000.p/11",
    "a temporary file": "tile/entries/000.p/10.tmp",
    "a name with an escape sequence": "\x1b[2Jtile",
}


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("case", UNEXPECTED)
def test_a_file_that_does_not_belong_there_is_named(case: str) -> None:
    path = UNEXPECTED[case]

    found = faults({**log_of(10), path: b""})

    assert [finding.step for finding in found] == ["layout"]
    assert path in found[0].what or repr(path) in found[0].what
    assert "\x1b" not in found[0].what


@pytest.mark.requirement("R95")
def test_a_left_over_bundle_that_disagrees_is_found_with_its_entry() -> None:
    files = log_of(20, 12)
    entries = [b"%d" % number for number in range(12)]
    entries[7] = b"x"
    files["tile/entries/000.p/12"] = encode_bundle(entries)

    assert places(files) == [("layout", 7)]


def test_a_left_over_file_with_a_byte_too_many_is_found() -> None:
    files = log_of(300, 12, 256)
    for path in ("tile/entries/000.p/12", "tile/0/000.p/12", "tile/1/000.p/1"):
        if path in files:
            assert faults({**files, path: files[path] + b"\0"})


@pytest.mark.requirement("R95")
def test_a_left_over_file_that_cannot_be_read_or_compared_hides_nothing() -> None:
    files = log_of(20, 12)
    source = MemorySource(files)
    source.unreadable.add("tile/0/000.p/12")

    (finding,) = find_faults(source, trust=TRUST, layers=[Layer.LOG])
    assert finding.step == "layout"
    assert "tile/0/000.p/12" in finding.what

    files["tile/entries/000.p/20"] += b"\0"
    assert places(files) == [("entries", None)]


def test_a_checkpoint_of_another_log_is_refused() -> None:
    other = Ed25519Signer.from_seed("logs.example/two", bytes([8]) * 32)
    files = {**log_of(3), "checkpoint": published([b"0"], other)["checkpoint"]}

    with pytest.raises(UnknownKeyError) as caught:
        verify_log(MemorySource(files), trust=TRUST)
    assert caught.value.step == "checkpoint"


def test_a_checkpoint_signed_by_the_right_key_for_another_tree_is_refused() -> None:
    files = log_of(3)
    for size, root in ((3, bytes(32)), (2, bytes(32)), (4, bytes(32))):
        checkpoint = Checkpoint(SIGNER.name, size, root)
        files["checkpoint"] = sign_checkpoint(checkpoint, SIGNER)

        assert faults(files)


def test_the_first_fault_is_raised_as_the_error_it_is() -> None:
    files = log_of(3)
    files["checkpoint"] = files["checkpoint"].replace(b"\n3\n", b"\n2\n")
    with pytest.raises(InvalidSignatureError):
        verify_log(MemorySource(files), trust=TRUST)

    files = log_of(3)
    files["checkpoint"] = files["checkpoint"][:-1]
    with pytest.raises(MalformedError):
        verify_log(MemorySource(files), trust=TRUST)

    files = log_of(3)
    files["tile/0/000.p/3"] = flipped(files["tile/0/000.p/3"], 33)
    with pytest.raises(VerificationError) as caught:
        verify_log(MemorySource(files), trust=TRUST)
    assert (caught.value.step, caught.value.entry) == ("entries", 1)


def test_before_an_examination_there_is_nothing_to_see() -> None:
    examination = Examination(MemorySource(log_of(3)), trust=TRUST)

    assert examination.report().log is None
    assert not examination.report().holds
    with pytest.raises(VerificationError, match="no checkpoint was opened"):
        examination.seen()


def test_an_examination_ends_when_there_is_no_more_to_learn() -> None:
    files = log_of(2_000)
    other = published([b"x%d" % number for number in range(2_000)], SIGNER)
    files |= {path: data for path, data in other.items() if "entries" in path}

    assert len(faults(files)) == MAX_FINDINGS
