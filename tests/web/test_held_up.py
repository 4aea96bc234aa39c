"""What a request needs is held for too long: 503, and the same form goes later."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from consentkit.store import sqlite
from tests.web.asking import API
from tests.web.asking import SCORER
from tests.web.asking import Phone
from tests.web.asking import refusal
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer

PERSON = "SELECT 1 FROM consent_subject FOR UPDATE"
ALONE = (
    "SELECT pg_advisory_xact_lock(('x' || substr(encode(sha256('consentkit'), 'hex'), "
    "1, 6))::bit(24)::int, 0)"
)
HELD = {"the person's row": PERSON, "the turn of all writers": ALONE}


@pytest.mark.requirement("R73", "R76")
@pytest.mark.parametrize("held", HELD.values(), ids=HELD)
def test_a_lock_that_is_held_for_too_long_is_told_and_the_form_counts_later(
    postgres: PostgresServer, tmp_path: Path, held: str
) -> None:
    uri = postgres.new_tables()
    shop = host(
        tmp_path, CONSENTKIT_DATABASE_URI=uri, CONSENTKIT_DATABASE_LOCK_TIMEOUT=1
    )
    phone = Phone(shop.client(MAYA))
    phone.answer(said("given"))
    with psycopg.connect(uri) as other:
        other.execute(held.encode())
        told_to_come_back(shop, phone)
        other.rollback()
    comes_back(phone)
    shop.state.installation.close()


@pytest.mark.requirement("R73", "R76")
def test_a_file_that_another_program_locks_for_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.5)
    shop = host(tmp_path)
    phone = Phone(shop.client(MAYA))
    phone.answer(said("given"))
    with locked(shop):
        told_to_come_back(shop, phone)
    comes_back(phone)


@contextlib.contextmanager
def locked(shop: Host) -> Iterator[None]:
    file = shop.state.installation.database.file
    assert file
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


def told_to_come_back(shop: Host, phone: Phone) -> None:
    """No act, no share, and nothing is stored; what only looks is answered."""
    acts = phone.status()
    sent = phone.http.post(f"{API}/revocations", json={})
    assert refusal(sent, "unavailable")
    assert sent.headers["Retry-After"] == "1"
    shared = phone.http.post("/score")
    assert refusal(shared, "unavailable")["reason"] == "store_unavailable"
    assert phone.status() == acts
    assert shop.allows(MAYA)


def comes_back(phone: Phone) -> None:
    sent = phone.http.post(f"{API}/revocations", json={})
    assert (sent.status_code, len(sent.get_json()["ended"])) == (200, 1)
    assert phone.status()[SCORER]["state"] == "withdrawn"
