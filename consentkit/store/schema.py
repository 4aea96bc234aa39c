"""The tables. Leaves are truth; everything else can be rebuilt from them or is private.

``consent_state`` is keyed by the app's own opaque subject id so that a check is one
primary-key read and so that the app can join on it; the log knows handles only
(``docs/adr/0007``). Times are milliseconds since the epoch, UTC.

On PostgreSQL the state, the leaves and the disclosures are partitioned, the latter two
by log, which is then part of their primary keys (``partitions``, ``docs/adr/0025``).
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = [
    "METADATA",
    "TEXT",
    "bar",
    "batch",
    "batch_entry",
    "batch_stranger",
    "batch_tile",
    "checkpoint",
    "coming_of_age",
    "cosignature",
    "delegation",
    "delivery",
    "disclosure",
    "evidence",
    "heartbeat",
    "hold",
    "key",
    "leaf",
    "log",
    "notice",
    "reminder",
    "state",
    "subject",
    "suspension",
    "tile",
    "timestamp",
    "witness",
]

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Ids and names are compared as bytes, whatever language the database is set to.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

log = sa.Table(
    "consent_log",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("origin", TEXT, nullable=False, unique=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.BigInteger),
    # The erasure or purge whose bytes the file may still hold, see ``erasing``.
    sa.Column("residue", TEXT),
    # When all its files were found in the archive, and when its leaves were dropped.
    sa.Column("archived", sa.BigInteger),
    sa.Column("dropped", sa.BigInteger),
)

# Which key may sign from which index on: what the key leaves say, one row a key, so
# that no leaf gets in that its signer's key leaf does not cover.
key = sa.Table(
    "consent_key",
    METADATA,
    sa.Column("log", sa.Integer, sa.ForeignKey("consent_log.id"), primary_key=True),
    sa.Column("vkey", TEXT, primary_key=True),
    sa.Column("role", TEXT, nullable=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger),
)

leaf = sa.Table(
    "consent_leaf",
    METADATA,
    # SQLite only increments INTEGER keys; 2^31 leaves would not fit one file anyway.
    sa.Column(
        "position",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("log", sa.Integer, sa.ForeignKey("consent_log.id"), nullable=False),
    # Its place in the log, NULL while it waits; below zero it was left out for good.
    sa.Column("idx", sa.BigInteger),
    sa.Column("id", TEXT, nullable=False),
    sa.Column("kind", TEXT, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.Column("handle", TEXT),
    sa.Column("seq", sa.BigInteger),
    sa.Column("challenge", TEXT),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("log", "idx"),
    sa.UniqueConstraint("log", "id"),
    sa.UniqueConstraint("log", "challenge"),
    sa.UniqueConstraint("log", "handle", "seq"),
    sqlite_autoincrement=True,
)


def _index_some(name: str, where: sa.ColumnElement[bool]) -> None:
    """An index of the few leaves that are looked for in their own order."""
    columns = (leaf.c.log, leaf.c.position)
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


_index_some("ix_consent_leaf_unnumbered", leaf.c.idx.is_(None))
_index_some("ix_consent_leaf_key", leaf.c.kind == "key")
_index_some("ix_consent_leaf_official", leaf.c.kind.in_(["admin", "suspension"]))

subject = sa.Table(
    "consent_subject",
    METADATA,
    sa.Column("subject", TEXT, primary_key=True),
    sa.Column("handle", TEXT, nullable=False, unique=True),
    sa.Column("data_key", sa.LargeBinary, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", TEXT, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
)

# Evidence of somebody who was erased, kept for claims (GDPR Art. 17(3)(e)): the key is
# wrapped by the hold key, which everyday work never opens, and nobody's id is here.
hold = sa.Table(
    "consent_hold",
    METADATA,
    sa.Column("handle", TEXT, primary_key=True),
    sa.Column("data_key", sa.LargeBinary, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)

state = sa.Table(
    "consent_state",
    METADATA,
    sa.Column("subject", TEXT, primary_key=True),
    sa.Column("purpose", TEXT, primary_key=True),
    sa.Column("recipient", TEXT, primary_key=True),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("data", TEXT, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("scope", TEXT, nullable=False),
    sa.Column("assurance", TEXT, nullable=False),
    sa.Column("record", TEXT, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("notice", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

# When those come of age for whom somebody else answered: as near to a birthday as
# anything here comes, so private, and gone with the person. A table of its own, since
# every check looks here and it has few rows or none.
coming_of_age = sa.Table(
    "consent_coming_of_age",
    METADATA,
    sa.Column("subject", TEXT, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Whom a person lets answer for them: which purposes, until when.
delegation = sa.Table(
    "consent_delegation",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("subject", TEXT, nullable=False, index=True),
    sa.Column("delegate", TEXT, nullable=False, index=True),
    sa.Column("label", TEXT, nullable=False),
    sa.Column("purposes", TEXT, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Column("ended", sa.BigInteger),
)

# Which yes a person was reminded of before it ended (R90): of each one once.
reminder = sa.Table(
    "consent_reminder",
    METADATA,
    sa.Column("subject", TEXT, primary_key=True),
    sa.Column("purpose", TEXT, primary_key=True),
    sa.Column("recipient", TEXT, primary_key=True),
    sa.Column("record", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

evidence = sa.Table(
    "consent_evidence",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("handle", TEXT, nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

notice = sa.Table(
    "consent_notice",
    METADATA,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("manifest", sa.LargeBinary, nullable=False),
    sa.Column("html", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
)

disclosure = sa.Table(
    "consent_disclosure",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("subject", TEXT, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("purpose", TEXT, nullable=False),
    sa.Column("recipient", TEXT, nullable=False),
    sa.Column("data", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("record", TEXT, nullable=False),
    # That of the leaf with the same id: a period's lines go with its leaves.
    sa.Column("log", sa.Integer, nullable=False),
    sa.Index("ix_consent_disclosure_subject_time", "subject", "time"),
)

# Lines of that table which a court forbids to tell their person, until then (R72). A
# table of its own: it has few rows or none, and every line is looked up here.
bar = sa.Table(
    "consent_bar",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Batches: what was shared with one recipient about many people at once. What all have
# in common stands here once, as the leaf says it; ``size`` is how many are in the tree.
batch = sa.Table(
    "consent_batch",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("leaf", TEXT, nullable=False, unique=True),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("purpose", TEXT, nullable=False),
    sa.Column("recipient", TEXT, nullable=False),
    sa.Column("data", TEXT, nullable=False),
    sa.Column("scope", TEXT, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
)

# Who was in one, by handle, so that nothing here has to change when somebody is erased
# and everybody else's proof goes on to hold. ``act`` is the hash of the leaf that it
# rests on; without one the person was withheld, and is in no tree. ``reason`` is why,
# or why somebody who was named was not handed over after all.
batch_entry = sa.Table(
    "consent_batch_entry",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("handle", TEXT, primary_key=True),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("record", TEXT, nullable=False),
    sa.Column("act", sa.LargeBinary),
    sqlite_with_rowid=False,
)

# Who was withheld and has no handle, since the log never heard of them.
batch_stranger = sa.Table(
    "consent_batch_stranger",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", TEXT, primary_key=True),
    sa.Column("reason", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

# The tree over the entries, in tiles as the log's own; ``first`` is the handle that a
# tile of the lowest level begins with.
batch_tile = sa.Table(
    "consent_batch_tile",
    METADATA,
    sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first", TEXT, nullable=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

# When the publisher last was here: what a replica says of it, is how old its answers
# may be. One row, and none where nobody reads a replica.
heartbeat = sa.Table(
    "consent_heartbeat",
    METADATA,
    sa.Column("one", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

suspension = sa.Table(
    "consent_suspension",
    METADATA,
    sa.Column("purpose", TEXT, primary_key=True),
    sa.Column("recipient", TEXT, primary_key=True),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("leaf", TEXT, nullable=False),
)

tile = sa.Table(
    "consent_tile",
    METADATA,
    sa.Column("log", sa.Integer, sa.ForeignKey("consent_log.id"), primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

checkpoint = sa.Table(
    "consent_checkpoint",
    METADATA,
    sa.Column("log", sa.Integer, sa.ForeignKey("consent_log.id"), primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True),
    sa.Column("note", sa.LargeBinary, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
)

cosignature = sa.Table(
    "consent_cosignature",
    METADATA,
    sa.Column("log", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True),
    sa.Column("witness", TEXT, primary_key=True),
    sa.Column("line", sa.LargeBinary, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["log", "size"], ["consent_checkpoint.log", "consent_checkpoint.size"]
    ),
)

witness = sa.Table(
    "consent_witness",
    METADATA,
    sa.Column("log", sa.Integer, sa.ForeignKey("consent_log.id"), primary_key=True),
    sa.Column("witness", TEXT, primary_key=True),
    sa.Column("held", sa.BigInteger, nullable=False),
    sa.Column("asked", sa.BigInteger, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("fault", TEXT, nullable=False),
)

# RFC 3161 time-stamp tokens over the text of a checkpoint.
timestamp = sa.Table(
    "consent_timestamp",
    METADATA,
    sa.Column("log", sa.Integer, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True),
    sa.Column("authority", TEXT, primary_key=True),
    sa.Column("token", sa.LargeBinary, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.ForeignKeyConstraint(
        ["log", "size"], ["consent_checkpoint.log", "consent_checkpoint.size"]
    ),
)

# What recipients still have to be told: committed with the act that makes it due.
delivery = sa.Table(
    "consent_delivery",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("handle", TEXT, nullable=False, index=True),
    sa.Column("recipient", TEXT, nullable=False),
    sa.Column("event", TEXT, nullable=False),
    sa.Column("record", TEXT, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("fault", TEXT, nullable=False),
    sa.Index("ix_consent_delivery_status_due", "status", "due"),
)
