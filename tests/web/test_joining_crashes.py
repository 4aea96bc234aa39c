"""``kill -9`` at every point of a block: the act and the row are both there, or none.

Points are statements of SQLite, commits and signatures, see ``tests.service.crashing``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.declared import SCORE
from tests.service.crashing import crash
from tests.web.joined_hosts import joined_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web.joined_hosts import JoinedHost

_MOST = 300  # points of a block, if it were several times as long as it is


def leave(app: JoinedHost, promise: Callable[[str], None]) -> None:
    """Two acts and a row of the app's, in one block."""
    consent = app.shop.consent
    with app.work() as work:
        with consent.joining(work):
            app.add(work, "she left")
            consent.revoke(app.bob, SCORE)
            consent.erase(app.ann, reason="request")
        promise("all of it is there")


def test_wherever_it_dies_the_acts_and_the_row_are_all_there_or_none(
    tmp_path: Path,
) -> None:
    seen: set[bool] = set()
    uri = f"sqlite:///{tmp_path / 'app.sqlite3'}"
    with joined_host("session", uri, tmp_path) as host:
        app = host.anew()
        for at in range(1, _MOST):
            if True in seen:
                app = host.anew()
            app.engine.dispose()
            app.shop.state.installation.close()

            died = crash(partial(leave, app), at=at)

            stored = app.notes() == ["she left"]
            gone = [not app.shop.allows(each) for each in (app.ann, app.bob)]
            assert gone == [stored, stored]
            assert stored or not died.promised
            seen.add(stored)
            if not died.killed:
                break
        assert seen == {True, False}
        assert not died.killed, "there are more points than were tried"
        host.check()
