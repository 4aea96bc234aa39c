"""What a host's own Alembic is told, so that it leaves our tables alone.

Autogeneration compares a database with one MetaData, and proposes to drop every table
that it finds in the one and not in the other. Ours are in no MetaData of the host's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.store import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["include_name"]

_VERSION = "consent_alembic_version"
_PARTITION = re.compile(r"(consent_leaf|consent_disclosure|consent_state)_[0-9]+")


def include_name(
    name: str | None, type_: str, parent_names: Mapping[str, str | None]
) -> bool:
    """Whether a host's autogeneration may look at it: at everything but our tables.

    For ``context.configure(include_name=include_name)`` in the host's ``env.py``, or
    ``Migrate(app, db, include_name=include_name)``. With a filter of your own::

        lambda *asked: include_name(*asked) and yours(*asked)

    Ours are those of this version, their partitions on PostgreSQL, and the table with
    the version; a table of yours whose name begins with ``consent_`` is still looked
    at.
    """
    table = name if type_ == "table" else parent_names.get("table_name")
    return not (table in schema.METADATA.tables or _is_kept(table or ""))


def _is_kept(table: str) -> bool:
    return table == _VERSION or _PARTITION.fullmatch(table) is not None
