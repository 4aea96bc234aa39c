"""What a log and a witness say to each other, and when the witness says yes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from consentkit.log.witness import MAX_ANSWER_BYTES
from consentkit.log.witness import MAX_REQUEST_BYTES
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import Answer
from consentkit.log.witness import Outcome
from consentkit.log.witness import Verdict
from consentkit.log.witness import format_answer
from consentkit.log.witness import format_request
from consentkit.log.witness import judge
from consentkit.log.witness import parse_answer
from consentkit.log.witness import parse_request
from consentkit.log.witness import pick_cosignature
from tests.log.small_log import SmallLog

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))
TRANSCRIPT = json.loads((VECTORS / "witness_transcript.json").read_text("utf-8"))

ADD = OWN["add_checkpoint"]
BODY: bytes = ADD["body"].encode()
WITNESS = Ed25519Signer.from_seed(
    "witness.example.org/w1",
    bytes.fromhex(OWN["keys"]["witness"]["seed_hex"]),
    algorithm=Algorithm.COSIGNATURE_V1,
)
OTHER_WITNESS = Ed25519Signer.generate("w2", algorithm=Algorithm.COSIGNATURE_V1)
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z

LOG = SmallLog()
KEY = LOG.signer.verifier
HASH = b"KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


def verdict(asked: AddCheckpoint, known: int, *keys: Verifier) -> Verdict:
    return judge(asked, known, LOG.root(known), keys or [KEY])


# The format


def test_the_request_of_the_vector_is_ours() -> None:
    parsed = parse_request(BODY)

    assert parsed.old == ADD["old_size"]
    assert len(parsed.proof) == 4
    assert parsed.checkpoint.size == 5
    assert format_request(parsed) == BODY


def test_the_answer_of_the_vector_is_ours() -> None:
    note = parse_request(BODY).note
    line = cosign(note, WITNESS, time=NEW_YEAR)
    body = format_answer(Verdict(Outcome.COSIGNED, size=5, note=note), [line])

    assert body == ADD["response"].encode()
    answer = parse_answer(200, body)
    assert pick_cosignature(note, answer.lines, WITNESS.verifier) == (line, NEW_YEAR)


@given(st.integers(0, 40), st.data())
def test_every_request_reads_back(size: int, data: st.DataObject) -> None:
    asked = LOG.request(data.draw(st.integers(0, size)), size)

    assert parse_request(format_request(asked)) == asked


BAD_REQUESTS = {
    "nothing": b"",
    "the checkpoint alone": BODY.partition(b"\n\n")[2],
    "no old size": BODY.replace(b"old 3\n", b""),
    "old size without a number": BODY.replace(b"old 3", b"old "),
    "old size with a sign": BODY.replace(b"old 3", b"old +3"),
    "old size with a leading zero": BODY.replace(b"old 3", b"old 03"),
    "old size in Arabic digits": BODY.replace(b"old 3", "old ٣".encode()),
    "old size with a space": BODY.replace(b"old 3", b"old  3"),
    "old size in capitals": BODY.replace(b"old 3", b"OLD 3"),
    "old size below zero": BODY.replace(b"old 3", b"old -1"),
    "old size beyond the checkpoint": BODY.replace(b"old 3", b"old 6"),
    "a hash cut short": BODY.replace(b"/PCm", b""),
    "a hash with stray bits": BODY.replace(b"F38=\n", b"F39=\n"),
    "a hash that is text": BODY.replace(b"\nWDx9", b"\n    "),
    "64 hashes": BODY.replace(b"old 3\n", b"old 3\n" + HASH * 60),
    "windows line ends": BODY.replace(b"\n", b"\r\n"),
    "no empty line": BODY.replace(b"\n\nconsent", b"\nconsent"),
    "two empty lines": BODY.replace(b"\n\nconsent", b"\n\n\nconsent"),
    "no final newline": BODY[:-1],
    "an extension line": BODY.replace(b"WW8=\n", b"WW8=\nextension\n"),
    "no signature": BODY.partition("— ".encode())[0],
    "no UTF-8": BODY.replace(b"acme", b"acm\xff"),
    "too long": BODY + b"x" * MAX_REQUEST_BYTES,
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_refused(name: str) -> None:
    assert BAD_REQUESTS[name] != BODY
    with pytest.raises(MalformedError):
        parse_request(BAD_REQUESTS[name])


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_request(data)
    with pytest.raises(MalformedError):
        parse_answer(200, data)


def test_the_largest_request_is_within_the_limit() -> None:
    lines = b"".join(
        cosign(LOG.checkpoint(40), OTHER_WITNESS, time=n) for n in range(99)
    )
    asked = AddCheckpoint(39, (bytes(32),) * 63, LOG.checkpoint(40) + lines)

    assert parse_request(format_request(asked)) == asked


BAD_ANSWERS: dict[str, tuple[int, bytes]] = {
    "an unknown status": (302, b""),
    "a yes without a line": (200, b""),
    "a yes in words": (200, b"ok\n"),
    "a line cut short": (200, ADD["response"].encode()[:-5]),
    "a line without its newline": (200, ADD["response"].encode()[:-1] + b"=="),
    "an empty line between": (200, ADD["response"].encode() * 2 + b"\n"),
    "a size without newline": (409, b"3"),
    "a size with two newlines": (409, b"3\n\n"),
    "a size in words": (409, b"three\n"),
    "a size with a sign": (409, b"+3\n"),
    "an endless yes": (200, b"x" * (MAX_ANSWER_BYTES + 1)),
    "an endless no": (403, b"x" * (MAX_ANSWER_BYTES + 1)),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        parse_answer(*BAD_ANSWERS[name])


@pytest.mark.parametrize("outcome", [Outcome.MALFORMED, Outcome.UNKNOWN_LOG])
def test_a_no_says_why_to_people_and_reads_back_as_a_no(outcome: Outcome) -> None:
    body = format_answer(Verdict(outcome, "because"))

    assert body == b"because\n"
    assert parse_answer(outcome, body) == Answer(outcome)


def test_another_size_is_declared_as_the_standard_has_it() -> None:
    body = format_answer(Verdict(Outcome.OTHER_SIZE, size=7))

    assert (body, Outcome.OTHER_SIZE.content_type) == (b"7\n", "text/x.tlog.size")
    assert parse_answer(409, body).size == 7


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


def test_an_answer_may_hold_the_lines_of_several_keys() -> None:
    note = LOG.checkpoint(5)
    lines = [cosign(note, key, time=NEW_YEAR) for key in (WITNESS, OTHER_WITNESS)]
    body = format_answer(Verdict(Outcome.COSIGNED, size=5, note=note), lines)

    assert body == b"".join(lines)
    assert parse_answer(200, body) == Answer(Outcome.COSIGNED, tuple(lines))
    assert parse_answer(409, b"7\n") == Answer(Outcome.OTHER_SIZE, size=7)


def test_an_answer_of_exactly_the_limit_is_read() -> None:
    name, encoded = b"n" * 506, b"A" * 512
    line = "— ".encode() + name + b" " + encoded + b"\n"
    body = line * (MAX_ANSWER_BYTES // len(line))

    assert len(body) == MAX_ANSWER_BYTES
    assert len(parse_answer(200, body).lines) == 64


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "length of a request": (
        lambda: parse_request(b"x" * (MAX_REQUEST_BYTES + 1)),
        f"a request has at most {MAX_REQUEST_BYTES} bytes, got {MAX_REQUEST_BYTES + 1}",
    ),
    "hashes": (
        lambda: parse_request(BAD_REQUESTS["64 hashes"]),
        "expected at most 63 hashes, each of 32 bytes",
    ),
    "old size": (
        lambda: parse_request(BAD_REQUESTS["old size beyond the checkpoint"]),
        "expected an old size from 0 to the checkpoint's 5, got 6",
    ),
    "first line": (
        lambda: parse_request(BAD_REQUESTS["no old size"]),
        "expected a first line 'old <size>'",
    ),
    "status": (
        lambda: parse_answer(302, b""),
        "expected a witness's answer, got status 302",
    ),
    "length of an answer": (
        lambda: parse_answer(403, b"x" * (MAX_ANSWER_BYTES + 1)),
        f"an answer has at most {MAX_ANSWER_BYTES} bytes",
    ),
    "end of an answer": (
        lambda: parse_answer(409, b"3"),
        "expected a newline at the end of the answer",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message


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
