"""A leaf that is committed after one behind it was signed does not change that tree.

Where writers overlap, positions are taken before commits, and a block of the app's may
stay open between the two for as long as it likes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.service.high_water import HighWater
from consentkit.service.publishing import publish_all
from consentkit.service.publishing import publish_or_stop
from consentkit.testing import answer
from tests.declared import SCORE
from tests.web.joined_hosts import joined_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.installation import Installation
    from tests.postgres_server import PostgresServer
    from tests.web.joined_hosts import JoinedHost


@pytest.fixture
def app(postgres: PostgresServer, tmp_path: Path) -> Iterator[JoinedHost]:
    uri = postgres.new_database().replace("postgresql:", "postgresql+psycopg:")
    with joined_host("session", uri, tmp_path) as host:
        yield host.anew()


def beside(work: Callable[[], object]) -> None:
    """Do it in a thread, which is in no block."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def numbers(app: JoinedHost) -> list[tuple[str, int | None]]:
    with app.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT id, idx FROM consent_leaf WHERE log = 1 ORDER BY position"
        )
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
def late(app: JoinedHost, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a leaf committed once a later one was signed, and its size was lost."""
    installation = app.shop.state.installation
    publish_all(installation)
    before = len(numbers(app))

    def publish_and_lose() -> None:
        write = HighWater.write

        def write_and_fail(self: HighWater, note: bytes) -> None:
            write(self, note)
            raise LogUnavailableError("the database went away before the commit")

        with monkeypatch.context() as patch:
            patch.setattr(HighWater, "write", write_and_fail)
            with pytest.raises(LogUnavailableError):
                publish_all(installation)

    with app.work() as work, app.shop.consent.joining(work):
        app.shop.consent.revoke(app.ann, SCORE)
        beside(lambda: say(app, "carl"))
        beside(publish_and_lose)
    return numbers(app)[before][0]


def say(app: JoinedHost, who: str) -> None:
    answer(app.shop.client(who), "credit-score", {"acme-credit": "given"})


def index_of(app: JoinedHost, leaf_id: str) -> int | None:
    """What a receipt would say."""
    query = "SELECT handle FROM consent_leaf WHERE id = %(id)s"
    with app.engine.connect() as connection:
        rows = connection.exec_driver_sql(query, {"id": leaf_id}).all()
    found = app.shop.state.installation.history.leaf(leaf_id, rows[0][0])
    assert found is not None
    return found.index


@pytest.mark.requirement("R119")
def test_a_late_commit_does_not_change_a_tree_that_was_signed(
    app: JoinedHost, late: str
) -> None:
    publish_or_stop(app.shop.state.installation)

    given = dict(numbers(app))
    assert sorted(given.values(), key=lambda each: each or 0) == list(range(len(given)))
    assert given[late] == len(given) - 1
    assert app.shop.allows(app.bob)
    assert app.shop.allows("carl")
    app.check()


@pytest.mark.requirement("R119")
def test_what_has_a_number_waits_until_a_checkpoint_covers_it(
    app: JoinedHost, late: str
) -> None:
    installation: Installation = app.shop.state.installation
    publications = installation.publications
    latest = publications.latest()
    assert latest is not None
    assert publications.pending() == len(numbers(app)) - latest[0] > 1
    assert publications.waiting_since() is not None
    newest = max((number or 0, leaf) for leaf, number in numbers(app))
    assert newest[0] >= latest[0]
    assert dict(numbers(app))[late] is None
    assert index_of(app, newest[1]) is None
    app.check()
    assert publications.pending() == 0
    assert index_of(app, newest[1]) == newest[0]
