"""Many hot reads at once: one statement for as many keys as it can take.

The answers stand in the order of the keys, and all that one statement finds held at one
instant.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from typing import TypeAlias

from consentkit.errors import LogUnavailableError
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from consentkit.core.decision import Standing
    from consentkit.store.statement import Row

__all__ = [
    "KEYS_AT_ONCE",
    "Key",
    "columns_of",
    "found_in",
    "postgres_query",
    "sqlite_query",
]

Key: TypeAlias = tuple[str, str, str, str]
"""Subject, purpose, recipient, and the purpose id of the cross-border question."""

KEYS_AT_ONCE = 1_000
"""Keys in one statement on SQLite: four values each, and it takes 32,766."""

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)
_COLUMNS = ("subject", "purpose", "recipient", "transfer")


def columns_of(keys: Sequence[Key]) -> int:
    """How many columns of the keys count: three where nothing goes abroad."""
    return 4 if any(key[3] for key in keys) else 3


@lru_cache(maxsize=64)
def sqlite_query(count: int, columns: int) -> str:
    """The statement for so many keys on SQLite; its values are the keys, end to end."""
    marks = ", ".join("?" * columns)
    rows = ", ".join(f"({number}, {marks})" for number in range(1, count + 1))
    names = ", ".join(_COLUMNS[:columns])
    return f"WITH wanted (number, {names}) AS (VALUES {rows}){_read(columns)}"


@lru_cache(maxsize=64)
def postgres_query(columns: int, prefix: str = "", *, first: str = "") -> str:
    """The statement for PostgreSQL; its values are the keys' columns, as arrays.

    ``prefix`` is written before the name of each table; ``first`` is what is selected
    before all else, with a comma at its end.
    """
    arrays = ", ".join(["%s::text[]"] * columns)
    names = ", ".join(_COLUMNS[:columns])
    wanted = f"SELECT * FROM unnest({arrays}) WITH ORDINALITY AS each ({names}, number)"  # noqa: S608  as above
    return f"WITH wanted AS ({wanted}){_read(columns, prefix, first)}"


def _read(columns: int, prefix: str = "", first: str = "") -> str:
    """The single read, but for the table of keys in place of the parameters."""
    transfer = joined = ""
    if columns == len(_COLUMNS):
        transfer = f", {_TRANSFER}"
        joined = f"""LEFT JOIN {prefix}consent_state AS transfer
    ON transfer.subject = wanted.subject AND transfer.purpose = wanted.transfer
   AND transfer.recipient = wanted.recipient
"""
    return f"""
SELECT {first}wanted.number, {_STATE}, EXISTS (
    SELECT 1 FROM {prefix}consent_suspension
    WHERE (purpose = '' OR purpose = wanted.purpose)
      AND (recipient = '' OR recipient = wanted.recipient)
) AS suspended, (
    SELECT at FROM {prefix}consent_coming_of_age WHERE subject = wanted.subject
) AS of_age{transfer} FROM wanted LEFT JOIN {prefix}consent_state AS state
    ON state.subject = wanted.subject AND state.purpose = wanted.purpose
   AND state.recipient = wanted.recipient
{joined}"""  # noqa: S608  names of tables and columns, made in this room


def found_in(rows: Iterable[Row], count: int) -> list[Standing | None]:
    """What stands for each of so many keys; None where the row is corrupt."""
    found: list[Standing | None] = [None] * count
    for row in rows:
        try:
            found[row[0] - 1] = standing_from(row[1:])
        except LogUnavailableError:
            continue  # its place stays empty
    return found
