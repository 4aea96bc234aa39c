"""What lies beside the tree of an auditor's folder, and how damage to it is found."""

from __future__ import annotations

import pytest

from consentkit.audit.annexed import KEYS
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import README
from consentkit.audit.annexed import disclosure_path
from consentkit.audit.annexed import is_annex
from consentkit.audit.annexed import notice_paths
from consentkit.audit.report import Layer
from consentkit.audit.report import Report
from consentkit.audit.report import Verdict
from consentkit.audit.verify import Examination
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import MalformedError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import Policy
from consentkit.log.policy import PolicyLog
from consentkit.log.policy import format_policy

from .builder import BOB
from .builder import OFFER
from .builder import LogBuilder
from .builder import MemorySource
from .exported import exported
from .exported import notice_of
from .exported import told_log
from .exported import with_manifest

LOG = told_log()
FILES = exported(LOG, 4, 6)
TEXT, HTML = notice_paths(notice_of().digest)
FACTS = disclosure_path(f"{4:032x}")
# Which step of the records layer finds damage to a file, and at which entry.
RECORDS = {KEYS: ("keys", None), TEXT: ("texts", 3), HTML: ("texts", 3)}
RECORDS[FACTS] = ("evidence", 4)

Place = tuple[Layer, str, int | None]


def places(files: dict[str, bytes], *layers: Layer) -> list[Place]:
    found = find_faults(
        MemorySource(files), trust=LOG.trust(), layers=layers or tuple(Layer)
    )
    return [(each.layer, each.step, each.entry) for each in found]


def flipped(path: str, at: int) -> dict[str, bytes]:
    data = bytearray(FILES[path])
    data[at] ^= 1 << at % 8
    return {**FILES, path: bytes(data)}


def without(*paths: str) -> dict[str, bytes]:
    return {path: data for path, data in FILES.items() if path not in paths}


def test_an_undamaged_export_holds() -> None:
    assert places(FILES) == []


def test_a_published_log_without_any_of_this_holds_as_well() -> None:
    assert places({**LOG.files(), "checkpoints/4": FILES["checkpoints/4"]}) == []


@pytest.mark.requirement("R95", "R99")
@pytest.mark.parametrize("path", [*filter(is_annex, FILES)])
def test_each_flipped_byte_of_an_annex_fails_the_manifest(path: str) -> None:
    missed = [
        at
        for at in range(len(FILES[path]))
        if (Layer.LOG, "manifest", None) not in places(flipped(path, at), Layer.LOG)
    ]

    assert missed == []


@pytest.mark.requirement("R95", "R99")
@pytest.mark.parametrize("path", RECORDS)
def test_without_a_manifest_each_flipped_byte_is_found_where_it_is(path: str) -> None:
    step, entry = RECORDS[path]
    for at in range(0, len(FILES[path]), 3):
        damaged = flipped(path, at)
        del damaged[MANIFEST]

        assert places(damaged) == [(Layer.RECORDS, step, entry)], at


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("path", sorted(set(FILES) - {MANIFEST, "checkpoint"}))
def test_a_file_that_is_missing_is_found(path: str) -> None:
    assert (Layer.LOG, "manifest", None) in places(without(path))


@pytest.mark.parametrize("path", [TEXT, HTML])
def test_a_notice_that_was_taken_off_the_manifest_too_is_missed(path: str) -> None:
    assert places(with_manifest(without(path))) == [(Layer.RECORDS, "texts", 3)]


def test_a_file_that_the_manifest_does_not_list_is_found() -> None:
    more = {**FILES, "checkpoints/5": LOG.checkpoint(5)}

    assert places(more) == [(Layer.LOG, "manifest", None)]


def test_a_file_of_a_strange_name_is_found_by_the_layout() -> None:
    more = with_manifest({**FILES, "notices/index.html": b""})

    assert places(more) == [(Layer.LOG, "layout", None)]


