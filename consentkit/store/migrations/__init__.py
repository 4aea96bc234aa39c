"""Alembic scripts; ``consentkit.store.database.Database.upgrade`` runs them."""
