"""Witnesses: their cosignatures, and how each of them stands.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    op.create_table(
        "consent_cosignature",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("witness", TEXT, nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log", "size"],
            ["consent_checkpoint.log", "consent_checkpoint.size"],
            name=op.f("fk_consent_cosignature_log"),
        ),
        sa.PrimaryKeyConstraint(
            "log", "size", "witness", name=op.f("pk_consent_cosignature")
        ),
    )
    op.create_table(
        "consent_witness",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("witness", TEXT, nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["log"], ["consent_log.id"], name=op.f("fk_consent_witness_log")
        ),
        sa.PrimaryKeyConstraint("log", "witness", name=op.f("pk_consent_witness")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("consent_witness")
    op.drop_table("consent_cosignature")
