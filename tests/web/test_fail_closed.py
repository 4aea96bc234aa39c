"""Whatever breaks: nothing leaves, the reason says so, and the app's pages answer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.service.clocks import checked
from consentkit.store import sqlite as sqlite_module
from consentkit.testing import answer
from consentkit.web.state import KEY
from tests.postgres_server import serve_postgres
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host

DOWN = Reason.STORE_UNAVAILABLE
YEARS = 50 * 365 * 86_400_000


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Maya agreed, and her data was shared once."""
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT", 0.05)
    return agreed(host(tmp_path))


def agreed(shop: Host) -> Host:
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "given"})
    assert shared(shop) is None
    return shop


def shared(shop: Host) -> Reason | None:
    """Share Maya's spending: None if it left, else why not."""
    with shop.app.app_context():
        try:
            with shop.consent.share(
                MAYA, "credit-score", recipient="acme-credit", data={"spending"}
            ):
                return None
        except ConsentDeniedError as error:
            return error.decision.reason


def decided(shop: Host) -> Reason:
    with shop.app.app_context():
        return shop.consent.check(
            MAYA, "credit-score", recipient="acme-credit", data={"spending"}
        ).reason


def file_of(shop: Host) -> Path:
    return Path(shop.state.config.places.database_uri.removeprefix("sqlite:///"))


@dataclass(frozen=True)
class Told:
    """What is said while something is broken: by the gate, and by the pages."""

    check: Reason = DOWN
    share: Reason = DOWN
    view: int = 503
    centre: int = 503
    shows: str = (
        "We cannot show your choices right now. Nothing is shared until we can."
    )

    def by(self, shop: Host) -> None:
        client = shop.client(MAYA)
        assert decided(shop) is self.check
        assert shared(shop) is self.share
        self._by_the_gated_view(client)
        page = client.get("/")
        assert page.status_code == 200, "the page is the app's own"
        assert self.shows in page.text
        assert ('name="choice.' in page.text) <= (self.shows == "")
        centre = client.get("/consent/")
        assert centre.status_code == self.centre
        assert "Traceback" not in centre.text
        if self.centre == 503:
            assert "We cannot save this right now" in centre.text

    def _by_the_gated_view(self, client: FlaskClient) -> None:
        program = client.post("/score")
        assert program.status_code == self.view
        assert body_of(program)["reason"] == self.share
        browser = client.post("/score", headers={"Accept": CHROME})
        assert browser.status_code in {self.view, 303}
        assert "700" not in program.text + browser.text, "the view ran"


Fault = Callable[[Host], Any]


@contextmanager
def gone(shop: Host) -> Iterator[None]:
    file = file_of(shop)
    moved = file.rename(file.with_name("moved"))
    yield
    moved.rename(file)