def test_a_notice_that_was_never_logged_is_found() -> None:
    other = notice_of(b"<p>Say yes.</p>")
    manifest, html = notice_paths(other.digest)
    more = {**FILES, manifest: other.manifest_bytes, html: other.html}

    assert places(with_manifest(more)) == [(Layer.RECORDS, "texts", None)]


def test_a_notice_entry_that_offers_otherwise_than_its_manifest_is_found() -> None:
    log = LogBuilder(begin=False)
    log.genesis()
    log.key(log.collector, 0)
    notice = notice_of()
    offers = [{**OFFER, "optional": []}]
    log.add(
        "notice",
        notice=notice.digest,
        html=notice.html_sha256,
        locale="en",
        offers=offers,
    )
    files = {**log.files(), TEXT: FILES[TEXT], HTML: FILES[HTML]}

    assert (Layer.RECORDS, "texts", 2) in places(files)


FOREIGN_FACTS = {
    "of an act that is not in the log": disclosure_path("f" * 32),
    "of another act": disclosure_path(f"{7:032x}"),
}


@pytest.mark.parametrize("case", FOREIGN_FACTS)
def test_private_facts_that_no_entry_commits_to_are_found(case: str) -> None:
    path = FOREIGN_FACTS[case]
    entry = None if "not in" in case else 7

    found = places(with_manifest({**FILES, path: FILES[FACTS]}))

    assert found == [(Layer.RECORDS, "evidence", entry)]


def test_private_facts_in_another_spelling_are_found() -> None:
    spelt = FILES[FACTS].replace(b":", b": ")

    found = places(with_manifest({**FILES, FACTS: spelt}))

    assert found == [(Layer.RECORDS, "evidence", 4)]


def test_keys_that_the_log_does_not_register_are_found() -> None:
    more = FILES[KEYS] + f"collector {Ed25519Signer.generate('x').vkey}\n".encode()

    found = places(with_manifest({**FILES, KEYS: more}))

    assert found == [(Layer.RECORDS, "keys", None)]


def test_the_logs_own_key_comes_first_in_the_list_of_keys() -> None:
    roles = [line.split()[0] for line in FILES[KEYS].decode().splitlines()]

    assert roles == ["log", "collector"]


BAD_POLICIES = {
    "of another log": format_policy(
        Policy(logs=(PolicyLog(LogBuilder("other.example").trust().log[0]),))
    ),
    "of no log": b"quorum none\n",
    "not in form": b"quorum of one\n",
    "empty": b"",
}


@pytest.mark.parametrize("case", BAD_POLICIES)
def test_a_policy_that_is_not_of_this_log_is_found(case: str) -> None:
    files = with_manifest({**FILES, POLICY: BAD_POLICIES[case]})

    assert places(files) == [(Layer.HISTORY, "policy", None)]


def test_a_policy_that_lies_there_is_not_applied() -> None:
    policy = FILES[POLICY] + b"\n# the auditor is to decide\n"

    assert places(with_manifest({**FILES, POLICY: policy})) == []


LINE = FILES[MANIFEST].partition(b"\n")[0] + b"\n"
BAD_MANIFESTS = {
    "no newline at the end": FILES[MANIFEST][:-1],
    "a line twice": LINE + FILES[MANIFEST],
    "lines out of order": FILES[MANIFEST].removeprefix(LINE) + LINE,
    "a leading zero": FILES[MANIFEST].replace(b" ", b" 0", 1),
    "an Arabic digit": FILES[MANIFEST].replace(b" ", " ٣".encode(), 1),
    "a tab": FILES[MANIFEST].replace(b" ", b"\t", 1),
    "CRLF": FILES[MANIFEST].replace(b"\n", b"\r\n"),
    "an empty line": b"\n" + FILES[MANIFEST],
    "itself": LINE.replace(LINE.split()[0], b"MANIFEST"),
    "a hash in capitals": LINE.upper() + FILES[MANIFEST].removeprefix(LINE),
    "empty": b"",
}


@pytest.mark.parametrize("case", BAD_MANIFESTS)
def test_a_manifest_in_another_form_is_found(case: str) -> None:
    found = places({**FILES, MANIFEST: BAD_MANIFESTS[case]})

    assert set(found) == {(Layer.LOG, "manifest", None)}


