"""An app in a folder of its own, and rows enough to measure on."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import tempfile
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask import request

from consentkit import ConsentKit
from consentkit import Registry
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.core.registry import Question
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.installation import Installation
from consentkit.store.sqlite import journal_mode
from consentkit.web.state import KEY
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import registry

__all__ = ["LONG", "World", "open_raw", "reopened", "signed_leaves", "world"]

LONG = 10**10
"""Milliseconds that no benchmark lasts."""

_INSERT = "INSERT INTO consent_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class World:
    """An app with consentkit set up, its declarations and the file of its database."""

    app: Flask
    consent: ConsentKit
    path: Path

    @property
    def installation(self) -> Installation:
        """What the services work with."""
        found: Installation = self.app.extensions[KEY].installation
        return found

    @property
    def question(self) -> Question:
        """The question whether the affiliate may get the spending history."""
        found = self.installation.registry.question(SCORE.id, CREDIT.id)
        assert found is not None
        return found

    def add_states(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Put rows into the state table, without the acts they would come from."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(_INSERT, rows)


@contextlib.contextmanager
def world(declared: Registry | None = None, *, database: str = "") -> Iterator[World]:
    """A fresh app, to which requests come from Anna or whom ``X-Person`` names.

    ``database`` is the URI of an empty one, if it is not to be a file of its own.
    """
    with tempfile.TemporaryDirectory(prefix="consentkit-bench-") as folder:
        yield reopened(Path(folder), declared, database=database)


def reopened(
    folder: Path, declared: Registry | None = None, *, database: str = ""
) -> World:
    """The app whose files are in that folder, once more or for the first time."""
    app = Flask("bench", instance_path=str(folder))
    app.secret_key = secrets.token_hex()
    app.config["CONSENTKIT_PUBLISH"] = "command"  # nothing runs but what is timed
    if database:
        app.config["CONSENTKIT_DATABASE_URI"] = database
    consent = ConsentKit(declared or registry())
    consent.init_app(app)
    consent.subject_loader(lambda: request.headers.get("X-Person", "anna"))
    return World(app, consent, folder / "consentkit" / "consent.sqlite3")


@contextlib.contextmanager
def open_raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The driver alone, as careful as we are: same journal mode, same promises."""
    connection = sqlite3.connect(path, isolation_level=None)
    with contextlib.closing(connection):
        for pragma in (
            f"journal_mode={journal_mode()}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "recursive_triggers=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        yield connection


def signed_leaves(
    installation: Installation, question: Question, count: int
) -> list[Leaf]:
    """Leaves of as many people, each of one answer, genuinely signed."""
    now = installation.clock()
    choice = {
        "data": list(question.data),
        "purpose": question.purpose_id,
        "recipient": question.recipient_id,
        "scope": question.scope,
        "state": State.GIVEN.value,
        "until": now + LONG,
    }
    return [
        read_leaf(
            sign_leaf(
                {
                    "actor": Actor.SUBJECT.value,
                    "assurance": Assurance.SESSION.value,
                    "challenge": secrets.token_hex(32),
                    "channel": Channel.WEB.value,
                    "choices": [choice],
                    "evidence": secrets.token_hex(32),
                    "id": secrets.token_hex(16),
                    "kind": Kind.CHOICE.value,
                    "log": installation.origin,
                    "notice": secrets.token_hex(32),
                    "prev": "",
                    "seq": 0,
                    "subject": secrets.token_hex(16),
                    "time": now,
                },
                installation.keyring.collector,
            )
        )
        for _ in range(count)
    ]
