"""Keys by range, legal holds, time stamps, and what recipients have to be told.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; a log can be closed from now on."""
    op.add_column("consent_log", sa.Column("closed", sa.BigInteger(), nullable=True))
    op.add_column("consent_log", sa.Column("residue", TEXT, nullable=True))
    op.create_table(
        "consent_key",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("vkey", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["log"], ["consent_log.id"], name=op.f("fk_consent_key_log")
        ),
        sa.PrimaryKeyConstraint("log", "vkey", name=op.f("pk_consent_key")),
    )
    op.create_table(
        "consent_hold",
        sa.Column("handle", TEXT, nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_consent_hold")),
    )
    op.create_table(
        "consent_timestamp",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("authority", TEXT, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log", "size"],
            ["consent_checkpoint.log", "consent_checkpoint.size"],
            name=op.f("fk_consent_timestamp_log"),
        ),
        sa.PrimaryKeyConstraint(
            "log", "size", "authority", name=op.f("pk_consent_timestamp")
        ),
    )
    op.create_table(
        "consent_delivery",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("handle", TEXT, nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("record", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("fault", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_delivery")),
    )
    op.create_index(
        "ix_consent_delivery_handle", "consent_delivery", ["handle"], unique=False
    )
    op.create_index(
        "ix_consent_delivery_status_due",
        "consent_delivery",
        ["status", "due"],
        unique=False,
    )
    of_officials = sa.text("kind IN ('admin', 'suspension')")
    op.create_index(
        "ix_consent_leaf_official",
        "consent_leaf",
        ["log", "position"],
        unique=False,
        sqlite_where=of_officials,
        postgresql_where=of_officials,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_consent_leaf_official", "consent_leaf")
    for name in ("delivery", "timestamp", "hold", "key"):
        op.drop_table(f"consent_{name}")
    op.drop_column("consent_log", "residue")
    op.drop_column("consent_log", "closed")
