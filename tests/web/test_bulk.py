"""Many people at once, and consents in the app's own database."""

from __future__ import annotations

import logging
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from consentkit import Assurance
from consentkit import ConfigurationError
from consentkit import DeclarationError
from consentkit import Reason
from consentkit import ShareRequest
from consentkit.store import sqlite as sqlite_module
from consentkit.testing import answer
from tests import declared
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import SPENDING
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator

APP = sa.MetaData()
USER = sa.Table(
    "user", APP, sa.Column("id", sa.Integer, primary_key=True), sa.Column("x", sa.Text)
)


OPENED: list[Host] = []  # whose connections are given back after the test


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """The app's own, with three users, of whom nobody was asked yet."""
    if request.param == "sqlite":
        uri = f"sqlite:///{tmp_path / 'app.sqlite3'}"
    else:
        uri = request.getfixturevalue("postgres").new_database()
        uri = uri.replace("postgresql:", "postgresql+psycopg:")
    found = sa.create_engine(uri)
    APP.create_all(found)
    with found.begin() as connection:
        connection.execute(USER.insert(), [{"id": each} for each in (1, 2, 3)])
    yield found
    found.dispose()
    while OPENED:
        OPENED.pop().state.installation.close()


def shared_host(folder: Path, engine: sa.Engine, **config: Any) -> Host:
    """An app that keeps its consents where ``engine`` is; user 2 agreed."""
    shop = host(folder, engine=engine, **config)
    OPENED.append(shop)
    answer(shop.client("2"), "credit-score", {"acme-credit": "given"})
    return shop


def users(
    shop: Host, engine: sa.Engine, *, no: bool = False, **terms: Any
) -> list[int]:
    """The ids of those who allow it, or of those who do not."""
    with shop.app.app_context():
        clause = shop.consent.allowed_clause(
            USER.c.id, SCORE, recipient=CREDIT, **{"data": {SPENDING}, **terms}
        )
    with engine.connect() as connection:
        statement = sa.select(USER.c.id).where(~clause if no else clause)
        return list(connection.scalars(statement.order_by(USER.c.id)))


@pytest.mark.requirement("R62", "R69")
def test_the_app_selects_whose_data_it_may_share(
    tmp_path: Path, engine: sa.Engine
) -> None:
    shop = shared_host(tmp_path, engine)
    assert users(shop, engine) == [2]
    assert users(shop, engine, no=True) == [1, 3]
    assert users(shop, engine, data=iter(["spending"])) == [2]
    assert users(shop, engine, data=["city"]) == []
    assert users(shop, engine, min_assurance="confirmed") == []
    with shop.app.app_context():
        shop.consent.revoke(2, SCORE)
    assert users(shop, engine) == []


@pytest.mark.requirement("R62", "R69")
def test_many_are_not_shared_by_a_statement_that_asks_about_others(
    tmp_path: Path, engine: sa.Engine
) -> None:
    shop = shared_host(tmp_path, engine)
    with shop.app.app_context():
        share_many, terms = shop.consent.share_many, {"recipient": CREDIT}
        clause = shop.consent.allowed_clause(USER.c.id, SCORE, recipient=CREDIT)
        other = USER.alias()
        with (
            pytest.raises(ConfigurationError, match="of user, which is not in"),
            share_many(sa.select(other.c.id).where(clause), SCORE, **terms),
        ):
            pytest.fail("it ran")


def test_the_apps_engine_is_left_as_it_was(tmp_path: Path, engine: sa.Engine) -> None:
    seen: list[str] = []
    for name in ("connect", "checkout", "close", "reset"):
        event.listen(engine, name, lambda *_, name=name: seen.append(name))
    shop = shared_host(tmp_path, engine)
    assert seen == []
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("foreign_keys", "recursive_triggers", "secure_delete")
            }
        with closing(sqlite3.connect(":memory:")) as plain:
            for name, value in pragmas.items():
                assert plain.execute(f"PRAGMA {name}").fetchone()[0] == value, name
    assert shop.consent
    assert {"consent_state", "user"} <= set(sa.inspect(engine).get_table_names())


