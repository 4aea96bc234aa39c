"""Database roles that may do what their work needs, and nothing else (PostgreSQL).

A web process that is taken over must not be able to change the past: its role inserts
leaves and can neither change nor delete one, nor number it, nor sign for the log. What
a role holds on our tables is exactly what stands here; anything else is taken back. The
reasons and what stays possible are in ``docs/roles.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from typing import TypeAlias

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.store import schema
from consentkit.store.rights import find_rights
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.store.database import Database

__all__ = ["GRANTS", "Role", "RoleReport", "grant_roles"]

_Grants: TypeAlias = Mapping[str, tuple[str, ...]]

_VERSION = "consent_alembic_version"
_SEQUENCE = "consent_leaf_position_seq"
_READ = ("SELECT",)
# Neither a number nor a place is the writer's to choose.
_INSERT_LEAF = (
    "INSERT (log, id, kind, hash, bytes, handle, seq, challenge, time)",
    "SELECT",
)
_SPEND_POSITION = ("USAGE",)
# Bound into the log, and told to everybody who checks it: no person is named here.
_OF_THE_LOG = (
    *("log", "key", "leaf", "notice", "tile", "checkpoint", "cosignature"),
    *("witness", "timestamp", "batch", "batch_entry", "batch_tile"),
)
_NAME = re.compile(r"(?!pg_)[A-Za-z_][A-Za-z0-9_-]{0,62}")


class Role(StrEnum):
    """What a process does with the database."""

    WEB = "web"
    PUBLISHER = "publisher"
    AUDITOR = "auditor"


def _ours(grants: _Grants) -> _Grants:
    return {
        _VERSION: _READ,
        **{f"consent_{name}": rights for name, rights in grants.items()},
    }


_WEB: _Grants = {
    **_ours(dict.fromkeys(_OF_THE_LOG, _READ)),
    **_ours(
        {
            # That bytes of an erased person may be left, and nothing else of a log.
            "log": ("SELECT", "UPDATE (residue)"),
            "leaf": _INSERT_LEAF,
            "leaf_position_seq": _SPEND_POSITION,
            "notice": ("SELECT", "INSERT"),
            "subject": ("SELECT", "INSERT", "UPDATE (seq, head)", "DELETE"),
            "state": (
                *("SELECT", "INSERT", "DELETE"),
                f"UPDATE ({', '.join(STATUS_COLUMNS)})",
            ),
            "evidence": ("SELECT", "INSERT", "DELETE"),
            "hold": ("SELECT", "INSERT"),
            "coming_of_age": ("SELECT", "INSERT", "UPDATE (at)", "DELETE"),
            "delegation": ("SELECT", "INSERT", "UPDATE (ended)", "DELETE"),
            "reminder": ("SELECT", "INSERT", "UPDATE (record)", "DELETE"),
            "disclosure": ("SELECT", "INSERT", "DELETE"),
            "bar": ("SELECT", "INSERT", "DELETE"),
            "suspension": ("SELECT", "INSERT", "DELETE"),
            "delivery": (
                *("SELECT", "INSERT", "DELETE"),
                "UPDATE (due, attempts, status, fault)",
            ),
            "batch": ("SELECT", "INSERT"),
            "batch_entry": ("SELECT", "INSERT", "UPDATE (reason)", "DELETE"),
            "batch_stranger": ("SELECT", "INSERT", "DELETE"),
            "batch_tile": ("SELECT", "INSERT"),
            "heartbeat": _READ,
        }
    ),
}

_PUBLISHER: _Grants = {
    **_ours(dict.fromkeys(_OF_THE_LOG, _READ)),
    **_ours(
        {
            "log": ("SELECT", "UPDATE (size)"),
            "leaf": (*_INSERT_LEAF, "UPDATE (idx)"),
            "tile": ("SELECT", "INSERT", "DELETE"),
            "checkpoint": ("SELECT", "INSERT"),
            "cosignature": ("SELECT", "INSERT"),
            "witness": ("SELECT", "INSERT", "DELETE"),
            "timestamp": ("SELECT", "INSERT"),
            "heartbeat": ("SELECT", "INSERT", "UPDATE (at)", "DELETE"),
            # Whoever signs notices first that the database is an old copy, and has to
            # stop all sharing at once (R58): that is a leaf, its reason and a row.
            "leaf_position_seq": _SPEND_POSITION,
            "evidence": ("INSERT",),
            "suspension": ("SELECT", "INSERT"),
            # Whether the secret is the one that belongs here, as each start asks.
            "subject": ("SELECT (handle, data_key, seq, head)",),
        }
    ),
}

GRANTS: Mapping[Role, _Grants] = {
    Role.WEB: _WEB,
    Role.PUBLISHER: _PUBLISHER,
    Role.AUDITOR: _ours(dict.fromkeys(_OF_THE_LOG, _READ)),
}
"""What each role is granted, by table or sequence."""

_KNOWN = sa.text(
    "SELECT rolsuper, rolcanlogin, pg_has_role(oid, :owner, 'MEMBER') "
    "FROM pg_roles WHERE rolname = :name"
)
_PARTITIONS = sa.text(
    "SELECT relid::regclass::text FROM pg_partition_tree(to_regclass(:name)) "
    "WHERE level > 0"
)
_HELD = sa.text(
    """
SELECT relname, '', privilege_type FROM pg_class, aclexplode(relacl), pg_roles
WHERE grantee = pg_roles.oid AND rolname = :name
UNION ALL
SELECT relname, attname, privilege_type
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid,
    aclexplode(attacl), pg_roles
