"""A log that ended is copied to a place for good, and found there as it was signed."""

from __future__ import annotations

import functools
import http.server
import threading
from contextlib import closing
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from consentkit import cli
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import README
from consentkit.audit.bundle import FolderSource
from consentkit.audit.bundle import open_source
from consentkit.audit.verify import verify_log
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError
from consentkit.log.cosignature import cosign
from consentkit.service.administering import administrative_acts
from consentkit.service.archive_folder import FolderArchive
from consentkit.service.archiving import archive_log
from consentkit.service.keyring import folder_of
from consentkit.service.rebuilding import differences
from consentkit.store.logs import find_logs
from consentkit.store.publications import Publications
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing
from consentkit.store.witnesses import Witnesses
from tests.service.crashing import crash
from tests.service.exports import WITNESS
from tests.service.log_files import files
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.periods import THIRD
from tests.service.periods import archive
from tests.service.periods import lived_in
from tests.service.periods import new_wallet
from tests.service.periods import next_period
from tests.service.periods import periods
from tests.service.periods import prove
from tests.service.periods import trust_in
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def wallet(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> Iterator[Wallet]:
    """One whose first period is over."""
    wallet = lived_in(new_wallet(tmp_path / "wallet", engine, request))
    next_period(wallet)
    yield wallet
    if not wallet.damaged:
        assert list(differences(wallet.installation)) == []
    Wallet.close_all()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the first log is archived."""
    return folder_of(tmp_path / "archive", FIRST)


def pack(wallet: Wallet, place: Path) -> None:
    archive(wallet, place.parent)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A plain static server of that folder."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.requirement("R99")
def test_an_archive_is_verified_with_nothing_but_the_log_key(
    wallet: Wallet, place: Path
) -> None:
    done = archive(wallet, place.parent)
    old = wallet.installation.of_log(FIRST)
    verified = verify_log(FolderSource(place), trust=trust_in(wallet, FIRST))
    assert (verified.size, done.size) == (periods(wallet)[FIRST].size,) * 2
    assert done.files == done.new == len(files(place))
    assert done.place == str(place)
    for path, data in old.publications.files(done.size):
        assert (place / path).read_bytes() == data
    prove(wallet, place)


@pytest.mark.sqlite
def test_the_database_says_when_and_the_log_where(wallet: Wallet, place: Path) -> None:
    assert periods(wallet)[FIRST].archived is None
    pack(wallet, place)
    assert periods(wallet)[FIRST].archived == wallet.clock.now
    act = administrative_acts(wallet.installation)[-1]
    assert (act.action, act.target) == ("archive-log", FIRST)
    assert act.facts == {"place": str(place)}
    assert wallet.leaves("admin")[-1].log == SECOND


@pytest.mark.sqlite
def test_to_archive_again_changes_nothing_and_another_place_is_noted(
    wallet: Wallet, place: Path, tmp_path: Path
) -> None:
    pack(wallet, place)
    before, lying = wallet.contents(), files(place)
    assert archive(wallet, place.parent).new == 0
    assert (wallet.contents(), files(place)) == (before, lying)
    archive(wallet, tmp_path / "second")
    assert len(wallet.leaves("admin")) == 3  # the closing, and an archive twice


@pytest.mark.sqlite
def test_nothing_about_people_is_in_it_but_the_log_itself(
    wallet: Wallet, place: Path
) -> None:
    pack(wallet, place)
    kinds = {path.partition("/")[0] for path in files(place)}
    assert kinds == {
        "MANIFEST",
        "README",
        "checkpoint",
        "checkpoints",
        "keys",
        "notices",
        "policy",
        "tile",
    }
    for each in (b"alice", b"bob", b"dpo@wallet.example"):
        assert not any(each in data for data in files(place).values())


@pytest.mark.sqlite
def test_the_command_verifies_a_folder_a_server_and_a_chain(
    wallet: Wallet, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [each for key in trust_keys(wallet, FIRST) for each in ("--key", key)]
    wallet.share("alice", CREDIT_SCORE)
    next_period(wallet, THIRD)
    wallet.answer("alice", SHOPS, said=State.REFUSED)
    pack(wallet, place)
    second = folder_of(place.parent, SECOND)
    archive(wallet, place.parent, SECOND)
    assert cli.main(["verify", str(place), *keys]) == 0
    with served(place.parent) as address:
        assert cli.main(["verify", f"{address}/{place.name}", *keys]) == 0
        assert "holds" in capsys.readouterr().out
        newer = [each for key in trust_keys(wallet, SECOND) for each in ("--key", key)]
        there = f"{address}/{second.name}"
        before = ["--previous", f"{address}/{place.name}"]
        assert cli.main(["verify", there, *newer, *before]) == 0
        assert cli.main(["verify", there, *newer]) == 1
    prove(wallet, second, place)


def trust_keys(wallet: Wallet, origin: str) -> list[str]:
    ranges = wallet.installation.of_log(origin).keys.ranges()
    return [each.vkey for each in ranges]


@pytest.mark.sqlite
def test_an_archive_that_was_changed_does_not_verify(
    wallet: Wallet, place: Path
) -> None:
    pack(wallet, place)
    (bundle,) = place.glob("tile/entries/000.p/*")
    bundle.write_bytes(bundle.read_bytes().replace(b'"refused"', b'"granted"'))
    with (
        served(place) as address,
        closing(open_source(address)) as source,
        pytest.raises(VerificationError),
    ):
        verify_log(source, trust=trust_in(wallet, FIRST))


@pytest.mark.sqlite
def test_a_file_that_is_there_with_other_bytes_stops_it(
    wallet: Wallet, place: Path
) -> None:
    pack(wallet, place)
    paths = set(files(place)) - {README, POLICY}
    wallet.sql("UPDATE consent_log SET archived = NULL")
    for path in sorted(paths):
        data = (place / path).read_bytes()
        (place / path).write_bytes(data + b"\n")
        with pytest.raises((LogConflictError, VerificationError)):
            archive(wallet, place.parent)
        assert (place / path).read_bytes() == data + b"\n"  # nothing is overwritten
        assert periods(wallet)[FIRST].archived is None
        (place / path).write_bytes(data)
    pack(wallet, place)


class _Forgetful(FolderArchive):
    """A disk that says it wrote, and gives back something else."""

    def get(self, path: str) -> bytes | None:
        data = super().get(path)
        return data[:-1] if data and path.startswith("tile/entries") else data


@pytest.mark.sqlite
def test_what_is_not_read_back_as_it_was_written_is_no_archive(
    wallet: Wallet, place: Path
) -> None:
    with pytest.raises(LogConflictError, match="a moment ago"):
        archive_log(wallet.installation, FIRST, _Forgetful(place), by=OFFICER)
    assert periods(wallet)[FIRST].archived is None
    assert len(wallet.leaves("admin")) == 1


@pytest.mark.sqlite
def test_a_log_that_does_not_hold_is_never_called_archived(
    wallet: Wallet, place: Path
) -> None:
    wallet.damaged = True
    wallet.unguard("update")
    (data,) = wallet.sql("SELECT bytes FROM consent_leaf WHERE idx = 5 AND log = 1")[0]
    wallet.sql(
        "UPDATE consent_leaf SET bytes = ? WHERE idx = 5 AND log = 1",
        data.replace(b"1767225600000", b"1767225600001"),
    )
    with pytest.raises(VerificationError):
        archive(wallet, place.parent)
    assert periods(wallet)[FIRST].archived is None


@pytest.mark.sqlite
@pytest.mark.parametrize("origin", [SECOND, "wallet.example/never"])
def test_a_log_that_goes_on_is_not_archived(
    wallet: Wallet, tmp_path: Path, origin: str
) -> None:
    with pytest.raises(InvalidRequestError, match="has ended"):
        archive(wallet, tmp_path / "archive", origin)
    assert not list((tmp_path / "archive").rglob("checkpoint"))


@pytest.mark.sqlite
def test_a_folder_that_cannot_be_written_is_told(
    wallet: Wallet, tmp_path: Path
) -> None:
    (tmp_path / "archive").write_text("no folder")
    with pytest.raises(LogUnavailableError, match="the archive"):
        archive(wallet, tmp_path / "archive")


@pytest.mark.sqlite
def test_a_witness_that_signs_later_does_not_spoil_an_archive(
    tmp_path: Path, place: Path
) -> None:
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    next_period(wallet)
    pack(wallet, place)
    (place / "checkpoint").unlink()  # it was cut short just before
    line = cosign_late(wallet)
    archive(wallet, place.parent)
    assert line not in (place / "checkpoint").read_bytes()
    verify_log(FolderSource(place), trust=trust_in(wallet, FIRST))
    other = archive(wallet, tmp_path / "second")
    assert line in (folder_of(tmp_path / "second", FIRST) / "checkpoint").read_bytes()
    assert other.new == other.files
    Wallet.close_all()


def cosign_late(wallet: Wallet) -> bytes:
    """A witness signs the end of the first log, long after it was asked."""
    database = wallet.installation.database
    log = find_logs(database)[0]
    latest = Publications(database, log).latest()
    assert latest
    line = cosign(latest[1], WITNESS, time=1_767_225_700)
    key = f"{WITNESS.name}+{WITNESS.key_id.hex()}"
    said = Cosignature(latest[0], line, wallet.clock())
    Witnesses(database, log).keep(key, Standing(), said)
    return line


@pytest.mark.sqlite
def test_wherever_it_is_killed_it_can_be_finished(
    wallet: Wallet, tmp_path: Path
) -> None:
    killed, at, seen = True, 4, set()
    while killed:
        to = tmp_path / str(at)
        place = folder_of(to, FIRST)
        wallet.sql("UPDATE consent_log SET archived = NULL")
        killed = crash(
            lambda _tell, to=to: archive(wallet, to),  # type: ignore[misc]
            at=at,
        ).killed
        whole = (place / "checkpoint").exists()
        seen.add(whole)
        if periods(wallet)[FIRST].archived is not None:
            assert whole
        if whole:
            assert (place / MANIFEST).exists()
            verify_log(FolderSource(place), trust=trust_in(wallet, FIRST))
        done = archive(wallet, to)
        assert done.files == len(files(place))
        verify_log(FolderSource(place), trust=trust_in(wallet, FIRST))
        at += 29
    assert seen == {True, False}


@pytest.mark.sqlite
def test_no_link_leads_out_of_an_archive(wallet: Wallet, place: Path) -> None:
    outside, victim = place.parent / "outside", place.parent / "victim"
    outside.mkdir(parents=True)
    folder = FolderArchive(place)
    (place / "tile").symlink_to(outside)
    with pytest.raises(LogUnavailableError, match="is a symbolic link"):
        pack(wallet, place)
    assert list(outside.iterdir()) == []

    (place / ".draft").symlink_to(victim)
    with pytest.raises(LogUnavailableError):
        folder.put("file", b"1")
    assert not victim.exists()
    (place / "link").symlink_to(victim)
    victim.write_bytes(b"1")
    with pytest.raises(LogUnavailableError, match="is a symbolic link"):
        folder.get("link")
