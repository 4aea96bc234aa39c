"""Alembic environment: runs on the connection handed in, never on a URL of its own.

No ``fileConfig`` here: it would rewire the host application's logging.
"""

from __future__ import annotations

from alembic import context

from consentkit.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="consent_alembic_version",
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is the transaction
)
context.run_migrations()
