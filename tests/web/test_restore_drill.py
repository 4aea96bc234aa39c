"""The drill of docs/deployment.md as it stands there, by its commands, on SQLite."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest

from consentkit import cli
from consentkit.core.decision import Reason
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.web.asking import Phone
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.core.decision import Decision


_DOCTOR = "doctor --only installation"


class Drill:
    """An installation, the copies of its database, and what else a backup may hold."""

    def __init__(self, folder: Path) -> None:
        self._copies = folder / "copies"
        self._copies.mkdir()
        self._folder = folder
        self._database = folder / "consents.sqlite3"
        self.app = self._opened()

    def _opened(self) -> Host:
        return host(self._folder, CONSENTKIT_DATABASE_URI=f"sqlite:///{self._database}")

    def run(self, words: str) -> tuple[int, str]:
        """Exit status and output of ``flask consent …``."""
        done = self.app.app.test_cli_runner().invoke(args=["consent", *words.split()])
        return done.exit_code, done.output

    def decided(self, person: str) -> Decision:
        with self.app.app.app_context():
            consent = self.app.consent
            return consent.check(person, SCORE, recipient=CREDIT, data={"spending"})

    def copy(self, name: str) -> None:
        """A backup; with what never belongs in one beside it."""
        with contextlib.closing(sqlite3.connect(self._database)) as connection:
            connection.execute(f"VACUUM INTO '{self._copies / name}'")
        shutil.copy(self.mark, self._copies / f"{name}.high-water")
        shutil.copytree(self.logs, self._copies / f"{name}.logs")

    def put_back(self, name: str, *, mark: bool = False, logs: bool = False) -> None:
        """Stop everything, put the copy in place, start."""
        self.app.state.installation.close()
        shutil.copy(self._copies / name, self._database)
        if mark:
            shutil.copy(self._copies / f"{name}.high-water", self.mark)
        if logs:
            shutil.rmtree(self.logs)
            shutil.copytree(self._copies / f"{name}.logs", self.logs)
        self.app = self._opened()

    def auditor_says(self) -> int:
        """Exit status of ``consentkit receipt``: Maya's, held against the log."""
        vkeys = self.app.state.installation.keyring.vkeys
        keys = [part for each in vkeys for part in ("--key", each)]
        return cli.main(["receipt", str(self.receipt), "--log", str(self.logs), *keys])

    @property
    def receipt(self) -> Path:
        """The file that Maya saved when she withdrew."""
        return self._folder / "maya.tlog-proof"

    @property
    def mark(self) -> Path:
        """The high-water file."""
        return self.app.state.installation.high_water.path

    @property
    def logs(self) -> Path:
        """The folder of published files."""
        return self.app.state.installation.log_folder


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    """Maya agreed; a copy; Tom agreed and Maya withdrew; another copy."""
    found = Drill(tmp_path)
    maya = Phone(found.app.client(MAYA))
    maya.answer(said("given"))
    assert found.run("publish")[0] == 0
    found.copy("older")
    Phone(found.app.client(TOM)).answer(said("given"))
    ended = maya.http.post("/consent/api/v1/revocations", json={})
    assert found.run("publish")[0] == 0
    found.copy("newest")
    kept = maya.http.get(f"/consent/receipts/{body_of(ended)['receipt_id']}.tlog-proof")
    found.receipt.write_bytes(kept.data)
    yield found
    found.app.state.installation.close()


def test_the_newest_copy_publishes_and_checks_answer_as_before(drill: Drill) -> None:
    drill.put_back("newest")
    assert drill.run("publish")[0] == 0
    assert drill.decided(MAYA).reason is Reason.WITHDRAWN
    assert drill.decided(TOM)
    assert drill.run(_DOCTOR)[0] == 0
    assert drill.auditor_says() == 0


@pytest.mark.requirement("R119")
def test_an_older_copy_is_refused_and_the_doctor_says_so(drill: Drill) -> None:
    drill.put_back("older")
    status, told = drill.run("publish")
    assert (status, f"by the high-water file {drill.mark}" in told) == (1, True)
    assert drill.decided(MAYA).reason is Reason.SUSPENDED
    assert drill.run(_DOCTOR)[0] == 1


@pytest.mark.requirement("R119")
def test_with_the_high_water_file_put_back_the_published_files_still_tell(
    drill: Drill,
) -> None:
    drill.put_back("older", mark=True)
    status, told = drill.run("publish")
    assert (status, "by the published checkpoint" in told) == (1, True)
    assert drill.decided(MAYA).reason is Reason.SUSPENDED


def test_with_the_files_put_back_too_nobody_here_can_tell_and_a_receipt_can(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drill.auditor_says() == 0
    drill.put_back("older", mark=True, logs=True)
    assert drill.run("publish")[0] == 0
    assert drill.decided(MAYA)  # who has withdrawn: what the drill is to show
    assert drill.run(_DOCTOR)[0] == 0
    capsys.readouterr()
    assert drill.auditor_says() == 1
    assert "7 entries" in "".join(capsys.readouterr())
