"""Where the rows of the big tables go on PostgreSQL, and how a whole period goes.

Leaves and disclosures lie in one partition for each log, so that a period that ended
is two tables, and to drop them costs the same however many rows they hold. The state
is spread over a few by the hash of the subject (``docs/adr/0025``). On SQLite each is
one table.

A partition is made by whoever owns the tables, where a log begins; no process that
only writes rows ever needs one that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store import numbers
from consentkit.store import schema
from consentkit.store.connections import TABLE_WAIT
from consentkit.store.postgres_pooling import LOCKED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

__all__ = ["drop_period", "make_room", "missing", "of_log"]

_LOG, _LEAF, _DISCLOSURE = schema.log, schema.leaf, schema.disclosure
_BY_LOG = (_LEAF, _DISCLOSURE)
# How many there are is for good: every row would have to move.
_BY_SUBJECT = tuple(f"{schema.state.name}_{number}" for number in range(8))
# Triggers for each row come with the partition, those for a statement do not.
_GUARD = "consent_leaf_no_truncate"
# What of a leaf's partition is switched off there: a server does so one by one.
_IDLE = sa.text("""
    SELECT part.relname, tgname FROM pg_trigger
    JOIN pg_inherits ON inhrelid = tgrelid JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent = to_regclass('consent_leaf') AND tgname LIKE 'consent\\_leaf\\_%'
      AND tgenabled NOT IN ('O', 'A') AND tgname <> :guard
    ORDER BY part.relname, tgname
""")
_OTHERS = sa.text("""
    SELECT DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC'
        ELSE quote_ident(pg_get_userbyid(grantee)) END
    FROM pg_class, aclexplode(relacl)
    WHERE oid = to_regclass(:name) AND grantee <> relowner
""")
_ATTACHED = sa.text("""
    SELECT part.relname, EXISTS (
        SELECT 1 FROM pg_trigger
        WHERE tgrelid = part.oid AND tgname = :guard AND tgenabled IN ('O', 'A')
    )
    FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
    WHERE inhparent IN (
        to_regclass('consent_leaf'), to_regclass('consent_disclosure'),
        to_regclass('consent_state')
    )
""")


def of_log(table: sa.Table, log_id: int) -> str:
    """The name of the partition that holds a log's rows of this table."""
    return f"{table.name}_{log_id}"


def make_room(connection: sa.Connection, log_id: int) -> None:
    """Make the partitions of a log whose row is there, unless they are there too.

    Idempotent; nothing on SQLite. Who reads or writes other logs does not wait.

    Raises what the driver raises if the connection's role does not own the tables;
    ``Database`` translates that at its door.
    """
    if connection.dialect.name != "postgresql":
        return
    found = _attached(connection)
    for table in _BY_LOG:
        name = of_log(table, log_id)
        if name not in found:
            # Attached, not created as one, which would lock out whoever reads the rest.
            connection.exec_driver_sql(
                f"CREATE TABLE {name} (LIKE {table.name} INCLUDING DEFAULTS)"
            )
            connection.exec_driver_sql(
                f"ALTER TABLE {table.name} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ({log_id}) TO ({log_id + 1})"
            )
            _close_to_others(connection, name)
    leaves = of_log(_LEAF, log_id)
    if not found.get(leaves):
        connection.exec_driver_sql(
            f"CREATE TRIGGER {_GUARD} BEFORE TRUNCATE ON {leaves} "
            "FOR EACH STATEMENT EXECUTE FUNCTION consent_leaf_is_append_only()"
        )


