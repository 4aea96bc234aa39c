"""How far a copy of the database has come, and what became of the logs that ended.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of one row; no log was archived or dropped before."""
    op.create_table(
        "consent_heartbeat",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_consent_heartbeat")),
    )
    op.add_column("consent_log", sa.Column("archived", sa.BigInteger()))
    op.add_column("consent_log", sa.Column("dropped", sa.BigInteger()))


def downgrade() -> None:
    """Take it out again."""
    op.drop_column("consent_log", "dropped")
    op.drop_column("consent_log", "archived")
    op.drop_table("consent_heartbeat")
