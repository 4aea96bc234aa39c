"""Acts and the app's rows in one transaction, with each kind of host that there is."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import threading
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING

import flask
import pytest
import sqlalchemy as sa

from consentkit import ConfigurationError
from consentkit import InvalidRequestError
from consentkit import ShareRequest
from consentkit.errors import LogUnavailableError
from consentkit.web import signals
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.processes import in_fork
from tests.web.joined_hosts import KINDS
from tests.web.joined_hosts import JoinedHost
from tests.web.joined_hosts import joined_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from consentkit import ConsentKit

EVERY = [(kind, database) for kind in KINDS for database in ("sqlite", "postgresql")]
ONE = [("session", database) for database in ("sqlite", "postgresql")]


@pytest.fixture(scope="module")
def no_loop() -> Iterator[None]:
    """No event loop seems to run here, as one does after Playwright was used."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(scope="module")
def hosted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    no_loop: None,  # noqa: ARG001  while the apps live
) -> Iterator[JoinedHost]:
    """An app of one kind; its log has to hold after all that was tried on it."""
    kind, database = request.param
    folder = tmp_path_factory.mktemp("joined")
    uri = f"sqlite:///{folder / 'app.sqlite3'}"
    if database == "postgresql":
        uri = request.getfixturevalue("postgres").new_database()
        uri = uri.replace("postgresql:", "postgresql+psycopg:")
    with joined_host(kind, uri, folder) as found:
        yield found
        found.check()


@pytest.fixture
def app(hosted: JoinedHost) -> JoinedHost:
    """The same, with an Ann and a Bob who agreed and whom nobody knew before."""
    return hosted.anew()


every_host = pytest.mark.parametrize("hosted", EVERY, ids="-".join, indirect=True)
one_host = pytest.mark.parametrize("hosted", ONE, ids="-".join, indirect=True)


@pytest.fixture
def ended() -> Iterator[list[str]]:
    """The states that the signal of an end tells of."""
    told: list[str] = []

    def tell(_sender: object, state: str, **_: object) -> None:
        told.append(state)

    with signals.ended.connected_to(tell):
        yield told


@every_host
def test_an_act_and_the_apps_row_commit_together(
    app: JoinedHost, ended: list[str]
) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with consent.joining(work) as joined:
            app.add(work, "she left")
            ending = consent.revoke(app.ann, SCORE)
            assert ending.ended == (("credit-score", "acme-credit"),)
            assert not joined.committed
            assert consent.receipt(app.ann, ending.leaf.id) is None
            assert ended == []
        assert joined.committed
        assert ended == ["withdrawn"]
        assert consent.receipt(app.ann, ending.leaf.id)
    assert app.notes() == ["she left"]
    assert not app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)


@every_host
def test_what_the_app_raises_takes_the_act_back(
    app: JoinedHost, ended: list[str]
) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with pytest.raises(ZeroDivisionError), consent.joining(work) as joined:  # noqa: PT012  its end is what raises
            consent.revoke(app.ann, SCORE)
            app.add(work, "she left")
            raise ZeroDivisionError
        assert not joined.committed
        assert ended == []
        with consent.joining(work):  # nothing of it is left on this thread
            consent.revoke(app.bob, SCORE)
    assert app.notes() == []
    assert app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)


@every_host
def test_a_commit_that_fails_takes_the_act_back(
    app: JoinedHost, ended: list[str]
) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with pytest.raises(sa.exc.IntegrityError), consent.joining(work):  # noqa: PT012  its end is what raises
            consent.erase(app.ann, reason="request")
            app.add(work, "about nothing", about=999)
        work.rollback()
    assert app.notes() == []
    assert app.shop.allows(app.ann)
    assert ended == []