def test_each_layer_looks_at_its_own_files_only() -> None:
    files = {**FILES, README: b"", KEYS: b"", POLICY: b""}

    assert {step for _, step, _ in places(files, Layer.LOG)} == {"manifest"}
    assert places(files, Layer.HISTORY) == [(Layer.HISTORY, "policy", None)]
    assert places(files, Layer.RECORDS) == [(Layer.RECORDS, "keys", None)]


def test_a_file_that_cannot_be_read_is_a_finding_of_its_step() -> None:
    source = MemorySource(FILES)
    source.unreadable = {KEYS, FACTS, HTML, POLICY}

    found = list(find_faults(source, trust=LOG.trust()))

    steps = {each.step for each in found}
    assert steps == {"manifest", "policy", "keys", "texts", "evidence"}
    assert not [each for each in found if BOB in each.what]


def test_a_finding_says_what_was_expected() -> None:
    found = list(
        find_faults(MemorySource(flipped(README, 0)), trust=LOG.trust(pinned=True))
    )

    (only,) = found
    assert only.what.startswith("expected size and SHA-256 9 ")
    assert only.error().step == "manifest"
    assert not isinstance(only.error(), MalformedError)


# -- a bad copy is no bad log ---------------------------------------------------------


def reported(files: dict[str, bytes]) -> Report:
    examination = Examination(MemorySource(files), trust=LOG.trust(pinned=True))
    list(examination.find_faults())
    return examination.report()


@pytest.mark.requirement("R99")
@pytest.mark.parametrize("files", [flipped(README, 0), without(README)])
def test_a_copy_that_differs_is_told_apart_from_the_log(
    files: dict[str, bytes],
) -> None:
    report = reported(files)

    assert (report.holds, report.copy) == (False, Verdict.FAILS)
    assert report.layers[Layer.LOG] == Verdict.HOLDS
    *lines, verdict = report.lines()
    assert "log: holds" in lines
    assert lines[-1].startswith("copy: differs from its MANIFEST: ")
    assert verdict.startswith("DOES NOT HOLD as a copy")
    (finding,) = report.to_dict()["findings"]
    assert (finding["layer"], finding["step"]) == ("copy", "manifest")
    assert report.to_dict()["copy"]["manifest"] == "fails"


def test_a_log_that_fails_is_not_excused_by_its_copy() -> None:
    path = next(path for path in FILES if path.startswith("tile/entries/"))

    report = reported(flipped(path, 20))

    assert report.layers[Layer.LOG] == Verdict.FAILS
    assert list(report.lines())[-1] == "DOES NOT HOLD"


@pytest.mark.parametrize("path", [".DS_Store", "notes.txt", "tile/.DS_Store"])
def test_a_stray_file_is_named_and_changes_no_verdict(path: str) -> None:
    report = reported({**FILES, path: b"x"})

    assert (report.holds, report.findings) == (True, ())
    what = f"{path!r} is not a file of a log"
    lines = list(report.lines())
    assert lines[-2:] == [f"copy: beside the log, not looked at: {what}", "holds"]
    told = report.to_dict()["copy"]
    assert told == {"manifest": "holds", "strays": [what]}
    verify_log(MemorySource({**FILES, path: b"x"}), trust=LOG.trust(pinned=True))


def test_very_many_strays_hide_nothing() -> None:
    strays = {f"stray-{number}": b"" for number in range(1_500)}

    report = reported({**flipped(KEYS, 0), **strays})

    assert len(report.strays) == 21
    assert report.strays[-1].what == "1480 more files are none of a log"
    assert {each.step for each in report.findings} == {"manifest", "keys"}


def test_a_file_is_named_once_where_it_cannot_be_used() -> None:
    (finding,) = find_faults(
        MemorySource(with_manifest({**FILES, POLICY: b"quorum of one\n"})),
        trust=LOG.trust(),
    )
    assert str(finding).startswith("history, step policy: policy, line 1: ")
