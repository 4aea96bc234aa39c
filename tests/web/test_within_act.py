"""The app's row beside a person's act: both are there afterwards, or neither."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from consentkit import ConfigurationError
from consentkit import ConsentKit
from consentkit.errors import LogUnavailableError
from consentkit.testing import answer
from consentkit.testing import confirm
from consentkit.testing import form_token
from consentkit.web import signals
from tests import declared
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.web.asking import Phone
from tests.web.asking import said
from tests.web.hosts import Host
from tests.web.hosts import bare_app
from tests.web.hosts import host
from tests.web.joined_hosts import NOTE
from tests.web.joined_hosts import JoinedHost
from tests.web.joined_hosts import joined_host
from tests.web.two_stages import two_stages

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.accompanying import PersonsAct

YES = {"acme-credit": "given"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hosted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JoinedHost]:
    folder = tmp_path_factory.mktemp("within")
    uri = f"sqlite:///{folder / 'app.sqlite3'}"
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgres").new_database()
        uri = uri.replace("postgresql:", "postgresql+psycopg:")
    with joined_host("flask-sqlalchemy", uri, folder) as found:
        yield found
        found.check()


@pytest.fixture
def app(hosted: JoinedHost) -> Iterator[JoinedHost]:
    """An app that notes each act beside it, until the end of the test."""
    found = hosted.anew()
    found.shop.consent.within_act(note)
    yield found
    found.shop.consent._loaders.companion = None


def note(connection: sa.Connection, act: PersonsAct) -> None:
    """As an app would write it, with a session of its own on that connection."""
    told = "".join(f" {each.recipient}={each.state}" for each in act.choices)
    with Session(connection) as session:
        session.execute(
            NOTE.insert().values(subject=act.subject, text=f"{act.kind}{told}")
        )
        session.commit()


def stop(client: FlaskClient) -> int:
    """Press the first button of the centre that stops something."""
    token = form_token(client.get("/consent/").text)
    return client.post("/consent/revocations", data={"token": token}).status_code


def erase(client: FlaskClient) -> int:
    token = form_token(client.get("/consent/erasure").text)
    return client.post("/consent/erasure", data={"token": token}).status_code


def test_every_act_has_its_row_from_whichever_page_it_came(app: JoinedHost) -> None:
    ann = app.shop.client(app.ann)
    assert stop(ann) == 303
    answer(ann, "credit-score", YES)
    Phone(ann).answer(said("refused"))
    assert erase(ann) == 303
    assert app.notes() == sorted(
        [
            "revocation acme-credit=withdrawn",
            "choice acme-credit=given",
            "choice acme-credit=refused",
            "erasure",
        ]
    )


def test_calls_of_the_app_have_it_too(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work:
        consent.check(app.ann, SCORE, recipient=CREDIT)
        consent.revoke(app.bob)
        with consent.joining(work):
            consent.revoke(app.ann)
            assert app.notes() == []
    assert app.notes() == ["revocation acme-credit=withdrawn"]


def press(app: JoinedHost, do: str) -> int:
    client = app.shop.client(app.ann)
    if do == "answer":
        return answer(client, "credit-score", {"acme-credit": "refused"}).status_code
    if do == "stop":
        return stop(client)
    if do == "erase":
        return erase(client)
    phone = Phone(client)
    return phone.send(phone.token(), said("refused")).status_code


@pytest.mark.parametrize("do", ["answer", "stop", "erase", "phone"])
def test_what_the_app_raises_undoes_both_and_the_person_is_told(
    app: JoinedHost, do: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[object] = []

    def fail(connection: sa.Connection, act: PersonsAct) -> None:
        note(connection, act)
        raise ZeroDivisionError

    app.shop.consent.within_act(fail)
    with signals.ended.connected_to(lambda *_, **facts: told.append(facts)):
        assert press(app, do) == 503

    assert app.notes() == []
    assert app.leaves() == []
    assert app.shop.allows(app.ann)
    assert told == []
    assert "the app's own part of an act failed (ZeroDivisionError)" in caplog.text
    assert app.ann not in caplog.text

    app.shop.consent.within_act(note)
    assert press(app, do) in {200, 303}
    assert len(app.notes()) == 1


def test_a_row_that_the_database_refuses_undoes_both(app: JoinedHost) -> None:
    """This one at the commit alone."""

    def about_nothing(connection: sa.Connection, act: PersonsAct) -> None:
        connection.execute(NOTE.insert().values(subject=act.subject, about=999))

    app.shop.consent.within_act(about_nothing)
    assert press(app, "stop") == 503
    assert app.notes() == []
    assert app.shop.allows(app.ann)


def repeats_a_key(connection: sa.Connection, act: PersonsAct) -> None:
    """Fail at a row, and pass that over."""
    with contextlib.suppress(sa.exc.IntegrityError):
        for _ in range(2):
            connection.execute(NOTE.insert().values(id=999, subject=act.subject))


def takes_its_own_back(connection: sa.Connection, act: PersonsAct) -> None:
    with Session(connection) as session:
        session.execute(NOTE.insert().values(subject=act.subject))
        session.rollback()


@pytest.mark.parametrize("do", ["answer", "stop", "erase", "phone"])
@pytest.mark.parametrize("passes", [repeats_a_key, takes_its_own_back])
def test_what_the_app_passes_over_does_not_undo_the_act(
    app: JoinedHost, do: str, passes: Callable[[sa.Connection, PersonsAct], None]
) -> None:
    """PostgreSQL would turn the commit into a rollback, and call that no error."""
    app.shop.consent.within_act(passes)
    assert press(app, do) in {200, 303}
    assert len(app.leaves()) == 1
    assert not app.shop.allows(app.ann)
    with app.engine.begin() as connection:
        connection.execute(NOTE.delete().where(NOTE.c.id == 999))


@pytest.mark.parametrize("end", ["ROLLBACK", "ROLLBACK;BEGIN", "rollback"])
def test_an_act_whose_transaction_the_app_ends_is_not_promised(
    app: JoinedHost, end: str
) -> None:
    told: list[object] = []

    def ends(connection: sa.Connection, act: PersonsAct) -> None:
        if end.islower():
            connection.rollback()
            return
        for each in end.split(";"):
            connection.exec_driver_sql(each)
        connection.execute(NOTE.insert().values(subject=act.subject, text="of nothing"))

    app.shop.consent.within_act(ends)
    with signals.ended.connected_to(lambda *_, **facts: told.append(facts)):
        assert press(app, "stop") == 503
    assert app.shop.allows(app.ann)
    assert told == []
    assert app.leaves() == []
    assert app.notes() == []


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("in_block", [True, False])
def test_what_the_database_says_of_the_apps_row_is_not_in_the_log(
    app: JoinedHost, caplog: pytest.LogCaptureFixture, *, in_block: bool
) -> None:
    """Nor in the error that is raised, which the app's own handler would print."""

    def repeats(connection: sa.Connection, act: PersonsAct) -> None:
        connection.exec_driver_sql(
            "CREATE TABLE IF NOT EXISTS account (subject TEXT PRIMARY KEY)"
        )
        for _ in range(2):
            query = sa.text("INSERT INTO account VALUES (:subject)")
            connection.execute(query, {"subject": act.subject})

    consent = app.shop.consent
    consent.within_act(repeats)
    with (
        app.work() as work,
        pytest.raises(LogUnavailableError) as caught,
        consent.joining(work) if in_block else contextlib.nullcontext(),
    ):
        consent.revoke(app.ann, SCORE)
    logging.getLogger("theirs").error("failed", exc_info=caught.value)
    assert caplog.text.count("IntegrityError") > 1
    assert "in repeats" in caplog.text
    assert app.ann not in caplog.text


