"""What is said of the files beside a log, and of answers that rest on little."""

from __future__ import annotations

import pytest

from consentkit.audit.annexed import KEYS
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import README
from consentkit.audit.annexed import check_disclosures
from consentkit.audit.annexed import disclosure_path
from consentkit.audit.annexed import notice_paths
from consentkit.audit.as_of import AsOf
from consentkit.audit.as_of import Question
from consentkit.audit.as_of import as_of
from consentkit.audit.report import Finding
from consentkit.audit.verify import find_faults
from consentkit.core.act import Millis
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.merkle import hash_leaf

from .builder import ALICE
from .builder import BOB
from .builder import NOTICE
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .exported import exported
from .exported import notice_of
from .exported import told_log
from .exported import with_manifest
from .histories import examined
from .histories import forged_log
from .histories import hashes
from .histories import honest_log
from .histories import pieces

LOG = told_log()
FILES = exported(LOG, 4)
TEXT, HTML = notice_paths(notice_of().digest)
FACTS = disclosure_path(f"{4:032x}")


def only(files: dict[str, bytes], *unreadable: str) -> Finding:
    source = MemorySource(files)
    source.unreadable.update(unreadable)
    (finding,) = find_faults(source, trust=LOG.trust())
    return finding


def listed(**changed: bytes) -> dict[str, bytes]:
    return with_manifest({**FILES, **changed})


def told(finding: Finding) -> tuple[str, str, type]:
    return finding.step, finding.what, finding.cause


# -- the files beside a log -----------------------------------------------------------


def test_a_manifest_names_what_it_lacks_and_what_lacks() -> None:
    more = {**FILES, "checkpoints/5": LOG.checkpoint(5)}
    less = {path: data for path, data in FILES.items() if path != README}

    assert only(more).what == "MANIFEST does not list 'checkpoints/5'"
    assert only(less).what == "README is not there, but MANIFEST lists it"
    assert only(FILES, README).what == "README is not there"
    assert only(FILES, MANIFEST).what == "MANIFEST is not there"


@pytest.mark.parametrize("number", [1, 3])
def test_a_bad_line_of_a_manifest_is_named_by_its_number(number: int) -> None:
    lines = FILES[MANIFEST].splitlines(keepends=True)
    lines[number - 1] = b"README\n"

    what = only({**FILES, MANIFEST: b"".join(lines)}).what

    assert what.startswith(f"MANIFEST, line {number}: expected '<path> ")


def test_a_policy_keeps_the_error_that_it_failed_with() -> None:
    other = LogBuilder("other.example").trust().log[0].vkey
    for data, cause in (
        (f"log {other}\nquorum none\n".encode(), UnknownKeyError),
        (b"quorum of one\n", VerificationError),
    ):
        finding = only(listed(policy=data))

        assert finding.step == "policy"
        assert finding.what.startswith((f"{POLICY}: it", f"{POLICY}, line 1: "))
        assert issubclass(finding.cause, cause)


def test_damage_to_texts_and_facts_is_told_with_the_error_that_it_is() -> None:
    renamed = "the manifest does not hash to the digest in its name"
    manifest = FILES[TEXT].replace(b'"version":"1"', b'"version":"2"')
    stranger = notice_of(b"<p>Say yes.</p>")
    path, html = notice_paths(stranger.digest)
    foreign = disclosure_path("f" * 32)

    assert told(only(listed(**{TEXT: manifest}))) == (
        "texts",
        f"the notice {notice_of().digest}: {renamed}",
        InclusionError,
    )
    assert told(
        only(listed(**{path: stranger.manifest_bytes, html: stranger.html}))
    ) == ("texts", f"the notice {stranger.digest} was never logged", VerificationError)
    assert told(only(listed(**{foreign: FILES[FACTS]}))) == (
        "evidence",
        f"{foreign}: no entry has that id",
        MalformedError,
    )
    assert told(only(listed(keys=FILES[KEYS] + b"x\n"))) == (
        "keys",
        "keys does not list what the entries register",
        VerificationError,
    )


def test_keys_that_cannot_be_read_are_said_not_to_be_there() -> None:
    files = {**LOG.files(), KEYS: FILES[KEYS]}

    assert told(only(files, KEYS))[:2] == ("keys", "keys is not there")


@pytest.mark.parametrize("data", [b"[]", b'["disclosures"]', b'{"other":[]}'])
def test_a_file_of_facts_is_an_object_with_nothing_but_them(data: bytes) -> None:
    with pytest.raises(MalformedError, match="nothing but 'disclosures'"):
        check_disclosures(data)


def test_a_published_log_may_have_keys_or_facts_alone_beside_it() -> None:
    for path, step in ((KEYS, "keys"), (FACTS, "evidence")):
        files = {**LOG.files(), path: FILES[path]}
        assert list(find_faults(MemorySource(files), trust=LOG.trust())) == []

        finding = only({**files, path: b"{}"})
        assert finding.step == step


def test_the_hash_that_a_contradiction_calls_the_first_is_that_of_the_receipt() -> None:
    old = honest_log().receipt(3)
    finding = examined(forged_log(later=9).source(), old).report().findings[-1]

    (_, _, first, *_), *_ = pieces(finding)

    assert first.startswith("first ")
    assert hashes([first]) == [hash_leaf(honest_log().leaves[3])]


# -- answers that rest on little ------------------------------------------------------


def ask(log: LogBuilder) -> AsOf:
    """What the log says of Alice in the end."""
    source = log.source()
    note = source.read("checkpoint")
    checkpoint = open_checkpoint(note, log.trust().log)
    return as_of(source, note, checkpoint, Question(ALICE, Millis(log.time)))


def test_an_answer_with_an_erasure_rests_on_the_erasure_too() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.erasure(ALICE)

    assert [each.index for each in ask(log).entries()] == [2, 3, 4]


def test_what_was_brought_in_rests_on_no_notice() -> None:
    log = LogBuilder()
    log.bring_in(ALICE)

    found = ask(log)

    (basis,) = found.bases
    assert basis.shown is None
    assert [each.index for each in found.entries()] == [3]


def test_an_answer_to_a_notice_that_was_never_logged_shows_none() -> None:
    log = LogBuilder()
    log.choice(ALICE, notice="d" * 64)

    (basis,) = ask(log).bases

    assert basis.shown is None


def test_a_notice_whose_text_is_not_at_hand_is_named_all_the_same() -> None:
    log = LogBuilder()
    log.choice(ALICE)

    (basis,) = ask(log).bases

    assert basis.shown is not None
    assert (basis.shown.digest, basis.shown.notice) == (NOTICE, None)


def test_a_share_without_an_answer_has_a_basis_on_which_nothing_stands() -> None:
    log = LogBuilder()
    log.disclosure(log.choice(BOB, answer()), ALICE)

    (basis,) = ask(log).bases

    assert (basis.status, basis.acts, len(basis.shares)) == (None, (), 1)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_are_counted(count: int) -> None:
    log = LogBuilder()
    log.choice(ALICE)
    for _ in range(count):
        log.batch()

    (basis,) = ask(log).bases

    assert basis.batches == count


def test_resuming_what_nobody_stopped_changes_nothing() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.suspension("resume", "credit-score")

    (basis,) = ask(log).bases

    assert basis.in_force
