"""Databases of PostgreSQL with several periods in them, and plans as they are run."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event

from consentkit.store import database as database_module
from consentkit.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Plans", "fill", "migrate", "planned"]

_SCRIPTS = database_module.__file__.replace("database.py", "migrations")
# Of each log, its n-th leaf: a key, few of officials, the others of people, each with a
# choice and a share that rests on it; the last three wait for their numbers.
_LEAVES = """
    INSERT INTO consent_leaf
        (log, idx, id, kind, hash, bytes, handle, seq, challenge, time)
    SELECT {log}, CASE WHEN n < {size} - 3 THEN n END, md5({log} || 'leaf' || n),
        CASE WHEN n = 0 THEN 'key' WHEN n % 1000 = 10 THEN 'admin'
             WHEN n % 2 = 1 THEN 'choice' ELSE 'disclosure' END,
        sha256(('hash' || n)::bytea), convert_to(repeat('leaf', 200) || n, 'UTF8'),
        md5('handle' || n / 2), {log} * 2 + n % 2,
        CASE WHEN n % 2 = 1 THEN md5({log} || 'challenge' || n) END,
        {log} * 10000000 + n
    FROM generate_series(0, {size} - 1) AS n
"""
_DISCLOSURES = """
    INSERT INTO consent_disclosure
        (id, subject, time, purpose, recipient, data, reason, record {column})
    SELECT id, 'person-' || time % 10000000 / 2, time, 'score', 'credit', 'spending',
        'granted', md5({log} || 'leaf' || time % 10000000 + 1) {value}
    FROM consent_leaf WHERE log = {log} AND kind = 'disclosure'
"""
_STATES = """
    INSERT INTO consent_state
    SELECT 'person-' || n, 'score', 'credit', 'given', 'spending', 1e13,
        repeat('a', 64), 'session', md5('1leaf' || n * 2 + 1), n, repeat('b', 64)
    FROM generate_series(0, {size} - 1) AS n
"""
_PEOPLE = """
    INSERT INTO consent_subject
    SELECT 'person-' || n, md5('handle' || n), '', 9, '', n
    FROM generate_series(0, {size} - 1) AS n
"""


def migrate(database: Database, revision: str) -> None:
    """Bring its tables to that revision, up or down."""
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", _SCRIPTS)
        config.attributes["connection"] = connection
        known = connection.dialect.has_table(connection, "consent_alembic_version")
        current = (
            connection.scalar(
                sa.text("SELECT version_num FROM consent_alembic_version")
            )
            if known
            else ""
        )
        move = command.downgrade if revision < (current or "") else command.upgrade
        move(config, revision)


def fill(connection: psycopg.Connection[Any], logs: int, size: int) -> None:
    """Put so many leaves into each of so many logs, whose rows are already there."""
    partitioned = connection.execute(
        "SELECT relkind = 'p' FROM pg_class WHERE relname = 'consent_leaf'"
    ).fetchone() == (True,)
    for log in range(1, logs + 1):
        more = {"column": ", log", "value": f", {log}"} if partitioned else {}
        values = {"log": log, "size": size, "column": "", "value": "", **more}
        connection.execute(_LEAVES.format(**values).encode())
        connection.execute(_DISCLOSURES.format(**values).encode())
    for statement in (_STATES, _PEOPLE):
        connection.execute(statement.format(size=size // 2).encode())


class Plans:
    """What PostgreSQL says of each statement that was run since it was asked last."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        """Keep what the server told; of its other messages, nothing."""
        told = diagnostic.message_primary or ""
        if "plan:" in told:
            self._told.append(told)

    def taken(self) -> str:
        """The plans since then."""
        found, self._told = "\n".join(self._told), []
        return found

    def read(self) -> set[str]:
        """The tables and partitions that those plans really read, and by what."""
        nodes = re.findall(
            r"((?:Seq|Index|Index Only|Bitmap Heap) Scan)[^\n]*? on (consent_\w+)"
            r"[^\n]*?\((never executed|actual)",
            self.taken(),
        )
        return {f"{how} on {table}" for how, table, done in nodes if done == "actual"}


@contextlib.contextmanager
def planned(database: Database) -> Iterator[Plans]:
    """The plans of whatever is run through that database's engine within the block."""
    plans = Plans()

    def tell(driver: Any, _record: object) -> None:
        driver.add_notice_handler(plans.note)
        driver.execute("LOAD 'auto_explain'")
        for name, value in {
            "auto_explain.log_min_duration": "0",
            "auto_explain.log_analyze": "on",
            "auto_explain.log_timing": "off",
            "client_min_messages": "log",
        }.items():
            driver.execute(f"SET {name} = {value}")
        driver.commit()

    database.dispose()
    event.listen(database.engine, "connect", tell)
    try:
        yield plans
    finally:
        event.remove(database.engine, "connect", tell)
        database.dispose()
