"""Which yes a person was reminded of before it ended.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from consentkit.store.schema import TEXT

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; nobody was reminded of anything before."""
    op.create_table(
        "consent_reminder",
        *(
            sa.Column(name, TEXT, nullable=False)
            for name in ("subject", "purpose", "recipient", "record")
        ),
        sa.PrimaryKeyConstraint(
            *("subject", "purpose", "recipient"), name=op.f("pk_consent_reminder")
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("consent_reminder")
