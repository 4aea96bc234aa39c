"""Who was in a batch, and the tree that each of them is proven by.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; no batch was shared before."""
    op.create_table(
        "consent_batch",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("leaf", TEXT, nullable=False),
        sa.Column("time", sa.BigInteger, nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("purpose", "recipient", "data", "scope")
        ),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_consent_batch")),
        sa.UniqueConstraint("leaf", name=op.f("uq_consent_batch_leaf")),
    )
    op.create_table(
        "consent_batch_entry",
        sa.Column("batch", sa.Integer, nullable=False),
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("handle", "reason", "record")
        ),
        sa.Column("act", sa.LargeBinary),
        sa.PrimaryKeyConstraint(
            *("batch", "handle"), name=op.f("pk_consent_batch_entry")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_batch_stranger",
        sa.Column("batch", sa.Integer, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("subject", "reason")),
        sa.PrimaryKeyConstraint(
            *("batch", "subject"), name=op.f("pk_consent_batch_stranger")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_batch_tile",
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("first", TEXT, nullable=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            *("batch", "level", "number"), name=op.f("pk_consent_batch_tile")
        ),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("batch_tile", "batch_stranger", "batch_entry", "batch"):
        op.drop_table(f"consent_{name}")
