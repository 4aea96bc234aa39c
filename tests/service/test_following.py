"""Attack or accident: two machines publish one log, and one of them only follows.

What it remembers then is what the other signed, so that yesterday's database is refused
by it as well; and nothing but that, whatever a row or a file says.
"""

from __future__ import annotations

import fcntl
import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.core.decision import Reason
from consentkit.errors import LogConflictError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.publishing import publish_or_stop
from consentkit.store.publications import Publications
from tests.service.contending import Host
from tests.service.crashing import crash
from tests.service.log_files import say
from tests.service.restored import back_up
from tests.service.restored import put_back
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgres_server import PostgresServer

ENGINES = ("sqlite", "postgresql")


def other(wallet: Wallet, *, logs: str = "other") -> Host:
    """Another machine: the same database and keys, and files of its own."""
    return Host(
        wallet.folder, clock=wallet.clock, logs_folder=logs, high_water="other.mark"
    )


def following(wallet: Wallet) -> Host:
    """One that has begun to follow, and is three leaves behind."""
    publish_all(wallet.installation)
    host = other(wallet)
    accept_high_water(host.installation)
    say(wallet, times=3)
    publish_all(wallet.installation)
    return host


def mark_of(wallet: Wallet) -> Path:
    return wallet.installation.high_water.path


def newest(wallet: Wallet) -> tuple[int, bytes]:
    found = wallet.installation.publications.latest()
    assert found
    return found


def refuses(host: Wallet) -> None:
    """It signs and remembers nothing, and says what to do."""
    known = mark_of(host).read_bytes()
    with pytest.raises(LogConflictError, match="nothing was signed or overwritten"):
        publish_all(host.installation)
    assert mark_of(host).read_bytes() == known


@pytest.mark.requirement("R119")
def test_who_only_follows_remembers_what_another_machine_signed(
    wallet: Wallet,
) -> None:
    host = following(wallet)
    for _ in range(2):
        assert mark_of(host).read_bytes() != mark_of(wallet).read_bytes()
        size = publish_all(host.installation)
        assert size == len(wallet.leaves())
        assert mark_of(host).read_bytes() == newest(wallet)[1]
        say(wallet, times=2)
        publish_all(wallet.installation)


def test_who_has_caught_up_asks_the_database_for_nothing_more(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = following(wallet)
    trees = Publications.prefixes
    asked: list[int] = []

    def counted(publications: Publications) -> object:
        asked.append(1)
        return trees(publications)

    monkeypatch.setattr(Publications, "prefixes", counted)
    counts = []
    for _ in range(3):
        publish_all(host.installation)
        counts.append(len(asked))
    assert counts == [1, 1, 1]


@pytest.mark.requirement("R58", "R119")
def test_an_older_copy_is_refused_by_the_machine_that_only_followed(
    wallet: Wallet, request: pytest.FixtureRequest
) -> None:
    """All that the first one knew is lost, and so is what the second one showed."""
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    wallet.installation.close()
    older = copy_of(wallet, request)
    wallet.revoke("alice")
    host = following(wallet)
    publish_all(host.installation)
    host.installation.close()
    wallet.installation.close()
    put_copy_back(wallet, older)
    for folder in ("logs", "other"):
        shutil.rmtree(wallet.folder / folder)
    mark_of(wallet).unlink()

    restored = other(wallet)

    assert restored.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED
    refuses(restored)
    for said in (1, 9):
        say(restored, times=said)
        refuses(restored)


def copy_of(wallet: Wallet, request: pytest.FixtureRequest) -> Path | str:
    if not wallet.uri:
        return back_up(wallet)
    server: PostgresServer = request.getfixturevalue("postgres")
    name = wallet.uri.partition("@/")[2].partition("?")[0]
    return server.new_database(template=name)


def put_copy_back(wallet: Wallet, copy: Path | str) -> None:
    wallet.damaged = True
    if isinstance(copy, str):
        (wallet.folder / "uri").write_text(copy)
    else:
        put_back(wallet, copy).installation.close()


def unsigned(_host: Wallet, size: int, root: bytes) -> bytes:
    return Checkpoint(ORIGIN, size, root).text() + b"\n"


def by_another_key(_host: Wallet, size: int, root: bytes) -> bytes:
    stranger = Ed25519Signer.generate(ORIGIN)
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), stranger)


def of_another_tree(host: Wallet, size: int, _root: bytes) -> bytes:
    key = host.installation.keyring.log
    return sign_checkpoint(Checkpoint(ORIGIN, size, b"x" * 32), key)


