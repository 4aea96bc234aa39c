"""Go's own packages accept what we publish, and refuse it once it is damaged.

``checklog`` stands upon golang.org/x/mod ``note`` and ``tlog``, the code of Go's
checksum database, and shares no line with ours: how we read the standards is tried
against somebody else's reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.note import split_note
from consentkit.log.proof import parse_proof
from consentkit.log.tiles import parse_tile_path
from tests.outside.golang import Judge
from tests.outside.golang import build
from tests.outside.golang import find_go
from tests.outside.published import EARLY
from tests.outside.published import KEPT
from tests.outside.published import LATE
from tests.outside.published import REQUEST
from tests.outside.published import SIZE
from tests.outside.published import Published
from tests.outside.published import publish_log
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECEIPTS = (EARLY, LATE)
BUNDLE, LAST_BUNDLE = "log/tile/entries/000", f"log/tile/entries/001.p/{SIZE - 256}"
TILE, LAST_TILE = "log/tile/0/000", f"log/tile/0/001.p/{SIZE - 256}"
LEFT_OVER = f"p/{SIZE - 20 - 256}"  # of the publication before


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return build(tmp_path_factory.mktemp("go"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Published:
    wallet = Wallet(tmp_path_factory.mktemp("wallet"))
    return publish_log(wallet, tmp_path_factory.mktemp("published"))


@pytest.fixture
def given(whole: Published, tmp_path: Path) -> Published:
    return whole.copy(tmp_path / "copy")


def failed(lines: list[str]) -> list[str]:
    """The checks that did not hold."""
    return [line[5:].partition(":")[0] for line in lines if line.startswith("FAIL ")]


@pytest.mark.requirement("R96", "R99")
def test_go_accepts_a_log_and_what_was_kept_of_it(
    judge: Judge, whole: Published
) -> None:
    assert {TILE, LAST_TILE, f"log/tile/0/001.{LEFT_OVER}"} <= {
        path.relative_to(whole.folder).as_posix() for path in whole.log.rglob("*")
    }
    early, late = (parse_proof(whole.read(each)) for each in RECEIPTS)
    files = [path for path in (whole.log / "tile").rglob("*") if path.is_file()]

    status, lines = judge(whole, receipts=RECEIPTS)

    root = whole.read("log/checkpoint").split(b"\n")[2].decode()
    old = int(whole.read(KEPT).split(b"\n")[1])
    assert status == 0, lines
    assert lines == [
        f"ok   checkpoint: {SIZE} entries, root {root}",
        f"ok   entries: {SIZE} signed notes",
        "ok   tree: the entries have the signed root",
        f"ok   tiles: {len(files)} files",
        f"ok   since {KEPT}: continues the first {old} entries",
        f"ok   request {REQUEST}: proves {SIZE} entries to continue {old}",
        f"ok   receipt {EARLY}: entry {early.index} of {old}",
        f"ok   receipt {LATE}: entry {late.index} of {SIZE}",
    ]


@pytest.mark.requirement("R99")
def test_the_line_of_a_witness_does_not_disturb_go(
    judge: Judge, given: Published
) -> None:
    witness = Ed25519Signer.generate("w1", algorithm=Algorithm.COSIGNATURE_V1)
    note = given.read("log/checkpoint")
    line = cosign(note, witness, time=1_767_225_600)
    given.write("log/checkpoint", add_cosignatures(note, [line]))

    assert judge(given)[0] == 0


@pytest.mark.requirement("R97")
def test_go_opens_a_log_with_either_key_while_its_key_is_being_changed(
    judge: Judge, given: Published
) -> None:
    new = Ed25519Signer.generate(ORIGIN)
    note = given.read("log/checkpoint")
    text = split_note(note).text
    both = sign_checkpoint(parse_checkpoint_text(text), given.log_key, new)
    given.write("log/checkpoint", both)
    with_new_key = Published(given.folder, new, given.collector_key)

    assert judge(given)[0] == 0
    assert judge(with_new_key, since=(), requests=())[0] == 0
    given.write("log/checkpoint", note)
    assert failed(judge(with_new_key, since=(), requests=())[1]) == ["checkpoint"]


def by_a_stranger(given: Published) -> None:
    leaves = given.leaves()
    stranger = Ed25519Signer.generate(f"{ORIGIN}/collector/a1")
    leaves[SIZE - 1] = sign_leaf(read_leaf(leaves[SIZE - 1]).body, stranger)
    given.rewrite(leaves)


def without_the_third(given: Published) -> None:
    leaves = given.leaves()
    given.rewrite([*leaves[:2], *leaves[3:]])


def by_another_key(given: Published) -> None:
    name = given.log_key.name
    Published(
        given.folder, Ed25519Signer.generate(name), given.collector_key
    ).sign_text(b"", b"")


# What was done, and the first check that has to refuse it.
DAMAGES: dict[str, tuple[str, Callable[[Published], None]]] = {
    "a byte of the signed root": (
        "checkpoint",
        lambda given: given.flip("log/checkpoint", len(ORIGIN) + 8),
    ),
    "another size": (
        "checkpoint",
        lambda given: given.replace("log/checkpoint", b"\n300\n", b"\n299\n"),
    ),
    "no newline at the end of the checkpoint": (
        "checkpoint",
        lambda given: given.write("log/checkpoint", given.read("log/checkpoint")[:-1]),
    ),
    "the key of somebody with the same name": ("checkpoint", by_another_key),
    "another origin, signed": (
        "checkpoint",
        lambda given: given.sign_text(b"2026\n", b"2027\n"),
    ),
    "a zero before the size, signed": (
        "checkpoint",
        lambda given: given.sign_text(b"\n300\n", b"\n0300\n"),
    ),
    "a further line, signed": (
        "checkpoint",
        lambda given: given.sign_text(b"=\n", b"=\nfurther\n"),
    ),
    "no checkpoint": (
        "checkpoint",
        lambda given: (given.log / "checkpoint").unlink(),
    ),
    "a byte of an entry": ("entries", lambda given: given.flip(BUNDLE, 300)),
    "an entry too many": (
        "entries",
        lambda given: given.write(LAST_BUNDLE, given.read(LAST_BUNDLE) + b"\0\0"),
    ),
    "an entry that ends early": (
        "entries",
        lambda given: given.write(LAST_BUNDLE, given.read(LAST_BUNDLE)[:-1]),
    ),
    "no bundle": ("entries", lambda given: (given.folder / BUNDLE).unlink()),
    "an entry of a stranger, all signed anew": ("entries", by_a_stranger),
    "a larger size, signed": (
        "entries",
        lambda given: given.sign_text(b"\n300\n", b"\n301\n"),
    ),
    "another root, signed": (
        "tree",
        lambda given: given.sign_text(
            given.read("log/checkpoint").split(b"\n")[2], b"A" * 43 + b"="
        ),
    ),
    "a byte of a full tile": ("tiles", lambda given: given.flip(TILE, 8_191)),
    "a byte of a partial tile": ("tiles", lambda given: given.flip(LAST_TILE)),
    "a byte of the tile above": (
        "tiles",
        lambda given: given.flip("log/tile/1/000.p/1"),
    ),
    "a byte of a left-over tile": (
        "tiles",
        lambda given: given.flip(f"log/tile/0/001.{LEFT_OVER}"),
    ),
    "a byte of a left-over bundle": (
        "tiles",
        lambda given: given.flip(f"log/tile/entries/001.{LEFT_OVER}", 300),
    ),
    "a byte after a tile": (
        "tiles",
        lambda given: given.write(TILE, given.read(TILE) + b"\0"),
    ),
    "no tile": ("tiles", lambda given: (given.folder / LAST_TILE).unlink()),
    "a tile of entries that are not there": (
        "tiles",
        lambda given: given.write("log/tile/0/001.p/200", bytes(200 * 32)),
    ),
    "a file that is no tile": (
        "tiles",
        lambda given: given.write("log/tile/data/000", given.read(BUNDLE)),
    ),
    "an entry left out, all signed anew": (f"since {KEPT}", without_the_third),
    "the newest entries cut off, all signed anew": (
        f"receipt {LATE}",
        lambda given: given.rewrite(given.leaves()[:-3]),
    ),
    "an old checkpoint in the log's own folder that it does not continue": (
        "since 5",
        lambda given: given.write(
            "log/checkpoints/5",
            sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), given.log_key),
        ),
    ),
    "a proof for another old size": (
        f"request {REQUEST}",
        lambda given: given.replace(REQUEST, b"old ", b"old 1"),
    ),
    "a receipt for another index": (
        f"receipt {LATE}",
        lambda given: given.replace(LATE, b"index 2", b"index 1"),
    ),
    "a receipt with another entry": (
        f"receipt {LATE}",
        lambda given: given.replace(
            LATE,
            given.read(LATE).split(b"\n")[1],
            given.read(EARLY).split(b"\n")[1],
        ),
    ),
    "a receipt under another checkpoint": (
        f"receipt {LATE}",
        lambda given: given.replace(
            LATE, parse_proof(given.read(LATE)).checkpoint, given.read(KEPT)
        ),
    ),
    "a receipt without a hash of its path": (
        f"receipt {EARLY}",
        lambda given: given.write(
            EARLY, b"\n".join((lines := given.read(EARLY).split(b"\n"))[:3] + lines[4:])
        ),
    ),
}


@pytest.mark.requirement("R96", "R99")
@pytest.mark.parametrize("damage", DAMAGES)
def test_go_refuses_what_was_damaged(
    judge: Judge, given: Published, damage: str
) -> None:
    check, apply = DAMAGES[damage]
    apply(given)

    status, lines = judge(given, receipts=RECEIPTS)

    assert (status, failed(lines)[:1]) == (1, [check]), lines


@pytest.mark.requirement("R96")
def test_go_refuses_a_changed_byte_in_each_file_of_the_log(
    judge: Judge, whole: Published, tmp_path: Path
) -> None:
    """Every file, also those left over from smaller sizes, under its first reader."""
    paths = [
        path.relative_to(whole.log).as_posix()
        for path in (whole.log / "tile").rglob("*")
        if path.is_file()
    ]
    for number, path in enumerate(paths):
        given = whole.copy(tmp_path / str(number))
        assert parse_tile_path(path).path == path
        given.flip(f"log/{path}", len(given.read(f"log/{path}")) // 2)

        assert judge(given)[0] == 1, path


@pytest.mark.requirement("R96", "R99")
@pytest.mark.parametrize("path", [KEPT, REQUEST, *RECEIPTS])
def test_go_refuses_every_changed_byte_of_what_was_kept(
    judge: Judge, given: Published, path: str
) -> None:
    data = given.read(path)
    names = []
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        names.append(f"{at}-{path}")
        given.write(names[-1], changed)
    option, files = {
        KEPT: ("since", {"since": (KEPT, *names)}),
        REQUEST: ("request", {"requests": tuple(names)}),
    }.get(path, ("receipt", {"receipts": tuple(names)}))

    status, lines = judge(given, **files)

    assert status == 1
    assert failed(lines) == [f"{option} {name}" for name in names]


def test_without_go_the_tests_fail_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    word = "sudo apt-get install golang-go golang-golang-x-mod-dev"
    with pytest.raises(pytest.fail.Exception, match=f"only the compiler.*{word}"):
        find_go(packages=tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match=f"no `go`.*{word}"):
        find_go()