@pytest.mark.parametrize("key", ["SQLALCHEMY_DATABASE_URI", "binds", "engines"])
def test_the_same_address_as_that_of_the_apps_extension_will_do(
    tmp_path: Path, key: str
) -> None:
    uri = f"sqlite:///{tmp_path / 'app.sqlite3'}"
    relative = "sqlite:///app.sqlite3"  # to the instance folder, as those extensions do
    config: dict[str, object] = {
        "SQLALCHEMY_DATABASE_URI": {key: relative},
        "binds": {"SQLALCHEMY_BINDS": {"a": None, "b": {"url": sa.make_url(uri)}}},
        "engines": {"SQLALCHEMY_ENGINES": {"default": uri}},
    }[key]
    shop = host(tmp_path, CONSENTKIT_DATABASE_URI=uri, **config)
    engine = sa.create_engine(uri)
    APP.create_all(engine)
    assert users(shop, engine) == []
    engine.dispose()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"SQLALCHEMY_DATABASE_URI": "sqlite:///other.sqlite3"},
        {"SQLALCHEMY_DATABASE_URI": "postgresql://db.example/app"},
        {"SQLALCHEMY_DATABASE_URI": "no address"},
    ],
)
def test_elsewhere_than_in_the_apps_database_the_clause_says_so(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    uri = f"sqlite:///{tmp_path / 'consent.sqlite3'}"
    shop = host(tmp_path, CONSENTKIT_DATABASE_URI=uri, **config)
    with (
        shop.app.app_context(),
        pytest.raises(ConfigurationError, match=r"init_app\(app, engine=engine\)"),
    ):
        shop.consent.allowed_clause(USER.c.id, SCORE, recipient=CREDIT)


REFUSED = {
    "in memory": "sqlite://",
    "in memory by name": "sqlite:///:memory:",
    "by a URI": "sqlite:///file:app.sqlite3?uri=true",
}


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED)
def test_an_engine_for_memory_is_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(ConfigurationError, match="another one for each connection"):
        host(tmp_path, engine=sa.create_engine(uri))


def test_what_is_no_engine_is_refused_and_so_is_saying_it_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlalchemy\.Engine.*got str"):
        host(tmp_path, engine="sqlite:///app.sqlite3")
    uri = f"sqlite:///{tmp_path / 'app.sqlite3'}"
    with pytest.raises(ConfigurationError, match="take one of them out"):
        host(tmp_path, engine=sa.create_engine(uri), CONSENTKIT_DATABASE_URI=uri)


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_journal_mode_of_the_apps_file_is_the_apps(
    tmp_path: Path,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sqlite_module, "journal_mode", lambda: "DELETE")
    file = tmp_path / "app.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("CREATE TABLE kept (x)")
    engine = sa.create_engine(f"sqlite:///{file}")
    APP.create_all(engine)
    with engine.begin() as connection:
        connection.execute(USER.insert().values(id=2))
    with caplog.at_level(logging.WARNING, "consentkit"):
        shop = shared_host(tmp_path, engine)
    assert users(shop, engine) == [2]
    engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
    warned = [each for each in caplog.messages if "WAL mode" in each]
    assert len(warned) == (mode == "wal")


@pytest.mark.requirement("R62")
def test_what_is_not_declared_is_refused_where_it_is_written(tmp_path: Path) -> None:
    shop = host(tmp_path)
    wrong: list[dict[str, Any]] = [
        {"purpose": "other", "recipient": CREDIT},
        {"purpose": SCORE, "recipient": SHOP},
        {"purpose": SCORE, "recipient": CREDIT, "data": ["iban"]},
        {"purpose": SCORE, "recipient": CREDIT, "data": SPENDING},
    ]
    for terms in wrong:
        with shop.app.app_context(), pytest.raises(DeclarationError):
            shop.consent.allowed_clause(USER.c.id, **terms)


