"""When a witness says yes to a log, and which of its lines a log takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import sign_note
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import Outcome
from consentkit.log.witness import Verdict
from consentkit.log.witness import judge
from consentkit.log.witness import parse_request
from consentkit.log.witness import pick_cosignature
from tests.log.small_log import SmallLog
from tests.log.witness_talk import KEY
from tests.log.witness_talk import LOG
from tests.log.witness_talk import NEW_YEAR
from tests.log.witness_talk import OTHER_WITNESS
from tests.log.witness_talk import VECTORS
from tests.log.witness_talk import WITNESS
from tests.log.witness_talk import verdict

TRANSCRIPT = json.loads((VECTORS / "witness_transcript.json").read_text("utf-8"))


# The judgement


@pytest.mark.requirement("R98")
def test_a_witness_follows_the_published_transcript() -> None:
    """But for the two times when that witness, of 2025, said 403.

    A signature with stray bits is malformed to us, an unknown log is 404 since v1.0.0.
    """
    origin = TRANSCRIPT["log_origin"]
    public = bytes.fromhex(TRANSCRIPT["log_ed25519_public_key_hex"])
    key = Verifier(origin, Algorithm.ED25519, public)
    size, root = 0, EMPTY_ROOT
    said: list[tuple[int, int]] = []
    for step in TRANSCRIPT["steps"]:
        try:
            asked = parse_request(step["request_body"].encode())
        except MalformedError:
            said.append((Outcome.MALFORMED, 0))
            continue
        verdict = judge(asked, size, root, [key])
        said.append((verdict.outcome, verdict.size))
        if verdict.outcome is Outcome.COSIGNED:
            size, root = asked.checkpoint.size, asked.checkpoint.root

    theirs = [step["litewitness_status"] for step in TRANSCRIPT["steps"]]
    assert theirs[1:3] == [403, 403]
    assert [status for status, _ in said] == [theirs[0], 400, 404, *theirs[3:]]
    assert [size for status, size in said if status == 409] == [3, 5]


def test_the_spoilt_signature_of_the_transcript_is_not_the_logs() -> None:
    origin = TRANSCRIPT["log_origin"]
    public = bytes.fromhex(TRANSCRIPT["log_ed25519_public_key_hex"])
    body = TRANSCRIPT["steps"][1]["request_body"].replace("6gx=", "6gw=")
    asked = parse_request(body.encode())

    said = judge(asked, 0, EMPTY_ROOT, [Verifier(origin, Algorithm.ED25519, public)])

    assert said.outcome is Outcome.NOT_SIGNED


@pytest.mark.requirement("R98")
def test_every_honest_step_is_cosigned_and_no_other_size_is() -> None:
    for size in range(41):
        for known in range(size + 1):
            assert verdict(LOG.request(known, size), known).outcome is Outcome.COSIGNED
            wrong = verdict(LOG.request(known, size), known + 1)
            assert (wrong.outcome, wrong.size) == (Outcome.OTHER_SIZE, known + 1)


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("known", [1, 7, 8, 30])
def test_a_rewritten_log_is_refused_whatever_proof_it_brings(known: int) -> None:
    asked = LOG.request(known, 32)
    other_root = hash_leaf(b"what this witness has seen")
    proofs = [asked.proof, (), asked.proof[:-1], (*asked.proof, bytes(32))]

    for proof in proofs:
        said = judge(replace(asked, proof=tuple(proof)), known, other_root, [KEY])
        assert said.outcome is Outcome.INCONSISTENT


@pytest.mark.requirement("R98")
def test_a_second_tree_of_the_same_size_is_refused() -> None:
    said = judge(LOG.request(8, 8), 8, hash_leaf(b"another"), [KEY])

    assert said.outcome is Outcome.INCONSISTENT
    assert "different roots" in said.reason
    assert said.note == LOG.checkpoint(8)  # with the one we hold, the proof of it


def test_the_first_tree_needs_an_empty_proof() -> None:
    asked = AddCheckpoint(0, (bytes(32),), LOG.checkpoint(5))

    assert verdict(asked, 0).outcome is Outcome.INCONSISTENT


def test_a_log_that_we_were_not_told_of_is_unknown() -> None:
    other = Ed25519Signer.generate("other.example")

    assert verdict(LOG.request(0, 5), 0, other.verifier).outcome is Outcome.UNKNOWN_LOG


@pytest.mark.requirement("R98")
def test_a_stolen_name_is_not_enough() -> None:
    thief = Ed25519Signer.generate(KEY.name)
    asked = AddCheckpoint(0, (), SmallLog(thief).checkpoint(5))

    assert verdict(asked, 0).outcome is Outcome.NOT_SIGNED


def test_a_signature_of_another_log_of_ours_does_not_count() -> None:
    other = Ed25519Signer.generate("other.example")
    asked = AddCheckpoint(
        0, (), sign_note(LOG.checkpoint(5).partition(b"\n\n")[0] + b"\n", other)
    )

    said = verdict(asked, 0, KEY, other.verifier)

    assert said.outcome is Outcome.NOT_SIGNED


def test_a_log_that_changes_its_key_may_sign_with_both() -> None:
    new = Ed25519Signer.generate(KEY.name)
    both = Checkpoint(KEY.name, 5, LOG.root(5))
    note = sign_checkpoint(both, LOG.signer, new)
    asked = AddCheckpoint(0, (), note)

    assert verdict(asked, 0, KEY).note == LOG.checkpoint(5)
    assert verdict(asked, 0, KEY, new.verifier).note == note
    assert open_checkpoint(verdict(asked, 0, new.verifier).note, [new.verifier]) == both


def test_what_others_wrote_under_the_checkpoint_is_not_kept() -> None:
    line = cosign(LOG.checkpoint(5), OTHER_WITNESS, time=NEW_YEAR)
    asked = AddCheckpoint(0, (), add_cosignatures(LOG.checkpoint(5), [line]))

    assert verdict(asked, 0).note == LOG.checkpoint(5)


# The client


def test_lines_of_other_witnesses_are_passed_over() -> None:
    note = LOG.checkpoint(5)
    ours = cosign(note, WITNESS, time=NEW_YEAR)
    other = cosign(note, OTHER_WITNESS, time=NEW_YEAR)

    assert pick_cosignature(note, [other, ours], WITNESS.verifier) == (ours, NEW_YEAR)
    with pytest.raises(UnknownKeyError, match=r"witness\.example\.org/w1\+0d7cf386"):
        pick_cosignature(note, [other], WITNESS.verifier)


def test_of_several_lines_of_one_witness_the_earliest_is_taken() -> None:
    note = LOG.checkpoint(5)
    lines = [cosign(note, WITNESS, time=NEW_YEAR + late) for late in (9, 4, 60)]

    assert pick_cosignature(note, lines, WITNESS.verifier) == (lines[1], NEW_YEAR + 4)


@pytest.mark.requirement("R98")
def test_a_line_for_another_checkpoint_is_not_taken() -> None:
    line = cosign(LOG.checkpoint(4), WITNESS, time=NEW_YEAR)

    with pytest.raises(InvalidSignatureError):
        pick_cosignature(LOG.checkpoint(5), [line], WITNESS.verifier)


def test_a_missing_cosignature_is_told_by_name_and_id() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        pick_cosignature(LOG.checkpoint(5), [], WITNESS.verifier)

    assert str(caught.value) == (
        "expected a cosignature of witness.example.org/w1+0d7cf386, got none"
    )


STRANGER = Ed25519Signer.from_seed("log.example", b"2" * 32)
REWRITTEN = SmallLog(rewritten=2)
CONTINUES = LOG.request(5, 8)
VERDICTS: dict[str, tuple[Callable[[], Verdict], Verdict]] = {
    "a log that it does not know": (
        lambda: judge(CONTINUES, 5, LOG.root(5), [OTHER_WITNESS.verifier]),
        Verdict(Outcome.UNKNOWN_LOG, "this witness does not know that log"),
    ),
    "a signature of somebody else": (
        lambda: verdict(CONTINUES, 5, STRANGER.verifier),
        Verdict(
            Outcome.NOT_SIGNED,
            f"expected a signature of log.example+{STRANGER.key_id.hex()}, "
            f"got only log.example+{KEY.key_id.hex()}",
        ),
    ),
    "another size": (
        lambda: verdict(CONTINUES, 3),
        Verdict(Outcome.OTHER_SIZE, "the newest size here is 3", 3, LOG.checkpoint(8)),
    ),
    "another tree": (
        lambda: verdict(REWRITTEN.request(5, 8), 5),
        Verdict(
            Outcome.INCONSISTENT,
            "the tree of 8 leaves does not continue the tree of 5",
            5,
            REWRITTEN.checkpoint(8),
        ),
    ),
    "an honest step": (
        lambda: verdict(CONTINUES, 5),
        Verdict(Outcome.COSIGNED, "", 8, LOG.checkpoint(8)),
    ),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_a_verdict_tells_all_that_a_witness_and_its_people_need(case: str) -> None:
    say, expected = VERDICTS[case]

    assert say() == expected
