"""A host's own migrations: `flask db migrate` leaves our tables where they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consentkit import include_name
from consentkit.store import schema
from consentkit.store.database import Database

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer

ROOT = Path(__file__).parents[2]
# In a process of its own: Flask-Migrate's env.py sets up the logging of its process.
HOST = """
import json, sys
from pathlib import Path
import flask_migrate
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from consentkit import include_name

uri, folder = sys.argv[1:]
db = SQLAlchemy()

class Coat(db.Model):
    __tablename__ = "consent_forms_of_a_dry_cleaner"
    id = db.Column(db.Integer, primary_key=True)

def shops(name, type_, parent_names):
    return name != "of_another_app"

def proposed(**filters):
    app = Flask("shop", instance_path=folder)
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    db.init_app(app)
    kept = Path(folder, f"migrations_{len(told)}")
    flask_migrate.Migrate(app, db, directory=str(kept), **filters)
    with app.app_context():
        db.session.execute(db.text("CREATE TABLE IF NOT EXISTS of_another_app (x int)"))
        db.session.commit()
        flask_migrate.init()
        flask_migrate.migrate()
    (script,) = Path(kept, "versions").glob("*.py")
    text = script.read_text()
    lines = text.partition("def upgrade")[2].partition("def downgrade")[0].splitlines()
    return [each.strip() for each in lines if "op." in each or "batch_op." in each]

told = []
told.append(proposed())
told.append(proposed(include_name=include_name))
both = lambda *asked: include_name(*asked) and shops(*asked)
told.append(proposed(include_name=both))
print(json.dumps(told), file=sys.stderr)
"""


def proposals(uri: str, folder: Path) -> list[list[str]]:
    """What is proposed without our filter, with it, and with the host's own as well."""
    ran = subprocess.run(  # noqa: S603  our own arguments
        [sys.executable, "-c", HOST, uri, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    found: list[list[str]] = json.loads(ran.stderr.splitlines()[-1])
    return found


def check(found: list[list[str]], *, lost: set[str]) -> None:
    plain, ours_left_alone, both = found
    dropped = {each for each in plain if "drop_table" in each}
    assert all(any(f"'{name}'" in each for each in dropped) for name in lost)
    (made,) = (each for each in plain if "create_table" in each)
    assert ours_left_alone == [made, "op.drop_table('of_another_app')"]
    assert both == [made]


@pytest.mark.usefixtures("database")
def test_flask_db_migrate_drops_nothing_of_ours(file: Path, tmp_path: Path) -> None:
    lost = {*schema.METADATA.tables, "consent_alembic_version"}

    check(proposals(f"sqlite:///{file}", tmp_path), lost=lost)


def test_nor_on_postgresql_where_ours_are_partitioned(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    uri = postgres.new_tables()
    database = Database(uri)
    with database.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT relid::regclass::text FROM pg_partition_tree('consent_state')"
        ).scalars()
        partitions = set(found) - {"consent_state"}
    database.dispose()
    assert partitions

    found_there = proposals(uri.replace("postgresql:", "postgresql+psycopg:"), tmp_path)

    check(found_there, lost={*schema.METADATA.tables, *partitions})


def test_only_what_is_ours_is_left_out() -> None:
    assert include_name(None, "schema", {})
    assert include_name("orders", "table", {"schema_name": None})
    assert include_name("consent_leaflets", "table", {"schema_name": None})
    assert not include_name("consent_leaf", "table", {"schema_name": None})
    assert not include_name("consent_leaf_12", "table", {"schema_name": None})
    assert not include_name("ix", "index", {"table_name": "consent_state"})
    assert include_name("ix", "index", {"table_name": "orders"})