def missing(connection: sa.Connection) -> list[str]:
    """What is not as ``make_room`` and the migrations left it, by name.

    Looked for are the partitions of every log that was not dropped, those of the state,
    and on each of the leaves' the trigger against truncating it. Empty if all is there,
    and on SQLite. Needs no right but to read ``consent_log``.
    """
    if connection.dialect.name != "postgresql":
        return []
    found = _attached(connection)
    logs = sa.select(_LOG.c.id).where(_LOG.c.dropped.is_(None)).order_by(_LOG.c.id)
    lost = [name for name in _BY_SUBJECT if name not in found]
    for log_id in connection.scalars(logs):
        lost += [
            name for table in _BY_LOG if (name := of_log(table, log_id)) not in found
        ]
        leaves = of_log(_LEAF, log_id)
        if found.get(leaves) is False:
            lost.append(f"the trigger {_GUARD} on {leaves}")
    idle = connection.execute(_IDLE, {"guard": _GUARD})
    return lost + [f"the trigger {name} on {part}" for part, name in idle]


def drop_period(connection: sa.Connection, log_id: int) -> None:
    """Take out every leaf and every line of the disclosure table that a log has.

    The bars on those lines go with them. The log's own row, its checkpoints, tiles,
    keys and time-stamps stay, and so do batches and all that is kept by person: its
    size and its signed tree are still known, its leaves are not, so nothing that needs
    one of them (a receipt, a proof, the replay) is found here any more. It is for the
    caller to have the archive verified before, and to note it in ``consent_log``.

    Within a transaction that overlaps with no other (``Database.write``). On PostgreSQL
    the two partitions are dropped, whose files go at the commit; reads of the tables
    wait until then, as it waits for those under way, but for ``TABLE_WAIT`` only. On
    SQLite the rows are deleted: the triggers that forbid it are taken out and put back
    as they were, within the transaction, and the freed pages hold the bytes until the
    file is rewritten (``Database.rewrite``). Idempotent.

    Raises:
        ConfigurationError: the log goes on, or not all of it is published.
        LogUnavailableError: somebody reads the tables for longer, as a backup does.
    """
    _check_ended(connection, log_id)
    lines = sa.select(_DISCLOSURE.c.id).where(_DISCLOSURE.c.log == log_id)
    connection.execute(sa.delete(schema.bar).where(schema.bar.c.id.in_(lines)))
    if connection.dialect.name == "postgresql":
        _drop_tables(connection, [of_log(table, log_id) for table in _BY_LOG])
        return
    guards = list(_guards(connection))
    for name, _ in guards:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    for table in _BY_LOG:
        connection.execute(sa.delete(table).where(table.c.log == log_id))
    for _, statement in guards:
        connection.exec_driver_sql(statement)


def _drop_tables(connection: sa.Connection, names: Sequence[str]) -> None:
    # While it waits for whoever reads, nobody else gets in: neither reads nor acts.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_WAIT}'")
    try:
        for name in names:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCKED:
            raise
        raise LogUnavailableError(
            f"somebody goes on reading {' or '.join(names)}, as a backup does: nothing "
            "was dropped, so that nobody has to wait; run it again afterwards"
        ) from wordless(error)


def _close_to_others(connection: sa.Connection, name: str) -> None:
    """Take back what default privileges have given: rights are those of the table."""
    for other in connection.scalars(_OTHERS, {"name": name}).all():
        connection.exec_driver_sql(f"REVOKE ALL ON TABLE {name} FROM {other}")


def _check_ended(connection: sa.Connection, log_id: int) -> None:
    closed = connection.scalar(sa.select(_LOG.c.closed).where(_LOG.c.id == log_id))
    if closed is None or numbers.count_waiting(connection, log_id):
        raise ConfigurationError(
            f"log {log_id} goes on, or not all of it is published: only a log that was "
            "closed can be dropped; close it with 'flask consent log close'"
        )


def _attached(connection: sa.Connection) -> dict[str, bool]:
    """The partitions there are, and whether each has the trigger of the leaves."""
    rows = connection.execute(_ATTACHED, {"guard": _GUARD})
    return {row[0]: row[1] for row in rows}


def _guards(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """The triggers on the leaves of SQLite, as they were created."""
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master "
        "WHERE type = 'trigger' AND tbl_name = 'consent_leaf' ORDER BY name"
    )
    yield from ((row[0], row[1]) for row in found)
