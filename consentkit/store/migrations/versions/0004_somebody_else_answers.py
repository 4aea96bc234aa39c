"""Who answers for somebody else: when children come of age, and delegations.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; nobody answered for anybody else before."""
    op.create_table(
        "consent_coming_of_age",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_consent_coming_of_age")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consent_delegation",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("delegate", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("purposes", TEXT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_delegation")),
    )
    for column in ("subject", "delegate"):
        op.create_index(
            f"ix_consent_delegation_{column}",
            "consent_delegation",
            [column],
            unique=False,
        )


def downgrade() -> None:
    """Drop them."""
    for name in ("delegation", "coming_of_age"):
        op.drop_table(f"consent_{name}")
