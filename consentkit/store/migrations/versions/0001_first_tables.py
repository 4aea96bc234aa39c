"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "consent_log",
    "consent_leaf",
    "consent_subject",
    "consent_state",
    "consent_evidence",
    "consent_notice",
    "consent_disclosure",
    "consent_suspension",
    "consent_tile",
    "consent_checkpoint",
)

# Against mistakes, not against whoever owns the file: that one is what the signed
# tree is for. Numbering is the one change a leaf's row ever sees.
_APPEND_ONLY = {
    "sqlite": (
        """CREATE TRIGGER consent_leaf_no_update BEFORE UPDATE ON consent_leaf
       WHEN OLD.idx IS NOT NULL
         OR (NEW.position, NEW.log, NEW.id, NEW.kind, NEW.hash, NEW.bytes, NEW.handle,
             NEW.seq, NEW.challenge, NEW.time)
         IS NOT (OLD.position, OLD.log, OLD.id, OLD.kind, OLD.hash, OLD.bytes,
                 OLD.handle, OLD.seq, OLD.challenge, OLD.time)
       BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END""",
        """CREATE TRIGGER consent_leaf_no_delete BEFORE DELETE ON consent_leaf
       BEGIN SELECT RAISE(ABORT, 'leaves are append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION consent_leaf_is_append_only() RETURNS trigger
           LANGUAGE plpgsql AS $$ BEGIN
             RAISE integrity_constraint_violation
               USING MESSAGE = 'leaves are append-only';
           END $$""",
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
        """CREATE TRIGGER consent_leaf_no_truncate BEFORE TRUNCATE ON consent_leaf
           FOR EACH STATEMENT EXECUTE FUNCTION consent_leaf_is_append_only()""",
    ),
}


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "consent_disclosure",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_disclosure")),
    )
    op.create_index(
        "ix_consent_disclosure_subject_time",
        "consent_disclosure",
        ["subject", "time"],
        unique=False,
    )
    op.create_table(
        "consent_evidence",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("handle", TEXT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_evidence")),
    )
    op.create_index(
        op.f("ix_consent_evidence_handle"), "consent_evidence", ["handle"], unique=False
    )
    op.create_table(
        "consent_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_log")),
        sa.UniqueConstraint("origin", name=op.f("uq_consent_log_origin")),
    )
    op.create_table(
        "consent_notice",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("html", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_consent_notice")),
    )
    op.create_table(
        "consent_state",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("data", TEXT, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("assurance", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("notice", TEXT, nullable=False),
        sa.PrimaryKeyConstraint(
            "subject", "purpose", "recipient", name=op.f("pk_consent_state")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_subject",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("handle", TEXT, nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", TEXT, nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_consent_subject")),
        sa.UniqueConstraint("handle", name=op.f("uq_consent_subject_handle")),
    )
    op.create_table(
        "consent_suspension",
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("leaf", TEXT, nullable=False),
        sa.PrimaryKeyConstraint(
            "purpose", "recipient", name=op.f("pk_consent_suspension")
        ),
    )
    op.create_table(
        "consent_checkpoint",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log"], ["consent_log.id"], name=op.f("fk_consent_checkpoint_log")
        ),
        sa.PrimaryKeyConstraint("log", "size", name=op.f("pk_consent_checkpoint")),
    )
    op.create_table(
        "consent_leaf",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=True),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("handle", TEXT, nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("challenge", TEXT, nullable=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log"], ["consent_log.id"], name=op.f("fk_consent_leaf_log")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_consent_leaf")),
        sa.UniqueConstraint(
            "log", "challenge", name=op.f("uq_consent_leaf_log_challenge")
        ),
        sa.UniqueConstraint(
            "log", "handle", "seq", name=op.f("uq_consent_leaf_log_handle_seq")
        ),
        sa.UniqueConstraint("log", "id", name=op.f("uq_consent_leaf_log_id")),
        sa.UniqueConstraint("log", "idx", name=op.f("uq_consent_leaf_log_idx")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_consent_leaf_unnumbered",
        "consent_leaf",
        ["log", "position"],
        unique=False,
        sqlite_where=sa.text("idx IS NULL"),
        postgresql_where=sa.text("idx IS NULL"),
    )
    op.create_index(
        "ix_consent_leaf_key",
        "consent_leaf",
        ["log", "position"],
        unique=False,
        sqlite_where=sa.text("kind = 'key'"),
        postgresql_where=sa.text("kind = 'key'"),
    )
    op.create_table(
        "consent_tile",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log"], ["consent_log.id"], name=op.f("fk_consent_tile_log")
        ),
        sa.PrimaryKeyConstraint("log", "level", "number", name=op.f("pk_consent_tile")),
    )
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Drop them, newest first: foreign keys point at the older ones."""
    for name in reversed(_TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION consent_leaf_is_append_only()")
