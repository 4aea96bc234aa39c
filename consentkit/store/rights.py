"""What the role that this process has logged in as may do with our tables (PostgreSQL).

On SQLite whoever may write the file may do everything; there is nothing to ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from consentkit.store.database import Database

__all__ = [
    "REFUSED",
    "Rights",
    "check_may_number",
    "check_may_rewrite",
    "find_rights",
    "is_refused",
    "may_only_add",
]

REFUSED = (
    "the consent database refuses this to the role that this process logs in as: run "
    "'flask consent init' once more as the owner of the tables, with the names of the "
    "roles, or use the role that it is for (docs/roles.md)"
)
_INSUFFICIENT_PRIVILEGE = "42501"
_FIND = sa.text(
    """
SELECT current_user, pg_get_userbyid(leaf.relowner),
    role.rolsuper OR pg_has_role(leaf.relowner, 'USAGE'),
    has_column_privilege(leaf.oid, 'idx', 'UPDATE'),
    bool_or(has_column_privilege(part.oid, 'bytes', 'UPDATE')),
    bool_or(has_table_privilege(part.oid, 'DELETE')),
    bool_or(has_table_privilege(part.oid, 'TRUNCATE')),
    bool_or(part.oid <> leaf.oid AND has_any_column_privilege(part.oid, 'UPDATE')),
    bool_or(part.oid <> leaf.oid AND has_any_column_privilege(part.oid, 'INSERT')),
    pg_has_role(leaf.relowner, 'MEMBER')
FROM pg_roles AS role, pg_class AS leaf JOIN pg_class AS part ON part.oid = leaf.oid
    OR part.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = leaf.oid)
WHERE leaf.oid = to_regclass('consent_leaf') AND role.rolname = current_user
GROUP BY leaf.oid, leaf.relowner, role.rolsuper
"""
)


# Who holds what on the leaves, or on a partition of them; rights of single columns are
# those of their bytes.
_ADDERS = sa.text(
    """
WITH part AS (
    SELECT oid, relacl, relowner FROM pg_class
    WHERE oid = to_regclass('consent_leaf')
    OR oid IN (SELECT inhrelid FROM pg_inherits
        WHERE inhparent = to_regclass('consent_leaf'))
), held AS (
    SELECT privilege_type FROM part, aclexplode(relacl) WHERE grantee <> relowner
    UNION
    SELECT privilege_type FROM part
    JOIN pg_attribute ON attrelid = oid AND attname = 'bytes', aclexplode(attacl)
    WHERE grantee <> relowner
)
SELECT count(*) FILTER (WHERE privilege_type = 'INSERT') > 0
    AND count(*) FILTER (WHERE privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')) = 0
FROM held
"""
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role may do, who it is and who ``owner`` of the tables is.

    ``owns`` is the right of the owner: to change the tables, and to rewrite them;
    ``may_own`` is said of whoever gets it by ``SET ROLE`` too. What may be done with
    the leaves of one partition counts as what may be done with all; ``renumbers`` and
    ``adds_apart`` is said of whoever was granted it on a partition itself.
    """

    role: str
    owner: str
    owns: bool
    numbers: bool
    changes_leaves: bool
    deletes_leaves: bool
    truncates_leaves: bool
    renumbers: bool = False
    adds_apart: bool = False
    may_own: bool = False


def find_rights(connection: sa.Connection) -> Rights | None:
    """The rights of this very connection; None on SQLite, or without tables."""
    if connection.dialect.name != "postgresql":
        return None
    row = connection.execute(_FIND).one_or_none()
    return None if row is None else Rights(*row)


def may_only_add(connection: sa.Connection) -> bool:
    """Whether somebody may add leaves, and nobody but their owner may change them.

    Never on SQLite.
    """
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.scalar(_ADDERS))


def check_may_number(database: Database) -> None:
    """Refuse to start a publisher that could never publish.

    Raises:
        ConfigurationError: the role of this process may not number leaves.
        LogUnavailableError: the database cannot be reached.
    """
    with database.read() as connection:
        rights = find_rights(connection)
    if rights is not None and not rights.numbers:
        raise ConfigurationError(
            "CONSENTKIT_PUBLISH is 'thread', but the database role "
            f"{rights.role!r} may not number leaves: set it to 'command', and run "
            "'flask consent publish --follow' as the publisher's role"
        )


def check_may_rewrite(connection: sa.Connection) -> None:
    """Refuse what PostgreSQL would skip with a warning that nobody sees.

    Raises:
        LogUnavailableError: only the owner of the tables may rewrite them.
    """
    rights = find_rights(connection)
    if rights is not None and not rights.owns:
        raise LogUnavailableError(
            f"the database role {rights.role!r} may not rewrite tables: run 'flask "
            f"consent sweep' as their owner, {rights.owner!r}"
        )


def is_refused(error: BaseException) -> bool:
    """Whether PostgreSQL said that the role lacks a privilege."""
    driver = getattr(error, "orig", None) or error
    return getattr(driver, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE
