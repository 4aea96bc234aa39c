"""A witness is its key and its memory: neither is used without the other."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from consentkit.cli import main
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.witness import Outcome
from consentkit.witness.cosigning import Witness
from consentkit.witness.cosigning import read_origin_keys
from consentkit.witness.identity import KEY_FILE
from consentkit.witness.identity import open_key
from consentkit.witness.memory import NOTHING_YET
from consentkit.witness.memory import Memory
from consentkit.witness.memory import Remembered
from tests.log.small_log import SmallLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

NAME = "witness.example/w1"
TREE = Remembered(3, b"r" * 32, b"note")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with closing(Memory(tmp_path / "witness.sqlite3")) as opened:
        yield opened


@pytest.mark.requirement("R97")
def test_the_key_is_made_once_and_is_the_owners_alone(
    tmp_path: Path, memory: Memory
) -> None:
    first = open_key(tmp_path, memory, name=NAME)
    again = open_key(tmp_path, memory, name="")

    assert first.algorithm is Algorithm.COSIGNATURE_V1
    assert (first.name, again.vkey) == (NAME, first.vkey)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "witness.sqlite3")) as file:
        assert first.to_pem() not in "\n".join(file.iterdump()).encode()


def lose_key(folder: Path) -> None:
    (folder / KEY_FILE).unlink()


def open_key_to_others(folder: Path) -> None:
    (folder / KEY_FILE).chmod(0o640)


def put_another_key(folder: Path) -> None:
    key = Ed25519Signer.generate(NAME, algorithm=Algorithm.COSIGNATURE_V1)
    (folder / KEY_FILE).write_bytes(key.to_pem())


def spoil_key(folder: Path) -> None:
    (folder / KEY_FILE).write_bytes(b"no key")


def put_a_folder(folder: Path) -> None:
    (folder / KEY_FILE).unlink()
    (folder / KEY_FILE).mkdir(mode=0o700)


DAMAGE: dict[Callable[[Path], None], str] = {
    lose_key: "put it back",
    open_key_to_others: "chmod 600",
    put_another_key: "it is another",
    spoil_key: "unencrypted PKCS #8 PEM",
    put_a_folder: "cannot be read",
}


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("damage", DAMAGE)
def test_another_key_than_the_first_is_not_used(
    tmp_path: Path, memory: Memory, damage: Callable[[Path], None]
) -> None:
    open_key(tmp_path, memory, name=NAME)
    damage(tmp_path)
    before = sorted(os.listdir(tmp_path))  # noqa: PTH208  names alone

    with pytest.raises(ConfigurationError, match=DAMAGE[damage]):
        open_key(tmp_path, memory, name=NAME)

    assert sorted(os.listdir(tmp_path)) == before  # noqa: PTH208  names alone


@pytest.mark.requirement("R98")
def test_a_key_whose_memory_is_lost_is_not_used(tmp_path: Path, memory: Memory) -> None:
    """It would cosign a second past under the name of the first."""
    open_key(tmp_path, memory, name=NAME)
    (tmp_path / "witness.sqlite3").unlink()

    with (
        closing(Memory(tmp_path / "witness.sqlite3")) as empty,
        pytest.raises(ConfigurationError, match="memory of its witness is not"),
    ):
        open_key(tmp_path, empty, name=NAME)


def test_a_witness_keeps_its_name(tmp_path: Path, memory: Memory) -> None:
    open_key(tmp_path, memory, name=NAME)

    with pytest.raises(ConfigurationError, match="since its first start"):
        open_key(tmp_path, memory, name="another")


@pytest.mark.parametrize("name", ["a b", "a+b", "", "a\n"])
def test_a_name_that_cannot_stand_on_a_line_is_refused(
    tmp_path: Path, memory: Memory, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="--name"):
        open_key(tmp_path, memory, name=name)

    assert not (tmp_path / KEY_FILE).exists()


# The memory


def test_what_was_kept_in_a_turn_that_broke_is_not_there(memory: Memory) -> None:
    with memory.turn():
        assert memory.newest("log") == NOTHING_YET
        memory.keep("log", TREE, time=1)
    with pytest.raises(LogUnavailableError), memory.turn():  # noqa: PT012  a turn
        memory.keep("log", Remembered(9, b"x" * 32, b""), time=2)
        memory._connection.execute("no SQL")

    with memory.turn():
        assert memory.newest("log") == TREE
        assert memory.newest("other") == NOTHING_YET


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "witness.sqlite3"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE somebody_elses (x)")
    before = file.read_bytes()

    with pytest.raises(ConfigurationError, match="a folder of its own"):
        Memory(file)

    assert file.read_bytes() == before


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "witness.sqlite3"
    Memory(file).close()
    with closing(sqlite3.connect(file)) as newer:
        newer.execute("PRAGMA user_version = 2")

    with pytest.raises(ConfigurationError, match="version 1, got version 2"):
        Memory(file)


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "witness.sqlite3").write_bytes(b"no database " * 100)

    with pytest.raises(LogUnavailableError, match="memory did not answer"):
        Memory(tmp_path / "witness.sqlite3")


@pytest.mark.requirement("R98")
def test_what_cannot_be_remembered_is_not_cosigned(
    tmp_path: Path, memory: Memory
) -> None:
    log = SmallLog()
    witness = Witness(
        open_key(tmp_path, memory, name=NAME),
        [log.signer.verifier],
        memory,
        clock=lambda: 1,
    )
    memory._connection.execute("PRAGMA query_only=ON")
    with pytest.raises(LogUnavailableError):
        witness.add_checkpoint(log.body(0, 5))
    memory._connection.execute("PRAGMA query_only=OFF")

    assert witness.add_checkpoint(log.body(0, 5)).outcome is Outcome.COSIGNED


@pytest.mark.requirement("R98")
def test_a_commit_survives_a_power_cut(memory: Memory) -> None:
    """EXTRA (3): the end of the rollback journal is on the disk, too."""
    ((level,),) = memory._connection.execute("PRAGMA synchronous").fetchall()
    ((mode,),) = memory._connection.execute("PRAGMA journal_mode").fetchall()

    assert (level, mode) == (3, "delete")


# The command


LOG_KEY = SmallLog().signer.vkey
WITNESS_KEY = Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1).vkey
WRONG: dict[str, tuple[list[str], str]] = {
    "a witness's key": (["--origin-key", WITNESS_KEY], "keys of type 01"),
    "no key": (["--origin-key", "log.example"], "--origin-key 'log.example'"),
    "no port": (["--origin-key", LOG_KEY, "--listen", "127.0.0.1"], "HOST:PORT"),
    "no host": (["--origin-key", LOG_KEY, "--listen", ":80"], "HOST:PORT"),
    "a port too high": (["--origin-key", LOG_KEY, "--listen", "h:65536"], "HOST:PORT"),
    "a bad name": (["--origin-key", LOG_KEY, "--name", "a b"], "--name"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_served_is_refused_with_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    options, expected = WRONG[name]

    assert main(["witness", "serve", "--state", str(tmp_path), *options]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert expected in printed.err


def test_a_state_folder_that_cannot_be_made_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    state = str(tmp_path / "taken" / "below")

    assert main(["witness", "serve", "--state", state, "--origin-key", LOG_KEY]) == 2
    assert "--state" in capsys.readouterr().err


def test_keys_given_twice_are_one() -> None:
    assert read_origin_keys([LOG_KEY, LOG_KEY]) == (SmallLog().signer.verifier,)
