"""A wallet whose processes log in as roles that may do little, each as it is meant."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import psycopg

from consentkit.service.starting import start
from consentkit.store.roles import Role
from consentkit.store.roles import grant_roles
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.service.installation import Installation
    from consentkit.store.roles import RoleReport
    from tests.postgres_server import PostgresServer

__all__ = ["NAMES", "Roled", "as_account", "make_roled"]

_NUMBERS = itertools.count()
NAMES = {each: f"consent-{each}" for each in Role}


@dataclass
class Roled:
    """The same database, as its owner has it and as each role may use it."""

    owner: Wallet
    reports: list[RoleReport]

    @property
    def uri(self) -> str:
        return self.owner.uri

    def uri_of(self, role: str) -> str:
        """The address under which that kind of process logs in."""
        return as_account(self.uri, f"{role}_process")

    def running(self, role: str, origin: str = ORIGIN) -> Installation:
        """A process that has started with that role."""
        wallet = self.owner
        return start(
            wallet.declared,
            replace(wallet.places, database_uri=self.uri_of(role)),
            origin=origin,
            publishes=role == Role.PUBLISHER,
            clock=wallet.clock,
        )

    def wallet(self, role: str) -> Wallet:
        """What people do, done by a process of that role."""
        wallet = Wallet.__new__(Wallet)
        wallet.__dict__.update(vars(self.owner))
        wallet.installation = self.running(role)
        wallet.opened.append(wallet)
        return wallet

    def refusal(self, role: str, statement: str, *values: Any) -> str:
        """How PostgreSQL itself answers a statement of that role; "" if it did it."""
        with psycopg.connect(self.uri_of(role)) as connection:
            try:
                connection.execute(statement.encode(), values or None)
            except psycopg.Error as error:
                return str(error.sqlstate)
            finally:
                connection.rollback()
        return ""


def make_roled(server: PostgresServer, folder: Path) -> Roled:
    """A database of an owner who is no superuser, with a login for each role."""
    number = next(_NUMBERS)
    owner = f"consent_owner_{number}"
    uri = server.new_database()
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE".encode())
        name = uri.partition("@/")[2].partition("?")[0]
        connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}".encode())
    wallet = Wallet(folder, uri=as_account(uri, owner))
    reports = grant_roles(wallet.installation.database, NAMES)
    with psycopg.connect(server.address, autocommit=True) as connection:
        for role, group in NAMES.items():
            account = f"{role}_process"
            rows = connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [account]
            )
            if not rows.fetchall():
                connection.execute(f"CREATE ROLE {account} LOGIN".encode())
                connection.execute(f'GRANT "{group}" TO {account}'.encode())
    return Roled(wallet, reports)


def as_account(uri: str, account: str) -> str:
    """The same address, for somebody else."""
    _, at, rest = uri.partition("@")
    return f"postgresql://{account}{at}{rest}"