WHERE grantee = pg_roles.oid AND rolname = :name
"""
)
_SCHEMA = sa.text(
    "SELECT relnamespace::regnamespace::text FROM pg_class "
    "WHERE oid = to_regclass('consent_log')"
)
_MAY_ENTER = sa.text("SELECT has_schema_privilege(:name, :schema, 'USAGE')")
_MAY_LIST = sa.text(
    "SELECT has_database_privilege(:name, current_database(), 'TEMPORARY'), "
    "quote_ident(current_database())"
)
_MAY_MAKE = sa.text(
    "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
)


@dataclass(frozen=True, slots=True)
class RoleReport:
    """What was done for one role.

    ``granted`` and ``taken`` count rights on tables, columns and sequences.
    """

    role: Role
    name: str
    made: bool
    logs_in: bool
    granted: int
    taken: int


def grant_roles(database: Database, names: Mapping[Role, str]) -> list[RoleReport]:
    """Make the roles that are missing, and let each do exactly what it is for.

    A role that is made cannot log in: it is a group, granted to the accounts that do.
    One that is there stays as it is, but for its rights on our tables.

    Raises:
        ConfigurationError: the database is no PostgreSQL, this process does not own
            the tables or may not make roles, or a name cannot be used.
        LogUnavailableError: the database cannot be reached or written.
    """
    _check_names(names)
    with database.write() as connection:
        rights = find_rights(connection)
        if rights is None:
            raise ConfigurationError(
                "roles are for PostgreSQL: an SQLite file belongs to whoever may "
                "write it; leave --web-role, --publisher-role and --auditor-role out"
            )
        if not rights.owns:
            raise ConfigurationError(
                f"roles are granted by the owner of the tables, {rights.owner!r}; this "
                f"is {rights.role!r}"
            )
        return [
            _settle(connection, role, name, owner=rights.owner)
            for role, name in names.items()
        ]


def _check_names(names: Mapping[Role, str]) -> None:
    for role, name in names.items():
        if not _NAME.fullmatch(name) or name.lower() in ("public", "none"):
            raise ConfigurationError(
                f"--{role}-role must be a name of at most 63 letters, digits, '_' and "
                f"'-' that does not begin with 'pg_'; got {name!r:.80}"
            )
    if len(set(names.values())) < len(names):
        raise ConfigurationError(
            "each role needs a name of its own: together they could do what none of "
            "them may"
        )


def _settle(
    connection: sa.Connection, role: Role, name: str, *, owner: str
) -> RoleReport:
    found = connection.execute(_KNOWN, {"name": name, "owner": owner}).one_or_none()
    if found is None:
        _make(connection, name)
    elif found[0] or found[2]:
        raise ConfigurationError(
            f"the role {name!r} is a superuser, or the owner of the tables: it can do "
            "everything, whatever it is granted; give another name"
        )
    before = _held(connection, name)
    _take_back(connection, name)
    _grant(connection, name, GRANTS[role])
    _open(connection, name, role)
    after = _held(connection, name)
    return RoleReport(
        role,
        name,
        made=found is None,
        logs_in=found is not None and found[1],
        granted=len(after - before),
        taken=len(before - after),
    )


def _make(connection: sa.Connection, name: str) -> None:
    if not connection.scalar(_MAY_MAKE):
        raise ConfigurationError(
            f"there is no role {name!r}, and this one may not make roles: let a "
            f'superuser say CREATE ROLE "{name}" NOLOGIN, and run this again'
        )
    connection.exec_driver_sql(f'CREATE ROLE "{name}" NOLOGIN')


def _held(connection: sa.Connection, name: str) -> set[tuple[str, str, str]]:
    return {
        (row[0], row[1], row[2]) for row in connection.execute(_HELD, {"name": name})
    }


def _take_back(connection: sa.Connection, name: str) -> None:
    """Take all, columns included; the others see the old rights until the commit."""
    tables = [*schema.METADATA.tables, _VERSION]
    partitions = (_partitions(connection, table) for table in schema.METADATA.tables)
    everything = ", ".join([*tables, *(each for some in partitions for each in some)])
    connection.exec_driver_sql(f'REVOKE ALL ON TABLE {everything} FROM "{name}"')
    connection.exec_driver_sql(f'REVOKE ALL ON SEQUENCE {_SEQUENCE} FROM "{name}"')


def _partitions(connection: sa.Connection, table: str) -> Iterable[str]:
    return connection.scalars(_PARTITIONS, {"name": table}).all()


def _grant(connection: sa.Connection, name: str, grants: _Grants) -> None:
    for table, rights in grants.items():
        kind = "SEQUENCE" if table == _SEQUENCE else "TABLE"
        connection.exec_driver_sql(
            f'GRANT {", ".join(rights)} ON {kind} {table} TO "{name}"'
        )


def _open(connection: sa.Connection, name: str, role: Role) -> None:
    """What every role has unless somebody took it from all: the schema, and lists."""
    within = connection.scalar(_SCHEMA)
    if not connection.scalar(_MAY_ENTER, {"name": name, "schema": within}):
        connection.exec_driver_sql(f'GRANT USAGE ON SCHEMA {within} TO "{name}"')
    may, database = connection.execute(_MAY_LIST, {"name": name}).one()
    if role is Role.WEB and not may:  # a share with many lists them in a table
        connection.exec_driver_sql(
            f'GRANT TEMPORARY ON DATABASE {database} TO "{name}"'
        )
