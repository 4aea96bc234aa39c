"""The wallet's own tables. Consent lives elsewhere: consentkit keeps its own."""

from __future__ import annotations

from sqlalchemy import Column
from sqlalchemy import Date
from sqlalchemy import DateTime
from sqlalchemy import ForeignKey
from sqlalchemy import Index
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import String
from sqlalchemy import Table

__all__ = ["metadata", "offer", "payment", "person", "score"]

metadata = MetaData()

person = Table(
    "person",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("city", String(80), nullable=False),
    Column("password_hash", String(255), nullable=False),
)

payment = Table(
    "payment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("merchant", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    # Pence; money out is negative. Whole numbers, because money is counted.
    Column("amount", Integer, nullable=False),
    Index("payment_of_person", "person_id", "paid_on", "id"),
)

score = Table(
    "score",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True),
    Column("points", Integer, nullable=False),
    Column("band", String(20), nullable=False),
    Column("worked_out_at", DateTime, nullable=False),  # UTC
)

offer = Table(
    "offer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("shop", String(120), nullable=False),
    Column("text", String(300), nullable=False),
)