@every_host
def test_an_act_that_is_refused_leaves_the_apps_rows(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work, consent.joining(work):
        app.add(work, "before")
        with pytest.raises(InvalidRequestError):
            consent.revoke(app.ann, "never-declared")
        with pytest.raises(InvalidRequestError):
            consent.erase(
                app.ann,
                reason="request",
                by="dpo",
                hold_until=datetime.now(UTC) - timedelta(days=1),
            )
        app.add(work, "after")
    assert app.notes() == ["after", "before"]
    assert app.shop.allows(app.ann)


@one_host
def test_each_act_about_a_person_joins(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work:
        record = consent.history(app.ann)[0].leaf.id
        with consent.joining(work):
            consent.delegate(
                app.bob,
                to="carol",
                label="Ann",
                purposes=[SCORE],
                until=datetime.now(UTC) + timedelta(days=1),
            )
            consent.correct(app.ann, wrong=record, by="dpo", reason="a slip")
            assert not consent.erase(app.ann, reason="request").swept
            consent.revoke(app.bob)
        assert not app.shop.state.installation.erasures.residue()
        (delegation,) = consent.delegations(app.bob)
        with consent.joining(work):
            consent.end_delegation(app.bob, delegation.id)
        assert consent.delegations(app.bob)[0].ended is not None
    kinds = {leaf.kind.value for leaf in app.leaves()}
    assert {"revocation", "erasure", "admin"} <= kinds


def lost() -> AbstractContextManager[object]:
    """The end of a block says that nothing of it is there."""
    return pytest.raises(LogUnavailableError, match="no act of it is stored")


def failed(connection: sa.Connection) -> None:
    """Run a statement that fails, and pass it over."""
    with suppress(sa.exc.SQLAlchemyError):
        connection.exec_driver_sql("SELECT nonsense")


@one_host
@pytest.mark.parametrize("end", ["rollback", "close"])
def test_a_block_whose_transaction_did_not_last_says_so(
    app: JoinedHost, ended: list[str], end: str
) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with lost(), consent.joining(work) as joined:
            consent.revoke(app.ann, SCORE)
            app.add(work, "she left")
            getattr(work, end)()
            with pytest.raises(ConfigurationError, match="has ended"):
                consent.revoke(app.bob, SCORE)
        assert not joined.committed
    assert app.shop.allows(app.ann)
    assert app.notes() == []
    assert ended == []


@pytest.mark.parametrize("hosted", [("connection", "postgresql")], indirect=True)
def test_what_postgresql_would_roll_back_without_a_word_is_said(
    app: JoinedHost,
) -> None:
    consent = app.shop.consent
    with app.work() as work, lost(), consent.joining(work) as joined:
        consent.revoke(app.ann, SCORE)
        failed(joined.connection)
    assert app.shop.allows(app.ann)


@one_host
def test_a_commit_of_the_apps_own_within_the_block_is_one(
    app: JoinedHost, ended: list[str]
) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with consent.joining(work) as joined:
            consent.revoke(app.ann, SCORE)
            app.add(work, "she left")
            work.commit()
            assert ended == []
            app.add(work, "more")  # in the next transaction
            with pytest.raises(ConfigurationError, match="has ended"):
                consent.revoke(app.bob, SCORE)
        assert joined.committed
    assert ended == ["withdrawn"]
    assert not app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)
    assert app.notes() == ["more", "she left"]


@one_host
def test_sends_that_have_begun_are_waited_for_after_the_commit(
    app: JoinedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def under_way(_locks: object, *subjects: str) -> frozenset[str]:
        assert subjects == (app.ann,)
        seen.append(app.shop.allows(app.ann))
        return frozenset()

    locks = type(app.shop.state.installation.sends.locks)
    monkeypatch.setattr(locks, "under_way", under_way)
    with app.work() as work:
        with suppress(ZeroDivisionError), app.shop.consent.joining(work):
            app.shop.consent.revoke(app.ann, SCORE)
            raise ZeroDivisionError
        with app.shop.consent.joining(work):
            app.shop.consent.revoke(app.ann, SCORE)
            assert seen == []
    assert seen == [False]


@one_host
def test_an_act_in_a_savepoint_that_the_app_rolls_back_is_not_told(
    app: JoinedHost, ended: list[str]
) -> None:
    consent = app.shop.consent
    with app.work() as work, consent.joining(work):
        with suppress(ZeroDivisionError), work.begin_nested():
            consent.revoke(app.ann, SCORE)
            raise ZeroDivisionError
        consent.revoke(app.bob, SCORE)
    assert app.shop.allows(app.ann)
    assert not app.shop.allows(app.bob)
    assert ended == ["withdrawn"]


@one_host
def test_a_check_in_the_block_counts_what_it_took_back(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work:
        with consent.joining(work):
            assert consent.check(app.ann, SCORE, recipient=CREDIT, data=["spending"])
            consent.revoke(app.ann, SCORE)
            now = consent.check(app.ann, SCORE, recipient=CREDIT, data=["spending"])
            assert now.reason == "withdrawn"
            ask = [
                ShareRequest(who, SCORE, CREDIT, {"spending"})
                for who in (app.ann, app.bob)
            ]
            assert list(map(bool, consent.check_many(ask))) == [False, True]
            elsewhere: list[bool] = []

            def ask_elsewhere() -> None:
                elsewhere.append(app.shop.allows(app.ann))
                app.shop.state.installation.reader.close()

            other = threading.Thread(target=ask_elsewhere)
            other.start()
            other.join()
            assert elsewhere == [True]  # it is not committed yet
        assert not app.shop.allows(app.ann)


REFUSED: dict[str, Callable[[ConsentKit, str], object]] = {
    "share": lambda kit, who: kit.share(who, SCORE, recipient=CREDIT).__enter__(),
    "share_many": lambda kit, who: kit.share_many(
        [who], SCORE, recipient=CREDIT
    ).__enter__(),
    "require": lambda kit, _: kit.require(SCORE, recipient=CREDIT)(lambda: "ran")(),
    "suspend": lambda kit, _: kit.suspend(SCORE, by="dpo", reason="stop"),
    "release_without_consent": lambda kit, who: kit.release_without_consent(
        who,
        "court-order",
        recipient="leeds-court",
        data={"spending"},
        basis="legal-obligation",
        evidence="0" * 64,
        by="dpo",
        reason="ordered",
    ).__enter__(),
    "resume": lambda kit, _: kit.resume(SCORE, by="dpo", reason="go on"),
    "invalidate": lambda kit, _: kit.invalidate(
        since=datetime(2020, 1, 1, tzinfo=UTC),
        until=datetime.now(UTC),
        by="dpo",
        reason="a bad notice",
    ),
}


@pytest.mark.requirement("R76")
@one_host
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_wait_for_the_commit_is_refused_at_once(
    app: JoinedHost, name: str
) -> None:
    consent = app.shop.consent
    with app.shop.app.test_request_context(), app.open_work() as work:
        flask.session["person"] = app.ann
        before = len(app.leaves())
        with consent.joining(work):
            consent.revoke(app.bob, SCORE)
            with pytest.raises(ConfigurationError, match="before the block, or after"):
                REFUSED[name](consent, app.ann)
        assert len(app.leaves()) == before + 1
    assert app.shop.allows(app.ann)


@one_host
def test_one_block_is_one_transaction(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work, consent.joining(work):
        for entered in (consent.joining(work), consent.joining(app.engine)):
            with pytest.raises(ConfigurationError, match="within such a block"):
                entered.__enter__()
        consent.revoke(app.ann, SCORE)
    assert not app.shop.allows(app.ann)
    with pytest.raises(TypeError, match=r"with consent\.joining"), app.work() as work:
        bool(consent.joining(work))


@one_host
def test_the_block_belongs_to_its_thread(app: JoinedHost) -> None:
    consent, found = app.shop.consent, []

    def act() -> None:
        with app.shop.app.app_context():
            try:
                consent.revoke(app.bob, SCORE)
            except ConfigurationError as error:
                found.append(str(error))

    with app.work() as work, consent.joining(work):
        consent.revoke(app.ann, SCORE)
        context = contextvars.copy_context()
        other = threading.Thread(target=context.run, args=(act,))
        other.start()
        other.join()
        (said,) = found
        assert "belongs to the thread" in said
    assert not app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)


@one_host
def test_a_fork_in_the_block_leaves_the_transaction_alone(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work:
        block = consent.joining(work)
        with block as joined:
            consent.revoke(app.ann, SCORE)

            def child() -> list[str]:
                said = []
                try:
                    consent.revoke(app.bob, SCORE)
                except ConfigurationError as error:
                    said.append(str(error))
                try:
                    block.__exit__(None, None, None)
                except ConfigurationError as error:
                    said.append(str(error))
                return said

            ended = in_fork(child)
            assert ended.signal == 0
            assert [each.split()[0] for each in ended.value] == ["a", "a"]
        assert joined.committed
    assert not app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)


@one_host
def test_kill_9_before_the_commit_leaves_nothing_of_either(app: JoinedHost) -> None:
    consent = app.shop.consent
    app.engine.dispose()
    app.shop.state.installation.close()

    def child() -> None:
        with app.work() as work, consent.joining(work):
            consent.revoke(app.ann, SCORE)
            consent.erase(app.bob, reason="request")
            app.add(work, "she left")
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_fork(child).signal == signal.SIGKILL
    assert app.notes() == []
    assert app.shop.allows(app.ann)
    assert app.shop.allows(app.bob)


@one_host
def test_two_at_once_about_one_person_wait_for_each_other(app: JoinedHost) -> None:
    """One in a block, one on a page of ours: one leaf, and nobody is lost."""
    consent = app.shop.consent
    inside, found = threading.Event(), []

    def on_a_page() -> None:
        inside.wait(10)
        with app.shop.app.app_context():
            found.append(consent.revoke(app.ann, SCORE).ended)

    other = threading.Thread(target=on_a_page)
    other.start()
    with app.work() as work, consent.joining(work):
        consent.revoke(app.ann, SCORE)
        inside.set()
        assert found == []
        app.add(work, "she left")
    other.join()
    assert found == [()]  # there was nothing left to end
    assert len([each for each in app.leaves() if each.kind == "revocation"]) == 1


@one_host
def test_coroutines_of_one_thread_do_not_write_in_each_others_block(
    app: JoinedHost,
) -> None:
    consent = app.shop.consent

    async def elsewhere() -> bool:
        return app.shop.state.installation.database.joined is None

    async def main() -> bool:
        task = asyncio.create_task(elsewhere())  # its context is that of before
        with app.work() as work, consent.joining(work):
            consent.revoke(app.ann, SCORE)
            return await task

    assert asyncio.run(main())
    assert not app.shop.allows(app.ann)