def of_another_size(host: Wallet, size: int, root: bytes) -> bytes:
    key = host.installation.keyring.log
    return sign_checkpoint(Checkpoint(ORIGIN, size + 1, root), key)


ROWS: dict[str, Callable[[Wallet, int, bytes], bytes]] = {
    "nothing": lambda *_: b"",
    "unsigned": unsigned,
    "by another key": by_another_key,
    "of another tree": of_another_tree,
    "of another size": of_another_size,
}


@pytest.mark.sqlite
@pytest.mark.requirement("R119")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("more", [0, 1], ids=["in its place", "beyond the entries"])
def test_a_row_that_the_log_has_not_signed_of_its_entries_is_never_remembered(
    wallet: Wallet, row: Callable[[Wallet, int, bytes], bytes], more: int
) -> None:
    host = following(wallet)
    wallet.damaged = True
    size, note = newest(wallet)
    root = open_checkpoint(note, wallet.trust.log).root
    forged = row(wallet, size + more, root)
    wallet.sql("DELETE FROM consent_checkpoint WHERE size = ?", size + more)
    wallet.sql(
        "INSERT INTO consent_checkpoint (log, size, note, time) VALUES (1, ?, ?, 0)",
        size + more,
        forged,
    )
    refuses(host)


@pytest.mark.sqlite
@pytest.mark.requirement("R119")
def test_what_does_not_continue_all_that_is_known_is_not_remembered(
    wallet: Wallet,
) -> None:
    """Its own file, and what it has shown, each stop it alone."""
    host = following(wallet)
    wallet.damaged = True
    shown, mark = host.logs / "checkpoint", mark_of(host)
    false = of_another_tree(wallet, 2, b"")
    for place in (mark, shown):
        place.parent.mkdir(exist_ok=True)
        good = place.read_bytes() if place.exists() else None
        place.write_bytes(false)
        refuses(host)
        if good is not None:
            place.write_bytes(good)
    shown.unlink()
    publish_all(host.installation)
    assert mark.read_bytes() == newest(wallet)[1]


@pytest.mark.sqlite
def test_a_file_that_is_ahead_does_not_go_back(wallet: Wallet) -> None:
    """A crash between the file and the commit leaves it so, until others are as far."""
    host = following(wallet)
    publish_all(host.installation)
    say(wallet)
    publish_all(wallet.installation)
    ahead = mark_of(wallet).read_bytes()
    mark_of(host).write_bytes(ahead)
    assert publish_all(host.installation) == newest(wallet)[0]
    assert mark_of(host).read_bytes() == ahead
    wallet.damaged = True
    wallet.sql("DELETE FROM consent_checkpoint WHERE size = ?", newest(wallet)[0])
    publish_all(host.installation)
    assert mark_of(host).read_bytes() == ahead


@pytest.mark.sqlite
@pytest.mark.requirement("R119")
def test_who_is_killed_while_it_follows_has_followed_or_has_not(
    wallet: Wallet,
) -> None:
    host = following(wallet)
    before = mark_of(host).read_bytes()
    publish_all(host.installation)
    at = 0
    left: set[bytes] = set()
    while len(left) < 2:
        at += 2
        mark_of(host).write_bytes(before)
        assert crash(lambda _: publish_all(host.installation), at=at).killed
        left.add(mark_of(host).read_bytes())
        assert left <= {before, newest(wallet)[1]}
    publish_all(host.installation)
    assert mark_of(host).read_bytes() == newest(wallet)[1]
    assert at > 20


@pytest.mark.sqlite
@pytest.mark.requirement("R58", "R119")
def test_who_is_never_elected_follows_what_the_other_machine_shows_it(
    wallet: Wallet,
) -> None:
    """They have the folder of the published log in common, and the election."""
    publish_all(wallet.installation)
    host = other(wallet, logs="logs")
    accept_high_water(host.installation)
    older = back_up(wallet)
    say(wallet, times=3)
    publish_all(wallet.installation)
    lock = wallet.logs.with_name(f".{wallet.logs.name}.lock")
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert publish_all(host.installation) is None
    assert mark_of(host).read_bytes() == newest(wallet)[1]
    restored = put_back(wallet, older)
    shutil.rmtree(restored.logs)
    host = other(restored, logs="logs")
    with pytest.raises(LogConflictError, match=r"other\.mark"):
        publish_or_stop(host.installation)
