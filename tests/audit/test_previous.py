"""A log that continues another is judged together with it, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from consentkit import cli
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.verify import Examination
from consentkit.audit.verify import verify_log
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.merkle import hash_leaf
from consentkit.log.tiles import entries_path

from .builder import ALICE
from .builder import BOB
from .builder import ORIGIN
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .successor import NEXT
from .successor import THIRD
from .successor import Successor
from .successor import closed

CAROL = "ca401" + "0" * 27


def old_log() -> tuple[LogBuilder, str, bytes]:
    """Alice said yes, Bob withdrew, Carol was erased; Alice's act and its bytes."""
    log = LogBuilder()
    record = log.choice(ALICE)
    leaf = log.leaves[-1]
    log.choice(BOB)
    log.revocation(BOB)
    log.choice(CAROL)
    log.erasure(CAROL)
    return log, record, leaf


def found(log: LogBuilder, *previous: LogBuilder | MemorySource) -> list[str]:
    """Step and words of each finding in the newest log; only records may have any."""
    sources = [
        each.source() if isinstance(each, LogBuilder) else each for each in previous
    ]
    examination = Examination(log.source(), trust=log.trust(), previous=sources)
    findings = list(examination.find_faults())
    report = examination.report()
    assert report.layers[Layer.LOG] is Verdict.HOLDS
    assert report.log is not None
    assert report.log.size == len(log.leaves)
    return [f"{each.step}: {each.what}" for each in findings]


@pytest.mark.requirement("R97", "R98")
def test_a_share_rests_on_a_grant_in_the_log_before() -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    new.choice(ALICE, answer("renewed"))
    new.revocation(ALICE)
    assert found(new, old) == []
    log = verify_log(new.source(), trust=new.trust(), previous=[old.source()])
    assert log.origin == NEXT


def test_without_the_log_before_there_is_one_finding_and_no_other() -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    new.choice(BOB, answer("renewed"))
    (only,) = found(new)
    assert only.startswith(f"previous: {NEXT!r} continues {ORIGIN!r}: give its files")
    with pytest.raises(VerificationError) as caught:
        verify_log(new.source(), trust=new.trust())
    assert (caught.value.step, caught.value.entry) == ("previous", None)


def test_what_is_known_is_judged_without_the_log_before() -> None:
    old, _, _ = old_log()
    new = Successor(closed(old))
    new.choice(ALICE)
    new.revocation(ALICE)
    new.disclosure(f"{0:032x}")
    assert [each.partition(":")[0] for each in found(new)] == ["previous", "grant"]


def shares_with_bob(new: Successor, record: str, leaf: bytes) -> None:
    new.share(record, leaf, subject=BOB)


def shares_more(new: Successor, record: str, leaf: bytes) -> None:
    new.share(record, leaf, data=["contacts", "spending"])


def shares_too_late(new: Successor, record: str, leaf: bytes) -> None:
    new.time += 2 * 31_536_000_000
    new.share(record, leaf)


def revives_carol(new: Successor, *_: object) -> None:
    new.choice(CAROL)


def continues_a_chain(new: Successor, *_: object) -> None:
    new.choice(BOB, seq=2, prev=hash_leaf(new.before.leaves[5]).hex())


def uses_an_id_again(new: Successor, record: str, *_: object) -> None:
    new.add("admin", action="test", target="x", evidence="e" * 64, id=record)


def names_an_unlogged_notice(new: Successor, *_: object) -> None:
    new.choice(ALICE, notice="f" * 64)


FAULTS: dict[str, tuple[Callable[..., None], str]] = {
    "somebody who withdrew": (shares_with_bob, "grant: the person's answer was withdr"),
    "more than was agreed to": (shares_more, "grant: the grant in an entry of an earl"),
    "after it ran out": (shares_too_late, "grant: the grant in an entry of an earlier"),
    "somebody erased": (revives_carol, "chain: the subject was erased in an earlier"),
    "a chain that goes on": (continues_a_chain, "chain: expected seq 0, got 2"),
    "an id of both": (uses_an_id_again, "unique: the id"),
    "a notice of before": (names_an_unlogged_notice, "notice: the notice ffff"),
}


@pytest.mark.requirement("R95")
@pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_across_the_two_is_named_in_the_new_log(
    fault: Callable[..., None], words: str
) -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    fault(new, record, leaf)
    (only,) = found(new, old)
    assert only.startswith(words)


def test_what_was_suspended_before_is_suspended_still() -> None:
    old, record, leaf = old_log()
    old.suspension("suspend", "credit-score")
    new = Successor(closed(old))
    new.share(record, leaf)
    new.suspension("resume", "credit-score")
    new.share(record, leaf)
    assert found(new, old) == [
        "suspension: an entry of an earlier log had stopped this sharing"
    ]


