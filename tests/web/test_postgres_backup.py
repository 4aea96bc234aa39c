"""The drill of docs/recovery.md on PostgreSQL, by the commands that it names."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.decision import Reason
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.postgres_server import run_program
from tests.postgres_server import serve_postgres
from tests.service.log_files import files
from tests.web.asking import Phone
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.core.decision import Decision
    from tests.postgres_server import PostgresServer


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with serve_postgres() as found:
        yield found


class Dumps:
    """Backups by ``pg_dump``: the database is made anew from one."""

    def __init__(self, server: PostgresServer, uri: str) -> None:
        self._server, self._uri = server, uri

    def back_up(self, name: str) -> None:
        file = str(self._server.folder / name)
        run_program("pg_dump", "-Fc", "-d", self._uri, "-f", file)

    def put_back(self, name: str) -> None:
        self._server.drop_database(self._uri)
        self._server.new_database("consents")
        run_program("pg_restore", "-d", self._uri, str(self._server.folder / name))


class BaseBackups:
    """Backups by ``pg_basebackup``: the server's folder is put in place of its own."""

    def __init__(self, server: PostgresServer, _uri: str) -> None:
        self._server = server

    def back_up(self, name: str) -> None:
        folder = str(self._server.folder / name)
        run_program("pg_basebackup", "-c", "fast", "-D", folder, "-d", self._source)

    def put_back(self, name: str) -> None:
        self._server.kill()
        shutil.rmtree(self._server.folder / "data")
        (self._server.folder / name).rename(self._server.folder / "data")
        self._server.start()

    @property
    def _source(self) -> str:
        return f"host={self._server.folder} user=ck"


KINDS = {"pg_dump": Dumps, "pg_basebackup": BaseBackups}


@pytest.mark.requirement("R58", "R119")
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_restored_server_signs_and_shares_nothing_until_the_newest_copy_is_back(
    server: PostgresServer, tmp_path: Path, kind: type[Dumps | BaseBackups]
) -> None:
    uri = server.new_database("consents")
    backups = kind(server, uri)
    shop = opened(tmp_path, uri)
    maya = Phone(shop.client(MAYA))
    maya.answer(said("given"))
    assert command(shop, "publish")[0] == 0
    backups.back_up("older")
    maya.http.post("/consent/api/v1/revocations", json={})
    assert command(shop, "publish")[0] == 0
    backups.back_up("newest")
    logs = shop.state.installation.log_folder
    before = files(logs), shop.state.installation.high_water.path.read_bytes()
    shop.state.installation.close()

    backups.put_back("older")
    restored = opened(tmp_path, uri)
    for refused in ("publish", "resume --all --by dpo --reason again", "export out"):
        status, told = command(restored, refused)
        assert (status, "an older copy of the database" in told) == (1, True), told
    assert decided(restored).reason is Reason.SUSPENDED
    assert Phone(restored.client("tom")).answer(said("refused"))["record_id"]
    restored.state.installation.close()

    backups.put_back("newest")
    mended = opened(tmp_path, uri)
    assert (
        files(logs),
        mended.state.installation.high_water.path.read_bytes(),
    ) == before
    assert decided(mended).reason is Reason.WITHDRAWN
    Phone(mended.client("tom")).answer(said("given"))
    assert decided(mended, "tom")
    assert command(mended, "publish")[0] == 0
    trust = Trust.of(mended.state.installation.keyring.vkeys)
    mended.state.installation.close()
    assert verify_log(FolderSource(logs), trust=trust).size > 0


def opened(folder: Path, uri: str) -> Host:
    """The app, started anew."""
    return host(folder, CONSENTKIT_DATABASE_URI=uri)


def command(shop: Host, words: str) -> tuple[int, str]:
    """Exit status and output of ``flask consent …``."""
    done = shop.app.test_cli_runner().invoke(args=["consent", *words.split()])
    return done.exit_code, done.output


def decided(shop: Host, person: str = MAYA) -> Decision:
    with shop.app.app_context():
        return shop.consent.check(person, SCORE, recipient=CREDIT, data={"spending"})
