"""What a log asks a witness and what it answers, byte for byte (tlog-witness)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import MalformedError
from consentkit.log.cosignature import cosign
from consentkit.log.witness import MAX_ANSWER_BYTES
from consentkit.log.witness import MAX_REQUEST_BYTES
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import Answer
from consentkit.log.witness import Outcome
from consentkit.log.witness import Verdict
from consentkit.log.witness import format_answer
from consentkit.log.witness import format_request
from consentkit.log.witness import parse_answer
from consentkit.log.witness import parse_request
from consentkit.log.witness import pick_cosignature
from tests.log.witness_talk import ADD
from tests.log.witness_talk import BODY
from tests.log.witness_talk import HASH
from tests.log.witness_talk import LOG
from tests.log.witness_talk import NEW_YEAR
from tests.log.witness_talk import OTHER_WITNESS
from tests.log.witness_talk import WITNESS


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