def test_an_act_within_an_act_is_refused_at_once(app: JoinedHost) -> None:
    def act_again(_connection: sa.Connection, _act: PersonsAct) -> None:
        app.shop.consent.revoke("somebody-else")

    app.shop.consent.within_act(act_again)
    begun = time.monotonic()
    assert press(app, "stop") == 503
    assert time.monotonic() - begun < 10
    assert app.shop.allows(app.ann)


def test_a_confirmed_yes_has_its_row(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.sqlite3'}")
    seen: list[str] = []
    sent: list[Any] = []
    shop = host(tmp_path, registry=two_stages(), engine=engine)
    shop.consent.confirmation_sender(sent.append)

    @shop.consent.within_act
    def see(_connection: sa.Connection, act: PersonsAct) -> None:
        seen.extend(str(each.state) for each in act.choices)

    maya = shop.client("maya")
    answer(maya, "credit-score", YES)
    confirm(maya, sent[-1].address)
    assert seen == ["requested", "given"]
    shop.state.installation.close()
    engine.dispose()


def nothing(_connection: sa.Connection, _act: PersonsAct) -> None:
    """What an app might have registered."""


def test_a_database_of_our_own_is_refused_when_the_app_starts(tmp_path: Path) -> None:
    consent = ConsentKit(declared.registry())
    consent.within_act(nothing)
    with pytest.raises(ConfigurationError, match="in the app's own database"):
        consent.init_app(bare_app(tmp_path))


def test_and_by_the_first_act_if_it_was_registered_later(shop: Host) -> None:
    shop.consent.within_act(nothing)
    with pytest.raises(ConfigurationError, match="in the app's own database"):
        answer(shop.client("maya"), "credit-score", YES)
    assert shop.acts() == 0