@contextmanager
def locked(shop: Host) -> Iterator[None]:
    with closing(sqlite3.connect(file_of(shop), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def emptied(shop: Host) -> Iterator[None]:
    """Another file stands there, without any tables."""
    with gone(shop):
        file_of(shop).write_bytes(b"")
        yield


@contextmanager
def no_database(shop: Host) -> Iterator[None]:
    with gone(shop):
        file_of(shop).write_bytes(b"no database, but long enough to be read" * 100)
        yield


STORES: dict[str, Callable[[Host], Any]] = {
    "gone": gone,
    "locked": locked,
    "empty": emptied,
    "no database": no_database,
}


@pytest.mark.requirement("R62", "R76")
@pytest.mark.parametrize("fault", STORES.values(), ids=STORES)
def test_without_its_store_the_gate_is_shut_and_the_page_goes_on(
    shop: Host, fault: Callable[[Host], Any]
) -> None:
    acts = shop.acts()
    with fault(shop):
        shop.state.installation.database.dispose()  # as at every restart
        Told().by(shop)
    shop.state.installation.close()

    assert shop.acts() == acts
    assert shared(shop) is None, "it is mended"


@pytest.mark.requirement("R62")
def test_a_file_that_was_put_back_from_a_backup_is_read_at_once(shop: Host) -> None:
    """Who goes on reading the old one would not see what was stopped in the new one."""
    file = file_of(shop)
    backup = file.with_name("backup")
    backup.write_bytes(file.read_bytes())
    with closing(sqlite3.connect(backup)) as other, other:
        other.execute("UPDATE consent_state SET state = 'withdrawn'")
    assert decided(shop) is Reason.GRANTED

    os.replace(backup, file)  # noqa: PTH105  as a restore does it
    shop.state.installation.reader._look_at = 0.0  # a twentieth of a second later

    assert decided(shop) is Reason.WITHDRAWN
    assert shared(shop) is not None


COLUMNS = ("state", "data", "until", "scope", "assurance", "record", "since", "notice")
GARBAGE = {"bytes": "x'00ff'", "text": "'\x01?'", "a number": "-1"}
# Text stays text to SQLite, whatever is put in; and what is nobody's word for a state,
# a scope or a record is no yes.
BY_VALUE = {
    ("data", "text"): Reason.DATA_NOT_COVERED,
    ("data", "a number"): Reason.DATA_NOT_COVERED,
    ("until", "a number"): Reason.EXPIRED,
    ("scope", "text"): Reason.SCOPE_CHANGED,
    ("scope", "a number"): Reason.SCOPE_CHANGED,
}
ONLY_IN_THE_LEDGER = {
    ("record", "text"),
    ("record", "a number"),
}
HARMLESS = {("notice", "text"), ("notice", "a number"), ("since", "a number")}


@pytest.mark.requirement("R62")
def test_a_corrupt_row_shares_nothing(shop: Host) -> None:
    """Each column in turn, of another type and of another value."""
    client = shop.client(MAYA)
    for case in product(COLUMNS, GARBAGE):
        column, kind = case
        ((whole,),) = shop.sql(f"SELECT quote({column}) FROM consent_state")  # noqa: S608  written above
        shop.sql(f"UPDATE consent_state SET {column} = {GARBAGE[kind]}")  # noqa: S608  written above
        reason = shared(shop)
        if case in HARMLESS:  # nothing of it is what a yes rests on
            assert reason is None, case
        else:
            assert reason is BY_VALUE.get(case, DOWN), case
            assert case in ONLY_IN_THE_LEDGER or decided(shop) is reason, case
        assert client.get("/").status_code == 200, case
        assert client.get("/consent/").status_code in {200, 503}, case
        shop.sql(f"UPDATE consent_state SET {column} = {whole}")  # noqa: S608  as it was
    assert shared(shop) is None


def says(value: Any) -> Callable[[], Millis]:
    def read() -> Millis:
        if isinstance(value, Exception):
            raise value
        return value  # type: ignore[no-any-return]  # that is the fault

    return read


CLOCKS = {
    "broken": OSError(5, "the clock does not answer"),
    "no number": float("nan"),
    "endless": float("inf"),
    "a fraction": 1_800_000_000_000.5,
    "nothing": None,
    "before 1970": -1,
    "beyond all leaves": 2**53,
}


@pytest.mark.requirement("R62", "R76")
def test_without_a_clock_nothing_leaves_and_the_page_goes_on(shop: Host) -> None:
    acts, clock = shop.acts(), shop.state.installation.clock
    for said in CLOCKS.values():
        with_clock(shop, checked(says(said)))
        Told().by(shop)
    with_clock(shop, clock)
    assert shop.acts() == acts
    assert shared(shop) is None


@pytest.mark.requirement("R62")
@pytest.mark.parametrize(
    ("jump", "reasons"),
    [(-YEARS, {DOWN}), (YEARS, {Reason.EXPIRED})],
    ids=["fifty years back", "fifty years ahead"],
)
def test_a_clock_that_jumps_shares_nothing(
    shop: Host, jump: int, reasons: set[Reason]
) -> None:
    """Far back, no consent has been given yet; far ahead, none holds any more."""
    now = shop.state.installation.clock() + jump
    with_clock(shop, checked(says(now)))

    assert shared(shop) in reasons
    assert shop.client(MAYA).get("/").status_code == 200
    assert shop.client(MAYA).get("/consent/").status_code == 200


def with_clock(shop: Host, clock: Callable[[], Millis]) -> None:
    state = shop.app.extensions[KEY]
    installation = replace(state.installation, clock=clock)
    shop.app.extensions[KEY] = replace(state, installation=installation)


@pytest.mark.requirement("R76")
def test_on_a_full_disk_a_share_that_has_no_line_does_not_take_place(
    shop: Host,
) -> None:
    """SQLite itself says that no page is left."""
    database = shop.state.installation.database

    def no_more(connection: Any, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(database.engine, "connect", no_more)
    database.dispose()
    left = 0
    while shared(shop) is None:  # the last page may have room yet
        left += 1
        assert left < 100

    Told(check=Reason.GRANTED, centre=200, shows="").by(shop)
    (lines,) = shop.sql(
        "SELECT count(*) FROM consent_disclosure WHERE reason='granted'"
    )
    assert lines == (1 + left,)
    sa.event.remove(database.engine, "connect", no_more)
    database.dispose()
    assert shared(shop) is None


@pytest.mark.requirement("R62", "R76")
def test_when_the_server_is_killed_nothing_leaves_until_it_is_back(
    tmp_path: Path,
) -> None:
    with serve_postgres() as server:
        uri = server.new_tables()
        shop = agreed(host(tmp_path, CONSENTKIT_DATABASE_URI=uri))
        server.kill()
        Told().by(shop)
        server.start()
        assert decided(shop) is Reason.GRANTED
        shared(shop)  # the one that finds its connection closed
        assert shared(shop) is None
        shop.state.installation.close()
