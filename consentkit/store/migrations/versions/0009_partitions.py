"""On PostgreSQL: leaves and disclosures by log, the state by the hash of the subject.

A disclosure says in which log its leaf is, on SQLite too. What is there is copied, in
the one transaction of the upgrade: it takes as much space again until the commit.

Revision ID: 0009
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATE_PARTITIONS = 8


class _Table(NamedTuple):
    """How a table is partitioned, and what else is on it, its key aside."""

    partitioned: str
    key: str
    more: tuple[str, ...] = ()


# ``log`` comes last in the keys: what is read by position, or by id, in whichever log
# it is, then finds its rows in the order of the key in each partition.
_TABLES = {
    "consent_state": _Table("HASH (subject)", "subject, purpose, recipient"),
    "consent_leaf": _Table(
        "RANGE (log)",
        "position",
        (
            *(
                f"ALTER TABLE consent_leaf ADD CONSTRAINT uq_consent_leaf_log_{name} "
                f"UNIQUE (log, {columns})"
                for name, columns in (
                    *((name, name) for name in ("challenge", "id", "idx")),
                    ("handle_seq", "handle, seq"),
                )
            ),
            """ALTER TABLE consent_leaf ADD CONSTRAINT fk_consent_leaf_log
               FOREIGN KEY (log) REFERENCES consent_log (id)""",
            """CREATE INDEX ix_consent_leaf_unnumbered ON consent_leaf (log, position)
               WHERE idx IS NULL""",
            """CREATE INDEX ix_consent_leaf_key ON consent_leaf (log, position)
               WHERE kind = 'key'""",
            """CREATE INDEX ix_consent_leaf_official ON consent_leaf (log, position)
               WHERE kind IN ('admin', 'suspension')""",
            """CREATE TRIGGER consent_leaf_no_update BEFORE UPDATE ON consent_leaf
               FOR EACH ROW WHEN (OLD.idx IS NOT NULL
                 OR (NEW.position, NEW.log, NEW.id, NEW.kind, NEW.hash, NEW.bytes,
                     NEW.handle, NEW.seq, NEW.challenge, NEW.time)
                 IS DISTINCT FROM
                    (OLD.position, OLD.log, OLD.id, OLD.kind, OLD.hash, OLD.bytes,
                     OLD.handle, OLD.seq, OLD.challenge, OLD.time))
               EXECUTE FUNCTION consent_leaf_is_append_only()""",
            """CREATE TRIGGER consent_leaf_no_delete BEFORE DELETE ON consent_leaf
               FOR EACH ROW EXECUTE FUNCTION consent_leaf_is_append_only()""",
        ),
    ),
    "consent_disclosure": _Table(
        "RANGE (log)",
        "id",
        (
            """CREATE INDEX ix_consent_disclosure_subject_time
               ON consent_disclosure (subject, time)""",
        ),
    ),
}
_NO_TRUNCATE = """CREATE TRIGGER consent_leaf_no_truncate BEFORE TRUNCATE ON {}
    FOR EACH STATEMENT EXECUTE FUNCTION consent_leaf_is_append_only()"""
# A line whose leaf is gone stays too, with the newest log.
_NEWEST_LOG = "(SELECT max(id) FROM consent_log)"
_FORMER = "consent_former"
_ROWS = f"INSERT INTO {{}} SELECT * FROM {_FORMER}"  # noqa: S608  a constant
_DISCLOSURES = f"""
    INSERT INTO consent_disclosure
    SELECT former.id, subject, time, purpose, recipient, data, reason, record,
           COALESCE(leaf.log, {_NEWEST_LOG})
    FROM {_FORMER} AS former LEFT JOIN (
        SELECT id, min(log) AS log FROM consent_leaf GROUP BY id
    ) AS leaf ON leaf.id = former.id
"""  # noqa: S608  constants


def upgrade() -> None:
    """Partition them, with a partition for each log that there is."""
    if op.get_bind().dialect.name == "postgresql":
        _partition()
        return
    op.add_column("consent_disclosure", sa.Column("log", sa.Integer(), nullable=True))
    op.execute(f"""
        UPDATE consent_disclosure SET log = COALESCE((
            SELECT min(leaf.log) FROM consent_leaf AS leaf
            WHERE leaf.log IN (SELECT id FROM consent_log)
              AND leaf.id = consent_disclosure.id
        ), {_NEWEST_LOG})
    """)  # noqa: S608  a constant
    with op.batch_alter_table("consent_disclosure") as batch:
        batch.alter_column("log", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    """Put each into one table again, and forget which log a line is from."""
    if op.get_bind().dialect.name == "postgresql":
        for name, table in _TABLES.items():
            _copy(name)
            _complete(name, table.key)
        op.execute(_NO_TRUNCATE.format("consent_leaf"))
    op.drop_column("consent_disclosure", "log")


def _partition() -> None:
    op.execute("ALTER TABLE consent_disclosure ADD COLUMN log integer")
    logs = op.get_bind().scalars(sa.text("SELECT id FROM consent_log")).all()
    for name, table in _TABLES.items():
        of_log = table.partitioned.startswith("RANGE")
        parts = _by_log(name, logs) if of_log else _by_hash(name)
        _copy(name, f"PARTITION BY {table.partitioned}", parts)
        _complete(name, f"{table.key}, log" if of_log else table.key)
    op.execute("ALTER TABLE consent_disclosure ALTER COLUMN log SET NOT NULL")
    for name in ("consent_leaf", *(f"consent_leaf_{log}" for log in logs)):
        op.execute(_NO_TRUNCATE.format(name))
    # What the planner knows of a partitioned table, no autovacuum finds out.
    op.execute(f"ANALYZE {', '.join(_TABLES)}")


def _by_log(name: str, logs: Iterable[int]) -> dict[str, str]:
    return {f"{name}_{log}": f"FROM ({log}) TO ({log + 1})" for log in logs}


def _by_hash(name: str) -> dict[str, str]:
    return {
        f"{name}_{number}": f"WITH (MODULUS {_STATE_PARTITIONS}, REMAINDER {number})"
        for number in range(_STATE_PARTITIONS)
    }


def _copy(
    name: str, partitioned: str = "", parts: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Put a table of that name in place of the one there is, with all its rows.

    Whatever is on it is made afterwards: an index is built from rows several times as
    fast as it takes them one by one.
    """
    op.rename_table(name, _FORMER)
    op.execute(f"CREATE TABLE {name} (LIKE {_FORMER} INCLUDING DEFAULTS) {partitioned}")
    for part, bounds in parts.items():
        op.execute(f"CREATE TABLE {part} PARTITION OF {name} FOR VALUES {bounds}")
    op.execute(_DISCLOSURES if "disclosure" in name and parts else _ROWS.format(name))
    if name == "consent_leaf":
        op.execute(
            "ALTER SEQUENCE consent_leaf_position_seq OWNED BY consent_leaf.position"
        )
    op.drop_table(_FORMER)


def _complete(name: str, key: str) -> None:
    op.execute(f"ALTER TABLE {name} ADD CONSTRAINT pk_{name} PRIMARY KEY ({key})")
    for statement in _TABLES[name].more:
        op.execute(statement)
