"""What a standby that takes over lacks is found out, and an old primary is not asked.

With a synchronous standby nothing is lost (``tests/web/test_failover.py``). Here is
what happens where the settings promise less, or where two servers take writes at once.
"""

from __future__ import annotations

import threading
from queue import Queue
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.service.publishing import publish_or_stop
from consentkit.service.suspending import resume
from consentkit.store import postgres_connection
from tests.postgres_server import on_postgres
from tests.service.log_files import on_disk
from tests.service.test_restored_sharing import DPO
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.service.wallet import denied
from tests.standby import serve_pair

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standby import Pair

_PATIENCE = 60.0  # seconds; only a hang lasts longer


@pytest.fixture
def lagging() -> Iterator[Pair]:
    """A standby that no commit waits for."""
    with serve_pair(synchronous=False) as pair:
        yield pair
        Wallet.close_all()


@pytest.fixture(scope="module")
def steady() -> Iterator[Pair]:
    """A standby that each commit waits for; its primary outlives every test."""
    with serve_pair() as pair:
        yield pair


@pytest.fixture
def pair(steady: Pair) -> Iterator[Pair]:
    yield steady
    Wallet.close_all()


@pytest.fixture
def doomed() -> Iterator[Pair]:
    """The same, for a test that kills the primary."""
    with serve_pair() as found:
        yield found
        Wallet.close_all()


@pytest.mark.requirement("R58")
def test_a_standby_that_lacks_a_withdrawal_shares_nothing(
    lagging: Pair, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path, uri=lagging.new_tables())
    wallet.answer("alice", CREDIT_SCORE)
    publish_or_stop(wallet.installation)
    lagging.standby.wait_until_caught_up()
    lagging.standby.kill()
    lost = wallet.revoke("alice").leaf
    wallet.verify()
    published = on_disk(wallet)

    lagging.primary.crash()
    lagging.standby.start()
    lagging.standby.promote()

    assert lost
    assert lost.id not in {each.id for each in wallet.leaves()}
    assert wallet.check("alice", CREDIT_SCORE)  # until somebody has looked
    with pytest.raises(LogConflictError, match="an older copy of the database"):
        until_answered(lambda: publish_or_stop(wallet.installation))
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED
    assert on_disk(wallet) == published
    with pytest.raises(LogConflictError):
        resume(wallet.installation, by=DPO)


class Beside:
    """Work in a thread of its own; what comes of it, or its error, is asked for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._queue: Queue[tuple[Any, BaseException | None]] = Queue()
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        return self._queue.empty()

    def result(self) -> Any:
        found, error = self._queue.get(timeout=_PATIENCE)
        if error is not None:
            raise error
        return found

    def _run(self) -> None:
        try:
            self._queue.put((self._work(), None))
        except BaseException as error:  # noqa: BLE001  raised where it is asked for
            self._queue.put((None, error))


def until_answered(work: Callable[[], object]) -> None:
    """Do it again if the connections of before were the fault."""
    try:
        work()
    except LogUnavailableError:
        work()


WAITS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
STOP = "SELECT {}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.mark.requirement("R119")
def test_without_its_synchronous_standby_an_act_waits_and_shows_nowhere(
    pair: Pair, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path, uri=pair.new_tables())
    form = wallet.form("alice", {CREDIT_SCORE: State.GIVEN})
    pair.standby.kill()
    acts = [Beside(lambda: wallet.submit(form)) for _ in range(2)]
    pair.primary.wait_for(WAITS)

    assert not wallet.check("alice", CREDIT_SCORE)
    assert all(each.goes_on for each in acts)

    pair.standby.start()
    first, again = (each.result() for each in acts)
    assert first == again  # one act, whoever sent the form twice
    assert wallet.check("alice", CREDIT_SCORE)
    wallet.prove()


STOPPED = {"cancelled": "pg_cancel_backend", "ended": "pg_terminate_backend"}


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("by", STOPPED.values(), ids=STOPPED)
def test_an_act_whose_wait_for_the_standby_was_cut_short_is_not_answered(
    pair: Pair, tmp_path: Path, by: str
) -> None:
    """PostgreSQL says yes to a commit that was cancelled, with a warning beside it."""
    wallet = Wallet(tmp_path, uri=pair.new_tables())
    form = wallet.form("alice", {CREDIT_SCORE: State.GIVEN})
    pair.standby.kill()
    act = Beside(lambda: wallet.submit(form))
    pair.primary.wait_for(WAITS)
    pair.primary.ask(STOP.format(by))
    with pytest.raises(LogUnavailableError):
        act.result()

    again = Beside(lambda: wallet.submit(form))
    pair.primary.wait_for(WAITS)
    assert again.goes_on  # what is here already is not answered before it is there
    pair.standby.start()
    leaf = again.result()
    assert [each.id for each in wallet.leaves("choice")] == [leaf.id]
    wallet.prove()


@pytest.mark.requirement("R58", "R62")
def test_an_old_primary_that_comes_back_is_asked_nothing(
    lagging: Pair, tmp_path: Path
) -> None:
    """It takes writes, and stands first in the address; its yes is out of date."""
    wallet = Wallet(tmp_path, uri=lagging.new_tables())
    wallet.answer("alice", CREDIT_SCORE)
    wallet.verify()
    lagging.standby.wait_until_caught_up()
    lagging.primary.crash()
    lagging.standby.promote()
    until_answered(lambda: wallet.revoke("alice"))
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.WITHDRAWN
    wallet.verify()

    lagging.primary.start()
    ((there,),) = on_postgres(
        lagging.on_primary(wallet.uri), "SELECT state FROM consent_state"
    )
    assert there == "given"
    # What is kept goes on; who connects anew is refused, whatever for.
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.WITHDRAWN
    anew = Beside(lambda: wallet.check("alice", CREDIT_SCORE)).result()
    assert anew.reason is Reason.STORE_UNAVAILABLE
    wallet.installation.close()
    assert denied(wallet) is Reason.STORE_UNAVAILABLE
    with pytest.raises(LogUnavailableError, match="an old primary that came back"):
        wallet.answer("alice", CREDIT_SCORE)

    # A process that begins now cannot know, and goes by how far the log has come.
    begun = Wallet(tmp_path, uri=lagging.on_primary(wallet.uri))
    assert begun.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED
    begun.installation.close()

    lagging.primary.kill()
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.WITHDRAWN
    wallet.prove()


@pytest.mark.requirement("R58", "R62")
def test_no_process_begins_on_an_old_primary_that_cannot_be_told_to_stop(
    doomed: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still waits for its standby, so that no suspension can be committed there."""
    monkeypatch.setattr(postgres_connection, "_COMMIT", 2.0)
    wallet = Wallet(tmp_path, uri=doomed.new_tables())
    wallet.answer("alice", CREDIT_SCORE)
    wallet.verify()
    doomed.primary.crash()
    doomed.standby.promote()
    until_answered(lambda: wallet.revoke("alice"))
    wallet.verify()
    wallet.installation.close()

    doomed.primary.start()
    with pytest.raises(LogUnavailableError, match="sharing could not be stopped"):
        Wallet(tmp_path, uri=doomed.on_primary(wallet.uri))
