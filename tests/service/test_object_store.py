"""Archives in object storage: nothing is written twice, and any server shows them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import obstore
import pytest
from obstore.store import LocalStore
from obstore.store import MemoryStore

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.service.administering import administrative_acts
from consentkit.service.archive_folder import FolderArchive
from consentkit.service.archive_places import open_archive
from consentkit.service.archiving import archive_log
from consentkit.service.object_store import ObjectArchive
from consentkit.service.object_store import open_store
from tests.s3_process import S3Process
from tests.s3_process import serve_s3
from tests.service.log_files import files
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import archive
from tests.service.periods import lived_in
from tests.service.periods import next_period
from tests.service.periods import periods
from tests.service.periods import prove
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.archive import Archive


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Process]:
    with serve_s3(tmp_path_factory.mktemp("s3")) as served:
        yield served


@pytest.fixture
def s3(server: S3Process, monkeypatch: pytest.MonkeyPatch) -> S3Process:
    """A server, and the way to it in the environment."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    """One whose first period is over."""
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    next_period(wallet)
    yield wallet
    Wallet.close_all()


@pytest.fixture(params=["folder", "memory", "local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    """Every kind of archive keeps the same promise."""
    if request.param == "folder":
        return FolderArchive(tmp_path / "there")
    if request.param == "memory":
        return ObjectArchive(MemoryStore(), place="memory")
    if request.param == "local":
        return ObjectArchive(LocalStore(prefix=tmp_path), place="local")
    s3: S3Process = request.getfixturevalue("s3")
    return open_store(f"s3://{s3.bucket}/{tmp_path.name}")


def test_what_was_put_stays_as_it_is(place: Archive) -> None:
    assert place.get("tile/0/000") is None
    assert place.put("tile/0/000", b"first") is True
    assert place.put("tile/0/000", b"second") is False
    assert place.put("tile/0/000", b"first") is False
    assert place.get("tile/0/000") == b"first"


def test_of_many_who_write_at_once_one_does(s3: S3Process, tmp_path: Path) -> None:
    place = open_store(f"s3://{s3.bucket}/{tmp_path.name}")
    said = [b"%d" % each for each in range(16)]
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda data: place.put("checkpoint", data), said))
    assert created.count(True) == 1
    assert place.get("checkpoint") == said[created.index(True)]


def test_a_bucket_holds_what_a_folder_holds_byte_for_byte(
    wallet: Wallet, s3: S3Process, tmp_path: Path
) -> None:
    address = f"s3://{s3.bucket}/{tmp_path.name}"
    packed = open_archive(address, FIRST)
    done = archive_log(wallet.installation, FIRST, packed, by=OFFICER)
    again = archive(wallet, tmp_path / "folder")

    assert packed.place == f"{address}/wallet.example_consent_2026"
    assert periods(wallet)[FIRST].archived == wallet.clock.now
    first, second = administrative_acts(wallet.installation)[-2:]
    assert first.facts == {"place": packed.place}
    assert second.facts == {"place": again.place}
    folder = next((tmp_path / "folder").iterdir())
    assert done.files == len(files(folder))
    for path, data in files(folder).items():
        assert packed.get(path) == data
    prove(wallet, folder)


def test_another_object_in_its_place_stops_it_and_stays(
    wallet: Wallet, s3: S3Process, tmp_path: Path
) -> None:
    place = open_archive(f"s3://{s3.bucket}/{tmp_path.name}", FIRST)
    place.put("checkpoint", b"of somebody else\n")
    with pytest.raises(LogConflictError, match="nothing was overwritten"):
        archive_log(wallet.installation, FIRST, place, by=OFFICER)
    assert place.get("checkpoint") == b"of somebody else\n"
    assert periods(wallet)[FIRST].archived is None


def test_killed_in_the_middle_it_is_finished_by_the_same_command(
    wallet: Wallet, s3: S3Process, tmp_path: Path
) -> None:
    address = f"s3://{s3.bucket}/{tmp_path.name}"
    program = (sys.executable, "-m", "tests.service.archiver")
    done = subprocess.run(  # noqa: S603  ours
        (*program, str(wallet.folder), address, "5"),
        env={**os.environ, **s3.environment},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    place = open_archive(address, FIRST)
    assert place.get("README") is not None
    assert place.get("checkpoint") is None
    assert periods(wallet)[FIRST].archived is None

    finished = archive_log(wallet.installation, FIRST, place, by=OFFICER)
    assert finished.new == finished.files - 5
    assert periods(wallet)[FIRST].archived is not None


def test_a_store_that_does_not_answer_is_told_without_its_secrets(
    wallet: Wallet, s3: S3Process
) -> None:
    place = open_archive("s3://nobodys-bucket/x", FIRST)
    with pytest.raises(LogUnavailableError, match="s3://nobodys-bucket") as caught:
        archive_log(wallet.installation, FIRST, place, by=OFFICER)
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
    assert s3.address not in str(caught.value)
    assert periods(wallet)[FIRST].archived is None


@pytest.mark.parametrize(
    "address",
    [
        "ftp://archive/x",
        "s3://",
        "s3://key:secret@archive/x",
        "s3://archive/x?token=secret",
        "memory://archive",
        "file:///tmp/archive",
    ],
)
def test_an_address_that_is_none_is_refused_and_its_secret_not_repeated(
    address: str,
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_archive(address, FIRST)
    assert "secret" not in str(caught.value)


def test_without_obstore_it_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigurationError, match=r"consentkit\[objectstore\]"):
        open_archive("s3://archive/x", FIRST)


def test_no_web_process_loads_it() -> None:
    assert obstore.__name__ in sys.modules  # here it is
    code = (
        "import sys, consentkit, consentkit.web.period_commands as _; "
        "sys.exit('obstore' in sys.modules)"
    )
    done = subprocess.run((sys.executable, "-c", code), check=False)  # noqa: S603  ours
    assert done.returncode == 0
