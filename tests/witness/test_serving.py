"""A witness in a process of its own, asked as a log or a stranger would."""

from __future__ import annotations

import hashlib
import json
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from consentkit.log.cosignature import open_cosignature
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.note import split_note
from consentkit.log.witness import parse_answer
from consentkit.log.witness import pick_cosignature
from tests.log.small_log import SIZE
from tests.log.small_log import SmallLog
from tests.witness_process import WitnessProcess
from tests.witness_process import serve_witness
from tests.witness_process import start_witness

VECTORS = Path(__file__).parents[1] / "vectors"
TRANSCRIPT = json.loads((VECTORS / "witness_transcript.json").read_text("utf-8"))


def monitored(origin: str) -> str:
    return f"/{hashlib.sha256(origin.encode()).hexdigest()}/checkpoint"


def cosigned(witness: WitnessProcess, log: SmallLog, old: int, size: int) -> int:
    """The time of a good cosignature, which has to come."""
    said = witness.add_checkpoint(log.body(old, size))
    assert (said.status, said.content_type) == (200, "text/plain; charset=utf-8")
    lines = parse_answer(said.status, said.body).lines
    _, at = pick_cosignature(log.checkpoint(size), lines, witness.verifier)
    return at


@pytest.mark.requirement("R98")
def test_a_log_that_grows_is_cosigned_step_by_step(
    witness: WitnessProcess, log: SmallLog
) -> None:
    before = int(time.time())
    times = [cosigned(witness, log, old, old + 4) for old in range(0, 40, 4)]

    assert before <= times[0] <= times[-1] <= time.time()
    assert times == sorted(times)
    assert cosigned(witness, log, 40, 40)  # again: the answer may have been lost


@pytest.mark.requirement("R98")
def test_the_published_transcript_gets_the_answers_of_the_standard(
    tmp_path: Path,
) -> None:
    public = bytes.fromhex(TRANSCRIPT["log_ed25519_public_key_hex"])
    key = Verifier(TRANSCRIPT["log_origin"], Algorithm.ED25519, public)
    with serve_witness(tmp_path, key.vkey) as witness:
        said = [
            witness.add_checkpoint(step["request_body"].encode())
            for step in TRANSCRIPT["steps"]
        ]

    assert [each.status for each in said] == [
        *(200, 400, 404, 422, 422, 200, 409, 200, 409)
    ]
    assert [each.body for each in said if each.status == 409] == [b"3\n", b"5\n"]
    assert {each.content_type for each in said if each.status == 409} == {
        "text/x.tlog.size"
    }


@pytest.mark.requirement("R98")
def test_a_rewritten_log_is_refused_whatever_it_sends(
    witness: WitnessProcess, log: SmallLog
) -> None:
    cosigned(witness, log, 0, 20)
    forged = SmallLog(rewritten=7)

    assert witness.add_checkpoint(forged.body(20, 30)).status == 422
    assert witness.add_checkpoint(forged.body(20, 20)).status == 422
    for old, size in [(0, 30), (7, 30), (10, 10), (0, 0)]:
        said = witness.add_checkpoint(forged.body(old, size))
        assert (said.status, said.body) == (409, b"20\n")
    cosigned(witness, log, 20, 30)  # the honest one goes on


@pytest.mark.requirement("R98")
def test_two_signed_trees_of_one_size_are_kept_as_proof(
    tmp_path: Path, log: SmallLog
) -> None:
    forged = SmallLog(rewritten=7)
    with serve_witness(tmp_path, log.signer.vkey) as witness:
        cosigned(witness, log, 0, 20)
        for _ in range(2):
            witness.add_checkpoint(forged.body(20, 20))
        witness.process.terminate()
        _, errors = witness.process.communicate(timeout=30)

    with closing(sqlite3.connect(tmp_path / "witness.sqlite3")) as memory:
        ((origin, ours, theirs),) = memory.execute(
            "SELECT origin, ours, theirs FROM contradiction"
        )
    assert origin == log.signer.name
    assert open_cosignature(ours, witness.verifier)
    assert theirs == forged.checkpoint(20)
    assert errors.count("SPLIT VIEW") == 1
    assert theirs.decode() in errors


def test_a_smaller_tree_than_cosigned_is_told_the_size(
    witness: WitnessProcess, log: SmallLog
) -> None:
    cosigned(witness, log, 0, 20)

    said = witness.add_checkpoint(log.body(0, 10))

    assert (said.status, said.body, said.content_type) == (
        *(409, b"20\n", "text/x.tlog.size"),
    )


@pytest.mark.requirement("R98")
def test_a_foreign_key_and_an_unknown_log_are_refused(
    bystander: WitnessProcess,
) -> None:
    thief = SmallLog(Ed25519Signer.generate("log.example"))
    stranger = SmallLog(Ed25519Signer.generate("stranger.example"))

    assert bystander.add_checkpoint(thief.body(0, 5)).status == 403
    assert bystander.add_checkpoint(stranger.body(0, 5)).status == 404


