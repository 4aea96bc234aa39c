"""Apps that keep rows of their own beside the consents, by each way that there is."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import flask_sqlalchemy
import flask_sqlalchemy_lite
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.log.leaf import read_leaf
from consentkit.service.rebuilding import differences
from consentkit.testing import answer
from tests import legal
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from consentkit.log.leaf import Leaf

__all__ = ["KINDS", "NOTE", "JoinedHost", "engine_for", "joined_host"]

KINDS = ("flask-sqlalchemy", "flask-sqlalchemy-lite", "session", "connection")

_NUMBERS = itertools.count(1)
_APP = sa.MetaData()
NOTE = sa.Table(
    "note",
    _APP,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column(
        "about",
        sa.Integer,
        sa.ForeignKey("note.id", deferrable=True, initially="DEFERRED"),
    ),
)
"""A note of the app's; one about a note that is not there fails at the commit."""


@dataclass
class JoinedHost:
    """An app, and what it hands to ``joining``; within a context of the app."""

    shop: Host
    engine: sa.Engine
    open_work: Callable[[], contextlib.AbstractContextManager[Any]]
    ann: str = "ann"
    bob: str = "bob"
    since: int = 0

    @contextlib.contextmanager
    def work(self) -> Iterator[Any]:
        """A context of the app, with the session or connection that it would use."""
        with self.shop.app.app_context(), self.open_work() as work:
            yield work

    def anew(self) -> JoinedHost:
        """The same app with two people who agreed, and about whom no note is there."""
        number = next(_NUMBERS)
        found = replace(self, ann=f"ann-{number}", bob=f"bob-{number}")
        for who in (found.ann, found.bob):
            answer(self.shop.client(who), "credit-score", {"acme-credit": "given"})
        return replace(found, since=len(self.leaves()))

    def add(self, work: Any, text: str, *, about: int | None = None) -> None:
        """Let the app write a note about Ann."""
        work.execute(NOTE.insert().values(text=text, subject=self.ann, about=about))

    def notes(self) -> list[str]:
        """What the app has stored about Ann."""
        query = sa.select(NOTE.c.text).where(NOTE.c.subject == self.ann)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by("text")))

    def leaves(self) -> list[Leaf]:
        """What came to the log since, in the order of writing."""
        found = list(self.shop.state.installation.history.all_leaves())
        return [read_leaf(data) for data in found[self.since :]]

    def check(self) -> None:
        """The log verifies, and the tables are what its leaves amount to."""
        installation = self.shop.state.installation
        self.shop.publish()
        trust = Trust.of(installation.keyring.vkeys)
        verified = verify_log(FolderSource(installation.log_folder), trust=trust)
        assert verified.size > 0
        assert list(differences(installation)) == []


def engine_for(uri: str, **options: Any) -> sa.Engine:
    """An engine as an app makes one, but that SQLite minds its foreign keys."""
    engine = sa.create_engine(uri, **options)
    _mind_keys(engine)
    return engine


def _mind_keys(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite":
        event.listen(
            engine, "connect", lambda raw, _: raw.execute("PRAGMA foreign_keys=ON")
        )


@contextlib.contextmanager
def joined_host(kind: str, uri: str, folder: Path) -> Iterator[JoinedHost]:
    """An app of that kind, on the database at ``uri``, closed afterwards."""
    made: list[Any] = []

    def before(app: Flask) -> None:
        if kind == "flask-sqlalchemy":
            app.config["SQLALCHEMY_DATABASE_URI"] = uri
            made.append(flask_sqlalchemy.SQLAlchemy(app))
        elif kind == "flask-sqlalchemy-lite":
            app.config["SQLALCHEMY_ENGINES"] = {"default": uri}
            made.append(flask_sqlalchemy_lite.SQLAlchemy(app))
        app.config["CONSENTKIT_DATABASE_URI"] = uri.replace("+psycopg", "")

    shop = host(folder, before=before, registry=legal.registry())
    if made:
        with shop.app.app_context():
            engine = made[0].engine
        _mind_keys(engine)
        engine.dispose()
    else:
        engine = engine_for(uri)
    _APP.create_all(engine)

    @contextlib.contextmanager
    def open_work() -> Iterator[Any]:
        if made:
            yield made[0].session
        elif kind == "session":
            with Session(engine) as session:
                yield session
        else:
            with engine.connect() as connection:
                yield connection

    try:
        yield JoinedHost(shop, engine, open_work)
    finally:
        engine.dispose()
        shop.state.installation.close()