# -- which log stands before ----------------------------------------------------------


@pytest.mark.requirement("R97", "R98")
def test_another_log_of_the_same_key_does_not_stand_before() -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    forged = LogBuilder()
    forged.choice(ALICE, answer("refused"))
    while len(forged.leaves) < len(old.leaves):
        forged.choice(f"{len(forged.leaves):032x}")
    assert found(new, forged) == [
        f"previous: {ORIGIN}: log, step root: the tree does not hash to the signed root"
    ]


def test_the_pin_counts_and_not_the_checkpoint_that_lies_there() -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    source = old.source()
    source.files["checkpoint"] = b"whatever a thief signed"
    assert found(new, source) == []


def test_a_record_that_breaks_the_rules_of_the_log_before_is_named() -> None:
    old = LogBuilder()
    old.revocation(ALICE)
    old.disclosure(f"{3:032x}")
    (only,) = found(Successor(closed(old)), old)
    assert only.startswith(f"previous: {ORIGIN}: records, step grant, entry 4: ")


def test_files_of_the_log_before_that_are_missing_are_named() -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    source = old.source()
    del source.files[entries_path(0, len(old.leaves))]
    steps = found(new, source)
    assert all(each.startswith(f"previous: {ORIGIN}: ") for each in steps)
    assert any("step entries" in each for each in steps)


@pytest.mark.parametrize("ends", ["open", "for another"])
def test_the_log_before_was_closed_for_this_one(ends: str) -> None:
    old, _, _ = old_log()
    if ends == "for another":
        closed(old, THIRD)
    assert found(Successor(old), old) == [
        f"previous: {ORIGIN!r} does not end with a closure that names {NEXT!r}"
    ]


def test_a_log_that_continues_none_has_none_before_it() -> None:
    old, _, _ = old_log()
    assert found(old, LogBuilder()) == [
        f"previous: {ORIGIN!r} continues no other log; one was given"
    ]


PINS = {
    "no note": b"no note",
    "of itself": sign_checkpoint(
        Checkpoint(NEXT, 3, bytes(32)), LogBuilder(NEXT).log_key
    ),
}


@pytest.mark.parametrize("note", PINS.values(), ids=PINS)
def test_a_genesis_that_names_no_checkpoint_is_told(note: bytes) -> None:
    new = Successor(LogBuilder(), note=note)
    new.choice(ALICE, answer("renewed"))  # nobody knows what it renews
    (only,) = found(new, LogBuilder())
    assert only.startswith(f"previous: the checkpoint in the genesis of {NEXT!r}: ")


@pytest.mark.parametrize("size", [255, 256, 257, 258])
def test_a_genesis_that_names_a_tree_of_another_size_is_told(size: int) -> None:
    old = closed(LogBuilder())
    while len(old.leaves) < 257:  # never mind what stands after the closure
        old.choice(f"{len(old.leaves):032x}")
    note = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), old.log_key)

    findings = found(Successor(old, note=note), old)

    assert all(each.startswith("previous: ") for each in findings)
    assert any("root" in each or "tile" in each for each in findings)


def test_three_logs_in_a_row_are_given_newest_first() -> None:
    old, record, leaf = old_log()
    middle = Successor(closed(old))
    middle.share(record, leaf)
    last = Successor(closed(middle, THIRD), THIRD)
    last.share(record, leaf)
    last.choice(BOB)
    assert found(last, middle, old) == []
    (only,) = found(last, middle)
    assert only.startswith(f"previous: {NEXT!r} continues {ORIGIN!r}: give its files")
    swapped = found(last, old, middle)
    assert swapped
    assert all(each.startswith("previous: ") for each in swapped)


# -- the command ----------------------------------------------------------------------


def write(folder: Path, log: LogBuilder) -> str:
    for path, data in log.files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return str(folder)


def test_the_command_takes_the_log_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, record, leaf = old_log()
    new = Successor(closed(old))
    new.share(record, leaf)
    log = write(tmp_path / "new", new)
    before = write(tmp_path / "old", old)
    command = ["verify", log, "--key", new.log_key.vkey]

    assert cli.main([*command, "--previous", before]) == 0
    assert capsys.readouterr().out.endswith("records: holds\nholds\n")
    assert cli.main([*command, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["layers"] == {
        "log": "holds",
        "history": "not checked",
        "records": "fails",
    }
    ((step, entry),) = [(each["step"], each["entry"]) for each in report["findings"]]
    assert (step, entry) == ("previous", None)
    assert cli.main([*command, "--layer", "log", "--previous", before]) == 2
    assert "--previous needs --layer records" in capsys.readouterr().err
    assert cli.main([*command, "--previous", str(tmp_path / "none")]) in {1, 2}