MALFORMED = {
    "nothing": b"",
    "words": b"please sign this",
    "old beyond new": SmallLog().body(0, 5).replace(b"old 0", b"old 6"),
    "no number": SmallLog().body(0, 5).replace(b"old 0", b"old x"),
    "no signature": SmallLog().body(0, 5).partition("— ".encode())[0],
    "zero bytes": bytes(500),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_malformed(bystander: WitnessProcess, name: str) -> None:
    said = bystander.add_checkpoint(MALFORMED[name])

    assert said.status == 400
    assert said.body.startswith(b"expected ") or said.body.startswith(b"a ")


# Memory


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_witness_that_is_stopped_or_killed_remembers(
    tmp_path: Path, log: SmallLog, how: signal.Signals
) -> None:
    forged = SmallLog(rewritten=0)
    keys = set()
    for size in (0, 10, 20, 30):
        with serve_witness(tmp_path, log.signer.vkey) as witness:
            keys.add(witness.vkey)
            if size:
                assert witness.add_checkpoint(forged.body(size, 40)).status == 422
                assert witness.add_checkpoint(log.body(0, 40)).body == b"%d\n" % size
            cosigned(witness, log, size, size + 10)
            witness.process.send_signal(how)
            assert witness.process.wait(30) == (-9 if how == signal.SIGKILL else 0)

    assert len(keys) == 1


@pytest.mark.requirement("R98")
def test_killed_at_any_moment_it_never_forgets_what_it_answered(
    tmp_path: Path, log: SmallLog
) -> None:
    answered = 0
    for delay in (0.001, 0.003, 0.006, 0.010, 0.020, 0.040):
        with serve_witness(tmp_path, log.signer.vkey) as witness:
            remembered = size_of(witness, log)
            assert remembered >= answered
            threading.Timer(delay, witness.process.kill).start()
            for size in range(remembered, SIZE):
                try:
                    said = witness.add_checkpoint(log.body(size, size + 1))
                except urllib3.exceptions.HTTPError:
                    break
                assert said.status == 200
                answered = size + 1

    with serve_witness(tmp_path, log.signer.vkey) as witness:
        assert size_of(witness, log) >= answered > 0


def size_of(witness: WitnessProcess, log: SmallLog) -> int:
    """The size that the witness remembers; a request for size 0 changes nothing."""
    said = witness.add_checkpoint(log.body(0, 0))
    return int(said.body) if said.status == 409 else 0


@pytest.mark.requirement("R98")
def test_of_two_at_once_that_continue_one_tree_one_is_cosigned(
    witness: WitnessProcess, log: SmallLog
) -> None:
    bodies = [log.body(0, 1 + number) for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(witness.add_checkpoint, bodies))

    assert sorted(each.status for each in said) == [200] + [409] * 15
    (winner,) = [n for n, each in enumerate(said) if each.status == 200]
    assert {each.body for each in said if each.status == 409} == {
        b"%d\n" % (winner + 1)
    }


@pytest.mark.requirement("R98")
def test_two_processes_with_one_memory_never_cosign_two_trees(
    tmp_path: Path, log: SmallLog
) -> None:
    trees = [log, SmallLog(rewritten=0)]
    with (
        serve_witness(tmp_path, log.signer.vkey) as one,
        serve_witness(tmp_path, log.signer.vkey) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        winners = set()
        for at in range(12):
            bodies = [tree.body(at, at + 1) for tree in trees]
            jobs = [
                pool.submit(one.add_checkpoint, bodies[0]),
                pool.submit(other.add_checkpoint, bodies[1]),
            ]
            winners |= {n for n, job in enumerate(jobs) if job.result().status == 200}

    assert one.vkey == other.vkey
    assert len(winners) == 1


# Monitoring


def test_anybody_can_see_the_newest_cosigned_checkpoint(
    witness: WitnessProcess, log: SmallLog
) -> None:
    path = monitored(log.signer.name)
    assert witness.request("GET", path).status == 404
    for old, size in [(0, 3), (3, 9)]:
        at = cosigned(witness, log, old, size)

        said = witness.request("GET", path)

        assert said.body.startswith(log.checkpoint(size))
        assert open_cosignature(said.body, witness.verifier) == at
        assert len(split_note(said.body).signatures) == 2


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/checkpoint", "/add-checkpoint", monitored("other.example")),
        monitored("log.example").upper(),
        monitored("log.example") + "/",
        monitored("log.example") + "?x",
        "/../witness.pem",
        "/witness.sqlite3",
    ],
)
def test_nothing_else_is_shown(
    bystander: WitnessProcess, log: SmallLog, path: str
) -> None:
    bystander.add_checkpoint(log.body(0, 3))

    assert bystander.request("GET", path).status == 404
    assert bystander.request("POST", monitored("log.example"), b"x").status == 404
    assert bystander.request("PUT", "/add-checkpoint", b"x").status == 501


def test_a_second_witness_at_the_same_address_is_refused_in_one_line(
    witness: WitnessProcess, tmp_path: Path, log: SmallLog
) -> None:
    listen = witness.url.removeprefix("http://")
    process = start_witness(tmp_path / "other", log.signer.vkey, listen=listen)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 2
    assert errors.startswith("consentkit: --listen 127.0.0.1:")
    assert len(errors.splitlines()) == 1