@pytest.mark.requirement("R65")
def test_a_recipient_that_rests_gets_nobody(tmp_path: Path) -> None:
    resting = replace(SCORE, recipients=[replace(CREDIT, active=False)])
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.sqlite3'}")
    APP.create_all(engine)
    registry = declared.registry(purposes=[resting])
    shop = host(tmp_path, engine=engine, registry=registry)
    with engine.begin() as connection:
        connection.execute(USER.insert().values(id=1))
    assert users(shop, engine) == []
    assert users(shop, engine, no=True) == [1]
    engine.dispose()


@pytest.mark.requirement("R82")
def test_where_only_the_app_knows_who_is_a_child_the_clause_says_so(
    tmp_path: Path,
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'app.sqlite3'}")
    shop = host(tmp_path, engine=engine, CONSENTKIT_PROFILE="IN")

    def ask(purpose: Any, recipient: Any) -> object:
        with shop.app.app_context():
            return shop.consent.allowed_clause(USER.c.id, purpose, recipient=recipient)

    ask(OFFERS, SHOP)
    shop.consent.birthday_loader(lambda _: None)
    ask(SCORE, CREDIT)  # nothing that is forbidden
    with pytest.raises(ConfigurationError, match="birthday_loader"):
        ask(OFFERS, SHOP)


@pytest.mark.requirement("R62")
def test_many_are_asked_about_as_one_is(tmp_path: Path) -> None:
    shop = host(tmp_path)
    token = uuid.UUID(int=5)
    for subject in ("7", str(token), "maya"):
        answer(shop.client(subject), "credit-score", {"acme-credit": "given"})
    wanted: Any = ({SPENDING}, [SPENDING.id], frozenset({"spending"}))
    subjects: tuple[Any, ...] = (7, "7", token, str(token), "maya", "MAYA", 8)
    odd: tuple[Any, ...] = (None, True, 7.0, b"7", "", "7\0", "x" * 256, ["7"], 2**70)
    with shop.app.app_context():
        asked: list[Any] = [
            ShareRequest(subject, SCORE, CREDIT, wanted[number % 3])  # type: ignore[arg-type]  declared values, as check takes them
            for number, subject in enumerate((*subjects, *odd))
        ]
        found = shop.consent.check_many(iter(asked))
        single = [
            shop.consent.check(each.subject, SCORE, recipient=CREDIT, data=each.data)
            for each in asked
        ]
    assert found == single
    assert [bool(each) for each in found] == [True] * 5 + [False] * 11
    assert {each.reason for each in found} == {Reason.GRANTED, Reason.NOT_ASKED}


def test_a_request_of_no_form_is_refused_and_one_for_nobody_denied(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    wrong: tuple[Any, ...] = ("spending", SPENDING)
    with shop.app.app_context():
        for data in wrong:
            with pytest.raises(DeclarationError, match="collection"):
                shop.consent.check_many([ShareRequest("7", "a", "b", data)])
        level: Any = "sworn"
        with pytest.raises(DeclarationError, match="min_assurance"):
            shop.consent.check_many([ShareRequest("7", "a", "b", None, level)])
        unknown = ShareRequest("7", "a", "b", None, Assurance.SESSION)
        assert [each.reason for each in shop.consent.check_many([unknown])] == [
            Reason.PURPOSE_UNKNOWN
        ]


@pytest.mark.requirement("R74")
def test_the_signal_of_the_person_who_is_here_counts_for_them_alone(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)

    @shop.app.get("/both")
    def both() -> list[str]:
        asked = [ShareRequest(each, "shop-offers", "corner-shops") for each in "ab"]
        return [each.reason.value for each in shop.consent.check_many(asked)]

    for subject in "ab":
        answer(shop.client(subject), "shop-offers", {"corner-shops": "given"})
    client = shop.client("a")
    assert client.get("/both").get_json() == ["granted", "granted"]
    signalled = client.get("/both", headers={"Sec-GPC": "1"}).get_json()
    assert signalled[1] == "granted"
    assert signalled[0] in {"opt_out_signal", "withdrawn"}
